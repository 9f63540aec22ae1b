//! Lanes in registers: the functions of [`Real`] once, over what each kind of register does.

use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Neg, Sub};

use super::Scalar;
use super::array::EXP2;
use crate::{Real, special};

/// A register of numbers, or two side by side.
///
/// Only `dispatch` hands registers out, after it has asked the processor for them.
pub(super) trait Register: Copy + Debug {
    /// What each lane holds.
    type Number: Number;
    /// c₁, c₂, … of 1/√(1 − e) = 1 + c₁ e + c₂ e² + …, as many as [`Register::estimate`] needs to become exact.
    const SERIES: &'static [f64];

    /// The same number in every lane.
    fn splat(value: Self::Number) -> Self;
    /// The first lane.
    fn first(self) -> Self::Number;
    /// `f` of each lane of `self` and `other`.
    fn zip(self, other: Self, f: impl Fn(f64, f64) -> f64 + Copy) -> Self;

    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn div(self, other: Self) -> Self;
    /// The smaller one; `other` where either is no number.
    fn min(self, other: Self) -> Self;
    /// The larger one; `other` where either is no number.
    fn max(self, other: Self) -> Self;
    fn sqrt(self) -> Self;
    /// self · b + c
    fn fmadd(self, b: Self, c: Self) -> Self;
    /// self · b − c
    fn fmsub(self, b: Self, c: Self) -> Self;
    /// c − self · b
    fn fnmadd(self, b: Self, c: Self) -> Self;
    /// To the nearest whole number, the even one of two.
    fn round(self) -> Self;
    /// 1/√x, roughly.
    fn estimate(self) -> Self;
    /// Half of a normal number.
    #[inline(always)]
    fn half(self) -> Self {
        self.mul(Self::splat(Self::Number::of(0.5)))
    }
    /// `a` where self < bound, else `b`.
    fn select_lt(self, bound: Self, a: Self, b: Self) -> Self;
    /// self · 2ᵏ for whole k; 0 where x < bound.
    fn scaled(self, k: Self, x: Self, bound: Self) -> Self;
}

/// f64 or f32 with the constants of its exponential.
pub(super) trait Number: Scalar + Into<f64> {
    /// 0 stands for 2ˣ below.
    const EXP2_LEAST: Self;
    /// 2ˣ for |x| ≤ ½, from the highest power down.
    const EXP2: &'static [Self];
}

impl Number for f32 {
    const EXP2_LEAST: f32 = -125.0;
    const EXP2: &'static [f32] = &EXP2;
}

impl Number for f64 {
    const EXP2_LEAST: f64 = -1021.0;
    /// (ln 2)ⁿ/n! from n = 13 down; the first missing term is below 5·10⁻¹⁸.
    const EXP2: &'static [f64] = &{
        let mut series = [1.0; 14];
        let mut n = 1;
        while n <= 13 {
            series[13 - n] = series[14 - n] * std::f64::consts::LN_2 / n as f64;
            n += 1;
        }
        series
    };
}

/// Two registers as one of twice the length.
impl<V: Register> Register for [V; 2] {
    type Number = V::Number;
    const SERIES: &'static [f64] = V::SERIES;

    #[inline(always)]
    fn splat(value: V::Number) -> Self {
        [V::splat(value); 2]
    }
    #[inline(always)]
    fn first(self) -> V::Number {
        self[0].first()
    }
    #[inline(always)]
    fn zip(self, o: Self, f: impl Fn(f64, f64) -> f64 + Copy) -> Self {
        [self[0].zip(o[0], f), self[1].zip(o[1], f)]
    }
    #[inline(always)]
    fn add(self, o: Self) -> Self {
        [self[0].add(o[0]), self[1].add(o[1])]
    }
    #[inline(always)]
    fn sub(self, o: Self) -> Self {
        [self[0].sub(o[0]), self[1].sub(o[1])]
    }
    #[inline(always)]
    fn mul(self, o: Self) -> Self {
        [self[0].mul(o[0]), self[1].mul(o[1])]
    }
    #[inline(always)]
    fn div(self, o: Self) -> Self {
        [self[0].div(o[0]), self[1].div(o[1])]
    }
    #[inline(always)]
    fn min(self, o: Self) -> Self {
        [self[0].min(o[0]), self[1].min(o[1])]
    }
    #[inline(always)]
    fn max(self, o: Self) -> Self {
        [self[0].max(o[0]), self[1].max(o[1])]
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        [self[0].sqrt(), self[1].sqrt()]
    }
    #[inline(always)]
    fn fmadd(self, b: Self, c: Self) -> Self {
        [self[0].fmadd(b[0], c[0]), self[1].fmadd(b[1], c[1])]
    }
    #[inline(always)]
    fn fmsub(self, b: Self, c: Self) -> Self {
        [self[0].fmsub(b[0], c[0]), self[1].fmsub(b[1], c[1])]
    }
    #[inline(always)]
    fn fnmadd(self, b: Self, c: Self) -> Self {
        [self[0].fnmadd(b[0], c[0]), self[1].fnmadd(b[1], c[1])]
    }
    #[inline(always)]
    fn round(self) -> Self {
        [self[0].round(), self[1].round()]
    }
    #[inline(always)]
    fn estimate(self) -> Self {
        [self[0].estimate(), self[1].estimate()]
    }
    #[inline(always)]
    fn select_lt(self, bound: Self, a: Self, b: Self) -> Self {
        [self[0].select_lt(bound[0], a[0], b[0]), self[1].select_lt(bound[1], a[1], b[1])]
    }
    #[inline(always)]
    fn scaled(self, k: Self, x: Self, bound: Self) -> Self {
        [self[0].scaled(k[0], x[0], bound[0]), self[1].scaled(k[1], x[1], bound[1])]
    }
}

/// [`Register`] by the instructions of one kind; what has no instruction of its own stands in braces.
macro_rules! register {
    (
        $register:ident: [$number:ident; $n:literal], $load:ident, $store:ident, $splat:ident, $first:ident;
        $($two:ident = $by_two:ident),*; $($three:ident = $by_three:ident),*; { $($others:tt)* }
    ) => {
        impl Register for $register {
            type Number = $number;

            #[inline(always)]
            fn splat(value: $number) -> Self {
                unsafe { $splat(value) }
            }
            #[inline(always)]
            fn first(self) -> $number {
                unsafe { $first(self) }
            }
            #[inline(always)]
            fn zip(self, other: Self, f: impl Fn(f64, f64) -> f64 + Copy) -> Self {
                let (mut a, mut b) = ([0.0; $n], [0.0; $n]);
                unsafe {
                    $store(a.as_mut_ptr(), self);
                    $store(b.as_mut_ptr(), other);
                    for k in 0..$n {
                        a[k] = f(f64::from(a[k]), f64::from(b[k])) as $number;
                    }
                    $load(a.as_ptr())
                }
            }
            $(
                #[inline(always)]
                fn $two(self, other: Self) -> Self {
                    unsafe { $by_two(self, other) }
                }
            )*
            $(
                #[inline(always)]
                fn $three(self, b: Self, c: Self) -> Self {
                    unsafe { $by_three(self, b, c) }
                }
            )*
            $($others)*
        }
    };
}
pub(super) use register;

/// Real numbers in registers.
#[derive(Clone, Copy, Debug)]
pub struct Lanes<V>(pub(super) V);

impl<V: Register> Add for Lanes<V> {
    type Output = Self;
    #[inline(always)]
    fn add(self, o: Self) -> Self {
        Lanes(self.0.add(o.0))
    }
}
impl<V: Register> Sub for Lanes<V> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, o: Self) -> Self {
        Lanes(self.0.sub(o.0))
    }
}
impl<V: Register> Mul for Lanes<V> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, o: Self) -> Self {
        Lanes(self.0.mul(o.0))
    }
}
impl<V: Register> Div for Lanes<V> {
    type Output = Self;
    #[inline(always)]
    fn div(self, o: Self) -> Self {
        Lanes(self.0.div(o.0))
    }
}
impl<V: Register> Neg for Lanes<V> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Lanes::splat(0.0) - self
    }
}

impl<V: Register> Lanes<V> {
    #[inline(always)]
    fn each(self, f: impl Fn(f64) -> f64 + Copy) -> Self {
        Lanes(self.0.zip(self.0, |x, _| f(x)))
    }
}

impl<V: Register> Real for Lanes<V> {
    #[inline(always)]
    fn splat(value: f64) -> Self {
        Lanes(V::splat(V::Number::of(value)))
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Lanes(self.0.sqrt())
    }
    /// With y near 1/√x and e = 1 − x y², 1/√x is y (1 − e)^(−1/2); y (1 + e/2) = (y/2) (3 − x y²) where that is enough.
    #[inline(always)]
    fn rsqrt(self) -> Self {
        let y = Lanes(self.0.estimate());
        if V::SERIES.len() == 1 {
            return Lanes(y.0.half()) * Lanes((self * y).0.fnmadd(y.0, V::splat(V::Number::of(3.0))));
        }
        let e = Lanes((self * y).0.fnmadd(y.0, V::splat(V::Number::of(1.0))));
        let mut series = Self::splat(V::SERIES[V::SERIES.len() - 1]);
        for &c in V::SERIES.iter().rev().skip(1) {
            series = series.mul_add(e, Self::splat(c));
        }
        (y * series).mul_add(e, y)
    }
    /// 0 below [`Number::EXP2_LEAST`].
    #[inline(always)]
    fn exp2(self) -> Self {
        let k = self.0.round();
        let f = self.0.sub(k);
        let mut p = V::splat(V::Number::EXP2[0]);
        for &c in &V::Number::EXP2[1..] {
            p = p.fmadd(f, V::splat(c));
        }
        Lanes(p.scaled(k, self.0, V::splat(V::Number::EXP2_LEAST)))
    }
    #[inline(always)]
    fn erfc(self) -> Self {
        self.each(special::erfc)
    }
    #[inline(always)]
    fn cos(self) -> Self {
        self.each(special::cos)
    }
    #[inline(always)]
    fn sin(self) -> Self {
        self.each(special::sin)
    }
    #[inline(always)]
    fn acos(self) -> Self {
        self.each(special::acos)
    }
    #[inline(always)]
    fn atan2(self, other: Self) -> Self {
        Lanes(self.0.zip(other.0, special::atan2))
    }
    #[inline(always)]
    fn select_lt(self, bound: Self, a: Self, b: Self) -> Self {
        Lanes(self.0.select_lt(bound.0, a.0, b.0))
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        Lanes(self.0.fmadd(b.0, c.0))
    }
    #[inline(always)]
    fn neg_mul_add(self, b: Self, c: Self) -> Self {
        Lanes(self.0.fnmadd(b.0, c.0))
    }
    #[inline(always)]
    fn value(self) -> f64 {
        self.0.first().into()
    }
}

//! The number trait of the physics: a formula written over `R: Real` runs in f64, in dual numbers
//! (exact derivatives for the tests) and in SIMD lanes.

use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::special;

/// Real numbers with the functions that force fields need.
pub trait Real:
    Copy + Debug + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self>
{
    /// The constant `value` in every lane, with derivative zero.
    fn splat(value: f64) -> Self;
    /// √x.
    fn sqrt(self) -> Self;
    /// 2ˣ for x up to 127. It is to the base 2 because loops can fold the factor into a constant.
    fn exp2(self) -> Self;
    /// Complementary error function.
    fn erfc(self) -> Self;
    /// (erfc x, exp(−x²)) for x ≥ 0.
    #[inline(always)]
    fn erfc_and_gaussian(self) -> (Self, Self) {
        (self.erfc(), (self * self * Self::splat(-std::f64::consts::LOG2_E)).exp2())
    }
    /// cos x.
    fn cos(self) -> Self;
    /// sin x.
    fn sin(self) -> Self;
    /// arccos x.
    fn acos(self) -> Self;
    /// Angle of the point (x = `other`, y = `self`).
    fn atan2(self, other: Self) -> Self;
    /// `a` where self < bound, else `b`; both are evaluated.
    fn select_lt(self, bound: Self, a: Self, b: Self) -> Self;
    /// self · b + c, in one rounding where the instruction set has that.
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        self * b + c
    }
    /// c − self · b, likewise.
    #[inline(always)]
    fn neg_mul_add(self, b: Self, c: Self) -> Self {
        c - self * b
    }
    /// 1/x.
    #[inline(always)]
    fn recip(self) -> Self {
        Self::splat(1.0) / self
    }
    /// 1/√x.
    #[inline(always)]
    fn rsqrt(self) -> Self {
        self.sqrt().recip()
    }
    /// The plain value (the first lane).
    fn value(self) -> f64;
}

impl Real for f64 {
    #[inline(always)]
    fn splat(value: f64) -> f64 {
        value
    }
    #[inline(always)]
    fn sqrt(self) -> f64 {
        f64::sqrt(self)
    }
    #[inline(always)]
    fn exp2(self) -> f64 {
        special::exp2(self)
    }
    #[inline(always)]
    fn erfc(self) -> f64 {
        special::erfc(self)
    }
    #[inline(always)]
    fn erfc_and_gaussian(self) -> (f64, f64) {
        special::erfc_and_gaussian(self)
    }
    #[inline(always)]
    fn cos(self) -> f64 {
        special::cos(self)
    }
    #[inline(always)]
    fn sin(self) -> f64 {
        special::sin(self)
    }
    #[inline(always)]
    fn acos(self) -> f64 {
        special::acos(self)
    }
    #[inline(always)]
    fn atan2(self, other: f64) -> f64 {
        special::atan2(self, other)
    }
    #[inline(always)]
    fn select_lt(self, bound: f64, a: f64, b: f64) -> f64 {
        if self < bound { a } else { b }
    }
    #[inline(always)]
    fn value(self) -> f64 {
        self
    }
}

//! Lanes as plain arrays, which the compiler turns into the vectors of what every processor has.
//!
//! For that no loop may hold a call or a branch: no `array::map`, which is not always inlined, no rounding function, which
//! the C library has, no cast of numbers that could be out of range, and masks as wide as the numbers.

mod packet;

use std::ops::{Add, Div, Mul, Neg, Sub};

use super::{Simd, Tile, WIDTH};
use crate::{Real, special};

/// Arrays, without fused multiply-add.
pub struct Portable;

impl Simd for Portable {
    const FUSED: bool = false;
    type Double = F64x8;
    type Single = F32x16;
    type Packet = F32x16;
    const SPECIALISED: bool = false;
}

macro_rules! array_lanes {
    ($name:ident, $scalar:ty, $integer:ty, $rows:expr, $lanes:expr, $exp2:path, $round:path) => {
        #[derive(Clone, Copy, Debug)]
        pub struct $name([$scalar; $lanes]);

        impl $name {
            #[inline(always)]
            fn each(mut self, f: impl Fn($scalar) -> $scalar) -> Self {
                for k in 0..$lanes {
                    self.0[k] = f(self.0[k]);
                }
                self
            }
            #[inline(always)]
            fn zip(mut self, o: Self, f: impl Fn($scalar, $scalar) -> $scalar) -> Self {
                for k in 0..$lanes {
                    self.0[k] = f(self.0[k], o.0[k]);
                }
                self
            }
        }

        impl Add for $name {
            type Output = Self;
            #[inline(always)]
            fn add(self, o: Self) -> Self {
                self.zip(o, |a, b| a + b)
            }
        }
        impl Sub for $name {
            type Output = Self;
            #[inline(always)]
            fn sub(self, o: Self) -> Self {
                self.zip(o, |a, b| a - b)
            }
        }
        impl Mul for $name {
            type Output = Self;
            #[inline(always)]
            fn mul(self, o: Self) -> Self {
                self.zip(o, |a, b| a * b)
            }
        }
        impl Div for $name {
            type Output = Self;
            #[inline(always)]
            fn div(self, o: Self) -> Self {
                self.zip(o, |a, b| a / b)
            }
        }
        impl Neg for $name {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                self.each(|a| -a)
            }
        }

        impl Real for $name {
            #[inline(always)]
            fn splat(value: f64) -> Self {
                $name([value as $scalar; $lanes])
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                self.each(|a| a.sqrt())
            }
            #[inline(always)]
            fn exp2(self) -> Self {
                self.each($exp2)
            }
            #[inline(always)]
            fn erfc(self) -> Self {
                self.each(|a| special::erfc(f64::from(a)) as $scalar)
            }
            #[inline(always)]
            fn cos(self) -> Self {
                self.each(|a| special::cos(f64::from(a)) as $scalar)
            }
            #[inline(always)]
            fn sin(self) -> Self {
                self.each(|a| special::sin(f64::from(a)) as $scalar)
            }
            #[inline(always)]
            fn acos(self) -> Self {
                self.each(|a| special::acos(f64::from(a)) as $scalar)
            }
            #[inline(always)]
            fn atan2(self, other: Self) -> Self {
                self.zip(other, |a, b| special::atan2(f64::from(a), f64::from(b)) as $scalar)
            }
            #[inline(always)]
            fn select_lt(mut self, bound: Self, a: Self, b: Self) -> Self {
                for k in 0..$lanes {
                    self.0[k] = if self.0[k] < bound.0[k] { a.0[k] } else { b.0[k] };
                }
                self
            }
            #[inline(always)]
            fn value(self) -> f64 {
                f64::from(self.0[0])
            }
        }

        impl Tile for $name {
            type Scalar = $scalar;
            type Fixed = [$integer; $lanes];
            /// All bits of a lane or none.
            type Mask = [$integer; $lanes];
            type Index = [u32; WIDTH];
            type Sum = [i64; WIDTH];
            const ROWS: usize = $rows;

            #[inline(always)]
            fn columns(values: &[$scalar; WIDTH]) -> Self {
                let mut lanes = [0.0; $lanes];
                for k in 0..$lanes {
                    lanes[k] = values[k % WIDTH];
                }
                $name(lanes)
            }
            #[inline(always)]
            fn rows(values: &[$scalar; WIDTH], first: usize) -> Self {
                let mut lanes = [0.0; $lanes];
                for k in 0..$lanes {
                    lanes[k] = values[first + k / WIDTH];
                }
                $name(lanes)
            }
            #[inline(always)]
            fn coordinates(rows: &[$integer; WIDTH], first: usize) -> [$integer; $lanes] {
                let mut lanes = [0; $lanes];
                for k in 0..$lanes {
                    lanes[k] = rows[first + k / WIDTH];
                }
                lanes
            }
            #[inline(always)]
            fn separation(rows: [$integer; $lanes], columns: &[$integer; WIDTH]) -> Self {
                let mut lanes = [0.0; $lanes];
                for k in 0..$lanes {
                    lanes[k] = rows[k].wrapping_sub(columns[k % WIDTH]) as $scalar;
                }
                $name(lanes)
            }
            #[inline(always)]
            fn index(kinds: &[u32; 2 * WIDTH]) -> [u32; WIDTH] {
                let mut first = [0; WIDTH];
                first.copy_from_slice(&kinds[..WIDTH]);
                first
            }
            #[inline(always)]
            fn lookup(tables: [&[$scalar; 16]; 2], columns: [u32; WIDTH]) -> Self {
                let mut lanes = [0.0; $lanes];
                for k in 0..$lanes {
                    lanes[k] = tables[k / WIDTH][columns[k % WIDTH] as usize % 16];
                }
                $name(lanes)
            }
            #[inline(always)]
            fn in_block(columns: [u32; WIDTH], block: u32) -> [$integer; $lanes] {
                let mut mask = [0; $lanes];
                for k in 0..$lanes {
                    mask[k] = -<$integer>::from(columns[k % WIDTH] >> 5 == block);
                }
                mask
            }
            #[inline(always)]
            fn replace(mut self, mask: [$integer; $lanes], other: Self) -> Self {
                for k in 0..$lanes {
                    self.0[k] = if mask[k] != 0 { other.0[k] } else { self.0[k] };
                }
                self
            }
            #[inline(always)]
            fn below(self, bound: Self, bits: u32) -> [$integer; $lanes] {
                let mut mask = [0; $lanes];
                for k in 0..$lanes {
                    mask[k] = -<$integer>::from((self.0[k] < bound.0[k]) & (bits & 1 << k != 0));
                }
                mask
            }
            #[inline(always)]
            fn keep(mut self, mask: [$integer; $lanes]) -> Self {
                for k in 0..$lanes {
                    self.0[k] = <$scalar>::from_bits(self.0[k].to_bits() & mask[k].cast_unsigned());
                }
                self
            }
            #[inline(always)]
            fn min_where(mut self, mask: [$integer; $lanes], other: Self) -> Self {
                for k in 0..$lanes {
                    let smaller = if other.0[k] < self.0[k] { other.0[k] } else { self.0[k] };
                    self.0[k] = if mask[k] != 0 { smaller } else { self.0[k] };
                }
                self
            }
            #[inline(always)]
            fn least(self) -> f64 {
                self.0.iter().fold(f64::INFINITY, |least, &v| least.min(f64::from(v)))
            }
            #[inline(always)]
            fn max_modulus(self, other: Self) -> Self {
                // As whole numbers, among which not-a-number is larger than any number, so that it stays.
                self.zip(other, |a, b| {
                    let (a, b) = (a.to_bits().cast_signed(), b.abs().to_bits().cast_signed());
                    <$scalar>::from_bits(if a < b { b } else { a }.cast_unsigned())
                })
            }
            #[inline(always)]
            fn scalar(value: $scalar) -> Self {
                $name([value; $lanes])
            }
            #[inline(always)]
            fn to_fixed(self) -> [$integer; $lanes] {
                let mut fixed = [0; $lanes];
                for k in 0..$lanes {
                    fixed[k] = $round(self.0[k]);
                }
                fixed
            }
            #[inline(always)]
            fn fixed_zero() -> [$integer; $lanes] {
                [0; $lanes]
            }
            #[inline(always)]
            fn fixed_add(mut a: [$integer; $lanes], b: [$integer; $lanes]) -> [$integer; $lanes] {
                for k in 0..$lanes {
                    a[k] = a[k].wrapping_add(b[k]);
                }
                a
            }
            #[inline(always)]
            fn add_rows(a: [$integer; $lanes], into: &mut [$integer; WIDTH], first: usize) {
                for row in 0..$rows {
                    let of_row = &a[row * WIDTH..][..WIDTH];
                    let sum = of_row.iter().fold(0 as $integer, |sum, v| sum.wrapping_add(*v));
                    into[first + row] = into[first + row].wrapping_add(sum);
                }
            }
            #[inline(always)]
            fn subtract_columns(a: [$integer; $lanes], from: &mut [$integer; WIDTH]) {
                for k in 0..$lanes {
                    from[k % WIDTH] = from[k % WIDTH].wrapping_sub(a[k]);
                }
            }
            #[inline(always)]
            fn sum_zero() -> [i64; WIDTH] {
                [0; WIDTH]
            }
            #[inline(always)]
            fn sum_add(mut sum: [i64; WIDTH], energy: Self) -> [i64; WIDTH] {
                for k in 0..$lanes {
                    sum[k % WIDTH] = sum[k % WIDTH].wrapping_add(round_large(f64::from(energy.0[k])));
                }
                sum
            }
            #[inline(always)]
            fn sum_total(sum: [i64; WIDTH]) -> i64 {
                sum.iter().fold(0, |total, s| total.wrapping_add(*s))
            }
        }
    };
}

array_lanes!(F64x8, f64, i64, 1, 8, exp2_f64, round_f64);
array_lanes!(F32x16, f32, i32, 2, 16, exp2_f32, round_f32);

/// 2ˣ for x ≤ 1023 without a branch; 0 below −1021.
#[inline(always)]
fn exp2_f64(x: f64) -> f64 {
    if x < -1021.0 { 0.0 } else { special::exp2_within(x) }
}

/// 2ˣ for x ≤ 127, to 4·10⁻⁷; 0 below −125.
#[inline(always)]
fn exp2_f32(x: f32) -> f32 {
    const MAGIC: f32 = 12_582_912.0;
    let k = (x.max(-126.0) + MAGIC) - MAGIC;
    let p = EXP2.iter().fold(0.0, |sum, c| sum * (x - k) + c);
    let scaled = f32::from_bits(p.to_bits().wrapping_add(((k as i32) << 23) as u32));
    if x < -125.0 { 0.0 } else { scaled }
}

/// 2ˣ for |x| ≤ ½ as a polynomial from x⁵ down: that of least relative error, 8·10⁻⁸, found by reweighted least squares.
pub(super) const EXP2: [f32; 6] =
    [0.001_327_644_5, 0.009_675_538, 0.055_507_135, 0.240_221_2, 0.693_146_94, 1.000_000_1];

/// 1.5·2⁵²: its sum with x is rounded to whole numbers, and they are what remains below 2⁵¹.
const MAGIC: f64 = 6_755_399_441_055_744.0;

/// To the nearest whole number, for |x| < 2⁵¹.
#[inline(always)]
fn round_f64(x: f64) -> i64 {
    (x + MAGIC).to_bits().wrapping_sub(MAGIC.to_bits()).cast_signed()
}

/// To the nearest whole number, for |x| < 2³¹.
#[inline(always)]
fn round_f32(x: f32) -> i32 {
    ((f64::from(x) + MAGIC).to_bits() as u32).cast_signed()
}

/// To the nearest whole number, for |x| < 2⁶³: first to a multiple of 2¹⁶, then what is left.
#[inline(always)]
fn round_large(x: f64) -> i64 {
    const COARSE: f64 = 65_536.0 * MAGIC;
    let coarse = x + COARSE;
    // Nothing of the constant is within the 48 bits that stay.
    (coarse.to_bits() << 16).cast_signed().wrapping_add(round_f64(x - (coarse - COARSE)))
}

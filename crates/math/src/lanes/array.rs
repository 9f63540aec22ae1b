//! Lanes as plain arrays, which the compiler turns into the vectors of whatever instructions it may use: the portable
//! path, and that of AVX2 where `FMA` says that a fused multiply-add is one instruction.

mod packet;

use std::array::from_fn;
use std::ops::{Add, Div, Mul, Neg, Sub};

use super::{Simd, Tile, WIDTH};
use crate::{Real, special};

/// Arrays without fused multiply-add.
pub struct Portable;
/// Arrays with fused multiply-add.
pub struct Fused;

impl Simd for Portable {
    const FUSED: bool = false;
    type Double = F64x8<false>;
    type Single = F32x16<false>;
    const SPECIALISED: bool = false;
}

impl Simd for Fused {
    const FUSED: bool = true;
    type Double = F64x8<true>;
    type Single = F32x16<true>;
    const SPECIALISED: bool = false;
}

macro_rules! array_lanes {
    ($name:ident, $scalar:ty, $coordinate:ty, $fixed:ty, $rows:expr, $lanes:expr, $exp:path, $round:path) => {
        #[derive(Clone, Copy, Debug)]
        pub struct $name<const FMA: bool>([$scalar; $lanes]);

        impl<const FMA: bool> $name<FMA> {
            #[inline(always)]
            fn map(self, f: impl Fn($scalar) -> $scalar) -> Self {
                $name(from_fn(|k| f(self.0[k])))
            }
            #[inline(always)]
            fn zip(self, o: Self, f: impl Fn($scalar, $scalar) -> $scalar) -> Self {
                $name(from_fn(|k| f(self.0[k], o.0[k])))
            }
        }

        impl<const FMA: bool> Add for $name<FMA> {
            type Output = Self;
            #[inline(always)]
            fn add(self, o: Self) -> Self {
                self.zip(o, |a, b| a + b)
            }
        }
        impl<const FMA: bool> Sub for $name<FMA> {
            type Output = Self;
            #[inline(always)]
            fn sub(self, o: Self) -> Self {
                self.zip(o, |a, b| a - b)
            }
        }
        impl<const FMA: bool> Mul for $name<FMA> {
            type Output = Self;
            #[inline(always)]
            fn mul(self, o: Self) -> Self {
                self.zip(o, |a, b| a * b)
            }
        }
        impl<const FMA: bool> Div for $name<FMA> {
            type Output = Self;
            #[inline(always)]
            fn div(self, o: Self) -> Self {
                self.zip(o, |a, b| a / b)
            }
        }
        impl<const FMA: bool> Neg for $name<FMA> {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                self.map(|a| -a)
            }
        }

        impl<const FMA: bool> Real for $name<FMA> {
            #[inline(always)]
            fn splat(value: f64) -> Self {
                $name([value as $scalar; $lanes])
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                self.map(|a| a.sqrt())
            }
            #[inline(always)]
            fn exp(self) -> Self {
                self.map($exp)
            }
            #[inline(always)]
            fn erfc(self) -> Self {
                self.map(|a| special::erfc(f64::from(a)) as $scalar)
            }
            #[inline(always)]
            fn cos(self) -> Self {
                self.map(|a| special::cos(f64::from(a)) as $scalar)
            }
            #[inline(always)]
            fn sin(self) -> Self {
                self.map(|a| special::sin(f64::from(a)) as $scalar)
            }
            #[inline(always)]
            fn acos(self) -> Self {
                self.map(|a| special::acos(f64::from(a)) as $scalar)
            }
            #[inline(always)]
            fn atan2(self, other: Self) -> Self {
                self.zip(other, |a, b| special::atan2(f64::from(a), f64::from(b)) as $scalar)
            }
            #[inline(always)]
            fn select_lt(self, bound: Self, a: Self, b: Self) -> Self {
                $name(from_fn(|k| if self.0[k] < bound.0[k] { a.0[k] } else { b.0[k] }))
            }
            #[inline(always)]
            fn mul_add(self, b: Self, c: Self) -> Self {
                $name(from_fn(|k| if FMA { self.0[k].mul_add(b.0[k], c.0[k]) } else { self.0[k] * b.0[k] + c.0[k] }))
            }
            #[inline(always)]
            fn value(self) -> f64 {
                f64::from(self.0[0])
            }
        }

        impl<const FMA: bool> Tile for $name<FMA> {
            type Scalar = $scalar;
            type Fixed = [$fixed; $lanes];
            type Mask = [bool; $lanes];
            type Index = [u32; WIDTH];
            type Sum = [i64; WIDTH];
            const ROWS: usize = $rows;

            #[inline(always)]
            fn columns(values: &[$scalar; WIDTH]) -> Self {
                $name(from_fn(|k| values[k % WIDTH]))
            }
            #[inline(always)]
            fn rows(values: &[$scalar; WIDTH], first: usize) -> Self {
                $name(from_fn(|k| values[first + k / WIDTH]))
            }
            #[inline(always)]
            fn coordinates(rows: &[$coordinate; WIDTH], first: usize) -> [$fixed; $lanes] {
                from_fn(|k| rows[first + k / WIDTH])
            }
            #[inline(always)]
            fn separation(rows: [$fixed; $lanes], columns: &[$coordinate; WIDTH]) -> Self {
                $name(from_fn(|k| rows[k].wrapping_sub(columns[k % WIDTH]) as $scalar))
            }
            #[inline(always)]
            fn index(kinds: &[u32; WIDTH]) -> [u32; WIDTH] {
                *kinds
            }
            #[inline(always)]
            fn lookup(tables: [&[$scalar; 16]; 2], columns: [u32; WIDTH]) -> Self {
                $name(from_fn(|k| tables[k / WIDTH][columns[k % WIDTH] as usize % 16]))
            }
            #[inline(always)]
            fn in_block(columns: [u32; WIDTH], block: u32) -> [bool; $lanes] {
                from_fn(|k| columns[k % WIDTH] / 16 == block)
            }
            #[inline(always)]
            fn replace(self, mask: [bool; $lanes], other: Self) -> Self {
                $name(from_fn(|k| if mask[k] { other.0[k] } else { self.0[k] }))
            }
            #[inline(always)]
            fn below(self, bound: Self, bits: u32) -> [bool; $lanes] {
                from_fn(|k| (self.0[k] < bound.0[k]) & (bits >> k & 1 == 1))
            }
            #[inline(always)]
            fn keep(self, mask: [bool; $lanes]) -> Self {
                $name(from_fn(|k| if mask[k] { self.0[k] } else { 0.0 }))
            }
            #[inline(always)]
            fn min_where(self, mask: [bool; $lanes], other: Self) -> Self {
                $name(from_fn(|k| if mask[k] && other.0[k] < self.0[k] { other.0[k] } else { self.0[k] }))
            }
            #[inline(always)]
            fn least(self) -> f64 {
                self.0.iter().fold(f64::INFINITY, |least, &v| least.min(f64::from(v)))
            }
            #[inline(always)]
            fn max_modulus(self, other: Self) -> Self {
                self.zip(other, |a, b| if a.abs() < b.abs() { b.abs() } else { a.abs() })
            }
            #[inline(always)]
            fn scalar(value: $scalar) -> Self {
                $name([value; $lanes])
            }
            #[inline(always)]
            fn to_fixed(self) -> [$fixed; $lanes] {
                self.0.map($round)
            }
            #[inline(always)]
            fn fixed_zero() -> [$fixed; $lanes] {
                [0; $lanes]
            }
            #[inline(always)]
            fn fixed_add(a: [$fixed; $lanes], b: [$fixed; $lanes]) -> [$fixed; $lanes] {
                from_fn(|k| a[k].wrapping_add(b[k]))
            }
            #[inline(always)]
            fn add_rows(a: [$fixed; $lanes], into: &mut [$fixed; WIDTH], first: usize) {
                for row in 0..$rows {
                    let of_row = &a[row * WIDTH..][..WIDTH];
                    let sum = of_row.iter().fold(0 as $fixed, |sum, v| sum.wrapping_add(*v));
                    into[first + row] = into[first + row].wrapping_add(sum);
                }
            }
            #[inline(always)]
            fn subtract_columns(a: [$fixed; $lanes], from: &mut [$fixed; WIDTH]) {
                for column in 0..WIDTH {
                    let rows = (0..$rows).fold(0 as $fixed, |sum, row| sum.wrapping_add(a[row * WIDTH + column]));
                    from[column] = from[column].wrapping_sub(rows);
                }
            }
            #[inline(always)]
            fn sum_zero() -> [i64; WIDTH] {
                [0; WIDTH]
            }
            #[inline(always)]
            fn sum_add(mut sum: [i64; WIDTH], energy: Self) -> [i64; WIDTH] {
                for (k, e) in energy.0.into_iter().enumerate() {
                    sum[k % WIDTH] = sum[k % WIDTH].wrapping_add(e.round_ties_even() as i64);
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

array_lanes!(F64x8, f64, i64, i64, 1, 8, exp_f64, round_f64);
array_lanes!(F32x16, f32, i32, i32, 2, 16, exp_f32, round_f32);

/// eˣ without a branch; 0 below −708, the value at 709 above it.
#[inline(always)]
fn exp_f64(x: f64) -> f64 {
    if x < -708.0 { 0.0 } else { special::exp_within(x.min(709.0)) }
}

/// eˣ to 2 units in the last place of f32; 0 below −87, the value at 88 above it.
#[inline(always)]
fn exp_f32(x: f32) -> f32 {
    const MAGIC: f32 = 12_582_912.0;
    let clamped = x.clamp(-87.0, 88.0);
    let k = (clamped * std::f32::consts::LOG2_E + MAGIC) - MAGIC;
    let r = (clamped - k * EXP_LN2[0]) - k * EXP_LN2[1];
    let p = EXP_TAYLOR.iter().fold(0.0, |sum, c| sum * r + c);
    let scaled = f32::from_bits(p.to_bits().wrapping_add(((k as i32) << 23) as u32));
    if x < -87.0 { 0.0 } else { scaled }
}

/// ln 2 in two parts, the first with trailing zeros so that its product with a small whole number is exact.
pub(super) const EXP_LN2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];

/// 1/n! for n = 7 … 0; the first missing term is below 10⁻⁸ for |r| ≤ ln 2 / 2.
pub(super) const EXP_TAYLOR: [f32; 8] = [1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];

/// To the nearest whole number, for |x| < 2⁵¹: what remains of x + 1.5·2⁵² below that.
#[inline(always)]
fn round_f64(x: f64) -> i64 {
    const MAGIC: f64 = 6_755_399_441_055_744.0;
    ((x + MAGIC).to_bits() as i64).wrapping_sub(MAGIC.to_bits() as i64)
}

#[inline(always)]
fn round_f32(x: f32) -> i32 {
    x.round_ties_even() as i32
}

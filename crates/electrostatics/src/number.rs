//! The number of the mesh: f64, or f32 for mixed precision.

use std::ops::{AddAssign, MulAssign};

use amelo_math::lanes::Simd;
use rustfft::FftNum;

/// A floating-point type that charges are spread, transformed and gathered in. Positions, charges, and the sums for
/// energy and virial are f64 whatever it is.
pub trait MeshNumber: FftNum + AddAssign + MulAssign + sealed::Sealed {
    /// Whether numbers are short, so that more exact arithmetic elsewhere would be lost on them.
    const SHORT: bool;
    /// The nearest number to `x`.
    fn nearest(x: f64) -> Self;
    /// As f64, exactly.
    fn widened(self) -> f64;
    /// self · `b` + `c`, rounded once where the instructions `S` do so.
    fn mul_add<S: Simd>(self, b: Self, c: Self) -> Self;
}

macro_rules! mesh_number {
    ($type:ty) => {
        impl MeshNumber for $type {
            const SHORT: bool = size_of::<$type>() == 4;
            #[inline(always)]
            fn nearest(x: f64) -> Self {
                x as $type
            }
            #[inline(always)]
            fn widened(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn mul_add<S: Simd>(self, b: Self, c: Self) -> Self {
                if S::FUSED { <$type>::mul_add(self, b, c) } else { self * b + c }
            }
        }
        impl sealed::Sealed for $type {}
    };
}
mesh_number!(f32);
mesh_number!(f64);

mod sealed {
    pub trait Sealed {}
}

//! The number of the mesh: f64, or f32 for mixed precision.

use std::ops::{AddAssign, MulAssign};

use rustfft::FftNum;

/// A floating-point type that charges are spread, transformed and gathered in. Positions, charges, and the sums for
/// energy and virial are f64 whatever it is.
pub trait MeshNumber: FftNum + AddAssign + MulAssign + sealed::Sealed {
    /// The nearest number to `x`.
    fn nearest(x: f64) -> Self;
    /// As f64, exactly.
    fn widened(self) -> f64;
}

impl MeshNumber for f64 {
    #[inline(always)]
    fn nearest(x: f64) -> f64 {
        x
    }
    #[inline(always)]
    fn widened(self) -> f64 {
        self
    }
}

impl MeshNumber for f32 {
    #[inline(always)]
    fn nearest(x: f64) -> f32 {
        x as f32
    }
    #[inline(always)]
    fn widened(self) -> f64 {
        f64::from(self)
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

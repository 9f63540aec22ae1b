//! Order-free sums: forces accumulated as 64-bit fixed-point numbers.
//!
//! Integer addition is associative, so the sum has the same bits whatever the order of the pairs and the
//! number of threads. One unit is 2⁻³² kJ/mol/nm; the range is ±2.1·10⁹ kJ/mol/nm, and a contribution that
//! could leave it is reported, never wrapped.

use crate::Vec3;

/// Units per kJ/mol/nm.
pub const SCALE: f64 = 4_294_967_296.0;

/// Largest magnitude of one contribution (kJ/mol/nm): 2²⁴, so that 2⁷ of them in one direction still fit.
/// Physical forces stay below 10⁶; a larger one means that two atoms sit on each other.
pub const MAX_FORCE: f64 = 16_777_216.0;

/// A force in fixed point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FixedVec3(pub [i64; 3]);

impl FixedVec3 {
    /// Zero.
    pub const ZERO: FixedVec3 = FixedVec3([0; 3]);

    /// The nearest fixed-point vector. The caller has checked |f| ≤ [`MAX_FORCE`].
    #[inline(always)]
    pub fn from_vec3(f: Vec3) -> Self {
        FixedVec3([to_fixed(f.x), to_fixed(f.y), to_fixed(f.z)])
    }

    /// The nearest fixed-point vector, or none where |f| exceeds [`MAX_FORCE`] or is not a number.
    #[inline(always)]
    pub fn checked(f: Vec3) -> Option<Self> {
        (f.norm2() <= MAX_FORCE * MAX_FORCE).then(|| FixedVec3::from_vec3(f))
    }

    /// Back to plain numbers.
    #[inline(always)]
    pub fn to_vec3(self) -> Vec3 {
        Vec3::new(self.0[0] as f64 / SCALE, self.0[1] as f64 / SCALE, self.0[2] as f64 / SCALE)
    }

    /// Adds `other`.
    #[inline(always)]
    pub fn add(&mut self, other: FixedVec3) {
        for k in 0..3 {
            self.0[k] += other.0[k];
        }
    }

    /// Subtracts `other`.
    #[inline(always)]
    pub fn sub(&mut self, other: FixedVec3) {
        for k in 0..3 {
            self.0[k] -= other.0[k];
        }
    }
}

/// Magnitude (kJ/mol/nm) below which [`small_to_fixed`] holds: 2¹⁹.
pub const SMALL_FORCE: f64 = 524_288.0;

/// The nearest number of units for |f| < [`SMALL_FORCE`], without a branch or a cast, so that loops over it vectorise:
/// after the addition of 1.5·2⁵² they are the last bits of the sum.
#[inline(always)]
pub fn small_to_fixed(f: f64) -> i64 {
    const MAGIC: f64 = 6_755_399_441_055_744.0;
    ((f * SCALE + MAGIC).to_bits() as i64).wrapping_sub(MAGIC.to_bits() as i64)
}

/// Rounds to the nearest unit, larger forces by a cast.
#[inline(always)]
fn to_fixed(f: f64) -> i64 {
    if f.abs() < SMALL_FORCE { small_to_fixed(f) } else { (f * SCALE) as i64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_the_range_is_refused() {
        assert!(FixedVec3::checked(Vec3::new(MAX_FORCE, 0.0, 0.0)).is_some());
        for f in [1.01 * MAX_FORCE, -1.01 * MAX_FORCE, f64::INFINITY, f64::NAN] {
            assert_eq!(FixedVec3::checked(Vec3::new(0.0, f, 0.0)), None);
        }
    }

    #[test]
    fn rounds_to_the_nearest_unit() {
        for f in [0.0, 1.0, -1.0, 0.3, -1_234.567_891, 5.0e5, 6.0e5, -1.5e7] {
            let back = FixedVec3::from_vec3(Vec3::new(f, 0.0, -f)).to_vec3();
            assert!((back.x - f).abs() <= 0.5001 / SCALE + f.abs() * 2.3e-16, "{f}");
            assert_eq!(back.x, -back.z);
        }
    }
}

//! Vectors in three dimensions.

use std::ops::{Add, AddAssign, Div, Index, IndexMut, Mul, Neg, Sub, SubAssign};

use serde::{Deserialize, Serialize};

use crate::{Mat3, Real};

/// A vector of three components; of plain numbers unless said otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(
    from = "[R; 3]",
    into = "[R; 3]",
    bound(serialize = "R: Clone + Serialize", deserialize = "R: Deserialize<'de>")
)]
#[repr(C)]
pub struct Vec3<R = f64> {
    /// First component.
    pub x: R,
    /// Second component.
    pub y: R,
    /// Third component.
    pub z: R,
}

impl<R> From<[R; 3]> for Vec3<R> {
    fn from([x, y, z]: [R; 3]) -> Self {
        Vec3 { x, y, z }
    }
}

impl<R> From<Vec3<R>> for [R; 3] {
    fn from(v: Vec3<R>) -> Self {
        [v.x, v.y, v.z]
    }
}

impl Vec3<f64> {
    /// The origin.
    pub const ZERO: Vec3 = Vec3 { x: 0.0, y: 0.0, z: 0.0 };

    /// A vector from its components.
    #[inline(always)]
    pub const fn new(x: f64, y: f64, z: f64) -> Self {
        Vec3 { x, y, z }
    }

    /// Unit vector along Cartesian axis `axis` (0, 1 or 2).
    pub fn unit(axis: usize) -> Self {
        let mut v = Vec3::ZERO;
        v[axis] = 1.0;
        v
    }

    /// This vector scaled to length one. The zero vector has no direction and gives NaN.
    pub fn normalized(self) -> Self {
        self / self.norm()
    }

    /// Whether every component is finite.
    pub fn is_finite(self) -> bool {
        self.x.is_finite() && self.y.is_finite() && self.z.is_finite()
    }

    /// Components as an array.
    #[inline(always)]
    pub fn to_array(self) -> [f64; 3] {
        [self.x, self.y, self.z]
    }
}

impl<R: Real> Vec3<R> {
    /// A plain vector in another number type.
    #[inline(always)]
    pub fn splat_from(v: Vec3) -> Self {
        Vec3 { x: R::splat(v.x), y: R::splat(v.y), z: R::splat(v.z) }
    }

    /// Scalar product.
    #[inline(always)]
    pub fn dot(self, o: Self) -> R {
        self.x * o.x + self.y * o.y + self.z * o.z
    }

    /// Vector product.
    #[inline(always)]
    pub fn cross(self, o: Self) -> Self {
        Vec3 { x: self.y * o.z - self.z * o.y, y: self.z * o.x - self.x * o.z, z: self.x * o.y - self.y * o.x }
    }

    /// Squared length.
    #[inline(always)]
    pub fn norm2(self) -> R {
        self.dot(self)
    }

    /// Length.
    #[inline(always)]
    pub fn norm(self) -> R {
        self.norm2().sqrt()
    }
}

impl Vec3<f64> {
    /// Outer product a ⊗ b: element (i, j) is aᵢ bⱼ.
    #[inline(always)]
    pub fn outer(self, o: Vec3) -> Mat3 {
        Mat3::from_rows(o * self.x, o * self.y, o * self.z)
    }
}

impl<R: Add<Output = R>> Add for Vec3<R> {
    type Output = Self;
    #[inline(always)]
    fn add(self, o: Self) -> Self {
        Vec3 { x: self.x + o.x, y: self.y + o.y, z: self.z + o.z }
    }
}

impl<R: Sub<Output = R>> Sub for Vec3<R> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, o: Self) -> Self {
        Vec3 { x: self.x - o.x, y: self.y - o.y, z: self.z - o.z }
    }
}

impl<R: Neg<Output = R>> Neg for Vec3<R> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Vec3 { x: -self.x, y: -self.y, z: -self.z }
    }
}

impl<R: Mul<Output = R> + Copy> Mul<R> for Vec3<R> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, s: R) -> Self {
        Vec3 { x: self.x * s, y: self.y * s, z: self.z * s }
    }
}

impl<R: Div<Output = R> + Copy> Div<R> for Vec3<R> {
    type Output = Self;
    #[inline(always)]
    fn div(self, s: R) -> Self {
        Vec3 { x: self.x / s, y: self.y / s, z: self.z / s }
    }
}

impl<R: Add<Output = R> + Copy> AddAssign for Vec3<R> {
    #[inline(always)]
    fn add_assign(&mut self, o: Self) {
        *self = *self + o;
    }
}

impl<R: Sub<Output = R> + Copy> SubAssign for Vec3<R> {
    #[inline(always)]
    fn sub_assign(&mut self, o: Self) {
        *self = *self - o;
    }
}

impl std::iter::Sum for Vec3<f64> {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Vec3::ZERO, |a, b| a + b)
    }
}

impl<R> Index<usize> for Vec3<R> {
    type Output = R;
    #[inline(always)]
    fn index(&self, axis: usize) -> &R {
        match axis {
            0 => &self.x,
            1 => &self.y,
            _ => &self.z,
        }
    }
}

impl<R> IndexMut<usize> for Vec3<R> {
    #[inline(always)]
    fn index_mut(&mut self, axis: usize) -> &mut R {
        match axis {
            0 => &mut self.x,
            1 => &mut self.y,
            _ => &mut self.z,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cross_product_is_right_handed() {
        assert_eq!(Vec3::unit(0).cross(Vec3::unit(1)), Vec3::unit(2));
    }

    #[test]
    fn outer_product_has_row_of_the_first_factor() {
        let m = Vec3::new(1.0, 2.0, 3.0).outer(Vec3::new(4.0, 5.0, 6.0));
        assert_eq!(m[(1, 2)], 12.0);
        assert_eq!(m[(2, 0)], 12.0);
        assert_eq!(m[(0, 1)], 5.0);
    }
}

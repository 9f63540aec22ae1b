//! 3 × 3 matrices: box vectors, virials, pressure tensors.

use std::ops::{Add, AddAssign, Index, IndexMut, Mul, Neg, Sub};

use serde::{Deserialize, Serialize};

use crate::Vec3;

/// A 3 × 3 matrix, indexed (row, column).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mat3 {
    /// Rows.
    pub rows: [Vec3; 3],
}

impl Mat3 {
    /// All elements zero.
    pub const ZERO: Mat3 = Mat3 { rows: [Vec3::ZERO; 3] };

    /// Unit matrix.
    pub const IDENTITY: Mat3 = Mat3::diagonal(1.0, 1.0, 1.0);

    /// Row and column of the six parts of a symmetric matrix: xx, xy, xz, yy, yz, zz.
    pub const SYMMETRIC: [(usize, usize); 6] = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)];

    /// Matrix from its rows.
    #[inline(always)]
    pub const fn from_rows(a: Vec3, b: Vec3, c: Vec3) -> Self {
        Mat3 { rows: [a, b, c] }
    }

    /// Diagonal matrix.
    pub const fn diagonal(x: f64, y: f64, z: f64) -> Self {
        Mat3 { rows: [Vec3::new(x, 0.0, 0.0), Vec3::new(0.0, y, 0.0), Vec3::new(0.0, 0.0, z)] }
    }

    /// Matrix from nested arrays, row by row.
    pub fn from_array(a: [[f64; 3]; 3]) -> Self {
        Mat3 { rows: a.map(Vec3::from) }
    }

    /// Nested arrays, row by row.
    pub fn to_array(self) -> [[f64; 3]; 3] {
        self.rows.map(Vec3::to_array)
    }

    /// Transposed matrix.
    pub fn transpose(self) -> Self {
        let m = self.to_array();
        let mut t = [[0.0; 3]; 3];
        for i in 0..3 {
            for j in 0..3 {
                t[i][j] = m[j][i];
            }
        }
        Mat3::from_array(t)
    }

    /// Sum of the diagonal.
    pub fn trace(self) -> f64 {
        self.rows[0].x + self.rows[1].y + self.rows[2].z
    }

    /// Determinant.
    pub fn determinant(self) -> f64 {
        self.rows[0].dot(self.rows[1].cross(self.rows[2]))
    }

    /// Inverse; the caller knows that the determinant is not zero.
    pub fn inverse(self) -> Self {
        let [a, b, c] = self.rows;
        let det = self.determinant();
        Mat3::from_rows(b.cross(c) / det, c.cross(a) / det, a.cross(b) / det).transpose()
    }

    /// Element of the largest magnitude, as that magnitude.
    pub fn max_abs(self) -> f64 {
        self.to_array().into_iter().flatten().fold(0.0, |m, v| m.max(v.abs()))
    }

    /// Row vector times matrix: Σ_i v_i · row_i. With box vectors as rows this turns fractional into Cartesian.
    #[inline(always)]
    pub fn vec_mul(self, v: Vec3) -> Vec3 {
        self.rows[0] * v.x + self.rows[1] * v.y + self.rows[2] * v.z
    }
}

/// Matrix times column vector.
impl Mul<Vec3> for Mat3 {
    type Output = Vec3;
    #[inline(always)]
    fn mul(self, v: Vec3) -> Vec3 {
        Vec3::new(self.rows[0].dot(v), self.rows[1].dot(v), self.rows[2].dot(v))
    }
}

impl Mul for Mat3 {
    type Output = Mat3;
    fn mul(self, o: Mat3) -> Mat3 {
        Mat3 { rows: self.rows.map(|row| o.vec_mul(row)) }
    }
}

impl Mul<f64> for Mat3 {
    type Output = Mat3;
    #[inline(always)]
    fn mul(self, s: f64) -> Mat3 {
        Mat3 { rows: self.rows.map(|row| row * s) }
    }
}

impl Add for Mat3 {
    type Output = Mat3;
    #[inline(always)]
    fn add(self, o: Mat3) -> Mat3 {
        Mat3::from_rows(self.rows[0] + o.rows[0], self.rows[1] + o.rows[1], self.rows[2] + o.rows[2])
    }
}

impl Sub for Mat3 {
    type Output = Mat3;
    fn sub(self, o: Mat3) -> Mat3 {
        self + -o
    }
}

impl Neg for Mat3 {
    type Output = Mat3;
    fn neg(self) -> Mat3 {
        self * -1.0
    }
}

impl AddAssign for Mat3 {
    #[inline(always)]
    fn add_assign(&mut self, o: Mat3) {
        *self = *self + o;
    }
}

impl std::iter::Sum for Mat3 {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Mat3::ZERO, |a, b| a + b)
    }
}

impl Index<(usize, usize)> for Mat3 {
    type Output = f64;
    #[inline(always)]
    fn index(&self, (i, j): (usize, usize)) -> &f64 {
        &self.rows[i][j]
    }
}

impl IndexMut<(usize, usize)> for Mat3 {
    #[inline(always)]
    fn index_mut(&mut self, (i, j): (usize, usize)) -> &mut f64 {
        &mut self.rows[i][j]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverse_times_matrix_is_the_identity() {
        let m = Mat3::from_array([[2.0, 0.0, 0.0], [0.3, 1.5, 0.0], [-0.4, 0.2, 3.0]]);
        assert!((m * m.inverse() - Mat3::IDENTITY).max_abs() < 1e-15);
        assert!((m.determinant() - 9.0).abs() < 1e-14);
    }

    #[test]
    fn row_vector_product_is_the_transposed_product() {
        let m = Mat3::from_array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 10.0]]);
        let v = Vec3::new(0.5, -1.0, 2.0);
        assert_eq!(m.vec_mul(v), m.transpose() * v);
    }
}

//! The periodic cell: three lower-triangular box vectors.

use amelo_math::{Mat3, Vec3, special};
use serde::{Deserialize, Serialize};

/// Periodic cell. Rows of `vectors` are a = (ax, 0, 0), b = (bx, by, 0), c = (cx, cy, cz), nm.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Box vectors as rows, nm.
    vectors: Mat3,
}

/// A cell that cannot be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CellError {
    /// Not lower-triangular with a positive diagonal.
    #[error("box vectors must be lower-triangular with a positive, finite diagonal, but are {0:?} nm (rows)")]
    NotLowerTriangular([[f64; 3]; 3]),
}

impl Cell {
    /// A cell from box vectors as rows (nm).
    pub fn new(vectors: Mat3) -> Result<Self, CellError> {
        let m = vectors.to_array();
        let finite = m.iter().flatten().all(|v| v.is_finite());
        let lower = m[0][1] == 0.0 && m[0][2] == 0.0 && m[1][2] == 0.0;
        let positive = (0..3).all(|k| m[k][k] > 0.0);
        if finite && lower && positive { Ok(Cell { vectors }) } else { Err(CellError::NotLowerTriangular(m)) }
    }

    /// An orthorhombic cell with edges x, y, z (nm). Edges must be positive and finite.
    pub fn orthorhombic(x: f64, y: f64, z: f64) -> Result<Self, CellError> {
        Cell::new(Mat3::diagonal(x, y, z))
    }

    /// Box vectors as rows (nm).
    pub fn vectors(&self) -> Mat3 {
        self.vectors
    }

    /// Diagonal of the box matrix (nm): the edges of an orthorhombic cell.
    pub fn diagonal(&self) -> Vec3 {
        Vec3::new(self.vectors[(0, 0)], self.vectors[(1, 1)], self.vectors[(2, 2)])
    }

    /// Whether all angles are right.
    pub fn is_orthorhombic(&self) -> bool {
        self.vectors[(1, 0)] == 0.0 && self.vectors[(2, 0)] == 0.0 && self.vectors[(2, 1)] == 0.0
    }

    /// Volume (nm³).
    pub fn volume(&self) -> f64 {
        let d = self.diagonal();
        d.x * d.y * d.z
    }

    /// Distances between opposite faces (nm), along a*, b*, c*.
    pub fn widths(&self) -> Vec3 {
        let [a, b, c] = self.vectors.rows;
        let v = self.volume();
        Vec3::new(v / b.cross(c).norm(), v / c.cross(a).norm(), v / a.cross(b).norm())
    }

    /// Half the smallest distance between faces (nm): below it the nearest image of a pair is unique.
    pub fn half_width(&self) -> f64 {
        let w = self.widths();
        0.5 * w.x.min(w.y).min(w.z)
    }

    /// The edge of a cube (nm).
    pub fn cube_edge(&self) -> Option<f64> {
        let d = self.diagonal();
        (self.is_orthorhombic() && d.x == d.y && d.y == d.z).then_some(d.x)
    }

    /// Cartesian position of fractional coordinates.
    #[inline(always)]
    pub fn to_cartesian(&self, s: Vec3) -> Vec3 {
        self.vectors.vec_mul(s)
    }

    /// Fractional coordinates of a Cartesian position.
    #[inline(always)]
    pub fn to_fractional(&self, r: Vec3) -> Vec3 {
        // Back-substitution through the lower triangle; no inverse is stored.
        let [a, b, c] = self.vectors.rows;
        let sz = r.z / c.z;
        let sy = (r.y - sz * c.y) / b.y;
        let sx = (r.x - sz * c.x - sy * b.x) / a.x;
        Vec3::new(sx, sy, sz)
    }

    /// Cartesian shift of an image (nm).
    #[inline(always)]
    pub fn shift(&self, image: [i32; 3]) -> Vec3 {
        self.vectors.vec_mul(Vec3::new(f64::from(image[0]), f64::from(image[1]), f64::from(image[2])))
    }

    /// Moves `r` into the cell (fractional coordinates in [0, 1)) and counts the crossings in `image`, so that
    /// r + image·cell stays what it was.
    #[inline]
    pub fn wrap(&self, r: &mut Vec3, image: &mut [i32; 3]) {
        // Most atoms are inside, and in a right-angled cell that is seen without a division.
        let d = self.diagonal();
        let inside = |x: f64, edge: f64| (0.0..edge).contains(&x);
        if self.is_orthorhombic() && inside(r.x, d.x) && inside(r.y, d.y) && inside(r.z, d.z) {
            return;
        }
        for axis in (0..3).rev() {
            // In lower-triangular order each axis is settled by the vectors above it.
            let crossing = self.to_fractional(*r)[axis].floor();
            if crossing != 0.0 {
                *r -= self.vectors.rows[axis] * crossing;
                image[axis] += crossing as i32;
            }
        }
    }

    /// Nearest image of the difference `d` (nm). Exact for every pair closer than [`Cell::half_width`].
    #[inline(always)]
    pub fn minimum_image(&self, mut d: Vec3) -> Vec3 {
        let [a, b, c] = self.vectors.rows;
        d -= c * special::round(d.z / c.z);
        d -= b * special::round(d.y / b.y);
        d -= a * special::round(d.x / a.x);
        d
    }

    /// [`Cell::minimum_image`] prepared for many differences in this cell.
    pub fn nearest_image(&self) -> NearestImage {
        let d = self.diagonal();
        NearestImage {
            vectors: self.vectors,
            inverse_edges: Vec3::new(1.0 / d.x, 1.0 / d.y, 1.0 / d.z),
            orthorhombic: self.is_orthorhombic(),
        }
    }

    /// The cell deformed by `(1 + strain)`, each box vector h becoming h (1 + ε)ᵀ, then rotated back to
    /// lower-triangular form is *not* done: `strain` must be lower-triangular (ε_xy = ε_xz = ε_yz = 0 above the
    /// diagonal in this row convention), which keeps the form.
    pub fn deformed(&self, strain: Mat3) -> Result<Self, CellError> {
        Cell::new(self.vectors * (Mat3::IDENTITY + strain))
    }
}

/// Nearest images in one cell: products with reciprocals in place of divisions, and no mixed terms where the cell has
/// none, for the loops over pairs.
#[derive(Clone, Copy, Debug)]
pub struct NearestImage {
    vectors: Mat3,
    inverse_edges: Vec3,
    orthorhombic: bool,
}

impl NearestImage {
    /// Nearest image of the difference `d` (nm). Exact for every pair closer than [`Cell::half_width`].
    #[inline(always)]
    pub fn of(&self, mut d: Vec3) -> Vec3 {
        let [a, b, c] = self.vectors.rows;
        let inverse = self.inverse_edges;
        if self.orthorhombic {
            d.x -= a.x * special::round(d.x * inverse.x);
            d.y -= b.y * special::round(d.y * inverse.y);
            d.z -= c.z * special::round(d.z * inverse.z);
        } else {
            d -= c * special::round(d.z * inverse.z);
            d -= b * special::round(d.y * inverse.y);
            d -= a * special::round(d.x * inverse.x);
        }
        d
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn triclinic() -> Cell {
        Cell::new(Mat3::from_array([[3.0, 0.0, 0.0], [0.9, 2.8, 0.0], [-0.7, 0.6, 2.5]])).unwrap()
    }

    #[test]
    fn fractional_and_cartesian_are_inverse() {
        let cell = triclinic();
        let r = Vec3::new(0.7, -4.0, 9.1);
        assert!((cell.to_cartesian(cell.to_fractional(r)) - r).norm() < 1e-14);
    }

    #[test]
    fn wrapping_keeps_the_unwrapped_position() {
        let cell = triclinic();
        let r = Vec3::new(7.7, -4.0, 9.1);
        let (mut wrapped, mut image) = (r, [0; 3]);
        cell.wrap(&mut wrapped, &mut image);
        let s = cell.to_fractional(wrapped);
        assert!((0..3).all(|k| (-1e-12..1.0 + 1e-12).contains(&s[k])), "{s:?}");
        assert!((wrapped + cell.shift(image) - r).norm() < 1e-13);
    }

    #[test]
    fn minimum_image_is_the_nearest_of_125_images_below_half_width() {
        let cell = triclinic();
        let noise = amelo_math::philox::Noise::new(1, 1);
        let mut seen = 0;
        for id in 0..2000 {
            let d = noise.normal3(id, 0, 0) * 3.0;
            let mut best = f64::INFINITY;
            for i in -9..=9 {
                for j in -9..=9 {
                    for k in -9..=9 {
                        best = best.min((d + cell.shift([i, j, k])).norm());
                    }
                }
            }
            if best < cell.half_width() {
                seen += 1;
                assert!((cell.minimum_image(d).norm() - best).abs() < 1e-12);
                assert!((cell.nearest_image().of(d) - cell.minimum_image(d)).norm() < 1e-12);
            }
        }
        assert!(seen > 100);
    }

    #[test]
    fn prepared_nearest_image_of_a_right_angled_cell() {
        let cell = Cell::orthorhombic(2.0, 3.0, 4.0).unwrap();
        let d = Vec3::new(7.3, -4.4, 2.1);
        assert!((cell.nearest_image().of(d) - Vec3::new(-0.7, -1.4, -1.9)).norm() < 1e-15);
    }

    #[test]
    fn upper_triangle_is_refused() {
        assert!(Cell::new(Mat3::from_array([[3.0, 0.1, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 3.0]])).is_err());
        assert!(Cell::orthorhombic(1.0, 0.0, 1.0).is_err());
    }
}

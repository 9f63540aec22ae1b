//! Positions as fractions of the cell in fixed point: the difference of two wraps around by itself, to the nearest image.
//!
//! With 2⁶⁴ or 2³² units to the cell along each box vector, the integer difference s_i − s_j modulo the cell is the one
//! in [−½, ½): that of the only image that can be nearer than half the cell's smallest width. No image is searched,
//! stored or shifted, and no distance depends on where the cell's faces are.

use amelo_math::lanes::{Scalar, Tile, WIDTH};
use amelo_math::{Mat3, Real, Vec3};

use crate::Cell;

/// Coordinates of eight atoms along a, b, c; aligned, so that no load straddles two cache lines.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(32))]
pub struct Places<T: Scalar>(pub [[T::Integer; WIDTH]; 3]);

/// Fractions of the cell at position `r` (nm), in units of 2⁻⁶⁴.
#[inline(always)]
pub fn fractions(cell: &Cell, r: Vec3) -> [u64; 3] {
    let s = cell.to_fractional(r);
    // The cast saturates where a tiny negative s is rounded up to 1: the same place.
    let fixed = |s: f64| ((s - s.floor()) * 18_446_744_073_709_551_616.0) as u64;
    [fixed(s.x), fixed(s.y), fixed(s.z)]
}

/// [`fractions`] as far as coordinates of `T` take them, in less time where those are short.
#[derive(Clone, Copy, Debug)]
pub struct Locator {
    cell: Cell,
    short: ShortFractions,
}

impl Locator {
    /// For `cell`.
    pub fn of(cell: &Cell) -> Self {
        Locator { cell: *cell, short: ShortFractions::of(cell) }
    }

    /// The coordinates of atoms at `r` (nm) in `T` and in f32.
    #[inline(always)]
    pub fn places<T: Scalar>(&self, r: &[Vec3; WIDTH]) -> (Places<T>, Places<f32>) {
        let (mut places, mut short) = (Places::<T>::default(), Places(self.short.of_each(r)));
        for axis in 0..3 {
            for place in 0..WIDTH {
                places.0[axis][place] = T::coordinate(to_fraction(short.0[axis][place]));
            }
        }
        if size_of::<T::Integer>() > size_of::<i32>() {
            for (place, &r) in r.iter().enumerate() {
                let fractions = fractions(&self.cell, r);
                for axis in 0..3 {
                    places.0[axis][place] = T::coordinate(fractions[axis]);
                    short.0[axis][place] = f32::coordinate(fractions[axis]);
                }
            }
        }
        (places, short)
    }
}

/// A coordinate in f32 as a fraction in units of 2⁻⁶⁴.
#[inline(always)]
fn to_fraction(coordinate: i32) -> u64 {
    u64::from(coordinate as u32) << 32
}

/// From nm to fractions of the cell in units of 2⁻³².
#[derive(Clone, Copy, Debug)]
pub struct ShortFractions {
    /// Inverse box vectors, and two constants more, so that the arithmetic below is that of four numbers.
    a: [f64; 4],
    b: [f64; 4],
    c: [f64; 4],
}

impl ShortFractions {
    /// Those of `cell`.
    pub fn of(cell: &Cell) -> Self {
        let unit = 4_294_967_296.0;
        let of = |r: Vec3| {
            let s = cell.to_fractional(r) * unit;
            [s.x, s.y, s.z, 0.0]
        };
        ShortFractions { a: of(Vec3::unit(0)), b: of(Vec3::unit(1)), c: of(Vec3::unit(2)) }
    }

    /// Coordinates of the position `r` (nm), which may lie up to 2¹⁹ cells away; the fourth number means nothing.
    #[inline(always)]
    pub fn at(&self, r: Vec3) -> [i32; 4] {
        let mut at = [0; 4];
        for k in 0..4 {
            at[k] = self.along(k, r.x, r.y, r.z);
        }
        at
    }

    /// Those of positions, axis by axis.
    #[inline(always)]
    fn of_each(&self, r: &[Vec3; WIDTH]) -> [[i32; WIDTH]; 3] {
        let (mut x, mut y, mut z) = ([0.0; WIDTH], [0.0; WIDTH], [0.0; WIDTH]);
        for (place, r) in r.iter().enumerate() {
            (x[place], y[place], z[place]) = (r.x, r.y, r.z);
        }
        let mut at = [[0; WIDTH]; 3];
        for axis in 0..3 {
            for place in 0..WIDTH {
                at[axis][place] = self.along(axis, x[place], y[place], z[place]);
            }
        }
        at
    }

    #[inline(always)]
    fn along(&self, k: usize, x: f64, y: f64, z: f64) -> i32 {
        // Added to 1.5·2⁵² a number is rounded to a whole one, whose last 32 bits are the place within the cell.
        const MAGIC: f64 = 6_755_399_441_055_744.0;
        let s = x * self.a[k] + y * self.b[k] + z * self.c[k];
        (s + MAGIC).to_bits() as u32 as i32
    }
}

/// From coordinates' units to nm.
#[derive(Clone, Copy, Debug)]
pub struct CoordinateUnits {
    vectors: Mat3,
    orthorhombic: bool,
}

impl CoordinateUnits {
    /// Those of `cell` in the precision `T`.
    pub fn of<T: Scalar>(cell: &Cell) -> Self {
        CoordinateUnits { vectors: cell.vectors() * T::COORDINATE_UNIT, orthorhombic: cell.is_orthorhombic() }
    }

    /// r_i − r_j (nm) to the nearest image, of the rows' coordinates by [`rows`] with all columns.
    #[inline(always)]
    pub fn separation<L: Tile>(&self, rows: &[L::Fixed; 3], columns: &Places<L::Scalar>) -> [L; 3] {
        self.to_cartesian(Self::difference::<L>(rows, columns))
    }

    /// [`CoordinateUnits::separation`] in a right-angled cell, without asking whether it is one.
    #[inline(always)]
    pub fn right_angled<L: Tile>(&self, rows: &[L::Fixed; 3], columns: &Places<L::Scalar>) -> [L; 3] {
        let ([a, b, c], d) = (self.vectors.rows, Self::difference::<L>(rows, columns));
        [d[0] * L::splat(a.x), d[1] * L::splat(b.y), d[2] * L::splat(c.z)]
    }

    /// The difference of [`CoordinateUnits::separation`] before it is brought to nm.
    #[inline(always)]
    pub fn difference<L: Tile>(rows: &[L::Fixed; 3], columns: &Places<L::Scalar>) -> [L; 3] {
        [
            L::separation(rows[0], &columns.0[0]),
            L::separation(rows[1], &columns.0[1]),
            L::separation(rows[2], &columns.0[2]),
        ]
    }

    /// Whether all angles of the cell are right.
    pub fn is_orthorhombic(&self) -> bool {
        self.orthorhombic
    }

    /// From differences of coordinates to nm.
    #[inline(always)]
    pub fn to_cartesian<L: Real>(&self, s: [L; 3]) -> [L; 3] {
        let [a, b, c] = self.vectors.rows;
        if self.orthorhombic {
            [s[0] * L::splat(a.x), s[1] * L::splat(b.y), s[2] * L::splat(c.z)]
        } else {
            let x = s[2].mul_add(L::splat(c.x), s[1].mul_add(L::splat(b.x), s[0] * L::splat(a.x)));
            [x, s[2].mul_add(L::splat(c.y), s[1] * L::splat(b.y)), s[2] * L::splat(c.z)]
        }
    }
}

/// The coordinates of a tile's rows, from the atom in place `first` on.
#[inline(always)]
pub fn rows<L: Tile>(places: &Places<L::Scalar>, first: usize) -> [L::Fixed; 3] {
    [L::coordinates(&places.0[0], first), L::coordinates(&places.0[1], first), L::coordinates(&places.0[2], first)]
}

/// |d|².
#[inline(always)]
pub fn norm2<L: Real>(d: &[L; 3]) -> L {
    d[2].mul_add(d[2], d[1].mul_add(d[1], d[0] * d[0]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_fractions_are_the_fractions() {
        for vectors in
            [Mat3::diagonal(3.0, 4.0, 5.0), Mat3::from_array([[3.0, 0.0, 0.0], [0.9, 2.7, 0.0], [-1.1, 0.7, 2.9]])]
        {
            let cell = Cell::new(vectors).unwrap();
            let short = ShortFractions::of(&cell);
            for k in 0..1000 {
                let k = f64::from(k);
                let r = Vec3::new(0.037 * k - 11.0, 3.0 - 0.0171 * k, (1.7 * k) % 9.0);
                let (found, exact) = (short.at(r), fractions(&cell, r));
                let locator = Locator::of(&cell);
                let (in_f32, in_f64) = (locator.places::<f32>(&[r; WIDTH]).0, locator.places::<f64>(&[r; WIDTH]));
                for axis in 0..3 {
                    let expected = f32::coordinate(exact[axis]);
                    assert!(found[axis].wrapping_sub(expected).abs() <= 1, "{r:?}: {found:?}");
                    assert_eq!(in_f32.0[axis], [found[axis]; WIDTH]);
                    assert_eq!(in_f64.0.0[axis], [exact[axis] as i64; WIDTH]);
                    assert_eq!(in_f64.1.0[axis], [expected; WIDTH]);
                }
            }
        }
    }
}

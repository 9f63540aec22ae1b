//! The inner loops of [`Charges`], compiled for every instruction set.

use std::ops::Range;

use amelo_math::lanes::{Job, Simd};
use amelo_math::{Mat3, Vec3, special};

use crate::bspline::weights;
use crate::charges::Charges;
use crate::number::MeshNumber;

/// Most charges that are located in one go.
pub const BLOCK: usize = 256;

/// Mesh points and weights of the charges of one task, at most [`BLOCK`] of them.
pub struct Locate<'a, const P: usize, T> {
    pub n: [usize; 3],
    /// From Cartesian to fractional coordinates, for [`Mat3::vec_mul`].
    pub inverse: &'a Mat3,
    pub positions: &'a [Vec3],
    pub atoms: &'a [u32],
    pub charges: &'a [f64],
    pub at: &'a mut [[u32; 3]],
    pub weights: &'a mut [T],
}

impl<const P: usize, T: MeshNumber> Job for Locate<'_, P, T> {
    type Output = ();

    // Short loops over one quantity each: the compiler makes SIMD of them.
    #[inline(always)]
    fn run<S: Simd>(self) {
        let width = Charges::<P, T>::WIDTH;
        let count = self.atoms.len().min(BLOCK);
        let mut r = [[0.0; BLOCK]; 3];
        for i in 0..count {
            let position = self.positions[self.atoms[i] as usize];
            (r[0][i], r[1][i], r[2][i]) = (position.x, position.y, position.z);
        }
        for axis in 0..3 {
            let points = self.n[axis] as f64;
            let [x, y, z] = [0, 1, 2].map(|row| self.inverse.rows[row][axis]);
            let (mut first, mut w) = ([0; BLOCK], [T::zero(); BLOCK]);
            for i in 0..count {
                let s = x * r[0][i] + y * r[1][i] + z * r[2][i];
                let u = (s - floor(s)) * points;
                let point = floor(u);
                // u = n where a tiny negative s was rounded up; anything where it is not a number.
                let at = whole(point);
                first[i] = if at < self.n[axis] as u32 { at } else { 0 };
                w[i] = T::nearest(u - point);
            }
            let (mut value, mut slope) = ([[T::zero(); BLOCK]; P], [[T::zero(); BLOCK]; P]);
            for i in 0..count {
                let along = weights::<P, T>(w[i]);
                for j in 0..P {
                    (value[j][i], slope[j][i]) = (along.value[j], along.slope[j]);
                }
            }
            if axis == 0 {
                for j in 0..P {
                    for i in 0..count.min(self.charges.len()) {
                        let q = T::nearest(self.charges[i]);
                        value[j][i] *= q;
                        slope[j][i] *= q;
                    }
                }
            }
            let places = self.at.iter_mut().zip(self.weights.chunks_exact_mut(6 * width));
            for (i, (at, rows)) in places.enumerate().take(count) {
                at[axis] = first[i];
                for j in 0..P {
                    rows[axis * width + j] = value[j][i];
                }
                for j in 0..P {
                    rows[(axis + 3) * width + j] = slope[j][i];
                }
            }
        }
    }
}

/// Adds charges to one plane: `members[j]` are those whose j-th plane it is.
pub struct Spread<'a, const P: usize, T> {
    pub charges: &'a Charges<P, T>,
    pub members: [&'a [u32]; P],
    pub plane: &'a mut [T],
}

impl<const P: usize, T: MeshNumber> Job for Spread<'_, P, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        if P > 4 { self.rows_of::<S, 8>() } else { self.rows_of::<S, 4>() }
    }
}

impl<const P: usize, T: MeshNumber> Spread<'_, P, T> {
    /// Rows of weights are one or two times `L` long.
    #[inline(always)]
    fn rows_of<S: Simd, const L: usize>(self) {
        let width = Charges::<P, T>::WIDTH;
        let (row, at, weights) = (self.charges.row(), &self.charges.at[..], &self.charges.weights[..]);
        for j in 0..P {
            for &i in self.members[j] {
                let rows = &weights[i as usize * 6 * width..][..6 * width];
                let [_, b, c] = at[i as usize];
                let lines = &mut self.plane[b as usize * row + c as usize..];
                let along_b: [T; P] = lanes(rows, width);
                let mut along_c = [[T::zero(); L]; 2];
                for part in 0..width / L {
                    along_c[part] = lanes(rows, 2 * width + part * L);
                }
                for jb in 0..P {
                    let weight = rows[j] * along_b[jb];
                    for part in 0..width / L {
                        let points = &mut lines[jb * row + part * L..][..L];
                        let mut sums: [T; L] = lanes(points, 0);
                        for k in 0..L {
                            sums[k] = weight.mul_add::<S>(along_c[part][k], sums[k]);
                        }
                        points.copy_from_slice(&sums);
                    }
                }
            }
        }
    }
}

/// Adds forces on a range of charges to those of the atoms from `first` on.
pub struct Gather<'a, const P: usize, T> {
    pub places: &'a Charges<P, T>,
    pub charges: Range<usize>,
    pub mesh: &'a [T],
    pub gradients: &'a [Vec3; 3],
    pub first: usize,
    pub forces: &'a mut [Vec3],
}

impl<const P: usize, T: MeshNumber> Job for Gather<'_, P, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        for i in self.charges.clone() {
            let slopes = if P > 4 { self.slopes::<S, 8>(i) } else { self.slopes::<S, 4>(i) };
            let [a, b, c] = self.gradients;
            let force = *a * slopes[0] + *b * slopes[1] + *c * slopes[2];
            self.forces[self.places.atoms[i] as usize - self.first] += -force;
        }
    }
}

impl<const P: usize, T: MeshNumber> Gather<'_, P, T> {
    /// q ∂φ/∂u along a, b, c at charge `i`.
    #[inline(always)]
    fn slopes<S: Simd, const L: usize>(&self, i: usize) -> [f64; 3] {
        let width = Charges::<P, T>::WIDTH;
        let (na, row, plane) = (self.places.n[0], self.places.row(), self.places.plane());
        let rows = &self.places.weights[i * 6 * width..][..6 * width];
        let [a, b, c] = self.places.at[i].map(|at| at as usize);
        let (value_b, slope_b): ([T; P], [T; P]) = (lanes(rows, width), lanes(rows, 4 * width));
        // For every point along c: sums over a and b with the slope along a, b, neither.
        let mut sums = [[[T::zero(); L]; 2]; 3];
        for ja in 0..P {
            let a = if a + ja < na { a + ja } else { a + ja - na };
            let lines = &self.mesh[a * plane + b * row + c..];
            let (value_a, slope_a) = (rows[ja], rows[3 * width + ja]);
            for part in 0..width / L {
                let (mut value, mut slope) = ([T::zero(); L], [T::zero(); L]);
                for jb in 0..P {
                    let potential: [T; L] = lanes(lines, jb * row + part * L);
                    for k in 0..L {
                        value[k] = value_b[jb].mul_add::<S>(potential[k], value[k]);
                    }
                    for k in 0..L {
                        slope[k] = slope_b[jb].mul_add::<S>(potential[k], slope[k]);
                    }
                }
                for k in 0..L {
                    sums[0][part][k] = slope_a.mul_add::<S>(value[k], sums[0][part][k]);
                }
                for k in 0..L {
                    sums[1][part][k] = value_a.mul_add::<S>(slope[k], sums[1][part][k]);
                }
                for k in 0..L {
                    sums[2][part][k] = value_a.mul_add::<S>(value[k], sums[2][part][k]);
                }
            }
        }
        let mut slopes = [T::zero(); 3];
        for part in 0..width / L {
            let (value_c, slope_c): ([T; L], [T; L]) =
                (lanes(rows, 2 * width + part * L), lanes(rows, 5 * width + part * L));
            for k in 0..L {
                slopes[0] += sums[0][part][k] * value_c[k];
                slopes[1] += sums[1][part][k] * value_c[k];
                slopes[2] += sums[2][part][k] * slope_c[k];
            }
        }
        [slopes[0].widened(), slopes[1].widened(), slopes[2].widened()]
    }
}

/// `N` numbers from `at` on, as a value: a loop over it is free to use wide registers.
#[inline(always)]
fn lanes<T: Copy, const N: usize>(numbers: &[T], at: usize) -> [T; N] {
    *numbers[at..].first_chunk().expect("rows are padded")
}

/// The largest integer that is not above `x`, for |x| < 2⁵¹.
#[inline(always)]
fn floor(x: f64) -> f64 {
    let nearest = special::round(x);
    if nearest > x { nearest - 1.0 } else { nearest }
}

/// `x` as an integer, for whole numbers 0 ≤ x < 2³².
#[inline(always)]
fn whole(x: f64) -> u32 {
    // At 2⁵² the last bit of an f64 counts ones.
    (x + 4_503_599_627_370_496.0).to_bits() as u32
}

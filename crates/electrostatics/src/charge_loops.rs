//! The inner loops of [`Charges`], compiled for every instruction set.

use std::hint::black_box;
use std::ops::Range;

use amelo_core::Request;
use amelo_math::lanes::{Job, Simd};
use amelo_math::{Mat3, Vec3, special};

use crate::bspline::values;
use crate::charges::{Charges, Place};
use crate::number::MeshNumber;

/// Most charges that are located in one go.
pub const BLOCK: usize = 256;

/// Consecutive charges of a task come from so many parts of the system: neighbours would touch the same mesh points,
/// and each would wait for the one before.
const STREAMS: usize = 16;

/// Places of the charges of one task, at most [`BLOCK`] of them.
pub struct Locate<'a, T> {
    pub n: [usize; 3],
    /// From Cartesian to fractional coordinates, for [`Mat3::vec_mul`].
    pub inverse: &'a Mat3,
    pub positions: &'a [Vec3],
    pub atoms: &'a [u32],
    pub places: &'a mut [Place<T>],
}

impl<T: MeshNumber> Job for Locate<'_, T> {
    type Output = ();

    // Short loops over one quantity each: the compiler makes SIMD of them.
    #[inline(always)]
    fn run<S: Simd>(self) {
        let count = self.atoms.len().min(BLOCK);
        let mut r = [[0.0; BLOCK]; 3];
        for i in 0..count {
            let position = self.positions[self.atoms[i] as usize];
            (r[0][i], r[1][i], r[2][i]) = (position.x, position.y, position.z);
        }
        let (mut first, mut x) = ([[0; BLOCK]; 3], [[T::zero(); BLOCK]; 3]);
        for axis in 0..3 {
            let points = self.n[axis] as f64;
            let rows = &self.inverse.rows;
            let (along_x, along_y, along_z) = (rows[0][axis], rows[1][axis], rows[2][axis]);
            for i in 0..count {
                let s = along_x * r[0][i] + along_y * r[1][i] + along_z * r[2][i];
                let u = (s - floor(s)) * points;
                let point = floor(u);
                // u = n where a tiny negative s was rounded up; anything where it is not a number.
                let at = whole(point);
                first[axis][i] = if at < self.n[axis] as u32 { at } else { 0 };
                x[axis][i] = T::nearest(u - point - 0.5);
            }
        }
        for (i, place) in self.places.iter_mut().enumerate().take(count) {
            place.at = [first[0][i], first[1][i], first[2][i]];
            place.x = [x[0][i], x[1][i], x[2][i]];
        }
    }
}

/// Adds charges to the planes from `first` on.
pub struct Spread<'a, const P: usize, T> {
    pub charges: &'a Charges<P, T>,
    pub members: &'a [u32],
    pub first: usize,
    pub planes: &'a mut [T],
}

impl<const P: usize, T: MeshNumber> Job for Spread<'_, P, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        if P > 4 { self.rows_of::<S, 8>() } else { self.rows_of::<S, 4>() }
    }
}

impl<const P: usize, T: MeshNumber> Spread<'_, P, T> {
    /// The points of a row are one or two times `L`.
    #[inline(always)]
    fn rows_of<S: Simd, const L: usize>(self) {
        let (row, plane, places) = (self.charges.row(), self.charges.plane(), &self.charges.places[..]);
        let powers = self.charges.spline.lanes::<L>();
        let stream = self.members.len().div_ceil(STREAMS).max(1);
        for step in 0..stream {
            for i in (step..self.members.len()).step_by(stream) {
                let place = &places[self.members[i] as usize];
                let along_a = values::<S, P, L, T>(&powers, place.x[0]);
                let along_b = values::<S, P, L, T>(&powers, place.x[1]);
                let along_c = values::<S, P, L, T>(&powers, place.x[2]);
                let at =
                    (place.at[0] as usize - self.first) * plane + place.at[1] as usize * row + place.at[2] as usize;
                let lines = &mut self.planes[at..];
                for ja in 0..P {
                    let weight = place.charge * along_a[ja / L][ja % L];
                    let mut weights = along_c;
                    for part in 0..P.div_ceil(L) {
                        for k in 0..L {
                            weights[part][k] *= weight;
                        }
                    }
                    let lines = &mut lines[ja * plane..][..(P - 1) * row + L * P.div_ceil(L)];
                    for jb in 0..P {
                        let weight = along_b[jb / L][jb % L];
                        for part in 0..P.div_ceil(L) {
                            let points = &mut lines[jb * row + part * L..][..L];
                            let mut sums: [T; L] = lanes(points, 0);
                            for k in 0..L {
                                sums[k] = weight.mul_add::<S>(weights[part][k], sums[k]);
                            }
                            points.copy_from_slice(&sums);
                        }
                    }
                }
            }
        }
    }
}

/// Adds forces on a range of charges to those of the atoms from `first` on; where nothing but forces is wanted not to those
/// of frozen atoms, which they do not move.
pub struct Gather<'a, const P: usize, T> {
    pub charges: &'a Charges<P, T>,
    pub range: Range<usize>,
    pub mesh: &'a [T],
    pub gradients: &'a [Vec3; 3],
    pub want: Request,
    pub first: usize,
    pub forces: &'a mut [Vec3],
}

impl<const P: usize, T: MeshNumber> Job for Gather<'_, P, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        if P > 4 { self.rows_of::<S, 8, 16>() } else { self.rows_of::<S, 4, 8>() }
    }
}

/// What the mesh around a charge is summed with.
#[derive(Clone, Copy)]
struct Weights<const P: usize, const L: usize, const D: usize, T> {
    /// Along a: weight and slope.
    a: [[T; 2]; P],
    /// Along b: the weight `L` times and the slope `L` times.
    b: [[T; D]; P],
    /// Along c: the slopes and the weights, twice `L` of them.
    c: [[T; D]; 2],
}

impl<const P: usize, T: MeshNumber> Gather<'_, P, T> {
    /// `D` is 2 `L`: sums with the weight along b and those with its slope go side by side.
    #[inline(always)]
    fn rows_of<S: Simd, const L: usize, const D: usize>(self) {
        let (values_of, slopes_of) = (self.charges.spline.lanes::<L>(), self.charges.spline.slopes().lanes::<L>());
        let [a, b, c] = self.gradients;
        let zero = [T::zero(); D];
        let mut weights = Weights::<P, L, D, T> { a: [[T::zero(); 2]; P], b: [zero; P], c: [zero; 2] };
        let only_mobile = self.want == Request::FORCES;
        for i in self.range.clone() {
            if only_mobile && self.charges.frozen[i] {
                continue;
            }
            let place = &self.charges.places[i];
            let value = values::<S, P, L, T>(&values_of, place.x[0]);
            let slope = values::<S, P, L, T>(&slopes_of, place.x[0]);
            for j in 0..P {
                weights.a[j] = [value[j / L][j % L], slope[j / L][j % L]];
            }
            let value = values::<S, P, L, T>(&values_of, place.x[1]);
            let slope = values::<S, P, L, T>(&slopes_of, place.x[1]);
            for j in 0..P {
                for k in 0..L {
                    weights.b[j][k] = value[j / L][j % L];
                }
                for k in 0..L {
                    weights.b[j][L + k] = slope[j / L][j % L];
                }
            }
            let value = values::<S, P, L, T>(&values_of, place.x[2]);
            let slope = values::<S, P, L, T>(&slopes_of, place.x[2]);
            for part in 0..P.div_ceil(L) {
                weights.c[part][..L].copy_from_slice(&slope[part]);
                weights.c[part][L..].copy_from_slice(&value[part]);
            }
            // Through memory, whence single weights are best read.
            let slopes = self.slopes::<S, L, D>(black_box(&weights), place);
            let force = *a * slopes[0] + *b * slopes[1] + *c * slopes[2];
            self.forces[self.charges.atoms[i] as usize - self.first] += -force;
        }
    }

    /// q ∂φ/∂u along a, b, c at a charge.
    #[inline(always)]
    fn slopes<S: Simd, const L: usize, const D: usize>(
        &self,
        weights: &Weights<P, L, D, T>,
        place: &Place<T>,
    ) -> [f64; 3] {
        let (na, row, plane) = (self.charges.n[0], self.charges.row(), self.charges.plane());
        let (a, at) = (place.at[0] as usize, place.at[1] as usize * row + place.at[2] as usize);
        let (mut totals, mut along_a) = ([T::zero(); D], [T::zero(); L]);
        for part in 0..P.div_ceil(L) {
            // For every point along c: sums over a and b with the weight along a, and with the slope.
            let (mut weighted, mut sloped) = ([T::zero(); D], [T::zero(); D]);
            for ja in 0..P {
                let a = if a + ja < na { a + ja } else { a + ja - na };
                let lines = &self.mesh[a * plane + at..][..(P - 1) * row + L * P.div_ceil(L)];
                let mut sums = [T::zero(); D];
                for jb in 0..P {
                    let potential: [T; L] = lanes(lines, jb * row + part * L);
                    for k in 0..D {
                        sums[k] = weights.b[jb][k].mul_add::<S>(potential[k % L], sums[k]);
                    }
                }
                let [weight, slope] = weights.a[ja];
                for k in 0..D {
                    weighted[k] = weight.mul_add::<S>(sums[k], weighted[k]);
                }
                for k in 0..D {
                    sloped[k] = slope.mul_add::<S>(sums[k], sloped[k]);
                }
            }
            for k in 0..D {
                totals[k] = weights.c[part][k].mul_add::<S>(weighted[k], totals[k]);
            }
            for k in 0..L {
                along_a[k] = weights.c[part][L + k].mul_add::<S>(sloped[k], along_a[k]);
            }
        }
        // Through memory: otherwise the compiler plans lanes from the sums that follow back to the mesh, which took up
        // to twice as long. Halves onto each other, as registers are added up; those of `totals` are c and b.
        let (mut totals, mut along_a) = (black_box(totals), black_box(along_a));
        let mut width = L / 2;
        while width > 0 {
            for k in 0..width {
                totals[k] += totals[k + width];
            }
            for k in 0..width {
                totals[L + k] += totals[L + k + width];
            }
            for k in 0..width {
                along_a[k] += along_a[k + width];
            }
            width /= 2;
        }
        let q = place.charge.widened();
        [along_a[0].widened() * q, totals[L].widened() * q, totals[0].widened() * q]
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

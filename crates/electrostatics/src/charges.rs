//! Charges on the mesh: each is shared among P³ points by B-spline weights, and feels the gradient of the potential
//! that the same weights interpolate.
//!
//! Rows and planes of the mesh are longer than the mesh by what a charge at its end reaches over, so that the inner
//! loops never wrap: what was spread there is folded back, what is gathered there is a copy. Rows of weights are padded
//! with zeros to whole SIMD lanes.

use amelo_core::{System, Topology};
use amelo_math::lanes::{Isa, Job, Simd, dispatch};
use amelo_math::{Mat3, Vec3, special};
use rayon::prelude::*;

use crate::bspline::weights;
use crate::number::MeshNumber;

/// The charged atoms and where they sit on the mesh.
pub struct Charges<const P: usize, T> {
    isa: Isa,
    /// Mesh points along a, b, c.
    n: [usize; 3],
    /// Charged atoms, ascending, and their charges (e).
    atoms: Vec<u32>,
    charges: Vec<f64>,
    /// First mesh point along a, b, c of every charge.
    at: Vec<[u32; 3]>,
    /// \[charge\]\[6\]\[`Self::WIDTH`\]: weights along a, b, c, then slopes along a, b, c; those along a times the charge.
    weights: Vec<T>,
    /// Charges by their first plane of constant a, each plane's in ascending order.
    starts: Vec<u32>,
    members: Vec<u32>,
}

impl<const P: usize, T: MeshNumber> Charges<P, T> {
    /// Length of a row of weights.
    const WIDTH: usize = if P > 4 { P.next_multiple_of(8) } else { 4 };
    /// Charges located by one task.
    const BLOCK: usize = 256;

    pub fn new(topology: &Topology, n: [usize; 3], isa: Isa) -> Self {
        let charged = |&i: &u32| topology.charges[i as usize] != 0.0;
        let atoms: Vec<u32> = (0..topology.n_atoms() as u32).filter(charged).collect();
        let charges: Vec<f64> = atoms.iter().map(|&i| topology.charges[i as usize]).collect();
        Charges {
            isa,
            n,
            at: vec![[0; 3]; atoms.len()],
            weights: vec![T::zero(); atoms.len() * 6 * Self::WIDTH],
            starts: vec![0; n[0] + 2],
            members: vec![0; atoms.len()],
            atoms,
            charges,
        }
    }

    /// Length of a padded row along c.
    pub fn row(&self) -> usize {
        self.n[2] + Self::WIDTH
    }

    /// Length of a padded plane of constant a.
    pub fn plane(&self) -> usize {
        (self.n[1] + P - 1) * self.row()
    }

    /// Finds mesh points and weights of every charge, and the charges of every plane.
    pub fn locate(&mut self, system: &System) {
        let (n, isa, inverse) = (self.n, self.isa, system.cell.vectors().inverse());
        let atoms = self.atoms.par_chunks(Self::BLOCK).zip(self.charges.par_chunks(Self::BLOCK));
        let places =
            self.at.par_chunks_mut(Self::BLOCK).zip(self.weights.par_chunks_mut(Self::BLOCK * 6 * Self::WIDTH));
        atoms.zip(places).for_each(|((atoms, charges), (at, weights))| {
            let positions = &system.positions;
            dispatch(isa, Locate::<P, T> { n, inverse: &inverse, positions, atoms, charges, at, weights });
        });
        self.sort();
    }

    /// Counting sort by plane, stable.
    fn sort(&mut self) {
        // Counts two places ahead become starts one place ahead, which the placing moves to where they belong.
        self.starts.fill(0);
        for at in &self.at {
            self.starts[at[0] as usize + 2] += 1;
        }
        for a in 2..self.starts.len() {
            self.starts[a] += self.starts[a - 1];
        }
        for (i, at) in self.at.iter().enumerate() {
            let next = &mut self.starts[at[0] as usize + 1];
            self.members[*next as usize] = i as u32;
            *next += 1;
        }
    }

    /// Writes the charge of plane `a` (padded): the charges in a fixed order, whoever does it.
    pub fn spread(&self, a: usize, plane: &mut [T]) {
        dispatch(self.isa, Spread { charges: self, a, plane });
    }

    #[inline(always)]
    fn spread_with(&self, a: usize, plane: &mut [T]) {
        let (na, row) = (self.n[0], self.row());
        plane.fill(T::zero());
        for j in 0..P {
            // Here the plane is the j-th of the P that these charges touch.
            let first = (a + na - j) % na;
            for &i in &self.members[self.starts[first] as usize..self.starts[first + 1] as usize] {
                let (at, rows) = self.charge(i as usize);
                let (weight_a, along_b, along_c) =
                    (rows[j], &rows[Self::WIDTH..][..P], &rows[2 * Self::WIDTH..][..Self::WIDTH]);
                let lines = &mut plane[at[1] as usize * row + at[2] as usize..];
                for jb in 0..P {
                    let weight = weight_a * along_b[jb];
                    for (point, w) in lines[jb * row..][..Self::WIDTH].iter_mut().zip(along_c) {
                        *point += weight * *w;
                    }
                }
            }
        }
        self.fold(plane);
    }

    /// What reaches over the ends of rows and planes, back to their beginnings.
    #[inline(always)]
    fn fold(&self, plane: &mut [T]) {
        let ([_, nb, nc], row) = (self.n, self.row());
        for line in plane.chunks_exact_mut(row) {
            for k in 0..P - 1 {
                let over = line[nc + k];
                line[k] += over;
            }
        }
        let (mesh, over) = plane.split_at_mut(nb * row);
        for (point, over) in mesh.iter_mut().zip(over) {
            *point += *over;
        }
    }

    /// Copies of the first points of rows and planes to where a charge at the end looks for them.
    pub fn pad(&self, plane: &mut [T]) {
        let ([_, nb, nc], row) = (self.n, self.row());
        for line in plane.chunks_exact_mut(row).take(nb) {
            line.copy_within(0..P - 1, nc);
            line[nc + P - 1..].fill(T::zero());
        }
        plane.copy_within(0..(P - 1) * row, nb * row);
    }

    /// Adds the forces F = −q Σ φ ∂θ/∂r (kJ/mol/nm) of the potential on `mesh` (padded planes) to `forces`, those of the
    /// atoms from `first` on. `gradients`: of the mesh coordinates (nm⁻¹).
    pub fn gather(&self, mesh: &[T], gradients: &[Vec3; 3], first: usize, forces: &mut [Vec3]) {
        dispatch(self.isa, Gather { charges: self, mesh, gradients, first, forces });
    }

    #[inline(always)]
    fn gather_with(&self, mesh: &[T], gradients: &[Vec3; 3], first: usize, forces: &mut [Vec3]) {
        let place = |atom: usize| self.atoms.partition_point(|&i| (i as usize) < atom);
        for i in place(first)..place(first + forces.len()) {
            let slopes = self.slopes(mesh, i);
            let force = gradients[0] * slopes[0] + gradients[1] * slopes[1] + gradients[2] * slopes[2];
            forces[self.atoms[i] as usize - first] += -force;
        }
    }

    /// q ∂φ/∂u along a, b, c at charge `i`.
    #[inline(always)]
    fn slopes(&self, mesh: &[T], i: usize) -> [f64; 3] {
        let (na, row, plane) = (self.n[0], self.row(), self.plane());
        let (at, rows) = self.charge(i);
        let along = |k: usize| &rows[k * Self::WIDTH..][..Self::WIDTH];
        let (value_b, slope_b) = (along(1), along(4));
        // Sums over a and b for each point along c; the last index of a sum says which axis has its slope.
        let mut sums = [[T::zero(); 16]; 3];
        for ja in 0..P {
            let a = at[0] as usize + ja;
            let a = if a < na { a } else { a - na };
            let lines = &mesh[a * plane + at[1] as usize * row + at[2] as usize..];
            let (mut value, mut slope) = ([T::zero(); 16], [T::zero(); 16]);
            for jb in 0..P {
                let potential = &lines[jb * row..][..Self::WIDTH];
                for k in 0..Self::WIDTH {
                    value[k] += value_b[jb] * potential[k];
                    slope[k] += slope_b[jb] * potential[k];
                }
            }
            for k in 0..Self::WIDTH {
                sums[0][k] += rows[3 * Self::WIDTH + ja] * value[k];
                sums[1][k] += rows[ja] * slope[k];
                sums[2][k] += rows[ja] * value[k];
            }
        }
        let (value_c, slope_c) = (along(2), along(5));
        let mut slopes = [T::zero(); 3];
        for k in 0..Self::WIDTH {
            slopes[0] += sums[0][k] * value_c[k];
            slopes[1] += sums[1][k] * value_c[k];
            slopes[2] += sums[2][k] * slope_c[k];
        }
        [slopes[0].widened(), slopes[1].widened(), slopes[2].widened()]
    }

    /// First mesh points, and rows of weights and slopes.
    #[inline(always)]
    fn charge(&self, i: usize) -> ([u32; 3], &[T]) {
        (self.at[i], &self.weights[i * 6 * Self::WIDTH..][..6 * Self::WIDTH])
    }
}

/// The loop over the charges of one task in [`Charges::locate`].
struct Locate<'a, const P: usize, T> {
    n: [usize; 3],
    /// From Cartesian to fractional coordinates, for [`Mat3::vec_mul`].
    inverse: &'a Mat3,
    positions: &'a [Vec3],
    atoms: &'a [u32],
    charges: &'a [f64],
    at: &'a mut [[u32; 3]],
    weights: &'a mut [T],
}

impl<const P: usize, T: MeshNumber> Job for Locate<'_, P, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let width = Charges::<P, T>::WIDTH;
        for i in 0..self.atoms.len() {
            let s = self.inverse.vec_mul(self.positions[self.atoms[i] as usize]);
            let (value, slope) = self.weights[i * 6 * width..][..6 * width].split_at_mut(3 * width);
            for axis in 0..3 {
                let n = self.n[axis] as f64;
                let u = (s[axis] - floor(s[axis])) * n;
                let point = floor(u);
                // u = n where a tiny negative s was rounded up.
                self.at[i][axis] = if point < n { point as u32 } else { 0 };
                let w = weights::<P, T>(T::nearest(u - point));
                let factor = T::nearest(if axis == 0 { self.charges[i] } else { 1.0 });
                for j in 0..P {
                    value[axis * width + j] = w.value[j] * factor;
                    slope[axis * width + j] = w.slope[j] * factor;
                }
            }
        }
    }
}

/// [`Charges::spread`] as a job.
struct Spread<'a, const P: usize, T> {
    charges: &'a Charges<P, T>,
    a: usize,
    plane: &'a mut [T],
}

impl<const P: usize, T: MeshNumber> Job for Spread<'_, P, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        self.charges.spread_with(self.a, self.plane);
    }
}

/// [`Charges::gather`] as a job.
struct Gather<'a, const P: usize, T> {
    charges: &'a Charges<P, T>,
    mesh: &'a [T],
    gradients: &'a [Vec3; 3],
    first: usize,
    forces: &'a mut [Vec3],
}

impl<const P: usize, T: MeshNumber> Job for Gather<'_, P, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        self.charges.gather_with(self.mesh, self.gradients, self.first, self.forces);
    }
}

/// The largest integer that is not above `x`, for |x| < 2⁵¹.
#[inline(always)]
fn floor(x: f64) -> f64 {
    let nearest = special::round(x);
    if nearest > x { nearest - 1.0 } else { nearest }
}

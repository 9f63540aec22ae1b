//! Groups of any shape: triangles of rigid water, chains, more than three constraints on one atom.

use amelo_core::NearestImage;
use amelo_math::{Mat3, Vec3};

use super::dense::solve;
use super::{MAX_ITERATIONS, Violation, is_met};

/// Constraints that share atoms.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// Atoms, as indices into the arrays that the functions take; ascending.
    pub atoms: Vec<u32>,
    /// 1/m.
    inverse_masses: Vec<f64>,
    /// Ends as indices into `atoms`, and the length (nm).
    bonds: Vec<([usize; 2], f64)>,
    /// c_kl, row by row.
    coupling: Vec<f64>,
}

/// Arrays that groups use one after the other.
#[derive(Default)]
pub(super) struct Scratch {
    d: Vec<Vec3>,
    e: Vec<Vec3>,
    start: Vec<Vec3>,
    matrix: Vec<f64>,
    b: Vec<f64>,
    lambda: Vec<f64>,
    on_atoms: Vec<Vec3>,
}

impl Group {
    /// A group of constraints (atoms, length) with 1/m of every atom.
    pub fn new(constraints: &[([u32; 2], f64)], inverse_mass: impl Fn(u32) -> f64) -> Self {
        let mut atoms: Vec<u32> = constraints.iter().flat_map(|c| c.0).collect();
        atoms.sort_unstable();
        atoms.dedup();
        let place = |atom: u32| atoms.partition_point(|&a| a < atom);
        let bonds: Vec<_> = constraints.iter().map(|c| (c.0.map(place), c.1)).collect();
        let inverse_masses: Vec<f64> = atoms.iter().map(|&a| inverse_mass(a)).collect();
        let sign = |k: usize, atom: usize| match bonds[k].0 {
            [i, _] if i == atom => -1.0,
            [_, j] if j == atom => 1.0,
            _ => 0.0,
        };
        let n = bonds.len();
        let coupling = (0..n * n)
            .map(|kl| (0..atoms.len()).map(|i| sign(kl / n, i) * sign(kl % n, i) * inverse_masses[i]).sum())
            .collect();
        Group { atoms, inverse_masses, bonds, coupling }
    }

    /// Differences second − first end of each constraint of any per-atom vector.
    fn differences(&self, vectors: &[Vec3]) -> impl Iterator<Item = Vec3> {
        let at = |i: usize| vectors[self.atoms[i] as usize];
        self.bonds.iter().map(move |([i, j], _)| at(*j) - at(*i))
    }

    /// d_k = r_j − r_i.
    fn bond_vectors(&self, image: &NearestImage, positions: &[Vec3], d: &mut Vec<Vec3>) {
        d.clear();
        d.extend(self.differences(positions).map(|d| image.of(d)));
    }

    /// Solves Σ_l c_kl (d_k·d_l) g_l = b_k in place of `b`. A singular group gets no correction; positions then report
    /// it.
    fn multipliers(&self, d: &[Vec3], matrix: &mut Vec<f64>, b: &mut [f64]) {
        let n = d.len();
        matrix.clear();
        matrix.extend((0..n * n).map(|kl| self.coupling[kl] * d[kl / n].dot(d[kl % n])));
        if !solve(matrix, b) {
            b.fill(0.0);
        }
    }

    /// Adds s_ki g_k d_k / m_i, times `scale`, to each atom's vector; `place` finds an atom of the group in `vectors`.
    fn add(&self, d: &[Vec3], g: &[f64], scale: f64, vectors: &mut [Vec3], place: impl Fn(usize) -> usize) {
        for ((([i, j], _), d), g) in self.bonds.iter().zip(d).zip(g) {
            vectors[place(*i)] -= *d * (scale * g * self.inverse_masses[*i]);
            vectors[place(*j)] += *d * (scale * g * self.inverse_masses[*j]);
        }
    }

    /// Takes from `vectors` what would change a constrained distance.
    pub fn project(&self, image: &NearestImage, positions: &[Vec3], vectors: &mut [Vec3], s: &mut Scratch) {
        self.bond_vectors(image, positions, &mut s.d);
        s.b.clear();
        s.b.extend(s.d.iter().zip(self.differences(vectors)).map(|(d, u)| -d.dot(u)));
        self.multipliers(&s.d, &mut s.matrix, &mut s.b);
        self.add(&s.d, &s.b, 1.0, vectors, |i| self.atoms[i] as usize);
    }

    /// Corrects `velocities` so that a move by `time` times these meets the constraints, by Newton's iteration for
    /// |e_k(λ)|² = L_k², e_k = d_k + time·u_k + Σ_l c_kl λ_l d_l.
    pub fn constrain(
        &self,
        image: &NearestImage,
        positions: &[Vec3],
        velocities: &mut [Vec3],
        time: f64,
        s: &mut Scratch,
    ) -> Result<(), Violation> {
        self.bond_vectors(image, positions, &mut s.d);
        let n = s.d.len();
        s.start.clear();
        s.start.extend(s.d.iter().zip(self.differences(velocities)).map(|(d, u)| *d + u * time));
        s.e.clear();
        s.e.extend_from_slice(&s.start);
        s.lambda.clear();
        s.lambda.resize(n, 0.0);
        let mut previous = f64::INFINITY;
        for _ in 0..MAX_ITERATIONS {
            s.b.clear();
            s.b.extend(s.e.iter().zip(&self.bonds).map(|(e, (_, length))| length * length - e.norm2()));
            let relative = |(b, (_, l)): (&f64, &([usize; 2], f64))| (0.5 * b / (l * l)).abs();
            let error = s.b.iter().zip(&self.bonds).map(relative).sum();
            if is_met(error, previous) {
                self.add(&s.d, &s.lambda, 1.0 / time, velocities, |i| self.atoms[i] as usize);
                return Ok(());
            }
            previous = error;
            s.matrix.clear();
            s.matrix.extend((0..n * n).map(|kl| 2.0 * self.coupling[kl] * s.e[kl / n].dot(s.d[kl % n])));
            if !error.is_finite() || !solve(&mut s.matrix, &mut s.b) {
                break;
            }
            for (lambda, step) in s.lambda.iter_mut().zip(&s.b) {
                *lambda += step;
            }
            for k in 0..n {
                s.e[k] = s.start[k] + (0..n).map(|l| s.d[l] * (self.coupling[k * n + l] * s.lambda[l])).sum();
            }
        }
        Err(Violation::worst(self.bonds.iter().zip(&s.e).map(|(([i, j], length), e)| Violation {
            atoms: [self.atoms[*i], self.atoms[*j]],
            length: *length,
            found: e.norm(),
        })))
    }

    /// Virial (kJ/mol) of the constraint forces; `forces` and `velocities` as in
    /// [`super::ConstraintSolver::forces`].
    pub fn virial(
        &self,
        image: &NearestImage,
        positions: &[Vec3],
        velocities: &[Vec3],
        forces: &[Vec3],
        timestep: f64,
        s: &mut Scratch,
    ) -> Mat3 {
        self.bond_vectors(image, positions, &mut s.d);
        let a = &mut s.on_atoms;
        a.clear();
        a.extend(self.atoms.iter().zip(&self.inverse_masses).map(|(&i, w)| forces[i as usize] * *w));
        s.b.clear();
        s.b.extend(s.d.iter().zip(&self.bonds).map(|(d, ([i, j], _))| -d.dot(a[*j] - a[*i])));
        self.multipliers(&s.d, &mut s.matrix, &mut s.b);
        self.add(&s.d, &s.b, 1.0, a, |i| i);
        let hold = &mut s.lambda;
        hold.clear();
        hold.extend_from_slice(&s.b);
        let quarter = 0.25 * timestep * timestep;
        s.b.clear();
        let turning = self.bonds.iter().zip(self.differences(velocities));
        s.b.extend(turning.map(|(([i, j], _), u)| -(u.norm2() + quarter * (a[*j] - a[*i]).norm2())));
        self.multipliers(&s.d, &mut s.matrix, &mut s.b);
        s.d.iter().zip(hold.iter().zip(&s.b)).map(|(d, (h, t))| d.outer(*d) * (h + t)).sum()
    }
}

//! Constraints |r_j − r_i| = L, solved group by group.
//!
//! Constraints that share atoms form a group (a CH₃ is one of three). All three tasks need only the bond vectors
//! d_k = r_j − r_i of a group and the matrix c_kl = Σ_i s_ki s_li / m_i, where s_ki is −1 for the first atom of
//! constraint k, +1 for the second, 0 else:
//!
//! - *velocities* (and accelerations): find g with Σ_l c_kl (d_k·d_l) g_l = −d_k·u_k, add Σ_k s_ki g_k d_k / m_i;
//! - *positions* after a drift: find λ with |d_k + u_k + Σ_l c_kl λ_l d_l| = L_k by Newton's method, d_k from before
//!   the drift (SHAKE's direction, which makes the drift symmetric in time);
//! - *forces* of an instant, for the virial.
//!
//! Groups share no atom: they are solved in parallel and written back in their order.

use amelo_core::{Cell, Topology};
use amelo_math::{Mat3, Vec3};
use rayon::prelude::*;

use super::dense::solve;
use crate::motion::inverse_masses;

/// Relative error of a length at which Newton's iteration ends.
const TOLERANCE: f64 = 1e-13;

/// Number of groups from which threads pay.
const WORTH_THREADS: usize = 128;

/// What the constraints do at one instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConstraintForces {
    /// Virial Σ r_ij ⊗ G_ij (kJ/mol).
    pub virial: Mat3,
}

/// A constraint that could not be met.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Violation {
    pub atoms: [u32; 2],
    pub length: f64,
    pub found: f64,
}

/// All constraints of a system that involve a mobile atom, in groups.
#[derive(Clone, Debug, Default)]
pub struct ConstraintSolver {
    groups: Vec<Group>,
}

#[derive(Clone, Debug)]
struct Group {
    atoms: Vec<u32>,
    inverse_masses: Vec<f64>,
    /// Ends as indices into `atoms`, and the length (nm).
    bonds: Vec<([usize; 2], f64)>,
    /// c_kl, row by row.
    coupling: Vec<f64>,
}

impl ConstraintSolver {
    /// The constraints of `topology`, without those between two frozen atoms.
    pub fn new(topology: &Topology) -> Self {
        let inverse_masses = inverse_masses(topology);
        let active: Vec<_> =
            topology.constraints.iter().filter(|c| c.atoms.iter().any(|&a| inverse_masses[a as usize] > 0.0)).collect();
        // A frozen atom does not couple the constraints that meet in it, but one group more or less is no matter.
        let mut root: Vec<u32> = (0..topology.n_atoms() as u32).collect();
        for c in &active {
            let (a, b) = (find(&mut root, c.atoms[0]), find(&mut root, c.atoms[1]));
            root[a.max(b) as usize] = a.min(b);
        }
        // Sorted by root and then by position in the topology: the order of groups and of bonds in them is fixed.
        let mut order: Vec<(u32, usize)> =
            active.iter().enumerate().map(|(k, c)| (find(&mut root, c.atoms[0]), k)).collect();
        order.sort_unstable();
        let groups = order
            .chunk_by(|a, b| a.0 == b.0)
            .map(|members| {
                let constraints: Vec<_> = members.iter().map(|&(_, k)| active[k]).collect();
                let mut atoms: Vec<u32> = constraints.iter().flat_map(|c| c.atoms).collect();
                atoms.sort_unstable();
                atoms.dedup();
                let place = |atom: u32| atoms.partition_point(|&a| a < atom);
                let bonds: Vec<_> = constraints.iter().map(|c| (c.atoms.map(place), c.length)).collect();
                let inverse_masses: Vec<f64> = atoms.iter().map(|&a| inverse_masses[a as usize]).collect();
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
            })
            .collect();
        ConstraintSolver { groups }
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Atoms of each group, ascending.
    pub fn groups(&self) -> impl Iterator<Item = &[u32]> {
        self.groups.iter().map(|g| g.atoms.as_slice())
    }

    /// Largest relative error of a constrained length.
    pub fn largest_error(&self, cell: &Cell, positions: &[Vec3]) -> f64 {
        let error = |g: &Group| {
            let d = g.bond_vectors(cell, positions);
            d.iter().zip(&g.bonds).map(|(d, b)| (d.norm() / b.1 - 1.0).abs()).fold(0.0, f64::max)
        };
        self.groups.iter().map(error).fold(0.0, f64::max)
    }

    /// Largest velocity along a constrained distance (nm/ps).
    pub fn largest_velocity(&self, cell: &Cell, positions: &[Vec3], velocities: &[Vec3]) -> f64 {
        let error = |g: &Group| {
            let d = g.bond_vectors(cell, positions);
            let u = g.differences(velocities);
            d.iter().zip(&u).map(|(d, u)| (d.dot(*u) / d.norm()).abs()).fold(0.0, f64::max)
        };
        self.groups.iter().map(error).fold(0.0, f64::max)
    }

    /// Takes from `vectors` (velocities or accelerations) what would change a constrained distance, by the
    /// projection that is orthogonal in the metric of the masses.
    pub fn project(&self, cell: &Cell, positions: &[Vec3], vectors: &mut [Vec3]) {
        let _span = tracing::trace_span!("constraints").entered();
        let corrections: Vec<Vec<Vec3>> = {
            let vectors = &*vectors;
            self.each(|g| g.projection(&g.bond_vectors(cell, positions), vectors))
        };
        self.add(&corrections, vectors);
    }

    /// Corrects the moves (nm) of all atoms, so that `positions` + `moves` meets the constraints; also returns what
    /// was added, group by group. `positions` meet the constraints or nearly so.
    pub(crate) fn constrain_moves(
        &self,
        cell: &Cell,
        positions: &[Vec3],
        moves: &mut [Vec3],
    ) -> Result<Vec<Vec<Vec3>>, Violation> {
        let _span = tracing::trace_span!("constraints").entered();
        let corrections: Vec<Vec<Vec3>> = {
            let moves = &*moves;
            // All groups are solved before the first failure in their order is reported, whatever the threads did.
            let results = self.each(|g| g.shake(cell, positions, moves));
            results.into_iter().collect::<Result<_, _>>()?
        };
        self.add(&corrections, moves);
        Ok(corrections)
    }

    /// `task` of every group, in the groups' order; in parallel where they are enough to be worth it.
    fn each<T: Send>(&self, task: impl Fn(&Group) -> T + Sync + Send) -> Vec<T> {
        if self.groups.len() < WORTH_THREADS {
            self.groups.iter().map(task).collect()
        } else {
            self.groups.par_iter().map(task).collect()
        }
    }

    /// Adds per-group `corrections` to `vectors`.
    fn add(&self, corrections: &[Vec<Vec3>], vectors: &mut [Vec3]) {
        for (group, correction) in self.groups.iter().zip(corrections) {
            for (&atom, c) in group.atoms.iter().zip(correction) {
                vectors[atom as usize] += *c;
            }
        }
    }

    /// Adds per-group position corrections to the velocities, divided by the time in which they happened.
    pub(crate) fn add_velocities(&self, corrections: &[Vec<Vec3>], time: f64, velocities: &mut [Vec3]) {
        let _span = tracing::trace_span!("constraints").entered();
        for (group, correction) in self.groups.iter().zip(corrections) {
            for (&atom, c) in group.atoms.iter().zip(correction) {
                velocities[atom as usize] += *c / time;
            }
        }
    }

    /// The constraint forces of one instant: those that cancel the part of `forces` along fixed distances and hold
    /// these while they turn. The turning enters with the mean square of the two adjacent half-step velocities
    /// v ± ½ dt a, so that virial and half-step kinetic energy cancel exactly for a free rigid body.
    pub fn forces(
        &self,
        cell: &Cell,
        positions: &[Vec3],
        velocities: &[Vec3],
        forces: &[Vec3],
        timestep: f64,
    ) -> ConstraintForces {
        let _span = tracing::trace_span!("constraints").entered();
        let virials: Vec<Mat3> = self.each(|g| {
            let d = g.bond_vectors(cell, positions);
            let mut a: Vec<Vec3> =
                g.atoms.iter().zip(&g.inverse_masses).map(|(&i, w)| forces[i as usize] * *w).collect();
            let along: Vec<f64> = d.iter().zip(&g.bonds).map(|(d, ([i, j], _))| -d.dot(a[*j] - a[*i])).collect();
            let hold = g.multipliers(&d, along);
            for (a, c) in a.iter_mut().zip(g.apply(&d, &hold)) {
                *a += c;
            }
            let u = g.differences(velocities);
            let turning = d
                .iter()
                .zip(&g.bonds)
                .zip(&u)
                .map(|((_, ([i, j], _)), u)| -(u.norm2() + 0.25 * timestep * timestep * (a[*j] - a[*i]).norm2()))
                .collect();
            let turn = g.multipliers(&d, turning);
            d.iter().zip(hold.iter().zip(&turn)).map(|(d, (h, t))| d.outer(*d) * (h + t)).sum()
        });
        ConstraintForces { virial: virials.into_iter().sum() }
    }
}

impl Group {
    /// d_k = r_j − r_i.
    fn bond_vectors(&self, cell: &Cell, positions: &[Vec3]) -> Vec<Vec3> {
        self.differences(positions).into_iter().map(|d| cell.minimum_image(d)).collect()
    }

    /// Differences second − first end of each constraint of any per-atom vector.
    fn differences(&self, vectors: &[Vec3]) -> Vec<Vec3> {
        let at = |i: usize| vectors[self.atoms[i] as usize];
        self.bonds.iter().map(|([i, j], _)| at(*j) - at(*i)).collect()
    }

    /// Solves Σ_l c_kl (d_k·d_l) g_l = b_k. A singular group gets no correction; positions then report it.
    fn multipliers(&self, d: &[Vec3], mut b: Vec<f64>) -> Vec<f64> {
        let n = d.len();
        let mut a: Vec<f64> = (0..n * n).map(|kl| self.coupling[kl] * d[kl / n].dot(d[kl % n])).collect();
        if !solve(&mut a, &mut b) {
            b.fill(0.0);
        }
        b
    }

    /// Σ_k s_ki g_k d_k / m_i for each atom.
    fn apply(&self, d: &[Vec3], g: &[f64]) -> Vec<Vec3> {
        let mut sum = vec![Vec3::ZERO; self.atoms.len()];
        for ((([i, j], _), d), g) in self.bonds.iter().zip(d).zip(g) {
            sum[*i] -= *d * (g * self.inverse_masses[*i]);
            sum[*j] += *d * (g * self.inverse_masses[*j]);
        }
        sum
    }

    fn projection(&self, d: &[Vec3], vectors: &[Vec3]) -> Vec<Vec3> {
        let along = d.iter().zip(self.differences(vectors)).map(|(d, u)| -d.dot(u)).collect();
        self.apply(d, &self.multipliers(d, along))
    }

    /// Newton's iteration for |e_k(λ)|² = L_k², e_k = d_k + u_k + Σ_l c_kl λ_l d_l.
    fn shake(&self, cell: &Cell, positions: &[Vec3], moves: &[Vec3]) -> Result<Vec<Vec3>, Violation> {
        let d = self.bond_vectors(cell, positions);
        let start: Vec<Vec3> = d.iter().zip(self.differences(moves)).map(|(d, u)| *d + u).collect();
        let n = d.len();
        let mut lambda = vec![0.0; n];
        let mut e = start.clone();
        let mut previous = f64::INFINITY;
        for _ in 0..50 {
            let mut b: Vec<f64> =
                e.iter().zip(&self.bonds).map(|(e, (_, length))| length * length - e.norm2()).collect();
            let error = b.iter().zip(&self.bonds).map(|(b, (_, l))| (0.5 * b / (l * l)).abs()).fold(0.0, f64::max);
            // Either converged, or at the rounding error where another step cannot improve.
            if error < TOLERANCE || (error < 10.0 * TOLERANCE && error >= previous) {
                return Ok(self.apply(&d, &lambda));
            }
            previous = error;
            let mut jacobian: Vec<f64> =
                (0..n * n).map(|kl| 2.0 * self.coupling[kl] * e[kl / n].dot(d[kl % n])).collect();
            if !error.is_finite() || !solve(&mut jacobian, &mut b) {
                break;
            }
            for (lambda, step) in lambda.iter_mut().zip(&b) {
                *lambda += step;
            }
            for k in 0..n {
                e[k] = start[k] + (0..n).map(|l| d[l] * (self.coupling[k * n + l] * lambda[l])).sum();
            }
        }
        let worst = (0..n).max_by(|&p, &q| {
            let error = |k: usize| (e[k].norm() / self.bonds[k].1 - 1.0).abs();
            error(p).total_cmp(&error(q))
        });
        let k = worst.unwrap_or(0);
        let ([i, j], length) = self.bonds[k];
        Err(Violation { atoms: [self.atoms[i], self.atoms[j]], length, found: e[k].norm() })
    }
}

fn find(root: &mut [u32], mut atom: u32) -> u32 {
    while root[atom as usize] != atom {
        root[atom as usize] = root[root[atom as usize] as usize];
        atom = root[atom as usize];
    }
    atom
}

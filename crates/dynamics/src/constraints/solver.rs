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
//! Groups share no atom. Those of up to three constraints about one atom are solved many at a time
//! (`stars.rs`), the rest one by one (`general.rs`).

use amelo_core::{Cell, Constraint, Topology};
use amelo_math::{Mat3, Vec3};

use super::{Segment, Violation};
use crate::motion::inverse_masses;
use crate::passes;

/// What the constraints do at one instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConstraintForces {
    /// Virial Σ r_ij ⊗ G_ij (kJ/mol).
    pub virial: Mat3,
}

/// All constraints of a system that involve a mobile atom, in groups.
#[derive(Clone, Debug, Default)]
pub struct ConstraintSolver {
    /// Group by group.
    constraints: Vec<Constraint>,
    /// Atoms of each group, ascending, group after group.
    atoms: Vec<u32>,
    /// Where each group ends among them.
    ends: Vec<u32>,
    segments: Vec<Segment>,
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
        let members: Vec<Vec<Constraint>> =
            order.chunk_by(|a, b| a.0 == b.0).map(|group| group.iter().map(|&(_, k)| *active[k]).collect()).collect();
        let (mut atoms, mut ends) = (Vec::new(), Vec::new());
        for group in &members {
            let mut of_group: Vec<u32> = group.iter().flat_map(|c| c.atoms).collect();
            of_group.sort_unstable();
            of_group.dedup();
            atoms.extend(of_group);
            ends.push(atoms.len() as u32);
        }
        atoms.shrink_to_fit();
        ends.shrink_to_fit();
        ConstraintSolver {
            atoms,
            ends,
            segments: Segment::partition(topology.n_atoms(), &members, &inverse_masses),
            constraints: members.concat(),
        }
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Atoms of each group, ascending.
    pub fn groups(&self) -> impl Iterator<Item = &[u32]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.atoms[start as usize..end as usize])
    }

    /// Consecutive atoms that share no constraint with others: all atoms of the system.
    pub(crate) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Largest relative error of a constrained length.
    pub fn largest_error(&self, cell: &Cell, positions: &[Vec3]) -> f64 {
        let error = |c: &Constraint| (bond(cell, positions, c).norm() / c.length - 1.0).abs();
        self.constraints.iter().map(error).fold(0.0, f64::max)
    }

    /// Largest velocity along a constrained distance (nm/ps).
    pub fn largest_velocity(&self, cell: &Cell, positions: &[Vec3], velocities: &[Vec3]) -> f64 {
        let along = |c: &Constraint| {
            let [i, j] = c.atoms.map(|a| a as usize);
            let d = bond(cell, positions, c);
            (d.dot(velocities[j] - velocities[i]) / d.norm()).abs()
        };
        self.constraints.iter().map(along).fold(0.0, f64::max)
    }

    /// Takes from `vectors` (velocities or accelerations) what would change a constrained distance, by the
    /// projection that is orthogonal in the metric of the masses.
    pub fn project(&self, cell: &Cell, positions: &[Vec3], vectors: &mut [Vec3]) {
        if self.is_empty() {
            return;
        }
        let image = cell.nearest_image();
        let task = |s: &Segment, (positions, vectors): (&[Vec3], &mut [Vec3])| s.project(&image, positions, vectors);
        passes::each(&self.segments, (positions, vectors), &task, &|(), ()| ());
    }

    /// Corrects `velocities`, so that `positions` + `time` (ps) · `velocities` meets the constraints. `positions` meet
    /// the constraints or nearly so.
    pub(crate) fn constrain(
        &self,
        cell: &Cell,
        positions: &[Vec3],
        velocities: &mut [Vec3],
        time: f64,
    ) -> Result<(), Violation> {
        let image = cell.nearest_image();
        let task = |s: &Segment, (r, v): (&[Vec3], &mut [Vec3])| s.constrain(&image, r, v, time);
        passes::each(&self.segments, (positions, velocities), &task, &Option::or).map_or(Ok(()), Err)
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
        let image = cell.nearest_image();
        let task = |s: &Segment, (r, v, f): (&[Vec3], &[Vec3], &[Vec3])| s.virial(&image, r, v, f, timestep);
        ConstraintForces { virial: passes::each(&self.segments, (positions, velocities, forces), &task, &|a, b| a + b) }
    }
}

/// r_j − r_i.
fn bond(cell: &Cell, positions: &[Vec3], c: &Constraint) -> Vec3 {
    let [i, j] = c.atoms.map(|a| a as usize);
    cell.minimum_image(positions[j] - positions[i])
}

fn find(root: &mut [u32], mut atom: u32) -> u32 {
    while root[atom as usize] != atom {
        root[atom as usize] = root[root[atom as usize] as usize];
        atom = root[atom as usize];
    }
    atom
}

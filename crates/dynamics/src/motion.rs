//! What all propagators of one integrator share: the time step, who moves, what is constrained, the noise.

use amelo_core::{System, Topology};
use amelo_math::Vec3;
use amelo_math::philox::Noise;

use crate::constraints::{ConstraintSolver, Segment};
use crate::dof::DofReport;
use crate::passes;

/// Shared by every propagator of an integrator; constant during a stage.
#[derive(Clone, Debug)]
pub struct Motion {
    /// Time step (ps).
    pub timestep: f64,
    /// \[n_atoms\] 1/m (1/u), zero for atoms that never move.
    pub inverse_masses: Vec<f64>,
    /// Distances held fixed.
    pub constraints: ConstraintSolver,
    /// Degrees of freedom.
    pub dof: DofReport,
    /// Seed of all noise of this stage.
    pub seed: u64,
}

impl Motion {
    /// Noise for `purpose`; draws depend on this stage's seed, the atom and the step, on nothing else.
    pub fn noise(&self, purpose: u32) -> Noise {
        Noise::new(self.seed, purpose)
    }

    /// ½ Σ m v² (kJ/mol) of the stored velocities, on all threads.
    pub(crate) fn kinetic_energy(&self, system: &System) -> f64 {
        let task = |_: &Segment, (v, m): (&[Vec3], &[f64])| v.iter().zip(m).map(|(v, m)| m * v.norm2()).sum::<f64>();
        let arrays = (system.velocities.as_slice(), system.topology.masses.as_slice());
        0.5 * passes::each(self.constraints.segments(), arrays, &task, &|a, b| a + b)
    }

    /// Multiplies all velocities by `factor`, on all threads.
    pub(crate) fn scale_velocities(&self, system: &mut System, factor: f64) {
        let task = |_: &Segment, v: &mut [Vec3]| v.iter_mut().for_each(|v| *v = *v * factor);
        passes::each(self.constraints.segments(), system.velocities.as_mut_slice(), &task, &|(), ()| ());
    }
}

/// \[n_atoms\] 1/m, zero for frozen atoms.
pub(crate) fn inverse_masses(topology: &Topology) -> Vec<f64> {
    let frozen = |atom: usize| topology.frozen.get(atom).copied().unwrap_or(false);
    topology.masses.iter().enumerate().map(|(atom, m)| if frozen(atom) { 0.0 } else { 1.0 / m }).collect()
}

//! Initial velocities and the removal of the centre-of-mass motion.

use amelo_core::System;
use amelo_core::units::BOLTZMANN;
use amelo_math::Vec3;
use amelo_math::philox::Noise;

use crate::constraints::{ConstraintSolver, Segment};
use crate::motion::inverse_masses;
use crate::passes;

/// Purpose of the velocity draw's noise.
const INITIAL_VELOCITIES: u32 = 1;

/// Draws velocities from the Maxwell distribution at `temperature` (K), a pure function of `seed` and the atom.
///
/// Frozen atoms get none, constrained distances none along them, and where nothing is frozen the total momentum is
/// zero. Both projections are orthogonal in the metric of the masses, so what is left is distributed canonically
/// over the remaining degrees of freedom; the kinetic energy is a draw, not scaled to its mean.
pub fn draw_velocities(system: &mut System, temperature: f64, seed: u64) {
    let noise = Noise::new(seed, INITIAL_VELOCITIES);
    let weights = inverse_masses(&system.topology);
    for (atom, v) in system.velocities.iter_mut().enumerate() {
        *v = noise.normal3(atom as u32, 0, 0) * (BOLTZMANN * temperature * weights[atom]).sqrt();
    }
    let constraints = ConstraintSolver::new(&system.topology);
    constraints.project(&system.cell, &system.positions, &mut system.velocities);
    if weights.iter().all(|&w| w > 0.0) {
        remove_momentum(system, &constraints);
    }
}

/// Sets the total momentum to zero and returns the kinetic energy (kJ/mol) that this took. Meant for systems
/// without frozen atoms; `constraints` are the system's.
pub(crate) fn remove_momentum(system: &mut System, constraints: &ConstraintSolver) -> f64 {
    let task = |_: &Segment, (v, m): (&[Vec3], &[f64])| {
        v.iter().zip(m).fold((Vec3::ZERO, 0.0), |(momentum, mass), (v, m)| (momentum + *v * *m, mass + m))
    };
    let arrays = (system.velocities.as_slice(), system.topology.masses.as_slice());
    let (momentum, mass) = passes::each(constraints.segments(), arrays, &task, &|a, b| (a.0 + b.0, a.1 + b.1));
    if mass == 0.0 {
        return 0.0;
    }
    let drift = momentum / mass;
    let task = |_: &Segment, v: &mut [Vec3]| v.iter_mut().for_each(|v| *v -= drift);
    passes::each(constraints.segments(), system.velocities.as_mut_slice(), &task, &|(), ()| ());
    0.5 * mass * drift.norm2()
}

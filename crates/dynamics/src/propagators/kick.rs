//! B: v ← v + h F/m, with what would change constrained distances projected out.

use super::{Propagator, Step};
use crate::DynamicsError;

/// A kick that lasts `fraction` of the time step.
pub struct Kick {
    /// Fraction of the time step.
    pub fraction: f64,
}

impl Propagator for Kick {
    fn name(&self) -> &'static str {
        "kick"
    }

    fn apply(&mut self, step: &mut Step) -> Result<(), DynamicsError> {
        let h = self.fraction * step.motion.timestep;
        let system = &mut *step.system;
        let atoms = system.velocities.iter_mut().zip(&step.forces.on).zip(&step.motion.inverse_masses);
        for ((v, f), w) in atoms {
            *v += *f * (h * w);
        }
        step.motion.constraints.project(&system.cell, &system.positions, &mut system.velocities);
        Ok(())
    }
}

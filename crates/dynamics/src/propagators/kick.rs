//! B: v ← v + h F/m, with what would change constrained distances projected out.

use amelo_core::System;
use amelo_math::Vec3;

use super::{Propagator, Step};
use crate::DynamicsError;
use crate::constraints::Segment;
use crate::passes;

/// A kick that lasts `fraction` of the time step.
pub struct Kick {
    /// Fraction of the time step.
    pub fraction: f64,
}

/// One segment's part of velocities, forces, inverse masses and positions.
type Kicked<'a> = (&'a mut [Vec3], &'a [Vec3], &'a [f64], &'a [Vec3]);

impl Propagator for Kick {
    fn name(&self) -> &'static str {
        "kick"
    }

    fn apply(&mut self, step: &mut Step) -> Result<(), DynamicsError> {
        let h = self.fraction * step.motion.timestep;
        let System { cell, positions, velocities, .. } = &mut *step.system;
        let image = cell.nearest_image();
        let task = |segment: &Segment, (v, f, w, r): Kicked| {
            if !segment.moves {
                return;
            }
            for ((v, f), w) in v.iter_mut().zip(f).zip(w) {
                *v += *f * (h * w);
            }
            segment.project(&image, r, v);
        };
        let arrays: Kicked = (velocities, &step.forces.kicking().on, &step.motion.inverse_masses, positions);
        passes::each(step.motion.constraints.segments(), arrays, &task, &|(), ()| ());
        Ok(())
    }
}

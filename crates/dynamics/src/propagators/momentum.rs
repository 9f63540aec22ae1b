//! Removal of the centre-of-mass motion.

use amelo_core::{Forces, State, StateError, System};

use super::{Propagator, Step};
use crate::{DynamicsError, Motion, velocities::remove_momentum};

/// Sets the total momentum to zero at the end of every step. The forces of a mesh do not add up to zero, and a
/// drifting centre of mass would count as heat. The little kinetic energy that this takes is booked.
#[derive(Default)]
pub struct RemoveMomentum {
    removed: f64,
}

impl Propagator for RemoveMomentum {
    fn name(&self) -> &'static str {
        "remove_momentum"
    }

    fn apply(&mut self, step: &mut Step) -> Result<(), DynamicsError> {
        self.removed += remove_momentum(step.system, &step.motion.constraints);
        Ok(())
    }

    fn conserved(&self, _: &System, _: &Forces, _: &Motion) -> f64 {
        self.removed
    }

    fn save(&self, prefix: &str, state: &mut State) {
        state.put_f64(&format!("{prefix}/removed"), &[self.removed]);
    }

    fn restore(&mut self, prefix: &str, state: &State) -> Result<(), StateError> {
        self.removed = state.f64(&format!("{prefix}/removed"), 1)?[0];
        Ok(())
    }
}

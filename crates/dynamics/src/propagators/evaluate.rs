//! F: forces at the new positions.

use super::{Propagator, Step};
use crate::DynamicsError;

/// The one force evaluation of a step.
pub struct Evaluate;

impl Propagator for Evaluate {
    fn name(&self) -> &'static str {
        "evaluate"
    }

    fn apply(&mut self, step: &mut Step) -> Result<(), DynamicsError> {
        step.provider
            .evaluate(step.system, step.want, step.forces)
            .map_err(|source| DynamicsError::Force { step: step.system.step + 1, source })
    }
}

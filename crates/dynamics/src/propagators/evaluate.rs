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
        let boundary = step.system.step + 1;
        step.forces
            .evaluate(step.provider, step.system, boundary, step.want)
            .map_err(|source| DynamicsError::Force { step: boundary, source })
    }
}

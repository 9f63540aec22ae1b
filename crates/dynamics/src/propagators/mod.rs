//! The parts of a time step. An integrator is a list of these.

mod drift;
mod evaluate;
mod kick;
mod momentum;

use amelo_core::{ForceProvider, Forces, Request, State, StateError, System};

use crate::force_schedule::ForceSchedule;

use crate::{DynamicsError, Motion};

pub use drift::Drift;
pub(crate) use drift::violation;
pub use evaluate::Evaluate;
pub use kick::Kick;
pub use momentum::RemoveMomentum;

/// What a propagator works on.
pub struct Step<'a> {
    /// The system. `step` is the number of completed steps, so the one being made is `step` + 1.
    pub system: &'a mut System,
    /// Forces of the last evaluation.
    pub(crate) forces: &'a mut ForceSchedule,
    /// The force field.
    pub provider: &'a mut dyn ForceProvider,
    /// What the evaluation of this step must give.
    pub want: Request,
    /// Shared constants.
    pub motion: &'a Motion,
}

/// One part of a time step.
pub trait Propagator: Send {
    /// Name for messages and saved states.
    fn name(&self) -> &'static str;

    /// What it needs, beside the forces, from the evaluation after which `step` steps are complete.
    fn needs(&self, _step: u64) -> Request {
        Request::FORCES
    }

    /// Does its part of the step.
    fn apply(&mut self, step: &mut Step) -> Result<(), DynamicsError>;

    /// What it adds to the conserved quantity at a step boundary (kJ/mol), where `forces` belong to `system` and
    /// hold what `needs` asks for.
    fn conserved(&self, _system: &System, _forces: &Forces, _motion: &Motion) -> f64 {
        0.0
    }

    /// Writes what a restart needs, under names that start with `prefix`.
    fn save(&self, _prefix: &str, _state: &mut State) {}

    /// Takes back what `save` wrote.
    fn restore(&mut self, _prefix: &str, _state: &State) -> Result<(), StateError> {
        Ok(())
    }
}

//! What can go wrong while a system moves.

use amelo_core::{ForceError, StateError};

/// An integration or minimisation that cannot go on. Atom numbers count from 0.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DynamicsError {
    /// The forces failed.
    #[error("step {step}: {source}")]
    Force {
        /// Step that was being made.
        step: u64,
        /// What the force field said.
        source: ForceError,
    },
    /// An atom moves faster than any molecule does.
    #[error(
        "step {step}: atom {atom} would move {moved:.3} nm in one drift (force on it {force:.3e} kJ/mol/nm); \
         minimise first, or use a shorter timestep"
    )]
    Unstable {
        /// Step that was being made.
        step: u64,
        /// The atom.
        atom: usize,
        /// How far it would move (nm).
        moved: f64,
        /// Magnitude of the force on it (kJ/mol/nm).
        force: f64,
    },
    /// A constraint could not be met.
    #[error(
        "step {step}: the constraint between atoms {i} and {j} cannot be met (length {found:.6} nm instead of \
         {length:.6} nm); minimise first, or use a shorter timestep"
    )]
    Constraint {
        /// Step that was being made.
        step: u64,
        /// First atom.
        i: usize,
        /// Second atom.
        j: usize,
        /// Length that it should have (nm).
        length: f64,
        /// Length where the iteration ended (nm).
        found: f64,
    },
    /// The barostat wants to change the cell by more than a small strain in one step.
    #[error(
        "step {step}: the barostat would strain the cell by {strain:.3} in one step (pressure {pressure:.3e} \
         kJ/mol/nm³); relax the cell by minimisation first, or use a longer barostat_time_constant"
    )]
    CellJump {
        /// Step that was being made.
        step: u64,
        /// Logarithmic strain of one step.
        strain: f64,
        /// Pressure of that mode (kJ/mol/nm³).
        pressure: f64,
    },
    /// A thermostat that scales velocities found none.
    #[error("step {step}: all velocities are zero, so {thermostat} has nothing to scale; draw velocities first")]
    Motionless {
        /// Step that was being made.
        step: u64,
        /// The thermostat.
        thermostat: &'static str,
    },
    /// A setting that cannot be.
    #[error("{key}: {message}")]
    Setting {
        /// Deck key below the stage's ensemble, for example `friction`.
        key: &'static str,
        /// What was found, what was expected, what to do.
        message: String,
    },
    /// A checkpoint that does not fit.
    #[error(transparent)]
    State(#[from] StateError),
}

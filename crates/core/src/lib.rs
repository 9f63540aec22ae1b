//! The nouns of the engine: units, cell, topology, system, forces, frames, and the two traits that let
//! force terms and integrators know nothing of each other.

mod cell;
pub mod coordinates;
mod force;
mod form;
mod frame;
pub mod interaction;
mod names;
pub mod quantity;
mod scaled_pairs;
mod shared;
mod state;
mod system;
mod topology;
pub mod units;

pub use cell::{Cell, CellError, NearestImage};
pub use force::{EnergyBreakdown, ForceError, ForceProvider, ForceTerm, Forces, Part, Request, TermSum};
pub use form::{FormClass, FormInfo, ParameterInfo};
pub use frame::Frame;
pub use interaction::{Coulomb, Modifier, Nonbonded, PairEntry, PairTable, Precision, Provenance};
pub use names::Names;
pub use scaled_pairs::{ScaledPair, ScaledPairs};
pub use shared::Shared;
pub use state::{State, StateError, StateValue};
pub use system::System;
pub use topology::{AtomType, Class, Constraint, Exclusions, Interactions, Molecule, Residue, Topology};

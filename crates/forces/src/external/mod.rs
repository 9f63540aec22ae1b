//! Forces from outside: tethers and fields.

mod electric_field;
mod position_restraint;

pub use electric_field::ElectricField;
pub use position_restraint::{PositionRestraint, ReferenceScaling};

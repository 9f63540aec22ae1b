//! Functional forms of the force field, each in one file, and the few loops that sweep them.
//!
//! A form states its energy as a function of a distance or an angle, once, over any number type
//! ([`amelo_math::Real`]); the loops own exclusions, images, sums and the virial.

pub mod bonded;
pub mod correction;
pub mod coulomb;
pub mod error;
pub mod external;
pub mod loops;
pub mod mixing;
pub mod pair;
pub mod push_off;
pub mod registry;
pub mod scaled_pairs;

pub use correction::DispersionCorrection;
pub use error::ForcesError;
pub use external::{ElectricField, PositionRestraint, ReferenceScaling};
pub use loops::bonded::{bonded_terms, molecular_terms};
pub use loops::{DEFAULT_BUFFER, NonbondedTerm};
pub use pair::{PairEval, PairPotential};
pub use push_off::PushOff;
pub use scaled_pairs::ScaledPairs;

//! Functional forms of the force field, each in one file, and the few loops that sweep them.
//!
//! A form states its energy as a function of a distance or an angle, once, over any number type
//! ([`amelo_math::Real`]); the loops own exclusions, images, sums and the virial.

pub mod error;
pub mod loops;
pub mod pair;
pub mod registry;

pub use error::ForcesError;
pub use pair::{PairEval, PairPotential};

//! Crystals, surfaces, polymers and packing: from a deck's `[system]` to positions and topology.
//!
//! Geometry and topology only: whatever needs dynamics (push-off, relaxation) is the caller's.

pub mod crystal;
mod error;
pub mod surface;

pub use error::BuildError;

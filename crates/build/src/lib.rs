//! Crystals, surfaces, polymers and packing: from a deck's `[system]` to positions and topology.
//!
//! Geometry and topology only: whatever needs dynamics (push-off, relaxation) is the caller's.

pub mod assign;
mod built;
pub mod compensation;
pub mod contacts;
pub mod crystal;
mod crystal_file;
mod error;
mod lattice_plane;
pub mod molecules;
pub mod oxide;
pub mod packing;
pub mod polymer;
pub mod surface;
mod symmetry;
pub mod system;
pub mod vacancy;

pub use assign::{AssignError, Assignment, AssignmentReport, assign};
pub use built::{Built, build_system};
pub use compensation::{Compensation, CompensationInfo, compensations};
pub use error::BuildError;
pub use molecules::{MoleculeConfig, MoleculeReport};
pub use oxide::{CrystalConfig, OxideConfig, OxideReport};
pub use packing::PackingReport;
pub use surface::Termination;
pub use system::{BuildReport, FilmConfig, Geometry, Placed, SystemConfig, place};
pub use vacancy::{VacancyConfig, VacancyReport};

//! Crystals, surfaces, polymers and packing: from a deck's `[system]` to positions and topology.
//!
//! Geometry and topology only: whatever needs dynamics (push-off, relaxation) is the caller's.

pub mod adsorbate;
pub mod amorphous;
pub mod assign;
mod built;
pub mod cleave;
pub mod compensation;
pub mod contacts;
pub mod crystal;
mod crystal_file;
mod depth;
mod error;
mod exact_sum;
pub mod fingerprint;
pub mod glass;
mod lattice_plane;
pub mod molecules;
pub mod oxide;
pub mod packing;
pub mod pieces;
pub mod polymer;
pub mod pore;
pub mod roughness;
pub mod surface;
mod symmetry;
pub mod system;
mod turning;
pub mod vacancy;

pub use adsorbate::{Adsorbate, AdsorbateConfig, Host, adsorbates};
pub use amorphous::AmorphousConfig;
pub use assign::{AssignError, Assignment, AssignmentReport, assign};
pub use built::{Built, build_system};
pub use compensation::{Compensation, CompensationInfo, compensations};
pub use error::BuildError;
pub use fingerprint::{Fingerprint, distinct};
pub use glass::Certificate;
pub use molecules::{MoleculeConfig, MoleculeReport};
pub use oxide::{CrystalConfig, Oxide, OxideConfig, OxideReport};
pub use packing::PackingReport;
pub use pore::{PoreConfig, PoreReport};
pub use surface::Termination;
pub use system::{BuildReport, FilmConfig, Geometry, Placed, SystemConfig, place, place_beside, templates};
pub use vacancy::{VacancyConfig, VacancyReport};

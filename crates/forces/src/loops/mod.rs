//! The loops that sweep functional forms over atoms: they own chunks, threads, images, order-free sums.

pub(crate) mod batch;
pub mod bonded;
mod pair;
pub(crate) mod sums;
mod sweep;

pub use pair::{DEFAULT_BUFFER, NonbondedTerm};
pub(crate) use pair::{check_types, list_error};
pub use sweep::Sweep;

//! The loops that sweep functional forms over atoms: they own chunks, threads, images, order-free sums.

pub mod bonded;
mod pair;
pub(crate) mod sums;
mod sweep;

pub use pair::{DEFAULT_BUFFER, NonbondedTerm};
pub(crate) use pair::{check_types, list_error, overlap};
pub use sweep::Sweep;

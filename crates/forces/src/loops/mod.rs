//! The loops that sweep functional forms over atoms: they own chunks, threads, images, order-free sums.

mod sweep;

pub use sweep::Sweep;

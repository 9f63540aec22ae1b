//! Which atoms are near each other: clusters of atoms and the pair list kept between its rebuilds.
//!
//! The list is a superset of the pairs within the cut-off, and it holds no images: loops take the nearest one of each
//! pair. They skip what is farther than the cut-off, so that neither the buffer nor the moment of a rebuild shows in
//! any result.

mod boxes;
mod clusters;
mod lag;
mod list;
mod refine;
mod search;
mod tiles;

pub use clusters::{CLUSTER, EMPTY};
pub use list::{Among, CLUSTERS_PER_CHUNK, NeighborError, NeighborList, ROW};
pub use tiles::{Row, Tile};

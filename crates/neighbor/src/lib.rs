//! Which atoms are near each other: a linear-time cell grid and the pair list kept between its rebuilds.
//!
//! The list is a superset of the pairs within the cut-off; loops skip the rest, so that neither the buffer nor the
//! moment of a rebuild shows in any result.

mod grid;
mod list;

pub use list::{ATOMS_PER_CHUNK, NeighborError, NeighborList};

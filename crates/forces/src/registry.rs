//! What exists: every functional form with its own description, for parameter files, `list` and `explain`.

use amelo_core::FormInfo;

pub use crate::bonded::{angles, bonds, dihedrals, impropers};
pub use crate::pair::pair_potentials;

/// Every registered form of every class.
pub fn all() -> Vec<FormInfo> {
    [pair_potentials(), crate::bonded::all()].concat()
}

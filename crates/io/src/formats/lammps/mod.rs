//! LAMMPS input scripts with their data file.
//!
//! The script is executed from top to bottom as far as it describes the model: units, styles, coefficients,
//! `special_bonds`, `read_data`, constraints. What does not change the energy of that configuration is listed in the
//! notes; what has no counterpart here is an error. `docs/lammps-import.md` has the tables.
//!
//! Atoms come in the order of their numbers, wherever their lines stand; positions count from the box's lower corner.
//! `special_bonds` are scaled as LAMMPS does it: within the cut-off, and shifted or switched like other pairs.

mod args;
mod assemble;
mod bonded;
mod bonded_styles;
mod constraints;
mod data;
mod data_lines;
mod formula;
mod header;
mod kspace;
mod lines;
mod mixing;
mod model;
mod molecules;
mod nonbonded;
mod pair_styles;
mod pairs;
mod script;
mod special;
#[cfg(test)]
mod tests;
mod types;
mod units;
mod variables;
mod without_effect;

use std::path::Path;

use super::{ImportError, Imported};

/// The system that the script at `path` sets up, with the configuration of its data file.
///
/// # Errors
/// [`ImportError::File`] where a file cannot be read; [`ImportError::Content`] with file and line for whatever is
/// malformed or has no counterpart here.
pub fn import(path: &Path) -> Result<Imported, ImportError> {
    let mut script = script::Script::new(path);
    script.execute(path, 0)?;
    assemble::assemble(path, script.model)
}

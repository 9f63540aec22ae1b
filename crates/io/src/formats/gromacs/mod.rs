//! GROMACS: topologies (`.top`, `.itp`) with coordinates (`.gro`).
//!
//! ```text
//! preprocess.rs    includes, macros, conditions → lines with their places
//! topology.rs      directives → parameters by types (types.rs) and molecule types as written
//! bonded_table.rs  lookup of bonded parameters by types
//! molecule.rs      one molecule type, everything looked up (functions.rs: which function is which form)
//! nonbonded.rs     combination rules → the potential of every pair of types
//! assemble.rs      molecule types × counts + gro.rs → the system
//! ```
//!
//! After the GROMACS 2022 reference manual, chapters "Topologies" and "File formats". `docs/gromacs-import.md` says what
//! maps onto what.

mod assemble;
mod bonded_table;
mod directive;
mod fields;
mod functions;
pub mod gro;
mod molecule;
mod nonbonded;
mod preprocess;
mod topology;
mod types;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{ImportError, Imported, Place};

/// What the preprocessor gets beside the files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Macros, `NAME` or `NAME=VALUE`.
    pub define: Vec<String>,
    /// Folders in which included files are looked for after the including file's own.
    pub include: Vec<PathBuf>,
}

/// The system of `topology` (`.top`) with the configuration of `coordinates` (`.gro`). A topology says nothing about
/// cut-offs, so [`Imported::nonbonded`] is `None`.
///
/// # Errors
/// [`ImportError::File`] for a file that cannot be read; [`ImportError::Content`] with file, line and directive for
/// what is malformed or has no counterpart here; [`ImportError::Option`] for a macro that is not one.
pub fn import(topology: &Path, coordinates: &Path, options: &Options) -> Result<Imported, ImportError> {
    let source = preprocess::preprocess(topology, options)?;
    let end = Place { path: Arc::from(topology), line: source.lines.last().map_or(1, |l| l.place.line) };
    let file = topology::TopologyFile::parse(&source, &end)?;
    let configuration = gro::read(coordinates)?;
    let reorders = source.defined.contains("_FF_AMBER_LEAP_ATOM_REORDERING");
    let mut imported = assemble::assemble(file, configuration, coordinates, reorders)?;
    for name in &source.unused {
        imported.notes.push(format!("the macro {name} is defined, but no file asks for it"));
    }
    Ok(imported)
}

#[cfg(test)]
mod tests;

//! Systems and configurations in other programs' formats: import and export. What exists stands in [`registry`].
//!
//! Every importer returns the same [`Imported`]: what a snapshot needs, and notes on what a reader of the files should
//! know. What the engine cannot represent is an [`ImportError`] that names file and line; nothing is dropped silently.

pub mod cif;
pub mod elements;
mod error;
#[cfg(test)]
mod example;
pub mod extxyz;
pub mod gromacs;
pub mod gromacs_export;
pub mod lammps;
pub mod lammps_export;
pub mod model;
pub mod registry;
mod text;
pub mod xtc;

use amelo_core::{Nonbonded, PairTable, System};

pub use error::{ImportError, Place};

/// A system that another program's files describe.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Atoms, cell, positions and, where the files have them, velocities; step 0.
    pub system: System,
    /// Potential of every pair of types.
    pub pair_table: PairTable,
    /// Cut-off, modifier and Coulomb settings; `None` where the files say nothing about them.
    pub nonbonded: Option<Nonbonded>,
    /// What was guessed, replaced, or left without effect, one sentence each.
    pub notes: Vec<String>,
}

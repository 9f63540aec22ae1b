//! Text and binary formats of other programs, one module each. What exists stands in [`registry`].

#[cfg(test)]
mod example;
pub mod extxyz;
pub mod gromacs_export;
pub mod lammps_export;
pub mod model;
pub mod registry;
pub mod xtc;

//! One instant of a trajectory, live or read from a file: all that an analysis may see.

use amelo_math::Vec3;

use crate::{Cell, Topology};

/// A borrowed view of one instant. Lengths in nm, times in ps.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Completed steps.
    pub step: u64,
    /// Time since the start of the run (ps).
    pub time: f64,
    /// What never changes.
    pub topology: &'a Topology,
    /// Periodic cell.
    pub cell: &'a Cell,
    /// \[n_atoms\] wrapped positions (nm).
    pub positions: &'a [Vec3],
    /// \[n_atoms\] box crossings.
    pub images: &'a [[i32; 3]],
    /// \[n_atoms\] sum of own moves without the barostat's scaling (nm).
    pub displacements: &'a [Vec3],
    /// \[n_atoms\] velocities (nm/ps), where known.
    pub velocities: Option<&'a [Vec3]>,
    /// \[n_atoms\] forces (kJ/mol/nm), where known.
    pub forces: Option<&'a [Vec3]>,
}

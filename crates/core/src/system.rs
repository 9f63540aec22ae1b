//! The dynamic state of a simulation: plain data, public fields, no physics.

use std::sync::Arc;

use amelo_math::{Mat3, Vec3};

use crate::{Cell, Frame, Topology};

/// Everything that changes during a run, beside the topology that does not.
#[derive(Clone, Debug)]
pub struct System {
    /// What never changes during a run.
    pub topology: Arc<Topology>,
    /// Periodic cell.
    pub cell: Cell,
    /// \[n_atoms\] positions, nm, wrapped into the cell.
    pub positions: Vec<Vec3>,
    /// \[n_atoms\] box crossings: position + image·cell is the unwrapped position, exact at fixed cell.
    pub images: Vec<[i32; 3]>,
    /// \[n_atoms\] sum of each atom's own moves without the barostat's scaling, nm: exact MSD under NPT.
    pub displacements: Vec<Vec3>,
    /// \[n_atoms\] velocities, nm/ps.
    pub velocities: Vec<Vec3>,
    /// Completed steps since the start of the run.
    pub step: u64,
    /// Time since the start of the run, ps.
    pub time: f64,
}

impl System {
    /// A system at rest at step 0. Positions are wrapped; images count what that moved.
    pub fn new(topology: Arc<Topology>, cell: Cell, positions: Vec<Vec3>) -> Self {
        let n = positions.len();
        assert_eq!(n, topology.n_atoms(), "one position per atom");
        let mut system = System {
            topology,
            cell,
            positions,
            images: vec![[0; 3]; n],
            displacements: vec![Vec3::ZERO; n],
            velocities: vec![Vec3::ZERO; n],
            step: 0,
            time: 0.0,
        };
        system.wrap();
        system
    }

    /// Number of atoms.
    pub fn n_atoms(&self) -> usize {
        self.positions.len()
    }

    /// Wraps every position into the cell and books the crossings in `images`.
    pub fn wrap(&mut self) {
        for (r, image) in self.positions.iter_mut().zip(&mut self.images) {
            self.cell.wrap(r, image);
        }
    }

    /// Unwrapped position of `atom` (nm), exact at fixed cell.
    pub fn unwrapped(&self, atom: usize) -> Vec3 {
        self.positions[atom] + self.cell.shift(self.images[atom])
    }

    /// Kinetic energy ½ Σ m v² (kJ/mol) of the stored velocities.
    pub fn kinetic_energy(&self) -> f64 {
        0.5 * self.velocities.iter().zip(&self.topology.masses).map(|(v, m)| m * v.norm2()).sum::<f64>()
    }

    /// Σ m v ⊗ v (kJ/mol) of the stored velocities: twice the kinetic energy tensor.
    pub fn kinetic_tensor(&self) -> Mat3 {
        self.velocities.iter().zip(&self.topology.masses).map(|(v, m)| v.outer(*v) * *m).sum()
    }

    /// Mass density (g/cm³).
    pub fn density(&self) -> f64 {
        self.topology.masses.iter().sum::<f64>() / self.cell.volume() / crate::units::GRAM_PER_CM3
    }

    /// The system as analyses and writers see it.
    pub fn frame(&self) -> Frame<'_> {
        Frame {
            step: self.step,
            time: self.time,
            topology: &self.topology,
            cell: &self.cell,
            positions: &self.positions,
            images: &self.images,
            displacements: &self.displacements,
            velocities: Some(&self.velocities),
            forces: None,
        }
    }
}

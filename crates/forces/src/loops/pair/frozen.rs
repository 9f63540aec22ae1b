//! Pairs of two frozen atoms, which move nothing: summed once, for as long as their places and the cell stay the same.

use amelo_core::{Cell, ForceError, System};
use amelo_math::Vec3;
use amelo_math::lanes::{Isa, Scalar};
use amelo_neighbor::Among;

use super::listed::Listed;
use super::model::{FROZEN, Model, Tables};
use super::{NonbondedTerm, list_error};
use crate::loops::sums::Sums;

/// What they sum up to, and what it holds for.
pub(super) struct FrozenPairs<T: Scalar> {
    pairs: Listed<T>,
    cell: Option<Cell>,
    /// Of the frozen atoms.
    positions: Vec<Vec3>,
    pub sums: Sums,
    /// \[n_atoms\] kJ/mol/nm
    pub forces: Vec<Vec3>,
}

impl<T: Scalar> FrozenPairs<T> {
    pub(super) fn new(r_cut: f64, buffer: f64) -> Self {
        let pairs = Listed::new(r_cut, buffer, Among::Only(FROZEN));
        FrozenPairs { pairs, cell: None, positions: Vec::new(), sums: Sums::default(), forces: Vec::new() }
    }

    /// Sums them where they are not what they were.
    pub(super) fn update(
        &mut self,
        isa: Isa,
        tables: &Tables<T>,
        model: &Model,
        classes: &[u8],
        system: &System,
    ) -> Result<(), ForceError> {
        let frozen = system.positions.iter().zip(classes).filter(|(_, class)| **class & FROZEN != 0).map(|(r, _)| *r);
        if self.cell == Some(system.cell) && frozen.clone().eq(self.positions.iter().copied()) {
            return Ok(());
        }
        self.cell = None;
        self.pairs.update(tables, classes, system).map_err(|e| list_error(NonbondedTerm::NAME, model.r_cut, e))?;
        self.forces.clear();
        self.forces.resize(system.n_atoms(), Vec3::ZERO);
        self.sums = self.pairs.add(isa, tables, model, system, true, &mut self.forces)?;
        self.positions.clear();
        self.positions.extend(frozen);
        self.cell = Some(system.cell);
        Ok(())
    }
}

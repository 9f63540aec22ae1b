//! The pairs of one list: what its atoms are, and the sums over them.

use amelo_core::coordinates::CoordinateUnits;
use amelo_core::{ForceError, System};
use amelo_math::Vec3;
use amelo_math::lanes::{Isa, Scalar, dispatch};
use amelo_neighbor::{Among, NeighborError, NeighborList};
use rayon::prelude::*;

use super::blocks::{self, Block, BlockForces};
use super::careful;
use super::kernel::ChunkJob;
use super::model::{Model, Tables};
use crate::loops::Sweep;
use crate::loops::sums::{Sums, total};

/// A pair list, its atoms, and the workers' sums.
pub(super) struct Listed<T: Scalar> {
    list: NeighborList<T>,
    /// \[n_clusters\]
    blocks: Vec<Block<T>>,
    /// What the blocks' charges were multiplied by.
    charge_scale: f64,
    sweep: Sweep<BlockForces<T>>,
    /// Of the loop pair by pair.
    careful: Sweep,
}

impl<T: Scalar> Listed<T> {
    pub(super) fn new(r_cut: f64, buffer: f64, among: Among) -> Self {
        let list = NeighborList::new(r_cut, buffer).among(among);
        Listed { list, blocks: Vec::new(), charge_scale: 0.0, sweep: Sweep::default(), careful: Sweep::default() }
    }

    /// The list for `system`; what the atoms are in its order where it is new.
    pub(super) fn update(&mut self, tables: &Tables<T>, classes: &[u8], system: &System) -> Result<(), NeighborError> {
        let topology = &*system.topology;
        let rebuilt = self.list.update(&system.cell, &system.positions, &topology.exclusions, classes)?;
        let charge_scale = tables.charge_scale();
        if rebuilt || charge_scale != self.charge_scale {
            blocks::blocks(&self.list, topology, charge_scale, &mut self.blocks);
            self.charge_scale = charge_scale;
        }
        Ok(())
    }

    /// Adds the forces to those `on` atoms, and returns the sums, of which energies and virial are there where `want_sums` says
    /// so: in lanes or, where a pair is too close for them, pair by pair.
    pub(super) fn add(
        &mut self,
        isa: Isa,
        tables: &Tables<T>,
        model: &Model,
        system: &System,
        want_sums: bool,
        on: &mut [Vec3],
    ) -> Result<Sums, ForceError> {
        let Listed { list, blocks, sweep, careful, .. } = self;
        let (list, blocks, units) = (&*list, &*blocks, CoordinateUnits::of::<T>(&system.cell));
        let (n_chunks, sums) = (list.n_chunks(), want_sums);
        let job = |chunk, forces: &mut [_], all: &mut Sums| {
            all.add(&dispatch(isa, ChunkJob { tables, blocks, units, list, chunk, forces, sums }));
        };
        let partials = sweep.accumulate(n_chunks, list.n_clusters(), BlockForces::default(), job);
        let sums = total(&partials);
        if !sums.too_close {
            let buffers = sweep.buffers();
            on.par_iter_mut().zip(list.slot_of()).with_min_len(2048).for_each(|(force, &slot)| {
                *force += blocks::force_on::<T>(slot as usize, buffers);
            });
            return Ok(sums);
        }
        let image = system.cell.nearest_image();
        let partials = careful
            .run(n_chunks, on, |chunk, forces| careful::pairs(model, list.pairs_of(chunk), system, &image, forces))?;
        Ok(total(&partials))
    }

    /// Number of tiles that can hold a pair within the cut-off now, and how often the list was built.
    pub(super) fn tiles_and_builds(&self) -> (usize, u64) {
        (self.list.n_tiles(), self.list.builds())
    }
}

//! The system in the order of clusters, as the lanes read it, and the forces in the same order.

use amelo_core::coordinates::{Places, fractions};
use amelo_core::units::COULOMB;
use amelo_core::{System, Topology};
use amelo_math::Vec3;
use amelo_math::lanes::{Scalar, WIDTH};
use amelo_neighbor::{EMPTY, NeighborList};
use rayon::prelude::*;

/// Eight atoms.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block<T: Scalar> {
    /// Where they are.
    pub at: Places<T>,
    /// Charges times the root of Coulomb's constant, so that the product of two is exactly that of the two exchanged:
    /// which atom is in the row must not show in any bit.
    pub charges: [T; WIDTH],
    /// Atom types.
    pub types: [u32; WIDTH],
}

/// All atoms; empty slots hold zeros, and no tile asks for them.
pub(super) struct Blocks<T: Scalar> {
    pub blocks: Vec<Block<T>>,
}

impl<T: Scalar> Blocks<T> {
    pub(super) fn new() -> Self {
        Blocks { blocks: Vec::new() }
    }

    /// Charges and types in the order of a new list.
    pub(super) fn reorder(&mut self, list: &NeighborList, topology: &Topology) {
        let empty = Block { at: Places::<T>::default(), charges: [T::of(0.0); WIDTH], types: [0; WIDTH] };
        self.blocks.clear();
        self.blocks.resize(list.n_clusters(), empty);
        for (slot, &atom) in list.slots().iter().enumerate().filter(|(_, a)| **a != EMPTY) {
            let block = &mut self.blocks[slot / WIDTH];
            block.charges[slot % WIDTH] = T::of(topology.charges[atom as usize] * COULOMB.sqrt());
            block.types[slot % WIDTH] = topology.type_of[atom as usize];
        }
    }

    /// Where the atoms are now.
    pub(super) fn locate(&mut self, list: &NeighborList, system: &System) {
        self.blocks.par_iter_mut().zip(list.slots().par_chunks(WIDTH)).with_min_len(256).for_each(|(block, slots)| {
            for (place, &atom) in slots.iter().enumerate().filter(|(_, a)| **a != EMPTY) {
                let fractions = fractions(&system.cell, system.positions[atom as usize]);
                for k in 0..3 {
                    block.at[k][place] = T::coordinate(fractions[k]);
                }
            }
        });
    }
}

/// Forces on a block's atoms along x, y, z in units of 1/[`Scalar::FORCE_SCALE`].
pub(super) type BlockForces = [[i64; WIDTH]; 3];

/// The force on the atom in `slot`, summed over the workers' buffers (kJ/mol/nm).
#[inline(always)]
pub(super) fn force_on<T: Scalar>(slot: usize, buffers: &[Vec<BlockForces>]) -> Vec3 {
    let mut sum = amelo_math::fixed::FixedVec3::ZERO;
    for buffer in buffers {
        let block = &buffer[slot / WIDTH];
        for k in 0..3 {
            sum.0[k] += block[k][slot % WIDTH] << T::FORCE_SHIFT;
        }
    }
    sum.to_vec3()
}

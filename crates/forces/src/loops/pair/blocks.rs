//! Charges and types in the order of clusters, as the lanes read them, and the forces in the same order.

use amelo_core::Topology;
use amelo_math::Vec3;
use amelo_math::lanes::{Scalar, WIDTH, note_kind};
use amelo_neighbor::{EMPTY, NeighborList};

/// What eight atoms are; zeros in empty slots, and no tile asks for them.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Block<T: Scalar> {
    /// Charges in units in which the product of two over r is an energy of the tables. The product is exactly that of the
    /// two exchanged: which atom is in the row must not show in any bit.
    pub charges: [T; WIDTH],
    /// Atom types.
    pub types: [u32; WIDTH],
    /// The types again, see [`note_kind`].
    pub kinds: [u32; 2 * WIDTH],
}

/// All atoms in the order of `list`, with charges times `charge_scale`.
pub(super) fn blocks<T: Scalar>(
    list: &NeighborList<T>,
    topology: &Topology,
    charge_scale: f64,
    blocks: &mut Vec<Block<T>>,
) {
    blocks.clear();
    let empty = Block { charges: [T::of(0.0); WIDTH], kinds: [0; 2 * WIDTH], types: [0; WIDTH] };
    blocks.resize(list.n_clusters(), empty);
    for (slot, &atom) in list.slots().iter().enumerate().filter(|(_, a)| **a != EMPTY) {
        let block = &mut blocks[slot / WIDTH];
        block.charges[slot % WIDTH] = T::of(topology.charges[atom as usize] * charge_scale);
        let kind = topology.type_of[atom as usize];
        block.types[slot % WIDTH] = kind;
        note_kind(&mut block.kinds, slot % WIDTH, kind);
    }
}

/// Forces on a cluster's atoms along x, y, z in units of 1/[`Scalar::FORCE_SCALE`], modulo the integers' range.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(32))]
pub(super) struct BlockForces<T: Scalar>(pub [[T::Integer; WIDTH]; 3]);

/// The force on the atom in `slot`, summed over the workers' buffers (kJ/mol/nm).
#[inline(always)]
pub(super) fn force_on<T: Scalar>(slot: usize, buffers: &[Vec<BlockForces<T>>]) -> Vec3 {
    let mut sum = amelo_math::fixed::FixedVec3::ZERO;
    for buffer in buffers {
        let block = &buffer[slot / WIDTH].0;
        for k in 0..3 {
            let force: i64 = block[k][slot % WIDTH].into();
            sum.0[k] += force << T::FORCE_SHIFT;
        }
    }
    sum.to_vec3()
}

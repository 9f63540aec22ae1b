//! Blocks of consecutive atoms with their interactions in packets of sixteen.

use std::ops::Range;

use amelo_math::lanes::{PACKET, Places, ROOM};

use crate::bonded::{AnyAngle, AnyBond, AnyDihedral, AnyForm, AnyImproper};
use crate::loops::bonded::list::InteractionList;
use crate::scaled_pairs::{PlainPair, PlainPairs};

/// Atoms of a block: fixed, so that the work is cut by the system and not by the pool. Their coordinates and forces fit
/// the first cache; few interactions of a chain molecule reach over its ends.
pub(super) const BLOCK: usize = 512;

/// Sixteen interactions of N atoms each, or fewer.
#[derive(Clone, Copy)]
pub(super) struct Packet<const N: usize> {
    /// Places of the atoms in the block's arrays; lanes without an interaction repeat the first one's.
    pub at: [Places; N],
    /// Lanes with an interaction.
    pub valid: u16,
    /// Those whose energy and virial this block counts, as it has their first atom.
    pub counted: u16,
}

/// The interactions of one class.
pub(super) struct Group<const N: usize> {
    pub packets: Vec<Packet<N>>,
    /// Index of a form, and the packets that it governs.
    pub runs: Vec<(usize, Range<usize>)>,
}

/// Constants of the pairs of a packet.
pub(super) struct PairConstants {
    /// Those of Lennard-Jones, in the order of its `constants`.
    pub vdw: [[f32; PACKET]; 2],
    /// 4πε₀⁻¹ q_i q_j times its factor (kJ mol⁻¹ nm).
    pub qq: [f32; PACKET],
}

/// Consecutive atoms, and what acts on them.
pub(super) struct Block {
    /// The block's own atoms and after them others that its interactions have.
    pub atoms: Vec<u32>,
    /// Number of own atoms.
    pub own: usize,
    pub bonds: Group<2>,
    pub angles: Group<3>,
    pub dihedrals: Group<4>,
    pub impropers: Group<4>,
    pub pairs: Vec<(Packet<2>, PairConstants)>,
    /// Their kinds, lane by lane, for the exact constants.
    pub kinds: Vec<[u32; PACKET]>,
}

/// One interaction of a block: what governs it, its atoms, whether its energy counts here.
type Share<T, const N: usize> = (T, [u32; N], bool);

/// The shares of one block.
struct Shares {
    bonds: Vec<Share<usize, 2>>,
    angles: Vec<Share<usize, 3>>,
    dihedrals: Vec<Share<usize, 4>>,
    impropers: Vec<Share<usize, 4>>,
    pairs: Vec<Share<u32, 2>>,
}

impl Block {
    /// All blocks of `n_atoms`; nothing where the atoms of one are too many to be numbered.
    pub fn all(
        n_atoms: usize,
        bonds: &InteractionList<AnyBond, 2>,
        angles: &InteractionList<AnyAngle, 3>,
        dihedrals: &InteractionList<AnyDihedral, 4>,
        impropers: &InteractionList<AnyImproper, 4>,
        pairs: &PlainPairs,
    ) -> Option<Vec<Block>> {
        let n_blocks = n_atoms.div_ceil(BLOCK);
        let of_bonds = share(n_blocks, bonds.atoms.iter().copied());
        let of_angles = share(n_blocks, angles.atoms.iter().copied());
        let of_dihedrals = share(n_blocks, dihedrals.atoms.iter().copied());
        let of_impropers = share(n_blocks, impropers.atoms.iter().copied());
        let of_pairs = share(n_blocks, pairs.pairs.iter().map(|pair| pair.1));
        let block = |k: usize| {
            let pair = |&number: &Number| {
                let (kind, atoms) = pairs.pairs[number as usize / 2];
                (kind, atoms, number % 2 == 1)
            };
            let shares = Shares {
                bonds: listed(bonds, &of_bonds[k]),
                angles: listed(angles, &of_angles[k]),
                dihedrals: listed(dihedrals, &of_dihedrals[k]),
                impropers: listed(impropers, &of_impropers[k]),
                pairs: of_pairs[k].iter().map(pair).collect(),
            };
            Block::new(k * BLOCK, n_atoms, shares, &pairs.kinds)
        };
        (0..n_blocks).map(block).collect()
    }

    fn new(first: usize, n_atoms: usize, shares: Shares, pair_kinds: &[PlainPair]) -> Option<Block> {
        let own = first as u32..n_atoms.min(first + BLOCK) as u32;
        let mut others: Vec<u32> = (shares.bonds.iter().flat_map(|s| s.1))
            .chain(shares.angles.iter().flat_map(|s| s.1))
            .chain(shares.dihedrals.iter().flat_map(|s| s.1))
            .chain(shares.impropers.iter().flat_map(|s| s.1))
            .chain(shares.pairs.iter().flat_map(|s| s.1))
            .filter(|atom| !own.contains(atom))
            .collect();
        others.sort_unstable();
        others.dedup();
        let n_own = own.len();
        let n = n_own + others.len();
        if n > ROOM {
            return None;
        }
        let place = |atom: u32| match others.binary_search(&atom) {
            Ok(k) => (n_own + k) as u16,
            Err(_) => (atom - own.start) as u16,
        };
        let (packets_of_pairs, kinds): (Vec<_>, Vec<_>) = packets(&shares.pairs, place).into_iter().unzip();
        let constants = |kinds: &[u32; PACKET]| {
            let of = |f: &dyn Fn(&PlainPair) -> f64| kinds.map(|kind| f(&pair_kinds[kind as usize]) as f32);
            PairConstants { vdw: [of(&|p| p.constants[0]), of(&|p| p.constants[1])], qq: of(&|p| p.coulomb) }
        };
        Some(Block {
            pairs: packets_of_pairs.into_iter().zip(kinds.iter().map(constants)).collect(),
            kinds,
            bonds: Group::new(shares.bonds, place),
            angles: Group::new(shares.angles, place),
            dihedrals: Group::new(shares.dihedrals, place),
            impropers: Group::new(shares.impropers, place),
            atoms: own.chain(others.iter().copied()).collect(),
            own: n_own,
        })
    }
}

/// An interaction of a block: twice its number in the list, and one more where the block has its first atom.
type Number = u32;

/// The interactions of each of `n_blocks` blocks, which are those that have one of its atoms.
fn share<const N: usize>(n_blocks: usize, list: impl Iterator<Item = [u32; N]>) -> Vec<Vec<Number>> {
    let mut shares = vec![Vec::new(); n_blocks];
    for (number, atoms) in (0..).zip(list) {
        let blocks = atoms.map(|atom| atom as usize / BLOCK);
        for (m, &block) in blocks.iter().enumerate() {
            if !blocks[..m].contains(&block) {
                shares[block].push(2 * number + Number::from(m == 0));
            }
        }
    }
    shares
}

/// The interactions `numbers` of `list`.
fn listed<A: AnyForm, const N: usize>(list: &InteractionList<A, N>, numbers: &[Number]) -> Vec<Share<usize, N>> {
    let one = |&number: &Number| {
        let k = number as usize / 2;
        let run = list.runs.partition_point(|(_, range)| range.end <= k);
        (list.runs[run].0, list.atoms[k], number % 2 == 1)
    };
    numbers.iter().map(one).collect()
}

impl<const N: usize> Group<N> {
    fn new(mut shares: Vec<Share<usize, N>>, place: impl Fn(u32) -> u16 + Copy) -> Self {
        shares.sort_by_key(|share| share.0);
        let mut group = Group { packets: Vec::new(), runs: Vec::new() };
        for run in shares.chunk_by(|a, b| a.0 == b.0) {
            let start = group.packets.len();
            group.packets.extend(packets(run, place).into_iter().map(|(packet, _)| packet));
            group.runs.push((run[0].0, start..group.packets.len()));
        }
        group.packets.shrink_to_fit();
        group
    }
}

/// `shares` in packets, with what governs each lane. Neighbours in the list come into successive packets and not into
/// one: they have atoms in common, whose forces would wait for each other.
fn packets<T: Copy, const N: usize>(
    shares: &[Share<T, N>],
    place: impl Fn(u32) -> u16,
) -> Vec<(Packet<N>, [T; PACKET])> {
    let n_packets = shares.len().div_ceil(PACKET);
    let packet = |p: usize| {
        let (mut at, mut valid, mut counted) = ([[0; PACKET]; N], 0, 0);
        let mut governs = [shares[p].0; PACKET];
        for lane in 0..PACKET {
            let index = lane * n_packets + p;
            let (what, atoms, counts) = *shares.get(index).unwrap_or(&shares[p]);
            let exists = index < shares.len();
            valid |= u16::from(exists) << lane;
            counted |= u16::from(exists && counts) << lane;
            governs[lane] = what;
            for m in 0..N {
                at[m][lane] = place(atoms[m]);
            }
        }
        let at = at.map(|at| Places::new(at).unwrap_or_else(|| unreachable!("the block's atoms were counted")));
        (Packet { at, valid, counted }, governs)
    };
    (0..n_packets).map(packet).collect()
}

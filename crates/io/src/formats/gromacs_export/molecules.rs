//! Which atoms make one molecule of the topology: the system's own molecules, joined where an interaction, an exclusion
//! or a constraint crosses from one to the next.

use amelo_core::Topology;

/// Atoms that stand in one `[ moleculetype ]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Kind of the first molecule in it.
    pub kind: String,
    /// First atom.
    pub first: usize,
    /// Number of atoms.
    pub count: usize,
}

/// The blocks, in the order of their atoms; together they hold every atom once.
pub(super) fn blocks(topology: &Topology) -> Vec<Block> {
    let n = topology.n_atoms();
    // A block begins at each of these atoms.
    let mut starts: Vec<(usize, &str)> = topology.molecules.iter().map(|m| (m.first, m.kind.as_str())).collect();
    // Atoms behind the end of a molecule that no other claims.
    starts.extend(topology.molecules.iter().map(|m| (m.first + m.count, "atoms")));
    starts.push((0, "atoms"));
    starts.retain(|&(first, _)| first < n);
    // A molecule's own name goes before that of a gap at the same atom.
    starts.sort_by_key(|&(first, kind)| (first, kind == "atoms"));
    starts.dedup_by_key(|s| s.0);
    let block_of = |atom: usize| starts.partition_point(|s| s.0 <= atom) - 1;

    // joined[b]: block b goes on in block b + 1.
    let mut joined = vec![false; starts.len()];
    let mut join = |atoms: &mut dyn Iterator<Item = u32>| {
        let (mut low, mut high) = (usize::MAX, 0);
        for atom in atoms {
            let block = block_of(atom as usize);
            (low, high) = (low.min(block), high.max(block));
        }
        joined.iter_mut().take(high).skip(low).for_each(|j| *j = true);
    };
    for list in &topology.interactions {
        list.iter().for_each(|(atoms, _)| join(&mut atoms.iter().copied()));
    }
    topology.exclusions.pairs().for_each(|pair| join(&mut pair.into_iter()));
    topology.scaled_pairs.iter().for_each(|p| join(&mut p.atoms.into_iter()));
    topology.constraints.iter().for_each(|c| join(&mut c.atoms.into_iter()));
    topology.bonds.iter().for_each(|b| join(&mut b.iter().copied()));

    let mut blocks: Vec<Block> = Vec::new();
    for (k, &(first, kind)) in starts.iter().enumerate() {
        let end = starts.get(k + 1).map_or(n, |s| s.0);
        match blocks.last_mut() {
            Some(block) if joined[k - 1] => block.count = end - block.first,
            _ => blocks.push(Block { kind: kind.into(), first, count: end - first }),
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;
    use amelo_core::{Exclusions, Molecule};

    #[test]
    fn molecules_that_interact_by_bonds_or_exclusions_are_one_block() {
        let molecule = |kind: &str, first, count| Molecule { kind: kind.into(), first, count };
        let mut topology = Topology {
            type_of: vec![0; 9].into(),
            molecules: vec![molecule("A", 0, 2), molecule("B", 2, 2), molecule("B", 4, 2), molecule("C", 7, 2)],
            ..Topology::default()
        };
        let found = |t: &Topology| -> Vec<(String, usize, usize)> {
            blocks(t).into_iter().map(|b| (b.kind, b.first, b.count)).collect()
        };
        let block = |kind: &str, first, count| (kind.to_string(), first, count);
        assert_eq!(
            found(&topology),
            [block("A", 0, 2), block("B", 2, 2), block("B", 4, 2), block("atoms", 6, 1), block("C", 7, 2)]
        );
        topology.exclusions = Exclusions::new(9, [[1, 4], [7, 8]]);
        assert_eq!(found(&topology), [block("A", 0, 6), block("atoms", 6, 1), block("C", 7, 2)]);
        assert!(blocks(&Topology::default()).is_empty());
    }
}

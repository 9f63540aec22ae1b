//! Molecules and residues from bonds: atoms that hang together, as runs of successive atoms.

use amelo_core::{Molecule, Residue};

/// Molecules of `n_atoms` atoms in their order. Where the atoms of one molecule are not successive, everything between
/// its first and its last atom counts as one; the second value says whether that happened. `sort_of` names the sort of
/// each atom: molecules of the same sequence get the same name.
pub(super) fn molecules(n_atoms: usize, bonds: &[[u32; 2]], sort_of: impl Fn(usize) -> usize) -> (Vec<Molecule>, bool) {
    // The farthest atom that each one is bonded to, and how many atoms hang together.
    let mut root: Vec<u32> = (0..n_atoms as u32).collect();
    fn find(root: &mut [u32], mut a: u32) -> u32 {
        while root[a as usize] != a {
            root[a as usize] = root[root[a as usize] as usize];
            a = root[a as usize];
        }
        a
    }
    for &[i, j] in bonds {
        let (a, b) = (find(&mut root, i), find(&mut root, j));
        root[a.max(b) as usize] = a.min(b);
    }
    let mut last: Vec<usize> = (0..n_atoms).collect();
    let mut size = vec![0_usize; n_atoms];
    for a in 0..n_atoms {
        let r = find(&mut root, a as u32) as usize;
        last[r] = a;
        size[r] += 1;
    }
    let (mut found, mut mixed, mut first) = (Vec::new(), false, 0);
    let mut names: std::collections::BTreeMap<Vec<usize>, String> = std::collections::BTreeMap::new();
    while first < n_atoms {
        let mut end = first;
        let mut k = first;
        while k <= end {
            end = end.max(last[root_of(&root, k)]);
            k += 1;
        }
        let count = end - first + 1;
        mixed |= size[root_of(&root, first)] != count;
        let sequence: Vec<usize> = (first..=end).map(&sort_of).collect();
        let next = format!("M{}", names.len() + 1);
        let kind = names.entry(sequence).or_insert(next).clone();
        found.push(Molecule { kind, first, count });
        first = end + 1;
    }
    (found, mixed)
}

/// The first atom of the molecule of atom `k`.
fn root_of(root: &[u32], mut k: usize) -> usize {
    while root[k] as usize != k {
        k = root[k] as usize;
    }
    k
}

/// One residue for each molecule.
pub(super) fn residues(molecules: &[Molecule]) -> Vec<Residue> {
    molecules
        .iter()
        .map(|m| Residue { name: m.kind.chars().take(4).collect(), first: m.first, count: m.count })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn molecules_are_runs_of_bonded_atoms() {
        // Two waters and an ion, then two dimers whose atoms alternate.
        let bonds = [[0, 1], [0, 2], [3, 4], [5, 3], [7, 9], [8, 10]];
        let sorts = [1, 2, 2, 1, 2, 2, 5, 3, 3, 3, 3];
        let (found, mixed) = molecules(11, &bonds, |a| sorts[a]);
        let shape: Vec<(&str, usize, usize)> = found.iter().map(|m| (m.kind.as_str(), m.first, m.count)).collect();
        assert_eq!(shape, [("M1", 0, 3), ("M1", 3, 3), ("M2", 6, 1), ("M3", 7, 4)]);
        assert!(mixed);
        assert!(!molecules(7, &bonds[..4], |a| sorts[a]).1);
    }
}

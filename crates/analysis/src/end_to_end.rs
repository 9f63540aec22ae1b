//! Chains among the molecules, and the vectors from their one end to the other.

use amelo_core::{Class, Frame, Topology};
use amelo_math::Vec3;

/// Bonds between the ends from which on a molecule is a chain: TFSI has 6, an ethylene oxide pentamer 14 and more.
const SHORTEST: usize = 10;

/// The chains of a system.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chains {
    /// Atoms along each chain, from end to end.
    paths: Vec<Vec<u32>>,
}

impl Chains {
    /// Every molecule whose two heavy atoms farthest apart, counted in bonds, are at least ten bonds apart.
    pub fn of(topology: &Topology) -> Self {
        let mut bonded: Vec<Vec<u32>> = vec![vec![]; topology.n_atoms()];
        let heavy = |i: u32| topology.types[topology.type_of[i as usize] as usize].element != "H";
        for list in topology.interactions.iter().filter(|list| list.class == Class::Bond) {
            for (atoms, _) in list.iter() {
                if heavy(atoms[0]) && heavy(atoms[1]) {
                    bonded[atoms[0] as usize].push(atoms[1]);
                    bonded[atoms[1] as usize].push(atoms[0]);
                }
            }
        }
        let mut before = vec![u32::MAX; topology.n_atoms()];
        // In a tree the atom farthest from any atom is one end, and the farthest from that the other.
        let paths = topology.molecules.iter().filter_map(|molecule| {
            let start = (molecule.first..molecule.first + molecule.count).map(|i| i as u32).find(|&i| heavy(i))?;
            let path = farthest(&bonded, start, &mut before);
            let path = farthest(&bonded, *path.last()?, &mut before);
            (path.len() > SHORTEST).then_some(path)
        });
        Chains { paths: paths.collect() }
    }

    /// Number of chains.
    pub fn count(&self) -> usize {
        self.paths.len()
    }

    /// End-to-end vectors (nm), from the bonds along each chain, so that no chain need be whole in its cell.
    pub fn vectors(&self, frame: &Frame) -> Vec<Vec3> {
        let bond =
            |w: &[u32]| frame.cell.minimum_image(frame.positions[w[1] as usize] - frame.positions[w[0] as usize]);
        self.paths.iter().map(|path| path.windows(2).map(bond).sum()).collect()
    }
}

/// The way from `start` to the atom that the most bonds part from it. `before` is scratch.
fn farthest(bonded: &[Vec<u32>], start: u32, before: &mut [u32]) -> Vec<u32> {
    let mut reached = vec![start];
    before[start as usize] = start;
    let mut k = 0;
    while k < reached.len() {
        let here = reached[k];
        for &next in &bonded[here as usize] {
            if before[next as usize] == u32::MAX {
                before[next as usize] = here;
                reached.push(next);
            }
        }
        k += 1;
    }
    // Breadth first: the last one reached is as far as any.
    let mut path = vec![reached[reached.len() - 1]];
    while path[path.len() - 1] != start {
        path.push(before[path[path.len() - 1] as usize]);
    }
    path.reverse();
    for atom in reached {
        before[atom as usize] = u32::MAX;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use amelo_core::{AtomType, Cell, Interactions, Molecule, System};
    use std::sync::Arc;

    /// Molecules with the given heavy bonds, each heavy atom with one hydrogen, one after another.
    fn topology(molecules: &[(usize, &[[u32; 2]])]) -> Topology {
        let mut t = Topology {
            types: ["C", "H"].map(|e| AtomType { name: e.into(), element: e.into() }).to_vec(),
            ..Topology::default()
        };
        let mut atoms = vec![];
        for (heavy, bonds) in molecules {
            let first = t.type_of.len() as u32;
            atoms.extend(bonds.iter().flat_map(|b| b.map(|k| first + k)));
            atoms.extend((0..*heavy as u32).flat_map(|k| [first + k, first + *heavy as u32 + k]));
            t.type_of.extend(std::iter::repeat_n(0, *heavy).chain(std::iter::repeat_n(1, *heavy)));
            t.molecules.push(Molecule { kind: "X".into(), first: first as usize, count: 2 * heavy });
        }
        let n = t.type_of.len();
        (t.masses, t.charges, t.nominal_charges) = (vec![12.0; n].into(), vec![0.0; n].into(), vec![0.0; n].into());
        (t.names, t.frozen) = (vec!["X"; n].into(), vec![false; n]);
        let kind = vec![0; atoms.len() / 2];
        let form = "harmonic".into();
        t.interactions.push(Interactions { class: Class::Bond, form, atoms, kind, parameters: vec![vec![0.15, 1e5]] });
        t
    }

    #[test]
    fn chains_are_found_with_their_ends_and_short_molecules_are_none() {
        // A chain of 12 with a branch of one on its third atom, written from the middle; a chain of 10; one atom.
        let long: Vec<[u32; 2]> = (0..11).rev().map(|k| [k + 1, k]).chain([[2, 12]]).collect();
        let short: Vec<[u32; 2]> = (0..9).map(|k| [k, k + 1]).collect();
        let topology = topology(&[(1, &[]), (13, &long), (10, &short)]);
        let chains = Chains::of(&topology);
        assert_eq!(chains.count(), 1);
        let mut ends = [chains.paths[0][0], chains.paths[0][11]];
        ends.sort();
        assert_eq!(ends, [2, 13]);
    }

    #[test]
    fn a_vector_is_whole_wherever_the_cell_cuts_the_chain() {
        let bonds: Vec<[u32; 2]> = (0..11).map(|k| [k, k + 1]).collect();
        let topology = topology(&[(12, &bonds)]);
        let chains = Chains::of(&topology);
        let cell = Cell::orthorhombic(1.0, 1.1, 1.2).unwrap();
        // 11 bonds of 0.15 nm along x: longer than the cell.
        let positions = (0..24).map(|k| Vec3::new(0.15 * (k % 12) as f64, 0.5, 0.5)).collect();
        let mut system = System::new(Arc::new(topology), cell, positions);
        system.wrap();
        let [vector] = chains.vectors(&system.frame())[..] else { panic!("one chain") };
        assert!((vector.x.abs() - 1.65).abs() < 1e-12 && vector.y.abs() < 1e-12, "{vector:?}");
    }
}

//! What never changes during a run: atoms, molecules, bonded interactions, exclusions, groups.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Names, PairEntry, ScaledPairs, Shared};

/// A kind of atom as the force field sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AtomType {
    /// Name in the parameter files, for example `OS`.
    pub name: String,
    /// Element symbol.
    pub element: String,
}

/// One molecule (an oxide slab counts as one).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Molecule {
    /// Name of its kind, for example `PEO`.
    pub kind: String,
    /// First atom.
    pub first: usize,
    /// Number of atoms; they are contiguous.
    pub count: usize,
}

/// One residue as PDB knows it: a repeat unit, an end group, an ion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Residue {
    /// Name of up to four letters.
    pub name: String,
    /// First atom.
    pub first: usize,
    /// Number of atoms; they are contiguous.
    pub count: usize,
}

/// Which kind of bonded interaction a list holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Two atoms.
    Bond,
    /// Three atoms, the middle one at the vertex.
    Angle,
    /// Four atoms along a chain.
    Dihedral,
    /// Four atoms, out-of-plane.
    Improper,
}

impl Class {
    /// Atoms per interaction.
    pub fn arity(self) -> usize {
        match self {
            Class::Bond => 2,
            Class::Angle => 3,
            Class::Dihedral | Class::Improper => 4,
        }
    }
}

/// All bonded interactions of one functional form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interactions {
    /// Bonds, angles, dihedrals or impropers.
    pub class: Class,
    /// Name in the registry of that class, for example `harmonic`.
    pub form: String,
    /// \[n × arity\] atoms.
    pub atoms: Vec<u32>,
    /// \[n\] row of `parameters` that each interaction uses.
    pub kind: Vec<u32>,
    /// \[n_kinds\] parameters in the order that the form declares, internal units.
    pub parameters: Vec<Vec<f64>>,
}

impl Interactions {
    /// Number of interactions.
    pub fn len(&self) -> usize {
        self.kind.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.kind.is_empty()
    }

    /// Each interaction's atoms and parameters.
    pub fn iter(&self) -> impl Iterator<Item = (&[u32], &[f64])> {
        self.atoms
            .chunks_exact(self.class.arity())
            .zip(&self.kind)
            .map(|(a, &k)| (a, self.parameters[k as usize].as_slice()))
    }
}

/// A distance held fixed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Constraint {
    /// The two atoms.
    pub atoms: [u32; 2],
    /// Distance (nm).
    pub length: f64,
}

/// Pairs without nonbonded interaction, as sorted neighbour lists in both directions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Exclusions {
    starts: Shared<Vec<u32>>,
    partners: Shared<Vec<u32>>,
}

impl Exclusions {
    /// Exclusions among `n_atoms` from pairs in any order, doubles allowed.
    pub fn new(n_atoms: usize, pairs: impl IntoIterator<Item = [u32; 2]>) -> Self {
        let mut lists = vec![Vec::new(); n_atoms];
        for [i, j] in pairs {
            if i != j {
                lists[i as usize].push(j);
                lists[j as usize].push(i);
            }
        }
        let mut starts = vec![0];
        let mut partners = Vec::new();
        for list in &mut lists {
            list.sort_unstable();
            list.dedup();
            partners.extend_from_slice(list);
            starts.push(partners.len() as u32);
        }
        Exclusions { starts: starts.into(), partners: partners.into() }
    }

    /// Partners of `atom`, ascending.
    #[inline(always)]
    pub fn of(&self, atom: usize) -> &[u32] {
        &self.partners[self.starts[atom] as usize..self.starts[atom + 1] as usize]
    }

    /// Whether the pair is excluded.
    pub fn contains(&self, i: usize, j: usize) -> bool {
        self.of(i).binary_search(&(j as u32)).is_ok()
    }

    /// Every excluded pair once, i < j, ascending.
    pub fn pairs(&self) -> impl Iterator<Item = [u32; 2]> {
        (0..self.starts.len().saturating_sub(1))
            .flat_map(move |i| self.of(i).iter().filter(move |&&j| j as usize > i).map(move |&j| [i as u32, j]))
    }
}

/// What never changes during a run. A stage's topology differs from the run's in `constraints` and `frozen`; the largest
/// lists of the two are the same memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Topology {
    /// \[n_types\] atom types.
    pub types: Vec<AtomType>,
    /// \[n_atoms\] type of each atom.
    pub type_of: Shared<Vec<u32>>,
    /// \[n_atoms\] atom names.
    pub names: Names,
    /// \[n_atoms\] masses (u).
    pub masses: Shared<Vec<f64>>,
    /// \[n_atoms\] charges (e), after any scaling.
    pub charges: Shared<Vec<f64>>,
    /// \[n_atoms\] charges (e) before scaling: those that define a conductivity.
    pub nominal_charges: Shared<Vec<f64>>,
    /// Molecules, in the order of their atoms.
    pub molecules: Vec<Molecule>,
    /// Residues, in the order of their atoms.
    pub residues: Vec<Residue>,
    /// Chemical bonds, for readers and for molecules made whole.
    pub bonds: Shared<Vec<[u32; 2]>>,
    /// Bonded interactions by class and form.
    pub interactions: Shared<Vec<Interactions>>,
    /// Pairs without nonbonded interaction (1-2, 1-3, and 1-4, which come back in `scaled_pairs`).
    pub exclusions: Exclusions,
    /// Scaled pairs (1-4 and the like).
    pub scaled_pairs: ScaledPairs,
    /// Pair potentials of single scaled pairs.
    pub pair_overrides: Vec<PairEntry>,
    /// Distances held fixed.
    pub constraints: Vec<Constraint>,
    /// \[n_atoms\] atoms that never move.
    pub frozen: Vec<bool>,
    /// Named groups of atoms, ascending, for example `PEO ether O`, `oxide`.
    pub groups: BTreeMap<String, Vec<u32>>,
}

impl Topology {
    /// Number of atoms.
    pub fn n_atoms(&self) -> usize {
        self.type_of.len()
    }

    /// Gives back what lists that grew hold beyond their ends.
    pub fn shrink_to_fit(&mut self) {
        self.type_of.shrink_to_fit();
        self.names.shrink_to_fit();
        self.masses.shrink_to_fit();
        self.charges.shrink_to_fit();
        self.nominal_charges.shrink_to_fit();
        self.molecules.shrink_to_fit();
        self.residues.shrink_to_fit();
        self.bonds.shrink_to_fit();
        for list in self.interactions.iter_mut() {
            list.atoms.shrink_to_fit();
            list.kind.shrink_to_fit();
        }
        self.exclusions.starts.shrink_to_fit();
        self.exclusions.partners.shrink_to_fit();
        self.scaled_pairs.shrink_to_fit();
        self.constraints.shrink_to_fit();
        self.frozen.shrink_to_fit();
        self.groups.values_mut().for_each(Vec::shrink_to_fit);
    }

    /// Sum of the charges (e).
    pub fn total_charge(&self) -> f64 {
        self.charges.iter().sum()
    }

    /// Element of `atom`.
    pub fn element(&self, atom: usize) -> &str {
        &self.types[self.type_of[atom] as usize].element
    }

    /// \[n_atoms\] index into `molecules` of each atom.
    pub fn molecule_of(&self) -> Vec<u32> {
        let mut owner = vec![0; self.n_atoms()];
        for (k, m) in self.molecules.iter().enumerate() {
            owner[m.first..m.first + m.count].fill(k as u32);
        }
        owner
    }
}

//! Molecule types times their numbers, with positions: the system.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use amelo_core::{
    AtomType, Class, Constraint, Exclusions, Interactions, Molecule, PairEntry, PairTable, Residue, ScaledPair, System,
    Topology,
};

use super::gro::Configuration;
use super::molecule::{Kind, resolve};
use super::nonbonded::pair_entry;
use super::topology::TopologyFile;
use super::types::TypeAtom;
use crate::formats::{ImportError, Imported, Place, elements};

/// Most exclusions of the whole system.
const MOST_EXCLUSIONS: usize = 500_000_000;

/// Puts everything together.
pub(super) fn assemble(
    file: TopologyFile,
    configuration: Configuration,
    coordinates: &Path,
    reorders: bool,
) -> Result<Imported, ImportError> {
    let n = configuration.positions.len();
    check_count(&file, n, coordinates)?;
    let mut kinds: BTreeMap<usize, Kind> = BTreeMap::new();
    for &(index, count) in &file.system {
        if count > 0 && !kinds.contains_key(&index) {
            kinds.insert(index, resolve(&file.molecules[index], &file.types, reorders)?);
        }
    }
    check_exclusions(&file, &kinds, coordinates)?;
    let mut builder = Builder::new(&file, &kinds);
    for &(index, count) in &file.system {
        if let Some(kind) = kinds.get(&index) {
            let rows = builder.rows_of(kind);
            for _ in 0..count {
                builder.place(index, kind, &rows);
            }
        }
    }
    let Builder { mut topology, excluded, used, mut notes, .. } = builder;
    topology.exclusions = Exclusions::new(topology.n_atoms(), excluded);
    topology.frozen = vec![false; topology.n_atoms()];
    let used: Vec<usize> = used.into_keys().collect();
    let pair_table = PairTable::from_fn(used.len(), |i, j| pair_entry(&file.types, used[i], used[j]))?;
    groups(&mut topology, &mut notes);
    notes.extend(kinds.into_values().flat_map(|kind| kind.notes));
    notes.extend(file.notes);
    compare_names(&topology, &configuration, coordinates, &mut notes);
    notes.extend(configuration.notes);
    let mut system = System::new(Arc::new(topology), configuration.cell, configuration.positions);
    if let Some(velocities) = configuration.velocities {
        system.velocities = velocities;
    }
    Ok(Imported { system, pair_table, nonbonded: None, notes })
}

/// That the topology has as many atoms as the coordinates, before anything of that size is made.
fn check_count(file: &TopologyFile, n: usize, coordinates: &Path) -> Result<(), ImportError> {
    let atoms = file.system.iter().map(|&(k, count)| u128::from(count) * file.molecules[k].atoms.len() as u128);
    let total: u128 = atoms.sum();
    if total == n as u128 && n > 0 {
        return Ok(());
    }
    let parts: Vec<String> = file
        .system
        .iter()
        .take(20)
        .map(|&(k, count)| format!("{count} {} of {} atoms", file.molecules[k].name, file.molecules[k].atoms.len()))
        .collect();
    let found = format!("{n} atoms, but the topology has {total} ({})", parts.join(", "));
    let place = Place { path: Arc::from(coordinates), line: 2 };
    Err(ImportError::at(&place, "gro", found, "correct [ molecules ], or take the coordinates of this topology"))
}

fn check_exclusions(file: &TopologyFile, kinds: &BTreeMap<usize, Kind>, coordinates: &Path) -> Result<(), ImportError> {
    let of =
        |&(k, count): &(usize, u64)| kinds.get(&k).map_or(0, |kind| kind.excluded.len() as u128 * u128::from(count));
    let total: u128 = file.system.iter().map(of).sum();
    if total <= MOST_EXCLUSIONS as u128 {
        return Ok(());
    }
    let place = Place { path: Arc::from(coordinates), line: 2 };
    let found = format!("{total} excluded pairs in all, more than {MOST_EXCLUSIONS}");
    Err(ImportError::at(&place, "[ exclusions ]", found, "take a smaller nrexcl; 3 is usual"))
}

/// Where each term of a kind stands: (list in `topology.interactions`, row of its parameters).
type Rows = Vec<(usize, u32)>;

struct Builder<'a> {
    file: &'a TopologyFile,
    topology: Topology,
    excluded: Vec<[u32; 2]>,
    /// Atom types in use by their number in the file, with their number in the topology.
    used: BTreeMap<usize, u32>,
    /// List of each form.
    lists: BTreeMap<(Class, &'static str), usize>,
    /// Row of each set of parameters, by list and bits.
    rows: BTreeMap<(usize, Vec<u64>), u32>,
    /// Place of each potential of single pairs, by form and bits.
    overrides: BTreeMap<(String, Vec<u64>), u32>,
    notes: Vec<String>,
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|v| v.to_bits()).collect()
}

impl<'a> Builder<'a> {
    fn new(file: &'a TopologyFile, kinds: &BTreeMap<usize, Kind>) -> Self {
        let atoms = kinds.keys().flat_map(|&k| &file.molecules[k].atoms);
        let mut used: BTreeMap<usize, u32> = atoms.map(|a| (a.kind, 0)).collect();
        used.values_mut().enumerate().for_each(|(number, value)| *value = number as u32);
        let mut notes = Vec::new();
        let mut topology = Topology::default();
        let mut guessed = Vec::new();
        for &k in used.keys() {
            let kind = &file.types.atoms[k];
            let mass = file.molecules.iter().flat_map(|m| &m.atoms).find(|a| a.kind == k).map_or(kind.mass, |a| a.mass);
            let element = element(kind).unwrap_or_else(|| {
                let symbol = elements::guess(&kind.name, mass);
                guessed.push(format!("{} = {symbol}", kind.name));
                symbol
            });
            topology.types.push(AtomType { name: kind.name.clone(), element: element.into() });
        }
        if !guessed.is_empty() {
            notes.push(format!(
                "elements guessed from names and masses, for want of atomic numbers: {}",
                guessed.join(", ")
            ));
        }
        Builder {
            file,
            topology,
            excluded: Vec::new(),
            used,
            lists: BTreeMap::new(),
            rows: BTreeMap::new(),
            overrides: BTreeMap::new(),
            notes,
        }
    }

    /// Makes room for the terms of `kind`.
    fn rows_of(&mut self, kind: &Kind) -> Rows {
        let mut found = Vec::with_capacity(kind.terms.len());
        for term in &kind.terms {
            let interactions = &mut self.topology.interactions;
            let list = *self.lists.entry((term.class, term.form)).or_insert_with(|| {
                interactions.push(Interactions {
                    class: term.class,
                    form: term.form.into(),
                    atoms: Vec::new(),
                    kind: Vec::new(),
                    parameters: Vec::new(),
                });
                interactions.len() - 1
            });
            let parameters = &mut interactions[list].parameters;
            let row = *self.rows.entry((list, bits(&term.parameters))).or_insert_with(|| {
                parameters.push(term.parameters.clone());
                parameters.len() as u32 - 1
            });
            found.push((list, row));
        }
        found
    }

    fn override_of(&mut self, entry: &PairEntry) -> u32 {
        let overrides = &mut self.topology.pair_overrides;
        *self.overrides.entry((entry.form.clone(), bits(&entry.parameters))).or_insert_with(|| {
            overrides.push(entry.clone());
            overrides.len() as u32 - 1
        })
    }

    /// Adds one molecule behind those that are there.
    fn place(&mut self, index: usize, kind: &Kind, rows: &Rows) {
        let molecule = &self.file.molecules[index];
        let first = self.topology.n_atoms();
        let at = |a: u32| a + first as u32;
        self.topology.names.extend(molecule.atoms.iter().map(|atom| &atom.name));
        for atom in &molecule.atoms {
            self.topology.type_of.push(self.used[&atom.kind]);
            self.topology.masses.push(atom.mass);
            self.topology.charges.push(atom.charge);
            self.topology.nominal_charges.push(atom.charge);
        }
        let mut next = first;
        for (name, count) in &kind.residues {
            self.topology.residues.push(Residue { name: name.clone(), first: next, count: *count });
            next += count;
        }
        self.topology.molecules.push(Molecule { kind: molecule.name.clone(), first, count: molecule.atoms.len() });
        self.topology.bonds.extend(kind.bonds.iter().map(|b| b.map(at)));
        for (term, &(list, row)) in kind.terms.iter().zip(rows) {
            let list = &mut self.topology.interactions[list];
            list.atoms.extend(term.atoms.iter().map(|&a| at(a)));
            list.kind.push(row);
        }
        self.excluded.extend(kind.excluded.iter().map(|p| p.map(at)));
        for c in &kind.constraints {
            self.topology.constraints.push(Constraint { atoms: c.atoms.map(at), length: c.length });
        }
        let scaled = kind.pairs.iter().map(|pair| ScaledPair {
            atoms: pair.atoms.map(at),
            vdw: pair.vdw,
            coulomb: pair.coulomb,
            charges: pair.charges,
            pair_override: pair.own.as_ref().map(|entry| self.override_of(entry)),
            cut: false,
        });
        let scaled: Vec<ScaledPair> = scaled.collect();
        self.topology.scaled_pairs.extend(scaled);
    }
}

/// The element by the type's atomic number.
fn element(kind: &TypeAtom) -> Option<&'static str> {
    elements::by_number(usize::try_from(kind.atomic_number?).ok()?)
}

/// A group of each kind of molecule and of each residue's name.
fn groups(topology: &mut Topology, notes: &mut Vec<String>) {
    let mut molecules: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for m in &topology.molecules {
        molecules.entry(m.kind.clone()).or_default().extend(m.first as u32..(m.first + m.count) as u32);
    }
    let mut residues: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for r in &topology.residues {
        residues.entry(r.name.clone()).or_default().extend(r.first as u32..(r.first + r.count) as u32);
    }
    for (name, atoms) in residues {
        match molecules.get(&name) {
            Some(of_molecules) if *of_molecules != atoms => {
                notes.push(format!("the group {name} is that of the molecules of this name, not of the residues"));
            }
            Some(_) => {}
            None => {
                molecules.insert(name, atoms);
            }
        }
    }
    topology.groups = molecules;
}

/// Names in both files: a difference often means that the order of atoms differs.
fn compare_names(topology: &Topology, configuration: &Configuration, coordinates: &Path, notes: &mut Vec<String>) {
    // The columns of a .gro hold five letters.
    let same = |ours: &str, theirs: &str| ours.chars().take(5).eq(theirs.chars());
    let atoms = 0..topology.n_atoms();
    let differ: Vec<usize> = atoms.clone().filter(|&a| !same(&topology.names[a], &configuration.names[a])).collect();
    if let Some(&first) = differ.first() {
        notes.push(format!(
            "{} atom names of {} differ from the topology's, which are kept; the first is atom {}: {} there, {} in the \
             topology: check that the atoms are in the same order",
            differ.len(),
            coordinates.display(),
            first + 1,
            configuration.names[first],
            &topology.names[first]
        ));
    }
    let mut residue_of = vec![""; topology.n_atoms()];
    for r in &topology.residues {
        residue_of[r.first..r.first + r.count].fill(r.name.as_str());
    }
    let differ = atoms.filter(|&a| !same(residue_of[a], &configuration.residues[a])).count();
    if differ > 0 {
        notes.push(format!(
            "residue names of {differ} atoms of {} differ from the topology's, which are kept",
            coordinates.display()
        ));
    }
}

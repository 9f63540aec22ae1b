//! A topology as it is written: tables of parameters, molecule types with their raw entries, and the system.
//!
//! GROMACS reference manual, chapter "Topologies", tables of directives. Entries of molecules are kept as written:
//! only what a molecule of the system needs is looked up, so that a force field may hold what this engine lacks.

use std::collections::BTreeMap;

use super::directive::Directive;
use super::fields::Fields;
use super::preprocess::{Line, Preprocessed};
use super::types::Types;
use crate::formats::{ImportError, Place};

/// An entry of a molecule.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub place: Place,
    pub directive: Directive,
    pub text: String,
}

impl Entry {
    pub fn fields(&self) -> Fields<'_> {
        Fields::new(&self.place, self.directive, &self.text)
    }
}

/// An atom of a molecule type.
#[derive(Clone, Debug)]
pub(super) struct Atom {
    pub place: Place,
    /// Index into the atom types.
    pub kind: usize,
    pub residue_number: String,
    pub residue: String,
    pub name: String,
    pub charge: f64,
    pub mass: f64,
}

/// A molecule type.
#[derive(Clone, Debug)]
pub(super) struct MoleculeType {
    pub place: Place,
    pub name: String,
    /// Atoms up to so many bonds apart do not interact.
    pub n_excluded_bonds: usize,
    pub atoms: Vec<Atom>,
    pub entries: Vec<Entry>,
}

/// How far the reader has got.
#[derive(Debug, Default)]
pub(super) struct Progress {
    pub has_defaults: bool,
    pub has_atom_types: bool,
    pub has_molecule_type: bool,
    pub has_atoms: bool,
    pub has_system: bool,
}

/// A whole topology.
#[derive(Debug, Default)]
pub(super) struct TopologyFile {
    pub types: Types,
    pub molecules: Vec<MoleculeType>,
    by_name: BTreeMap<String, usize>,
    /// Index into `molecules` and count, in the order of the system.
    pub system: Vec<(usize, u64)>,
    pub title: String,
    pub notes: Vec<String>,
}

impl TopologyFile {
    /// Reads the lines of `source`; `end` is where something that is missing altogether is reported.
    pub fn parse(source: &Preprocessed, end: &Place) -> Result<Self, ImportError> {
        let mut file = TopologyFile::default();
        let mut progress = Progress::default();
        let mut current: Option<Directive> = None;
        let mut last_molecules = None;
        for line in &source.lines {
            if line.text.starts_with('[') {
                let directive = opened(line)?;
                if let Some(why) = directive.misplaced(&progress) {
                    return Err(ImportError::at(&line.place, &directive.title(), why, ORDER));
                }
                progress.has_defaults |= directive == Directive::Defaults;
                progress.has_atom_types |= directive == Directive::AtomTypes;
                progress.has_system |= directive == Directive::System;
                progress.has_molecule_type |= directive == Directive::MoleculeType;
                if directive == Directive::MoleculeType {
                    progress.has_atoms = false;
                }
                progress.has_atoms |= directive == Directive::Atoms;
                if directive == Directive::Molecules {
                    last_molecules = Some(line.place.clone());
                }
                current = Some(directive);
            } else if let Some(directive) = current {
                file.entry(line, directive)?;
            } else if !line.text.starts_with('*') {
                // Force fields open with a banner of asterisks.
                let found = format!("\"{}\" stands before any directive", shown(&line.text));
                return Err(ImportError::at(&line.place, "topology", found, "begin with [ defaults ] or an #include"));
            }
        }
        if !progress.has_defaults {
            let found = "the topology has no [ defaults ]";
            return Err(ImportError::at(end, "[ defaults ]", found, "include a force field, or write the directive"));
        }
        if file.system.is_empty() {
            let place = last_molecules.as_ref().unwrap_or(end);
            let found = "the topology names no molecules";
            return Err(ImportError::at(place, "[ molecules ]", found, "write lines of NAME COUNT"));
        }
        file.notes.append(&mut file.types.notes);
        Ok(file)
    }

    fn entry(&mut self, line: &Line, directive: Directive) -> Result<(), ImportError> {
        let fields = Fields::new(&line.place, directive, &line.text);
        match directive {
            Directive::Defaults => self.types.defaults(&fields),
            Directive::AtomTypes => self.types.atom_type(&fields),
            Directive::BondTypes | Directive::ConstraintTypes | Directive::AngleTypes | Directive::DihedralTypes => {
                self.types.bonded_type(&fields)
            }
            Directive::PairTypes | Directive::NonbondParams => self.types.pair_type(&fields),
            Directive::UnusedTypes => Ok(()),
            Directive::MoleculeType => self.molecule_type(&fields),
            Directive::Atoms => self.atom(&fields),
            Directive::System => {
                self.title = line.text.clone();
                Ok(())
            }
            Directive::Molecules => self.count(&fields),
            Directive::Intermolecular => fields.fail(
                "interactions between molecules",
                "put the molecules into one [ moleculetype ], or leave the directive out",
            ),
            _ => {
                let entry = Entry { place: line.place.clone(), directive, text: line.text.clone() };
                self.molecule(&fields)?.entries.push(entry);
                Ok(())
            }
        }
    }

    /// The molecule type being read.
    fn molecule(&mut self, fields: &Fields) -> Result<&mut MoleculeType, ImportError> {
        match self.molecules.last_mut() {
            Some(molecule) => Ok(molecule),
            None => fields.fail("no molecule type to belong to", "write NAME NREXCL below [ moleculetype ]"),
        }
    }

    fn molecule_type(&mut self, fields: &Fields) -> Result<(), ImportError> {
        fields.count(2..=2, "NAME NREXCL")?;
        let name = fields.text(0)?.to_string();
        if self.by_name.contains_key(&name) {
            return fields.fail(format!("a second molecule type \"{name}\""), "give it another name");
        }
        let n_excluded_bonds = fields.whole(1, "the number of excluded bonds", 0..=1_000_000)? as usize;
        self.by_name.insert(name.clone(), self.molecules.len());
        let place = fields.place.clone();
        self.molecules.push(MoleculeType { place, name, n_excluded_bonds, atoms: Vec::new(), entries: Vec::new() });
        Ok(())
    }

    /// nr type resnr residue atom cgnr [charge [mass [typeB chargeB massB]]]
    fn atom(&mut self, fields: &Fields) -> Result<(), ImportError> {
        fields.count(6..=11, "NR TYPE RESNR RESIDUE ATOM CGNR [CHARGE [MASS]]")?;
        let type_name = fields.text(1)?;
        let Some(kind) = self.types.index_of(type_name) else {
            return fields.fail(format!("atom type \"{type_name}\" is not in [ atomtypes ]"), "define it there");
        };
        let of_type = &self.types.atoms[kind];
        let charge = if fields.len() > 6 { fields.number(6, "the charge")? } else { of_type.charge };
        let mass = if fields.len() > 7 { fields.number(7, "the mass")? } else { of_type.mass };
        if fields.len() > 8 {
            let same = |k: usize, a: f64, what: &str| -> Result<bool, ImportError> {
                Ok(fields.len() <= k || fields.number(k, what)? == a)
            };
            let unchanged = fields.text(8)? == type_name
                && (fields.len() > 9 || of_type.charge == charge)
                && (fields.len() > 10 || of_type.mass == mass)
                && same(9, charge, "the charge of state B")?
                && same(10, mass, "the mass of state B")?;
            if !unchanged {
                return fields.fail(FREE_ENERGY, FREE_ENERGY_REMEDY);
            }
        }
        let (residue_number, residue, name) =
            (fields.text(2)?.to_string(), fields.text(3)?.to_string(), fields.text(4)?.to_string());
        let place = fields.place.clone();
        let number = fields.whole(0, "the atom's number", 1..=i64::MAX)? as usize;
        let molecule = self.molecule(fields)?;
        if number != molecule.atoms.len() + 1 {
            let found = format!("atom number {number} where {} is due", molecule.atoms.len() + 1);
            return fields.fail(found, "number the atoms of a molecule from 1 without gaps");
        }
        molecule.atoms.push(Atom { place, kind, residue_number, residue, name, charge, mass });
        Ok(())
    }

    fn count(&mut self, fields: &Fields) -> Result<(), ImportError> {
        fields.count(2..=2, "NAME COUNT")?;
        let name = fields.text(0)?;
        let ignoring_case: Vec<usize> =
            (0..self.molecules.len()).filter(|&k| self.molecules[k].name.eq_ignore_ascii_case(name)).collect();
        let kind = match (self.by_name.get(name), ignoring_case.as_slice()) {
            (Some(&k), _) => k,
            (None, [k]) => *k,
            _ => {
                let known: Vec<&str> = self.molecules.iter().map(|m| m.name.as_str()).collect();
                let found = format!("no molecule type \"{name}\"");
                return fields.fail(found, format!("take one of {}", known.join(", ")));
            }
        };
        let count = fields.whole(1, "the number of molecules", 0..=i64::from(u32::MAX))?;
        self.system.push((kind, count as u64));
        Ok(())
    }
}

/// `[ name ]`
fn opened(line: &Line) -> Result<Directive, ImportError> {
    let inside = line.text[1..].split_once(']').map(|(inside, _)| inside.trim());
    match inside.map(|name| (name, Directive::of(name))) {
        Some((_, Some(directive))) => Ok(directive),
        Some((name, None)) => {
            let found = format!("unknown directive [ {} ]", shown(name));
            Err(ImportError::at(
                &line.place,
                "topology",
                found,
                "check the spelling; docs/gromacs-import.md lists them",
            ))
        }
        None => {
            let found = format!("\"{}\" does not close its bracket", shown(&line.text));
            Err(ImportError::at(&line.place, "topology", found, "write [ NAME ]"))
        }
    }
}

/// A text short enough for a message.
pub(super) fn shown(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    if short.len() < text.len() { short + "…" } else { short }
}

const ORDER: &str = "the order is [ defaults ], [ atomtypes ], other types, molecule types with [ atoms ] first, [ system ], [ molecules ]";

/// What is said of columns for a second state.
pub(super) const FREE_ENERGY: &str = "state B of a free-energy calculation differs from state A";
/// What to do about it.
pub(super) const FREE_ENERGY_REMEDY: &str = "leave the columns of state B out: this engine has one state";

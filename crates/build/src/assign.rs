//! Force-field assignment: from molecules and parameter files to a topology and a complete pair table, with a record
//! of where every number comes from. Nothing is guessed: what no file says is an error that names the types.

mod bonded;
mod pairs;
mod report;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use amelo_core::{
    AtomType, Class, Exclusions, FormClass, Interactions, Molecule, PairTable, Residue, ScaledPair, Topology,
};
use amelo_forces::ForcesError;
use amelo_io::parameters::{ForceFieldData, MoleculeTemplate};

use bonded::Assigner;
pub use report::{AssignmentReport, BondedRow, MoleculeRow, PairRow, ParameterRow, TypeRow};

/// A topology with its parameters, and how it came about.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// Atoms, molecules, bonded interactions, exclusions, groups; no constraints, nothing frozen.
    pub topology: Topology,
    /// A potential for every pair of types.
    pub pair_table: PairTable,
    /// Where everything comes from.
    pub report: AssignmentReport,
}

/// Parameters that no file gives, or that cannot be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AssignError {
    /// A type that no loaded file defines.
    #[error(
        "atom {atom} of {molecule} has type \"{type_name}\", which none of the files {files} defines; load the file that does"
    )]
    UnknownType {
        /// Molecule.
        molecule: String,
        /// Atom name.
        atom: String,
        /// Type.
        type_name: String,
        /// Loaded files.
        files: String,
    },
    /// Two types between which nothing says what acts.
    #[error(
        "no potential between the types \"{first}\" and \"{second}\": {reason}; write [[pair]] types = [\"{first}\", \"{second}\"] with a potential or none = true in a parameter file (loaded: {files})"
    )]
    MissingPair {
        /// First type.
        first: String,
        /// Second type.
        second: String,
        /// Why no rule gives it.
        reason: String,
        /// Loaded files.
        files: String,
    },
    /// A bond, angle, dihedral or improper without parameters.
    #[error(
        "no parameters for the {class} {types} (atoms {atoms} of {molecule}); write [[{class}]] with these types, or none = true, in a parameter file (loaded: {files})"
    )]
    MissingBonded {
        /// Bond, angle, dihedral or improper.
        class: &'static str,
        /// Bonded types, joined by dashes.
        types: String,
        /// Atom names, joined by dashes.
        atoms: String,
        /// Molecule.
        molecule: String,
        /// Loaded files.
        files: String,
    },
    /// Two entries with wildcards that fit equally well.
    #[error(
        "two entries fit the {class} {types} equally well: {first} and {second}; write one for exactly these types"
    )]
    Ambiguous {
        /// Bond, angle, dihedral or improper.
        class: &'static str,
        /// Bonded types, joined by dashes.
        types: String,
        /// First entry.
        first: String,
        /// Second entry.
        second: String,
    },
    /// Numbers that a functional form refuses.
    #[error("{what} ({file}): {error}")]
    Parameters {
        /// Which interaction.
        what: String,
        /// File that gives the numbers.
        file: String,
        /// What the form says.
        error: ForcesError,
    },
    /// A charge scale for a molecule that is not there.
    #[error("charge_scale names \"{name}\", but the system has only {known}")]
    UnknownScale {
        /// Name as written.
        name: String,
        /// Molecules of the system.
        known: String,
    },
    /// A charge scale that cannot be.
    #[error("charge_scale of {name} is {scale}; it must be a number from 0 to 1.5")]
    BadScale {
        /// Molecule.
        name: String,
        /// Value as written.
        scale: f64,
    },
}

impl AssignError {
    /// Path of the deck key that the error concerns.
    pub fn key(&self) -> &'static str {
        match self {
            AssignError::UnknownScale { .. } | AssignError::BadScale { .. } => "forcefield.charge_scale",
            _ => "forcefield.files",
        }
    }
}

type Result<T> = std::result::Result<T, AssignError>;

/// Assigns parameters to `molecules`, in the order of their atoms. `charge_scale` multiplies the charges, and only
/// the charges, of the molecules that it names.
pub fn assign(
    molecules: &[Arc<MoleculeTemplate>],
    data: &ForceFieldData,
    charge_scale: &BTreeMap<String, f64>,
) -> Result<Assignment> {
    check_scales(molecules, charge_scale)?;
    let mut builder = Builder::new(data);
    for template in molecules {
        let scale = charge_scale.get(&template.name).copied().unwrap_or(1.0);
        let kind = builder.kind(template)?;
        builder.place(template, kind, scale);
    }
    let Builder { mut topology, excluded, entry_uses, .. } = builder;
    topology.frozen = vec![false; topology.n_atoms()];
    topology.exclusions = Exclusions::new(topology.n_atoms(), excluded);
    let pair_table = pairs::table(&topology.types, data)?;
    let report = report::report(&topology, &pair_table, molecules, data, charge_scale, &entry_uses);
    Ok(Assignment { topology, pair_table, report })
}

fn check_scales(molecules: &[Arc<MoleculeTemplate>], scales: &BTreeMap<String, f64>) -> Result<()> {
    for (name, &scale) in scales {
        if !molecules.iter().any(|m| m.name == *name) {
            let mut known: Vec<&str> = Vec::new();
            for m in molecules {
                if !known.contains(&m.name.as_str()) {
                    known.push(&m.name);
                }
            }
            return Err(AssignError::UnknownScale { name: name.clone(), known: known.join(", ") });
        }
        if !(0.0..=1.5).contains(&scale) {
            return Err(AssignError::BadScale { name: name.clone(), scale });
        }
    }
    Ok(())
}

/// Names of the loaded files.
fn file_names(data: &ForceFieldData) -> String {
    data.files.iter().map(|f| f.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// A form's class as a topology and a section of a parameter file name it.
fn class_of(class: FormClass) -> (Class, &'static str) {
    match class {
        FormClass::Angle => (Class::Angle, "angle"),
        FormClass::Dihedral => (Class::Dihedral, "dihedral"),
        FormClass::Improper => (Class::Improper, "improper"),
        FormClass::Bond | FormClass::Pair => (Class::Bond, "bond"),
    }
}

/// Assembles the topology molecule by molecule; each distinct template is resolved once.
struct Builder<'a> {
    data: &'a ForceFieldData,
    assigner: Assigner<'a>,
    /// Resolved templates by address, in the order of their appearance.
    kinds: Vec<(*const MoleculeTemplate, Kind)>,
    topology: Topology,
    excluded: Vec<[u32; 2]>,
    /// Where the terms of an entry of `data.bonded` stand: (list in `topology.interactions`, row of its parameters).
    rows: BTreeMap<usize, Vec<(usize, u32)>>,
    /// How often each entry of `data.bonded` is used, by the types it was used for.
    entry_uses: BTreeMap<(usize, Rc<str>), usize>,
}

/// What all copies of one template share; atoms count from the molecule's first.
struct Kind {
    types: Vec<u32>,
    masses: Vec<f64>,
    interactions: Vec<bonded::Use>,
    excluded: Vec<[u32; 2]>,
    scaled: Vec<ScaledPair>,
}

impl<'a> Builder<'a> {
    fn new(data: &'a ForceFieldData) -> Self {
        Builder {
            data,
            assigner: Assigner::new(data),
            kinds: Vec::new(),
            topology: Topology::default(),
            excluded: Vec::new(),
            rows: BTreeMap::new(),
            entry_uses: BTreeMap::new(),
        }
    }

    fn kind(&mut self, template: &Arc<MoleculeTemplate>) -> Result<usize> {
        let address = Arc::as_ptr(template);
        if let Some(k) = self.kinds.iter().position(|(a, _)| *a == address) {
            return Ok(k);
        }
        let (mut types, mut masses) = (Vec::new(), Vec::new());
        for atom in &template.atoms {
            let Some(ty) = self.data.types.get(&atom.type_name) else {
                return Err(AssignError::UnknownType {
                    molecule: template.name.clone(),
                    atom: atom.name.clone(),
                    type_name: atom.type_name.clone(),
                    files: file_names(self.data),
                });
            };
            let known = self.topology.types.iter().position(|t| t.name == ty.name);
            types.push(known.unwrap_or_else(|| {
                self.topology.types.push(AtomType { name: ty.name.clone(), element: ty.element.clone() });
                self.topology.types.len() - 1
            }) as u32);
            masses.push(ty.mass);
        }
        let (interactions, close) = self.assigner.molecule(template)?;
        for used in &interactions {
            self.enter(used.entry);
        }
        let (mut excluded, mut scaled) = (Vec::new(), Vec::new());
        for (atoms, bonds_apart) in close {
            let s = &template.scaling;
            let factor = [s.one_two, s.one_three, s.one_four][bonds_apart - 1];
            if factor.vdw == 1.0 && factor.coulomb == 1.0 {
                continue;
            }
            excluded.push(atoms);
            if factor.vdw != 0.0 || factor.coulomb != 0.0 {
                scaled.push(ScaledPair {
                    atoms,
                    vdw: factor.vdw,
                    coulomb: factor.coulomb,
                    charges: None,
                    pair_override: None,
                    cut: false,
                });
            }
        }
        self.kinds.push((address, Kind { types, masses, interactions, excluded, scaled }));
        Ok(self.kinds.len() - 1)
    }

    /// Gives the terms of `entry` their places in the interaction lists.
    fn enter(&mut self, entry: usize) {
        if self.rows.contains_key(&entry) {
            return;
        }
        let parameters = &self.data.bonded[entry];
        let class = class_of(parameters.class).0;
        let lists = &mut self.topology.interactions;
        let mut places = Vec::new();
        for term in &parameters.terms {
            let list = lists.iter().position(|l| l.class == class && l.form == term.form).unwrap_or_else(|| {
                lists.push(Interactions {
                    class,
                    form: term.form.clone(),
                    atoms: Vec::new(),
                    kind: Vec::new(),
                    parameters: Vec::new(),
                });
                lists.len() - 1
            });
            lists[list].parameters.push(term.parameters.clone());
            places.push((list, lists[list].parameters.len() as u32 - 1));
        }
        self.rows.insert(entry, places);
    }

    fn place(&mut self, template: &MoleculeTemplate, kind: usize, scale: f64) {
        let kind = &self.kinds[kind].1;
        let top = &mut self.topology;
        let first = top.type_of.len();
        let at = |a: u32| a + first as u32;
        top.type_of.extend(&kind.types);
        top.masses.extend(&kind.masses);
        top.names.extend(template.atoms.iter().map(|a| &a.name));
        top.nominal_charges.extend(template.atoms.iter().map(|a| a.charge));
        top.charges.extend(template.atoms.iter().map(|a| a.charge * scale));
        top.molecules.push(Molecule { kind: template.name.clone(), first, count: template.atoms.len() });
        let mut start = first;
        for (name, count) in &template.residues {
            top.residues.push(Residue { name: name.clone(), first: start, count: *count });
            start += count;
        }
        top.bonds.extend(template.bonds.iter().map(|b| b.map(|a| at(a as u32))));
        self.excluded.extend(kind.excluded.iter().map(|p| p.map(at)));
        top.scaled_pairs.extend(kind.scaled.iter().map(|s| ScaledPair { atoms: s.atoms.map(at), ..*s }));
        for used in &kind.interactions {
            for &(list, row) in &self.rows[&used.entry] {
                top.interactions[list].atoms.extend(used.atoms.iter().map(|&a| at(a)));
                top.interactions[list].kind.push(row);
            }
            *self.entry_uses.entry((used.entry, used.types.clone())).or_default() += 1;
        }
        let all = first as u32..(first + template.atoms.len()) as u32;
        top.groups.entry(template.name.clone()).or_default().extend(all);
        for (group, atoms) in &template.groups {
            let name = format!("{} {group}", template.name);
            top.groups.entry(name).or_default().extend(atoms.iter().map(|&a| at(a as u32)));
        }
    }
}

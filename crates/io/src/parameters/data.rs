//! What a set of parameter files says, in internal units (nm, u, e, kJ/mol, rad).

use std::collections::BTreeMap;
use std::path::PathBuf;

use amelo_core::FormClass;
use serde::{Deserialize, Serialize};

use super::{MoleculeTemplate, OxideTemplate, PolymerTemplate, Salt};

/// Everything that the loaded parameter files say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ForceFieldData {
    /// The files, in the order in which they were named.
    pub files: Vec<FileRecord>,
    /// Atom types by name.
    pub types: BTreeMap<String, TypeParameters>,
    /// Potentials written for single pairs of types, in file order.
    pub pairs: Vec<PairParameters>,
    /// Bonded parameters by types, in file order.
    pub bonded: Vec<BondedParameters>,
    /// Molecules and ions by name.
    pub molecules: BTreeMap<String, MoleculeTemplate>,
    /// Polymers by name.
    pub polymers: BTreeMap<String, PolymerTemplate>,
    /// Salts by name.
    pub salts: BTreeMap<String, Salt>,
    /// Oxides by name.
    pub oxides: BTreeMap<String, OxideTemplate>,
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Name as asked for.
    pub name: String,
    /// Where it was found; `<built-in>/NAME.toml` for a file inside the program.
    pub path: PathBuf,
    /// The file's own title.
    pub title: String,
    /// SHA-256 of its bytes, hexadecimal.
    pub sha256: String,
}

/// How two types' own Lennard-Jones parameters make those of their pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mixing {
    /// σ = √(σᵢσⱼ), ε = √(εᵢεⱼ).
    Geometric,
    /// σ = (σᵢ + σⱼ)/2, ε = √(εᵢεⱼ).
    LorentzBerthelot,
}

impl Mixing {
    /// Every rule.
    pub const ALL: [Mixing; 2] = [Mixing::Geometric, Mixing::LorentzBerthelot];

    /// Name in parameter files.
    pub fn name(self) -> &'static str {
        match self {
            Mixing::Geometric => "geometric",
            Mixing::LorentzBerthelot => "lorentz-berthelot",
        }
    }
}

/// An atom type.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeParameters {
    /// Name, for example `OS`.
    pub name: String,
    /// Element symbol.
    pub element: String,
    /// Mass (u).
    pub mass: f64,
    /// Name under which bonded parameters are looked up; usually the type's own.
    pub bonded: String,
    /// σ (nm) and ε (kJ/mol) to be mixed with other types', with the rule and the source.
    pub lennard_jones: Option<TypeLennardJones>,
    /// Where the type comes from.
    pub source: String,
    /// File that defines it.
    pub file: String,
}

/// A type's own Lennard-Jones parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeLennardJones {
    /// Diameter (nm).
    pub sigma: f64,
    /// Depth (kJ/mol).
    pub epsilon: f64,
    /// How it is mixed.
    pub mixing: Mixing,
    /// Where the numbers come from.
    pub source: String,
    /// File that gives them.
    pub file: String,
}

/// The potential written for one pair of types.
#[derive(Clone, Debug, PartialEq)]
pub struct PairParameters {
    /// The two types.
    pub types: [String; 2],
    /// What acts between them.
    pub potential: PairPotential,
    /// Whether it is meant to replace what an earlier entry or a rule says.
    pub replaces: bool,
    /// Where the numbers come from.
    pub source: String,
    /// File that gives them.
    pub file: String,
}

/// What acts between a pair of types.
#[derive(Clone, Debug, PartialEq)]
pub enum PairPotential {
    /// Declared: nothing (charges still interact).
    None,
    /// A registered pair potential.
    Form(FormTerm),
}

impl PairPotential {
    /// Whether both say the same.
    pub fn agrees(&self, other: &PairPotential) -> bool {
        match (self, other) {
            (PairPotential::None, PairPotential::None) => true,
            (PairPotential::Form(a), PairPotential::Form(b)) => a.agrees(b),
            _ => false,
        }
    }
}

/// A functional form with numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct FormTerm {
    /// Name in the registry of its class.
    pub form: String,
    /// Parameters in the order that the form declares, internal units.
    pub parameters: Vec<f64>,
}

impl FormTerm {
    /// Whether both say the same; the same number in two units differs by rounding.
    pub fn agrees(&self, other: &FormTerm) -> bool {
        self.form == other.form
            && self.parameters.len() == other.parameters.len()
            && self.parameters.iter().zip(&other.parameters).all(|(a, b)| agree(*a, *b))
    }
}

/// Whether two numbers differ by no more than the rounding of a change of units.
pub(super) fn agree(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-14 * a.abs().max(b.abs())
}

/// Bonded parameters of one combination of types.
#[derive(Clone, Debug, PartialEq)]
pub struct BondedParameters {
    /// Bond, angle, dihedral or improper.
    pub class: FormClass,
    /// Bonded type names; `*` stands for any.
    pub types: Vec<String>,
    /// Terms that add up; none where the file declares `none`.
    pub terms: Vec<FormTerm>,
    /// Where the numbers come from.
    pub source: String,
    /// File that gives them.
    pub file: String,
}

/// Factors of one kind of pair inside a molecule.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairScale {
    /// Factor of the pair potential.
    pub vdw: f64,
    /// Factor of q_i q_j / r.
    pub coulomb: f64,
}

/// Factors of pairs that are one, two and three bonds apart. Where both are 0 the pair is simply excluded,
/// where both are 1 it is an ordinary pair.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scaling {
    /// One bond apart.
    pub one_two: PairScale,
    /// Two bonds apart.
    pub one_three: PairScale,
    /// Three bonds apart.
    pub one_four: PairScale,
}

impl Default for Scaling {
    /// 1-2 and 1-3 excluded, 1-4 in full.
    fn default() -> Self {
        let (off, full) = (PairScale { vdw: 0.0, coulomb: 0.0 }, PairScale { vdw: 1.0, coulomb: 1.0 });
        Scaling { one_two: off, one_three: off, one_four: full }
    }
}

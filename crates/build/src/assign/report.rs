//! The record of an assignment: every parameter that enters the run, with its source.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use amelo_core::{FormClass, FormInfo, PairTable, Provenance, Topology};
use amelo_io::parameters::{FileRecord, ForceFieldData, MoleculeTemplate, Scaling};
use serde::{Deserialize, Serialize};

use super::class_of;

/// Where everything in a topology comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssignmentReport {
    /// Parameter files with their hashes.
    pub files: Vec<FileRecord>,
    /// Molecules by kind.
    pub molecules: Vec<MoleculeRow>,
    /// Atom types that are used.
    pub types: Vec<TypeRow>,
    /// Every pair of these types.
    pub pairs: Vec<PairRow>,
    /// Bonded parameters that are used.
    pub bonded: Vec<BondedRow>,
    /// Sum of the charges (e).
    pub net_charge: f64,
    /// Sum of the charges before scaling (e).
    pub net_nominal_charge: f64,
    /// What deserves a second look.
    pub warnings: Vec<String>,
}

/// All molecules of one kind and size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MoleculeRow {
    /// Kind.
    pub name: String,
    /// How many.
    pub count: usize,
    /// Atoms in each.
    pub atoms: usize,
    /// Charge of each before scaling (e).
    pub nominal_charge: f64,
    /// Factor of its charges.
    pub charge_scale: f64,
    /// Factors of pairs one to three bonds apart.
    pub scaling: Scaling,
    /// Where charges and geometry come from.
    pub source: String,
}

/// One atom type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TypeRow {
    /// Type.
    pub name: String,
    /// Element.
    pub element: String,
    /// Mass (u).
    pub mass: f64,
    /// Atoms of this type.
    pub count: usize,
    /// Lowest and highest charge among them, after scaling (e).
    pub charges: [f64; 2],
    /// File and source.
    pub source: String,
}

/// The potential between two types.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairRow {
    /// The types.
    pub types: [String; 2],
    /// Functional form, or `none`.
    pub form: String,
    /// Its parameters.
    pub parameters: Vec<ParameterRow>,
    /// explicit, rule, override or none.
    pub provenance: Provenance,
    /// File and source.
    pub source: String,
}

/// One term of a bonded interaction of given types; a `none` entry has one row without parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BondedRow {
    /// bond, angle, dihedral or improper.
    pub class: String,
    /// Bonded types, joined by dashes.
    pub types: String,
    /// The entry that fits them; differs from `types` where it has wildcards.
    pub entry: String,
    /// Functional form, or `none`.
    pub form: String,
    /// Its parameters.
    pub parameters: Vec<ParameterRow>,
    /// How many there are in the system.
    pub count: usize,
    /// File and source.
    pub source: String,
}

/// A parameter by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParameterRow {
    /// Name.
    pub name: String,
    /// Value in `unit`.
    pub value: f64,
    /// Internal unit.
    pub unit: String,
}

pub(super) fn report(
    topology: &Topology,
    pair_table: &PairTable,
    molecules: &[Arc<MoleculeTemplate>],
    data: &ForceFieldData,
    charge_scale: &BTreeMap<String, f64>,
    entry_uses: &BTreeMap<(usize, Rc<str>), usize>,
) -> AssignmentReport {
    let forms = amelo_forces::registry::all();
    let mut report = AssignmentReport {
        files: data.files.clone(),
        molecules: molecule_rows(molecules, charge_scale),
        types: type_rows(topology, data),
        pairs: Vec::new(),
        bonded: Vec::new(),
        net_charge: topology.charges.iter().sum(),
        net_nominal_charge: topology.nominal_charges.iter().sum(),
        warnings: Vec::new(),
    };
    for (i, j, entry) in pair_table.iter() {
        report.pairs.push(PairRow {
            types: [i, j].map(|k| topology.types[k].name.clone()),
            form: entry.form.clone(),
            parameters: parameter_rows(&forms, FormClass::Pair, &entry.form, &entry.parameters),
            provenance: entry.provenance.clone(),
            source: entry.source.clone(),
        });
    }
    for ((entry, types), &count) in entry_uses {
        let entry = &data.bonded[*entry];
        let row = |form: &str, parameters| BondedRow {
            class: class_of(entry.class).1.into(),
            types: types.to_string(),
            entry: entry.types.join("-"),
            form: form.into(),
            parameters,
            count,
            source: format!("{}: {}", entry.file, entry.source),
        };
        if entry.terms.is_empty() {
            report.bonded.push(row("none", Vec::new()));
        }
        for term in &entry.terms {
            report.bonded.push(row(&term.form, parameter_rows(&forms, entry.class, &term.form, &term.parameters)));
        }
    }
    report.warnings = warnings(&report);
    report
}

fn parameter_rows(forms: &[FormInfo], class: FormClass, form: &str, values: &[f64]) -> Vec<ParameterRow> {
    let Some(info) = forms.iter().find(|f| f.class == class && f.name == form) else { return Vec::new() };
    let row = |(p, &value): (&amelo_core::ParameterInfo, &f64)| ParameterRow {
        name: p.name.into(),
        value,
        unit: p.dimension.units[0].into(),
    };
    info.parameters.iter().zip(values).map(row).collect()
}

fn molecule_rows(molecules: &[Arc<MoleculeTemplate>], charge_scale: &BTreeMap<String, f64>) -> Vec<MoleculeRow> {
    let mut rows: Vec<MoleculeRow> = Vec::new();
    for m in molecules {
        match rows.iter_mut().find(|r| r.name == m.name && r.atoms == m.atoms.len()) {
            Some(row) => row.count += 1,
            None => rows.push(MoleculeRow {
                name: m.name.clone(),
                count: 1,
                atoms: m.atoms.len(),
                nominal_charge: m.charge(),
                charge_scale: charge_scale.get(&m.name).copied().unwrap_or(1.0),
                scaling: m.scaling,
                source: m.source.clone(),
            }),
        }
    }
    rows
}

fn type_rows(topology: &Topology, data: &ForceFieldData) -> Vec<TypeRow> {
    let mut rows: Vec<TypeRow> = topology
        .types
        .iter()
        .map(|t| {
            let ty = data.types.get(&t.name);
            TypeRow {
                name: t.name.clone(),
                element: t.element.clone(),
                mass: ty.map_or(f64::NAN, |ty| ty.mass),
                count: 0,
                charges: [f64::INFINITY, f64::NEG_INFINITY],
                source: ty.map_or(String::new(), |ty| format!("{}: {}", ty.file, ty.source)),
            }
        })
        .collect();
    for (&ty, &q) in topology.type_of.iter().zip(&topology.charges) {
        let row = &mut rows[ty as usize];
        row.count += 1;
        row.charges = [row.charges[0].min(q), row.charges[1].max(q)];
    }
    rows
}

/// Charges that do not add up, and scalings that break a balance.
fn warnings(report: &AssignmentReport) -> Vec<String> {
    let mut warnings = Vec::new();
    // Rounding of a sum over n charges stays far below; a forgotten counter-ion far above.
    let neutral = |q: f64| q.abs() < 1e-6;
    let (net, nominal) = (report.net_charge, report.net_nominal_charge);
    if !neutral(nominal) {
        warnings.push(format!(
            "the system has a net charge of {nominal:.6} e before scaling: an ion is missing or too many"
        ));
    } else if !neutral(net) {
        warnings.push(format!("the scaled charges add up to {net:.6} e: scale cations and anions by the same factor"));
    }
    if report.molecules.iter().any(|m| m.name == "oxide" && m.charge_scale != 1.0) {
        warnings.push(
            "the oxide's charges are scaled: its Buckingham potentials were fitted with the unscaled ones".into(),
        );
    }
    warnings
}

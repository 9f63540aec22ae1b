//! The molecules of a deck: names looked up in the force field, salts turned into ions, ratios into counts.

use std::sync::Arc;

use amelo_io::parameters::{ForceFieldData, MoleculeTemplate, TemplateError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::BuildError;
use crate::contacts::radius;
use crate::packing::Guest;
use crate::polymer::Growth;

/// One kind of molecule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MoleculeConfig {
    /// Name of a polymer, molecule, ion or salt in the parameter files, for example "PEO", "LiTFSI".
    pub name: String,
    /// Repeat units of each chain; polymers only.
    pub monomers: Option<usize>,
    /// Ends of each chain, by their name in the parameter file; the polymer's default if left out.
    pub ends: Option<String>,
    /// How many; of a salt, formula units.
    pub count: Option<usize>,
    /// In place of `count`, for a salt: repeat units of all polymers per formula unit of the salt.
    pub eo_to_li: Option<f64>,
}

/// One kind of molecule, as built.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MoleculeReport {
    /// Name.
    pub name: String,
    /// How many.
    pub count: usize,
    /// Atoms in each.
    pub atoms: usize,
    /// Repeat units in each; absent where it is no polymer.
    pub monomers: Option<usize>,
    /// Charge of each before scaling (e).
    pub charge: f64,
    /// Mass of each (u).
    pub mass: f64,
}

/// One entry of the deck, resolved to copies of one template.
pub(crate) struct Batch {
    pub template: Arc<MoleculeTemplate>,
    pub count: usize,
    pub monomers: Option<usize>,
    pub key: String,
}

/// Looks every entry up in the force field; polymers come first, salts become their ions.
/// `section` is the deck's key of the list.
pub(crate) fn resolve_molecules(
    entries: &[MoleculeConfig],
    section: &str,
    data: &ForceFieldData,
) -> Result<Vec<Batch>, BuildError> {
    let mut polymers = Vec::new();
    for (k, entry) in entries.iter().enumerate().filter(|(_, e)| data.polymers.contains_key(&e.name)) {
        let key = format!("{section}[{k}]");
        if entry.eo_to_li.is_some() {
            return Err(BuildError::config(
                format!("{key}.eo_to_li"),
                "`eo_to_li` is for salts; give a polymer its `count`",
            ));
        }
        let Some(monomers) = entry.monomers else {
            return Err(BuildError::config(
                key,
                format!("{} is a polymer: write `monomers`, its repeat units", entry.name),
            ));
        };
        let template = data.polymers[&entry.name].chain(monomers, entry.ends.as_deref()).map_err(|e| {
            let field = if matches!(e, TemplateError::UnknownEnds { .. }) { "ends" } else { "monomers" };
            BuildError::config(format!("{key}.{field}"), e.to_string())
        })?;
        let count = count(entry, &key)?;
        polymers.push(Batch { template: Arc::new(template), count, monomers: Some(monomers), key });
    }
    let units = repeat_units(&polymers);
    let mut batches = polymers;
    for (k, entry) in entries.iter().enumerate().filter(|(_, e)| !data.polymers.contains_key(&e.name)) {
        let key = format!("{section}[{k}]");
        if let Some(field) = entry.monomers.map(|_| "monomers").or(entry.ends.as_ref().map(|_| "ends")) {
            return Err(BuildError::config(
                format!("{key}.{field}"),
                format!("{} is not a polymer; leave `{field}` out", entry.name),
            ));
        }
        let ions = match (data.salts.get(&entry.name), data.molecules.contains_key(&entry.name)) {
            (Some(salt), _) => salt.ions.clone(),
            (None, true) => vec![(entry.name.clone(), 1)],
            (None, false) => return Err(unknown(&entry.name, &key, data)),
        };
        let formulas = match entry.eo_to_li {
            None => count(entry, &key)?,
            Some(ratio) => formulas_from_ratio(entry, ratio, units, &key)?,
        };
        for (ion, each) in ions {
            let Some(template) = data.molecules.get(&ion) else { return Err(unknown(&ion, &key, data)) };
            batches.push(Batch {
                template: Arc::new(template.clone()),
                count: formulas * each,
                monomers: None,
                key: key.clone(),
            });
        }
    }
    Ok(batches)
}

fn count(entry: &MoleculeConfig, key: &str) -> Result<usize, BuildError> {
    match entry.count {
        Some(0) => {
            Err(BuildError::config(format!("{key}.count"), "`count` must be at least 1; or leave the entry out"))
        }
        Some(count) => Ok(count),
        None => {
            Err(BuildError::config(key, format!("how many {}? write `count` (or, for a salt, `eo_to_li`)", entry.name)))
        }
    }
}

fn formulas_from_ratio(entry: &MoleculeConfig, ratio: f64, units: usize, key: &str) -> Result<usize, BuildError> {
    let key = format!("{key}.eo_to_li");
    if entry.count.is_some() {
        return Err(BuildError::config(key, "`count` and `eo_to_li` exclude each other; write one of the two"));
    }
    if ratio.is_nan() || ratio <= 0.0 {
        return Err(BuildError::config(key, format!("repeat units per Li must be positive, but are {ratio}")));
    }
    if units == 0 {
        return Err(BuildError::config(key, "there is no polymer to count repeat units of; write `count`"));
    }
    if units < least_units(ratio) {
        return Err(BuildError::config(
            key,
            format!(
                "{units} repeat units at {ratio} per Li make less than one {}; add polymer or write `count = 1`",
                entry.name
            ),
        ));
    }
    Ok((units as f64 / ratio).round() as usize)
}

/// The fewest repeat units that make one formula unit of a salt at `ratio` of them for each: half of that is rounded up.
pub(crate) fn least_units(ratio: f64) -> usize {
    (0.5 * ratio).ceil() as usize
}

fn unknown(name: &str, key: &str, data: &ForceFieldData) -> BuildError {
    let known: Vec<&str> =
        data.polymers.keys().chain(data.salts.keys()).chain(data.molecules.keys()).map(String::as_str).collect();
    BuildError::config(
        format!("{key}.name"),
        format!(
            "no parameter file describes \"{name}\"; the files in forcefield.files know {}",
            if known.is_empty() { "no molecule".into() } else { known.join(", ") }
        ),
    )
}

pub(crate) fn repeat_units(batches: &[Batch]) -> usize {
    batches.iter().map(|b| b.count * b.monomers.unwrap_or(0)).sum()
}

pub(crate) fn guests(batches: &[Batch], data: &ForceFieldData) -> Result<Vec<Guest>, BuildError> {
    let mut guests = Vec::new();
    for batch in batches {
        let mut elements = Vec::new();
        for (k, atom) in batch.template.atoms.iter().enumerate() {
            elements.push(element(&batch.template, k, &atom.type_name, data)?);
        }
        let radii = elements.iter().map(|e| radius(e)).collect();
        let growth = Arc::new(Growth::new(batch.template.clone(), radii)?);
        let is_hydrogen: Arc<[bool]> = elements.iter().map(|e| *e == "H").collect();
        let guest = Guest { growth, is_hydrogen, key: batch.key.clone() };
        guests.extend(std::iter::repeat_n(guest, batch.count));
    }
    Ok(guests)
}

fn element<'a>(
    template: &MoleculeTemplate,
    atom: usize,
    type_name: &str,
    data: &'a ForceFieldData,
) -> Result<&'a str, BuildError> {
    data.types.get(type_name).map(|t| t.element.as_str()).ok_or_else(|| unknown_type(template, atom, type_name))
}

pub(crate) fn mass(template: &MoleculeTemplate, data: &ForceFieldData) -> Result<f64, BuildError> {
    let mut sum = 0.0;
    for (k, atom) in template.atoms.iter().enumerate() {
        let known = data.types.get(&atom.type_name);
        sum += known.ok_or_else(|| unknown_type(template, k, &atom.type_name))?.mass;
    }
    Ok(sum)
}

fn unknown_type(template: &MoleculeTemplate, atom: usize, type_name: &str) -> BuildError {
    BuildError::Template {
        molecule: template.name.clone(),
        atom,
        name: template.atoms[atom].name.clone(),
        message: format!("no parameter file defines its type \"{type_name}\"; add the file to forcefield.files"),
    }
}

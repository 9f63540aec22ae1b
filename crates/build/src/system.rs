//! From a deck's `[system]` to a cell full of atoms: the oxide, the space beside it, and the molecules in it.

use std::sync::Arc;

use amelo_core::units::GRAM_PER_CM3;
use amelo_core::{Cell, quantity};
use amelo_io::parameters::{ForceFieldData, MoleculeTemplate, TemplateError};
use amelo_math::Vec3;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::BuildError;
use crate::contacts::{Contacts, radius};
use crate::oxide::{Oxide, OxideConfig, OxideReport};
use crate::packing::{Guest, PackingReport, pack};
use crate::polymer::Growth;

/// A system built from parts. Three shapes: an oxide slab with molecules (`lateral` and `[system.oxide.…]`), a
/// periodic box of molecules (`box`, or a cube by `packing_density`), or a periodic crystal alone
/// (`oxide.….supercell`).
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SystemConfig {
    /// Edges along x and y. With an oxide they become those of the nearest supercell.
    pub lateral: Option<[quantity::Length; 2]>,
    /// Edges of a periodic box without oxide; excludes `lateral`, `gap` and `packing_density`.
    #[serde(rename = "box")]
    pub edges: Option<[quantity::Length; 3]>,
    /// What lies beyond the organic layer along z: "sandwich" (default), the oxide's other face through the periodic
    /// boundary; or film = { vacuum = "6 nm" }.
    #[serde(default)]
    pub geometry: Geometry,
    /// Height of the space for molecules between the faces of the oxide, between outermost nuclei. Left out: it
    /// follows from `packing_density`.
    pub gap: Option<quantity::Length>,
    /// Density of the molecules as first packed, before any relaxation (default 0.95 g/cm^3). The space next to
    /// the oxide that no nucleus can enter (0.15 nm at each face) is not counted. Pressure coupling does the rest.
    pub packing_density: Option<quantity::Density>,
    /// The oxide; leave it out for a box of molecules alone.
    pub oxide: Option<OxideConfig>,
    /// The molecules, one table each.
    #[serde(default)]
    pub molecule: Vec<MoleculeConfig>,
}

/// What lies beyond the organic layer along z.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Geometry {
    /// Periodic: the other face of the oxide, or the box itself.
    #[default]
    Sandwich,
    /// Vacuum above the molecules. Ask for the slab correction with it (`nonbonded.slab`).
    Film(FilmConfig),
}

/// A film with vacuum in the cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FilmConfig {
    /// Height of the empty space above the molecules.
    pub vacuum: quantity::Length,
}

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

/// Density of a fresh packing where the deck says nothing (g/cm³): a little below the PEO melt's 1.07 at 363 K.
const DEFAULT_DENSITY: f64 = 0.95;

/// Density beyond which no molecule here exists (g/cm³); solid LiTFSI has 1.33, dense ionic liquids 1.6.
const HIGHEST_DENSITY: f64 = 2.0;

/// Distance that every organic nucleus keeps from the plane of the oxide's outermost nuclei (nm).
const CLEARANCE: f64 = 0.15;

/// Thinnest layer that molecules are packed into (nm): about one of them.
const THINNEST_LAYER: f64 = 0.35;

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

/// What was built.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BuildReport {
    /// Atoms in all.
    pub n_atoms: usize,
    /// Box vectors as rows (nm).
    pub cell: [[f64; 3]; 3],
    /// Mass over the volume of the whole cell (g/cm³).
    pub density: f64,
    /// The oxide.
    pub oxide: Option<OxideReport>,
    /// The molecules, in the order of their atoms.
    pub molecules: Vec<MoleculeReport>,
    /// Lowest and highest z open to molecules (nm), where not everything is.
    pub zone: Option<[f64; 2]>,
    /// Mass of the molecules over the space open to them (g/cm³).
    pub packing_density: Option<f64>,
    /// Repeat units per Li, where there are both.
    pub eo_to_li: Option<f64>,
    /// How the packing went.
    pub packing: Option<PackingReport>,
}

/// Geometry alone: which molecules, and where.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Molecules in the order of their atoms: oxide, polymers, the rest.
    pub molecules: Vec<Arc<MoleculeTemplate>>,
    /// Periodic cell.
    pub cell: Cell,
    /// \[n_atoms\] positions (nm); molecules are whole, so some lie outside the cell.
    pub positions: Vec<Vec3>,
    /// What was built.
    pub report: BuildReport,
}

/// One entry of the deck, resolved to copies of one template.
struct Batch {
    template: Arc<MoleculeTemplate>,
    count: usize,
    monomers: Option<usize>,
    key: String,
}

/// Places everything that `config` asks for; the same seed gives the same bits.
pub fn place(config: &SystemConfig, data: &ForceFieldData, seed: u64) -> Result<Placed, BuildError> {
    let batches = resolve_molecules(&config.molecule, data)?;
    let mut organic_mass = 0.0;
    let mut molecules = Vec::new();
    for batch in &batches {
        let mass = mass(&batch.template, data)?;
        organic_mass += mass * batch.count as f64;
        molecules.push(MoleculeReport {
            name: batch.template.name.clone(),
            count: batch.count,
            atoms: batch.template.atoms.len(),
            monomers: batch.monomers,
            charge: batch.template.charge(),
            mass,
        });
    }
    let lateral = config.lateral.map(|l| l.map(|e| e.0));
    let mut oxide = config.oxide.as_ref().map(|o| o.build(lateral, data)).transpose()?;
    let space = Space::new(config, oxide.as_ref(), organic_mass)?;

    let mut contacts = Contacts::new(space.cell, space.zone, crate::packing::FIRST_SCALE);
    let mut positions = Vec::new();
    let mut templates = Vec::new();
    let mut total_mass = organic_mass;
    if let Some(oxide) = &mut oxide {
        for (r, element) in oxide.positions.iter().zip(&oxide.elements) {
            let r = *r + Vec3::new(0.0, 0.0, space.floor);
            contacts.push(r, radius(element));
            positions.push(r);
        }
        oxide.report_coordination(&contacts);
        total_mass += mass(&oxide.template, data)?;
        templates.push(oxide.template.clone());
    }

    let guests = guests(&batches, data)?;
    let mut packing = None;
    if !guests.is_empty() {
        let (placed, report) = pack(&guests, &mut contacts, seed)?;
        packing = Some(report);
        positions.extend(placed.into_iter().flatten());
        templates.extend(guests.iter().map(|g| g.growth.template().clone()));
    }
    let repeat_units = repeat_units(&batches);
    let lithium: usize = batches.iter().filter(|b| b.template.name == "Li").map(|b| b.count).sum();
    let report = BuildReport {
        n_atoms: positions.len(),
        cell: space.cell.vectors().to_array(),
        density: total_mass / space.cell.volume() / GRAM_PER_CM3,
        oxide: oxide.map(|o| o.report),
        molecules,
        zone: space.zone,
        packing_density: packing.is_some().then(|| organic_mass / space.open_volume / GRAM_PER_CM3),
        eo_to_li: (repeat_units > 0 && lithium > 0).then(|| repeat_units as f64 / lithium as f64),
        packing,
    };
    tracing::info!(atoms = report.n_atoms, density = report.density, "system built");
    Ok(Placed { molecules: templates, cell: space.cell, positions, report })
}

/// The cell and where in it the molecules go.
struct Space {
    cell: Cell,
    /// z of the oxide's lowest nuclei (nm).
    floor: f64,
    zone: Option<[f64; 2]>,
    /// Volume open to molecules (nm³).
    open_volume: f64,
}

impl Space {
    fn new(config: &SystemConfig, oxide: Option<&Oxide>, mass: f64) -> Result<Self, BuildError> {
        if let Some(density) = config.packing_density {
            check_density(density.0 / GRAM_PER_CM3, "system.packing_density")?;
        }
        let density = config.packing_density.map_or(DEFAULT_DENSITY * GRAM_PER_CM3, |d| d.0);
        let space = match oxide {
            Some(oxide) if oxide.periodic.is_some() => Space::crystal(config, oxide),
            _ if oxide.is_some() || config.lateral.is_some() => Space::layered(config, oxide, mass, density),
            _ => Space::bulk(config, mass, density),
        }?;
        let width = 2.0 * space.cell.half_width();
        if mass > 0.0 && width < Contacts::smallest_width() {
            return Err(BuildError::config(
                if config.edges.is_some() { "system.box" } else { "system.lateral" },
                format!(
                    "the cell is {width:.3} nm across, too narrow to pack molecules into; make it at least {} nm \
                     (and twice the cut-off to simulate it)",
                    Contacts::smallest_width()
                ),
            ));
        }
        Ok(space)
    }

    fn crystal(config: &SystemConfig, oxide: &Oxide) -> Result<Self, BuildError> {
        let misplaced = [
            (config.edges.is_some(), "system.box"),
            (config.gap.is_some(), "system.gap"),
            (config.packing_density.is_some(), "system.packing_density"),
            (config.geometry != Geometry::Sandwich, "system.geometry"),
            (!config.molecule.is_empty(), "system.molecule"),
        ];
        if let Some((_, key)) = misplaced.into_iter().find(|(there, _)| *there) {
            return Err(BuildError::config(
                key,
                "a periodic crystal (`supercell`) leaves no room beside it; leave this key out, or ask for a slab with \
                 `surface` and `thickness`",
            ));
        }
        Ok(Space { cell: oxide.cell(0.0)?, floor: 0.0, zone: None, open_volume: 0.0 })
    }

    fn bulk(config: &SystemConfig, mass: f64, density: f64) -> Result<Self, BuildError> {
        if config.gap.is_some() {
            return Err(BuildError::config("system.gap", "there is no gap without an oxide; write `box` instead"));
        }
        if config.geometry != Geometry::Sandwich {
            return Err(BuildError::config(
                "system.lateral",
                "a film needs its edges along x and y, for example [\"3 nm\", \"3 nm\"]",
            ));
        }
        if mass == 0.0 {
            return Err(BuildError::config(
                "system",
                "nothing to build: write [system.oxide.anatase], or [[system.molecule]] with a `box`",
            ));
        }
        let edges = match config.edges {
            Some(_) if config.packing_density.is_some() => {
                return Err(BuildError::config(
                    "system.packing_density",
                    "`box` already fixes the density; write one of the two",
                ));
            }
            Some(edges) => edges.map(|e| e.0),
            None => [amelo_math::special::pow(mass / density, 1.0 / 3.0); 3],
        };
        let cell = Cell::orthorhombic(edges[0], edges[1], edges[2]).map_err(|_| {
            BuildError::config("system.box", format!("the edges of a box must be positive, but are {edges:?} nm"))
        })?;
        check_density(mass / cell.volume() / GRAM_PER_CM3, "system.box")?;
        Ok(Space { cell, floor: 0.0, zone: None, open_volume: cell.volume() })
    }

    fn layered(config: &SystemConfig, oxide: Option<&Oxide>, mass: f64, density: f64) -> Result<Self, BuildError> {
        if config.edges.is_some() {
            return Err(BuildError::config(
                "system.box",
                "`box` is for molecules alone; with an oxide or `lateral` the height follows from the parts",
            ));
        }
        let lateral = config.lateral.map_or([0.0; 2], |l| l.map(|e| e.0));
        if let Some(axis) = (0..2).find(|&k| lateral[k] <= 0.0) {
            return Err(BuildError::config(
                format!("system.lateral[{axis}]"),
                format!("an edge must be positive, but is {} nm", lateral[axis]),
            ));
        }
        let [a, b] = match oxide {
            Some(oxide) => oxide.lateral,
            None => [Vec3::new(lateral[0], 0.0, 0.0), Vec3::new(0.0, lateral[1], 0.0)],
        };
        let area = a.cross(b).norm();
        // Space at each face that no organic nucleus enters.
        let walls = if oxide.is_some() { 2.0 * CLEARANCE } else { 0.0 };
        if config.gap.is_some() && config.packing_density.is_some() {
            return Err(BuildError::config(
                "system.packing_density",
                "`gap` already fixes the density; write one of the two",
            ));
        }
        if config.gap.is_some() && oxide.is_none() {
            return Err(BuildError::config("system.gap", "there is no gap without an oxide; write `box` instead"));
        }
        let (height, key) = match config.gap {
            Some(gap) => (gap.0 - walls, "system.gap"),
            None => (mass / density / area, "system.lateral"),
        };
        if mass > 0.0 && height < THINNEST_LAYER {
            return Err(BuildError::config(
                key,
                format!(
                    "the layer of molecules would be {height:.3} nm thick (without {CLEARANCE} nm of clearance at each oxide \
                     face), thinner than one molecule; at least {THINNEST_LAYER} nm are needed: ask for more molecules, a \
                     smaller `lateral`, or a wider `gap`"
                ),
            ));
        }
        if mass > 0.0 {
            check_density(mass / (area * height) / GRAM_PER_CM3, key)?;
        }
        let extent = oxide.map_or(0.0, |o| o.extent);
        let (floor, zone, z) = match (&config.geometry, oxide) {
            (Geometry::Sandwich, Some(_)) => {
                if mass == 0.0 && config.gap.is_none() {
                    return Err(BuildError::config(
                        "system.geometry",
                        "a slab without molecules needs space beside it: write geometry = { film = { vacuum = \"6 nm\" } }, \
                         or a `gap`",
                    ));
                }
                // The slab stands so that the open zone does not cross the periodic boundary.
                let z = extent + walls + height;
                (CLEARANCE, Some([extent + walls, z]), z)
            }
            (Geometry::Sandwich, None) => (0.0, None, height),
            (Geometry::Film(film), _) => {
                if film.vacuum.0 <= 0.0 {
                    return Err(BuildError::config(
                        "system.geometry.film.vacuum",
                        format!(
                            "the vacuum is {} nm high; write a positive length, for example \"6 nm\"",
                            film.vacuum.0
                        ),
                    ));
                }
                let floor = CLEARANCE;
                let bottom = floor + extent + 0.5 * walls;
                (floor, Some([bottom, bottom + height]), bottom + height + film.vacuum.0)
            }
        };
        let cell = match oxide {
            Some(oxide) => oxide.cell(z)?,
            None => Cell::orthorhombic(a.x, b.y, z)
                .map_err(|e| BuildError::config("system.lateral", format!("no molecules to fill the box: {e}")))?,
        };
        Ok(Space { cell, floor, zone, open_volume: area * height })
    }
}

fn check_density(density: f64, key: &str) -> Result<(), BuildError> {
    if density > 0.0 && density <= HIGHEST_DENSITY {
        return Ok(());
    }
    Err(BuildError::config(
        key,
        format!(
            "the molecules would have a density of {density:.3} g/cm³, which is impossible (at most {HIGHEST_DENSITY}); \
             ask for more space, fewer molecules or shorter chains"
        ),
    ))
}

/// Looks every entry up in the force field; polymers come first, salts become their ions.
fn resolve_molecules(entries: &[MoleculeConfig], data: &ForceFieldData) -> Result<Vec<Batch>, BuildError> {
    let mut polymers = Vec::new();
    for (k, entry) in entries.iter().enumerate().filter(|(_, e)| data.polymers.contains_key(&e.name)) {
        let key = format!("system.molecule[{k}]");
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
        let key = format!("system.molecule[{k}]");
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
    let formulas = (units as f64 / ratio).round();
    if formulas < 1.0 {
        return Err(BuildError::config(
            key,
            format!(
                "{units} repeat units at {ratio} per Li make less than one {}; add polymer or write `count = 1`",
                entry.name
            ),
        ));
    }
    Ok(formulas as usize)
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

fn repeat_units(batches: &[Batch]) -> usize {
    batches.iter().map(|b| b.count * b.monomers.unwrap_or(0)).sum()
}

fn guests(batches: &[Batch], data: &ForceFieldData) -> Result<Vec<Guest>, BuildError> {
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

fn mass(template: &MoleculeTemplate, data: &ForceFieldData) -> Result<f64, BuildError> {
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

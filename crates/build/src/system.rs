//! From a deck's `[system]` to a cell full of atoms: the oxide, the space beside it, and the molecules in it.

use std::sync::Arc;

use amelo_core::units::GRAM_PER_CM3;
use amelo_core::{Cell, quantity};
use amelo_io::parameters::{ForceFieldData, MoleculeTemplate};
use amelo_math::Vec3;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::BuildError;
use crate::contacts::{Contacts, Zone, radius};
use crate::molecules::{Batch, MoleculeConfig, MoleculeReport, guests, mass, repeat_units, resolve_molecules};
use crate::oxide::{Oxide, OxideConfig, OxideReport};
use crate::packing::{PackingReport, pack};
use crate::pore::filling;

/// A system built from parts. Four shapes: an oxide slab with molecules (`lateral` and `[system.oxide.…]`), an oxide with
/// a filled pore (`oxide.….pore`), a periodic box of molecules (`box`, or a cube by `packing_density`), or a periodic
/// crystal alone (`oxide.….supercell`).
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
    /// the oxide that no nucleus can enter (0.15 nm at each face) is not counted. Pressure coupling does the rest. In a
    /// pore it is the density in the open volume, and sets the count of the one molecule whose `count` is left out.
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

/// Density of a fresh packing where the deck says nothing (g/cm³): a little below the PEO melt's 1.07 at 363 K.
const DEFAULT_DENSITY: f64 = 0.95;

/// Density beyond which no molecule here exists (g/cm³); solid LiTFSI has 1.33, dense ionic liquids 1.6.
const HIGHEST_DENSITY: f64 = 2.0;

/// Distance that every organic nucleus keeps from the plane of the oxide's outermost nuclei (nm).
const CLEARANCE: f64 = 0.15;

/// Thinnest layer that molecules are packed into (nm): about one of them.
const THINNEST_LAYER: f64 = 0.35;

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

/// Deck key of the molecules.
pub(crate) const MOLECULES: &str = "system.molecule";

/// How many of which molecules `config` asks for beside `oxide`.
fn batches(oxide: Option<&Oxide>, config: &SystemConfig, data: &ForceFieldData) -> Result<Vec<Batch>, BuildError> {
    match oxide.and_then(|o| o.report.pore.as_ref()) {
        Some(pore) => filling::molecules(config, pore.open_volume(), data),
        None => resolve_molecules(&config.molecule, MOLECULES, data),
    }
}

/// The molecules of `config` in the order of their atoms, those of `oxide` first: what [`place_beside`] places.
pub fn templates(
    oxide: Option<&Oxide>,
    config: &SystemConfig,
    data: &ForceFieldData,
) -> Result<Vec<Arc<MoleculeTemplate>>, BuildError> {
    let batches = batches(oxide, config, data)?;
    let each = batches.iter().flat_map(|b| std::iter::repeat_n(b.template.clone(), b.count));
    Ok(oxide.map(|o| o.template.clone()).into_iter().chain(each).collect())
}

/// Places everything that `config` asks for; the same seed gives the same bits.
pub fn place(config: &SystemConfig, data: &ForceFieldData, seed: u64) -> Result<Placed, BuildError> {
    let lateral = config.lateral.map(|l| l.map(|e| e.0));
    let oxide = config.oxide.as_ref().map(|o| o.build(lateral, data, seed)).transpose()?;
    place_beside(oxide, config, data, seed)
}

/// Places the molecules of `config` beside `oxide`, which takes the place of `config.oxide`.
pub fn place_beside(
    mut oxide: Option<Oxide>,
    config: &SystemConfig,
    data: &ForceFieldData,
    seed: u64,
) -> Result<Placed, BuildError> {
    let pore = oxide.as_ref().and_then(|o| o.report.pore.clone());
    let batches = batches(oxide.as_ref(), config, data)?;
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
    let space = match (&oxide, &pore) {
        (Some(oxide), Some(pore)) => Space::pore(config, oxide, pore, organic_mass)?,
        _ => Space::new(config, oxide.as_ref(), organic_mass)?,
    };

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
        if let Some(vacancies) = &mut oxide.report.vacancies {
            vacancies.shift(Vec3::new(0.0, 0.0, space.floor));
        }
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
        zone: match space.zone {
            Some(Zone::Slit(heights)) => Some(heights),
            _ => None,
        },
        packing_density: packing.is_some().then(|| organic_mass / space.open_volume / GRAM_PER_CM3),
        eo_to_li: (repeat_units > 0 && lithium > 0).then(|| repeat_units as f64 / lithium as f64),
        packing,
    };
    tracing::info!(atoms = report.n_atoms, density = report.density, "system built");
    Ok(Placed { molecules: templates, cell: space.cell, positions, report })
}

/// The cell and where in it the molecules go.
pub(crate) struct Space {
    pub cell: Cell,
    /// z of the oxide's lowest nuclei (nm).
    pub floor: f64,
    pub zone: Option<Zone>,
    /// Volume open to molecules (nm³).
    pub open_volume: f64,
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
                (CLEARANCE, Some(Zone::Slit([extent + walls, z])), z)
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
                (floor, Some(Zone::Slit([bottom, bottom + height])), bottom + height + film.vacuum.0)
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

pub(crate) fn check_density(density: f64, key: &str) -> Result<(), BuildError> {
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

//! The oxide of a deck: a slab with a named surface, or a block of the periodic crystal.

use std::collections::BTreeMap;
use std::sync::Arc;

use amelo_core::{Cell, quantity};
use amelo_io::parameters::{ForceFieldData, MoleculeTemplate};
use amelo_math::Vec3;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::BuildError;
use crate::amorphous::AmorphousConfig;
use crate::contacts::Contacts;
use crate::crystal::Crystal;
use crate::glass::Certificate;
use crate::surface::{BOND_LENGTH, Miller, SurfaceCell};

/// The oxide; the kind is the key.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OxideConfig {
    /// Anatase TiO₂ (I4₁/amd, a 3.7845 Å, c 9.5143 Å).
    Anatase(CrystalConfig),
    /// Rutile TiO₂ (P4₂/mnm, a 4.5937 Å, c 2.9587 Å).
    Rutile(CrystalConfig),
    /// Amorphous TiO₂, quenched from a melt.
    Amorphous(AmorphousConfig),
}

/// Which piece of the crystal: a slab (`surface` and `thickness`), or a periodic block (`supercell`).
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrystalConfig {
    /// Miller indices of the surface in the conventional cell, for example "101", "001", "1 -1 0". z is its normal;
    /// x is the longer edge of the surface cell ([1 0 -1] for anatase (101), with y along [0 1 0]).
    pub surface: Option<String>,
    /// Thickness of the slab, as volume of crystal per area. The nearest slab that is stoichiometric and without
    /// dipole is built and reported.
    pub thickness: Option<quantity::Length>,
    /// Height of the slab's lower cut above the lattice plane through a Ti atom, modulo the plane spacing. Left out:
    /// the non-polar cut that breaks the fewest bonds. A polar one is refused.
    pub cut: Option<quantity::Length>,
    /// Conventional cells along a, b, c of a periodic crystal without surface or molecules.
    pub supercell: Option<[usize; 3]>,
}

/// What was built, for people and for `amelo check`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OxideReport {
    /// Crystal, or `amorphous`.
    pub crystal: String,
    /// Miller indices of the surface; absent for a periodic crystal.
    pub surface: Option<String>,
    /// Surface cells along x and y, or conventional cells along a, b, c.
    pub repeats: Vec<usize>,
    /// Formula units TiO₂.
    pub formula_units: usize,
    /// Ratio of O to Ti atoms.
    pub oxygen_to_titanium: f64,
    /// Edges asked for along x and y (nm).
    pub lateral_asked: Option<[f64; 2]>,
    /// Edges of the nearest supercell (nm).
    pub lateral: [f64; 2],
    /// Thickness asked for (nm).
    pub thickness_asked: Option<f64>,
    /// Thickness as volume of crystal per area (nm).
    pub thickness: f64,
    /// Height of the highest above the lowest nuclei (nm).
    pub extent: f64,
    /// Dipole along z per area with the model's charges (e/nm; 1 e/nm = 0.1 e·Å/Å²).
    pub dipole_per_area: f64,
    /// Ti atoms by number of O within 0.25 nm; empty for a cell narrower than 0.5 nm.
    pub titanium_by_coordination: BTreeMap<usize, usize>,
    /// O atoms by number of Ti within 0.25 nm.
    pub oxygen_by_coordination: BTreeMap<usize, usize>,
    /// Shortest Ti–O distance (nm).
    pub shortest_bond: Option<f64>,
    /// The papers of a glass; absent for a crystal, and where a glass has not been made.
    pub glass: Option<Box<Certificate>>,
}

/// An oxide ready to receive molecules: its lowest nuclei at z = 0 (slab), or a whole periodic cell.
#[derive(Clone, Debug)]
pub struct Oxide {
    /// In-plane box vectors (nm).
    pub lateral: [Vec3; 2],
    /// Third box vector (nm) of a periodic crystal; absent for a slab.
    pub periodic: Option<Vec3>,
    /// The oxide as one molecule.
    pub template: Arc<MoleculeTemplate>,
    /// \[n_atoms\] element of each atom.
    pub elements: Vec<&'static str>,
    /// \[n_atoms\] positions (nm).
    pub positions: Vec<Vec3>,
    /// Height of the highest above the lowest nuclei (nm).
    pub extent: f64,
    /// The report, its coordination still empty.
    pub report: OxideReport,
}

impl OxideConfig {
    /// Deck path of this oxide.
    pub fn key(&self) -> String {
        match self {
            OxideConfig::Anatase(_) => "system.oxide.anatase".into(),
            OxideConfig::Rutile(_) => "system.oxide.rutile".into(),
            OxideConfig::Amorphous(_) => crate::amorphous::KEY.into(),
        }
    }

    /// Cuts the slab or repeats the crystal. `lateral`: edges asked for along x and y (nm).
    pub fn build(&self, lateral: Option<[f64; 2]>, data: &ForceFieldData) -> Result<Oxide, BuildError> {
        let key = self.key();
        let (crystal, config) = match self {
            OxideConfig::Anatase(config) => (Crystal::anatase(), config),
            OxideConfig::Rutile(config) => (Crystal::rutile(), config),
            OxideConfig::Amorphous(_) => {
                return Err(BuildError::config(key, "a glass is made by dynamics; hand its slab to the builder"));
            }
        };
        let mut oxide = match (&config.surface, config.thickness, config.supercell) {
            (Some(surface), Some(thickness), None) => {
                slab(crystal, surface, thickness.0, config.cut.map(|c| c.0), lateral, &key, data)?
            }
            (None, None, Some(supercell)) if config.cut.is_none() => block(crystal, supercell, lateral, &key, data)?,
            _ => {
                return Err(BuildError::config(
                    key,
                    "write either `surface` and `thickness` for a slab, or `supercell` alone for a periodic crystal",
                ));
            }
        };
        oxide.count();
        Ok(oxide)
    }
}

impl Oxide {
    /// Enters composition and dipole in the report.
    pub(crate) fn count(&mut self) {
        let titanium = self.elements.iter().filter(|e| **e == "Ti").count();
        self.report.formula_units = titanium;
        self.report.oxygen_to_titanium = (self.elements.len() - titanium) as f64 / titanium as f64;
        let [a, b] = self.lateral;
        if self.periodic.is_none() {
            let dipole: f64 = self.template.atoms.iter().zip(&self.positions).map(|(atom, r)| atom.charge * r.z).sum();
            self.report.dipole_per_area = dipole / a.cross(b).norm();
        }
    }

    /// Completes the report with the coordination that `contacts`, holding this oxide alone, shows. Left
    /// empty where the cell is narrower than two bonds.
    pub fn report_coordination(&mut self, contacts: &Contacts) {
        if contacts.cell().half_width() < BOND_LENGTH {
            // One partner through two faces would count once.
            return;
        }
        let mut shortest = f64::INFINITY;
        for (k, element) in self.elements.iter().enumerate() {
            let other = |j: usize| self.elements[j] != *element;
            let r = contacts.position(k);
            let partners = contacts.count_within(r, BOND_LENGTH, other);
            let histogram = match *element {
                "Ti" => &mut self.report.titanium_by_coordination,
                _ => &mut self.report.oxygen_by_coordination,
            };
            *histogram.entry(partners).or_default() += 1;
            shortest = shortest.min(contacts.nearest(r, other));
        }
        self.report.shortest_bond = Some(shortest);
    }

    /// The cell of this slab with height `z` (nm).
    pub fn cell(&self, z: f64) -> Result<Cell, BuildError> {
        let [a, b] = self.lateral;
        let c = self.periodic.unwrap_or(Vec3::new(0.0, 0.0, z));
        Cell::new(amelo_math::Mat3::from_rows(a, b, c)).map_err(|e| BuildError::config("system.lateral", e.to_string()))
    }
}

fn slab(
    crystal: Crystal,
    surface: &str,
    thickness: f64,
    cut: Option<f64>,
    lateral: Option<[f64; 2]>,
    key: &str,
    data: &ForceFieldData,
) -> Result<Oxide, BuildError> {
    let miller = Miller::parse(surface).ok_or_else(|| {
        BuildError::config(
            format!("{key}.surface"),
            format!(
                "\"{surface}\" is not a surface; write three Miller indices of at most 9, for example \"101\" or \"1 -1 0\""
            ),
        )
    })?;
    let lateral = lateral.ok_or_else(|| {
        BuildError::config("system.lateral", "a slab needs its edges along x and y, for example [\"3 nm\", \"3 nm\"]")
    })?;
    let name = crystal.name;
    let slab = SurfaceCell::new(crystal, miller).slab(lateral, thickness, cut, key)?;
    let atoms: Vec<_> = slab.atoms.iter().map(|a| (a.element, a.position)).collect();
    Ok(Oxide {
        lateral: [slab.a, slab.b],
        periodic: None,
        template: template(&atoms, data)?,
        elements: atoms.iter().map(|a| a.0).collect(),
        positions: atoms.iter().map(|a| a.1).collect(),
        extent: slab.extent,
        report: OxideReport {
            surface: Some(miller.to_string()),
            repeats: slab.repeats.to_vec(),
            lateral_asked: Some(lateral),
            lateral: [slab.a.norm(), slab.b.norm()],
            thickness_asked: Some(thickness),
            thickness: slab.thickness,
            extent: slab.extent,
            ..OxideReport::empty(name)
        },
    })
}

fn block(
    crystal: Crystal,
    supercell: [usize; 3],
    lateral: Option<[f64; 2]>,
    key: &str,
    data: &ForceFieldData,
) -> Result<Oxide, BuildError> {
    if lateral.is_some() {
        return Err(BuildError::config(
            "system.lateral",
            "a periodic crystal has the size of its `supercell`; leave `lateral` out",
        ));
    }
    if supercell.contains(&0) {
        return Err(BuildError::config(format!("{key}.supercell"), "each number of cells must be at least 1"));
    }
    let [a, b, c] = [0, 1, 2].map(|k| crystal.vectors.rows[k] * supercell[k] as f64);
    let mut atoms = Vec::new();
    for i in 0..supercell[0] {
        for j in 0..supercell[1] {
            for k in 0..supercell[2] {
                for site in &crystal.sites {
                    let x = site.position + Vec3::new(i as f64, j as f64, k as f64);
                    atoms.push((site.element, crystal.to_cartesian(x)));
                }
            }
        }
    }
    Ok(Oxide {
        lateral: [a, b],
        periodic: Some(c),
        template: template(&atoms, data)?,
        elements: atoms.iter().map(|a| a.0).collect(),
        positions: atoms.iter().map(|a| a.1).collect(),
        extent: c.z,
        report: OxideReport {
            repeats: supercell.to_vec(),
            lateral: [a.norm(), b.norm()],
            thickness: c.z,
            extent: c.z,
            ..OxideReport::empty(crystal.name)
        },
    })
}

impl OxideReport {
    pub(crate) fn empty(name: &str) -> Self {
        OxideReport {
            crystal: name.into(),
            surface: None,
            repeats: Vec::new(),
            formula_units: 0,
            oxygen_to_titanium: 0.0,
            lateral_asked: None,
            lateral: [0.0; 2],
            thickness_asked: None,
            thickness: 0.0,
            extent: 0.0,
            dipole_per_area: 0.0,
            titanium_by_coordination: BTreeMap::new(),
            oxygen_by_coordination: BTreeMap::new(),
            shortest_bond: None,
            glass: None,
        }
    }
}

/// The oxide as one molecule, with the types and charges of the force field's `TiO2`.
pub fn template(atoms: &[(&'static str, Vec3)], data: &ForceFieldData) -> Result<Arc<MoleculeTemplate>, BuildError> {
    let oxide = data.oxides.get("TiO2").ok_or_else(|| {
        let known: Vec<&str> = data.oxides.keys().map(String::as_str).collect();
        BuildError::config(
            "forcefield.files",
            format!(
                "no parameter file describes the oxide TiO2 (found: {}); add one, for example \"tio2-matsui-akaogi\"",
                if known.is_empty() { "none".into() } else { known.join(", ") }
            ),
        )
    })?;
    let atoms: Vec<(String, Vec3)> = atoms.iter().map(|(e, r)| (e.to_string(), *r)).collect();
    Ok(Arc::new(oxide.slab(&atoms)?))
}

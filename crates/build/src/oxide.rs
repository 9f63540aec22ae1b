//! The oxide of a deck: a slab with a named surface, or a block of the periodic crystal.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use amelo_core::{Cell, quantity};
use amelo_io::formats::cif::Cif;
use amelo_io::parameters::{ForceFieldData, MoleculeTemplate, OxideTemplate, TemplateAtom};
use amelo_math::Vec3;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::BuildError;
use crate::amorphous::AmorphousConfig;
use crate::contacts::Contacts;
use crate::crystal::Crystal;
use crate::crystal_file;
use crate::glass::Certificate;
use crate::pore::{self, PoreConfig, PoreReport};
use crate::surface::{BOND_LENGTH, Miller, PolarCuts, SurfaceCell, Termination};
use crate::vacancy::{self, VacancyConfig, VacancyReport};

/// Dipole per area of a slab with vacancies, or per length and diameter of a pore, from which on a reader is told (e/nm):
/// 1e-3 e·Å/Å².
pub(crate) const LARGEST_DIPOLE: f64 = 1e-2;

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
    /// The crystal that a CIF describes (`cif`), of elements that a parameter file has an oxide of.
    File(CrystalConfig),
}

/// Which piece of the crystal: a slab (`surface` and `thickness`), or a periodic block (`supercell`).
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrystalConfig {
    /// Path of the crystal's CIF, relative to the deck: cell, listed symmetry operations, sites. Of `file` only.
    pub cif: Option<PathBuf>,
    /// Miller indices of the surface in the conventional cell, for example "101", "001", "1 -1 0". z is its normal;
    /// x is the longer edge of the surface cell ([1 0 -1] for anatase (101), with y along [0 1 0]).
    pub surface: Option<String>,
    /// Thickness of the slab, as volume of crystal per area. The nearest slab that is stoichiometric and without
    /// dipole is built and reported.
    pub thickness: Option<quantity::Length>,
    /// Height of the slab's lower cut above the lattice plane through the crystal's origin (a Ti atom of anatase and
    /// rutile), modulo the plane spacing. Left out: the cut without dipole that breaks the fewest bonds. amelo check
    /// lists the cuts.
    pub cut: Option<quantity::Length>,
    /// What to do where every stoichiometric cut has a dipole: "refuse" (default) or "allow".
    #[serde(default)]
    pub polar: PolarCuts,
    /// Oxygen vacancies.
    pub vacancies: Option<VacancyConfig>,
    /// Conventional cells along a, b, c of a periodic crystal without surface or molecules.
    pub supercell: Option<[usize; 3]>,
    /// A pore along c through a block of the crystal, with `lateral` and `thickness` as its edges, instead of `surface`.
    pub pore: Option<PoreConfig>,
}

/// What was built, for people and for `amelo check`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OxideReport {
    /// Crystal, or `amorphous`.
    pub crystal: String,
    /// The crystal's file with its hash; absent for the built-in ones.
    pub file: Option<String>,
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
    /// Bonds that a face of the slab breaks per area, the mean of the two (nm⁻²).
    pub broken_bonds: Option<f64>,
    /// Whether the slab's planes are the same from the top down as from the bottom up.
    pub faces_alike: Option<bool>,
    /// Every cut of this surface, the best first.
    pub terminations: Vec<Termination>,
    /// Oxygen vacancies.
    pub vacancies: Option<VacancyReport>,
    /// A pore.
    pub pore: Option<PoreReport>,
    /// What a reader must know, one sentence each.
    pub warnings: Vec<String>,
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
    fn config(&self) -> Result<&CrystalConfig, BuildError> {
        match self {
            OxideConfig::Anatase(config) | OxideConfig::Rutile(config) | OxideConfig::File(config) => Ok(config),
            OxideConfig::Amorphous(_) => {
                Err(BuildError::config(self.key(), "a glass is made by dynamics; hand its slab to the builder"))
            }
        }
    }

    /// Deck path of this oxide.
    pub fn key(&self) -> String {
        let name = match self {
            OxideConfig::Anatase(_) => "anatase",
            OxideConfig::Rutile(_) => "rutile",
            OxideConfig::File(_) => "file",
            OxideConfig::Amorphous(_) => "amorphous",
        };
        format!("system.oxide.{name}")
    }

    /// Replaces the path of a file by what `resolve` makes of it.
    pub fn resolve_paths(&mut self, resolve: impl Fn(&Path) -> PathBuf) {
        if let OxideConfig::File(config) = self {
            config.cif = config.cif.as_deref().map(resolve);
        }
    }

    /// The crystal with the charges of the force field, and its file.
    fn crystal(&self, data: &ForceFieldData) -> Result<(Crystal, Option<String>), BuildError> {
        let key = self.key();
        let charge = |species: &[(String, String, f64)], element: &str| {
            species.iter().find(|(e, _, _)| e == element).map(|(_, _, charge)| *charge)
        };
        let charge_of = |element: &str| data.oxides.values().find_map(|oxide| charge(&oxide.species, element));
        let (mut crystal, path) = match (self, &self.config()?.cif) {
            (OxideConfig::Anatase(_), None) => (Crystal::anatase(), None),
            (OxideConfig::Rutile(_), None) => (Crystal::rutile(), None),
            (OxideConfig::File(_), Some(path)) => {
                let read = Cif::read(path).and_then(|cif| Ok((crystal_file::crystal(&cif, &charge_of)?, cif.sha256)));
                let (crystal, sha256) = read.map_err(|e| BuildError::config(format!("{key}.cif"), e.to_string()))?;
                (crystal, Some(format!("{}, sha256 {sha256}", path.display())))
            }
            (OxideConfig::File(_) | OxideConfig::Amorphous(_), None) => {
                return Err(BuildError::config(
                    key,
                    "a crystal from a file needs its path; write cif = \"crystal.cif\"",
                ));
            }
            (_, Some(_)) => {
                return Err(BuildError::config(
                    format!("{key}.cif"),
                    "this crystal is built in and takes no file; write [system.oxide.file] for one",
                ));
            }
        };
        let oxide = oxide_of(&crystal.sites.iter().map(|s| s.element).collect(), data)?;
        for site in &mut crystal.sites {
            site.charge = charge(&oxide.species, site.element).unwrap_or(site.charge);
        }
        Ok((crystal, path))
    }

    /// Cuts the slab or repeats the crystal, then makes its vacancies. `lateral`: edges asked for along x and y (nm);
    /// the same `seed` gives the same vacancies.
    pub fn build(&self, lateral: Option<[f64; 2]>, data: &ForceFieldData, seed: u64) -> Result<Oxide, BuildError> {
        let mut oxide = self.whole(lateral, data)?;
        self.create_vacancies(&mut oxide, seed)?;
        Ok(oxide)
    }

    /// Makes the vacancies that the deck asks for in the finished `oxide`. Errors: those of [`vacancy::create`].
    pub fn create_vacancies(&self, oxide: &mut Oxide, seed: u64) -> Result<(), BuildError> {
        let vacancies = match self {
            OxideConfig::Anatase(c) | OxideConfig::Rutile(c) | OxideConfig::File(c) => &c.vacancies,
            OxideConfig::Amorphous(c) => &c.vacancies,
        };
        if let Some(vacancies) = vacancies {
            vacancy::create(oxide, vacancies, seed, &format!("{}.vacancies", self.key()))?;
            oxide.count();
        }
        Ok(())
    }

    /// The oxide with none of its vacancies.
    pub fn whole(&self, lateral: Option<[f64; 2]>, data: &ForceFieldData) -> Result<Oxide, BuildError> {
        let config = self.config()?;
        let key = self.key();
        let (crystal, file) = self.crystal(data)?;
        if let (Some(pore), Some(thickness)) = (&config.pore, config.thickness) {
            let mut oxide = pore::crystal::block_with_pore(crystal, config, pore, thickness.0, lateral, &key, data)?;
            oxide.report.file = file;
            return Ok(oxide);
        }
        let mut oxide = match (&config.surface, config.thickness, config.supercell) {
            (Some(surface), Some(thickness), None) => slab(crystal, config, surface, thickness.0, lateral, &key, data)?,
            (None, None, Some(supercell)) if config.cut.is_none() => block(crystal, supercell, lateral, &key, data)?,
            _ => {
                return Err(BuildError::config(
                    key,
                    "write either `surface` and `thickness` for a slab, `pore` and `thickness` for a pore, or `supercell` alone \
                     for a periodic crystal",
                ));
            }
        };
        oxide.report.file = file;
        oxide.count();
        Ok(oxide)
    }
}

impl Oxide {
    /// Keeps only the atoms `kept`, in that order, with their entries of `charges` (e).
    pub(crate) fn keep(&mut self, kept: &[usize], charges: &[f64]) {
        let template = Arc::make_mut(&mut self.template);
        template.atoms =
            kept.iter().map(|&k| TemplateAtom { charge: charges[k], ..template.atoms[k].clone() }).collect();
        template.residues = vec![(template.residues[0].0.clone(), kept.len())];
        template.groups.clear();
        self.elements = kept.iter().map(|&k| self.elements[k]).collect();
        self.positions = kept.iter().map(|&k| self.positions[k]).collect();
        for (k, element) in self.elements.iter().enumerate() {
            template.groups.entry(element.to_string()).or_default().push(k);
        }
    }

    /// Enters composition and dipole in the report.
    pub(crate) fn count(&mut self) {
        let titanium = self.elements.iter().filter(|e| **e == "Ti").count();
        self.report.formula_units = titanium;
        self.report.oxygen_to_titanium = (self.elements.len() - titanium) as f64 / titanium as f64;
        let [a, b] = self.lateral;
        if self.periodic.is_none() {
            let dipole: f64 = self.template.atoms.iter().zip(&self.positions).map(|(atom, r)| atom.charge * r.z).sum();
            self.report.dipole_per_area = dipole / a.cross(b).norm();
            if self.report.vacancies.is_some() && self.report.dipole_per_area.abs() > LARGEST_DIPOLE {
                self.report.warnings.push(format!(
                    "the slab with its vacancies carries {:+.4} e·Å/Å²: an even number of them, the same on both faces, \
                     would balance where the faces are alike",
                    0.1 * self.report.dipole_per_area
                ));
            }
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
    config: &CrystalConfig,
    surface: &str,
    thickness: f64,
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
    let name = crystal.name.clone();
    let cell = SurfaceCell::new(crystal, miller);
    let slab = cell.slab(lateral, thickness, config.cut.map(|c| c.0), config.polar, key)?;
    let mut warnings = Vec::new();
    if slab.is_polar() {
        warnings.push(format!(
            "the slab of {name} {miller} is polar: its faces differ and it carries {:+.4} e·Å/Å² (stoichiometric slabs \
             without dipole have 0); its surface energy grows with thickness and a field crosses it and the cell",
            0.1 * slab.dipole
        ));
    }
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
            broken_bonds: Some(0.5 * slab.broken_bonds),
            faces_alike: Some(slab.faces_alike),
            terminations: cell.terminations(),
            warnings,
            ..OxideReport::empty(&name)
        },
    })
}

/// A periodic block of `supercell` cells.
pub(crate) fn block(
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
            ..OxideReport::empty(&crystal.name)
        },
    })
}

impl OxideReport {
    pub(crate) fn empty(name: &str) -> Self {
        OxideReport {
            crystal: name.into(),
            file: None,
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
            broken_bonds: None,
            faces_alike: None,
            terminations: Vec::new(),
            vacancies: None,
            pore: None,
            warnings: Vec::new(),
        }
    }
}

/// The one oxide of the force field that has all of `elements`.
fn oxide_of<'a>(elements: &BTreeSet<&str>, data: &'a ForceFieldData) -> Result<&'a OxideTemplate, BuildError> {
    let has_all = |oxide: &&OxideTemplate| elements.iter().all(|e| oxide.species.iter().any(|(s, _, _)| s == e));
    let mut fitting = data.oxides.values().filter(has_all);
    let message = match (fitting.next(), fitting.next()) {
        (Some(oxide), None) => return Ok(oxide),
        (Some(oxide), Some(other)) => {
            format!("both {} and {} describe this oxide; name the file of one of them only", oxide.name, other.name)
        }
        (None, _) => {
            let known: Vec<&str> = data.oxides.keys().map(String::as_str).collect();
            format!(
                "no parameter file describes an oxide of {} (found: {}); add one, for example \"tio2-matsui-akaogi\" for TiO2",
                elements.iter().copied().collect::<Vec<_>>().join(" and "),
                if known.is_empty() { "none".into() } else { known.join(", ") }
            )
        }
    };
    Err(BuildError::config("forcefield.files", message))
}

/// The oxide as one molecule, with the types and charges of the force field's oxide of these elements.
pub fn template(atoms: &[(&'static str, Vec3)], data: &ForceFieldData) -> Result<Arc<MoleculeTemplate>, BuildError> {
    let oxide = oxide_of(&atoms.iter().map(|a| a.0).collect(), data)?;
    let atoms: Vec<(String, Vec3)> = atoms.iter().map(|(e, r)| (e.to_string(), *r)).collect();
    Ok(Arc::new(oxide.slab(&atoms)?))
}

//! Adsorption and dissociation energies at the force field's own level.
//!
//! ```text
//! config.rs      what the deck says, and what can be wrong with it
//! relaxing.rs    minimisations side by side, kept in files
//! search.rs      every start roughly, the lowest in earnest
//! survey.rs      host, molecules alone, molecules on the host: which minima there are
//! wider.rs       the lowest of them again in wider cells
//! account.rs     what of it stands in results.json and in the report
//! structures.rs  the structures for DFT and for amelo itself
//! ```
//!
//! E_ads = E(host + molecule) − E(host) − E(molecule), all three relaxed with the same settings in the same cell. The
//! images of a charged molecule and its neutralising background are in both energies with it and cancel, but for what the
//! host does between them.

mod account;
mod config;
mod relaxing;
mod search;
mod structures;
mod survey;
mod wider;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use amelo_analysis::Outcome;
use amelo_build::{Adsorbate, OxideConfig};
use amelo_core::{Coulomb, Modifier, Nonbonded, Precision, System};
use amelo_io::parameters::{ForceFieldData, MoleculeTemplate};

use crate::deck::{Deck, SystemSource};
use crate::engine::Model;
use crate::error::{Problem, RunnerError};
use crate::glass::Making;
use crate::preparation::{self, build_error};
use crate::progress::Reporter;
use crate::source::Source;

pub use account::{AdsorbateReport, AdsorptionReport, MinimumReport};
pub use config::{AdsorptionConfig, HostReference, check};

/// Report of a run's adsorption energies, in its directory.
pub const REPORT: &str = "adsorption.json";
/// Structures for other programs, in a run's directory.
pub const STRUCTURES: &str = "adsorption.extxyz";
/// Folder of a run's minimisations.
pub const FOLDER: &str = "adsorption";

/// Deck key of the molecules.
const KEY: &str = "adsorption.molecule";

/// Cut-off (nm) of a molecule in vacuum, beyond its size, and the cell's edge: no image within the cut-off.
const VACUUM_CUTOFF: f64 = 3.0;
const VACUUM_CELL: f64 = 8.0;

/// Host and molecules with their parameters.
pub(crate) struct Parts {
    data: ForceFieldData,
    scale: BTreeMap<String, f64>,
    host: Vec<Arc<MoleculeTemplate>>,
    adsorbates: Vec<Adsorbate>,
}

impl Parts {
    fn new(
        config: &AdsorptionConfig,
        deck: &Deck,
        source: &Source,
        making: Making,
        reporter: &Reporter,
    ) -> Result<Self, RunnerError> {
        let (data, host) = preparation::templates(deck, source, making, reporter)?;
        let adsorbates = amelo_build::adsorbates(&config.molecule, KEY, &data).map_err(|e| build_error(&e, source))?;
        let scale = deck.forcefield.as_ref().map(|f| f.charge_scale.clone()).unwrap_or_default();
        let known = |name: &str| {
            let mut all = host.iter().chain(adsorbates.iter().flat_map(|a| &a.templates));
            all.any(|t| t.name == name)
        };
        if let Some(name) = scale.keys().find(|name| !known(name)) {
            let message = format!("charge_scale names \"{name}\", which is neither in the system nor adsorbed");
            return Err(RunnerError::input(
                source.problem("forcefield.charge_scale", message).help("leave it out, or correct the name"),
            ));
        }
        Ok(Parts { data, scale, host, adsorbates })
    }

    /// Force field of so many copies of the host, of one adsorbate, or of both together; its settings of non-bonded
    /// interactions are those of a molecule in vacuum.
    fn model(&self, hosts: usize, adsorbate: Option<usize>) -> Result<Model, RunnerError> {
        let mut molecules: Vec<_> = std::iter::repeat_n(&self.host, hosts).flatten().cloned().collect();
        molecules.extend(adsorbate.into_iter().flat_map(|k| self.adsorbates[k].templates.clone()));
        let here = |name: &String| molecules.iter().any(|m| m.name == *name);
        let scale = self.scale.iter().filter(|(name, _)| here(name)).map(|(name, f)| (name.clone(), *f)).collect();
        let assigned = amelo_build::assign(&molecules, &self.data, &scale).map_err(|e| {
            RunnerError::input(
                Problem::new(e.to_string()).help("name the parameter file that holds it in forcefield.files"),
            )
        })?;
        Ok(Model {
            topology: Arc::new(assigned.topology),
            pair_table: assigned.pair_table,
            nonbonded: Nonbonded {
                r_cut: VACUUM_CUTOFF,
                modifier: Modifier::None,
                dispersion_correction: false,
                coulomb: Coulomb::Cutoff,
                slab: None,
                precision: Precision::Double,
            },
        })
    }
}

/// Names that `charge_scale` may hold because they are adsorbed, though they are not in the host.
pub(crate) fn scaled_beside_the_host(
    deck: &Deck,
    data: &ForceFieldData,
    source: &Source,
) -> Result<Vec<String>, RunnerError> {
    let (Some(config), SystemSource::Build(built)) = (&deck.adsorption, &deck.system) else { return Ok(Vec::new()) };
    let adsorbates = amelo_build::adsorbates(&config.molecule, KEY, data).map_err(|e| build_error(&e, source))?;
    let host = amelo_build::templates(None, built, data).map_err(|e| build_error(&e, source))?;
    let names = adsorbates.iter().flat_map(|a| &a.templates).map(|t| t.name.clone());
    Ok(names.filter(|name| !host.iter().any(|t| t.name == *name)).collect())
}

/// The section's energies for the host that `system` and its settings are: entries of `results.json`, with report and
/// structures in `directory`.
pub(crate) fn run(
    deck: &Deck,
    source: &Source,
    system: &System,
    nonbonded: Nonbonded,
    directory: &Path,
    deadline: Option<Instant>,
    reporter: &Reporter,
) -> Result<Option<Outcome>, RunnerError> {
    let Some(config) = &deck.adsorption else { return Ok(None) };
    let parts = Parts::new(config, deck, source, Making::IfMissing, reporter)?;
    let folder = directory.join(FOLDER);
    std::fs::create_dir_all(&folder).map_err(|e| RunnerError::file(&folder, "make the folder", &e))?;
    let workshop = relaxing::Workshop {
        folder: folder.clone(),
        limits: relaxing::Limits { force_tolerance: config.force_tolerance.0, max_steps: config.max_steps },
        reporter,
        deadline,
    };
    let oxide = match &deck.system {
        SystemSource::Build(built) => built.oxide.as_ref(),
        _ => None,
    };
    let surroundings = match oxide {
        Some(OxideConfig::Amorphous(_)) => amelo_analysis::adsorption::Surroundings::Amorphous,
        Some(_) => amelo_analysis::adsorption::Surroundings::Crystal,
        None => amelo_analysis::adsorption::Surroundings::Molecules,
    };
    let nonbonded = Nonbonded { precision: Precision::Double, ..nonbonded };
    let survey = survey::Survey {
        config,
        parts: &parts,
        system,
        nonbonded,
        oxide: oxide.is_some(),
        seed: config.seed.unwrap_or(deck.seed),
        workshop: &workshop,
    };
    let found = survey.run(source)?;
    let report = account::report(config, &parts, &survey, &found, surroundings);
    amelo_io::write_json(&directory.join(REPORT), &report)?;
    structures::write(directory, &survey, &found, &report)?;
    for line in report.lines() {
        reporter.message(&line);
    }
    Ok(Some(account::outcome(&report, surroundings)))
}

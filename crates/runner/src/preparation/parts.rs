//! A system built from parts: what must be relaxed first, the molecules beside it, and the packing pushed apart.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use amelo_build::pore::check_filling_of_glass;
use amelo_build::{BuildError, Oxide, OxideConfig, SystemConfig};
use amelo_core::System;
use amelo_core::quantity::{Force, Length};
use amelo_dynamics::{DynamicsError, MinimizeConfig};
use amelo_io::parameters::{ForceFieldData, MoleculeTemplate};
use amelo_math::Vec3;

use super::{Prepared, build_error, composition, resolve_nonbonded};
use crate::adsorption;
use crate::checkpointing::meta;
use crate::deck::{Deck, ForcefieldConfig, SystemSource};
use crate::engine::Model;
use crate::error::RunnerError;
use crate::forcefield;
use crate::glass::{self, Making};
use crate::nonbonded::NonbondedConfig;
use crate::pore::{self, CrystalPore};
use crate::progress::Reporter;
use crate::source::Source;

/// The system of a deck from its parts.
pub(super) fn build(
    deck: &Deck,
    config: &SystemConfig,
    making: Making,
    source: &Source,
    reporter: &Reporter,
) -> Result<Prepared, RunnerError> {
    let Some(forcefield) = &deck.forcefield else {
        return Err(RunnerError::input(
            source
                .problem("forcefield", "the deck has no [forcefield]")
                .help("add [forcefield] with files = [\"peo-opls-aa\", …]"),
        ));
    };
    let data = forcefield::load(forcefield, source)?;
    let files: Vec<_> = data
        .files
        .iter()
        .map(|f| serde_json::json!({ "name": f.name, "path": f.path, "sha256": f.sha256, "title": f.title }))
        .collect();
    let scale = &host_scale(deck, forcefield, &data, source)?;
    let mut config = config.clone();
    if let Some(oxide) = &mut config.oxide {
        oxide.resolve_paths(|path| source.resolve(path));
    }
    pore::check(deck, &config, source)?;
    let made = made_oxide(deck, &config, &data, scale, making, source, reporter)?;
    let stand_in = made.as_ref().filter(|made| made.stand_in).map(|made| made.note.clone());
    let (made, made_note) = made.map(|made| (made.oxide, made.note)).unzip();
    let built =
        amelo_build::build_system(&config, made, &data, scale, deck.seed).map_err(|e| build_error(&e, source))?;
    let mut topology = built.topology;
    topology.shrink_to_fit();
    let topology = Arc::new(topology);
    let mut notes = vec![format!("built {} atoms: {}", topology.n_atoms(), composition(&topology))];
    let charge = topology.total_charge();
    notes.push(format!("net charge: {charge:+.6} e"));
    notes.extend(made_note);
    if let Some(oxide) = &built.report.oxide {
        notes.extend(oxide.warnings.iter().map(|w| format!("warning: {w}")));
    }
    let defaults = NonbondedConfig::default();
    let nonbonded_config = deck.nonbonded.as_ref().unwrap_or(&defaults);
    let mut system = System::new(topology.clone(), built.cell, built.positions);
    let (nonbonded, candidates) = resolve_nonbonded(nonbonded_config, deck, source, &mut system, &mut notes)?;
    for note in &notes {
        reporter.message(note);
    }
    let model = Model { topology, pair_table: built.pair_table, nonbonded };
    if built.report.packing.is_some() {
        push_off(&model, &mut system, reporter)?;
    }
    let json = |value: serde_json::Result<String>| value.unwrap_or_default();
    let meta = BTreeMap::from([
        (meta::BUILD.to_string(), json(serde_json::to_string(&built.report))),
        (meta::ASSIGNMENT.to_string(), json(serde_json::to_string(&built.assignment))),
        (meta::FORCEFIELD.to_string(), json(serde_json::to_string(&files))),
    ]);
    Ok(Prepared { model, system, meta, notes, candidates, build: Some(built.report), hydrogens: None, stand_in })
}

/// Factors on the charges of what the system holds; molecules that are only adsorbed are not among it.
fn host_scale(
    deck: &Deck,
    forcefield: &ForcefieldConfig,
    data: &ForceFieldData,
    source: &Source,
) -> Result<BTreeMap<String, f64>, RunnerError> {
    let mut scale = forcefield.charge_scale.clone();
    if !scale.is_empty() {
        for name in adsorption::scaled_beside_the_host(deck, data, source)? {
            scale.remove(&name);
        }
    }
    Ok(scale)
}

/// An oxide that has to be relaxed before anything is built on it.
struct MadeOxide {
    oxide: Oxide,
    /// One sentence about it.
    note: String,
    /// Whether it stands for one that is not made yet.
    stand_in: bool,
}

/// The glass or the pore of a deck with its vacancies, where it has one; the paths of `config` are resolved.
fn made_oxide(
    deck: &Deck,
    config: &SystemConfig,
    data: &ForceFieldData,
    scale: &BTreeMap<String, f64>,
    making: Making,
    source: &Source,
    reporter: &Reporter,
) -> Result<Option<MadeOxide>, RunnerError> {
    let Some(whole) = &config.oxide else { return Ok(None) };
    let mut made = if let OxideConfig::Amorphous(oxide) = whole {
        // Before minutes to hours go into the glass.
        check_filling_of_glass(config, data).map_err(|e| build_error(&e, source))?;
        let lateral = config.lateral.map(|l| l.map(|e| e.0));
        let (oxide, note) = glass::oxide(oxide, lateral, data, scale, deck.seed, making, source, reporter)?;
        let stand_in = oxide.report.glass.is_none();
        if stand_in {
            // Atoms at random have no bonds to lose.
            return Ok(Some(MadeOxide { oxide, note, stand_in }));
        }
        MadeOxide { oxide, note, stand_in }
    } else {
        let Some(pore) = CrystalPore::carve(config, data, source)? else { return Ok(None) };
        let (oxide, note, relaxed) = pore.relax(data, scale, deck.seed, making, source, reporter)?;
        MadeOxide { oxide, note, stand_in: !relaxed }
    };
    whole.create_vacancies(&mut made.oxide, deck.seed).map_err(|e| build_error(&e, source))?;
    Ok(Some(made))
}

/// The parameters of a deck whose system is built from parts, and the molecules of that system in the order of its atoms.
pub(crate) fn templates(
    deck: &Deck,
    source: &Source,
    making: Making,
    reporter: &Reporter,
) -> Result<(ForceFieldData, Vec<Arc<MoleculeTemplate>>), RunnerError> {
    let (SystemSource::Build(config), Some(forcefield)) = (&deck.system, &deck.forcefield) else {
        return Err(RunnerError::Bug("templates of a system that was not built".into()));
    };
    let data = forcefield::load(forcefield, source)?;
    let refused = |e: BuildError| build_error(&e, source);
    let scale = host_scale(deck, forcefield, &data, source)?;
    let mut config = config.clone();
    if let Some(oxide) = &mut config.oxide {
        oxide.resolve_paths(|path| source.resolve(path));
    }
    let config = &config;
    let oxide = match (made_oxide(deck, config, &data, &scale, making, source, reporter)?, &config.oxide) {
        (Some(made), _) => Some(made.oxide),
        (None, Some(oxide)) => {
            Some(oxide.build(config.lateral.map(|l| l.map(|e| e.0)), &data, deck.seed).map_err(refused)?)
        }
        (None, None) => None,
    };
    let molecules = amelo_build::templates(oxide.as_ref(), config, &data).map_err(refused)?;
    Ok((data, molecules))
}

/// Pulls the atoms of a fresh packing apart until no two of them overlap; the oxide stays where it is.
fn push_off(model: &Model, system: &mut System, reporter: &Reporter) -> Result<(), RunnerError> {
    let mut topology = (*model.topology).clone();
    if let Some(oxide) = topology.groups.get("oxide") {
        for &atom in oxide.clone().iter() {
            topology.frozen[atom as usize] = true;
        }
    }
    let topology = Arc::new(topology);
    let mut terms = model.push_off_terms(&topology)?;
    system.topology = topology;
    let config = MinimizeConfig {
        force_tolerance: Force(PUSH_OFF_FORCE),
        max_steps: PUSH_OFF_STEPS,
        max_move: Length(0.01),
        cell: None,
    };
    let outcome = amelo_dynamics::minimize(system, &mut terms, &config, &mut |_| {
        if reporter.stop_requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    system.topology = model.topology.clone();
    system.displacements.fill(Vec3::ZERO);
    let report = outcome.map_err(|e: DynamicsError| RunnerError::Simulation {
        message: format!("pushing the packing apart failed: {e}"),
        help: "pack less densely: a smaller packing_density, or a larger gap".into(),
        dossier: None,
    })?;
    reporter.message(&format!(
        "pushed apart in {} steps: {:.3e} -> {:.3e} kJ/mol, largest force {:.3e} kJ/mol/nm",
        report.last.step, report.initial_energy, report.last.energy, report.last.largest_force
    ));
    Ok(())
}

/// Push-off ends at this largest force (kJ/mol/nm): well below a bond's, so that the real force field can take over.
const PUSH_OFF_FORCE: f64 = 500.0;
/// Most steps of the push-off.
const PUSH_OFF_STEPS: u64 = 1000;

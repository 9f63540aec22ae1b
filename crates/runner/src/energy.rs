//! Energy, forces and virial of one configuration: `amelo energy`.

use std::path::Path;

use amelo_core::units::BAR_PER_PRESSURE;
use amelo_core::{Forces, Precision, Request, System};
use amelo_dynamics::constraints::ConstraintSolver;
use amelo_io::Snapshot;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::checkpointing::{self, meta};
use crate::deck::{self, Deck, DynamicsConfig};
use crate::engine::{Model, References};
use crate::error::{Problem, RunnerError};
use crate::nonbonded::precision_name;
use crate::observers::ENERGY_TERMS;
use crate::plan::Conditions;
use crate::preparation::{prepare, read_snapshot};
use crate::progress::{Reporter, Silent};
use crate::source::Source;

/// Units of the numbers below.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Units {
    energy: &'static str,
    force: &'static str,
    pressure: &'static str,
    length: &'static str,
}

/// A single point, as `amelo energy --json` prints it.
#[derive(Clone, Debug, Serialize)]
pub struct EnergyReport {
    /// Version of amelo.
    pub amelo: &'static str,
    /// Atoms.
    pub n_atoms: usize,
    /// Precision of the arithmetic.
    pub precision: &'static str,
    /// Units of the numbers below.
    pub units: Units,
    /// `potential` and the terms that add up to it (kJ/mol).
    pub energy: Map<String, Value>,
    /// Virial Σ r_ij ⊗ F_ij (kJ/mol).
    pub virial: [[f64; 3]; 3],
    /// Virial of the constraints (kJ/mol), where there are some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virial_constraint: Option<[[f64; 3]; 3]>,
    /// Pressure tensor of the stored velocities (bar).
    pub pressure: [[f64; 3]; 3],
    /// Rare events by name, for example entries into a short-range guard.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub events: Map<String, Value>,
    /// \[n_atoms\] forces without those of constraints (kJ/mol/nm), where asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forces: Option<Vec<[f64; 3]>>,
}

impl EnergyReport {
    /// For people.
    pub fn text(&self) -> String {
        let mut out = format!("{} atoms, {} precision\n", self.n_atoms, self.precision);
        for (name, value) in &self.energy {
            out.push_str(&format!("{name:24} {:>20.6} kJ/mol\n", value.as_f64().unwrap_or(f64::NAN)));
        }
        let tensor = |name: &str, unit: &str, m: &[[f64; 3]; 3]| {
            let rows: Vec<String> =
                m.iter().map(|r| format!("  {:>16.6} {:>16.6} {:>16.6}", r[0], r[1], r[2])).collect();
            format!("{name} [{unit}]\n{}\n", rows.join("\n"))
        };
        out.push_str(&tensor("virial", "kJ/mol", &self.virial));
        if let Some(m) = &self.virial_constraint {
            out.push_str(&tensor("virial of constraints", "kJ/mol", m));
        }
        out.push_str(&tensor("pressure", "bar", &self.pressure));
        for (name, n) in &self.events {
            out.push_str(&format!("{name} entries: {n}\n"));
        }
        for (atom, f) in self.forces.iter().flatten().enumerate() {
            out.push_str(&format!("force {atom} {:.6} {:.6} {:.6}\n", f[0], f[1], f[2]));
        }
        out
    }
}

/// Single point of a deck, a run directory, or a system or checkpoint file.
///
/// In double precision unless the deck or `--set` states another: a single point is there to be compared, and costs
/// little in either.
pub fn energy(path: &Path, sets: &[String], with_forces: bool) -> Result<EnergyReport, RunnerError> {
    let mut state = state(path, sets)?;
    if !state.states_precision {
        state.model.nonbonded.precision = Precision::Double;
    }
    single_point(&state.model, state.system, &state.conditions, with_forces)
}

/// One configuration with what acts on it.
#[derive(Debug)]
pub(crate) struct State {
    /// Force field and topology.
    pub model: Model,
    /// Atoms.
    pub system: System,
    /// Whether the deck or `--set` states the precision, rather than the default.
    pub states_precision: bool,
    /// What the deck or `--set` put on the system beside its force field.
    pub conditions: Conditions,
    /// Time step (ps), where one of the two says it.
    pub timestep: Option<f64>,
    /// `[dynamics]` of the same source.
    pub dynamics: DynamicsConfig,
    /// The stored state; none where it was built from a deck.
    pub snapshot: Option<Snapshot>,
    /// Title of the deck, where there is one.
    pub title: String,
}

/// The configuration of a deck, a run directory, or a system or checkpoint file.
pub(crate) fn state(path: &Path, sets: &[String]) -> Result<State, RunnerError> {
    if is_stored(path) {
        return of_file(path, sets);
    }
    let (deck, source) = deck::read(path, sets)?;
    let prepared = prepare(&deck, &source, &Reporter::new(&Silent))?;
    Ok(State {
        model: prepared.model,
        system: prepared.system,
        states_precision: deck.nonbonded.is_some_and(|n| n.precision.is_some()),
        conditions: Conditions::defaults(&deck.dynamics),
        timestep: deck.dynamics.timestep.map(|t| t.0),
        dynamics: deck.dynamics,
        snapshot: None,
        title: deck.title,
    })
}

/// Whether `path` is a stored state rather than a deck.
pub(crate) fn is_stored(path: &Path) -> bool {
    path.is_dir() || amelo_io::snapshot::is_snapshot(path) || has_hdf5_name(path)
}

/// A damaged system file is to be reported as one, not parsed as a deck.
fn has_hdf5_name(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "h5" || e == "h5md")
}

/// A stored state; `--set` may change `[nonbonded]` and `[dynamics]`.
fn of_file(path: &Path, sets: &[String]) -> Result<State, RunnerError> {
    let snapshot = read_snapshot(path)?;
    let mut model = Model {
        topology: snapshot.system.topology.clone(),
        pair_table: snapshot.pair_table.clone(),
        nonbonded: snapshot.nonbonded,
    };
    let mut dynamics = DynamicsConfig::default();
    let mut states_precision = checkpointing::states_precision(&snapshot);
    if !sets.is_empty() {
        if let Some(set) = sets.iter().find(|s| !s.starts_with("nonbonded") && !s.starts_with("dynamics")) {
            return Err(RunnerError::input(
                Problem::new(format!("--set {set}: a stored system takes only keys of [nonbonded] and [dynamics]"))
                    .help("change the deck and build again for anything else"),
            ));
        }
        let mut source = Source::parse(path, format!("[system.restart]\nfrom = {:?}\n", path.display().to_string()))?;
        for set in sets {
            source.set(set)?;
        }
        let deck: Deck = deck::parse(&source)?;
        dynamics = deck.dynamics.clone();
        if let Some(config) = &deck.nonbonded {
            let mut problems = config.check(&source);
            if config.tunes() {
                let problem = source.problem(
                    "nonbonded.coulomb.pme.tune",
                    "tune times settings where a run starts, and a stored state starts none",
                );
                problems.push(problem.help("leave tune out: force_error alone chooses by a model of the costs"));
            }
            if !problems.is_empty() {
                return Err(RunnerError::Input { problems });
            }
            states_precision = config.precision.is_some();
            match config.precision_alone(&source) {
                Some(precision) => model.nonbonded.precision = precision,
                None => {
                    let frozen = Conditions::defaults(&dynamics).frozen;
                    (model.nonbonded, _) =
                        config.resolve(&source, &snapshot.system, &frozen).map_err(RunnerError::input)?;
                }
            }
        }
    }
    let title = snapshot
        .meta
        .get(meta::DECK)
        .and_then(|text| text.parse::<toml::Table>().ok())
        .and_then(|deck| deck.get("title")?.as_str().map(String::from))
        .unwrap_or_default();
    Ok(State {
        model,
        system: snapshot.system.clone(),
        states_precision,
        conditions: Conditions::defaults(&dynamics),
        timestep: dynamics.timestep.map(|t| t.0),
        dynamics,
        snapshot: Some(snapshot),
        title,
    })
}

fn single_point(
    model: &Model,
    mut system: System,
    conditions: &Conditions,
    with_forces: bool,
) -> Result<EnergyReport, RunnerError> {
    let topology = model.stage_topology(conditions);
    system.topology = topology.clone();
    let references = References::needed(&system, [conditions]);
    let mut terms = model.terms(&topology, &system.cell, conditions, references.as_ref())?;
    let mut forces = Forces::new(system.n_atoms());
    use amelo_core::ForceProvider;
    terms.evaluate(&system, Request::ALL, &mut forces).map_err(|e| RunnerError::Simulation {
        message: e.to_string(),
        help: "separate the atoms named, for example with a minimize stage".into(),
        dossier: None,
    })?;
    let mut energy = Map::new();
    energy.insert("potential".into(), forces.energy.potential().into());
    for name in ENERGY_TERMS {
        energy.insert(name.into(), forces.energy.get(name).into());
    }
    for (name, value) in &forces.energy.terms {
        energy.insert((*name).into(), (*value).into());
    }
    let solver = ConstraintSolver::new(&topology);
    let virial_constraint = (!topology.constraints.is_empty())
        .then(|| solver.forces(&system.cell, &system.positions, &system.velocities, &forces.on, 0.0).virial);
    let total = forces.virial + virial_constraint.unwrap_or_default();
    let pressure = (system.kinetic_tensor() + total) * (BAR_PER_PRESSURE / system.cell.volume());
    Ok(EnergyReport {
        amelo: crate::provenance::VERSION,
        n_atoms: system.n_atoms(),
        precision: precision_name(model.nonbonded.precision),
        units: Units { energy: "kJ/mol", force: "kJ/mol/nm", pressure: "bar", length: "nm" },
        energy,
        virial: forces.virial.to_array(),
        virial_constraint: virial_constraint.map(|v| v.to_array()),
        pressure: pressure.to_array(),
        events: forces.events.iter().map(|(name, n)| (name.to_string(), (*n).into())).collect(),
        forces: with_forces.then(|| forces.on.iter().map(|f| f.to_array()).collect()),
    })
}

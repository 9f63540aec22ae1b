//! The deck: what a run is, as its author wrote it.
//!
//! This file composes; what a section means is documented where the thing itself is implemented, and
//! `amelo check --explain-keys` prints both from these structs. Quantities carry units, unknown keys are
//! errors, and where a choice has options the kind is the key.

use std::collections::BTreeMap;
use std::path::Path;

use amelo_analysis::AnalysisConfig;
use amelo_build::SystemConfig;
use amelo_core::quantity::{ElectricField, Mass, Stiffness, Temperature, Time};
use amelo_dynamics::{ConstraintKind, MinimizeConfig, NptConfig, NveConfig, NvtConfig};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;
use toml::de::DeTable;

use crate::adsorption::AdsorptionConfig;
use crate::equilibration::{EquilibrateConfig, StationarityConfig, expand};
use crate::error::{Problem, RunnerError};
use crate::import::ImportSystem;
use crate::nonbonded::NonbondedConfig;
use crate::source::Source;

/// A deck whose `[system]` is of type `S`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeckFile<S> {
    /// One line for people; stands on the report.
    #[serde(default)]
    pub title: String,
    /// Seed of every random choice: growth, packing, velocities, thermostats, barostats. Default 1.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// The system: built from parts (`oxide`, `molecule`, …), taken from another run (`restart`), or from another
    /// program's files (`import`).
    pub system: S,
    /// Parameter files. Left out where the system is taken from another run or program, which holds its own.
    pub forcefield: Option<ForcefieldConfig>,
    /// Non-bonded interactions. Left out, or with nothing but `precision`, where the system is taken from another run:
    /// that run's settings hold.
    pub nonbonded: Option<NonbondedConfig>,
    /// Defaults for every stage; a stage may override each.
    #[serde(default)]
    pub dynamics: DynamicsConfig,
    /// What is written how often; a stage may override each.
    #[serde(default)]
    pub output: OutputConfig,
    /// The stages, in the order in which they run.
    #[serde(default)]
    pub stage: Vec<StageConfig>,
    /// Adsorption and dissociation energies of molecules on what the stages leave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adsorption: Option<AdsorptionConfig>,
    /// Analyses made at the end of the run, over the frames of the last stage that wrote a trajectory.
    #[serde(default)]
    pub analysis: Vec<AnalysisConfig>,
}

/// A deck with any kind of system.
pub type Deck = DeckFile<SystemSource>;

fn default_seed() -> u64 {
    1
}

/// Where the atoms come from.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum SystemSource {
    /// Built from parts.
    Build(Box<SystemConfig>),
    /// Another run's state.
    Restart(RestartSystem),
    /// Another program's files.
    Import(ImportSystem),
}

/// `[system]` that takes another run's state.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RestartSystem {
    /// The state to start from. Nothing else may stand beside it.
    pub restart: RestartConfig,
}

/// State of another run: positions, velocities, cell, topology and force field come from it; step and time start at 0.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RestartConfig {
    /// A checkpoint, a system file of `amelo build`, or a run directory; relative to the deck.
    pub from: String,
}

/// Parameter files and what is changed about them.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForcefieldConfig {
    /// Names of parameter files, without `.toml`. Searched in the deck's directory, in `potentials/` beside the
    /// deck, in the directories of AMELO_POTENTIALS, and among the files that come with amelo. Later files win.
    pub files: Vec<String>,
    /// Factor on all charges of a molecule, by its name: `{ Li = 0.8, TFSI = 0.8 }`. The nominal charges are kept
    /// beside the scaled ones.
    #[serde(default)]
    pub charge_scale: BTreeMap<String, f64>,
}

/// Harmonic tethers U = ½ k Σ |r − r₀|² of a group's atoms. Under a barostat the reference is kept in fractional
/// coordinates: it moves with the cell.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TetherConfig {
    /// Name of the group, for example `oxide`.
    pub group: String,
    /// k, for example `"1000 kJ/mol/nm^2"`.
    pub force_constant: Stiffness,
    /// Where the reference positions are taken.
    #[serde(default)]
    pub reference: TetherReference,
}

/// Where the reference positions of a tether are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TetherReference {
    /// At the start of the stage.
    #[default]
    StageStart,
    /// At the start of the run.
    RunStart,
}

/// Velocities at the start of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VelocitiesConfig {
    /// Those that are there.
    Keep,
    /// Drawn from Maxwell and Boltzmann's distribution at this temperature: `velocities = { draw = "423 K" }`.
    Draw(Temperature),
}

/// Defaults of all stages.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DynamicsConfig {
    /// Bond lengths held fixed. Default `"none"`.
    pub constraints: Option<ConstraintKind>,
    /// Time step. Default `"1 fs"`.
    pub timestep: Option<Time>,
    /// Mass of every hydrogen, for example `"3 u"`, taken from the heavy atom that it is bonded to: with
    /// `constraints = "h-bonds"` the time step may then be 4 fs. For the whole run; the molecules keep their masses.
    /// Default: the masses of the force field.
    pub hydrogen_mass: Option<Mass>,
    /// Steps from one evaluation of the long-range forces (Ewald's sum over waves or its mesh) to the next: they then act
    /// as impulses, that many times as strong (r-RESPA). For nve and nvt; at most 10 fs between them, and logs,
    /// trajectories and durations in multiples. Default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub long_range_every: Option<u64>,
    /// Groups whose atoms never move. Default none.
    pub frozen: Option<Vec<String>>,
    /// Groups tethered to reference positions. Default none.
    pub tethered: Option<Vec<TetherConfig>>,
    /// Uniform electric field along x, y, z. Default none.
    pub electric_field: Option<[ElectricField; 3]>,
    /// Remove the motion of the centre of mass at every step. Default true; without effect where frozen or
    /// tethered atoms or a Langevin thermostat make momentum not conserved.
    pub remove_com: Option<bool>,
}

/// One stage: a name, exactly one of `minimize`, `nve`, `nvt`, `npt`, and how long; or `equilibrate`, which says all.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StageConfig {
    /// Name, for the log and for `--set stage.NAME.KEY=VALUE`.
    pub name: String,
    /// Energy minimisation.
    pub minimize: Option<MinimizeConfig>,
    /// Constant energy.
    pub nve: Option<NveConfig>,
    /// Constant volume and temperature.
    pub nvt: Option<NvtConfig>,
    /// Constant pressure and temperature.
    pub npt: Option<NptConfig>,
    /// Compress–decompress cycles, anneal, and npt until the system is at rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equilibrate: Option<EquilibrateConfig>,
    /// Length of a dynamics stage, a whole number of time steps.
    pub duration: Option<Time>,
    /// End the stage before `duration` is over, as soon as it is at rest: `until_stationary = {}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_stationary: Option<StationarityConfig>,
    /// Velocities at the start of the stage: `"keep"` or `{ draw = "423 K" }`. By default they are kept, and drawn
    /// at the stage's temperature where all atoms are at rest.
    pub velocities: Option<VelocitiesConfig>,
    /// Bond lengths held fixed in this stage.
    pub constraints: Option<ConstraintKind>,
    /// Time step of this stage.
    pub timestep: Option<Time>,
    /// Steps between evaluations of the long-range forces in this stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub long_range_every: Option<u64>,
    /// Groups whose atoms do not move in this stage.
    pub frozen: Option<Vec<String>>,
    /// Groups tethered in this stage.
    pub tethered: Option<Vec<TetherConfig>>,
    /// Uniform electric field in this stage.
    pub electric_field: Option<[ElectricField; 3]>,
    /// Centre-of-mass removal in this stage.
    pub remove_com: Option<bool>,
    /// Lines of `log.csv` in this stage.
    pub log: Option<EveryConfig>,
    /// Frames of the trajectory in this stage.
    pub trajectory: Option<TrajectoryConfig>,
    /// Number of the stage in the deck, where `equilibrate` was written out as several.
    #[serde(skip)]
    pub place: Option<usize>,
}

impl StageConfig {
    /// Whether it names nothing that `equilibrate` says already.
    pub fn is_equilibration_alone(&self) -> bool {
        let others = [self.minimize.is_some(), self.nve.is_some(), self.nvt.is_some(), self.npt.is_some()];
        let lengths = [self.duration.is_some(), self.until_stationary.is_some()];
        !others.into_iter().chain(lengths).any(|there| there)
    }

    /// The stage with what `given` says of it.
    pub fn with(mut self, given: &DynamicsConfig) -> Self {
        let given = given.clone();
        self.constraints = given.constraints.or(self.constraints);
        self.timestep = given.timestep.or(self.timestep);
        self.long_range_every = given.long_range_every.or(self.long_range_every);
        self.frozen = given.frozen.or(self.frozen);
        self.tethered = given.tethered.or(self.tethered);
        self.electric_field = given.electric_field.or(self.electric_field);
        self.remove_com = given.remove_com.or(self.remove_com);
        self
    }
}

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EveryConfig {
    /// Interval, a whole number of time steps.
    pub every: Time,
}

/// Frames of the trajectory.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrajectoryConfig {
    /// Interval, a whole number of time steps.
    pub every: Time,
    /// Write velocities too.
    #[serde(default)]
    pub velocities: bool,
    /// Write forces too.
    #[serde(default)]
    pub forces: bool,
}

/// What is written how often.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutputConfig {
    /// Lines of `log.csv`. Default every 0.1 ps.
    pub log: Option<EveryConfig>,
    /// Frames of the trajectory. Default none: a stage asks for its own.
    pub trajectory: Option<TrajectoryConfig>,
    /// Time on the wall clock between checkpoints, for example `"600 s"`, the default. A checkpoint also stands at
    /// the end of each stage and wherever a run stops.
    pub checkpoint_every: Option<Time>,
}

/// Default interval of the log (ps).
pub const LOG_EVERY: f64 = 0.1;
/// Default time step (ps).
pub const TIMESTEP: f64 = 0.001;
/// Default wall time between checkpoints (s).
pub const CHECKPOINT_SECONDS: f64 = 600.0;

/// Reads the deck at `path` and applies `--set` texts.
pub fn read(path: &Path, sets: &[String]) -> Result<(Deck, Source), RunnerError> {
    let mut source = Source::read(path)?;
    for set in sets {
        source.set(set)?;
    }
    Ok((parse(&source)?, source))
}

/// The deck of a parsed text.
pub fn parse(source: &Source) -> Result<Deck, RunnerError> {
    let system = source.tree.get_ref().get("system").and_then(|system| system.get_ref().as_table());
    let has = |key: &str| system.is_some_and(|system| system.contains_key(key));
    if has("restart") {
        deserialize::<DeckFile<RestartSystem>>(source).map(|d| d.map_system(SystemSource::Restart))
    } else if has("import") {
        deserialize::<DeckFile<ImportSystem>>(source).map(|d| d.map_system(SystemSource::Import))
    } else {
        deserialize::<DeckFile<SystemConfig>>(source).map(|d| d.map_system(|s| SystemSource::Build(Box::new(s))))
    }
}

fn deserialize<T: serde::de::DeserializeOwned>(source: &Source) -> Result<T, RunnerError> {
    let tree: Spanned<DeTable<'static>> = source.tree.clone();
    T::deserialize(toml::de::Deserializer::from(tree)).map_err(|e| located(&e, source))
}

/// What stands under one key of the deck's head, as a `T`.
pub fn deserialize_key<T: serde::de::DeserializeOwned>(source: &Source, key: &str) -> Result<T, RunnerError> {
    let value = source.tree.get_ref().get(key).cloned();
    let value = value.ok_or_else(|| RunnerError::input(Problem::new(format!("no [{key}]"))))?;
    T::deserialize(toml::de::ValueDeserializer::from(value)).map_err(|e| located(&e, source))
}

/// What serde found, with its place.
fn located(e: &toml::de::Error, source: &Source) -> RunnerError {
    let message = e.message().trim().replace('`', "\"");
    let place = e.span().map(|span| source.place(span));
    let help = if message.starts_with("unknown field") {
        "check the spelling; amelo check --explain-keys lists every key"
    } else if message.starts_with("missing field") {
        "add the key; amelo check --explain-keys says what it means"
    } else if message.starts_with("unknown variant") || message.contains("wanted exactly 1 element") {
        "take one of the named kinds; amelo check --explain-keys explains them"
    } else {
        "amelo check --explain-keys says what each key takes"
    };
    RunnerError::input(Problem::new(message).at(place).help(help))
}

impl<S> DeckFile<S> {
    fn map_system<T>(self, f: impl FnOnce(S) -> T) -> DeckFile<T> {
        DeckFile {
            title: self.title,
            seed: self.seed,
            system: f(self.system),
            forcefield: self.forcefield,
            nonbonded: self.nonbonded,
            stage: expand(self.stage, &self.dynamics),
            dynamics: self.dynamics,
            output: self.output,
            adsorption: self.adsorption,
            analysis: self.analysis,
        }
    }
}

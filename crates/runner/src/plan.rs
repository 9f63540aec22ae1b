//! The stages as they will run: defaults filled in, durations as whole numbers of steps, every contradiction
//! found before step 0.

use std::borrow::Cow;
use std::sync::Arc;

use amelo_core::{System, Topology};
use amelo_dynamics::{ConstraintKind, DynamicsError, Ensemble, Integrator, IntegratorSettings, MinimizeConfig};
use amelo_math::Vec3;

use crate::checkpointing::Position;
use crate::deck::{
    Deck, DynamicsConfig, LOG_EVERY, StageConfig, TIMESTEP, TetherConfig, TetherReference, VelocitiesConfig,
};
use crate::engine::Model;
use crate::equilibration::watch::WatchPlan;
use crate::error::{Problem, RunnerError};
use crate::source::Source;

/// What a stage does.
#[derive(Clone, Debug)]
pub enum StageKind {
    /// Energy minimisation.
    Minimize(MinimizeConfig),
    /// Steps of dynamics.
    Dynamics {
        /// What is held constant, and how.
        ensemble: Ensemble,
        /// Steps of the stage.
        n_steps: u64,
    },
}

impl StageKind {
    /// The key of the deck.
    pub fn key(&self) -> &'static str {
        match self {
            StageKind::Minimize(_) => "minimize",
            StageKind::Dynamics { ensemble, .. } => match ensemble {
                Ensemble::Nve(_) => "nve",
                Ensemble::Nvt(_) => "nvt",
                Ensemble::Npt(_) => "npt",
            },
        }
    }
}

/// Terms and constraints that a stage puts on the system beside its force field.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conditions {
    /// Bonds to hydrogen are held fixed.
    pub h_bonds: bool,
    /// Groups that do not move.
    pub frozen: Vec<String>,
    /// Tethered groups.
    pub tethered: Vec<TetherConfig>,
    /// Uniform electric field (kJ/mol/nm/e).
    pub electric_field: Option<Vec3>,
}

/// Frames of the trajectory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrajectoryPlan {
    /// Steps between frames.
    pub every: u64,
    /// With velocities.
    pub velocities: bool,
    /// With forces.
    pub forces: bool,
}

/// A stage, resolved.
#[derive(Clone, Debug)]
pub struct StagePlan {
    /// Number of the stage, from 0.
    pub index: usize,
    /// Its number in the deck: `equilibrate` is several stages.
    pub place: usize,
    /// Its name.
    pub name: String,
    /// What it does.
    pub kind: StageKind,
    /// Time step (ps).
    pub timestep: f64,
    /// Steps between evaluations of the long-range forces.
    pub long_range_every: u64,
    /// What it puts on the system.
    pub conditions: Conditions,
    /// Remove the motion of the centre of mass where momentum is conserved.
    pub remove_com: bool,
    /// Velocities at its start.
    pub velocities: Option<VelocitiesConfig>,
    /// Steps between lines of the log.
    pub log_every: u64,
    /// Frames.
    pub trajectory: Option<TrajectoryPlan>,
    /// When it is looked whether the stage is at rest and may end.
    pub watch: Option<WatchPlan>,
}

impl StagePlan {
    /// Whether the stage may end before its last step, at rest after what `position` has seen of it.
    pub fn at_rest(&self, position: &Position) -> bool {
        let seen = self.watch.zip(position.watched.get(&self.index));
        seen.is_some_and(|(watch, watched)| watched.at_rest(&watch, position.step))
    }

    /// Steps of dynamics; 0 for a minimisation.
    pub fn n_steps(&self) -> u64 {
        match self.kind {
            StageKind::Minimize(_) => 0,
            StageKind::Dynamics { n_steps, .. } => n_steps,
        }
    }

    /// The temperature at which velocities are drawn where none are there (K).
    pub fn temperature(&self) -> Option<f64> {
        match &self.kind {
            StageKind::Minimize(_) => None,
            StageKind::Dynamics { ensemble, .. } => match ensemble {
                Ensemble::Nve(_) => None,
                Ensemble::Nvt(c) => Some(c.temperature.0),
                Ensemble::Npt(c) => Some(c.temperature.0),
            },
        }
    }
}

impl Conditions {
    /// The deck's defaults, for single points and for what stages do not override.
    pub fn defaults(dynamics: &DynamicsConfig) -> Self {
        Conditions {
            h_bonds: dynamics.constraints == Some(ConstraintKind::HBonds),
            frozen: dynamics.frozen.clone().unwrap_or_default(),
            tethered: dynamics.tethered.clone().unwrap_or_default(),
            electric_field: dynamics.electric_field.map(|f| Vec3::new(f[0].0, f[1].0, f[2].0)),
        }
    }

    /// What a stage puts on the system beside the defaults.
    pub fn of_stage(dynamics: &DynamicsConfig, stage: &StageConfig) -> Self {
        let defaults = Conditions::defaults(dynamics);
        Conditions {
            h_bonds: stage.constraints.map_or(defaults.h_bonds, |c| c == ConstraintKind::HBonds),
            frozen: stage.frozen.clone().unwrap_or(defaults.frozen),
            tethered: stage.tethered.clone().unwrap_or(defaults.tethered),
            electric_field: stage
                .electric_field
                .map(|f| Vec3::new(f[0].0, f[1].0, f[2].0))
                .or(defaults.electric_field)
                .filter(|f| *f != Vec3::ZERO),
        }
    }

    /// Whether any tether refers to the start of the run.
    pub fn needs_run_start(&self) -> bool {
        self.tethered.iter().any(|t| t.reference == TetherReference::RunStart)
    }
}

/// Every stage of the deck, or everything that is wrong with them.
pub fn stages(deck: &Deck, source: &Source) -> Result<Vec<StagePlan>, RunnerError> {
    let mut plans = Vec::new();
    let mut problems = Vec::new();
    for (index, stage) in deck.stage.iter().enumerate() {
        if deck.stage[..index].iter().any(|earlier| earlier.name == stage.name) {
            let key = format!("stage[{}].name", stage.place.unwrap_or(index));
            problems.push(
                source
                    .problem(&key, format!("two stages are called \"{}\"", stage.name))
                    .help("give each stage a name of its own"),
            );
        }
        match plan_stage(deck, source, index, stage) {
            Ok(plan) => plans.push(plan),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(plans) } else { Err(RunnerError::Input { problems }) }
}

fn plan_stage(deck: &Deck, source: &Source, index: usize, stage: &StageConfig) -> Result<StagePlan, Vec<Problem>> {
    let mut problems = Vec::new();
    let place = stage.place.unwrap_or(index);
    let key = |k: &str| format!("stage[{place}].{k}");
    let timestep_key = if stage.timestep.is_some() { key("timestep") } else { "dynamics.timestep".into() };
    let timestep = stage.timestep.or(deck.dynamics.timestep).map_or(TIMESTEP, |t| t.0);
    if !(timestep > 0.0 && timestep <= 0.1) {
        problems.push(
            source
                .problem(&timestep_key, format!("the time step is {timestep} ps; it must be positive and small"))
                .help("0.5 to 2 fs are usual"),
        );
        return Err(problems);
    }
    let steps = |key: &str, time: f64, problems: &mut Vec<Problem>| -> u64 {
        let n = (time / timestep).round();
        if !(time > 0.0 && (1.0..1e15).contains(&n)) {
            problems.push(
                source
                    .problem(key, format!("{time} ps is not a positive number of steps of {timestep} ps"))
                    .help("write a time of at least one step"),
            );
        } else if (n * timestep - time).abs() > 1e-6 * timestep.max(time * 1e-3) {
            problems.push(
                source
                    .problem(key, format!("{time} ps is not a whole number of steps of {timestep} ps"))
                    .help(format!("write \"{} ps\" or another multiple of the time step", round_nicely(n * timestep))),
            );
        }
        n as u64
    };

    if stage.equilibrate.is_some() {
        let found = format!("stage \"{}\" has equilibrate beside another kind or a duration", stage.name);
        problems
            .push(source.problem(&key("equilibrate"), found).help("leave the other out: equilibrate says all of it"));
        return Err(problems);
    }
    let named = [stage.minimize.is_some(), stage.nve.is_some(), stage.nvt.is_some(), stage.npt.is_some()];
    if named.iter().filter(|k| **k).count() != 1 {
        let found = match named.iter().filter(|k| **k).count() {
            0 => "none of minimize, nve, nvt, npt, equilibrate",
            _ => "more than one of minimize, nve, nvt, npt",
        };
        problems.push(
            source
                .problem(&key("name"), format!("stage \"{}\" has {found}", stage.name))
                .help("give each stage exactly one of them, for example nvt = { temperature = \"363 K\" }"),
        );
        return Err(problems);
    }
    let n_steps = match (&stage.minimize, stage.duration) {
        (Some(_), Some(_)) => {
            problems.push(
                source
                    .problem(&key("duration"), "a minimisation has no duration")
                    .help("leave it out; minimize has max_steps"),
            );
            0
        }
        (None, None) => {
            problems.push(
                source
                    .problem(&key("name"), format!("stage \"{}\" has no duration", stage.name))
                    .help("write for example duration = \"100 ps\""),
            );
            0
        }
        (None, Some(t)) => steps(&key("duration"), t.0, &mut problems),
        (Some(_), None) => 0,
    };
    let kind = match (&stage.minimize, &stage.nve, &stage.nvt, &stage.npt) {
        (Some(c), ..) => StageKind::Minimize(c.clone()),
        (_, Some(c), ..) => StageKind::Dynamics { ensemble: Ensemble::Nve(c.clone()), n_steps },
        (_, _, Some(c), _) => StageKind::Dynamics { ensemble: Ensemble::Nvt(c.clone()), n_steps },
        (_, _, _, Some(c)) => StageKind::Dynamics { ensemble: Ensemble::Npt(c.clone()), n_steps },
        _ => return Err(problems),
    };
    let is_dynamics = matches!(kind, StageKind::Dynamics { .. });
    let long_range_every = match stage.long_range_every.or(deck.dynamics.long_range_every) {
        Some(every) if is_dynamics => every,
        _ => 1,
    };
    let log_every = match (stage.log, deck.output.log) {
        (Some(l), _) => steps(&key("log.every"), l.every.0, &mut problems),
        (None, Some(l)) if is_dynamics => steps("output.log.every", l.every.0, &mut problems),
        _ => ((LOG_EVERY / timestep).round() as u64).max(1).next_multiple_of(long_range_every.max(1)),
    };
    let trajectory = match (stage.trajectory, deck.output.trajectory) {
        (Some(t), _) => Some((t, steps(&key("trajectory.every"), t.every.0, &mut problems))),
        (None, Some(t)) if is_dynamics => Some((t, steps("output.trajectory.every", t.every.0, &mut problems))),
        _ => None,
    };
    if let (false, Some(_)) = (is_dynamics, stage.trajectory) {
        problems.push(
            source
                .problem(&key("trajectory"), "a minimisation writes no trajectory")
                .help("leave it out; the minimised system is the first frame of the next stage"),
        );
    }
    let watch = stage.until_stationary.and_then(|w| {
        let sample = steps(&key("until_stationary.sample"), w.sample.0, &mut problems);
        let test = steps(&key("until_stationary.test"), w.test.0, &mut problems);
        let refused =
            |found| source.problem(&key("until_stationary"), found).help("leave it out, or change it or the stage");
        WatchPlan::of(stage, sample, test).map_err(|found| problems.push(refused(found))).ok()
    });
    // Between two kicks of the long-range forces velocities are not those of one instant.
    let multiples = [
        ("duration", n_steps),
        ("log.every", log_every),
        ("trajectory.every", trajectory.map_or(0, |t| t.1)),
        ("until_stationary.sample", watch.map_or(0, |w| w.sample)),
    ];
    for (what, steps) in multiples {
        if long_range_every > 1 && !steps.is_multiple_of(long_range_every) {
            let place = if stage.long_range_every.is_some() {
                key("long_range_every")
            } else {
                "dynamics.long_range_every".into()
            };
            let found = format!(
                "stage \"{}\" has a {what} of {steps} steps, no multiple of the {long_range_every} between long-range forces",
                stage.name
            );
            problems
                .push(source.problem(&place, found).help("make all of them multiples of long_range_every time steps"));
        }
    }
    let trajectory = trajectory.map(|(t, every)| TrajectoryPlan { every, velocities: t.velocities, forces: t.forces });
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(StagePlan {
        index,
        place,
        name: stage.name.clone(),
        kind,
        timestep,
        long_range_every,
        conditions: Conditions::of_stage(&deck.dynamics, stage),
        remove_com: stage.remove_com.or(deck.dynamics.remove_com).unwrap_or(true),
        velocities: stage.velocities,
        log_every,
        trajectory,
        watch,
    })
}

/// Settings of ensembles that cannot be, found by setting each one up.
pub fn check_ensembles(plans: &[StagePlan], source: &Source, model: &Model, system: &System) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut at_rest = system.velocities.iter().all(|v| v.norm2() == 0.0);
    for plan in plans {
        let StageKind::Dynamics { ensemble, n_steps } = &plan.kind else { continue };
        let stage = format!("stage[{}]", plan.place);
        let draws = matches!(plan.velocities, Some(VelocitiesConfig::Draw(_)));
        if at_rest && matches!(ensemble, Ensemble::Nve(_)) && plan.velocities.is_none() {
            problems.push(
                source
                    .problem(&format!("{stage}.nve"), format!("stage \"{}\" has constant energy, and all atoms are at rest", plan.name))
                    .help("draw velocities: velocities = { draw = \"300 K\" }, or run an nvt stage first; write velocities = \"keep\" if they shall be at rest"),
            );
        }
        if plan.long_range_every > 1 && model.nonbonded.coulomb.beta().is_none() {
            let place = if source.value_at(&format!("{stage}.long_range_every")).is_some() {
                format!("{stage}.long_range_every")
            } else {
                "dynamics.long_range_every".into()
            };
            problems.push(
                source
                    .problem(&place, "there are no long-range forces: charges interact up to the cut-off or not at all")
                    .help("leave long_range_every out, or use coulomb.pme"),
            );
        }
        at_rest = at_rest && !draws && plan.temperature().is_none();
        let mut trial = system.clone();
        trial.topology = model.stage_topology(&plan.conditions);
        let settings = IntegratorSettings {
            timestep: plan.timestep,
            n_steps: *n_steps,
            long_range_every: plan.long_range_every,
            ..IntegratorSettings::default()
        };
        if let Err(error) = Integrator::new(ensemble.clone(), settings, &trial) {
            let (key, message) = match &error {
                DynamicsError::Setting { key, message } => (*key, message.clone()),
                other => ("", other.to_string()),
            };
            let (message, help) = match message.rsplit_once("; ") {
                Some((found, remedy)) => (found.to_string(), remedy.to_string()),
                None => (message, "amelo check --explain-keys says what the key takes".into()),
            };
            problems.push(
                source.problem(&format!("{stage}.{}.{key}", plan.kind.key()), format!("{key}: {message}")).help(help),
            );
        }
    }
    problems
}

/// A number without the noise of its last digits.
fn round_nicely(x: f64) -> f64 {
    (x * 1e9).round() / 1e9
}

/// Atoms of a group: a group of the topology, the name of a molecule, or `all`.
pub fn select(topology: &Topology, name: &str) -> Option<Vec<u32>> {
    if let Some(atoms) = topology.groups.get(name) {
        return Some(atoms.clone());
    }
    if name == "all" {
        return Some((0..topology.n_atoms() as u32).collect());
    }
    let of_kind = topology.molecules.iter().filter(|m| m.kind == name);
    let atoms: Vec<u32> = of_kind.flat_map(|m| m.first as u32..(m.first + m.count) as u32).collect();
    (!atoms.is_empty()).then_some(atoms)
}

/// Freezes the groups of `names`.
pub fn freeze(topology: &mut Topology, names: &[String]) {
    for name in names {
        for &atom in select(topology, name).iter().flatten() {
            topology.frozen[atom as usize] = true;
        }
    }
}

/// `system` with the groups of `names` frozen; itself, not a copy, without names.
pub fn frozen<'a>(system: &'a System, names: &[String]) -> Cow<'a, System> {
    if names.is_empty() {
        return Cow::Borrowed(system);
    }
    let mut topology = (*system.topology).clone();
    freeze(&mut topology, names);
    Cow::Owned(System { topology: Arc::new(topology), ..system.clone() })
}

/// Groups whose forces matter in no stage of `deck`.
pub fn always_frozen(deck: &Deck) -> Vec<String> {
    match deck.adsorption {
        // What is adsorbed on may move whatever a stage froze.
        Some(_) => Vec::new(),
        None => frozen_in_all(&deck.dynamics, &deck.stage),
    }
}

/// Groups that none of `stages` moves and whose forces are in no pressure that acts.
pub fn frozen_in_all(dynamics: &DynamicsConfig, stages: &[StageConfig]) -> Vec<String> {
    if stages.iter().any(|stage| stage.npt.is_some()) {
        return Vec::new();
    }
    let mut frozen = stages.iter().map(|stage| Conditions::of_stage(dynamics, stage).frozen);
    let first = frozen.next().unwrap_or_else(|| Conditions::defaults(dynamics).frozen);
    frozen.fold(first, |all, here| all.into_iter().filter(|name| here.contains(name)).collect())
}

/// Every group name that `select` understands.
pub fn group_names(topology: &Topology) -> Vec<String> {
    let mut names: Vec<String> = topology.groups.keys().cloned().collect();
    names.extend(topology.molecules.iter().map(|m| m.kind.clone()));
    names.push("all".into());
    names.sort();
    names.dedup();
    names
}

/// Groups named by a stage that the system does not have.
pub fn check_groups(plans: &[StagePlan], deck: &Deck, source: &Source, topology: &Topology) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    let mut look = |key: String, name: &str| {
        if select(topology, name).is_none() {
            let known = group_names(topology).join("\", \"");
            problems.push(
                source
                    .problem(&key, format!("there is no group \"{name}\""))
                    .help(format!("the system has \"{known}\"")),
            );
        }
    };
    let defaults = &deck.dynamics;
    for (k, name) in defaults.frozen.iter().flatten().enumerate() {
        look(format!("dynamics.frozen[{k}]"), name);
    }
    for (k, tether) in defaults.tethered.iter().flatten().enumerate() {
        look(format!("dynamics.tethered[{k}].group"), &tether.group);
    }
    for plan in plans {
        let stage = &deck.stage[plan.index];
        for (k, name) in stage.frozen.iter().flatten().enumerate() {
            look(format!("stage[{}].frozen[{k}]", plan.place), name);
        }
        for (k, tether) in stage.tethered.iter().flatten().enumerate() {
            look(format!("stage[{}].tethered[{k}].group", plan.place), &tether.group);
        }
    }
    problems
}

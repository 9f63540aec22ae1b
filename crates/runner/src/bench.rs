//! `amelo bench`: how fast a system steps here, and what a step is made of.
//!
//! A deck is built, minimised and moved a little through its earlier stages; its last dynamics stage is measured, as
//! `amelo run` would run it, log and trajectory included (into a folder that is removed again). A stored state is
//! measured from where it stands, in the stage in which it was stored. The first steps do not count: they build lists
//! and warm caches.

use std::path::PathBuf;
use std::sync::Arc;

use amelo_core::System;
use amelo_core::quantity::Temperature;
use amelo_dynamics::{DynamicsError, Ensemble, NveConfig};
use amelo_io::Snapshot;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::checkpointing::{self, Position, StoredDeck};
use crate::deck::{self, LOG_EVERY, StageConfig, TIMESTEP, VelocitiesConfig};
use crate::energy;
use crate::engine::{Model, Reference, References};
use crate::error::{Problem, RunnerError};
use crate::nonbonded::precision_name;
use crate::observers::{Open, Outputs};
use crate::plan::{self, Conditions, StageKind, StagePlan};
use crate::progress::{Monitor, Reporter};
use crate::provenance;
use crate::simulation;
use crate::stage::{Budget, Ending, Stage};
use crate::stopwatch::{Breakdown, Reading, Stopwatch};

/// Steps measured where the user does not say.
pub const STEPS: u64 = 500;
/// Most steps of each dynamics stage before the measured one: enough that a fresh packing moves as a liquid does.
const WARM_STEPS: u64 = 200;
/// Temperature of velocities where a stored state is at rest and no stage says one (K).
const TEMPERATURE: f64 = 300.0;

/// What `amelo bench` was asked for.
#[derive(Clone, Debug)]
pub struct BenchOptions {
    /// A deck, a run directory, or a system or checkpoint file.
    pub system: PathBuf,
    /// Steps to measure.
    pub steps: u64,
    /// `KEY=VALUE` on top of the deck; of a stored state those of `nonbonded` and `dynamics`.
    pub set: Vec<String>,
}

/// What was measured, as `amelo bench --json` prints it.
#[derive(Clone, Debug, Serialize)]
pub struct BenchReport {
    /// Version of amelo.
    pub amelo: &'static str,
    /// Commit.
    pub commit: &'static str,
    /// Stage that was measured.
    pub stage: String,
    /// nve, nvt or npt.
    pub ensemble: &'static str,
    /// Atoms.
    pub n_atoms: usize,
    /// Threads.
    pub threads: usize,
    /// Instruction-set path of the kernels.
    pub isa: &'static str,
    /// Precision of the arithmetic.
    pub precision: &'static str,
    /// Time step (fs).
    pub timestep_fs: f64,
    /// Steps measured; those before them do not count.
    pub steps: u64,
    /// Wall time of a step (ms).
    pub ms_per_step: f64,
    /// The same of each tenth of the steps.
    pub ms_per_step_tenths: Vec<f64>,
    /// Simulated time per day (ns).
    pub ns_per_day: f64,
    /// Largest resident memory of this process so far (MB, 10⁶ bytes), set-up included; null where the system does
    /// not tell.
    pub peak_rss_mb: Option<f64>,
    /// Wall time per step by part (ms).
    pub breakdown: Breakdown,
    /// Wall time per step by span of the program (ms), each without the spans inside it.
    pub spans: Map<String, Value>,
}

impl BenchReport {
    /// For people.
    pub fn text(&self) -> String {
        let threads = if self.threads == 1 { "thread" } else { "threads" };
        let quietest = self.ms_per_step_tenths.iter().copied().fold(f64::INFINITY, f64::min);
        let busiest = self.ms_per_step_tenths.iter().copied().fold(0.0, f64::max);
        let mut out = format!(
            "stage \"{}\" ({}), {} atoms, {} fs, {} {threads}, {}, {} precision\n",
            self.stage, self.ensemble, self.n_atoms, self.timestep_fs, self.threads, self.isa, self.precision
        );
        out.push_str(&format!(
            "{:.3} ns/day, {:.4} ms per step over {} steps (tenths from {quietest:.4} to {busiest:.4})\n",
            self.ns_per_day, self.ms_per_step, self.steps
        ));
        if let Some(memory) = self.peak_rss_mb {
            out.push_str(&format!("{memory:.0} MB at most\n"));
        }
        out.push_str("\npart            ms per step   share\n");
        for (name, ms) in self.breakdown.rows() {
            out.push_str(&format!("{name:14} {ms:>12.4} {:>6.1} %\n", 100.0 * ms / self.ms_per_step));
        }
        out
    }
}

/// What is measured: a system before its stage.
struct Start {
    model: Model,
    system: System,
    plan: StagePlan,
    references: Option<References>,
    seed: u64,
}

/// Measures `options.steps` steps.
///
/// # Errors
/// Input: a deck or `--set` that is wrong, a deck without dynamics, no step asked for. Simulation: a system that cannot
/// be moved. Files: what cannot be read, no room for temporary files. Stopped: the monitor wants it.
pub fn bench(options: &BenchOptions, monitor: &dyn Monitor) -> Result<BenchReport, RunnerError> {
    if options.steps == 0 {
        return Err(RunnerError::input(
            Problem::new("--steps 0: there is nothing to measure").help("measure at least 1 step, better some hundred"),
        ));
    }
    let reporter = Reporter::new(monitor);
    let scratch = Scratch::new()?;
    let stored = energy::is_stored(&options.system);
    let mut start = if stored { of_state(options) } else { of_deck(options, &reporter, &scratch) }?;
    let first = first_steps(options.steps);
    let StageKind::Dynamics { n_steps, .. } = &mut start.plan.kind else {
        return Err(RunnerError::Bug("no dynamics to measure".into()));
    };
    *n_steps = first + options.steps;
    reporter.message(&format!(
        "measuring {} steps of stage \"{}\" after {first} that do not count",
        options.steps, start.plan.name
    ));
    let stopwatch = Arc::new(Stopwatch::new(first, options.steps));
    tracing::subscriber::with_default(Arc::clone(&stopwatch), || step(&mut start, &reporter, &scratch))?;
    let reading = stopwatch.reading().ok_or_else(|| RunnerError::Bug("the measured steps did not end".into()))?;
    Ok(report(&start, options.steps, reading))
}

/// Steps before the measured ones.
fn first_steps(steps: u64) -> u64 {
    (steps / 10).clamp(20, 200)
}

fn report(start: &Start, steps: u64, reading: Reading) -> BenchReport {
    let timestep_fs = start.plan.timestep * 1e3;
    BenchReport {
        amelo: provenance::VERSION,
        commit: provenance::COMMIT,
        stage: start.plan.name.clone(),
        ensemble: start.plan.kind.key(),
        n_atoms: start.system.n_atoms(),
        threads: rayon::current_num_threads(),
        isa: provenance::instruction_set(),
        precision: precision_name(start.model.nonbonded.precision),
        // The steps are in ps, and 0.002 · 1000 is not 2.
        timestep_fs: (timestep_fs * 1e9).round() * 1e-9,
        steps,
        ms_per_step: reading.ms_per_step,
        ms_per_step_tenths: reading.tenths_ms,
        // 86,400 s a day, 10³ ms a second, 10⁻³ ns a ps.
        ns_per_day: 86_400.0 * start.plan.timestep / reading.ms_per_step,
        peak_rss_mb: provenance::peak_memory().map(|bytes| bytes * 1e-6),
        breakdown: reading.breakdown,
        spans: reading.spans.into_iter().map(|(name, ms)| (name, ms.into())).collect(),
    }
}

/// The last dynamics stage of a deck, with the system as its earlier stages leave it when they are cut short.
fn of_deck(options: &BenchOptions, reporter: &Reporter, scratch: &Scratch) -> Result<Start, RunnerError> {
    let (deck, source) = deck::read(&options.system, &options.set)?;
    let mut plans = plan::stages(&deck, &source)?;
    let Some(last) = plans.iter().rposition(|p| matches!(p.kind, StageKind::Dynamics { .. })) else {
        return Err(RunnerError::input(
            source
                .problem("stage", "the deck has no dynamics stage, so there is nothing to measure")
                .help("add a [[stage]] with nve, nvt or npt, or measure what amelo build makes of the deck"),
        ));
    };
    let simulation::Start { model, system, .. } = simulation::fresh(&deck, &source, &plans, reporter)?;
    plans.truncate(last + 1);
    let mut references = References::needed(&system, plans.iter().map(|p| &p.conditions));
    let mut system = system;
    for mut plan in plans {
        if let Some(references) = &mut references {
            references.stage = Reference::of(&system);
        }
        if plan.index == last {
            return Ok(Start { model, system, plan, references, seed: deck.seed });
        }
        if let StageKind::Dynamics { n_steps, .. } = &mut plan.kind {
            *n_steps = WARM_STEPS.min(*n_steps);
        }
        plan.trajectory = None;
        reporter.message(&format!("stage \"{}\", at most {WARM_STEPS} steps of dynamics", plan.name));
        let mut start = Start { model: model.clone(), system, plan, references: references.clone(), seed: deck.seed };
        step(&mut start, reporter, scratch)?;
        system = start.system;
    }
    Err(RunnerError::Bug("the last dynamics stage is no stage".into()))
}

/// A stored state in the stage in which it was stored, or in its deck's last dynamics stage; at constant energy where it
/// keeps no stage.
fn of_state(options: &BenchOptions) -> Result<Start, RunnerError> {
    let energy::State { model, system, dynamics, snapshot, .. } = energy::state(&options.system, &options.set)?;
    let snapshot = snapshot.ok_or_else(|| RunnerError::Bug("a stored state without its file".into()))?;
    let deck = StoredDeck::of(&snapshot.meta)?;
    let position = checkpointing::position(&snapshot)?;
    let (defaults, stage, index) = match deck {
        None => (dynamics.clone(), None, 0),
        Some(deck) => {
            let at = position.as_ref().map(|(p, _)| p.stage).filter(|&k| deck.stage.get(k).is_some_and(moves));
            let index = at.or_else(|| deck.stage.iter().rposition(moves));
            (deck.dynamics, index.map(|k| deck.stage[k].clone()), index.unwrap_or(0))
        }
    };
    let stage = stage.unwrap_or_else(|| StageConfig {
        name: "state".into(),
        nve: Some(NveConfig {}),
        ..StageConfig::default()
    });
    let stage = stage.with(&dynamics);
    let ensemble = match (stage.nvt.clone(), stage.npt.clone()) {
        (Some(nvt), _) => Ensemble::Nvt(nvt),
        (_, Some(npt)) => Ensemble::Npt(npt),
        _ => Ensemble::Nve(NveConfig {}),
    };
    let timestep = stage.timestep.or(defaults.timestep).map_or(TIMESTEP, |t| t.0);
    let long_range_every = stage.long_range_every.or(defaults.long_range_every).unwrap_or(1);
    let at_rest = system.velocities.iter().all(|v| v.norm2() == 0.0);
    let mut plan = StagePlan {
        index,
        place: index,
        name: stage.name.clone(),
        kind: StageKind::Dynamics { ensemble, n_steps: 0 },
        timestep,
        long_range_every,
        conditions: Conditions::of_stage(&defaults, &stage),
        remove_com: stage.remove_com.or(defaults.remove_com).unwrap_or(true),
        velocities: None,
        log_every: ((LOG_EVERY / timestep).round() as u64).max(1).next_multiple_of(long_range_every.max(1)),
        trajectory: None,
        watch: None,
    };
    if at_rest {
        plan.velocities = Some(VelocitiesConfig::Draw(Temperature(plan.temperature().unwrap_or(TEMPERATURE))));
    }
    let stored = position.and_then(|(_, references)| references);
    let references = stored.or_else(|| References::needed(&system, [&plan.conditions]));
    check_groups(&plan, &model, &snapshot)?;
    Ok(Start { model, system, plan, references, seed: 1 })
}

fn moves(stage: &StageConfig) -> bool {
    stage.minimize.is_none()
}

/// Groups that `--set` names and the system does not have.
fn check_groups(plan: &StagePlan, model: &Model, snapshot: &Snapshot) -> Result<(), RunnerError> {
    let conditions = &plan.conditions;
    let named = conditions.frozen.iter().chain(conditions.tethered.iter().map(|t| &t.group));
    let problems: Vec<Problem> = named
        .filter(|name| plan::select(&snapshot.system.topology, name).is_none())
        .map(|name| {
            let known = plan::group_names(&model.topology).join("\", \"");
            Problem::new(format!("there is no group \"{name}\"")).help(format!("the system has \"{known}\""))
        })
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(RunnerError::Input { problems }) }
}

/// All steps of a stage, or its minimisation.
fn step(start: &mut Start, reporter: &Reporter, scratch: &Scratch) -> Result<(), RunnerError> {
    let Start { model, system, plan, references, seed } = start;
    let (topology, terms) = model.stage(plan, &system.cell, references.as_ref())?;
    system.topology = topology;
    let texts = Default::default();
    let mut outputs = Outputs::open(&scratch.0, std::slice::from_ref(plan), &model.topology, texts, Open::Anew)?;
    let mut position = Position { starts: vec![0], ..Position::default() };
    let mut budget = Budget { steps: None, deadline: None, time_to_go: plan.n_steps() as f64 * plan.timestep };
    let mut stage = Stage { plan, system, terms, position: &mut position };
    let ending = match &plan.kind {
        StageKind::Minimize(config) => stage.minimize(config, reporter, &budget),
        StageKind::Dynamics { .. } => {
            let mut no_checkpoint = |_: &_, _: &mut _, _, _: &mut _| Ok(());
            stage.run(*seed, None, &mut outputs, &mut no_checkpoint, f64::INFINITY, reporter, &mut budget)
        }
    }?;
    outputs.close()?;
    match ending {
        Ending::Done => Ok(()),
        Ending::Stopped(reason) => Err(RunnerError::Stopped { reason, step: system.step }),
        Ending::Failed(DynamicsError::Setting { key, message }) => {
            Err(RunnerError::input(Problem::new(format!("{key}: {message}")).help("correct this key")))
        }
        Ending::Failed(error) => Err(RunnerError::Simulation {
            message: format!("stage \"{}\": {error}", plan.name),
            help: "measure a state that moves: minimise longer, or take the run directory of an equilibrated run"
                .into(),
            dossier: None,
        }),
    }
}

/// A folder for what a run would write; removed again.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, RunnerError> {
        let path = std::env::temp_dir().join(format!("amelo-bench-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|e| RunnerError::file(&path, "make the folder", &e))?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

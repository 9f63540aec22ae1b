//! A run from deck to report: build or resume, stage after stage, analyses, report.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use amelo_core::{State, System};
use amelo_dynamics::DynamicsError;
use amelo_io::Snapshot;
use serde::Serialize;

use crate::checkpointing::{self, Position, meta};
use crate::deck::{self, CHECKPOINT_SECONDS, Deck};
use crate::engine::{Model, Reference, References};
use crate::error::{RunnerError, StopReason};
use crate::glass::Making;
use crate::observers::{Open, Outputs};
use crate::plan::{self, StageKind, StagePlan};
use crate::preparation;
use crate::progress::{Monitor, Reporter};
use crate::rundir::{self, RunDirectory};
use crate::source::Source;
use crate::stage::{Budget, Ending, Stage};
use crate::{adsorption, analyses, dossier, nonbonded, provenance, tune};

pub use crate::rundir::Existing;

/// What `amelo run` was asked for.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// The deck.
    pub deck: PathBuf,
    /// Run directory; the deck's stem with `.run` where not given.
    pub out: Option<PathBuf>,
    /// What to do with an existing run directory.
    pub existing: Existing,
    /// Most steps of dynamics in this call.
    pub max_steps: Option<u64>,
    /// Most hours of wall time in this call.
    pub max_hours: Option<f64>,
    /// `KEY=VALUE` on top of the deck.
    pub set: Vec<String>,
}

impl RunOptions {
    /// End of `--max-hours` for what began at `start`.
    fn deadline(&self, start: Instant) -> Option<Instant> {
        self.max_hours.map(|h| start + Duration::from_secs_f64((h * 3600.0).min(1e9)))
    }
}

/// What a finished run tells.
#[derive(Clone, Debug, Serialize)]
pub struct RunSummary {
    /// Run directory.
    pub run: PathBuf,
    /// Atoms.
    pub n_atoms: usize,
    /// Completed steps of the whole run.
    pub steps: u64,
    /// Simulated time (ps).
    pub time_ps: f64,
    /// Steps made by this call.
    pub steps_of_this_call: u64,
    /// Wall time of this call (s).
    pub wall_seconds: f64,
    /// Speed of this call's dynamics; none where nothing was left to do.
    pub ns_per_day: Option<f64>,
    /// The report.
    pub report: PathBuf,
}

/// A run on its way.
struct Run<'a> {
    deck: &'a Deck,
    plans: &'a [StagePlan],
    directory: &'a RunDirectory,
    reporter: &'a Reporter<'a>,
    model: Model,
    system: System,
    position: Position,
    references: Option<References>,
    /// What propagators remember, in the middle of a stage.
    saved: Option<State>,
    meta: BTreeMap<String, String>,
    seconds_in_dynamics: f64,
}

/// Runs a deck.
pub fn run(options: &RunOptions, monitor: &dyn Monitor) -> Result<RunSummary, RunnerError> {
    let began = Instant::now();
    let (deck, source) = deck::read(&options.deck, &options.set)?;
    let plans = plan::stages(&deck, &source)?;
    if plans.is_empty() && deck.adsorption.is_none() {
        return Err(RunnerError::input(
            source
                .problem("stage", "the deck has no stage and no [adsorption], so there is nothing to run")
                .help("add a [[stage]], or use amelo build or amelo energy"),
        ));
    }
    let path = options.out.clone().unwrap_or_else(|| rundir::default_path(&options.deck));
    rundir::check(&path, options.existing)?;
    let checkpoint = path.join(amelo_io::CHECKPOINT);
    let resume = options.existing == Existing::Resume && has_checkpoint(&checkpoint);

    // Everything that can be wrong with the deck is found before anything in the directory is touched.
    let (prepared, opened, reporter);
    if resume {
        opened = RunDirectory::open(&path)?;
        reporter = Reporter::new(monitor).with_log(&opened.file("run.log"))?;
        prepared = resumed(&deck, &source, &plans, &checkpoint, &reporter)?;
    } else {
        let plain = Reporter::new(monitor);
        prepared = fresh(&deck, &source, &plans, &plain)?;
        opened = RunDirectory::open(&path)?;
        opened.clear()?;
        reporter = Reporter::new(monitor).with_log(&opened.file("run.log"))?;
        reporter.record(&prepared.notes.join("\n"));
    }
    let Start { model, system, position, references, saved, mut meta, notes: _ } = prepared;
    reporter.record(&format!(
        "amelo {} (commit {}), {}, {} precision, threads: {}",
        provenance::VERSION,
        provenance::COMMIT,
        provenance::instruction_set(),
        crate::nonbonded::precision_name(model.nonbonded.precision),
        rayon::current_num_threads()
    ));
    let contexts = serde_json::to_string(&analyses::contexts(&plans, deck.seed));
    meta.insert(meta::CONTEXT.into(), contexts.unwrap_or_default());
    let mut run = Run {
        deck: &deck,
        plans: &plans,
        directory: &opened,
        reporter: &reporter,
        model,
        system,
        position,
        references,
        saved,
        meta,
        seconds_in_dynamics: 0.0,
    };
    let first_step = run.system.step;
    let first_time = run.system.time;
    let outcome = run.all_stages(options, &source);
    if let Err(error) = &outcome {
        reporter.record(&format!("ended: {error}"));
    }
    outcome?;
    let deadline = options.deadline(began);
    let found = adsorption::run(&deck, &source, &run.system, run.model.nonbonded, &opened.path, deadline, &reporter)?;
    let report = analyses::after_run(&opened.path, &deck, &plans, &run.position, found, &reporter)?;
    let steps = run.system.step - first_step;
    let simulated = run.system.time - first_time;
    let summary = RunSummary {
        run: path,
        n_atoms: run.system.n_atoms(),
        steps: run.system.step,
        time_ps: run.system.time,
        steps_of_this_call: steps,
        wall_seconds: began.elapsed().as_secs_f64(),
        ns_per_day: (steps > 0).then(|| 86.4 * simulated / run.seconds_in_dynamics),
        report,
    };
    reporter.message(&format!(
        "done: {} steps, {:.3} ps, {:.1} s{}; report: {}",
        summary.steps,
        summary.time_ps,
        summary.wall_seconds,
        summary.ns_per_day.map_or(String::new(), |speed| format!(", {speed:.2} ns/day")),
        summary.report.display()
    ));
    Ok(summary)
}

fn has_checkpoint(path: &std::path::Path) -> bool {
    path.exists() || amelo_io::snapshot::previous_path(path).exists()
}

/// Where a run begins or goes on.
pub(crate) struct Start {
    pub model: Model,
    pub system: System,
    position: Position,
    references: Option<References>,
    saved: Option<State>,
    meta: BTreeMap<String, String>,
    notes: Vec<String>,
}

/// The system of a deck at step 0, or everything that is wrong with the deck.
pub(crate) fn fresh(
    deck: &Deck,
    source: &Source,
    plans: &[StagePlan],
    reporter: &Reporter,
) -> Result<Start, RunnerError> {
    let mut prepared = preparation::prepare(deck, source, reporter)?;
    let mut problems = plan::check_groups(plans, deck, source, &prepared.model.topology);
    problems.extend(analyses::check(deck, source, plans, &prepared.model.topology));
    problems.extend(adsorption::check(deck, source, &prepared.system, Making::IfMissing, reporter));
    if problems.is_empty() {
        problems = plan::check_ensembles(plans, source, &prepared.model, &prepared.system);
    }
    if !problems.is_empty() {
        return Err(RunnerError::Input { problems });
    }
    // From here on the model has the choice, and a restart has the model.
    if let Some((choice, time)) = tune::fastest(&prepared.candidates, &prepared.model.nonbonded, &prepared.system)? {
        prepared.model.nonbonded.coulomb = choice.coulomb();
        let how = format!("tuned, {:.2} ms", time.as_secs_f64() * 1e3);
        prepared.notes.push(nonbonded::describe(&choice, &how));
    }
    let mut meta = BTreeMap::new();
    meta.insert(meta::DECK.into(), source.text.clone());
    meta.insert(meta::IDENTITY.into(), checkpointing::identity(deck).to_string());
    meta.insert(meta::STAGES.into(), plans.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join("\n"));
    meta.insert(meta::PROGRAM.into(), format!("amelo {} ({})", provenance::VERSION, provenance::COMMIT));
    meta.extend(prepared.meta);
    let references = References::needed(&prepared.system, plans.iter().map(|p| &p.conditions));
    Ok(Start {
        model: prepared.model,
        system: prepared.system,
        position: Position { starts: vec![0], ..Position::default() },
        references,
        saved: None,
        meta,
        notes: prepared.notes,
    })
}

fn resumed(
    deck: &Deck,
    source: &Source,
    plans: &[StagePlan],
    checkpoint: &std::path::Path,
    reporter: &Reporter,
) -> Result<Start, RunnerError> {
    let (snapshot, trouble) = Snapshot::read_latest(checkpoint)?;
    if let Some(trouble) = trouble {
        reporter.message(&format!("warning: {trouble}\n  going on from the checkpoint before it"));
    }
    checkpointing::check_identity(&snapshot, deck)?;
    let Some((position, references)) = checkpointing::position(&snapshot)? else {
        return Err(RunnerError::Files {
            message: format!("{} is a system file, not the checkpoint of a run", checkpoint.display()),
            help: "start from it with [system.restart] in a deck".into(),
        });
    };
    let topology = &snapshot.system.topology;
    let problems = analyses::check(deck, source, plans, topology);
    if !problems.is_empty() {
        return Err(RunnerError::Input { problems });
    }
    reporter.message(&format!("resuming at step {} ({:.3} ps)", snapshot.system.step, snapshot.system.time));
    let Snapshot { system, pair_table, nonbonded, state, mut meta } = snapshot;
    meta.insert(meta::DECK.into(), source.text.clone());
    let model = Model { topology: system.topology.clone(), pair_table, nonbonded };
    let saved = (position.step > 0).then_some(state);
    Ok(Start { model, system, position, references, saved, meta, notes: Vec::new() })
}

impl<'a> Run<'a> {
    fn all_stages(&mut self, options: &RunOptions, source: &Source) -> Result<(), RunnerError> {
        let how = match self.system.step {
            0 => Open::Anew,
            step => Open::After { step, frames: self.position.frames },
        };
        amelo_io::write_pdb(
            &self.directory.file("topology.pdb"),
            &self.model.topology,
            &self.system.cell,
            &self.system.positions,
        )?;
        let parameters = self.parameters(source);
        let mut outputs = Outputs::open(&self.directory.path, self.plans, &self.model.topology, parameters, how)?;
        let mut budget =
            Budget { steps: options.max_steps, deadline: options.deadline(Instant::now()), time_to_go: 0.0 };
        let result = self.first_checkpoint(&mut outputs).and_then(|()| self.stages(&mut outputs, &mut budget, source));
        // Frames and rows up to here are good whatever happened.
        let closed = outputs.close();
        result.and(closed)
    }

    /// From here on a killed run resumes instead of building again.
    fn first_checkpoint(&self, outputs: &mut Outputs) -> Result<(), RunnerError> {
        if self.system.step > 0 || self.position.stage > 0 {
            return Ok(());
        }
        let (references, state) = (self.references.as_ref(), State::default());
        let start = checkpointing::snapshot(&self.model, &self.system, &self.position, references, state, &self.meta);
        outputs.checkpoint(start, self.directory.file(amelo_io::CHECKPOINT))?;
        outputs.wait()
    }

    fn stages(&mut self, outputs: &mut Outputs, budget: &mut Budget, source: &Source) -> Result<(), RunnerError> {
        while let Some(plan) = self.next_stage() {
            let to_go = |p: &StagePlan| p.n_steps() as f64 * p.timestep;
            budget.time_to_go =
                self.plans[plan.index..].iter().map(to_go).sum::<f64>() - self.position.step as f64 * plan.timestep;
            let fresh = self.position.step == 0;
            self.reporter.message(&format!(
                "stage {}/{}: {}{}",
                plan.index + 1,
                self.plans.len(),
                plan.name,
                if fresh { String::new() } else { format!(", from its step {}", self.position.step) }
            ));
            match self.one_stage(plan, outputs, budget)? {
                Ending::Done => {}
                Ending::Stopped(reason) => return Err(RunnerError::Stopped { reason, step: self.system.step }),
                Ending::Failed(error) => return Err(self.failure(plan, error, source)),
            }
            let done = self.position.stage + 1 == self.plans.len();
            if budget.steps == Some(0) && !done {
                return Err(RunnerError::Stopped { reason: StopReason::Steps, step: self.system.step });
            }
        }
        Ok(())
    }

    /// The stage to run now; moves the position on where the present stage has ended.
    fn next_stage(&mut self) -> Option<&'a StagePlan> {
        let plan = self.plans.get(self.position.stage)?;
        if !self.position.ended {
            return Some(plan);
        }
        if self.saved.is_some() && self.position.step < plan.n_steps() && !plan.at_rest(&self.position) {
            // A resumed deck asks for more of this stage than the one before did.
            self.position.ended = false;
            return Some(plan);
        }
        let next = self.plans.get(self.position.stage + 1)?;
        self.position.stage += 1;
        (self.position.step, self.position.ended) = (0, false);
        self.position.starts.push(self.system.step);
        self.saved = None;
        if let Some(references) = &mut self.references {
            references.stage = Reference::of(&self.system);
        }
        Some(next)
    }

    fn one_stage(
        &mut self,
        plan: &StagePlan,
        outputs: &mut Outputs,
        budget: &mut Budget,
    ) -> Result<Ending, RunnerError> {
        let references = self.references_of(plan);
        let (topology, terms) = self.model.stage(plan, &self.system.cell, references.as_ref())?;
        self.system.topology = topology;
        let saved = self.saved.take();
        let (model, meta, kept, path) =
            (&self.model, &self.meta, self.references.as_ref(), self.directory.file(amelo_io::CHECKPOINT));
        let mut checkpoint = |system: &System, position: &mut Position, state: State, outputs: &mut Outputs| {
            position.frames = outputs.frames(position.frames);
            let snapshot = checkpointing::snapshot(model, system, position, kept, state, meta);
            outputs.checkpoint(snapshot, path.clone())
        };
        let mut stage = Stage { plan, system: &mut self.system, terms, position: &mut self.position };
        let ending = match &plan.kind {
            StageKind::Minimize(config) => {
                let ending = stage.minimize(config, self.reporter, budget)?;
                if matches!(ending, Ending::Done) {
                    checkpoint(&self.system, &mut self.position, State::default(), outputs)?;
                }
                ending
            }
            StageKind::Dynamics { .. } => {
                let began = Instant::now();
                let seconds = self.deck.output.checkpoint_every.map_or(CHECKPOINT_SECONDS, |t| t.0 * 1e-12);
                let ending =
                    stage.run(self.deck.seed, saved.as_ref(), outputs, &mut checkpoint, seconds, self.reporter, budget);
                self.seconds_in_dynamics += began.elapsed().as_secs_f64();
                ending?
            }
        };
        // What is told of a stage's end is on the disk.
        outputs.wait()?;
        Ok(ending)
    }

    /// What the tethers of `plan` refer to, where it has some.
    fn references_of(&self, plan: &StagePlan) -> Option<References> {
        self.references.clone().or_else(|| References::needed(&self.system, [&plan.conditions]))
    }

    /// Texts that go into the trajectory.
    fn parameters(&self, source: &Source) -> BTreeMap<String, String> {
        let mut texts = BTreeMap::new();
        let mut put = |name: &str, text: String| texts.insert(name.to_string(), text);
        put("deck", source.text.clone());
        put("resolved_deck", serde_json::to_string_pretty(self.deck).unwrap_or_default());
        put("program", format!("amelo {}", provenance::VERSION));
        put("commit", provenance::COMMIT.into());
        put("instruction_set", provenance::instruction_set().into());
        put("cpu_features", provenance::cpu_features().join(" "));
        put("threads", rayon::current_num_threads().to_string());
        put("seed", self.deck.seed.to_string());
        put("nonbonded", serde_json::to_string(&self.model.nonbonded).unwrap_or_default());
        put("precision", crate::nonbonded::precision_name(self.model.nonbonded.precision).into());
        if let Some(files) = self.meta.get(meta::FORCEFIELD) {
            put("forcefield_files", files.clone());
        }
        texts
    }

    /// What the user hears of a failure, with the circumstances in a file.
    fn failure(&mut self, plan: &StagePlan, error: DynamicsError, source: &Source) -> RunnerError {
        match &error {
            DynamicsError::Setting { key, message } => {
                let kind = plan.kind.key();
                let place = format!("stage[{}].{kind}.{key}", plan.place);
                RunnerError::input(source.problem(&place, format!("{key}: {message}")).help("correct this key"))
            }
            DynamicsError::State(e) => RunnerError::Files {
                message: format!("the checkpoint does not fit: {e}"),
                help: "use the version of amelo that wrote it, or start anew with --overwrite".into(),
            },
            _ => {
                let references = self.references_of(plan);
                let topology = self.system.topology.clone();
                let terms = self.model.terms(&topology, &self.system.cell, &plan.conditions, references.as_ref());
                let path = self.directory.file("dossier.json");
                let written = dossier::write(&path, &self.system, plan, &error, terms.ok());
                let wrote =
                    written.inspect_err(|e| self.reporter.message(&format!("warning: no dossier: {e}"))).is_ok();
                RunnerError::Simulation {
                    message: format!("stage \"{}\": {error}", plan.name),
                    help: format!(
                        "minimise longer, take a shorter time step, or look at the atoms named; the last good checkpoint is {}",
                        self.directory.file(amelo_io::CHECKPOINT).display()
                    ),
                    dossier: wrote.then_some(path),
                }
            }
        }
    }
}

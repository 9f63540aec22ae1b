//! Analyses over stored frames: those of the deck at the end of a run, and single ones of `amelo analyze`.

use std::path::{Path, PathBuf};

use amelo_analysis::{AnalysisConfig, AnalysisError, Context, Outcome, Results};
use amelo_core::Topology;
use amelo_io::Snapshot;
use amelo_io::h5md::TrajectoryReader;
use serde::{Deserialize, Serialize};

use crate::adsorption::{self, AdsorptionReport};
use crate::checkpointing::{self, Position, meta};
use crate::comparison::{self, Comparison};
use crate::deck::Deck;
use crate::error::{Problem, RunnerError};
use crate::plan::StagePlan;
use crate::plot::Plot;
use crate::progress::Reporter;
use crate::report::{self, RunData};
use crate::source::Source;

/// What analyses must know of a stage; kept in the checkpoint for `amelo analyze`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StageContext {
    /// Whether it writes frames.
    pub trajectory: bool,
    /// Its temperature (K), where a thermostat holds one.
    pub temperature: Option<f64>,
    /// Seed of the run.
    pub seed: u64,
}

/// One per stage.
pub fn contexts(plans: &[StagePlan], seed: u64) -> Vec<StageContext> {
    plans
        .iter()
        .map(|p| StageContext { trajectory: p.trajectory.is_some(), temperature: p.temperature(), seed })
        .collect()
}

/// The stage whose frames are analysed: the last that writes some.
fn analysed(stages: &[StageContext]) -> Option<(usize, Context)> {
    let (k, stage) = stages.iter().enumerate().rev().find(|(_, s)| s.trajectory)?;
    Some((k, Context { temperature: stage.temperature, seed: stage.seed }))
}

/// Everything wrong with the deck's analyses, before the first step.
pub fn check(deck: &Deck, source: &Source, plans: &[StagePlan], topology: &Topology) -> Vec<Problem> {
    let mut problems = Vec::new();
    let Some((_, context)) = analysed(&contexts(plans, deck.seed)) else {
        if !deck.analysis.is_empty() {
            let help = "give a stage trajectory = { every = \"1 ps\" }";
            problems.push(
                source.problem("analysis[0]", "the deck has analyses, but no stage writes a trajectory").help(help),
            );
        }
        return problems;
    };
    for (k, config) in deck.analysis.iter().enumerate() {
        if let Err(error) = config.build(topology, &context) {
            problems.push(problem(&error, &format!("analysis[{k}].{}", config.name()), source));
        }
    }
    problems
}

fn problem(error: &AnalysisError, key: &str, source: &Source) -> Problem {
    let key = match error.key() {
        Some(inner) => format!("{key}.{inner}"),
        None => key.into(),
    };
    let help = match error {
        AnalysisError::UnknownGroup { .. } => "take one of the groups named",
        _ => "amelo explain says what the analysis takes",
    };
    source.problem(&key, error.to_string()).help(help)
}

/// Every frame of the analysed stage through one analysis.
fn observe(
    config: &AnalysisConfig,
    context: &Context,
    frames: &TrajectoryReader,
    first_step: u64,
) -> Result<Result<Outcome, AnalysisError>, RunnerError> {
    let mut analysis = match config.build(frames.topology(), context) {
        Ok(analysis) => analysis,
        Err(error) => return Ok(Err(error)),
    };
    for (k, step) in frames.steps().into_iter().enumerate() {
        // The frame at a stage's first step belongs to the stage before, except at the start of the run.
        if step > first_step || step == 0 && first_step == 0 {
            let frame = frames.frame(k)?;
            if let Err(error) = analysis.observe(&frame.as_frame(frames.topology())) {
                return Ok(Err(error));
            }
        }
    }
    Ok(analysis.finish())
}

/// Makes the deck's analyses, adds what else was `found`, writes `results.json`, plots and report; returns the report's path.
pub fn after_run(
    directory: &Path,
    deck: &Deck,
    plans: &[StagePlan],
    position: &Position,
    found: Option<Outcome>,
    reporter: &Reporter,
) -> Result<PathBuf, RunnerError> {
    let watched = plans.iter().filter_map(|p| Some((p, p.watch?, position.watched.get(&p.index)?)));
    let mut outcomes: Vec<Outcome> = watched.map(|(p, watch, watched)| watched.outcome(&p.name, &watch)).collect();
    outcomes.extend(found);
    if let Some((stage, context)) = analysed(&contexts(plans, deck.seed)).filter(|_| !deck.analysis.is_empty()) {
        let frames = TrajectoryReader::open(directory)?;
        let first_step = position.starts.get(stage).copied().unwrap_or(0);
        for config in &deck.analysis {
            reporter.message(&format!("analysis: {}", config.name()));
            let outcome = match observe(config, &context, &frames, first_step)? {
                Ok(outcome) => outcome,
                // Too short a run is no failure: the report says what is missing.
                Err(error) => {
                    reporter.message(&format!("warning: {error}"));
                    Outcome {
                        name: config.name().into(),
                        quantities: Vec::new(),
                        curves: Vec::new(),
                        notes: vec![format!("not available: {error}")],
                    }
                }
            };
            outcomes.push(outcome);
        }
    }
    let (snapshot, _) = Snapshot::read_latest(&directory.join(amelo_io::CHECKPOINT))?;
    let results = Results { build: build_report(&snapshot), ..Results::new(outcomes) };
    amelo_io::write_json(&directory.join("results.json"), &results)?;
    report::write_plots(&results, &directory.join("plots"))?;
    let path = directory.join("report.html");
    report::write(&[run_data(directory)?], &path)?;
    Ok(path)
}

/// The page of a system file: pictures, density profiles, the certificate, the deck.
pub fn structure_page(system: &Path, page: &Path) -> Result<(), RunnerError> {
    let snapshot = Snapshot::read(system)?;
    let topology = &snapshot.system.topology;
    let profiles = AnalysisConfig::Density(Default::default());
    let profiles = profiles.build(topology, &Context::default()).and_then(|mut analysis| {
        analysis.observe(&snapshot.system.frame())?;
        analysis.finish()
    });
    let profiles = profiles.map_err(|e| RunnerError::Bug(e.to_string()))?;
    let results = Results { build: build_report(&snapshot), ..Results::new([profiles]) };
    let pictures = crate::picture::pictures(&snapshot.system);
    let data = RunData { pictures, ..snapshot_data(system, &snapshot, results) };
    Ok(report::write(&[data], page)?)
}

/// What a report needs of a run directory.
fn run_data(directory: &Path) -> Result<RunData, RunnerError> {
    let results = directory.join("results.json");
    let text = amelo_io::read_text(&results)?;
    let results = serde_json::from_str(&text).map_err(|e| RunnerError::Files {
        message: format!("{} is not what amelo writes: {e}", results.display()),
        help: "run the deck again with --resume: results are made anew".into(),
    })?;
    let log = amelo_io::read_text(&directory.join(amelo_io::log::FILE_NAME)).unwrap_or_default();
    let (snapshot, _) = Snapshot::read_latest(&directory.join(amelo_io::CHECKPOINT))?;
    let adsorption = adsorption(directory)?;
    Ok(RunData { log: report::log_curves(&log), adsorption, ..snapshot_data(directory, &snapshot, results) })
}

/// What a report takes from a checkpoint or system file; `path` gives the name.
fn snapshot_data(path: &Path, snapshot: &Snapshot, results: Results) -> RunData {
    let deck = snapshot.meta.get(meta::DECK).cloned();
    let title = deck.as_deref().and_then(|d| d.parse::<toml::Table>().ok());
    let title = title.and_then(|t| t.get("title")?.as_str().map(str::to_string)).unwrap_or_default();
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.into());
    RunData {
        name: absolute.file_name().map_or_else(|| "run".into(), |n| n.to_string_lossy().into_owned()),
        title,
        deck,
        provenance: provenance(snapshot),
        results,
        log: vec![],
        glass: glass(snapshot),
        adsorption: None,
        pictures: vec![],
        identity: snapshot.meta.get(meta::IDENTITY).and_then(|text| serde_json::from_str(text).ok()),
    }
}

/// The papers of a run's glass, from the report of its building.
fn glass(snapshot: &Snapshot) -> Option<amelo_build::Certificate> {
    serde_json::from_value(build_report(snapshot)?.pointer_mut("/oxide/glass")?.take()).ok()
}

/// Adsorption energies, where a run has some.
fn adsorption(directory: &Path) -> Result<Option<AdsorptionReport>, RunnerError> {
    let path = directory.join(adsorption::REPORT);
    if !path.exists() {
        return Ok(None);
    }
    let report = serde_json::from_str(&amelo_io::read_text(&path)?);
    report.map(Some).map_err(|e| RunnerError::Files {
        message: format!("{} is not what amelo writes: {e}", path.display()),
        help: "run the deck again with --resume: it is made anew".into(),
    })
}

/// What was built, as the checkpoint has it.
fn build_report(snapshot: &Snapshot) -> Option<serde_json::Value> {
    snapshot.meta.get(meta::BUILD).and_then(|text| serde_json::from_str(text).ok())
}

fn provenance(snapshot: &Snapshot) -> Vec<(String, String)> {
    let system = &snapshot.system;
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut row = |name: &str, value: String| rows.push((name.into(), value));
    row("program", snapshot.meta.get(meta::PROGRAM).cloned().unwrap_or_default());
    row("instruction set", crate::provenance::instruction_set().into());
    row("processor", crate::provenance::cpu_features().join(" "));
    row("precision", crate::nonbonded::precision_name(snapshot.nonbonded.precision).into());
    row("atoms", system.n_atoms().to_string());
    row("simulated", format!("{} steps, {:.3} ps", system.step, system.time));
    let identity = snapshot.meta.get(meta::IDENTITY).and_then(|t| serde_json::from_str::<serde_json::Value>(t).ok());
    if let Some(seed) = identity.and_then(|i| i["seed"].as_u64()) {
        row("seed", seed.to_string());
    }
    row("net charge", format!("{:+.6} e", system.topology.total_charge()));
    let files = snapshot.meta.get(meta::FORCEFIELD).and_then(|t| serde_json::from_str::<serde_json::Value>(t).ok());
    for file in files.iter().flat_map(|f| f.as_array()).flatten() {
        let text = |key: &str| file[key].as_str().unwrap_or_default().to_string();
        row(&format!("parameter file {}", text("name")), format!("{} (SHA-256 {})", text("title"), text("sha256")));
    }
    rows
}

impl From<report::ReportError> for RunnerError {
    fn from(error: report::ReportError) -> Self {
        match &error {
            report::ReportError::Io { path, source } => RunnerError::file(path, "write", source),
            report::ReportError::Plot(e) => RunnerError::Bug(e.to_string()),
        }
    }
}

/// One analysis on one run.
pub fn analyze(name: &str, run: &Path, sets: &[String]) -> Result<Outcome, RunnerError> {
    let known: Vec<&str> = amelo_analysis::analyses().iter().map(|a| a.name).collect();
    if !known.contains(&name) {
        return Err(RunnerError::input(
            Problem::new(format!("there is no analysis \"{name}\"")).help(format!("there are: {}", known.join(", "))),
        ));
    }
    let mut source = Source::parse(Path::new("analysis"), format!("[analysis.{name}]\n"))?;
    for set in sets {
        source.set(&format!("analysis.{name}.{set}"))?;
    }
    let config: AnalysisConfig = crate::deck::deserialize_key(&source, "analysis")?;
    let frames = TrajectoryReader::open(run)?;
    let (first_step, context) = stored_context(run)?;
    observe(&config, &context, &frames, first_step)?
        .map_err(|e| RunnerError::input(problem(&e, &format!("analysis.{name}"), &source)))
}

/// First step and conditions of the analysed stage, from the checkpoint of a run; all frames where there is none.
fn stored_context(run: &Path) -> Result<(u64, Context), RunnerError> {
    let checkpoint = run.join(amelo_io::CHECKPOINT);
    if !run.is_dir() || !checkpoint.exists() {
        return Ok((0, Context::default()));
    }
    let (snapshot, _) = Snapshot::read_latest(&checkpoint)?;
    let stages = snapshot.meta.get(meta::CONTEXT).and_then(|text| serde_json::from_str::<Vec<StageContext>>(text).ok());
    let position = checkpointing::position(&snapshot)?.map(|(position, _)| position).unwrap_or_default();
    // A run that is under way may not have come to its last stage yet.
    let stages: Vec<StageContext> = stages.unwrap_or_default().into_iter().take(position.stage + 1).collect();
    Ok(match analysed(&stages) {
        Some((k, context)) => (position.starts.get(k).copied().unwrap_or(0), context),
        None => (0, Context::default()),
    })
}

/// An outcome for people.
pub fn text(outcome: &Outcome) -> String {
    let mut out = format!("{}\n", outcome.name);
    for q in &outcome.quantities {
        let number = crate::tables::number;
        let value = q.value.map_or("not available".into(), |v| format!("{} {}", number(v), q.unit));
        let interval = match (&q.ci95, &q.no_interval) {
            (Some([low, high]), _) => format!("95 % [{}, {}]", number(*low), number(*high)),
            (None, Some(why)) => format!("no interval: {why}"),
            _ => "no interval".into(),
        };
        out.push_str(&format!("  {}: {value}, {interval}, n = {}, level {:?}\n", q.name, q.n_independent, q.level));
        out.push_str(&format!("    {}\n", q.definition));
    }
    for curve in &outcome.curves {
        out.push_str(&format!("  curve: {} ({} points, {})\n", curve.name, curve.x.values.len(), curve.x.unit));
    }
    for note in &outcome.notes {
        out.push_str(&format!("  note: {note}\n"));
    }
    out
}

/// The first curve of each run in one picture.
pub fn plot(runs: &[(PathBuf, Outcome)], path: &Path) -> Result<(), RunnerError> {
    if path.extension().is_none_or(|e| e != "svg") {
        return Err(RunnerError::input(
            Problem::new(format!("{}: plots are written as SVG", path.display())).help("name the file something.svg"),
        ));
    }
    let names: Vec<String> = runs.iter().map(|(run, _)| run.display().to_string()).collect();
    let several = runs.len() > 1;
    let curves: Vec<_> = runs
        .iter()
        .zip(&names)
        .filter_map(|((_, outcome), name)| Some((several.then_some(name.as_str()), outcome.curves.first()?)))
        .collect();
    let plot = Plot::of(&curves).ok_or_else(|| {
        RunnerError::input(Problem::new("this analysis has no curve to draw").help("leave out --plot"))
    })?;
    let svg = plot.svg().map_err(|e| RunnerError::Bug(e.to_string()))?;
    Ok(amelo_io::write_atomic(path, svg.as_bytes())?)
}

/// One page on several runs, and what they show beside each other.
pub fn report(runs: &[PathBuf], output: &Path) -> Result<Option<Comparison>, RunnerError> {
    let data = runs.iter().map(|run| run_data(run)).collect::<Result<Vec<_>, _>>()?;
    report::write(&data, output)?;
    Ok(comparison::compare(&data))
}

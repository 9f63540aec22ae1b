//! Minimisations side by side, each kept in a file as soon as it is done.
//!
//! A worker has its own threads and takes the next start that nobody took; what comes of a start depends on nothing else,
//! so the number of workers changes no bit. The files let a run that was stopped go on, and let more starts be added.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use amelo_build::amorphous::Hold;
use amelo_core::quantity::{Force, Length, Rate, Temperature};
use amelo_core::{Cell, ForceProvider, Forces, Request, System, TermSum};
use amelo_dynamics::{
    Ensemble, Integrator, IntegratorSettings, MinimizeConfig, MinimizeReport, NvtConfig, ThermostatKind,
};
use amelo_math::Vec3;
use serde::{Deserialize, Serialize};

use super::config::{ANNEAL_STEP, ANNEALED};
use crate::engine::Model;
use crate::error::{RunnerError, StopReason};
use crate::plan::Conditions;
use crate::progress::{Progress, Reporter};

/// Force (kJ/mol/nm) and steps of pulling overlapping atoms apart in a box.
const PUSHED: Limits = Limits { force_tolerance: 500.0, max_steps: 1000 };
/// The same of the molecule alone, which first settles on the host as it is.
const SETTLED: Limits = Limits { force_tolerance: 50.0, max_steps: 300 };
/// The same of molecule and host together in the rough search.
const ROUGH: Limits = Limits { force_tolerance: 30.0, max_steps: 500 };
/// Longest move of an atom in a step (nm).
const MAX_MOVE: f64 = 0.01;
/// Friction of the annealing (1/ps): temperature follows within half a ps, and a molecule still moves by itself.
const FRICTION: f64 = 2.0;
/// Time between looks at the monitor.
const LOOK: Duration = Duration::from_millis(200);

/// One minimisation to be done.
#[derive(Clone, Debug)]
pub(super) struct Task {
    /// Name of its file.
    pub label: String,
    /// Force field.
    pub model: Arc<Model>,
    /// Periodic cell.
    pub cell: Cell,
    /// \[n_host\] atoms of the host that do not move; the host's atoms come first.
    pub fixed: Arc<[bool]>,
    /// \[n_atoms\] where the atoms are at first (nm).
    pub start: Vec<Vec3>,
    /// Of the rough search: how the molecule comes to its host. Without it everything is relaxed to the deck's tolerance.
    pub approach: Option<Approach>,
}

/// How a molecule comes to its host.
#[derive(Clone, Copy, Debug)]
pub(super) struct Approach {
    /// Whether molecule and host overlap at first.
    pub crowded: bool,
    /// Annealing, with the seed of its noise.
    pub anneal: Option<(Hold, u64)>,
}

/// What a minimisation came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Relaxed {
    /// Potential energy with nothing frozen (kJ/mol).
    pub energy: f64,
    /// Largest component of the force on an atom that may move (kJ/mol/nm).
    pub largest_force: f64,
    /// Whether the tolerance was met.
    pub converged: bool,
    /// Steps of the last minimisation.
    pub steps: u64,
    /// \[n_atoms\] positions (nm), wrapped.
    pub positions: Vec<[f64; 3]>,
}

impl Relaxed {
    pub fn positions(&self) -> Vec<Vec3> {
        self.positions.iter().map(|r| Vec3::from(*r)).collect()
    }
}

/// A minimisation, or why it failed.
pub(super) type Outcome = Result<Relaxed, String>;

/// When a minimisation ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Largest component of a force (kJ/mol/nm).
    pub force_tolerance: f64,
    pub max_steps: u64,
}

/// What minimises.
pub(super) struct Workshop<'a> {
    /// Folder of the files.
    pub folder: PathBuf,
    pub limits: Limits,
    pub reporter: &'a Reporter<'a>,
    /// End of `--max-hours`.
    pub deadline: Option<Instant>,
}

impl Workshop<'_> {
    /// What each task comes to, from its file where it was done before; `what` names them for people.
    pub fn relax_all(&self, what: &str, tasks: &[Task]) -> Result<Vec<Outcome>, RunnerError> {
        let mut outcomes: Vec<Option<Outcome>> = tasks.iter().map(|task| read(&self.path(task))).collect();
        let todo: Vec<usize> = (0..tasks.len()).filter(|&k| outcomes[k].is_none()).collect();
        let threads = rayon::current_num_threads();
        let workers = threads.min(todo.len());
        let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        let mut reason = None;
        let began = Instant::now();
        let mut done = 0;
        let limits = self.limits;
        std::thread::scope(|scope| {
            let (send, receive) = mpsc::channel();
            for _ in 0..workers {
                let (send, next, stop, todo) = (send.clone(), &next, &stop, &todo);
                scope.spawn(move || {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads / workers).build();
                    while let Some(&k) = todo.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let relax = || relax(&tasks[k], limits, stop);
                        let outcome = match &pool {
                            Ok(pool) => pool.install(relax),
                            Err(_) => relax(),
                        };
                        // Nobody hears of a minimisation that was stopped.
                        if stop.load(Ordering::Relaxed) || send.send((k, outcome)).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(send);
            loop {
                match receive.recv_timeout(LOOK) {
                    Ok((k, outcome)) => {
                        let kept = amelo_io::write_json(&self.path(&tasks[k]), &outcome);
                        outcomes[k] = Some(outcome);
                        done += 1;
                        if let Err(error) = kept {
                            stop.store(true, Ordering::Relaxed);
                            return Err(RunnerError::from(error));
                        }
                    }
                    Err(mpsc::RecvTimeoutError::Timeout) => {}
                    Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(()),
                }
                reason = reason.or_else(|| self.stop_reason());
                stop.store(reason.is_some(), Ordering::Relaxed);
                self.tell(what, tasks.len() - todo.len() + done, tasks.len(), began, done);
            }
        })?;
        if let Some(reason) = reason
            && outcomes.iter().any(Option::is_none)
        {
            return Err(RunnerError::Stopped { reason, step: 0 });
        }
        outcomes.into_iter().map(|o| o.ok_or_else(|| RunnerError::Bug("a minimisation was lost".into()))).collect()
    }

    fn path(&self, task: &Task) -> PathBuf {
        self.folder.join(format!("{}.json", task.label))
    }

    fn stop_reason(&self) -> Option<StopReason> {
        if self.reporter.stop_requested() {
            return Some(StopReason::Signal);
        }
        self.deadline.is_some_and(|end| Instant::now() >= end).then_some(StopReason::MaxHours)
    }

    fn tell(&self, what: &str, step: usize, n_steps: usize, began: Instant, done: usize) {
        let each = began.elapsed().as_secs_f64() / done.max(1) as f64;
        let progress = || Progress {
            stage: what.into(),
            step: step as u64,
            n_steps: n_steps as u64,
            time: 0.0,
            ns_per_day: None,
            eta_seconds: (done > 0).then_some(each * (n_steps - step) as f64),
            detail: format!("{step} of {n_steps} minimisations"),
        };
        self.reporter.progress(progress, step == n_steps);
    }
}

/// The molecule approaches its host where the task says so; then everything that may move relaxes.
fn relax(task: &Task, limits: Limits, stop: &AtomicBool) -> Outcome {
    let model = &task.model;
    let mut system = System::new(model.topology.clone(), task.cell, task.start.clone());
    let (n, n_host) = (system.n_atoms(), task.fixed.len());
    let run = |system: &mut System, frozen: &[bool], push: bool, limits: Limits| -> Result<MinimizeReport, String> {
        let mut topology = (*model.topology).clone();
        topology.frozen[..n_host].copy_from_slice(frozen);
        let topology = Arc::new(topology);
        let felt = Model::with_springs(&topology);
        let terms = if push { model.push_off_terms(&felt) } else { terms(model, &felt, &system.cell) };
        let mut terms = terms.map_err(|e| e.to_string())?;
        system.topology = topology;
        let config = MinimizeConfig {
            force_tolerance: Force(limits.force_tolerance),
            max_steps: limits.max_steps,
            max_move: Length(MAX_MOVE),
            cell: None,
        };
        amelo_dynamics::lbfgs(system, &mut terms, &config, &mut |_| match stop.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        })
        .map_err(|e| e.to_string())
    };
    if let Some(approach) = task.approach {
        if approach.crowded {
            run(&mut system, &task.fixed, true, PUSHED)?;
        }
        if n_host > 0 {
            run(&mut system, &vec![true; n_host], false, SETTLED)?;
        }
        if let Some((hold, seed)) = approach.anneal {
            anneal(&mut system, task, hold, seed, stop)?;
        }
    }
    let limits = if task.approach.is_some() { ROUGH } else { limits };
    let report = run(&mut system, &task.fixed, false, limits)?;
    system.topology = model.topology.clone();
    let mut forces = Forces::new(n);
    let mut all = terms(model, &model.topology, &system.cell).map_err(|e| e.to_string())?;
    all.evaluate(&system, Request { energy: true, virial: false }, &mut forces).map_err(|e| e.to_string())?;
    Ok(Relaxed {
        energy: forces.energy.potential(),
        largest_force: report.last.largest_force,
        converged: report.converged,
        steps: report.last.step,
        positions: system.positions.iter().map(|r| r.to_array()).collect(),
    })
}

/// Langevin dynamics of what may move, from the temperature of `hold` to near 0 K.
fn anneal(system: &mut System, task: &Task, hold: Hold, seed: u64, stop: &AtomicBool) -> Result<(), String> {
    let mut topology = (*task.model.topology).clone();
    topology.frozen[..task.fixed.len()].copy_from_slice(&task.fixed);
    let topology = Arc::new(topology);
    let mut terms = terms(&task.model, &topology, &system.cell).map_err(|e| e.to_string())?;
    system.topology = topology;
    let wrong = |e: amelo_dynamics::DynamicsError| e.to_string();
    amelo_dynamics::draw_velocities(system, hold.temperature.0, seed);
    let n_steps = (hold.time.0 / ANNEAL_STEP).round() as u64;
    let ensemble = Ensemble::Nvt(NvtConfig {
        temperature_end: Some(Temperature(ANNEALED)),
        friction: Some(Rate(FRICTION)),
        ..NvtConfig::new(ThermostatKind::Langevin, hold.temperature.0)
    });
    let settings = IntegratorSettings { timestep: ANNEAL_STEP, seed, n_steps, ..IntegratorSettings::default() };
    let mut integrator = Integrator::new(ensemble, settings, system).map_err(wrong)?;
    integrator.start(system, &mut terms).map_err(wrong)?;
    for _ in 0..n_steps {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        integrator.step(system, &mut terms, Request::FORCES).map_err(wrong)?;
    }
    system.velocities.fill(Vec3::ZERO);
    Ok(())
}

fn terms(model: &Model, topology: &Arc<amelo_core::Topology>, cell: &Cell) -> Result<TermSum, RunnerError> {
    model.terms(topology, cell, &Conditions::default(), None)
}

/// A finished minimisation; one that is not whole is made anew.
fn read(path: &Path) -> Option<Outcome> {
    serde_json::from_str(&amelo_io::read_text(path).ok()?).ok()
}

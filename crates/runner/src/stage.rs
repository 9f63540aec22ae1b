//! One stage: minimise, or step and record until its end, a stop, or a failure.

use std::ops::ControlFlow;
use std::time::Instant;

use amelo_analysis::Chains;
use amelo_core::{Request, State, System, TermSum, Topology};
use amelo_dynamics::{DynamicsError, Integrator, IntegratorSettings, MinimizeConfig};

use crate::checkpointing::Position;
use crate::deck::VelocitiesConfig;
use crate::error::{Problem, RunnerError, StopReason};
use crate::observers::Outputs;
use crate::plan::{StageKind, StagePlan};
use crate::progress::{Progress, Reporter};

/// Wall time after which records are safe from a killed process (s).
const FLUSH_SECONDS: f64 = 10.0;

/// What a call of `run` may still use.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Steps left, where `--steps` limits them.
    pub steps: Option<u64>,
    /// End of `--max-hours`.
    pub deadline: Option<Instant>,
    /// Simulated time of all stages that are still to run (ps), for the ETA.
    pub time_to_go: f64,
}

impl Budget {
    /// Why the run shall stop now, if it shall.
    fn spent(&self, reporter: &Reporter) -> Option<StopReason> {
        if reporter.stop_requested() {
            Some(StopReason::Signal)
        } else if self.deadline.is_some_and(|end| Instant::now() >= end) {
            Some(StopReason::MaxHours)
        } else if self.steps == Some(0) {
            Some(StopReason::Steps)
        } else {
            None
        }
    }
}

/// A stage on its way: the system with the stage's topology, and what moves it.
pub struct Stage<'a> {
    /// The stage.
    pub plan: &'a StagePlan,
    /// The system; its topology has the stage's frozen groups and constraints.
    pub system: &'a mut System,
    /// The stage's forces.
    pub terms: TermSum,
    /// Where in the run this is.
    pub position: &'a mut Position,
}

/// Called when a checkpoint is due: the system and what the integrator remembers.
pub type Checkpoint<'a> = dyn FnMut(&System, &mut Position, State, &mut Outputs) -> Result<(), RunnerError> + 'a;

/// How a stage came to its end.
#[derive(Debug)]
pub enum Ending {
    /// All of its steps are done.
    Done,
    /// It stopped at a step boundary with a checkpoint.
    Stopped(StopReason),
    /// The physics failed.
    Failed(DynamicsError),
}

impl Stage<'_> {
    /// Minimises. An interruption leaves the checkpoint before this stage in force: a minimisation is repeated from
    /// its start, which gives the same bits.
    pub fn minimize(
        &mut self,
        config: &MinimizeConfig,
        reporter: &Reporter,
        budget: &Budget,
    ) -> Result<Ending, RunnerError> {
        let mut stop = None;
        let name = self.plan.name.clone();
        let outcome = amelo_dynamics::minimize(self.system, &mut self.terms, config, &mut |now| {
            stop = budget.spent(reporter).filter(|reason| *reason != StopReason::Steps);
            reporter.progress(
                || Progress {
                    stage: name.clone(),
                    step: now.step,
                    n_steps: config.max_steps,
                    time: 0.0,
                    ns_per_day: None,
                    eta_seconds: None,
                    detail: format!("E {:.4e} kJ/mol, largest force {:.3e} kJ/mol/nm", now.energy, now.largest_force),
                },
                false,
            );
            if stop.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        match outcome {
            Err(error) => Ok(Ending::Failed(error)),
            Ok(report) if report.interrupted => Ok(Ending::Stopped(stop.unwrap_or(StopReason::Signal))),
            Ok(report) => {
                let last = report.last;
                let how = if report.converged { "converged" } else { "did NOT converge" };
                reporter.message(&format!(
                    "  {} {how} after {} steps: {:.3} -> {:.3} kJ/mol, largest force {:.3} kJ/mol/nm on atom {}",
                    self.plan.name, last.step, report.initial_energy, last.energy, last.largest_force, last.atom
                ));
                self.position.ended = true;
                Ok(Ending::Done)
            }
        }
    }

    /// Steps until the stage's end. `saved` is the state to go on from in the middle of the stage.
    pub fn run(
        &mut self,
        seed: u64,
        saved: Option<&State>,
        outputs: &mut Outputs,
        checkpoint: &mut Checkpoint,
        checkpoint_seconds: f64,
        reporter: &Reporter,
        budget: &mut Budget,
    ) -> Result<Ending, RunnerError> {
        let plan = self.plan;
        let StageKind::Dynamics { ensemble, n_steps } = &plan.kind else {
            return Err(RunnerError::Bug(format!("stage \"{}\" is no dynamics", plan.name)));
        };
        let settings = IntegratorSettings {
            timestep: plan.timestep,
            seed,
            stream: plan.index as u32,
            remove_com: plan.remove_com,
            momentum_conserved: momentum_is_conserved(plan, &self.system.topology),
            n_steps: *n_steps,
            long_range_every: plan.long_range_every,
        };
        if saved.is_none() {
            self.draw_velocities(seed, reporter)?;
        }
        let mut integrator = match Integrator::new(ensemble.clone(), settings, self.system) {
            Ok(integrator) => integrator,
            Err(error) => return Ok(Ending::Failed(error)),
        };
        if let Some(state) = saved
            && let Err(error) = integrator.restore(self.system, state)
        {
            return Ok(Ending::Failed(error));
        }
        if let Err(error) = integrator.start(self.system, &mut self.terms) {
            return Ok(Ending::Failed(error));
        }
        let dof = integrator.degrees_of_freedom();
        for group in &dof.groups {
            reporter.message(&format!(
                "  degrees of freedom: {}: 3 x {} mobile - {} constraints - {} conserved = {} ({})",
                group.name, group.mobile, group.constraints, group.conserved, group.n_dof, dof.centre_of_mass
            ));
        }
        if self.system.step == 0 {
            self.record(&integrator, outputs, true, plan.trajectory.is_some())?;
        }
        let chains = plan.watch.map_or_else(Chains::default, |_| Chains::of(&self.system.topology));
        let began = Instant::now();
        let mut last_checkpoint = Instant::now();
        let mut last_flush = Instant::now();
        let mut done = 0u64;
        loop {
            let state = |integrator: &Integrator| {
                let mut state = State::default();
                integrator.save(&mut state);
                state
            };
            let at_rest = plan.at_rest(self.position);
            if self.position.step >= *n_steps || at_rest {
                self.tell_rest(reporter);
                self.position.ended = true;
                checkpoint(self.system, self.position, state(&integrator), outputs)?;
                return Ok(Ending::Done);
            }
            if let Some(reason) = budget.spent(reporter) {
                checkpoint(self.system, self.position, state(&integrator), outputs)?;
                return Ok(Ending::Stopped(reason));
            }
            if last_checkpoint.elapsed().as_secs_f64() > checkpoint_seconds {
                checkpoint(self.system, self.position, state(&integrator), outputs)?;
                last_checkpoint = Instant::now();
            } else if last_flush.elapsed().as_secs_f64() > FLUSH_SECONDS {
                tracing::trace_span!("output").in_scope(|| outputs.flush())?;
                last_flush = Instant::now();
            }
            let _span = tracing::trace_span!("step").entered();
            let next = self.position.step + 1;
            let logs = next.is_multiple_of(plan.log_every);
            let frames = plan.trajectory.is_some_and(|t| next.is_multiple_of(t.every));
            let samples = plan.watch.is_some_and(|w| next.is_multiple_of(w.sample));
            let want = if logs || frames || samples { Request::ALL } else { Request::FORCES };
            if let Err(error) = integrator.step(self.system, &mut self.terms, want) {
                return Ok(Ending::Failed(error));
            }
            self.position.step = next;
            done += 1;
            budget.steps = budget.steps.map(|n| n - 1);
            budget.time_to_go -= plan.timestep;
            if samples {
                let potential = integrator.observe(self.system).potential;
                let watched = self.position.watched.entry(plan.index).or_default();
                watched.take(next, self.system, potential, &chains);
            }
            if logs || frames {
                self.record(&integrator, outputs, logs, frames)?;
            }
            reporter.progress(
                || {
                    let seconds_per_ps = began.elapsed().as_secs_f64() / (done as f64 * plan.timestep);
                    Progress {
                        stage: plan.name.clone(),
                        step: next,
                        n_steps: *n_steps,
                        time: self.system.time,
                        ns_per_day: Some(86.4 / seconds_per_ps),
                        eta_seconds: Some(budget.time_to_go.max(0.0) * seconds_per_ps),
                        detail: format!("T {:.1} K", integrator.observe(self.system).temperature),
                    }
                },
                next == *n_steps,
            );
        }
    }

    /// What a stage that is watched has come to.
    fn tell_rest(&self, reporter: &Reporter) {
        let Some((watch, watched)) = self.plan.watch.zip(self.position.watched.get(&self.plan.index)) else { return };
        let verdict = watched.verdict(&watch, self.position.step);
        let warning = if verdict.stationary { "" } else { "warning: " };
        let after = self.position.step as f64 * self.plan.timestep;
        reporter.message(&format!("  {warning}{} after {after:.3} ps: {}", self.plan.name, verdict.text()));
    }

    /// A row of the log, a frame of the trajectory.
    fn record(
        &mut self,
        integrator: &Integrator,
        outputs: &mut Outputs,
        log: bool,
        frame: bool,
    ) -> Result<(), RunnerError> {
        let _span = tracing::trace_span!("output").entered();
        let now = integrator.observe(self.system);
        if log {
            outputs.log(self.plan.index, self.system, &now, integrator.forces())?;
        }
        if frame {
            outputs.frame(self.system, &now, integrator.forces())?;
        }
        Ok(())
    }

    /// Velocities at the start of the stage, as the deck asks or where none are there.
    fn draw_velocities(&mut self, seed: u64, reporter: &Reporter) -> Result<(), RunnerError> {
        let at_rest = self.system.velocities.iter().all(|v| v.norm2() == 0.0);
        let temperature = match self.plan.velocities {
            Some(VelocitiesConfig::Draw(t)) => Some(t.0),
            Some(VelocitiesConfig::Keep) => None,
            None if at_rest => Some(self.plan.temperature().ok_or_else(|| {
                RunnerError::input(
                    Problem::new(format!("stage \"{}\" has constant energy, and all atoms are at rest", self.plan.name))
                        .help("draw velocities: velocities = { draw = \"300 K\" }, or run an nvt stage first; velocities = \"keep\" if they shall be at rest"),
                )
            })?),
            None => None,
        };
        if let Some(t) = temperature {
            // Each stage that draws has numbers of its own.
            amelo_dynamics::draw_velocities(self.system, t, seed.wrapping_add(self.plan.index as u64));
            reporter.message(&format!("  velocities drawn at {t} K"));
        }
        Ok(())
    }
}

/// Whether nothing from outside pushes the system as a whole.
pub fn momentum_is_conserved(plan: &StagePlan, topology: &Topology) -> bool {
    let conditions = &plan.conditions;
    let pushed = conditions.electric_field.is_some() && topology.total_charge().abs() > 1e-9;
    conditions.tethered.is_empty() && !pushed
}

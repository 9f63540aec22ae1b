//! What moves an oxide through its making: minimisation, and phases of dynamics at a course of temperature.
//!
//! v-rescale, isotropic cell rescaling. Everything is a function of the settings: the same bits for any number of threads.

use std::ops::ControlFlow;
use std::time::Instant;

use amelo_core::quantity::{Compressibility, Force, Temperature, Time};
use amelo_core::units::BAR_PER_PRESSURE;
use amelo_core::{Modifier, Nonbonded, PairTable, Precision, Request, System, TermSum};
use amelo_dynamics::{
    Coupling, Ensemble, Integrator, IntegratorSettings, MinimizeConfig, MinimizeReport, NptConfig, NvtConfig,
    Observables, ThermostatKind,
};

use crate::engine::Model;
use crate::error::{RunnerError, StopReason};
use crate::plan::Conditions;
use crate::progress::{Progress, Reporter};

/// RMS force error of PME (kJ/mol/nm). LAMMPS' PPPM at 1e-4 of the force between unit charges 0.1 nm apart allows 1.39;
/// thermal forces in the melt are thousands.
const FORCE_ERROR: f64 = 1.0;
/// Time constant of the thermostat (ps): short against a ramp of 50 K/ps, which it then follows within 5 K.
const THERMOSTAT: f64 = 0.1;
/// Compressibility (nm³ mol/kJ) and relaxation time (ps) of the volume: those of anatase with a bulk modulus of 179 GPa
/// (T. Arlt et al., Phys. Rev. B 61, 14414 (2000), doi:10.1103/PhysRevB.61.14414). They set the pace, not the result; a
/// melt, some ten times as soft, follows within 5 ps.
const COMPRESSIBILITY: f64 = BAR_PER_PRESSURE / 1.79e6;
const BAROSTAT: f64 = 0.5;
/// Time between samples of what is measured (ps).
const SAMPLE: f64 = 0.1;

/// What happens at a sample.
pub(crate) type Sample<'a> = dyn FnMut(&System, &Observables) -> Result<(), RunnerError> + 'a;

/// What a phase moves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    /// A homogeneous periodic oxide, at this pressure (kJ/mol/nm³) or at fixed volume.
    Bulk(Option<f64>),
    /// A slab with vacuum along z.
    Slab,
    /// A periodic oxide with an empty pore.
    Pore,
}

/// A phase of dynamics.
pub(crate) struct Phase<'a> {
    /// Name, for messages.
    pub name: &'a str,
    /// What is moved.
    pub shape: Shape,
    /// Temperature at its start and end (K).
    pub temperatures: [f64; 2],
    /// Its length.
    pub n_steps: u64,
}

/// What moves an oxide through its making.
pub(crate) struct Furnace<'a> {
    /// What is made, for messages: `glass`, `pore`.
    pub what: &'static str,
    /// What to do when it fails.
    pub help: &'static str,
    /// Potentials.
    pub pair_table: &'a PairTable,
    /// Cut-off (nm).
    pub r_cut: f64,
    /// Time step (ps).
    pub timestep: f64,
    /// Seed of velocities and noise.
    pub seed: u64,
    /// Precision of the pair loop.
    pub precision: Precision,
    /// Steps of dynamics in all.
    pub total: u64,
    /// Where it is told.
    pub reporter: &'a Reporter<'a>,
    /// When it began.
    pub began: Instant,
    /// Steps done.
    pub done: u64,
    /// Phases done: each has noise of its own.
    pub phase: u32,
    /// Pairs inside the short-range guard, summed over the steps.
    pub guard_entries: u64,
}

impl Furnace<'_> {
    /// A making that cannot go on.
    pub fn failed(&self, doing: &str, what: &str) -> RunnerError {
        RunnerError::Simulation {
            message: format!("making the {}: {doing}: {what}", self.what),
            help: self.help.into(),
            dossier: None,
        }
    }

    /// Steps of a time (ps), at least one.
    pub fn steps(&self, time: f64) -> u64 {
        steps(time, self.timestep)
    }

    /// Cut-off and Coulomb settings for `system`, with PME chosen for its cell.
    pub fn nonbonded(&self, system: &System, shape: Shape) -> Result<Nonbonded, RunnerError> {
        let choices = amelo_electrostatics::pme_for_force_error(system, self.r_cut, FORCE_ERROR)
            .map_err(|e| self.failed("choosing PME", &e.to_string()))?;
        Ok(Nonbonded {
            r_cut: self.r_cut,
            modifier: Modifier::PotentialShift,
            // The tail is that of a homogeneous box.
            dispersion_correction: matches!(shape, Shape::Bulk(_)),
            coulomb: choices[0].coulomb(),
            slab: (shape == Shape::Slab).then_some(2),
            precision: self.precision,
        })
    }

    /// Forces on `system`, with PME chosen for its cell.
    fn terms(&self, system: &System, shape: Shape) -> Result<TermSum, RunnerError> {
        let nonbonded = self.nonbonded(system, shape)?;
        let topology = system.topology.clone();
        let model = Model { topology: topology.clone(), pair_table: self.pair_table.clone(), nonbonded };
        model.terms(&topology, &system.cell, &Conditions::default(), None)
    }

    /// Minimises until the largest force is below `force` (kJ/mol/nm), or for `max_steps`.
    pub fn minimize(
        &mut self,
        doing: &str,
        system: &mut System,
        shape: Shape,
        force: f64,
        max_steps: u64,
    ) -> Result<MinimizeReport, RunnerError> {
        let mut terms = self.terms(system, shape)?;
        let config = MinimizeConfig { force_tolerance: Force(force), max_steps, ..MinimizeConfig::default() };
        let reporter = self.reporter;
        let report = amelo_dynamics::minimize(system, &mut terms, &config, &mut |_| match reporter.stop_requested() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        })
        .map_err(|e| self.failed(doing, &e.to_string()))?;
        if self.reporter.stop_requested() {
            return Err(RunnerError::Stopped { reason: StopReason::Signal, step: 0 });
        }
        Ok(report)
    }

    /// A phase of dynamics; `sample` sees its second half.
    pub fn run(
        &mut self,
        phase: &Phase,
        system: &mut System,
        mut sample: Option<&mut Sample>,
    ) -> Result<(), RunnerError> {
        let Phase { name, shape, temperatures, n_steps } = *phase;
        let ensemble = match shape {
            Shape::Bulk(Some(pressure)) => npt(temperatures, pressure),
            _ => nvt(temperatures),
        };
        let mut terms = self.terms(system, shape)?;
        let refused = |e: amelo_dynamics::DynamicsError| self.failed(name, &e.to_string());
        let settings = IntegratorSettings {
            timestep: self.timestep,
            seed: self.seed,
            stream: self.phase,
            n_steps,
            ..IntegratorSettings::default()
        };
        let mut integrator = Integrator::new(ensemble, settings, system).map_err(refused)?;
        integrator.start(system, &mut terms).map_err(refused)?;
        // The last step is always a sample.
        let every = self.steps(SAMPLE).min(n_steps.div_ceil(4));
        for step in 1..=n_steps {
            if self.reporter.stop_requested() {
                return Err(RunnerError::Stopped { reason: StopReason::Signal, step: 0 });
            }
            let samples = sample.is_some() && 2 * step > n_steps && (n_steps - step).is_multiple_of(every);
            let want = if samples { Request::ALL } else { Request::FORCES };
            integrator.step(system, &mut terms, want).map_err(|e| self.failed(name, &e.to_string()))?;
            let events = &integrator.forces().events;
            self.guard_entries += events.iter().filter(|(name, _)| *name == "guard").map(|(_, n)| *n).sum::<u64>();
            self.done += 1;
            if let Some(sample) = sample.as_mut().filter(|_| samples) {
                sample(system, &integrator.observe(system))?;
            }
            self.reporter.progress(
                || {
                    let pace = self.began.elapsed().as_secs_f64() / self.done as f64;
                    Progress {
                        stage: format!("{}: {name}", self.what),
                        step: self.done,
                        n_steps: self.total,
                        time: system.time,
                        ns_per_day: Some(86.4 * self.timestep / pace),
                        eta_seconds: Some(pace * self.total.saturating_sub(self.done) as f64),
                        detail: format!(
                            "T {:.0} K, {:.3} g/cm^3",
                            integrator.observe(system).temperature,
                            system.density()
                        ),
                    }
                },
                self.done == self.total,
            );
        }
        let now = integrator.observe(system);
        self.reporter.message(&format!(
            "  {name}: {:.3} ps, {:.0} K, density in the cell {:.3} g/cm^3",
            n_steps as f64 * self.timestep,
            now.temperature,
            system.density()
        ));
        self.phase += 1;
        Ok(())
    }
}

/// Steps of a time (ps) at a time step (ps), at least one.
pub(crate) fn steps(time: f64, timestep: f64) -> u64 {
    ((time / timestep).round() as u64).max(1)
}

fn nvt([from, to]: [f64; 2]) -> Ensemble {
    Ensemble::Nvt(NvtConfig {
        temperature_end: Some(Temperature(to)),
        time_constant: Some(Time(THERMOSTAT)),
        ..NvtConfig::new(ThermostatKind::VRescale, from)
    })
}

fn npt([from, to]: [f64; 2], pressure: f64) -> Ensemble {
    Ensemble::Npt(NptConfig {
        temperature_end: Some(Temperature(to)),
        time_constant: Some(Time(THERMOSTAT)),
        barostat_time_constant: Some(Time(BAROSTAT)),
        compressibility: Some(Compressibility(COMPRESSIBILITY)),
        ..NptConfig::new(ThermostatKind::VRescale, Coupling::Isotropic, from, pressure)
    })
}

//! An integrator: an ensemble turned into a list of propagators, and the state they share.

use amelo_core::{ForceProvider, Forces, Request, State, System};
use amelo_math::philox;

use crate::constraints::ConstraintSolver;
use crate::force_schedule::ForceSchedule;
use crate::motion::{Motion, inverse_masses};
use crate::observables::{self, Observables};
use crate::propagators::{Drift, Evaluate, Kick, Propagator, RemoveMomentum, Step, violation};
use crate::thermostats::positive;
use crate::{DofReport, DynamicsError, Ensemble};

/// What an integrator needs to know beside ensemble and system.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IntegratorSettings {
    /// Time step (ps).
    pub timestep: f64,
    /// Seed of the run's noise.
    pub seed: u64,
    /// Number of the stage: stages draw different noise from one seed.
    pub stream: u32,
    /// Whether centre-of-mass motion is removed where nothing else breaks momentum.
    pub remove_com: bool,
    /// Whether the forces conserve momentum: false with tethers, walls, or a field on a net charge.
    pub momentum_conserved: bool,
    /// Steps planned for the stage: the length of a temperature ramp.
    pub n_steps: u64,
    /// Steps from one evaluation of the long-range forces to the next.
    pub long_range_every: u64,
}

impl Default for IntegratorSettings {
    fn default() -> Self {
        IntegratorSettings {
            timestep: 0.001,
            seed: 0,
            stream: 0,
            remove_com: true,
            momentum_conserved: true,
            n_steps: 0,
            long_range_every: 1,
        }
    }
}

/// Moves a system through one ensemble.
pub struct Integrator {
    motion: Motion,
    propagators: Vec<Box<dyn Propagator>>,
    forces: ForceSchedule,
    asked: Request,
    ensemble: Ensemble,
    settings: IntegratorSettings,
    /// Step and time at which this integrator began: time is counted from there, not summed.
    first_step: u64,
    first_time: f64,
}

impl Integrator {
    /// An integrator that begins at the present step and time of `system`. Constraints, masses and frozen atoms are
    /// those of its topology.
    pub fn new(ensemble: Ensemble, settings: IntegratorSettings, system: &System) -> Result<Self, DynamicsError> {
        Self::from(ensemble, settings, system, system.step, system.time)
    }

    fn from(
        ensemble: Ensemble,
        settings: IntegratorSettings,
        system: &System,
        first_step: u64,
        first_time: f64,
    ) -> Result<Self, DynamicsError> {
        let topology = &system.topology;
        let motion = Motion {
            timestep: positive("timestep", settings.timestep, "ps")?,
            inverse_masses: inverse_masses(topology),
            constraints: ConstraintSolver::new(topology),
            dof: DofReport::count(
                topology,
                settings.remove_com,
                settings.momentum_conserved,
                ensemble.conserves_momentum(),
            ),
            seed: stage_seed(settings.seed, settings.stream),
        };
        if let Some(atom) = topology.masses.iter().position(|m| !(*m > 0.0 && m.is_finite())) {
            let message = format!("atom {atom} has mass {} u; every atom needs a positive one", topology.masses[atom]);
            return Err(DynamicsError::Setting { key: "mass", message });
        }
        let propagators = propagators(&ensemble, &settings, system, &motion, first_step)?;
        check_long_range(&ensemble, &settings)?;
        let forces = ForceSchedule::new(settings.long_range_every, first_step, system.n_atoms());
        Ok(Integrator { motion, propagators, forces, asked: Request::ALL, ensemble, settings, first_step, first_time })
    }

    /// Makes the system fit to move: frozen atoms at rest, constraints met where they are not, then the first force
    /// evaluation. On a system that comes from a step boundary (a restart) it changes nothing but the forces.
    pub fn start(&mut self, system: &mut System, provider: &mut dyn ForceProvider) -> Result<(), DynamicsError> {
        for (v, w) in system.velocities.iter_mut().zip(&self.motion.inverse_masses) {
            if *w == 0.0 {
                *v = Default::default();
            }
        }
        let constraints = &self.motion.constraints;
        if constraints.largest_error(&system.cell, &system.positions) > START_TOLERANCE {
            let mut moves = vec![Default::default(); system.n_atoms()];
            constraints
                .constrain(&system.cell, &system.positions, &mut moves, 1.0)
                .map_err(|v| violation(v, system.step))?;
            for (r, m) in system.positions.iter_mut().zip(&moves) {
                *r += *m;
            }
            system.wrap();
        }
        if constraints.largest_velocity(&system.cell, &system.positions, &system.velocities) > START_TOLERANCE {
            constraints.project(&system.cell, &system.positions, &mut system.velocities);
        }
        self.asked = Request::ALL;
        self.forces
            .evaluate(provider, system, system.step, self.asked)
            .map_err(|source| DynamicsError::Force { step: system.step, source })
    }

    /// One time step. `want` is what observers need of the forces at its end.
    pub fn step(
        &mut self,
        system: &mut System,
        provider: &mut dyn ForceProvider,
        want: Request,
    ) -> Result<(), DynamicsError> {
        let want = self.propagators.iter().fold(want, |w, p| {
            let needs = p.needs(system.step + 1);
            Request { energy: w.energy || needs.energy, virial: w.virial || needs.virial }
        });
        let mut step = Step { system, forces: &mut self.forces, provider, want, motion: &self.motion };
        for propagator in &mut self.propagators {
            let _span = tracing::trace_span!("propagator", name = propagator.name()).entered();
            propagator.apply(&mut step)?;
        }
        self.asked = want;
        system.step += 1;
        system.time = self.first_time + (system.step - self.first_step) as f64 * self.motion.timestep;
        Ok(())
    }

    /// Forces at the present step boundary.
    pub fn forces(&self) -> &Forces {
        self.forces.felt()
    }

    /// What the log shows. Energies and virial that the last step was not asked for are NaN.
    pub fn observe(&self, system: &System) -> Observables {
        let extra = self.propagators.iter().map(|p| p.conserved(system, self.forces.felt(), &self.motion)).sum();
        observables::observe(system, self.forces.felt(), &self.motion, self.asked, extra)
    }

    /// Degrees of freedom per thermostat group.
    pub fn degrees_of_freedom(&self) -> &DofReport {
        &self.motion.dof
    }

    /// Names of the propagators in their order.
    pub fn propagators(&self) -> Vec<&'static str> {
        self.propagators.iter().map(|p| p.name()).collect()
    }

    /// Writes what a restart needs beside the system, under names that start with `dynamics/`.
    pub fn save(&self, state: &mut State) {
        state.put_u64("dynamics/first_step", &[self.first_step]);
        state.put_f64("dynamics/first_time", &[self.first_time]);
        for (k, propagator) in self.propagators.iter().enumerate() {
            propagator.save(&prefix(k, propagator.as_ref()), state);
        }
    }

    /// Takes back what `save` wrote. `system` is the saved one; [`Integrator::start`] follows. The next step then has
    /// the bits that it would have had without the interruption.
    pub fn restore(&mut self, system: &System, state: &State) -> Result<(), DynamicsError> {
        let first_step = state.u64("dynamics/first_step", 1)?[0];
        let first_time = state.f64("dynamics/first_time", 1)?[0];
        // A ramp begins where the stage did.
        *self = Self::from(self.ensemble.clone(), self.settings, system, first_step, first_time)?;
        for (k, propagator) in self.propagators.iter_mut().enumerate() {
            let prefix = prefix(k, propagator.as_ref());
            propagator.restore(&prefix, state)?;
        }
        Ok(())
    }
}

/// Relative error of a constrained length, and velocity along one (nm/ps), from which `start` corrects them; a step
/// leaves errors a thousand times smaller.
const START_TOLERANCE: f64 = 1e-9;

fn prefix(k: usize, propagator: &dyn Propagator) -> String {
    format!("dynamics/{k}/{}", propagator.name())
}

/// A seed for one stage: stages of a run share no noise.
fn stage_seed(seed: u64, stream: u32) -> u64 {
    let w = philox::block([seed as u32, (seed >> 32) as u32, stream, 0], [0x7374_6167, 0x6500_0000]);
    u64::from(w[1]) << 32 | u64::from(w[0])
}

/// Longest time (ps) between two kicks of the long-range forces: about half the period of the fastest vibrations that are
/// not held fixed, where impulses begin to drive them.
/// T. C. Bishop, R. D. Skeel, K. Schulten, J. Comput. Chem. 18, 1785 (1997).
const LONGEST_KICK: f64 = 0.01;

/// Whether the long-range forces may be as rare as `settings` say.
fn check_long_range(ensemble: &Ensemble, settings: &IntegratorSettings) -> Result<(), DynamicsError> {
    let refuse = |message: String| Err(DynamicsError::Setting { key: "long_range_every", message });
    let every = settings.long_range_every;
    if every == 0 {
        return refuse("0 steps; write 1 for every step, or 2 to 4".into());
    }
    if every == 1 {
        return Ok(());
    }
    if matches!(ensemble, Ensemble::Npt(_)) {
        return refuse(
            "a barostat needs the whole virial, of which the long-range part is only there at its own steps; write \
             long_range_every = 1 in stages of npt"
                .into(),
        );
    }
    let between = every as f64 * settings.timestep;
    if between > LONGEST_KICK * (1.0 + 1e-9) {
        return refuse(format!(
            "{every} steps of {} fs are {} fs between kicks, which drive vibrations; at most {} fs",
            settings.timestep * 1e3,
            between * 1e3,
            LONGEST_KICK * 1e3
        ));
    }
    Ok(())
}

/// B A F B, with thermostat and barostat where the ensemble has them.
fn propagators(
    ensemble: &Ensemble,
    settings: &IntegratorSettings,
    system: &System,
    motion: &Motion,
    first_step: u64,
) -> Result<Vec<Box<dyn Propagator>>, DynamicsError> {
    let mut list: Vec<Box<dyn Propagator>> = vec![Box::new(Kick { fraction: 0.5 })];
    match ensemble.thermostat(motion, first_step, settings.n_steps)? {
        None => list.push(Box::new(Drift { fraction: 1.0, kick_follows: true })),
        Some((thermostat, temperature)) => {
            list.extend(ensemble.barostat(system, motion, temperature)?);
            list.push(Box::new(Drift { fraction: 0.5, kick_follows: false }));
            list.push(thermostat);
            list.push(Box::new(Drift { fraction: 0.5, kick_follows: true }));
        }
    }
    list.push(Box::new(Evaluate));
    list.push(Box::new(Kick { fraction: 0.5 }));
    if motion.dof.conserved() > 0 {
        list.push(Box::new(RemoveMomentum::default()));
    }
    Ok(list)
}

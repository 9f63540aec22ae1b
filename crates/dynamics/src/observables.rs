//! What is read off at a step boundary.
//!
//! # Which kinetic energy
//!
//! Velocity Verlet gives positions and forces at t, and velocities at t and at the half-steps t ± ½ dt. The full-step
//! velocity of a fast oscillator is too small by a factor that grows with (ω dt)², so a pressure made with it is too
//! low (86 bar at 1 fs with flexible C–H bonds). Summation by parts of Verlet's equation shows that the virial
//! Σ r·F is balanced exactly by the half-step kinetic energy. Hence
//!
//! - **temperature**, **pressure**, the barostat's pressure and the energy that thermostats control: half-step, as the
//!   mean over t ± ½ dt, Σ m v⊗v → Σ m v⊗v + ¼ dt² Σ m a⊗a (thermostats meet the half-step velocity itself,
//!   because they act between the two drifts);
//! - **total energy** and the **conserved quantity**: full-step, because that is what Verlet's method conserves to
//!   order dt² without a bias linear in the forces' power; `temperature_full` is reported beside.
//!
//! v, a and so everything here are functions of the state at t alone: an observation needs no memory of the step
//! before, which makes it the same after a restart.

use amelo_core::units::BOLTZMANN;
use amelo_core::{EnergyBreakdown, Forces, Request, System};
use amelo_math::{Mat3, Vec3};

use crate::Motion;
use crate::constraints::Segment;
use crate::passes;

/// What the log shows of one step boundary. What the evaluation was not asked for is NaN.
#[derive(Clone, Debug, PartialEq)]
pub struct Observables {
    /// Potential energy (kJ/mol).
    pub potential: f64,
    /// Energies by term (kJ/mol).
    pub energies: EnergyBreakdown,
    /// Kinetic energy, mean of the adjacent half-steps (kJ/mol).
    pub kinetic: f64,
    /// Kinetic energy of the full-step velocities (kJ/mol).
    pub kinetic_full: f64,
    /// Temperature of `kinetic` (K); zero without degrees of freedom.
    pub temperature: f64,
    /// Temperature of `kinetic_full` (K).
    pub temperature_full: f64,
    /// Pressure tensor (kJ/mol/nm³): (half-step Σ m v⊗v + virial + virial of the constraints)/V.
    pub pressure: Mat3,
    /// The conserved quantity of the ensemble (kJ/mol), made with the full-step kinetic energy.
    pub conserved: f64,
    /// Degrees of freedom behind the temperatures.
    pub n_dof: usize,
    /// Virial of the force field (kJ/mol).
    pub virial: Mat3,
    /// Virial of the constraints (kJ/mol).
    pub virial_constraint: Mat3,
}

/// Observes `system`, whose `forces` were evaluated with `asked`; `extra` (kJ/mol) is what the propagators add to the
/// conserved quantity.
pub(crate) fn observe(system: &System, forces: &Forces, motion: &Motion, asked: Request, extra: f64) -> Observables {
    let dt = motion.timestep;
    let n_dof = motion.dof.n_dof();
    let (full, of_accelerations) = tensors(system, forces, motion);
    let twice_kinetic = full + of_accelerations * (0.25 * dt * dt);
    let (kinetic, kinetic_full) = (0.5 * twice_kinetic.trace(), 0.5 * full.trace());
    let temperature = |k: f64| if n_dof == 0 { 0.0 } else { 2.0 * k / (n_dof as f64 * BOLTZMANN) };
    let unknown = Mat3::from_array([[f64::NAN; 3]; 3]);
    let (virial, virial_constraint) = if asked.virial {
        let held = motion.constraints.forces(&system.cell, &system.positions, &system.velocities, &forces.on, dt);
        (forces.virial, held.virial)
    } else {
        (unknown, unknown)
    };
    let potential = if asked.energy { forces.energy.potential() } else { f64::NAN };
    Observables {
        potential,
        energies: forces.energy.clone(),
        kinetic,
        kinetic_full,
        temperature: temperature(kinetic),
        temperature_full: temperature(kinetic_full),
        pressure: (twice_kinetic + virial + virial_constraint) * (1.0 / system.cell.volume()),
        conserved: potential + kinetic_full + extra,
        n_dof,
        virial,
        virial_constraint,
    }
}

/// Σ m v ⊗ v (kJ/mol) and Σ m a ⊗ a (kJ/mol/ps²); a is projected onto the constraints: what keeps fixed distances fixed
/// while they turn is no part of it. On all threads.
fn tensors(system: &System, forces: &Forces, motion: &Motion) -> (Mat3, Mat3) {
    let image = system.cell.nearest_image();
    type Arrays<'a> = ((&'a [Vec3], &'a [Vec3]), (&'a [Vec3], &'a [f64], &'a [f64]));
    let task = |segment: &Segment, ((positions, velocities), (forces, masses, inverse_masses)): Arrays<'_>| {
        let mut accelerations: Vec<Vec3> = forces.iter().zip(inverse_masses).map(|(f, w)| *f * *w).collect();
        segment.project(&image, positions, &mut accelerations);
        let sum = |vectors: &[Vec3]| vectors.iter().zip(masses).map(|(v, m)| v.outer(*v) * *m).sum::<Mat3>();
        (sum(velocities), sum(&accelerations))
    };
    let moving = (system.positions.as_slice(), system.velocities.as_slice());
    let driven = (forces.on.as_slice(), system.topology.masses.as_slice(), motion.inverse_masses.as_slice());
    passes::each(motion.constraints.segments(), (moving, driven), &task, &|a, b| (a.0 + b.0, a.1 + b.1))
}

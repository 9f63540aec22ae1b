//! Minimisation of the energy, or of the enthalpy over atoms and cell: FIRE.
//!
//! Fast inertial relaxation: molecular dynamics with unit masses in which the velocity is turned towards the force,
//! v ← (1 − α) v + α |v| F/|F|, the time step grows while F·v > 0, and everything stops and steps half a step back
//! when it goes uphill. E. Bitzek et al., Phys. Rev. Lett. 97, 170201 (2006), doi:10.1103/PhysRevLett.97.170201; in the
//! form "2.0" of J. Guénolé et al., Comput. Mater. Sci. 175, 109584 (2020), doi:10.1016/j.commatsci.2020.109584.
//!
//! The cell enters as a lower-triangular strain ε (which keeps box vectors lower-triangular), scaled by
//! ℓ = √N (V/N)^{1/3} so that it is about as stiff as the atoms. With H = U + P₀V the force on it is
//! −∂H/∂ε = W − P₀V·1; atoms move by their own displacement and with the strain.
//!
//! Bonds that dynamics will constrain vibrate here; the force field's own bond holds them.

use std::ops::ControlFlow;

use amelo_core::quantity::{Force, Length, Pressure};
use amelo_core::units::BAR_PER_PRESSURE;
use amelo_core::{ForceProvider, Forces, Request, System};
use amelo_math::{Mat3, Vec3, special};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::DynamicsError;

/// Energy minimisation by FIRE.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MinimizeConfig {
    /// Converged when no component of the force on a mobile atom is larger.
    #[serde(default = "default_force_tolerance")]
    pub force_tolerance: Force,
    /// Most steps; a minimisation that needs more ends unconverged, with a warning.
    #[serde(default = "default_max_steps")]
    pub max_steps: u64,
    /// Longest move of one atom in a step.
    #[serde(default = "default_max_move")]
    pub max_move: Length,
    /// Relaxes the cell too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell: Option<CellRelaxation>,
}

/// Relaxation of the cell together with the atoms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CellRelaxation {
    /// Pressure at which the enthalpy is minimised.
    #[serde(default = "zero_pressure")]
    pub pressure: Pressure,
    /// isotropic (default), anisotropic (each edge by itself) or full (edges and angles).
    #[serde(default)]
    pub coupling: CellCoupling,
    /// Converged when no relaxed component of the pressure tensor is further from `pressure`.
    #[serde(default = "default_stress_tolerance")]
    pub stress_tolerance: Pressure,
}

/// What of the cell relaxes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CellCoupling {
    /// The volume; shape and angles stay.
    #[default]
    Isotropic,
    /// The three edges, each by itself; angles stay right where they are.
    Anisotropic,
    /// Edges and angles.
    Full,
}

fn default_force_tolerance() -> Force {
    Force(100.0)
}
fn default_max_steps() -> u64 {
    20_000
}
fn default_max_move() -> Length {
    Length(0.01)
}
fn zero_pressure() -> Pressure {
    Pressure(0.0)
}
fn default_stress_tolerance() -> Pressure {
    Pressure(10.0 / BAR_PER_PRESSURE)
}

impl Default for MinimizeConfig {
    fn default() -> Self {
        MinimizeConfig {
            force_tolerance: default_force_tolerance(),
            max_steps: default_max_steps(),
            max_move: default_max_move(),
            cell: None,
        }
    }
}

impl Default for CellRelaxation {
    fn default() -> Self {
        CellRelaxation {
            pressure: zero_pressure(),
            coupling: CellCoupling::Isotropic,
            stress_tolerance: default_stress_tolerance(),
        }
    }
}

/// Where a minimisation stands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MinimizeProgress {
    /// Steps made.
    pub step: u64,
    /// Potential energy (kJ/mol).
    pub energy: f64,
    /// Largest component of the force on a mobile atom (kJ/mol/nm).
    pub largest_force: f64,
    /// Atom on which it acts.
    pub atom: usize,
    /// Largest deviation of a relaxed component of the pressure tensor (kJ/mol/nm³); zero at fixed cell.
    pub stress_error: f64,
}

/// How a minimisation ended.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MinimizeReport {
    /// Whether both tolerances were met.
    pub converged: bool,
    /// Whether the caller stopped it.
    pub interrupted: bool,
    /// Potential energy at the start (kJ/mol).
    pub initial_energy: f64,
    /// The end.
    pub last: MinimizeProgress,
}

/// Time step at the start, its largest and its smallest value: ps of atoms with mass 1 u. The largest stays below the
/// stability limit of molecules (2/ω of a chain of 3·10⁵ kJ/mol/nm² bonds is 0.0018); with a limit above it FIRE is thrown
/// back so often that soft modes never build up speed: a chain of 300 atoms in a weak trap took 5 600 steps to
/// 0.1 kJ/mol/nm with 0.0014, over 50 000 with 0.002.
const TIMESTEP: f64 = 4e-4;
const LARGEST_TIMESTEP: f64 = 1.2e-3;
const SMALLEST_TIMESTEP: f64 = 8e-6;
/// Constants of FIRE 2.0 as its authors recommend.
const GROW: f64 = 1.1;
const SHRINK: f64 = 0.5;
const ALPHA: f64 = 0.25;
const ALPHA_SHRINK: f64 = 0.99;
const DELAY: u64 = 20;

/// The cell's part of the generalised coordinates.
pub(crate) struct CellMode {
    pressure: f64,
    coupling: CellCoupling,
    tolerance: f64,
    /// ℓ (nm).
    length: f64,
}

impl CellMode {
    /// Force on ℓ ε (kJ/mol/nm): the allowed components of (W − P₀V)/ℓ.
    fn force(&self, forces: &Forces, volume: f64) -> Mat3 {
        let g = (forces.virial + Mat3::IDENTITY * (-self.pressure * volume)) * (1.0 / self.length);
        let w = g.to_array();
        match self.coupling {
            // One coordinate, the same strain along all axes: its share on each.
            CellCoupling::Isotropic => Mat3::IDENTITY * (g.trace() / 3.0),
            CellCoupling::Anisotropic => Mat3::diagonal(w[0][0], w[1][1], w[2][2]),
            CellCoupling::Full => {
                let shear = |i: usize, j: usize| 0.5 * (w[i][j] + w[j][i]);
                Mat3::from_array([
                    [w[0][0], 0.0, 0.0],
                    [shear(1, 0), w[1][1], 0.0],
                    [shear(2, 0), shear(2, 1), w[2][2]],
                ])
            }
        }
    }
}

/// Minimises the energy of `system` (with `config.cell` the enthalpy). Frozen atoms stay; velocities are not touched.
/// `progress` is called after every evaluation and may stop it.
pub fn minimize(
    system: &mut System,
    provider: &mut dyn ForceProvider,
    config: &MinimizeConfig,
    progress: &mut dyn FnMut(&MinimizeProgress) -> ControlFlow<()>,
) -> Result<MinimizeReport, DynamicsError> {
    let weights = crate::motion::inverse_masses(&system.topology);
    let n = system.n_atoms();
    let cell_mode = cell_mode(system, config, &weights)?;
    let tolerance = crate::thermostats::positive("force_tolerance", config.force_tolerance.0, "kJ/mol/nm")?;
    let max_move = crate::thermostats::positive("max_move", config.max_move.0, "nm")?;
    let want = Request { energy: true, virial: cell_mode.is_some() };

    let mut forces = Forces::new(n);
    let mut evaluate = |system: &System, step: u64, forces: &mut Forces| {
        provider.evaluate(system, want, forces).map_err(|source| DynamicsError::Force { step, source })?;
        for (f, w) in forces.on.iter_mut().zip(&weights) {
            if *w == 0.0 {
                *f = Vec3::ZERO;
            }
        }
        let cell_force = cell_mode.as_ref().map_or(Mat3::ZERO, |c| c.force(forces, system.cell.volume()));
        Ok::<Mat3, DynamicsError>(cell_force)
    };

    let (mut dt, mut alpha, mut since_uphill) = (TIMESTEP, ALPHA, 0);
    let mut velocities = vec![Vec3::ZERO; n];
    let mut cell_velocity = Mat3::ZERO;
    let mut cell_force = evaluate(system, 0, &mut forces)?;
    let initial_energy = forces.energy.potential();
    for step in 0.. {
        let now = status(step, system, &forces, cell_force, cell_mode.as_ref());
        let converged =
            now.largest_force <= tolerance && cell_mode.as_ref().is_none_or(|c| now.stress_error <= c.tolerance);
        let interrupted = progress(&now).is_break();
        if converged || interrupted || step >= config.max_steps {
            return Ok(MinimizeReport { converged, interrupted, initial_energy, last: now });
        }
        let power = dot(&forces.on, &velocities) + contract(cell_force, cell_velocity);
        if power > 0.0 || step == 0 {
            since_uphill += 1;
            if since_uphill > DELAY {
                dt = (dt * GROW).min(LARGEST_TIMESTEP);
                alpha *= ALPHA_SHRINK;
            }
        } else {
            // Half a step back, to where it was not yet uphill, and a fresh start.
            let back = -0.5 * dt;
            advance(system, &velocities, cell_velocity, back, cell_mode.as_ref(), max_move, step)?;
            velocities.fill(Vec3::ZERO);
            cell_velocity = Mat3::ZERO;
            dt = (dt * SHRINK).max(SMALLEST_TIMESTEP);
            alpha = ALPHA;
            since_uphill = 0;
        }
        for (v, f) in velocities.iter_mut().zip(&forces.on) {
            *v += *f * dt;
        }
        cell_velocity += cell_force * dt;
        let speed2 = dot(&velocities, &velocities) + contract(cell_velocity, cell_velocity);
        let force2 = dot(&forces.on, &forces.on) + contract(cell_force, cell_force);
        if force2 > 0.0 {
            let turn = alpha * (speed2 / force2).sqrt();
            for (v, f) in velocities.iter_mut().zip(&forces.on) {
                *v = *v * (1.0 - alpha) + *f * turn;
            }
            cell_velocity = cell_velocity * (1.0 - alpha) + cell_force * turn;
        }
        advance(system, &velocities, cell_velocity, dt, cell_mode.as_ref(), max_move, step)?;
        cell_force = evaluate(system, step + 1, &mut forces)?;
    }
    unreachable!("the loop ends by returning")
}

fn cell_mode(system: &System, config: &MinimizeConfig, weights: &[f64]) -> Result<Option<CellMode>, DynamicsError> {
    let Some(cell) = &config.cell else { return Ok(None) };
    if weights.contains(&0.0) {
        let message = "frozen atoms cannot follow a changing cell; relax at fixed cell, or freeze nothing";
        return Err(DynamicsError::Setting { key: "cell", message: message.into() });
    }
    let n = system.n_atoms() as f64;
    Ok(Some(CellMode {
        pressure: cell.pressure.0,
        coupling: cell.coupling,
        tolerance: crate::thermostats::positive("stress_tolerance", cell.stress_tolerance.0, "kJ/mol/nm^3")?,
        length: n.sqrt() * special::pow(system.cell.volume() / n, 1.0 / 3.0),
    }))
}

pub(crate) fn status(
    step: u64,
    system: &System,
    forces: &Forces,
    cell_force: Mat3,
    cell: Option<&CellMode>,
) -> MinimizeProgress {
    let largest = |f: &Vec3| f.x.abs().max(f.y.abs()).max(f.z.abs());
    let (atom, largest_force) = forces
        .on
        .iter()
        .map(largest)
        .enumerate()
        .fold((0, 0.0), |best, here| if here.1 > best.1 { here } else { best });
    let stress_error = cell.map_or(0.0, |c| cell_force.max_abs() * c.length / system.cell.volume());
    MinimizeProgress { step, energy: forces.energy.potential(), largest_force, atom, stress_error }
}

/// Moves atoms by `velocities` · dt and with the strain of the cell; shortened where an atom would move too far.
fn advance(
    system: &mut System,
    velocities: &[Vec3],
    cell_velocity: Mat3,
    dt: f64,
    cell: Option<&CellMode>,
    max_move: f64,
    step: u64,
) -> Result<(), DynamicsError> {
    let fastest = velocities.iter().map(|v| v.norm2()).fold(0.0, f64::max).sqrt();
    let strain_rate = cell.map_or(Mat3::ZERO, |c| cell_velocity * (1.0 / c.length));
    // An atom may move by max_move, the cell by a strain of 1 %.
    let longest = (fastest * dt.abs() / max_move).max(strain_rate.max_abs() * dt.abs() / 0.01);
    let dt = if longest > 1.0 { dt / longest } else { dt };
    if cell.is_some() {
        let strain = strain_rate * dt;
        let deformation = Mat3::IDENTITY + strain;
        system.cell = system.cell.deformed(strain).map_err(|_| DynamicsError::CellJump {
            step,
            strain: strain.max_abs(),
            pressure: f64::NAN,
        })?;
        for r in &mut system.positions {
            // Row convention of box vectors: r' = r (1 + ε).
            *r = deformation.vec_mul(*r);
        }
    }
    for ((r, displacement), v) in system.positions.iter_mut().zip(&mut system.displacements).zip(velocities) {
        *r += *v * dt;
        *displacement += *v * dt;
    }
    system.wrap();
    Ok(())
}

pub(crate) fn dot(a: &[Vec3], b: &[Vec3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a.dot(*b)).sum()
}

fn contract(a: Mat3, b: Mat3) -> f64 {
    a.rows.iter().zip(&b.rows).map(|(a, b)| a.dot(*b)).sum()
}

//! Stochastic cell rescaling.
//!
//! Ensemble: exp(−(H + P₀V)/k_B T) with the measure dV (isotropic), dA dL_z (semi-isotropic), dL_z (z). N ideal
//! particles then have ⟨V⟩ = (N + 1) k_B T/P₀ and Var V = (N + 1)(k_B T/P₀)².
//!
//! Each mode k (all axes; xy; z) of n_k axes has an extent E_k (V, A or L_z). In λ_k = √E_k its noise is additive:
//!
//! dλ_k = (D_k/k_B T) f_k dt + √(2 D_k) dW,   f_k = −2λ_k (V/E_k)(P₀ − P_k − c k_B T/V) + k_B T/λ_k,
//!
//! D_k = (n_k/n) E_k k_B T β/(4 V τ_p), n the number of coupled axes, P_k the mean pressure along the mode's axes.
//! Isotropic and semi-isotropic variants: M. Bernetti, G. Bussi, J. Chem. Phys. 153, 114107 (2020),
//! doi:10.1063/5.0020514. The fully anisotropic one, V. Del Tatto, P. Raiteri, M. Bernetti, G. Bussi, Appl. Sci. 12,
//! 1139 (2022), doi:10.3390/app12031139, is not implemented.
//!
//! P_k is the pressure over bodies ([`super::bodies`]) with the mean of the two adjacent half-step kinetic
//! energies. c = 1 where the momentum of the centre of mass is removed: its three degrees of freedom carry no
//! kinetic pressure, yet its position still has the whole volume (else c = 0).

use amelo_core::{Forces, Request, State, StateError, System};
use amelo_math::philox::Noise;
use amelo_math::{Mat3, Vec3, special};

use super::{Barostat, BarostatSettings, Bodies, Coupling};
use crate::info::MethodInfo;
use crate::propagators::Step;
use crate::thermostats::Ramp;
use crate::{DynamicsError, Motion, Propagator};

/// Purpose of its noise.
const BAROSTAT: u32 = 4;

/// Largest strain by the pressure (noise apart) in one step; in equilibrium it is thousands of times smaller.
const LARGEST_STRAIN: f64 = 0.1;

/// Changes the cell between the first kick and the first drift, where the forces have just been used and are about
/// to be renewed.
pub struct CellRescaling {
    temperature: Ramp,
    pressure: f64,
    time_constant: f64,
    compressibility: f64,
    /// Steps from one change to the next.
    every: u64,
    coupling: Coupling,
    bodies: Bodies,
    noise: Noise,
    /// Heat (kJ/mol) that the noise and the friction of the cell gave to the system, up to the change before last.
    heat: f64,
    /// What the last change of each mode needs for its heat to be booked once the pressure after it is known:
    /// Δλ, f, D dt/(4 k_B T).
    pending: Vec<[f64; 3]>,
}

/// A mode at one instant.
struct Mode {
    axes: &'static [usize],
    lambda: f64,
    diffusion: f64,
    force: f64,
    pressure: f64,
}

impl Barostat for CellRescaling {
    const INFO: MethodInfo = MethodInfo {
        name: "c-rescale",
        summary: "stochastic cell rescaling: isothermal–isobaric, first order; isotropic, semi-isotropic or z",
        formula: "dλ = −(β λ/2τ_p)(P₀ − P − k_B T/2V) dt + √(k_B T β/2τ_p) dW with λ = √V, per mode of the coupling; \
                  bodies joined by constraints move with their centre of mass; P from the mean of the adjacent half-step \
                  kinetic energies. Keys: pressure, coupling, barostat_time_constant τ_p (default 2 ps), \
                  compressibility β (default 4.5e-5 1/bar; only β/τ_p matters), barostat_every n (default 10 \
                  steps: the cell changes with dt = n timesteps). Measure dV, dA dL_z, dL_z. Conserved: H + P₀V − \
                  heats − k_B T ln(measure)",
        citation: "M. Bernetti, G. Bussi, J. Chem. Phys. 153, 114107 (2020), doi:10.1063/5.0020514",
    };

    fn new(settings: &BarostatSettings, system: &System, motion: &Motion) -> Result<Self, DynamicsError> {
        let BarostatSettings { temperature, pressure, coupling, time_constant, compressibility, every } = *settings;
        let lateral = coupling.modes().iter().any(|axes| axes.contains(&0));
        if lateral && motion.inverse_masses.contains(&0.0) {
            let message = "frozen atoms cannot follow a lateral change of the cell; use coupling = \"z\", or restrain them \
                           instead of freezing them";
            return Err(DynamicsError::Setting { key: "coupling", message: message.into() });
        }
        Ok(CellRescaling {
            temperature,
            pressure,
            time_constant,
            compressibility,
            every,
            coupling,
            bodies: Bodies::new(system, motion),
            noise: motion.noise(BAROSTAT),
            heat: 0.0,
            pending: Vec::new(),
        })
    }
}

impl CellRescaling {
    /// λ, D, f and P of each mode.
    fn modes(&self, system: &System, forces: &Forces, motion: &Motion, ahead: f64) -> Vec<Mode> {
        let kt = self.temperature.kt(system);
        let (volume, edges) = (system.cell.volume(), system.cell.diagonal());
        let missing = if motion.dof.conserved() > 0 { kt } else { 0.0 };
        let pv = self.bodies.pressure_volume(system, forces, motion, ahead);
        let modes = self.coupling.modes();
        let coupled: usize = modes.iter().map(|axes| axes.len()).sum();
        modes
            .iter()
            .map(|&axes| {
                let extent: f64 = axes.iter().map(|&a| edges[a]).product();
                let pressure = (axes.iter().map(|&a| pv[a]).sum::<f64>() / axes.len() as f64 + missing) / volume;
                let lambda = extent.sqrt();
                Mode {
                    axes,
                    lambda,
                    diffusion: axes.len() as f64 / coupled as f64 * extent * kt * self.compressibility
                        / (4.0 * volume * self.time_constant),
                    force: -2.0 * lambda * (volume / extent) * (self.pressure - pressure) + kt / lambda,
                    pressure,
                }
            })
            .collect()
    }

    /// Heat (kJ/mol) of the pending changes, now that the forces after them are known: −k_B T ln of the ratio of the
    /// probabilities of the change and of its reverse.
    fn pending_heat(&self, modes: &[Mode]) -> f64 {
        self.pending
            .iter()
            .zip(modes)
            .map(|([change, before, b], now)| {
                -0.5 * change * (before + now.force) - b * (now.force * now.force - before * before)
            })
            .sum()
    }
}

impl Propagator for CellRescaling {
    fn name(&self) -> &'static str {
        "c-rescale"
    }

    /// The virial before each change of the cell and after it.
    fn needs(&self, step: u64) -> Request {
        let virial = step.is_multiple_of(self.every) || (step - 1).is_multiple_of(self.every);
        Request { energy: false, virial }
    }

    fn apply(&mut self, step: &mut Step) -> Result<(), DynamicsError> {
        let due = step.system.step.is_multiple_of(self.every);
        if !due && self.pending.is_empty() {
            return Ok(());
        }
        let kt = self.temperature.kt(step.system);
        let system = &mut *step.system;
        let modes = self.modes(system, step.forces.felt(), step.motion, 0.5 * step.motion.timestep);
        self.heat += self.pending_heat(&modes);
        self.pending.clear();
        if !due {
            return Ok(());
        }
        let dt = self.every as f64 * step.motion.timestep;
        let mut factor = Vec3::new(1.0, 1.0, 1.0);
        for (k, mode) in modes.iter().enumerate() {
            let [r, _] = self.noise.normal2(k as u32, system.step, 0);
            let drift = mode.diffusion / kt * mode.force * dt;
            let change = drift + (2.0 * mode.diffusion * dt).sqrt() * r;
            let ratio = (mode.lambda + change) / mode.lambda;
            let strain = 2.0 * drift / mode.lambda;
            if strain.is_nan() || strain.abs() > LARGEST_STRAIN || ratio <= 0.0 {
                let pressure = mode.pressure;
                return Err(DynamicsError::CellJump { step: system.step + 1, strain, pressure });
            }
            // E grows by ratio², each of its axes by the n-th root of that.
            let axis = match mode.axes.len() {
                1 => ratio * ratio,
                2 => ratio,
                n => special::pow(ratio, 2.0 / n as f64),
            };
            mode.axes.iter().for_each(|&a| factor[a] = axis);
            self.pending.push([change, mode.force, mode.diffusion * dt / (4.0 * kt)]);
        }
        let scaling = Mat3::diagonal(factor.x, factor.y, factor.z);
        let cell = amelo_core::Cell::new(system.cell.vectors() * scaling).map_err(|_| DynamicsError::CellJump {
            step: system.step + 1,
            strain: f64::NAN,
            pressure: modes[0].pressure,
        })?;
        self.bodies.scale(system, factor, cell);
        Ok(())
    }

    /// P₀V − k_B T Σ ln λ_k − c k_B T ln V − heat. H of the integrator completes it.
    fn conserved(&self, system: &System, forces: &Forces, motion: &Motion) -> f64 {
        let kt = self.temperature.kt(system);
        let volume = system.cell.volume();
        let modes = self.modes(system, forces, motion, 0.0);
        let measure: f64 = modes.iter().map(|m| kt * special::ln(m.lambda)).sum();
        let missing = if motion.dof.conserved() > 0 { kt * special::ln(volume) } else { 0.0 };
        self.pressure * volume - measure - missing - self.heat - self.pending_heat(&modes)
    }

    fn save(&self, prefix: &str, state: &mut State) {
        state.put_f64(&format!("{prefix}/heat"), &[self.heat]);
        state.put_f64(&format!("{prefix}/pending"), &self.pending.concat());
        state.put_u64(&format!("{prefix}/n_pending"), &[self.pending.len() as u64]);
    }

    fn restore(&mut self, prefix: &str, state: &State) -> Result<(), StateError> {
        self.heat = state.f64(&format!("{prefix}/heat"), 1)?[0];
        let n = state.u64(&format!("{prefix}/n_pending"), 1)?[0] as usize;
        let flat = state.f64(&format!("{prefix}/pending"), 3 * n)?;
        self.pending = flat.chunks_exact(3).map(|c| [c[0], c[1], c[2]]).collect();
        Ok(())
    }
}

//! Nosé–Hoover chain.
//!
//! v̇ = F/m − ξ₁ v;  Q₁ ξ̇₁ = 2K − N_f k_B T − Q₁ ξ₁ ξ₂;  Q_j ξ̇_j = Q_{j−1} ξ_{j−1}² − k_B T − Q_j ξ_j ξ_{j+1};  η̇_j = ξ_j,
//!
//! with Q₁ = N_f k_B T τ², Q_j = k_B T τ². Conserved: H + Σ ½ Q_j ξ_j² + N_f k_B T η₁ + k_B T Σ_{j>1} η_j.
//! G. J. Martyna, M. L. Klein, M. Tuckerman, J. Chem. Phys. 97, 2635 (1992), doi:10.1063/1.463940; propagator:
//! G. J. Martyna, M. E. Tuckerman, D. J. Tobias, M. L. Klein, Mol. Phys. 87, 1117 (1996),
//! doi:10.1080/00268979600100761, here over a whole step in its middle.

use amelo_core::{Forces, State, StateError, System};
use amelo_math::special;

use super::{Ramp, Thermostat, ThermostatSettings, positive};
use crate::info::MethodInfo;
use crate::propagators::Step;
use crate::{DynamicsError, Motion, Propagator};

/// Default τ (ps): the chain then swings with 2πτ = 0.6 ps, fast enough to be damped by a liquid's own motion. A slow
/// chain rings for tens of periods and reads cold or hot meanwhile.
const TIME_CONSTANT: f64 = 0.1;

/// Default number of thermostats in the chain.
const CHAIN_LENGTH: usize = 4;

/// Weights of the fourth-order Suzuki–Yoshida factorisation.
const YOSHIDA: [f64; 3] = [1.351_207_191_959_657_8, -1.702_414_383_919_315_3, 1.351_207_191_959_657_8];

/// How often the factorisation is repeated in a step.
const REPEATS: usize = 2;

/// A chain on all mobile atoms together.
pub struct NoseHoover {
    temperature: Ramp,
    time_constant: f64,
    /// ξ_j (1/ps).
    velocity: Vec<f64>,
    /// η_j.
    position: Vec<f64>,
}

impl Thermostat for NoseHoover {
    const INFO: MethodInfo = MethodInfo {
        name: "nose-hoover",
        summary: "Nosé–Hoover chain: deterministic and canonical where the system is ergodic",
        formula: "v̇ = F/m − ξ₁v, Q₁ξ̇₁ = 2K − N_f k_B T − Q₁ξ₁ξ₂, …; Q₁ = N_f k_B T τ², Q_j = k_B T τ², in the middle of the \
                  step; keys: time_constant τ (default 0.1 ps, period 2πτ), chain_length (default 4). Conserved: H + Σ ½Q_jξ_j² \
                  + N_f k_B T η₁ + k_B T Σ η_j. Slow chains ring for many periods; harmonic solids may not be ergodic",
        citation: "G. J. Martyna, M. L. Klein, M. Tuckerman, J. Chem. Phys. 97, 2635 (1992), doi:10.1063/1.463940; \
                   G. J. Martyna et al., Mol. Phys. 87, 1117 (1996), doi:10.1080/00268979600100761",
    };
    const CONSERVES_MOMENTUM: bool = true;

    fn new(settings: &ThermostatSettings, _: &Motion) -> Result<Self, DynamicsError> {
        ThermostatSettings::refuse(settings.friction.is_some(), "friction", "nose-hoover", "set time_constant")?;
        let time_constant = positive("time_constant", settings.time_constant.unwrap_or(TIME_CONSTANT), "ps")?;
        let length = settings.chain_length.unwrap_or(CHAIN_LENGTH);
        if !(1..=100).contains(&length) {
            let message = format!("a chain of {length} thermostats is out of range; 3 to 5 are usual");
            return Err(DynamicsError::Setting { key: "chain_length", message });
        }
        Ok(NoseHoover {
            temperature: settings.temperature,
            time_constant,
            velocity: vec![0.0; length],
            position: vec![0.0; length],
        })
    }
}

impl NoseHoover {
    /// Q_j (kJ mol⁻¹ ps²).
    fn inertia(&self, j: usize, n_dof: f64, kt: f64) -> f64 {
        let q = kt * self.time_constant * self.time_constant;
        if j == 0 { n_dof * q } else { q }
    }

    /// ξ̇_j without the friction of the next link.
    fn acceleration(&self, j: usize, kinetic: f64, n_dof: f64, kt: f64) -> f64 {
        let drive = match j {
            0 => 2.0 * kinetic - n_dof * kt,
            _ => self.inertia(j - 1, n_dof, kt) * self.velocity[j - 1] * self.velocity[j - 1] - kt,
        };
        drive / self.inertia(j, n_dof, kt)
    }

    /// Half a sub-step `h` of one link.
    fn push(&mut self, j: usize, h: f64, kinetic: f64, n_dof: f64, kt: f64) {
        let friction = self.velocity.get(j + 1).map_or(1.0, |next| special::exp(-0.25 * h * next));
        self.velocity[j] *= friction;
        self.velocity[j] += 0.5 * h * self.acceleration(j, kinetic, n_dof, kt);
        self.velocity[j] *= friction;
    }

    /// Propagates the chain by `time`; returns the factor of the velocities.
    fn propagate(&mut self, time: f64, kinetic: f64, n_dof: f64, kt: f64) -> f64 {
        let links = self.velocity.len();
        let mut factor = 1.0;
        for weight in YOSHIDA.iter().cycle().take(REPEATS * YOSHIDA.len()) {
            let h = weight * time / REPEATS as f64;
            for j in (0..links).rev() {
                self.push(j, h, kinetic * factor * factor, n_dof, kt);
            }
            factor *= special::exp(-h * self.velocity[0]);
            for j in 0..links {
                self.position[j] += h * self.velocity[j];
            }
            // The mirror image of the first half, so that the whole is symmetric in time.
            for j in 0..links {
                self.push(j, h, kinetic * factor * factor, n_dof, kt);
            }
        }
        factor
    }
}

impl Propagator for NoseHoover {
    fn name(&self) -> &'static str {
        "nose-hoover"
    }

    fn apply(&mut self, step: &mut Step) -> Result<(), DynamicsError> {
        let n_dof = step.motion.dof.n_dof() as f64;
        if n_dof == 0.0 {
            return Ok(());
        }
        let system = &mut *step.system;
        let kinetic = step.motion.kinetic_energy(system);
        if kinetic == 0.0 {
            return Err(DynamicsError::Motionless { step: system.step + 1, thermostat: "nose-hoover" });
        }
        let kt = self.temperature.kt(system);
        let factor = self.propagate(step.motion.timestep, kinetic, n_dof, kt);
        step.motion.scale_velocities(system, factor);
        Ok(())
    }

    fn conserved(&self, system: &System, _: &Forces, motion: &Motion) -> f64 {
        let n_dof = motion.dof.n_dof() as f64;
        let kt = self.temperature.kt(system);
        let links = self.velocity.iter().zip(&self.position).enumerate();
        links
            .map(|(j, (xi, eta))| {
                let weight = if j == 0 { n_dof } else { 1.0 };
                0.5 * self.inertia(j, n_dof, kt) * xi * xi + weight * kt * eta
            })
            .sum()
    }

    fn save(&self, prefix: &str, state: &mut State) {
        state.put_f64(&format!("{prefix}/xi"), &self.velocity);
        state.put_f64(&format!("{prefix}/eta"), &self.position);
    }

    fn restore(&mut self, prefix: &str, state: &State) -> Result<(), StateError> {
        let n = self.velocity.len();
        self.velocity = state.f64(&format!("{prefix}/xi"), n)?.to_vec();
        self.position = state.f64(&format!("{prefix}/eta"), n)?.to_vec();
        Ok(())
    }
}

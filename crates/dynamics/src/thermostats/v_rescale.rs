//! Stochastic velocity rescaling.
//!
//! dK = (K̄ − K) dt/τ + 2 √(K K̄ / (N_f τ)) dW, K̄ = ½ N_f k_B T, solved exactly over a time step:
//!
//! K' = c K + (K̄/N_f)(1 − c)(R₁² + S) + 2 R₁ √(c (1 − c) K K̄/N_f),  c = exp(−dt/τ),
//!
//! R₁ standard normal, S the sum of N_f − 1 squared standard normal numbers; all velocities are multiplied by
//! α = ±√(K'/K), with the sign of R₁ + √(c K N_f / ((1 − c) K̄)).
//! G. Bussi, D. Donadio, M. Parrinello, J. Chem. Phys. 126, 014101 (2007), doi:10.1063/1.2408420, appendix.

use amelo_core::{Forces, State, StateError, System};
use amelo_math::philox::Noise;
use amelo_math::special;

use super::{Ramp, Thermostat, ThermostatSettings, positive};
use crate::info::MethodInfo;
use crate::propagators::Step;
use crate::{DynamicsError, Motion, Propagator};

/// Purpose of its noise.
const V_RESCALE: u32 = 2;

/// Default time constant (ps).
const TIME_CONSTANT: f64 = 1.0;

/// Stochastic velocity rescaling of all mobile atoms together.
pub struct VRescale {
    temperature: Ramp,
    time_constant: f64,
    noise: Noise,
    heat: f64,
}

impl Thermostat for VRescale {
    const INFO: MethodInfo = MethodInfo {
        name: "v-rescale",
        summary: "stochastic velocity rescaling: canonical, disturbs the dynamics least; the default",
        formula: "dK = (K̄ − K) dt/τ + 2 √(K K̄/(N_f τ)) dW, K̄ = ½ N_f k_B T, exact over a step, in its middle (B A O A F \
                  B); keys: time_constant τ (default 1 ps). Conserved: H − heat given by the thermostat",
        citation: "G. Bussi, D. Donadio, M. Parrinello, J. Chem. Phys. 126, 014101 (2007), doi:10.1063/1.2408420",
    };
    const CONSERVES_MOMENTUM: bool = true;

    fn new(settings: &ThermostatSettings, motion: &Motion) -> Result<Self, DynamicsError> {
        ThermostatSettings::refuse(settings.friction.is_some(), "friction", "v-rescale", "set time_constant")?;
        ThermostatSettings::refuse(settings.chain_length.is_some(), "chain_length", "v-rescale", "leave it out")?;
        let time_constant = positive("time_constant", settings.time_constant.unwrap_or(TIME_CONSTANT), "ps")?;
        Ok(VRescale { temperature: settings.temperature, time_constant, noise: motion.noise(V_RESCALE), heat: 0.0 })
    }
}

impl Propagator for VRescale {
    fn name(&self) -> &'static str {
        "v-rescale"
    }

    fn apply(&mut self, step: &mut Step) -> Result<(), DynamicsError> {
        let n_dof = step.motion.dof.n_dof();
        if n_dof == 0 {
            return Ok(());
        }
        let system = &mut *step.system;
        let kinetic = step.motion.kinetic_energy(system);
        if kinetic == 0.0 {
            return Err(DynamicsError::Motionless { step: system.step + 1, thermostat: "v-rescale" });
        }
        // K̄/N_f = kT/2.
        let per_dof = 0.5 * self.temperature.kt(system);
        let c = special::exp(-step.motion.timestep / self.time_constant);
        let [r1, _] = self.noise.normal2(0, system.step, 0);
        let s = chi_squared(&self.noise, system.step, 1, n_dof - 1);
        let new =
            c * kinetic + per_dof * (1.0 - c) * (r1 * r1 + s) + 2.0 * r1 * (c * (1.0 - c) * kinetic * per_dof).sqrt();
        let sign = if r1 + (c * kinetic / ((1.0 - c) * per_dof)).sqrt() < 0.0 { -1.0 } else { 1.0 };
        // new ≥ 0 in exact arithmetic: it is a sum of squares.
        let alpha = sign * (new.max(0.0) / kinetic).sqrt();
        step.motion.scale_velocities(system, alpha);
        self.heat += (alpha * alpha - 1.0) * kinetic;
        Ok(())
    }

    fn conserved(&self, _: &System, _: &Forces, _: &Motion) -> f64 {
        -self.heat
    }

    fn save(&self, prefix: &str, state: &mut State) {
        state.put_f64(&format!("{prefix}/heat"), &[self.heat]);
    }

    fn restore(&mut self, prefix: &str, state: &State) -> Result<(), StateError> {
        self.heat = state.f64(&format!("{prefix}/heat"), 1)?[0];
        Ok(())
    }
}

/// The sum of `n` squared standard normal numbers, from draws `first`, `first` + 1, … of `step`.
///
/// Twice a gamma number of shape n/2 by G. Marsaglia, W. W. Tsang, ACM Trans. Math. Softw. 26, 363 (2000),
/// doi:10.1145/358407.358414; rejections go on to the next draws, so it is still a pure function of the step.
fn chi_squared(noise: &Noise, step: u64, first: u32, n: usize) -> f64 {
    match n {
        0 => return 0.0,
        1 => {
            let [r, _] = noise.normal2(0, step, first);
            return r * r;
        }
        _ => {}
    }
    let d = 0.5 * n as f64 - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    for attempt in (first..).step_by(2) {
        let [x, _] = noise.normal2(0, step, attempt);
        let [u, _] = noise.uniform2(0, step, attempt + 1);
        let t = 1.0 + c * x;
        if t > 0.0 {
            let v = t * t * t;
            if special::ln(u) < 0.5 * x * x + d - d * v + d * special::ln(v) {
                return 2.0 * d * v;
            }
        }
    }
    unreachable!("more than two thousand million rejections")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chi_squared_has_mean_n_variance_2n_and_third_moment_8n() {
        for n in [1usize, 2, 3, 10, 1497] {
            let noise = Noise::new(5, V_RESCALE);
            let samples = 40_000;
            let nf = n as f64;
            let draws: Vec<f64> = (0..samples).map(|s| chi_squared(&noise, s, 1, n)).collect();
            let count = samples as f64;
            let mean = draws.iter().sum::<f64>() / count;
            let central = |p: i32| draws.iter().map(|x| (x - mean).powi(p)).sum::<f64>() / count;
            assert!((mean - nf).abs() < 4.0 * (2.0 * nf / count).sqrt(), "n = {n}: mean {mean}");
            // Standard error of the variance from the fourth moment 12 n (n + 4).
            let error = ((12.0 * nf * (nf + 4.0) - 4.0 * nf * nf) / count).sqrt();
            assert!((central(2) - 2.0 * nf).abs() < 4.0 * error, "n = {n}: variance {}", central(2));
            if n <= 10 {
                assert!((central(3) / (8.0 * nf) - 1.0).abs() < 0.25, "n = {n}: third moment {}", central(3));
            }
        }
    }
}

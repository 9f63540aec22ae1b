//! Langevin dynamics, BAOAB.
//!
//! dv = F/m dt − γ v dt + √(2 γ k_B T/m) dW; O solves friction and noise exactly: v ← c v + √((1 − c²) k_B T/m) R,
//! c = exp(−γ dt), then projects onto the constraints.
//! B. Leimkuhler, C. Matthews, J. Chem. Phys. 138, 174102 (2013), doi:10.1063/1.4802990; with constraints:
//! B. Leimkuhler, C. Matthews, Proc. R. Soc. A 472, 20160138 (2016), doi:10.1098/rspa.2016.0138.

use amelo_core::{Forces, State, StateError, System};
use amelo_math::lanes::Isa;
use amelo_math::philox::Noise;
use amelo_math::{Vec3, special};

use super::{Ramp, Thermostat, ThermostatSettings, positive};
use crate::constraints::Segment;
use crate::info::MethodInfo;
use crate::passes;
use crate::propagators::Step;
use crate::{DynamicsError, Motion, Propagator};

/// Purpose of its noise.
const LANGEVIN: u32 = 3;

/// Atoms whose noise is drawn together.
const BATCH: usize = 64;

/// Default friction (1/ps).
const FRICTION: f64 = 1.0;

/// Friction and noise on every mobile atom.
pub struct Langevin {
    temperature: Ramp,
    friction: f64,
    noise: Noise,
    /// Instructions that draw the noise.
    isa: Isa,
    heat: f64,
}

impl Thermostat for Langevin {
    const INFO: MethodInfo = MethodInfo {
        name: "langevin",
        summary: "Langevin dynamics as BAOAB: samples anything, slows diffusion; breaks momentum",
        formula: "dv = F/m dt − γ v dt + √(2γ k_B T/m) dW, O exact in the middle of B A O A F B; positions are sampled to \
                  higher order than by any other splitting; keys: friction γ (default 1/ps) or time_constant 1/γ. \
                  Conserved: H − heat given by the thermostat",
        citation: "B. Leimkuhler, C. Matthews, J. Chem. Phys. 138, 174102 (2013), doi:10.1063/1.4802990",
    };
    const CONSERVES_MOMENTUM: bool = false;

    fn new(settings: &ThermostatSettings, motion: &Motion) -> Result<Self, DynamicsError> {
        ThermostatSettings::refuse(settings.chain_length.is_some(), "chain_length", "langevin", "leave it out")?;
        let friction = match (settings.friction, settings.time_constant) {
            (Some(_), Some(_)) => {
                let message = "give friction or time_constant, not both: one is the inverse of the other".into();
                return Err(DynamicsError::Setting { key: "friction", message });
            }
            (Some(friction), None) => positive("friction", friction, "1/ps")?,
            (None, Some(time)) => 1.0 / positive("time_constant", time, "ps")?,
            (None, None) => FRICTION,
        };
        let (noise, isa) = (motion.noise(LANGEVIN), Isa::current());
        Ok(Langevin { temperature: settings.temperature, friction, noise, isa, heat: 0.0 })
    }
}

impl Propagator for Langevin {
    fn name(&self) -> &'static str {
        "langevin"
    }

    fn apply(&mut self, step: &mut Step) -> Result<(), DynamicsError> {
        let system = &mut *step.system;
        let before = step.motion.kinetic_energy(system);
        let c = special::exp(-self.friction * step.motion.timestep);
        let strength = (1.0 - c * c) * self.temperature.kt(system);
        let (noise, isa) = (self.noise, self.isa);
        let (now, image) = (system.step, system.cell.nearest_image());
        let task = |segment: &Segment, (v, w, r): (&mut [Vec3], &[f64], &[Vec3])| {
            let mut atom = segment.atoms.start as u32;
            for (v, w) in v.chunks_mut(BATCH).zip(w.chunks(BATCH)) {
                let mut draws = [Vec3::ZERO; BATCH];
                noise.fill_normal3(isa, atom, now, 0, &mut draws[..v.len()]);
                atom += BATCH as u32;
                for ((v, w), draw) in v.iter_mut().zip(w).zip(draws) {
                    *v = *v * c + draw * (strength * w).sqrt();
                }
            }
            segment.project(&image, r, v);
        };
        let arrays =
            (system.velocities.as_mut_slice(), step.motion.inverse_masses.as_slice(), system.positions.as_slice());
        passes::each(step.motion.constraints.segments(), arrays, &task, &|(), ()| ());
        self.heat += step.motion.kinetic_energy(system) - before;
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

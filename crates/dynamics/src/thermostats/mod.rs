//! Thermostats: O in B A O A F B. Each acts on the velocities in the middle of the step.

mod langevin;
mod nose_hoover;
mod v_rescale;

use amelo_core::System;
use amelo_core::units::BOLTZMANN;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::info::MethodInfo;
use crate::{DynamicsError, Motion, Propagator};

pub use langevin::Langevin;
pub use nose_hoover::NoseHoover;
pub use v_rescale::VRescale;

/// A thermostat: a propagator with a description and a way to make it.
pub trait Thermostat: Propagator + Sized {
    /// Row for `amelo list` and `amelo explain`.
    const INFO: MethodInfo;
    /// Whether it leaves the total momentum alone.
    const CONSERVES_MOMENTUM: bool;
    /// A thermostat for the degrees of freedom of `motion`.
    fn new(settings: &ThermostatSettings, motion: &Motion) -> Result<Self, DynamicsError>;
}

macro_rules! thermostats {
    ($($(#[$doc:meta])* $name:literal => $kind:ident),+ $(,)?) => {
        /// Which thermostat.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        pub enum ThermostatKind {
            $($(#[$doc])* #[serde(rename = $name)] $kind,)+
        }

        /// Rows for `amelo list thermostats` and `amelo explain`.
        pub fn thermostats() -> Vec<MethodInfo> {
            vec![$($kind::INFO),+]
        }

        impl ThermostatKind {
            /// All of them.
            pub const ALL: &'static [ThermostatKind] = &[$(ThermostatKind::$kind),+];

            /// Name in decks.
            pub fn name(self) -> &'static str {
                match self { $(ThermostatKind::$kind => $name),+ }
            }

            /// Whether it leaves the total momentum alone.
            pub fn conserves_momentum(self) -> bool {
                match self { $(ThermostatKind::$kind => $kind::CONSERVES_MOMENTUM),+ }
            }

            pub(crate) fn build(
                self,
                settings: &ThermostatSettings,
                motion: &Motion,
            ) -> Result<Box<dyn Propagator>, DynamicsError> {
                Ok(match self { $(ThermostatKind::$kind => Box::new($kind::new(settings, motion)?)),+ })
            }
        }
    };
}

thermostats! {
    /// Stochastic velocity rescaling (Bussi, Donadio, Parrinello 2007).
    "v-rescale" => VRescale,
    /// Nosé–Hoover chain (Martyna, Klein, Tuckerman 1992).
    "nose-hoover" => NoseHoover,
    /// Langevin dynamics as BAOAB (Leimkuhler, Matthews 2013).
    "langevin" => Langevin,
}

/// What a thermostat is made from; a key that it has no use for is an error.
#[derive(Clone, Copy, Debug)]
pub struct ThermostatSettings {
    /// Temperature over the stage.
    pub temperature: Ramp,
    /// Time constant (ps).
    pub time_constant: Option<f64>,
    /// Friction (1/ps).
    pub friction: Option<f64>,
    /// Length of a chain.
    pub chain_length: Option<usize>,
}

impl ThermostatSettings {
    fn refuse(
        given: bool,
        key: &'static str,
        thermostat: &'static str,
        instead: &'static str,
    ) -> Result<(), DynamicsError> {
        if given {
            let message = format!("the thermostat {thermostat} has none; {instead}");
            return Err(DynamicsError::Setting { key, message });
        }
        Ok(())
    }
}

pub(crate) fn positive(key: &'static str, value: f64, unit: &str) -> Result<f64, DynamicsError> {
    if value > 0.0 && value.is_finite() {
        Ok(value)
    } else {
        Err(DynamicsError::Setting { key, message: format!("{value} {unit} must be positive") })
    }
}

/// A temperature that goes linearly from one value to another over a number of steps, then stays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ramp {
    /// Temperature at `first_step` (K).
    pub from: f64,
    /// Temperature from `first_step` + `n_steps` on (K).
    pub to: f64,
    /// Step at which the ramp begins.
    pub first_step: u64,
    /// Length of the ramp.
    pub n_steps: u64,
}

impl Ramp {
    /// The same temperature (K) at all times.
    pub fn constant(temperature: f64) -> Self {
        Ramp { from: temperature, to: temperature, first_step: 0, n_steps: 0 }
    }

    /// Temperature (K) after `step` completed steps.
    pub fn at(&self, step: u64) -> f64 {
        if self.from == self.to || step >= self.first_step + self.n_steps {
            return self.to;
        }
        let passed = step.saturating_sub(self.first_step) as f64 / self.n_steps as f64;
        self.from + (self.to - self.from) * passed
    }

    /// k_B T (kJ/mol) in the step that `system` is making.
    pub fn kt(&self, system: &System) -> f64 {
        BOLTZMANN * self.at(system.step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_starts_and_ends_where_it_says() {
        let ramp = Ramp { from: 300.0, to: 500.0, first_step: 100, n_steps: 200 };
        assert_eq!(ramp.at(100), 300.0);
        assert_eq!(ramp.at(200), 400.0);
        assert_eq!(ramp.at(300), 500.0);
        assert_eq!(ramp.at(9999), 500.0);
    }

    #[test]
    fn registered_names_are_the_names_in_the_rows() {
        let names: Vec<_> = thermostats().iter().map(|t| t.name).collect();
        assert_eq!(names, ThermostatKind::ALL.iter().map(|k| k.name()).collect::<Vec<_>>());
    }
}

//! Ensembles as a deck writes them.

use amelo_core::System;
use amelo_core::quantity::{Compressibility, Pressure, Rate, Temperature, Time};
use amelo_core::units::BAR_PER_PRESSURE;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::barostats::BarostatSettings;
use crate::thermostats::{Ramp, ThermostatSettings, positive};
use crate::{BarostatKind, Coupling, DynamicsError, Motion, Propagator, ThermostatKind};

/// Constant energy: velocity Verlet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NveConfig {}

/// Constant volume and temperature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NvtConfig {
    /// Temperature; at the stage's start where `temperature_end` is given.
    pub temperature: Temperature,
    /// Temperature at the stage's end: it changes linearly over the stage. Default: `temperature`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature_end: Option<Temperature>,
    /// v-rescale (default), nose-hoover or langevin.
    #[serde(default = "default_thermostat")]
    pub thermostat: ThermostatKind,
    /// Time constant: relaxation time of v-rescale (default 1 ps), τ of a Nosé–Hoover chain whose period is 2πτ
    /// (default 0.1 ps), inverse friction of langevin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_constant: Option<Time>,
    /// Friction of langevin (default 1/ps).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub friction: Option<Rate>,
    /// Thermostats in a Nosé–Hoover chain (default 4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain_length: Option<usize>,
}

/// Constant pressure and temperature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NptConfig {
    /// Temperature; at the stage's start where `temperature_end` is given.
    pub temperature: Temperature,
    /// Temperature at the stage's end: it changes linearly over the stage. Default: `temperature`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature_end: Option<Temperature>,
    /// Pressure.
    pub pressure: Pressure,
    /// isotropic (default), semi-isotropic (xy and z apart) or z (the lateral cell stays, as a slab needs it).
    #[serde(default)]
    pub coupling: Coupling,
    /// v-rescale (default), nose-hoover or langevin.
    #[serde(default = "default_thermostat")]
    pub thermostat: ThermostatKind,
    /// c-rescale.
    #[serde(default)]
    pub barostat: BarostatKind,
    /// Time constant of the thermostat, as under `nvt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_constant: Option<Time>,
    /// Friction of langevin (default 1/ps).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub friction: Option<Rate>,
    /// Thermostats in a Nosé–Hoover chain (default 4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain_length: Option<usize>,
    /// Relaxation time of the volume, if `compressibility` is the system's (default 2 ps).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barostat_time_constant: Option<Time>,
    /// Estimate of the compressibility; it sets the pace together with `barostat_time_constant`, not the result
    /// (default 4.5e-5 1/bar).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compressibility: Option<Compressibility>,
    /// Steps from one change of the cell to the next (default 10, as far as they are at most a hundredth of
    /// `barostat_time_constant`; at most a twentieth). The virial, which costs as much as the forces, is summed for these
    /// alone. Where the volume relaxes within `barostat_time_constant`, its variance is too large by about this part of
    /// it; its mean is right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barostat_every: Option<u64>,
}

fn default_thermostat() -> ThermostatKind {
    ThermostatKind::VRescale
}

impl NvtConfig {
    /// The thermostat at `temperature` (K) with its defaults.
    pub fn new(thermostat: ThermostatKind, temperature: f64) -> Self {
        NvtConfig {
            temperature: Temperature(temperature),
            temperature_end: None,
            thermostat,
            time_constant: None,
            friction: None,
            chain_length: None,
        }
    }
}

impl NptConfig {
    /// Thermostat and c-rescale at `temperature` (K) and `pressure` (kJ/mol/nm³) with their defaults.
    pub fn new(thermostat: ThermostatKind, coupling: Coupling, temperature: f64, pressure: f64) -> Self {
        NptConfig {
            temperature: Temperature(temperature),
            temperature_end: None,
            pressure: Pressure(pressure),
            coupling,
            thermostat,
            barostat: BarostatKind::default(),
            time_constant: None,
            friction: None,
            chain_length: None,
            barostat_time_constant: None,
            compressibility: None,
            barostat_every: None,
        }
    }

    fn thermal_part(&self) -> NvtConfig {
        NvtConfig {
            temperature: self.temperature,
            temperature_end: self.temperature_end,
            thermostat: self.thermostat,
            time_constant: self.time_constant,
            friction: self.friction,
            chain_length: self.chain_length,
        }
    }
}

/// A thermostat and its temperature over the stage.
type Thermal = (Box<dyn Propagator>, Ramp);

/// An ensemble.
#[derive(Clone, Debug, PartialEq)]
pub enum Ensemble {
    /// Constant energy.
    Nve(NveConfig),
    /// Constant volume and temperature.
    Nvt(NvtConfig),
    /// Constant pressure and temperature.
    Npt(NptConfig),
}

impl Ensemble {
    fn thermal(&self) -> Option<NvtConfig> {
        match self {
            Ensemble::Nve(_) => None,
            Ensemble::Nvt(nvt) => Some(nvt.clone()),
            Ensemble::Npt(npt) => Some(npt.thermal_part()),
        }
    }

    /// Whether its thermostat leaves the total momentum alone.
    pub fn conserves_momentum(&self) -> bool {
        self.thermal().is_none_or(|t| t.thermostat.conserves_momentum())
    }

    /// Thermostat, if any; a ramp begins at `first_step` and takes `n_steps`.
    pub(crate) fn thermostat(
        &self,
        motion: &Motion,
        first_step: u64,
        n_steps: u64,
    ) -> Result<Option<Thermal>, DynamicsError> {
        let Some(nvt) = self.thermal() else { return Ok(None) };
        let from = positive("temperature", nvt.temperature.0, "K")?;
        let to = positive("temperature_end", nvt.temperature_end.map_or(from, |t| t.0), "K")?;
        let temperature = Ramp { from, to, first_step, n_steps };
        let settings = ThermostatSettings {
            temperature,
            time_constant: nvt.time_constant.map(|t| t.0),
            friction: nvt.friction.map(|f| f.0),
            chain_length: nvt.chain_length,
        };
        Ok(Some((nvt.thermostat.build(&settings, motion)?, temperature)))
    }

    /// Barostat, if any.
    pub(crate) fn barostat(
        &self,
        system: &System,
        motion: &Motion,
        temperature: Ramp,
    ) -> Result<Option<Box<dyn Propagator>>, DynamicsError> {
        let Ensemble::Npt(npt) = self else { return Ok(None) };
        let time_constant = npt.barostat_time_constant.map_or(BAROSTAT_TIME_CONSTANT, |t| t.0);
        let compressibility = npt.compressibility.map_or(COMPRESSIBILITY, |c| c.0);
        if !npt.pressure.0.is_finite() {
            let message = format!("{} must be finite", npt.pressure);
            return Err(DynamicsError::Setting { key: "pressure", message });
        }
        let settings = BarostatSettings {
            temperature,
            pressure: npt.pressure.0,
            coupling: npt.coupling,
            time_constant: positive("barostat_time_constant", time_constant, "ps")?,
            compressibility: positive("compressibility", compressibility, "nm^3/(kJ/mol)")?,
            every: barostat_every(npt.barostat_every, time_constant / motion.timestep)?,
        };
        npt.barostat.build(&settings, system, motion).map(Some)
    }
}

/// Steps from one change of the cell to the next, where the time constant is `steps` long.
fn barostat_every(asked: Option<u64>, steps: f64) -> Result<u64, DynamicsError> {
    let within = |part: f64| ((steps / part).floor() as u64).max(1);
    let most = within(FEWEST_CHANGES);
    match asked {
        Some(every) if (1..=most).contains(&every) => Ok(every),
        Some(every) => Err(DynamicsError::Setting {
            key: "barostat_every",
            message: format!(
                "{every} steps from one change of the cell to the next; write 1 to {most}, a twentieth of \
                 barostat_time_constant"
            ),
        }),
        None => Ok(BAROSTAT_EVERY.min(within(DEFAULT_CHANGES))),
    }
}

/// Default number of steps from one change of the cell to the next.
const BAROSTAT_EVERY: u64 = 10;

/// Fewest changes of the cell in a time constant, and how many there are by default: with 20 the enthalpy of argon was
/// distributed 9 % too widely.
const FEWEST_CHANGES: f64 = 20.0;
const DEFAULT_CHANGES: f64 = 100.0;

/// Default relaxation time of the volume (ps).
const BAROSTAT_TIME_CONSTANT: f64 = 2.0;

/// Default compressibility (nm³ mol/kJ): that of water, 4.5e-5 1/bar, as in most of the literature's protocols.
const COMPRESSIBILITY: f64 = 4.5e-5 * BAR_PER_PRESSURE;

//! Equilibration of a packing: compress–decompress cycles, an anneal, and a stage that ends when it has come to rest.
//!
//! `equilibrate` in a deck stands for ordinary stages, which this file writes out; `watch.rs` decides about the last.

pub mod watch;

use amelo_core::quantity::{Pressure, Temperature, Time};
use amelo_core::units::BAR_PER_PRESSURE;
use amelo_dynamics::{Coupling, NptConfig, NvtConfig, ThermostatKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::deck::{DynamicsConfig, StageConfig, TIMESTEP};

/// Brings a fresh packing to rest at `temperature` and `pressure`: the cycles and the anneal, where they are asked for,
/// then npt until the tests of `until_stationary` pass or `max_duration` is over. v-rescale and c-rescale throughout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EquilibrateConfig {
    /// Temperature in the end.
    pub temperature: Temperature,
    /// Pressure in the end.
    pub pressure: Pressure,
    /// isotropic (default), semi-isotropic or z, as under `npt`.
    #[serde(default)]
    pub coupling: Coupling,
    /// Compress–decompress cycles: `cycles = {}` takes the published ones. Left out: none.
    #[serde(default)]
    pub cycles: Option<CyclesConfig>,
    /// Hold at a high temperature and cooling: `anneal = {}` takes the defaults. Left out: none.
    #[serde(default)]
    pub anneal: Option<AnnealConfig>,
    /// Longest time of the last part. It then ends and says what has not come to rest.
    pub max_duration: Time,
    /// How the last part is watched.
    #[serde(default)]
    pub until_stationary: StationarityConfig,
}

/// Seven cycles of heating, cooling and a pressure that rises to `pressure` and falls again: G. S. Larsen, P. Lin, K. E.
/// Hart, C. M. Colina, Macromolecules 44, 6944 (2011), doi:10.1021/ma201345v; L. J. Abbott, K. E. Hart, C. M. Colina,
/// Theor. Chem. Acc. 132, 1334 (2013), doi:10.1007/s00214-013-1334-z.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CyclesConfig {
    /// Temperature of the hot steps. Default 600 K.
    #[serde(default = "hot")]
    pub temperature: Temperature,
    /// Largest pressure. Default 50000 bar.
    #[serde(default = "largest_pressure")]
    pub pressure: Pressure,
    /// Length of the first step, to which the others stand as published. Default 50 ps, the published one: 760 ps in all.
    #[serde(default = "hold")]
    pub hold: Time,
}

/// A hold at constant pressure and a linear cooling. The numbers are ours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnnealConfig {
    /// Temperature of the hold. Default 600 K.
    #[serde(default = "hot")]
    pub temperature: Temperature,
    /// Length of the hold. Default 100 ps.
    #[serde(default = "anneal_time")]
    pub hold: Time,
    /// Length of the cooling. Default 100 ps.
    #[serde(default = "anneal_time")]
    pub cool: Time,
}

/// A stage that ends as soon as density (where a barostat moves it), potential energy and the end-to-end vectors of
/// chains are stationary over its second half so far. `duration` is then the longest.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StationarityConfig {
    /// Time between samples. Default 1 ps.
    #[serde(default = "sample")]
    pub sample: Time,
    /// Time between tests. Default 50 ps.
    #[serde(default = "test")]
    pub test: Time,
}

impl Default for StationarityConfig {
    fn default() -> Self {
        StationarityConfig { sample: sample(), test: test() }
    }
}

fn hot() -> Temperature {
    Temperature(600.0)
}

fn largest_pressure() -> Pressure {
    Pressure(5e4 / BAR_PER_PRESSURE)
}

fn hold() -> Time {
    Time(50.0)
}

fn anneal_time() -> Time {
    Time(100.0)
}

fn sample() -> Time {
    Time(1.0)
}

fn test() -> Time {
    Time(50.0)
}

/// Relaxation time of the volume in the cycles (ps): 50 kbar then change it by less than 1 % at a time.
const BAROSTAT: f64 = 5.0;

/// A step of the cycles: its length in units of the first, and its pressure as a part of the largest where it has one.
/// Without a pressure: hot, or at the final temperature.
enum Step {
    Hot(f64),
    Cold(f64),
    Pressed(f64, f64),
}

/// Table 1 of Larsen et al., without its last step, which is the stage that is watched.
const CYCLES: [Step; 20] = [
    Step::Hot(1.0),
    Step::Cold(1.0),
    Step::Pressed(1.0, 0.02),
    Step::Hot(1.0),
    Step::Cold(2.0),
    Step::Pressed(1.0, 0.6),
    Step::Hot(1.0),
    Step::Cold(2.0),
    Step::Pressed(1.0, 1.0),
    Step::Hot(1.0),
    Step::Cold(2.0),
    Step::Pressed(0.1, 0.5),
    Step::Hot(0.1),
    Step::Cold(0.2),
    Step::Pressed(0.1, 0.1),
    Step::Hot(0.1),
    Step::Cold(0.2),
    Step::Pressed(0.1, 0.01),
    Step::Hot(0.1),
    Step::Cold(0.2),
];

/// The stages of a deck with each `equilibrate` written out; a stage keeps the number that it has in the deck.
pub fn expand(stages: Vec<StageConfig>, dynamics: &DynamicsConfig) -> Vec<StageConfig> {
    let numbered = stages.into_iter().enumerate().map(|(k, stage)| StageConfig { place: Some(k), ..stage });
    numbered
        .flat_map(|stage| match stage.equilibrate.clone() {
            // One that names a second kind, or a duration, is refused with all of it in sight.
            Some(config) if stage.is_equilibration_alone() => write_out(&stage, &config, dynamics),
            _ => vec![stage],
        })
        .collect()
}

fn write_out(stage: &StageConfig, config: &EquilibrateConfig, dynamics: &DynamicsConfig) -> Vec<StageConfig> {
    let timestep = stage.timestep.or(dynamics.timestep).map_or(TIMESTEP, |t| t.0);
    let whole = |time: f64| Time((time / timestep).round().max(1.0) * timestep);
    let part = |name: String, time: Time| StageConfig {
        name: format!("{}: {name}", stage.name),
        equilibrate: None,
        duration: Some(time),
        // Velocities are drawn, and frames are written, once at most.
        velocities: None,
        trajectory: None,
        ..stage.clone()
    };
    let npt = |temperature: f64, pressure: f64| {
        NptConfig::new(ThermostatKind::VRescale, config.coupling, temperature, pressure)
    };
    let last = config.temperature.0;
    let mut out = vec![];
    for (k, step) in CYCLES.iter().enumerate().filter(|_| config.cycles.is_some()) {
        let Some(cycles) = &config.cycles else { continue };
        let named =
            |what: &str, time: f64| part(format!("step {} of the cycles, {what}", k + 1), whole(time * cycles.hold.0));
        let nvt = |temperature| Some(NvtConfig::new(ThermostatKind::VRescale, temperature));
        out.push(match step {
            Step::Hot(time) => StageConfig { nvt: nvt(cycles.temperature.0), ..named("hot", *time) },
            Step::Cold(time) => StageConfig { nvt: nvt(last), ..named("cold", *time) },
            Step::Pressed(time, share) => {
                let npt = npt(last, share * cycles.pressure.0);
                StageConfig {
                    npt: Some(NptConfig { barostat_time_constant: Some(Time(BAROSTAT)), ..npt }),
                    ..named("pressed", *time)
                }
            }
        });
    }
    if let Some(anneal) = &config.anneal {
        let hot = anneal.temperature.0;
        let hold = npt(hot, config.pressure.0);
        let cool = NptConfig { temperature_end: Some(config.temperature), ..npt(hot, config.pressure.0) };
        out.push(StageConfig { npt: Some(hold), ..part("anneal".into(), whole(anneal.hold.0)) });
        out.push(StageConfig { npt: Some(cool), ..part("cooling".into(), whole(anneal.cool.0)) });
    }
    if let Some(first) = out.first_mut() {
        first.velocities = stage.velocities;
    }
    out.push(StageConfig {
        npt: Some(npt(last, config.pressure.0)),
        equilibrate: None,
        duration: Some(config.max_duration),
        until_stationary: Some(config.until_stationary),
        velocities: if out.is_empty() { stage.velocities } else { None },
        ..stage.clone()
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stages(text: &str) -> Vec<StageConfig> {
        #[derive(Deserialize)]
        struct Stages {
            stage: Vec<StageConfig>,
        }
        let dynamics = DynamicsConfig { timestep: Some(Time(0.002)), ..DynamicsConfig::default() };
        expand(toml::from_str::<Stages>(text).expect("TOML").stage, &dynamics)
    }

    #[test]
    fn the_cycles_are_those_of_the_paper() {
        let stages = stages(
            "[[stage]]\nname = \"a\"\nnve = {}\n[[stage]]\nname = \"rest\"\nconstraints = \"h-bonds\"\nequilibrate = { temperature = \
             \"300 K\", pressure = \"1 bar\", cycles = {}, max_duration = \"800 ps\" }",
        );
        // Larsen et al., table 1: time (ps), temperature (K), pressure (bar).
        let table = [
            (50.0, 600.0, None),
            (50.0, 300.0, None),
            (50.0, 300.0, Some(1e3)),
            (50.0, 600.0, None),
            (100.0, 300.0, None),
            (50.0, 300.0, Some(3e4)),
            (50.0, 600.0, None),
            (100.0, 300.0, None),
            (50.0, 300.0, Some(5e4)),
            (50.0, 600.0, None),
            (100.0, 300.0, None),
            (5.0, 300.0, Some(2.5e4)),
            (5.0, 600.0, None),
            (10.0, 300.0, None),
            (5.0, 300.0, Some(5e3)),
            (5.0, 600.0, None),
            (10.0, 300.0, None),
            (5.0, 300.0, Some(500.0)),
            (5.0, 600.0, None),
            (10.0, 300.0, None),
            (800.0, 300.0, Some(1.0)),
        ];
        assert_eq!(stages.len(), 1 + table.len());
        for (stage, (time, temperature, pressure)) in stages[1..].iter().zip(table) {
            assert!((stage.duration.expect("a duration").0 - time).abs() < 1e-9, "{}", stage.name);
            let (t, p) = match (&stage.nvt, &stage.npt) {
                (Some(c), None) => (c.temperature.0, None),
                (None, Some(c)) => (c.temperature.0, Some(c.pressure.0 * BAR_PER_PRESSURE)),
                _ => panic!("one ensemble"),
            };
            assert_eq!(t, temperature, "{}", stage.name);
            assert_eq!(p.map(f64::round), pressure, "{}", stage.name);
            assert!(stage.constraints.is_some() && stage.place == Some(1) && stage.equilibrate.is_none());
        }
        let names: std::collections::BTreeSet<&str> = stages.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names.len(), stages.len());
        assert!(stages[21].until_stationary.is_some() && stages[..21].iter().all(|s| s.until_stationary.is_none()));
    }

    #[test]
    fn short_cycles_keep_their_proportions_in_whole_steps() {
        let stages = stages(
            "[[stage]]\nname = \"rest\"\nequilibrate = { temperature = \"300 K\", pressure = \"1 bar\", cycles = { hold = \
             \"0.05 ps\" }, anneal = { hold = \"1 ps\" }, max_duration = \"1 ps\" }",
        );
        let steps: Vec<f64> = stages.iter().map(|s| s.duration.expect("a duration").0 / 0.002).collect();
        assert!(steps.iter().all(|n| (n - n.round()).abs() < 1e-9 && *n >= 1.0), "{steps:?}");
        assert_eq!([steps[0].round(), steps[4].round(), steps[20].round()], [25.0, 50.0, 500.0]);
        // 5 fs are two and a half steps.
        assert_eq!(steps[11].round(), 3.0);
        let cooling = stages[21].npt.as_ref().expect("npt");
        assert_eq!((cooling.temperature.0, cooling.temperature_end.expect("an end").0), (600.0, 300.0));
    }
}

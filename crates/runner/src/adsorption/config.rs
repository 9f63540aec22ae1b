//! `[adsorption]` of a deck, and everything that can be wrong with it.

use amelo_build::amorphous::Hold;
use amelo_build::{AdsorbateConfig, Geometry, Host, SystemConfig};
use amelo_core::System;
use amelo_core::quantity::{Energy, Force, Length, Temperature};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Parts;
use crate::deck::{Deck, SystemSource};
use crate::error::{Problem, RunnerError};
use crate::glass::Making;
use crate::nonbonded::{CoulombConfig, NonbondedConfig};
use crate::progress::Reporter;
use crate::source::Source;

/// Least height of the vacuum above a slab (nm): room for a molecule that the slab's other face does not feel.
const LEAST_VACUUM: f64 = 1.5;

/// Most starts: each has a file of its own.
const MOST_STARTS: usize = 100_000;

/// Adsorption energies: each molecule is brought to the system that the stages leave (or that was built, where there are
/// none) at many sites and in many orientations, and the energy is minimised. The system is a slab with vacuum
/// (`geometry.film`), on whose upper face the molecules land, or a box of molecules. Energies are in double precision.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdsorptionConfig {
    /// What is adsorbed, one table each.
    pub molecule: Vec<AdsorbateConfig>,
    /// Starts of each molecule: its conformation, orientation and place, each relaxed roughly. More can be added to a
    /// finished run with --resume; the first ones stay what they are. Default 128.
    #[serde(default = "default_starts")]
    pub starts: usize,
    /// How many of the lowest distinct rough structures are relaxed to `force_tolerance`: of all starts, of their first half,
    /// their first quarter and so on. Default 12.
    #[serde(default = "default_refined")]
    pub refined: usize,
    /// Part of the oxide's height, from below, that does not move, from 0 to 1. Default 0.5 with an oxide.
    pub fixed: Option<f64>,
    /// Annealing of each start, from this temperature linearly to near 0 K within this time, by Langevin dynamics:
    /// `{ temperature = "600 K", time = "5 ps" }`. For boxes of chains, whose chains must make room; a slab then leaves its
    /// own minimum too, see `reference`, and many starts without cost less. Default: none.
    pub anneal: Option<Hold>,
    /// A minimisation has converged when no component of a force is larger. Default `"2 kJ/mol/nm"`.
    #[serde(default = "default_force_tolerance")]
    pub force_tolerance: Force,
    /// Most steps of one minimisation; what needs more counts with the energy that it came to, and is reported.
    /// Default 5000.
    #[serde(default = "default_max_steps")]
    pub max_steps: u64,
    /// Which energy of the host without the molecule is subtracted. Default `"clean"`.
    #[serde(default)]
    pub reference: HostReference,
    /// Temperature of the Boltzmann average over the distinct minima. Default `"298.15 K"`.
    #[serde(default = "default_temperature")]
    pub temperature: Temperature,
    /// Two minima are the same where their energies differ by no more than this and their distances by no more than
    /// `same_distance`. Default `"0.5 kJ/mol"`.
    #[serde(default = "default_same_energy")]
    pub same_energy: Energy,
    /// See `same_energy`. Default `"0.02 nm"`.
    #[serde(default = "default_same_distance")]
    pub same_distance: Length,
    /// The lowest minimum of each molecule is relaxed again in cells so many times as wide along both faces of the slab, its
    /// host repeated, the molecule alone: how much of an energy is the cell's. `[2, 3]`: four and nine cells. They can be
    /// named later, with --resume. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wider: Vec<usize>,
    /// Seed of the starts. Default: the deck's.
    pub seed: Option<u64>,
    /// Relative permittivity of a box of molecules that relaxes around an ion as minimisation lets it: of the frozen
    /// structure's nuclei at 0 K, not of the melt. With it the finite-size term of ions is reported, and the energies with
    /// it, beside the others. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative_permittivity: Option<f64>,
}

/// Which energy of the host is subtracted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HostReference {
    /// The host minimised before anything was adsorbed.
    #[default]
    Clean,
    /// For each minimum, the host minimised again after the molecule was taken out, where that is deeper than the clean
    /// one. For soft hosts such as glasses and chains, which fall into a deeper minimum of their own when they are touched:
    /// that gain is not counted then.
    Removed,
}

fn default_starts() -> usize {
    128
}
fn default_refined() -> usize {
    12
}
fn default_force_tolerance() -> Force {
    Force(2.0)
}
fn default_max_steps() -> u64 {
    5000
}
fn default_temperature() -> Temperature {
    Temperature(298.15)
}
fn default_same_energy() -> Energy {
    Energy(0.5)
}
fn default_same_distance() -> Length {
    Length(0.02)
}

/// Temperature at which an annealing ends (K), and its time step (ps).
pub(super) const ANNEALED: f64 = 10.0;
pub(super) const ANNEAL_STEP: f64 = 0.001;

/// How many times as wide a cell can be made: beyond, the host has more atoms than such a test is worth.
const WIDER: std::ops::RangeInclusive<usize> = 2..=4;

/// Part of the oxide's height that is fixed where the deck says nothing.
const FIXED: f64 = 0.5;

impl AdsorptionConfig {
    /// Part of the oxide's height that is fixed.
    pub(super) fn fixed_share(&self, oxide: bool) -> f64 {
        self.fixed.unwrap_or(if oxide { FIXED } else { 0.0 })
    }

    /// What the section itself says wrong beside `nonbonded`.
    fn wrong(&self, source: &Source, built: &SystemConfig, nonbonded: &NonbondedConfig) -> Vec<Problem> {
        let oxide = built.oxide.is_some();
        let periodic = !oxide && built.geometry == Geometry::Sandwich && nonbonded.slab.is_none();
        let long_range = matches!(nonbonded.coulomb, CoulombConfig::Ewald(_) | CoulombConfig::Pme(_));
        let mut problems = Vec::new();
        let mut wrong = |key: &str, message: String, help: &str| {
            problems.push(source.problem(&format!("adsorption.{key}"), message).help(help));
        };
        if self.molecule.is_empty() {
            wrong("molecule", "there is nothing to adsorb".into(), "write molecule = [{ name = \"LiTFSI\" }]");
        }
        if !(1..=MOST_STARTS).contains(&self.starts) {
            let message = format!("{} starts; there must be between 1 and {MOST_STARTS}", self.starts);
            wrong("starts", message, "32 give a first look, 128 and more a minimum to trust");
        }
        if self.refined == 0 {
            wrong("refined", "no rough structure would be refined".into(), "12 are enough for most surfaces");
        }
        match self.fixed {
            Some(share) if !(0.0..=1.0).contains(&share) => {
                let message = format!("the fixed part of the oxide is {share}; it lies between 0 and 1");
                wrong("fixed", message, "write 0.5 for the lower half, 0 for none, 1 for all of it");
            }
            Some(_) if !oxide => {
                wrong("fixed", "there is no oxide to fix".into(), "leave it out, or add [system.oxide.…]");
            }
            _ => {}
        }
        let positive = [
            ("force_tolerance", self.force_tolerance.0, self.force_tolerance.to_string(), "2 kJ/mol/nm is tight"),
            ("temperature", self.temperature.0, self.temperature.to_string(), "room temperature is \"298.15 K\""),
            ("same_energy", self.same_energy.0, self.same_energy.to_string(), "\"0.5 kJ/mol\" is usual"),
            ("same_distance", self.same_distance.0, self.same_distance.to_string(), "\"0.02 nm\" is usual"),
        ];
        for (key, value, text, help) in positive {
            if value.is_nan() || value <= 0.0 {
                wrong(key, format!("it is {text}; it must be positive"), help);
            }
        }
        if let Some(anneal) = self.anneal
            && !(anneal.temperature.0 > ANNEALED && anneal.time.0 >= ANNEAL_STEP)
        {
            let message = format!(
                "annealing begins at {} and takes {}; it must begin above {ANNEALED} K and take at least {ANNEAL_STEP} ps",
                anneal.temperature, anneal.time
            );
            wrong("anneal", message, "write for example anneal = { temperature = \"600 K\", time = \"5 ps\" }");
        }
        if let Some(eps) = self.relative_permittivity {
            let message = if !(eps.is_finite() && eps >= 1.0) {
                Some(format!("a relative permittivity of {eps}; nothing that is at rest has less than 1"))
            } else if !periodic {
                Some(
                    "the finite-size term is that of a charge in a box that molecules fill, periodic in all directions"
                        .into(),
                )
            } else if !long_range {
                Some("charges that interact within a cut-off have no images".into())
            } else {
                None
            };
            if let Some(message) = message {
                wrong(
                    "relative_permittivity",
                    message,
                    "leave it out, or see docs/adsorption.md for how it is measured",
                );
            }
        }
        if let Some(times) = self.wider.iter().find(|times| !WIDER.contains(*times)) {
            let message = format!("a cell {times} times as wide; 2, 3 and 4 can be had");
            wrong("wider", message, "write wider = [2], or [2, 3] to see whether 2 was enough");
        }
        if !self.wider.is_empty() && !oxide {
            let message =
                "a box of molecules never comes so near to rest that the energies of so many copies of it could be \
                           told apart"
                    .into();
            wrong("wider", message, "give relative_permittivity instead, or compare boxes that are built larger");
        }
        if self.wider.windows(2).any(|two| two[0] >= two[1]) {
            wrong("wider", format!("{:?} does not rise", self.wider), "write the smaller one first, and each once");
        }
        if self.max_steps == 0 {
            wrong("max_steps", "no minimisation has 0 steps".into(), "5000 are enough for most hosts");
        }
        problems
    }
}

/// Everything wrong with the section, before the first step; `system` is the host as it was built.
pub fn check(deck: &Deck, source: &Source, system: &System, making: Making, reporter: &Reporter) -> Vec<Problem> {
    let Some(config) = &deck.adsorption else { return Vec::new() };
    let SystemSource::Build(built) = &deck.system else {
        let message = "adsorption energies need the parameters of the molecules, and a system taken from another run or \
                       program holds only its own";
        return vec![source.problem("adsorption", message).help("build the host from parts in the same deck")];
    };
    let nonbonded = deck.nonbonded.clone().unwrap_or_default();
    let problems = config.wrong(source, built, &nonbonded);
    if !problems.is_empty() {
        return problems;
    }
    if built.oxide.is_some() {
        let elements = (0..system.n_atoms()).map(|k| system.topology.element(k));
        let vacuum = Host::new(system.cell, &system.positions, elements, true).vacuum().unwrap_or(0.0);
        if vacuum < LEAST_VACUUM {
            let message =
                format!("the vacuum above the slab is {vacuum:.3} nm high; molecules need at least {LEAST_VACUUM} nm");
            return vec![
                source.problem("system", message).help("write geometry.film = { vacuum = \"4 nm\" } in [system]"),
            ];
        }
    }
    // What no parameter file says of a molecule beside the host is found here and not after hours.
    let parts = Parts::new(config, deck, source, making, reporter);
    match parts.and_then(|parts| (0..parts.adsorbates.len()).try_for_each(|k| parts.model(1, Some(k)).map(drop))) {
        Err(RunnerError::Input { problems }) => problems
            .into_iter()
            .map(|p| if p.place.is_some() { p } else { p.at(Some(source.place_of("forcefield.files"))) })
            .collect(),
        Err(other) => vec![source.problem("adsorption", other.to_string()).help("correct what is named")],
        Ok(()) => Vec::new(),
    }
}

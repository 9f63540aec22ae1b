//! Estimators of transport and structure, one file each. An analysis sees only [`Frame`]s, so the same code runs
//! live and on a stored trajectory; what it hands over are numbers with intervals, definitions and windows.
//!
//! To add one: a file with a config, an [`AnalysisInfo`] and an [`Analysis`], and a line in `analyses!`.

pub mod adsorption;
pub mod bootstrap;
pub mod compare;
mod computed;
mod density;
mod end_to_end;
mod grid;
mod interphase_budget;
mod msd;
mod neighbours;
mod outcome;
mod profile;
mod radial_density;
mod rdf;
mod selection;
pub mod stationarity;
pub mod statistics;
mod surface;
mod two_zone;

use amelo_core::{Frame, Topology};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use density::DensityConfig;
pub use end_to_end::Chains;
pub use interphase_budget::InterphaseBudgetConfig;
pub use msd::{MsdConfig, axial::AxialMsdConfig, layers::LayerKind, segments::SquareDisplacements};
pub use neighbours::neighbours;
pub use outcome::{Axis, Curve, Level, LogScale, Note, Of, OtherUnit, Outcome, Quantity, Results, Series, Window};
pub use radial_density::RadialDensityConfig;
pub use rdf::{PairExclusion, RdfConfig};
pub use selection::Reference;
pub use surface::NearestDistance;
pub use two_zone::{TwoZoneConfig, interphase_share};

/// An estimator that looks at one frame after another.
pub trait Analysis: Send {
    /// Name in the registry.
    fn name(&self) -> &'static str;

    /// Takes in one frame. Frames of one run come in the order of time.
    fn observe(&mut self, frame: &Frame) -> Result<(), AnalysisError>;

    /// The frames that follow belong to another, independent run of the same system.
    fn new_run(&mut self);

    /// The result over all frames.
    fn finish(&mut self) -> Result<Outcome, AnalysisError>;
}

/// Conditions that belong to a number and that a frame does not carry.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context {
    /// Temperature that the thermostat was set to (K), where there was one.
    pub temperature: Option<f64>,
    /// Seed of the bootstrap.
    pub seed: u64,
}

/// What an analysis says about itself: one row of the registry.
#[derive(Clone, Copy, Debug)]
pub struct AnalysisInfo {
    /// Name in decks and on the command line.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// The estimator's equations.
    pub formula: &'static str,
    /// Units of its results.
    pub units: &'static str,
    /// What must hold for the numbers to mean what they say.
    pub assumptions: &'static [&'static str],
    /// Papers with DOI.
    pub citation: &'static str,
}

/// Why an analysis cannot be done.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AnalysisError {
    /// A group that the topology does not have.
    #[error("{analysis}: there is no group \"{group}\" in this system; it has {}", known.join(", "))]
    UnknownGroup {
        /// Analysis that asked.
        analysis: &'static str,
        /// Key of the deck that names the group.
        key: &'static str,
        /// Group that was asked for.
        group: String,
        /// Groups that exist.
        known: Vec<String>,
    },
    /// A setting that makes no sense.
    #[error("{analysis}: {key} = {value}: {remedy}")]
    Setting {
        /// Analysis that refuses.
        analysis: &'static str,
        /// Key of the deck.
        key: &'static str,
        /// What was written.
        value: String,
        /// What would do.
        remedy: String,
    },
    /// Frames that are not equally spaced in time.
    #[error(
        "{analysis}: frames must be equally spaced in time, but after a spacing of {expected} ps the frame at step \
         {step} comes after {found} ps; write the trajectory with one stride, or analyse the stages one by one"
    )]
    UnevenFrames {
        /// Analysis that refuses.
        analysis: &'static str,
        /// Step of the first frame that does not fit.
        step: u64,
        /// Spacing of the frames before (ps).
        expected: f64,
        /// Spacing found (ps).
        found: f64,
    },
    /// Not enough frames.
    #[error(
        "{analysis}: {found} frames, but at least {needed} are needed; write the trajectory more often or run longer"
    )]
    TooFewFrames {
        /// Analysis that refuses.
        analysis: &'static str,
        /// Frames that there are.
        found: usize,
        /// Frames that it takes.
        needed: usize,
    },
    /// A coordinate that is not a number.
    #[error("{analysis}: the position of atom {atom} at step {step} is not a finite number; the trajectory is damaged")]
    NotFinite {
        /// Analysis that found it.
        analysis: &'static str,
        /// Atom, counted from 0.
        atom: usize,
        /// Step of the frame.
        step: u64,
    },
}

impl AnalysisError {
    /// Key inside the analysis' table of the deck that the error concerns, where there is one.
    pub fn key(&self) -> Option<&'static str> {
        match self {
            AnalysisError::UnknownGroup { key, .. } | AnalysisError::Setting { key, .. } => Some(key),
            _ => None,
        }
    }
}

/// The one registration list: deck name, variant, config.
macro_rules! analyses {
    ($($name:literal => $variant:ident, $config:ty;)+) => {
        /// One entry of `[[analysis]]`: the key is the kind.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub enum AnalysisConfig {
            $(#[doc = concat!("`", $name, "`: see `amelo explain ", $name, "`.")]
            #[serde(rename = $name)]
            $variant($config),)+
        }

        impl AnalysisConfig {
            /// Name in the registry.
            pub fn name(&self) -> &'static str {
                match self { $(AnalysisConfig::$variant(_) => $name,)+ }
            }

            /// The analysis for a system; every setting is checked here, before the first frame.
            pub fn build(&self, topology: &Topology, context: &Context) -> Result<Box<dyn Analysis>, AnalysisError> {
                match self { $(AnalysisConfig::$variant(config) => config.build(topology, context),)+ }
            }
        }

        /// What exists, in the order of registration.
        pub fn analyses() -> Vec<AnalysisInfo> {
            vec![$({
                let info = <$config>::INFO;
                debug_assert_eq!(info.name, $name);
                info
            }),+]
        }
    };
}

analyses! {
    "msd" => Msd, MsdConfig;
    "rdf" => Rdf, RdfConfig;
    "density" => Density, DensityConfig;
    "radial-density" => RadialDensity, RadialDensityConfig;
    "axial-msd" => AxialMsd, AxialMsdConfig;
    "two-zone" => TwoZone, TwoZoneConfig;
    "interphase-budget" => InterphaseBudget, InterphaseBudgetConfig;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_the_key_and_a_typo_is_an_error() {
        let parse = |text: &str| serde_json::from_str::<AnalysisConfig>(text);
        let config = parse(r#"{"msd": {"group": "PEO ether O", "layers": "surface-distance"}}"#).unwrap();
        assert_eq!(config.name(), "msd");
        let again = serde_json::to_string(&config).unwrap();
        assert_eq!(parse(&again).unwrap(), config);
        assert!(parse(r#"{"mds": {"group": "Li"}}"#).unwrap_err().to_string().contains("msd"));
        assert!(parse(r#"{"rdf": {"pairs": [["Li", "O"]], "r_max": 1.0}}"#).unwrap_err().to_string().contains("unit"));
        assert!(parse(r#"{"msd": {"group": "Li", "reference": {"group": "PEO"}}}"#).is_ok());
    }

    #[test]
    fn every_analysis_explains_itself() {
        for info in analyses() {
            assert!(!info.summary.is_empty() && !info.formula.is_empty() && !info.units.is_empty(), "{}", info.name);
            assert!(!info.assumptions.is_empty() && info.citation.contains("doi:"), "{}", info.name);
        }
    }
}

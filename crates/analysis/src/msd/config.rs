//! What a deck says of a mean squared displacement.

use amelo_core::{Topology, quantity::Length};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::layers::{LayerKind, Layers};
use super::{Msd, NAME, bundles};
use crate::selection::{self, OXIDE, Reference};
use crate::{Analysis, AnalysisError, AnalysisInfo, Context};

/// Mean squared displacement of a group of atoms, relative to the oxide.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MsdConfig {
    /// Group of atoms, for example `PEO ether O`, `Li`, `TFSI N`.
    pub group: String,
    /// Frame of reference: `auto` (oxide where there is one, else system), `oxide`, `system`, `box`, or
    /// `{ group = "…" }`.
    #[serde(default)]
    pub reference: Reference,
    /// Layers by distance to the oxide: `surface-distance`. In each, in-plane displacements of those that stay.
    #[serde(default)]
    pub layers: Option<LayerKind>,
    /// Upper edges of the layers; the last layer is everything beyond. Default 0.6, 1.5 and 3 nm.
    #[serde(default = "default_edges")]
    pub layer_edges: Vec<Length>,
    /// Longest lag of the window for α and D, as a part of the run; at most 0.2. Default 0.1.
    #[serde(default = "default_longest_lag")]
    pub longest_lag: f64,
    /// Blocks of time for the intervals. Default 5; fewer than 4 give no interval.
    #[serde(default = "default_blocks")]
    pub blocks: usize,
}

fn default_edges() -> Vec<Length> {
    [0.6, 1.5, 3.0].map(Length).to_vec()
}

fn default_longest_lag() -> f64 {
    0.1
}

fn default_blocks() -> usize {
    5
}

impl MsdConfig {
    /// What the analysis is.
    pub(crate) const INFO: AnalysisInfo = AnalysisInfo {
        name: NAME,
        summary: "mean squared displacement g₁(t), exponent α(t), and D where motion is shown to be diffusive",
        formula: "g₁(t) = ⟨|Δr_i(t) − ΔR_ref(t)|²⟩ over atoms i and time origins; Δr from unwrapped displacements \
                  without the barostat's scaling, R_ref the centre of mass of the oxide (or as set)\n\
                  g₁∥(t) = ⟨Δx² + Δy²⟩ in slabs\n\
                  α(t) = d ln g₁ / d ln t over half a decade about t\n\
                  D = (1/2d) dg₁/dt over the window; D_app(t) = g₁(t)/(2 d t)\n\
                  layer Ω: g₁∥(t) over those in Ω at every frame from t₀ to t₀ + t; P(t) = their share of those in Ω \
                  at t₀; residence time ∫P dt",
        units: "g₁ in nm², t in ps, D in cm²/s and Å²/ps (1 Å²/ps = 10⁻⁴ cm²/s), α a plain number",
        assumptions: &[
            "equilibrium: the run has forgotten its start; a drift shows as correlated blocks and costs the interval",
            "dynamics undisturbed: NVE or a weak global thermostat; Langevin friction changes D",
            "it is called D only if the whole 95 % interval of α lies in [0.9, 1.1] and |α − 1| < 0.05 over at least \
             half a decade of lags, the longest lag at most 20 % of the run; otherwise it is D_app(lag)",
            "the interval comes from blocks of time (or whole runs, four or more) plus the lasting difference between \
             molecules; fewer than four independent blocks give none",
            "finite size: not corrected (the Yeh–Hummer term needs a cubic box and a known viscosity)",
            "layers: who leaves and comes back between two frames counts as having stayed; frames must be dense",
        ],
        citation: "FFT: Calligari et al. 2011, doi:10.1051/sfn/201112010. Layers with survival: P. Liu, E. Harder, B. J. \
                   Berne, J. Phys. Chem. B 108, 6595 (2004), doi:10.1021/jp0375057. Unwrapping: S. von Bülow, J. T. \
                   Bullerjahn, G. Hummer, J. Chem. Phys. 153, 021101 (2020), doi:10.1063/5.0008316. Practice: E. J. \
                   Maginn et al., LiveCoMS 1, 6324 (2019), doi:10.33011/livecoms.1.1.6324",
    };

    /// The analysis for a system.
    pub(crate) fn build(&self, topology: &Topology, context: &Context) -> Result<Box<dyn Analysis>, AnalysisError> {
        self.build_along(NAME, false, topology, context)
    }

    /// The analysis under a `name`: of all directions, or of z alone (`axial`).
    pub(super) fn build_along(
        &self,
        name: &'static str,
        axial: bool,
        topology: &Topology,
        context: &Context,
    ) -> Result<Box<dyn Analysis>, AnalysisError> {
        let setting = |key, value: String, remedy: &str| {
            Err(AnalysisError::Setting { analysis: name, key, value, remedy: remedy.into() })
        };
        if !(self.longest_lag > 0.0 && self.longest_lag <= 0.2) {
            return setting("longest_lag", self.longest_lag.to_string(), "a part of the run, above 0 and at most 0.2");
        }
        if self.blocks == 0 || self.blocks as f64 * self.longest_lag > 1.0 {
            let remedy = "a block of time must be longer than the longest lag: 1 to 1/longest_lag blocks";
            return setting("blocks", self.blocks.to_string(), remedy);
        }
        let atoms = selection::group(topology, name, "group", &self.group)?;
        let layers = match self.layers {
            None => None,
            Some(LayerKind::SurfaceDistance) => {
                let oxide = selection::group(topology, name, "layers", OXIDE)?;
                Some(Layers::new(name, &self.layer_edges, oxide)?)
            }
        };
        Ok(Box::new(Msd {
            config: self.clone(),
            context: *context,
            reference: self.reference.resolve(topology, name)?,
            bundles: bundles(topology, &atoms),
            name,
            axial,
            in_plane: selection::has_oxide(topology) && !axial,
            atoms,
            layers,
            runs: vec![],
        }))
    }
}

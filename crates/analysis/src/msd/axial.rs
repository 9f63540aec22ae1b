//! Mean squared displacement along z, the axis of a pore: the estimator of `msd` with one direction.

use amelo_core::Topology;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::MsdConfig;
use crate::{Analysis, AnalysisError, AnalysisInfo, Context};

const NAME: &str = "axial-msd";

/// Mean squared displacement along z of a group of atoms, relative to the oxide. It takes the keys of `msd`; `layers` are
/// those by distance to the local wall, and displacements in them along z of those that stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct AxialMsdConfig(MsdConfig);

impl AxialMsdConfig {
    /// What the analysis is.
    pub(crate) const INFO: AnalysisInfo = AnalysisInfo {
        name: NAME,
        summary: "mean squared displacement along the axis of a pore, whole and by distance to its wall, and D where motion is \
                  shown to be diffusive",
        formula: "⟨Δz²⟩(t) = ⟨[Δz_i(t) − ΔZ_ref(t)]²⟩ over atoms i and time origins; Δz from unwrapped displacements, Z_ref the \
                  centre of mass of the oxide (or as set)\n\
                  ⟨Δz²⟩ = 2 D t: D = ½ d⟨Δz²⟩/dt over the window; D_app(t) = ⟨Δz²⟩(t)/(2 t); α(t) = d ln ⟨Δz²⟩ / d ln t\n\
                  layer Ω by distance to the nearest oxide atom: over those in Ω at every frame from t₀ to t₀ + t; P(t) = \
                  their share of those in Ω at t₀",
        units: "⟨Δz²⟩ in nm², t in ps, D in cm²/s and Å²/ps, α a plain number",
        assumptions: &[
            "the pore runs along z; across it displacements are bounded and tell nothing of transport",
            "as for msd: equilibrium, dynamics undisturbed, D only where the exponent allows it, intervals from independent \
             blocks, dense frames for layers",
            "finite size: not corrected; along a periodic pore the correction differs from that of a cubic box",
        ],
        citation: "layers with survival: P. Liu, E. Harder, B. J. Berne, J. Phys. Chem. B 108, 6595 (2004), \
                   doi:10.1021/jp0375057. Practice: E. J. Maginn et al., LiveCoMS 1, 6324 (2019), \
                   doi:10.33011/livecoms.1.1.6324",
    };

    /// The analysis for a system.
    pub(crate) fn build(&self, topology: &Topology, context: &Context) -> Result<Box<dyn Analysis>, AnalysisError> {
        self.0.build_along(NAME, true, topology, context)
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;
    use std::sync::Arc;

    use amelo_core::{Cell, System};
    use amelo_math::Vec3;
    use amelo_math::philox::Noise;
    use amelo_math::special::{cos, sin};
    use serde_json::json;

    use super::*;
    use crate::Outcome;
    use crate::msd::tests::topology;

    /// Atoms of a tube of oxide, 2 nm in radius.
    const RINGS: usize = 60;

    /// Brownian motion along z with the diffusion coefficient of each atom, and ten times as fast across; the atoms' places
    /// stay at their radii.
    fn outcome(radii: &[f64], diffusion: &[f64], layers: serde_json::Value, drift: f64) -> Outcome {
        let topology = Arc::new(topology(radii.len(), RINGS));
        let mut config = json!({"group": "X"});
        config.as_object_mut().unwrap().extend(layers.as_object().unwrap().clone());
        let config: AxialMsdConfig = serde_json::from_value(config).unwrap();
        let mut analysis = config.build(&topology, &Context { temperature: None, seed: 7 }).unwrap();
        let noise = Noise::new(9, 77);
        let ring = |k: usize, r: f64, n: usize| {
            let angle = TAU * k as f64 / n as f64;
            Vec3::new(4.0 + r * cos(angle), 4.0 + r * sin(angle), 0.1)
        };
        let wall = (0..RINGS).map(|k| ring(k, 2.0, RINGS));
        let inside = radii.iter().enumerate().map(|(k, r)| ring(k, *r, radii.len()));
        let cell = Cell::orthorhombic(8.0, 8.0, 0.2).unwrap();
        let mut system = System::new(topology.clone(), cell, wall.chain(inside).collect());
        for k in 0..1000u64 {
            // What moves all of it does not count.
            system.displacements[..RINGS].fill(Vec3::new(0.0, 0.0, drift * k as f64));
            for (i, d) in diffusion.iter().enumerate() {
                let step = noise.normal3(i as u32, k, 0) * (2.0 * d * 0.5).sqrt();
                system.displacements[RINGS + i] +=
                    Vec3::new(10.0 * step.x, 10.0 * step.y, step.z + if k > 0 { drift } else { 0.0 });
            }
            (system.step, system.time) = (k, 0.5 * k as f64);
            analysis.observe(&system.frame()).unwrap();
        }
        analysis.finish().unwrap()
    }

    fn diffusion(out: &Outcome, name: &str) -> f64 {
        out.quantities
            .iter()
            .find(|q| q.name == name)
            .and_then(|q| q.value)
            .unwrap_or_else(|| panic!("{name}: {out:?}"))
    }

    #[test]
    fn a_random_walk_along_the_axis_gives_its_d_whatever_happens_across() {
        let out = outcome(&[0.5; 400], &[0.02; 400], json!({}), 0.3);
        assert_eq!(out.name, "axial-msd");
        // nm²/ps in cm²/s.
        let d = diffusion(&out, "X, axial: D");
        assert!((d / 2e-4 - 1.0).abs() < 0.1, "{d}");
        let curve = &out.curves[0];
        assert_eq!(curve.symbol, "⟨Δz²⟩(t)");
        // 2 D t at the first lag, 0.5 ps, from 400 000 steps: 0.5 % is three standard deviations.
        assert!((curve.series[0].values[0] / 0.02 - 1.0).abs() < 0.01, "{}", curve.series[0].values[0]);
        assert!(!out.quantities.iter().any(|q| q.name.contains("in-plane")));
    }

    /// Atoms at 0.4 nm from the wall walk slowly, those at 1.5 nm fast: each layer has its own D.
    #[test]
    fn layers_by_distance_to_the_wall_have_their_own_d() {
        let radii: Vec<f64> = (0..400).map(|k| if k % 2 == 0 { 1.6 } else { 0.5 }).collect();
        let own: Vec<f64> = (0..400).map(|k| if k % 2 == 0 { 0.004 } else { 0.03 }).collect();
        let layers = json!({"layers": "surface-distance", "layer_edges": ["0.6 nm", "1.2 nm"]});
        let out = outcome(&radii, &own, layers, 0.0);
        let near = diffusion(&out, "X, axial, 0–0.6 nm: D");
        let far = diffusion(&out, "X, axial, > 1.2 nm: D");
        assert!((near / 4e-5 - 1.0).abs() < 0.12 && (far / 3e-4 - 1.0).abs() < 0.12, "{near} {far}");
        assert!(out.notes.iter().any(|n| n.contains("0.6–1.2 nm: nothing stayed")), "{:?}", out.notes);
    }
}

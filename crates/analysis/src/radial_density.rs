//! Density profiles about the axis of a pore.

use std::f64::consts::{PI, TAU};

use amelo_core::{Cell, Frame, Topology, quantity::Length};
use amelo_math::Vec3;
use amelo_math::special::{atan2, cos, sin};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::profile::{Profile, Shown};
use crate::selection::OXIDE;
use crate::{Analysis, AnalysisError, AnalysisInfo, Axis, Context, Level, Outcome, Quantity};

const NAME: &str = "radial-density";

/// Size of the oxide's first Fourier coefficient across z, over its mass, below which it shows no pore.
const FAINTEST_PORE: f64 = 0.01;

/// Density profiles about the axis of a pore along z.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RadialDensityConfig {
    /// Groups of atoms; by default every kind of molecule.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Width of a ring. Default 0.05 nm.
    #[serde(default = "default_bin")]
    pub bin: Length,
    /// Outer radius of the last ring, at most half the least width of the cell across z, which is the default.
    pub r_max: Option<Length>,
    /// Blocks of time for the intervals. Default 5; fewer than 4 give no interval.
    #[serde(default = "default_blocks")]
    pub blocks: usize,
}

fn default_bin() -> Length {
    Length(0.05)
}

fn default_blocks() -> usize {
    5
}

impl RadialDensityConfig {
    /// What the analysis is.
    pub(crate) const INFO: AnalysisInfo = AnalysisInfo {
        name: NAME,
        summary: "number, mass and charge density about the axis of a pore along z, each ring over its own area",
        formula: "ρ(r_k) = ⟨Σ_i w_i [r_k − Δ/2 ≤ r_i < r_k + Δ/2]⟩ / (2π r_k Δ L_z), w = 1, mass or charge; r_i the distance \
                  from the axis, 2π r_k Δ the ring's area exactly\n\
                  the axis: opposite in phase to the oxide's first Fourier coefficients across z, Σ_j m_j exp(2πi s_j) with \
                  fractional coordinates s, since what is missing of a uniform oxide is the pore; without oxide the \
                  middle of the cell",
        units: "r in nm; number density nm⁻³, mass density g/cm³, charge density e/nm³ (charges as in the forces)",
        assumptions: &[
            "one pore along z in an oxide that is uniform apart from it; z is perpendicular to the cell's other edges",
            "rings are circles about one straight axis: a rough wall is smeared over them (layers of `axial-msd` follow the \
             local wall instead)",
            "atoms beyond the last ring are not counted; their number is in the results",
        ],
        citation: "the circular mean across a periodic boundary: L. Bai, D. Breen, J. Graphics Tools 13, 53 (2008), \
                   doi:10.1080/2151237X.2008.10129266",
    };

    /// The analysis for a system.
    pub(crate) fn build(&self, topology: &Topology, _: &Context) -> Result<Box<dyn Analysis>, AnalysisError> {
        let setting = |key, value: String, remedy: &str| {
            Err(AnalysisError::Setting { analysis: NAME, key, value, remedy: remedy.into() })
        };
        if !(self.bin.0 >= 1e-3 && self.bin.0 <= 10.0) {
            return setting("bin", self.bin.to_string(), "a length from 0.001 to 10 nm, for example \"0.05 nm\"");
        }
        if let Some(r_max) = self.r_max.filter(|r| r.0.is_nan() || r.0 < self.bin.0) {
            return setting("r_max", r_max.to_string(), "at least one `bin`; leave it out for half the cell's width");
        }
        if self.blocks == 0 {
            return setting("blocks", "0".into(), "at least 1; fewer than 4 give no interval");
        }
        let profile = Profile::new(topology, NAME, &self.groups, 1)?;
        let oxide = topology.groups.get(OXIDE).cloned().unwrap_or_default();
        Ok(Box::new(RadialDensity { config: self.clone(), profile, oxide, n_rings: 0 }))
    }
}

struct RadialDensity {
    config: RadialDensityConfig,
    /// Before the rings: size of the oxide's Fourier coefficient.
    profile: Profile,
    oxide: Vec<u32>,
    n_rings: usize,
}

/// Fractional x and y of the pore's axis, and how clearly the oxide shows it: the smaller of its two coefficients.
fn axis(frame: &Frame, oxide: &[u32]) -> ([f64; 2], f64) {
    if oxide.is_empty() {
        return ([0.5, 0.5], 1.0);
    }
    let (mut sums, mut total) = ([[0.0; 2]; 2], 0.0);
    for &i in oxide {
        let s = frame.cell.to_fractional(frame.positions[i as usize]);
        let mass = frame.topology.masses[i as usize];
        total += mass;
        for (sum, s) in sums.iter_mut().zip([s.x, s.y]) {
            sum[0] += mass * cos(TAU * s);
            sum[1] += mass * sin(TAU * s);
        }
    }
    let size = |[c, s]: [f64; 2]| (c * c + s * s).sqrt() / total;
    (sums.map(|[c, s]| atan2(-s, -c) / TAU), size(sums[0]).min(size(sums[1])))
}

/// Distance (nm) of `r` from the axis at `centre` (nm), through the nearest image.
fn distance(cell: &Cell, r: Vec3, centre: Vec3) -> f64 {
    let d = cell.minimum_image(Vec3::new(r.x - centre.x, r.y - centre.y, 0.0));
    (d.x * d.x + d.y * d.y).sqrt()
}

impl Analysis for RadialDensity {
    fn name(&self) -> &'static str {
        NAME
    }

    fn new_run(&mut self) {}

    fn observe(&mut self, frame: &Frame) -> Result<(), AnalysisError> {
        let bin = self.config.bin.0;
        if self.n_rings == 0 {
            let widths = frame.cell.widths();
            let half = 0.5 * widths.x.min(widths.y);
            let r_max = self.config.r_max.map_or(half, |r| r.0.min(half));
            self.n_rings = ((r_max / bin + 1e-9) as usize).max(1);
        }
        let (s, clear) = axis(frame, &self.oxide);
        let centre = frame.cell.to_cartesian(Vec3::new(s[0], s[1], 0.0));
        let length = frame.cell.diagonal().z;
        let volumes: Vec<f64> = (0..self.n_rings).map(|k| PI * bin * bin * (2 * k + 1) as f64 * length).collect();
        let ring_of = |i: u32| {
            let ring = (distance(frame.cell, frame.positions[i as usize], centre) / bin) as usize;
            (ring < volumes.len()).then_some(ring)
        };
        self.profile.observe(frame, &[clear], &volumes, ring_of)
    }

    fn finish(&mut self) -> Result<Outcome, AnalysisError> {
        let means = self.profile.means(self.config.blocks)?;
        let bin = self.config.bin.0;
        let values = (0..self.n_rings).map(|k| (k as f64 + 0.5) * bin).collect();
        let axis = Axis { name: "distance from the axis".into(), unit: "nm".into(), values };
        let curves = self.profile.curves(
            &means,
            &axis,
            &[
                Shown(2, "radial mass density profile", "ρ(r)", "g/cm^3"),
                Shown(1, "radial number density profile", "n(r)", "nm^-3"),
                Shown(3, "radial charge density profile", "ρ_q(r)", "e/nm^3"),
            ],
        );
        let mut out = Outcome { name: NAME.into(), quantities: vec![], curves, notes: vec![] };
        for (g, (name, atoms)) in self.profile.groups.iter().enumerate() {
            out.quantities.push(Quantity {
                name: format!("{name}: atoms in the rings"),
                value: Some(self.profile.counted(&means, g)),
                ci95: None,
                unit: "1".into(),
                definition: "sum of the counts over all rings, mean over frames; the rest stands beyond the last ring"
                    .into(),
                window: None,
                n_independent: 0,
                level: Level::A,
                settings: json!({ "atoms": atoms.len(), "rings": self.n_rings, "frames": means.n_frames, "bin_nm": bin }),
                no_interval: Some("a count, exact".into()),
                also: vec![],
            });
        }
        if !self.oxide.is_empty() && means.head[0] < FAINTEST_PORE {
            out.notes.push(
                "the oxide shows no pore along z: its density has no wave across the cell, and the axis means nothing"
                    .into(),
            );
        }
        if let Err(reason) = means.half_widths {
            out.notes.push(reason);
        }
        out.notes.push(format!("{} frames, {} rings of {bin} nm", means.n_frames, self.n_rings));
        Ok(out)
    }
}

#[cfg(test)]
mod tests;

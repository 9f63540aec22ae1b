//! Density profiles across the cell, relative to the oxide slab.

use amelo_core::{Frame, Topology, quantity::Length};
use amelo_math::special::{atan2, cos, sin};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::profile::{Profile, Shown};
use crate::selection::OXIDE;
use crate::{Analysis, AnalysisError, AnalysisInfo, Axis, Context, Level, Outcome, Quantity};

const NAME: &str = "density";

/// Density profiles along z.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DensityConfig {
    /// Groups of atoms; by default every kind of molecule.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Width of a bin. Default 0.05 nm; adjusted so that a whole number of bins fills the cell.
    #[serde(default = "default_bin")]
    pub bin: Length,
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

impl Default for DensityConfig {
    fn default() -> Self {
        DensityConfig { groups: vec![], bin: default_bin(), blocks: default_blocks() }
    }
}

impl DensityConfig {
    /// What the analysis is.
    pub(crate) const INFO: AnalysisInfo = AnalysisInfo {
        name: NAME,
        summary: "number, mass and charge density along z, relative to the oxide slab; every atom is counted once",
        formula: "ρ(z) = ⟨Σ_i w_i [z_i − z_oxide in bin] / V_bin⟩, w = 1, mass or charge; bins parallel to the \
                  lateral plane of the cell; z_oxide the slab's centre of mass across the periodic boundary",
        units: "z in nm; number density nm⁻³, mass density g/cm³, charge density e/nm³ (charges as in the forces)",
        assumptions: &[
            "the slab's normal is z; without oxide z counts from the middle of the cell",
            "under a barostat bins are parts of the cell, drawn at its mean length",
            "the sum over the bins is the number of atoms exactly, checked in integers at every frame",
        ],
        citation: "the circular mean of a slab across a periodic boundary: L. Bai, D. Breen, J. Graphics Tools 13, 53 \
                   (2008), doi:10.1080/2151237X.2008.10129266",
    };

    /// The analysis for a system.
    pub(crate) fn build(&self, topology: &Topology, _: &Context) -> Result<Box<dyn Analysis>, AnalysisError> {
        let setting = |key, value: String, remedy: &str| {
            Err(AnalysisError::Setting { analysis: NAME, key, value, remedy: remedy.into() })
        };
        if !(self.bin.0 >= 1e-4 && self.bin.0 <= 10.0) {
            return setting("bin", self.bin.to_string(), "a length from 0.0001 to 10 nm, for example \"0.05 nm\"");
        }
        if self.blocks == 0 {
            return setting("blocks", "0".into(), "at least 1; fewer than 4 give no interval");
        }
        let profile = Profile::new(topology, NAME, &self.groups, 2)?;
        let oxide = topology.groups.get(OXIDE).cloned().unwrap_or_default();
        Ok(Box::new(Density { config: self.clone(), profile, oxide, n_bins: 0 }))
    }
}

struct Density {
    config: DensityConfig,
    /// Before the bins: height of the cell, half-thickness of the oxide.
    profile: Profile,
    oxide: Vec<u32>,
    n_bins: usize,
}

impl Density {
    /// Middle of the slab as a part of the cell's height: the mean angle of its atoms on a circle.
    fn centre(&self, frame: &Frame) -> f64 {
        if self.oxide.is_empty() {
            return 0.5;
        }
        let turn = 2.0 * std::f64::consts::PI;
        let (mut x, mut y) = (0.0, 0.0);
        for &i in &self.oxide {
            let angle = turn * height(frame, i);
            let mass = frame.topology.masses[i as usize];
            x += mass * cos(angle);
            y += mass * sin(angle);
        }
        // The mean angle is close; the mean about it is the centre of mass.
        let near = atan2(y, x) / turn;
        let (mut sum, mut total) = (0.0, 0.0);
        for &i in &self.oxide {
            let d = height(frame, i) - near;
            let mass = frame.topology.masses[i as usize];
            sum += mass * (d - d.round_ties_even());
            total += mass;
        }
        near + sum / total
    }
}

/// z of an atom as a part of the cell's height.
fn height(frame: &Frame, atom: u32) -> f64 {
    frame.positions[atom as usize].z / frame.cell.diagonal().z
}

impl Analysis for Density {
    fn name(&self) -> &'static str {
        NAME
    }

    fn new_run(&mut self) {}

    fn observe(&mut self, frame: &Frame) -> Result<(), AnalysisError> {
        let cell_height = frame.cell.diagonal().z;
        if self.n_bins == 0 {
            self.n_bins = ((cell_height / self.config.bin.0).round() as usize).max(1);
        }
        let n_bins = self.n_bins;
        let centre = self.centre(frame);
        let bin_volume = frame.cell.volume() / n_bins as f64;
        let mut half_thickness: f64 = 0.0;
        for &i in &self.oxide {
            let d = height(frame, i) - centre;
            half_thickness = half_thickness.max((d - d.round_ties_even()).abs() * cell_height);
        }
        // Every real number lands in exactly one bin: nothing can be lost at an edge.
        let bin_of = |i: u32| {
            let s = height(frame, i) - centre + 0.5;
            Some((((s - s.floor()) * n_bins as f64) as usize).min(n_bins - 1))
        };
        self.profile.observe(frame, &[cell_height, half_thickness], &vec![bin_volume; n_bins], bin_of)
    }

    fn finish(&mut self) -> Result<Outcome, AnalysisError> {
        let means = self.profile.means(self.config.blocks)?;
        let (n_frames, cell_height, half_thickness) = (means.n_frames, means.head[0], means.head[1]);
        let width = cell_height / self.n_bins as f64;
        let origin =
            if self.oxide.is_empty() { "z from the middle of the cell" } else { "z from the centre of the oxide" };
        let z = |k: usize| ((k as f64 + 0.5) / self.n_bins as f64 - 0.5) * cell_height;
        let axis = Axis { name: origin.into(), unit: "nm".into(), values: (0..self.n_bins).map(z).collect() };
        let curves = self.profile.curves(
            &means,
            &axis,
            &[
                Shown(2, "mass density profile", "ρ(z)", "g/cm^3"),
                Shown(1, "number density profile", "n(z)", "nm^-3"),
                Shown(3, "charge density profile", "ρ_q(z)", "e/nm^3"),
            ],
        );
        let mut out = Outcome { name: NAME.into(), quantities: vec![], curves, notes: vec![] };
        for (g, (name, atoms)) in self.profile.groups.iter().enumerate() {
            out.quantities.push(Quantity {
                name: format!("{name}: atoms in the profile"),
                value: Some(self.profile.counted(&means, g)),
                ci95: None,
                unit: "1".into(),
                definition: "sum of the counts over all bins, mean over frames; the number of atoms if none is lost"
                    .into(),
                window: None,
                n_independent: 0,
                level: Level::A,
                settings: json!({ "atoms": atoms.len(), "bins": self.n_bins, "frames": n_frames, "bin_nm": width }),
                no_interval: Some("a count, exact".into()),
                also: vec![],
            });
        }
        if !self.oxide.is_empty() {
            out.notes.push(format!("the oxide's outermost atoms lie at |z| = {half_thickness:.3} nm (mean)"));
        }
        if let Err(reason) = means.half_widths {
            out.notes.push(reason);
        }
        out.notes.push(format!("{n_frames} frames, {} bins over {cell_height:.3} nm", self.n_bins));
        Ok(out)
    }
}

#[cfg(test)]
mod tests;

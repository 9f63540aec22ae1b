//! Density profiles across the cell, relative to the oxide slab.

use amelo_core::{Frame, Topology, quantity::Length, units::GRAM_PER_CM3};
use amelo_math::special::{atan2, cos, sin};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::selection::{self, OXIDE};
use crate::statistics::{Stretches, block_half_widths};
use crate::{Analysis, AnalysisError, AnalysisInfo, Axis, Context, Curve, Level, LogScale, Outcome, Quantity, Series};

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
        let mut groups: Vec<(String, Vec<u32>)> = vec![];
        for name in &self.groups {
            groups.push((name.clone(), selection::group(topology, NAME, "groups", name)?));
        }
        if groups.is_empty() {
            for m in &topology.molecules {
                let atoms = m.first as u32..(m.first + m.count) as u32;
                match groups.iter_mut().find(|(kind, _)| *kind == m.kind) {
                    Some((_, all)) => all.extend(atoms),
                    None => groups.push((m.kind.clone(), atoms.collect())),
                }
            }
        }
        let oxide = topology.groups.get(OXIDE).cloned().unwrap_or_default();
        Ok(Box::new(Density { config: self.clone(), groups, oxide, n_bins: 0, sums: Stretches::default() }))
    }
}

/// What is summed: the observables of one group in one bin.
const OBSERVABLES: usize = 4; // count, count/V, mass/V, charge/V

struct Density {
    config: DensityConfig,
    groups: Vec<(String, Vec<u32>)>,
    oxide: Vec<u32>,
    n_bins: usize,
    /// Per frame: height of the cell, half-thickness of the oxide, then group by group, observable by observable,
    /// every bin.
    sums: Stretches,
}

impl Density {
    fn at(&self, group: usize, observable: usize) -> std::ops::Range<usize> {
        let start = 2 + (group * OBSERVABLES + observable) * self.n_bins;
        start..start + self.n_bins
    }

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
        let mut row = vec![0.0; 2 + self.groups.len() * OBSERVABLES * n_bins];
        (row[0], row[1]) = (cell_height, half_thickness);
        for (g, (_, atoms)) in self.groups.iter().enumerate() {
            let [count, number, mass, charge] = [0, 1, 2, 3].map(|o| self.at(g, o).start);
            for &i in atoms {
                let atom = i as usize;
                if !frame.positions[atom].is_finite() {
                    return Err(AnalysisError::NotFinite { analysis: NAME, atom, step: frame.step });
                }
                // Every real number lands in exactly one bin: nothing can be lost at an edge.
                let s = height(frame, i) - centre + 0.5;
                let bin = (((s - s.floor()) * n_bins as f64) as usize).min(n_bins - 1);
                row[count + bin] += 1.0;
                row[number + bin] += 1.0 / bin_volume;
                row[mass + bin] += frame.topology.masses[atom] / bin_volume / GRAM_PER_CM3;
                row[charge + bin] += frame.topology.charges[atom] / bin_volume;
            }
        }
        self.sums.push(row);
        Ok(())
    }

    fn finish(&mut self) -> Result<Outcome, AnalysisError> {
        let n_frames = self.sums.n_frames();
        if n_frames == 0 {
            return Err(AnalysisError::TooFewFrames { analysis: NAME, found: 0, needed: 1 });
        }
        let total = self.sums.total();
        let mean: Vec<f64> = total.iter().map(|v| v / n_frames as f64).collect();
        let (cell_height, half_thickness) = (mean[0], mean[1]);
        let half_widths = block_half_widths(&self.sums.blocks(self.config.blocks));
        let z = |k: usize| ((k as f64 + 0.5) / self.n_bins as f64 - 0.5) * cell_height;
        let mut out = Outcome { name: NAME.into(), quantities: vec![], curves: vec![], notes: vec![] };
        let origin =
            if self.oxide.is_empty() { "z from the middle of the cell" } else { "z from the centre of the oxide" };
        for (o, name, symbol, unit) in [
            (2, "mass density profile", "ρ(z)", "g/cm^3"),
            (1, "number density profile", "n(z)", "nm^-3"),
            (3, "charge density profile", "ρ_q(z)", "e/nm^3"),
        ] {
            let series = |g: usize| Series {
                name: self.groups[g].0.clone(),
                unit: unit.into(),
                values: mean[self.at(g, o)].to_vec(),
                error: half_widths.as_ref().ok().map(|h| h[self.at(g, o)].to_vec()),
            };
            out.curves.push(Curve {
                name: name.into(),
                symbol: symbol.into(),
                x: Axis { name: origin.into(), unit: "nm".into(), values: (0..self.n_bins).map(z).collect() },
                series: (0..self.groups.len()).map(series).collect(),
                log: LogScale::default(),
            });
        }
        for (g, (name, atoms)) in self.groups.iter().enumerate() {
            let counted: f64 = total[self.at(g, 0)].iter().sum::<f64>() / n_frames as f64;
            out.quantities.push(Quantity {
                name: format!("{name}: atoms in the profile"),
                value: Some(counted),
                ci95: None,
                unit: "1".into(),
                definition: "sum of the counts over all bins, mean over frames; the number of atoms if none is lost"
                    .into(),
                window: None,
                n_independent: 0,
                level: Level::A,
                settings: json!({ "atoms": atoms.len(), "bins": self.n_bins, "frames": n_frames,
                                  "bin_nm": cell_height / self.n_bins as f64 }),
                no_interval: Some("a count, exact".into()),
                also: vec![],
            });
        }
        if !self.oxide.is_empty() {
            out.notes.push(format!("the oxide's outermost atoms lie at |z| = {half_thickness:.3} nm (mean)"));
        }
        if let Err(reason) = half_widths {
            out.notes.push(reason);
        }
        out.notes.push(format!("{n_frames} frames, {} bins over {cell_height:.3} nm", self.n_bins));
        Ok(out)
    }
}

#[cfg(test)]
mod tests;

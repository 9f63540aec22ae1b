//! Radial distribution function g(r) and running coordination number n(r), between groups, in any cell.

use amelo_core::{Frame, Topology, quantity::Length};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::grid::Grid;
use crate::selection;
use crate::statistics::{Estimate, Stretches, block_half_widths, series_mean};
use crate::{
    Analysis, AnalysisError, AnalysisInfo, Axis, Context, Curve, Level, LogScale, Outcome, Quantity, Series, Window,
};

const NAME: &str = "rdf";

/// Which pairs are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PairExclusion {
    /// None: every pair of different atoms counts.
    #[default]
    None,
    /// Pairs without nonbonded interaction (1-2, 1-3, 1-4).
    Bonded,
    /// Pairs within one molecule.
    SameMolecule,
}

/// Radial distribution function and running coordination number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RdfConfig {
    /// Pairs of groups, for example `[["Li", "PEO ether O"], ["Li", "TFSI O"]]`: the second around the first.
    pub pairs: Vec<[String; 2]>,
    /// Largest distance. Default 1 nm. It may exceed half the cell: images are counted.
    #[serde(default = "default_r_max")]
    pub r_max: Length,
    /// Width of a bin. Default 0.005 nm.
    #[serde(default = "default_bin")]
    pub bin: Length,
    /// Radius of the first shell for the coordination number; by default the first minimum of g(r).
    #[serde(default)]
    pub cutoff: Option<Length>,
    /// Pairs to leave out: `none`, `bonded` or `same-molecule`.
    #[serde(default)]
    pub exclude: PairExclusion,
    /// Blocks of time for the intervals. Default 5; fewer than 4 give no interval.
    #[serde(default = "default_blocks")]
    pub blocks: usize,
}

fn default_r_max() -> Length {
    Length(1.0)
}

fn default_bin() -> Length {
    Length(0.005)
}

fn default_blocks() -> usize {
    5
}

impl RdfConfig {
    /// What the analysis is.
    pub(crate) const INFO: AnalysisInfo = AnalysisInfo {
        name: NAME,
        summary: "radial distribution function g(r) and running coordination number n(r) between groups of atoms",
        formula: "g_ab(r) = ⟨V n_ab(r)⟩ / (N_pairs V_shell(r)), n_ab(r) the pairs with a distance in the shell, \
                  V_shell = (4π/3)(r₂³ − r₁³), N_pairs the ordered pairs that are not left out\n\
                  n(r) = ⟨number of b within r of an a⟩; coordination number = n at the first minimum of g, or at `cutoff`",
        units: "r in nm; g and n plain numbers",
        assumptions: &[
            "g tends to 1 in a homogeneous box; in a slab cell it is relative to the cell's mean density and does not",
            "distances beyond half the cell see the periodic images and their correlations",
            "the coordination number depends on its radius, which is stated with it",
        ],
        citation: "M. P. Allen, D. J. Tildesley, Computer Simulation of Liquids, 2nd ed. (2017), section 2.6, \
                   doi:10.1093/oso/9780198803195.001.0001",
    };

    /// The analysis for a system.
    pub(crate) fn build(&self, topology: &Topology, _: &Context) -> Result<Box<dyn Analysis>, AnalysisError> {
        let setting = |key, value: String, remedy: &str| {
            Err(AnalysisError::Setting { analysis: NAME, key, value, remedy: remedy.into() })
        };
        let (r_max, bin) = (self.r_max.0, self.bin.0);
        if !(r_max > 0.0 && r_max <= 10.0) {
            return setting("r_max", self.r_max.to_string(), "a distance above 0 and up to 10 nm");
        }
        if !(bin > 0.0 && bin <= 0.2 * r_max && r_max / bin <= 1e5) {
            return setting("bin", self.bin.to_string(), "above 0 and at most a fifth of r_max");
        }
        if self.cutoff.is_some_and(|c| c.0 <= 0.0 || c.0 > r_max) {
            return setting("cutoff", format!("{:?}", self.cutoff), "above 0 and at most r_max");
        }
        if self.pairs.is_empty() {
            return setting(
                "pairs",
                "[]".into(),
                "at least one pair of groups, for example [[\"Li\", \"PEO ether O\"]]",
            );
        }
        if self.blocks == 0 {
            return setting("blocks", "0".into(), "at least 1; fewer than 4 give no interval");
        }
        let owner = topology.molecule_of();
        let mut pairs = vec![];
        for [a, b] in &self.pairs {
            let atoms = [selection::group(topology, NAME, "pairs", a)?, selection::group(topology, NAME, "pairs", b)?];
            let mut n_pairs = atoms[0].len() as u64 * atoms[1].len() as u64;
            n_pairs -= count_left_out(topology, &owner, &atoms, self.exclude);
            if n_pairs == 0 {
                return setting("pairs", format!("[\"{a}\", \"{b}\"]"), "no pair is left of these groups");
            }
            pairs.push(Pair { label: format!("{a} – {b}"), names: [a.clone(), b.clone()], atoms, n_pairs });
        }
        let n_bins = (r_max / bin).round() as usize;
        Ok(Box::new(Rdf {
            config: self.clone(),
            n_bins,
            bin: r_max / n_bins as f64,
            pairs,
            owner,
            sums: Stretches::default(),
        }))
    }
}

/// Ordered pairs (i of a, j of b) that are the same atom or left out.
fn count_left_out(topology: &Topology, owner: &[u32], [a, b]: &[Vec<u32>; 2], exclude: PairExclusion) -> u64 {
    let among = |i: u32| u64::from(b.binary_search(&i).is_ok());
    match exclude {
        PairExclusion::None => a.iter().map(|&i| among(i)).sum(),
        PairExclusion::Bonded => a
            .iter()
            .map(|&i| among(i) + topology.exclusions.of(i as usize).iter().map(|&j| among(j)).sum::<u64>())
            .sum(),
        PairExclusion::SameMolecule => {
            let mut of_molecule = vec![0u64; topology.molecules.len().max(1)];
            b.iter().for_each(|&j| of_molecule[owner[j as usize] as usize] += 1);
            a.iter().map(|&i| of_molecule[owner[i as usize] as usize]).sum()
        }
    }
}

struct Pair {
    label: String,
    names: [String; 2],
    atoms: [Vec<u32>; 2],
    n_pairs: u64,
}

struct Rdf {
    config: RdfConfig,
    n_bins: usize,
    bin: f64,
    pairs: Vec<Pair>,
    owner: Vec<u32>,
    /// Per frame, pair by pair: counts in every bin, then counts times the volume.
    sums: Stretches,
}

impl Rdf {
    fn histogram(&self, frame: &Frame, pair: &Pair) -> Vec<u64> {
        let r_max = self.bin * self.n_bins as f64;
        let position = |&i: &u32| frame.positions[i as usize];
        let grid = Grid::new(frame.cell, pair.atoms[1].iter().map(|i| (position(i), *i)), r_max);
        let left_out = |i: u32, j: u32, r2: f64| match self.config.exclude {
            // An atom's own image is a neighbour like any other; the atom itself is not.
            _ if i == j && r2 == 0.0 => true,
            PairExclusion::None => false,
            PairExclusion::Bonded => frame.topology.exclusions.contains(i as usize, j as usize),
            PairExclusion::SameMolecule => self.owner[i as usize] == self.owner[j as usize],
        };
        let partial: Vec<Vec<u64>> = pair.atoms[0]
            .par_chunks(64)
            .map(|chunk| {
                let mut counts = vec![0u64; self.n_bins];
                for i in chunk {
                    grid.around(position(i), |j, r2| {
                        if !left_out(*i, j, r2) {
                            let bin = (r2.sqrt() / self.bin) as usize;
                            counts[bin.min(self.n_bins - 1)] += 1;
                        }
                    });
                }
                counts
            })
            .collect();
        let mut counts = vec![0u64; self.n_bins];
        for p in partial {
            counts.iter_mut().zip(p).for_each(|(c, p)| *c += p);
        }
        counts
    }

    /// g(r) of one pair from means per frame.
    fn g(&self, pair: usize, means: &[f64]) -> Vec<f64> {
        let scaled = &means[(2 * pair + 1) * self.n_bins..(2 * pair + 2) * self.n_bins];
        let cube = |k: usize| (k as f64 * self.bin) * (k as f64 * self.bin) * (k as f64 * self.bin);
        let shell = |k: usize| 4.0 / 3.0 * std::f64::consts::PI * (cube(k + 1) - cube(k));
        scaled.iter().enumerate().map(|(k, c)| c / (self.pairs[pair].n_pairs as f64 * shell(k))).collect()
    }

    /// n(r) of one pair at the upper edges of the bins, from means per frame.
    fn coordination(&self, pair: usize, means: &[f64]) -> Vec<f64> {
        let counts = &means[2 * pair * self.n_bins..(2 * pair + 1) * self.n_bins];
        let centres = self.pairs[pair].atoms[0].len() as f64;
        counts
            .iter()
            .scan(0.0, |sum, c| {
                *sum += c;
                Some(*sum / centres)
            })
            .collect()
    }
}

impl Analysis for Rdf {
    fn name(&self) -> &'static str {
        NAME
    }

    fn new_run(&mut self) {}

    fn observe(&mut self, frame: &Frame) -> Result<(), AnalysisError> {
        let selected = self.pairs.iter().flat_map(|p| p.atoms.iter().flatten());
        for &atom in selected {
            if !frame.positions[atom as usize].is_finite() {
                return Err(AnalysisError::NotFinite { analysis: NAME, atom: atom as usize, step: frame.step });
            }
        }
        let volume = frame.cell.volume();
        let mut row = Vec::with_capacity(2 * self.n_bins * self.pairs.len());
        for pair in &self.pairs {
            let counts = self.histogram(frame, pair);
            row.extend(counts.iter().map(|&c| c as f64));
            row.extend(counts.iter().map(|&c| c as f64 * volume));
        }
        self.sums.push(row);
        Ok(())
    }

    fn finish(&mut self) -> Result<Outcome, AnalysisError> {
        let n_frames = self.sums.n_frames();
        if n_frames == 0 {
            return Err(AnalysisError::TooFewFrames { analysis: NAME, found: 0, needed: 1 });
        }
        let means: Vec<f64> = self.sums.total().iter().map(|v| v / n_frames as f64).collect();
        let blocks = self.sums.blocks(self.config.blocks);
        let axis = |offset: f64| Axis {
            name: "distance".into(),
            unit: "nm".into(),
            values: (0..self.n_bins).map(|k| (k as f64 + offset) * self.bin).collect(),
        };
        let curve = |name: &str, symbol: &str, offset| Curve {
            name: name.into(),
            symbol: symbol.into(),
            x: axis(offset),
            series: vec![],
            log: LogScale::default(),
        };
        let mut out = Outcome { name: NAME.into(), quantities: vec![], curves: vec![], notes: vec![] };
        let mut g_curve = curve("radial distribution function", "g(r)", 0.5);
        let mut n_curve = curve("running coordination number", "n(r)", 1.0);
        for (p, pair) in self.pairs.iter().enumerate() {
            let of_blocks =
                |f: &dyn Fn(&[f64]) -> Vec<f64>| block_half_widths(&blocks.iter().map(|b| f(b)).collect::<Vec<_>>());
            let (g, n) = (self.g(p, &means), self.coordination(p, &means));
            let error_g = of_blocks(&|m| self.g(p, m));
            let error_n = of_blocks(&|m| self.coordination(p, m));
            if let Err(reason) = &error_g {
                out.notes.push(format!("{}: {reason}", pair.label));
            }
            let series = |values: &[f64], error: Result<Vec<f64>, String>| Series {
                name: pair.label.clone(),
                unit: "1".into(),
                values: values.to_vec(),
                error: error.ok(),
            };
            g_curve.series.push(series(&g, error_g));
            n_curve.series.push(series(&n, error_n));
            self.shell(p, &g, &n, n_frames, &mut out);
        }
        out.curves = vec![g_curve, n_curve];
        out.notes.push(format!("{n_frames} frames, bins of {:.4} nm", self.bin));
        Ok(out)
    }
}

impl Rdf {
    /// Position of the first shell and the coordination number in it.
    fn shell(&self, p: usize, g: &[f64], n: &[f64], n_frames: usize, out: &mut Outcome) {
        let pair = &self.pairs[p];
        let peak = first_peak(g, self.bin);
        let radius = match self.config.cutoff {
            Some(cutoff) => Some(((cutoff.0 / self.bin).round() as usize).clamp(1, self.n_bins)),
            None => peak.and_then(|peak| first_minimum(g, peak, self.bin)).map(|k| k + 1),
        };
        let radius_nm = radius.map(|k| k as f64 * self.bin);
        let settings = json!({
            "pair": pair.names, "exclude": self.config.exclude, "bin_nm": self.bin, "frames": n_frames,
            "radius_nm": radius_nm, "radius_is": if self.config.cutoff.is_some() { "set" } else { "first minimum of g(r)" },
        });
        let quantity = |name: &str, estimate: Estimate, unit: &str, definition: &str, window| Quantity {
            name: format!("{}: {name}", pair.label),
            value: estimate.value.is_finite().then_some(estimate.value),
            ci95: estimate.ci95(),
            unit: unit.into(),
            definition: definition.into(),
            window,
            n_independent: estimate.n_independent,
            level: Level::A,
            settings: settings.clone(),
            no_interval: estimate.no_interval(),
            also: vec![],
        };
        let position = Estimate {
            value: peak.map_or(f64::NAN, |k| (k as f64 + 0.5) * self.bin),
            half_width: Err("no interval: known to the width of a bin".into()),
            n_independent: 0,
        };
        out.quantities.push(quantity("first peak", position, "nm", "first maximum of g(r) above 1", None));
        let Some(k) = radius else {
            out.notes.push(format!("{}: g(r) has no first minimum below r_max; set `cutoff` for n(r)", pair.label));
            return;
        };
        let within: Vec<f64> = self.sums.means().iter().map(|m| self.coordination(p, m)[k - 1]).collect();
        let mut estimate = series_mean(&within, self.config.blocks);
        estimate.value = n[k - 1];
        let window = Window { of: "distance".into(), from: 0.0, to: k as f64 * self.bin, unit: "nm".into() };
        let text = "mean number of the second group's atoms within the radius of one of the first";
        out.quantities.push(quantity("coordination number", estimate, "1", text, Some(window)));
    }
}

/// g smoothed over five bins, so that a lone noisy bin makes neither a peak nor a minimum.
fn smooth(g: &[f64]) -> Vec<f64> {
    let n = g.len();
    (0..n).map(|k| crate::statistics::mean(&g[k.saturating_sub(2)..(k + 3).min(n)])).collect()
}

/// Bin of the first maximum above 1: no higher bin within 0.03 nm on either side.
fn first_peak(g: &[f64], bin: f64) -> Option<usize> {
    let s = smooth(g);
    let reach = (0.03 / bin).ceil() as usize;
    let is_peak =
        |k: usize| s[k] > 1.0 && (k.saturating_sub(reach)..(k + reach + 1).min(s.len())).all(|j| s[j] <= s[k]);
    let around = (0..s.len()).find(|&k| is_peak(k))?;
    (around.saturating_sub(2)..(around + 3).min(g.len())).max_by(|&a, &b| g[a].total_cmp(&g[b]))
}

/// First bin behind `peak` from which g does not fall further within 0.06 nm.
fn first_minimum(g: &[f64], peak: usize, bin: f64) -> Option<usize> {
    let s = smooth(g);
    let reach = (0.06 / bin).ceil() as usize;
    (peak + 1..s.len().saturating_sub(reach)).find(|&k| s[k] < s[peak] && (k..=k + reach).all(|j| s[j] >= s[k]))
}

#[cfg(test)]
mod tests;

//! Density profiles over bins of any shape: what is summed per frame, and the curves with their intervals.

use std::ops::Range;

use amelo_core::{Frame, Topology, units::GRAM_PER_CM3};

use crate::selection;
use crate::statistics::{Stretches, block_half_widths};
use crate::{AnalysisError, Axis, Curve, LogScale, Series};

/// What is summed: the observables of one group in one bin.
const OBSERVABLES: usize = 4; // count, count/V, mass/V, charge/V

/// One curve of a profile: observable, name, symbol, unit.
pub(crate) struct Shown(pub usize, pub &'static str, pub &'static str, pub &'static str);

/// Sums of the groups' densities.
pub(crate) struct Profile {
    analysis: &'static str,
    /// Name and atoms of each group.
    pub groups: Vec<(String, Vec<u32>)>,
    /// Numbers of a frame that stand before the bins.
    head: usize,
    n_bins: usize,
    sums: Stretches,
}

/// Means of a profile over all frames.
pub(crate) struct Means {
    pub n_frames: usize,
    /// The numbers before the bins.
    pub head: Vec<f64>,
    mean: Vec<f64>,
    total: Vec<f64>,
    pub half_widths: Result<Vec<f64>, String>,
}

impl Profile {
    /// Of the groups `names`, or of every kind of molecule.
    pub fn new(
        topology: &Topology,
        analysis: &'static str,
        names: &[String],
        head: usize,
    ) -> Result<Self, AnalysisError> {
        let mut groups: Vec<(String, Vec<u32>)> = vec![];
        for name in names {
            groups.push((name.clone(), selection::group(topology, analysis, "groups", name)?));
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
        Ok(Profile { analysis, groups, head, n_bins: 0, sums: Stretches::default() })
    }

    fn at(&self, group: usize, observable: usize) -> Range<usize> {
        let start = self.head + (group * OBSERVABLES + observable) * self.n_bins;
        start..start + self.n_bins
    }

    /// Takes in one frame: the numbers before the bins, the bins' volumes (nm³; as many at every frame), and the bin of an
    /// atom, where it has one.
    pub fn observe(
        &mut self,
        frame: &Frame,
        head: &[f64],
        volumes: &[f64],
        bin_of: impl Fn(u32) -> Option<usize>,
    ) -> Result<(), AnalysisError> {
        self.n_bins = volumes.len();
        let mut row = vec![0.0; self.head + self.groups.len() * OBSERVABLES * self.n_bins];
        row[..self.head].copy_from_slice(head);
        for (g, (_, atoms)) in self.groups.iter().enumerate() {
            let [count, number, mass, charge] = [0, 1, 2, 3].map(|o| self.at(g, o).start);
            for &i in atoms {
                let atom = i as usize;
                if !frame.positions[atom].is_finite() {
                    return Err(AnalysisError::NotFinite { analysis: self.analysis, atom, step: frame.step });
                }
                let Some(bin) = bin_of(i) else { continue };
                row[count + bin] += 1.0;
                row[number + bin] += 1.0 / volumes[bin];
                row[mass + bin] += frame.topology.masses[atom] / volumes[bin] / GRAM_PER_CM3;
                row[charge + bin] += frame.topology.charges[atom] / volumes[bin];
            }
        }
        self.sums.push(row);
        Ok(())
    }

    /// Means over all frames, with intervals from at most so many `blocks` of time.
    pub fn means(&self, blocks: usize) -> Result<Means, AnalysisError> {
        let n_frames = self.sums.n_frames();
        if n_frames == 0 {
            return Err(AnalysisError::TooFewFrames { analysis: self.analysis, found: 0, needed: 1 });
        }
        let total = self.sums.total();
        let mean: Vec<f64> = total.iter().map(|v| v / n_frames as f64).collect();
        let half_widths = block_half_widths(&self.sums.blocks(blocks));
        Ok(Means { n_frames, head: mean[..self.head].to_vec(), mean, total, half_widths })
    }

    /// Mean number of atoms of a group in all bins together.
    pub fn counted(&self, means: &Means, group: usize) -> f64 {
        // Whole numbers summed before the division: exact.
        means.total[self.at(group, 0)].iter().sum::<f64>() / means.n_frames as f64
    }

    /// The curves over the bins' middles.
    pub fn curves(&self, means: &Means, axis: &Axis, shown: &[Shown]) -> Vec<Curve> {
        let curve = |&Shown(o, name, symbol, unit): &Shown| Curve {
            name: name.into(),
            symbol: symbol.into(),
            x: axis.clone(),
            series: (0..self.groups.len())
                .map(|g| Series {
                    name: self.groups[g].0.clone(),
                    unit: unit.into(),
                    values: means.mean[self.at(g, o)].to_vec(),
                    error: means.half_widths.as_ref().ok().map(|h| h[self.at(g, o)].to_vec()),
                })
                .collect(),
            log: LogScale::default(),
        };
        shown.iter().map(curve).collect()
    }
}

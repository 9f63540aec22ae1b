//! Intervals of anything computed from ratios of sums over molecules and times: the hierarchical bootstrap.
//!
//! The data are *cells*: one stretch of time (block) of one bundle of molecules in one run. Levels above one
//! another are not resampled on top of each other, which would count the lower one's scatter twice (A. C. Davison,
//! D. V. Hinkley, Bootstrap Methods and their Application, 1997, section 3.8). Instead:
//! - four or more independent runs: whole runs are resampled; they contain every lower level;
//! - fewer: blocks of time are resampled, whole, with all molecules, so that what moves together counts once; and
//!   the lasting difference between molecules, which no block of the same run can show, is added as
//!   max(0, V_molecules − V_cells) (two-way clustering, A. C. Cameron, J. B. Gelbach, D. L. Miller, J. Bus. Econ.
//!   Stat. 29, 238 (2011), doi:10.1198/jbes.2010.07136).
//!
//! The half-width is Student's t times the bootstrap's standard error, corrected by n/(n − 1) for the narrowness of
//! a bootstrap of few units (T. C. Hesterberg, Am. Stat. 69, 371 (2015), doi:10.1080/00031305.2015.1089789).

use amelo_math::philox::Noise;
use rayon::prelude::*;

use crate::statistics::{MIN_BLOCKS, student_t95, too_few_blocks};

/// Purpose of the bootstrap's noise (see `amelo_math::philox::Noise`).
const PURPOSE: u32 = 20;

/// Draws per level: the standard error is then known to 3 %.
const RESAMPLES: u64 = 600;

/// Sums over one bundle of molecules in one block of one run.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Run, counted from 0.
    pub run: usize,
    /// Block of time, counted over all runs.
    pub block: usize,
    /// Bundle of molecules, counted over all runs.
    pub bundle: usize,
    /// \[n_values\] sums of the observable.
    pub sums: Vec<f64>,
    /// \[n_values\] weights of those sums.
    pub counts: Vec<f64>,
}

/// Half-widths of 95 % intervals.
#[derive(Clone, Debug)]
pub struct Intervals {
    /// One per element of the statistic; NaN where it could not be had.
    pub half_widths: Vec<f64>,
    /// Independent units behind them.
    pub n_independent: usize,
    /// What the units are: `runs` or `blocks`.
    pub units: &'static str,
}

#[derive(Clone, Copy)]
enum Level {
    Run,
    Block,
    Bundle,
    Cell,
}

/// Σ weight·sums / Σ weight·counts, per value.
pub fn ratio(cells: &[Cell], weight: impl Fn(usize, &Cell) -> f64) -> Vec<f64> {
    let n = cells.first().map_or(0, |c| c.sums.len());
    let (mut sums, mut counts) = (vec![0.0; n], vec![0.0; n]);
    for (k, cell) in cells.iter().enumerate() {
        let w = weight(k, cell);
        if w != 0.0 {
            for q in 0..n {
                sums[q] += w * cell.sums[q];
                counts[q] += w * cell.counts[q];
            }
        }
    }
    sums.iter().zip(&counts).map(|(s, c)| s / c).collect()
}

/// Half-widths of the 95 % intervals of `statistic`, a function of the ratios of sums.
pub fn intervals<F>(cells: &[Cell], seed: u64, statistic: F) -> Result<Intervals, String>
where
    F: Fn(&[f64]) -> Vec<f64> + Sync,
{
    let count = |of: fn(&Cell) -> usize| cells.iter().map(of).max().map_or(0, |m| m + 1);
    let (n_runs, n_blocks, n_bundles) = (count(|c| c.run), count(|c| c.block), count(|c| c.bundle));
    let draw = |level, n_units| variances(cells, level, n_units, seed, &statistic);
    if n_runs >= MIN_BLOCKS {
        let t = student_t95(n_runs - 1);
        let half_widths = draw(Level::Run, n_runs).into_iter().map(|v| t * v.sqrt()).collect();
        return Ok(Intervals { half_widths, n_independent: n_runs, units: "runs" });
    }
    // With several runs, each costs one degree of freedom of the blocks.
    let dof = n_blocks.saturating_sub(n_runs);
    if dof + 1 < MIN_BLOCKS {
        return Err(too_few_blocks(n_blocks));
    }
    let mut total = draw(Level::Block, n_blocks);
    if n_bundles >= MIN_BLOCKS {
        let molecules = draw(Level::Bundle, n_bundles);
        let single = draw(Level::Cell, cells.len());
        for (v, (m, s)) in total.iter_mut().zip(molecules.iter().zip(&single)) {
            *v += (m - s).max(0.0);
        }
    }
    let t = student_t95(dof);
    let half_widths = total.into_iter().map(|v| t * v.sqrt()).collect();
    Ok(Intervals { half_widths, n_independent: n_blocks, units: "blocks" })
}

/// Variance of the statistic under resampling of one level, times n/(n − 1).
fn variances<F>(cells: &[Cell], level: Level, n_units: usize, seed: u64, statistic: &F) -> Vec<f64>
where
    F: Fn(&[f64]) -> Vec<f64> + Sync,
{
    let noise = Noise::new(seed, PURPOSE);
    let draws: Vec<Vec<f64>> = (0..RESAMPLES)
        .into_par_iter()
        .map(|resample| {
            let mut times = vec![0.0; n_units];
            for k in 0..n_units {
                let [u, _] = noise.uniform2(k as u32, resample, level as u32);
                times[((u * n_units as f64) as usize).min(n_units - 1)] += 1.0;
            }
            let unit = |k: usize, c: &Cell| match level {
                Level::Run => c.run,
                Level::Block => c.block,
                Level::Bundle => c.bundle,
                Level::Cell => k,
            };
            statistic(&ratio(cells, |k, c| times[unit(k, c)]))
        })
        .collect();
    let small_sample = n_units as f64 / (n_units as f64 - 1.0);
    (0..draws[0].len())
        .map(|q| {
            let values: Vec<f64> = draws.iter().map(|d| d[q]).filter(|v| v.is_finite()).collect();
            // A statistic that most resamples cannot give has no variance worth printing.
            if values.len() * 10 < draws.len() * 9 {
                f64::NAN
            } else {
                crate::statistics::variance(&values) * small_sample
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cells with value = block effect + bundle effect + own noise.
    fn cells(seed: u64, n_runs: usize, n_blocks: usize, n_bundles: usize, scales: [f64; 4]) -> Vec<Cell> {
        let noise = Noise::new(seed, 77);
        let mut cells = vec![];
        for run in 0..n_runs {
            let r = noise.normal2(run as u32, 0, 0)[0] * scales[0];
            for b in 0..n_blocks {
                let block = run * n_blocks + b;
                let e = noise.normal2(block as u32, 1, 0)[0] * scales[1];
                for m in 0..n_bundles {
                    let bundle = run * n_bundles + m;
                    let o = noise.normal2(bundle as u32, 2, 0)[0] * scales[2];
                    let c = noise.normal2(cells.len() as u32, 3, 0)[0] * scales[3];
                    cells.push(Cell { run, block, bundle, sums: vec![r + e + o + c], counts: vec![1.0] });
                }
            }
        }
        cells
    }

    fn coverage(n_runs: usize, n_blocks: usize, n_bundles: usize, scales: [f64; 4]) -> f64 {
        let trials = 200;
        let covered = (0..trials).filter(|&seed| {
            let cells = cells(seed, n_runs, n_blocks, n_bundles, scales);
            let value = ratio(&cells, |_, _| 1.0)[0];
            let half = intervals(&cells, seed, |m| m.to_vec()).unwrap().half_widths[0];
            value.abs() < half
        });
        covered.count() as f64 / trials as f64
    }

    #[test]
    fn the_truth_is_covered_whatever_level_the_scatter_comes_from() {
        // 3 standard deviations of 200 trials at 95 %: 0.046. Two clustered levels of few units each cannot do better
        // than nearly: at least 0.90 is asked of them.
        let alone = coverage(1, 6, 20, [0.0, 0.0, 0.0, 1.0]);
        assert!((0.905..=0.99).contains(&alone), "independent cells: {alone}");
        let blocks = coverage(1, 6, 20, [0.0, 1.0, 0.0, 1.0]);
        assert!((0.90..=0.99).contains(&blocks), "blocks that move together: {blocks}");
        let molecules = coverage(1, 6, 20, [0.0, 0.0, 1.0, 1.0]);
        assert!((0.90..=1.0).contains(&molecules), "molecules that stay different: {molecules}");
        let runs = coverage(6, 3, 5, [1.0, 0.3, 0.3, 1.0]);
        assert!((0.90..=0.99).contains(&runs), "runs that differ: {runs}");
    }

    #[test]
    fn three_blocks_give_no_interval() {
        let cells = cells(1, 1, 3, 20, [0.0, 0.0, 0.0, 1.0]);
        assert!(intervals(&cells, 1, |m| m.to_vec()).unwrap_err().contains("no interval"));
    }
}

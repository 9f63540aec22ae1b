//! Groups of runs compared, for example the same electrolyte on an amorphous and on a crystalline oxide.
//!
//! A group's curve is the mean over its surfaces of the mean over the packings on each. Its standard error comes from
//! the highest of the levels surface → packing → block of time that has at least [`MIN_BLOCKS`] units, drawn whole, so
//! that what lies below is in it once (A. C. Davison, D. V. Hinkley, Bootstrap Methods and their Application, 1997,
//! section 3.8). What lies above is not in it, and the result names its level. Two groups are independent; the
//! interval of their ratio has Student's t with the degrees of freedom of B. L. Welch, Biometrika 34, 28 (1947),
//! doi:10.1093/biomet/34.1-2.28.

use crate::bootstrap::{self, Cell};
use crate::statistics::{MIN_BLOCKS, student_t95, too_few_blocks};

/// One run's curve.
#[derive(Clone, Debug)]
pub struct Member {
    /// Number of the surface it was run on: runs on the same surface are its packings.
    pub surface: usize,
    /// The curve.
    pub values: Vec<f64>,
    /// Half-widths of its 95 % intervals from blocks of time, or why there are none.
    pub half_widths: Result<Vec<f64>, String>,
    /// Independent blocks behind them.
    pub n_blocks: usize,
}

/// Standard errors of a group's curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Errors {
    /// One per point; NaN where there is none.
    pub standard: Vec<f64>,
    /// Degrees of freedom of each.
    pub dof: Vec<f64>,
    /// Independent units behind them.
    pub n_independent: usize,
    /// What the units are: `surfaces`, `packings` or `blocks of time`.
    pub units: &'static str,
}

/// A group's curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Pooled {
    /// Mean over surfaces of the mean over packings; NaN where a run has no value.
    pub values: Vec<f64>,
    /// Its standard errors, or why there are none.
    pub errors: Result<Errors, String>,
}

/// Points with the bounds of their 95 % intervals, or with the reason why there are none.
#[derive(Clone, Debug, PartialEq)]
pub struct Ratio {
    /// The ratios.
    pub values: Vec<f64>,
    /// Half-widths of the 95 % intervals of their logarithms: the interval is R·e^(−h) to R·e^h.
    pub log_half_widths: Result<Vec<f64>, String>,
}

/// The curve of a group of at least one run; all have the same number of points.
pub fn pooled(members: &[Member], seed: u64) -> Pooled {
    let n_points = members.first().map_or(0, |m| m.values.len());
    let n_surfaces = members.iter().map(|m| m.surface).max().map_or(0, |s| s + 1);
    let packings = |surface: usize| members.iter().filter(|m| m.surface == surface).count();
    let weights: Vec<f64> = members.iter().map(|m| 1.0 / (n_surfaces * packings(m.surface)) as f64).collect();
    let mean = |q: usize| members.iter().zip(&weights).map(|(m, w)| w * m.values[q]).sum::<f64>();
    let errors = if n_surfaces >= MIN_BLOCKS {
        drawn(members, &weights, |k| members[k].surface, "surfaces", seed)
    } else if members.len() >= MIN_BLOCKS {
        drawn(members, &weights, |k| k, "packings", seed)
    } else {
        of_blocks(members, &weights)
    };
    Pooled { values: (0..n_points).map(mean).collect(), errors }
}

/// Errors by drawing whole units, which `unit` numbers.
fn drawn(
    members: &[Member],
    weights: &[f64],
    unit: impl Fn(usize) -> usize,
    units: &'static str,
    seed: u64,
) -> Result<Errors, String> {
    let cells: Vec<Cell> = members
        .iter()
        .zip(weights)
        .enumerate()
        .map(|(k, (m, &w))| Cell {
            run: unit(k),
            block: unit(k),
            bundle: unit(k),
            sums: m.values.iter().map(|v| w * v).collect(),
            counts: vec![w; m.values.len()],
        })
        .collect();
    let intervals = bootstrap::intervals(&cells, seed, |ratios| ratios.to_vec())?;
    let (n, dof) = (intervals.n_independent, intervals.n_independent - 1);
    let standard: Vec<f64> = intervals.half_widths.iter().map(|h| h / student_t95(dof)).collect();
    Ok(Errors { dof: vec![dof as f64; standard.len()], standard, n_independent: n, units })
}

/// Errors from the intervals that each run has by itself.
fn of_blocks(members: &[Member], weights: &[f64]) -> Result<Errors, String> {
    let n_points = members.first().map_or(0, |m| m.values.len());
    let (mut variance, mut over_dof) = (vec![0.0; n_points], vec![0.0; n_points]);
    for (m, w) in members.iter().zip(weights) {
        let half_widths = m.half_widths.as_ref().map_err(Clone::clone)?;
        if m.n_blocks < MIN_BLOCKS {
            return Err(too_few_blocks(m.n_blocks));
        }
        let dof = m.n_blocks - 1;
        for (q, half) in half_widths.iter().enumerate() {
            let v = (w * half / student_t95(dof)).powi(2);
            variance[q] += v;
            over_dof[q] += v * v / dof as f64;
        }
    }
    Ok(Errors {
        standard: variance.iter().map(|v| v.sqrt()).collect(),
        dof: variance.iter().zip(&over_dof).map(|(v, o)| v * v / o).collect(),
        n_independent: members.iter().map(|m| m.n_blocks).sum(),
        units: "blocks of time",
    })
}

impl Pooled {
    /// Half-widths of the 95 % intervals, where there are any.
    pub fn half_widths(&self) -> Option<Vec<f64>> {
        let errors = self.errors.as_ref().ok()?;
        Some(errors.standard.iter().zip(&errors.dof).map(|(s, &dof)| t95(dof) * s).collect())
    }

    /// This group's curve over that of `reference`, point by point.
    pub fn over(&self, reference: &Pooled) -> Ratio {
        let values = self.values.iter().zip(&reference.values).map(|(a, b)| a / b).collect();
        let sides = [self, reference];
        let relative = |p: &Pooled, e: &Errors, q: usize| ((e.standard[q] / p.values[q]).powi(2), e.dof[q]);
        let log_half_widths = match sides.map(|p| p.errors.as_ref()) {
            [Ok(a), Ok(b)] => Ok((0..a.standard.len())
                .map(|q| {
                    let [(va, na), (vb, nb)] = [relative(self, a, q), relative(reference, b, q)];
                    let total = va + vb;
                    let dof = total * total / (va * va / na + vb * vb / nb);
                    t95(dof) * total.sqrt()
                })
                .collect()),
            [Err(why), _] | [_, Err(why)] => Err(why.clone()),
        };
        Ratio { values, log_half_widths }
    }
}

impl Ratio {
    /// The 95 % interval at point `q`, where there is one.
    pub fn ci95(&self, q: usize) -> Option<[f64; 2]> {
        let (h, r) = (*self.log_half_widths.as_ref().ok()?.get(q)?, self.values[q]);
        let [low, high] = [-h, h].map(|x| r * amelo_math::special::exp(x));
        (low.is_finite() && high.is_finite()).then_some([low, high])
    }
}

/// Student's quantile; degrees of freedom are rounded down, which widens the interval. NaN where there are none.
fn t95(dof: f64) -> f64 {
    if dof >= (MIN_BLOCKS - 1) as f64 * 0.999 { student_t95((dof + 1e-6) as usize) } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use super::*;
    use amelo_math::philox::Noise;

    /// Runs whose value is `mean` · (1 + surface effect + packing effect + block noise), with intervals from 6 blocks.
    fn group(seed: u64, mean: f64, [n_surfaces, n_packings]: [usize; 2], scales: [f64; 3]) -> Vec<Member> {
        let noise = Noise::new(seed, 77);
        let normal = |id: usize, level: u32| noise.normal2(id as u32, 0, level)[0];
        let mut members = vec![];
        for s in 0..n_surfaces {
            for p in 0..n_packings {
                let run = s * n_packings + p;
                let shared = scales[0] * normal(s, 0) + scales[1] * normal(run, 1);
                let blocks: Vec<f64> =
                    (0..6).map(|b| mean * (1.0 + shared + scales[2] * normal(6 * run + b, 2))).collect();
                let e = crate::statistics::block_mean(&blocks);
                let half_widths = e.half_width.map(|h| vec![h]);
                members.push(Member { surface: s, values: vec![e.value], half_widths, n_blocks: 6 });
            }
        }
        members
    }

    /// Share of trials in which the true ratio lies in the interval.
    fn coverage(designs: [[usize; 2]; 2], scales: [f64; 3], units: [&str; 2]) -> f64 {
        let (trials, truth) = (400, 2.5);
        let covered = (0..trials).filter(|&seed| {
            let pools = [(2 * seed, truth), (2 * seed + 1, 1.0)].map(|(s, mean)| (s, mean));
            let [a, b] = [0, 1].map(|k| pooled(&group(pools[k].0, pools[k].1, designs[k], scales), seed));
            for (pool, unit) in [&a, &b].into_iter().zip(units) {
                assert_eq!(pool.errors.as_ref().unwrap().units, unit);
            }
            let [low, high] = a.over(&b).ci95(0).unwrap();
            low < truth && truth < high
        });
        covered.count() as f64 / trials as f64
    }

    #[test]
    fn the_true_ratio_is_covered_whatever_level_the_scatter_comes_from() {
        // 3 standard deviations of 400 trials at 95 %: 0.033.
        let time = coverage([[1, 1], [1, 1]], [0.0, 0.0, 0.1], ["blocks of time"; 2]);
        assert!((0.917..=0.985).contains(&time), "blocks: {time}");
        let packings = coverage([[1, 5], [1, 5]], [0.0, 0.1, 0.05], ["packings"; 2]);
        assert!((0.917..=0.985).contains(&packings), "packings: {packings}");
        let surfaces = coverage([[5, 3], [1, 4]], [0.1, 0.0, 0.05], ["surfaces", "packings"]);
        // The crystal of the second group has one surface, the same in every run; here it has an effect of its own all
        // the same, which no interval can know: below 95 % and told by the units.
        assert!(surfaces < 0.9, "one surface cannot speak for others: {surfaces}");
        let surfaces = coverage([[5, 3], [5, 3]], [0.1, 0.03, 0.05], ["surfaces"; 2]);
        assert!((0.917..=0.985).contains(&surfaces), "surfaces: {surfaces}");
    }

    #[test]
    fn a_ratio_is_what_it_is_by_hand() {
        let member = |surface, value: f64, half: f64| Member {
            surface,
            values: vec![value, 2.0 * value],
            half_widths: Ok(vec![half; 2]),
            n_blocks: 5,
        };
        // Surfaces count the same, however many packings stand on them: ((1 + 3)/2 + 6)/2 = 4.
        let a = pooled(&[member(0, 1.0, 0.1), member(0, 3.0, 0.1), member(1, 6.0, 0.4)], 1);
        assert_eq!(a.values, vec![4.0, 8.0]);
        let errors = a.errors.as_ref().unwrap();
        // √(2 (0.1/4)² + (0.4/2)²)/t(4), 15 blocks.
        assert!((errors.standard[0] * student_t95(4) - 0.203_1).abs() < 1e-4 && errors.n_independent == 15);
        let b = pooled(&[member(0, 2.0, 0.2)], 1);
        let ratio = a.over(&b);
        assert_eq!(ratio.values, vec![2.0, 2.0]);
        let [low, high] = ratio.ci95(0).unwrap();
        assert!((low * high - 4.0).abs() < 1e-12 && low < 2.0);
        // The other way round the interval is that of the reciprocal.
        let [back_low, back_high] = b.over(&a).ci95(0).unwrap();
        assert!((back_low * high - 1.0).abs() < 1e-12 && (back_high * low - 1.0).abs() < 1e-12);
    }

    #[test]
    fn fewer_than_four_blocks_give_no_interval() {
        let mut few = group(1, 1.0, [1, 1], [0.0, 0.0, 0.1]);
        let many = pooled(&few, 1);
        few[0].n_blocks = 3;
        let pool = pooled(&few, 1);
        assert!(pool.errors.as_ref().unwrap_err().contains("no interval") && pool.half_widths().is_none());
        let ratio = many.over(&pool);
        assert!(ratio.ci95(0).is_none() && ratio.values[0].is_finite());
        assert!(ratio.log_half_widths.unwrap_err().contains("no interval"));
        few[0] = Member { half_widths: Err("no interval: drift".into()), n_blocks: 6, ..few[0].clone() };
        assert_eq!(pooled(&few, 1).errors.unwrap_err(), "no interval: drift");
    }
}

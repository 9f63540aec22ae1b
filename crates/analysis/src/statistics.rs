//! Means of correlated data: autocorrelation time, blocks, intervals.
//!
//! An interval comes from independent blocks or runs, never from the scatter of correlated points. Fewer than
//! [`MIN_BLOCKS`] independent ones give no interval.

/// Fewest independent blocks or runs that carry an interval.
pub const MIN_BLOCKS: usize = 4;

/// A mean with the half-width of its 95 % interval, or with the reason why there is none.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// The mean.
    pub value: f64,
    /// Half-width of the 95 % interval, or why there is none.
    pub half_width: Result<f64, String>,
    /// Independent blocks behind it.
    pub n_independent: usize,
}

impl Estimate {
    /// The 95 % interval.
    pub fn ci95(&self) -> Option<[f64; 2]> {
        self.half_width.as_ref().ok().map(|h| [self.value - h, self.value + h])
    }

    /// Why there is no interval.
    pub fn no_interval(&self) -> Option<String> {
        self.half_width.as_ref().err().cloned()
    }
}

/// Why `n` blocks give no interval.
pub fn too_few_blocks(n: usize) -> String {
    format!("no interval: {n} independent blocks, {MIN_BLOCKS} are needed; run longer or add independent runs")
}

/// Arithmetic mean.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Unbiased variance.
pub fn variance(values: &[f64]) -> f64 {
    let m = mean(values);
    values.iter().map(|v| (v - m) * (v - m)).sum::<f64>() / (values.len() as f64 - 1.0)
}

/// Two-sided 95 % quantile of Student's t for `dof` ≥ 3 degrees of freedom, to 0.2 %.
///
/// M. Abramowitz, I. A. Stegun, Handbook of Mathematical Functions, 26.7.5.
pub fn student_t95(dof: usize) -> f64 {
    let z: f64 = 1.959_963_984_540_054;
    let (z2, n) = (z * z, dof as f64);
    let g1 = z * (z2 + 1.0) / 4.0;
    let g2 = z * ((5.0 * z2 + 16.0) * z2 + 3.0) / 96.0;
    let g3 = z * (((3.0 * z2 + 19.0) * z2 + 17.0) * z2 - 15.0) / 384.0;
    let g4 = z * ((((79.0 * z2 + 776.0) * z2 + 1482.0) * z2 - 1920.0) * z2 - 945.0) / 92160.0;
    z + (g1 + (g2 + (g3 + g4 / n) / n) / n) / n
}

/// Statistical inefficiency g = 1 + 2 Σ ρ(k): how many samples make one independent one. At least 1; the sum
/// ends by itself at the first k ≥ 5 g/2.
///
/// A. Sokal, in Functional Integration, NATO ASI B 361 (1997), doi:10.1007/978-1-4899-0319-8_6.
pub fn inefficiency(values: &[f64]) -> f64 {
    let n = values.len();
    let m = mean(values);
    let c0 = values.iter().map(|v| (v - m) * (v - m)).sum::<f64>() / n as f64;
    if n < 2 || c0 <= 0.0 {
        return 1.0;
    }
    let (mut g, mut largest): (f64, f64) = (1.0, 1.0);
    for k in 1..n {
        let c: f64 = (0..n - k).map(|i| (values[i] - m) * (values[i + k] - m)).sum::<f64>() / n as f64;
        g += 2.0 * c / c0;
        // The mean of a finite series pulls late correlations below zero; what they take away was never there.
        largest = largest.max(g);
        if k as f64 >= 2.5 * g {
            break;
        }
    }
    largest
}

/// Mean of a correlated series with its 95 % interval from at most `max_blocks` blocks, fewer where the series'
/// own correlation leaves fewer independent samples.
pub fn series_mean(values: &[f64], max_blocks: usize) -> Estimate {
    if values.is_empty() {
        return Estimate { value: f64::NAN, half_width: Err(too_few_blocks(0)), n_independent: 0 };
    }
    let independent = (values.len() as f64 / inefficiency(values)).floor() as usize;
    let n_blocks = independent.min(max_blocks);
    let mut estimate = block_mean(&block_means(values, n_blocks.max(1)));
    estimate.value = mean(values);
    estimate
}

/// Means of `n_blocks` contiguous blocks of (nearly) equal length.
pub fn block_means(values: &[f64], n_blocks: usize) -> Vec<f64> {
    let n = values.len();
    (0..n_blocks).map(|b| mean(&values[b * n / n_blocks..(b + 1) * n / n_blocks])).collect()
}

/// Mean and interval of values that are independent of each other.
pub fn block_mean(blocks: &[f64]) -> Estimate {
    let n = blocks.len();
    let half_width = if n < MIN_BLOCKS {
        Err(too_few_blocks(n))
    } else {
        Ok(student_t95(n - 1) * (variance(blocks) / n as f64).sqrt())
    };
    Estimate { value: mean(blocks), half_width, n_independent: n }
}

/// Correlation of neighbouring blocks, pooled over many quantities (`blocks[b][q]`): −1/B for independent blocks,
/// towards 1 where the run drifts or is shorter than its own memory.
pub fn neighbour_correlation(blocks: &[Vec<f64>]) -> f64 {
    let n_quantities = blocks.first().map_or(0, Vec::len);
    let (mut together, mut alone) = (0.0, 0.0);
    for q in 0..n_quantities {
        let m = blocks.iter().map(|b| b[q]).sum::<f64>() / blocks.len() as f64;
        together += blocks.windows(2).map(|w| (w[0][q] - m) * (w[1][q] - m)).sum::<f64>();
        alone += blocks.iter().map(|b| (b[q] - m) * (b[q] - m)).sum::<f64>();
    }
    if alone > 0.0 { together / alone } else { 0.0 }
}

/// Sums of per-frame arrays in a bounded number of equal stretches of time: when [`Stretches::MAX`] are full,
/// neighbours are merged and each then holds twice as many frames. From these, blocks are made at the end.
#[derive(Clone, Debug, Default)]
pub struct Stretches {
    frames_each: usize,
    sums: Vec<(usize, Vec<f64>)>,
}

impl Stretches {
    /// Most stretches that are kept.
    pub const MAX: usize = 64;

    /// Adds one frame.
    pub fn push(&mut self, frame: Vec<f64>) {
        self.frames_each = self.frames_each.max(1);
        if let Some((frames, sums)) = self.sums.last_mut().filter(|(frames, _)| *frames < self.frames_each) {
            *frames += 1;
            sums.iter_mut().zip(&frame).for_each(|(s, v)| *s += v);
            return;
        }
        if self.sums.len() == Self::MAX {
            self.frames_each *= 2;
            let old = std::mem::take(&mut self.sums);
            self.sums = old.chunks_exact(2).map(merge).collect();
            return self.push(frame);
        }
        self.sums.push((1, frame));
    }

    /// Number of frames.
    pub fn n_frames(&self) -> usize {
        self.sums.iter().map(|(n, _)| n).sum()
    }

    /// Sum over all frames.
    pub fn total(&self) -> Vec<f64> {
        if self.sums.is_empty() { Vec::new() } else { merge(&self.sums).1 }
    }

    /// Mean per frame within each stretch.
    pub fn means(&self) -> Vec<Vec<f64>> {
        self.sums.iter().map(|s| mean_of(std::slice::from_ref(s))).collect()
    }

    /// Mean per frame within each of at most `n_blocks` blocks.
    pub fn blocks(&self, n_blocks: usize) -> Vec<Vec<f64>> {
        let n = self.sums.len();
        let n_blocks = n_blocks.min(n);
        (0..n_blocks).map(|b| mean_of(&self.sums[b * n / n_blocks..(b + 1) * n / n_blocks])).collect()
    }
}

fn merge(stretches: &[(usize, Vec<f64>)]) -> (usize, Vec<f64>) {
    let mut sum = vec![0.0; stretches[0].1.len()];
    for (_, s) in stretches {
        sum.iter_mut().zip(s).for_each(|(a, v)| *a += v);
    }
    (stretches.iter().map(|(n, _)| n).sum(), sum)
}

fn mean_of(stretches: &[(usize, Vec<f64>)]) -> Vec<f64> {
    let (frames, sum) = merge(stretches);
    sum.into_iter().map(|v| v / frames as f64).collect()
}

/// Half-widths of the 95 % intervals of the mean over `blocks[b][q]`, per quantity; or why there is none.
/// Blocks whose neighbours correlate are not independent and give none.
pub fn block_half_widths(blocks: &[Vec<f64>]) -> Result<Vec<f64>, String> {
    if blocks.len() < MIN_BLOCKS {
        return Err(too_few_blocks(blocks.len()));
    }
    let correlation = neighbour_correlation(blocks);
    // Independent blocks scatter about −1/B; pooled over the bins of a profile 0.25 is far outside that scatter.
    if correlation > 0.25 {
        return Err(format!(
            "no interval: neighbouring blocks correlate ({correlation:.2}); the run drifts or is shorter than its own \
             memory, run longer or add independent runs"
        ));
    }
    let n_quantities = blocks[0].len();
    let half_width = |q: usize| {
        let values: Vec<f64> = blocks.iter().map(|b| b[q]).collect();
        student_t95(values.len() - 1) * (variance(&values) / values.len() as f64).sqrt()
    };
    Ok((0..n_quantities).map(half_width).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use amelo_math::philox::Noise;

    // R. A. Fisher's table, as in any handbook.
    #[test]
    fn student_quantiles() {
        for (dof, t) in [(3, 3.1824), (4, 2.7764), (7, 2.3646), (9, 2.2622), (30, 2.0423), (1000, 1.9623)] {
            assert!((student_t95(dof) / t - 1.0).abs() < 2e-3, "{dof}: {}", student_t95(dof));
        }
    }

    /// x' = φ x + noise: g = (1 + φ)/(1 − φ).
    fn autoregressive(seed: u64, phi: f64, n: usize) -> Vec<f64> {
        let noise = Noise::new(seed, 77);
        let mut x = noise.normal2(0, 0, 1)[0] / (1.0 - phi * phi).sqrt();
        (0..n)
            .map(|k| {
                x = phi * x + noise.normal2(0, k as u64, 0)[0];
                x
            })
            .collect()
    }

    #[test]
    fn inefficiency_of_an_autoregressive_series() {
        let phi: f64 = 0.8;
        let g = inefficiency(&autoregressive(1, phi, 100_000));
        assert!((g / 9.0 - 1.0).abs() < 0.1, "{g}");
        assert!(inefficiency(&autoregressive(2, 0.0, 100_000)) < 1.1);
        assert_eq!(inefficiency(&[3.0; 50]), 1.0);
    }

    #[test]
    fn the_interval_of_a_correlated_mean_covers_the_truth() {
        let trials = 1000;
        let covered = (0..trials)
            .filter(|&seed| {
                let e = series_mean(&autoregressive(seed, 0.8, 2000), 10);
                e.ci95().is_some_and(|[low, high]| low < 0.0 && 0.0 < high)
            })
            .count();
        // 3 standard deviations of a binomial about 95 %: 2 %.
        assert!((930..=970).contains(&covered), "{covered}");
    }

    #[test]
    fn fewer_than_four_independent_samples_give_no_interval() {
        let ramp: Vec<f64> = (0..500).map(f64::from).collect();
        let e = series_mean(&ramp, 10);
        assert!(e.ci95().is_none() && e.no_interval().unwrap().contains("no interval"), "{e:?}");
        assert!(block_mean(&[1.0, 2.0, 3.0]).ci95().is_none());
        assert!(block_mean(&[1.0, 2.0, 3.0, 4.0]).ci95().is_some());
    }

    #[test]
    fn drifting_blocks_are_found_out() {
        let drift: Vec<Vec<f64>> = (0..5).map(|b| (0..50).map(|q| f64::from(b * q)).collect()).collect();
        assert!(block_half_widths(&drift).is_err());
        let noise = Noise::new(5, 77);
        let free: Vec<Vec<f64>> = (0..5).map(|b| (0..50).map(|q| noise.normal2(q, b, 0)[0]).collect()).collect();
        let half = block_half_widths(&free).unwrap();
        assert_eq!(half.len(), 50);
        assert!((neighbour_correlation(&free) + 0.2).abs() < 0.2);
    }

    #[test]
    fn stretches_keep_the_sum_and_the_order() {
        let mut s = Stretches::default();
        for k in 0..1000 {
            s.push(vec![f64::from(k), 1.0]);
        }
        assert_eq!(s.n_frames(), 1000);
        assert_eq!(s.total(), vec![499_500.0, 1000.0]);
        assert!(s.means().len() <= Stretches::MAX);
        let blocks = s.blocks(5);
        assert_eq!(blocks.len(), 5);
        assert!(blocks.windows(2).all(|w| w[0][0] < w[1][0]) && blocks.iter().all(|b| b[1] == 1.0));
    }
}

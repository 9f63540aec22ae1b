//! Whether a run has come to rest: no drift of a series, chains that have forgotten their start.
//!
//! Drift: the means of the two halves of a series are compared as J. Geweke does (in Bayesian Statistics 4, Oxford
//! University Press 1992, p. 169), each with the variance of a mean of correlated samples, g σ²/n (J. D. Chodera,
//! J. Chem. Theory Comput. 12, 1799 (2016), doi:10.1021/acs.jctc.5b00784). A series at rest is so found to drift in
//! about one case of twenty. Too few independent samples are no proof of rest and are told as such.

use crate::statistics::{inefficiency, mean, student_t95, variance};

/// Independent samples that each half of a series must have: a drift of one standard deviation from half to half is
/// then found in most cases.
pub const MIN_PER_HALF: f64 = 8.0;

/// Share of the series over which a correlation must have decayed: its time is seen three times.
const SEEN: f64 = 1.0 / 3.0;

/// What a series does.
#[derive(Clone, Debug, PartialEq)]
pub enum Drift {
    /// The halves differ by no more than their errors.
    None {
        /// Second half less first half.
        change: f64,
        /// Half-width of the 95 % interval of that.
        half_width: f64,
    },
    /// The halves differ by more than their errors.
    Found {
        /// Second half less first half.
        change: f64,
        /// Half-width of the 95 % interval of that.
        half_width: f64,
    },
    /// Not long enough to tell.
    TooShort {
        /// Independent samples in the worse half.
        independent: f64,
    },
}

/// Compares the halves of `series`.
pub fn drift(series: &[f64]) -> Drift {
    let halves = [&series[..series.len() / 2], &series[series.len() / 2..]];
    if halves[0].len() < 2 {
        return Drift::TooShort { independent: halves[0].len() as f64 };
    }
    let independent = halves.map(|h| h.len() as f64 / inefficiency(h));
    let worse = independent[0].min(independent[1]);
    if worse < MIN_PER_HALF {
        return Drift::TooShort { independent: worse };
    }
    let change = mean(halves[1]) - mean(halves[0]);
    let error = (variance(halves[0]) / independent[0] + variance(halves[1]) / independent[1]).sqrt();
    let half_width = student_t95((independent[0] + independent[1]) as usize - 2) * error;
    if change.abs() > half_width { Drift::Found { change, half_width } } else { Drift::None { change, half_width } }
}

/// Autocorrelation C(m) = ⟨R(k)·R(k + m)⟩/⟨R²⟩ of `n_vectors` vectors, averaged over them and over all k, up to a third
/// of the samples. `samples`: x, y, z of each vector, sample after sample. The mean is not taken out: a free chain has
/// none, and one that is held keeps its correlation.
pub fn vector_correlation(samples: &[f64], n_vectors: usize) -> Vec<f64> {
    let row = 3 * n_vectors;
    let n = samples.len().checked_div(row).unwrap_or(0);
    let product = |a: usize, b: usize| -> f64 {
        let [a, b] = [a, b].map(|k| &samples[k * row..(k + 1) * row]);
        a.iter().zip(b).map(|(x, y)| x * y).sum()
    };
    let squares: Vec<f64> = (0..n).map(|k| product(k, k)).collect();
    let lag = |m: usize| {
        let together: f64 = (0..n - m).map(|k| product(k, k + m)).sum();
        together / (0.5 * (0..n - m).map(|k| squares[k] + squares[k + m]).sum::<f64>())
    };
    (0..=(n as f64 * SEEN) as usize).take_while(|&m| m < n).map(lag).collect()
}

/// Place, in samples, at which a correlation first falls below 1/e, between samples by a straight line; none where it
/// does not.
pub fn decay(correlation: &[f64]) -> Option<f64> {
    let level = 1.0 / std::f64::consts::E;
    let k = correlation.iter().position(|c| *c < level)?;
    let before = correlation.get(k.checked_sub(1)?)?;
    Some((k - 1) as f64 + (before - level) / (before - correlation[k]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use amelo_math::philox::Noise;

    /// x' = φ x + noise of unit variance of x, plus a line that rises by `rise` standard deviations over the series.
    fn series(seed: u64, n: usize, phi: f64, rise: f64) -> Vec<f64> {
        let noise = Noise::new(seed, 78);
        let mut x = noise.normal2(0, 0, 1)[0];
        (0..n)
            .map(|k| {
                x = phi * x + (1.0 - phi * phi).sqrt() * noise.normal2(0, k as u64, 0)[0];
                x + rise * k as f64 / n as f64
            })
            .collect()
    }

    /// Shares of 1000 series found to drift, and too short to tell.
    fn shares(n: usize, phi: f64, rise: f64) -> [f64; 2] {
        let found =
            (0..1000).map(|seed| drift(&series(seed, n, phi, rise))).fold([0; 2], |[found, short], d| match d {
                Drift::Found { .. } => [found + 1, short],
                Drift::TooShort { .. } => [found, short + 1],
                Drift::None { .. } => [found, short],
            });
        found.map(|k| f64::from(k) / 1000.0)
    }

    #[test]
    fn a_series_at_rest_drifts_in_one_case_of_twenty() {
        // 1000 series: three standard deviations about 5 % are 2.1 %. White noise is found less often, since an
        // inefficiency is at least 1, and correlated series a little more often, since theirs is underrated.
        for (n, phi, [least, most]) in
            [(400, 0.0, [0.015, 0.05]), (2000, 0.8, [0.029, 0.08]), (4000, 0.9, [0.029, 0.08])]
        {
            let [found, short] = shares(n, phi, 0.0);
            println!("φ = {phi}: found to drift {found}");
            assert!((least..=most).contains(&found) && short == 0.0, "φ = {phi}: {found}, too short {short}");
        }
    }

    #[test]
    fn a_drift_is_found() {
        // g = (1 + φ)/(1 − φ) = 9: 222 independent samples, halves 0.5 apart with an error of 0.134 (t = 3.7, found in
        // 96 of 100) if half the line's rise lies between their means.
        let [found, _] = shares(2000, 0.8, 1.0);
        assert!(found > 0.9, "{found}");
        let [found, _] = shares(2000, 0.8, 2.0);
        assert!(found > 0.999, "{found}");
    }

    #[test]
    fn few_independent_samples_are_no_proof() {
        // 100 samples of g = 39: fewer than three independent ones.
        let [found, short] = shares(100, 0.95, 0.0);
        assert!(short > 0.9, "found {found}, too short {short}");
        assert_eq!(drift(&[1.0, 2.0]), Drift::TooShort { independent: 1.0 });
        assert!(matches!(drift(&[]), Drift::TooShort { .. }));
    }

    #[test]
    fn vectors_of_a_known_relaxation_time_give_it() {
        // Ornstein–Uhlenbeck components: C(m) = exp(−m/τ).
        let (tau, n_vectors, n) = (12.0f64, 40, 1500);
        let parts: Vec<Vec<f64>> =
            (0..3 * n_vectors as u64).map(|s| series(s, n, amelo_math::special::exp(-1.0 / tau), 0.0)).collect();
        let samples: Vec<f64> = (0..n).flat_map(|k| parts.iter().map(move |p| p[k])).collect();
        let correlation = vector_correlation(&samples, n_vectors);
        assert_eq!((correlation[0], correlation.len()), (1.0, n / 3 + 1));
        let found = decay(&correlation).unwrap();
        assert!((found / tau - 1.0).abs() < 0.1, "{found}");
        // Vectors that are held, and turn a little, never forget.
        let held: Vec<f64> = samples.iter().map(|x| 5.0 + x).collect();
        assert_eq!(decay(&vector_correlation(&held, n_vectors)), None);
        assert!(vector_correlation(&[], 0).is_empty() && decay(&[]).is_none());
    }
}

//! Squared displacements summed over all time origins of a stretch of trajectory, by FFT.
//!
//! Σ_k |r(k+m) − r(k)|² = Σ_k [r(k)² + r(k+m)²] − 2 Σ_k r(k)·r(k+m): the first part is a running sum, the second
//! an autocorrelation. P. Calligari, V. Calandrini, G. R. Kneller, P. Abergel, École thématique de la Société
//! Française de la Neutronique 12, 201 (2011), doi:10.1051/sfn/201112010.

use amelo_math::Vec3;
use realfft::{RealFftPlanner, num_complex::Complex};

/// Below this length every pair of times is visited: cheaper than a transform, and exact.
const DIRECT: usize = 48;

/// Sums of squared displacements, with the transforms' plans and buffers.
pub struct SquareDisplacements {
    planner: RealFftPlanner<f64>,
}

impl Default for SquareDisplacements {
    fn default() -> Self {
        SquareDisplacements { planner: RealFftPlanner::new() }
    }
}

impl SquareDisplacements {
    /// Σ over origins of (Δx², Δy², Δz²) for every lag 0..=`max_lag` of a series without gaps (nm²). Lags beyond
    /// the series are zero; the number of origins at lag m is `len − m`.
    pub fn sums(&mut self, series: &[Vec3], max_lag: usize) -> Vec<Vec3> {
        let mut out = vec![Vec3::ZERO; max_lag + 1];
        let max_lag = max_lag.min(series.len().saturating_sub(1));
        if series.len() <= DIRECT {
            for m in 1..=max_lag {
                for k in 0..series.len() - m {
                    let d = series[k + m] - series[k];
                    out[m] += Vec3::new(d.x * d.x, d.y * d.y, d.z * d.z);
                }
            }
            return out;
        }
        for axis in 0..3 {
            let component: Vec<f64> = series.iter().map(|r| r[axis]).collect();
            for (sum, value) in out.iter_mut().zip(self.component(&component, max_lag)) {
                sum[axis] = value;
            }
        }
        out
    }

    fn component(&mut self, x: &[f64], max_lag: usize) -> Vec<f64> {
        let n = x.len();
        // About the mean the two large parts that cancel are as small as they can be.
        let mean = x.iter().sum::<f64>() / n as f64;
        let x: Vec<f64> = x.iter().map(|v| v - mean).collect();
        let size = (n + max_lag).next_power_of_two();
        let forward = self.planner.plan_fft_forward(size);
        let inverse = self.planner.plan_fft_inverse(size);
        let mut padded = forward.make_input_vec();
        padded[..n].copy_from_slice(&x);
        let mut spectrum = forward.make_output_vec();
        // The buffers come from the plans themselves, so their lengths fit and the transforms cannot fail.
        forward.process(&mut padded, &mut spectrum).expect("buffer lengths of the plan");
        for s in &mut spectrum {
            *s = Complex::new(s.norm_sqr(), 0.0);
        }
        inverse.process(&mut spectrum, &mut padded).expect("buffer lengths of the plan");
        let mut squares = 2.0 * x.iter().map(|v| v * v).sum::<f64>();
        let mut sums = Vec::with_capacity(max_lag + 1);
        for m in 0..=max_lag {
            if m > 0 {
                squares -= x[m - 1] * x[m - 1] + x[n - m] * x[n - m];
            }
            // Rounding may leave a tiny negative number where nothing moved.
            sums.push((squares - 2.0 * padded[m] / size as f64).max(0.0));
        }
        sums[0] = 0.0;
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use amelo_math::philox::Noise;

    #[test]
    fn the_transform_agrees_with_the_direct_sum_over_all_origins() {
        let noise = Noise::new(11, 77);
        let mut sd = SquareDisplacements::default();
        for n in [2, 17, 48, 49, 333, 1024] {
            // Far from the origin and with drift: what cancels badly.
            let mut r = Vec3::new(50.0, -30.0, 0.0);
            let series: Vec<Vec3> = (0..n)
                .map(|k| {
                    r += noise.normal3(0, k as u64, 0) * 0.05 + Vec3::new(0.01, 0.0, 0.0);
                    r
                })
                .collect();
            let sums = sd.sums(&series, n - 1);
            for m in 0..n {
                let mut direct = Vec3::ZERO;
                for k in 0..n - m {
                    let d = series[k + m] - series[k];
                    direct += Vec3::new(d.x * d.x, d.y * d.y, d.z * d.z);
                }
                let scale = series.iter().map(|v| (*v - series[0]).norm2()).sum::<f64>();
                assert!((sums[m] - direct).norm() < 1e-13 * scale, "n {n}, lag {m}: {:?} {direct:?}", sums[m]);
            }
        }
    }
}

//! What the end of the real-space sum at its cut-off costs, measured on the system as it is.
//!
//! ΔF_i = k_e q_i Σ_j q_j [erfc(βr)/r + 2β/√π exp(−β²r²)] d/r² over all j and their images at d = r_i − r_j with r > r_c: the
//! force of Ewald's real-space sum, P. P. Ewald, Ann. Phys. 369, 253 (1921), doi:10.1002/andp.19213690304.

use amelo_core::System;
use amelo_core::units::COULOMB;
use amelo_math::{Vec3, special};
use rayon::prelude::*;

use crate::accuracy::{FEW, moving, real_error};

/// Atoms on which the error is measured, at most: 512 told it to 3 % on the melt and the interface of docs/performance.md.
const SAMPLE: usize = 512;
/// Cut-offs beyond which nothing is left to count: for a tolerance of 1e-5 erfc(βr) is a three-hundredth of its value
/// at the cut-off, for 1e-2 an eighth.
const BEYOND: f64 = 1.25;

/// RMS force (kJ/mol/nm) on the atoms of `system` that move from all pairs farther apart than `r_cut` (nm), of the part of Coulomb's
/// sum that is left to real space at `beta` (nm⁻¹). The same for any number of threads.
pub(crate) fn measured_real_error(system: &System, r_cut: f64, beta: f64) -> f64 {
    let (topology, cell) = (&system.topology, &system.cell);
    let moving = moving(topology);
    let within = |s: Vec3| s - Vec3::new(s.x.floor(), s.y.floor(), s.z.floor());
    let fractions: Vec<Vec3> = system.positions.iter().map(|&r| within(cell.to_fractional(r))).collect();
    let far = BEYOND * r_cut;
    // Fractions of the nearest image are half a cell at most.
    let widths = cell.widths();
    let images = [0, 1, 2].map(|k| (far / widths[k] + 0.5).floor() as i32);
    let field2 = |atom: usize| {
        let mut field = Vec3::ZERO;
        for (other, at) in fractions.iter().enumerate() {
            let s = fractions[atom] - *at;
            let nearest = cell.to_cartesian(s - Vec3::new(whole(s.x), whole(s.y), whole(s.z)));
            for a in -images[0]..=images[0] {
                for b in -images[1]..=images[1] {
                    for c in -images[2]..=images[2] {
                        let d = nearest + cell.shift([a, b, c]);
                        let r2 = d.norm2();
                        if (r_cut * r_cut..far * far).contains(&r2) {
                            let r = r2.sqrt();
                            let (erfc, gaussian) = special::erfc_and_gaussian(beta * r);
                            let smeared = std::f64::consts::FRAC_2_SQRT_PI * beta * gaussian;
                            field += d * (topology.charges[other] * (erfc / r + smeared) / r2);
                        }
                    }
                }
            }
        }
        (field * COULOMB).norm2()
    };
    // ⟨q² E²⟩: atoms are taken by their share of Σq², since a few large charges may bear most of the error.
    let (sample, felt2) = sample(&moving.iter().map(|&atom| topology.charges[atom].powi(2)).collect::<Vec<_>>());
    let squares: Vec<f64> = sample.par_iter().map(|&(at, weight)| weight * field2(moving[at])).collect();
    let measured = (felt2 * squares.iter().sum::<f64>()).sqrt();
    // Few atoms may stand where little is left out.
    if moving.len() < FEW { measured.max(real_error(topology, cell, r_cut, beta)) } else { measured }
}

/// The nearest whole number to a difference of two fractions. The library's rounding is a call.
#[inline(always)]
fn whole(s: f64) -> f64 {
    f64::from(u8::from(s > 0.5)) - f64::from(u8::from(s < -0.5))
}

/// Which of `weights` to look at, each with its share of the whole, and the mean of all weights. Beyond [`SAMPLE`] they are taken
/// in proportion to the weights, evenly spread and out of step with whatever repeats along a chain.
fn sample(weights: &[f64]) -> (Vec<(usize, f64)>, f64) {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    let mut sum = 0.0;
    let until: Vec<f64> = weights
        .iter()
        .map(|weight| {
            sum += weight;
            sum
        })
        .collect();
    let mean = sum / weights.len().max(1) as f64;
    if sum == 0.0 {
        return (Vec::new(), mean);
    }
    if weights.len() <= SAMPLE {
        return (weights.iter().map(|weight| weight / sum).enumerate().collect(), mean);
    }
    let at = |k: usize| until.partition_point(|&end| end <= (k as f64 * GOLDEN).fract() * sum).min(weights.len() - 1);
    ((0..SAMPLE).map(|k| (at(k), 1.0 / SAMPLE as f64)).collect(), mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Σ w f / n from the sample: exact for a few, near it for many, with weights and values that repeat in step.
    #[test]
    fn a_sample_stands_for_all() {
        for (n, error) in [(7, 1e-14), (SAMPLE, 1e-14), (10_000, 0.03)] {
            let weight = |k: usize| if k < n / 3 { 4.0 } else { [0.0, 0.1, 0.02][k % 3] };
            let value = |k: usize| [1.0, 3.0, 2.0, 7.0][k % 4];
            let all = (0..n).map(|k| weight(k) * value(k)).sum::<f64>() / n as f64;
            let (sample, mean) = sample(&(0..n).map(weight).collect::<Vec<_>>());
            let found = mean * sample.iter().map(|&(k, share)| share * value(k)).sum::<f64>();
            assert!((found / all - 1.0).abs() < error, "{n}: {found} {all}");
        }
        assert_eq!(sample(&[0.0; 3]), (Vec::new(), 0.0));
    }
}

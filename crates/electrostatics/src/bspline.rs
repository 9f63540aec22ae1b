//! Cardinal B-splines M_p: the smooth weights by which a charge is shared among mesh points.
//!
//! U. Essmann et al., J. Chem. Phys. 103, 8577 (1995), doi:10.1063/1.470117, eqs. 4.1 to 4.7.

use amelo_math::special;

use crate::number::MeshNumber;

/// Values and slopes of M_P at the P mesh points around a charge.
#[derive(Clone, Copy, Debug)]
pub struct Weights<const P: usize, T> {
    /// M_P(w + P − 1 − j).
    pub value: [T; P],
    /// M_P′(w + P − 1 − j), per mesh spacing.
    pub slope: [T; P],
}

/// Weights for a charge at the fraction `w` in [0, 1) between two mesh points; entry j belongs to the j-th
/// mesh point in ascending order.
#[inline(always)]
pub fn weights<const P: usize, T: MeshNumber>(w: T) -> Weights<P, T> {
    let mut value = [T::zero(); P];
    let mut slope = [T::zero(); P];
    value[0] = T::one() - w;
    value[1] = w;
    for p in 3..P {
        raise(&mut value, p, w);
    }
    // M_P′(u) = M_{P−1}(u) − M_{P−1}(u − 1)
    slope[0] = -value[0];
    for j in 1..P {
        slope[j] = value[j - 1] - value[j];
    }
    raise(&mut value, P, w);
    Weights { value, slope }
}

/// M_p(u) = [u M_{p−1}(u) + (p − u) M_{p−1}(u − 1)] / (p − 1), in place, for the p points around `w`.
#[inline(always)]
fn raise<const P: usize, T: MeshNumber>(value: &mut [T; P], p: usize, w: T) {
    let inverse = T::nearest(1.0 / (p as f64 - 1.0));
    value[p - 1] = inverse * w * value[p - 2];
    for l in 1..p - 1 {
        let (low, high) = (w + T::nearest(l as f64), T::nearest((p - l) as f64) - w);
        value[p - l - 1] = inverse * (low * value[p - l - 2] + high * value[p - l - 1]);
    }
    value[0] *= inverse * (T::one() - w);
}

/// |b(m)|² for m = 0 … n−1: what undoes the splines' smoothing of wave m on a mesh of `n` points (eq. 4.4).
///
/// Zero at m = n/2: there +n/2 and −n/2 are the same mesh wave, no force can tell them apart, and for odd orders
/// the spline sum vanishes.
pub fn inverse_smoothing<const P: usize>(n: usize) -> Vec<f64> {
    let at_nodes = weights::<P, f64>(0.0).value;
    (0..n)
        .map(|m| {
            if 2 * m == n {
                return 0.0;
            }
            let (mut re, mut im) = (0.0, 0.0);
            for (j, v) in at_nodes.iter().enumerate() {
                let angle = 2.0 * std::f64::consts::PI * ((m * j) % n) as f64 / n as f64;
                re += v * special::cos(angle);
                im += v * special::sin(angle);
            }
            1.0 / (re * re + im * im)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // M_4 at its nodes is 1/6, 2/3, 1/6; M_6 is 1, 26, 66, 26, 1 over 120 (Eulerian numbers).
    #[test]
    fn nodes_are_eulerian_numbers() {
        let m4 = weights::<4, f64>(0.0).value;
        for (v, e) in m4.iter().zip([1.0 / 6.0, 2.0 / 3.0, 1.0 / 6.0, 0.0]) {
            assert!((v - e).abs() < 1e-16, "{m4:?}");
        }
        let m6 = weights::<6, f64>(0.0).value;
        for (v, e) in m6.iter().zip([1.0, 26.0, 66.0, 26.0, 1.0, 0.0]) {
            assert!((v - e / 120.0).abs() < 1e-16, "{m6:?}");
        }
    }

    fn sums_and_slopes<const P: usize>() {
        for w in [0.0, 0.1, 0.5, 0.93] {
            let s = weights::<P, f64>(w);
            assert!((s.value.iter().sum::<f64>() - 1.0).abs() < 1e-15);
            assert!(s.slope.iter().sum::<f64>().abs() < 1e-15);
            let h = 1e-5;
            let (plus, minus) = (weights::<P, f64>(w + h).value, weights::<P, f64>(w - h).value);
            for j in 0..P {
                // Order 3 has a kink in its second derivative at the nodes.
                let tolerance = if P == 3 { 2e-5 } else { 1e-9 };
                assert!(((plus[j] - minus[j]) / (2.0 * h) - s.slope[j]).abs() < tolerance, "{P} {w} {j}");
            }
        }
    }

    #[test]
    fn weights_add_up_to_one_and_slopes_are_derivatives() {
        sums_and_slopes::<3>();
        sums_and_slopes::<4>();
        sums_and_slopes::<5>();
        sums_and_slopes::<6>();
        sums_and_slopes::<12>();
    }

    // Σ_k M_p(u − k) e^{2πimk/n} b(m) ≈ e^{2πimu/n}: the interpolation of a slow wave (eq. 4.3).
    #[test]
    fn smoothing_is_undone() {
        let (n, m, u) = (64, 3, 17.3);
        let b2 = inverse_smoothing::<8>(n)[m];
        let s = weights::<8, f64>(u - 17.0).value;
        let (mut re, mut im) = (0.0, 0.0);
        for (j, v) in s.iter().enumerate() {
            let angle = 2.0 * std::f64::consts::PI * (m * j) as f64 / n as f64;
            re += v * special::cos(angle);
            im += v * special::sin(angle);
        }
        assert!(((re * re + im * im) * b2 - 1.0).abs() < 1e-6);
    }
}

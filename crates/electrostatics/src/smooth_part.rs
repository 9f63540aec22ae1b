//! erf(βr)/r, the part of 1/r that the sum over waves counts, and its force.
//!
//! Both are entire functions of r², so that one polynomial each serves all excluded pairs near enough: for
//! y = (βr)² ≤ 4 the Chebyshev series of g(y) = erf(√y)/√y and of −2g′(y), whose terms fall below 10⁻¹⁵ before the
//! eighteenth. T. J. Rivlin, Chebyshev Polynomials, 2nd ed. (Wiley, 1990), §3.

use amelo_math::special;

/// Number of coefficients.
const TERMS: usize = 18;
/// The series hold for 0 ≤ (βr)² ≤ this.
pub const Y_MAX: f64 = 4.0;

/// Polynomials of erf(βr)/r and of its force over r for one β.
#[derive(Clone, Debug)]
pub struct SmoothPart {
    beta: f64,
    /// Coefficients of the powers of s = 2y/Y_MAX − 1 in [−1, 1].
    energy: [f64; TERMS],
    force_over_r: [f64; TERMS],
}

impl SmoothPart {
    pub fn new(beta: f64) -> Self {
        let of = |y: f64| exact(y, 1.0);
        SmoothPart {
            beta,
            energy: fit(|y| of(y).0).map(|c| c * beta),
            force_over_r: fit(|y| of(y).1).map(|c| c * beta * beta * beta),
        }
    }

    /// u = erf(βr)/r (nm⁻¹; left out and zero unless `ENERGY`) and −u′/r (nm⁻³) for each r² (nm²).
    #[inline(always)]
    pub fn eval<const ENERGY: bool, const N: usize>(&self, r2: &[f64; N]) -> ([f64; N], [f64; N]) {
        let mut s = [0.0; N];
        let (scale, mut largest) = (2.0 / Y_MAX * self.beta * self.beta, f64::MIN);
        for k in 0..N {
            s[k] = r2[k] * scale - 1.0;
            largest = if s[k] > largest { s[k] } else { largest };
        }
        let mut energy = if ENERGY { horner(&self.energy, &s) } else { [0.0; N] };
        let mut force_over_r = horner(&self.force_over_r, &s);
        if largest > 1.0 {
            for k in 0..N {
                if s[k] > 1.0 {
                    (energy[k], force_over_r[k]) = exact(r2[k], self.beta);
                }
            }
        }
        (energy, force_over_r)
    }
}

#[inline(always)]
fn horner<const N: usize>(coefficients: &[f64; TERMS], s: &[f64; N]) -> [f64; N] {
    let mut sum = [coefficients[TERMS - 1]; N];
    for c in coefficients[..TERMS - 1].iter().rev() {
        for k in 0..N {
            sum[k] = sum[k] * s[k] + c;
        }
    }
    sum
}

/// The interpolant of `f` on [0, Y_MAX] at the Chebyshev nodes, as coefficients of the powers of s.
fn fit(f: impl Fn(f64) -> f64) -> [f64; TERMS] {
    let angle = |k: usize| std::f64::consts::PI * (k as f64 + 0.5) / TERMS as f64;
    let samples: [f64; TERMS] = std::array::from_fn(|k| f(0.5 * Y_MAX * (1.0 + special::cos(angle(k)))));
    let mut powers = [0.0; TERMS];
    // T_j as coefficients of powers: T_{j+1} = 2s T_j − T_{j−1}.
    let (mut t, mut before) = ([0.0; TERMS], [0.0; TERMS]);
    t[0] = 1.0;
    for j in 0..TERMS {
        let sum: f64 = (0..TERMS).map(|k| samples[k] * special::cos(j as f64 * angle(k))).sum();
        let coefficient = sum * if j == 0 { 1.0 } else { 2.0 } / TERMS as f64;
        for (power, t) in powers.iter_mut().zip(&t) {
            *power += coefficient * t;
        }
        let mut next = [0.0; TERMS];
        for i in 0..TERMS - 1 {
            next[i + 1] = if j == 0 { t[i] } else { 2.0 * t[i] };
        }
        for i in 0..TERMS {
            next[i] -= before[i];
        }
        (before, t) = (t, next);
    }
    powers
}

/// u = erf(βr)/r and −u′/r, from r²; finite at r = 0 (2β/√π and 4β³/(3√π)).
///
/// For small y = (βr)² by erf(x) = 2/√π exp(−x²) Σ 2ⁿ x²ⁿ⁺¹/(2n+1)!!, without a cancellation: M. Abramowitz and
/// I. A. Stegun, Handbook of Mathematical Functions, eq. 7.1.6.
fn exact(r2: f64, beta: f64) -> (f64, f64) {
    let y = beta * beta * r2;
    let gaussian = std::f64::consts::FRAC_2_SQRT_PI * beta * special::exp(-y);
    if y < Y_MAX {
        // Σ (2y)ⁿ/(2n+3)!!
        let (mut sum, mut term) = (0.0, 1.0 / 3.0);
        for n in 0..40 {
            sum += term;
            term *= 2.0 * y / (2.0 * f64::from(n) + 5.0);
        }
        return (gaussian * (1.0 + 2.0 * y * sum), 2.0 * beta * beta * gaussian * sum);
    }
    let r = r2.sqrt();
    let u = special::erf(beta * r) / r;
    (u, (u - gaussian) / r2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smooth_part_is_continuous_and_its_force_a_derivative() {
        let beta = 3.0;
        let u = |r: f64| exact(r * r, beta).0;
        for r in [0.01, 0.1, 0.3, 0.6666, 0.6667, 1.0] {
            let h = 1e-5;
            let slope = (u(r + h) - u(r - h)) / (2.0 * h);
            assert!((-slope / r - exact(r * r, beta).1).abs() < 1e-7 * beta.powi(3) / r.min(1.0), "{r}");
            assert!((u(r) * r - special::erf(beta * r)).abs() < 3e-16);
        }
        // Both branches at their border.
        let border = Y_MAX / (beta * beta);
        let (below, above) = (exact(border * (1.0 - 1e-15), beta), exact(border * (1.0 + 1e-15), beta));
        assert!((below.0 / above.0 - 1.0).abs() < 1e-14 && (below.1 / above.1 - 1.0).abs() < 1e-14);
        let at_zero = exact(0.0, beta);
        assert!((at_zero.0 - 2.0 * beta / std::f64::consts::PI.sqrt()).abs() < 1e-15);
        assert!((at_zero.1 - 4.0 * beta.powi(3) / (3.0 * std::f64::consts::PI.sqrt())).abs() < 1e-13);
    }

    // Against the special functions on 4000 distances, in and beyond the range of the polynomials.
    #[test]
    fn polynomials_are_erf_to_rounding() {
        for beta in [0.7_f64, 2.6, 5.0] {
            let part = SmoothPart::new(beta);
            for i in 0..1000 {
                let r2 = [0.0, 0.001, 0.002, 0.003].map(|d| (1.2 * Y_MAX * (f64::from(i) + 250.0 * d) / 1000.0) / beta.powi(2));
                let (energy, force) = part.eval::<true, 4>(&r2);
                assert_eq!(part.eval::<false, 4>(&r2).1, force);
                for k in 0..4 {
                    let (u, f) = exact(r2[k], beta);
                    assert!((energy[k] - u).abs() < 2e-15 * beta, "β {beta}, r² {}: {:e}", r2[k], energy[k] - u);
                    assert!((force[k] - f).abs() < 2e-15 * beta.powi(3), "β {beta}, r² {}: {:e}", r2[k], force[k] - f);
                }
            }
        }
    }
}

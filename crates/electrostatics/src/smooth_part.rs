//! erf(βr)/r, the part of 1/r that the sum over waves counts, and its force.
//!
//! Both are entire functions of r², so that one polynomial each serves all excluded pairs that are near enough:
//! erf(√y)/√y and −2 d/dy of it for y = (βr)² ≤ [`Y_MAX`], far beyond 1-4 pairs for the usual β.

use amelo_math::lanes::Simd;
use amelo_math::polynomial::Polynomial;
use amelo_math::special;

/// The polynomials hold for 0 ≤ (βr)² ≤ this; beyond it the special functions serve.
const Y_MAX: f64 = 4.0;
/// Terms of the polynomials end below this share of the largest value.
const TOLERANCE: f64 = 1e-15;

/// Polynomials in r² of erf(βr)/r and of its force over r for one β.
#[derive(Clone, Debug)]
pub struct SmoothPart {
    beta: f64,
    energy: Polynomial,
    force_over_r: Polynomial,
}

impl SmoothPart {
    pub fn new(beta: f64) -> Self {
        let fit = |f: &dyn Fn(f64) -> f64| Polynomial::fit(f, 0.0, Y_MAX / (beta * beta), TOLERANCE);
        SmoothPart { beta, energy: fit(&|r2| exact(r2, beta).0), force_over_r: fit(&|r2| exact(r2, beta).1) }
    }

    /// Up to which r² (nm²) a polynomial serves.
    pub fn far(&self) -> f64 {
        Y_MAX / (self.beta * self.beta)
    }

    /// −u′/r (nm⁻³) at r² (nm²), for u = erf(βr)/r.
    pub fn exact_force_over_r(&self, r2: f64) -> f64 {
        exact(r2, self.beta).1
    }

    /// u = erf(βr)/r (nm⁻¹; left out and zero unless `ENERGY`) and −u′/r (nm⁻³) for each r² (nm²).
    #[inline(always)]
    pub fn eval<S: Simd, const ENERGY: bool, const N: usize>(&self, r2: &[f64; N]) -> ([f64; N], [f64; N]) {
        let mut energy = if ENERGY { self.energy.eval_each::<S, N>(r2) } else { [0.0; N] };
        let mut force_over_r = self.force_over_r.eval_each::<S, N>(r2);
        let (mut largest, far) = (0.0, self.far());
        for k in 0..N {
            largest = if r2[k] > largest { r2[k] } else { largest };
        }
        if largest > far {
            for k in 0..N {
                if r2[k] > far {
                    (energy[k], force_over_r[k]) = exact(r2[k], self.beta);
                }
            }
        }
        (energy, force_over_r)
    }
}

/// u = erf(βr)/r and −u′/r, from r²; finite at r = 0 (2β/√π and 4β³/(3√π)).
fn exact(r2: f64, beta: f64) -> (f64, f64) {
    let [u, f] = special::smooth_coulomb(beta * beta * r2);
    (beta * u, beta * beta * beta * f)
}

#[cfg(test)]
mod tests {
    use amelo_math::lanes::{Isa, Job, dispatch};

    use super::*;

    #[test]
    fn smooth_part_is_continuous_and_its_force_a_derivative() {
        let beta = 3.0;
        let u = |r: f64| exact(r * r, beta).0;
        for r in [0.01, 0.1, 0.3, 0.6666, 0.6667, 1.0] {
            let h = 1e-5;
            let slope = (u(r + h) - u(r - h)) / (2.0 * h);
            assert!((-slope / r - exact(r * r, beta).1).abs() < 1e-7 * beta.powi(3) / r.min(1.0), "{r}");
            assert!((u(r) * r - special::erf(beta * r)).abs() < 1e-15);
        }
        // Both branches at their border.
        let border = Y_MAX / (beta * beta);
        let (below, above) = (exact(border * (1.0 - 1e-15), beta), exact(border * (1.0 + 1e-15), beta));
        assert!((below.0 / above.0 - 1.0).abs() < 1e-14 && (below.1 / above.1 - 1.0).abs() < 1e-14);
        let at_zero = exact(0.0, beta);
        assert!((at_zero.0 - 2.0 * beta / std::f64::consts::PI.sqrt()).abs() < 1e-15);
        assert!((at_zero.1 - 4.0 * beta.powi(3) / (3.0 * std::f64::consts::PI.sqrt())).abs() < 1e-13);
    }

    /// Energies and forces over r of four distances, both ways.
    struct Four<'a>(&'a SmoothPart, [f64; 4]);

    impl Job for Four<'_> {
        type Output = [[f64; 4]; 3];

        #[inline(always)]
        fn run<S: Simd>(self) -> [[f64; 4]; 3] {
            let (energy, force) = self.0.eval::<S, true, 4>(&self.1);
            [energy, force, self.0.eval::<S, false, 4>(&self.1).1]
        }
    }

    // On 4000 distances, in and beyond the range of the polynomials; the largest values are 1.13 β and 0.75 β³.
    #[test]
    fn polynomials_are_erf_to_rounding() {
        for (beta, isa) in [(0.7_f64, Isa::Portable), (2.6, Isa::best()), (5.0, Isa::Portable)] {
            let part = SmoothPart::new(beta);
            for i in 0..1000 {
                let r2 = [0.0, 0.25, 0.5, 0.75].map(|d| 1.2 * Y_MAX * (f64::from(i) + d) / (1000.0 * beta * beta));
                let [energy, force, alone] = dispatch(isa, Four(&part, r2));
                assert_eq!(force, alone);
                for k in 0..4 {
                    let (u, f) = exact(r2[k], beta);
                    assert!((energy[k] - u).abs() < 4e-15 * beta, "β {beta}, r² {}: {:e}", r2[k], energy[k] - u);
                    assert!((force[k] - f).abs() < 4e-15 * beta.powi(3), "β {beta}, r² {}: {:e}", r2[k], force[k] - f);
                }
            }
        }
    }
}

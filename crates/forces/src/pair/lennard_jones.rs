//! U(r) = 4ε [(σ/r)¹² − (σ/r)⁶]
//!
//! Repulsion and dispersion of closed-shell atoms: OPLS-AA and CL&P use it.
//! J. E. Lennard-Jones, Proc. Phys. Soc. 43, 461 (1931), doi:10.1088/0959-5309/43/5/301.

use amelo_core::quantity::Dimension;
use amelo_core::{FormClass, FormInfo, ParameterInfo};
use amelo_math::Real;

use super::{Distance, PairEval, PairPotential, exactly};
use crate::ForcesError;

/// 4ε [(σ/r)¹² − (σ/r)⁶]
#[derive(Clone, Copy, Debug)]
pub struct LennardJones {
    /// 4ε σ¹² (kJ mol⁻¹ nm¹²).
    c12: f64,
    /// 4ε σ⁶ (kJ mol⁻¹ nm⁶).
    c6: f64,
}

impl PairPotential<2> for LennardJones {
    const INFO: FormInfo = FormInfo {
        class: FormClass::Pair,
        name: "lennard_jones",
        summary: "repulsion r⁻¹² and dispersion r⁻⁶",
        formula: "U(r) = 4ε [(σ/r)¹² − (σ/r)⁶]",
        parameters: &[
            ParameterInfo { name: "sigma", dimension: Dimension::LENGTH, doc: "distance σ where U = 0" },
            ParameterInfo { name: "epsilon", dimension: Dimension::ENERGY, doc: "depth ε of the minimum" },
        ],
        citation: "J. E. Lennard-Jones, Proc. Phys. Soc. 43, 461 (1931), doi:10.1088/0959-5309/43/5/301",
    };

    // The ether oxygen of OPLS-AA.
    const EXAMPLE: &'static [f64] = &[0.29, 0.58576];

    fn from_parameters(parameters: &[f64]) -> Result<Self, ForcesError> {
        let [sigma, epsilon] = exactly(&Self::INFO, parameters)?;
        if sigma < 0.0 || epsilon < 0.0 {
            let message = format!("sigma is {sigma} nm and epsilon {epsilon} kJ/mol, but neither may be negative");
            return Err(ForcesError::parameter(Self::INFO.name, message));
        }
        let sigma6 = (sigma * sigma * sigma) * (sigma * sigma * sigma);
        Ok(LennardJones { c12: 4.0 * epsilon * sigma6 * sigma6, c6: 4.0 * epsilon * sigma6 })
    }

    fn in_units(&self, unit: f64) -> Self {
        let unit6 = (unit * unit * unit) * (unit * unit * unit);
        LennardJones { c12: self.c12 / (unit6 * unit6), c6: self.c6 / unit6 }
    }

    /// 12 C₁₂ and −6 C₆: those of the force, which is asked for more often than the energy.
    fn constants(&self, scale: f64) -> [f64; 2] {
        [scale * 12.0 * self.c12, scale * -6.0 * self.c6]
    }

    #[inline(always)]
    fn eval<R: Real>([twelve_c12, minus_six_c6]: [R; 2], at: &Distance<R>) -> PairEval<R> {
        let inv_r6 = at.inv_r3 * at.inv_r3;
        let per_r6 = twelve_c12.mul_add(inv_r6 * R::splat(1.0 / 12.0), minus_six_c6 * R::splat(1.0 / 6.0));
        PairEval {
            energy: per_r6 * inv_r6,
            force_over_r: twelve_c12.mul_add(inv_r6, minus_six_c6) * inv_r6 * at.inv_r2,
        }
    }

    fn dispersion_c6(&self) -> f64 {
        self.c6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_at_sigma_and_minus_epsilon_at_the_minimum() {
        let lj = LennardJones::from_parameters(&[0.3, 0.7]).unwrap();
        let at = |r2| LennardJones::eval(lj.constants(1.0), &Distance::of(r2));
        let at_sigma = at(0.09);
        assert!(at_sigma.energy.abs() < 1e-14);
        assert!((at_sigma.force_over_r - 24.0 * 0.7 / 0.09).abs() < 1e-11);
        let at_minimum = at(0.09 * f64::powf(2.0, 1.0 / 3.0));
        assert!((at_minimum.energy + 0.7).abs() < 1e-15);
        assert!(at_minimum.force_over_r.abs() < 1e-12);
    }

    #[test]
    fn negative_depth_and_missing_parameters_are_refused() {
        assert!(LennardJones::from_parameters(&[0.3, -0.7]).is_err());
        let message = LennardJones::from_parameters(&[0.3]).unwrap_err().to_string();
        assert_eq!(message, "\"lennard_jones\" takes 2 parameters (sigma, epsilon), but 1 were given");
    }
}

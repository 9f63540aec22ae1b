//! U(θ, r₁₃) = ½ k_theta (θ − θ₀)² + ½ k_ub (r₁₃ − r13)²

use amelo_core::quantity::Dimension;
use amelo_core::{FormClass, FormInfo, ParameterInfo};
use amelo_math::Real;

use super::{BondedEval, BondedForm};
use crate::ForcesError;
use crate::pair::exactly;

/// Harmonic angle with a spring between its ends.
#[derive(Clone, Copy, Debug)]
pub struct UreyBradley {
    theta0: f64,
    k_theta: f64,
    r13: f64,
    k_ub: f64,
}

impl BondedForm for UreyBradley {
    const INFO: FormInfo = FormInfo {
        class: FormClass::Angle,
        name: "urey_bradley",
        summary: "harmonic angle with a spring between its ends",
        formula: "U(θ, r₁₃) = ½ k_theta (θ − theta0)² + ½ k_ub (r₁₃ − r13)²",
        parameters: &[
            ParameterInfo { name: "theta0", dimension: Dimension::ANGLE, doc: "equilibrium angle θ₀" },
            ParameterInfo {
                name: "k_theta",
                dimension: Dimension::ANGULAR_STIFFNESS,
                doc: "force constant of the angle; papers that write K (θ − θ0)² print K = k/2",
            },
            ParameterInfo { name: "r13", dimension: Dimension::LENGTH, doc: "rest distance between the ends" },
            ParameterInfo {
                name: "k_ub",
                dimension: Dimension::STIFFNESS,
                doc: "force constant of the distance; papers that write K (r − r0)² print K = k/2",
            },
        ],
        citation: "H. C. Urey, C. A. Bradley, Phys. Rev. 38, 1969 (1931), doi:10.1103/PhysRev.38.1969; \
                   B. R. Brooks et al., J. Comput. Chem. 4, 187 (1983), doi:10.1002/jcc.540040211",
    };

    // Of the size that CHARMM's alkanes have: 110°, 300 kJ/mol/rad², 0.218 nm, 19 000 kJ/mol/nm².
    const EXAMPLE: &'static [f64] = &[1.919_862_177_193_762_5, 300.0, 0.218, 19_000.0];

    fn from_parameters(parameters: &[f64]) -> Result<Self, ForcesError> {
        let [theta0, k_theta, r13, k_ub] = exactly(&Self::INFO, parameters)?;
        if !(0.0..=std::f64::consts::PI).contains(&theta0) || k_theta < 0.0 || r13 < 0.0 || k_ub < 0.0 {
            let message = format!(
                "theta0 = {theta0} rad, k_theta = {k_theta} kJ/mol/rad^2, r13 = {r13} nm, k_ub = {k_ub} kJ/mol/nm^2, \
                 but none may be negative and theta0 not above 180 deg"
            );
            return Err(ForcesError::parameter(Self::INFO.name, message));
        }
        Ok(UreyBradley { theta0, k_theta, r13, k_ub })
    }

    #[inline(always)]
    fn eval<R: Real>(&self, theta: R) -> BondedEval<R> {
        let d = theta - R::splat(self.theta0);
        let slope = R::splat(self.k_theta) * d;
        BondedEval { energy: R::splat(0.5) * slope * d, slope }
    }

    #[inline(always)]
    fn eval_ends<R: Real>(&self, r: R) -> Option<BondedEval<R>> {
        let d = r - R::splat(self.r13);
        let slope = R::splat(self.k_ub) * d;
        Some(BondedEval { energy: R::splat(0.5) * slope * d, slope })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parts_rest_at_their_own_value() {
        let form = UreyBradley::from_parameters(&[1.9, 300.0, 0.22, 20_000.0]).unwrap();
        assert_eq!((form.eval(1.9).energy, form.eval(1.9).slope), (0.0, 0.0));
        let ends = form.eval_ends(0.23).unwrap();
        assert!((ends.energy - 1.0).abs() < 1e-12 && (ends.slope - 200.0).abs() < 1e-10, "{ends:?}");
        assert!(UreyBradley::from_parameters(&[1.9, 300.0, -0.22, 1.0]).is_err());
    }
}

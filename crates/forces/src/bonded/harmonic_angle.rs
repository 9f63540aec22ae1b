//! U(θ) = ½ k (θ − θ₀)²

use amelo_core::quantity::Dimension;
use amelo_core::{FormClass, FormInfo, ParameterInfo};
use amelo_math::Real;

use super::{BondedEval, BondedForm};
use crate::ForcesError;
use crate::pair::exactly;

/// Harmonic angle.
#[derive(Clone, Copy, Debug)]
pub struct HarmonicAngle {
    theta0: f64,
    k: f64,
}

impl BondedForm for HarmonicAngle {
    const INFO: FormInfo = FormInfo {
        class: FormClass::Angle,
        name: "harmonic",
        summary: "harmonic angle",
        formula: "U(θ) = ½ k (θ − theta0)²",
        parameters: &[
            ParameterInfo { name: "theta0", dimension: Dimension::ANGLE, doc: "equilibrium angle θ₀" },
            ParameterInfo {
                name: "k",
                dimension: Dimension::ANGULAR_STIFFNESS,
                doc: "force constant k; papers that write K (θ − θ0)² print K = k/2",
            },
        ],
        citation: "Hooke's law",
    };

    // CT–OS–CT of OPLS-AA, doi:10.1021/ja9621760.
    const EXAMPLE: &'static [f64] = &[1.911_135_530_933_791_6, 502.08];

    fn from_parameters(parameters: &[f64]) -> Result<Self, ForcesError> {
        let [theta0, k] = exactly(&Self::INFO, parameters)?;
        if !(0.0..=std::f64::consts::PI).contains(&theta0) || k < 0.0 {
            let message = format!(
                "theta0 = {theta0} rad, k = {k} kJ/mol/rad^2, but neither may be negative and theta0 not above 180 deg"
            );
            return Err(ForcesError::parameter(Self::INFO.name, message));
        }
        Ok(HarmonicAngle { theta0, k })
    }

    #[inline(always)]
    fn eval<R: Real>(&self, theta: R) -> BondedEval<R> {
        let d = theta - R::splat(self.theta0);
        let slope = R::splat(self.k) * d;
        BondedEval { energy: R::splat(0.5) * slope * d, slope }
    }
}

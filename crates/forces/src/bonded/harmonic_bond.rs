//! U(r) = ½ k (r − r₀)²

use amelo_core::quantity::Dimension;
use amelo_core::{FormClass, FormInfo, ParameterInfo};
use amelo_math::Real;

use super::{BondedEval, BondedForm};
use crate::ForcesError;
use crate::pair::exactly;

/// Harmonic bond.
#[derive(Clone, Copy, Debug)]
pub struct HarmonicBond {
    r0: f64,
    k: f64,
}

impl BondedForm for HarmonicBond {
    const INFO: FormInfo = FormInfo {
        class: FormClass::Bond,
        name: "harmonic",
        summary: "harmonic bond",
        formula: "U(r) = ½ k (r − r0)²",
        parameters: &[
            ParameterInfo { name: "r0", dimension: Dimension::LENGTH, doc: "equilibrium distance r₀" },
            ParameterInfo {
                name: "k",
                dimension: Dimension::STIFFNESS,
                doc: "force constant k; papers that write K (r − r0)² print K = k/2",
            },
        ],
        citation: "Hooke's law",
    };

    // CT–OS of OPLS-AA, doi:10.1021/ja9621760.
    const EXAMPLE: &'static [f64] = &[0.141, 267_776.0];

    fn from_parameters(parameters: &[f64]) -> Result<Self, ForcesError> {
        let [r0, k] = exactly(&Self::INFO, parameters)?;
        if r0 < 0.0 || k < 0.0 {
            let message = format!("r0 = {r0} nm, k = {k} kJ/mol/nm^2, but neither may be negative");
            return Err(ForcesError::parameter(Self::INFO.name, message));
        }
        Ok(HarmonicBond { r0, k })
    }

    #[inline(always)]
    fn eval<R: Real>(&self, r: R) -> BondedEval<R> {
        let d = r - R::splat(self.r0);
        let slope = R::splat(self.k) * d;
        BondedEval { energy: R::splat(0.5) * slope * d, slope }
    }
}

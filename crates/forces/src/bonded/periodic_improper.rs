//! U(φ) = k [1 + cos(n φ − φ₀)] on an improper dihedral

use amelo_core::{FormClass, FormInfo};
use amelo_math::Real;

use super::periodic_dihedral::{FORMULA, PARAMETERS, PeriodicDihedral};
use super::{BondedEval, BondedForm};
use crate::ForcesError;

/// Periodic improper: the periodic torsion on four atoms that are not a chain.
#[derive(Clone, Copy, Debug)]
pub struct PeriodicImproper(PeriodicDihedral);

impl BondedForm for PeriodicImproper {
    const INFO: FormInfo = FormInfo {
        class: FormClass::Improper,
        name: "periodic",
        summary: "periodic improper dihedral",
        formula: FORMULA,
        parameters: PARAMETERS,
        citation: PeriodicDihedral::INFO.citation,
    };

    // X–X–C–O of AMBER and OPLS-AA.
    const EXAMPLE: &'static [f64] = &[std::f64::consts::PI, 43.932, 2.0];

    fn from_parameters(parameters: &[f64]) -> Result<Self, ForcesError> {
        PeriodicDihedral::checked(&Self::INFO, parameters).map(PeriodicImproper)
    }

    #[inline(always)]
    fn eval<R: Real>(&self, phi: R) -> BondedEval<R> {
        self.0.eval(phi)
    }

    #[inline(always)]
    fn eval_torsion<R: Real>(&self, cosine: R, sine: R) -> BondedEval<R> {
        self.0.eval_torsion(cosine, sine)
    }
}

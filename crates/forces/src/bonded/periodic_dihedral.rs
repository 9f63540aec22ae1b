//! U(φ) = k [1 + cos(n φ − φ₀)]

use amelo_core::quantity::Dimension;
use amelo_core::{FormClass, FormInfo, ParameterInfo};
use amelo_math::Real;

use super::{BondedEval, BondedForm};
use crate::ForcesError;
use crate::pair::exactly;

pub(super) const PARAMETERS: &[ParameterInfo] = &[
    ParameterInfo { name: "phi0", dimension: Dimension::ANGLE, doc: "phase φ₀" },
    ParameterInfo { name: "k", dimension: Dimension::ENERGY, doc: "half the barrier's height" },
    ParameterInfo { name: "n", dimension: Dimension::NONE, doc: "multiplicity, a whole number" },
];

pub(super) const FORMULA: &str = "U(φ) = k [1 + cos(n φ − phi0)]";

/// Periodic torsion; several of them on one dihedral add up.
#[derive(Clone, Copy, Debug)]
pub struct PeriodicDihedral {
    phi0: f64,
    k: f64,
    n: f64,
}

impl PeriodicDihedral {
    pub(super) fn checked(info: &FormInfo, parameters: &[f64]) -> Result<Self, ForcesError> {
        let [phi0, k, n] = exactly(info, parameters)?;
        if n < 0.0 || n.fract() != 0.0 || n > 12.0 {
            let message = format!("n = {n}, but the multiplicity is a whole number from 0 to 12");
            return Err(ForcesError::parameter(info.name, message));
        }
        Ok(PeriodicDihedral { phi0, k, n })
    }
}

impl BondedForm for PeriodicDihedral {
    const INFO: FormInfo = FormInfo {
        class: FormClass::Dihedral,
        name: "periodic",
        summary: "periodic torsion",
        formula: FORMULA,
        parameters: PARAMETERS,
        citation: "W. D. Cornell et al., J. Am. Chem. Soc. 117, 5179 (1995), doi:10.1021/ja00124a002, eq. 1",
    };

    // X–CT–CT–X of the paper, with a phase so that its sign is tested.
    const EXAMPLE: &'static [f64] = &[0.7, 0.6508, 3.0];

    fn from_parameters(parameters: &[f64]) -> Result<Self, ForcesError> {
        Self::checked(&Self::INFO, parameters)
    }

    #[inline(always)]
    fn eval<R: Real>(&self, phi: R) -> BondedEval<R> {
        let (k, n) = (R::splat(self.k), R::splat(self.n));
        let x = n * phi - R::splat(self.phi0);
        BondedEval { energy: k * (R::splat(1.0) + x.cos()), slope: -k * n * x.sin() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    #[test]
    fn special_points() {
        let torsion = PeriodicDihedral::from_parameters(&[PI, 2.0, 2.0]).unwrap();
        assert!(torsion.eval(0.0).energy.abs() < 1e-14);
        assert!((torsion.eval(PI / 2.0).energy - 4.0).abs() < 1e-14);
        assert!(PeriodicDihedral::from_parameters(&[0.0, 1.0, 2.5]).is_err());
    }
}

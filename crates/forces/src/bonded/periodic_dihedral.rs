//! U(φ) = k [1 + cos(n φ − φ₀)]

use amelo_core::quantity::Dimension;
use amelo_core::{FormClass, FormInfo, ParameterInfo};
use amelo_math::{Real, special};

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
    /// Cosine and sine of φ₀.
    phase: [f64; 2],
    k: f64,
    n: u32,
}

/// Largest multiplicity.
const MAX_N: u32 = 12;

impl PeriodicDihedral {
    pub(super) fn checked(info: &FormInfo, parameters: &[f64]) -> Result<Self, ForcesError> {
        let [phi0, k, n] = exactly(info, parameters)?;
        if n < 0.0 || n.fract() != 0.0 || n > f64::from(MAX_N) {
            let message = format!("n = {n}, but the multiplicity is a whole number from 0 to {MAX_N}");
            return Err(ForcesError::parameter(info.name, message));
        }
        Ok(PeriodicDihedral { phase: [special::cos(phi0), special::sin(phi0)], k, n: n as u32 })
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
        self.eval_torsion(phi.cos(), phi.sin())
    }

    #[inline(always)]
    fn eval_torsion<R: Real>(&self, cosine: R, sine: R) -> BondedEval<R> {
        let (k, n) = (R::splat(self.k), R::splat(f64::from(self.n)));
        // Cosine and sine of n φ by the addition theorem. All steps are made and those beyond n left out: a loop to n
        // would keep the one around it from being vectorised.
        let (mut c, mut s) = (R::splat(1.0), R::splat(0.0));
        for turn in 0..MAX_N {
            let next = (c * cosine - s * sine, s * cosine + c * sine);
            (c, s) = if turn < self.n { next } else { (c, s) };
        }
        // n φ − φ₀.
        let [c0, s0] = self.phase.map(R::splat);
        let (cos_x, sin_x) = (c * c0 + s * s0, s * c0 - c * s0);
        BondedEval { energy: k * (R::splat(1.0) + cos_x), slope: -k * n * sin_x }
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

    #[test]
    fn is_its_formula_for_every_multiplicity() {
        for n in 0..=MAX_N {
            let torsion = PeriodicDihedral::from_parameters(&[0.7, 1.5, f64::from(n)]).unwrap();
            for k in -20..=20 {
                let phi = f64::from(k) * PI / 20.0;
                let x = f64::from(n) * phi - 0.7;
                let eval = torsion.eval(phi);
                assert!((eval.energy - 1.5 * (1.0 + x.cos())).abs() < 1e-14, "{n} {phi}");
                assert!((eval.slope + 1.5 * f64::from(n) * x.sin()).abs() < 2e-13, "{n} {phi}");
            }
        }
    }
}

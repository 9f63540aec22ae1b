//! U(φ) = ½ k (φ − φ₀)² on an improper dihedral, φ − φ₀ taken between −π and π

use std::f64::consts::{PI, TAU};

use amelo_core::quantity::Dimension;
use amelo_core::{FormClass, FormInfo, ParameterInfo};
use amelo_math::Real;

use super::{BondedEval, BondedForm};
use crate::ForcesError;
use crate::pair::exactly;

/// Harmonic improper.
#[derive(Clone, Copy, Debug)]
pub struct HarmonicImproper {
    phi0: f64,
    k: f64,
}

impl BondedForm for HarmonicImproper {
    const INFO: FormInfo = FormInfo {
        class: FormClass::Improper,
        name: "harmonic",
        summary: "harmonic improper dihedral",
        formula: "U(φ) = ½ k (φ − phi0)², φ − phi0 between −180° and 180°",
        parameters: &[
            ParameterInfo { name: "phi0", dimension: Dimension::ANGLE, doc: "equilibrium dihedral φ₀" },
            ParameterInfo { name: "k", dimension: Dimension::ANGULAR_STIFFNESS, doc: "force constant k" },
        ],
        citation: "B. R. Brooks et al., J. Comput. Chem. 4, 187 (1983), doi:10.1002/jcc.540040211",
    };

    // GROMOS' tetrahedral centre: 35.26439°, 0.102 kJ/mol/deg² = 334.846 kJ/mol/rad².
    const EXAMPLE: &'static [f64] = &[0.615_479_7, 334.846_17];

    fn from_parameters(parameters: &[f64]) -> Result<Self, ForcesError> {
        let [phi0, k] = exactly(&Self::INFO, parameters)?;
        if k < 0.0 {
            let message = format!("k = {k} kJ/mol/rad^2, but it must not be negative");
            return Err(ForcesError::parameter(Self::INFO.name, message));
        }
        let turns = (phi0 / TAU).round_ties_even();
        Ok(HarmonicImproper { phi0: phi0 - TAU * turns, k })
    }

    #[inline(always)]
    fn eval<R: Real>(&self, phi: R) -> BondedEval<R> {
        let d = phi - R::splat(self.phi0);
        // Both angles lie between −π and π, so that one turn is the most that is to be taken back.
        let d = d.select_lt(R::splat(-PI), d + R::splat(TAU), d);
        let d = R::splat(PI).select_lt(d, d - R::splat(TAU), d);
        let slope = R::splat(self.k) * d;
        BondedEval { energy: R::splat(0.5) * slope * d, slope }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_difference_is_taken_around_the_circle() {
        let improper = HarmonicImproper::from_parameters(&[3.0, 2.0]).unwrap();
        let d = TAU - 6.0; // from 3 over π to −3
        assert!((improper.eval(-3.0).energy - d * d).abs() < 1e-13);
        assert!((improper.eval(-3.0).slope - 2.0 * d).abs() < 1e-13);
        let turned = HarmonicImproper::from_parameters(&[3.0 + 2.0 * TAU, 2.0]).unwrap();
        assert!((turned.eval(-3.0).energy - d * d).abs() < 1e-13);
        let other_side = HarmonicImproper::from_parameters(&[-3.0, 2.0]).unwrap();
        assert!((other_side.eval(3.0).slope + 2.0 * d).abs() < 1e-13);
    }
}

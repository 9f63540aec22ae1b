//! U(φ) = ½ k (|φ| − φ₀)² on an improper dihedral

use amelo_core::quantity::Dimension;
use amelo_core::{FormClass, FormInfo, ParameterInfo};
use amelo_math::Real;

use super::{BondedEval, BondedForm};
use crate::ForcesError;
use crate::pair::exactly;

/// Harmonic improper in the angle between two planes, which has no sign: LAMMPS' improper style `harmonic`. Where φ₀ is
/// neither 0 nor π the energy has a kink at φ = 0.
#[derive(Clone, Copy, Debug)]
pub struct HarmonicUnsignedImproper {
    phi0: f64,
    k: f64,
}

impl BondedForm for HarmonicUnsignedImproper {
    const INFO: FormInfo = FormInfo {
        class: FormClass::Improper,
        name: "harmonic_unsigned",
        summary: "harmonic in the unsigned angle between the planes of an improper",
        formula: "U(φ) = ½ k (|φ| − phi0)², phi0 between 0° and 180°",
        parameters: &[
            ParameterInfo {
                name: "phi0", dimension: Dimension::ANGLE, doc: "equilibrium angle φ₀ between the planes"
            },
            ParameterInfo { name: "k", dimension: Dimension::ANGULAR_STIFFNESS, doc: "force constant k" },
        ],
        citation: "LAMMPS documentation, improper_style harmonic: E = K (χ − χ0)², K = k/2",
    };

    // Near the tetrahedral centre of GROMOS, 35.26439°.
    const EXAMPLE: &'static [f64] = &[0.615_479_7, 334.72];

    fn from_parameters(parameters: &[f64]) -> Result<Self, ForcesError> {
        let [phi0, k] = exactly(&Self::INFO, parameters)?;
        if k < 0.0 || !(0.0..=std::f64::consts::PI).contains(&phi0) {
            let message = format!(
                "phi0 = {phi0} rad, k = {k} kJ/mol/rad^2, but phi0 lies between 0 and 180 deg and k is not negative"
            );
            return Err(ForcesError::parameter(Self::INFO.name, message));
        }
        Ok(HarmonicUnsignedImproper { phi0, k })
    }

    #[inline(always)]
    fn eval<R: Real>(&self, phi: R) -> BondedEval<R> {
        let side = phi.select_lt(R::splat(0.0), R::splat(-1.0), R::splat(1.0));
        let d = side * phi - R::splat(self.phi0);
        let slope = R::splat(self.k) * d;
        BondedEval { energy: R::splat(0.5) * slope * d, slope: side * slope }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_are_alike_and_their_slopes_opposite() {
        let improper = HarmonicUnsignedImproper::from_parameters(&[0.5, 2.0]).unwrap();
        let (left, right) = (improper.eval(-0.8), improper.eval(0.8));
        assert!((right.energy - 0.09).abs() < 1e-15 && (right.slope - 0.6).abs() < 1e-15);
        assert_eq!((left.energy, left.slope), (right.energy, -right.slope));
        assert!(HarmonicUnsignedImproper::from_parameters(&[-0.1, 2.0]).is_err());
    }
}

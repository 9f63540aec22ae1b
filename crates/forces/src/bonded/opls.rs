//! U(φ) = ½ [V₁ (1 + cos φ) + V₂ (1 − cos 2φ) + V₃ (1 + cos 3φ) + V₄ (1 − cos 4φ)], trans at φ = π

use amelo_core::quantity::Dimension;
use amelo_core::{FormClass, FormInfo, ParameterInfo};
use amelo_math::Real;

use super::{BondedEval, BondedForm};
use crate::ForcesError;
use crate::pair::exactly;

/// Fourier torsion of OPLS.
#[derive(Clone, Copy, Debug)]
pub struct Opls {
    v: [f64; 4],
}

impl BondedForm for Opls {
    const INFO: FormInfo = FormInfo {
        class: FormClass::Dihedral,
        name: "opls",
        summary: "Fourier torsion of OPLS, four terms",
        formula: "U(φ) = ½ [v1 (1 + cos φ) + v2 (1 − cos 2φ) + v3 (1 + cos 3φ) + v4 (1 − cos 4φ)], trans at 180°",
        parameters: &[
            ParameterInfo { name: "v1", dimension: Dimension::ENERGY, doc: "amplitude V₁" },
            ParameterInfo { name: "v2", dimension: Dimension::ENERGY, doc: "amplitude V₂" },
            ParameterInfo { name: "v3", dimension: Dimension::ENERGY, doc: "amplitude V₃" },
            ParameterInfo { name: "v4", dimension: Dimension::ENERGY, doc: "amplitude V₄" },
        ],
        citation: "W. L. Jorgensen, D. S. Maxwell, J. Tirado-Rives, J. Am. Chem. Soc. 118, 11225 (1996), \
                   doi:10.1021/ja9621760",
    };

    // S–N–S–C of TFSI (CL&P, doi:10.1021/jp0476545), with a fourth term so that it is tested too.
    const EXAMPLE: &'static [f64] = &[32.773, -10.42, -3.195, 2.1];

    fn from_parameters(parameters: &[f64]) -> Result<Self, ForcesError> {
        Ok(Opls { v: exactly(&Self::INFO, parameters)? })
    }

    #[inline(always)]
    fn eval<R: Real>(&self, phi: R) -> BondedEval<R> {
        self.eval_torsion(phi.cos(), phi.sin())
    }

    #[inline(always)]
    fn eval_torsion<R: Real>(&self, c1: R, s1: R) -> BondedEval<R> {
        let [v1, v2, v3, v4] = self.v.map(|v| R::splat(0.5 * v));
        let (one, two, three, four) = (R::splat(1.0), R::splat(2.0), R::splat(3.0), R::splat(4.0));
        // Cosine and sine of 2φ, 3φ, 4φ by the addition theorem.
        let (c2, s2) = (two * c1 * c1 - one, two * s1 * c1);
        let (c3, s3) = (c2 * c1 - s2 * s1, s2 * c1 + c2 * s1);
        let (c4, s4) = (two * c2 * c2 - one, two * s2 * c2);
        BondedEval {
            energy: v1 * (one + c1) + v2 * (one - c2) + v3 * (one + c3) + v4 * (one - c4),
            slope: -v1 * s1 + two * v2 * s2 - three * v3 * s3 + four * v4 * s4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bonded::RyckaertBellemans;

    /// Jorgensen's relation between the two forms, as GROMACS' manual prints it ("Proper dihedrals: Ryckaert-Bellemans
    /// function").
    #[test]
    fn equals_the_ryckaert_bellemans_form_of_the_same_torsion() {
        let [v1, v2, v3, v4] = [2.7196, -1.046, 2.80328, -1.7];
        let c = [v2 + 0.5 * (v1 + v3), 0.5 * (3.0 * v3 - v1), -v2 + 4.0 * v4, -2.0 * v3, -4.0 * v4, 0.0];
        let opls = Opls::from_parameters(&[v1, v2, v3, v4]).unwrap();
        let rb = RyckaertBellemans::from_parameters(&c).unwrap();
        for k in -18..=18 {
            let phi = f64::from(k) * 0.17;
            let (a, b) = (opls.eval(phi), rb.eval(phi));
            assert!((a.energy - b.energy).abs() < 1e-13 && (a.slope - b.slope).abs() < 1e-13, "{phi}");
        }
    }

    #[test]
    fn special_points() {
        let torsion = Opls::from_parameters(&[1.0, 2.0, 4.0, 8.0]).unwrap();
        assert_eq!(torsion.eval(0.0).energy, 5.0); // cis: V1 + V3
        assert!(torsion.eval(std::f64::consts::PI).energy.abs() < 1e-14); // trans
    }
}

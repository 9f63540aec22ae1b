//! U(φ) = Σₙ Cₙ cosⁿ ψ with ψ = φ − π, n = 0 … 5, trans at ψ = 0

use amelo_core::quantity::Dimension;
use amelo_core::{FormClass, FormInfo, ParameterInfo};
use amelo_math::Real;

use super::{BondedEval, BondedForm};
use crate::ForcesError;
use crate::pair::exactly;

/// Torsion as a polynomial in the cosine.
#[derive(Clone, Copy, Debug)]
pub struct RyckaertBellemans {
    c: [f64; 6],
}

impl BondedForm for RyckaertBellemans {
    const INFO: FormInfo = FormInfo {
        class: FormClass::Dihedral,
        name: "ryckaert_bellemans",
        summary: "torsion as a polynomial of fifth degree in the cosine",
        formula: "U(φ) = Σ cn cosⁿ ψ, ψ = φ − 180°, n = 0 … 5",
        parameters: &[
            ParameterInfo { name: "c0", dimension: Dimension::ENERGY, doc: "coefficient C₀" },
            ParameterInfo { name: "c1", dimension: Dimension::ENERGY, doc: "coefficient C₁" },
            ParameterInfo { name: "c2", dimension: Dimension::ENERGY, doc: "coefficient C₂" },
            ParameterInfo { name: "c3", dimension: Dimension::ENERGY, doc: "coefficient C₃" },
            ParameterInfo { name: "c4", dimension: Dimension::ENERGY, doc: "coefficient C₄" },
            ParameterInfo { name: "c5", dimension: Dimension::ENERGY, doc: "coefficient C₅" },
        ],
        citation: "J.-P. Ryckaert, A. Bellemans, Chem. Phys. Lett. 30, 123 (1975); Faraday Discuss. Chem. Soc. 66, 95 \
                   (1978), doi:10.1039/DC9786600095",
    };

    // Butane, in kJ/mol as GROMACS' reference manual tabulates it.
    const EXAMPLE: &'static [f64] = &[9.28, 12.16, -13.12, -3.06, 26.24, -31.5];

    fn from_parameters(parameters: &[f64]) -> Result<Self, ForcesError> {
        Ok(RyckaertBellemans { c: exactly(&Self::INFO, parameters)? })
    }

    #[inline(always)]
    fn eval<R: Real>(&self, phi: R) -> BondedEval<R> {
        self.eval_torsion(phi.cos(), phi.sin())
    }

    #[inline(always)]
    fn eval_torsion<R: Real>(&self, cosine: R, sine: R) -> BondedEval<R> {
        let x = -cosine; // cos ψ
        let (mut energy, mut by_x) = (R::splat(0.0), R::splat(0.0));
        for &c in self.c.iter().rev() {
            by_x = by_x * x + energy;
            energy = energy * x + R::splat(c);
        }
        BondedEval { energy, slope: by_x * sine }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// J.-P. Ryckaert, A. Bellemans: trans is zero, cis the highest barrier; here from the coefficients' sums.
    #[test]
    fn special_points() {
        let c = [9.28, 12.16, -13.12, -3.06, 26.24, -31.5];
        let torsion = RyckaertBellemans::from_parameters(&c).unwrap();
        assert!((torsion.eval(std::f64::consts::PI).energy - c.iter().sum::<f64>()).abs() < 1e-13);
        let cis = c.iter().enumerate().map(|(n, c)| if n % 2 == 0 { *c } else { -c }).sum::<f64>();
        assert!((torsion.eval(0.0).energy - cis).abs() < 1e-13 && cis > 44.0);
        assert!((torsion.eval(std::f64::consts::FRAC_PI_2).energy - c[0]).abs() < 1e-13);
    }
}

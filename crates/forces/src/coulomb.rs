//! Coulomb's law between two charges, whole or only its short-ranged part.

use amelo_core::units::COULOMB;
use amelo_core::{Coulomb, Nonbonded};
use amelo_math::Real;

use crate::PairEval;
use crate::pair::Distance;

/// How the pair loop treats charges within the cut-off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RealSpace {
    /// Charges do not interact.
    None,
    /// q_i q_j / 4πε₀r, neither shifted nor switched.
    Plain,
    /// q_i q_j erfc(βr) / 4πε₀r, the part of Ewald's sum that lives in real space.
    /// P. P. Ewald, Ann. Phys. 369, 253 (1921), doi:10.1002/andp.19213690304.
    Ewald {
        /// Splitting parameter β (nm⁻¹).
        beta: f64,
    },
}

impl RealSpace {
    /// What `settings` ask of the pair loop.
    pub fn new(settings: &Nonbonded) -> Self {
        match settings.coulomb {
            Coulomb::None => RealSpace::None,
            Coulomb::Cutoff => RealSpace::Plain,
            Coulomb::Ewald { beta, .. } | Coulomb::Pme { beta, .. } => RealSpace::Ewald { beta },
        }
    }

    /// U and −U′/r of charges whose product is `qq` (e²) at the squared distance `r2` (nm²).
    #[inline(always)]
    pub fn eval<R: Real>(&self, qq: f64, r2: R) -> PairEval<R> {
        let k = R::splat(COULOMB * qq);
        match *self {
            RealSpace::None => PairEval::zero(),
            RealSpace::Plain => plain(k, &Distance::of(r2)),
            RealSpace::Ewald { beta } => {
                let r = r2.sqrt();
                let (erfc, gaussian) = (R::splat(beta) * r).erfc_and_gaussian();
                let energy = k * erfc / r;
                let slope = R::splat(std::f64::consts::FRAC_2_SQRT_PI * beta) * gaussian;
                PairEval { energy, force_over_r: (energy + k * slope) / r2 }
            }
        }
    }
}

/// U = k/r and −U′/r.
#[inline(always)]
pub(crate) fn plain<R: Real>(k: R, at: &Distance<R>) -> PairEval<R> {
    let energy = k * at.inv_r;
    PairEval { energy, force_over_r: energy * at.inv_r2 }
}

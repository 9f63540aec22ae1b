//! U(r) = A exp(−r/ρ) − C/r⁶
//!
//! Exponential repulsion with dispersion: the oxide of Matsui and Akaogi. R. A. Buckingham, Proc. R. Soc. A 168, 264
//! (1938), doi:10.1098/rspa.1938.0173.
//!
//! The formula is unbounded below as r → 0. Inside the top of its barrier, r < r_t with U′(r_t) = 0, it is therefore
//! replaced by the guard U_t + U_t [(r_t/r)² − 1]², which joins with the same value and slope (C¹), rises all the
//! way in, and beats the Coulomb attraction of opposite ions. No simulation should get there; entries are counted.

use amelo_core::quantity::Dimension;
use amelo_core::{FormClass, FormInfo, ParameterInfo};
use amelo_math::{Real, special};

use super::{Distance, PairEval, PairPotential, exactly};
use crate::ForcesError;

/// A exp(−r/ρ) − C/r⁶, guarded inside its barrier's top.
#[derive(Clone, Copy, Debug)]
pub struct Buckingham {
    /// Repulsion strength A (kJ/mol).
    a: f64,
    /// Repulsion range ρ (nm).
    rho: f64,
    /// Dispersion strength C (kJ mol⁻¹ nm⁶).
    c: f64,
    /// Position r_t of the barrier's top (nm); 0 where C = 0 and there is none.
    top_radius: f64,
    /// Height U_t of the barrier's top (kJ/mol).
    top_energy: f64,
}

impl PairPotential<4> for Buckingham {
    const INFO: FormInfo = FormInfo {
        class: FormClass::Pair,
        name: "buckingham",
        summary: "exponential repulsion and dispersion r⁻⁶, guarded at short range",
        formula: "U(r) = A exp(−r/ρ) − C/r⁶ for r ≥ r_t, U_t + U_t [(r_t/r)² − 1]² below the barrier's top (r_t, U_t)",
        parameters: &[
            ParameterInfo { name: "a", dimension: Dimension::ENERGY, doc: "strength A of the repulsion" },
            ParameterInfo { name: "rho", dimension: Dimension::LENGTH, doc: "range ρ of the repulsion" },
            ParameterInfo { name: "c", dimension: Dimension::ENERGY_LENGTH6, doc: "strength C of the dispersion" },
        ],
        citation: "R. A. Buckingham, Proc. R. Soc. A 168, 264 (1938), doi:10.1098/rspa.1938.0173",
    };

    const GUARDED: bool = true;

    // Ti–O of M. Matsui, M. Akaogi, Mol. Simul. 6, 239 (1991), doi:10.1080/08927029108022432.
    const EXAMPLE: &'static [f64] = &[1_636_165.0, 0.0194, 1.215e-3];

    fn from_parameters(parameters: &[f64]) -> Result<Self, ForcesError> {
        let [a, rho, c] = exactly(&Self::INFO, parameters)?;
        if a < 0.0 || rho <= 0.0 || c < 0.0 {
            let message = format!(
                "a = {a} kJ/mol, rho = {rho} nm, c = {c} kJ/mol*nm^6, but a and c must not be negative and rho must \
                 be positive"
            );
            return Err(ForcesError::parameter(Self::INFO.name, message));
        }
        let mut potential = Buckingham { a, rho, c, top_radius: 0.0, top_energy: 0.0 };
        if c > 0.0 {
            let r = barrier_top(a, rho, c);
            let at = |r: f64| Self::eval(potential.constants(1.0), &Distance::of(r * r));
            let (top_energy, outside) = (at(r).energy, at(7.0 * rho).force_over_r);
            if top_energy <= 0.0 || outside <= 0.0 {
                let message = format!(
                    "with a = {a} kJ/mol, rho = {rho} nm, c = {c} kJ/mol*nm^6 nothing holds the atoms apart \
                     (no barrier at any distance): check a and rho, or write the pair as lennard_jones"
                );
                return Err(ForcesError::parameter(Self::INFO.name, message));
            }
            (potential.top_radius, potential.top_energy) = (r, top_energy);
        }
        Ok(potential)
    }

    fn in_units(&self, unit: f64) -> Self {
        let Buckingham { a, rho, c, top_radius, top_energy } = *self;
        let unit6 = (unit * unit * unit) * (unit * unit * unit);
        Buckingham { a, rho: rho / unit, c: c / unit6, top_radius: top_radius / unit, top_energy }
    }

    /// A/ρ, −1/(ρ ln 2), −6 C, ρ: those of the force, so that it takes few multiplications.
    fn constants(&self, scale: f64) -> [f64; 4] {
        let Buckingham { a, rho, c, .. } = *self;
        [scale * a / rho, -std::f64::consts::LOG2_E / rho, -6.0 * scale * c, rho]
    }

    #[inline(always)]
    fn eval<R: Real>([a_over_rho, slope, minus_6c, rho]: [R; 4], at: &Distance<R>) -> PairEval<R> {
        // −∂/∂r of A exp(−r/ρ), and 6 U of −C/r⁶.
        let repulsion = a_over_rho * (at.r * slope).exp2();
        let dispersion = minus_6c * at.inv_r3 * at.inv_r3;
        PairEval {
            energy: dispersion.mul_add(R::splat(1.0 / 6.0), repulsion * rho),
            force_over_r: dispersion.mul_add(at.inv_r, repulsion) * at.inv_r,
        }
    }

    /// U_t + U_t x² with x = (r_t/r)² − 1.
    #[inline(always)]
    fn guard<R: Real>(&self, at: &Distance<R>) -> PairEval<R> {
        let ratio = R::splat(self.top_radius * self.top_radius) * at.inv_r2;
        let x = ratio - R::splat(1.0);
        PairEval {
            energy: R::splat(self.top_energy) * (R::splat(1.0) + x * x),
            force_over_r: R::splat(4.0 * self.top_energy) * x * ratio * at.inv_r2,
        }
    }

    fn dispersion_c6(&self) -> f64 {
        self.c
    }

    fn guard_radius(&self) -> f64 {
        self.top_radius
    }
}

/// The inner zero of U′ (nm): A/ρ · r⁷ exp(−r/ρ) = 6 C below r = 7ρ, up to where the left side rises. Of the two ends
/// of the last interval the outer one, so that the force at the splice does not attract.
fn barrier_top(a: f64, rho: f64, c: f64) -> f64 {
    let (mut low, mut high) = (0.0, 7.0 * rho);
    for _ in 0..200 {
        let r = 0.5 * (low + high);
        let r3 = r * r * r;
        if a / rho * (r3 * r3 * r) * special::exp(-r / rho) < 6.0 * c {
            low = r;
        } else {
            high = r;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pair::AnyPair;
    use amelo_core::units::EV;

    /// Matsui–Akaogi: (name, A kJ/mol, ρ nm, C kJ mol⁻¹ nm⁶, barrier's top nm, height eV).
    const OXIDE: [(&str, f64, f64, f64, f64, f64); 3] = [
        ("Ti-Ti", 3_002_664.0, 0.0154, 506.25e-6, 0.042, 1080.0),
        ("Ti-O", 1_636_165.0, 0.0194, 1215.0e-6, 0.055, 541.0),
        ("O-O", 1_136_872.0, 0.0234, 2916.0e-6, 0.068, 339.0),
    ];

    #[test]
    fn the_barriers_of_the_oxide_are_where_the_literature_has_them() {
        for (name, a, rho, c, radius, height) in OXIDE {
            let b = Buckingham::from_parameters(&[a, rho, c]).unwrap();
            assert!((b.guard_radius() - radius).abs() < 6e-4, "{name}: {}", b.guard_radius());
            assert!((b.top_energy / EV - height).abs() < 1.0, "{name}: {}", b.top_energy / EV);
        }
    }

    #[test]
    fn the_guard_joins_smoothly_and_always_repels() {
        for (name, a, rho, c, _, _) in OXIDE {
            let b = Buckingham::from_parameters(&[a, rho, c]).unwrap();
            let r = b.guard_radius();
            let at = |r: f64| AnyPair::Buckingham(b).eval(r * r);
            let (inside, outside) = (at(r * (1.0 - 1e-9)), at(r * (1.0 + 1e-9)));
            assert!((inside.energy / outside.energy - 1.0).abs() < 1e-12, "{name}");
            // Slopes are continuous: both vanish at the top, up to curvature times 1e-9 r.
            let scale = b.top_energy / (r * r);
            assert!((inside.force_over_r - outside.force_over_r).abs() < 1e-6 * scale, "{name}");
            // Also against the attraction of the ions, +2.196 and −1.098 e at the strongest.
            let coulomb = 138.935 * 2.196 * 1.098;
            let mut last = f64::INFINITY;
            for k in 1..=96 {
                let r = r * f64::from(k) / 100.0;
                let energy = at(r).energy - coulomb / r;
                assert!(energy < last, "{name} at {r} nm");
                last = energy;
            }
        }
    }

    #[test]
    fn a_potential_without_a_barrier_is_refused() {
        let message = Buckingham::from_parameters(&[1.0, 0.0194, 1215.0e-6]).unwrap_err().to_string();
        assert!(message.contains("nothing holds the atoms apart"), "{message}");
        assert_eq!(Buckingham::from_parameters(&[1000.0, 0.03, 0.0]).unwrap().guard_radius(), 0.0);
    }
}

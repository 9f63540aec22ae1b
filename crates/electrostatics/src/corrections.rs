//! What the sum over waves counts too much or too little: self energy, background, excluded pairs.

use amelo_core::units::COULOMB;
use amelo_core::{ForceError, Forces, Request, System, Topology};
use amelo_math::{Mat3, Vec3, special};
use rayon::prelude::*;

use crate::COULOMB_RECIPROCAL;

/// The parts of `coulomb_reciprocal` (kJ/mol).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Components {
    /// Sum over waves k ≠ 0, all charges as Gaussians.
    pub waves: f64,
    /// −k_e β/√π Σ q²: each Gaussian's interaction with itself.
    pub self_energy: f64,
    /// −π k_e Q²/(2 β² V): the background that neutralises a net charge Q against the Gaussians.
    pub background: f64,
    /// −k_e q_i q_j erf(βr)/r over excluded pairs.
    pub exclusions: f64,
}

impl Components {
    /// Their sum.
    pub fn total(&self) -> f64 {
        self.waves + self.self_energy + self.background + self.exclusions
    }
}

/// Self energy, background and exclusions of one set of charges.
pub struct Corrections {
    beta: f64,
    n_atoms: usize,
    net_charge: f64,
    self_energy: f64,
    /// Excluded pairs of charges, i < j, with k_e q_i q_j.
    pairs: Vec<([u32; 2], f64)>,
}

impl Corrections {
    pub fn new(topology: &Topology, beta: f64) -> Self {
        let q = &topology.charges;
        let sum_q2: f64 = q.iter().map(|q| q * q).sum();
        let pairs = topology
            .exclusions
            .pairs()
            .map(|[i, j]| ([i, j], COULOMB * q[i as usize] * q[j as usize]))
            .filter(|(_, qq)| *qq != 0.0)
            .collect();
        Corrections {
            beta,
            n_atoms: topology.n_atoms(),
            net_charge: topology.total_charge(),
            self_energy: -COULOMB * beta * std::f64::consts::FRAC_2_SQRT_PI * 0.5 * sum_q2,
            pairs,
        }
    }

    /// The term was made for this number of atoms; a system of another size is a mistake of the caller.
    pub fn check(&self, system: &System, term: &'static str) -> Result<(), ForceError> {
        if system.n_atoms() == self.n_atoms {
            return Ok(());
        }
        let message =
            format!("made for {} atoms, but the system has {}; build the term anew", self.n_atoms, system.n_atoms());
        Err(ForceError::Other { term, message })
    }

    /// Adds forces, and books the energy and virial together with those of the waves.
    pub fn add(&self, system: &System, waves: Waves, want: Request, out: &mut Forces) -> Components {
        // π k_e Q²/(2 β² V) scales with 1/V alone: its virial is the energy itself on the diagonal.
        let background = -0.5 * std::f64::consts::PI * COULOMB * self.net_charge * self.net_charge
            / (self.beta * self.beta * system.cell.volume());
        let pair_forces: Vec<(f64, Vec3, Vec3)> = self
            .pairs
            .par_iter()
            .with_min_len(256)
            .map(|&([i, j], qq)| {
                let r = system.cell.minimum_image(system.positions[i as usize] - system.positions[j as usize]);
                let (u, force_over_r) = smooth_part(r.norm2(), self.beta);
                (-qq * u, r * (-qq * force_over_r), r)
            })
            .collect();
        let (mut exclusions, mut virial) = (0.0, waves.virial + Mat3::IDENTITY * background);
        for (&([i, j], _), &(energy, force, r)) in self.pairs.iter().zip(&pair_forces) {
            out.on[i as usize] += force;
            out.on[j as usize] -= force;
            exclusions += energy;
            virial += r.outer(force);
        }
        let parts = Components { waves: waves.energy, self_energy: self.self_energy, background, exclusions };
        if want.energy {
            out.energy.add(COULOMB_RECIPROCAL, parts.total());
        }
        if want.virial {
            out.virial += virial;
        }
        parts
    }
}

/// Energy (kJ/mol) and virial (kJ/mol) of the sum over waves.
#[derive(Clone, Copy, Debug, Default)]
pub struct Waves {
    pub energy: f64,
    pub virial: Mat3,
}

impl Waves {
    /// A wave (or set of waves of the same k) of energy `energy`: U ∝ exp(−k²/4β²)/(k² V), hence
    /// W = −dU/dε = U [1 − 2 k⊗k (1/k² + 1/4β²)].
    #[inline(always)]
    pub fn add(&mut self, energy: f64, k: Vec3, k2: f64, beta: f64, want_virial: bool) {
        self.energy += energy;
        if want_virial {
            let along = -2.0 * energy * (1.0 / k2 + 0.25 / (beta * beta));
            self.virial += Mat3::diagonal(energy, energy, energy) + k.outer(k) * along;
        }
    }
}

impl std::iter::Sum for Waves {
    fn sum<I: Iterator<Item = Waves>>(iter: I) -> Waves {
        iter.fold(Waves::default(), |a, b| Waves { energy: a.energy + b.energy, virial: a.virial + b.virial })
    }
}

/// u = erf(βr)/r and −u′/r, from r²; finite at r = 0 (2β/√π and 4β³/(3√π)).
fn smooth_part(r2: f64, beta: f64) -> (f64, f64) {
    let x2 = beta * beta * r2;
    let two_over_root_pi = std::f64::consts::FRAC_2_SQRT_PI;
    if x2 < 0.25 {
        // erf(x)/x = 2/√π Σ (−x²)ⁿ / (n! (2n+1)); the closed form below loses digits to cancellation here.
        let (mut u, mut f, mut power) = (1.0, 0.0, 1.0); // power = (−1)ⁿ x²ⁿ⁻² / (n−1)!
        for n in 1..14 {
            let n = f64::from(n);
            power *= if n == 1.0 { -1.0 } else { -x2 / (n - 1.0) };
            u += power * x2 / (n * (2.0 * n + 1.0));
            f -= 2.0 * power / (2.0 * n + 1.0);
        }
        return (two_over_root_pi * beta * u, two_over_root_pi * beta * beta * beta * f);
    }
    let r = r2.sqrt();
    let u = special::erf(beta * r) / r;
    (u, (u - two_over_root_pi * beta * special::exp(-x2)) / r2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smooth_part_is_continuous_and_its_force_a_derivative() {
        let beta = 3.0;
        let u = |r: f64| smooth_part(r * r, beta).0;
        for r in [0.01, 0.1, 0.1666, 0.1667, 0.3, 1.0] {
            let h = 1e-5;
            let slope = (u(r + h) - u(r - h)) / (2.0 * h);
            assert!((-slope / r - smooth_part(r * r, beta).1).abs() < 1e-7 * beta.powi(3) / r.min(1.0), "{r}");
            assert!((u(r) * r - special::erf(beta * r)).abs() < 2e-16);
        }
        // Both branches at their border, 0.5/β.
        let border = (0.5 / beta) * (0.5 / beta);
        let (below, above) = (smooth_part(border * (1.0 - 1e-15), beta), smooth_part(border * (1.0 + 1e-15), beta));
        assert!((below.0 / above.0 - 1.0).abs() < 1e-14 && (below.1 / above.1 - 1.0).abs() < 1e-13);
        let at_zero = smooth_part(0.0, beta);
        assert!((at_zero.0 - 2.0 * beta / std::f64::consts::PI.sqrt()).abs() < 1e-15);
        assert!((at_zero.1 - 4.0 * beta.powi(3) / (3.0 * std::f64::consts::PI.sqrt())).abs() < 1e-13);
    }
}

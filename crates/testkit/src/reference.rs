//! Sums over all pairs and all their images, O(N²), written straight from the definition.

use amelo_core::units::COULOMB;
use amelo_core::{Forces, System};
use amelo_math::{Mat3, Vec3, special};

/// Energy, forces and virial of a pair sum.
#[derive(Clone, Debug)]
pub struct PairSum {
    /// Energy (kJ/mol).
    pub energy: f64,
    /// \[n_atoms\] forces (kJ/mol/nm).
    pub forces: Vec<Vec3>,
    /// Σ r_ij ⊗ F_ij (kJ/mol).
    pub virial: Mat3,
}

/// Σ over i < j and every image within `r_cut` (nm) of `pair(i, j, r)` = (U, −U′/r) at the distance r (nm). Images are
/// enumerated, not guessed, so that this is right for any cell, also one narrower than the cut-off; an atom's own
/// images are left out. Excluded pairs are left out.
pub fn pair_sum(system: &System, r_cut: f64, mut pair: impl FnMut(usize, usize, f64) -> (f64, f64)) -> PairSum {
    let n = system.n_atoms();
    let mut sum = PairSum { energy: 0.0, forces: vec![Vec3::ZERO; n], virial: Mat3::ZERO };
    let w = system.cell.widths();
    // Fractional differences of wrapped atoms lie in (−1, 1).
    let reach = [w.x, w.y, w.z].map(|w| (r_cut / w).ceil() as i32 + 1);
    for i in 0..n {
        for j in i + 1..n {
            if system.topology.exclusions.contains(i, j) {
                continue;
            }
            for a in -reach[0]..=reach[0] {
                for b in -reach[1]..=reach[1] {
                    for c in -reach[2]..=reach[2] {
                        let d = system.positions[i] - system.positions[j] + system.cell.shift([a, b, c]);
                        let r = d.norm();
                        if r < r_cut {
                            let (energy, force_over_r) = pair(i, j, r);
                            let force = d * force_over_r;
                            sum.energy += energy;
                            sum.forces[i] += force;
                            sum.forces[j] -= force;
                            sum.virial += d.outer(force);
                        }
                    }
                }
            }
        }
    }
    sum
}

/// The real-space part of Ewald's sum, k_e q_i q_j erfc(βr)/r over pairs that are not excluded, within `r_cut` (nm).
pub fn real_space_ewald(system: &System, beta: f64, r_cut: f64) -> PairSum {
    let q = &system.topology.charges;
    pair_sum(system, r_cut, |i, j, r| {
        let k = COULOMB * q[i] * q[j];
        let erfc = special::erfc(beta * r);
        let gauss = std::f64::consts::FRAC_2_SQRT_PI * beta * special::exp(-beta * beta * r * r);
        (k * erfc / r, k * (erfc / r + gauss) / (r * r))
    })
}

impl PairSum {
    /// The worst disagreement with `forces`: of the energy relative to `scale` (kJ/mol, a sum of magnitudes), of forces
    /// relative to their RMS, of the virial relative to its largest element.
    pub fn error(&self, forces: &Forces, scale: f64) -> f64 {
        let energy = (forces.energy.potential() - self.energy).abs() / scale;
        let difference: Vec<Vec3> = forces.on.iter().zip(&self.forces).map(|(a, b)| *a - *b).collect();
        let force = crate::rms(&difference) / crate::rms(&self.forces);
        let virial = (forces.virial - self.virial).max_abs() / self.virial.max_abs();
        energy.max(force).max(virial)
    }
}

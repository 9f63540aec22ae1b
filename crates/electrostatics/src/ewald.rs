//! Ewald's sum over waves, term by term: the reference that the mesh is held against.
//!
//! U = (2π k_e/V) Σ_{k≠0} exp(−k²/4β²)/k² |S(k)|², S(k) = Σ q_i e^{ik·r_i}.
//! P. P. Ewald, Ann. Phys. 369, 253 (1921), doi:10.1002/andp.19213690304; as in M. P. Allen and D. J. Tildesley,
//! Computer Simulation of Liquids, 2nd ed., §6.2.

use amelo_core::units::COULOMB;
use amelo_core::{Cell, ForceError, ForceTerm, Forces, Request, System, Topology};
use amelo_math::lanes::Isa;
use amelo_math::{Vec3, special};
use rayon::prelude::*;
use rustfft::num_complex::Complex;

use crate::corrections::{Components, Corrections, Waves};
use crate::{COULOMB_RECIPROCAL, ElectrostaticsError, checked_beta};

/// Atoms per task of the force pass: fixed, so that the work is cut by the system and not by the pool.
const CHUNK: usize = 64;

/// Ewald's sum as a force term.
pub struct Ewald {
    beta: f64,
    tolerance: f64,
    charged: Vec<u32>,
    charges: Vec<f64>,
    corrections: Corrections,
}

/// A wave k = 2π (n₁ a* + n₂ b* + n₃ c*); of ±k only one is kept.
struct Wave {
    n: [i32; 3],
    k: Vec3,
    /// (4π k_e/V) exp(−k²/4β²)/k²: both of ±k, so that U = Σ factor |S|².
    factor: f64,
}

/// e^{2πi n s} of every charge for n = 0 … n_max along one axis, [n][charge].
struct Phases {
    table: Vec<Complex<f64>>,
    n_charges: usize,
}

impl Phases {
    fn new(s: &[Vec3], axis: usize, n_max: i32) -> Self {
        let row = |n: i32| {
            s.iter().map(move |s| {
                // The fraction of a turn is exact, so that large n loses nothing.
                let turns = f64::from(n) * s[axis];
                let angle = 2.0 * std::f64::consts::PI * (turns - turns.floor());
                Complex::new(special::cos(angle), special::sin(angle))
            })
        };
        let table = (0..=n_max).into_par_iter().flat_map_iter(row).collect();
        Phases { table, n_charges: s.len() }
    }

    /// Phase of charge `i` for wave number `n`, negative ones by conjugation.
    #[inline(always)]
    fn get(&self, n: i32, i: usize) -> Complex<f64> {
        let p = self.table[n.unsigned_abs() as usize * self.n_charges + i];
        if n < 0 { p.conj() } else { p }
    }
}

impl Ewald {
    /// The sum for the charges of `topology` with splitting parameter `beta` (nm⁻¹), over the waves with
    /// exp(−k²/4β²) ≥ `tolerance`.
    pub fn new(topology: &Topology, beta: f64, tolerance: f64) -> Result<Self, ElectrostaticsError> {
        let beta = checked_beta(beta)?;
        if !(tolerance > 0.0 && tolerance < 1.0) {
            return Err(ElectrostaticsError::Tolerance(tolerance));
        }
        let charged: Vec<u32> =
            (0..topology.n_atoms() as u32).filter(|&i| topology.charges[i as usize] != 0.0).collect();
        let charges = charged.iter().map(|&i| topology.charges[i as usize]).collect();
        Ok(Ewald {
            beta,
            tolerance,
            charged,
            charges,
            corrections: Corrections::new(topology, beta, Isa::current(), false),
        })
    }

    /// Adds forces, energy and virial as [`ForceTerm::add`] does, and returns the parts of the energy.
    pub fn components(&mut self, system: &System, want: Request, out: &mut Forces) -> Result<Components, ForceError> {
        self.corrections.check(system, COULOMB_RECIPROCAL)?;
        let waves = waves(&system.cell, self.beta, self.tolerance);
        let s: Vec<Vec3> =
            self.charged.iter().map(|&i| system.cell.to_fractional(system.positions[i as usize])).collect();
        let phases = [0, 1, 2].map(|axis| {
            let n_max = waves.iter().map(|w| w.n[axis].abs()).max().unwrap_or(0);
            Phases::new(&s, axis, n_max)
        });
        let phase = |n: [i32; 3], i: usize| phases[0].get(n[0], i) * phases[1].get(n[1], i) * phases[2].get(n[2], i);

        let structure_factors: Vec<Complex<f64>> =
            waves.par_iter().map(|w| (0..s.len()).map(|i| phase(w.n, i) * self.charges[i]).sum()).collect();
        let forces: Vec<Vec3> = (0..s.len())
            .into_par_iter()
            .with_min_len(CHUNK)
            .map(|i| {
                let mut force = Vec3::ZERO;
                for (w, sf) in waves.iter().zip(&structure_factors) {
                    // −∂|S|²/∂r_i = 2 q_i k Im(S* e^{ik·r_i})
                    force += w.k * (w.factor * (sf.conj() * phase(w.n, i)).im);
                }
                force * (2.0 * self.charges[i])
            })
            .collect();
        for (&atom, force) in self.charged.iter().zip(forces) {
            out.on[atom as usize] += force;
        }
        let mut sum = Waves::default();
        for (w, sf) in waves.iter().zip(&structure_factors) {
            sum.add(w.factor * sf.norm_sqr(), w.k, w.k.norm2(), self.beta, want.virial);
        }
        Ok(self.corrections.add(system, sum, want, out, |_, _| ()))
    }
}

/// The waves of `cell` above `tolerance`, in a fixed order.
fn waves(cell: &Cell, beta: f64, tolerance: f64) -> Vec<Wave> {
    let reciprocal = cell.vectors().inverse().transpose() * (2.0 * std::f64::consts::PI);
    let four_beta2 = 4.0 * beta * beta;
    let k2_max = -four_beta2 * special::ln(tolerance);
    // n_a = k·a/2π ≤ |k| |a|/2π
    let n_max = cell.vectors().rows.map(|a| (k2_max.sqrt() * a.norm() / (2.0 * std::f64::consts::PI)) as i32);
    let prefactor = 4.0 * std::f64::consts::PI * COULOMB / cell.volume();
    let mut waves = Vec::new();
    for n0 in 0..=n_max[0] {
        for n1 in -n_max[1]..=n_max[1] {
            for n2 in -n_max[2]..=n_max[2] {
                let n = [n0, n1, n2];
                if n <= [0, 0, 0] {
                    continue; // −k of a wave that is kept, or k = 0
                }
                let k = reciprocal.vec_mul(Vec3::new(f64::from(n0), f64::from(n1), f64::from(n2)));
                let k2 = k.norm2();
                if k2 <= k2_max {
                    waves.push(Wave { n, k, factor: prefactor * special::exp(-k2 / four_beta2) / k2 });
                }
            }
        }
    }
    waves
}

/// β times the distance of the nearest image: erfc of it is below the last bit, so that no pair counts.
const BEYOND_PAIRS: f64 = 6.0;

/// Energy (kJ/mol) of a point charge (e) alone in `cell`: with its images and the background that neutralises it, in vacuum.
/// In a cube −2.837297 k_e q²/2L.
pub fn image_energy(charge: f64, cell: &Cell) -> f64 {
    use std::f64::consts::{FRAC_2_SQRT_PI, PI};
    let beta = BEYOND_PAIRS / (2.0 * cell.half_width());
    let of_waves: f64 = waves(cell, beta, f64::EPSILON).iter().map(|w| w.factor).sum();
    let own = 0.5 * FRAC_2_SQRT_PI * beta;
    let background = 0.5 * PI / (beta * beta * cell.volume());
    charge * charge * (of_waves - COULOMB * (own + background))
}

impl ForceTerm for Ewald {
    fn name(&self) -> &'static str {
        COULOMB_RECIPROCAL
    }

    fn is_long_range(&self) -> bool {
        true
    }

    fn add(&mut self, system: &System, want: Request, out: &mut Forces) -> Result<(), ForceError> {
        self.components(system, want, out).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use amelo_math::Mat3;

    /// The lattices of point charges in a uniform background, in k_e q² over the radius r_s of the sphere with a charge's
    /// volume: −0.880059 simple cubic, −0.895930 body-centred, −0.895874 face-centred (K. Fuchs, Proc. R. Soc. A 151, 585
    /// (1935); R. A. Coldwell-Horsfall, A. A. Maradudin, J. Math. Phys. 1, 395 (1960)); the first is the −2.837297/2L of
    /// G. Hummer, L. R. Pratt, A. E. García, J. Phys. Chem. 100, 1206 (1996), for another edge and charge.
    #[test]
    fn lattices_in_a_background_have_the_energies_of_the_literature() {
        let cubic = Mat3::diagonal(1.7, 1.7, 1.7);
        let bcc = Mat3::from_array([[0.8, 0.0, 0.0], [0.0, 0.8, 0.0], [0.4, 0.4, 0.4]]);
        let fcc = Mat3::from_array([[0.9, 0.0, 0.0], [0.45, 0.45, 0.0], [0.45, 0.0, 0.45]]);
        for (vectors, energy) in [(cubic, -0.880059), (bcc, -0.895930), (fcc, -0.895874)] {
            let cell = Cell::new(vectors).unwrap();
            let radius = special::pow(0.75 / std::f64::consts::PI * cell.volume(), 1.0 / 3.0);
            let own = image_energy(1.0, &cell) * radius / COULOMB;
            assert!((own - energy).abs() < 1.5e-6, "{own} {energy}");
        }
        let edge = Cell::orthorhombic(3.0, 3.0, 3.0).unwrap();
        assert!((image_energy(-2.0, &edge) / (4.0 * COULOMB) + 2.837297 / 6.0).abs() < 1e-6);
    }
}

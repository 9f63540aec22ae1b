//! Energies and virial as exact sums of rounded shares: no order of the pairs shows in them.

use amelo_math::lanes::ENERGY_SCALE;
use amelo_math::{Mat3, Vec3};

/// What a chunk sums up. Energies and virial are exact sums of rounded shares, so that no order shows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sums {
    /// Units of 1/ENERGY_SCALE kJ/mol.
    pub vdw: i128,
    pub coulomb: i128,
    /// The parts of [`Mat3::SYMMETRIC`].
    pub virial: [i128; 6],
    /// Whether a pair was too close for these sums, which then mean nothing.
    pub too_close: bool,
    /// Pairs inside a short-range guard.
    pub guarded: u64,
}

impl Sums {
    /// Adds the virial of one pair, r_ij ⊗ F_ij (kJ/mol).
    #[inline(always)]
    pub(crate) fn add_virial(&mut self, d: Vec3, force: Vec3) {
        for (sum, &(a, b)) in self.virial.iter_mut().zip(&Mat3::SYMMETRIC) {
            *sum += rounded(d[a] * force[b]);
        }
    }

    pub(crate) fn add(&mut self, other: &Sums) {
        self.vdw += other.vdw;
        self.coulomb += other.coulomb;
        for (a, b) in self.virial.iter_mut().zip(other.virial) {
            *a += b;
        }
        self.too_close |= other.too_close;
        self.guarded += other.guarded;
    }

    /// The virial, kJ/mol.
    pub(crate) fn virial(&self) -> Mat3 {
        let mut virial = Mat3::ZERO;
        for (&(a, b), &part) in Mat3::SYMMETRIC.iter().zip(&self.virial) {
            virial[(a, b)] = energy(part);
            virial[(b, a)] = energy(part);
        }
        virial
    }
}

/// kJ/mol of a sum.
pub(crate) fn energy(sum: i128) -> f64 {
    sum as f64 / ENERGY_SCALE
}

/// One share of a sum, from kJ/mol.
#[inline(always)]
pub(crate) fn rounded(energy: f64) -> i128 {
    (energy * ENERGY_SCALE).round_ties_even() as i128
}

/// The sum of what chunks returned.
pub(crate) fn total(partials: &[Sums]) -> Sums {
    let mut sums = Sums::default();
    partials.iter().for_each(|p| sums.add(p));
    sums
}

//! What the sum over waves counts too much or too little: self energy, background, excluded pairs.

use amelo_core::units::COULOMB;
use amelo_core::{ForceError, Forces, Request, System, Topology};
use amelo_math::lanes::{Isa, PACKET, dispatch};
use amelo_math::{Mat3, Vec3};
use rayon::prelude::*;

use crate::COULOMB_RECIPROCAL;
use crate::excluded_forces::{ExcludedForces, ShortCharges};
use crate::excluded_pairs::{BLOCK, Block, ExcludedPairs};
use crate::smooth_part::SmoothPart;

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
    isa: Isa,
    beta: f64,
    n_atoms: usize,
    net_charge: f64,
    self_energy: f64,
    smooth: SmoothPart,
    /// For forces in f32.
    short: Option<ShortCharges>,
    /// Of all atoms (e), and [`PACKET`] zeros.
    charges: Vec<f64>,
    blocks: Vec<Block>,
    /// Energy and virial of each block's pairs in the last evaluation.
    exclusions: Vec<Waves>,
}

impl Corrections {
    /// With forces in f32 if `short`.
    pub fn new(topology: &Topology, beta: f64, isa: Isa, short: bool) -> Self {
        let q = &topology.charges;
        let sum_q2: f64 = q.iter().map(|q| q * q).sum();
        let (blocks, smooth) = (Block::all(topology), SmoothPart::new(beta));
        Corrections {
            isa,
            beta,
            n_atoms: topology.n_atoms(),
            net_charge: topology.total_charge(),
            self_energy: -COULOMB * beta * std::f64::consts::FRAC_2_SQRT_PI * 0.5 * sum_q2,
            short: short.then(|| ShortCharges::new(topology, &smooth)),
            smooth,
            exclusions: vec![Waves::default(); blocks.len()],
            charges: q.iter().copied().chain([0.0; PACKET]).collect(),
            blocks,
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

    /// Adds forces, and books the energy and virial together with those of the waves, whose forces
    /// `add_waves(first, forces)` adds to the atoms from `first` on.
    pub fn add(
        &mut self,
        system: &System,
        waves: Waves,
        want: Request,
        out: &mut Forces,
        add_waves: impl Fn(usize, &mut [Vec3]) + Sync,
    ) -> Components {
        // π k_e Q²/(2 β² V) scales with 1/V alone: its virial is the energy itself on the diagonal.
        let background = -0.5 * std::f64::consts::PI * COULOMB * self.net_charge * self.net_charge
            / (self.beta * self.beta * system.cell.volume());
        let (isa, smooth, charges, short) = (self.isa, &self.smooth, &self.charges, &self.short);
        let (positions, cell, nearest) = (&system.positions, &system.cell, system.cell.nearest_image());
        let blocks = self.blocks.par_iter().zip(out.on.par_chunks_mut(BLOCK)).zip(&mut self.exclusions);
        blocks.enumerate().for_each(|(index, ((block, forces), exclusions))| {
            let first = index * BLOCK;
            add_waves(first, forces);
            let want = want.energy || want.virial;
            let forces = match short {
                Some(short) => {
                    dispatch(isa, ExcludedForces { block, short, smooth, cell, positions, first, forces });
                    None
                }
                None => Some(forces),
            };
            *exclusions = Waves::default();
            if want || forces.is_some() {
                let job = ExcludedPairs { block, smooth, charges, positions, nearest, want, first, forces };
                *exclusions = dispatch(isa, job);
            }
        });
        let exclusions: Waves = self.exclusions.iter().copied().sum();
        let parts = Components {
            waves: waves.energy,
            self_energy: self.self_energy,
            background,
            exclusions: exclusions.energy,
        };
        if want.energy {
            out.energy.add(COULOMB_RECIPROCAL, parts.total());
        }
        if want.virial {
            out.virial += waves.virial + exclusions.virial + Mat3::IDENTITY * background;
        }
        parts
    }
}

/// Energy (kJ/mol) and virial (kJ/mol) of the sum over waves or of a correction to it.
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

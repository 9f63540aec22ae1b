//! Oracles for the tests, none of which the engine uses: dual numbers, strain derivatives and finite differences of
//! any force provider, random systems, sums over all pairs, invariances.

mod derivative;
mod invariance;
mod random;
mod real_space_ewald;
mod reference;

pub use amelo_math::Dual;
pub use derivative::{finite_difference_forces, force_error, strain_virial};
pub use invariance::{check_images, check_permutation, check_requests, check_translation, permuted};
pub use random::{RandomSystem, triclinic_cell};
pub use real_space_ewald::RealSpaceEwald;
pub use reference::{PairSum, pair_sum, real_space_ewald};

use amelo_core::{ForceError, ForceProvider, ForceTerm, Forces, Request, System, TermSum};

/// A provider of one term alone.
pub fn provider(term: impl ForceTerm + 'static) -> TermSum {
    TermSum::new(vec![Box::new(term)])
}

/// Everything of one evaluation.
pub fn evaluate(provider: &mut dyn ForceProvider, system: &System) -> Result<Forces, ForceError> {
    let mut forces = Forces::new(system.n_atoms());
    provider.evaluate(system, Request::ALL, &mut forces)?;
    Ok(forces)
}

/// √(Σ|v|²/n): the scale of a set of forces.
pub fn rms(vectors: &[amelo_math::Vec3]) -> f64 {
    (vectors.iter().map(|v| v.norm2()).sum::<f64>() / vectors.len().max(1) as f64).sqrt()
}

//! Long-range Coulomb: what remains of 1/r beside the short-ranged erfc(βr)/r that the pair loop sums.
//!
//! The two terms here, [`Ewald`] (the reference: every wave, O(N^3/2) at best) and [`Pme`] (the same on a mesh by
//! B-splines, O(N log N)), mean the same quantity and carry the same energy key, `coulomb_reciprocal`: waves, self
//! energy, neutralising background and the excluded pairs, whose share of the waves is taken out again.
//! In mixed precision mesh and FFT are f32; positions, charges, excluded pairs, energy and virial stay f64.
//! [`SlabCorrection`] turns a stack of films into a single one.
//!
//! Boundary conditions are those of a conductor around the crystal ("tin foil"): no surface term, except with the
//! slab correction. Invariant: forces are the exact gradient of the energy and the virial its exact strain
//! derivative, on the mesh too; hence mesh forces add up to zero only within the mesh's error.

mod accuracy;
mod bspline;
mod charge_loops;
mod charges;
mod choice;
mod corrections;
mod ewald;
mod excluded_forces;
mod excluded_pairs;
mod influence;
mod mesh_fft;
mod number;
mod pme;
mod slab;
mod smooth_part;
mod truncation;

pub use accuracy::{ForceErrorEstimate, mesh_for, pme_force_error};
pub use choice::{PmeChoice, measured_force_error, pme_for_force_error};
pub use corrections::Components;
pub use ewald::{Ewald, image_energy};
pub use number::MeshNumber;
pub use pme::{ORDERS, Pme, Stage};
pub use slab::{SlabCorrection, Vacuum};

use amelo_core::{Cell, Coulomb, ForceTerm, Nonbonded, Topology};

/// The key of the energy that [`Ewald`] and [`Pme`] compute.
pub const COULOMB_RECIPROCAL: &str = "coulomb_reciprocal";

/// Settings that cannot work.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ElectrostaticsError {
    /// The splitting parameter is not a positive number.
    #[error(
        "the Ewald splitting parameter is {0} nm⁻¹; it must be positive and finite: give a tolerance erfc(β r_c) below 1"
    )]
    Beta(f64),
    /// The tolerance of the reciprocal sum is outside (0, 1).
    #[error("the Ewald tolerance is {0}; it must lie between 0 and 1, for example 1e-12")]
    Tolerance(f64),
    /// A B-spline order that is not implemented.
    #[error("PME order {0} is not available; orders 4 to 6 serve simulations, {ORDERS:?} exist")]
    Order(usize),
    /// Fewer mesh points than the splines are wide.
    #[error("the PME mesh {mesh:?} has fewer points along an axis than its order {order}; choose a finer spacing")]
    MeshTooSmall {
        /// Mesh points along a, b, c.
        mesh: [usize; 3],
        /// Order of the B-splines.
        order: usize,
    },
    /// A mesh beyond any memory.
    #[error("the PME mesh {0:?} has more than 2³⁰ points; choose a coarser spacing")]
    MeshTooLarge([usize; 3]),
    /// A slab axis beyond z.
    #[error("the slab axis is {0}; it must be 0 (x), 1 (y) or 2 (z)")]
    SlabAxis(usize),
    /// A target of the force error that is not a positive number, or beyond the reach of any mesh or of f64.
    #[error(
        "a Coulomb force error of {target} kJ/mol/nm cannot be reached with a cut-off of {r_cut} nm; \
         ask for a larger error or a larger cut-off"
    )]
    Unreachable {
        /// Requested RMS force error (kJ/mol/nm).
        target: f64,
        /// Real-space cut-off (nm).
        r_cut: f64,
    },
}

/// The long-range term that `settings` ask for; none for truncated Coulomb or where no atom has a charge.
/// `cell` is the one the run starts in: a mesh keeps its number of points when a barostat changes the cell.
pub fn long_range_term(
    topology: &Topology,
    settings: &Nonbonded,
    _cell: &Cell,
) -> Result<Option<Box<dyn ForceTerm>>, ElectrostaticsError> {
    let term: Box<dyn ForceTerm> = match settings.coulomb {
        Coulomb::None | Coulomb::Cutoff => return Ok(None),
        Coulomb::Ewald { beta, tolerance } => Box::new(Ewald::new(topology, beta, tolerance)?),
        Coulomb::Pme { beta, order, mesh } => pme::new(topology, beta, order, mesh, settings.precision)?,
    };
    Ok(topology.charges.iter().any(|&q| q != 0.0).then_some(term))
}

/// β as given, if it can be one.
fn checked_beta(beta: f64) -> Result<f64, ElectrostaticsError> {
    if beta > 0.0 && beta.is_finite() { Ok(beta) } else { Err(ElectrostaticsError::Beta(beta)) }
}

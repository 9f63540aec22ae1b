//! Distances held fixed, and which ones.

mod dense;
mod general;
mod segment;
mod solver;
mod stars;

use amelo_core::{Class, Constraint, Topology};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::info::MethodInfo;

pub(crate) use segment::Segment;
pub use solver::{ConstraintForces, ConstraintSolver};

/// Relative error of a group's lengths at which Newton's iteration ends.
const TOLERANCE: f64 = 1e-13;

/// Newton's steps after which a group counts as one that cannot be met; four are usual.
const MAX_ITERATIONS: usize = 50;

/// Whether Newton's iteration ends at this error of the lengths, whose last one was `previous`: either converged, or at
/// the rounding error where another step cannot improve.
#[inline(always)]
fn is_met(error: f64, previous: f64) -> bool {
    (error < TOLERANCE) | ((error < 10.0 * TOLERANCE) & (error >= previous))
}

/// A constraint that could not be met.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Violation {
    pub atoms: [u32; 2],
    pub length: f64,
    pub found: f64,
}

impl Violation {
    fn error(&self) -> f64 {
        (self.found / self.length - 1.0).abs()
    }

    /// The largest of a group's errors, a NaN before all.
    fn worst(of: impl Iterator<Item = Violation>) -> Violation {
        of.max_by(|a, b| a.error().total_cmp(&b.error())).expect("a group has constraints")
    }

    /// The one with the lower atoms, of one that may be known and one that may be found.
    fn first(known: Option<Violation>, found: Result<(), Violation>) -> Option<Violation> {
        match (known, found.err()) {
            (Some(a), Some(b)) => Some(if b.atoms < a.atoms { b } else { a }),
            (a, b) => a.or(b),
        }
    }
}

/// What is constrained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ConstraintKind {
    /// Nothing: every bond vibrates. Time steps up to about 1 fs.
    #[default]
    None,
    /// Bonds to hydrogen keep their length. Time steps up to about 2 fs.
    HBonds,
}

impl ConstraintKind {
    /// The constraints that this choice makes of `topology`.
    pub fn constraints(self, topology: &Topology) -> Vec<Constraint> {
        match self {
            ConstraintKind::None => Vec::new(),
            ConstraintKind::HBonds => h_bonds(topology),
        }
    }
}

/// Rows for `amelo list constraints` and `amelo explain`.
pub fn constraint_kinds() -> Vec<MethodInfo> {
    vec![
        MethodInfo {
            name: "none",
            summary: "every bond vibrates",
            formula: "no constraint; velocity Verlet needs about 1 fs with C–H bonds",
            citation: "",
        },
        MethodInfo {
            name: "h-bonds",
            summary: "bonds to hydrogen keep the length at which their harmonic bond rests",
            formula: "|r_ij| = r0 after every drift, (v_i − v_j)·r_ij = 0 after every kick, both solved to 1e-12 by \
                      Newton's method over groups of coupled constraints; virial W = Σ λ_k r_k ⊗ r_k with the λ_k that \
                      hold the distances under the forces and the half-step velocities of that instant",
            citation: "H. C. Andersen, J. Comput. Phys. 52, 24 (1983), doi:10.1016/0021-9991(83)90014-1; \
                       B. Leimkuhler, C. Matthews, Proc. R. Soc. A 472, 20160138 (2016), doi:10.1098/rspa.2016.0138",
        },
    ]
}

/// One constraint for every harmonic bond that has a hydrogen at an end, at the bond's rest length. The bond's
/// own energy stays in the force field and is zero while the constraint holds.
pub fn h_bonds(topology: &Topology) -> Vec<Constraint> {
    let hydrogen = |atom: u32| topology.element(atom as usize) == "H";
    topology
        .interactions
        .iter()
        .filter(|list| list.class == Class::Bond && list.form == "harmonic")
        .flat_map(|list| list.iter())
        .filter(|(atoms, _)| atoms.iter().any(|&a| hydrogen(a)))
        .map(|(atoms, parameters)| Constraint { atoms: [atoms[0], atoms[1]], length: parameters[REST_LENGTH] })
        .collect()
}

/// Place of the rest length among the parameters of the form `harmonic` of bonds.
const REST_LENGTH: usize = 0;

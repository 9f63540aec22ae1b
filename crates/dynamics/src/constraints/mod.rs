//! Distances held fixed, and which ones.

mod dense;
mod solver;

use amelo_core::{Class, Constraint, Topology};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::info::MethodInfo;

pub(crate) use solver::Violation;
pub use solver::{ConstraintForces, ConstraintSolver};

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

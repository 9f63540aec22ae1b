//! Barostats: S in B S A O A F B. They act on the cell and move whole bodies with it.

mod bodies;
mod cell_rescaling;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::info::MethodInfo;

pub use bodies::Bodies;
pub use cell_rescaling::CellRescaling;

/// Which barostat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BarostatKind {
    /// Stochastic cell rescaling (Bernetti, Bussi 2020).
    #[default]
    CRescale,
}

/// Rows for `amelo list barostats` and `amelo explain`.
pub fn barostats() -> Vec<MethodInfo> {
    vec![CellRescaling::INFO]
}

/// Which edges of the cell the barostat changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Coupling {
    /// All directions together; angles and proportions stay.
    #[default]
    Isotropic,
    /// The xy plane and z, each by its own pressure.
    SemiIsotropic,
    /// z alone; the lateral cell stays, as an oxide slab needs it.
    Z,
}

impl Coupling {
    /// Axes of each independent mode.
    pub fn modes(self) -> &'static [&'static [usize]] {
        match self {
            Coupling::Isotropic => &[&[0, 1, 2]],
            Coupling::SemiIsotropic => &[&[0, 1], &[2]],
            Coupling::Z => &[&[2]],
        }
    }
}

//! Barostats: S in B S A O A F B. They act on the cell and move whole bodies with it.

mod bodies;
mod cell_rescaling;

use amelo_core::System;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::info::MethodInfo;
use crate::thermostats::Ramp;
use crate::{DynamicsError, Motion, Propagator};

pub use bodies::Bodies;
pub use cell_rescaling::CellRescaling;

/// A barostat: a propagator with a description and a way to make it.
pub trait Barostat: Propagator + Sized {
    /// Row for `amelo list` and `amelo explain`.
    const INFO: MethodInfo;
    /// A barostat for `system`.
    fn new(settings: &BarostatSettings, system: &System, motion: &Motion) -> Result<Self, DynamicsError>;
}

/// What a barostat is made from.
#[derive(Clone, Copy, Debug)]
pub struct BarostatSettings {
    /// Temperature over the stage.
    pub temperature: Ramp,
    /// Pressure (kJ/mol/nm³).
    pub pressure: f64,
    /// Which edges change.
    pub coupling: Coupling,
    /// Time constant (ps), positive.
    pub time_constant: f64,
    /// Compressibility (nm³ mol/kJ), positive.
    pub compressibility: f64,
    /// Steps from one change of the cell to the next, at least 1.
    pub every: u64,
}

macro_rules! barostats {
    ($($(#[$doc:meta])* $name:literal => $kind:ident),+ $(,)?) => {
        /// Which barostat.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        pub enum BarostatKind {
            $($(#[$doc])* #[serde(rename = $name)] $kind,)+
        }

        /// Rows for `amelo list barostats` and `amelo explain`.
        pub fn barostats() -> Vec<MethodInfo> {
            vec![$($kind::INFO),+]
        }

        impl BarostatKind {
            /// All of them.
            pub const ALL: &'static [BarostatKind] = &[$(BarostatKind::$kind),+];

            /// Name in decks.
            pub fn name(self) -> &'static str {
                match self { $(BarostatKind::$kind => $name),+ }
            }

            pub(crate) fn build(
                self,
                settings: &BarostatSettings,
                system: &System,
                motion: &Motion,
            ) -> Result<Box<dyn Propagator>, DynamicsError> {
                Ok(match self { $(BarostatKind::$kind => Box::new($kind::new(settings, system, motion)?)),+ })
            }
        }
    };
}

barostats! {
    /// Stochastic cell rescaling (Bernetti, Bussi 2020).
    #[default]
    "c-rescale" => CellRescaling,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registered_names_are_the_names_in_the_rows() {
        let names: Vec<_> = barostats().iter().map(|b| b.name).collect();
        assert_eq!(names, BarostatKind::ALL.iter().map(|k| k.name()).collect::<Vec<_>>());
    }
}

//! Commands and fixes that change neither the energy of the configuration nor its atoms: noted, not executed.

use std::collections::BTreeMap;

use super::args::Args;
use crate::formats::Place;

/// Commands that change neither the energy of the configuration nor its atoms.
pub(super) const WITHOUT_EFFECT: &[&str] = &[
    "atom_modify",
    "balance",
    "comm_modify",
    "comm_style",
    "compute",
    "compute_modify",
    "dump",
    "dump_modify",
    "echo",
    "group",
    "info",
    "log",
    "message",
    "min_modify",
    "min_style",
    "neigh_modify",
    "neighbor",
    "newton",
    "package",
    "partition",
    "print",
    "processors",
    "region",
    "reset_timestep",
    "restart",
    "run_style",
    "suffix",
    "thermo",
    "thermo_modify",
    "thermo_style",
    "timer",
    "timestep",
    "uncompute",
    "undump",
    "velocity",
    "write_coeff",
    "write_data",
    "write_dump",
    "write_restart",
];

/// Fixes that move atoms or report, but add no energy.
pub(super) const INTEGRATION_FIXES: &[&str] = &[
    "nve",
    "nvt",
    "npt",
    "nph",
    "langevin",
    "nve/limit",
    "temp/berendsen",
    "temp/csvr",
    "temp/rescale",
    "press/berendsen",
    "momentum",
    "box/relax",
    "print",
    "ave/time",
    "ave/chunk",
    "ave/correlate",
    "ave/histo",
    "balance",
    "deform",
    "recenter",
    "halt",
    "vector",
    "viscosity",
];

/// Commands without effect and their lines.
#[derive(Clone, Debug, Default)]
pub(super) struct Ignored(BTreeMap<String, Vec<Place>>);

impl Ignored {
    pub fn add(&mut self, args: &Args) {
        self.0.entry(args.name.into()).or_default().push(args.place.clone());
    }

    /// One sentence for each command.
    pub fn notes(&self) -> Vec<String> {
        const MOST: usize = 4;
        let sentence = |(name, places): (&String, &Vec<Place>)| {
            let mut at: Vec<String> = places.iter().take(MOST).map(Place::to_string).collect();
            if places.len() > MOST {
                at.push(format!("and {} more", places.len() - MOST));
            }
            let effect = match name.as_str() {
                "velocity" => "not executed; velocities are those of the data file",
                "run" | "minimize" => "not executed; the configuration is that of the data file",
                _ => "no effect on the imported model",
            };
            format!("{name} ({}): {effect}", at.join(", "))
        };
        self.0.iter().map(sentence).collect()
    }
}

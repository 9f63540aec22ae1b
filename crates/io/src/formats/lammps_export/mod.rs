//! Export to LAMMPS: a data file and a script that reproduce every interaction, in `units real`.
//!
//! Every pair of types has its own `pair_coeff`; nothing is left to mixing. Exclusions and scaled pairs must be those of
//! `special_bonds`, one pair of factors for each of 1-2, 1-3 and 1-4. Formulas and commands: LAMMPS documentation,
//! <https://docs.lammps.org> (pair_style, bond_style, angle_style, dihedral_style, improper_style, special_bonds,
//! kspace_modify, fix shake, read_data).

mod bonded;
mod constraints;
mod data;
mod pairs;
mod script;
mod special;

pub use data::dump;

use crate::formats::model::{Exported, Model, NoCounterpart, charged_pairs};
use crate::formats::registry::FormatInfo;
use amelo_core::{Coulomb, Topology};

/// Row of `amelo list formats`.
pub const INFO: FormatInfo = FormatInfo {
    name: "lammps",
    summary: "input of LAMMPS: in.lmp and system.data; written",
    layout: "text; units real (Å, fs, kcal/mol), atom_style full, every number as it is in f64",
    limits: &[
        "Factors of 1-2, 1-3 and 1-4 pairs must each be the same everywhere.",
        "LAMMPS cuts, shifts and switches its scaled pairs too: a constant in the energy, nothing in the forces.",
        "Its Coulomb constant is 1.0e-8 smaller, its real-space erfc good to 1.5e-7.",
        "Buckingham pairs have no short-range guard there.",
        "Buckingham with force-switch, the modifier force-shift, a slab correction along x or y, and shift together with a \
         dispersion correction are refused.",
        "SHAKE takes stars of up to three bonds and rigid water; other constraints are refused.",
        "Thermostats, barostats and tethers are not carried over: the run is NVE.",
    ],
    citation: "A. P. Thompson et al., Comput. Phys. Commun. 271, 108171 (2022), doi:10.1016/j.cpc.2021.108171",
};

/// What may be left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// No analytic dispersion tail.
    pub without_dispersion_correction: bool,
}

/// Name of the script.
pub const SCRIPT: &str = "in.lmp";
/// Name of the data file, as the script reads it.
pub const DATA: &str = "system.data";

/// Name of several frames for `rerun`.
pub const FRAMES: &str = "frames.lammpstrj";

const ANGSTROM: f64 = 10.0;

/// The input files of `model`; the script reads the data file `data_name`.
///
/// # Errors
/// [`NoCounterpart`] with the first atoms or types that LAMMPS cannot represent.
pub fn export(model: &Model, data_name: &str, options: Options) -> Result<Exported, NoCounterpart> {
    let mut notes = Vec::new();
    if model.nonbonded.coulomb == Coulomb::None && charged_pairs(model.topology()) {
        return Err(refuse(
            "scaled pairs with charges where all other charges are switched off".into(),
            "choose coulomb.pme, or a force field without charges",
        ));
    }
    let types = Types::of(model.topology());
    let bonded = bonded::Bonded::of(model.topology(), &mut notes)?;
    let factors = special::factors(model, &bonded)?;
    let pairs = pairs::Pairs::of(model, &types, options, &mut notes)?;
    let shape = data::Shape::of(model)?;
    let script = script::text(model, data_name, &bonded, &factors, &pairs, &shape, &mut notes);
    let data = data::text(model, &types, &bonded, &shape);
    Ok(Exported { files: vec![(SCRIPT.into(), script), (DATA.into(), data)], notes })
}

fn refuse(what: String, remedy: &str) -> NoCounterpart {
    NoCounterpart { program: "LAMMPS", what, remedy: remedy.into() }
}

/// LAMMPS' atom types: a type of ours, once for each mass that its atoms have.
#[derive(Clone, Debug, PartialEq)]
struct Types {
    /// Type of ours and mass (u) of each.
    kinds: Vec<(usize, f64)>,
    /// \[n_atoms\] number from 1.
    of_atom: Vec<usize>,
}

impl Types {
    fn of(topology: &Topology) -> Self {
        let kind = |atom: usize| (topology.type_of[atom] as usize, topology.masses[atom]);
        let mut kinds: Vec<(usize, f64)> = (0..topology.n_atoms()).map(kind).collect();
        kinds.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        kinds.dedup();
        let number = |atom: usize| 1 + kinds.iter().position(|k| *k == kind(atom)).unwrap_or_default();
        let of_atom = (0..topology.n_atoms()).map(number).collect();
        Types { kinds, of_atom }
    }
}

#[cfg(test)]
mod tests;

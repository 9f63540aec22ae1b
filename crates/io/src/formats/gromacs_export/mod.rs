//! Export to GROMACS: coordinates, topology and run parameters that reproduce every interaction.
//!
//! `conf.gro` carries 12 decimals, `topol.top` every parameter in full, `grompp.mdp` the cut-off, the modifier and the
//! mesh; `index.ndx` the groups. Pairs of types are all written in `[ nonbond_params ]`, scaled pairs with their own
//! parameters, exclusions one by one with `nrexcl` 0: nothing is left to a combination rule.
//! Formulas, directives and function types: GROMACS reference manual 2022, "Interaction function and force fields",
//! "Topologies" (table of directives) and "Molecular dynamics parameters (.mdp options)".

pub mod gro;
mod molecules;
mod settings;
mod topology;

use crate::formats::model::{Exported, Model, NoCounterpart, word};
use crate::formats::registry::FormatInfo;

/// Row of `amelo list formats`.
pub const INFO: FormatInfo = FormatInfo {
    name: "gromacs",
    summary: "input of GROMACS: conf.gro, topol.top, grompp.mdp, index.ndx; written",
    layout: "text; nm, ps, kJ/mol, degrees; parameters as they are in f64, positions with 12 decimals",
    limits: &[
        "Buckingham pairs are refused, or left out with --without-buckingham: GROMACS' Verlet scheme has none.",
        "The modifier force-shift and a slab correction along x or y are refused.",
        "GROMACS leaves excluded pairs out of the mean of C6 in its dispersion correction.",
        "Ewald's plain sum becomes particle-mesh Ewald of order 12 on a fine mesh.",
        "Thermostats, barostats and tethers are not carried over: the run is NVE.",
    ],
    citation: "GROMACS reference manual, https://manual.gromacs.org/documentation/2022/reference-manual/index.html",
};

const PROGRAM: &str = "GROMACS";

/// Names of the files.
const FILES: [&str; 4] = ["conf.gro", "topol.top", "grompp.mdp", "index.ndx"];

/// What may be left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Buckingham pairs are written as no interaction.
    pub without_buckingham: bool,
}

/// The input files of `model`.
///
/// # Errors
/// [`NoCounterpart`] with the first atoms or types that GROMACS cannot represent.
pub fn export(model: &Model, options: Options) -> Result<Exported, NoCounterpart> {
    let mut notes = Vec::new();
    let top = topology::text(model, options, &mut notes)?;
    let mdp = settings::text(model, &mut notes)?;
    let conf = gro::of_model(model, &mut notes)?;
    let texts = [conf, top, mdp, index(model)];
    let files = FILES.iter().map(|name| name.to_string()).zip(texts).collect();
    Ok(Exported { files, notes })
}

/// Groups of atoms, numbered from 1.
fn index(model: &Model) -> String {
    let topology = model.topology();
    let mut out = String::new();
    let mut group = |name: &str, atoms: &mut dyn Iterator<Item = usize>| {
        out.push_str(&format!("[ {} ]\n", word(name, 60)));
        let numbers: Vec<String> = atoms.map(|a| (a + 1).to_string()).collect();
        for line in numbers.chunks(15) {
            out.push_str(&line.join(" "));
            out.push('\n');
        }
    };
    group("System", &mut (0..topology.n_atoms()));
    if topology.frozen.contains(&true) {
        group(FROZEN, &mut (0..topology.n_atoms()).filter(|&a| topology.frozen[a]));
    }
    for (name, atoms) in topology.groups.iter().filter(|(_, atoms)| !atoms.is_empty()) {
        group(name, &mut atoms.iter().map(|&a| a as usize));
    }
    out
}

/// Name of the group of atoms that do not move.
const FROZEN: &str = "amelo_frozen";

#[cfg(test)]
mod tests;

//! `pair_style` and one `pair_coeff` for every pair of types.

use amelo_core::units::KCAL;
use amelo_core::{Coulomb, Modifier, PairEntry};

use super::{ANGSTROM, Options, Types, refuse};
use crate::formats::model::{Model, NoCounterpart, number};

/// The pair part of the script, line by line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pairs {
    /// `pair_style …`
    pub style: String,
    /// `pair_coeff …` and `pair_modify …`
    pub lines: Vec<String>,
}

/// A pair of types as LAMMPS sees it: style without its Coulomb part, coefficients.
enum Kind {
    None,
    LennardJones(String),
    Buckingham(String),
}

fn kind(entry: &PairEntry, names: [&str; 2]) -> Result<Kind, NoCounterpart> {
    let words = |v: &[f64]| v.iter().copied().map(number).collect::<Vec<_>>().join(" ");
    Ok(match (entry.form.as_str(), entry.parameters.as_slice()) {
        ("none", _) => Kind::None,
        ("lennard_jones", &[sigma, epsilon]) => Kind::LennardJones(words(&[epsilon / KCAL, ANGSTROM * sigma])),
        ("buckingham", &[a, rho, c]) => {
            Kind::Buckingham(words(&[a / KCAL, ANGSTROM * rho, c / KCAL * ANGSTROM.powi(6)]))
        }
        (form, _) => {
            let what = format!("the pair potential {form} of types {} and {}", names[0], names[1]);
            return Err(refuse(what, "write the pair as lennard_jones or buckingham"));
        }
    })
}

impl Pairs {
    pub fn of(model: &Model, types: &Types, options: Options, notes: &mut Vec<String>) -> Result<Self, NoCounterpart> {
        let (topology, nonbonded) = (model.topology(), model.nonbonded);
        let name = |t: usize| topology.types[types.kinds[t].0].name.as_str();
        let mut kinds = Vec::new();
        for i in 0..types.kinds.len() {
            for j in i..types.kinds.len() {
                let entry = model.pair_table.get(types.kinds[i].0, types.kinds[j].0);
                kinds.push((i, j, kind(entry, [name(i), name(j)])?));
            }
        }
        let lj = kinds.iter().any(|k| matches!(k.2, Kind::LennardJones(_)));
        let buck = kinds.iter().any(|k| matches!(k.2, Kind::Buckingham(_)));
        let r_cut = number(ANGSTROM * nonbonded.r_cut);
        let switch = match nonbonded.modifier {
            Modifier::None | Modifier::PotentialShift | Modifier::EnergySwitch { .. } => None,
            Modifier::ForceShift => {
                return Err(refuse("the modifier force-shift".into(), "choose none, potential-shift or force-switch"));
            }
            Modifier::ForceSwitch { .. } if buck => {
                let what = "Buckingham pairs with the modifier force-switch".to_string();
                return Err(refuse(what, "choose the modifier none or potential-shift"));
            }
            Modifier::ForceSwitch { r_switch } => Some(number(ANGSTROM * r_switch)),
        };
        if buck {
            notes.push("Buckingham pairs have no short-range guard in LAMMPS: start from a relaxed structure".into());
        }
        let coul = match nonbonded.coulomb {
            Coulomb::None => None,
            Coulomb::Cutoff => Some("coul/cut"),
            Coulomb::Ewald { .. } | Coulomb::Pme { .. } => Some("coul/long"),
        };
        // The switch of `lj/gromacs` is ours: D. van der Spoel, P. J. van Maaren, J. Chem. Theory Comput. 2, 1 (2006).
        let lj_style = if switch.is_some() { "lj/gromacs" } else { "lj/cut" };
        let lj_cut = switch.map_or(r_cut.clone(), |s| format!("{s} {r_cut}"));

        let charmm = match (nonbonded.modifier, coul) {
            (Modifier::EnergySwitch { r_switch }, Some("coul/long")) if !buck => Some(number(ANGSTROM * r_switch)),
            (Modifier::EnergySwitch { .. }, _) => {
                let what = "the modifier energy-switch with Buckingham pairs or without long-range Coulomb".to_string();
                return Err(refuse(what, "choose the modifier none or potential-shift"));
            }
            _ => None,
        };
        // One plain style where there is one for everything, else an overlay.
        let single = match (lj, buck, coul) {
            (true, false, Some(c)) if charmm.is_some() => {
                Some(format!("lj/charmm/{c} {} {r_cut}", charmm.clone().unwrap_or_default()))
            }
            (true, false, None) => Some(format!("{lj_style} {lj_cut}")),
            (true, false, Some(c)) if lj_style == "lj/cut" => Some(format!("lj/cut/{c} {r_cut}")),
            (false, true, None) => Some(format!("buck {r_cut}")),
            (false, true, Some(c)) => Some(format!("buck/{c} {r_cut}")),
            (false, false, Some(c)) => Some(format!("{c} {r_cut}")),
            (false, false, None) => Some(format!("zero {r_cut}")),
            _ => None,
        };
        let mut lines = Vec::new();
        let style = match &single {
            Some(style) => style.clone(),
            None => {
                let mut parts = vec!["hybrid/overlay".to_string()];
                parts.extend(lj.then(|| format!("{lj_style} {lj_cut}")));
                parts.extend(buck.then(|| format!("buck {r_cut}")));
                parts.extend(coul.map(|c| format!("{c} {r_cut}")));
                parts.join(" ")
            }
        };
        let hybrid = single.is_none();
        match coul {
            Some(c) if hybrid => lines.push(format!("pair_coeff * * {c}")),
            _ if !lj && !buck => lines.push("pair_coeff * *".into()),
            _ => {}
        }
        for (i, j, kind) in &kinds {
            let text = match (kind, hybrid) {
                (Kind::LennardJones(c), false) | (Kind::Buckingham(c), false) => c.clone(),
                (Kind::LennardJones(c), true) => format!("{lj_style} {c}"),
                (Kind::Buckingham(c), true) => format!("buck {c}"),
                // Coulomb alone; without it an overlay wants to hear that there is nothing.
                (Kind::None, true) if coul.is_some() => continue,
                (Kind::None, true) => "none".into(),
                (Kind::None, false) if lj => "0.0 1.0".into(),
                (Kind::None, false) if buck => "0.0 1.0 0.0".into(),
                (Kind::None, false) => continue,
            };
            lines.push(format!("pair_coeff {} {} {text} # {} {}", i + 1, j + 1, name(*i), name(*j)));
        }
        let shift = nonbonded.modifier == Modifier::PotentialShift;
        let tail = nonbonded.dispersion_correction && !options.without_dispersion_correction;
        if tail && (shift || lj_style == "lj/gromacs" || charmm.is_some()) {
            let what = "a dispersion correction together with a shift or switch".to_string();
            return Err(refuse(what, "leave it out with --without-dispersion-correction"));
        }
        if tail {
            notes.push("LAMMPS' tail counts the repulsion beyond the cut-off too: its energy differs a little".into());
        } else if nonbonded.dispersion_correction {
            notes.push("the dispersion correction is left out: LAMMPS' energy and pressure lack it".into());
        }
        let yes = |b: bool| if b { "yes" } else { "no" };
        lines.push(format!("pair_modify shift {} tail {}", yes(shift), yes(tail)));
        if coul == Some("coul/long") {
            // Its interpolation table is coarser than its formula.
            lines.push("pair_modify table 0".into());
        }
        Ok(Pairs { style, lines })
    }
}

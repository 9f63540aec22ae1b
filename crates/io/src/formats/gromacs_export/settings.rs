//! `grompp.mdp`: the settings under which GROMACS computes the same forces.

use std::fmt::Write;

use amelo_core::units::EV;
use amelo_core::{Cell, Coulomb, Modifier};
use amelo_math::{Vec3, special};

use super::{FROZEN, PROGRAM};
use crate::formats::model::{Model, NoCounterpart, charged_pairs, line, number};

/// Steps of the run; mdrun's `-nsteps` overrides it.
const STEPS: u64 = 1000;

/// Room of the pair list beyond the cut-off (nm), where the cell has it; looked at every 10 steps.
const BUFFER: f64 = 0.1;

/// Order and mesh that stand for Ewald's exact sum: the mesh error falls as (β h)^order.
const EXACT_ORDER: usize = 12;
const EXACT_SPACING: f64 = 0.15;

/// Largest violation of a constraint, relative to its length, that counts as satisfied.
const SATISFIED: f64 = 1e-6;

pub(super) fn text(model: &Model, notes: &mut Vec<String>) -> Result<String, NoCounterpart> {
    let (system, nonbonded) = (model.system, model.nonbonded);
    let refuse = |what: String, remedy: &str| NoCounterpart { program: PROGRAM, what, remedy: remedy.into() };
    let mut out = format!("; {}: written by amelo\n", line(model.title));
    let mut put = |key: &str, value: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{key:<24} = {value}");
    };
    put("integrator", "md".into());
    put("dt", number(model.timestep));
    put("nsteps", STEPS.to_string());
    put("continuation", if constraints_hold(model) { "yes" } else { "no" }.into());
    put("nstlog", "100".into());
    put("nstenergy", "100".into());
    put("nstcalcenergy", "1".into());
    put("nstxout-compressed", "100".into());

    let r_cut = nonbonded.r_cut;
    // GROMACS wants its list radius below half the cell.
    let room = system.cell.half_width() * (1.0 - 1e-6) - r_cut;
    let (buffer, every) = if room > 0.01 { (room.min(BUFFER), 10) } else { (0.0, 1) };
    put("cutoff-scheme", "Verlet".into());
    put("verlet-buffer-tolerance", "-1".into());
    put("rlist", number(r_cut + buffer));
    put("nstlist", every.to_string());

    put("vdwtype", "Cut-off".into());
    put("rvdw", number(r_cut));
    match nonbonded.modifier {
        Modifier::None => put("vdw-modifier", "None".into()),
        Modifier::PotentialShift => put("vdw-modifier", "Potential-shift".into()),
        Modifier::ForceSwitch { r_switch } => {
            put("vdw-modifier", "Force-switch".into());
            put("rvdw-switch", number(r_switch));
        }
        Modifier::ForceShift | Modifier::EnergySwitch { .. } => {
            return Err(refuse(
                "the modifiers force-shift and energy-switch".into(),
                "choose none, potential-shift or force-switch in [nonbonded]",
            ));
        }
    }
    put("DispCorr", if nonbonded.dispersion_correction { "EnerPres" } else { "no" }.into());
    if nonbonded.dispersion_correction {
        notes.push(
            "GROMACS leaves excluded pairs out of the mean of C6: its dispersion correction differs a little".into(),
        );
    }

    let pme = |beta: f64, order: usize, mesh: [usize; 3]| {
        let mut lines = vec![
            ("coulombtype", "PME".to_string()),
            ("coulomb-modifier", "None".into()),
            ("ewald-rtol", number(special::erfc(beta * r_cut))),
            ("pme-order", order.to_string()),
        ];
        lines.extend(["fourier-nx", "fourier-ny", "fourier-nz"].into_iter().zip(mesh.map(|n| n.to_string())));
        lines
    };
    if nonbonded.coulomb == Coulomb::None && charged_pairs(model.topology()) {
        let what = "scaled pairs with charges where all other charges are switched off".to_string();
        return Err(refuse(what, "choose coulomb.pme, or a force field without charges"));
    }
    let charges = match nonbonded.coulomb {
        // An infinite dielectric constant, written 0: charges do not interact.
        Coulomb::None => vec![("coulombtype", "Cut-off".to_string()), ("epsilon-r", "0".into())],
        Coulomb::Cutoff => vec![("coulombtype", "Cut-off".to_string()), ("coulomb-modifier", "None".into())],
        Coulomb::Pme { beta, order, mesh } => pme(beta, order, mesh),
        Coulomb::Ewald { beta, .. } => {
            notes.push(format!("Ewald's sum is written as particle-mesh Ewald of order {EXACT_ORDER} on a fine mesh"));
            pme(beta, EXACT_ORDER, fine_mesh(&system.cell, beta))
        }
    };
    put("rcoulomb", number(r_cut));
    charges.into_iter().for_each(|(key, value)| put(key, value));
    match nonbonded.slab {
        None => {}
        Some(2) => {
            put("ewald-geometry", "3dc".into());
            // It would have pbc = xy, which its Verlet scheme does not do without walls.
            notes.push("grompp warns of the slab correction in a cell that is periodic along z: -maxwarn 1".into());
        }
        Some(axis) => {
            let what = format!("a slab correction along {}", ["x", "y"][axis.min(1)]);
            return Err(refuse(what, "turn the film so that its normal is z"));
        }
    }
    if nonbonded.coulomb.beta().is_some() && system.topology.total_charge().abs() > 1e-6 {
        let q = system.topology.total_charge();
        notes.push(format!("the system has a net charge of {q:+.6} e: grompp warns of it, -maxwarn 1"));
    }

    put("tcoupl", "no".into());
    put("pcoupl", "no".into());
    put("gen-vel", "no".into());
    // Distances held fixed stand in the topology, one by one.
    put("constraints", "none".into());
    if !system.topology.constraints.is_empty() {
        put("constraint-algorithm", "LINCS".into());
        put("lincs-order", "8".into());
        put("lincs-iter", "2".into());
    }
    if system.topology.frozen.contains(&true) {
        put("freezegrps", FROZEN.into());
        put("freezedim", "Y Y Y".into());
        put("comm-mode", "None".into());
    } else {
        put("comm-mode", "Linear".into());
    }
    if let Some(field) = model.electric_field.filter(|f| *f != Vec3::ZERO) {
        for (key, e) in ["electric-field-x", "electric-field-y", "electric-field-z"].into_iter().zip(field.to_array()) {
            put(key, format!("{} 0 0 0", number(e / EV)));
        }
        notes.push("GROMACS does not count the work of the electric field in its potential energy".into());
    }
    Ok(out)
}

/// Whether a run may begin without moving the atoms onto their constraints.
fn constraints_hold(model: &Model) -> bool {
    let system = model.system;
    model.topology().constraints.iter().all(|c| {
        let [i, j] = c.atoms.map(|a| a as usize);
        let r = system.cell.minimum_image(system.positions[i] - system.positions[j]).norm();
        (r - c.length).abs() <= SATISFIED * c.length
    })
}

/// Mesh points along each cell vector for a mesh error far below that of f32.
fn fine_mesh(cell: &Cell, beta: f64) -> [usize; 3] {
    let smooth = |mut n: usize| {
        for p in [2, 3, 5] {
            while n.is_multiple_of(p) {
                n /= p;
            }
        }
        n == 1
    };
    cell.vectors().rows.map(|v| {
        let least = (v.norm() * beta / EXACT_SPACING).ceil().clamp(2.0 * EXACT_ORDER as f64, 2048.0) as usize;
        (least..4096).find(|&n| smooth(n)).unwrap_or(2048)
    })
}

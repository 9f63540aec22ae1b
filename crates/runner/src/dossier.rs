//! The circumstances of a blow-up: which atom, who is near it, which term pulls.

use std::path::Path;

use amelo_core::{ForceError, Forces, Request, System, TermSum};
use amelo_dynamics::DynamicsError;
use serde_json::{Value, json};

use crate::error::RunnerError;
use crate::plan::StagePlan;

/// Neighbours listed.
const NEIGHBOURS: usize = 12;

/// Writes `dossier.json`. `terms` are evaluated once more, each by itself.
pub fn write(
    path: &Path,
    system: &System,
    plan: &StagePlan,
    error: &DynamicsError,
    terms: Option<TermSum>,
) -> Result<(), RunnerError> {
    let atom = first_bad_atom(system, error);
    let dossier = json!({
        "error": error.to_string(),
        "stage": plan.name,
        "step": system.step,
        "time_ps": system.time,
        "timestep_ps": plan.timestep,
        "cell_nm": system.cell.vectors().to_array(),
        "atom": atom.map(|a| describe(system, a)),
        "neighbours": atom.map(|a| neighbours(system, a)),
        "largest_forces_by_term": terms.map(|t| by_term(system, t, atom)),
        "last_good_checkpoint": amelo_io::CHECKPOINT,
    });
    Ok(amelo_io::write_json(path, &dossier)?)
}

/// The atom that the error names, or the first whose position or velocity is not a number.
fn first_bad_atom(system: &System, error: &DynamicsError) -> Option<usize> {
    let broken = system.positions.iter().zip(&system.velocities).position(|(r, v)| !r.is_finite() || !v.is_finite());
    match error {
        DynamicsError::Unstable { atom, .. } => Some(*atom),
        DynamicsError::Constraint { i, .. } => Some(*i),
        DynamicsError::Force { source: ForceError::Overlap { i, .. }, .. } => Some(*i),
        DynamicsError::Force { source: ForceError::NotFinite { atom, .. }, .. } => Some(*atom),
        _ => broken,
    }
}

fn describe(system: &System, atom: usize) -> Value {
    let topology = &system.topology;
    let residue = topology.residues.iter().find(|r| (r.first..r.first + r.count).contains(&atom));
    json!({
        "atom": atom,
        "name": topology.names.get(atom),
        "type": topology.types.get(topology.type_of[atom] as usize).map(|t| &t.name),
        "residue": residue.map(|r| &r.name),
        "position_nm": system.positions[atom].to_array().map(finite),
        "velocity_nm_per_ps": system.velocities[atom].to_array().map(finite),
    })
}

fn neighbours(system: &System, atom: usize) -> Value {
    let mut near: Vec<(f64, usize)> = (0..system.n_atoms())
        .filter(|&j| j != atom)
        .map(|j| (system.cell.minimum_image(system.positions[j] - system.positions[atom]).norm(), j))
        .filter(|(r, _)| r.is_finite())
        .collect();
    near.sort_by(|a, b| a.0.total_cmp(&b.0));
    near.truncate(NEIGHBOURS);
    let excluded = |j: usize| system.topology.exclusions.contains(atom, j);
    near.into_iter()
        .map(|(r, j)| {
            let mut entry = describe(system, j);
            entry["distance_nm"] = finite(r);
            entry["bonded_or_excluded"] = excluded(j).into();
            entry
        })
        .collect()
}

fn by_term(system: &System, mut terms: TermSum, atom: Option<usize>) -> Value {
    let mut rows = Vec::new();
    for term in &mut terms.terms {
        let mut forces = Forces::new(system.n_atoms());
        let row = match term.prepare(system, Request::ALL).and_then(|()| term.add(system, Request::ALL, &mut forces)) {
            Err(e) => json!({ "term": term.name(), "error": e.to_string() }),
            Ok(()) => {
                let largest = forces.on.iter().map(|f| f.norm()).enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
                json!({
                    "term": term.name(),
                    "energy_kj_per_mol": finite(forces.energy.potential()),
                    "largest_force": largest.map(|(a, f)| json!({ "atom": a, "kj_per_mol_nm": finite(f) })),
                    "force_on_atom": atom.map(|a| forces.on[a].to_array().map(finite)),
                })
            }
        };
        rows.push(row);
    }
    rows.into()
}

/// JSON has no NaN: it is written as text.
fn finite(x: f64) -> Value {
    if x.is_finite() { x.into() } else { x.to_string().into() }
}

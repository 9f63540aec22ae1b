//! Single points of LAMMPS scripts: paths on standard input, one JSON document per line on standard output, either
//! `{"energy": {…}, "forces": […], "virial": […]}` (kJ/mol, kJ/mol/nm) or `{"error": "…"}`. `scripts/lammps-force-styles`
//! drives it.

use std::io::BufRead;
use std::path::Path;

use amelo_core::{ForceProvider, Forces, Request};
use amelo_runner::engine::Model;
use amelo_runner::plan::Conditions;
use serde_json::{Map, Value, json};

fn main() {
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let result = single_point(Path::new(line.trim()));
        println!("{}", result.unwrap_or_else(|error| json!({ "error": error })));
    }
}

fn single_point(script: &Path) -> Result<Value, String> {
    let imported = amelo_io::formats::lammps::import(script).map_err(|e| e.to_string())?;
    let system = imported.system;
    let nonbonded = imported.nonbonded.ok_or("the script sets no cut-off")?;
    let model = Model { topology: system.topology.clone(), pair_table: imported.pair_table, nonbonded };
    let mut terms =
        model.terms(&system.topology, &system.cell, &Conditions::default(), None).map_err(|e| e.to_string())?;
    let mut forces = Forces::new(system.n_atoms());
    terms.evaluate(&system, Request::ALL, &mut forces).map_err(|e| e.to_string())?;
    let energy: Map<String, Value> = forces.energy.terms.iter().map(|(n, e)| (n.to_string(), (*e).into())).collect();
    let on: Vec<[f64; 3]> = forces.on.iter().map(|f| f.to_array()).collect();
    Ok(json!({ "energy": energy, "forces": on, "virial": forces.virial.to_array(), "notes": imported.notes }))
}

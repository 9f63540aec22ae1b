//! A frozen oxide is an economy, not another model: the molecules feel the same forces as beside a flexible one.

mod common;

use std::path::Path;

use amelo_core::{ForceProvider, Forces, Request};
use amelo_math::Vec3;
use amelo_runner::plan::Conditions;
use amelo_runner::progress::{Reporter, Silent};
use amelo_runner::{deck, preparation};

/// Forces where only forces are asked for, as in most steps of a run.
fn forces(frozen: &[&str], system: &amelo_core::System, model: &amelo_runner::engine::Model) -> Vec<Vec3> {
    let conditions =
        Conditions { frozen: frozen.iter().map(|name| name.to_string()).collect(), ..Conditions::default() };
    let mut system = system.clone();
    system.topology = model.stage_topology(&conditions);
    let mut terms = model.terms(&system.topology, &system.cell, &conditions, None).expect("terms of the force field");
    let mut forces = Forces::new(system.n_atoms());
    // Twice: from the second time on the mesh of the frozen charges is a kept one.
    for _ in 0..2 {
        terms.evaluate(&system, Request::FORCES, &mut forces).expect("forces");
    }
    forces.on.to_vec()
}

#[test]
fn molecules_feel_a_frozen_oxide_as_they_feel_a_flexible_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("inputs/quickstart.toml");
    let sets = ["nonbonded.precision=\"double\"".to_string()];
    let (deck, source) = deck::read(&path, &sets).expect("a deck");
    let prepared = preparation::prepare(&deck, &source, &Reporter::new(&Silent)).expect("a system");
    let oxide = &prepared.model.topology.groups["oxide"];
    let flexible = forces(&[], &prepared.system, &prepared.model);
    let frozen = forces(&["oxide"], &prepared.system, &prepared.model);
    let (mut on_oxide, mut on_molecules) = ([0.0f64; 2], [0.0f64; 2]);
    for (i, (a, b)) in flexible.iter().zip(&frozen).enumerate() {
        let [difference, size] = if oxide.contains(&(i as u32)) { &mut on_oxide } else { &mut on_molecules };
        *difference = difference.max((*a - *b).norm());
        *size += a.norm2();
    }
    let n_molecules = (flexible.len() - oxide.len()) as f64;
    let rms = (on_molecules[1] / n_molecules).sqrt();
    println!(
        "{} atoms beside {} of oxide, largest difference {:e} of the rms force",
        n_molecules,
        oxide.len(),
        on_molecules[0] / rms
    );
    assert!(on_molecules[0] < 1e-10 * rms, "{} of {rms} kJ/mol/nm", on_molecules[0]);
    // Between frozen atoms nothing was computed: else this test would say nothing.
    assert!(on_oxide[0] > 0.1 * (on_oxide[1] / oxide.len() as f64).sqrt(), "{on_oxide:?}");
}

/// The quickstart's deck in `directory` with what it does at constant pressure done at constant volume.
fn at_constant_volume(directory: &Path) -> std::path::PathBuf {
    let deck = Path::new(env!("CARGO_MANIFEST_DIR")).join("inputs/quickstart.toml");
    let text = std::fs::read_to_string(deck).expect("a deck");
    let line = text.lines().find(|line| line.starts_with("npt = ")).expect("a barostat");
    let path = directory.join("volume.toml");
    std::fs::write(&path, text.replacen(line, "nvt = { temperature = \"423 K\" }", 1)).expect("written");
    path
}

/// The mesh is chosen for the atoms that move in some stage, and for all where a pressure acts.
#[test]
fn a_mesh_is_as_fine_as_what_moves_needs() {
    let directory = tempfile::tempdir().expect("a directory");
    let volume = at_constant_volume(directory.path());
    let points = |path: &Path, sets: &[&str]| {
        let target = "nonbonded.coulomb.pme={ force_error = \"0.1 kJ/mol/nm\" }";
        let sets: Vec<String> = [target].iter().chain(sets).map(|set| set.to_string()).collect();
        let (deck, source) = deck::read(path, &sets).expect("a deck");
        let prepared = preparation::prepare(&deck, &source, &Reporter::new(&Silent)).expect("a system");
        match prepared.model.nonbonded.coulomb {
            amelo_core::Coulomb::Pme { mesh, .. } => mesh.iter().product::<usize>(),
            other => panic!("{other:?}"),
        }
    };
    let (never, always) = ("dynamics.frozen=[\"oxide\"]", "stage.production.frozen=[]");
    let (flexible, frozen) = (points(&volume, &[]), points(&volume, &[never]));
    assert!(frozen < flexible, "{frozen} and {flexible} points");
    assert_eq!(points(&volume, &[never, always]), flexible);
    let pressure = Path::new(env!("CARGO_MANIFEST_DIR")).join("inputs/quickstart.toml");
    assert_eq!(points(&pressure, &[never]), flexible);
}

/// What was frozen when the mesh was chosen does not move on that mesh.
#[test]
fn a_state_whose_oxide_was_frozen_is_not_thawed_on_its_mesh() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = at_constant_volume(directory.path());
    let target = "nonbonded.coulomb.pme={ force_error = \"1 kJ/mol/nm\" }";
    let frozen = "dynamics.frozen=[\"oxide\"]";
    let deck = path.to_str().expect("text");
    common::ok(directory.path(), &["build", deck, "-o", "system.h5", "--set", target, "--set", frozen]);
    let stage = "[[stage]]\nname = \"run\"\nnvt = { temperature = \"423 K\" }\nduration = \"0.1 ps\"\n";
    common::write(directory.path(), "next.toml", &format!("[system.restart]\nfrom = \"system.h5\"\n{stage}"));
    let (code, stderr) = common::call(directory.path(), &["check", "next.toml"]);
    assert!(code == 2 && stderr.contains("was frozen and may move here"), "{code} {stderr}");
    assert!(stderr.contains("next.toml:2:8") && stderr.contains("write [nonbonded]"), "{stderr}");
    common::ok(directory.path(), &["check", "next.toml", "--set", frozen]);
    common::ok(directory.path(), &["check", "next.toml", "--set", "nonbonded.r_cut=\"0.9 nm\""]);
}

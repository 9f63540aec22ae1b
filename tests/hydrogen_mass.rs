//! `[dynamics] hydrogen_mass`: shown by `check`, kept by checkpoints, refused where it cannot be.

mod common;

use common::{call, electrolyte_deck, hash, ok, with_sets};
use serde_json::Value;

/// The electrolyte of `inputs/`, with constraints and 4 fs, its minimisation cut short.
const SETS: [&str; 4] = [
    "dynamics.hydrogen_mass=\"3 u\"",
    "dynamics.constraints=\"h-bonds\"",
    "dynamics.timestep=\"4 fs\"",
    "stage[0].minimize.max_steps=300",
];

#[test]
fn check_shows_the_masses_and_the_density_stays() {
    let directory = tempfile::tempdir().expect("a directory");
    let deck = electrolyte_deck();
    let check = |sets: &[&str]| -> Value {
        let text = ok(directory.path(), &with_sets(&["check", deck.as_str(), "--json"], sets));
        serde_json::from_str(&text).expect("JSON")
    };
    let (plain, heavy) = (check(&[]), check(&SETS[..1]));
    assert!(plain["hydrogen_mass"].is_null());
    // Six chains of CH₃–O–(CH₂CH₂O)₁₁–CH₃, whose methyl ends stand in for one repeat unit's carbons.
    let hydrogens = heavy["hydrogen_mass"]["count"].as_u64().expect("a number");
    assert!(hydrogens > 6 * 4 * 11 && hydrogens < 622, "{hydrogens}");
    assert_eq!(heavy["hydrogen_mass"]["mass_u"].as_f64(), Some(3.0));
    let density = |report: &Value| report["density"].as_f64().expect("a number");
    assert!((density(&heavy) / density(&plain) - 1.0).abs() < 1e-12);
    let text = call(directory.path(), &with_sets(&["check", deck.as_str()], &SETS[..1]));
    let stdout = ok(directory.path(), &with_sets(&["check", deck.as_str()], &SETS[..1]));
    let expected = format!("{hydrogens} hydrogens weigh 3 u");
    assert!(stdout.contains(&expected) || text.1.contains(&expected), "{stdout}\n{}", text.1);
}

#[test]
fn a_carbon_that_would_weigh_less_than_its_hydrogens_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let deck = electrolyte_deck();
    let (code, stderr) =
        call(directory.path(), &with_sets(&["check", deck.as_str()], &["dynamics.hydrogen_mass=\"4 u\""]));
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("hydrogen_mass") && stderr.contains("would be left with"), "{stderr}");
}

#[test]
fn checkpoints_keep_the_masses() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    let deck = electrolyte_deck();
    let run = |out: &'static str, steps: &'static str, resume: bool| {
        let mut arguments = vec!["run", deck.as_str(), "--out", out, "--steps", steps];
        if resume {
            arguments.push("--resume");
        }
        let (code, stderr) = call(path, &with_sets(&arguments, &SETS));
        assert_eq!(code, 75, "{stderr}");
    };
    run("whole", "9", false);
    run("parts", "4", false);
    run("parts", "5", true);
    assert_eq!(hash(path, "whole"), hash(path, "parts"));
    // Another mass is another run.
    let sets = ["dynamics.hydrogen_mass=\"2 u\"", SETS[1], SETS[2], SETS[3]];
    let arguments = ["run", deck.as_str(), "--out", "parts", "--steps", "5", "--resume"];
    let (code, stderr) = call(path, &with_sets(&arguments, &sets));
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("dynamics.hydrogen_mass"), "{stderr}");
}

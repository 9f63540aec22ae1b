//! Mixed precision is what moves atoms where nobody says otherwise; single points are double, to be compared.

mod common;

use std::path::Path;

use common::{argon_directory, call, ok, write};
use serde_json::Value;

fn json(directory: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&ok(directory, &[arguments, &["--json"]].concat())).expect("JSON")
}

/// `nonbonded` of a run that starts from `file`.
fn settings(directory: &Path, file: &str, nonbonded: &str) -> Value {
    let deck = format!(
        "[system.restart]\nfrom = \"{file}\"\n[nonbonded]\n{nonbonded}\n[[stage]]\nname = \"relax\"\nminimize = {{}}\n"
    );
    // Without a key there is no section either.
    write(
        directory,
        "start.toml",
        if nonbonded.is_empty() { deck.replace("[nonbonded]\n", "") } else { deck }.as_str(),
    );
    json(directory, &["check", "start.toml"])["nonbonded"].clone()
}

#[test]
fn a_deck_moves_atoms_in_mixed_precision_and_its_single_points_are_double() {
    let directory = argon_directory("[nonbonded]\nr_cut = \"0.8 nm\"");
    let path = directory.path();
    assert_eq!(json(path, &["check", "run.toml"])["nonbonded"]["precision"], "mixed");
    assert!(ok(path, &["check", "run.toml"]).contains("precision   mixed"));
    assert_eq!(json(path, &["bench", "run.toml", "--steps", "5"])["precision"], "mixed");
    ok(path, &["run", "run.toml", "--out", "run"]);
    let log = std::fs::read_to_string(path.join("run/run.log")).expect("a log");
    assert!(log.contains("mixed precision"), "{log}");
    let resolved = settings(path, "run", "");
    assert_eq!((&resolved["precision"], &resolved["r_cut"]), (&"mixed".into(), &0.8.into()));
    assert!(ok(path, &["check", "start.toml"]).contains("mixed"));
    ok(path, &["report", "run", "-o", "report.html"]);
    let report = std::fs::read_to_string(path.join("report.html")).expect("a report");
    assert!(report.contains("precision") && report.contains("mixed"));
    for system in ["run.toml", "run"] {
        let double = json(path, &["energy", system]);
        let mixed = json(path, &["energy", system, "--set", "nonbonded.precision=\"mixed\""]);
        assert_eq!((&double["precision"], &mixed["precision"]), (&"double".into(), &"mixed".into()), "{system}");
        let [double, mixed] = [double, mixed].map(|e| e["energy"]["potential"].as_f64().expect("an energy"));
        // Another precision, and nothing else: f32 holds 2⁻²⁴ of each pair's energy. Another cut-off would be seen.
        let error = (mixed / double - 1.0).abs();
        assert!(error > 0.0 && error < 1e-6, "{system}: {double} and {mixed} kJ/mol");
    }
}

#[test]
fn a_precision_that_is_stated_holds_for_single_points_too() {
    for precision in ["mixed", "double"] {
        let directory = argon_directory(&format!("[nonbonded]\nr_cut = \"0.8 nm\"\nprecision = \"{precision}\""));
        let path = directory.path();
        ok(path, &["build", "run.toml", "-o", "built.h5"]);
        ok(path, &["run", "run.toml", "--out", "run"]);
        for system in ["run.toml", "built.h5", "run"] {
            assert_eq!(json(path, &["energy", system])["precision"], precision, "{system}");
        }
    }
}

/// Whoever changes only the precision of a system does not get other cut-offs with it.
#[test]
fn precision_alone_leaves_the_settings_that_a_system_brings() {
    let directory = argon_directory("");
    let path = directory.path();
    let own = settings(path, "argon.h5", "");
    for precision in ["mixed", "double"] {
        let mut expected = own.clone();
        expected["precision"] = precision.into();
        assert_eq!(settings(path, "argon.h5", &format!("precision = \"{precision}\"")), expected);
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/lammps/short_cutoff/in.lmp");
    let import = |more: &[&str]| {
        let arguments = ["import", "lammps", script.to_str().expect("UTF-8"), "-o", "lmp.h5", "--overwrite", "-q"];
        ok(path, &[&arguments, more].concat());
        settings(path, "lmp.h5", "")
    };
    let imported = import(&[]);
    assert_eq!(imported["precision"], "mixed");
    let mut expected = imported.clone();
    expected["precision"] = "double".into();
    assert_eq!(import(&["--set", "nonbonded.precision=\"double\""]), expected);
    let other = import(&["--set", "nonbonded.precision=\"double\"", "--set", "nonbonded.r_cut=\"0.25 nm\""]);
    assert_ne!(other["r_cut"], imported["r_cut"]);
}

#[test]
fn a_stored_state_is_not_tuned() {
    let directory = argon_directory("[nonbonded]\nr_cut = \"0.8 nm\"");
    let path = directory.path();
    ok(path, &["build", "run.toml", "-o", "built.h5"]);
    let (code, error) = call(path, &["energy", "built.h5", "--set", "nonbonded.coulomb.pme={ tune = true }"]);
    assert_eq!(code, 2, "{error}");
    assert!(error.contains("a stored state starts none") && error.contains("force_error"), "{error}");
}

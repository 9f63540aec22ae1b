//! Oxides from the command line: crystals from files, cuts, vacancies, what is told of them, and what is refused.

mod common;

use std::path::Path;

use common::{call, ok, write};
use serde_json::Value;

const RUTILE: &str = include_str!("../crates/build/tests/data/rutile.cif");

/// A slab of 2 × 2 nm with 2 nm of vacuum; `oxide` are the lines of its table, which `header` opens.
fn deck(header: &str, oxide: &str) -> String {
    format!(
        "title = \"slab\"\n[system]\nlateral = [\"2 nm\", \"2 nm\"]\ngeometry.film = {{ vacuum = \"2 nm\" }}\n{header}\n{oxide}\n\
         [forcefield]\nfiles = [\"tio2-matsui-akaogi\"]\n[nonbonded]\nr_cut = \"0.9 nm\"\n[[stage]]\nname = \"relax\"\n\
         minimize = {{ max_steps = 2 }}\n"
    )
}

const ANATASE: &str = "[system.oxide.anatase]";
const SURFACE: &str = "surface = \"101\"\nthickness = \"1 nm\"";

fn json(directory: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&ok(directory, arguments)).expect("JSON")
}

#[test]
fn requests_that_cannot_be_are_refused_at_their_line() {
    let cases = [
        // A cut inside a TiO₂ layer, without permission: its dipole, and the cuts that would do.
        ("surface = \"001\"\nthickness = \"1 nm\"\ncut = \"0.2 Å\"", "8:7", "Tasker type 2, no dipole"),
        ("surface = \"001\"\nthickness = \"1 nm\"\ncut = \"0.2 Å\"", "8:7", "polar = \"allow\""),
        (&format!("{SURFACE}\npolar = \"yes\""), "8:9", "unknown variant"),
        (&format!("{SURFACE}\nvacancies = {{ fraction = 1.5 }}"), "8:26", "more than there is"),
        (&format!("{SURFACE}\nvacancies = {{ count = 41 }}"), "8:23", "from 0 to 40"),
        (&format!("{SURFACE}\nvacancies = {{ count = 1, compensation = \"none\" }}"), "8:41", "two-nearest-ti"),
        (&format!("{SURFACE}\nhydroxylation = 0.5"), "8:1", "unknown field"),
        (&format!("cif = \"a.cif\"\n{SURFACE}"), "6:7", "[system.oxide.file]"),
    ];
    for (oxide, place, words) in cases {
        let directory = tempfile::tempdir().expect("a directory");
        write(directory.path(), "run.toml", &deck(ANATASE, oxide));
        for command in ["run", "check"] {
            let (code, stderr) = call(directory.path(), &[command, "run.toml"]);
            assert_eq!(code, 2, "{stderr}");
            assert!(stderr.contains(&format!("run.toml:{place}")), "{place}\n{stderr}");
            assert!(stderr.contains(words) && stderr.contains("help:"), "{words}\n{stderr}");
        }
        assert!(!directory.path().join("run.run").exists());
    }
}

#[test]
fn a_crystal_file_that_cannot_be_read_names_its_own_line() {
    let directory = tempfile::tempdir().expect("a directory");
    write(directory.path(), "run.toml", &deck("[system.oxide.file]", &format!("cif = \"x.cif\"\n{SURFACE}")));
    let refused = |words: &str| {
        let (code, stderr) = call(directory.path(), &["check", "run.toml"]);
        let flat = stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains("run.toml:6:7") && flat.contains(words), "{words}\n{stderr}");
    };
    refused("cannot read");
    write(directory.path(), "x.cif", &RUTILE.replace("4.5937(3)", "about4"));
    refused("x.cif:8: _cell_length_a");
    write(directory.path(), "x.cif", &RUTILE.replace("Ti4+", "Zr4+"));
    refused("no parameter file gives an oxide with Zr");
}

#[test]
fn a_crystal_file_beside_the_deck_gives_the_built_in_crystal() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(directory.path().join("decks")).expect("a folder");
    write(directory.path(), "decks/rutile.cif", RUTILE);
    let lines = "surface = \"110\"\nthickness = \"1 nm\"";
    write(directory.path(), "decks/file.toml", &deck("[system.oxide.file]", &format!("cif = \"rutile.cif\"\n{lines}")));
    write(directory.path(), "decks/own.toml", &deck("[system.oxide.rutile]", lines));
    let [file, own] =
        ["file", "own"].map(|name| json(directory.path(), &["energy", &format!("decks/{name}.toml"), "--json"]));
    let energy = |v: &Value| v["energy"]["potential"].as_f64().expect("a number");
    assert_eq!(file["n_atoms"], own["n_atoms"]);
    assert!((energy(&file) - energy(&own)).abs() < 1e-6 * energy(&own).abs(), "{file} {own}");
    let report = json(directory.path(), &["check", "decks/file.toml", "--json"]);
    let name = report["build"]["oxide"]["file"].as_str().expect("the file");
    assert!(name.contains("rutile.cif, sha256 "), "{name}");
}

#[test]
fn vacancies_stand_in_the_system_the_results_and_the_report() {
    let directory = tempfile::tempdir().expect("a directory");
    let vacancies = "vacancies = { fraction = 0.1, where = \"surface\", compensation = \"two-nearest-ti\" }";
    write(directory.path(), "run.toml", &deck(ANATASE, &format!("{SURFACE}\n{vacancies}")));
    ok(directory.path(), &["run", "run.toml", "-q"]);
    let results: Value =
        serde_json::from_str(&std::fs::read_to_string(directory.path().join("run.run/results.json")).expect("results"))
            .expect("JSON");
    let told = &results["build"]["oxide"]["vacancies"];
    // A tenth of the 40 bridging O of 2 × 5 cells.
    assert_eq!((&told["count"], &told["candidates"]), (&4.into(), &40.into()));
    assert_eq!(told["removed"].as_array().map(Vec::len), Some(4));
    assert_eq!(told["changed_charges"][0]["atoms"].as_array().map(Vec::len), Some(8));
    let page = std::fs::read_to_string(directory.path().join("run.run/report.html")).expect("a report");
    assert!(page.contains("What was built") && page.contains("two-nearest-ti"));
    let check = json(directory.path(), &["check", "run.toml", "--json"]);
    assert_eq!(check["build"]["oxide"]["vacancies"], *told);
    assert!(check["net_charge"].as_f64().expect("a number").abs() < 1e-12);
    let groups = check["groups"].as_array().expect("groups");
    assert!(groups.iter().any(|g| g[0] == "oxide reduced Ti" && g[1] == 8), "{groups:?}");
}

#[test]
fn every_cut_is_listed_and_a_polar_one_is_built_with_a_warning() {
    let directory = tempfile::tempdir().expect("a directory");
    write(directory.path(), "good.toml", &deck(ANATASE, SURFACE));
    let check = json(directory.path(), &["check", "good.toml", "--json"]);
    let cuts = check["build"]["oxide"]["terminations"].as_array().expect("a list");
    assert_eq!(cuts[0]["tasker_type"], 2);
    assert!(cuts.iter().any(|c| c["tasker_type"] == 3));
    assert_eq!(check["warnings"].as_array().map(Vec::len), Some(0));
    let polar = "surface = \"001\"\nthickness = \"1 nm\"\ncut = \"0.2 Å\"\npolar = \"allow\"";
    write(directory.path(), "polar.toml", &deck(ANATASE, polar));
    let check = json(directory.path(), &["check", "polar.toml", "--json"]);
    assert!(check["warnings"][0].as_str().expect("a warning").contains("is polar"), "{}", check["warnings"]);
    let (code, stderr) = call(directory.path(), &["run", "polar.toml"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("warning: the slab of anatase (0 0 1) is polar"), "{stderr}");
}

#[test]
fn there_is_an_explanation_of_each_rule_and_of_the_missing_hydroxyls() {
    let directory = tempfile::tempdir().expect("a directory");
    assert!(ok(directory.path(), &["list", "oxides"]).contains("two-subsurface-ti"));
    assert!(ok(directory.path(), &["explain", "two-nearest-ti"]).contains("1.647 e"));
    assert!(ok(directory.path(), &["explain", "hydroxylation"]).contains("no published parameters"));
}

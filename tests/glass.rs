//! Amorphous oxides through the command line: made once, the same bits from the cache, rejected with reasons.

mod common;

use std::path::{Path, PathBuf};

use amelo_io::Snapshot;
use common::{amelo, call, hasty_glass, ok, write};
use serde_json::Value;

/// A glass of some 200 atoms, made in a moment.
const DECK: &str = r#"
seed = 5
[system]
lateral = ["1.4 nm", "1.35 nm"]
geometry.film = { vacuum = "2 nm" }
[system.oxide.amorphous]
thickness = "1.3 nm"
r_cut = "0.6 nm"
[forcefield]
files = ["tio2-matsui-akaogi"]
[nonbonded]
r_cut = "0.6 nm"
slab = "z"
[[stage]]
name = "run"
nvt = { temperature = "300 K" }
duration = "1 ps"
"#;

/// Arguments of `amelo build` or `run` for the deck with a hasty recipe.
fn arguments<'a>(first: &[&'a str], sets: &'a [String]) -> Vec<&'a str> {
    let sets = sets.iter().flat_map(|s| ["--set", s.as_str()]);
    first.iter().copied().chain(sets).collect()
}

fn hasty() -> Vec<String> {
    hasty_glass(&DECK.parse().expect("TOML"))
}

/// `amelo build` into `output`; the report and what went to stderr.
fn build(directory: &Path, output: &str, sets: &[String], threads: &str) -> (Value, String) {
    let done =
        amelo(directory, &arguments(&["build", "deck.toml", "-o", output, "--json", "--threads", threads], sets));
    let stderr = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{stderr}");
    (serde_json::from_slice(&done.stdout).expect("JSON"), stderr)
}

fn positions(path: &Path) -> (Vec<[u64; 3]>, [[f64; 3]; 3]) {
    let system = Snapshot::read(path).expect("a system").system;
    (system.positions.iter().map(|r| r.to_array().map(f64::to_bits)).collect(), system.cell.vectors().to_array())
}

/// The one glass in the cache.
fn cached(directory: &Path) -> PathBuf {
    let folders = std::fs::read_dir(directory.join("cache/glasses")).expect("a cache");
    let mut found: Vec<PathBuf> = folders.flatten().map(|e| e.path().join("glass.h5")).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn a_glass_is_made_once_and_comes_from_the_cache_with_the_same_bits() {
    let folder = tempfile::tempdir().expect("a directory");
    let here = folder.path();
    write(here, "deck.toml", DECK);
    let (made, told) = build(here, "a.h5", &hasty(), "1");
    assert!(told.contains("making glass"), "{told}");
    // 4.11 g/cm³ · 2.457 nm³ / 79.8658 u = 76.14 units; whole, neutral, with every atom.
    let oxide = &made["build"]["oxide"];
    assert_eq!(made["n_atoms"], 3 * 76);
    assert_eq!(oxide["formula_units"], 76);
    assert_eq!(oxide["oxygen_to_titanium"], 2.0);
    assert!(made["net_charge"].as_f64().expect("a number").abs() < 1e-9);
    let certificate = &oxide["glass"];
    assert_eq!(certificate["seed"], 5);
    assert_eq!(certificate["verdict"]["checks"].as_array().map(Vec::len), Some(4));
    assert_eq!(certificate["bulk"]["formula_units"], 76);

    let (again, told) = build(here, "b.h5", &hasty(), "2");
    assert!(told.contains("from the cache") && !told.contains("making glass"), "{told}");
    assert_eq!(positions(&here.join("a.h5")), positions(&here.join("b.h5")));
    assert_eq!(again["build"], made["build"]);

    // Vacancies come afterwards: the same glass, two atoms less.
    let mut sets = hasty();
    sets.push("system.oxide.amorphous.vacancies={ count = 2, where = \"bulk\" }".into());
    let (reduced, told) = build(here, "reduced.h5", &sets, "1");
    assert!(told.contains("from the cache"), "{told}");
    assert_eq!(reduced["n_atoms"], 3 * 76 - 2);
    assert_eq!(reduced["build"]["oxide"]["vacancies"]["count"], 2);
    assert_eq!(reduced["build"]["oxide"]["formula_units"], 76);
    assert!(reduced["net_charge"].as_f64().expect("a number").abs() < 1e-12);

    // Damaged, it is noticed and made anew, by another number of threads, to the same bits; rubbish of a killed
    // process beside it does not matter.
    let glass = cached(here);
    let mut bytes = std::fs::read(&glass).expect("a glass");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&glass, &bytes).expect("written");
    std::fs::write(glass.with_extension("h5.tmp"), b"half a gla").expect("written");
    let (_, told) = build(here, "c.h5", &hasty(), "2");
    assert!(told.contains("SHA-256") && told.contains("made anew") && told.contains("making glass"), "{told}");
    assert_eq!(positions(&here.join("a.h5")), positions(&here.join("c.h5")));
    let (_, told) = build(here, "d.h5", &hasty(), "1");
    assert!(told.contains("from the cache"), "{told}");

    // Another seed is another surface; where glasses are kept does not matter to it.
    let elsewhere = ["system.oxide.amorphous.seed=6", "system.oxide.amorphous.cache=\"own\""].map(String::from);
    build(here, "e.h5", &[hasty(), elsewhere.to_vec()].concat(), "2");
    assert_ne!(positions(&here.join("a.h5")).0, positions(&here.join("e.h5")).0);
    assert_eq!(std::fs::read_dir(here.join("own")).expect("a cache").count(), 1);
}

#[test]
fn a_glass_outside_the_window_is_rejected_with_its_reasons_and_a_check_makes_none() {
    let folder = tempfile::tempdir().expect("a directory");
    let here = folder.path();
    write(here, "deck.toml", DECK);
    let sets: Vec<String> = hasty().into_iter().filter(|s| !s.contains("accept")).collect();

    // No dynamics in a check: atoms stand in, and it says so.
    let checked: Value =
        serde_json::from_str(&ok(here, &arguments(&["check", "deck.toml", "--json"], &sets))).expect("JSON");
    assert_eq!(checked["n_atoms"], 3 * 76);
    assert!(checked["warnings"].to_string().contains("stand here at random"), "{}", checked["warnings"]);
    assert!(checked["build"]["oxide"]["glass"].is_null());
    assert!(!here.join("cache").exists());

    let (code, told) = call(here, &arguments(&["build", "deck.toml", "-o", "a.h5"], &sets));
    assert_eq!(code, 2, "{told}");
    for part in
        ["the glass of seed 5 is rejected: density is", "outside 3.9867 to 4.2333", "accept = \"any\"", "deck.toml:6"]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!here.join("a.h5").exists());

    // With the glass in the cache a check has its certificate, and rejects it too.
    let (code, _) = call(here, &arguments(&["check", "deck.toml"], &sets));
    assert_eq!(code, 2);
    let any = "system.oxide.amorphous.accept=\"any\"".to_string();
    let text = ok(here, &arguments(&["check", "deck.toml"], &[sets, vec![any]].concat()));
    assert!(text.contains("accepted: false") && text.contains("titanium_by_coordination"), "{text}");
    assert!(!text.contains("curves"), "curves are for plots");
}

#[test]
fn a_run_on_a_glass_reports_its_certificate() {
    let folder = tempfile::tempdir().expect("a directory");
    let here = folder.path();
    write(here, "deck.toml", DECK);
    let sets = [hasty(), vec!["stage.run.duration=\"5 fs\"".to_string()]].concat();
    ok(here, &arguments(&["run", "deck.toml", "--out", "run"], &sets));
    let page = std::fs::read_to_string(here.join("run/report.html")).expect("a report");
    for part in [
        "Amorphous oxide",
        "glass of seed 5",
        "outside the acceptance window",
        "R_q",
        "distribution function of the glass",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(std::fs::read_to_string(here.join("run/run.log")).expect("a log").contains("glass "));
}

#[test]
fn more_vacancies_than_atoms_are_refused_before_the_glass_is_made() {
    let directory = tempfile::tempdir().expect("a directory");
    let vacancies = "thickness = \"1.3 nm\"\nvacancies = { count = 153 }";
    write(directory.path(), "deck.toml", &DECK.replace("thickness = \"1.3 nm\"", vacancies));
    for command in [&["check", "deck.toml"][..], &["build", "deck.toml", "-o", "a.h5"], &["run", "deck.toml"]] {
        let (code, stderr) = call(directory.path(), command);
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains("deck.toml:8:23") && stderr.contains("write a number from 0 to 152"), "{stderr}");
        assert!(!stderr.contains("making glass"), "{stderr}");
    }
    assert!(!directory.path().join("cache").exists());
}

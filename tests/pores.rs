//! Pores through the command line: carved, relaxed once, filled, run and analysed; in crystal and in glass.

mod common;

use std::path::Path;

use amelo_io::Snapshot;
use common::{amelo, hasty_glass, ok, write};
use serde_json::Value;

/// A pore of 1.2 nm, in some 900 atoms of anatase or in a glass.
fn deck(oxide: &str) -> String {
    format!(
        r#"
seed = 3
[system]
lateral = ["2.65 nm", "2.65 nm"]
packing_density = "0.9 g/cm^3"
[system.oxide.{oxide}]
thickness = "1.9 nm"
pore = {{ diameter = "1.2 nm" }}
[[system.molecule]]
name = "PEO"
monomers = 2
[forcefield]
files = ["peo-opls-aa", "tio2-matsui-akaogi", "tio2-organic"]
[nonbonded]
r_cut = "0.9 nm"
coulomb.pme = {{ tolerance = 1e-5, spacing = "0.12 nm", order = 4 }}
[[stage]]
name = "minimise"
minimize = {{ max_steps = 100 }}
[[stage]]
name = "run"
nvt = {{ temperature = "300 K" }}
timestep = "0.5 fs"
duration = "20 fs"
trajectory = {{ every = "1 fs" }}
[[analysis]]
radial-density = {{ bin = "0.1 nm" }}
[[analysis]]
axial-msd = {{ group = "PEO ether O" }}
[[analysis]]
interphase-budget = {{ radii = ["30 nm"], thicknesses = ["1.5 nm"], gains = [2.0] }}
"#
    )
}

/// `amelo` with the deck's hasty settings; stdout and stderr.
fn call(here: &Path, arguments: &[&str]) -> (String, String) {
    let table = std::fs::read_to_string(here.join("deck.toml")).expect("a deck").parse().expect("TOML");
    let sets = hasty_glass(&table);
    let all: Vec<&str> = arguments.iter().copied().chain(sets.iter().flat_map(|s| ["--set", s.as_str()])).collect();
    let done = amelo(here, &all);
    let [out, err] = [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(done.status.success(), "{err}");
    (out, err)
}

#[test]
fn a_pore_in_anatase_is_relaxed_once_filled_run_and_analysed() {
    let folder = tempfile::tempdir().expect("a directory");
    let here = folder.path();
    write(here, "deck.toml", &deck("anatase"));
    let checked: Value = serde_json::from_str(&call(here, &["check", "deck.toml", "--json"]).0).expect("JSON");
    assert!(checked["warnings"].to_string().contains("will be relaxed before a run"), "{}", checked["warnings"]);
    assert!(!here.join("cache").exists());

    let (_, told) = call(here, &["run", "deck.toml", "--out", "a", "--threads", "1"]);
    assert!(told.contains("relaxing the wall of a pore in anatase"), "{told}");
    let results: Value =
        serde_json::from_str(&std::fs::read_to_string(here.join("a/results.json")).expect("results")).expect("JSON");
    let oxide = &results["build"]["oxide"];
    // 7 x 7 x 2 cells of four units.
    let left = oxide["formula_units"].as_u64().expect("a number");
    assert_eq!(left + oxide["pore"]["removed_units"].as_u64().expect("a number"), 4 * 98);
    assert_eq!(oxide["oxygen_to_titanium"], 2.0);
    let energy: Vec<f64> = serde_json::from_value(oxide["pore"]["energy_per_unit"].clone()).expect("numbers");
    assert!(energy.len() == 3 && energy[1] < energy[0] && energy[2] < energy[0], "{energy:?}");
    let last = |key: &str| oxide["pore"][key].as_array().and_then(|a| a.last().cloned()).expect(key);
    assert_eq!((last("pieces"), oxide["pore"]["walls"].as_array().map(Vec::len)), (1.into(), Some(2)));
    assert!(last("lowest_coordination").as_u64() >= Some(4), "{oxide}");
    // Every atom of the molecules is in the rings, and none of them in the wall's.
    let count = results["build"]["molecules"][0]["count"].as_f64().expect("a number");
    let counted = |name: &str| {
        let all = results["results"].as_array().expect("results");
        all.iter().find(|q| q["name"] == name).and_then(|q| q["value"].as_f64()).expect("a value")
    };
    assert_eq!(counted("PEO: atoms in the rings"), count * 23.0);
    assert!((counted("R 30 nm, δ 1.5 nm: D_i/D_b for a gain of 2") - 11.256).abs() < 1e-3);
    let curves = results["curves"].as_array().expect("curves");
    let radial = curves.iter().find(|c| c["symbol"] == "n(r)").expect("a profile");
    let series = radial["series"].as_array().expect("series").iter().find(|s| s["name"] == "PEO").expect("PEO");
    let values: Vec<f64> = serde_json::from_value(series["values"].clone()).expect("numbers");
    assert!(values[..3].iter().sum::<f64>() > 0.0 && values[8..].iter().all(|n| *n == 0.0), "{values:?}");
    assert!(curves.iter().any(|c| c["symbol"] == "⟨Δz²⟩(t)"));

    // The same bits from the cache, for another number of threads.
    let (_, told) = call(here, &["run", "deck.toml", "--out", "b", "--threads", "2"]);
    assert!(told.contains("from the cache") && !told.contains("relaxing the wall"), "{told}");
    assert_eq!(ok(here, &["hash", "a"]), ok(here, &["hash", "b"]));
}

#[test]
fn a_pore_in_a_glass_is_whole_and_comes_from_the_cache() {
    let folder = tempfile::tempdir().expect("a directory");
    let here = folder.path();
    write(here, "deck.toml", &deck("amorphous"));
    let build = |name: &str| -> (Value, String) {
        let (out, told) = call(here, &["build", "deck.toml", "-o", name, "--json"]);
        (serde_json::from_str(&out).expect("JSON"), told)
    };
    let (made, told) = build("a.h5");
    assert!(told.contains("making glass"), "{told}");
    let oxide = &made["build"]["oxide"];
    let pore = &oxide["pore"];
    assert_eq!(oxide["crystal"], "amorphous");
    assert_eq!(oxide["oxygen_to_titanium"], 2.0);
    // 4.11 g/cm³ · 13.34 nm³ / 79.8658 u = 413.5 units in the block.
    let left = oxide["formula_units"].as_u64().expect("a number") + pore["removed_units"].as_u64().expect("a number");
    assert!((413..=414).contains(&left), "{left}");
    assert!(made["net_charge"].as_f64().expect("a number").abs() < 1e-9);
    assert_eq!(pore["recipe"], oxide["glass"]["recipe"]);
    assert!(oxide["glass"].get("slab").is_none() && oxide["glass"].get("pore").is_none());
    let (again, told) = build("b.h5");
    assert!(told.contains("from the cache") && !told.contains("making glass"), "{told}");
    assert_eq!(again["build"], made["build"]);
    let positions = |name: &str| Snapshot::read(&here.join(name)).expect("a system").system.positions;
    assert_eq!(positions("a.h5"), positions("b.h5"));
}

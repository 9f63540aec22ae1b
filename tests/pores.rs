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

    // Vacancies come afterwards: the same wall, four atoms less, and what the stages make of it.
    let whole = Snapshot::read(&here.join("a/checkpoint.h5")).expect("a state").system;
    let vacancies = "system.oxide.anatase.vacancies={ count = 4 }";
    let (out, told) = call(here, &["build", "deck.toml", "-o", "reduced.h5", "--json", "--set", vacancies]);
    assert!(told.contains("from the cache"), "{told}");
    let reduced: Value = serde_json::from_str(&out).expect("JSON");
    let build = &reduced["build"];
    assert_eq!(build["oxide"]["formula_units"], left);
    assert!(reduced["build"]["oxide"]["vacancies"]["net_charge"].as_f64().expect("a number").abs() < 1e-12);
    let removed = build["oxide"]["vacancies"]["removed"].as_array().expect("a list");
    assert_eq!(removed.len(), 4);
    // In the relaxed wall, once more after it was carved and relaxed.
    assert_eq!(build["oxide"]["pore"]["walls"].as_array().map(Vec::len), Some(3));
    let system = Snapshot::read(&here.join("reduced.h5")).expect("a system").system;
    let oxide = |s: &amelo_core::System| s.topology.groups["oxide"].len();
    assert_eq!(oxide(&system), oxide(&whole) - 4);
    let (_, told) = call(here, &["run", "deck.toml", "--out", "reduced", "--set", vacancies]);
    assert!(told.contains("from the cache"), "{told}");
    let after = Snapshot::read(&here.join("reduced/checkpoint.h5")).expect("a state").system;
    for atom in removed {
        // The Ti beside the hole move when the wall is relaxed again.
        let ti = atom["bonded"][0].as_u64().expect("a number") as usize;
        let moved = system.cell.minimum_image(after.positions[ti] - system.positions[ti]).norm();
        assert!(moved > 1e-3, "{moved}");
    }

    a_barostat_is_refused_after_a_restart(here);
}

/// Also two runs later, and with a cut-off that the wall is too thin for; at constant volume it goes on.
fn a_barostat_is_refused_after_a_restart(here: &Path) {
    let stage = |what: &str, more: &str| format!("[[stage]]\nname = \"on\"\n{what}\n{more}\n");
    let (nvt, short) = ("nvt = { temperature = \"300 K\" }", "timestep = \"0.5 fs\"\nduration = \"5 fs\"");
    let restart = |from: &str, rest: &str| format!("[system.restart]\nfrom = \"{from}\"\n{rest}");
    write(here, "on.toml", &restart("a", &stage(nvt, short)));
    ok(here, &["run", "on.toml", "--out", "c"]);
    let npt = "npt = { temperature = \"300 K\", pressure = \"1 bar\", coupling = \"z\" }";
    let equilibrate =
        "equilibrate = { temperature = \"300 K\", pressure = \"1 bar\", cycles = {}, max_duration = \"1 ns\" }";
    let cutoff = format!("{}[nonbonded]\nr_cut = \"1.5 nm\"\n", stage(nvt, short));
    let pressure = "a pore has no pressure of its own to be held";
    for from in ["a", "c", "reduced.h5"] {
        for (rest, place, says) in [
            (stage(npt, short), "on.toml:5:1", pressure),
            (stage(equilibrate, ""), "on.toml:5:1", pressure),
            (cutoff.clone(), "on.toml:9:9", "molecules in one would feel those in the other"),
        ] {
            write(here, "on.toml", &restart(from, &rest));
            for command in ["check", "run"] {
                let (code, err) = common::call(here, &[command, "on.toml"]);
                assert_eq!(code, 2, "{err}");
                assert!(err.contains(says) && err.contains(place) && err.contains("help:"), "{err}");
            }
        }
    }
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

    // The wall of the same glass without two of its O; a check says what would stand there, of no other glass.
    let vacancies = "system.oxide.amorphous.vacancies={ count = 2, compensation = \"two-subsurface-ti\" }";
    let (out, told) = call(here, &["build", "deck.toml", "-o", "reduced.h5", "--json", "--set", vacancies]);
    assert!(told.contains("from the cache") && !told.contains("making glass"), "{told}");
    let reduced: Value = serde_json::from_str(&out).expect("JSON");
    let [whole, oxide] = [&made, &reduced].map(|b| &b["build"]["oxide"]);
    assert_eq!(oxide["formula_units"], whole["formula_units"]);
    let n = oxide["formula_units"].as_f64().expect("a number");
    assert_eq!(oxide["oxygen_to_titanium"].as_f64(), Some((2.0 * n - 2.0) / n));
    assert_eq!(oxide["vacancies"]["changed_charges"][0]["atoms"].as_array().map(Vec::len), Some(4));
    assert!(reduced["build"]["oxide"]["vacancies"]["net_charge"].as_f64().expect("a number").abs() < 1e-12);
}

//! `amelo bench` through the command line: the keys that others script against, parts that add up to the step, what
//! is measured of a deck and of a stored state, errors.

mod common;

use std::path::Path;
use std::time::Instant;

use common::{amelo, argon, call, ok, store};
use serde_json::Value;

const PARTS: [&str; 8] = ["pair", "neighbor", "bonded", "pme", "constraints", "integrate", "output", "other"];

/// The electrolyte of `inputs/`, its earlier stages short, with constraints and a log of every other step.
fn electrolyte() -> Vec<String> {
    let deck = Path::new(env!("CARGO_MANIFEST_DIR")).join("inputs/peo-litfsi.toml").display().to_string();
    let sets = [
        "stage.minimise.minimize.max_steps=60",
        "stage.warm.duration=\"20 fs\"",
        "dynamics.constraints=\"h-bonds\"",
        "output.log.every=\"2 fs\"",
    ];
    std::iter::once(deck).chain(sets.into_iter().flat_map(|set| ["--set".into(), set.into()])).collect()
}

fn measure(directory: &Path, arguments: &[&str]) -> Value {
    let arguments = [&["bench", "--json"], arguments].concat();
    serde_json::from_str(&ok(directory, &arguments)).expect("one JSON document")
}

fn number(report: &Value, key: &str) -> f64 {
    report[key].as_f64().unwrap_or_else(|| panic!("{key} in {report:#}"))
}

/// The parts, which must add up to the step, and the whole must hold together.
fn check(report: &Value) -> [f64; 8] {
    let parts = PARTS.map(|part| number(&report["breakdown"], part));
    let (ms, steps) = (number(report, "ms_per_step"), number(report, "steps"));
    assert!((parts.iter().sum::<f64>() / ms - 1.0).abs() < 1e-9, "{report:#}");
    assert!(parts.iter().all(|ms| *ms >= 0.0) && ms > 0.0);
    let ns_per_day = 86.4 * number(report, "timestep_fs") / ms;
    assert!((number(report, "ns_per_day") / ns_per_day - 1.0).abs() < 1e-9, "{report:#}");
    let tenths: Vec<f64> =
        report["ms_per_step_tenths"].as_array().expect("a list").iter().filter_map(Value::as_f64).collect();
    if steps % 10.0 == 0.0 {
        assert!((tenths.iter().sum::<f64>() / 10.0 / ms - 1.0).abs() < 1e-9, "{report:#}");
    }
    parts
}

#[test]
fn a_deck_is_measured_in_its_last_dynamics_stage_and_leaves_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let deck = electrolyte();
    let mut arguments: Vec<&str> = deck.iter().map(String::as_str).collect();
    arguments.extend(["--steps", "40", "--threads", "1"]);
    let began = Instant::now();
    let report = measure(directory.path(), &arguments);
    let wall_ms = began.elapsed().as_secs_f64() * 1e3;
    let keys: Vec<&String> = report.as_object().expect("a document").keys().collect();
    for key in [
        "amelo",
        "n_atoms",
        "threads",
        "isa",
        "precision",
        "timestep_fs",
        "steps",
        "ms_per_step",
        "ns_per_day",
        "peak_rss_mb",
        "breakdown",
    ] {
        assert!(keys.iter().any(|k| *k == key), "{key} in {keys:?}");
    }
    assert_eq!(report["stage"], "production");
    assert_eq!(report["ensemble"], "nvt");
    assert_eq!((number(&report, "n_atoms"), number(&report, "threads")), (622.0, 1.0));
    assert_eq!((number(&report, "timestep_fs"), number(&report, "steps")), (1.0, 40.0));
    // A process with 622 atoms has some megabytes, not bytes and not gigabytes.
    assert!((2.0..2000.0).contains(&number(&report, "peak_rss_mb")));
    let parts = check(&report);
    // 40 measured steps happened within this call.
    assert!(40.0 * number(&report, "ms_per_step") < wall_ms);
    // This deck has every part; pairs and mesh are the largest of them in any build of ours.
    for (part, ms) in PARTS.iter().zip(parts).take(7) {
        assert!(ms > 0.0, "{part}: {report:#}");
    }
    let [pair, neighbor, bonded, pme, rest @ ..] = parts;
    assert!(rest.iter().chain([&bonded]).all(|ms| pair + neighbor + pme > *ms), "{report:#}");
    assert_eq!(std::fs::read_dir(directory.path()).expect("readable").count(), 0);
}

#[test]
fn a_stored_state_is_measured_from_where_it_stands() {
    let directory = tempfile::tempdir().expect("a directory");
    store(&argon(6), &directory.path().join("argon.h5"));
    let before = std::fs::read(directory.path().join("argon.h5")).expect("readable");
    let report = measure(
        directory.path(),
        &["argon.h5", "--steps", "7", "--set", "dynamics.timestep=\"4 fs\"", "--set", "nonbonded.r_cut=\"0.8 nm\""],
    );
    let [pair, _, bonded, pme, constraints, integrate, ..] = check(&report);
    assert!(pair > 0.0 && integrate > 0.0);
    // Atoms without bonds and charges; to ask for their constraints costs next to nothing.
    assert_eq!((bonded, pme), (0.0, 0.0));
    assert!(constraints < 0.2 * number(&report, "ms_per_step"), "{report:#}");
    assert_eq!((number(&report, "timestep_fs"), number(&report, "steps")), (4.0, 7.0));
    assert_eq!((&report["stage"], &report["ensemble"]), (&"state".into(), &"nve".into()));
    assert_eq!(std::fs::read(directory.path().join("argon.h5")).expect("readable"), before);
}

#[test]
fn a_run_is_measured_in_the_stage_in_which_it_stopped() {
    let directory = tempfile::tempdir().expect("a directory");
    let deck = electrolyte();
    let mut arguments = vec!["run"];
    arguments.extend(deck.iter().map(String::as_str));
    arguments.extend(["--out", "run", "--steps", "5", "-q"]);
    let (code, stderr) = call(directory.path(), &arguments);
    assert_eq!(code, 75, "{stderr}");
    let hash = common::hash(directory.path(), "run");
    // The least of five short measurements: whatever else the machine does makes parts longer, never shorter.
    let constraints = |more: &[&str]| {
        let one = |_| {
            let report = measure(directory.path(), &[&["run", "--steps", "3"], more].concat());
            assert_eq!((&report["stage"], number(&report, "timestep_fs")), (&"warm".into(), 1.0));
            check(&report)[4]
        };
        (0..5).map(one).fold(f64::INFINITY, f64::min)
    };
    // --set changes what it names and leaves the rest of the stage: 222 bonds to hydrogen against none.
    let (held, free) = (constraints(&[]), constraints(&["--set", "dynamics.constraints=\"none\""]));
    assert!(free < 0.5 * held, "{free} ms without constraints, {held} ms with them");
    assert_eq!(common::hash(directory.path(), "run"), hash);
}

#[test]
fn people_get_a_table() {
    let directory = tempfile::tempdir().expect("a directory");
    store(&argon(6), &directory.path().join("argon.h5"));
    let output = amelo(directory.path(), &["bench", "argon.h5", "--steps", "5"]);
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stdout.contains("ns/day") && PARTS.iter().all(|part| stdout.contains(part)), "{stdout}");
    assert!(stderr.contains("measuring 5 steps of stage \"state\""), "{stderr}");
}

#[test]
fn what_cannot_be_measured_is_said() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    let deck = electrolyte();
    let sorry = |arguments: &[&str], code: i32, words: &str| {
        let (found, stderr) = call(path, &[&["bench"], arguments].concat());
        assert_eq!(found, code, "{arguments:?}\n{stderr}");
        assert!(stderr.contains(words), "{arguments:?}\n{stderr}");
    };
    sorry(&[&deck[0], "--steps", "0"], 2, "there is nothing to measure");
    sorry(&[&deck[0], "--set", "stage.warm.durration=\"1 ps\""], 2, "durration");
    sorry(&["nowhere.toml"], 4, "nowhere.toml");
    let text = std::fs::read_to_string(&deck[0]).expect("readable");
    let (head, _) = text.split_once("[[stage]]\nname = \"warm\"").expect("the first dynamics stage");
    std::fs::write(path.join("still.toml"), head).expect("written");
    sorry(&["still.toml"], 2, "no dynamics stage");
    let mut snapshot = argon(6);
    store(&snapshot, &path.join("argon.h5"));
    sorry(&["argon.h5", "--set", "dynamics.frozen=[\"neon\"]"], 2, "no group \"neon\"");
    sorry(&["argon.h5", "--set", "stage.warm.duration=\"1 ps\""], 2, "a stored system takes only keys of");
    // Two atoms almost on each other.
    let other = snapshot.system.positions[1];
    snapshot.system.positions[0] = other + amelo_math::Vec3::new(0.02, 0.0, 0.0);
    store(&snapshot, &path.join("overlap.h5"));
    sorry(&["overlap.h5"], 3, "stage \"state\"");
}

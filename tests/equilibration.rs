//! A stage that ends when it has come to rest, or says that it has not; the same bits wherever it is interrupted.

mod common;

use common::{argon_directory, call, hash, ok, write};
use serde_json::Value;

/// Liquid argon that is at rest after some picoseconds, then a stage of its own.
fn deck(longest: &str) -> String {
    format!(
        r#"title = "argon"
seed = 5
[system.restart]
from = "argon.h5"
[dynamics]
timestep = "4 fs"
[[stage]]
name = "rest"
equilibrate = {{ temperature = "95 K", pressure = "100 bar", max_duration = "{longest}", cycles = {{ hold = "0.2 ps", pressure = "500 bar", temperature = "120 K" }}, anneal = {{ temperature = "110 K", hold = "1 ps", cool = "1 ps" }}, until_stationary = {{ sample = "0.2 ps", test = "4 ps" }} }}
[[stage]]
name = "production"
nve = {{}}
duration = "80 fs"
trajectory = {{ every = "8 fs" }}
"#
    )
}

fn results(directory: &std::path::Path, run: &str) -> Value {
    let text = std::fs::read_to_string(directory.join(run).join("results.json")).expect("results");
    serde_json::from_str(&text).expect("JSON")
}

fn quantity<'a>(results: &'a Value, name: &str) -> &'a Value {
    let all = results["results"].as_array().expect("results");
    all.iter().find(|q| q["name"] == name).unwrap_or_else(|| panic!("{name}: {all:?}"))
}

#[test]
fn a_stage_at_rest_ends_early_with_the_same_bits_wherever_it_was_stopped() {
    let directory = argon_directory("");
    let path = directory.path();
    write(path, "run.toml", &deck("400 ps"));
    ok(path, &["run", "run.toml", "--out", "whole", "-q"]);
    let found = results(path, "whole");
    let rest = quantity(&found, "rest: stationary");
    assert_eq!(rest["value"], 1.0, "{rest}");
    let end = rest["window"]["to"].as_f64().expect("a time");
    assert!(end > 8.0 && end < 300.0, "it ended at {end} ps");
    // Still the liquid (argon boils from 1.4 g/cm³), not the solid of 1.6 g/cm³ or a gas.
    let density = quantity(&found, "rest: density")["value"].as_f64().expect("a density");
    assert!((1.1..1.5).contains(&density), "{density}");
    let log = std::fs::read_to_string(path.join("whole/run.log")).expect("a log");
    assert!(log.contains("rest after") && log.contains(": stationary: density"), "{log}");
    let page = std::fs::read_to_string(path.join("whole/report.html")).expect("a page");
    assert!(page.contains("rest: stationary: density"));

    // Stops within a cycle, within the watched stage, right at a test, and within the stage after it.
    for (k, steps) in ["33", "1700", "1000", "777", "100000", "100000"].into_iter().enumerate() {
        let mut arguments = vec!["run", "run.toml", "--out", "parts", "--steps", steps, "-q"];
        if k > 0 {
            arguments.push("--resume");
        }
        let (code, stderr) = call(path, &arguments);
        assert!(code == 75 || code == 0, "{code}: {stderr}");
    }
    assert_eq!(hash(path, "whole"), hash(path, "parts"));
    assert_eq!(results(path, "parts")["results"], found["results"]);
}

#[test]
fn a_stage_that_is_not_at_rest_says_what_moves_and_the_run_goes_on() {
    let directory = argon_directory("");
    let path = directory.path();
    // Two tests of so few samples cannot tell.
    write(path, "run.toml", &deck("8 ps"));
    ok(path, &["run", "run.toml", "--out", "short", "-q"]);
    let found = results(path, "short");
    let rest = quantity(&found, "rest: stationary");
    assert_eq!(rest["value"], 0.0, "{rest}");
    let criteria = rest["settings"]["criteria"].as_array().expect("criteria");
    assert!(
        criteria
            .iter()
            .any(|c| c["passed"] == false && c["found"].as_str().is_some_and(|t| t.contains("independent samples"))),
        "{criteria:?}"
    );
    let log = std::fs::read_to_string(path.join("short/run.log")).expect("a log");
    assert!(log.contains("warning: rest after 8.000 ps: NOT stationary"), "{log}");
}

#[test]
fn a_stage_that_has_begun_takes_a_longer_time_on_resuming() {
    let directory = argon_directory("");
    let path = directory.path();
    write(path, "run.toml", &deck("8 ps"));
    let longer = ["--set", "stage.rest.equilibrate.max_duration=\"12 ps\""];
    // The cycles and the anneal are 1260 steps: it stops in the watched stage.
    let (code, stderr) = call(path, &["run", "run.toml", "--out", "parts", "--steps", "2000", "-q"]);
    assert_eq!(code, 75, "{stderr}");
    ok(path, &[&["run", "run.toml", "--out", "parts", "--resume", "-q"][..], &longer].concat());
    ok(path, &[&["run", "run.toml", "--out", "whole", "-q"][..], &longer].concat());
    assert_eq!(hash(path, "whole"), hash(path, "parts"));
    let log = std::fs::read_to_string(path.join("parts/run.log")).expect("a log");
    assert!(log.contains("rest after 12.000 ps"), "{log}");
}

#[test]
fn contradictions_are_refused_at_their_place() {
    let directory = argon_directory("");
    let path = directory.path();
    let refused = |text: &str, words: &str| {
        write(path, "run.toml", text);
        let (code, stderr) = call(path, &["check", "run.toml"]);
        let flat = stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(code, 2, "{stderr}");
        assert!(flat.contains("run.toml:") && flat.contains(words), "{words}\n{stderr}");
    };
    let good = deck("8 ps");
    refused(&good.replace("name = \"rest\"", "name = \"rest\"\nduration = \"1 ps\""), "beside another kind");
    refused(&good.replace("sample = \"0.2 ps\"", "sample = \"0.3 ps\""), "no multiple");
    refused(
        &good.replace("nve = {}", "nve = {}\nuntil_stationary = { sample = \"1 ps\", test = \"1.001 ps\" }"),
        "whole number of steps",
    );
    refused(&good.replace("max_duration = \"8 ps\", ", ""), "max_duration");
    refused(&good.replace("pressure = \"500 bar\"", "presure = \"500 bar\""), "unknown field");
    let ramp = "nvt = { temperature = \"100 K\", temperature_end = \"90 K\" }\nuntil_stationary = {}";
    refused(&good.replace("nve = {}", ramp), "changes over the stage");
}

// The parts of an `equilibrate` are as long as the run began with; the longest time of its end may change, as durations may.
#[test]
fn a_run_does_not_go_on_with_other_cycles() {
    let directory = argon_directory("");
    let path = directory.path();
    write(path, "run.toml", &deck("20 ps"));
    let (code, stderr) = call(path, &["run", "run.toml", "--out", "run", "--steps", "30", "-q"]);
    assert_eq!(code, 75, "{stderr}");
    let resume = ["run", "run.toml", "--out", "run", "--steps", "5", "--resume", "-q"];
    for (key, stage) in [("cycles.hold", "stage[0].duration"), ("anneal.hold", "stage[20].duration")] {
        let set = format!("stage.rest.equilibrate.{key}=\"0.4 ps\"");
        let (code, stderr) = call(path, &[&resume[..], &["--set", &set]].concat());
        assert_eq!(code, 2, "{key}: {stderr}");
        assert!(stderr.contains("the deck differs") && stderr.contains(stage), "{key}: {stderr}");
    }
    let (code, stderr) =
        call(path, &[&resume[..], &["--set", "stage.rest.equilibrate.max_duration=\"40 ps\""]].concat());
    assert_eq!(code, 75, "{stderr}");
}

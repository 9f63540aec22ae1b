//! The same bits for any number of threads and any interruption; `amelo hash` says what bits are.

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use amelo_math::lanes::Isa;
use amelo_math::philox::Noise;
use common::{argon_directory, call, hash, ok, write};

#[test]
fn forty_steps_are_seventeen_and_twenty_three() {
    let directory = argon_directory("");
    let path = directory.path();
    ok(path, &["run", "run.toml", "--out", "whole"]);
    let (code, stderr) = call(path, &["run", "run.toml", "--out", "parts", "--steps", "17"]);
    assert_eq!(code, 75, "{stderr}");
    assert!(stderr.contains("--resume"), "{stderr}");
    let partial = hash(path, "parts");
    ok(path, &["run", "run.toml", "--out", "parts", "--resume", "--steps", "23"]);
    assert_ne!(partial, hash(path, "parts"));
    assert_eq!(hash(path, "whole"), hash(path, "parts"));
}

/// `amelo` with `AMELO_ISA`: exit code and stderr.
fn with_instructions(isa: &str, directory: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_amelo"));
    let output =
        command.args(arguments).current_dir(directory).env("AMELO_ISA", isa).output().expect("the binary starts");
    (output.status.code().expect("an exit code"), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Charges, molecules and a mesh, which argon lacks, in each precision and instruction set: after a restart the pair list
/// has other clusters.
#[test]
fn an_electrolyte_is_interrupted_in_each_precision_and_instruction_set() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    let deck = Path::new(env!("CARGO_MANIFEST_DIR")).join("inputs/peo-litfsi.toml");
    for precision in ["double", "mixed"] {
        for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
            let precision = format!("nonbonded.precision=\"{precision}\"");
            let run = |out: &str, more: &[&str]| {
                let mut arguments = vec!["run", deck.to_str().expect("UTF-8"), "--out", out, "--set", &precision];
                for short in [
                    "stage.minimise.minimize.max_steps=20",
                    "stage.warm.duration=\"20 fs\"",
                    "stage.production.duration=\"40 fs\"",
                ] {
                    arguments.extend(["--set", short]);
                }
                with_instructions(isa.name(), path, &[&arguments, more].concat())
            };
            let (code, stderr) = run("whole", &["--overwrite", "--threads", "2"]);
            assert_eq!(code, 0, "{stderr}");
            let (code, stderr) = run("parts", &["--overwrite", "--steps", "7"]);
            assert_eq!(code, 75, "{stderr}");
            for steps in ["11", "13"] {
                let (code, stderr) = run("parts", &["--resume", "--steps", steps, "--threads", "1"]);
                assert_eq!(code, 75, "{stderr}");
            }
            let (code, stderr) = run("parts", &["--resume"]);
            assert_eq!(code, 0, "{stderr}");
            assert_eq!(hash(path, "whole"), hash(path, "parts"), "{precision}, {}", isa.name());
        }
    }
}

/// Eighty steps at constant temperature, then at constant pressure, of an electrolyte that `start` holds.
const EIGHTY_STEPS: &str = r#"
seed = 11
[system.restart]
from = "start"
[dynamics]
constraints = "h-bonds"
timestep = "1 fs"
[[stage]]
name = "warm"
nvt = { temperature = "423 K", thermostat = "langevin", friction = "5 1/ps" }
duration = "30 fs"
[[stage]]
name = "production"
npt = { temperature = "423 K", pressure = "1 bar", thermostat = "v-rescale", barostat = "c-rescale" }
duration = "50 fs"
trajectory = { every = "5 fs", velocities = true }
"#;

/// Twenty steps between the first and the last.
fn twenty_steps(seed: u64) -> BTreeSet<u64> {
    let noise = Noise::new(seed, 0);
    let mut found = BTreeSet::new();
    let mut draws = (0..).map(|k| 1 + u64::from(noise.words(0, k, 0)[0] % 79));
    while found.len() < 20 {
        found.extend(draws.next());
    }
    found
}

/// In mixed precision, the default.
#[test]
#[ignore = "slow tier: a minute or two"]
fn restarts_at_twenty_random_steps_on_any_threads_in_each_instruction_set() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    let deck = Path::new(env!("CARGO_MANIFEST_DIR")).join("inputs/peo-litfsi.toml").display().to_string();
    let short = ["--set", "stage.minimise.minimize.max_steps=200", "--set", "stage.warm.duration=\"100 fs\""];
    let start = [["run", &deck, "--out", "start", "--steps", "100"].as_slice(), &short].concat();
    assert_eq!(call(path, &start).0, 75);
    write(path, "run.toml", EIGHTY_STEPS);
    let threads = ["1", "2", "3", "8"];
    for (seed, isa) in Isa::ALL.into_iter().filter(|isa| isa.is_available()).enumerate() {
        let run = |out: &str, threads: &str, more: &[&str]| {
            let arguments = ["run", "run.toml", "--out", out, "--threads", threads, "-q"];
            with_instructions(isa.name(), path, &[&arguments, more].concat())
        };
        let reference = format!("{}-1", isa.name());
        for n in threads {
            let out = format!("{}-{n}", isa.name());
            let (code, stderr) = run(&out, n, &[]);
            assert_eq!(code, 0, "{stderr}");
            assert_eq!(hash(path, &reference), hash(path, &out), "{} on {n} threads", isa.name());
        }
        let steps = twenty_steps(seed as u64);
        println!("{}: restarts at {steps:?}", isa.name());
        for (k, step) in steps.iter().enumerate() {
            let (code, stderr) = run("parts", threads[k % 4], &["--overwrite", "--steps", &step.to_string()]);
            assert_eq!(code, 75, "{stderr}");
            let (code, stderr) = run("parts", threads[(k + 1 + k / 4) % 4], &["--resume"]);
            assert_eq!(code, 0, "{stderr}");
            assert_eq!(hash(path, &reference), hash(path, "parts"), "{}: restart at step {step}", isa.name());
        }
    }
}

/// What timing chose is part of the state: wherever the run goes on, it goes on with that.
#[test]
fn a_tuned_mesh_is_kept_by_a_restart() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    let deck = Path::new(env!("CARGO_MANIFEST_DIR")).join("inputs/peo-litfsi.toml");
    let run = |out: &str, more: &[&str]| {
        let mut arguments = vec!["run", deck.to_str().expect("UTF-8"), "--out", out];
        for short in [
            "nonbonded.coulomb.pme={ tune = true, force_error = \"0.5 kJ/mol/nm\" }",
            "stage.minimise.minimize.max_steps=20",
            "stage.warm.duration=\"20 fs\"",
            "stage.production.duration=\"20 fs\"",
        ] {
            arguments.extend(["--set", short]);
        }
        call(path, &[&arguments, more].concat())
    };
    let (code, stderr) = run("parts", &["--steps", "7"]);
    assert_eq!(code, 75, "{stderr}");
    let mesh = |out: &str| {
        let checkpoint = path.join(out).join(amelo_io::CHECKPOINT);
        format!("{:?}", amelo_io::Snapshot::read(&checkpoint).expect("a checkpoint").nonbonded.coulomb)
    };
    let chosen = mesh("parts");
    let log = std::fs::read_to_string(path.join("parts/run.log")).expect("a log");
    assert!(log.contains("coulomb.pme tuned"), "{log}");
    for (out, threads) in [("one", "1"), ("two", "2")] {
        std::fs::create_dir(path.join(out)).expect("a directory");
        for file in std::fs::read_dir(path.join("parts")).expect("files") {
            let file = file.expect("a file");
            if file.path().is_file() {
                std::fs::copy(file.path(), path.join(out).join(file.file_name())).expect("a copy");
            }
        }
        let (code, stderr) = run(out, &["--resume", "--threads", threads]);
        assert_eq!(code, 0, "{stderr}");
        assert_eq!(mesh(out), chosen);
    }
    assert_eq!(hash(path, "one"), hash(path, "two"));
}

#[test]
fn an_instruction_set_that_does_not_exist_is_refused() {
    let directory = argon_directory("");
    let (code, stderr) = with_instructions("sse9", directory.path(), &["check", "run.toml"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("AMELO_ISA=sse9") && stderr.contains("portable"), "{stderr}");
}

#[test]
fn one_thread_and_two_give_the_same_bits() {
    let directory = argon_directory("");
    let path = directory.path();
    ok(path, &["run", "run.toml", "--out", "one", "--threads", "1"]);
    ok(path, &["run", "run.toml", "--out", "two", "--threads", "2"]);
    assert_eq!(hash(path, "one"), hash(path, "two"));
}

#[test]
fn every_step_may_be_the_last_of_a_call() {
    let directory = argon_directory("");
    let path = directory.path();
    ok(path, &["run", "run.toml", "--out", "whole"]);
    for steps in ["0", "1", "19", "1", "7"] {
        let (code, stderr) = call(path, &["run", "run.toml", "--out", "parts", "--resume", "--steps", steps]);
        assert_eq!(code, 75, "{stderr}");
    }
    ok(path, &["run", "run.toml", "--out", "parts", "--resume"]);
    assert_eq!(hash(path, "whole"), hash(path, "parts"));
}

#[test]
fn a_finished_run_is_extended() {
    let directory = argon_directory("");
    let path = directory.path();
    let longer = ["--set", "stage.production.duration=\"120 fs\""];
    ok(path, &["run", "run.toml", "--out", "long", longer[0], longer[1]]);
    ok(path, &["run", "run.toml", "--out", "short"]);
    assert_ne!(hash(path, "long"), hash(path, "short"));
    ok(path, &["run", "run.toml", "--out", "short", "--resume", longer[0], longer[1]]);
    assert_eq!(hash(path, "long"), hash(path, "short"));
    // Nothing is left to do: nothing changes.
    ok(path, &["run", "run.toml", "--out", "short", "--resume", longer[0], longer[1]]);
    assert_eq!(hash(path, "long"), hash(path, "short"));
}

#[test]
fn seeds_and_temperatures_make_a_difference() {
    let directory = argon_directory("");
    let path = directory.path();
    ok(path, &["run", "run.toml", "--out", "a"]);
    ok(path, &["run", "run.toml", "--out", "b", "--set", "seed=6"]);
    assert_ne!(hash(path, "a"), hash(path, "b"));
}

#[test]
fn resuming_with_another_deck_is_refused_and_says_why() {
    let directory = argon_directory("");
    let path = directory.path();
    call(path, &["run", "run.toml", "--out", "run", "--steps", "5"]);
    let before = hash(path, "run");
    let changed = ["--set", "stage.warm.nvt.temperature=\"120 K\""];
    let (code, stderr) = call(path, &["run", "run.toml", "--out", "run", "--resume", changed[0], changed[1]]);
    assert_eq!(code, 2, "{stderr}");
    assert!(
        stderr.contains("stage[1].nvt.temperature") && stderr.contains("100 K") && stderr.contains("120 K"),
        "{stderr}"
    );
    assert_eq!(before, hash(path, "run"));
}

#[test]
fn a_run_without_a_checkpoint_resumes_from_the_start() {
    let directory = argon_directory("");
    let path = directory.path();
    ok(path, &["run", "run.toml", "--out", "run", "--resume"]);
    ok(path, &["run", "run.toml", "--out", "other"]);
    assert_eq!(hash(path, "run"), hash(path, "other"));
}

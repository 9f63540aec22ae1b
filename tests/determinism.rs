//! The same bits for any number of threads and any interruption; `amelo hash` says what bits are.

mod common;

use common::{argon_directory, call, hash, ok};

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

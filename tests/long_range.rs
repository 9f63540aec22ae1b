//! `[dynamics] long_range_every`: any interruption gives the same bits; what cannot be is refused with its place.

mod common;

use common::{call, electrolyte_deck, hash, with_sets};

/// The electrolyte of `inputs/`, its minimisation and its stages cut short.
const SETS: [&str; 6] = [
    "dynamics.constraints=\"h-bonds\"",
    "dynamics.timestep=\"2 fs\"",
    "dynamics.long_range_every=3",
    "stage[0].minimize.max_steps=100",
    "stage[1].duration=\"18 fs\"",
    "stage[2].duration=\"36 fs\"",
];

#[test]
fn a_run_that_stops_between_long_range_forces_goes_on_with_the_same_bits() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    let deck = electrolyte_deck();
    let sets: Vec<&str> =
        SETS.iter().copied().chain(["stage[2].trajectory.every=\"12 fs\"", "nonbonded.precision=\"mixed\""]).collect();
    let run = |out: &'static str, steps: &'static str, resume: bool| {
        let mut arguments = vec!["run", deck.as_str(), "--out", out, "--steps", steps];
        if resume {
            arguments.push("--resume");
        }
        let (code, stderr) = call(path, &with_sets(&arguments, &sets));
        assert!(code == 75 || code == 0, "{code}: {stderr}");
    };
    run("whole", "100", false);
    for (k, steps) in ["4", "7", "1", "8", "100"].into_iter().enumerate() {
        run("parts", steps, k > 0);
    }
    assert_eq!(hash(path, "whole"), hash(path, "parts"));
}

#[test]
fn what_cannot_be_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let deck = electrolyte_deck();
    let refusal = |more: &[&str]| {
        let sets: Vec<&str> = SETS.iter().copied().chain(more.iter().copied()).collect();
        let (code, stderr) = call(directory.path(), &with_sets(&["check", deck.as_str()], &sets));
        assert_eq!(code, 2, "{more:?}: {stderr}");
        assert!(stderr.contains("long_range_every"), "{more:?}: {stderr}");
        stderr
    };
    assert!(refusal(&["stage[2].trajectory.every=\"12 fs\"", "stage[2].duration=\"40 fs\""]).contains("multiple"));
    assert!(refusal(&["stage[2].trajectory.every=\"8 fs\""]).contains("multiple"));
    let fine = "stage[2].trajectory.every=\"12 fs\"";
    assert!(refusal(&[fine, "dynamics.long_range_every=6", "stage[1].duration=\"12 fs\""]).contains("10 fs"));
    let other = refusal(&[fine, "nonbonded.coulomb=\"none\""]);
    assert!(other.contains("no long-range forces"), "{other}");
}

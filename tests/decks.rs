//! Every deck in `inputs/` is valid and runs a few steps.

mod common;

use std::path::{Path, PathBuf};

use common::{call, ok};

/// Decks whose system takes too long to build or to push apart for every test run.
const SLOW: [&str; 0] = [];

fn decks() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("inputs");
    let entries = std::fs::read_dir(&folder).expect("inputs/");
    let mut found: Vec<PathBuf> =
        entries.flatten().map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "toml")).collect();
    found.sort();
    assert!(!found.is_empty());
    found
}

fn run_a_few_steps(deck: &Path) {
    let directory = tempfile::tempdir().expect("a directory");
    let deck_name = deck.display().to_string();
    // Decks are written for production: minimisation is cut short here, and the first dynamics stage is enough.
    let text = std::fs::read_to_string(deck).expect("readable");
    let table: toml::Table = text.parse().expect("TOML");
    let stages = table.get("stage").and_then(|s| s.as_array()).cloned().unwrap_or_default();
    let sets: Vec<String> = stages
        .iter()
        .enumerate()
        .filter_map(|(k, s)| Some((k, s.get("minimize")?.get("cell").is_some())))
        .map(|(k, with_cell)| format!("stage[{k}].minimize.max_steps={}", if with_cell { 1 } else { 60 }))
        .collect();
    let mut arguments = vec!["run", deck_name.as_str(), "--out", "run", "--steps", "4"];
    for set in &sets {
        arguments.extend(["--set", set.as_str()]);
    }
    let (code, stderr) = call(directory.path(), &arguments);
    let has_dynamics = stages.iter().any(|s| s.get("minimize").is_none());
    assert_eq!(code, if has_dynamics { 75 } else { 0 }, "{deck_name}\n{stderr}");
    let hash = ok(directory.path(), &["hash", "run"]);
    assert_eq!(hash.trim().len(), 64);
}

#[test]
fn every_deck_runs_a_few_steps() {
    for deck in decks() {
        let name = deck.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !SLOW.contains(&name.as_str()) {
            run_a_few_steps(&deck);
        }
    }
}

#[test]
#[ignore = "slow tier: large systems"]
fn slow_decks_run_a_few_steps() {
    for deck in decks() {
        let name = deck.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if SLOW.contains(&name.as_str()) {
            run_a_few_steps(&deck);
        }
    }
}

//! Every deck in `inputs/` is valid and runs a few steps.

mod common;

use std::path::{Path, PathBuf};

use common::{call, ok};

/// Decks of a folder; those of `inputs/bench` are too large to be moved in every test run.
fn decks(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(&folder).expect("a folder of decks");
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
    let few = ["adsorption.starts=1", "adsorption.max_steps=20"];
    let few = table.get("adsorption").into_iter().flat_map(|_| few).map(String::from);
    let sets: Vec<String> = sets.into_iter().chain(common::hasty_glass(&table)).chain(few).collect();
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
    decks("inputs").iter().for_each(|deck| run_a_few_steps(deck));
}

/// The systems of `docs/performance.md`, whose sizes others compare with.
#[test]
fn decks_for_benches_build_what_they_say() {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, n_atoms, n_oxide) in [("melt", 10_172, 0), ("interface", 10_992, 3_456)] {
        let deck = decks("inputs/bench").into_iter().find(|d| d.file_stem().is_some_and(|s| s == name));
        let deck = deck.unwrap_or_else(|| panic!("no inputs/bench/{name}.toml")).display().to_string();
        let report: serde_json::Value =
            serde_json::from_str(&ok(directory.path(), &["check", &deck, "--json"])).expect("JSON");
        assert_eq!(report["n_atoms"], n_atoms, "{name}");
        let groups = report["groups"].as_array().expect("groups");
        let oxide = groups.iter().find(|g| g[0] == "oxide").map_or(0, |g| g[1].as_u64().unwrap_or(0));
        assert_eq!(oxide, n_oxide, "{name}");
    }
}

#[test]
#[ignore = "slow tier: large systems"]
fn decks_for_benches_run_a_few_steps() {
    decks("inputs/bench").iter().for_each(|deck| run_a_few_steps(deck));
}

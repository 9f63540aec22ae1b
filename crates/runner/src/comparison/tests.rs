use super::*;
use amelo_analysis::{Outcome, Results};

const GROUP: &str = "PEO ether O, in-plane, 0–0.6 nm";

/// A run with g₁∥ = `scale` · t and intervals of a tenth of it from five blocks.
fn run(name: &str, seed: u64, oxide: Value, scale: f64, lags: &[f64]) -> RunData {
    let curve = |symbol: &str, values: Vec<f64>, unit: &str| Curve {
        name: format!("{symbol} of PEO ether O"),
        symbol: symbol.into(),
        x: Axis { name: "lag time".into(), unit: "ps".into(), values: lags.to_vec() },
        series: vec![Series {
            name: GROUP.into(),
            unit: unit.into(),
            error: Some(values.iter().map(|v| 0.1 * v).collect()),
            values,
        }],
        log: LogScale { x: true, y: true },
    };
    let alpha = Quantity {
        name: format!("{GROUP}: alpha"),
        value: Some(1.0),
        ci95: Some([0.9, 1.1]),
        unit: "1".into(),
        definition: String::new(),
        window: None,
        n_independent: 5,
        level: Level::A,
        settings: json!({"temperature_K": 423.0}),
        no_interval: None,
        also: vec![],
    };
    let outcome = Outcome {
        name: "msd".into(),
        quantities: vec![alpha],
        curves: vec![
            curve("g₁(t)", lags.iter().map(|t| scale * t).collect(), "nm^2"),
            curve("α(t)", vec![1.0; lags.len()], "1"),
        ],
        notes: vec![],
    };
    RunData {
        name: name.into(),
        results: Results::new([outcome]),
        identity: Some(json!({"seed": seed, "system": {"oxide": oxide, "lateral": ["3 nm", "3 nm"]}})),
        ..RunData::default()
    }
}

fn anatase() -> Value {
    json!({"anatase": {"surface": "101", "thickness": "2.1 nm"}})
}

fn glass(seed: u64) -> Value {
    json!({"amorphous": {"thickness": "2.1 nm", "seed": seed}})
}

const LAGS: [f64; 5] = [1.0, 10.0, 50.0, 100.0, 120.0];

#[test]
fn the_ratio_is_over_the_first_group_and_stands_at_the_stated_lags() {
    let found =
        compare(&[run("ct", 1, anatase(), 0.4, &LAGS), run("at", 1, glass(1), 0.1, &LAGS[..4])]).expect("a comparison");
    let labels: Vec<&str> = found.groups.iter().map(|g| g.label.as_str()).collect();
    assert_eq!(labels, ["anatase (101)", "amorphous TiO2"]);
    assert_eq!(found.differences, ["system.oxide: amorphous TiO2 against anatase (101)"]);
    let names: Vec<&str> = found.results.iter().map(|q| q.name.as_str()).collect();
    let name = |lag| format!("{GROUP}: R({lag} ps), amorphous TiO2 over anatase (101)");
    assert_eq!(names, [name(10), name(100)]);
    for q in &found.results {
        assert!((q.value.expect("a value") - 0.25).abs() < 1e-12);
        // Two standard errors of 0.1/t(4) each; Welch's degrees of freedom are 8: h = √2 · 0.1 · t(8)/t(4).
        let [low, high] = q.ci95.expect("an interval");
        let h = 2f64.sqrt() * 0.1 * 2.3060 / 2.7764;
        assert!((high / 0.25 - h.exp()).abs() < 1e-3 && (low / 0.25 - (-h).exp()).abs() < 1e-3, "{low} {high}");
        assert_eq!(q.settings["interval_over"]["amorphous TiO2"], "5 blocks of time");
        assert!(q.definition.contains("g₁∥"));
    }
    assert!(found.notes.iter().any(|n| n.contains("from 1000 ps on") && n.contains("100 ps")), "{:?}", found.notes);
    // g₁ and α of each group, and one R(t).
    let symbols: Vec<&str> = found.curves.iter().map(|c| c.curve.symbol.as_str()).collect();
    assert_eq!(symbols, ["g₁(t)", "g₁(t)", "R(t)", "α(t)", "α(t)"]);
}

#[test]
fn seeds_make_replicas_and_a_run_given_twice_counts_once() {
    let runs: Vec<RunData> = (1..=5)
        .map(|k| run(&format!("at{k}"), 1, glass(k), 0.1 * k as f64, &LAGS))
        .chain([1, 1, 2].map(|seed| run(&format!("ct{seed}"), seed, anatase(), 0.1, &LAGS)))
        .collect();
    let found = compare(&runs).expect("a comparison");
    let sizes: Vec<(usize, usize)> = found.groups.iter().map(|g| (g.runs.len(), g.surfaces)).collect();
    // Certificates name the surfaces, and these runs have none.
    assert_eq!(sizes, [(5, 1), (2, 1)]);
    assert!(found.notes.iter().any(|n| n.contains("ct1 has the deck and the seeds of ct1")), "{:?}", found.notes);
    let q = &found.results[0];
    assert_eq!(q.settings["interval_over"]["amorphous TiO2"], "5 packings");
    assert!((q.value.expect("a value") - 0.1 / 0.3).abs() < 1e-12);
}

#[test]
fn whatever_else_differs_is_named() {
    let mut thin = run("thin", 1, json!({"anatase": {"surface": "101", "thickness": "1 nm"}}), 0.1, &LAGS);
    let found = compare(&[run("ct", 1, anatase(), 0.1, &LAGS), thin.clone()]).expect("a comparison");
    let labels: Vec<&str> = found.groups.iter().map(|g| g.label.as_str()).collect();
    assert_eq!(labels, ["first deck", "system.oxide.anatase.thickness = 1 nm"]);
    if let Some(identity) = &mut thin.identity {
        (identity["system"]["oxide"], identity["system"]["lateral"]) = (glass(1), json!(["4 nm", "3 nm"]));
    }
    let found = compare(&[run("ct", 1, anatase(), 0.1, &LAGS), thin]).expect("a comparison");
    assert!(found.differences[1].contains("system.lateral[0]"), "{:?}", found.differences);
    assert!(found.notes.iter().any(|n| n.contains("more than the oxide")));
}

#[test]
fn what_cannot_be_compared_is_said() {
    assert!(compare(&[run("ct", 1, anatase(), 0.1, &LAGS)]).is_none());
    let apart = [run("ct", 1, anatase(), 0.1, &[1.0, 2.0]), run("at", 1, glass(1), 0.1, &[1.5, 3.0])];
    let found = compare(&apart).expect("a comparison");
    assert!(found.results.is_empty() && found.notes[0].contains("no lag in common"), "{:?}", found.notes);
    let mut short = run("at", 1, glass(1), 0.1, &LAGS);
    short.results.curves[0].entry.series[0].error = None;
    short.results.results[0].entry.no_interval = Some("no interval: 3 independent blocks".into());
    let found = compare(&[run("ct", 1, anatase(), 0.1, &LAGS), short]).expect("a comparison");
    assert!(found.results.iter().all(|q| q.ci95.is_none() && q.value.is_some()));
    assert_eq!(found.results[0].no_interval.as_deref(), Some("no interval: 3 independent blocks"));
}

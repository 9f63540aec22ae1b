//! The same molecules beside two oxides: what `amelo report` says of both is what their own results say.

mod common;

use common::{ok, write};
use serde_json::Value;

/// Short chains beside an oxide, 100 frames.
fn deck(oxide: &str, seed: u64) -> String {
    format!(
        r#"title = "chains"
seed = {seed}
[system]
lateral = ["2 nm", "1.6 nm"]
{oxide}
[[system.molecule]]
name = "PEO"
monomers = 4
count = 8
[forcefield]
files = ["peo-opls-aa", "tio2-matsui-akaogi", "tio2-organic"]
[nonbonded]
r_cut = "0.7 nm"
[dynamics]
constraints = "h-bonds"
timestep = "2 fs"
[[stage]]
name = "minimise"
minimize = {{ max_steps = 100 }}
[[stage]]
name = "production"
nvt = {{ temperature = "423 K", thermostat = "v-rescale" }}
duration = "0.4 ps"
trajectory = {{ every = "4 fs" }}
[[analysis]]
msd = {{ group = "PEO ether O", layers = "surface-distance", layer_edges = ["0.5 nm"] }}
"#
    )
}

fn json(path: &std::path::Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).expect("a file")).expect("JSON")
}

/// g₁ of the first series at a lag.
fn g1(results: &Value, lag: f64) -> f64 {
    let curve = results["curves"].as_array().expect("curves").iter().find(|c| c["symbol"] == "g₁(t)").expect("g₁");
    let x = curve["x"]["values"].as_array().expect("lags");
    let k = x.iter().position(|t| (t.as_f64().expect("a lag") - lag).abs() < 1e-9).expect("the lag");
    curve["series"][0]["values"][k].as_f64().expect("a value")
}

#[test]
fn two_oxides_are_compared_layer_by_layer_and_replicas_are_put_together() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    let oxide =
        |name: &str, surface: &str| format!("[system.oxide.{name}]\nsurface = \"{surface}\"\nthickness = \"0.9 nm\"");
    let runs =
        [("a1", oxide("anatase", "101"), 1), ("a2", oxide("anatase", "101"), 2), ("r1", oxide("rutile", "110"), 1)];
    for (name, oxide, seed) in &runs {
        write(path, &format!("{name}.toml"), &deck(oxide, *seed));
        ok(path, &["run", &format!("{name}.toml"), "-q"]);
    }
    let arguments = ["report", "a1.run", "a2.run", "r1.run", "-o", "both.html", "--json"];
    let told: Value = serde_json::from_str(&ok(path, &arguments)).expect("JSON");
    let comparison = &told["comparison"];
    assert_eq!(comparison["groups"][0]["label"], "anatase (101)");
    assert_eq!(comparison["groups"][0]["runs"], serde_json::json!(["a1.run", "a2.run"]));
    assert_eq!(comparison["groups"][1]["label"], "rutile (110)");
    assert_eq!(comparison["differences"], serde_json::json!(["system.oxide: rutile (110) against anatase (101)"]));
    let ratios = comparison["results"].as_array().expect("ratios");
    let all = ratios.iter().find(|q| q["settings"]["series"] == "PEO ether O").expect("the ratio of all ether O");
    let lag = all["settings"]["lag_ps"].as_f64().expect("a lag");
    let [a1, a2, r1] = ["a1", "a2", "r1"].map(|name| g1(&json(&path.join(format!("{name}.run/results.json"))), lag));
    let expected = r1 / (0.5 * (a1 + a2));
    let value = all["value"].as_f64().expect("a value");
    assert!((value / expected - 1.0).abs() < 1e-12, "{value} {expected}");
    match all["ci95"].as_array() {
        Some(ci) => assert!(ci[0].as_f64() < Some(value) && ci[1].as_f64() > Some(value)),
        None => assert!(all["no_interval"].as_str().expect("a reason").starts_with("no interval")),
    }
    assert!(ratios.iter().any(|q| q["settings"]["series"] == "PEO ether O, in-plane, 0–0.5 nm"), "{ratios:?}");
    let page = std::fs::read_to_string(path.join("both.html")).expect("a page");
    for text in ["<h2>Comparison</h2>", "rutile (110) over anatase (101)", "R(t)", "α(t)"] {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn a_build_shows_what_was_built() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    let oxide = "[system.oxide.anatase]\nsurface = \"101\"\nthickness = \"0.9 nm\"";
    write(path, "deck.toml", &deck(oxide, 1));
    ok(path, &["build", "deck.toml", "-o", "system.h5", "--report", "built.html", "-q"]);
    let page = std::fs::read_to_string(path.join("built.html")).expect("a page");
    for text in
        ["From the side", "From above", "The upper face of the oxide", "Ti: ", "mass density profile", "anatase"]
    {
        assert!(page.to_lowercase().contains(&text.to_lowercase()), "{text}");
    }
    assert!(page.len() < 2_000_000 && !page.contains("<script") && !page.contains("NaN"), "{}", page.len());
}

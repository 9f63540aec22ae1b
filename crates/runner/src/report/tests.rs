use super::*;
use amelo_analysis::{Level, Outcome, Window};
use serde_json::json;

fn run(name: &str, value: f64) -> RunData {
    let quantity = Quantity {
        name: "Li: D".into(),
        value: Some(value),
        ci95: Some([0.9 * value, 1.1 * value]),
        unit: "cm^2/s".into(),
        definition: "D = (1/6) dg₁/dt over the window".into(),
        window: Some(Window { of: "lag".into(), from: 1.0, to: 10.0, unit: "ps".into() }),
        n_independent: 5,
        level: Level::A,
        settings: json!({"motion": "diffusive", "temperature_K": 423.0, "alpha": 1.01, "alpha_ci95": [0.95, 1.07],
                         "reference_frame": "centre of mass of the oxide", "finite_size_correction": "not available"}),
        no_interval: None,
        also: vec![],
    }
    .also_in("Å^2/ps", 1e4);
    let curve = Curve {
        name: "mean squared displacement of Li".into(),
        symbol: "g₁(t)".into(),
        x: Axis { name: "lag time".into(), unit: "ps".into(), values: vec![1.0, 2.0, 5.0] },
        series: vec![Series { name: "Li".into(), unit: "nm^2".into(), values: vec![0.1, 0.2, 0.5], error: None }],
        log: LogScale { x: true, y: true },
    };
    let outcome =
        Outcome { name: "msd".into(), quantities: vec![quantity], curves: vec![curve], notes: vec!["a <note>".into()] };
    RunData {
        name: name.into(),
        title: "PEO & salt".into(),
        deck: Some("title = \"<x>\"".into()),
        provenance: vec![("version".into(), "0.1.0".into())],
        results: Results { build: Some(json!({"oxide": {"crystal": "anatase"}})), ..Results::new([outcome]) },
        log: log_curves("step,time [ps],temperature [K]\n0,0.0,300.0\n1,0.5,310.0\n"),
        glass: None,
        adsorption: None,
        identity: None,
        pictures: vec![],
    }
}

#[test]
fn numbers_show_what_their_interval_allows() {
    assert_eq!(number(Some(1.234e-7), Some([1.184e-7, 1.284e-7]), "cm^2/s"), "(1.234 ± 0.050)·10⁻⁷ cm²/s");
    assert_eq!(number(Some(5.347), Some([5.2, 5.5]), "1"), "5.35 ± 0.15");
    assert_eq!(number(Some(423.0), None, "K"), "423 K");
    assert_eq!(number(Some(0.123_456), None, "nm"), "0.1235 nm");
    assert_eq!(number(None, None, "nm"), "not available");
    assert_eq!(number(Some(-2.5), Some([-3.0, -2.0]), "1"), "−2.50 ± 0.50");
}

#[test]
fn the_page_stands_alone_and_says_what_belongs_to_a_number() {
    let page = html(&[run("a.run", 1e-6)]).unwrap();
    for text in [
        "PEO &amp; salt",
        "&lt;x&gt;",
        "a &lt;note&gt;",
        "crystal: anatase",
        "<svg",
        "423 K",
        "centre of mass of the oxide",
        "α = 1.01",
        "lag 1 to 10 ps",
        "(1.00 ± 0.10)·10⁻⁶ cm²/s",
        "temperature",
        "doi:",
    ] {
        assert!(page.contains(text), "{text}");
    }
    // Nothing is fetched from elsewhere: the only addresses are names of XML vocabularies.
    for reference in ["src=", "href=", "<script", "@import", "url("] {
        assert!(!page.contains(reference), "{reference}");
    }
}

#[test]
fn several_runs_share_their_plots_and_tables() {
    let page = html(&[run("ct.run", 1e-6), run("at.run", 4e-6)]).unwrap();
    assert!(page.contains("ct.run: Li") && page.contains("at.run: Li") && page.contains("2 runs compared"));
    // One plot of the displacement and one of the temperature, each with both runs.
    assert_eq!(page.matches("<figure>").count(), 2);
}

#[test]
fn a_page_is_written_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.html");
    write(&[run("a.run", 1.0)], &path).unwrap();
    assert!(std::fs::read_to_string(&path).unwrap().ends_with("</html>\n"));
    let plots = write_plots(&run("a.run", 1.0).results, &folder.path().join("plots")).unwrap();
    assert!(plots[0].ends_with("msd-mean-squared-displacement-of-li.svg"), "{plots:?}");
    let error = write(&[run("a.run", 1.0)], &folder.path().join("nowhere/report.html")).unwrap_err();
    assert!(error.to_string().contains("nowhere"));
}

#[test]
fn the_log_becomes_curves_with_units() {
    let curves = log_curves("step,time [ps],temperature [K],pressure [bar],pressure_xx [bar]\n0,0.0,300.0,1.0,2.0\n");
    let names: Vec<&str> = curves.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["temperature", "pressure"]);
    assert_eq!(curves[0].series[0].unit, "K");
    assert!(log_curves("").is_empty());
}

//! One self-contained page about one or several runs: results with their intervals and conditions, plots, decks,
//! provenance. No script, no link to anything outside the file.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use amelo_analysis::{Axis, Curve, LogScale, Of, Quantity, Results, Series};
use amelo_build::Certificate;
use amelo_math::special::{ln, pow};

use crate::adsorption::AdsorptionReport;
use crate::picture::Picture;
use crate::plot::{Plot, PlotError, power_of_ten, pretty_unit};

mod adsorption;
mod comparison;
mod glass;

/// What a report knows about a run.
#[derive(Clone, Debug, Default)]
pub struct RunData {
    /// Short name, for legends: the run directory's name.
    pub name: String,
    /// Title of the deck.
    pub title: String,
    /// The deck, verbatim.
    pub deck: Option<String>,
    /// (what, value): program version, commit, processor features, seed, temperature, hashes of the force field …
    pub provenance: Vec<(String, String)>,
    /// What the analyses found.
    pub results: Results,
    /// Course of the run, for example from [`log_curves`].
    pub log: Vec<Curve>,
    /// The papers of its glass, where it has one.
    pub glass: Option<Certificate>,
    /// Its adsorption energies, where it has some.
    pub adsorption: Option<AdsorptionReport>,
    /// The deck as it was understood, without durations and outputs.
    pub identity: Option<serde_json::Value>,
    /// Pictures of the structure.
    pub pictures: Vec<Picture>,
}

/// A report that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The file system refused.
    #[error("could not write {}: {source}; check that the folder exists, is writable and has space", path.display())]
    Io {
        /// File that was to be written.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A plot failed.
    #[error(transparent)]
    Plot(#[from] PlotError),
}

/// Writes the page for `runs` to `path`; several runs are compared, plot by plot and number by number.
pub fn write(runs: &[RunData], path: &Path) -> Result<(), ReportError> {
    write_file(path, &html(runs)?)
}

/// Writes every curve of a run as `<folder>/<analysis>-<curve>.svg` and returns the files.
pub fn write_plots(results: &Results, folder: &Path) -> Result<Vec<PathBuf>, ReportError> {
    std::fs::create_dir_all(folder).map_err(|source| ReportError::Io { path: folder.into(), source })?;
    let mut written = vec![];
    for Of { analysis, entry } in &results.curves {
        let Some(plot) = Plot::of(&[(None, entry)]) else { continue };
        let path = folder.join(format!("{}.svg", file_stem(&format!("{analysis} {}", entry.name))));
        write_file(&path, &plot.svg()?)?;
        written.push(path);
    }
    Ok(written)
}

/// A reader never sees half a page: the new one replaces the old one in one step.
fn write_file(path: &Path, text: &str) -> Result<(), ReportError> {
    let failed = |source| ReportError::Io { path: path.into(), source };
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".tmp");
    let temporary = path.with_file_name(name);
    let mut file = std::fs::File::create(&temporary).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    std::fs::rename(&temporary, path).map_err(failed)
}

fn file_stem(name: &str) -> String {
    let dashed: String = name.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    dashed.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

/// The page as text.
pub fn html(runs: &[RunData]) -> Result<String, ReportError> {
    let mut page = String::new();
    let title = match runs {
        [run] if !run.title.is_empty() => run.title.clone(),
        [run] => run.name.clone(),
        _ => format!("{} runs compared", runs.len()),
    };
    let _ = write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>{0}</title>\n<style>\n{1}</style>\n</head>\n<body>\n<main>\n<h1>{0}</h1>\n",
        escape(&title),
        include_str!("report.css")
    );
    let names: Vec<String> = runs.iter().map(|r| escape(&r.name)).collect();
    let _ = writeln!(page, "<p class=\"lead\">Report of amelo on {}</p>", names.join(", "));
    if let Some(found) = crate::comparison::compare(runs) {
        comparison::section(&mut page, &found)?;
    }
    structure(&mut page, runs);
    let adsorbed: Vec<_> = runs.iter().filter_map(|run| Some((run, run.adsorption.as_ref()?))).collect();
    adsorption::section(&mut page, &adsorbed);
    results_section(&mut page, runs)?;
    if runs.iter().any(|r| !r.log.is_empty()) {
        page.push_str("<h2>Course of the run</h2>\n");
        figures(&mut page, &collect(runs, |run| run.log.iter().map(|c| ("", c)).collect()))?;
    }
    let glasses: Vec<_> = runs.iter().filter_map(|run| Some((run.name.as_str(), run.glass.as_ref()?))).collect();
    glass::section(&mut page, &glasses)?;
    page.push_str("<h2>Provenance</h2>\n");
    for run in runs {
        let _ = write!(page, "<section>\n<h3>{}</h3>\n<table>\n", escape(&run.name));
        for (what, value) in &run.provenance {
            let _ = writeln!(page, "<tr><th>{}</th><td>{}</td></tr>", escape(what), escape(value));
        }
        page.push_str("</table>\n");
        if let Some(build) = &run.results.build {
            let text = escape(crate::tables::build_lines(build.clone()).trim_end());
            let _ = writeln!(page, "<details><summary>What was built</summary><pre>{text}</pre></details>");
        }
        if let Some(deck) = &run.deck {
            let open = if runs.len() == 1 { " open" } else { "" };
            let _ = writeln!(page, "<details{open}><summary>Deck</summary><pre>{}</pre></details>", escape(deck));
        }
        page.push_str("</section>\n");
    }
    definitions(&mut page, runs);
    page.push_str(
        "<footer>Level A: classical molecular dynamics answers the question. B: it gives a proxy or a trend. C: another \
         method must. Intervals are 95 % and come from independent blocks of time or runs; fewer than four give \
         none.</footer>\n</main>\n</body>\n</html>\n",
    );
    Ok(page)
}

fn structure(page: &mut String, runs: &[RunData]) {
    for run in runs.iter().filter(|run| !run.pictures.is_empty()) {
        let _ = writeln!(page, "<h2>Structure of {}</h2>", escape(&run.name));
        for picture in &run.pictures {
            let caption = escape(&picture.caption);
            let _ =
                writeln!(page, "<figure>{}<figcaption class=\"minor\">{caption}</figcaption></figure>", picture.svg);
        }
    }
}

/// Analyses in the order in which they first appear.
fn analysis_names(runs: &[RunData]) -> Vec<&str> {
    let mut names: Vec<&str> = vec![];
    for run in runs {
        let r = &run.results;
        let of_run = r.results.iter().map(|q| &q.analysis).chain(r.curves.iter().map(|c| &c.analysis));
        for name in of_run.chain(r.notes.iter().map(|n| &n.analysis)) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
    }
    names
}

fn results_section(page: &mut String, runs: &[RunData]) -> Result<(), ReportError> {
    let several = runs.len() > 1;
    for name in analysis_names(runs) {
        let info = amelo_analysis::analyses().into_iter().find(|info| info.name == name);
        let heading = info.map_or(name.to_string(), |info| format!("{name}: {}", info.summary));
        let _ = writeln!(page, "<h2>{}</h2>", escape(&heading));
        let mine = |run: &RunData| {
            run.results.curves.iter().filter(|c| c.analysis == name).map(|c| c.entry.clone()).collect::<Vec<_>>()
        };
        let curves: Vec<Vec<Curve>> = runs.iter().map(mine).collect();
        let by_run: Vec<(&str, Vec<&Curve>)> =
            runs.iter().zip(&curves).map(|(run, c)| (run.name.as_str(), c.iter().collect())).collect();
        figures(page, &group(&by_run))?;
        head(page, several);
        // Number by number across the runs, so that what is to be compared stands together.
        let mut seen: Vec<&str> = vec![];
        for q in runs.iter().flat_map(|r| &r.results.results).filter(|q| q.analysis == name) {
            if seen.contains(&q.entry.name.as_str()) {
                continue;
            }
            seen.push(&q.entry.name);
            for run in runs {
                let same = |p: &&Of<Quantity>| p.analysis == name && p.entry.name == q.entry.name;
                if let Some(found) = run.results.results.iter().find(same) {
                    row(page, several.then_some(run.name.as_str()), &found.entry);
                }
            }
        }
        page.push_str("</table>\n");
        let notes: Vec<String> = runs
            .iter()
            .flat_map(|run| {
                let of_run = run.results.notes.iter().filter(|n| n.analysis == name);
                of_run.map(|n| if several { format!("{}: {}", run.name, n.text) } else { n.text.clone() })
            })
            .collect();
        list(page, &notes);
        page.push_str("</section>\n");
    }
    Ok(())
}

/// Remarks.
fn list(page: &mut String, notes: &[String]) {
    if notes.is_empty() {
        return;
    }
    page.push_str("<ul class=\"notes\">\n");
    notes.iter().for_each(|n| {
        let _ = writeln!(page, "<li>{}</li>", escape(n));
    });
    page.push_str("</ul>\n");
}

/// Head of a table of numbers.
fn head(page: &mut String, several: bool) {
    page.push_str("<section>\n<table>\n<tr>");
    if several {
        page.push_str("<th>Run</th>");
    }
    page.push_str(
        "<th>Quantity</th><th>Value, 95 % interval</th><th>Window</th><th>Independent</th><th>Level</th></tr>\n",
    );
}

fn row(page: &mut String, run: Option<&str>, q: &Quantity) {
    page.push_str("<tr>");
    if let Some(run) = run {
        let _ = write!(page, "<td>{}</td>", escape(run));
    }
    let mut conditions = vec![];
    if let Some(motion) = q.settings.get("motion").and_then(|v| v.as_str()) {
        let class = if motion == "diffusive" { "tag" } else { "tag warn" };
        conditions.push(format!("<span class=\"{class}\">{}</span>", escape(motion)));
    }
    // All that a diffusion coefficient may never be printed without stands beside it, and only there.
    if !q.also.is_empty() {
        conditions.extend(conditions_of_diffusion(q));
    }
    let _ = write!(
        page,
        "<td>{}<div class=\"minor\">{}</div><div class=\"minor\">{}</div></td>",
        escape(&q.name),
        escape(&q.definition),
        conditions.join(" · ")
    );
    let mut values = format!("<strong>{}</strong>", number(q.value, q.ci95, &q.unit));
    for other in &q.also {
        let _ = write!(values, "<br>{}", number(Some(other.value), other.ci95, &other.unit));
    }
    let _ = write!(page, "<td class=\"number\">{values}");
    if let Some(reason) = &q.no_interval {
        let _ = write!(page, "<div class=\"minor\" style=\"white-space:normal\">{}</div>", escape(reason));
    }
    page.push_str("</td>");
    let window = q.window.as_ref().map_or("all data".into(), |w| {
        let range = if w.from == w.to { brief(w.to) } else { format!("{} to {}", brief(w.from), brief(w.to)) };
        format!("{} {range} {}", escape(&w.of), pretty_unit(&w.unit))
    });
    let independent = if q.n_independent > 0 { q.n_independent.to_string() } else { "–".into() };
    let _ = writeln!(page, "<td>{window}</td><td>{independent}</td><td>{:?}</td></tr>", q.level);
}

/// Temperature, frame of reference, exponent and finite-size term.
fn conditions_of_diffusion(q: &Quantity) -> Vec<String> {
    let mut conditions = vec![];
    if let Some(t) = q.settings.get("temperature_K").and_then(serde_json::Value::as_f64) {
        conditions.push(format!("{t} K"));
    }
    let setting = |key: &str| q.settings.get(key).and_then(|v| v.as_str());
    if let Some(frame) = setting("reference_frame") {
        conditions.push(format!("relative to the {}", escape(frame)));
    }
    if let Some(alpha) = q.settings.get("alpha").and_then(serde_json::Value::as_f64) {
        let range = q.settings.get("alpha_ci95").and_then(|v| Some([v.get(0)?.as_f64()?, v.get(1)?.as_f64()?]));
        let range = range.map_or("no interval".into(), |[low, high]| format!("{low:.2} to {high:.2}"));
        conditions.push(format!("α = {alpha:.2} ({range})"));
    }
    if let Some(finite_size) = setting("finite_size_correction") {
        conditions.push(format!("finite-size term: {}", escape(finite_size)));
    }
    conditions
}

/// Curves of the same name from all runs, together.
type Figure<'a> = Vec<(&'a str, &'a Curve)>;

fn collect<'a>(runs: &'a [RunData], pick: impl Fn(&'a RunData) -> Vec<(&'a str, &'a Curve)>) -> Vec<Figure<'a>> {
    let by_run: Vec<(&str, Vec<&Curve>)> =
        runs.iter().map(|run| (run.name.as_str(), pick(run).into_iter().map(|(_, c)| c).collect())).collect();
    group(&by_run)
}

fn group<'a>(by_run: &[(&'a str, Vec<&'a Curve>)]) -> Vec<Figure<'a>> {
    let mut figures: Vec<Figure> = vec![];
    for (run, curves) in by_run {
        for &curve in curves {
            let same = |f: &&mut Figure| f[0].1.name == curve.name && f[0].1.symbol == curve.symbol;
            match figures.iter_mut().find(same) {
                Some(figure) if by_run.len() > 1 => figure.push((run, curve)),
                _ => figures.push(vec![(run, curve)]),
            }
        }
    }
    figures
}

fn figures(page: &mut String, figures: &[Figure]) -> Result<(), ReportError> {
    for figure in figures {
        let several = figure.iter().any(|(run, _)| *run != figure[0].0);
        let curves: Vec<(Option<&str>, &Curve)> =
            figure.iter().map(|(run, curve)| (several.then_some(*run), *curve)).collect();
        if let Some(plot) = Plot::of(&curves) {
            let _ = writeln!(page, "<figure>{}</figure>", plot.svg()?);
        }
    }
    Ok(())
}

fn definitions(page: &mut String, runs: &[RunData]) {
    let names = analysis_names(runs);
    let used: Vec<_> = amelo_analysis::analyses().into_iter().filter(|info| names.contains(&info.name)).collect();
    if used.is_empty() {
        return;
    }
    page.push_str("<h2>Definitions</h2>\n<section>\n");
    for info in used {
        let _ = write!(
            page,
            "<details><summary>{}: {}</summary><pre>{}</pre><p class=\"minor\">Units: {}</p>\n<ul class=\"notes\">\n",
            escape(info.name),
            escape(info.summary),
            escape(info.formula),
            escape(info.units)
        );
        for assumption in info.assumptions {
            let _ = writeln!(page, "<li>{}</li>", escape(assumption));
        }
        let _ = writeln!(page, "</ul>\n<p class=\"minor\">{}</p></details>", escape(info.citation));
    }
    page.push_str("</section>\n");
}

/// Curves of the course of a run from `log.csv`: a header of `name [unit]`, one of them the time.
pub fn log_curves(csv: &str) -> Vec<Curve> {
    /// Most points per line: more than a plot has pixels.
    const POINTS: usize = 800;
    let mut lines = csv.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let Some(header) = lines.next() else { return vec![] };
    let columns: Vec<(String, String)> = header.split(',').map(column).collect();
    let rows: Vec<Vec<f64>> =
        lines.map(|line| line.split(',').map(|v| v.trim().parse().unwrap_or(f64::NAN)).collect()).collect();
    let stride = rows.len().div_ceil(POINTS).max(1);
    let values = |k: usize| -> Vec<f64> {
        rows.iter().step_by(stride).map(|row| row.get(k).copied().unwrap_or(f64::NAN)).collect()
    };
    let Some(time) = columns.iter().position(|(name, _)| name == "time") else { return vec![] };
    let wanted = [
        ("temperature", "temperature", "T"),
        ("potential_energy", "potential energy", "U"),
        ("conserved", "conserved quantity", "H′"),
        ("pressure", "pressure", "P"),
        ("density", "density", "ρ"),
    ];
    let mut curves = vec![];
    for (prefix, name, symbol) in wanted {
        // `conserved` or `conserved_quantity`, but not `pressure_xx`.
        let matches = |c: &str| c == prefix || (prefix == "conserved" && c.starts_with("conserved"));
        let Some(k) = columns.iter().position(|(column, _)| matches(column)) else { continue };
        curves.push(Curve {
            name: name.into(),
            symbol: symbol.into(),
            x: Axis { name: "time".into(), unit: columns[time].1.clone(), values: values(time) },
            series: vec![Series { name: name.into(), unit: columns[k].1.clone(), values: values(k), error: None }],
            log: LogScale::default(),
        });
    }
    curves
}

/// Name and unit of a column `name [unit]`.
fn column(text: &str) -> (String, String) {
    let text = text.trim().trim_matches('"');
    match text.split_once('[') {
        Some((name, unit)) => (name.trim().into(), unit.trim_end_matches(']').trim().into()),
        None => (text.into(), "1".into()),
    }
}

/// A value with its interval and unit: `(1.23 ± 0.05)·10⁻⁷ cm²/s`. The interval's second digit is the last one shown.
fn number(value: Option<f64>, ci95: Option<[f64; 2]>, unit: &str) -> String {
    let Some(value) = value else { return "not available".into() };
    let half = ci95.map(|[low, high]| 0.5 * (high - low)).filter(|h| *h > 0.0 && h.is_finite());
    let magnitude = order(value.abs().max(half.unwrap_or(0.0)));
    let finest = half.map_or(magnitude - 3, |h| order(h) - 1);
    let unit = if unit == "1" { String::new() } else { format!(" {}", pretty_unit(unit)) };
    let shown = |scale: i32| {
        let decimals = (scale - finest).clamp(0, 12) as usize;
        let text = |v: f64| format!("{:.*}", decimals, v / pow(10.0, f64::from(scale))).replace('-', "−");
        match half {
            Some(half) => format!("{} ± {}", text(value), text(half)),
            None => text(value),
        }
    };
    if (-3..5).contains(&magnitude) || value == 0.0 {
        let whole = value == value.round() && half.is_none();
        return if whole { format!("{value:.0}{unit}") } else { format!("{}{unit}", shown(0)) };
    }
    let mantissa = shown(magnitude);
    let mantissa = if half.is_some() { format!("({mantissa})") } else { mantissa };
    format!("{mantissa}·{}{unit}", power_of_ten(magnitude))
}

/// Power of ten of the first digit.
fn order(value: f64) -> i32 {
    if value > 0.0 { (ln(value) / std::f64::consts::LN_10 + 1e-12).floor() as i32 } else { 0 }
}

/// A number with at most four digits.
pub(crate) fn brief(value: f64) -> String {
    let text = format!("{value:.3e}");
    text.parse::<f64>().map_or(text, |v| v.to_string())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests;

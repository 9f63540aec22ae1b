//! The section on an amorphous oxide: its verdict, what was measured, g(r).

use std::fmt::Write as _;

use amelo_analysis::{Axis, Curve, LogScale, Series};
use amelo_build::Certificate;

use super::{ReportError, brief, escape, number};
use crate::plot::Plot;

/// The certificates of the runs that have one, by run.
pub(super) fn section(page: &mut String, glasses: &[(&str, &Certificate)]) -> Result<(), ReportError> {
    if glasses.is_empty() {
        return Ok(());
    }
    page.push_str("<h2>Amorphous oxide</h2>\n");
    for (run, glass) in glasses {
        let verdict = if glass.verdict.accepted { "accepted" } else { "outside the acceptance window" };
        let class = if glass.verdict.accepted { "tag" } else { "tag warn" };
        let _ = write!(
            page,
            "<section>\n<h3>{}: glass of seed {} <span class=\"{class}\">{verdict}</span></h3>\n<table>\n\
             <tr><th>Check</th><th>Value</th><th>Window</th><th>Source</th></tr>\n",
            escape(run),
            glass.seed
        );
        for check in &glass.verdict.checks {
            let value = number(Some(check.value), None, &check.unit);
            let value = if check.inside { value } else { format!("<strong>{value}</strong> outside") };
            let window = range(check.window, &check.unit);
            row(page, &[&escape(&check.quantity), &value, &window, &escape(&check.source)]);
        }
        for measured in &glass.verdict.experiment {
            let name = format!("experiment: {}", escape(&measured.quantity));
            row(page, &[&name, "", &range(measured.range, &measured.unit), &escape(&measured.source)]);
        }
        page.push_str("</table>\n<table>\n<tr><th>Measured</th><th></th></tr>\n");
        for (what, value) in measured(glass) {
            row(page, &[&escape(&what), &escape(&value)]);
        }
        page.push_str("</table>\n</section>\n");
        if let Some(plot) = Plot::of(&[(None, &g_of_r(glass))]) {
            let _ = writeln!(page, "<figure>{}</figure>", plot.svg()?);
        }
    }
    Ok(())
}

fn row(page: &mut String, cells: &[&str]) {
    let cells: String = cells.iter().map(|c| format!("<td>{c}</td>")).collect();
    let _ = writeln!(page, "<tr>{cells}</tr>");
}

fn range([low, high]: [f64; 2], unit: &str) -> String {
    let unit = if unit == "1" { String::new() } else { format!(" {unit}") };
    if low == high { format!("{}{unit}", brief(low)) } else { format!("{} to {}{unit}", brief(low), brief(high)) }
}

/// What the certificate holds beside its checks.
fn measured(glass: &Certificate) -> Vec<(String, String)> {
    let (settings, bulk) = (&glass.settings, &glass.bulk);
    let mut rows = vec![
        (
            "recipe".to_string(),
            format!(
                "{} TiO2; {} for {}; {} to {}; relaxed {}; surfaces {} for {}; SHA-256 {}",
                bulk.formula_units,
                settings.melt.temperature,
                settings.melt.time,
                settings.quench_rate,
                settings.temperature,
                settings.relax,
                settings.surface_anneal.temperature,
                settings.surface_anneal.time,
                glass.recipe
            ),
        ),
        ("first peaks of g(r) (nm)".into(), entries(bulk.first_peaks.iter())),
        ("first minimum of the Ti-O g(r)".into(), format!("{} nm", brief(bulk.first_minimum))),
        ("share of Ti by number of O".into(), entries(bulk.titanium_by_coordination.iter())),
        ("share of O by number of Ti".into(), entries(bulk.oxygen_by_coordination.iter())),
        ("pressure along x, y, z".into(), format!("{} bar", bulk.pressure.map(brief).join(", "))),
        ("root mean square displacement in the melt".into(), format!("{} nm", brief(bulk.melt_displacement))),
        ("entries into the short-range guard".into(), bulk.guard_entries.to_string()),
    ];
    let Some(slab) = &glass.slab else { return rows };
    rows.extend([
        ("thickness".into(), format!("{} nm", brief(slab.thickness))),
        ("bonds parted by the cut".into(), format!("{} per nm²", brief(slab.broken_bonds))),
        ("dipole per area, fresh and annealed".into(), format!("{} e/nm", slab.dipole_per_area.map(brief).join(", "))),
        ("tension of the slab".into(), format!("{} N/m", brief(slab.tension))),
    ]);
    for (face, name) in slab.faces.iter().zip(["lower", "upper"]) {
        let exposed = face.titanium_by_coordination.iter().map(|(z, n)| (z, *n as f64));
        rows.push((
            format!("{name} face"),
            format!(
                "R_q {} nm; exposed Ti by number of O: {}; with fewer than 6: {} per nm²",
                brief(face.roughness),
                exposed.map(|(z, n)| format!("{z}: {n}")).collect::<Vec<_>>().join(", "),
                brief(face.undercoordinated)
            ),
        ));
    }
    rows
}

fn entries<'a, K: std::fmt::Display + 'a>(values: impl Iterator<Item = (&'a K, &'a f64)>) -> String {
    values.map(|(name, value)| format!("{name}: {}", brief(*value))).collect::<Vec<_>>().join(", ")
}

fn g_of_r(glass: &Certificate) -> Curve {
    let series = |(name, g): (&String, &Vec<f64>)| Series {
        name: name.clone(),
        unit: "1".into(),
        values: g.clone(),
        error: None,
    };
    Curve {
        name: "radial distribution function of the glass".into(),
        symbol: "g(r)".into(),
        x: Axis { name: "distance".into(), unit: "nm".into(), values: glass.curves.r.clone() },
        series: glass.curves.g.iter().map(series).collect(),
        log: LogScale::default(),
    }
}

//! The section on adsorption energies: one row per molecule and run, with the published value beside it.

use std::fmt::Write as _;

use amelo_analysis::Results;
use amelo_analysis::adsorption::Wider;
use amelo_core::units::EV;

use super::{RunData, brief, escape, number};
use crate::adsorption::{AdsorbateReport, AdsorptionReport};

/// Host distances that are shown: the shortest ones.
const SHOWN_DISTANCES: usize = 3;

/// The tables of the runs that have adsorption energies.
pub(super) fn section(page: &mut String, runs: &[(&RunData, &AdsorptionReport)]) {
    let Some((_, first)) = runs.first() else { return };
    let _ = write!(
        page,
        "<h2>Adsorption energies</h2>\n<section>\n<p>{}. Energies of the force field; those of electronic structure need \
         another method, for which <code>{}</code> holds the structures.</p>\n<table>\n<tr><th>Run</th><th>Molecule</th>\
         <th>Minimum</th><th>Boltzmann average</th><th>Quartiles over sites</th><th>Minima / starts</th>\
         <th>Gained by doubling</th><th>Shortest distances</th><th>Published</th></tr>\n",
        escape(&first.definition),
        crate::adsorption::STRUCTURES
    );
    for (run, report) in runs {
        for a in &report.adsorbates {
            row(
                page,
                &run.name,
                a,
                published(&run.results, &format!("{}: adsorption energy", a.name)),
                report.temperature,
            );
        }
    }
    page.push_str("</table>\n");
    if runs.iter().any(|(_, report)| !report.dissociation.is_empty()) {
        let _ = write!(
            page,
            "<p>Dissociation energy: {}.</p>\n<table>\n<tr><th>Run</th><th>Salt</th><th>Dissociation energy</th>\
             <th>In vacuum</th><th>Adsorption energies</th><th>Published</th></tr>\n",
            escape(&first.dissociation_definition)
        );
        for (run, report) in runs {
            for d in &report.dissociation {
                let ions = d.ions.iter().map(|(name, energy)| format!("{} {}", escape(name), ev(*energy)));
                let parts: Vec<String> =
                    std::iter::once(format!("{} {}", escape(&d.name), ev(d.pair))).chain(ions).collect();
                cells(
                    page,
                    &[
                        escape(&run.name),
                        escape(&d.name),
                        both(d.energy) + &finite_size(d.energy, d.finite_size) + &in_wider_cells(&d.wider),
                        ev(d.vacuum),
                        parts.join("<br>"),
                        published(&run.results, &format!("{}: dissociation energy", d.name)),
                    ],
                );
            }
        }
        page.push_str("</table>\n");
    }
    page.push_str("</section>\n");
}

fn row(page: &mut String, run: &str, a: &AdsorbateReport, published: String, temperature: f64) {
    let lowest = a.minima.first();
    let mut distances: Vec<(&String, &f64)> = lowest.iter().flat_map(|m| &m.shortest).collect();
    distances.sort_by(|x, y| x.1.total_cmp(y.1));
    let distances: Vec<String> =
        distances.into_iter().take(SHOWN_DISTANCES).map(|(pair, d)| format!("{} {d:.3} nm", escape(pair))).collect();
    cells(
        page,
        &[
            escape(run),
            escape(&a.name),
            lowest.map_or_else(String::new, |m| {
                both(m.energy) + &finite_size(m.energy, a.finite_size) + &in_wider_cells(&a.in_wider_cells())
            }),
            format!("{} at {} K", ev(a.average), brief(temperature)),
            a.quartiles.map(ev).join("<br>"),
            format!("{} / {}", a.minima.len(), a.by_start.len()),
            a.gained_by_doubling.map_or_else(|| "–".into(), ev),
            distances.join("<br>"),
            published,
        ],
    );
}

fn cells(page: &mut String, cells: &[String]) {
    let cells: String = cells.iter().map(|c| format!("<td>{c}</td>")).collect();
    let _ = writeln!(page, "<tr>{cells}</tr>");
}

fn ev(energy: f64) -> String {
    format!("{:.3} eV", energy / EV).replace('-', "−")
}

/// The finite-size term of an `energy` (kJ/mol), where there is one, and the energy with it.
fn finite_size(energy: f64, term: Option<f64>) -> String {
    term.map_or_else(String::new, |term| {
        format!("<div class=\"minor\">{} with the finite-size term of {}</div>", ev(energy + term), ev(term))
    })
}

/// The energy in wider cells.
fn in_wider_cells(wider: &[Wider]) -> String {
    let of = |w: &Wider| format!("<div class=\"minor\">{} in a cell {} times as wide</div>", ev(w.energy), w.times);
    wider.iter().map(of).collect()
}

fn both(energy: f64) -> String {
    format!("<strong>{}</strong><br>{}", ev(energy), number(Some(energy), None, "kJ/mol"))
}

/// The published value that stands beside a number of `results`, with its source.
fn published(results: &Results, name: &str) -> String {
    let found = results.results.iter().find(|q| q.entry.name == name).map(|q| &q.entry.settings);
    let value = found.and_then(|s| s.get("published_eV")?.as_f64());
    let source = found.and_then(|s| s.get("published_source")?.as_str());
    match (value, source) {
        (Some(value), Some(source)) => {
            format!("{} eV<div class=\"minor\">{}</div>", value.to_string().replace('-', "−"), escape(source))
        }
        _ => "–".into(),
    }
}

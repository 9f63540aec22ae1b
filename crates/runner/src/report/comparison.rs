//! The section that compares groups of runs: what they differ in, curves on top of each other, ratios.

use std::fmt::Write as _;

use amelo_analysis::Curve;

use super::{ReportError, escape, head, list, row};
use crate::comparison::Comparison;
use crate::plot::Plot;

/// The section on `found`.
pub(super) fn section(page: &mut String, found: &Comparison) -> Result<(), ReportError> {
    page.push_str("<h2>Comparison</h2>\n<section>\n<table>\n<tr><th>Group</th><th>Surfaces</th><th>Runs</th></tr>\n");
    for group in &found.groups {
        let _ = writeln!(
            page,
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(&group.label),
            group.surfaces,
            escape(&group.runs.join(", "))
        );
    }
    page.push_str("</table>\n<p class=\"minor\">Beside seeds the decks differ in: ");
    let differences = match found.differences.as_slice() {
        [] => "nothing".into(),
        several => several.join("; "),
    };
    let _ = writeln!(page, "{}.</p>", escape(&differences));
    page.push_str(
        "<p class=\"minor\">A group's curve is the mean over its surfaces of the mean over the packings on each. Its \
         interval is over surfaces where there are four or more, else over packings, else over blocks of time: then it \
         says nothing about other packings or surfaces. Intervals of ratios are symmetric in the logarithm.</p>\n\
         </section>\n",
    );
    let mut names: Vec<(&str, &str)> = vec![];
    for curve in found.curves.iter().map(|c| &c.curve) {
        if !names.contains(&(curve.name.as_str(), curve.symbol.as_str())) {
            names.push((&curve.name, &curve.symbol));
        }
    }
    for (name, symbol) in names {
        let same = found.curves.iter().filter(|c| c.curve.name == name && c.curve.symbol == symbol);
        let lines: Vec<(Option<&str>, &Curve)> = same.map(|c| (Some(c.group.as_str()), &c.curve)).collect();
        if let Some(plot) = Plot::of(&lines) {
            let _ = writeln!(page, "<figure>{}</figure>", plot.svg()?);
        }
    }
    head(page, false);
    for quantity in &found.results {
        row(page, None, quantity);
    }
    page.push_str("</table>\n");
    list(page, &found.notes);
    page.push_str("</section>\n");
    Ok(())
}

//! What exists, from the registries: rows for `amelo list` and `amelo explain`.

use amelo_core::{FormClass, FormInfo};
use serde::Serialize;

/// A group of registries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Pair potentials.
    Potentials,
    /// Bonds, angles, dihedrals, impropers.
    Bonded,
    /// Thermostats.
    Thermostats,
    /// Barostats.
    Barostats,
    /// Constraints.
    Constraints,
    /// Analyses.
    Analyses,
    /// File formats.
    Formats,
    /// What an oxide's builder can do: rules for the charge of vacancies, and what it cannot.
    Oxides,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Topic; 8] = [
        Topic::Potentials,
        Topic::Bonded,
        Topic::Thermostats,
        Topic::Barostats,
        Topic::Constraints,
        Topic::Analyses,
        Topic::Formats,
        Topic::Oxides,
    ];
}

/// One thing that exists.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Name for `amelo explain`.
    pub name: String,
    /// What sort of thing it is.
    pub kind: String,
    /// One line.
    pub summary: String,
    /// The equations.
    pub formula: String,
    /// Parameters with units, one per line.
    pub parameters: Vec<String>,
    /// What must hold.
    pub assumptions: Vec<String>,
    /// Paper and DOI.
    pub citation: String,
}

impl Row {
    /// For people.
    pub fn text(&self) -> String {
        let mut out = format!("{} ({})\n{}\n", self.name, self.kind, self.summary);
        let mut section = |title: &str, lines: &[String]| {
            let lines: Vec<&str> = lines.iter().flat_map(|l| l.lines()).filter(|l| !l.trim().is_empty()).collect();
            if !lines.is_empty() {
                out.push_str(&format!("\n{title}\n"));
                lines.iter().for_each(|line| out.push_str(&format!("  {line}\n")));
            }
        };
        section("Formula", std::slice::from_ref(&self.formula));
        section("Parameters and units", &self.parameters);
        section("Assumptions", &self.assumptions);
        section("Source", std::slice::from_ref(&self.citation));
        out
    }
}

/// The rows of a topic, in the order of registration.
pub fn list(topic: Topic) -> Vec<Row> {
    let forms = |keep: fn(FormClass) -> bool| {
        amelo_forces::registry::all().iter().filter(|f| keep(f.class)).map(form).collect()
    };
    let methods = |kind: &str, rows: Vec<amelo_dynamics::MethodInfo>| rows.iter().map(|m| method(kind, m)).collect();
    match topic {
        Topic::Potentials => forms(|class| class == FormClass::Pair),
        Topic::Bonded => forms(|class| class != FormClass::Pair),
        Topic::Thermostats => methods("thermostat", amelo_dynamics::thermostats()),
        Topic::Barostats => methods("barostat", amelo_dynamics::barostats()),
        Topic::Constraints => methods("constraint", amelo_dynamics::constraint_kinds()),
        Topic::Analyses => amelo_analysis::analyses().iter().map(analysis).collect(),
        Topic::Formats => formats(),
        Topic::Oxides => oxides(),
    }
}

/// Everything that exists.
pub fn all() -> Vec<Row> {
    Topic::ALL.into_iter().flat_map(list).collect()
}

/// Everything of this name (`harmonic` is a bond, an angle and an improper). Bonded forms are also known by class and
/// name, as `bond harmonic`.
pub fn explain(name: &str) -> Vec<Row> {
    all()
        .into_iter()
        .filter(|row| row.name == name || row.name.split_once(' ').is_some_and(|(_, short)| short == name))
        .collect()
}

fn form(info: &FormInfo) -> Row {
    let class = match info.class {
        FormClass::Pair => "pair potential",
        FormClass::Bond => "bond",
        FormClass::Angle => "angle",
        FormClass::Dihedral => "dihedral",
        FormClass::Improper => "improper",
    };
    let name = match info.class {
        FormClass::Pair => info.name.to_string(),
        _ => format!("{class} {}", info.name),
    };
    let parameter = |p: &amelo_core::ParameterInfo| {
        let unit = p.dimension.units[0];
        let unit = if unit.is_empty() { "plain number" } else { unit };
        format!("{} ({unit}): {}", p.name, p.doc)
    };
    Row {
        name,
        kind: class.into(),
        summary: info.summary.into(),
        formula: info.formula.into(),
        parameters: info.parameters.iter().map(parameter).collect(),
        assumptions: Vec::new(),
        citation: info.citation.into(),
    }
}

fn method(kind: &str, info: &amelo_dynamics::MethodInfo) -> Row {
    Row {
        name: info.name.into(),
        kind: kind.into(),
        summary: info.summary.into(),
        formula: info.formula.into(),
        parameters: Vec::new(),
        assumptions: Vec::new(),
        citation: info.citation.into(),
    }
}

fn analysis(info: &amelo_analysis::AnalysisInfo) -> Row {
    Row {
        name: info.name.into(),
        kind: "analysis".into(),
        summary: info.summary.into(),
        formula: info.formula.into(),
        parameters: vec![info.units.into()],
        assumptions: info.assumptions.iter().map(|a| a.to_string()).collect(),
        citation: info.citation.into(),
    }
}

/// Rules for the charge of vacancies, and why there is no hydroxylation.
fn oxides() -> Vec<Row> {
    let rules = amelo_build::compensations();
    let rule = |info: &amelo_build::CompensationInfo| Row {
        name: info.name.into(),
        kind: "vacancy compensation".into(),
        summary: info.summary.into(),
        formula: info.formula.into(),
        parameters: vec!["system.oxide.….vacancies.compensation; charges in e, distances in nm".into()],
        assumptions: info.assumptions.iter().map(|a| a.to_string()).collect(),
        citation: info.citation.into(),
    };
    let hydroxylation = Row {
        name: "hydroxylation".into(),
        kind: "not available".into(),
        summary: "amelo builds bare surfaces: no published parameters of OH groups go with Matsui and Akaogi's potential".into(),
        formula: "A Ti–OH or bridging OH needs charges of its O and H, O–H and Ti–O–H terms, and H–O(oxide) repulsion, all fitted \
                  beside q_Ti = 2.196 e and q_O = −1.098 e. None such was found. Force fields with OH groups (for example of \
                  Brandt and Lyubartsev) have other charges and other potentials of the oxide itself"
            .into(),
        parameters: Vec::new(),
        assumptions: vec![
            "In OPLS the H of an OH group has no repulsion of its own, and an O of −1.098 e attracts it: give chains methyl ends.".into(),
            "A hydroxylated oxide with parameters of its own comes in by [system.import.gromacs] or [system.import.lammps].".into(),
        ],
        citation: "M. Matsui, M. Akaogi, Mol. Simul. 6, 239 (1991), doi:10.1080/08927029108022432; E. G. Brandt, A. P. \
                   Lyubartsev, J. Phys. Chem. C 119, 18110 (2015)"
            .into(),
    };
    rules.iter().map(rule).chain([hydroxylation]).collect()
}

/// Files that amelo writes or reads: the formats of io, and those that the runner makes itself.
fn formats() -> Vec<Row> {
    let row = |name: &str, summary: &str, formula: &str, limits: &[&str], citation: &str| Row {
        name: name.into(),
        kind: "file format".into(),
        summary: summary.into(),
        formula: formula.into(),
        parameters: Vec::new(),
        assumptions: limits.iter().map(|l| l.to_string()).collect(),
        citation: citation.into(),
    };
    let io = amelo_io::formats::registry::formats();
    let io = io.iter().map(|f| row(f.name, f.summary, f.layout, f.limits, f.citation));
    let own = [
        (
            "gromacs",
            "import of topologies (.top, .itp) with coordinates (.gro)",
            "amelo import gromacs, [system.import.gromacs]; docs/gromacs-import.md says what maps",
            "GROMACS 2022 reference manual, chapters Topologies and File formats",
        ),
        (
            "json",
            "results.json and every --json output",
            "one document, numbers in the units that they name",
            "RFC 8259",
        ),
        ("toml", "decks and parameter files", "quantities are text with units", "https://toml.io/en/v1.0.0"),
        ("svg", "plots", "vector graphics", "W3C SVG 1.1"),
    ];
    io.chain(own.into_iter().map(|(name, summary, layout, citation)| row(name, summary, layout, &[], citation)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_registered_name_is_explained() {
        for topic in Topic::ALL {
            let rows = list(topic);
            assert!(!rows.is_empty(), "{topic:?}");
            for row in rows {
                assert!(explain(&row.name).contains(&row), "{}", row.name);
                assert!(!row.summary.is_empty(), "{}: no summary", row.name);
                // `none` is the absence of constraints.
                if topic != Topic::Formats && row.name != "none" {
                    assert!(!row.formula.is_empty(), "{}: no formula", row.name);
                    assert!(!row.citation.is_empty(), "{}: no citation", row.name);
                }
            }
        }
    }
}

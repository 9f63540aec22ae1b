//! Energies, forces and virials against other programs on the same small systems, and the table of `docs/agreement.md`
//! that shows how far they differ.
//!
//! The bounds are those of the other program: LAMMPS' real-space erfc is a polynomial with an absolute error of
//! 1.5e-7, whatever its k-space accuracy, so that its Coulomb energies with Ewald sums are compared with its own.

mod peers;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use amelo_core::units::COULOMB;
use peers::{Deviations, LAMMPS_COULOMB, Stored, reference, systems};

/// Bounds of |ΔE|/Σ|terms| for Coulomb and for the rest, rms ΔF / rms F, max |ΔW| / max |W|.
struct Bounds {
    coulomb: f64,
    other: f64,
    force: f64,
    virial: f64,
}

const CONVERGED: Bounds = Bounds { coulomb: 2e-9, other: 2e-9, force: 2e-8, virial: 2e-8 };
const LAMMPS_EWALD: Bounds = Bounds { coulomb: 2e-6, other: 1e-10, force: 2e-6, virial: 1e-5 };
/// Without Ewald's sum there is no erfc.
const LAMMPS_GAS: Bounds = Bounds { coulomb: 1e-10, other: 1e-10, force: 2e-8, virial: 2e-8 };

/// Peers, in the order of the table.
const PEERS: [&str; 3] = ["gromacs", "openmm", "lammps"];

/// One row of the matrix.
struct Row {
    system: Stored,
    peer: &'static str,
    program: String,
    found: Deviations,
}

impl Row {
    fn bounds(&self) -> &'static Bounds {
        match (self.peer, self.system.gas) {
            ("lammps", true) => &LAMMPS_GAS,
            ("lammps", false) => &LAMMPS_EWALD,
            _ => &CONVERGED,
        }
    }

    fn complaints(&self) -> Vec<String> {
        let bounds = self.bounds();
        let energies = self.found.energy.iter().map(|(term, &d)| {
            let bound = if term == "coulomb" { bounds.coulomb } else { bounds.other };
            (format!("{term} energy"), d, bound)
        });
        let rest = [
            ("forces".to_string(), self.found.force, bounds.force),
            ("virial".to_string(), self.found.virial.unwrap_or(0.0), bounds.virial),
        ];
        energies
            .chain(rest)
            .filter(|(_, deviation, bound)| deviation.is_nan() || deviation > bound)
            .map(|(what, d, b)| format!("{} against {}: {what} {d:.2e}, bound {b:.0e}", self.system.name, self.program))
            .collect()
    }
}

/// Every system against every program that evaluated it.
fn matrix() -> &'static [Row] {
    static MATRIX: OnceLock<Vec<Row>> = OnceLock::new();
    MATRIX.get_or_init(|| {
        let mut rows = Vec::new();
        for peer in PEERS {
            let constant = if peer == "lammps" { LAMMPS_COULOMB } else { COULOMB };
            for system in systems() {
                let Some(theirs) = reference(&system, peer) else { continue };
                let found = system.compare(&theirs, constant);
                rows.push(Row { system, peer, program: theirs.program, found });
            }
        }
        rows.sort_by(|a, b| a.system.name.cmp(&b.system.name));
        rows
    })
}

#[test]
fn peers_agree_term_by_term() {
    let complaints: Vec<String> = matrix().iter().flat_map(Row::complaints).collect();
    println!("{}", table());
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// Every program that can run a system has run it: all but GROMACS, which has no Buckingham potential in its scheme.
#[test]
fn no_cell_of_the_matrix_is_empty() {
    let systems = systems();
    assert!(systems.len() >= 16, "{} systems", systems.len());
    for system in systems {
        for peer in PEERS {
            let possible = peer != "gromacs" || !system.has_oxide();
            assert_eq!(reference(&system, peer).is_some(), possible, "{} and {peer}", system.name);
        }
    }
}

/// Columns: heading and the terms that it shows.
const COLUMNS: [(&str, &[&str]); 7] = [
    ("bond", &["bond"]),
    ("angle", &["angle"]),
    ("dihedral", &["dihedral"]),
    ("improper", &["improper"]),
    ("vdW", &["vdw", "vdw_total"]),
    ("vdW 1-4", &["vdw_14"]),
    ("Coulomb", &["coulomb"]),
];

/// Below this a deviation is rounding, and differs from machine to machine.
const ROUNDING: f64 = 1e-12;

fn figure(deviation: f64) -> String {
    if deviation < ROUNDING { "< 1e-12".into() } else { format!("{deviation:.0e}") }
}

fn table() -> String {
    let mut lines = vec![
        format!("| system | atoms | program | {} | force | virial |", COLUMNS.map(|(name, _)| name).join(" | ")),
        format!("|---|---|---|{}---|---|", "---|".repeat(COLUMNS.len())),
    ];
    for row in matrix() {
        let energy = COLUMNS.map(|(_, terms)| {
            let found = terms.iter().find_map(|t| row.found.energy.get(*t));
            found.map_or("—".into(), |&d| figure(d))
        });
        let program = row.program.split(['-', ' ', '(']).filter(|w| w.len() > 1).take(2).collect::<Vec<_>>().join(" ");
        let configurations = row.system.configurations().len();
        let atoms = match configurations {
            1 => row.system.n_atoms().to_string(),
            n => format!("{} × {n}", row.system.n_atoms()),
        };
        let virial = row.found.virial.map_or("—".into(), figure);
        let force = figure(row.found.force);
        let name = &row.system.name;
        lines.push(format!("| {name} | {atoms} | {program} | {} | {force} | {virial} |", energy.join(" | ")));
    }
    lines.join("\n")
}

/// Whether two cells say the same: the same text, or figures of the same size.
fn same_cell(a: &str, b: &str) -> bool {
    let number = |cell: &str| cell.trim().trim_start_matches("< ").parse::<f64>().ok();
    match (number(a), number(b)) {
        (Some(x), Some(y)) if a.contains('e') => x.max(y) <= 3.0 * x.min(y) || x.max(y) <= 3.0 * ROUNDING,
        _ => a.trim() == b.trim(),
    }
}

#[test]
fn the_page_shows_the_matrix_as_it_is() {
    const BEGIN: &str = "<!-- table: generated -->\n\n";
    const END: &str = "\n\n<!-- end of the table -->";
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/agreement.md");
    let page = std::fs::read_to_string(&path).expect("a page of the repository");
    let (before, rest) = page.split_once(BEGIN).expect("the table's beginning");
    let (stored, after) = rest.split_once(END).expect("the table's end");
    let fresh = table();
    if std::env::var_os("AMELO_WRITE_TABLES").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{fresh}{END}{after}")).expect("written");
        return;
    }
    let remedy = "AMELO_WRITE_TABLES=1 cargo test --test reference";
    assert_eq!(stored.lines().count(), fresh.lines().count(), "docs/agreement.md has other rows: {remedy}");
    for (old, new) in stored.lines().zip(fresh.lines()) {
        let (a, b): (Vec<&str>, Vec<&str>) = (old.split('|').collect(), new.split('|').collect());
        let same = a.len() == b.len() && a.iter().zip(&b).all(|(x, y)| same_cell(x, y));
        assert!(same, "docs/agreement.md is stale: {remedy}\n  there {old}\n  found {new}");
    }
}

#[test]
fn a_stale_cell_is_noticed() {
    assert!(same_cell(" 2e-9 ", " 3e-9 ") && same_cell("< 1e-12", "2e-12") && same_cell("tfsi", "tfsi"));
    assert!(!same_cell("2e-9", "2e-8") && !same_cell("< 1e-12", "1e-11") && !same_cell("—", "1e-9"));
    assert!(!same_cell("303", "304") && !same_cell("tfsi", "fsi") && !same_cell("15 × 12", "15 × 11"));
}

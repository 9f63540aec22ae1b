//! Oxygen vacancies in slabs and crystals: counts, charges, who is beside them, and every refusal.

mod common;

use amelo_build::{Placed, VacancyReport};
use amelo_math::Vec3;
use common::{build, refuse};

/// A slab of `crystal` of about 2 × 2 nm with `vacancies`, a film without molecules.
fn slab(crystal: &str, surface: &str, vacancies: &str) -> String {
    format!(
        "lateral = [\"2 nm\", \"2 nm\"]\ngeometry.film = {{ vacuum = \"2 nm\" }}\n[oxide.{crystal}]\nsurface = \"{surface}\"\n\
         thickness = \"1.4 nm\"\n{vacancies}\n"
    )
}

fn report(placed: &Placed) -> &VacancyReport {
    placed.report.oxide.as_ref().unwrap().vacancies.as_ref().unwrap()
}

fn charges(placed: &Placed) -> Vec<f64> {
    placed.molecules[0].atoms.iter().map(|a| a.charge).collect()
}

/// Sum of charges that are multiples of 1e-4 e, in whole numbers.
fn net_charge(charges: &[f64]) -> i64 {
    charges.iter().map(|q| (q * 1e4).round() as i64).sum()
}

fn count(charges: &[f64], charge: f64) -> usize {
    charges.iter().filter(|q| (**q - charge).abs() < 1e-12).count()
}

#[test]
fn two_nearest_titanium_of_each_vacancy_carry_1_647_e() {
    // 2 × 5 cells of 10.24 × 3.78 Å with two bridging O on each face: 40; a fifth of them is 8.
    let whole = build(&slab("anatase", "101", ""));
    let placed = build(&slab("anatase", "101", "vacancies = { fraction = 0.2, where = \"surface\" }"));
    let report = report(&placed);
    assert_eq!((report.candidates, report.count), (40, 8));
    let (before, after) = (charges(&whole), charges(&placed));
    assert_eq!(after.len(), before.len() - 8);
    // Charges of the model: Ti 2.196, O −1.098 e, Ti³⁺ ¾ of 2.196.
    assert_eq!(count(&after, 1.647), 16);
    assert_eq!(count(&after, 2.196), count(&before, 2.196) - 16);
    assert_eq!(count(&after, -1.098), count(&before, -1.098) - 8);
    assert_eq!(net_charge(&after), 0);
    assert!(report.net_charge.abs() < 1e-12);
    let oxide = placed.report.oxide.as_ref().unwrap();
    let n_ti = oxide.formula_units as f64;
    assert_eq!(oxide.oxygen_to_titanium, (2.0 * n_ti - 8.0) / n_ti);
    // The group of the reduced Ti is that of the changed charges, and the rest of the template is whole.
    let template = &placed.molecules[0];
    assert_eq!(template.groups["reduced Ti"].len(), 16);
    assert_eq!(template.groups["reduced Ti"], report.changed_charges[0].atoms);
    assert_eq!(template.groups["O"].len() + template.groups["Ti"].len(), after.len());
    assert_eq!(template.residues, [("OXI".to_string(), after.len())]);
    // Even numbers over the two faces of a slab with inversion: no dipole.
    assert!(oxide.dipole_per_area.abs() < 1e-9, "{}", oxide.dipole_per_area);
}

#[test]
fn a_scan_may_begin_with_none() {
    let [whole, none] = ["", "vacancies = { fraction = 0.0 }"].map(|v| build(&slab("anatase", "101", v)));
    assert_eq!((report(&none).count, report(&none).candidates, report(&none).fraction), (0, 40, 0.0));
    assert_eq!(whole.positions, none.positions);
    assert_eq!(charges(&whole), charges(&none));
    assert_eq!(report(&none).titanium_elsewhere[&5], 40);
}

#[test]
fn the_titanium_beside_a_vacancy_are_told_from_those_with_few_neighbours() {
    let placed = build(&slab("anatase", "101", "vacancies = { count = 1 }"));
    let report = report(&placed);
    // A bridging O holds one Ti5c and one Ti6c, which become Ti4c and Ti5c; 39 Ti5c of the cut are no vacancies.
    assert_eq!(report.titanium_beside_vacancies, [(4, 1), (5, 1)].into());
    assert_eq!(report.titanium_elsewhere[&5], 39);
    assert_eq!(report.titanium_elsewhere.keys().copied().collect::<Vec<_>>(), [5, 6]);
    // The hole: no atom there, the two Ti where they were told to be.
    let removed = &report.removed[0];
    let hole = Vec3::from(removed.position);
    let distance = |k: usize| placed.cell.minimum_image(placed.positions[k] - hole).norm();
    assert!((0..placed.positions.len()).all(|k| distance(k) > 0.18));
    assert_eq!(removed.bonded.len(), 2);
    for &(atom, d) in &removed.reduced {
        assert!((distance(atom) - d).abs() < 1e-9 && removed.bonded.contains(&atom));
        assert!((0.19..0.20).contains(&d));
    }
}

#[test]
fn places_and_rules_do_what_their_names_say() {
    // Depths below the faces of the whole slab: vacancies may take its outermost atoms away.
    let whole = build(&slab("anatase", "101", "")).positions;
    let low = whole.iter().map(|r| r.z).fold(f64::INFINITY, f64::min);
    let high = whole.iter().map(|r| r.z).fold(f64::NEG_INFINITY, f64::max);
    let depth = |z: f64| (z - low).min(high - z);
    let below = build(&slab(
        "anatase",
        "101",
        "vacancies = { count = 6, where = \"subsurface\", compensation = \"two-subsurface-ti\" }",
    ));
    for removed in &report(&below).removed {
        let d = depth(removed.position[2]);
        assert!((0.35..=0.70).contains(&d), "{d}");
        assert!((removed.depth.unwrap() - d).abs() < 1e-9);
        assert!(removed.reduced.iter().all(|(k, _)| depth(below.positions[*k].z) > 0.35));
    }
    let deep = build(&slab("anatase", "101", "vacancies = { count = 6, where = { depth = [\"0.5 nm\", \"7 Å\"] } }"));
    assert!(report(&deep).removed.iter().all(|r| (0.5..=0.7).contains(&depth(r.position[2]))));
    // Spread over all: n_v q_O/N_Ti each, and still neutral.
    let spread =
        build(&slab("rutile", "110", "vacancies = { fraction = 0.1, where = \"bulk\", compensation = \"all-ti\" }"));
    let n_ti = spread.report.oxide.as_ref().unwrap().formula_units;
    let count = report(&spread).count;
    assert_eq!(count, (0.2 * n_ti as f64).round() as usize);
    let expected = 2.196 - 1.098 * count as f64 / n_ti as f64;
    let charges = charges(&spread);
    assert_eq!(charges.iter().filter(|q| (**q - expected).abs() < 1e-9).count(), n_ti);
    assert!(report(&spread).net_charge.abs() < 1e-12);
    assert!(report(&spread).removed.iter().all(|r| r.reduced.is_empty()));
}

#[test]
fn every_second_bridging_o_of_rutile_reduces_each_titanium_once() {
    // Neighbours in a row of bridging O share a Ti: whatever the draw, no Ti is reduced twice.
    for seed in 0..4 {
        let deck = slab("rutile", "110", "vacancies = { fraction = 0.8 }");
        let placed = amelo_build::place(&common::config(&deck), &common::DATA, seed).unwrap();
        let report = report(&placed);
        assert_eq!(count(&charges(&placed), 1.647), 2 * report.count);
        assert_eq!(net_charge(&charges(&placed)), 0);
    }
}

#[test]
fn the_seed_decides_and_molecules_find_the_reduced_surface() {
    let deck = "lateral = [\"2 nm\", \"2 nm\"]\n[oxide.anatase]\nsurface = \"101\"\nthickness = \"1 nm\"\n\
                vacancies = { count = 4 }\n[[molecule]]\nname = \"PEO\"\nmonomers = 8\ncount = 6\n";
    let [a, b, c] = [7, 7, 8].map(|seed| amelo_build::place(&common::config(deck), &common::DATA, seed).unwrap());
    assert_eq!(report(&a), report(&b));
    assert_eq!(a.positions, b.positions);
    assert_ne!(report(&a).removed, report(&c).removed);
}

#[test]
fn a_periodic_crystal_has_vacancies_in_its_bulk_alone() {
    let crystal = |vacancies: &str| format!("[oxide.rutile]\nsupercell = [3, 3, 4]\nvacancies = {vacancies}\n");
    let placed = build(&crystal("{ fraction = 0.05, where = \"bulk\" }"));
    // 36 cells with 4 O each: 7 of 144.
    assert_eq!((report(&placed).candidates, report(&placed).count), (144, 7));
    assert_eq!(net_charge(&charges(&placed)), 0);
    let error = refuse(&crystal("{ fraction = 0.05 }"));
    assert_eq!(error.key().as_deref(), Some("system.oxide.rutile.vacancies.where"));
    assert!(error.to_string().contains("no surface"), "{error}");
    let error = refuse(&crystal("{ count = 1, where = \"bulk\", compensation = \"two-subsurface-ti\" }"));
    assert!(error.to_string().contains("finds no Ti"), "{error}");
}

#[test]
fn vacancies_that_cannot_be_are_refused_with_what_there_is() {
    let key = |end: &str| format!("system.oxide.anatase.vacancies{end}");
    let cases = [
        ("{ fraction = 1.2 }", ".fraction", "there are 40 bridging O"),
        ("{ fraction = -0.1 }", ".fraction", "from 0 to 1"),
        ("{ fraction = 0.001 }", ".fraction", "less than one atom"),
        ("{ count = 41 }", ".count", "from 0 to 40"),
        ("{ }", "", "one of `fraction` and `count`"),
        ("{ fraction = 0.1, count = 2 }", "", "one of `fraction` and `count`"),
        ("{ count = 1, where = { depth = [\"3 nm\", \"4 nm\"] } }", ".where", "has no O between 3 nm and 4 nm"),
        // Each vacancy needs two Ti of its own.
        ("{ fraction = 0.9, where = \"bulk\" }", ".compensation", "finds no Ti left"),
    ];
    for (vacancies, end, words) in cases {
        let error = refuse(&slab("anatase", "101", &format!("vacancies = {vacancies}")));
        assert_eq!(error.key(), Some(key(end)), "{vacancies}: {error}");
        assert!(error.to_string().contains(words), "{vacancies}: {error}");
    }
    let narrow = "lateral = [\"1 nm\", \"0.38 nm\"]\ngeometry.film = { vacuum = \"2 nm\" }\n[oxide.anatase]\nsurface = \"101\"\n\
                  thickness = \"1 nm\"\nvacancies = { count = 1 }\n";
    assert!(refuse(narrow).to_string().contains("nm across"));
}

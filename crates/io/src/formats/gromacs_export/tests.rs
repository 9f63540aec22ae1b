//! Exports are read again, column by column, as GROMACS' manual has them.

use amelo_core::{Class, Coulomb, Modifier};
use amelo_math::special;

use super::*;
use crate::formats::example::example;
use crate::formats::model::Model;

fn file(exported: &Exported, name: &str) -> String {
    exported.files.iter().find(|f| f.0 == name).unwrap().1.clone()
}

fn top(model: &Model) -> String {
    file(&export(model, Options::default()).unwrap(), "topol.top")
}

/// Fields of every line of every directive `name`, comments gone.
fn rows(top: &str, name: &str) -> Vec<Vec<String>> {
    let mut here = false;
    let mut rows = Vec::new();
    for line in top.lines().map(|l| l.split(';').next().unwrap_or("").trim()).filter(|l| !l.is_empty()) {
        match line.strip_prefix('[') {
            Some(head) => here = head.trim_end_matches(']').trim() == name,
            None if here => rows.push(line.split_whitespace().map(String::from).collect()),
            None => {}
        }
    }
    rows
}

fn floats(row: &[String]) -> Vec<f64> {
    row.iter().map(|x| x.parse().unwrap()).collect()
}

#[test]
fn every_pair_of_types_is_written_bit_for_bit() {
    let mut example = example();
    example.set_pair(1, 2, "lennard_jones", &[0.1 + 0.2, 1.0 / 3.0]);
    let top = top(&example.model());
    assert_eq!(rows(&top, "defaults"), [["1", "3", "no", "1.0", "0.5"]]);
    let number = |name: &str| ["HC", "OS", "CT", "Li"].iter().position(|n| *n == name).unwrap();
    let mut seen = 0;
    for row in rows(&top, "nonbond_params") {
        let entry = example.pair_table.get(number(&row[0]), number(&row[1]));
        let expected = if entry.form == "none" { vec![0.0, 0.0] } else { entry.parameters.clone() };
        assert_eq!((row[2].as_str(), floats(&row[3..])), ("1", expected));
        seen += 1;
    }
    for row in rows(&top, "atomtypes") {
        assert_eq!(floats(&row[4..]), example.pair_table.get(number(&row[0]), number(&row[0])).parameters);
        seen += 1;
    }
    assert_eq!(seen, 10);
}

#[test]
fn identical_molecules_share_a_type_and_others_do_not() {
    let mut example = example();
    let molecules = |e: &crate::formats::example::Example| rows(&top(&e.model()), "molecules");
    assert_eq!(molecules(&example), [["chain", "2"], ["Li", "1"]]);
    example.topology().charges[7] += 0.01;
    assert_eq!(molecules(&example), [["chain", "1"], ["chain_2", "1"], ["Li", "1"]]);
    let top = top(&example.model());
    let atoms = rows(&top, "atoms");
    assert_eq!(atoms.len(), 13);
    // Numbers and residues begin anew in each molecule type; name, charge, mass.
    assert_eq!(atoms[9].join(" "), "4 CT 2 TAI A4 4 0.075 12.011");
}

#[test]
fn exclusions_pairs_and_constraints_are_those_of_the_topology() {
    let example = example();
    let top = top(&example.model());
    assert!(rows(&top, "moleculetype").iter().all(|row| row[1] == "0"));
    let mut excluded = Vec::new();
    for row in rows(&top, "exclusions") {
        let atoms = floats(&row);
        excluded.extend(atoms[1..].iter().map(|j| [atoms[0] as u32 - 1, *j as u32 - 1]));
    }
    let ours: Vec<[u32; 2]> = example.system.topology.exclusions.pairs().filter(|p| p[1] < 6).collect();
    assert_eq!(excluded, ours);
    let entry = &example.pair_table.get(2, 2).parameters;
    assert_eq!(rows(&top, "pairs").len(), 3);
    assert_eq!(floats(&rows(&top, "pairs")[0]), [1.0, 4.0, 1.0, entry[0], 0.5 * entry[1]]);
    assert_eq!(rows(&top, "constraints"), [["5", "6", "1", "0.109"]]);
}

#[test]
fn rigid_water_is_settled() {
    let mut example = example();
    let topology = example.topology();
    topology.interactions.clear();
    topology.scaled_pairs = Default::default();
    topology.exclusions = amelo_core::Exclusions::new(13, [[0, 1], [0, 2], [1, 2]]);
    topology.bonds = vec![[0, 1], [0, 2]].into();
    let held = |i, j, length| amelo_core::Constraint { atoms: [i, j], length };
    topology.constraints = vec![held(1, 0, 0.1), held(0, 2, 0.1), held(2, 1, 0.1633), held(4, 5, 0.109)];
    topology.masses[1] = topology.masses[2];
    topology.molecules[0].count = 3;
    topology.molecules[1].first = 3;
    topology.molecules[1].count = 9;
    let text = top(&example.model());
    assert_eq!(rows(&text, "settles"), [["1", "1", "0.1", "0.1633"]]);
    assert_eq!(rows(&text, "constraints"), [["2", "3", "2", "0.109"]]);
    // Unequal masses: SETTLE is not for them.
    example.topology().masses[1] += 1.0;
    let text = top(&example.model());
    assert_eq!((rows(&text, "settles").len(), rows(&text, "constraints").len()), (0, 4));
}

#[test]
fn pairs_of_different_charge_factors_carry_their_own() {
    let mut example = example();
    example.topology().scaled_pairs.change(|pairs| {
        for (k, pair) in pairs.iter_mut().enumerate() {
            pair.coulomb = if k % 3 == 1 { 0.25 } else { 0.5 };
        }
    });
    let top = top(&example.model());
    let row = &rows(&top, "pairs")[1];
    // Function 2: fudgeQQ, both charges, sigma, epsilon.
    let lj = &example.pair_table.get(2, 2).parameters;
    assert_eq!(floats(row), [2.0, 5.0, 2.0, 0.25, 0.075, 0.075, lj[0], 0.5 * lj[1]]);
}

#[test]
fn bonded_forms_have_the_function_types_of_the_manual() {
    let mut example = example();
    let (right, flat) = (std::f64::consts::FRAC_PI_2, std::f64::consts::PI);
    example.interact(Class::Bond, "harmonic", &[0, 2], &[0.25, 1000.0]);
    example.interact(Class::Angle, "urey_bradley", &[1, 2, 3], &[right, 500.0, 0.25, 9000.0]);
    example.interact(Class::Dihedral, "opls", &[0, 1, 2, 3], &[1.0, 2.0, 3.0, 4.0]);
    example.interact(Class::Dihedral, "ryckaert_bellemans", &[1, 2, 3, 4], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    example.interact(Class::Dihedral, "periodic", &[2, 3, 4, 5], &[flat, 2.5, 3.0]);
    example.interact(Class::Improper, "harmonic", &[0, 1, 2, 3], &[flat / 4.0, 300.0]);
    example.interact(Class::Improper, "periodic", &[1, 2, 3, 4], &[flat, 43.9, 2.0]);
    let top = top(&example.model());
    let bonds = rows(&top, "bonds");
    assert_eq!(bonds[0].join(" "), "1 2 1 0.15 251040.0");
    assert_eq!(bonds[5].join(" "), "1 3 6 0.25 1000.0");
    assert_eq!(bonds.len(), 6);
    let angles = rows(&top, "angles");
    assert_eq!(angles[0].join(" "), "1 2 3 1 90.0 502.08");
    assert_eq!(floats(&angles[1]), [2.0, 3.0, 4.0, 5.0, 90.0, 500.0, 0.25, 9000.0]);
    let dihedrals: Vec<String> = rows(&top, "dihedrals").iter().map(|r| r.join(" ")).collect();
    assert_eq!(
        dihedrals,
        [
            "1 2 3 4 5 1.0 2.0 3.0 4.0",
            "2 3 4 5 3 1.0 2.0 3.0 4.0 5.0 6.0",
            "3 4 5 6 9 180.0 2.5 3",
            "1 2 3 4 2 45.0 300.0",
            "2 3 4 5 4 180.0 43.9 2",
        ]
    );
    example.interact(Class::Bond, "morse", &[0, 1], &[1.0]);
    let error = export(&example.model(), Options::default()).unwrap_err().to_string();
    assert!(error.contains("bond form morse of atoms 1, 2"), "{error}");
}

#[test]
fn a_bond_without_energy_stays_a_bond() {
    let mut example = example();
    example.topology().interactions.remove(0);
    let bonds = rows(&top(&example.model()), "bonds");
    assert_eq!(bonds.last().unwrap().join(" "), "1 2 5");
}

#[test]
fn buckingham_is_refused_and_left_out_on_request() {
    let mut example = example();
    example.set_pair(3, 3, "buckingham", &[1e6, 0.02, 1e-3]);
    let error = export(&example.model(), Options::default()).unwrap_err();
    assert!(error.to_string().contains("types Li and Li") && error.remedy.contains("--without-buckingham"), "{error}");
    let exported = export(&example.model(), Options { without_buckingham: true }).unwrap();
    let last = rows(&file(&exported, "topol.top"), "atomtypes").pop().unwrap();
    assert_eq!(last[4..], ["0.0", "0.0"]);
    assert!(exported.notes.iter().any(|n| n.contains("Buckingham")), "{:?}", exported.notes);
}

fn setting(mdp: &str, key: &str) -> Option<String> {
    let line = mdp.lines().find(|l| l.split('=').next().map(str::trim) == Some(key))?;
    Some(line.split('=').nth(1)?.trim().into())
}

#[test]
fn settings_say_what_the_model_says() {
    let mut example = example();
    let mdp =
        |e: &crate::formats::example::Example| file(&export(&e.model(), Options::default()).unwrap(), "grompp.mdp");
    let text = mdp(&example);
    let get = |key: &str| setting(&text, key).unwrap_or_else(|| panic!("{key}"));
    assert_eq!(
        (get("rvdw"), get("rcoulomb"), get("vdw-modifier"), get("dt")),
        ("0.9".into(), "0.9".into(), "None".into(), "0.002".into())
    );
    assert_eq!(["fourier-nx", "fourier-ny", "fourier-nz", "pme-order"].map(get), ["20", "24", "25", "5"]);
    let rtol: f64 = get("ewald-rtol").parse().unwrap();
    assert!((special::ewald_beta(0.9, rtol) / 3.123_456_789_012_345 - 1.0).abs() < 1e-12);
    // The list has a buffer, but stays below half the cell.
    let rlist: f64 = get("rlist").parse().unwrap();
    assert!(rlist > 0.95 && rlist < 1.0, "{rlist}");
    assert_eq!(get("continuation"), "no"); // the chains do not satisfy their constraints

    example.nonbonded.modifier = Modifier::ForceSwitch { r_switch: 0.75 };
    example.nonbonded.dispersion_correction = true;
    example.nonbonded.coulomb = Coulomb::Ewald { beta: 3.0, tolerance: 1e-12 };
    example.nonbonded.slab = Some(2);
    example.topology().frozen[12] = true;
    let text = mdp(&example);
    let get = |key: &str| setting(&text, key).unwrap_or_else(|| panic!("{key}"));
    assert_eq!((get("vdw-modifier"), get("rvdw-switch")), ("Force-switch".into(), "0.75".into()));
    assert_eq!(
        (get("DispCorr"), get("ewald-geometry"), get("pme-order")),
        ("EnerPres".into(), "3dc".into(), "12".into())
    );
    assert_eq!((get("freezegrps"), get("comm-mode")), ("amelo_frozen".into(), "None".into()));
    let index = file(&export(&example.model(), Options::default()).unwrap(), "index.ndx");
    assert!(index.contains("[ amelo_frozen ]\n13\n") && index.contains("[ the_ion__Li ]\n13\n"), "{index}");

    example.nonbonded.slab = Some(0);
    assert!(export(&example.model(), Options::default()).unwrap_err().to_string().contains("along x"));
    example.nonbonded.slab = None;
    example.nonbonded.modifier = Modifier::ForceShift;
    assert!(export(&example.model(), Options::default()).unwrap_err().to_string().contains("force-shift"));
    example.nonbonded.modifier = Modifier::None;
    example.nonbonded.coulomb = Coulomb::None;
    assert!(export(&example.model(), Options::default()).unwrap_err().to_string().contains("scaled pairs"));
}

#[test]
fn coordinates_carry_twelve_decimals() {
    let example = example();
    let conf = file(&export(&example.model(), Options::default()).unwrap(), "conf.gro");
    let lines: Vec<&str> = conf.lines().collect();
    assert_eq!((lines[1], lines.len()), ("13", 16));
    for (line, r) in lines[2..15].iter().zip(&example.system.positions) {
        let x: Vec<f64> = (0..3).map(|k| line[20 + 17 * k..37 + 17 * k].trim().parse().unwrap()).collect();
        assert!((0..3).all(|k| (x[k] - r[k]).abs() <= 5.1e-13), "{line}");
    }
}

/// Pairs as LAMMPS has them: cut off and shifted. GROMACS' `[ pairs ]` are neither.
#[test]
fn scaled_pairs_that_are_cut_off_are_counted_or_refused() {
    let mut example = example();
    let notes = |example: &crate::formats::example::Example| {
        let all = export(&example.model(), Options::default()).unwrap().notes;
        all.into_iter().filter(|n| n.contains("scaled pairs")).collect::<Vec<_>>()
    };
    example.topology().scaled_pairs.change(|pairs| (pairs[0].cut, pairs[3].cut) = (true, true));
    assert_eq!(notes(&example), [""; 0]); // truncated alone: the same there
    example.nonbonded.modifier = Modifier::PotentialShift;
    assert!(
        notes(&example)[0].starts_with("2 scaled pairs follow the cut-off's modifier here"),
        "{:?}",
        notes(&example)
    );
    // The first is 0.37 nm long.
    example.nonbonded.r_cut = 0.36;
    let refusal = export(&example.model(), Options::default()).unwrap_err().to_string();
    assert!(refusal.contains("scaled pair of atoms 1 and 4, which are 0.37"), "{refusal}");
    example.topology().scaled_pairs.change(|pairs| pairs.iter_mut().for_each(|p| p.cut = false));
    assert_eq!(notes(&example), [""; 0]);
}

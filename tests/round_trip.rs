//! Exported and imported again: amelo → GROMACS → amelo and amelo → LAMMPS → amelo give the same energies by term, forces,
//! virial and pressure, through the command line.
//!
//! This holds one of our parts against another; that each of them agrees with the programs themselves is shown by
//! `tests/gromacs_import.rs`, `tests/lammps.rs` and `scripts/export-check`. What the formats cost: `docs/export.md`.
//! No constant differs here: LAMMPS' own Coulomb constant is in no file, and the import keeps ours.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use amelo_core::Cell;
use amelo_io::Snapshot;
use amelo_math::{Mat3, Vec3};
use common::{call, ok, store};
use serde_json::Value;

/// Largest relative difference of an energy term, of forces (rms), virial and pressure (largest component).
const SAME: f64 = 1e-9;

struct Point {
    energy: BTreeMap<String, f64>,
    forces: Vec<[f64; 3]>,
    virial: Vec<f64>,
    pressure: Vec<f64>,
}

fn point(directory: &Path, system: &str, sets: &[&str]) -> Point {
    let mut arguments = vec!["energy", system, "--json", "--forces"];
    sets.iter().for_each(|set| arguments.extend(["--set", set]));
    let text = ok(directory, &arguments);
    let value: Value = serde_json::from_str(&text).expect("JSON");
    let tensor = |name: &str| -> Vec<f64> {
        let rows: Vec<[f64; 3]> = serde_json::from_value(value[name].clone()).expect("a tensor");
        rows.concat()
    };
    Point {
        energy: serde_json::from_value(value["energy"].clone()).expect("energies"),
        forces: serde_json::from_value(value["forces"].clone()).expect("forces"),
        virial: tensor("virial"),
        pressure: tensor("pressure"),
    }
}

/// Energies with Coulomb as one total: how it is split is a choice of the program.
fn terms(point: &Point) -> BTreeMap<String, f64> {
    let mut terms = point.energy.clone();
    let parts = ["coulomb_real", "coulomb_14", "coulomb_reciprocal", "slab_correction"];
    let total = parts.iter().filter_map(|name| terms.remove(*name)).sum();
    terms.insert("coulomb".into(), total);
    terms
}

/// Asserts that `back` is `there`, whose scaled pairs the other program has `shift` kJ/mol higher.
fn compare(what: &str, there: &Point, back: &Point, shift: f64) {
    let (mut expected, found) = (terms(there), terms(back));
    *expected.get_mut("vdw_14").expect("a term") += shift;
    *expected.get_mut("potential").expect("the sum") += shift;
    let mut worst = ("", 0.0);
    assert!(expected.keys().eq(found.keys()), "{what}: {:?}", found.keys());
    for (term, e) in &expected {
        let found = found[term];
        let difference = if found == *e { 0.0 } else { (found - e).abs() / e.abs().max(found.abs()) };
        assert!(difference <= SAME, "{what}: {term} was {e:?}, is {found:?}: {difference:.1e}");
        if difference > worst.1 {
            worst = (term, difference);
        }
    }
    let largest = |a: &[f64], b: &[f64]| {
        let size = a.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
        a.iter().zip(b).fold(0.0_f64, |m, (x, y)| m.max((x - y).abs())) / size
    };
    let (a, b) = (there.forces.concat(), back.forces.concat());
    assert_eq!(a.len(), b.len());
    let square = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>();
    let force = (square(&mut a.iter().zip(&b).map(|(x, y)| x - y)) / square(&mut a.iter().copied())).sqrt();
    let (virial, pressure) = (largest(&there.virial, &back.virial), largest(&there.pressure, &back.pressure));
    println!(
        "{what}: {} atoms; energies {:.1e} ({}), forces {force:.1e}, virial {virial:.1e}, pressure {pressure:.1e}",
        there.forces.len(),
        worst.1,
        worst.0
    );
    for (name, d) in [("forces", force), ("virial", virial), ("pressure", pressure)] {
        assert!(d <= SAME, "{what}: {name} differ by {d:.1e}");
    }
}

/// Exports `system` and gives what the notes say by how much the energy of scaled pairs is higher there.
fn export(directory: &Path, program: &str, system: &str, to: &str) -> f64 {
    let report: Value =
        serde_json::from_str(&ok(directory, &["export", program, system, "-o", to, "--json"])).expect("JSON");
    let number = |note: &Value| note.as_str()?.split("higher by ").nth(1)?.split(' ').next()?.parse::<f64>().ok();
    report["notes"].as_array().expect("notes").iter().find_map(number).unwrap_or(0.0)
}

/// Removes what an earlier system left.
fn clear(directory: &Path, program: &str) {
    let _ = std::fs::remove_dir_all(directory.join(program));
    let _ = std::fs::remove_file(directory.join(format!("from_{program}.h5")));
}

/// The system as its deck's stages hold it, which is what an export writes: pressure has the forces of constraints.
fn source(directory: &Path, system: &str) -> Point {
    let snapshot = Snapshot::read(&directory.join(system)).expect("a system");
    let held = snapshot.meta.get("deck").is_some_and(|deck| deck.contains("constraints = \"h-bonds\""));
    point(directory, system, if held { &["dynamics.constraints=\"h-bonds\""] } else { &[] })
}

/// To GROMACS and back. Cut-offs are not in a topology: `settings` of `[nonbonded]` are those of the source.
fn gromacs(directory: &Path, system: &str, settings: &[&str]) {
    clear(directory, "gmx");
    let shift = export(directory, "gromacs", system, "gmx");
    let mut arguments = vec!["import", "gromacs", "gmx/topol.top", "gmx/conf.gro", "-o", "from_gmx.h5", "-q"];
    settings.iter().for_each(|set| arguments.extend(["--set", set]));
    ok(directory, &arguments);
    compare(&format!("{system} by GROMACS"), &source(directory, system), &point(directory, "from_gmx.h5", &[]), shift);
}

/// To LAMMPS and back; everything is in the files.
fn lammps(directory: &Path, system: &str) {
    clear(directory, "lmp");
    let shift = export(directory, "lammps", system, "lmp");
    ok(directory, &["import", "lammps", "lmp/in.lmp", "-o", "from_lmp.h5", "-q"]);
    compare(&format!("{system} by LAMMPS"), &source(directory, system), &point(directory, "from_lmp.h5", &[]), shift);
}

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn build(directory: &Path, deck: &str, sets: &[&str], to: &str) {
    let deck = root("inputs").join(deck).display().to_string();
    let mut arguments = vec!["build", &deck, "-o", to, "-q"];
    sets.iter().for_each(|set| arguments.extend(["--set", set]));
    ok(directory, &arguments);
}

/// Changes a stored system and writes it again under another name.
fn change(directory: &Path, from: &str, to: &str, change: impl FnOnce(&mut Snapshot)) {
    let mut snapshot = Snapshot::read(&directory.join(from)).expect("a system");
    change(&mut snapshot);
    store(&snapshot, &directory.join(to));
}

/// A number in −½ … ½ without a pattern that a lattice has.
fn noise(k: usize) -> f64 {
    (12.9898 * k as f64 + 0.5).sin() * 437.585 % 1.0 / 2.0
}

/// Moves every atom by up to half of `width` (nm) along each axis.
fn disturb(snapshot: &mut Snapshot, width: f64) {
    for (k, r) in snapshot.system.positions.iter_mut().enumerate() {
        *r += Vec3::new(noise(3 * k), noise(3 * k + 1), noise(3 * k + 2)) * width;
    }
    snapshot.system.wrap();
}

const EWALD: &str = "nonbonded.coulomb={ ewald = { tolerance = 1e-12 } }";

/// Half the chains of `inputs/peo-litfsi.toml`, in motion.
fn peo_litfsi(directory: &Path, modifier: &str) -> [String; 3] {
    let settings = ["nonbonded.r_cut=\"0.7 nm\"".to_string(), modifier.to_string(), EWALD.to_string()];
    let mut sets: Vec<&str> = settings.iter().map(String::as_str).collect();
    sets.push("system.molecule[0].count=3");
    build(directory, "peo-litfsi.toml", &sets, "built.h5");
    change(directory, "built.h5", "peo.h5", |s| {
        for (k, v) in s.system.velocities.iter_mut().enumerate() {
            *v = Vec3::new(noise(3 * k), noise(3 * k + 1), noise(3 * k + 2));
        }
    });
    settings
}

#[test]
fn peo_litfsi_with_potential_shift_and_in_an_oblique_cell() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    let settings = peo_litfsi(path, "nonbonded.vdw={ modifier = \"potential-shift\" }");
    let settings = settings.each_ref().map(String::as_str);
    gromacs(path, "peo.h5", &settings);
    lammps(path, "peo.h5");
    change(path, "peo.h5", "oblique.h5", |s| {
        let [a, b, c] = s.system.cell.vectors().rows;
        let oblique = Mat3::from_rows(a, b + a * 0.15, c - a * 0.1 + b * 0.12);
        let cell = Cell::new(oblique).expect("a cell");
        let old = s.system.cell;
        s.system.positions.iter_mut().for_each(|r| *r = cell.to_cartesian(old.to_fractional(*r)));
        s.system.cell = cell;
    });
    lammps(path, "oblique.h5");
    gromacs(path, "oblique.h5", &settings);
}

/// GROMACS never modifies scaled pairs, as amelo's own systems do not: the switch is exact there.
#[test]
fn peo_litfsi_with_force_switch() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    let settings = peo_litfsi(path, "nonbonded.vdw={ modifier = \"force-switch\", r_switch = \"0.6 nm\" }");
    gromacs(path, "peo.h5", &settings.each_ref().map(String::as_str));
    lammps(path, "peo.h5");
}

/// Bonds to hydrogen are held, the mesh is a production one.
#[test]
fn a_melt_with_constraints_and_pme() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    // The same mesh on both ways: one chosen for a force error would be chosen anew.
    let settings = [
        "nonbonded.r_cut=\"0.8 nm\"",
        "nonbonded.vdw={ modifier = \"potential-shift\" }",
        "nonbonded.coulomb.pme={ tolerance = 1e-5, spacing = \"0.12 nm\", order = 4 }",
    ];
    let small = ["system.molecule[0].count=3", "system.molecule[0].monomers=20"];
    build(path, "peo-melt.toml", &[&settings[..], &small].concat(), "built.h5");
    // Chains are built with bonds at rest.
    change(path, "built.h5", "melt.h5", |s| disturb(s, 0.005));
    gromacs(path, "melt.h5", &settings);
    lammps(path, "melt.h5");
    for file in ["from_gmx.h5", "from_lmp.h5"] {
        let held = &Snapshot::read(&path.join(file)).expect("a system").system.topology.constraints;
        // One for each hydrogen.
        assert_eq!(held.len(), hydrogens(path, "melt.h5"), "{file}");
    }
}

fn hydrogens(directory: &Path, system: &str) -> usize {
    let topology = Snapshot::read(&directory.join(system)).expect("a system").system.topology;
    topology.type_of.iter().filter(|&&t| topology.types[t as usize].element == "H").count()
}

/// Buckingham: LAMMPS alone. Atoms are moved off their lattice, where forces would vanish.
#[test]
fn anatase_by_lammps() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    build(
        path,
        "anatase.toml",
        &["system.oxide.anatase.supercell=[4, 4, 2]", "nonbonded.r_cut=\"0.7 nm\"", EWALD],
        "built.h5",
    );
    change(path, "built.h5", "anatase.h5", |s| disturb(s, 0.02));
    lammps(path, "anatase.h5");
    let (code, stderr) = call(path, &["export", "gromacs", "anatase.h5", "-o", "gmx"]);
    assert!(code == 2 && stderr.contains("Buckingham"), "{stderr}");
}

/// Lennard-Jones, Buckingham and the slab correction together. The sum is Ewald's: a mesh would see that the film was
/// moved along its normal, into the middle of LAMMPS' box.
#[test]
fn a_film_on_anatase_by_lammps() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    build(path, "film.toml", &["system.molecule[0].count=3", "nonbonded.r_cut=\"0.8 nm\"", EWALD], "film.h5");
    lammps(path, "film.h5");
}

/// GROMACS → amelo, then back by each program: its own test systems of `tests/data/gromacs`.
#[test]
fn systems_of_gromacs() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    // Cut-off of each as its stored numbers have it; whether LAMMPS can represent it, or why not.
    let systems = [
        ("water", Some("1-3 pair")), // its rods of three atoms do not exclude the outer two
        ("peptide-oplsaa", None),
        ("peptide-charmm27", Some("parameters of its own")),
        ("functions", Some("bond form harmonic of atoms 1, 10, which are not bonded")),
        ("rule1", Some("parameters of its own")),
        ("angles1", None),
    ];
    for (name, refusal) in systems {
        let text = std::fs::read_to_string(root(&format!("tests/data/gromacs/{name}.json"))).expect("stored numbers");
        let stored: Value = serde_json::from_str(&text).expect("JSON");
        let r_cut = format!("nonbonded.r_cut=\"{} nm\"", stored["r_cut"]);
        let settings = [r_cut.as_str(), "nonbonded.vdw={ modifier = \"potential-shift\" }", EWALD];
        let file = |ending: &str| root(&format!("tests/data/gromacs/{name}.{ending}")).display().to_string();
        let (top, gro, to) = (file("top"), file("gro"), format!("{name}.h5"));
        let mut arguments = vec!["import", "gromacs", &top, &gro, "-o", &to, "-q"];
        settings.iter().for_each(|set| arguments.extend(["--set", set]));
        let defined: Vec<&str> = stored["define"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        defined.iter().for_each(|define| arguments.extend(["-D", define]));
        ok(path, &arguments);
        gromacs(path, &to, &settings);
        match refusal {
            None => lammps(path, &to),
            Some(words) => {
                let (code, stderr) = call(path, &["export", "lammps", &to, "-o", "lmp"]);
                assert!(code == 2 && stderr.contains(words), "{name}: {code} {stderr}");
            }
        }
    }
}

/// LAMMPS → amelo → LAMMPS → amelo: its own systems of `tests/data/lammps`, whose scaled pairs are cut off.
#[test]
fn systems_of_lammps() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    // CHARMM's 1-4 parameters, weights of some dihedrals only, distances beyond the cut-off.
    let refused = [
        ("charmm", "parameters of its own"),
        ("charmm_special", "with the factor 0.5 where another has 1"),
        ("charmm_urey_bradley", "parameters of its own"),
        ("short_cutoff", "it cuts such pairs off at 0.29 nm"),
    ];
    let mut names: Vec<String> = std::fs::read_dir(root("tests/data/lammps"))
        .expect("systems")
        .map(|entry| entry.expect("a folder").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    for name in &names {
        let script = root(&format!("tests/data/lammps/{name}/in.lmp")).display().to_string();
        let to = format!("{name}.h5");
        ok(path, &["import", "lammps", &script, "-o", &to, "-q"]);
        match refused.iter().find(|(refused, _)| refused == name) {
            None => lammps(path, &to),
            Some((_, words)) => {
                let (code, stderr) = call(path, &["export", "lammps", &to, "-o", "lmp"]);
                assert!(code == 2 && stderr.contains(words), "{name}: {code} {stderr}");
            }
        }
    }
}

/// LAMMPS → amelo → GROMACS → amelo: scaled pairs, which LAMMPS shifts, come back without their constant, which the
/// export's note says.
#[test]
fn scaled_pairs_of_lammps_by_gromacs() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    let script = root("tests/data/lammps/opls_ewald/in.lmp").display().to_string();
    ok(path, &["import", "lammps", &script, "-o", "opls_ewald.h5", "-q"]);
    gromacs(
        path,
        "opls_ewald.h5",
        &["nonbonded.r_cut=\"0.7 nm\"", "nonbonded.vdw={ modifier = \"potential-shift\" }", EWALD],
    );
}

/// Rigid water alone: `water.top` without its rods, by both programs.
#[test]
fn rigid_water() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    let read = |name: &str| std::fs::read_to_string(root("tests/data/gromacs").join(name)).expect("a file");
    let (top, gro) = (read("water.top"), read("water.gro"));
    let alone = top.replace("SOL 60\nrod 5\nSOL 4\n", "SOL 60\n");
    assert_ne!(alone, top);
    common::write(path, "spce.top", &alone);
    let lines: Vec<&str> = gro.lines().collect();
    let atoms = lines[2..182].join("\n");
    common::write(path, "spce.gro", &format!("water\n180\n{atoms}\n{}\n", lines[lines.len() - 1]));
    let settings = ["nonbonded.r_cut=\"0.75 nm\"", "nonbonded.vdw={ modifier = \"potential-shift\" }", EWALD];
    let mut arguments = vec!["import", "gromacs", "spce.top", "spce.gro", "-o", "spce.h5", "-q"];
    settings.iter().for_each(|set| arguments.extend(["--set", set]));
    ok(path, &arguments);
    gromacs(path, "spce.h5", &settings);
    lammps(path, "spce.h5");
    for file in ["from_gmx.h5", "from_lmp.h5"] {
        assert_eq!(
            Snapshot::read(&path.join(file)).expect("a system").system.topology.constraints.len(),
            180,
            "{file}"
        );
    }
}

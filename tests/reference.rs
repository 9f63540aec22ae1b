//! Energies, forces and virials against other programs on the same small systems.
//!
//! `tests/data/peers/NAME.system.json` holds positions, types and charges; `NAME.PEER.json` what a peer made of
//! them, with program, version and settings in its header, written by `scripts/peers/run` (`--check` runs the peers
//! again). The force field comes from `potentials/` here and from a separate transcription there.
//!
//! Coulomb energies are compared as one total, since its parts depend on the splitting. LAMMPS' real-space erfc is a
//! polynomial with an absolute error of 1.5e-7, whatever its k-space accuracy; its bounds say so.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use amelo_build::assign;
use amelo_core::units::COULOMB;
use amelo_core::{Cell, Coulomb, ForceProvider, ForceTerm, Forces, Modifier, Nonbonded, Request, System, TermSum};
use amelo_forces::registry;
use amelo_io::parameters::{MoleculeTemplate, PairScale, Place, Scaling, SearchPath, TemplateAtom, load};
use amelo_math::{Mat3, Vec3, special};
use serde::Deserialize;

#[derive(Deserialize)]
struct Stored {
    name: String,
    cell: [[f64; 3]; 3],
    positions: Vec<[f64; 3]>,
    types: Vec<String>,
    charges: Vec<f64>,
    bonds: Vec<[u32; 2]>,
    molecules: Vec<(String, usize)>,
    r_cut: f64,
}

#[derive(Deserialize)]
struct Reference {
    program: String,
    modifier: String,
    /// nm, with a force switch.
    r_switch: Option<f64>,
    energy: BTreeMap<String, f64>,
    forces: Vec<[f64; 3]>,
    /// OpenMM gives the diagonal alone.
    virial: [[Option<f64>; 3]; 3],
}

/// Bounds of |ΔE|/Σ|terms| for Coulomb and for the rest, rms ΔF / rms F, max |ΔW| / max |W|.
struct Bounds {
    coulomb: f64,
    other: f64,
    force: f64,
    virial: f64,
    /// The peer's Coulomb constant (kJ mol⁻¹ nm e⁻²), where it is not CODATA 2018's.
    coulomb_constant: f64,
}

const CONVERGED: Bounds =
    Bounds { coulomb: 2e-9, other: 2e-9, force: 2e-8, virial: 2e-8, coulomb_constant: 138.935_457_644 };
const LAMMPS: Bounds =
    Bounds { coulomb: 2e-6, other: 1e-10, force: 2e-6, virial: 1e-5, coulomb_constant: 138.935_457_644 };

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/peers")
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> T {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The molecules of the stored system as templates: connectivity from the file, all else from the parameter files.
fn templates(stored: &Stored) -> Vec<Arc<MoleculeTemplate>> {
    let mut first = 0;
    let mut templates = Vec::new();
    for (name, count) in &stored.molecules {
        let atoms = first..first + count;
        let atom = |k: usize| TemplateAtom {
            name: format!("{}{}", stored.types[k], k - first + 1),
            type_name: stored.types[k].clone(),
            charge: stored.charges[k],
            place: Place::Xyz(Vec3::ZERO),
        };
        let inside = |b: &&[u32; 2]| atoms.contains(&(b[0] as usize));
        let scaling = Scaling { one_four: PairScale { vdw: 0.5, coulomb: 0.5 }, ..Scaling::default() };
        templates.push(Arc::new(MoleculeTemplate {
            name: name.clone(),
            atoms: atoms.clone().map(atom).collect(),
            bonds: stored.bonds.iter().filter(inside).map(|b| b.map(|k| k as usize - first)).collect(),
            impropers: Vec::new(),
            residues: vec![("MOL".into(), *count)],
            groups: BTreeMap::new(),
            scaling,
            source: "tests/data/peers".into(),
        }));
        first += count;
    }
    templates
}

fn evaluate(stored: &Stored, modifier: Modifier) -> Forces {
    let potentials = Path::new(env!("CARGO_MANIFEST_DIR")).join("potentials");
    let search = SearchPath { folders: vec![potentials], builtin: Vec::new() };
    let files = ["peo-opls-aa", "tfsi-clp", "li-clp", "tio2-matsui-akaogi"].map(String::from);
    let data = load(&files, &search, &registry::all()).unwrap();
    let assignment = assign(&templates(stored), &data, &BTreeMap::new()).unwrap();
    let (topology, table) = (assignment.topology, assignment.pair_table);
    let cell = Cell::new(Mat3::from_array(stored.cell)).unwrap();
    let beta = special::ewald_beta(stored.r_cut, 1e-13);
    let settings = Nonbonded {
        r_cut: stored.r_cut,
        modifier,
        dispersion_correction: false,
        coulomb: Coulomb::Ewald { beta, tolerance: 1e-13 },
        slab: None,
    };
    let mut terms: Vec<Box<dyn ForceTerm>> = amelo_forces::bonded_terms(&topology).unwrap();
    terms.push(Box::new(amelo_forces::NonbondedTerm::new(&topology, &table, &settings).unwrap()));
    terms.push(Box::new(amelo_forces::ScaledPairs::new(&topology, &table, &settings).unwrap()));
    terms.extend(amelo_electrostatics::long_range_term(&topology, &settings, &cell).unwrap());
    let system = System::new(Arc::new(topology), cell, stored.positions.iter().copied().map(Vec3::from).collect());
    let mut forces = Forces::new(system.n_atoms());
    TermSum { terms }.evaluate(&system, Request::ALL, &mut forces).unwrap();
    forces
}

/// Compares and prints one row; returns the complaints.
fn compare(stored: &Stored, reference: &Reference, bounds: &Bounds) -> Vec<String> {
    let modifier = match reference.modifier.as_str() {
        "none" => Modifier::None,
        "potential-shift" => Modifier::PotentialShift,
        "force-switch" => Modifier::ForceSwitch { r_switch: reference.r_switch.expect("a switch distance") },
        other => panic!("modifier {other}"),
    };
    let ours = evaluate(stored, modifier);
    let e = |name: &str| ours.energy.get(name);
    let constant = bounds.coulomb_constant / COULOMB;
    let coulomb = (e("coulomb_real") + e("coulomb_14") + e("coulomb_reciprocal")) * constant;
    let scale: f64 = reference.energy.values().map(|v| v.abs()).sum();
    let (mut d_coulomb, mut d_other) = (0.0_f64, 0.0_f64);
    for (term, value) in &reference.energy {
        match term.as_str() {
            "coulomb" => d_coulomb = (coulomb - value).abs() / scale,
            "vdw_total" => d_other = d_other.max((e("vdw") + e("vdw_14") - value).abs() / scale),
            name => d_other = d_other.max((e(name) - value).abs() / scale),
        }
    }
    let (mut difference, mut sum) = (0.0, 0.0);
    for (f, r) in ours.on.iter().zip(&reference.forces) {
        difference += (*f - Vec3::from(*r)).norm2();
        sum += Vec3::from(*r).norm2();
    }
    let d_force = (difference / sum).sqrt();
    let (mut d_virial, mut largest) = (0.0_f64, 0.0_f64);
    for i in 0..3 {
        for j in 0..3 {
            if let Some(w) = reference.virial[i][j] {
                d_virial = d_virial.max((ours.virial[(i, j)] - w).abs());
                largest = largest.max(w.abs());
            }
        }
    }
    d_virial /= largest;
    println!(
        "{:24} {:30} coulomb {d_coulomb:.1e}  other {d_other:.1e}  force {d_force:.1e}  virial {d_virial:.1e}",
        stored.name, reference.program
    );
    let row = [
        ("Coulomb energy", d_coulomb, bounds.coulomb),
        ("other energies", d_other, bounds.other),
        ("forces", d_force, bounds.force),
        ("virial", d_virial, bounds.virial),
    ];
    row.into_iter()
        .filter(|(_, deviation, bound)| deviation.is_nan() || deviation > bound)
        .map(|(what, d, b)| format!("{} against {}: {what} {d:.2e}, bound {b:.0e}", stored.name, reference.program))
        .collect()
}

#[test]
fn peers_agree_term_by_term() {
    let mut systems: Vec<PathBuf> = std::fs::read_dir(data())
        .unwrap()
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.to_string_lossy().ends_with(".system.json"))
        .collect();
    systems.sort();
    assert!(!systems.is_empty());
    let (mut complaints, mut rows) = (Vec::new(), 0);
    for path in systems {
        let stored: Stored = read(&path);
        for (peer, bounds) in [("gromacs", &CONVERGED), ("openmm", &CONVERGED), ("lammps", &LAMMPS)] {
            let at = PathBuf::from(path.to_string_lossy().replace(".system.json", &format!(".{peer}.json")));
            if at.exists() {
                complaints.extend(compare(&stored, &read(&at), bounds));
                rows += 1;
            }
        }
    }
    assert!(rows >= 4, "{rows} comparisons");
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

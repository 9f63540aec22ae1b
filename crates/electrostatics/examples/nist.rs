//! The NIST Standard Reference Simulation configurations that have coordinates and values: Lennard-Jones 4,
//! Lennard-Jones triclinic 3, SPC/E 1. Reads the folder given as its argument (`scripts/nist FOLDER`).
//!
//! Reduced units are ours with σ = 1 nm, ε = 1 kJ/mol. NIST's tail counts the repulsion r⁻¹² too, ours the dispersion
//! alone, so that part is added here. SPC/E uses CODATA 2010: charges are scaled so that energies in kelvin come out
//! with those constants.

use std::error::Error;
use std::f64::consts::PI;
use std::path::Path;
use std::sync::Arc;

use amelo_core::units::{BOLTZMANN, COULOMB};
use amelo_core::{
    AtomType, Cell, Coulomb, Exclusions, ForceTerm, Forces, Modifier, Nonbonded, PairEntry, PairTable, Provenance,
    Request, System, Topology,
};
use amelo_electrostatics::Ewald;
use amelo_forces::{DispersionCorrection, NonbondedTerm};
use amelo_math::{Mat3, Vec3, special};
use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).ok_or("usage: nist FOLDER")?;
    let folder = Path::new(&folder);
    let values: Value = serde_json::from_str(&read(&folder.join("values.json"))?)?;
    let mut checks = Checks::default();
    lennard_jones(folder, &values, &mut checks)?;
    triclinic(folder, &values, &mut checks)?;
    spce(folder, &values, &mut checks)?;
    println!("{} numbers, {} differ", checks.done, checks.failed);
    if checks.failed > 0 || checks.done == 0 { Err("not the numbers of NIST".into()) } else { Ok(()) }
}

fn lennard_jones(folder: &Path, values: &Value, checks: &mut Checks) -> Result<()> {
    let system = reduced(&folder.join("lj_sample_config_periodic4.xyz"))?;
    let rows = values["LJ"].as_array().ok_or("values.json has no array LJ")?;
    for row in rows.iter().filter(|row| row["cfg"] == 4) {
        let (r_cut, shifted) = (number(&row["rc"])?, row["lfs"] == true);
        let settings = settings(r_cut, if shifted { Modifier::ForceShift } else { Modifier::None }, Coulomb::None);
        let out = nonbonded(&system, &argon(), &settings)?;
        let title = format!("LJ 4, r_c {r_cut}{}", if shifted { ", linear force shift" } else { "" });
        checks.number(&format!("{title}: U"), out.energy.get("vdw"), number(&row["U"])?, 5);
        checks.number(&format!("{title}: W"), out.virial.trace(), number(&row["W"])?, 5);
        if !shifted {
            checks.number(&format!("{title}: tail"), tail(&system, &argon(), &settings)?, number(&row["LRC"])?, 5);
        }
    }
    Ok(())
}

fn triclinic(folder: &Path, values: &Value, checks: &mut Checks) -> Result<()> {
    let row = &values["LJ_triclinic"];
    let system = reduced(&folder.join("lj_triclinic_sample_config_periodic3.xyz"))?;
    let settings = settings(number(&row["rc"])?, Modifier::None, Coulomb::None);
    let energy = nonbonded(&system, &argon(), &settings)?.energy.get("vdw");
    // Printed with all digits of a double; the sum has some 10⁴ terms.
    checks.number("LJ triclinic 3: U", energy, number(&row["U"])?, 13);
    checks.number("LJ triclinic 3: tail", tail(&system, &argon(), &settings)?, number(&row["LRC"])?, 13);
    Ok(())
}

fn spce(folder: &Path, values: &Value, checks: &mut Checks) -> Result<()> {
    let parameters = &values["SPCE_K"]["params"];
    let (cell, atoms) = configuration(&folder.join("spce_sample_config_periodic1.xyz"), 0.1)?;
    let (e, k_b, epsilon0) = (1.602_176_565e-19, 1.380_648_8e-23, 8.854_187_817e-12);
    let coulomb_2010 = e * e / (4.0 * PI * epsilon0 * k_b) * 1e9; // K nm e⁻²
    let scale = (coulomb_2010 * BOLTZMANN / COULOMB).sqrt();
    let q = number(&parameters["q"])? * scale;
    let n = atoms.len();
    let charges = (0..n).map(|i| if i % 3 == 0 { -2.0 * q } else { q }).collect();
    let type_of = (0..n).map(|i| u32::from(i % 3 != 0)).collect();
    let excluded = (0..n as u32).step_by(3).flat_map(|o| [[o, o + 1], [o, o + 2], [o + 1, o + 2]]);
    let system = system(cell, atoms, type_of, charges, Exclusions::new(n, excluded));
    let oxygen = [number(&parameters["sigma"])? * 0.1, number(&parameters["eps_K"])? * BOLTZMANN];
    let table = table(&system.topology, oxygen)?;

    let beta = 5.6 / cell.diagonal().x;
    // n² < 27: the tolerance between the shells 26 and 27 of the cubic lattice, k²/4β² = π² n²/5.6².
    let tolerance = special::exp(-PI * PI * 26.5 / (5.6 * 5.6));
    let r_cut = number(&parameters["rc"])? * 0.1;
    let settings = settings(r_cut, Modifier::None, Coulomb::Ewald { beta, tolerance });
    let out = nonbonded(&system, &table, &settings)?;
    let mut rest = Forces::new(n);
    let parts = Ewald::new(&system.topology, beta, tolerance)?.components(&system, Request::ALL, &mut rest)?;
    let tail = tail(&system, &table, &settings)?;
    let ours =
        [out.energy.get("vdw"), tail, out.energy.get("coulomb_real"), parts.waves, parts.self_energy, parts.exclusions]
            .map(|energy| energy / BOLTZMANN);
    let names = values["SPCE_K"]["terms"].as_array().ok_or("values.json has no SPCE_K.terms")?;
    let printed = values["SPCE_K"]["cfg1"].as_array().ok_or("values.json has no SPCE_K.cfg1")?;
    let mut rounded = 0.0;
    for ((name, printed), ours) in names.iter().zip(printed).zip(ours) {
        let name = format!("SPC/E 1: {}", name.as_str().unwrap_or("?"));
        checks.number(&name, ours, number(printed)?, 6);
        rounded += (ours / last_digit(ours, 6)).round() * last_digit(ours, 6);
    }
    // NIST's total is −488604, the sum of its rounded terms. Unrounded the terms add up to −488603.178…, which is what
    // NIST's own program FEASST tests itself against (usnistgov/feasst, SPC/E reference configuration 1, CODATA 2010);
    // ε is given to ten digits, and so is this comparison.
    let total = printed.get(6).ok_or("values.json has no total of SPC/E 1")?;
    checks.number("SPC/E 1: total of rounded terms", rounded, number(total)?, 6);
    checks.number("SPC/E 1: total, FEASST's digits", ours.iter().sum(), -488_603.178_395_171_5, 10);
    Ok(())
}

/// One unit of the last of `digits` significant digits of `x`.
fn last_digit(x: f64, digits: i32) -> f64 {
    10_f64.powi(x.abs().log10().floor() as i32 + 1 - digits)
}

/// What was compared and what differed.
#[derive(Default)]
struct Checks {
    done: usize,
    failed: usize,
}

impl Checks {
    /// Equal to `digits` significant digits, that is, within half a unit of the last.
    fn number(&mut self, name: &str, ours: f64, printed: f64, digits: i32) {
        let equal = (ours - printed).abs() <= 0.5 * last_digit(printed, digits) * (1.0 + 1e-6);
        self.done += 1;
        self.failed += usize::from(!equal);
        println!("{} {name:36} {ours:>22.12} NIST {printed}", if equal { "ok    " } else { "DIFFER" });
    }
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()).into())
}

fn number(value: &Value) -> Result<f64> {
    value.as_f64().ok_or_else(|| format!("expected a number in values.json, found {value}").into())
}

/// Cell and positions of an xyz file of NIST: number of atoms; `1 lx ly lz [xy xz yz]`; one line per atom, its label
/// first. Lengths are multiplied by `unit`.
fn configuration(path: &Path, unit: f64) -> Result<(Cell, Vec<Vec3>)> {
    let text = read(path)?;
    let numbers = |line: &str| -> Vec<f64> {
        line.split_whitespace().skip(1).map_while(|w| w.parse::<f64>().ok()).map(|x| x * unit).collect()
    };
    let bad = |what: &str| format!("{}: no {what}", path.display());
    let mut lines = text.lines();
    let n: usize = lines.next().and_then(|l| l.trim().parse().ok()).ok_or_else(|| bad("number of atoms"))?;
    let edges = lines.next().map(numbers).filter(|e| e.len() == 3 || e.len() == 6).ok_or_else(|| bad("cell"))?;
    let tilt = edges.get(3..).filter(|t| t.len() == 3).unwrap_or(&[0.0; 3]);
    let rows = [[edges[0], 0.0, 0.0], [tilt[0], edges[1], 0.0], [tilt[1], tilt[2], edges[2]]];
    let positions: Vec<Vec3> =
        lines.map(numbers).filter_map(|r| <[f64; 3]>::try_from(r.get(..3)?).ok().map(Vec3::from)).collect();
    if positions.len() != n {
        return Err(bad(&format!("{n} atoms, but {}", positions.len())).into());
    }
    Ok((Cell::new(Mat3::from_array(rows))?, positions))
}

fn system(cell: Cell, positions: Vec<Vec3>, type_of: Vec<u32>, charges: Vec<f64>, exclusions: Exclusions) -> System {
    let n = positions.len();
    let kind = |name: &str| AtomType { name: name.into(), element: name.into() };
    let n_types = type_of.iter().max().map_or(0, |t| *t as usize + 1);
    let topology = Topology {
        types: ["O", "H"][..n_types].iter().map(|name| kind(name)).collect(),
        type_of: type_of.into(),
        names: vec!["X"; n].into(),
        masses: vec![1.0; n].into(),
        nominal_charges: charges.clone().into(),
        charges: charges.into(),
        exclusions,
        frozen: vec![false; n],
        ..Topology::default()
    };
    System::new(Arc::new(topology), cell, positions)
}

/// Atoms of a Lennard-Jones fluid in reduced units.
fn reduced(path: &Path) -> Result<System> {
    let (cell, atoms) = configuration(path, 1.0)?;
    let n = atoms.len();
    Ok(system(cell, atoms, vec![0; n], vec![0.0; n], Exclusions::new(n, [])))
}

/// (σ, ε) between atoms of the first type, nothing between any others.
fn table(topology: &Topology, sigma_epsilon: [f64; 2]) -> Result<PairTable> {
    PairTable::from_fn(topology.types.len(), |i, j| {
        let acts = i == 0 && j == 0;
        Ok(PairEntry {
            form: if acts { "lennard_jones" } else { "none" }.into(),
            parameters: if acts { sigma_epsilon.to_vec() } else { Vec::new() },
            provenance: if acts { Provenance::Explicit } else { Provenance::None },
            source: "NIST".into(),
        })
    })
}

/// The one type of the reduced fluid, σ = 1, ε = 1.
fn argon() -> PairTable {
    let one = Topology { types: vec![AtomType { name: "O".into(), element: "O".into() }], ..Topology::default() };
    table(&one, [1.0, 1.0]).expect("no entry is refused")
}

fn settings(r_cut: f64, modifier: Modifier, coulomb: Coulomb) -> Nonbonded {
    Nonbonded { r_cut, modifier, dispersion_correction: true, coulomb, slab: None, precision: Default::default() }
}

fn nonbonded(system: &System, table: &PairTable, settings: &Nonbonded) -> Result<Forces> {
    let mut out = Forces::new(system.n_atoms());
    NonbondedTerm::new(&system.topology, table, settings)?.add(system, Request::ALL, &mut out)?;
    Ok(out)
}

/// Our dispersion tail and the repulsive one beside it, (8/9) π N ρ ε σ¹²/r_c⁹ for N atoms of the first type.
fn tail(system: &System, table: &PairTable, settings: &Nonbonded) -> Result<f64> {
    let volume = system.cell.volume();
    let [sigma, epsilon] = [table.get(0, 0).parameters[0], table.get(0, 0).parameters[1]];
    let n = system.topology.type_of.iter().filter(|t| **t == 0).count() as f64;
    let repulsion = 8.0 / 9.0 * PI * n * n / volume * epsilon * sigma.powi(12) / settings.r_cut.powi(9);
    Ok(DispersionCorrection::new(&system.topology, table, settings)?.energy(volume) + repulsion)
}

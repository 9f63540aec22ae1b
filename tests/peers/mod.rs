//! Systems that other programs evaluated too: reading them, evaluating them with amelo, and how far the two differ.
//!
//! `tests/data/peers/NAME.system.json` holds positions, types and charges; `NAME.PEER.json` what a peer made of
//! them, with program, version and settings in its header, written by `scripts/peers/run` (`--check` runs the peers
//! again). The force field comes from `potentials/` (water and the peptide: from files beside the systems) here and
//! from a separate transcription there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use amelo_build::assign;
use amelo_core::units::COULOMB;
use amelo_core::{Cell, Coulomb, ForceProvider, ForceTerm, Forces, Modifier, Nonbonded, Request, System, TermSum};
use amelo_electrostatics::SlabCorrection;
use amelo_forces::registry;
use amelo_io::parameters::{MoleculeTemplate, PairScale, Place, Scaling, SearchPath, TemplateAtom, load};
use amelo_math::{Mat3, Vec3, special};
use serde::Deserialize;

/// Parameter files of all systems; types that no system has do no harm.
const FILES: [&str; 9] = [
    "peo-opls-aa",
    "tfsi-clp",
    "fsi-clp",
    "li-clp",
    "na-clp",
    "tio2-matsui-akaogi",
    "tio2-organic",
    "spce-flexible",
    "ala-dipeptide-opls",
];

/// Coulomb constant (kJ mol⁻¹ nm e⁻²) of LAMMPS' `units real`: 332.06371 kcal/mol Å e⁻² (its `update.cpp`), CODATA
/// 2018's less 1.0e-8. GROMACS and OpenMM use CODATA 2018's, as amelo does.
pub const LAMMPS_COULOMB: f64 = 332.063_71 * 4.184 * 0.1;

/// A system as the peers saw it.
#[derive(Deserialize)]
pub struct Stored {
    pub name: String,
    /// Rows are the cell vectors (nm).
    cell: [[f64; 3]; 3],
    /// One configuration (nm) …
    #[serde(default)]
    positions: Vec<[f64; 3]>,
    /// … or several.
    #[serde(default)]
    frames: Vec<Vec<[f64; 3]>>,
    types: Vec<String>,
    charges: Vec<f64>,
    bonds: Vec<[u32; 2]>,
    #[serde(default)]
    impropers: Vec<[u32; 4]>,
    molecules: Vec<(String, usize)>,
    r_cut: f64,
    /// One film in vacuum, with the slab correction along z.
    #[serde(default)]
    slab: bool,
    /// One molecule alone: plain 1/r, nothing beyond the cut-off.
    #[serde(default)]
    pub gas: bool,
}

/// What a peer found.
#[derive(Deserialize)]
pub struct Reference {
    pub program: String,
    modifier: String,
    /// nm, with a force switch.
    r_switch: Option<f64>,
    #[serde(flatten)]
    single: Option<Values>,
    #[serde(default)]
    frames: Vec<Values>,
}

#[derive(Deserialize)]
struct Values {
    energy: BTreeMap<String, f64>,
    forces: Vec<[f64; 3]>,
    /// Without what a program does not give: OpenMM's Ewald no triclinic strain, GROMACS and LAMMPS no slab term.
    virial: [[Option<f64>; 3]; 3],
}

/// The largest deviations over the configurations of a system.
#[derive(Default)]
pub struct Deviations {
    /// |ΔE| / Σ|terms| by term; Coulomb is one total, since its parts depend on the splitting.
    pub energy: BTreeMap<String, f64>,
    /// rms ΔF / rms F.
    pub force: f64,
    /// max |ΔW| / max |W|, where the peer has one.
    pub virial: Option<f64>,
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/peers")
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> T {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Every stored system, by name.
pub fn systems() -> Vec<Stored> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(data())
        .expect("a folder of the repository")
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.to_string_lossy().ends_with(".system.json"))
        .collect();
    paths.sort();
    paths.iter().map(|p| read(p)).collect()
}

/// What `peer` made of `system`, if it can run it.
pub fn reference(system: &Stored, peer: &str) -> Option<Reference> {
    let path = data().join(format!("{}.{peer}.json", system.name));
    path.exists().then(|| read(&path))
}

impl Stored {
    pub fn n_atoms(&self) -> usize {
        self.types.len()
    }

    /// Whether there are Buckingham pairs.
    pub fn has_oxide(&self) -> bool {
        self.types.iter().any(|t| t == "O_ox")
    }

    pub fn configurations(&self) -> &[Vec<[f64; 3]>] {
        if self.frames.is_empty() { std::slice::from_ref(&self.positions) } else { &self.frames }
    }

    /// The molecules as templates: connectivity from the file, all else from the parameter files.
    fn templates(&self) -> Vec<Arc<MoleculeTemplate>> {
        let mut first = 0;
        let mut templates = Vec::new();
        for (name, count) in &self.molecules {
            let atoms = first..first + count;
            let atom = |k: usize| TemplateAtom {
                name: format!("{}{}", self.types[k], k - first + 1),
                type_name: self.types[k].clone(),
                charge: self.charges[k],
                place: Place::Xyz(Vec3::ZERO),
            };
            let inside = |i: u32| atoms.contains(&(i as usize));
            let local = |i: u32| i as usize - first;
            let scaling = Scaling { one_four: PairScale { vdw: 0.5, coulomb: 0.5 }, ..Scaling::default() };
            templates.push(Arc::new(MoleculeTemplate {
                name: name.clone(),
                atoms: atoms.clone().map(atom).collect(),
                bonds: self.bonds.iter().filter(|b| inside(b[0])).map(|b| b.map(local)).collect(),
                impropers: self.impropers.iter().filter(|d| inside(d[0])).map(|d| d.map(local)).collect(),
                residues: vec![("MOL".into(), *count)],
                groups: BTreeMap::new(),
                scaling,
                source: "tests/data/peers".into(),
            }));
            first += count;
        }
        templates
    }

    /// amelo's energies, forces and virial of every configuration. A Coulomb `constant` other than amelo's enters
    /// through the charges.
    fn evaluate(&self, modifier: Modifier, constant: f64) -> Vec<Forces> {
        let potentials = Path::new(env!("CARGO_MANIFEST_DIR")).join("potentials");
        let search = SearchPath { folders: vec![potentials, data()], builtin: Vec::new() };
        let parameters = load(&FILES.map(String::from), &search, &registry::all()).unwrap();
        let assignment = assign(&self.templates(), &parameters, &BTreeMap::new()).unwrap();
        let (mut topology, table) = (assignment.topology, assignment.pair_table);
        topology.charges.iter_mut().for_each(|q| *q *= (constant / COULOMB).sqrt());
        let cell = Cell::new(Mat3::from_array(self.cell)).unwrap();
        let ewald = Coulomb::Ewald { beta: special::ewald_beta(self.r_cut, 1e-13), tolerance: 1e-13 };
        let settings = Nonbonded {
            r_cut: self.r_cut,
            modifier,
            dispersion_correction: false,
            coulomb: if self.gas { Coulomb::Cutoff } else { ewald },
            slab: self.slab.then_some(2),
            precision: Default::default(),
        };
        let mut terms: Vec<Box<dyn ForceTerm>> = amelo_forces::bonded_terms(&topology).unwrap();
        terms.push(Box::new(amelo_forces::NonbondedTerm::new(&topology, &table, &settings).unwrap()));
        terms.push(Box::new(amelo_forces::ScaledPairs::new(&topology, &table, &settings).unwrap()));
        terms.extend(amelo_electrostatics::long_range_term(&topology, &settings, &cell).unwrap());
        if let Some(axis) = settings.slab {
            terms.push(Box::new(SlabCorrection::new(&topology, axis).unwrap()));
        }
        let (mut sum, topology) = (TermSum::new(terms), Arc::new(topology));
        let one = |positions: &Vec<[f64; 3]>| {
            let positions = positions.iter().copied().map(Vec3::from).collect();
            let system = System::new(topology.clone(), cell, positions);
            let mut forces = Forces::new(system.n_atoms());
            sum.evaluate(&system, Request::ALL, &mut forces).unwrap();
            forces
        };
        self.configurations().iter().map(one).collect()
    }

    /// How far amelo and the peer differ.
    pub fn compare(&self, reference: &Reference, constant: f64) -> Deviations {
        let modifier = match reference.modifier.as_str() {
            "none" => Modifier::None,
            "potential-shift" => Modifier::PotentialShift,
            "force-switch" => Modifier::ForceSwitch { r_switch: reference.r_switch.expect("a switch distance") },
            other => panic!("modifier {other}"),
        };
        let theirs: Vec<&Values> = reference.single.iter().chain(&reference.frames).collect();
        let ours = self.evaluate(modifier, constant);
        assert_eq!(ours.len(), theirs.len(), "{}: configurations", self.name);
        let mut deviations = Deviations::default();
        for (ours, theirs) in ours.iter().zip(theirs) {
            deviations.include(ours, theirs);
        }
        deviations
    }
}

impl Deviations {
    fn include(&mut self, ours: &Forces, theirs: &Values) {
        let e = |name: &str| ours.energy.get(name);
        let scale: f64 = theirs.energy.values().map(|v| v.abs()).sum();
        let mut compared = 0.0;
        for (term, value) in &theirs.energy {
            let found = match term.as_str() {
                "coulomb" => e("coulomb_real") + e("coulomb_14") + e("coulomb_reciprocal") + e("slab_correction"),
                "vdw_total" => e("vdw") + e("vdw_14"),
                name => e(name),
            };
            compared += found;
            if found == 0.0 && *value == 0.0 {
                continue; // neither has such a term
            }
            let largest = self.energy.entry(term.clone()).or_default();
            *largest = worse(*largest, (found - value).abs() / scale);
        }
        let left_out = (ours.energy.potential() - compared).abs() / scale;
        assert!(left_out < 1e-12, "{left_out:e} of amelo's energy is in no term of the peer's");
        assert_eq!(ours.on.len(), theirs.forces.len());
        let pairs = || ours.on.iter().zip(theirs.forces.iter().copied().map(Vec3::from));
        let difference: f64 = pairs().map(|(f, r)| (*f - r).norm2()).sum();
        let sum: f64 = pairs().map(|(_, r)| r.norm2()).sum();
        self.force = worse(self.force, (difference / sum).sqrt());
        let (mut d_virial, mut largest) = (None, 0.0_f64);
        for i in 0..3 {
            for j in 0..3 {
                if let Some(w) = theirs.virial[i][j] {
                    d_virial = Some(worse(d_virial.unwrap_or(0.0), (ours.virial[(i, j)] - w).abs()));
                    largest = largest.max(w.abs());
                }
            }
        }
        if let Some(d) = d_virial {
            self.virial = Some(worse(self.virial.unwrap_or(0.0), d / largest));
        }
    }
}

/// The larger; not a number is the worst.
fn worse(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}

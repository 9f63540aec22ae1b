//! LAMMPS' scripts imported here, against what LAMMPS itself makes of the same scripts.
//!
//! `tests/data/lammps/NAME/` holds script, data file and, in `reference.json`, LAMMPS' energies, forces and virial with
//! its version, written by `scripts/peers/lammps_import.py` (`--check` runs LAMMPS again). Coulomb energies are compared
//! with LAMMPS' constant. Its real-space erfc is a polynomial with an absolute error of 1.5e-7, whatever its k-space
//! accuracy; the bounds for long-range systems say so.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use amelo_core::{Coulomb, Forces, Request, System, units};
use amelo_io::formats::{Imported, lammps};
use amelo_math::Vec3;
use amelo_runner::engine::Model;
use amelo_runner::plan::Conditions;
use amelo_testkit::{force_error, strain_virial};
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    program: String,
    units: String,
    energy: BTreeMap<String, f64>,
    forces: Vec<[f64; 3]>,
    virial: [[f64; 3]; 3],
}

/// Systems that are compared.
const SYSTEMS: &[&str] = &[
    "buck_coul_cut",
    "buck_plain",
    "charmm",
    "charmm_special",
    "charmm_urey_bradley",
    "coul_cut",
    "coul_long",
    "gromacs_switch",
    "labels",
    "opls_ewald",
    "overlay",
    "oxide_metal",
    "pppm",
    "short_cutoff",
    "slab",
    "special_coul_cut",
    "special_ewald",
    "tail",
    "torsions",
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/lammps").join(name)
}

fn import(name: &str) -> Imported {
    lammps::import(&folder(name).join("in.lmp")).unwrap_or_else(|e| panic!("{e}"))
}

fn terms(imported: &Imported) -> amelo_core::TermSum {
    let system = &imported.system;
    let model = Model {
        topology: system.topology.clone(),
        pair_table: imported.pair_table.clone(),
        nonbonded: imported.nonbonded.expect("a LAMMPS script sets a cut-off"),
    };
    model.terms(&system.topology, &system.cell, &Conditions::default(), None).unwrap()
}

fn evaluate(imported: &Imported) -> Forces {
    use amelo_core::ForceProvider;
    let mut forces = Forces::new(imported.system.n_atoms());
    terms(imported).evaluate(&imported.system, Request::ALL, &mut forces).unwrap();
    forces
}

/// U of LAMMPS' tail that is repulsion, which amelo's does not have; its virial is four times that on the diagonal,
/// U ∝ V⁻¹ r_c⁻⁹ and P V = (12/3) U.
fn repulsive_tail(imported: &Imported) -> f64 {
    let settings = imported.nonbonded.unwrap();
    if !settings.dispersion_correction {
        return 0.0;
    }
    let t = &imported.system.topology;
    let mut count = vec![0.0; t.types.len()];
    t.type_of.iter().for_each(|k| count[*k as usize] += 1.0);
    let mut sum = 0.0;
    for a in 0..count.len() {
        for b in 0..count.len() {
            let [sigma, epsilon] = imported.pair_table.get(a, b).parameters[..] else { panic!("Lennard-Jones pairs") };
            sum += count[a] * count[b] * 4.0 * epsilon * sigma.powi(12) / (9.0 * settings.r_cut.powi(9));
        }
    }
    2.0 * std::f64::consts::PI / imported.system.cell.volume() * sum
}

#[test]
fn energies_forces_and_virials_are_those_of_lammps() {
    let (mut complaints, mut compared) = (Vec::new(), 0);
    for name in SYSTEMS {
        let path = folder(name).join("reference.json");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let reference: Reference = serde_json::from_str(&text).unwrap();
        let imported = import(name);
        let ours = evaluate(&imported);
        let e = |term: &str| ours.energy.get(term);
        // LAMMPS' constants, kcal Å and eV Å per mol and e², against CODATA 2018.
        let own = if reference.units == "metal" { 14.399_645 * units::EV } else { 332.063_71 * units::KCAL } * 0.1;
        let tail = repulsive_tail(&imported);
        let coulomb: f64 =
            ["coulomb_real", "coulomb_14", "coulomb_reciprocal", "slab_correction"].iter().map(|t| e(t)).sum();
        let found = BTreeMap::from([
            ("bond", e("bond")),
            ("angle", e("angle")),
            ("dihedral", e("dihedral")),
            ("improper", e("improper")),
            ("vdw_total", e("vdw") + e("vdw_14") + e("dispersion_correction") + tail),
            ("coulomb", coulomb * own / units::COULOMB),
        ]);
        let scale: f64 = reference.energy.values().map(|v| v.abs()).sum();
        let deviation = |term: &str| (found[term] - reference.energy[term]).abs() / scale;
        let others =
            ["bond", "angle", "dihedral", "improper", "vdw_total"].iter().map(|t| deviation(t)).fold(0.0, f64::max);
        let (mut square, mut sum) = (0.0, 0.0);
        for (f, r) in ours.on.iter().zip(&reference.forces) {
            square += (*f - Vec3::from(*r)).norm2();
            sum += Vec3::from(*r).norm2();
        }
        let force = f64::sqrt(square / sum);
        // LAMMPS leaves the slab correction out of its virial; ours is U diag(1, 1, −1).
        let slab = e("slab_correction");
        let largest = reference.virial.iter().flatten().fold(0.0_f64, |m, w| m.max(w.abs()));
        let mut virial = 0.0_f64;
        for i in 0..3 {
            for j in 0..3 {
                let own = match (i == j, i) {
                    (true, 2) => -slab - 4.0 * tail,
                    (true, _) => slab - 4.0 * tail,
                    _ => 0.0,
                };
                virial = virial.max((ours.virial[(i, j)] - own - reference.virial[i][j]).abs() / largest);
            }
        }
        let bounds = match imported.nonbonded.unwrap().coulomb {
            Coulomb::None => [0.0, 1e-10, 1e-10, 1e-10],
            // Up to the constant of Coulomb's law in the forces.
            Coulomb::Cutoff => [1e-12, 1e-10, 2e-8, 2e-8],
            _ => [2e-6, 1e-10, 2e-6, 1e-5],
        };
        println!(
            "{name:20} {:18} coulomb {:.1e}  other {others:.1e}  force {force:.1e}  virial {virial:.1e}",
            reference.program,
            deviation("coulomb")
        );
        let row = [deviation("coulomb"), others, force, virial];
        for (what, (d, bound)) in
            ["Coulomb energy", "other energies", "forces", "virial"].iter().zip(row.iter().zip(bounds))
        {
            if d.is_nan() || *d > bound {
                complaints.push(format!("{name} against {}: {what} {d:.2e}, bound {bound:.0e}", reference.program));
            }
        }
        compared += 1;
    }
    assert!(compared >= SYSTEMS.len() - 1);
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// Where LAMMPS leaves the slab correction out of its virial, and everywhere else too: forces and virial are derivatives
/// of the imported model's energy. Without a shift the energy jumps where a pair crosses the cut-off; those are left out.
#[test]
fn forces_and_virials_of_imported_systems_are_derivatives() {
    for name in ["charmm", "overlay", "special_coul_cut"] {
        let mut imported = import(name);
        if let Coulomb::Cutoff = imported.nonbonded.unwrap().coulomb {
            // Truncated Coulomb jumps as well.
            let t = Arc::make_mut(&mut imported.system.topology);
            t.charges.fill(0.0);
        }
        let mut provider = terms(&imported);
        let forces = evaluate(&imported);
        let error = force_error(&mut provider, &imported.system, &[0, 7, 20, 47], 1e-5).unwrap();
        assert!(error < 1e-7, "{name}: forces {error:e}");
        let strain = strain_virial(&mut provider, &imported.system, 1e-5).unwrap();
        let error = (forces.virial - strain).max_abs() / forces.virial.max_abs();
        assert!(error < 1e-6, "{name}: virial {error:e}");
    }
}

/// What `kspace_style pppm ACCURACY` becomes has, by amelo's own estimate and by Ewald's sum, a force error within what
/// LAMMPS asks for.
#[test]
fn settings_from_an_accuracy_reach_it() {
    use amelo_core::ForceProvider;
    let text = std::fs::read_to_string(folder("pppm").join("in.lmp")).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    std::fs::copy(folder("pppm").join("data.lmp"), scratch.path().join("data.lmp")).unwrap();
    let exact = {
        let script = text.replace("kspace_style pppm 1e-7\nkspace_modify order 7\n", "kspace_style ewald 1e-7\n");
        std::fs::write(scratch.path().join("ewald.lmp"), script).unwrap();
        evaluate(&lammps::import(&scratch.path().join("ewald.lmp")).unwrap())
    };
    for accuracy in [1e-3, 1e-4, 1e-5, 1e-6] {
        let script = text.replace("pppm 1e-7", &format!("pppm {accuracy:e}")).replace("kspace_modify order 7\n", "");
        std::fs::write(scratch.path().join("in.lmp"), script).unwrap();
        let found = lammps::import(&scratch.path().join("in.lmp")).unwrap();
        let Coulomb::Pme { beta, order, mesh } = found.nonbonded.unwrap().coulomb else { panic!("PME") };
        let target = accuracy * units::COULOMB / 0.01;
        let System { topology, cell, .. } = &found.system;
        let estimate =
            amelo_electrostatics::pme_force_error(topology, cell, found.nonbonded.unwrap().r_cut, beta, order, mesh)
                .unwrap();
        let mut forces = Forces::new(found.system.n_atoms());
        terms(&found).evaluate(&found.system, Request::ALL, &mut forces).unwrap();
        let differences: Vec<Vec3> = forces.on.iter().zip(&exact.on).map(|(a, b)| *a - *b).collect();
        let measured = amelo_testkit::rms(&differences);
        println!(
            "{accuracy:.0e}: target {target:.2e}, estimate {:.2e}, measured {measured:.2e}, mesh {mesh:?}",
            estimate.total()
        );
        assert!(estimate.total() < target && measured < target, "{accuracy:e}: {estimate:?}, measured {measured:e}");
        // Not a hundred times better either, where the smallest mesh does not do it already.
        assert!(measured > 1e-3 * target || mesh.iter().all(|n| *n <= 12), "{accuracy:e}: measured {measured:e}");
    }
}

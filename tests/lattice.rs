//! Anatase at 0 K under Matsui–Akaogi: lattice constants and lattice energy with the cell relaxed.
//!
//! The check values were computed with LAMMPS and ASE from the same parameters (r_cut 1.2 nm, Ewald, no modifier,
//! no tail): a 3.7706 Å, c 9.566 Å, −39.4952 eV per TiO₂. They are not literature.

use std::ops::ControlFlow;
use std::sync::Arc;

use amelo_build::crystal::Crystal;
use amelo_core::quantity::{Force, Pressure};
use amelo_core::units::{BAR_PER_PRESSURE, EV, KCAL};
use amelo_core::{
    AtomType, Coulomb, Exclusions, ForceTerm, Modifier, Nonbonded, PairEntry, PairTable, Provenance, System, TermSum,
    Topology,
};
use amelo_dynamics::{CellCoupling, CellRelaxation, MinimizeConfig, minimize};
use amelo_math::{Vec3, special};

/// (A, B, C) of Ti and O in the original form: Å, Å, Å³ (kJ/mol)^½. M. Matsui, M. Akaogi, Mol. Simul. 6, 239 (1991).
const MATSUI_AKAOGI: [(f64, f64, f64); 2] = [(1.1823, 0.077, 22.5), (1.6339, 0.117, 54.0)];
const CHARGES: [f64; 2] = [2.196, -1.098];

fn anatase(repeats: [usize; 3]) -> (Topology, amelo_core::Cell, Vec<Vec3>) {
    let crystal = Crystal::anatase();
    let edge = |k: usize| crystal.vectors[(k, k)] * repeats[k] as f64;
    let cell = amelo_core::Cell::orthorhombic(edge(0), edge(1), edge(2)).unwrap();
    let (mut positions, mut topology) = (Vec::new(), Topology::default());
    topology.types = ["Ti", "O"].map(|name| AtomType { name: name.to_string(), element: name.to_string() }).to_vec();
    for i in 0..repeats[0] {
        for j in 0..repeats[1] {
            for k in 0..repeats[2] {
                for site in &crystal.sites {
                    let kind = usize::from(site.element == "O");
                    positions.push(crystal.to_cartesian(site.position + Vec3::new(i as f64, j as f64, k as f64)));
                    topology.type_of.push(kind as u32);
                    topology.names.extend([&site.element]);
                    topology.masses.push([47.867, 15.999][kind]);
                    topology.charges.push(CHARGES[kind]);
                    topology.frozen.push(false);
                }
            }
        }
    }
    topology.nominal_charges = topology.charges.clone();
    topology.exclusions = Exclusions::new(positions.len(), []);
    (topology, cell, positions)
}

fn pair_table() -> PairTable {
    PairTable::from_fn(2, |i, j| {
        let ((ai, bi, ci), (aj, bj, cj)) = (MATSUI_AKAOGI[i], MATSUI_AKAOGI[j]);
        let rho = bi + bj;
        let parameters = vec![KCAL * rho * special::exp((ai + aj) / rho), rho * 0.1, ci * cj * 1e-6];
        let source = "Matsui and Akaogi 1991".to_string();
        Ok::<_, ()>(PairEntry { form: "buckingham".into(), parameters, provenance: Provenance::Explicit, source })
    })
    .unwrap()
}

#[test]
fn anatase_at_0_kelvin_has_the_lattice_of_matsui_and_akaogi() {
    let repeats = [7, 7, 3];
    let (topology, cell, positions) = anatase(repeats);
    let r_cut = 1.2;
    let beta = special::ewald_beta(r_cut, 1e-9);
    let coulomb = Coulomb::Pme { beta, order: 8, mesh: [72, 72, 80] };
    let settings = Nonbonded {
        r_cut,
        modifier: Modifier::None,
        dispersion_correction: false,
        coulomb,
        slab: None,
        precision: Default::default(),
    };
    let nonbonded = amelo_forces::NonbondedTerm::new(&topology, &pair_table(), &settings).unwrap();
    let mut terms: Vec<Box<dyn ForceTerm>> = vec![Box::new(nonbonded)];
    terms.extend(amelo_electrostatics::long_range_term(&topology, &settings, &cell).unwrap());
    let mut provider = TermSum::new(terms);
    let n_formula = positions.len() as f64 / 3.0;
    let mut system = System::new(Arc::new(topology), cell, positions);

    let config = MinimizeConfig {
        force_tolerance: Force(0.5),
        max_steps: 4000,
        cell: Some(CellRelaxation {
            pressure: Pressure(0.0),
            coupling: CellCoupling::Anisotropic,
            stress_tolerance: Pressure(5.0 / BAR_PER_PRESSURE),
        }),
        ..MinimizeConfig::default()
    };
    let report = minimize(&mut system, &mut provider, &config, &mut |_| ControlFlow::Continue(())).unwrap();
    let edges = system.cell.diagonal();
    let (a, c) = (10.0 * edges.x / repeats[0] as f64, 10.0 * edges.z / repeats[2] as f64);
    let energy = report.last.energy / n_formula / EV;
    println!(
        "anatase, Matsui-Akaogi, 0 K: a {a:.5} Å, c {c:.5} Å, {energy:.5} eV per TiO2, {} steps",
        report.last.step
    );
    assert!(report.converged);
    assert!((a - 3.7706).abs() < 0.001, "a = {a} Å");
    assert!((c - 9.566).abs() < 0.005, "c = {c} Å");
    assert!((energy - -39.4952).abs() < 0.001, "E = {energy} eV");
    assert!((edges.x - edges.y).abs() < 1e-4 * edges.x, "the cell stays tetragonal");
}

//! FIRE on energies whose minima are known.

mod common;

use std::ops::ControlFlow;
use std::sync::Arc;

use amelo_core::quantity::{Force, Pressure};
use amelo_core::{Cell, System};
use amelo_dynamics::{CellCoupling, CellRelaxation, DynamicsError, MinimizeConfig, MinimizeReport, lbfgs, minimize};
use amelo_math::{Mat3, Vec3};
use common::{LennardJones, Springs, Wells, gas, topology};

fn go(system: &mut System, provider: &mut dyn amelo_core::ForceProvider, config: &MinimizeConfig) -> MinimizeReport {
    minimize(system, provider, config, &mut |_| ControlFlow::Continue(())).unwrap()
}

fn tight() -> MinimizeConfig {
    MinimizeConfig { force_tolerance: Force(1e-6), ..MinimizeConfig::default() }
}

#[test]
fn stiff_and_soft_wells_reach_their_sites_and_frozen_atoms_stay() {
    let mut t = topology(6, 12.0);
    t.frozen[5] = true;
    let mut system = gas(t, 3.0);
    let stiffness = vec![3e5, 1e4, 1e3, 3e5, 5e2, 1e3];
    let mut wells = Wells { sites: system.positions.clone(), stiffness };
    for (i, r) in system.positions.iter_mut().enumerate() {
        *r += Vec3::new(0.05, -0.03, 0.01 * i as f64);
    }
    system.wrap();
    let frozen = system.positions[5];
    let report = go(&mut system, &mut wells, &tight());
    assert!(report.converged && !report.interrupted, "{report:?}");
    assert!(report.last.energy < report.initial_energy);
    for i in 0..5 {
        let off = system.cell.minimum_image(system.positions[i] - wells.sites[i]).norm();
        assert!(off < 1e-8, "atom {i} is {off:e} nm away");
    }
    assert_eq!(system.positions[5], frozen);
}

/// The same wells by L-BFGS: the minimum of six independent quadratic wells is their sites, and a quadratic energy of a
/// few stiffnesses takes it few evaluations.
#[test]
fn lbfgs_reaches_the_sites_in_few_evaluations_and_frozen_atoms_stay() {
    let mut t = topology(6, 12.0);
    t.frozen[5] = true;
    let mut system = gas(t, 3.0);
    let mut wells = Wells { sites: system.positions.clone(), stiffness: vec![3e5, 1e4, 1e3, 3e5, 5e2, 1e3] };
    for (i, r) in system.positions.iter_mut().enumerate() {
        *r += Vec3::new(0.05, -0.03, 0.01 * i as f64);
    }
    system.wrap();
    let frozen = system.positions[5];
    let report = lbfgs(&mut system, &mut wells, &tight(), &mut |_| ControlFlow::Continue(())).unwrap();
    assert!(report.converged && report.last.step < 100, "{report:?}");
    for i in 0..5 {
        let off = system.cell.minimum_image(system.positions[i] - wells.sites[i]).norm();
        assert!(off < 1e-8, "atom {i} is {off:e} nm away");
    }
    assert_eq!(system.positions[5], frozen);
    let cell = CellRelaxation::default();
    let refused = lbfgs(&mut system, &mut wells, &MinimizeConfig { cell: Some(cell), ..tight() }, &mut |_| {
        ControlFlow::Continue(())
    });
    assert!(matches!(refused, Err(DynamicsError::Setting { key: "cell", .. })));
}

/// Thirteen Lennard-Jones atoms from a spread icosahedron: the known minimum of LJ13 is −44.326801 ε (J. A. Northby, J.
/// Chem. Phys. 87, 6166 (1987)); the cut-off of 56 σ takes 1e-7 ε from it.
#[test]
fn lbfgs_finds_the_energy_of_the_icosahedron() {
    let golden = 0.5 * (1.0 + 5f64.sqrt());
    let mut positions = vec![Vec3::ZERO];
    for a in [-1.0, 1.0] {
        for b in [-golden, golden] {
            positions.extend([Vec3::new(0.0, a, b), Vec3::new(a, b, 0.0), Vec3::new(b, 0.0, a)]);
        }
    }
    let cell = Cell::orthorhombic(40.0, 40.0, 40.0).unwrap();
    let at = |r: &Vec3| *r * 0.21 + Vec3::new(20.0, 20.0, 20.0);
    let mut system = System::new(Arc::new(topology(13, 40.0)), cell, positions.iter().map(at).collect());
    let mut lj = LennardJones { sigma: 0.34, epsilon: 1.0, cutoff: 19.0 };
    let report = lbfgs(&mut system, &mut lj, &MinimizeConfig { force_tolerance: Force(1e-5), ..tight() }, &mut |_| {
        ControlFlow::Continue(())
    })
    .unwrap();
    assert!(report.converged, "{report:?}");
    assert!((report.last.energy + 44.326801).abs() < 1e-6, "{report:?}");
}

/// A simple cubic lattice of springs with three bonds per atom: h(a) = (3/2) k (a − a₀)² + P a³ per atom is least where
/// k (a − a₀) + P a² = 0.
#[test]
fn spring_lattice_shrinks_under_pressure_as_it_must() {
    let (n, k, a0) = (4usize, 5000.0, 0.3);
    let index = |x: usize, y: usize, z: usize| (x % n) + n * (y % n) + n * n * (z % n);
    let mut pairs = Vec::new();
    let mut positions = Vec::new();
    for z in 0..n {
        for y in 0..n {
            for x in 0..n {
                positions.push(Vec3::new(x as f64, y as f64, z as f64) * 0.32);
                pairs.extend([index(x + 1, y, z), index(x, y + 1, z), index(x, y, z + 1)].map(|j| [index(x, y, z), j]));
            }
        }
    }
    for (pressure, coupling) in [(0.0, CellCoupling::Isotropic), (800.0, CellCoupling::Anisotropic)] {
        let edge = 0.32 * n as f64;
        let cell = Cell::orthorhombic(edge, edge, edge).unwrap();
        let mut system = System::new(Arc::new(topology(n * n * n, 12.0)), cell, positions.clone());
        let mut springs = Springs { pairs: pairs.clone(), k, r0: a0 };
        let cell = CellRelaxation { pressure: Pressure(pressure), coupling, stress_tolerance: Pressure(1e-4) };
        let report = go(&mut system, &mut springs, &MinimizeConfig { cell: Some(cell), ..tight() });
        assert!(report.converged, "{report:?}");
        let a = if pressure == 0.0 { a0 } else { (-k + (k * k + 4.0 * pressure * k * a0).sqrt()) / (2.0 * pressure) };
        let d = system.cell.diagonal() / n as f64;
        assert!((d.x - a).abs() < 1e-6 && (d.y - a).abs() < 1e-6 && (d.z - a).abs() < 1e-6, "{d:?} instead of {a}");
    }
}

/// Lennard-Jones fcc from a strained, sheared conventional cell with a displaced atom. The stress-free crystal is cubic;
/// with the full lattice sums, 12.13188 and 14.45392 (C. Kittel, Introduction to Solid State Physics, chapter 3),
/// a would be 1.5417 σ and the energy −8.610 ε. The force shift at 3 σ changes them, so only symmetry and stationarity
/// are exact here.
#[test]
fn full_relaxation_makes_a_sheared_fcc_crystal_cubic() {
    let sigma = 0.34;
    let mut lj = LennardJones { epsilon: 1.0, sigma, cutoff: 3.0 * sigma };
    let a = 1.56 * sigma;
    let strained =
        Mat3::from_array([[1.02 * a, 0.0, 0.0], [0.02 * a, 0.99 * a, 0.0], [-0.015 * a, 0.02 * a, 1.01 * a]]);
    let cell = Cell::new(strained).unwrap();
    let fractions = [(0.0, 0.0, 0.0), (0.5, 0.5, 0.02), (0.5, 0.0, 0.5), (0.0, 0.5, 0.5)];
    let positions = fractions.iter().map(|&(x, y, z)| cell.to_cartesian(Vec3::new(x, y, z))).collect();
    let mut system = System::new(Arc::new(topology(4, 40.0)), cell, positions);
    let relaxation =
        CellRelaxation { coupling: CellCoupling::Full, stress_tolerance: Pressure(1e-6), ..Default::default() };
    let report = go(&mut system, &mut lj, &MinimizeConfig { cell: Some(relaxation), ..tight() });
    assert!(report.converged, "{report:?}");
    let d = system.cell.diagonal();
    let h = system.cell.vectors();
    let edges = h.rows.map(|v| v.norm());
    assert!((edges[0] - edges[1]).abs() < 1e-6 && (edges[0] - edges[2]).abs() < 1e-6, "{edges:?}");
    let shear = [h[(1, 0)], h[(2, 0)], h[(2, 1)]];
    assert!(shear.iter().all(|s| s.abs() < 1e-6), "{shear:?}");
    assert!((d.x / sigma / 1.5417 - 1.0).abs() < 0.03, "a = {} σ", d.x / sigma);
    assert!((report.last.energy / 4.0 / -8.610 - 1.0).abs() < 0.25, "{} per atom", report.last.energy / 4.0);
}

#[test]
fn stops_when_asked_and_says_when_it_did_not_converge() {
    let mut system = gas(topology(1, 12.0), 3.0);
    let mut wells = Wells { sites: vec![Vec3::new(1.0, 1.0, 1.0)], stiffness: vec![1000.0] };
    let config = MinimizeConfig { max_steps: 3, ..tight() };
    let report = go(&mut system, &mut wells, &config);
    assert!(!report.converged && !report.interrupted && report.last.step == 3);
    let report = minimize(&mut system, &mut wells, &tight(), &mut |p| {
        if p.step == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(report.unwrap().interrupted);
}

#[test]
fn a_frozen_atom_forbids_cell_relaxation() {
    let mut t = topology(2, 12.0);
    t.frozen[0] = true;
    let mut system = gas(t, 3.0);
    let config = MinimizeConfig { cell: Some(CellRelaxation::default()), ..tight() };
    let result = minimize(&mut system, &mut common::Ideal, &config, &mut |_| ControlFlow::Continue(()));
    assert!(matches!(result, Err(DynamicsError::Setting { key: "cell", .. })));
}

#[test]
fn decks_say_what_they_mean() {
    let text = r#"{"force_tolerance": "10 kJ/mol/nm", "cell": {"pressure": "1 bar", "coupling": "full"}}"#;
    let config: MinimizeConfig = serde_json::from_str(text).unwrap();
    assert_eq!(config.force_tolerance, Force(10.0));
    assert_eq!(config.cell.unwrap().coupling, CellCoupling::Full);
    assert!(serde_json::from_str::<MinimizeConfig>(r#"{"force_tolerence": "10 kJ/mol/nm"}"#).is_err());
    let npt = r#"{"temperature": "423 K", "pressure": "1 bar", "coupling": "z", "thermostat": "v-rescale", "barostat": "c-rescale"}"#;
    let npt: amelo_dynamics::NptConfig = serde_json::from_str(npt).unwrap();
    assert_eq!(npt.coupling, amelo_dynamics::Coupling::Z);
}

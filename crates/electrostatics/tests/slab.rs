//! The slab correction against what electrostatics says of charged planes.

mod common;

use amelo_core::units::COULOMB;
use amelo_core::{Cell, ForceError, ForceTerm, Forces, Request, System};
use amelo_electrostatics::SlabCorrection;
use amelo_math::{Mat3, Vec3};

use common::{check_derivatives, evaluate, full_ewald, random, system};

const EDGE: f64 = 1.2;
const GRID: usize = 6;

/// Two plates at heights `z`, each a square grid of point charges; plates carry the charges `charge` in all.
/// `tilt` leans the cell without moving the plates' charges sideways relative to each other.
fn plates(height: f64, tilt: [f64; 2], z: [f64; 2], charge: [f64; 2]) -> System {
    let cell = Cell::new(Mat3::from_array([[EDGE, 0.0, 0.0], [0.0, EDGE, 0.0], [tilt[0], tilt[1], height]])).unwrap();
    let (mut positions, mut charges) = (Vec::new(), Vec::new());
    for plate in 0..2 {
        for i in 0..GRID * GRID {
            let spacing = EDGE / GRID as f64;
            let (x, y) = ((i % GRID) as f64 * spacing, (i / GRID) as f64 * spacing);
            positions.push(Vec3::new(x, y, z[plate]));
            charges.push(charge[plate] / (GRID * GRID) as f64);
        }
    }
    system(cell, positions, charges, &[])
}

fn with_slab(system: &System) -> Vec<Box<dyn ForceTerm>> {
    let mut terms = full_ewald(system, 0.9, 1e-14);
    terms.push(Box::new(SlabCorrection::new(&system.topology, 2).unwrap()));
    terms
}

/// Force along z on the lower plate (kJ/mol/nm).
fn force_on_lower(system: &System) -> f64 {
    evaluate(with_slab(system), system).on[..GRID * GRID].iter().map(|f| f.z).sum()
}

// A plate sees the other's field 2π k_e σ: F_z = 2π k_e σ² A, pulled together. The grain of the grids dies out as
// exp(−2πh/d) = 1e-14 for h = 1.05 nm, d = 0.2 nm.
#[test]
fn plate_capacitor() {
    let (h, q) = (1.05, 3.0);
    let expected = 2.0 * std::f64::consts::PI * COULOMB * q * q / (EDGE * EDGE);
    for (height, tilt) in [(3.3, [0.0, 0.0]), (4.7, [0.0, 0.0]), (3.3, [0.41, -0.27])] {
        // Once inside the cell, once across its boundary.
        for z in [[0.2, 0.2 + h], [height - 0.3, h - 0.3]] {
            let force = force_on_lower(&plates(height, tilt, z, [q, -q]));
            assert!((force / expected - 1.0).abs() < 1e-11, "cell {height}, {tilt:?}, z {z:?}: {force} {expected}");
        }
    }
}

// With a net charge the plates still see each other's field alone, whatever the vacuum and the background.
#[test]
fn charged_plates() {
    let (h, q) = (1.05, [3.0, 1.7]);
    let expected = -2.0 * std::f64::consts::PI * COULOMB * q[0] * q[1] / (EDGE * EDGE);
    for (height, tilt) in [(3.3, [0.0, 0.0]), (4.7, [0.3, 0.1])] {
        let force = force_on_lower(&plates(height, tilt, [0.4, 0.4 + h], q));
        assert!((force / expected - 1.0).abs() < 1e-11, "{force} {expected}");
    }
}

// The energy of a film does not know how much vacuum the cell holds, with or without net charge.
#[test]
fn energy_is_independent_of_the_vacuum() {
    for charge in [[3.0, -3.0], [3.0, 1.7]] {
        let energy = |height| {
            let plates = plates(height, [0.0; 2], [0.2, 1.25], charge);
            evaluate(with_slab(&plates), &plates).energy.potential()
        };
        let (short, long) = (energy(3.4), energy(4.9));
        assert!((short - long).abs() < 1e-10 * long.abs(), "{charge:?}: {short} {long}");
    }
}

// Slab term alone (the sums have their own tests): forces and all strains, neutral and charged, oblique.
#[test]
fn derivatives() {
    let cell = Cell::new(Mat3::from_array([[2.0, 0.0, 0.0], [0.5, 1.8, 0.0], [-0.3, 0.4, 4.0]])).unwrap();
    for extra in [0.0, 0.9] {
        let mut film = random(cell, 40, extra, 11);
        for r in &mut film.positions {
            r.z = 0.4 * r.z + 3.2; // across the boundary at 4 nm
        }
        film.wrap();
        let slab = SlabCorrection::new(&film.topology, 2).unwrap();
        let vacuum = slab.vacuum(&film).unwrap();
        assert!(vacuum.thickness < 1.6 && (vacuum.gap + vacuum.thickness - 4.0).abs() < 1e-12, "{vacuum:?}");
        let out = evaluate(vec![Box::new(SlabCorrection::new(&film.topology, 2).unwrap())], &film);
        let u = out.energy.get("slab_correction");
        assert!((out.virial - Mat3::diagonal(u, u, -u)).max_abs() < 1e-12 * u.abs());
        check_derivatives(vec![Box::new(slab)], &film, 1e-8);
    }
}

// M_x = q d for one dipole: U = 2π k_e q² d²/V, along x and y too.
#[test]
fn a_dipole_along_each_axis() {
    for axis in 0..3 {
        let mut top = Vec3::new(0.3, 0.3, 0.3);
        top[axis] += 0.25;
        let dipole = system(
            Cell::orthorhombic(2.0, 2.5, 3.0).unwrap(),
            vec![Vec3::new(0.3, 0.3, 0.3), top],
            vec![-0.4, 0.4],
            &[],
        );
        let out = evaluate(vec![Box::new(SlabCorrection::new(&dipole.topology, axis).unwrap())], &dipole);
        let expected = 2.0 * std::f64::consts::PI * COULOMB * (0.4_f64 * 0.25).powi(2) / 15.0;
        assert!((out.energy.potential() / expected - 1.0).abs() < 1e-12);
    }
}

#[test]
fn refusals_and_thin_vacuum() {
    let filled = random(common::triclinic(), 40, 0.0, 3);
    assert!(SlabCorrection::new(&filled.topology, 3).is_err());
    let mut out = Forces::new(40);
    let mut along_x = SlabCorrection::new(&filled.topology, 0).unwrap();
    let error = along_x.add(&filled, Request::ALL, &mut out).unwrap_err();
    assert!(matches!(&error, ForceError::Other { message, .. } if message.contains("perpendicular")), "{error}");
    let mut along_z = SlabCorrection::new(&filled.topology, 2).unwrap();
    along_z.add(&filled, Request::ALL, &mut out).unwrap();
    assert_eq!(out.events, [("vacuum_thinner_than_film", 1)]);
}

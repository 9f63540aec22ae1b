//! Ewald's sum against derivatives, the mesh against Ewald's sum, and both against the number of threads.

mod common;

use amelo_core::{Cell, Coulomb, ForceTerm, Forces, Modifier, Nonbonded, Request, System, TermSum};
use amelo_electrostatics::{ElectrostaticsError, Ewald, Pme, SlabCorrection, long_range_term, mesh_for};
use amelo_math::special::{erfc, ewald_beta};
use amelo_testkit::RealSpaceEwald;

use common::{check_derivatives, evaluate, orthorhombic, random, rms, rms_difference, triclinic};

fn settings(coulomb: Coulomb) -> Nonbonded {
    Nonbonded {
        r_cut: 0.9,
        modifier: Modifier::None,
        dispersion_correction: false,
        coulomb,
        slab: None,
        precision: Default::default(),
    }
}

fn pme(system: &System, beta: f64, order: usize, mesh: [usize; 3]) -> Box<dyn ForceTerm> {
    long_range_term(&system.topology, &settings(Coulomb::Pme { beta, order, mesh }), &system.cell).unwrap().unwrap()
}

#[test]
fn ewald_has_exact_derivatives() {
    for (cell, extra) in [(orthorhombic(), 0.0), (triclinic(), 0.9)] {
        let system = random(cell, 30, extra, 5);
        check_derivatives(vec![Box::new(Ewald::new(&system.topology, 3.0, 1e-14).unwrap())], &system, 1e-8);
    }
}

#[test]
fn mesh_has_exact_derivatives_at_every_order() {
    for (cell, extra) in [(orthorhombic(), 0.9), (triclinic(), 0.0)] {
        let system = random(cell, 30, extra, 6);
        for (order, tolerance) in [(4, 1e-6), (5, 1e-7), (6, 1e-8), (12, 1e-8)] {
            // Even and odd numbers of points; low orders have kinks in high derivatives, hence their tolerance.
            check_derivatives(vec![pme(&system, 3.0, order, [20, 15, 24])], &system, tolerance);
        }
    }
}

// Force, energy and virial of the whole Coulomb interaction, at order 6 and erfc(β r_c) = 1e-9.
#[test]
fn mesh_agrees_with_ewald_to_a_millionth() {
    let r_cut = 0.9;
    let beta = ewald_beta(r_cut, 1e-9);
    for (cell, extra) in [(orthorhombic(), 0.0), (orthorhombic(), 0.7), (triclinic(), 0.0), (triclinic(), 0.7)] {
        let system = random(cell, 120, extra, 8);
        let real = || Box::new(RealSpaceEwald { beta, r_cut });
        // The reference splits elsewhere and goes further, so that nothing is common to both sides.
        let reference = evaluate(common::full_ewald(&system, 1.1, 1e-15), &system);
        let mesh = evaluate(vec![real(), pme(&system, beta, 6, mesh_for(&cell, 0.028))], &system);
        let force = rms_difference(&mesh.on, &reference.on) / rms(&reference.on);
        let scale: f64 = reference.energy.terms.iter().map(|(_, e)| e.abs()).sum();
        let energy = (mesh.energy.potential() - reference.energy.potential()).abs() / scale;
        let virial = (mesh.virial - reference.virial).max_abs() / reference.virial.max_abs();
        assert!(force < 1e-6 && energy < 5e-7 && virial < 1e-6, "{force:.1e} {energy:.1e} {virial:.1e}");
    }
}

// Order 12 on a fine mesh is Ewald's sum to rounding: nothing but the interpolation separates the two.
#[test]
fn high_order_mesh_is_ewalds_sum() {
    for cell in [orthorhombic(), triclinic()] {
        let system = random(cell, 60, 0.7, 9);
        let ewald = evaluate(vec![Box::new(Ewald::new(&system.topology, 3.0, 1e-16).unwrap())], &system);
        let mesh = evaluate(vec![pme(&system, 3.0, 12, [60, 60, 64])], &system);
        let force = rms_difference(&mesh.on, &ewald.on) / rms(&ewald.on);
        let energy = (mesh.energy.potential() / ewald.energy.potential() - 1.0).abs();
        let virial = (mesh.virial - ewald.virial).max_abs() / ewald.virial.max_abs();
        assert!(force < 1e-12 && energy < 1e-13 && virial < 1e-12, "{force:.1e} {energy:.1e} {virial:.1e}");
    }
}

// A lattice translation, and a shift of everything by whole mesh points, change nothing.
#[test]
fn translations_by_mesh_points() {
    let cell = triclinic();
    let system = random(cell, 40, 0.4, 10);
    let mesh = [18, 16, 15];
    let reference = evaluate(vec![pme(&system, 3.0, 4, mesh)], &system);
    let mut moved = system.clone();
    let shift = cell.to_cartesian(amelo_math::Vec3::new(5.0 / 18.0, -3.0 / 16.0, 22.0 / 15.0));
    for r in &mut moved.positions {
        *r += shift;
    }
    moved.wrap();
    let other = evaluate(vec![pme(&moved, 3.0, 4, mesh)], &moved);
    assert!((other.energy.potential() - reference.energy.potential()).abs() < 1e-10 * 1e4);
    assert!(rms_difference(&other.on, &reference.on) < 1e-11 * rms(&reference.on));
}

fn bits(out: &Forces) -> Vec<u64> {
    let numbers = out.on.iter().flat_map(|f| f.to_array()).chain(out.energy.terms.iter().map(|(_, e)| *e));
    numbers.chain(out.virial.to_array().into_iter().flatten()).map(f64::to_bits).collect()
}

#[test]
fn bits_do_not_depend_on_threads_or_on_earlier_calls() {
    let system = random(triclinic(), 700, 0.3, 12);
    let mut other = random(triclinic(), 700, 0.3, 13);
    other.cell = Cell::orthorhombic(2.0, 2.1, 2.6).unwrap();
    let terms = || -> Vec<Box<dyn ForceTerm>> {
        vec![
            pme(&system, 3.0, 5, [24, 20, 18]),
            Box::new(Ewald::new(&system.topology, 3.0, 1e-6).unwrap()),
            Box::new(SlabCorrection::new(&system.topology, 2).unwrap()),
        ]
    };
    let run = |threads: usize, warm: bool| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut sum = TermSum::new(terms());
            let mut out = Forces::default();
            if warm {
                amelo_core::ForceProvider::evaluate(&mut sum, &other, Request::FORCES, &mut out).unwrap();
            }
            amelo_core::ForceProvider::evaluate(&mut sum, &system, Request::ALL, &mut out).unwrap();
            bits(&out)
        })
    };
    let reference = run(1, false);
    for (threads, warm) in [(2, false), (3, false), (1, true), (3, true)] {
        assert!(run(threads, warm) == reference, "{threads} threads, warm {warm}");
    }
}

#[test]
fn requests_agree() {
    let system = random(orthorhombic(), 50, 0.3, 14);
    let mut term = Pme::<4>::new(&system.topology, 3.0, [20, 20, 20]).unwrap();
    let mut all = Forces::new(50);
    let parts = term.components(&system, Request::ALL, &mut all).unwrap();
    assert_eq!(parts.total(), all.energy.get("coulomb_reciprocal"));
    let mut forces = Forces::new(50);
    term.add(&system, Request::FORCES, &mut forces).unwrap();
    assert_eq!(forces.on, all.on);
    assert!(forces.energy.terms.is_empty() && forces.virial.max_abs() == 0.0);
}

#[test]
fn refusals() {
    let system = random(orthorhombic(), 20, 0.0, 15);
    let refused = |coulomb| long_range_term(&system.topology, &settings(coulomb), &system.cell).err().unwrap();
    let mesh = [20, 20, 20];
    assert_eq!(refused(Coulomb::Pme { beta: 3.0, order: 3, mesh }), ElectrostaticsError::Order(3));
    assert_eq!(refused(Coulomb::Pme { beta: 3.0, order: 13, mesh }), ElectrostaticsError::Order(13));
    assert_eq!(refused(Coulomb::Pme { beta: -1.0, order: 4, mesh }), ElectrostaticsError::Beta(-1.0));
    assert_eq!(
        refused(Coulomb::Pme { beta: 3.0, order: 4, mesh: [20, 3, 20] }),
        ElectrostaticsError::MeshTooSmall { mesh: [20, 3, 20], order: 4 }
    );
    let huge = [usize::MAX, usize::MAX, 20];
    assert_eq!(refused(Coulomb::Pme { beta: 3.0, order: 4, mesh: huge }), ElectrostaticsError::MeshTooLarge(huge));
    assert_eq!(refused(Coulomb::Ewald { beta: 3.0, tolerance: 0.0 }), ElectrostaticsError::Tolerance(0.0));
    let none = |coulomb| long_range_term(&system.topology, &settings(coulomb), &system.cell).unwrap().is_none();
    assert!(none(Coulomb::None) && none(Coulomb::Cutoff));
}

#[test]
fn meshes_are_smooth_and_fine_enough() {
    let cell = Cell::orthorhombic(3.0, 3.7, 0.1).unwrap();
    assert_eq!(mesh_for(&cell, 0.12), [25, 32, 6]);
    assert_eq!(mesh_for(&cell, 0.1), [30, 40, 6]);
    assert_eq!(mesh_for(&cell, 0.0), [4096; 3]);
    assert!((erfc(ewald_beta(0.9, 1e-9) * 0.9) / 1e-9 - 1.0).abs() < 1e-6);
}

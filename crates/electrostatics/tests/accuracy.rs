//! The estimated force error against the measured one.

mod common;

use amelo_core::System;
use amelo_electrostatics::{Ewald, Pme, pme_for_force_error, pme_force_error};
use amelo_testkit::RealSpaceEwald;

use common::{evaluate, orthorhombic, random, rms_difference, system, triclinic};

/// Charges without any correlation, as the estimate assumes.
fn uncorrelated(cell: amelo_core::Cell, seed: u64) -> System {
    let bound = random(cell, 400, 0.0, seed);
    let noise = amelo_math::philox::Noise::new(seed, 901);
    let positions = (0..400)
        .map(|i| {
            let ([x, y], [z, _]) = (noise.uniform2(i, 0, 0), noise.uniform2(i, 0, 1));
            cell.to_cartesian(amelo_math::Vec3::new(x, y, z))
        })
        .collect();
    system(cell, positions, bound.topology.charges.clone(), &[])
}

#[test]
fn mesh_error_is_estimated_within_a_tenth() {
    for cell in [orthorhombic(), triclinic()] {
        let system = uncorrelated(cell, 21);
        let beta = 3.0;
        let exact = evaluate(vec![Box::new(Ewald::new(&system.topology, beta, 1e-14).unwrap())], &system);
        for (order, mesh) in [(4, [20, 20, 20]), (4, [32, 30, 32]), (5, [20, 24, 20]), (6, [24, 24, 25])] {
            let term: Box<dyn amelo_core::ForceTerm> = match order {
                4 => Box::new(Pme::<4>::new(&system.topology, beta, mesh).unwrap()),
                5 => Box::new(Pme::<5>::new(&system.topology, beta, mesh).unwrap()),
                _ => Box::new(Pme::<6>::new(&system.topology, beta, mesh).unwrap()),
            };
            let measured = rms_difference(&evaluate(vec![term], &system).on, &exact.on);
            let estimate = pme_force_error(&system.topology, &cell, 0.9, beta, order, mesh).unwrap().mesh;
            println!("order {order} mesh {mesh:?}: estimated {estimate:.3e}, measured {measured:.3e}");
            assert!((estimate / measured - 1.0).abs() < 0.1, "order {order}, {mesh:?}: {estimate:e} {measured:e}");
        }
    }
}

#[test]
fn chosen_parameters_meet_their_target() {
    for (cell, target) in [(orthorhombic(), 1.0), (triclinic(), 0.02)] {
        let system = uncorrelated(cell, 22);
        let r_cut = 0.9;
        let (beta, order, mesh) = pme_for_force_error(&system.topology, &cell, r_cut, target).unwrap();
        let exact = evaluate(common::full_ewald(&system, 1.1, 1e-14), &system);
        let settings = amelo_core::Nonbonded {
            r_cut,
            modifier: amelo_core::Modifier::None,
            dispersion_correction: false,
            coulomb: amelo_core::Coulomb::Pme { beta, order, mesh },
            slab: None,
            precision: Default::default(),
        };
        let term = amelo_electrostatics::long_range_term(&system.topology, &settings, &cell).unwrap().unwrap();
        let chosen = evaluate(vec![Box::new(RealSpaceEwald { beta, r_cut }), term], &system);
        let measured = rms_difference(&chosen.on, &exact.on);
        println!("target {target}: beta {beta:.3} order {order} mesh {mesh:?}, measured {measured:.3e}");
        assert!(measured < 1.2 * target && measured > 0.3 * target, "target {target}, measured {measured:e}");
    }
}

#[test]
fn impossible_targets_are_refused() {
    let system = uncorrelated(orthorhombic(), 23);
    for target in [0.0, -1.0, f64::NAN, 1e-14] {
        assert!(pme_for_force_error(&system.topology, &system.cell, 0.9, target).is_err(), "{target}");
    }
}

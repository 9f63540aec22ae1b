//! The estimated force error against the measured one.

mod common;

use amelo_core::System;
use amelo_electrostatics::{Ewald, Pme, measured_force_error, pme_for_force_error, pme_force_error};
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
    system(cell, positions, bound.topology.charges.to_vec(), &[])
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

/// Bound charges, for which the estimate is too high, against the full sum over waves.
#[test]
fn mesh_error_is_measured_within_a_tenth() {
    let system = random(triclinic(), 400, 0.0, 26);
    let beta = 3.0;
    let exact = evaluate(vec![Box::new(Ewald::new(&system.topology, beta, 1e-14).unwrap())], &system);
    for mesh in [[20, 20, 20], [32, 30, 32]] {
        let term = Pme::<4>::new(&system.topology, beta, mesh).unwrap();
        let true_error = rms_difference(&evaluate(vec![Box::new(term)], &system).on, &exact.on);
        let measured = measured_force_error(&system, 0.9, beta, 4, mesh).unwrap().mesh;
        println!("mesh {mesh:?}: measured {measured:.3e}, true {true_error:.3e}");
        assert!((measured / true_error - 1.0).abs() < 0.1, "{mesh:?}: {measured:e} {true_error:e}");
    }
}

/// What a cut-off leaves out, in narrow and skewed cells too, against sums that go four times as far.
#[test]
fn real_space_error_is_measured_within_a_fiftieth() {
    for (system, r_cut) in [
        (random(triclinic(), 400, 0.0, 26), 0.9),
        (random(orthorhombic(), 400, 0.0, 27), 0.9),
        (uncorrelated(orthorhombic(), 28), 0.6),
    ] {
        let beta = amelo_math::special::ewald_beta(r_cut, 1e-4);
        let within = |r_cut: f64| evaluate(vec![Box::new(RealSpaceEwald { beta, r_cut })], &system).on;
        let true_error = rms_difference(&within(r_cut), &within(4.0 * r_cut));
        let measured = measured_force_error(&system, r_cut, beta, 4, [32, 32, 32]).unwrap().real;
        println!("within {r_cut} nm: measured {measured:.3e}, true {true_error:.3e}");
        assert!((measured / true_error - 1.0).abs() < 0.02, "{r_cut}: {measured:e} {true_error:e}");
    }
}

/// Beside a frozen crystal the estimate knows nothing of the error's order; the measurement must not hang on it.
#[test]
fn mesh_error_is_measured_beside_a_frozen_crystal() {
    let noise = amelo_math::philox::Noise::new(29, 902);
    let (mut positions, mut charges) = (Vec::new(), Vec::new());
    for site in 0..12 * 12 * 6 {
        let at = [site % 12, site / 12 % 12, site / 144];
        positions.push(amelo_math::Vec3::new(at[0] as f64, at[1] as f64, at[2] as f64) * 0.2);
        charges.push(if at.iter().sum::<usize>() % 2 == 0 { 2.0 } else { -2.0 });
    }
    for i in 0..100 {
        let ([x, y], [z, _]) = (noise.uniform2(i, 0, 0), noise.uniform2(i, 0, 1));
        positions.push(amelo_math::Vec3::new(2.4 * x, 2.4 * y, 1.3 + 0.8 * z));
        charges.push(if i % 2 == 0 { 0.3 } else { -0.3 });
    }
    let cell = amelo_core::Cell::orthorhombic(2.4, 2.4, 2.4).unwrap();
    let mut system = system(cell, positions, charges, &[]);
    let frozen = (0..964).map(|i| i < 864).collect();
    system.topology = std::sync::Arc::new(amelo_core::Topology { frozen, ..(*system.topology).clone() });
    let beta = 3.0;
    let of_moving = |terms| evaluate(terms, &system).on[864..].to_vec();
    let exact = of_moving(vec![Box::new(Ewald::new(&system.topology, beta, 1e-14).unwrap()) as _]);
    for mesh in [[16, 16, 16], [20, 20, 20], [24, 24, 24], [30, 30, 30], [36, 36, 36]] {
        let term = Pme::<5>::new(&system.topology, beta, mesh).unwrap();
        let true_error = rms_difference(&of_moving(vec![Box::new(term)]), &exact);
        let measured = measured_force_error(&system, 0.9, beta, 5, mesh).unwrap().mesh;
        println!("mesh {mesh:?}: measured {measured:.3e}, true {true_error:.3e}");
        assert!((measured / true_error - 1.0).abs() < 0.02, "{mesh:?}: {measured:e} {true_error:e}");
    }
}

/// Largest and smallest measured error on what moves over the target, of every choice.
fn errors_over_target(system: &System, target: f64) -> [f64; 2] {
    let r_cut = 0.9;
    let exact = evaluate(common::full_ewald(system, 1.1, 1e-14), system);
    let choices = pme_for_force_error(system, r_cut, target).unwrap();
    assert!(choices.windows(2).all(|pair| pair[0].cost <= pair[1].cost));
    let mut range = [0.0, f64::INFINITY];
    for choice in choices {
        let settings = amelo_core::Nonbonded {
            r_cut,
            modifier: amelo_core::Modifier::None,
            dispersion_correction: false,
            coulomb: choice.coulomb(),
            slab: None,
            precision: Default::default(),
        };
        let term = amelo_electrostatics::long_range_term(&system.topology, &settings, &system.cell).unwrap().unwrap();
        let chosen = evaluate(vec![Box::new(RealSpaceEwald { beta: choice.beta, r_cut }), term], system);
        let of_moving = |forces: &[amelo_math::Vec3]| {
            let all = forces.iter().zip(&system.topology.frozen);
            all.filter(|(_, frozen)| !**frozen).map(|(f, _)| *f).collect::<Vec<_>>()
        };
        let measured = rms_difference(&of_moving(&chosen.on), &of_moving(&exact.on));
        println!("target {target}: {choice:?}, measured {measured:.3e}");
        assert!(choice.error() <= target);
        range = [f64::max(range[0], measured / target), f64::min(range[1], measured / target)];
    }
    range
}

// Both parts are measured, but as if they were independent.
#[test]
fn chosen_parameters_meet_their_target() {
    for (cell, target) in [(orthorhombic(), 1.0), (triclinic(), 0.02)] {
        let [largest, smallest] = errors_over_target(&uncorrelated(cell, 22), target);
        assert!(largest < 1.02 && smallest > 0.3, "target {target}: {largest} and {smallest} times");
    }
}

// Bound charges, whose mesh errors cancel in part: the choice makes use of that.
#[test]
fn chosen_parameters_fit_bound_charges() {
    let system = random(orthorhombic(), 400, 0.0, 24);
    let [largest, smallest] = errors_over_target(&system, 0.2);
    assert!(largest < 1.02 && smallest > 0.3, "{largest} and {smallest} times");
}

// Errors on atoms that do not move count for nothing: beside large frozen charges a coarser mesh does.
#[test]
fn chosen_parameters_are_for_what_moves() {
    let flexible = {
        let plain = uncorrelated(orthorhombic(), 27);
        let charges: Vec<f64> =
            plain.topology.charges.iter().enumerate().map(|(i, q)| if i < 200 { 4.0 * q } else { *q }).collect();
        system(plain.cell, plain.positions, charges, &[])
    };
    let mut frozen = flexible.clone();
    let at_rest = (0..400).map(|i| i < 200).collect();
    frozen.topology = std::sync::Arc::new(amelo_core::Topology { frozen: at_rest, ..(*flexible.topology).clone() });
    let [largest, smallest] = errors_over_target(&frozen, 0.5);
    assert!(largest < 1.02 && smallest > 0.3, "{largest} and {smallest} times");
    let points = |system: &System| pme_for_force_error(system, 0.9, 0.5).unwrap()[0].mesh.iter().product::<usize>();
    // Where nothing moves all count, as if they did.
    let mut at_rest = flexible.clone();
    at_rest.topology =
        std::sync::Arc::new(amelo_core::Topology { frozen: vec![true; 400], ..(*flexible.topology).clone() });
    let error = |system: &System| measured_force_error(system, 0.9, 3.0, 4, [20, 20, 20]).unwrap();
    assert_eq!(error(&at_rest), error(&flexible));
    assert!(error(&frozen).mesh < 0.7 * error(&flexible).mesh, "{:?} {:?}", error(&frozen), error(&flexible));
    let (all, moving) = (points(&flexible), points(&frozen));
    assert!(moving < all, "{moving} and {all} points");
}

#[test]
fn choices_do_not_depend_on_threads() {
    let system = uncorrelated(triclinic(), 25);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| pme_for_force_error(&system, 0.9, 0.3).unwrap())
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn impossible_targets_are_refused() {
    let system = uncorrelated(orthorhombic(), 23);
    for target in [0.0, -1.0, f64::NAN, 1e-14] {
        assert!(pme_for_force_error(&system, 0.9, target).is_err(), "{target}");
    }
}

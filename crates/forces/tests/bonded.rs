//! What every registered bonded form and every external term owes: F = −∇U by dual numbers over the full geometry,
//! W = −dU/dε, symmetries, and the same bits for any number of threads.

use std::sync::Arc;

use amelo_core::{Cell, Class, ForceError, Forces, FormInfo, Interactions, Request, State, System, TermSum, Topology};
use amelo_forces::bonded::geometry::{angle, dihedral};
use amelo_forces::bonded::{AnyAngle, AnyBond, AnyDihedral, AnyForm, AnyImproper, examples};
use amelo_forces::{ElectricField, ForcesError, PositionRestraint, ReferenceScaling, bonded_terms, registry};
use amelo_math::{Mat3, Real, Vec3};
use amelo_testkit::{
    Dual, RandomSystem, check_images, check_permutation, check_requests, check_translation, evaluate, force_error,
    provider, strain_virial,
};

/// Chains of six in an orthorhombic and in a skewed cell, every run of atoms along a chain with `form`.
fn systems(class: Class, form: &str, parameters: &[f64]) -> [System; 2] {
    let spec = RandomSystem { n_atoms: 60, min_distance: 0.2, chain: 6, ..Default::default() };
    [spec.clone().build(), RandomSystem { seed: 2, ..spec }.triclinic().build()].map(|system| {
        let n = class.arity();
        let mut atoms = Vec::new();
        for first in (0..60).step_by(6) {
            for i in first..first + 7 - n {
                atoms.extend((i..i + n).map(|a| a as u32));
            }
        }
        let count = atoms.len() / n;
        let list = Interactions {
            class,
            form: form.into(),
            atoms,
            kind: (0..count as u32).map(|k| k % 2).collect(),
            parameters: vec![parameters.to_vec(); 2],
        };
        let topology = Topology { interactions: vec![list].into(), ..(*system.topology).clone() };
        System { topology: Arc::new(topology), ..system }
    })
}

fn terms(system: &System) -> TermSum {
    TermSum::new(bonded_terms(&system.topology).unwrap())
}

fn key(class: Class) -> &'static str {
    match class {
        Class::Bond => "bond",
        Class::Angle => "angle",
        Class::Dihedral => "dihedral",
        Class::Improper => "improper",
    }
}

/// U of one interaction from the positions of its atoms, in any number type.
fn energy<R: Real>(class: Class, info: &FormInfo, parameters: &[f64], r: &[Vec3<R>]) -> R {
    let (name, p) = (info.name, parameters);
    match class {
        Class::Bond => AnyBond::new(name, p).unwrap().eval((r[0] - r[1]).norm()).energy,
        Class::Angle => {
            let form = AnyAngle::new(name, p).unwrap();
            let bend = form.eval(angle(r[0] - r[1], r[2] - r[1])).energy;
            form.eval_ends((r[0] - r[2]).norm()).map_or(bend, |ends| bend + ends.energy)
        }
        Class::Dihedral => {
            AnyDihedral::new(name, p).unwrap().eval(dihedral(r[1] - r[0], r[2] - r[1], r[3] - r[2])).energy
        }
        Class::Improper => {
            AnyImproper::new(name, p).unwrap().eval(dihedral(r[1] - r[0], r[2] - r[1], r[3] - r[2])).energy
        }
    }
}

#[test]
fn every_form_explains_itself_and_refuses_what_it_cannot_use() {
    let rows = examples();
    assert_eq!(rows.len(), amelo_forces::bonded::all().len());
    assert_eq!(registry::all().len(), rows.len() + registry::pair_potentials().len());
    for (class, info, parameters) in rows {
        let name = format!("{} {}", key(class), info.name);
        assert!(info.formula.contains("U(") && !info.citation.is_empty() && !info.summary.is_empty(), "{name}");
        assert_eq!(info.parameters.len(), parameters.len(), "{name}");
        let refuse = |p: &[f64]| {
            let list = Interactions {
                class,
                form: info.name.into(),
                atoms: vec![0; class.arity()],
                kind: vec![0],
                parameters: vec![p.to_vec()],
            };
            bonded_terms(&Topology { type_of: vec![0].into(), interactions: vec![list].into(), ..Default::default() })
                .err()
        };
        assert_eq!(refuse(parameters), None, "{name}");
        assert!(matches!(refuse(&parameters[1..]), Some(ForcesError::ParameterCount { .. })), "{name}");
        let mut not_a_number = parameters.to_vec();
        not_a_number[0] = f64::NAN;
        assert!(matches!(refuse(&not_a_number), Some(ForcesError::Parameter { .. })), "{name}");
    }
    let message = AnyDihedral::new("opsl", &[]).unwrap_err().to_string();
    assert!(message.contains("opsl") && message.contains("opls, ryckaert_bellemans, periodic"), "{message}");
}

/// U′ against dual numbers over the whole range of the coordinate.
#[test]
fn slopes_are_the_derivatives_of_energies() {
    for (class, info, p) in examples() {
        for k in 1..200 {
            let x = match class {
                Class::Bond => 0.02 * f64::from(k),
                Class::Angle => std::f64::consts::PI * f64::from(k) / 200.0,
                Class::Dihedral | Class::Improper => std::f64::consts::PI * (f64::from(k) / 100.0 - 1.0),
            };
            let (energy, slope) = match class {
                Class::Bond => both::<AnyBond>(info.name, p, x),
                Class::Angle => both::<AnyAngle>(info.name, p, x),
                Class::Dihedral => both::<AnyDihedral>(info.name, p, x),
                Class::Improper => both::<AnyImproper>(info.name, p, x),
            };
            // A few roundings of terms as large as the largest parameter times the multiplicity.
            let size = p.iter().fold(1.0, |m: f64, v| m.max(v.abs())) * 16.0;
            assert!((energy - slope).abs() < 1e-14 * size, "{} {} at {x}: {energy} {slope}", key(class), info.name);
        }
    }
}

/// dU/dx by dual numbers, and U′ as the form states it.
fn both<A: AnyForm>(name: &str, parameters: &[f64], x: f64) -> (f64, f64) {
    let form = A::new(name, parameters).unwrap();
    (form.eval(Dual::variable(x)).energy.derivative, form.eval(x).slope)
}

/// The loops' forces, energies and virial against dual numbers of every coordinate of every atom.
#[test]
fn forces_and_virial_are_those_of_dual_numbers_over_the_geometry() {
    for (class, info, p) in examples() {
        for system in systems(class, info.name, p) {
            let n = system.n_atoms();
            let (mut total, mut on, mut virial) = (0.0, vec![Vec3::ZERO; n], Mat3::ZERO);
            for (atoms, parameters) in system.topology.interactions[0].iter() {
                // One whole image of the interaction around its first atom.
                let mut r = vec![system.positions[atoms[0] as usize]];
                for m in 1..atoms.len() {
                    let step = system.positions[atoms[m] as usize] - system.positions[atoms[m - 1] as usize];
                    r.push(r[m - 1] + system.cell.minimum_image(step));
                }
                total += energy::<f64>(class, &info, parameters, &r);
                for (m, &atom) in atoms.iter().enumerate() {
                    let mut force = Vec3::ZERO;
                    for axis in 0..3 {
                        let mut dual: Vec<Vec3<Dual>> = r.iter().map(|r| Vec3::splat_from(*r)).collect();
                        dual[m][axis] = Dual::variable(r[m][axis]);
                        force[axis] = -energy(class, &info, parameters, &dual).derivative;
                    }
                    on[atom as usize] += force;
                    virial += r[m].outer(force);
                }
            }
            let found = evaluate(&mut terms(&system), &system).unwrap();
            let name = format!("{} {}", key(class), info.name);
            assert!((found.energy.get(key(class)) / total - 1.0).abs() < 1e-12, "{name}");
            let rms = amelo_testkit::rms(&on);
            // Rounding, amplified where atoms of these random chains come close to a line.
            let worst = (0..n).map(|i| (found.on[i] - on[i]).norm()).fold(0.0, f64::max);
            assert!(worst < 1e-9 * rms + 1e-8, "{name}: {worst:e} of {rms:e}");
            assert!((found.virial - virial).max_abs() < 1e-10 * virial.max_abs() + 1e-8, "{name}");
            let asymmetry = (found.virial - found.virial.transpose()).max_abs();
            assert!(asymmetry < 1e-10 * virial.max_abs() + 1e-8, "{name}: {asymmetry:e}");
        }
    }
}

#[test]
fn virial_is_the_strain_derivative() {
    for (class, info, p) in examples() {
        for system in systems(class, info.name, p) {
            let mut terms = terms(&system);
            let found = evaluate(&mut terms, &system).unwrap();
            let strain = strain_virial(&mut terms, &system, 1e-5).unwrap();
            let error = (found.virial - strain).max_abs() / strain.max_abs();
            assert!(error < 1e-6, "{} {}: {error:e}", key(class), info.name);
        }
    }
}

#[test]
fn nothing_depends_on_origin_images_order_request_or_threads() {
    for (class, info, p) in examples() {
        for system in systems(class, info.name, p) {
            let name = format!("{} {}", key(class), info.name);
            let mut sum = terms(&system);
            let forces = evaluate(&mut sum, &system).unwrap();
            let scale = forces.energy.potential().abs().max(forces.virial.max_abs());
            check_requests(&mut sum, &system).unwrap();
            assert!(check_translation(&mut sum, &system, Vec3::new(0.3, -0.7, 1.1), scale).unwrap() < 1e-9, "{name}");
            assert!(check_images(&mut sum, &system, scale).unwrap() < 1e-9, "{name}");
            assert!(check_permutation(terms, &system, scale).unwrap() < 1e-9, "{name}");
            let net: Vec3 = forces.on.iter().copied().sum();
            assert!(net.norm() < 1e-8 * 60.0, "{name}: net force {net:?}");
            let on_threads = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| evaluate(&mut terms(&system), &system).unwrap())
            };
            assert_eq!(on_threads(1), on_threads(3), "{name}");
        }
    }
}

/// Straight angles and dihedrals on a line: finite numbers, and small forces where the energy is at its minimum.
#[test]
fn collinear_atoms_are_no_accident() {
    let chain = |bend: f64| {
        // The last atom leaves the plane, or the improper would sit where its energy has a kink.
        let r = [[0.0, 0.0, 0.0], [0.15, 0.0, 0.0], [0.3, bend, 0.0], [0.45, bend, bend]]
            .map(|[x, y, z]| Vec3::new(x + 1.0, y + 1.0, z + 1.0));
        let list = |class: Class, form: &str, atoms: Vec<u32>, p: &[f64]| Interactions {
            class,
            form: form.into(),
            atoms,
            kind: vec![0],
            parameters: vec![p.to_vec()],
        };
        let interactions = vec![
            list(Class::Angle, "harmonic", vec![0, 1, 2], &[std::f64::consts::PI, 500.0]),
            list(Class::Dihedral, "opls", vec![0, 1, 2, 3], &[1.0, 2.0, 3.0, 4.0]),
            list(Class::Improper, "harmonic", vec![0, 1, 2, 3], &[0.0, 100.0]),
        ];
        let topology = Topology {
            type_of: vec![0; 4].into(),
            masses: vec![1.0; 4].into(),
            charges: vec![0.0; 4].into(),
            interactions: interactions.into(),
            ..Default::default()
        };
        System::new(Arc::new(topology), Cell::orthorhombic(3.0, 3.0, 3.0).unwrap(), r.to_vec())
    };
    for bend in [0.0, 1e-16, 1e-13, 1e-9, 1e-6, 1e-4] {
        let system = chain(bend);
        let forces = evaluate(&mut terms(&system), &system).unwrap();
        assert!(forces.on.iter().all(|f| f.is_finite()) && forces.energy.potential().is_finite(), "{bend}");
        assert!(forces.energy.get("angle") < 1e-3);
    }
    // A dihedral well off the line is unaffected by the test for it.
    let system = chain(0.05);
    assert!(force_error(&mut terms(&system), &system, &[0, 1, 2, 3], 1e-5).unwrap() < 1e-6);
}

#[test]
fn atoms_torn_apart_are_an_error_not_a_number() {
    let [system, _] = systems(Class::Bond, "harmonic", &[0.1, 1e12]);
    let error = evaluate(&mut terms(&system), &system).unwrap_err();
    assert!(matches!(error, ForceError::Overlap { term: "bond", .. }), "{error}");
}

fn restraint(system: &System, scaling: ReferenceScaling) -> PositionRestraint {
    let atoms: Vec<u32> = (0..system.n_atoms() as u32).step_by(3).collect();
    let noise = amelo_math::philox::Noise::new(5, 90);
    let reference: Vec<Vec3> =
        atoms.iter().map(|&a| system.positions[a as usize] + noise.normal3(a, 0, 0) * 0.1).collect();
    PositionRestraint::new(&system.topology, atoms, &reference, &system.cell, 1000.0, scaling).unwrap()
}

#[test]
fn position_restraints_are_derivatives_of_their_energy() {
    for system in systems(Class::Bond, "harmonic", &[0.1, 1.0]) {
        for scaling in [ReferenceScaling::WithCell, ReferenceScaling::Fixed] {
            let mut term = provider(restraint(&system, scaling));
            assert!(force_error(&mut term, &system, &[0, 3, 6, 9], 1e-4).unwrap() < 1e-8, "{scaling:?}");
            let found = evaluate(&mut term, &system).unwrap();
            assert!(found.energy.get("position_restraint") > 1.0);
            check_requests(&mut term, &system).unwrap();
            assert!(check_images(&mut term, &system, found.energy.potential()).unwrap() < 1e-9);
            // Lower-triangular strains; a fixed tether resists rotation, so its upper triangle does not follow.
            let strain = strain_virial(&mut term, &system, 1e-5).unwrap();
            for (a, b) in [(0, 0), (1, 1), (2, 2)] {
                let error = (found.virial[(a, b)] - strain[(a, b)]).abs() / strain.max_abs();
                assert!(error < 1e-6, "{scaling:?} {a}{b}: {} {}", found.virial[(a, b)], strain[(a, b)]);
            }
        }
    }
}

#[test]
fn restrained_references_move_with_the_cell_or_not_and_survive_a_restart() {
    let [system, _] = systems(Class::Bond, "harmonic", &[0.1, 1.0]);
    let scaled = |factor: f64| {
        let cell = system.cell.deformed(Mat3::IDENTITY * (factor - 1.0)).unwrap();
        System { cell, positions: system.positions.iter().map(|r| *r * factor).collect(), ..system.clone() }
    };
    let energy = |term: PositionRestraint, system: &System| evaluate(&mut provider(term), system).unwrap().energy;
    let of = |scaling, factor| energy(restraint(&system, scaling), &scaled(factor)).potential();
    let before = of(ReferenceScaling::WithCell, 1.0);
    assert!((of(ReferenceScaling::WithCell, 1.1) / (before * 1.21) - 1.0).abs() < 1e-10, "only the spring stretches");
    assert!(of(ReferenceScaling::Fixed, 1.1) > 2.0 * before, "the atoms leave their tethers");

    let original = restraint(&system, ReferenceScaling::WithCell);
    let atoms: Vec<u32> = (0..system.n_atoms() as u32).step_by(3).collect();
    let here: Vec<Vec3> = atoms.iter().map(|&a| system.positions[a as usize]).collect();
    let mut fresh =
        PositionRestraint::new(&system.topology, atoms, &here, &system.cell, 1000.0, ReferenceScaling::WithCell)
            .unwrap();
    let mut state = State::default();
    amelo_core::ForceTerm::save(&original, "restraint/0/", &mut state);
    amelo_core::ForceTerm::restore(&mut fresh, "restraint/0/", &state).unwrap();
    assert_eq!(energy(fresh, &system), energy(original, &system));

    let message =
        PositionRestraint::new(&system.topology, vec![999], &[Vec3::ZERO], &system.cell, 1.0, Default::default())
            .unwrap_err()
            .to_string();
    assert!(message.contains("999") && message.contains("60"), "{message}");
}

/// The force is qE whatever the position, the energy is its potential also across the boundary, and there is no virial.
#[test]
fn electric_field_pushes_charges_and_is_no_stress() {
    for system in systems(Class::Bond, "harmonic", &[0.1, 1.0]) {
        let field = Vec3::new(3.0, -20.0, 11.0);
        let mut term = provider(ElectricField::new(field).unwrap());
        let found = evaluate(&mut term, &system).unwrap();
        let q = &system.topology.charges;
        assert!(q.iter().any(|q| q.abs() > 0.1), "charged atoms are needed");
        assert!((0..system.n_atoms()).all(|i| (found.on[i] - field * q[i]).norm() < 1e-12));
        assert!(force_error(&mut term, &system, &[0, 1, 2], 1e-4).unwrap() < 1e-7);
        assert_eq!(found.virial, Mat3::ZERO);
        check_requests(&mut term, &system).unwrap_or(());

        // Moving every atom by d, through the boundary for many, changes U by −E·d Σq exactly.
        let d = Vec3::new(1.3, 0.4, -0.9);
        let mut moved = system.clone();
        moved.positions.iter_mut().for_each(|r| *r += d);
        moved.wrap();
        let after = evaluate(&mut term, &moved).unwrap();
        let expected = -field.dot(d) * system.topology.total_charge();
        let change = after.energy.potential() - found.energy.potential();
        assert!((change - expected).abs() < 1e-9 * found.energy.potential().abs().max(1.0), "{change} {expected}");
        let mut forces = Forces::new(system.n_atoms());
        amelo_core::ForceProvider::evaluate(&mut term, &system, Request::FORCES, &mut forces).unwrap();
        assert!(forces.energy.terms.is_empty());
    }
    let message = ElectricField::new(Vec3::new(f64::NAN, 0.0, 0.0)).unwrap_err().to_string();
    assert!(message.contains("NaN"), "{message}");
}

//! The terms around the pair loop against analytic results: tail, guard, push-off, set-up errors.

use std::f64::consts::PI;
use std::sync::Arc;

use amelo_core::units::COULOMB;
use amelo_core::{
    AtomType, Cell, Coulomb, Exclusions, Forces, Modifier, Nonbonded, PairEntry, PairTable, Provenance, Request,
    ScaledPair, System, Topology,
};
use amelo_forces::{DispersionCorrection, NonbondedTerm, PushOff, ScaledPairs};
use amelo_math::Vec3;
use amelo_testkit::{RandomSystem, evaluate, force_error, provider, strain_virial};

fn entry(form: &str, parameters: &[f64]) -> PairEntry {
    let parameters = parameters.to_vec();
    PairEntry { form: form.into(), parameters, provenance: Provenance::Explicit, source: "test".into() }
}

fn table(entries: &[PairEntry], n_types: usize) -> PairTable {
    let mut next = entries.iter().cycle();
    PairTable::from_fn(n_types, |_, _| Ok::<_, ()>(next.next().unwrap().clone())).unwrap()
}

fn settings(r_cut: f64, modifier: Modifier) -> Nonbonded {
    Nonbonded {
        r_cut,
        modifier,
        dispersion_correction: true,
        coulomb: Coulomb::None,
        slab: None,
        precision: Default::default(),
    }
}

/// Atoms of one or more types, without charges, bonds or exclusions.
fn atoms(cell: Cell, positions: Vec<Vec3>, types: &[u32]) -> System {
    let n = positions.len();
    let n_types = types.iter().max().unwrap() + 1;
    let topology = Topology {
        types: (0..n_types).map(|k| AtomType { name: format!("T{k}"), element: "Ar".into() }).collect(),
        type_of: (0..n).map(|i| types[i % types.len()]).collect(),
        names: vec!["X"; n].into(),
        masses: vec![1.0; n].into(),
        charges: vec![0.0; n].into(),
        nominal_charges: vec![0.0; n].into(),
        exclusions: Exclusions::new(n, []),
        frozen: vec![false; n],
        ..Topology::default()
    };
    System::new(Arc::new(topology), cell, positions)
}

/// A face-centred cubic crystal of `m`³ conventional cells with edge `a` (nm).
fn fcc(m: usize, a: f64) -> System {
    let mut positions = Vec::new();
    for x in 0..m {
        for y in 0..m {
            for z in 0..m {
                let corner = Vec3::new(x as f64, y as f64, z as f64);
                for basis in [[0.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]] {
                    positions.push((corner + Vec3::from(basis)) * a);
                }
            }
        }
    }
    let l = m as f64 * a;
    atoms(Cell::orthorhombic(l, l, l).unwrap(), positions, &[0])
}

/// The convention of the tail, number by number: a box of 30 atoms with σ = ε = 1 and r_c = 3 in a cube of edge 8.
/// U = −(2π/3) N ρ C₆/r_c³ with C₆ = 4 for `none`, twice that for `potential-shift`; P = −(4π/3) ρ² C₆/r_c³.
#[test]
fn tail_of_one_type_is_the_textbook_formula() {
    let system = RandomSystem {
        n_atoms: 30,
        n_types: 1,
        cell: Cell::orthorhombic(8.0, 8.0, 8.0).unwrap(),
        min_distance: 1.0,
        ..Default::default()
    }
    .build();
    let table = table(&[entry("lennard_jones", &[1.0, 1.0])], 1);
    let rho = 30.0 / 512.0;
    for (modifier, factor) in [(Modifier::None, 1.0), (Modifier::PotentialShift, 2.0)] {
        let tail = DispersionCorrection::new(&system.topology, &table, &settings(3.0, modifier)).unwrap();
        let forces = evaluate(&mut provider(tail), &system).unwrap();
        let energy = -factor * 2.0 * PI / 3.0 * 30.0 * rho * 4.0 / 27.0;
        assert!((forces.energy.get("dispersion_correction") / energy - 1.0).abs() < 1e-14);
        let pressure = -4.0 * PI / 3.0 * rho * rho * 4.0 / 27.0;
        for k in 0..3 {
            assert!((forces.virial[(k, k)] / (pressure * 512.0) - 1.0).abs() < 1e-13);
        }
        assert!(forces.on.iter().all(|f| *f == Vec3::ZERO));
    }
    // With the repulsive part of the tail, (8π/9) N ρ/r_c⁹, this is the −0.54517 that NIST's reference page for
    // Lennard-Jones configurations gives for its configuration 4.
    let tail = DispersionCorrection::new(&system.topology, &table, &settings(3.0, Modifier::None)).unwrap();
    let nist = tail.energy(512.0) + 8.0 * PI / 9.0 * 30.0 * rho / f64::powi(3.0, 9);
    assert!((nist - -0.54517).abs() < 5e-6, "{nist}");
}

/// ⟨C₆⟩ counts pairs of atoms, not of types, and Buckingham's C is a C₆.
#[test]
fn tail_averages_over_all_pairs_of_atoms() {
    let entries =
        [entry("lennard_jones", &[1.0, 0.25]), entry("none", &[]), entry("buckingham", &[1.0e5, 0.03, 0.005])];
    // Three atoms of type 0 for every one of type 1: weights 9/16, 6/16, 1/16 of C₆ = 1, 0, 0.005.
    let positions = (0..40).map(|k| Vec3::new(f64::from(k) * 0.1, 0.0, 0.0)).collect();
    let system = atoms(Cell::orthorhombic(4.0, 4.0, 4.0).unwrap(), positions, &[0, 0, 0, 1]);
    let tail =
        DispersionCorrection::new(&system.topology, &table(&entries, 2), &settings(1.0, Modifier::None)).unwrap();
    assert!((tail.mean_c6() - (9.0 + 0.005) / 16.0).abs() < 1e-15);
}

/// Where the potential is continuous the tail's virial is its own strain derivative; with `none` it is not, by a factor.
#[test]
fn tail_virial_is_its_strain_derivative_unless_truncated() {
    let system = RandomSystem::default().triclinic().build();
    let table = table(&[entry("lennard_jones", &[0.3, 0.8])], 2);
    for modifier in [
        Modifier::PotentialShift,
        Modifier::ForceShift,
        Modifier::ForceSwitch { r_switch: 0.7 },
        Modifier::EnergySwitch { r_switch: 0.7 },
        Modifier::None,
    ] {
        let tail = DispersionCorrection::new(&system.topology, &table, &settings(0.9, modifier)).unwrap();
        let mut tail = provider(tail);
        let virial = evaluate(&mut tail, &system).unwrap().virial;
        let strain = strain_virial(&mut tail, &system, 1e-4).unwrap();
        let factor = if modifier == Modifier::None { 0.5 } else { 1.0 };
        let error = (virial * factor - strain).max_abs() / virial.max_abs();
        assert!(error < 1e-10, "{modifier:?}: {error:e}");
    }
}

/// Energy and pressure of the Lennard-Jones fcc crystal against its lattice sums, Σ(d/r)¹² = 12.13188 and
/// Σ(d/r)⁶ = 14.45392 over all neighbours of an atom, d the nearest distance (C. Kittel, Introduction to Solid State
/// Physics, chapter 3). Sum and tail together must give them for every modifier: this is what the tail is for.
#[test]
fn crystal_with_tail_has_the_lattice_energy_and_pressure_for_every_modifier() {
    let (sigma, epsilon, a) = (0.34, 1.0, 0.53);
    let system = fcc(7, a);
    let n = system.n_atoms() as f64;
    let x6 = (sigma / (a / 2.0_f64.sqrt())).powi(6);
    let energy = 2.0 * epsilon * n * (12.13188 * x6 * x6 - 14.45392 * x6);
    // P V = −V dU/dV = Σ (12 … − 6 …)/3.
    let pressure = 2.0 * epsilon * n * (12.0 * 12.13188 * x6 * x6 - 6.0 * 14.45392 * x6) / 3.0;
    let table = table(&[entry("lennard_jones", &[sigma, epsilon])], 1);
    for modifier in [
        Modifier::None,
        Modifier::PotentialShift,
        Modifier::ForceShift,
        Modifier::ForceSwitch { r_switch: 1.3 },
        Modifier::EnergySwitch { r_switch: 1.3 },
    ] {
        let settings = settings(1.8, modifier);
        let mut terms = provider(NonbondedTerm::new(&system.topology, &table, &settings).unwrap());
        terms.terms.push(Box::new(DispersionCorrection::new(&system.topology, &table, &settings).unwrap()));
        let forces = evaluate(&mut terms, &system).unwrap();
        // Discrete shells at a sharp cut-off leave some 1e-3 of the energy.
        let error = forces.energy.potential() / energy - 1.0;
        assert!(error.abs() < 2e-3, "{modifier:?}: energy {error:e}");
        let error = (forces.virial.trace() / 3.0 - pressure) / energy;
        assert!(error.abs() < 8e-3, "{modifier:?}: pressure {error:e}");
    }
}

/// Two ions inside the barrier: pushed apart, counted, and the energy is finite.
#[test]
fn entries_into_the_guard_are_counted() {
    let oxide = [1_636_165.0, 0.0194, 1.215e-3];
    let table = table(&[entry("buckingham", &oxide)], 1);
    let cell = Cell::orthorhombic(3.0, 3.0, 3.0).unwrap();
    let term = |r: f64| {
        let system = atoms(cell, vec![Vec3::ZERO, Vec3::new(r, 0.0, 0.0)], &[0]);
        let term = NonbondedTerm::new(&system.topology, &table, &settings(1.0, Modifier::PotentialShift)).unwrap();
        evaluate(&mut provider(term), &system).unwrap()
    };
    let inside = term(0.05);
    assert_eq!(inside.events, vec![("guard", 1)]);
    assert!(inside.on[1].x > 1e5, "pushed apart: {:?}", inside.on[1]);
    let outside = term(0.06);
    assert!(outside.events.is_empty());
    assert!(inside.energy.potential() > outside.energy.potential());
}

#[test]
fn push_off_is_bounded_and_a_derivative() {
    let table =
        table(&[entry("lennard_jones", &[0.3, 0.5]), entry("none", &[]), entry("lennard_jones", &[0.25, 0.2])], 2);
    for mut system in [
        RandomSystem { min_distance: 0.05, n_atoms: 120, chain: 4, ..Default::default() }.build(),
        RandomSystem { min_distance: 0.05, n_atoms: 120, chain: 4, ..Default::default() }.triclinic().build(),
    ] {
        let push = PushOff::new(&system.topology, &table, 500.0).unwrap();
        // 4ε x¹² ≈ 25 kJ/mol at r = σ/x; a pair without a potential keeps the least distance.
        assert!((push.contact(0, 0) - 0.24).abs() < 0.01, "{}", push.contact(0, 0));
        assert_eq!(push.contact(0, 1), 0.12);
        let mut term = provider(push);
        assert!(evaluate(&mut term, &system).unwrap().energy.get("push_off") > 100.0);
        let error = force_error(&mut term, &system, &[0, 31, 60, 119], 1e-6).unwrap();
        assert!(error < 1e-6, "{error:e}");
        let virial = evaluate(&mut term, &system).unwrap().virial;
        let strain = strain_virial(&mut term, &system, 1e-6).unwrap();
        assert!((virial - strain).max_abs() < 1e-6 * virial.max_abs());

        // Two atoms exactly on each other come apart.
        system.positions[119] = system.positions[1];
        let forces = evaluate(&mut term, &system).unwrap();
        assert!(forces.on[119].norm() > 100.0 && forces.on[119].is_finite());

        // Steepest descent takes all of it away.
        let mut forces = Forces::new(system.n_atoms());
        for _ in 0..2000 {
            forces.clear(system.n_atoms());
            term.terms[0].add(&system, Request::ALL, &mut forces).unwrap();
            for (r, f) in system.positions.iter_mut().zip(&forces.on) {
                *r += *f * (0.004 / f.norm().max(200.0));
            }
            system.wrap();
        }
        assert!(forces.energy.potential() < 1e-9, "{}", forces.energy.potential());
    }
}

#[test]
fn what_cannot_be_set_up_is_said_with_names_and_numbers() {
    let system = RandomSystem::default().build();
    let t = &system.topology;
    let good = table(&[entry("lennard_jones", &[0.3, 0.5])], 2);
    let message = |table: &PairTable, settings: Nonbonded| {
        NonbondedTerm::new(t, table, &settings).map(|_| ()).unwrap_err().to_string()
    };
    let m = message(&good, settings(0.9, Modifier::ForceSwitch { r_switch: 1.0 }));
    assert!(m.contains("switch distance is 1 nm") && m.contains("0.9 nm"), "{m}");
    let m = message(&good, settings(-1.0, Modifier::None));
    assert!(m.contains("cut-off is -1 nm"), "{m}");
    let m = message(&table(&[entry("lennard_jones", &[0.3])], 2), settings(0.9, Modifier::None));
    assert!(m.contains("T0–T0") && m.contains("sigma, epsilon"), "{m}");
    let m = message(&table(&[entry("morse", &[0.3])], 2), settings(0.9, Modifier::None));
    assert!(m.contains("\"morse\"") && m.contains("buckingham"), "{m}");
    let m = message(&table(&[entry("lennard_jones", &[0.3, 0.5])], 3), settings(0.9, Modifier::None));
    assert!(m.contains("3 atom types") && m.contains("2"), "{m}");
    assert!(PushOff::new(t, &good, f64::INFINITY).is_err());
}

/// A pair with charges of its own: Coulomb's law with them, whatever the atoms carry.
#[test]
fn scaled_pairs_may_carry_their_own_charges() {
    let mut system = atoms(
        Cell::orthorhombic(3.0, 3.0, 3.0).unwrap(),
        vec![Vec3::new(0.1, 0.2, 0.3), Vec3::new(0.1, 0.2, 2.9)],
        &[0],
    );
    let pair = ScaledPair {
        atoms: [0, 1],
        vdw: 0.0,
        coulomb: 0.8,
        charges: Some([0.5, -0.25]),
        pair_override: None,
        cut: false,
    };
    let mut topology = (*system.topology).clone();
    topology.charges = vec![3.0, 0.0].into();
    topology.scaled_pairs = vec![pair, ScaledPair { charges: None, ..pair }].into();
    system.topology = Arc::new(topology);
    let table = table(&[entry("none", &[])], 1);
    let mut terms = provider(ScaledPairs::new(&system.topology, &table, &settings(0.9, Modifier::None)).unwrap());
    let forces = evaluate(&mut terms, &system).unwrap();
    let r = 0.4; // through the boundary
    let expected = COULOMB * 0.8 * 0.5 * -0.25 / r;
    assert!((forces.energy.get("coulomb_14") / expected - 1.0).abs() < 1e-13);
    // Opposite charges: atom 0 is pulled down, to the image below the boundary.
    assert!((forces.on[0].z / (expected / r) - 1.0).abs() < 1e-9, "{:?}", forces.on[0]);
}

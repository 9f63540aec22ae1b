use std::f64::consts::{PI, TAU};
use std::sync::Arc;

use amelo_core::{Cell, Interactions};
use amelo_math::Vec3;
use amelo_math::philox::Noise;

use super::*;
use crate::bonded::{AnyForm, examples};
use crate::loops::bonded::Bonded;

const N: usize = 1500;

/// A chain of atoms 0.15 nm apart with angles of 50° to 130°, longer than two blocks, in a right-angled and in an oblique
/// cell. Every fifth interaction is another one between atoms far along the chain, which stand nearby.
fn systems(class: Class, form: &str, parameters: &[f64]) -> [System; 2] {
    let noise = Noise::new(6, 90);
    let mut positions = vec![Vec3::new(1.0, 1.0, 1.0)];
    let mut last = Vec3::unit(0);
    for k in 1..N {
        let mut draw = 0;
        loop {
            let direction = noise.normal3(k as u32, 0, draw).normalized();
            draw += 1;
            if direction.dot(last).abs() < 0.64 {
                last = direction;
                break;
            }
        }
        positions.push(positions[k - 1] + last * 0.15);
    }
    let arity = class.arity();
    let mut atoms = Vec::new();
    for i in 0..N + 1 - arity {
        // Backwards, too.
        let chain = (i..i + arity).map(|a| a as u32);
        if i % 3 == 0 { atoms.extend(chain.rev()) } else { atoms.extend(chain) }
    }
    let n = atoms.len() / arity;
    let list = Interactions {
        class,
        form: form.into(),
        atoms,
        kind: (0..n as u32).map(|i| i % 2).collect(),
        parameters: vec![parameters.to_vec(), parameters.to_vec()],
    };
    let topology = Arc::new(Topology {
        type_of: vec![0; N].into(),
        masses: vec![1.0; N].into(),
        charges: vec![0.0; N].into(),
        interactions: vec![list].into(),
        ..Topology::default()
    });
    let oblique = Mat3::from_array([[2.3, 0.0, 0.0], [0.7, 2.1, 0.0], [-0.6, 0.5, 1.9]]);
    [Mat3::diagonal(2.0, 2.1, 2.2), oblique].map(|vectors| {
        let mut system = System::new(topology.clone(), Cell::new(vectors).unwrap(), positions.clone());
        system.wrap();
        system
    })
}

fn mixed(system: &System, pairs: &[([u32; 2], PlainPair)], isa: Isa) -> MixedBonded {
    // Kinds in another order than the pairs.
    let kinds: Vec<PlainPair> = pairs.iter().rev().map(|p| p.1).collect();
    let pairs = (0..kinds.len()).map(|k| ((kinds.len() - 1 - k) as u32, pairs[k].0)).collect();
    MixedBonded::new(&system.topology, PlainPairs { kinds, pairs }, isa).unwrap().unwrap()
}

fn evaluate(term: &mut dyn ForceTerm, system: &System, want: Request) -> Forces {
    let mut out = Forces::new(system.n_atoms());
    term.add(system, want, &mut out).unwrap();
    out
}

/// Largest slope of the form with `parameters` where the chain of [`systems`] comes, kJ/mol/nm on an atom.
fn scale(class: Class, form: &str, parameters: &[f64]) -> f64 {
    let slope = |x: f64| match class {
        Class::Bond => AnyBond::new(form, parameters).unwrap().eval(0.3 * x).slope,
        Class::Angle => AnyAngle::new(form, parameters).unwrap().eval(3.0 * x).slope / 0.15,
        Class::Dihedral => AnyDihedral::new(form, parameters).unwrap().eval(TAU * x - PI).slope / 0.15,
        Class::Improper => AnyImproper::new(form, parameters).unwrap().eval(TAU * x - PI).slope / 0.15,
    };
    (0..=100).map(|k| slope(f64::from(k) / 100.0).abs()).fold(0.0, f64::max)
}

fn available() -> impl Iterator<Item = Isa> {
    Isa::ALL.into_iter().filter(|isa| isa.is_available())
}

fn worst(a: &Forces, b: &Forces) -> f64 {
    a.on.iter().zip(&b.on).map(|(a, b)| (*a - *b).norm()).fold(0.0, f64::max)
}

#[test]
fn every_form_is_that_of_f64_to_the_rounding_of_f32() {
    for (class, info, parameters) in examples() {
        for system in systems(class, info.name, parameters) {
            let expected = evaluate(&mut Bonded::new(&system.topology, Isa::Portable).unwrap(), &system, Request::ALL);
            let scale = scale(class, info.name, parameters);
            for isa in available() {
                let found = evaluate(&mut mixed(&system, &[], isa), &system, Request::ALL);
                let name = format!("{class:?} {} with {}", info.name, isa.name());
                // A few roundings of 6e-8 each in up to twelve interactions, amplified by 1/sin² of the angles and by
                // Ryckaert and Bellemans' large coefficients, which nearly cancel; and those to fixed point.
                let error = worst(&found, &expected);
                assert!(error < 4e-6 * scale + 5e-5, "{name}: {error:e} of {scale:e}");
                let (energy, exact) = (found.energy.potential(), expected.energy.potential());
                // Every bond is 0.009 nm longer than at rest: a difference of lengths that are 16 times as large, each
                // rounded, enters squared.
                assert!((energy / exact - 1.0).abs() < 4e-6, "{name}: {energy} and {exact}");
                let difference = (found.virial - expected.virial).max_abs();
                assert!(difference < 2e-5 * expected.virial.max_abs(), "{name}: {difference:e}");
                // Multiples of 2⁻¹⁶: their sum is exact.
                assert_eq!(found.on.iter().copied().sum::<Vec3>(), Vec3::ZERO, "{name}");
                assert_eq!(found.energy.terms.len(), 1);
            }
        }
    }
}

#[test]
fn nothing_depends_on_the_request_or_the_threads() {
    for (class, info, parameters) in examples() {
        let [system, _] = systems(class, info.name, parameters);
        for isa in available() {
            let on = |threads: usize, want: Request| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| evaluate(&mut mixed(&system, &[], isa), &system, want))
            };
            let one = on(1, Request::ALL);
            assert_eq!(on(1, Request::FORCES).on, one.on);
            assert!(
                [2, 3, 8].into_iter().all(|threads| on(threads, Request::ALL) == one),
                "{} {}",
                info.name,
                isa.name()
            );
        }
    }
}

/// Straight, and torn apart: f32 cannot, f64 can.
#[test]
fn what_f32_cannot_tell_is_left_to_f64() {
    let bent = |bend: f64| {
        let mut list = Vec::new();
        let mut positions = Vec::new();
        for k in 0..40 {
            // Chains of four, one of them nearly straight.
            let [y, z] = if k == 17 { [bend, 0.0] } else { [0.1, 0.05] };
            let start = Vec3::new(0.01 * f64::from(k), 0.3, 0.05 * f64::from(k));
            for r in [[0.0, 0.0, 0.0], [0.15, 0.0, 0.0], [0.3, y, 0.0], [0.45, y, y + z]] {
                positions.push(start + Vec3::new(r[0], r[1], r[2]));
            }
            list.push(4 * k as u32);
        }
        let of = |class: Class, form: &str, p: &[f64]| Interactions {
            class,
            form: form.into(),
            atoms: list.iter().flat_map(|&a| a..a + class.arity() as u32).collect(),
            kind: vec![0; list.len()],
            parameters: vec![p.to_vec()],
        };
        let topology = Topology {
            type_of: vec![0; positions.len()].into(),
            masses: vec![1.0; positions.len()].into(),
            charges: vec![0.0; positions.len()].into(),
            interactions: vec![
                of(Class::Bond, "harmonic", &[0.1, 5e5]), // 25 000 kJ/mol/nm
                of(Class::Angle, "harmonic", &[1.9, 500.0]),
                of(Class::Dihedral, "opls", &[1.0, 2.0, 3.0, 4.0]),
            ]
            .into(),
            ..Topology::default()
        };
        System::new(Arc::new(topology), Cell::orthorhombic(3.0, 3.0, 3.0).unwrap(), positions)
    };
    for bend in [0.0, 1e-16, 1e-9, 1e-6, 1e-4, 1e-2] {
        let system = bent(bend);
        let expected = evaluate(&mut Bonded::new(&system.topology, Isa::Portable).unwrap(), &system, Request::ALL);
        for isa in available() {
            let found = evaluate(&mut mixed(&system, &[], isa), &system, Request::ALL);
            assert!(worst(&found, &expected) < 2e-3, "{bend} {isa:?}: {:e}", worst(&found, &expected));
            for key in ["bond", "angle", "dihedral"] {
                assert!((found.energy.get(key) / expected.energy.get(key) - 1.0).abs() < 1e-6, "{bend} {isa:?} {key}");
            }
        }
    }
}

#[test]
fn atoms_torn_apart_are_an_error_not_a_number() {
    let [system, _] = systems(Class::Bond, "harmonic", &[0.1, 1e12]);
    for isa in available() {
        let mut out = Forces::new(N);
        let error = mixed(&system, &[], isa).add(&system, Request::FORCES, &mut out).unwrap_err();
        assert!(matches!(error, ForceError::Overlap { term: "bond", .. }), "{error}");
    }
}

#[test]
fn pairs_are_those_of_f64() {
    for mut system in systems(Class::Bond, "harmonic", &[0.15, 1000.0]) {
        system.topology = Arc::new(Topology { interactions: Vec::new().into(), ..(*system.topology).clone() });
        let noise = Noise::new(3, 91);
        let mut pairs = Vec::new();
        for i in 0..N as u32 - 3 {
            // Some across blocks, as far along the chain as may be.
            for j in [i + 3, (i + 700) % N as u32] {
                let r = system.cell.minimum_image(system.positions[j as usize] - system.positions[i as usize]).norm();
                let [a, b] = noise.uniform2(i, j.into(), 0);
                if r > 0.2 && r < 0.9 {
                    let sigma6 = (0.25 + 0.1 * a).powi(6);
                    let constants = [24.0 * b * sigma6 * sigma6, -12.0 * b * sigma6];
                    pairs.push(([i, j], PlainPair { constants, coulomb: 139.0 * (a - 0.5) }));
                }
            }
        }
        // One that nearly sits on its partner.
        pairs.push(([5, 4], PlainPair { constants: [12e-10, -6e-6], coulomb: 30.0 }));
        system.positions[5] = system.positions[4] + Vec3::new(0.08, 0.03, 0.0);
        let (mut expected, mut vdw, mut coulomb, mut virial) = (Forces::new(N), 0.0, 0.0, Mat3::ZERO);
        for (atoms, pair) in &pairs {
            let [i, j] = atoms.map(|a| a as usize);
            let d = system.cell.minimum_image(system.positions[j] - system.positions[i]);
            let [lj, c] = pair.eval(d.norm2());
            let on_j = d * (lj.force_over_r + c.force_over_r);
            expected.on[j] += on_j;
            expected.on[i] -= on_j;
            (vdw, coulomb) = (vdw + lj.energy, coulomb + c.energy);
            virial += d.outer(on_j);
        }
        let largest = expected.on.iter().map(|f| f.norm()).fold(0.0, f64::max);
        assert!(largest > 1e4, "one is left to f64");
        for isa in available() {
            let found = evaluate(&mut mixed(&system, &pairs, isa), &system, Request::ALL);
            for (k, (a, b)) in found.on.iter().zip(&expected.on).enumerate() {
                assert!((*a - *b).norm() < 3e-6 * b.norm() + 2e-3, "{isa:?} {k}: {a:?} {b:?}");
            }
            assert!((found.energy.get("vdw_14") / vdw - 1.0).abs() < 1e-6);
            assert!((found.energy.get("coulomb_14") - coulomb).abs() < 1e-6 * 139.0 * pairs.len() as f64);
            assert!((found.virial - virial).max_abs() < 1e-6 * virial.max_abs());
            assert_eq!(found.on.iter().copied().sum::<Vec3>(), Vec3::ZERO);
        }
    }
}

//! What every registered pair potential owes, whatever its formula: F = −∇U, W = −dU/dε, symmetries, the same bits for
//! any number of threads. A new potential is under these tests by being registered.

use amelo_core::{
    Coulomb, ForceError, ForceTerm, Forces, Modifier, Nonbonded, PairEntry, PairTable, Precision, Provenance, Request,
    System,
};
use amelo_forces::pair::{AnyPair, Modified, examples};
use amelo_forces::{NonbondedTerm, ScaledPairs, registry};
use amelo_math::lanes::Isa;
use amelo_math::special::ewald_beta;
use amelo_math::{Mat3, Vec3};
use amelo_testkit::{
    Dual, RandomSystem, check_images, check_permutation, check_requests, check_translation, evaluate, force_error,
    pair_sum, provider, real_space_ewald, strain_virial,
};

const R_CUT: f64 = 0.9;

const MODIFIERS: [Modifier; 5] = [
    Modifier::None,
    Modifier::PotentialShift,
    Modifier::ForceShift,
    Modifier::ForceSwitch { r_switch: 0.7 },
    Modifier::EnergySwitch { r_switch: 0.7 },
];

/// Every pair of types gets `form` with its example parameters, the strengths growing with the types.
fn table(form: &str, parameters: &[f64], n_types: usize) -> PairTable {
    PairTable::from_fn(n_types, |i, j| {
        let factor = 1.0 + 0.05 * (i + j) as f64;
        let form = form.to_string();
        let parameters = parameters.iter().map(|p| p * factor).collect();
        Ok::<_, ()>(PairEntry { form, parameters, provenance: Provenance::Explicit, source: "test".into() })
    })
    .unwrap()
}

fn settings(modifier: Modifier, coulomb: Coulomb) -> Nonbonded {
    Nonbonded {
        r_cut: R_CUT,
        modifier,
        dispersion_correction: false,
        coulomb,
        slab: None,
        precision: Default::default(),
    }
}

fn ewald() -> Coulomb {
    Coulomb::Ewald { beta: ewald_beta(R_CUT, 1e-10), tolerance: 1e-10 }
}

/// That and a smoother one, as simulations have it: the lanes have loops of their own for it.
fn ewald_of_both() -> [Coulomb; 2] {
    let tolerance = 4e-5;
    [ewald(), Coulomb::Ewald { beta: ewald_beta(R_CUT, tolerance), tolerance }]
}

/// Chains of six in an orthorhombic, a skewed and a cubic cell.
fn systems() -> [System; 3] {
    let spec = RandomSystem { n_atoms: 90, min_distance: 0.22, chain: 6, ..Default::default() };
    let cube = amelo_core::Cell::orthorhombic(2.3, 2.3, 2.3).unwrap();
    [
        spec.clone().build(),
        RandomSystem { seed: 2, ..spec.clone() }.triclinic().build(),
        RandomSystem { seed: 3, cell: cube, ..spec }.build(),
    ]
}

/// Σ|U| over the terms: what energy differences are measured by.
fn scale(forces: &amelo_core::Forces) -> f64 {
    forces.energy.terms.iter().map(|(_, e)| e.abs()).sum()
}

#[test]
fn every_form_explains_itself_and_takes_its_own_example() {
    let forms = registry::pair_potentials();
    assert_eq!(forms.len(), examples().len());
    for (info, (name, parameters)) in forms.iter().zip(examples()) {
        assert_eq!(info.name, name);
        assert_eq!(info.parameters.len(), parameters.len(), "{name}");
        assert!(!info.summary.is_empty() && info.formula.contains("U(r)") && info.citation.contains("doi"), "{name}");
        AnyPair::new(name, parameters).unwrap();
        let too_many = [parameters, &[1.0]].concat();
        assert!(AnyPair::new(name, &too_many).is_err(), "{name} took {} parameters", too_many.len());
        let mut not_a_number = parameters.to_vec();
        not_a_number[0] = f64::NAN;
        assert!(AnyPair::new(name, &not_a_number).is_err(), "{name} took NaN");
    }
    let message = AnyPair::new("lenard_jones", &[]).unwrap_err().to_string();
    assert!(message.contains("lenard_jones") && message.contains("lennard_jones, buckingham"), "{message}");
}

/// F = −dU/dr by dual numbers, from inside the guard to the cut-off, for every modifier.
#[test]
fn force_is_the_derivative_of_the_energy() {
    for (name, parameters) in examples() {
        for modifier in MODIFIERS {
            let potential = Modified::new(AnyPair::new(name, parameters).unwrap(), modifier, R_CUT).unwrap();
            for k in 20..=900 {
                let r = Dual::variable(f64::from(k) * 1e-3);
                let dual = potential.eval(r * r);
                let plain = potential.eval(r.value * r.value);
                // Both are sums of terms as large as the untouched potential's.
                let size = (plain.force_over_r * r.value).abs() + plain.energy.abs() / r.value;
                let error = (dual.energy.derivative + plain.force_over_r * r.value).abs();
                assert!(error <= 1e-11 * size.max(1e-3), "{name}, {modifier:?} at {} nm: {error:e}", r.value);
                assert_eq!(dual.energy.value, plain.energy);
            }
        }
    }
}

/// Real-space Coulomb likewise.
#[test]
fn coulomb_force_is_the_derivative_of_the_energy() {
    use amelo_forces::coulomb::RealSpace;
    for law in [RealSpace::None, RealSpace::Plain, RealSpace::Ewald { beta: 3.1 }] {
        for k in 50..=900 {
            let r = Dual::variable(f64::from(k) * 1e-3);
            let dual = law.eval(-0.3, r * r);
            let force = law.eval(-0.3, r.value * r.value).force_over_r * r.value;
            assert!((dual.energy.derivative + force).abs() <= 1e-12 * force.abs(), "{law:?} at {} nm", r.value);
        }
    }
}

/// The loop against the sum over all pairs and images, forces from dual numbers, Coulomb from its definition.
#[test]
fn the_loop_is_the_sum_over_all_pairs_and_images() {
    for (name, parameters) in examples() {
        for modifier in MODIFIERS {
            for system in systems() {
                let table = table(name, parameters, 2);
                let settings = settings(modifier, ewald());
                let t = &system.topology;
                let mut term = provider(NonbondedTerm::new(t, &table, &settings).unwrap());
                let found = evaluate(&mut term, &system).unwrap();

                let coulomb = real_space_ewald(&system, settings.coulomb.beta().unwrap(), R_CUT);
                let mut reference = pair_sum(&system, R_CUT, |i, j, r| {
                    let entry = table.get(t.type_of[i] as usize, t.type_of[j] as usize);
                    let potential = AnyPair::new(&entry.form, &entry.parameters).unwrap();
                    let r = Dual::variable(r);
                    let energy = Modified::new(potential, modifier, R_CUT).unwrap().eval(r * r).energy;
                    (energy.value, -energy.derivative / r.value)
                });
                let close = |a: f64, b: f64| (a - b).abs() < 1e-11 * (1.0 + b.abs());
                assert!(close(found.energy.get("vdw"), reference.energy), "{name}, {modifier:?}");
                assert!(close(found.energy.get("coulomb_real"), coulomb.energy), "{name}, {modifier:?}");
                reference.energy += coulomb.energy;
                reference.virial += coulomb.virial;
                reference.forces.iter_mut().zip(&coulomb.forces).for_each(|(f, c)| *f += *c);
                let error = reference.error(&found, scale(&found));
                // Fixed point resolves 2.3e-10 kJ/mol/nm per pair; the RMS force is some hundreds.
                assert!(error < 1e-11, "{name}, {modifier:?}: {error:e}");
            }
        }
    }
}

/// Finite differences of the total energy in space and strain, wherever that energy is continuous.
#[test]
fn forces_and_virial_are_derivatives_of_the_total_energy() {
    for (name, parameters) in examples() {
        for modifier in &MODIFIERS[1..] {
            for system in systems() {
                let table = table(name, parameters, 2);
                let term = NonbondedTerm::new(&system.topology, &table, &settings(*modifier, ewald())).unwrap();
                let mut term = provider(term);
                let error = force_error(&mut term, &system, &[0, 17, 44, 89], 1e-5).unwrap();
                // The five-point rule in f64: ε U/h ≈ 1e-16 · 1e4 / 1e-5 of a force of some hundreds, and the kink of
                // the shifted force at the cut-off.
                assert!(error < 1e-8, "{name}, {modifier:?}: forces {error:e}");
                let virial = evaluate(&mut term, &system).unwrap().virial;
                let strain = strain_virial(&mut term, &system, 1e-5).unwrap();
                let error = (virial - strain).max_abs() / virial.max_abs();
                assert!(error < 1e-7, "{name}, {modifier:?}: virial {error:e}");
                assert!((virial - virial.transpose()).max_abs() < 1e-12 * virial.max_abs());
            }
        }
    }
}

#[test]
fn nothing_depends_on_origin_images_order_or_request() {
    for (name, parameters) in examples() {
        for system in systems() {
            let table = table(name, parameters, 2);
            let make = |s: &System| {
                let settings = settings(Modifier::ForceSwitch { r_switch: 0.7 }, ewald());
                provider(NonbondedTerm::new(&s.topology, &table, &settings).unwrap())
            };
            let mut term = make(&system);
            let forces = evaluate(&mut term, &system).unwrap();
            let scale = scale(&forces);
            // Rounding of coordinates, 4e-16 nm, times the stiffness of the closest pairs.
            let by = Vec3::new(0.37, -1.21, 5.3);
            assert!(check_translation(&mut term, &system, by, scale).unwrap() < 1e-11, "{name}");
            assert!(check_images(&mut term, &system, scale).unwrap() < 1e-11, "{name}");
            assert!(check_permutation(make, &system, scale).unwrap() < 1e-11, "{name}");
            check_requests(&mut term, &system).unwrap();
            let sum: Vec3 = forces.on.iter().copied().sum();
            assert!(sum.norm() < 1e-12 * amelo_testkit::rms(&forces.on) * system.n_atoms() as f64, "{name}: {sum:?}");
        }
    }
}

/// A rotation of the cell about z is not lower-triangular; swapping axes of an orthorhombic cell is.
#[test]
fn rotated_systems_have_rotated_forces() {
    let [system, ..] = systems();
    let rotate = |v: Vec3| Vec3::new(v.y, v.z, v.x);
    let d = rotate(system.cell.diagonal());
    let cell = amelo_core::Cell::orthorhombic(d.x, d.y, d.z).unwrap();
    let rotated = System::new(system.topology.clone(), cell, system.positions.iter().map(|r| rotate(*r)).collect());
    for (name, parameters) in examples() {
        let settings = settings(Modifier::PotentialShift, ewald());
        let make = || provider(NonbondedTerm::new(&system.topology, &table(name, parameters, 2), &settings).unwrap());
        let (a, b) = (evaluate(&mut make(), &system).unwrap(), evaluate(&mut make(), &rotated).unwrap());
        assert!((a.energy.potential() / b.energy.potential() - 1.0).abs() < 1e-12, "{name}");
        let worst = a.on.iter().zip(&b.on).map(|(a, b)| (rotate(*a) - *b).norm()).fold(0.0, f64::max);
        assert!(worst < 1e-11 * amelo_testkit::rms(&a.on), "{name}: {worst:e}");
        let turned = Mat3::from_rows(rotate(a.virial.rows[1]), rotate(a.virial.rows[2]), rotate(a.virial.rows[0]));
        assert!((turned - b.virial).max_abs() < 1e-11 * a.virial.max_abs(), "{name}");
    }
}

/// Every form in every precision with every instruction set that is there.
fn everywhere() -> impl Iterator<Item = ((&'static str, &'static [f64]), Precision, Isa)> {
    let sets = || Isa::ALL.into_iter().filter(|isa| isa.is_available());
    let precisions = move |form| {
        [Precision::Double, Precision::Mixed].into_iter().flat_map(move |p| sets().map(move |isa| (form, p, isa)))
    };
    examples().into_iter().flat_map(precisions)
}

#[test]
fn bits_depend_neither_on_threads_nor_on_the_list() {
    for (system, coulomb) in systems().into_iter().flat_map(|s| ewald_of_both().map(|c| (s.clone(), c))) {
        for ((name, parameters), precision, isa) in everywhere() {
            let table = table(name, parameters, 2);
            let settings = Nonbonded { precision, ..settings(Modifier::PotentialShift, coulomb) };
            let term = |buffer| NonbondedTerm::with(&system.topology, &table, &settings, buffer, isa).unwrap();
            let on = |threads: usize, buffer: f64| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| evaluate(&mut provider(term(buffer)), &system).unwrap())
            };
            check_requests(&mut provider(term(0.2)), &system).unwrap();
            let one = on(1, 0.15);
            for (threads, buffer) in [(2, 0.15), (8, 0.15), (2, 0.0), (1, 0.3)] {
                let what = format!("{name}, {precision:?}, {}, {threads} threads, buffer {buffer}", isa.name());
                assert_eq!(on(threads, buffer), one, "{what}");
            }
        }
    }
}

/// A list that was built elsewhere has other clusters: each pair may meet with its atoms' parts exchanged.
#[test]
fn bits_do_not_remember_where_the_list_was_built() {
    for system in systems() {
        for ((name, parameters), precision, isa) in everywhere() {
            let table = table(name, parameters, 2);
            let [_, smooth] = ewald_of_both();
            let settings = Nonbonded { precision, ..settings(Modifier::PotentialShift, smooth) };
            let make = || NonbondedTerm::with(&system.topology, &table, &settings, 0.3, isa).unwrap();
            let fresh = evaluate(&mut provider(make()), &system).unwrap();
            for k in 1..6 {
                let noise = amelo_math::philox::Noise::new(k, 5);
                let mut before = system.clone();
                for (i, r) in before.positions.iter_mut().enumerate() {
                    let step = noise.normal3(i as u32, 0, 0);
                    *r += step * (0.1 / step.norm());
                }
                let mut term = make();
                term.prepare(&before, Request::ALL).unwrap();
                let found = evaluate(&mut provider(term), &system).unwrap();
                assert_eq!(found, fresh, "{name}, {precision:?}, {}", isa.name());
            }
        }
    }
}

/// `prepare` is a courtesy to whoever times it: without it a term still sees every pair, now and after a move.
#[test]
fn a_term_that_was_not_prepared_misses_nothing() {
    let [mut system, ..] = systems();
    let (name, parameters) = examples()[0];
    let settings = settings(Modifier::PotentialShift, ewald());
    let mut term = NonbondedTerm::new(&system.topology, &table(name, parameters, 2), &settings).unwrap();
    for _ in 0..2 {
        let mut alone = Forces::new(system.n_atoms());
        term.add(&system, Request::ALL, &mut alone).unwrap();
        let mut fresh = provider(NonbondedTerm::new(&system.topology, &table(name, parameters, 2), &settings).unwrap());
        assert_eq!(alone, evaluate(&mut fresh, &system).unwrap());
        assert!(alone.energy.get("coulomb_real") != 0.0);
        system.positions.iter_mut().for_each(|r| *r += Vec3::new(0.0, 0.3 * r.x.sin(), 0.0));
    }
}

#[test]
fn frozen_atoms_feel_nothing_where_only_forces_are_asked_for() {
    for (name, parameters) in examples() {
        for system in systems() {
            let table = table(name, parameters, 2);
            let settings = settings(Modifier::PotentialShift, ewald());
            let term = |system: &System| NonbondedTerm::new(&system.topology, &table, &settings).unwrap();
            let mut frozen = system.clone();
            let mut topology = (*system.topology).clone();
            topology.frozen = (0..system.n_atoms()).map(|i| i % 5 < 2).collect();
            frozen.topology = std::sync::Arc::new(topology);
            let whole = evaluate(&mut provider(term(&system)), &system).unwrap();
            assert_eq!(whole, evaluate(&mut provider(term(&frozen)), &frozen).unwrap(), "{name}: all is asked for");
            let mut forces = Forces::new(system.n_atoms());
            term(&frozen).add(&frozen, Request::FORCES, &mut forces).unwrap();
            for i in 0..system.n_atoms() {
                let expected = if frozen.topology.frozen[i] { Vec3::ZERO } else { whole.on[i] };
                assert_eq!(forces.on[i], expected, "{name}: atom {i}");
            }
        }
    }
}

/// What a term keeps of frozen pairs holds for their places and their cell, and no longer.
#[test]
fn kept_frozen_pairs_change_no_bit() {
    let (name, parameters) = examples()[0];
    for precision in [Precision::Double, Precision::Mixed] {
        for mut system in systems() {
            let mut topology = (*system.topology).clone();
            topology.frozen = (0..system.n_atoms()).map(|i| i % 5 < 2).collect();
            system.topology = std::sync::Arc::new(topology);
            let settings = Nonbonded { precision, ..settings(Modifier::PotentialShift, ewald()) };
            let make = || NonbondedTerm::new(&system.topology, &table(name, parameters, 2), &settings).unwrap();
            let mut kept = provider(make());
            let mut last = f64::NAN;
            let mut moved = system.clone();
            for step in 0..6 {
                for (i, r) in moved.positions.iter_mut().enumerate() {
                    if step % 2 == 1 || !moved.topology.frozen[i] {
                        *r += Vec3::new(0.004, -0.003, 0.002) * (i % 3) as f64;
                    }
                }
                if step == 4 {
                    moved.cell = moved.cell.deformed(Mat3::diagonal(0.001, 0.002, -0.001)).unwrap();
                }
                let found = evaluate(&mut kept, &moved).unwrap();
                assert_eq!(found, evaluate(&mut provider(make()), &moved).unwrap(), "{precision:?}, step {step}");
                assert!(found.energy.potential() != last, "every step is another system");
                last = found.energy.potential();
            }
        }
    }
}

/// Every instruction set and precision against the sums in double precision on the plainest path; with smoother and less smooth
/// parts of Ewald's sum, whose polynomials have 6 powers and more, so that every loop has its turn.
#[test]
fn instruction_sets_and_precisions_agree() {
    let ewald = [1e-10, 1e-7, 1e-6, 1e-5, 4e-5, 3e-4, 3e-3]
        .map(|tolerance| Coulomb::Ewald { beta: ewald_beta(R_CUT, tolerance), tolerance });
    for (name, parameters) in examples() {
        for modifier in MODIFIERS {
            for (system, coulomb) in systems().into_iter().flat_map(|s| ewald.map(|c| (s.clone(), c))) {
                let table = table(name, parameters, 2);
                let on = |isa, precision| {
                    let settings = Nonbonded { precision, ..settings(modifier, coulomb) };
                    let term = NonbondedTerm::with(&system.topology, &table, &settings, 0.1, isa).unwrap();
                    evaluate(&mut provider(term), &system).unwrap()
                };
                let reference = on(Isa::Portable, Precision::Double);
                let rms = amelo_testkit::rms(&reference.on);
                for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
                    // f32 rounds a pair's force to 6e-8, and to 1.8e-5 kJ/mol/nm in its sum; some forces are far above the RMS.
                    // The polynomial of Ewald's force leaves 0.003 kJ/mol/nm of such sparse atoms' forces away, alike for all pairs
                    // of a distance; against a virial in which pairs cancel, that is more.
                    for (precision, bar, of_energy) in
                        [(Precision::Double, 1e-12, 1e-12), (Precision::Mixed, 2e-4, 2e-5)]
                    {
                        let found = on(isa, precision);
                        let errors: Vec<Vec3> = found.on.iter().zip(&reference.on).map(|(a, b)| *a - *b).collect();
                        let error = amelo_testkit::rms(&errors) / rms;
                        let what = format!("{name}, {modifier:?}, {}, {precision:?}", isa.name());
                        assert!(error < bar, "{what}: {error:e}");
                        let energy =
                            (found.energy.potential() - reference.energy.potential()).abs() / scale(&reference);
                        assert!(energy < of_energy, "{what}: energy {energy:e}");
                        let virial = (found.virial - reference.virial).max_abs() / reference.virial.max_abs();
                        assert!(virial < bar, "{what}: virial {virial:e}");
                        assert!(precision == Precision::Double || error > 1e-10, "{what}: f32 rounds");
                    }
                }
            }
        }
    }
}

#[test]
fn overlap_lost_atom_and_narrow_cell_are_errors_not_numbers() {
    let [system, ..] = systems();
    for ((name, parameters), precision, isa) in everywhere() {
        let settings = Nonbonded { precision, ..settings(Modifier::PotentialShift, ewald()) };
        let table = table(name, parameters, 2);
        let term = || NonbondedTerm::with(&system.topology, &table, &settings, 0.1, isa).unwrap();
        let name = format!("{name}, {precision:?}, {}", isa.name());
        let fail = |change: &dyn Fn(&mut System)| {
            let mut broken = system.clone();
            change(&mut broken);
            evaluate(&mut provider(term()), &broken).unwrap_err()
        };
        let error = fail(&|s| s.positions[70] = s.positions[20]);
        assert!(matches!(error, ForceError::Overlap { i: 20, j: 70, .. }), "{name}: {error}");
        let error = fail(&|s| s.positions[33].y = f64::NAN);
        assert!(error.to_string().contains("atom 33"), "{name}: {error}");
        let error = fail(&|s| s.cell = amelo_core::Cell::orthorhombic(1.7, 2.3, 2.6).unwrap());
        assert!(matches!(error, ForceError::CellTooSmall { .. }), "{name}: {error}");
    }
}

/// 1-4 pairs: scaled, not cut off, not modified, with their own potential where they have one.
#[test]
fn scaled_pairs_are_derivatives_too_and_know_no_cutoff() {
    for (name, parameters) in examples() {
        for system in systems() {
            let table = table(name, parameters, 2);
            let mut topology = (*system.topology).clone();
            let own = PairEntry { parameters: parameters.to_vec(), ..table.get(0, 1).clone() };
            topology.pair_overrides.push(own);
            topology.scaled_pairs.change(|pairs| pairs[3].pair_override = Some(0));
            let system = System { topology: topology.into(), ..system };
            let t = &system.topology;
            let mut term = provider(ScaledPairs::new(t, &table, &settings(Modifier::PotentialShift, ewald())).unwrap());
            let found = evaluate(&mut term, &system).unwrap();
            let mut vdw = 0.0;
            let mut coulomb = 0.0;
            for p in t.scaled_pairs.iter() {
                let [i, j] = p.atoms.map(|a| a as usize);
                let r = system.cell.minimum_image(system.positions[i] - system.positions[j]).norm();
                assert!(p.pair_override.is_some() || r < 2.0);
                let types = [i, j].map(|a| t.type_of[a] as usize);
                let own = if p.pair_override.is_some() { &t.pair_overrides[0] } else { table.get(types[0], types[1]) };
                vdw += 0.5 * AnyPair::new(&own.form, &own.parameters).unwrap().eval(r * r).energy;
                coulomb += 0.5 * amelo_core::units::COULOMB * t.charges[i] * t.charges[j] / r;
            }
            assert!((found.energy.get("vdw_14") - vdw).abs() < 1e-12 * (1.0 + vdw.abs()), "{name}");
            assert!((found.energy.get("coulomb_14") - coulomb).abs() < 1e-12 * (1.0 + coulomb.abs()), "{name}");
            let error = force_error(&mut term, &system, &[0, 3, 10, 13], 1e-5).unwrap();
            assert!(error < 1e-8, "{name}: {error:e}");
            let strain = strain_virial(&mut term, &system, 1e-5).unwrap();
            assert!((found.virial - strain).max_abs() < 1e-7 * found.virial.max_abs(), "{name}");
            let size = scale(&found);
            assert!(check_images(&mut term, &system, size).unwrap() < 1e-11, "{name}");
            check_requests(&mut term, &system).unwrap();
            let make = |s: &System| {
                provider(ScaledPairs::new(&s.topology, &table, &settings(Modifier::PotentialShift, ewald())).unwrap())
            };
            assert!(check_permutation(make, &system, size).unwrap() < 1e-11, "{name}");
        }
    }
}

/// Pairs with `cut`: the pair loop's potential times the factor, by hand; derivatives of the energy on both sides of the
/// cut-off; and with all factors one, the pair loop and the exclusions together are as if there were no such pairs.
#[test]
fn scaled_pairs_that_are_cut_off_act_like_the_pair_loop() {
    for (name, parameters) in examples() {
        for coulomb in [Coulomb::Cutoff, ewald(), Coulomb::None] {
            for modifier in MODIFIERS {
                for system in systems() {
                    let settings = settings(modifier, coulomb);
                    let table = table(name, parameters, 2);
                    let mut topology = (*system.topology).clone();
                    topology.scaled_pairs.change(|pairs| pairs.iter_mut().for_each(|p| p.cut = true));
                    let system = System { topology: topology.into(), ..system };
                    let t = &system.topology;
                    let mut term = provider(ScaledPairs::new(t, &table, &settings).unwrap());
                    let found = evaluate(&mut term, &system).unwrap();
                    let (mut vdw, mut charges, mut beyond) = (0.0, 0.0, 0);
                    for p in t.scaled_pairs.iter() {
                        let [i, j] = p.atoms.map(|a| a as usize);
                        let r = system.cell.minimum_image(system.positions[i] - system.positions[j]).norm();
                        let entry = table.get(t.type_of[i] as usize, t.type_of[j] as usize);
                        let potential = AnyPair::new(&entry.form, &entry.parameters).unwrap();
                        let kqq = amelo_core::units::COULOMB * t.charges[i] * t.charges[j];
                        beyond += usize::from(r >= R_CUT);
                        if r < R_CUT {
                            vdw += 0.5 * Modified::new(potential, modifier, R_CUT).unwrap().eval(r * r).energy;
                        }
                        charges += match coulomb {
                            Coulomb::None => 0.0,
                            _ if r < R_CUT => 0.5 * kqq / r,
                            Coulomb::Ewald { beta, .. } => kqq / r * amelo_math::special::erf(beta * r),
                            _ => 0.0,
                        };
                    }
                    assert!(beyond > 5 && beyond + 5 < t.scaled_pairs.len(), "{beyond} pairs beyond the cut-off");
                    assert!((found.energy.get("vdw_14") - vdw).abs() < 1e-12 * (1.0 + vdw.abs()), "{name}");
                    let error = (found.energy.get("coulomb_14") - charges).abs();
                    assert!(error < 1e-11 * (1.0 + charges.abs()), "{name}, {coulomb:?}: {error:e}");
                    let error = force_error(&mut term, &system, &[0, 3, 10, 13], 1e-5).unwrap();
                    assert!(error < 1e-8, "{name}: {error:e}");
                    let strain = strain_virial(&mut term, &system, 1e-5).unwrap();
                    assert!((found.virial - strain).max_abs() < 1e-7 * found.virial.max_abs(), "{name}");
                }
            }
        }
    }
}

/// Factors of one with `cut` undo the exclusion exactly, whatever the distance.
#[test]
fn cut_pairs_of_factor_one_are_pairs_of_the_loop() {
    for (name, parameters) in examples() {
        let [system, skewed, _] = systems();
        for system in [system, skewed] {
            let settings = settings(Modifier::PotentialShift, ewald());
            let table = table(name, parameters, 2);
            let mut topology = (*system.topology).clone();
            let whole = |p: amelo_core::ScaledPair| amelo_core::ScaledPair { vdw: 1.0, coulomb: 1.0, cut: true, ..p };
            topology.scaled_pairs = topology.scaled_pairs.iter().map(whole).collect();
            let mut free = topology.clone();
            free.scaled_pairs = Default::default();
            free.exclusions =
                amelo_core::Exclusions::new(topology.n_atoms(), topology.exclusions.pairs().filter(|[i, j]| j - i < 3));
            let of = |topology: amelo_core::Topology| {
                let system = System { topology: topology.into(), ..system.clone() };
                let t = &system.topology;
                let mut terms = provider(NonbondedTerm::new(t, &table, &settings).unwrap());
                terms.terms.push(Box::new(ScaledPairs::new(t, &table, &settings).unwrap()));
                evaluate(&mut terms, &system).unwrap()
            };
            let (with, without) = (of(topology.clone()), of(free));
            // Beyond the cut-off the waves' share comes back, which the loop does not have; here it is taken by hand.
            let beta = settings.coulomb.beta().unwrap();
            let mut waves = 0.0;
            for p in topology.scaled_pairs.iter() {
                let [i, j] = p.atoms.map(|a| a as usize);
                let r = system.cell.minimum_image(system.positions[i] - system.positions[j]).norm();
                let kqq = amelo_core::units::COULOMB * topology.charges[i] * topology.charges[j];
                waves += kqq / r * amelo_math::special::erf(beta * r);
            }
            let difference = with.energy.potential() - without.energy.potential() - waves;
            assert!(difference.abs() < 1e-11 * scale(&with), "{name}: {difference:e}");
        }
    }
}

//! Constraints: lengths, velocities, virial, and the bodies that the barostat moves.

mod common;

use std::sync::Arc;

use amelo_core::{Cell, Constraint, ForceProvider, Forces, Molecule, Request, System, Topology};
use amelo_dynamics::barostats::Bodies;
use amelo_dynamics::{
    ConstraintKind, Coupling, DofReport, Ensemble, Motion, NptConfig, NveConfig, NvtConfig, ThermostatKind,
    constraints::ConstraintSolver, draw_velocities,
};
use amelo_math::Vec3;
use common::{Ideal, KT_300, LennardJones, Wells, diagonal, dumbbells, integrator, statistics, topology};

/// Methyl-like stars of three constraints and triangles of three, near each other.
fn stars_and_triangles() -> System {
    let mut t = topology(14, 12.0);
    for i in [1, 2, 3, 5, 6, 8, 9, 10, 12, 13] {
        t.masses[i] = 1.008;
    }
    let length = |a: u32, b: u32, length: f64| Constraint { atoms: [a, b], length };
    for base in [0, 7] {
        t.constraints.extend([1, 2, 3].map(|h| length(base, base + h, 0.109)));
        t.constraints.extend([length(base + 4, base + 5, 0.0957), length(base + 4, base + 6, 0.0957)]);
        t.constraints.push(length(base + 5, base + 6, 0.1513));
    }
    t.molecules = (0..14).map(|first| Molecule { kind: "A".into(), first, count: 1 }).collect();
    let tetra = [(0.0, 0.0, 0.0), (0.629, 0.629, 0.629), (0.629, -0.629, -0.629), (-0.629, 0.629, -0.629)];
    let triangle = [(3.0, 0.0, 0.0), (3.756, 0.587, 0.0), (2.244, 0.587, 0.0)];
    let mut positions = Vec::new();
    for shift in [Vec3::ZERO, Vec3::new(0.05, 0.35, 0.62)] {
        positions.extend(tetra.iter().chain(&triangle).map(|&(x, y, z)| Vec3::new(x, y, z) * 0.1 + shift));
    }
    System::new(Arc::new(t), Cell::orthorhombic(0.9, 0.9, 1.2).unwrap(), positions)
}

#[test]
fn lengths_hold_to_1e12_in_every_ensemble() {
    for ensemble in [
        Ensemble::Nve(NveConfig {}),
        Ensemble::Nvt(NvtConfig::new(ThermostatKind::Langevin, 300.0)),
        Ensemble::Npt(NptConfig::new(ThermostatKind::VRescale, Coupling::SemiIsotropic, 300.0, 0.06)),
        Ensemble::Npt(NptConfig::new(ThermostatKind::NoseHoover, Coupling::Isotropic, 300.0, 0.06)),
    ] {
        let mut system = stars_and_triangles();
        draw_velocities(&mut system, 300.0, 1);
        let solver = ConstraintSolver::new(&system.topology);
        let mut lj = LennardJones { epsilon: 0.3, sigma: 0.15, cutoff: 0.4 };
        let mut i = integrator(ensemble.clone(), 0.002, true, &system);
        i.start(&mut system, &mut lj).unwrap();
        for _ in 0..200 {
            i.step(&mut system, &mut lj, Request::FORCES).unwrap();
            let length = solver.largest_error(&system.cell, &system.positions);
            let velocity = solver.largest_velocity(&system.cell, &system.positions, &system.velocities);
            assert!(length < 1e-12 && velocity < 1e-12, "{ensemble:?}: {length:e}, {velocity:e} nm/ps");
        }
    }
}

#[test]
fn constrained_dynamics_conserves_energy_to_second_order() {
    let rms = |dt: f64| {
        let mut system = stars_and_triangles();
        draw_velocities(&mut system, 300.0, 1);
        let mut lj = LennardJones { epsilon: 0.3, sigma: 0.15, cutoff: 0.4 };
        let mut i = integrator(Ensemble::Nve(NveConfig {}), dt, true, &system);
        i.start(&mut system, &mut lj).unwrap();
        let mut e = Vec::new();
        for _ in 0..(0.4 / dt) as usize {
            i.step(&mut system, &mut lj, Request::ALL).unwrap();
            e.push(i.observe(&system).conserved);
        }
        let s = statistics(&e, 4);
        s.variance.sqrt()
    };
    let ratio = rms(0.001) / rms(0.0005);
    assert!((3.6..4.4).contains(&ratio), "ratio {ratio}");
}

/// A free rotor: the constraint force is the centripetal one, so virial and kinetic energy of the rotation cancel in
/// the pressure, at any time step; what is left is Σ M V ⊗ V /V.
#[test]
fn free_dumbbells_press_like_points() {
    let mut system = dumbbells(10, 12.0, 1.0, 0.11, 2.0);
    draw_velocities(&mut system, 300.0, 2);
    let mut i = integrator(Ensemble::Nve(NveConfig {}), 0.002, false, &system);
    i.start(&mut system, &mut Ideal).unwrap();
    for _ in 0..50 {
        i.step(&mut system, &mut Ideal, Request::ALL).unwrap();
        let trace = i.observe(&system).pressure.trace() * system.cell.volume();
        let points: f64 =
            (0..10).map(|k| (system.velocities[2 * k] * 12.0 + system.velocities[2 * k + 1]).norm2() / 13.0).sum();
        assert!((trace - points).abs() < 1e-9 * points, "{trace} {points}");
    }
}

/// Kinetic energies of 3,000 atoms in several segments beside sums atom by atom, where what a fixed distance takes from the
/// accelerations of two atoms is written out; the same bits on one thread and on three.
#[test]
fn kinetic_energies_are_those_of_single_atoms_on_any_threads() {
    let (n, m, dt) = (1500, [12.0, 2.0], 0.002);
    let mut system = dumbbells(n, m[0], m[1], 0.11, 9.0);
    draw_velocities(&mut system, 300.0, 4);
    let sites = (0..2 * n).map(|k| system.positions[k] + Vec3::new(0.01, -0.02, 0.03) * (k % 7) as f64).collect();
    let mut wells = Wells { sites, stiffness: (0..2 * n).map(|k| 1e4 + (k % 5) as f64 * 1e4).collect() };
    let mut i = integrator(Ensemble::Nve(NveConfig {}), dt, false, &system);
    i.start(&mut system, &mut wells).unwrap();
    let (mut twice, mut accelerated) = (0.0, 0.0);
    for k in 0..n {
        let [one, two] = [2 * k, 2 * k + 1];
        let d = system.cell.minimum_image(system.positions[two] - system.positions[one]);
        let mut a = [i.forces().on[one] * (1.0 / m[0]), i.forces().on[two] * (1.0 / m[1])];
        let g = d.dot(a[1] - a[0]) / (d.norm2() * (1.0 / m[0] + 1.0 / m[1]));
        a[0] += d * (g / m[0]);
        a[1] += d * (-g / m[1]);
        twice += m[0] * system.velocities[one].norm2() + m[1] * system.velocities[two].norm2();
        accelerated += m[0] * a[0].norm2() + m[1] * a[1].norm2();
    }
    let observed = [1, 3].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let (i, system) = (&mut i, &system); // integrators may go to another thread, not be shared
        pool.install(move || i.observe(system))
    });
    let o = &observed[0];
    let expected = 0.5 * (twice + 0.25 * dt * dt * accelerated);
    assert!(0.25 * dt * dt * accelerated > 1e-3 * twice, "accelerations must tell");
    assert!((o.kinetic_full / (0.5 * twice) - 1.0).abs() < 1e-12, "{} {}", o.kinetic_full, 0.5 * twice);
    assert!((o.kinetic / expected - 1.0).abs() < 1e-10, "{} {expected}", o.kinetic);
    let [one, three] = observed.each_ref().map(|o| [o.kinetic, o.kinetic_full].map(f64::to_bits));
    assert_eq!(one, three);
}

/// ⟨P⟩ V = n kT for n rigid dumbbells, component by component, from atoms and constraint virial.
#[test]
fn constraint_virial_makes_the_ideal_pressure() {
    let n = 12;
    let mut system = dumbbells(n, 12.0, 2.0, 0.11, 2.0);
    draw_velocities(&mut system, 300.0, 2);
    let mut i = integrator(Ensemble::Nvt(NvtConfig::new(ThermostatKind::Langevin, 300.0)), 0.004, false, &system);
    i.start(&mut system, &mut Ideal).unwrap();
    let mut p: [Vec<f64>; 3] = Default::default();
    for _ in 0..40_000 {
        i.step(&mut system, &mut Ideal, Request::ALL).unwrap();
        let o = i.observe(&system);
        for (series, value) in p.iter_mut().zip(diagonal(o.pressure)) {
            series.push(value * system.cell.volume() / (n as f64 * KT_300));
        }
    }
    for series in &p {
        let s = statistics(series, 30);
        assert!((s.mean - 1.0).abs() < 4.0 * s.error && s.error < 0.04, "{} ± {}", s.mean, s.error);
    }
}

fn motion(system: &System) -> Motion {
    let t = &system.topology;
    Motion {
        timestep: 0.001,
        inverse_masses: t.masses.iter().zip(&t.frozen).map(|(m, f)| if *f { 0.0 } else { 1.0 / m }).collect(),
        constraints: ConstraintSolver::new(t),
        dof: DofReport::count(t, false, true, true),
        seed: 0,
    }
}

/// The pressure over bodies is −dU/dε of exactly the move that the barostat makes: by central differences, without
/// velocities, with constrained groups, and with a frozen slab that straddles the boundary.
#[test]
fn pressure_over_bodies_is_the_derivative_of_the_barostat_s_move() {
    let mut lj = LennardJones { epsilon: 0.3, sigma: 0.15, cutoff: 0.45 };
    let mut frozen = stars_and_triangles();
    let mut t: Topology = (*frozen.topology).clone();
    // Atoms 7 to 13 become one frozen molecule around z = 0 (its upper half lies at the top of the cell).
    t.molecules =
        vec![Molecule { kind: "A".into(), first: 0, count: 7 }, Molecule { kind: "slab".into(), first: 7, count: 7 }];
    for i in 7..14 {
        t.frozen[i] = true;
        frozen.positions[i].z -= 0.62;
    }
    // A mobile atom hangs on a frozen one.
    t.frozen[8] = false;
    frozen.topology = Arc::new(t);
    frozen.wrap();
    for (system, axes) in [(stars_and_triangles(), 0..3), (frozen, 2..3)] {
        let motion = motion(&system);
        let bodies = Bodies::new(&system, &motion);
        let mut forces = Forces::new(system.n_atoms());
        lj.evaluate(&system, Request::ALL, &mut forces).unwrap();
        let still = system.velocities.iter().all(|v| *v == Vec3::ZERO);
        assert!(still);
        // The half-step kinetic energy of resting bodies is of order dt² and is taken out by a tiny time step.
        let slow = Motion { timestep: 1e-9, ..motion.clone() };
        let pv = bodies.pressure_volume(&system, &forces, &slow, 0.0);
        for axis in axes {
            let energy = |strain: f64, lj: &mut LennardJones| {
                let mut moved = system.clone();
                let mut factor = Vec3::new(1.0, 1.0, 1.0);
                factor[axis] += strain;
                let cell = moved.cell.vectors() * amelo_math::Mat3::diagonal(factor.x, factor.y, factor.z);
                bodies.scale(&mut moved, factor, Cell::new(cell).unwrap());
                let mut out = Forces::default();
                lj.evaluate(&moved, Request::ALL, &mut out).unwrap();
                assert!(ConstraintSolver::new(&moved.topology).largest_error(&moved.cell, &moved.positions) < 1e-3);
                out.energy.potential()
            };
            let h = 1e-5;
            let slope = -(energy(h, &mut lj) - energy(-h, &mut lj)) / (2.0 * h);
            // The force-shifted toy has a jump in its second derivative: h² times that, well below 1e-5 here.
            assert!((pv[axis] - slope).abs() < 1e-5 * slope.abs().max(1.0), "axis {axis}: {} {slope}", pv[axis]);
        }
    }
}

#[test]
fn frozen_atoms_never_move_and_forbid_lateral_coupling() {
    let mut system = stars_and_triangles();
    let mut t = (*system.topology).clone();
    t.frozen[0..4].fill(true);
    system.topology = Arc::new(t);
    draw_velocities(&mut system, 300.0, 1);
    let before = system.positions.clone();
    let mut lj = LennardJones { epsilon: 0.3, sigma: 0.15, cutoff: 0.4 };
    let nvt = Ensemble::Nvt(NvtConfig::new(ThermostatKind::Langevin, 300.0));
    let mut i = integrator(nvt, 0.002, true, &system);
    assert_eq!(i.degrees_of_freedom().n_dof(), 30 - 9);
    i.start(&mut system, &mut lj).unwrap();
    for _ in 0..50 {
        i.step(&mut system, &mut lj, Request::ALL).unwrap();
    }
    assert_eq!(before[0..4], system.positions[0..4]);
    assert_ne!(before[4..], system.positions[4..]);
    let npt = |coupling| Ensemble::Npt(NptConfig::new(ThermostatKind::VRescale, coupling, 300.0, 0.06));
    let new = |coupling| amelo_dynamics::Integrator::new(npt(coupling), Default::default(), &system);
    assert!(new(Coupling::Isotropic).err().is_some_and(|e| e.to_string().contains("coupling")));
    assert!(new(Coupling::Z).is_ok());
}

#[test]
fn a_constraint_that_cannot_be_met_is_an_error() {
    let mut system = dumbbells(1, 12.0, 1.0, 0.11, 2.0);
    system.velocities[1] = Vec3::new(0.0, 300.0, 0.0);
    let mut i = integrator(Ensemble::Nve(NveConfig {}), 0.001, false, &system);
    let failed = i.start(&mut system, &mut Ideal).and_then(|()| i.step(&mut system, &mut Ideal, Request::ALL));
    assert!(failed.is_err_and(|e| e.to_string().contains("timestep")));
}

#[test]
fn h_bonds_take_the_rest_length_of_harmonic_bonds_with_hydrogen() {
    use amelo_core::{AtomType, Class, Interactions};
    let mut t = topology(3, 12.0);
    t.types = ["C", "H"].map(|e| AtomType { name: e.into(), element: e.into() }).to_vec();
    t.type_of = vec![0, 1, 0].into();
    t.interactions = vec![Interactions {
        class: Class::Bond,
        form: "harmonic".into(),
        atoms: vec![0, 1, 0, 2],
        kind: vec![0, 1],
        parameters: vec![vec![0.109, 284_512.0], vec![0.1529, 224_262.4]],
    }]
    .into();
    assert_eq!(ConstraintKind::HBonds.constraints(&t), vec![Constraint { atoms: [0, 1], length: 0.109 }]);
    assert!(ConstraintKind::None.constraints(&t).is_empty());
}

//! The draw of initial velocities.

mod common;

use amelo_dynamics::constraints::ConstraintSolver;
use amelo_dynamics::draw_velocities;
use amelo_math::Vec3;
use common::{KT_300, dumbbells, gas, statistics, topology};

#[test]
fn constraints_momentum_and_frozen_atoms_are_honoured() {
    let mut system = dumbbells(30, 12.0, 1.0, 0.11, 2.0);
    draw_velocities(&mut system, 300.0, 4);
    let solver = ConstraintSolver::new(&system.topology);
    assert!(solver.largest_velocity(&system.cell, &system.positions, &system.velocities) < 1e-13);
    let momentum: Vec3 = system.velocities.iter().zip(&system.topology.masses).map(|(v, m)| *v * *m).sum();
    assert!(momentum.norm() < 1e-12);

    let mut t = topology(4, 12.0);
    t.frozen[1] = true;
    let mut system = gas(t, 2.0);
    draw_velocities(&mut system, 300.0, 4);
    assert_eq!(system.velocities[1], Vec3::ZERO);
    assert_ne!(system.velocities[0], Vec3::ZERO);
}

#[test]
fn kinetic_energy_is_canonical_over_what_is_free() {
    let mut system = dumbbells(5, 12.0, 1.0, 0.11, 2.0);
    let k: Vec<f64> = (0..4000)
        .map(|seed| {
            draw_velocities(&mut system, 300.0, seed);
            system.kinetic_energy() / KT_300
        })
        .collect();
    let n_dof = 25.0 - 3.0;
    let s = statistics(&k, 40);
    assert!((s.mean - 0.5 * n_dof).abs() < 4.0 * s.error, "{} ± {}", s.mean, s.error);
    assert!((s.variance - 0.5 * n_dof).abs() < 4.0 * s.variance_error, "{} ± {}", s.variance, s.variance_error);
}

#[test]
fn the_draw_depends_on_seed_and_atom_only() {
    let draw = |n: usize, seed: u64| {
        let mut t = topology(n, 12.0);
        t.frozen[n - 1] = true; // no removal of momentum, which would couple all atoms
        let mut system = gas(t, 2.0);
        draw_velocities(&mut system, 300.0, seed);
        system.velocities[0]
    };
    assert_eq!(draw(3, 7), draw(9, 7));
    assert_ne!(draw(3, 7), draw(3, 8));
}

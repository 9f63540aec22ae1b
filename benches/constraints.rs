//! Constraints of 2000 groups of each kind, with the one thread of the caller: projection of velocities, and a drift of
//! the integrator without forces (constraints, positions, wrapping).

use std::hint::black_box;
use std::sync::Arc;

use amelo_core::{Cell, Constraint, ForceError, ForceProvider, Forces, Request, System, Topology};
use amelo_dynamics::constraints::ConstraintSolver;
use amelo_dynamics::{Ensemble, Integrator, IntegratorSettings, NveConfig, draw_velocities};
use amelo_math::Vec3;
use amelo_math::philox::Noise;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const GROUPS: usize = 2000;

/// No forces.
struct Ideal;

impl ForceProvider for Ideal {
    fn evaluate(&mut self, system: &System, _: Request, out: &mut Forces) -> Result<(), ForceError> {
        out.clear(system.n_atoms());
        Ok(())
    }
}

/// Groups of a carbon with `ends` hydrogens, or of rigid water where `ends` is 0, scattered through a box at 300 K.
fn system(ends: usize) -> System {
    let noise = Noise::new(1, 1);
    let (mut topology, mut positions) = (Topology::default(), Vec::new());
    let edge = 8.0;
    for g in 0..GROUPS as u32 {
        let first = positions.len() as u32;
        let [x, y] = noise.uniform2(g, 0, 0);
        let [z, _] = noise.uniform2(g, 0, 1);
        positions.push(Vec3::new(x, y, z) * edge);
        let centre = positions[first as usize];
        let constraint = |i: u32, j: u32, length: f64| Constraint { atoms: [first + i, first + j], length };
        if ends == 0 {
            topology.masses.extend([15.999, 1.008, 1.008]);
            positions.extend([Vec3::new(0.0957, 0.0, 0.0), Vec3::new(-0.024, 0.0927, 0.0)].map(|d| centre + d));
            let across = (positions[first as usize + 1] - positions[first as usize + 2]).norm();
            topology.constraints.extend([constraint(0, 1, 0.0957), constraint(0, 2, 0.0957), constraint(1, 2, across)]);
        } else {
            topology.masses.push(12.011);
            for k in 0..ends as u32 {
                topology.masses.push(1.008);
                positions.push(centre + (Vec3::unit(k as usize) + noise.normal3(g, 1, k) * 0.1).normalized() * 0.109);
                topology.constraints.push(constraint(0, k + 1, 0.109));
            }
        }
    }
    let n = positions.len();
    (topology.type_of, topology.charges, topology.frozen) = (vec![0; n].into(), vec![0.0; n].into(), vec![false; n]);
    let mut system = System::new(Arc::new(topology), Cell::orthorhombic(edge, edge, edge).expect("a cell"), positions);
    draw_velocities(&mut system, 300.0, 1);
    system
}

fn constraints(c: &mut Criterion) {
    let mut group = c.benchmark_group("constraints");
    group.throughput(Throughput::Elements(GROUPS as u64));
    for (name, ends) in [("CH", 1), ("CH2", 2), ("CH3", 3), ("rigid water", 0)] {
        let mut system = system(ends);
        let solver = ConstraintSolver::new(&system.topology);
        group.bench_function(format!("projection, {name}"), |b| {
            b.iter(|| solver.project(&system.cell, black_box(&system.positions), &mut system.velocities));
        });
        let settings = IntegratorSettings { timestep: 0.002, ..IntegratorSettings::default() };
        let mut integrator = Integrator::new(Ensemble::Nve(NveConfig {}), settings, &system).expect("an integrator");
        integrator.start(&mut system, &mut Ideal).expect("constraints are met");
        group.bench_function(format!("step without forces, {name}"), |b| {
            b.iter(|| integrator.step(&mut system, &mut Ideal, Request::FORCES).expect("a step"));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().without_plots();
    targets = constraints
}
criterion_main!(benches);

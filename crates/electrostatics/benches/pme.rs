//! One evaluation of PME: 2000 charges, order 4, 40³ points, at fixed cell and with the cell changed every time.

use std::sync::Arc;

use amelo_core::{Cell, ForceTerm, Forces, Request, System, Topology};
use amelo_electrostatics::Pme;
use amelo_math::{Vec3, philox::Noise};
use criterion::{Criterion, criterion_group, criterion_main};

fn system(n: usize, edge: f64) -> System {
    let noise = Noise::new(1, 900);
    let cell = Cell::orthorhombic(edge, edge, edge).expect("a positive edge");
    let position = |i: u32| {
        let ([x, y], [z, _]) = (noise.uniform2(i, 0, 0), noise.uniform2(i, 0, 1));
        cell.to_cartesian(Vec3::new(x, y, z))
    };
    let charges: Vec<f64> = (0..n).map(|i| if i % 2 == 0 { 0.5 } else { -0.5 }).collect();
    let topology = Topology { type_of: vec![0; n], masses: vec![1.0; n], charges, ..Topology::default() };
    System::new(Arc::new(topology), cell, (0..n as u32).map(position).collect())
}

fn pme(c: &mut Criterion) {
    let mut system = system(2000, 2.8);
    let mut term = Pme::<4>::new(&system.topology, 2.6, [40, 40, 40]).expect("a mesh that fits");
    let mut out = Forces::new(2000);
    c.bench_function("pme 2000 charges, order 4, 40³, forces", |b| {
        b.iter(|| term.add(&system, Request::FORCES, &mut out).expect("finite forces"));
    });
    c.bench_function("pme 2000 charges, order 4, 40³, energy and virial", |b| {
        b.iter(|| {
            out.clear(2000);
            term.add(&system, Request::ALL, &mut out).expect("finite forces");
        });
    });
    let cells = [2.8, 2.81].map(|edge| Cell::orthorhombic(edge, edge, edge).expect("a positive edge"));
    let mut turn = 0;
    c.bench_function("pme 2000 charges, order 4, 40³, another cell", |b| {
        b.iter(|| {
            turn = 1 - turn;
            system.cell = cells[turn];
            term.add(&system, Request::FORCES, &mut out).expect("finite forces");
        });
    });
}

criterion_group!(benches, pme);
criterion_main!(benches);

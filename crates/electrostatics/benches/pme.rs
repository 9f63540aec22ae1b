//! PME by stages, in double and in mixed precision, on what a polymer melt asks of it: 10 152 charges in chains, six
//! excluded pairs per atom, order 4 on 42³ points and order 5 on 32³. Then the whole term: forces alone, energy and
//! virial too, and with a cell that changes every time.

use std::sync::Arc;

use amelo_core::{Cell, Exclusions, ForceTerm, Forces, Request, System, Topology};
use amelo_electrostatics::{MeshNumber, Pme, Stage};
use amelo_math::Vec3;
use amelo_math::philox::Noise;
use criterion::{Criterion, criterion_group, criterion_main};

const CHAINS: usize = 54;
const LENGTH: usize = 188;
const N: usize = CHAINS * LENGTH;
const EDGE: f64 = 4.848;

/// Random walks of 0.11 nm per step; an atom does not see the six after it.
fn melt() -> System {
    let noise = Noise::new(1, 900);
    let cell = Cell::orthorhombic(EDGE, EDGE, EDGE).expect("a positive edge");
    let mut positions = Vec::with_capacity(N);
    for chain in 0..CHAINS as u32 {
        let ([x, y], [z, _]) = (noise.uniform2(chain, 0, 0), noise.uniform2(chain, 0, 1));
        let mut r = cell.to_cartesian(Vec3::new(x, y, z));
        for link in 0..LENGTH as u32 {
            positions.push(r);
            r += noise.normal3(chain * LENGTH as u32 + link, 1, 0).normalized() * 0.11;
        }
    }
    let same_chain = |i: usize, j: usize| j < N && i / LENGTH == j / LENGTH;
    let pairs =
        (0..N).flat_map(|i| (i + 1..i + 7).filter(move |&j| same_chain(i, j)).map(move |j| [i as u32, j as u32]));
    let topology = Topology {
        type_of: vec![0; N].into(),
        masses: vec![1.0; N].into(),
        charges: (0..N).map(|i| [-0.4, 0.14, 0.06, 0.06, 0.14][i % 5]).collect(),
        exclusions: Exclusions::new(N, pairs),
        ..Topology::default()
    };
    System::new(Arc::new(topology), cell, positions)
}

fn stages<const P: usize, T: MeshNumber>(c: &mut Criterion, precision: &str, mut term: Pme<P, T>) {
    let mut system = melt();
    let mut out = Forces::new(N);
    term.add(&system, Request::FORCES, &mut out).expect("finite forces");
    let mut group = c.benchmark_group(format!("pme order {P} {precision}"));
    for stage in [Stage::Locate, Stage::Spread, Stage::Solve, Stage::Gather, Stage::Corrections] {
        group.bench_function(format!("{stage:?}"), |b| {
            b.iter(|| term.stage(stage, &system, Request::FORCES, &mut out));
        });
    }
    group.bench_function("forces", |b| {
        b.iter(|| term.add(&system, Request::FORCES, &mut out).expect("finite forces"));
    });
    group.bench_function("energy and virial", |b| {
        b.iter(|| {
            out.clear(N);
            term.add(&system, Request::ALL, &mut out).expect("finite forces");
        });
    });
    let cells = [EDGE, 1.001 * EDGE].map(|edge| Cell::orthorhombic(edge, edge, edge).expect("a positive edge"));
    let mut turn = 0;
    group.bench_function("another cell", |b| {
        b.iter(|| {
            turn = 1 - turn;
            system.cell = cells[turn];
            term.add(&system, Request::FORCES, &mut out).expect("finite forces");
        });
    });
    group.finish();
}

fn pme(c: &mut Criterion) {
    let topology = melt().topology;
    stages(c, "double", Pme::<4>::new(&topology, 2.6, [42; 3]).expect("a mesh that fits"));
    stages(c, "mixed", Pme::<4, f32>::mixed(&topology, 2.6, [42; 3]).expect("a mesh that fits"));
    stages(c, "mixed", Pme::<5, f32>::mixed(&topology, 2.4, [32; 3]).expect("a mesh that fits"));
}

criterion_group!(benches, pme);
criterion_main!(benches);

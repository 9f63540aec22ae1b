//! Every registered bonded form and the scaled pairs: interactions per second in chains of 200 atoms.

use std::hint::black_box;
use std::sync::Arc;

use amelo_core::{
    Cell, Class, Coulomb, ForceTerm, Forces, Interactions, Modifier, Nonbonded, PairEntry, PairTable, Provenance,
    Request, ScaledPair, System, Topology,
};
use amelo_forces::bonded::examples;
use amelo_forces::pair::examples as pair_examples;
use amelo_forces::{ScaledPairs, bonded_terms};
use amelo_math::Vec3;
use amelo_math::philox::Noise;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime};

const CHAINS: usize = 50;
const LENGTH: usize = 200;

/// Zig-zag chains, each link bent out of its plane at random, one list of `arity` consecutive atoms.
fn system(class: Option<Class>, form: &str, parameters: &[f64]) -> System {
    let noise = Noise::new(1, 2);
    let mut positions = Vec::new();
    let edge = 5.0;
    for chain in 0..CHAINS as u32 {
        let mut r = noise.normal3(chain, 0, 0) * edge;
        for k in 0..LENGTH as u32 {
            positions.push(r);
            let zigzag = Vec3::new(0.12, if k % 2 == 0 { 0.08 } else { -0.08 }, 0.0);
            r += zigzag + noise.normal3(chain, 1, k) * 0.02;
        }
    }
    let n = positions.len();
    let runs = |arity: usize| {
        (0..CHAINS).flat_map(move |c| (c * LENGTH..(c + 1) * LENGTH + 1 - arity).map(move |i| (i, i + arity - 1)))
    };
    let mut topology = Topology {
        type_of: vec![0; n].into(),
        masses: vec![12.0; n].into(),
        charges: (0..n).map(|k| if k % 2 == 0 { 0.2 } else { -0.2 }).collect(),
        frozen: vec![false; n],
        ..Topology::default()
    };
    match class {
        Some(class) => topology.interactions.push(Interactions {
            class,
            form: form.into(),
            atoms: runs(class.arity()).flat_map(|(i, j)| (i as u32..=j as u32).collect::<Vec<_>>()).collect(),
            kind: runs(class.arity()).map(|_| 0).collect(),
            parameters: vec![parameters.to_vec()],
        }),
        None => topology.scaled_pairs.extend(runs(4).map(|(i, j)| ScaledPair {
            atoms: [i as u32, j as u32],
            vdw: 0.5,
            coulomb: 0.5,
            charges: None,
            pair_override: None,
            cut: false,
        })),
    }
    System::new(Arc::new(topology), Cell::orthorhombic(edge, edge, edge).expect("a cell"), positions)
}

fn sweep(group: &mut BenchmarkGroup<WallTime>, name: &str, n: usize, system: &System, term: &mut dyn ForceTerm) {
    group.throughput(Throughput::Elements(n as u64));
    for (what, want) in [("forces", Request::FORCES), ("forces, energy, virial", Request::ALL)] {
        let mut out = Forces::new(system.n_atoms());
        group.bench_function(format!("{name}, {what}"), |b| {
            b.iter(|| {
                out.clear(system.n_atoms());
                term.add(black_box(system), want, &mut out).expect("forces");
            });
        });
    }
}

fn bonded(c: &mut Criterion) {
    let mut group = c.benchmark_group("bonded");
    for (class, info, parameters) in examples() {
        let system = system(Some(class), info.name, parameters);
        let n = system.topology.interactions[0].len();
        let mut terms = bonded_terms(&system.topology).expect("a term");
        sweep(&mut group, &format!("{class:?} {}", info.name), n, &system, terms[0].as_mut());
    }
    for (name, parameters) in pair_examples() {
        let system = system(None, "", &[]);
        let entry = PairEntry {
            form: name.into(),
            parameters: parameters.to_vec(),
            provenance: Provenance::Explicit,
            source: String::new(),
        };
        let table = PairTable::from_fn(1, |_, _| Ok::<_, ()>(entry.clone())).expect("a table");
        let settings = Nonbonded {
            r_cut: 1.2,
            modifier: Modifier::PotentialShift,
            dispersion_correction: false,
            coulomb: Coulomb::Cutoff,
            slab: None,
            precision: Default::default(),
        };
        let mut term = ScaledPairs::new(&system.topology, &table, &settings).expect("a term");
        sweep(&mut group, &format!("scaled {name}"), term.len(), &system, &mut term);
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().without_plots();
    targets = bonded
}
criterion_main!(benches);

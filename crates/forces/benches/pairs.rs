//! The pair loop and the building of its list, one thread: 10,648 atoms at 89 atoms/nm³ within 1.2 nm, by functional form,
//! instruction set and precision. Throughput counts pairs within the cut-off.
//!
//! `cargo bench -p amelo-forces --bench pairs -- lennard_jones/avx512` measures some of them. With `--features plain-sums`
//! forces are summed in f32, in whatever order: what sums that do not depend on the order cost (AVX-512, mixed).

use std::sync::Arc;

use amelo_core::{
    AtomType, Cell, Coulomb, Exclusions, ForceTerm, Forces, Modifier, Nonbonded, PairEntry, PairTable, Precision,
    Provenance, Request, System, Topology,
};
use amelo_forces::NonbondedTerm;
use amelo_forces::pair::examples;
use amelo_math::Vec3;
use amelo_math::lanes::Isa;
use amelo_math::philox::Noise;
use amelo_math::special::ewald_beta;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const SIDE: usize = 22;
const R_CUT: f64 = 1.2;
const N_TYPES: usize = 8;

/// A cubic lattice whose atoms are shaken, without exclusions.
fn liquid() -> System {
    let n = SIDE * SIDE * SIDE;
    let spacing = (1.0 / 89.2_f64).cbrt();
    let noise = Noise::new(1, 1);
    let positions = (0..n)
        .map(|i| {
            let site = [i % SIDE, i / SIDE % SIDE, i / SIDE / SIDE].map(|k| k as f64 * spacing);
            let ([x, y], [z, _]) = (noise.uniform2(i as u32, 0, 0), noise.uniform2(i as u32, 0, 1));
            Vec3::new(site[0], site[1], site[2]) + Vec3::new(x, y, z) * 0.02
        })
        .collect();
    let charges: Vec<f64> = (0..n).map(|i| if i % 2 == 0 { 0.3 } else { -0.3 }).collect();
    let topology = Topology {
        types: (0..N_TYPES).map(|k| AtomType { name: format!("T{k}"), element: "C".into() }).collect(),
        type_of: (0..n).map(|i| (i * 7 % N_TYPES) as u32).collect(),
        names: vec!["X"; n].into(),
        masses: vec![12.0; n].into(),
        nominal_charges: charges.clone().into(),
        charges: charges.into(),
        exclusions: Exclusions::new(n, []),
        frozen: vec![false; n],
        ..Topology::default()
    };
    let edge = SIDE as f64 * spacing;
    System::new(Arc::new(topology), Cell::orthorhombic(edge, edge, edge).expect("edges"), positions)
}

fn term(system: &System, form: &str, precision: Precision, isa: Isa) -> NonbondedTerm {
    let (form, parameters) = examples().into_iter().find(|(name, _)| *name == form).expect("a form");
    let table = PairTable::from_fn(N_TYPES, |_, _| {
        let (form, parameters) = (form.to_string(), parameters.to_vec());
        Ok::<_, ()>(PairEntry { form, parameters, provenance: Provenance::Explicit, source: "bench".into() })
    })
    .expect("a table");
    let settings = Nonbonded {
        r_cut: R_CUT,
        modifier: Modifier::PotentialShift,
        dispersion_correction: false,
        coulomb: Coulomb::Pme { beta: ewald_beta(R_CUT, 4e-5), order: 4, mesh: [48; 3] },
        slab: None,
        precision,
    };
    NonbondedTerm::with(&system.topology, &table, &settings, amelo_forces::DEFAULT_BUFFER, isa).expect("sound settings")
}

/// Pairs within the cut-off, by the density.
fn pairs_within(system: &System) -> f64 {
    let n = system.n_atoms() as f64;
    4.0 / 3.0 * std::f64::consts::PI * R_CUT.powi(3) * n / system.cell.volume() * 0.5 * n
}

fn pairs(c: &mut Criterion) {
    let system = liquid();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
    let mut group = c.benchmark_group("pairs");
    group.sample_size(20).throughput(Throughput::Elements(pairs_within(&system) as u64));
    for (form, _) in examples() {
        for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
            for (precision, name) in [(Precision::Mixed, "mixed"), (Precision::Double, "double")] {
                let mut term = term(&system, form, precision, isa);
                let mut out = Forces::new(system.n_atoms());
                for (what, want) in [("forces", Request::FORCES), ("all", Request::ALL)] {
                    let id = BenchmarkId::new(format!("{form}/{}/{name}", isa.name()), what);
                    group.bench_function(id, |b| {
                        term.prepare(&system, want).expect("a list");
                        pool.install(|| b.iter(|| term.add(&system, want, &mut out).expect("finite forces")));
                    });
                }
            }
        }
    }
}

fn lists(c: &mut Criterion) {
    let system = liquid();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
    let mut group = c.benchmark_group("list");
    group.sample_size(20).throughput(Throughput::Elements(system.n_atoms() as u64));
    let classes = vec![0; system.n_atoms()];
    let update = |list: &mut amelo_neighbor::NeighborList<f32>| {
        list.update(&system.cell, &system.positions, &system.topology.exclusions, &classes).expect("a wide cell")
    };
    let empty = || amelo_neighbor::NeighborList::<f32>::new(R_CUT, amelo_forces::DEFAULT_BUFFER);
    group.bench_function("build", |b| pool.install(|| b.iter(|| update(&mut empty()))));
    let mut list = empty();
    update(&mut list);
    println!("{} tiles of 16 slots for {:.0} pairs within the cut-off", list.n_tiles(), pairs_within(&system));
    group.bench_function("keep", |b| pool.install(|| b.iter(|| update(&mut list))));
}

criterion_group!(benches, pairs, lists);
criterion_main!(benches);

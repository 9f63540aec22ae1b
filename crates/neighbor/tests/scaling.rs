//! The list's cost per atom must not grow with the system, and its build must use the cores it is given.

mod common;

use std::time::Instant;

use amelo_core::Exclusions;
use amelo_neighbor::NeighborList;
use common::uniform;

/// Best of three builds of a list within 1.35 nm (r_cut 1.2 nm) at 100 atoms/nm³, in seconds.
fn build_time(n_atoms: usize, threads: usize) -> f64 {
    let (cell, positions) = uniform(n_atoms, 100.0);
    let exclusions = Exclusions::new(n_atoms, []);
    let classes = vec![0; n_atoms];
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        (0..3)
            .map(|_| {
                let mut list = NeighborList::<f32>::new(1.2, 0.15);
                let start = Instant::now();
                list.update(&cell, &positions, &exclusions, &classes).unwrap();
                start.elapsed().as_secs_f64()
            })
            .fold(f64::INFINITY, f64::min)
    })
}

#[test]
#[ignore = "slow tier: it takes seconds and a quiet machine"]
fn cost_per_atom_stays_and_threads_share_it() {
    let sizes = [3_000, 24_000, 192_000];
    let ns_per_atom = sizes.map(|n| build_time(n, 1) / n as f64 * 1e9);
    let two = build_time(sizes[2], 2) / sizes[2] as f64 * 1e9;
    let report = format!("ns/atom at {sizes:?} atoms: {ns_per_atom:.0?}; the largest on 2 threads: {two:.0}");
    // A quadratic list would cost a factor of 64 from the first to the last and of 8 from the second. Caches cost something
    // too: what 3,000 atoms take stays in the second one (Zen 4: 550, 830 to 920, 1030 to 1080).
    assert!(ns_per_atom[2] < 2.5 * ns_per_atom[0], "{report}");
    assert!(ns_per_atom[2] < 1.6 * ns_per_atom[1], "{report}");
    assert!(two < 0.75 * ns_per_atom[2], "{report}");
    eprintln!("{report}");
}

//! The list against every pair and every image.

mod common;

use amelo_core::{Cell, Exclusions, System};
use amelo_math::Vec3;
use amelo_math::lanes::Isa;
use amelo_math::philox::Noise;
use amelo_neighbor::{Among, CLUSTER, EMPTY, NeighborError, NeighborList, ROW};
use amelo_testkit::{RandomSystem, pair_sum, triclinic_cell};
use common::uniform;

/// Pairs within `r` by enumeration of all images.
fn all_pairs(system: &System, r: f64) -> Vec<[u32; 2]> {
    let mut pairs = Vec::new();
    pair_sum(system, r, |i, j, _| {
        pairs.push([i as u32, j as u32]);
        (0.0, 0.0)
    });
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

/// The list's pairs, i < j, ascending.
fn pairs_of(list: &NeighborList) -> Vec<[u32; 2]> {
    let mut pairs: Vec<_> = list.pairs().map(|[i, j]| [i.min(j) as u32, i.max(j) as u32]).collect();
    pairs.sort_unstable();
    pairs
}

/// The pairs, i < j, ascending, of the tiles that count by now: what a loop looks at.
fn counted(list: &NeighborList) -> Vec<[u32; 2]> {
    let (mut pairs, mut counting) = (Vec::new(), Vec::new());
    for row in (0..list.n_chunks()).flat_map(|chunk| list.rows(chunk)) {
        for tile in list.select(&row, &mut counting) {
            for bit in (0..16).filter(|bit| tile.pairs() >> bit & 1 == 1) {
                let i = list.slots()[row.row * ROW + bit / CLUSTER];
                let j = list.slots()[tile.cluster() * CLUSTER + bit % CLUSTER];
                pairs.push([i.min(j), i.max(j)]);
            }
        }
    }
    pairs.sort_unstable();
    pairs
}

/// Two classes, so that clusters of both have empty slots.
fn classes(n_atoms: usize) -> Vec<u8> {
    (0..n_atoms).map(|i| u8::from(i % 5 == 0)).collect()
}

fn cells() -> Vec<Cell> {
    let skewed = amelo_math::Mat3::from_array([[2.4, 0.0, 0.0], [1.9, 2.5, 0.0], [-1.7, 2.1, 2.9]]);
    vec![
        Cell::orthorhombic(2.0, 2.4, 9.0).unwrap(),
        Cell::orthorhombic(4.5, 4.0, 4.2).unwrap(),
        triclinic_cell(2.4),
        triclinic_cell(4.5),
        // Far from reduced: box vectors lean by more than half an edge.
        Cell::new(skewed).unwrap(),
    ]
}

#[test]
fn a_list_without_some_pairs_and_one_of_those_alone_are_the_whole_list() {
    for cell in cells() {
        let system = RandomSystem { n_atoms: 150, cell, min_distance: 0.1, chain: 7, ..Default::default() }.build();
        let pairs = |among| {
            let mut list = NeighborList::<f64>::new(0.7, 0.2).among(among);
            list.update(&cell, &system.positions, &system.topology.exclusions, &classes(150)).unwrap();
            pairs_of(&list)
        };
        let (without, only) = (pairs(Among::Without(1)), pairs(Among::Only(1)));
        let both_of_one = |pair: &[u32; 2]| pair.iter().all(|atom| classes(150)[*atom as usize] == 1);
        assert!(!only.is_empty() && only.iter().all(both_of_one) && !without.iter().any(both_of_one));
        let mut together = [without, only].concat();
        together.sort_unstable();
        assert_eq!(together, pairs(Among::All));
    }
}

#[test]
fn holds_every_pair_within_the_cutoff_once() {
    for (k, cell) in cells().into_iter().enumerate() {
        for (r_cut, buffer) in [(0.5, 0.1), (0.7, 0.3), (cell.half_width(), 0.0), (cell.half_width(), 0.2)] {
            let system =
                RandomSystem { n_atoms: 150, cell, min_distance: 0.1, chain: 7, seed: k as u64, ..Default::default() }
                    .build();
            let mut list = NeighborList::<f64>::new(r_cut, buffer);
            let exclusions = &system.topology.exclusions;
            assert_eq!(list.update(&cell, &system.positions, exclusions, &classes(150)), Ok(true));
            let found = pairs_of(&list);
            let what = format!("cell {k}, r_cut {r_cut}, buffer {buffer}");
            assert!(found.windows(2).all(|w| w[0] < w[1]), "{what}: a pair came twice");
            assert!(found.iter().all(|[i, j]| i != j && !exclusions.contains(*i as usize, *j as usize)), "{what}");
            // Those that only the buffer holds come when atoms have moved: the tests below.
            for pair in all_pairs(&system, r_cut) {
                assert!(found.binary_search(&pair).is_ok(), "{what}: lost {pair:?}");
            }
            // In a tile of one class each row and cluster are what the classes say.
            let class = classes(150);
            for row in (0..list.n_chunks()).flat_map(|c| list.rows(c)) {
                let of_slots = |slots: &[u32], expected: u8| {
                    slots.iter().filter(|a| **a != EMPTY).all(|a| class[*a as usize] == expected)
                };
                assert!(of_slots(&list.slots()[row.row * ROW..][..ROW], row.classes[0]));
                assert!(
                    row.tiles().all(|t| of_slots(&list.slots()[t.cluster() * CLUSTER..][..CLUSTER], row.classes[1]))
                );
            }
        }
    }
}

/// Moves and strains of every size: the list must be a superset of the pairs within the cut-off after each update, and
/// small ones must not rebuild it.
#[test]
fn never_misses_a_pair_while_atoms_and_cell_move() {
    for cell in [Cell::orthorhombic(2.6, 2.9, 3.0).unwrap(), triclinic_cell(3.0)] {
        let mut system = RandomSystem { n_atoms: 200, cell, min_distance: 0.1, ..Default::default() }.build();
        let noise = Noise::new(3, 9);
        let mut list = NeighborList::<f64>::new(0.8, 0.15);
        let (mut rebuilt, mut left_out, steps) = (0, 0, 60);
        for step in 0..steps {
            for (i, r) in system.positions.iter_mut().enumerate() {
                *r += noise.normal3(i as u32, step, 0) * 0.004;
            }
            system.wrap();
            let strain = amelo_math::Mat3::from_array([[1.0, 0.0, 0.0], [0.3, -0.5, 0.0], [0.2, 0.1, 0.7]]);
            let size = 2e-4 * noise.normal2(0, step, 1)[0];
            let strained = system.cell.deformed(strain * size).unwrap();
            for r in &mut system.positions {
                *r = strained.to_cartesian(system.cell.to_fractional(*r));
            }
            system.cell = strained;
            rebuilt += usize::from(
                list.update(&system.cell, &system.positions, &system.topology.exclusions, &classes(system.n_atoms()))
                    .unwrap(),
            );
            let found = counted(&list);
            left_out += pairs_of(&list).len() - found.len();
            for pair in all_pairs(&system, 0.8) {
                assert!(found.binary_search(&pair).is_ok(), "step {step} lost {pair:?}");
            }
        }
        assert!(rebuilt > 1 && rebuilt < steps as usize / 2, "{rebuilt} rebuilds in {steps} steps");
        assert_eq!(list.builds(), rebuilt as u64);
        assert!(left_out > 0, "every tile counts at once");
    }
}

/// A barostat moves no atom within the cell, and yet pairs come nearer.
#[test]
fn never_misses_a_pair_while_only_the_cell_shrinks() {
    let cell = triclinic_cell(3.0);
    let mut system = RandomSystem { n_atoms: 200, cell, min_distance: 0.1, ..Default::default() }.build();
    let mut list = NeighborList::<f64>::new(0.9, 0.05);
    let mut rebuilt = 0;
    for step in 0..24 {
        rebuilt += usize::from(
            list.update(&system.cell, &system.positions, &system.topology.exclusions, &classes(system.n_atoms()))
                .unwrap(),
        );
        let found = counted(&list);
        for pair in all_pairs(&system, 0.9) {
            assert!(found.binary_search(&pair).is_ok(), "step {step} lost {pair:?}");
        }
        let smaller = system.cell.deformed(amelo_math::Mat3::IDENTITY * -0.005).unwrap();
        system.positions.iter_mut().for_each(|r| *r = smaller.to_cartesian(system.cell.to_fractional(*r)));
        system.cell = smaller;
    }
    assert!(rebuilt < 8, "{rebuilt} rebuilds");
}

/// The search is compiled for each set of instructions; the others' tests may run with any of them meanwhile.
#[test]
fn instructions_make_no_difference() {
    let best = Isa::current();
    for (k, cell) in cells().into_iter().enumerate() {
        let system =
            RandomSystem { n_atoms: 300, cell, min_distance: 0.1, chain: 7, seed: k as u64, ..Default::default() }
                .build();
        let found: Vec<_> = Isa::ALL
            .into_iter()
            .filter(|isa| isa.choose())
            .map(|_| {
                let mut list = NeighborList::<f64>::new(0.7, 0.2);
                list.update(&cell, &system.positions, &system.topology.exclusions, &classes(300)).unwrap();
                pairs_of(&list)
            })
            .collect();
        for pairs in &found {
            // A tile at the very end of the reach may be in one list and not in the other.
            for pair in all_pairs(&system, 0.7) {
                assert!(pairs.binary_search(&pair).is_ok(), "cell {k}: lost {pair:?}");
            }
            assert!(pairs.len().abs_diff(found[0].len()) <= 16, "cell {k}: {} and {}", pairs.len(), found[0].len());
        }
    }
    assert!(best.choose());
}

#[test]
fn a_wrapped_atom_has_not_moved() {
    let cell = Cell::orthorhombic(3.0, 3.0, 3.0).unwrap();
    let exclusions = Exclusions::new(2, []);
    let mut list = NeighborList::<f64>::new(1.0, 0.2);
    let mut positions = vec![Vec3::new(0.001, 1.0, 1.0), Vec3::new(2.0, 2.0, 2.0)];
    assert_eq!(list.update(&cell, &positions, &exclusions, &[0; 2]), Ok(true));
    positions[0].x = 2.999;
    assert_eq!(list.update(&cell, &positions, &exclusions, &[0; 2]), Ok(false));
    positions[0].x = 2.85;
    assert_eq!(list.update(&cell, &positions, &exclusions, &[0; 2]), Ok(true));
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let system = RandomSystem { n_atoms: 300, min_distance: 0.1, chain: 5, ..Default::default() }.build();
    let build = |threads| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
            let mut list = NeighborList::<f64>::new(0.9, 0.1);
            list.update(&system.cell, &system.positions, &system.topology.exclusions, &classes(system.n_atoms()))
                .unwrap();
            list.pairs().collect::<Vec<_>>()
        })
    };
    assert_eq!(build(1), build(3));
}

#[test]
fn a_narrow_cell_and_a_lost_atom_are_errors() {
    let cell = Cell::orthorhombic(3.0, 3.0, 1.99).unwrap();
    let exclusions = Exclusions::new(1, []);
    let mut list = NeighborList::<f64>::new(1.0, 0.2);
    assert_eq!(
        list.update(&cell, &[Vec3::ZERO], &exclusions, &[0]),
        Err(NeighborError::CellTooSmall { half_width: cell.half_width() })
    );
    let cell = Cell::orthorhombic(3.0, 3.0, 2.0).unwrap();
    assert_eq!(list.update(&cell, &[Vec3::ZERO], &exclusions, &[0]), Ok(true));
    let lost = Vec3::new(0.0, f64::NAN, 0.0);
    assert_eq!(list.update(&cell, &[lost], &exclusions, &[0]), Err(NeighborError::NotFinite { atom: 0 }));
}

/// Which of two clusters gives the rows must be settled where both are alike and half the cell apart, too.
#[test]
fn a_perfect_lattice_has_every_pair_once() {
    for n in [8, 12] {
        let (spacing, r_cut) = (0.25, 0.7);
        let edge = spacing * f64::from(n);
        let cell = Cell::orthorhombic(edge, edge, edge).unwrap();
        let positions: Vec<Vec3> = (0..n * n * n)
            .map(|k| Vec3::new(f64::from(k % n), f64::from(k / n % n), f64::from(k / n / n)) * spacing)
            .collect();
        let mut list = NeighborList::<f64>::new(r_cut, 0.2);
        list.update(&cell, &positions, &Exclusions::new(positions.len(), []), &vec![0; positions.len()]).unwrap();
        let pairs = pairs_of(&list);
        assert!(pairs.windows(2).all(|two| two[0] != two[1]), "a pair twice");
        let within = |pair: &&[u32; 2]| {
            let [i, j] = pair.map(|atom| positions[atom as usize]);
            cell.minimum_image(i - j).norm() < r_cut
        };
        // The neighbours (a, b, c) with a² + b² + c² < (0.7 / 0.25)² = 7.84: 6 + 12 + 8 + 6 + 24 + 24.
        assert_eq!(pairs.iter().filter(within).count(), positions.len() * 80 / 2);
    }
}

/// A kernel computes whole tiles: what matters for its speed is how many of their places hold a pair within the cut-off.
#[test]
fn tiles_are_well_filled() {
    let (n, r_cut) = (4000, 1.0);
    let (cell, positions) = uniform(n, 89.0);
    let mut list = NeighborList::<f32>::new(r_cut, 0.2);
    list.update(&cell, &positions, &Exclusions::new(n, []), &vec![0; n]).unwrap();
    let within = |&[i, j]: &[usize; 2]| cell.minimum_image(positions[i] - positions[j]).norm2() < r_cut * r_cut;
    let share = list.pairs().filter(within).count() as f64 / (2 * CLUSTER * list.n_tiles()) as f64;
    // 0.579; 0.530 with clusters as they are sorted whose first gives the rows.
    assert!(share > 0.57, "{share}");
}

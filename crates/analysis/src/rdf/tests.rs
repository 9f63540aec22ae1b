use std::sync::Arc;

use amelo_core::{AtomType, Cell, Exclusions, Molecule, System};
use amelo_math::{Mat3, Vec3, philox::Noise};

use super::*;

/// n atoms in two groups A (even) and B (odd), two atoms per molecule.
fn topology(n: usize) -> Topology {
    let mut topology = Topology {
        types: vec![AtomType { name: "X".into(), element: "Ar".into() }],
        type_of: vec![0; n].into(),
        names: vec!["X"; n].into(),
        masses: vec![1.0; n].into(),
        charges: vec![0.0; n].into(),
        nominal_charges: vec![0.0; n].into(),
        frozen: vec![false; n],
        exclusions: Exclusions::new(n, (0..n as u32 / 2).map(|k| [2 * k, 2 * k + 1])),
        ..Topology::default()
    };
    topology.molecules = (0..n / 2).map(|k| Molecule { kind: "X2".into(), first: 2 * k, count: 2 }).collect();
    for (name, odd) in [("A", 0), ("B", 1)] {
        topology.groups.insert(name.into(), (0..n as u32).filter(|i| i % 2 == odd).collect());
    }
    topology
}

fn run(config: serde_json::Value, topology: Topology, frames: impl Iterator<Item = (Cell, Vec<Vec3>)>) -> Outcome {
    let config: RdfConfig = serde_json::from_value(config).unwrap();
    let topology = Arc::new(topology);
    let mut rdf = config.build(&topology, &Context::default()).unwrap();
    for (k, (cell, positions)) in frames.enumerate() {
        let mut system = System::new(topology.clone(), cell, positions);
        system.step = k as u64;
        rdf.observe(&system.frame()).unwrap();
    }
    rdf.finish().unwrap()
}

fn ideal_gas(cell: Cell, n: usize, frames: u64) -> impl Iterator<Item = (Cell, Vec<Vec3>)> {
    let noise = Noise::new(4, 77);
    (0..frames).map(move |k| {
        let place = |i: u32| {
            let ([a, b], [c, _]) = (noise.uniform2(i, k, 0), noise.uniform2(i, k, 1));
            cell.to_cartesian(Vec3::new(a, b, c))
        };
        (cell, (0..n as u32).map(place).collect())
    })
}

#[test]
fn an_ideal_gas_has_g_of_one_in_right_angled_and_oblique_cells() {
    let cells = [
        Cell::orthorhombic(2.2, 2.6, 3.0).unwrap(),
        Cell::new(Mat3::from_array([[2.4, 0.0, 0.0], [1.0, 2.3, 0.0], [-0.8, 0.9, 2.6]])).unwrap(),
    ];
    let (n, frames) = (300, 60);
    for cell in cells {
        for exclude in ["none", "bonded", "same-molecule"] {
            // A–A asks for N (N − 1) pairs, A–B leaves out the excluded ones.
            let config =
                json!({"pairs": [["A", "A"], ["A", "B"]], "r_max": "1 nm", "bin": "0.05 nm", "exclude": exclude});
            let out = run(config, topology(n), ideal_gas(cell, n, frames));
            for (p, series) in out.curves[0].series.iter().enumerate() {
                // Sum over everything beyond 0.3 nm: Poisson statistics of its pair count.
                let a = (n / 2) as f64;
                let pairs = if p == 0 { a * (a - 1.0) / 2.0 } else { a * a };
                let r: &Vec<f64> = &out.curves[0].x.values;
                let shell = |r: f64| 4.0 / 3.0 * std::f64::consts::PI * ((r + 0.025).powi(3) - (r - 0.025).powi(3));
                let (mut found, mut volume) = (0.0, 0.0);
                for (k, g) in series.values.iter().enumerate() {
                    found += g * shell(r[k]);
                    volume += shell(r[k]);
                    let counts = pairs * frames as f64 * shell(r[k]) / cell.volume();
                    if counts > 200.0 {
                        assert!((g - 1.0).abs() < 4.5 / counts.sqrt(), "r {}: {g}", r[k]);
                    }
                }
                let counts = pairs * frames as f64 * volume / cell.volume();
                assert!((found / volume - 1.0).abs() < 3.5 / counts.sqrt(), "{}: {}", series.name, found / volume);
            }
        }
    }
}

#[test]
fn shells_of_perfect_crystals_have_their_coordination_numbers() {
    // Face-centred cubic, conventional cells; shells at a·√(k/2): 12, 6, 24, 12.
    let a = 0.4;
    let basis = [[0.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]];
    for n in [2usize, 4] {
        let mut positions = vec![];
        for i in 0..n {
            for j in 0..n {
                for k in 0..n {
                    positions.extend(basis.map(|b| {
                        Vec3::new(i as f64 + b[0], j as f64 + b[1], k as f64 + b[2]) * a + Vec3::new(0.01, 0.02, 0.03)
                    }));
                }
            }
        }
        let edge = n as f64 * a;
        let cell = Cell::orthorhombic(edge, edge, edge).unwrap();
        let total = positions.len();
        let mut topology = topology(total);
        topology.groups.insert("all".into(), (0..total as u32).collect());
        // In the small crystal this range reaches beyond half the cell: images must count.
        let config = json!({"pairs": [["all", "all"]], "r_max": "0.6 nm", "bin": "0.01 nm"});
        let out = run(config, topology, [(cell, positions)].into_iter());
        let (r, running) = (&out.curves[1].x.values, &out.curves[1].series[0].values);
        let at = |distance: f64| running[r.iter().position(|x| *x >= distance).unwrap()];
        let shell = |k: f64| a * (k / 2.0).sqrt();
        for (from, to, expected) in [(1.0, 2.0, 12.0), (2.0, 3.0, 18.0), (3.0, 4.0, 42.0)] {
            assert_eq!(at(0.5 * (shell(from) + shell(to))), expected, "{n} cells");
        }
        assert_eq!(at(0.58), 54.0);
        let coordination = out.quantities.iter().find(|q| q.name.contains("coordination number")).unwrap();
        assert_eq!(coordination.value, Some(12.0));
        let peak = out.quantities.iter().find(|q| q.name.contains("first peak")).unwrap();
        assert!((peak.value.unwrap() - shell(1.0)).abs() < 0.01);
    }
}

#[test]
fn same_molecule_and_bonded_pairs_are_left_out() {
    // Dimers of length 0.2 nm far apart.
    let cell = Cell::orthorhombic(4.0, 4.0, 4.0).unwrap();
    let positions: Vec<Vec3> = (0..8).map(|i| Vec3::new((i / 2) as f64 + 0.2 * (i % 2) as f64, 0.0, 0.0)).collect();
    for (exclude, expected) in [("none", 1.0), ("bonded", 0.0), ("same-molecule", 0.0)] {
        let config = json!({"pairs": [["A", "B"]], "r_max": "0.5 nm", "cutoff": "0.3 nm", "exclude": exclude});
        let out = run(config, topology(8), [(cell, positions.clone())].into_iter());
        let n = out.quantities.iter().find(|q| q.name.contains("coordination")).unwrap();
        assert_eq!(n.value, Some(expected), "{exclude}");
        assert!(n.ci95.is_none(), "one frame has no interval");
    }
}

#[test]
fn the_interval_of_a_coordination_number_needs_four_blocks() {
    let cell = Cell::orthorhombic(2.0, 2.0, 2.0).unwrap();
    let config =
        |blocks: usize| json!({"pairs": [["A", "B"]], "r_max": "0.8 nm", "cutoff": "0.5 nm", "blocks": blocks});
    let with = |blocks| run(config(blocks), topology(60), ideal_gas(cell, 60, 200));
    let n = |out: &Outcome| out.quantities.iter().find(|q| q.name.contains("coordination")).unwrap().clone();
    assert!(n(&with(3)).ci95.is_none());
    let [low, high] = n(&with(8)).ci95.unwrap();
    let expected = 30.0 * 4.0 / 3.0 * std::f64::consts::PI * 0.125 / 8.0;
    assert!(low < expected && expected < high, "{low} {expected} {high}");
}

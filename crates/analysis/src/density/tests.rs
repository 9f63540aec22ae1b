use std::sync::Arc;

use amelo_core::units::GRAM_PER_CM3;
use amelo_core::{AtomType, Cell, Molecule, System};
use amelo_math::{Mat3, Vec3, philox::Noise};

use super::*;

fn topology(oxide: usize, ions: usize) -> Topology {
    let n = oxide + ions;
    let mut topology = Topology {
        types: vec![AtomType { name: "X".into(), element: "O".into() }],
        type_of: vec![0; n].into(),
        names: vec!["X"; n].into(),
        masses: (0..n).map(|i| if i < oxide { 16.0 } else { 7.0 }).collect(),
        charges: (0..n).map(|i| if i < oxide { -0.5 } else { 0.8 }).collect(),
        nominal_charges: vec![0.0; n].into(),
        frozen: vec![false; n],
        ..Topology::default()
    };
    topology.molecules.push(Molecule { kind: "anatase".into(), first: 0, count: oxide });
    topology.molecules.extend((oxide..n).map(|first| Molecule { kind: "Li".into(), first, count: 1 }));
    topology.groups.insert("oxide".into(), (0..oxide as u32).collect());
    topology.groups.insert("Li".into(), (oxide as u32..n as u32).collect());
    topology
}

#[test]
fn no_atom_is_lost_wherever_it_sits() {
    let cells = [
        Cell::orthorhombic(2.0, 2.0, 5.0).unwrap(),
        Cell::new(Mat3::from_array([[2.0, 0.0, 0.0], [0.5, 2.0, 0.0], [0.7, -0.4, 5.3]])).unwrap(),
    ];
    let noise = Noise::new(2, 77);
    for bin in ["0.05 nm", "0.0371 nm", "1 nm", "9 nm"] {
        let topology = Arc::new(topology(50, 333));
        let config: DensityConfig = serde_json::from_value(json!({"bin": bin})).unwrap();
        let mut density = config.build(&topology, &Context::default()).unwrap();
        for (k, cell) in (0..90u64).map(|k| (k, cells[k as usize % 2])) {
            // Everywhere, exactly on the faces, and a rounding error beyond them.
            let place = |i: u32| {
                let z = match i % 7 {
                    0 => 0.0,
                    1 => cell.diagonal().z,
                    2 => -1e-17,
                    3 => cell.diagonal().z * (1.0 - 1e-16),
                    _ => noise.uniform2(i, k, 0)[0] * cell.diagonal().z,
                };
                Vec3::new(0.0, 0.0, z)
            };
            let mut system = System::new(topology.clone(), cell, vec![Vec3::ZERO; 383]);
            system.positions = (0..383).map(place).collect();
            system.step = k;
            density.observe(&system.frame()).unwrap();
        }
        let out = density.finish().unwrap();
        for (name, n) in [("anatase", 50.0), ("Li", 333.0)] {
            let q = out.quantities.iter().find(|q| q.name.starts_with(name)).unwrap();
            assert_eq!(q.value, Some(n), "{bin}");
        }
        // The curves integrate to the same numbers; the cell changes between frames, so by volume per frame.
        assert_eq!(out.curves[1].series.len(), 2);
    }
}

#[test]
fn a_slab_across_the_boundary_is_centred_and_its_densities_are_right() {
    // A slab of 1 nm that straddles z = 0, ions in a plane 1 nm from its middle.
    let (lateral, height) = (2.0, 6.0);
    let cell = Cell::orthorhombic(lateral, lateral, height).unwrap();
    let topology = Arc::new(topology(201, 100));
    let config: DensityConfig = serde_json::from_value(json!({"bin": "0.1 nm", "groups": ["oxide", "Li"]})).unwrap();
    let mut density = config.build(&topology, &Context::default()).unwrap();
    for k in 0..10u64 {
        // The whole content drifts; the profile must not.
        let drift = 0.83 * k as f64;
        let place = |i: usize| {
            let z = if i < 201 { -0.5 + i as f64 / 200.0 } else { 1.05 };
            Vec3::new(0.1, 0.1, z + drift)
        };
        let mut system = System::new(topology.clone(), cell, (0..301).map(place).collect());
        system.step = k;
        density.observe(&system.frame()).unwrap();
    }
    let out = density.finish().unwrap();
    let curve = |symbol: &str| out.curves.iter().find(|c| c.symbol == symbol).unwrap();
    let z = &curve("n(z)").x.values;
    let at = z.iter().position(|z| (z - 1.05).abs() < 1e-9).unwrap();
    let bin_volume = lateral * lateral * 0.1;
    assert!((curve("n(z)").series[1].values[at] - 100.0 / bin_volume).abs() < 1e-9);
    assert!((curve("ρ(z)").series[1].values[at] - 700.0 / bin_volume / GRAM_PER_CM3).abs() < 1e-9);
    assert!((curve("ρ_q(z)").series[1].values[at] - 80.0 / bin_volume).abs() < 1e-9);
    let sum: f64 = curve("n(z)").series[0].values.iter().sum::<f64>() * bin_volume;
    assert!((sum - 201.0).abs() < 1e-9);
    assert!(curve("n(z)").series[0].values.iter().zip(z).all(|(n, z)| *n == 0.0 || z.abs() < 0.56));
    assert!(out.notes.iter().any(|n| n.contains("|z| = 0.500 nm")), "{:?}", out.notes);
}

#[test]
fn a_group_that_is_not_there_is_named() {
    let topology = topology(3, 3);
    let config: DensityConfig = serde_json::from_value(json!({"groups": ["PEO"]})).unwrap();
    let error = config.build(&topology, &Context::default()).err().unwrap();
    assert!(error.to_string().contains("\"PEO\"") && error.to_string().contains("\"Li\""), "{error}");
}

use std::sync::Arc;

use amelo_core::{AtomType, Molecule, System};
use amelo_math::philox::Noise;

use super::*;

fn topology(oxide: usize, gas: usize) -> Topology {
    let n = oxide + gas;
    let mut topology = Topology {
        types: vec![AtomType { name: "X".into(), element: "O".into() }],
        type_of: vec![0; n].into(),
        names: vec!["X"; n].into(),
        masses: vec![16.0; n].into(),
        charges: vec![0.5; n].into(),
        nominal_charges: vec![0.0; n].into(),
        frozen: vec![false; n],
        ..Topology::default()
    };
    if oxide > 0 {
        topology.molecules.push(Molecule { kind: "anatase".into(), first: 0, count: oxide });
        topology.groups.insert("oxide".into(), (0..oxide as u32).collect());
    }
    topology.molecules.extend((oxide..n).map(|first| Molecule { kind: "gas".into(), first, count: 1 }));
    topology.groups.insert("gas".into(), (oxide as u32..n as u32).collect());
    topology
}

/// A point of a gas in a cylinder of `radius` about `centre`, uniform over its area.
fn in_cylinder(noise: &Noise, id: u32, frame: u64, radius: f64, centre: [f64; 2], length: f64) -> Vec3 {
    let [a, b] = noise.uniform2(id, frame, 0);
    let [c, _] = noise.uniform2(id, frame, 1);
    let r = radius * a.sqrt();
    Vec3::new(centre[0] + r * cos(TAU * b), centre[1] + r * sin(TAU * b), length * c)
}

/// An ideal gas in a cylinder about the middle of the cell has the same density at every radius: N/(π R² L). The numbers of
/// 200 frames of 500 atoms scatter about it as Poisson's do, and the intervals say so.
#[test]
fn an_ideal_gas_in_a_cylinder_has_a_flat_profile() {
    let (radius, length, n, frames) = (1.5, 2.0, 500, 200);
    let topology = Arc::new(topology(0, n));
    let cell = Cell::orthorhombic(4.0, 4.4, length).unwrap();
    let config: RadialDensityConfig = serde_json::from_value(json!({"bin": "0.1 nm"})).unwrap();
    let mut analysis = config.build(&topology, &Context::default()).unwrap();
    let noise = Noise::new(4, 77);
    for k in 0..frames {
        let place = |i: u32| in_cylinder(&noise, i, k, radius, [2.0, 2.2], length);
        let mut system = System::new(topology.clone(), cell, (0..n as u32).map(place).collect());
        system.step = k;
        analysis.observe(&system.frame()).unwrap();
    }
    let out = analysis.finish().unwrap();
    let curve = out.curves.iter().find(|c| c.symbol == "n(r)").unwrap();
    let density = n as f64 / (PI * radius * radius * length);
    let error = curve.series[0].error.as_ref().unwrap();
    let mut inside = 0;
    for (k, (r, found)) in curve.x.values.iter().zip(&curve.series[0].values).enumerate() {
        assert!((r - 0.1 * (k as f64 + 0.5)).abs() < 1e-12);
        if k >= 15 {
            assert_eq!(*found, 0.0, "{r}");
            continue;
        }
        let expected = frames as f64 * density * PI * 0.01 * (2 * k + 1) as f64 * length;
        // Five standard deviations of a count.
        assert!((found / density - 1.0).abs() < 5.0 / expected.sqrt(), "{r}: {found} {density}");
        inside += usize::from((found - density).abs() < error[k]);
    }
    assert!(inside >= 12, "{inside} of 15 intervals hold the truth");
    assert_eq!(out.quantities[0].value, Some(500.0));
}

/// A lattice with a hole anywhere, across the boundaries too, and drifting: the axis is the hole's, and a thread along it
/// stands in the first ring.
#[test]
fn the_axis_is_that_of_the_hole() {
    let edge = 4.0;
    let cell = Cell::orthorhombic(edge, edge, 1.0).unwrap();
    for centre in [[2.0, 2.0], [0.3, 3.9], [1.17, 0.02]] {
        let fold = |d: f64| d - edge * (d / edge).round();
        let lattice = (0..40 * 40).map(|k| Vec3::new(0.1 * f64::from(k % 40), 0.1 * f64::from(k / 40), 0.5));
        let oxide: Vec<Vec3> = lattice.filter(|r| fold(r.x - centre[0]).hypot(fold(r.y - centre[1])) > 1.0).collect();
        let thread = (0..10).map(|k| Vec3::new(centre[0], centre[1], 0.1 * f64::from(k)));
        let topology = Arc::new(topology(oxide.len(), 10));
        let config: RadialDensityConfig = serde_json::from_value(json!({"groups": ["gas", "oxide"]})).unwrap();
        let mut analysis = config.build(&topology, &Context::default()).unwrap();
        let start: Vec<Vec3> = oxide.iter().copied().chain(thread).collect();
        for k in 0..6u64 {
            let drift = Vec3::new(0.7, -0.4, 0.1) * k as f64;
            let mut system = System::new(topology.clone(), cell, start.iter().map(|r| *r + drift).collect());
            system.wrap();
            system.step = k;
            analysis.observe(&system.frame()).unwrap();
        }
        let out = analysis.finish().unwrap();
        let n = &out.curves.iter().find(|c| c.symbol == "n(r)").unwrap();
        let ring = PI * 0.05 * 0.05;
        assert!((n.series[0].values[0] - 10.0 / ring).abs() < 1e-6, "{centre:?} {:?}", &n.series[0].values[..3]);
        // The lattice's spacing blurs the hole by 0.1 nm at most.
        for (r, oxide) in n.x.values.iter().zip(&n.series[1].values) {
            assert!(*r > 0.9 || *oxide == 0.0, "{r}");
        }
        assert!(!out.notes.iter().any(|n| n.contains("no pore")), "{:?}", out.notes);
    }
}

#[test]
fn an_oxide_without_a_pore_is_said_to_have_none() {
    let cell = Cell::orthorhombic(2.0, 2.0, 1.0).unwrap();
    let oxide: Vec<Vec3> = (0..400).map(|k| Vec3::new(0.1 * f64::from(k % 20), 0.1 * f64::from(k / 20), 0.5)).collect();
    let topology = Arc::new(topology(400, 1));
    let config: RadialDensityConfig = serde_json::from_value(json!({})).unwrap();
    let mut analysis = config.build(&topology, &Context::default()).unwrap();
    let system = System::new(topology, cell, oxide.into_iter().chain([Vec3::ZERO]).collect());
    analysis.observe(&system.frame()).unwrap();
    assert!(analysis.finish().unwrap().notes.iter().any(|n| n.contains("no pore")));
}

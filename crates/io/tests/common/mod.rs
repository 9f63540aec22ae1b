//! A small system whose state at any step is a plain formula, for tests of files.

use std::sync::Arc;

use amelo_core::{
    AtomType, Cell, Coulomb, Exclusions, Modifier, Molecule, Nonbonded, PairEntry, PairTable, Provenance, Residue,
    State, System, Topology,
};
use amelo_io::Snapshot;
use amelo_math::philox::Noise;
use amelo_math::{Mat3, Vec3};

/// A topology of `n` atoms with the odd corners that a format can lose.
pub fn topology(n: usize) -> Topology {
    Topology {
        types: vec![
            AtomType { name: "OS".into(), element: "O".into() },
            AtomType { name: "Li".into(), element: "Li".into() },
        ],
        type_of: (0..n).map(|i| (i % 2) as u32).collect(),
        names: (0..n).map(|i| format!("X{}", i % 100)).collect(),
        masses: (0..n).map(|i| if i % 2 == 0 { 15.999 } else { 6.94 }).collect(),
        charges: (0..n).map(|i| if i % 2 == 0 { -0.1 - 0.2 } else { 0.8 }).collect(),
        nominal_charges: vec![1.0; n].into(),
        molecules: vec![Molecule { kind: "all".into(), first: 0, count: n }],
        residues: (0..n / 2).map(|k| Residue { name: "EO".into(), first: 2 * k, count: 2 }).collect(),
        bonds: (1..n as u32).map(|i| [i - 1, i]).collect(),
        exclusions: Exclusions::new(n, (1..n as u32).map(|i| [i - 1, i])),
        frozen: vec![false; n],
        groups: [("ether O of “PEO”".to_string(), vec![0, 2])].into(),
        ..Topology::default()
    }
}

/// The system at `step`: numbers that only exact storage keeps.
pub fn system(topology: &Arc<Topology>, step: u64) -> System {
    let n = topology.n_atoms();
    let noise = Noise::new(11, 99);
    let side = 3.0 + 1e-9 * step as f64;
    let cell = Cell::new(Mat3::from_array([[side, 0.0, 0.0], [0.3, side, 0.0], [-0.2, 0.1, side]])).unwrap();
    let vectors = |draw: u32| -> Vec<Vec3> { (0..n).map(|i| noise.normal3(i as u32, step, draw)).collect() };
    let mut system = System::new(topology.clone(), cell, vectors(0));
    system.displacements = vectors(1);
    system.velocities = vectors(2);
    system.step = step;
    system.time = 0.002 * step as f64;
    system
}

/// A snapshot at `step`, with `frames` remembered as a run does it.
pub fn snapshot(system: System, frames: u64) -> Snapshot {
    let pair_table = PairTable::from_fn(2, |i, j| {
        Ok::<_, ()>(PairEntry {
            form: "lennard_jones".into(),
            parameters: vec![0.29 + 0.1 * i as f64, 0.1 / 3.0 * (j + 1) as f64],
            provenance: Provenance::Rule("geometric".into()),
            source: "none".into(),
        })
    })
    .unwrap();
    let mut state = State::default();
    state.put_f64("thermostat/eta", &[f64::NAN, -0.0, 5e-324, f64::INFINITY]);
    state.put_f64("empty", &[]);
    state.put_u64("trajectory/frames%2F", &[frames, u64::MAX]);
    Snapshot {
        system,
        pair_table,
        nonbonded: Nonbonded {
            r_cut: 1.2,
            modifier: Modifier::ForceSwitch { r_switch: 0.9 },
            dispersion_correction: false,
            coulomb: Coulomb::Pme { beta: 3.123456789012345, order: 6, mesh: [24, 25, 27] },
            slab: Some(2),
            precision: Default::default(),
        },
        state,
        meta: [("deck".to_string(), "title = \"Åström\"\n".to_string())].into(),
    }
}

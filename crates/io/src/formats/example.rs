//! A small system with one of everything, for the tests of exports: two chains of six atoms and an ion.

use std::sync::Arc;

use amelo_core::{
    AtomType, Cell, Class, Constraint, Coulomb, Exclusions, Interactions, Modifier, Molecule, Nonbonded, PairEntry,
    PairTable, Provenance, Residue, ScaledPair, System, Topology,
};
use amelo_math::Vec3;

use super::model::Model;

/// A system with its model, owned.
pub(crate) struct Example {
    pub system: System,
    pub pair_table: PairTable,
    pub nonbonded: Nonbonded,
}

/// Atoms per chain.
const CHAIN: u32 = 6;

impl Example {
    pub fn model(&self) -> Model<'_> {
        Model {
            title: "example",
            system: &self.system,
            pair_table: &self.pair_table,
            nonbonded: &self.nonbonded,
            timestep: 0.002,
            electric_field: None,
        }
    }

    pub fn topology(&mut self) -> &mut Topology {
        Arc::make_mut(&mut self.system.topology)
    }

    /// Both chains get the interactions.
    pub fn interact(&mut self, class: Class, form: &str, atoms: &[u32], parameters: &[f64]) {
        let shifted = |k: u32| atoms.iter().map(move |a| a + k * CHAIN);
        let list = Interactions {
            class,
            form: form.into(),
            atoms: shifted(0).chain(shifted(1)).collect(),
            kind: vec![0, 0],
            parameters: vec![parameters.to_vec()],
        };
        self.topology().interactions.push(list);
    }

    /// The potential of one pair of types, changed.
    pub fn set_pair(&mut self, i: usize, j: usize, form: &str, parameters: &[f64]) {
        let old = self.pair_table.clone();
        self.pair_table = PairTable::from_fn(old.n_types(), |a, b| {
            let mut entry = old.get(a, b).clone();
            if (a, b) == (i.min(j), i.max(j)) {
                entry = PairEntry { form: form.into(), parameters: parameters.to_vec(), ..entry };
            }
            Ok::<_, ()>(entry)
        })
        .unwrap();
    }
}

/// Chains C–C–O–C–C–H (1-2 and 1-3 excluded, 1-4 halved) and an ion whose pair with H is none.
pub(crate) fn example() -> Example {
    let chain = |offset: f64| -> Vec<Vec3> {
        (0..CHAIN)
            .map(|k| {
                Vec3::new(
                    0.4 + 0.12 * f64::from(k),
                    0.5 + offset + 0.04 * f64::from(k % 2),
                    0.6 + 0.01 * f64::from(k * k),
                )
            })
            .collect()
    };
    let positions = [chain(0.0), chain(0.8), vec![Vec3::new(1.9, 1.9, 1.9)]].concat();
    let types = [2usize, 2, 1, 2, 2, 0];
    let mut pairs = (Vec::new(), Vec::new(), Vec::new());
    for start in [0, CHAIN] {
        for k in 0..CHAIN {
            for (distance, list) in [(1, &mut pairs.0), (2, &mut pairs.1), (3, &mut pairs.2)] {
                if k + distance < CHAIN {
                    list.push([start + k, start + k + distance]);
                }
            }
        }
    }
    let (bonds, one_three, one_four) = pairs;
    let all = [bonds.as_slice(), &one_three, &one_four].concat();
    let type_of: Vec<u32> = types.iter().chain(&types).map(|&t| t as u32).chain([3]).collect();
    let named = |name: &str, element: &str| AtomType { name: name.into(), element: element.into() };
    let molecule = |kind: &str, first, count| Molecule { kind: kind.into(), first, count };
    let residue = |name: &str, first, count| Residue { name: name.into(), first, count };
    let topology = Topology {
        types: vec![named("HC", "H"), named("OS", "O"), named("CT", "C"), named("Li", "Li")],
        masses: type_of.iter().map(|&t| [1.008, 15.999, 12.011, 6.94][t as usize]).collect(),
        charges: type_of.iter().map(|&t| [0.1, -0.4, 0.075, 0.8][t as usize]).collect(),
        nominal_charges: vec![0.0; 13].into(),
        names: (0..13).map(|k| format!("A{}", k % 6 + 1)).collect(),
        molecules: vec![molecule("chain", 0, 6), molecule("chain", 6, 6), molecule("Li", 12, 1)],
        residues: vec![
            residue("HEA", 0, 3),
            residue("TAI", 3, 3),
            residue("HEA", 6, 3),
            residue("TAI", 9, 3),
            residue("LI", 12, 1),
        ],
        exclusions: Exclusions::new(13, all),
        scaled_pairs: one_four
            .iter()
            .map(|&atoms| ScaledPair { atoms, vdw: 0.5, coulomb: 0.5, charges: None, pair_override: None, cut: false })
            .collect(),
        constraints: [4, 10].map(|k| Constraint { atoms: [k, k + 1], length: 0.109 }).to_vec(),
        frozen: vec![false; 13],
        groups: [("the ion; Li".to_string(), vec![12])].into(),
        bonds: bonds.into(),
        type_of: type_of.into(),
        ..Topology::default()
    };
    let own: [(f64, f64); 4] = [(0.25, 0.12552), (0.29, 0.58576), (0.35, 0.276144), (0.2126452, 0.0764793)];
    let pair_table = PairTable::from_fn(4, |i, j| {
        let none = (i, j) == (0, 3);
        let (sigma, epsilon) = ((own[i].0 * own[j].0).sqrt(), (own[i].1 * own[j].1).sqrt());
        Ok::<_, ()>(PairEntry {
            form: if none { "none".into() } else { "lennard_jones".into() },
            parameters: if none { Vec::new() } else { vec![sigma, epsilon] },
            provenance: Provenance::Explicit,
            source: "test".into(),
        })
    })
    .unwrap();
    let cell = Cell::orthorhombic(2.0, 2.1, 2.2).unwrap();
    let nonbonded = Nonbonded {
        r_cut: 0.9,
        modifier: Modifier::None,
        dispersion_correction: false,
        coulomb: Coulomb::Pme { beta: 3.123_456_789_012_345, order: 5, mesh: [20, 24, 25] },
        slab: None,
        precision: Default::default(),
    };
    let mut example = Example { system: System::new(Arc::new(topology), cell, positions), pair_table, nonbonded };
    // k chosen so that LAMMPS' coefficients are round numbers: 300 kcal/mol/Å², 60 kcal/mol/rad².
    for k in 0..4 {
        example.interact(Class::Bond, "harmonic", &[k, k + 1], &[0.15, 251_040.0]);
    }
    example.interact(Class::Bond, "harmonic", &[4, 5], &[0.109, 284_512.0]);
    example.interact(Class::Angle, "harmonic", &[0, 1, 2], &[std::f64::consts::FRAC_PI_2, 502.08]);
    example
}

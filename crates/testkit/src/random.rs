//! Small random systems: orthorhombic and triclinic, with types, charges, exclusions and scaled pairs.

use std::sync::Arc;

use amelo_core::{AtomType, Cell, Exclusions, Molecule, ScaledPair, System, Topology};
use amelo_math::philox::Noise;
use amelo_math::{Mat3, Vec3};

/// What a random system looks like; start from `Default` and change what matters.
#[derive(Clone, Debug)]
pub struct RandomSystem {
    /// Number of atoms.
    pub n_atoms: usize,
    /// Periodic cell.
    pub cell: Cell,
    /// Number of atom types; atom i has type i mod n_types.
    pub n_types: usize,
    /// No two atoms are closer (nm).
    pub min_distance: f64,
    /// Largest |charge| (e); charges are random and sum to zero.
    pub charge: f64,
    /// Atoms per molecule: chains with the 1-2 and 1-3 pairs excluded and the 1-4 pairs scaled by one half.
    pub chain: usize,
    /// Seed of everything random.
    pub seed: u64,
}

impl Default for RandomSystem {
    fn default() -> Self {
        RandomSystem {
            n_atoms: 60,
            cell: Cell::orthorhombic(2.1, 2.3, 2.6).expect("positive edges"),
            n_types: 2,
            min_distance: 0.26,
            charge: 0.7,
            chain: 1,
            seed: 1,
        }
    }
}

/// A skewed cell with edges of the size of `scale` (nm), half-width about 0.43 `scale`.
pub fn triclinic_cell(scale: f64) -> Cell {
    let m = Mat3::from_array([[1.0, 0.0, 0.0], [0.31, 0.95, 0.0], [-0.24, 0.22, 1.05]]);
    Cell::new(m * scale).expect("lower-triangular")
}

impl RandomSystem {
    /// The same in a skewed cell of about the same size.
    pub fn triclinic(mut self) -> Self {
        self.cell = triclinic_cell(self.cell.volume().cbrt());
        self
    }

    /// Positions by random insertion, then topology and system. Panics where the atoms do not fit.
    pub fn build(&self) -> System {
        let n = self.n_atoms;
        let noise = Noise::new(self.seed, 0x7e57);
        let mut positions: Vec<Vec3> = Vec::with_capacity(n);
        let mut draw = 0;
        while positions.len() < n {
            draw += 1;
            assert!(draw < 100_000, "{n} atoms at {} nm from each other do not fit", self.min_distance);
            let [x, y] = noise.uniform2(0, draw, 0);
            let [z, _] = noise.uniform2(0, draw, 1);
            let r = self.cell.to_cartesian(Vec3::new(x, y, z));
            if positions.iter().all(|p| self.cell.minimum_image(r - *p).norm() > self.min_distance) {
                positions.push(r);
            }
        }
        let mut charges: Vec<f64> =
            (0..n).map(|i| self.charge * (2.0 * noise.uniform2(1, i as u64, 0)[0] - 1.0)).collect();
        let mean = charges.iter().sum::<f64>() / n as f64;
        charges.iter_mut().for_each(|q| *q -= mean);

        let mut excluded = Vec::new();
        let mut scaled_pairs = Vec::new();
        let mut molecules = Vec::new();
        let chain = self.chain.max(1);
        for first in (0..n).step_by(chain) {
            let count = chain.min(n - first);
            molecules.push(Molecule { kind: "chain".into(), first, count });
            for i in first..first + count {
                for j in i + 1..(i + 4).min(first + count) {
                    excluded.push([i as u32, j as u32]);
                    if j == i + 3 {
                        let atoms = [i as u32, j as u32];
                        scaled_pairs.push(ScaledPair {
                            atoms,
                            vdw: 0.5,
                            coulomb: 0.5,
                            charges: None,
                            pair_override: None,
                            cut: false,
                        });
                    }
                }
            }
        }
        let topology = Topology {
            types: (0..self.n_types).map(|k| AtomType { name: format!("T{k}"), element: "C".into() }).collect(),
            type_of: (0..n).map(|i| (i % self.n_types) as u32).collect(),
            names: (0..n).map(|i| format!("A{i}")).collect(),
            masses: (0..n).map(|i| 10.0 + (i % self.n_types) as f64).collect(),
            nominal_charges: charges.clone().into(),
            charges: charges.into(),
            molecules,
            exclusions: Exclusions::new(n, excluded),
            scaled_pairs: scaled_pairs.into(),
            frozen: vec![false; n],
            ..Topology::default()
        };
        System::new(Arc::new(topology), self.cell, positions)
    }
}

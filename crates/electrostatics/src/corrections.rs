//! What the sum over waves counts too much or too little: self energy, background, excluded pairs.

use amelo_core::units::COULOMB;
use amelo_core::{ForceError, Forces, NearestImage, Request, System, Topology};
use amelo_math::lanes::{Isa, Job, Simd, dispatch};
use amelo_math::{Mat3, Vec3};
use rayon::prelude::*;

use crate::COULOMB_RECIPROCAL;
use crate::smooth_part::SmoothPart;

/// The parts of `coulomb_reciprocal` (kJ/mol).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Components {
    /// Sum over waves k ≠ 0, all charges as Gaussians.
    pub waves: f64,
    /// −k_e β/√π Σ q²: each Gaussian's interaction with itself.
    pub self_energy: f64,
    /// −π k_e Q²/(2 β² V): the background that neutralises a net charge Q against the Gaussians.
    pub background: f64,
    /// −k_e q_i q_j erf(βr)/r over excluded pairs.
    pub exclusions: f64,
}

impl Components {
    /// Their sum.
    pub fn total(&self) -> f64 {
        self.waves + self.self_energy + self.background + self.exclusions
    }
}

/// Atoms of one task: fixed, so that the work is cut by the system and not by the pool.
const BLOCK: usize = 256;
/// Excluded pairs evaluated side by side.
const LANES: usize = 8;

/// Self energy, background and exclusions of one set of charges.
pub struct Corrections {
    isa: Isa,
    beta: f64,
    n_atoms: usize,
    net_charge: f64,
    self_energy: f64,
    smooth: SmoothPart,
    blocks: Vec<Block>,
    /// Energy and virial of each block's pairs in the last evaluation.
    exclusions: Vec<Waves>,
}

/// The excluded pairs of charges of `BLOCK` consecutive atoms.
struct Block {
    /// Both atoms are in the block.
    inner: Vec<Pairs>,
    /// The second is not; its own block has the pair too, and each counts half of the energy.
    outer: Vec<Pairs>,
}

/// `LANES` pairs with k_e q_i q_j (kJ mol⁻¹ nm); the last of a list are filled up with pairs of weight zero.
#[derive(Clone, Copy)]
struct Pairs {
    i: [u32; LANES],
    j: [u32; LANES],
    qq: [f64; LANES],
}

impl Corrections {
    pub fn new(topology: &Topology, beta: f64, isa: Isa) -> Self {
        let q = &topology.charges;
        let sum_q2: f64 = q.iter().map(|q| q * q).sum();
        let mut lists = vec![(Vec::new(), Vec::new()); q.len().div_ceil(BLOCK)];
        for [i, j] in topology.exclusions.pairs() {
            let (qq, blocks) = (COULOMB * q[i as usize] * q[j as usize], [i, j].map(|atom| atom as usize / BLOCK));
            if qq == 0.0 {
                continue;
            }
            if blocks[0] == blocks[1] {
                lists[blocks[0]].0.push((i, j, qq));
            } else {
                lists[blocks[0]].1.push((i, j, qq));
                lists[blocks[1]].1.push((j, i, qq));
            }
        }
        let block = |(mut inner, outer): (Vec<(u32, u32, f64)>, Vec<_>)| {
            // Neighbours in the list then add to the forces of different atoms and need not wait for each other.
            inner.sort_unstable_by_key(|&(i, j, _)| (j - i, i));
            Block { inner: Pairs::pack(&inner), outer: Pairs::pack(&outer) }
        };
        Corrections {
            isa,
            beta,
            n_atoms: topology.n_atoms(),
            net_charge: topology.total_charge(),
            self_energy: -COULOMB * beta * std::f64::consts::FRAC_2_SQRT_PI * 0.5 * sum_q2,
            smooth: SmoothPart::new(beta),
            exclusions: vec![Waves::default(); lists.len()],
            blocks: lists.into_iter().map(block).collect(),
        }
    }

    /// The term was made for this number of atoms; a system of another size is a mistake of the caller.
    pub fn check(&self, system: &System, term: &'static str) -> Result<(), ForceError> {
        if system.n_atoms() == self.n_atoms {
            return Ok(());
        }
        let message =
            format!("made for {} atoms, but the system has {}; build the term anew", self.n_atoms, system.n_atoms());
        Err(ForceError::Other { term, message })
    }

    /// Adds forces, and books the energy and virial together with those of the waves, whose forces
    /// `add_waves(first, forces)` adds to the atoms from `first` on.
    pub fn add(
        &mut self,
        system: &System,
        waves: Waves,
        want: Request,
        out: &mut Forces,
        add_waves: impl Fn(usize, &mut [Vec3]) + Sync,
    ) -> Components {
        // π k_e Q²/(2 β² V) scales with 1/V alone: its virial is the energy itself on the diagonal.
        let background = -0.5 * std::f64::consts::PI * COULOMB * self.net_charge * self.net_charge
            / (self.beta * self.beta * system.cell.volume());
        let (isa, smooth) = (self.isa, &self.smooth);
        let (positions, nearest) = (&system.positions, system.cell.nearest_image());
        let blocks = self.blocks.par_iter().zip(out.on.par_chunks_mut(BLOCK)).zip(&mut self.exclusions);
        blocks.enumerate().for_each(|(index, ((block, forces), exclusions))| {
            let first = index * BLOCK;
            add_waves(first, forces);
            let want = want.energy || want.virial;
            let job = ExcludedPairs { block, smooth, positions, nearest, want, first, forces };
            *exclusions = dispatch(isa, job);
        });
        let exclusions: Waves = self.exclusions.iter().copied().sum();
        let parts = Components {
            waves: waves.energy,
            self_energy: self.self_energy,
            background,
            exclusions: exclusions.energy,
        };
        if want.energy {
            out.energy.add(COULOMB_RECIPROCAL, parts.total());
        }
        if want.virial {
            out.virial += waves.virial + exclusions.virial + Mat3::IDENTITY * background;
        }
        parts
    }
}

impl Pairs {
    fn pack(pairs: &[(u32, u32, f64)]) -> Vec<Pairs> {
        let packed = pairs.chunks(LANES).map(|chunk| {
            let (i, j, _) = chunk[0];
            let mut packed = Pairs { i: [i; LANES], j: [j; LANES], qq: [0.0; LANES] };
            for (k, pair) in chunk.iter().enumerate() {
                (packed.i[k], packed.j[k], packed.qq[k]) = *pair;
            }
            packed
        });
        packed.collect()
    }
}

/// Adds the forces of a block's pairs to `forces`, those of the atoms from `first` on; returns energy and virial where
/// they are wanted.
struct ExcludedPairs<'a> {
    block: &'a Block,
    smooth: &'a SmoothPart,
    positions: &'a [Vec3],
    nearest: NearestImage,
    want: bool,
    first: usize,
    forces: &'a mut [Vec3],
}

impl Job for ExcludedPairs<'_> {
    type Output = Waves;

    #[inline(always)]
    fn run<S: Simd>(mut self) -> Waves {
        if self.want { self.add::<true>() } else { self.add::<false>() }
    }
}

impl ExcludedPairs<'_> {
    #[inline(always)]
    fn add<const WANT: bool>(&mut self) -> Waves {
        let (mut inner, mut outer, first) = (Sums::default(), Sums::default(), self.first);
        for pairs in &self.block.inner {
            let force = self.pair_forces::<WANT>(pairs, &mut inner);
            for k in 0..LANES {
                let f = Vec3::new(force[0][k], force[1][k], force[2][k]);
                self.forces[pairs.i[k] as usize - first] += f;
                self.forces[pairs.j[k] as usize - first] += -f;
            }
        }
        for pairs in &self.block.outer {
            let force = self.pair_forces::<WANT>(pairs, &mut outer);
            for k in 0..LANES {
                self.forces[pairs.i[k] as usize - first] += Vec3::new(force[0][k], force[1][k], force[2][k]);
            }
        }
        if WANT { [inner.total(1.0), outer.total(0.5)].into_iter().sum() } else { Waves::default() }
    }

    /// Forces on the first atoms of `pairs`; adds to `sums` if `WANT`.
    #[inline(always)]
    fn pair_forces<const WANT: bool>(&self, pairs: &Pairs, sums: &mut Sums) -> [[f64; LANES]; 3] {
        let mut d = [[0.0; LANES]; 3];
        for k in 0..LANES {
            let r = self.positions[pairs.i[k] as usize] - self.positions[pairs.j[k] as usize];
            (d[0][k], d[1][k], d[2][k]) = (r.x, r.y, r.z);
        }
        let mut r2 = [0.0; LANES];
        for k in 0..LANES {
            let r = self.nearest.of(Vec3::new(d[0][k], d[1][k], d[2][k]));
            (d[0][k], d[1][k], d[2][k]) = (r.x, r.y, r.z);
            r2[k] = r.norm2();
        }
        let (u, force_over_r) = self.smooth.eval::<WANT, LANES>(&r2);
        let mut force = d;
        for axis in 0..3 {
            for k in 0..LANES {
                force[axis][k] *= -pairs.qq[k] * force_over_r[k];
            }
        }
        if WANT {
            for k in 0..LANES {
                sums.0[0][k] -= pairs.qq[k] * u[k];
            }
            for (n, [row, column]) in [[0, 0], [1, 0], [1, 1], [2, 0], [2, 1], [2, 2]].into_iter().enumerate() {
                for k in 0..LANES {
                    sums.0[n + 1][k] += d[row][k] * force[column][k];
                }
            }
        }
        force
    }
}

/// Energy and the six components of the virial, lane by lane.
#[derive(Default)]
struct Sums([[f64; LANES]; 7]);

impl Sums {
    fn total(&self, weight: f64) -> Waves {
        let [u, xx, yx, yy, zx, zy, zz] = self.0.map(|lanes| weight * lanes.iter().sum::<f64>());
        Waves { energy: u, virial: Mat3::from_array([[xx, yx, zx], [yx, yy, zy], [zx, zy, zz]]) }
    }
}

/// Energy (kJ/mol) and virial (kJ/mol) of the sum over waves or of a correction to it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Waves {
    pub energy: f64,
    pub virial: Mat3,
}

impl Waves {
    /// A wave (or set of waves of the same k) of energy `energy`: U ∝ exp(−k²/4β²)/(k² V), hence
    /// W = −dU/dε = U [1 − 2 k⊗k (1/k² + 1/4β²)].
    #[inline(always)]
    pub fn add(&mut self, energy: f64, k: Vec3, k2: f64, beta: f64, want_virial: bool) {
        self.energy += energy;
        if want_virial {
            let along = -2.0 * energy * (1.0 / k2 + 0.25 / (beta * beta));
            self.virial += Mat3::diagonal(energy, energy, energy) + k.outer(k) * along;
        }
    }
}

impl std::iter::Sum for Waves {
    fn sum<I: Iterator<Item = Waves>>(iter: I) -> Waves {
        iter.fold(Waves::default(), |a, b| Waves { energy: a.energy + b.energy, virial: a.virial + b.virial })
    }
}

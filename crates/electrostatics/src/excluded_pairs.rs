//! −k_e q_i q_j erf(βr)/r over the excluded pairs: what they feel of each other through the waves.
//!
//! Excluded pairs of a chain molecule repeat along it: where atoms i and j exclude each other, so do mostly i+1 and j+1.
//! Sixteen such pairs, those that are none with weight zero, are a packet that needs neither gathering nor scattering.

use amelo_core::units::COULOMB;
use amelo_core::{NearestImage, Topology};
use amelo_math::lanes::{Job, PACKET, Simd};
use amelo_math::{Mat3, Vec3};

use crate::corrections::Waves;
use crate::smooth_part::SmoothPart;

/// Atoms of one task: fixed, so that the work is cut by the system and not by the pool.
pub const BLOCK: usize = 256;
/// Pairs of a packet that are evaluated together: eight f64 make a register.
const LANES: usize = 8;
/// Coordinates or forces of a block, one axis after the other, with room for a packet that starts at its last atom.
type Axes = [[f64; BLOCK + PACKET]; 3];

/// The excluded pairs of charges among `BLOCK` consecutive atoms, and of those with others.
#[derive(Clone, Default)]
pub struct Block {
    pub inner: Vec<Pairs>,
    /// The second atom is not in the block; its own block has the pair too, and each counts half of the energy.
    pub outer: Vec<Pairs>,
}

/// The pairs (i + k, j + k) for every bit k of `mask`.
#[derive(Clone, Copy)]
pub struct Pairs {
    pub i: u32,
    pub j: u32,
    pub mask: u32,
}

impl Block {
    /// The blocks of all atoms.
    pub fn all(topology: &Topology) -> Vec<Block> {
        let mut lists = vec![[Vec::new(), Vec::new()]; topology.n_atoms().div_ceil(BLOCK)];
        for [i, j] in topology.exclusions.pairs() {
            if topology.charges[i as usize] == 0.0 || topology.charges[j as usize] == 0.0 {
                continue;
            }
            let blocks = [i, j].map(|atom| atom as usize / BLOCK);
            if blocks[0] == blocks[1] {
                lists[blocks[0]][0].push([i, j]);
            } else {
                lists[blocks[0]][1].push([i, j]);
                lists[blocks[1]][1].push([j, i]);
            }
        }
        lists.into_iter().map(|[inner, outer]| Block { inner: packets(inner), outer: packets(outer) }).collect()
    }
}

fn packets(mut pairs: Vec<[u32; 2]>) -> Vec<Pairs> {
    pairs.sort_unstable_by_key(|&[i, j]| (i64::from(j) - i64::from(i), i));
    let mut packets: Vec<Pairs> = Vec::new();
    for [i, j] in pairs {
        match packets.last_mut() {
            Some(last)
                if i.wrapping_sub(last.i) < PACKET as u32 && j.wrapping_sub(last.j) == i.wrapping_sub(last.i) =>
            {
                last.mask |= 1 << (i - last.i);
            }
            _ => packets.push(Pairs { i, j, mask: 1 }),
        }
    }
    packets.shrink_to_fit();
    packets
}

/// Each packet in halves, without empty ones.
#[inline(always)]
fn halves(packets: &[Pairs]) -> impl Iterator<Item = Pairs> {
    let halves = packets.iter().flat_map(|&Pairs { i, j, mask }| {
        let (half, low) = (LANES as u32, (1 << LANES) - 1);
        [Pairs { i, j, mask: mask & low }, Pairs { i: i + half, j: j + half, mask: mask >> half }]
    });
    halves.filter(|half| half.mask != 0)
}

/// Adds the forces of a block's pairs to `forces`, if any, those of the atoms from `first` on; returns energy and virial where
/// they are wanted.
pub struct ExcludedPairs<'a> {
    pub block: &'a Block,
    pub smooth: &'a SmoothPart,
    /// Of all atoms (e), and [`PACKET`] zeros.
    pub charges: &'a [f64],
    pub positions: &'a [Vec3],
    pub nearest: NearestImage,
    pub want: bool,
    pub first: usize,
    pub forces: Option<&'a mut [Vec3]>,
}

impl Job for ExcludedPairs<'_> {
    type Output = Waves;

    #[inline(always)]
    fn run<S: Simd>(self) -> Waves {
        if self.block.inner.is_empty() && self.block.outer.is_empty() {
            return Waves::default();
        }
        if self.want { self.add::<S, true>() } else { self.add::<S, false>() }
    }
}

impl ExcludedPairs<'_> {
    #[inline(always)]
    fn add<S: Simd, const WANT: bool>(self) -> Waves {
        let (mut inner, mut outer) = (Sums::default(), Sums::default());
        let mut r: Axes = [[0.0; BLOCK + PACKET]; 3];
        for (k, position) in self.positions[self.first..].iter().take(BLOCK).enumerate() {
            (r[0][k], r[1][k], r[2][k]) = (position.x, position.y, position.z);
        }
        // Apart, since the two ends of packets overlap and would wait for each other.
        let (mut on_first, mut on_second): (Axes, Axes) = ([[0.0; BLOCK + PACKET]; 3], [[0.0; BLOCK + PACKET]; 3]);
        for packet in halves(&self.block.inner) {
            let [i, j] = [packet.i, packet.j].map(|atom| atom as usize - self.first);
            let force = self.pair_forces::<S, WANT>(&packet, lanes(&r, i), lanes(&r, j), &mut inner);
            accumulate(&mut on_first, i, &force);
            accumulate(&mut on_second, j, &force);
        }
        let last = self.positions.len() - 1;
        for packet in halves(&self.block.outer) {
            let (i, mut other) = (packet.i as usize - self.first, [[0.0; LANES]; 3]);
            for k in 0..LANES {
                let position = self.positions[(packet.j as usize + k).min(last)];
                (other[0][k], other[1][k], other[2][k]) = (position.x, position.y, position.z);
            }
            let force = self.pair_forces::<S, WANT>(&packet, lanes(&r, i), other, &mut outer);
            accumulate(&mut on_first, i, &force);
        }
        for (k, force) in self.forces.into_iter().flatten().enumerate() {
            let on = |axis: usize| on_first[axis][k] - on_second[axis][k];
            *force += Vec3::new(on(0), on(1), on(2));
        }
        if WANT { [inner.total(1.0), outer.total(0.5)].into_iter().sum() } else { Waves::default() }
    }

    /// Forces on the first atoms of `packet`; adds to `sums` if `WANT`.
    #[inline(always)]
    fn pair_forces<S: Simd, const WANT: bool>(
        &self,
        packet: &Pairs,
        r_i: [[f64; LANES]; 3],
        r_j: [[f64; LANES]; 3],
        sums: &mut Sums,
    ) -> [[f64; LANES]; 3] {
        let q_i = &self.charges[packet.i as usize..][..LANES];
        let q_j = &self.charges[packet.j as usize..][..LANES];
        let (mut d, mut r2, mut qq) = ([[0.0; LANES]; 3], [0.0; LANES], [0.0; LANES]);
        for k in 0..LANES {
            let r = self.nearest.of(Vec3::new(r_i[0][k] - r_j[0][k], r_i[1][k] - r_j[1][k], r_i[2][k] - r_j[2][k]));
            (d[0][k], d[1][k], d[2][k]) = (r.x, r.y, r.z);
            // Lanes without a pair may be anywhere; at zero they are harmless.
            let counts = packet.mask & (1 << k) != 0;
            r2[k] = if counts { r.norm2() } else { 0.0 };
            qq[k] = if counts { -COULOMB * q_i[k] * q_j[k] } else { 0.0 };
        }
        let (u, force_over_r) = self.smooth.eval::<S, WANT, LANES>(&r2);
        let mut force = d;
        for axis in 0..3 {
            for k in 0..LANES {
                force[axis][k] *= qq[k] * force_over_r[k];
            }
        }
        if WANT {
            for k in 0..LANES {
                sums.0[0][k] += qq[k] * u[k];
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

/// The atoms from `at` on.
#[inline(always)]
fn lanes(axes: &Axes, at: usize) -> [[f64; LANES]; 3] {
    let mut lanes = [[0.0; LANES]; 3];
    for axis in 0..3 {
        lanes[axis].copy_from_slice(&axes[axis][at..][..LANES]);
    }
    lanes
}

/// Adds to the atoms from `at` on.
#[inline(always)]
fn accumulate(axes: &mut Axes, at: usize, force: &[[f64; LANES]; 3]) {
    for axis in 0..3 {
        let on = &mut axes[axis][at..][..LANES];
        let mut sums = [0.0; LANES];
        sums.copy_from_slice(on);
        for k in 0..LANES {
            sums[k] += force[axis][k];
        }
        on.copy_from_slice(&sums);
    }
}

/// Energy and the six components of the virial, lane by lane.
#[derive(Default)]
struct Sums([[f64; LANES]; 7]);

impl Sums {
    #[inline(always)]
    fn total(&self, weight: f64) -> Waves {
        let [u, xx, yx, yy, zx, zy, zz] = self.0.map(|lanes| weight * lanes.iter().sum::<f64>());
        Waves { energy: u, virial: Mat3::from_array([[xx, yx, zx], [yx, yy, zy], [zx, zy, zz]]) }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use amelo_core::{Cell, Exclusions, System};
    use amelo_math::lanes::{Isa, dispatch};
    use amelo_math::philox::Noise;
    use amelo_math::special;

    use super::*;

    /// 700 charges in an oblique cell with pairs near and far, within blocks and across.
    pub fn system() -> System {
        let cell = Cell::new(Mat3::from_array([[2.3, 0.0, 0.0], [0.7, 2.1, 0.0], [-0.6, 0.5, 1.9]])).unwrap();
        let noise = Noise::new(5, 900);
        let position = |i: u32| {
            let ([x, y], [z, _]) = (noise.uniform2(i, 0, 0), noise.uniform2(i, 0, 1));
            cell.to_cartesian(Vec3::new(x, y, z))
        };
        let pairs = (0..690).flat_map(|i| [[i, i + 1], [i, i + 3 + i % 5], [i, (i * 37) % 700]]);
        let topology = Topology {
            type_of: vec![0; 700].into(),
            masses: vec![1.0; 700].into(),
            charges: (0..700).map(|i| [0.7, 0.0, -0.4, -0.3][i % 4]).collect(),
            exclusions: Exclusions::new(700, pairs),
            ..Topology::default()
        };
        System::new(Arc::new(topology), cell, (0..700).map(position).collect())
    }

    // Energy, forces and virial against the error function, pair by pair.
    #[test]
    fn packets_are_the_sum_over_pairs() {
        let (system, beta) = (system(), 2.6);
        let (q, smooth) = (&system.topology.charges, SmoothPart::new(beta));
        let (mut forces, mut sum) = (vec![Vec3::ZERO; 700], Waves::default());
        for [i, j] in system.topology.exclusions.pairs().map(|pair| pair.map(|i| i as usize)) {
            let r = system.cell.minimum_image(system.positions[i] - system.positions[j]);
            let (qq, d, x) = (-COULOMB * q[i] * q[j], r.norm(), beta * r.norm());
            let slope = std::f64::consts::FRAC_2_SQRT_PI * beta * special::exp(-x * x) / d - special::erf(x) / (d * d);
            let force = r * (-qq * slope / d);
            forces[i] += force;
            forces[j] += -force;
            sum.energy += qq * special::erf(x) / d;
            sum.virial += r.outer(force);
        }
        let charges: Vec<f64> = q.iter().copied().chain([0.0; PACKET]).collect();
        let largest = forces.iter().map(|f| f.norm()).fold(0.0, f64::max);
        for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
            let (mut out, mut total) = (vec![Vec3::ZERO; 700], Waves::default());
            for (index, (block, forces)) in Block::all(&system.topology).iter().zip(out.chunks_mut(BLOCK)).enumerate() {
                let (nearest, first) = (system.cell.nearest_image(), index * BLOCK);
                let (smooth, charges, positions) = (&smooth, &charges[..], &system.positions[..]);
                let job = ExcludedPairs {
                    block,
                    smooth,
                    charges,
                    positions,
                    nearest,
                    want: true,
                    first,
                    forces: Some(forces),
                };
                let part = dispatch(isa, job);
                total = [total, part].into_iter().sum();
            }
            // Some 4000 pairs.
            assert!(out.iter().zip(&forces).all(|(a, b)| (*a - *b).norm() < 1e-13 * largest), "{isa:?}");
            assert!((total.energy / sum.energy - 1.0).abs() < 1e-12, "{isa:?}: {} and {}", total.energy, sum.energy);
            assert!((total.virial - sum.virial).max_abs() < 1e-12 * sum.virial.max_abs(), "{isa:?}");
        }
    }
}

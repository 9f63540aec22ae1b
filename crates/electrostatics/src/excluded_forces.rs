//! The forces of [`crate::excluded_pairs`] in f32, for meshes of that precision: from coordinates in fixed point, whose
//! differences are those of the nearest images, and with a shorter polynomial.

use amelo_core::coordinates::ShortFractions;
use amelo_core::units::COULOMB;
use amelo_core::{Cell, Topology};
use amelo_math::Vec3;
use amelo_math::lanes::{Job, PACKET, Packet, Scalar, Simd};
use amelo_math::polynomial::Polynomial;

use crate::excluded_pairs::{BLOCK, Block, Pairs};
use crate::smooth_part::SmoothPart;

/// Atoms on both sides of a block whose coordinates are at hand too: as many as bonds reach in most molecules' order of atoms.
const RIM: usize = 32;
/// Atoms whose coordinates are at hand.
const WINDOW: usize = RIM + BLOCK + RIM;
/// Terms of the polynomial end below this share of the largest value: a rounding of f32.
const TOLERANCE: f64 = 6e-8;

/// Forces on a block, one axis after the other, with room for a packet that starts at its last atom.
type Axes = [[f32; BLOCK + PACKET]; 3];

/// What the loop reads of one set of charges.
#[derive(Clone, Debug)]
pub struct ShortCharges {
    /// Of all atoms, √k_e q, and [`PACKET`] zeros.
    charges: Vec<f32>,
    /// Coefficients of t²ᵏ and t²ᵏ⁺¹, from the highest down, of −u′/r for u = erf(βr)/r, and t = scale · r² + offset.
    powers: Vec<[f32; 2]>,
    scale: f32,
    offset: f32,
    /// Up to which r² it holds.
    far: f32,
}

impl ShortCharges {
    /// Those of `topology`, with the β of `smooth`.
    pub fn new(topology: &Topology, smooth: &SmoothPart) -> Self {
        let charges = topology.charges.iter().map(|q| (COULOMB.sqrt() * q) as f32);
        let far = smooth.far();
        let polynomial = Polynomial::fit(|r2| smooth.exact_force_over_r(r2), 0.0, far, TOLERANCE);
        let (powers, [scale, offset]) = polynomial.powers();
        ShortCharges {
            charges: charges.chain([0.0; PACKET]).collect(),
            powers: powers.iter().rev().map(|pair| pair.map(|c| c as f32)).collect(),
            scale: scale as f32,
            offset: offset as f32,
            far: far as f32,
        }
    }
}

/// Lengths in a cell.
struct Scale {
    /// ax, bx, by, cx, cy, cz of its vectors per unit of coordinates.
    units: [f32; 6],
    /// Beyond this r² (nm²) the polynomial does not hold or another image may be the nearest.
    far: f32,
}

impl Scale {
    fn of(cell: &Cell, far: f32) -> Self {
        let [a, b, c] = (cell.vectors() * f32::COORDINATE_UNIT).rows;
        let half_width = cell.half_width() as f32;
        Scale { units: [a.x, b.x, b.y, c.x, c.y, c.z].map(|x| x as f32), far: far.min(half_width * half_width) }
    }
}

/// Adds the forces of a block's pairs (kJ/mol/nm), k_e q_i q_j (u′/r) (r_i − r_j) on i with u = erf(βr)/r, to `forces`,
/// those of the atoms from `first` on.
pub struct ExcludedForces<'a> {
    pub block: &'a Block,
    pub short: &'a ShortCharges,
    /// For pairs too far apart for the polynomial.
    pub smooth: &'a SmoothPart,
    pub cell: &'a Cell,
    /// Of all atoms (nm).
    pub positions: &'a [Vec3],
    pub first: usize,
    pub forces: &'a mut [Vec3],
}

impl Job for ExcludedForces<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Block { inner, outer } = self.block;
        if inner.is_empty() && outer.is_empty() {
            return;
        }
        let fractions = ShortFractions::of(self.cell);
        let scale = Scale::of(self.cell, self.short.far);
        let mut at = [[0; WINDOW]; 3];
        let from = self.first.saturating_sub(RIM);
        for (atom, &position) in self.positions.iter().enumerate().take(self.first + BLOCK + RIM).skip(from) {
            let (r, place) = (fractions.at(position), atom + RIM - self.first);
            (at[0][place], at[1][place], at[2][place]) = (r[0], r[1], r[2]);
        }
        // Apart, since the two ends of packets overlap and would wait for each other.
        let (mut on_first, mut on_second): (Axes, Axes) = ([[0.0; BLOCK + PACKET]; 3], [[0.0; BLOCK + PACKET]; 3]);
        for packet in inner {
            let [i, j] = [packet.i, packet.j].map(|atom| atom as usize - self.first);
            let force = self.pair_forces::<S::Packet>(&scale, packet, &lanes(&at, i + RIM), &lanes(&at, j + RIM));
            add(&mut on_first, i, &force);
            add(&mut on_second, j, &force);
        }
        for packet in outer {
            let i = packet.i as usize - self.first;
            let j = (packet.j as usize + RIM).wrapping_sub(self.first);
            let there = if j <= WINDOW - PACKET { lanes(&at, j) } else { self.located(&fractions, packet.j as usize) };
            let force = self.pair_forces::<S::Packet>(&scale, packet, &lanes(&at, i + RIM), &there);
            add(&mut on_first, i, &force);
        }
        for (k, force) in self.forces.iter_mut().enumerate() {
            let on = |axis: usize| f64::from(on_first[axis][k] - on_second[axis][k]);
            *force += Vec3::new(on(0), on(1), on(2));
        }
    }
}

impl ExcludedForces<'_> {
    /// The coordinates of the atoms from `atom` on.
    fn located(&self, fractions: &ShortFractions, atom: usize) -> [[i32; PACKET]; 3] {
        let mut at = [[0; PACKET]; 3];
        for (k, &position) in self.positions[atom..].iter().take(PACKET).enumerate() {
            let r = fractions.at(position);
            (at[0][k], at[1][k], at[2][k]) = (r[0], r[1], r[2]);
        }
        at
    }

    /// Forces on the first atoms of `packet`.
    #[inline(always)]
    fn pair_forces<L: Packet>(
        &self,
        scale: &Scale,
        packet: &Pairs,
        at_i: &[[i32; PACKET]; 3],
        at_j: &[[i32; PACKET]; 3],
    ) -> [L; 3] {
        let short = self.short;
        let Scale { units: [ax, bx, by, cx, cy, cz], far } = *scale;
        let splat = |x: f32| L::splat(f64::from(x));
        let apart = |axis: usize| L::difference(L::load_whole(&at_i[axis]), L::load_whole(&at_j[axis]));
        let (a, b, c) = (apart(0), apart(1), apart(2));
        let x = c.mul_add(splat(cx), b.mul_add(splat(bx), a * splat(ax)));
        let y = c.mul_add(splat(cy), b * splat(by));
        let z = c * splat(cz);
        // Lanes without a pair may be anywhere; at zero they are harmless.
        let r2 = z.mul_add(z, y.mul_add(y, x * x)).keep(packet.mask as u16);
        let charges = |atom: u32| L::load(sixteen(&short.charges, atom as usize));
        let qq = (charges(packet.i) * charges(packet.j)).keep(packet.mask as u16);
        let t = r2.mul_add(splat(short.scale), splat(short.offset));
        let t2 = t * t;
        let (mut even, mut odd) = (L::splat(0.0), L::splat(0.0));
        for &[e, o] in &short.powers {
            even = even.mul_add(t2, splat(e));
            odd = odd.mul_add(t2, splat(o));
        }
        let force_over_r = -(qq * odd.mul_add(t, even));
        let mut force = [x * force_over_r, y * force_over_r, z * force_over_r];
        if r2.below(splat(far)) != u16::MAX {
            self.put_far_pairs(packet, far, &mut force, r2);
        }
        force
    }

    /// Pairs beyond `far`, one by one in f64.
    #[inline(always)]
    fn put_far_pairs<L: Packet>(&self, packet: &Pairs, far: f32, force: &mut [L; 3], r2: L) {
        let mut distances2 = [0.0; PACKET];
        r2.store(&mut distances2);
        let mut forces = [[0.0; PACKET]; 3];
        for axis in 0..3 {
            force[axis].store(&mut forces[axis]);
        }
        self.replace_far_pairs(packet, far, &distances2, &mut forces);
        for axis in 0..3 {
            force[axis] = L::load(&forces[axis]);
        }
    }

    #[cold]
    #[inline(never)]
    fn replace_far_pairs(&self, packet: &Pairs, far: f32, r2: &[f32; PACKET], forces: &mut [[f32; PACKET]; 3]) {
        for k in (0..PACKET).filter(|&k| r2[k] >= far) {
            let [i, j] = [packet.i, packet.j].map(|atom| atom as usize + k);
            let r = self.cell.nearest_image().of(self.positions[i] - self.positions[j]);
            let qq = f64::from(self.short.charges[i]) * f64::from(self.short.charges[j]);
            let force = r * (-qq * self.smooth.exact_force_over_r(r.norm2()));
            (forces[0][k], forces[1][k], forces[2][k]) = (force.x as f32, force.y as f32, force.z as f32);
        }
    }
}

/// Sixteen of `values`, from `at` on.
#[inline(always)]
fn sixteen<T>(values: &[T], at: usize) -> &[T; PACKET] {
    values[at..].first_chunk().expect("there are sixteen zeros at the end")
}

/// Coordinates of the atoms from `at` on.
#[inline(always)]
fn lanes(axes: &[[i32; WINDOW]; 3], at: usize) -> [[i32; PACKET]; 3] {
    [*sixteen(&axes[0], at), *sixteen(&axes[1], at), *sixteen(&axes[2], at)]
}

/// Adds to the atoms from `at` on.
#[inline(always)]
fn add<L: Packet>(axes: &mut Axes, at: usize, force: &[L; 3]) {
    for axis in 0..3 {
        let on: &mut [f32; PACKET] = axes[axis][at..].first_chunk_mut().expect("there is room for a packet");
        (L::load(on) + force[axis]).store(on);
    }
}

#[cfg(test)]
mod tests {
    use amelo_math::lanes::{Isa, dispatch};

    use super::*;
    use crate::excluded_pairs::ExcludedPairs;
    use crate::excluded_pairs::tests::system;

    /// Forces in f64.
    fn reference(system: &amelo_core::System, smooth: &SmoothPart) -> Vec<Vec3> {
        let charges: Vec<f64> = system.topology.charges.iter().copied().chain([0.0; PACKET]).collect();
        let mut out = vec![Vec3::ZERO; system.n_atoms()];
        for (index, (block, forces)) in Block::all(&system.topology).iter().zip(out.chunks_mut(BLOCK)).enumerate() {
            let (nearest, first, forces) = (system.cell.nearest_image(), index * BLOCK, Some(forces));
            let (charges, positions) = (&charges[..], &system.positions[..]);
            let job = ExcludedPairs { block, smooth, charges, positions, nearest, want: false, first, forces };
            dispatch(Isa::Portable, job);
        }
        out
    }

    // Pairs near and far, within blocks, across their ends and beyond their rims.
    #[test]
    fn forces_are_those_of_f64_to_its_rounding() {
        for beta in [2.6, 5.0] {
            let (system, smooth) = (system(), SmoothPart::new(beta));
            let exact = reference(&system, &smooth);
            let short = ShortCharges::new(&system.topology, &smooth);
            let largest = exact.iter().map(|f| f.norm()).fold(0.0, f64::max);
            for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
                let mut out = vec![Vec3::ZERO; 700];
                for (index, (block, forces)) in
                    Block::all(&system.topology).iter().zip(out.chunks_mut(BLOCK)).enumerate()
                {
                    let (cell, positions, first) = (&system.cell, &system.positions[..], index * BLOCK);
                    let (short, smooth) = (&short, &smooth);
                    dispatch(isa, ExcludedForces { block, short, smooth, cell, positions, first, forces });
                }
                let error = out.iter().zip(&exact).map(|(a, b)| (*a - *b).norm()).fold(0.0, f64::max) / largest;
                assert!(error < 1e-6 && error > 1e-9, "{isa:?}: {error:e}");
            }
        }
    }
}

//! Charges on the mesh: each is shared among P³ points by B-spline weights, and feels the gradient of the potential
//! that the same weights interpolate.
//!
//! Each slab of a few planes of constant a is one task. It takes the charges whose first plane it holds, each of them
//! once, and writes all their P planes to a buffer of its own, which reaches over into the next slabs; a plane of the
//! mesh is the sum of the buffers that have it, in a fixed order. Rows and planes are longer than the mesh by what a
//! charge at its end reaches over, so that the inner loops never wrap: what was spread there is folded back, what is
//! gathered there is a copy.
//!
//! Frozen charges are spread once and kept for as long as the cell and their positions stay the same; they always come
//! first in the sums, so that keeping them changes no bit.

use amelo_core::{Cell, Request, System, Topology};
use amelo_math::Vec3;
use amelo_math::lanes::{Isa, dispatch};
use rayon::prelude::*;

use crate::bspline::Polynomials;
use crate::charge_loops::{BLOCK, Gather, Locate, Spread};
use crate::number::MeshNumber;

/// Planes of a slab: enough that buffers reach over little, few enough for several threads.
const SLAB: usize = 4;

/// The charged atoms and where they sit on the mesh.
pub struct Charges<const P: usize, T> {
    isa: Isa,
    /// Mesh points along a, b, c.
    pub n: [usize; 3],
    pub spline: Polynomials<P, T>,
    /// Charged atoms, ascending, and whether they are frozen.
    pub atoms: Vec<u32>,
    pub frozen: Vec<bool>,
    pub places: Vec<Place<T>>,
    mobile: Slabs,
    /// \[slab\]\[plane\]\[row\]: what the charges of each slab spread, [`Self::REACH`] planes of it. Once the mesh is
    /// collected from them they are lent to the potential.
    buffers: Vec<T>,
    kept: Option<Kept<T>>,
}

/// Where a charge sits between mesh points.
#[derive(Clone, Copy, Debug)]
pub struct Place<T> {
    /// First mesh point along a, b, c.
    pub at: [u32; 3],
    /// Fraction of the way to the next point, less ½.
    pub x: [T; 3],
    pub charge: T,
}

/// Charges by their slab: first within every block of charges, so that no sort has to wait for another, then together.
struct Slabs {
    /// \[block\]\[slab\]: where the members of a slab end among those of the block.
    ends: Vec<u16>,
    /// \[block\]\[`BLOCK`\]: numbers of charges within the block, by slab.
    members: Vec<u8>,
    /// Numbers of the charges of each slab.
    lists: Vec<Vec<u32>>,
}

/// What the frozen charges alone spread, and what it holds for.
struct Kept<T> {
    cell: Option<Cell>,
    positions: Vec<Vec3>,
    slabs: Slabs,
    buffers: Vec<T>,
}

impl<const P: usize, T: MeshNumber> Charges<P, T> {
    /// Numbers along c that a charge touches.
    const WIDTH: usize = if P > 4 { P.next_multiple_of(8) } else { 4 };
    /// Planes of a slab and of what reaches over.
    const REACH: usize = SLAB + P - 1;

    pub fn new(topology: &Topology, n: [usize; 3], isa: Isa) -> Self {
        let charged = |&i: &u32| topology.charges[i as usize] != 0.0;
        let atoms: Vec<u32> = (0..topology.n_atoms() as u32).filter(charged).collect();
        let place =
            |&i: &u32| Place { at: [0; 3], x: [T::zero(); 3], charge: T::nearest(topology.charges[i as usize]) };
        let is_frozen = |&i: &u32| topology.frozen.get(i as usize).is_some_and(|frozen| *frozen);
        let mut charges = Charges {
            isa,
            n,
            spline: Polynomials::new(),
            places: atoms.iter().map(place).collect(),
            frozen: atoms.iter().map(is_frozen).collect(),
            mobile: Slabs::new(n[0], atoms.len()),
            atoms,
            buffers: Vec::new(),
            kept: None,
        };
        charges.buffers = vec![T::zero(); n[0].div_ceil(SLAB) * Self::REACH * charges.plane()];
        if charges.frozen.contains(&true) {
            charges.kept = Some(Kept {
                cell: None,
                positions: Vec::new(),
                slabs: Slabs::new(n[0], charges.atoms.len()),
                buffers: charges.buffers.clone(),
            });
        }
        charges
    }

    /// Length of a padded row along c.
    pub fn row(&self) -> usize {
        self.n[2] + Self::WIDTH
    }

    /// Length of a padded plane of constant a.
    pub fn plane(&self) -> usize {
        (self.n[1] + P - 1) * self.row()
    }

    /// Finds the place of every charge, and the charges of every slab.
    pub fn locate(&mut self, system: &System) {
        let mut kept = self.kept.take();
        let moved = kept.as_mut().is_some_and(|kept| self.frozen_moved(kept, system));
        let (n, isa, inverse) = (self.n, self.isa, system.cell.vectors().inverse());
        let charges = self.atoms.par_chunks(BLOCK).zip(self.frozen.par_chunks(BLOCK));
        let places = self.places.par_chunks_mut(BLOCK).zip(self.mobile.blocks());
        charges.zip(places).for_each(|((atoms, frozen), (places, (ends, members)))| {
            if moved || frozen.contains(&false) {
                let positions = &system.positions;
                dispatch(isa, Locate { n, inverse: &inverse, positions, atoms, places: &mut *places });
            }
            sort(places, frozen, false, ends, members);
        });
        if let Some(kept) = kept.as_mut().filter(|_| moved) {
            let blocks = self.places.par_chunks(BLOCK).zip(self.frozen.par_chunks(BLOCK)).zip(kept.slabs.blocks());
            blocks.for_each(|((places, frozen), (ends, members))| sort(places, frozen, true, ends, members));
            self.spread_slabs(&mut kept.slabs, &mut kept.buffers);
        }
        self.kept = kept;
    }

    /// Whether the frozen charges are elsewhere than where `kept` has them; it takes over the new places.
    fn frozen_moved(&self, kept: &mut Kept<T>, system: &System) -> bool {
        let frozen = self.atoms.iter().zip(&self.frozen).filter(|(_, frozen)| **frozen);
        let positions = || frozen.clone().map(|(&atom, _)| system.positions[atom as usize]);
        if kept.cell == Some(system.cell) && positions().eq(kept.positions.iter().copied()) {
            return false;
        }
        kept.cell = Some(system.cell);
        kept.positions.clear();
        kept.positions.extend(positions());
        true
    }

    /// Spreads the charges of every slab to its buffer.
    pub fn spread(&mut self) {
        let (mut slabs, mut buffers) = (std::mem::take(&mut self.mobile), std::mem::take(&mut self.buffers));
        self.spread_slabs(&mut slabs, &mut buffers);
        (self.mobile, self.buffers) = (slabs, buffers);
    }

    fn spread_slabs(&self, slabs: &mut Slabs, buffers: &mut [T]) {
        let length = Self::REACH * self.plane();
        let (ends, members, n_slabs) = (&slabs.ends, &slabs.members, slabs.lists.len());
        let tasks = buffers.par_chunks_mut(length).zip(&mut slabs.lists).enumerate();
        tasks.for_each(|(slab, (planes, list))| {
            list.clear();
            for (block, (ends, members)) in ends.chunks_exact(n_slabs).zip(members.chunks_exact(BLOCK)).enumerate() {
                let start = if slab > 0 { ends[slab - 1] } else { 0 };
                let members = &members[usize::from(start)..usize::from(ends[slab])];
                list.extend(members.iter().map(|&member| (block * BLOCK) as u32 + u32::from(member)));
            }
            match &self.kept {
                Some(kept) => planes.copy_from_slice(&kept.buffers[slab * length..][..length]),
                None => planes.fill(T::zero()),
            }
            dispatch(self.isa, Spread { charges: self, members: list, first: slab * SLAB, planes });
        });
    }

    /// Writes the charge of plane `a` (padded), in the same order whoever does it.
    pub fn collect(&self, a: usize, plane: &mut [T]) {
        let (length, n_slabs) = (self.plane(), self.n[0].div_ceil(SLAB));
        for back in 0..n_slabs {
            let slab = (a / SLAB + n_slabs - back) % n_slabs;
            let nearest = (a + self.n[0] - slab * SLAB) % self.n[0];
            // A buffer may reach all the way round a small mesh.
            for ahead in (nearest..Self::REACH).step_by(self.n[0]) {
                let over = &self.buffers[(slab * Self::REACH + ahead) * length..][..length];
                if back == 0 && ahead == nearest {
                    plane.copy_from_slice(over);
                } else {
                    for (point, over) in plane.iter_mut().zip(over) {
                        *point += *over;
                    }
                }
            }
        }
        self.fold(plane);
    }

    /// What reaches over the ends of rows and planes, back to their beginnings.
    fn fold(&self, plane: &mut [T]) {
        let ([_, nb, nc], row) = (self.n, self.row());
        for line in plane.chunks_exact_mut(row) {
            for k in 0..P - 1 {
                let over = line[nc + k];
                line[k] += over;
            }
        }
        let (mesh, over) = plane.split_at_mut(nb * row);
        for (point, over) in mesh.iter_mut().zip(over) {
            *point += *over;
        }
    }

    /// Room for the potential, \[plane\]\[row\], where the charges were; [`Self::give_back`] it before the next ones.
    pub fn lend(&mut self) -> Vec<T> {
        std::mem::take(&mut self.buffers)
    }

    /// What [`Self::lend`] gave.
    pub fn give_back(&mut self, buffers: Vec<T>) {
        self.buffers = buffers;
    }

    /// Copies of the first points of rows and planes to where a charge at the end looks for them.
    pub fn pad(&self, plane: &mut [T]) {
        let ([_, nb, nc], row) = (self.n, self.row());
        for line in plane.chunks_exact_mut(row).take(nb) {
            line.copy_within(0..P - 1, nc);
            line[nc + P - 1..].fill(T::zero());
        }
        plane.copy_within(0..(P - 1) * row, nb * row);
    }

    /// Adds the forces F = −q Σ φ ∂θ/∂r (kJ/mol/nm) of the potential on `mesh` (padded planes) to `forces`, those of the
    /// atoms from `first` on. `gradients`: of the mesh coordinates (nm⁻¹).
    pub fn gather(&self, mesh: &[T], gradients: &[Vec3; 3], want: Request, first: usize, forces: &mut [Vec3]) {
        let place = |atom: usize| self.atoms.partition_point(|&i| (i as usize) < atom);
        let range = place(first)..place(first + forces.len());
        dispatch(self.isa, Gather { charges: self, range, mesh, gradients, want, first, forces });
    }
}

impl Slabs {
    fn new(planes: usize, charges: usize) -> Self {
        let (blocks, slabs) = (charges.div_ceil(BLOCK), planes.div_ceil(SLAB));
        Slabs { ends: vec![0; blocks * slabs], members: vec![0; blocks * BLOCK], lists: vec![Vec::new(); slabs] }
    }

    /// Ends and members of every block.
    fn blocks(&mut self) -> impl IndexedParallelIterator<Item = (&mut [u16], &mut [u8])> {
        let slabs = self.lists.len();
        self.ends.par_chunks_exact_mut(slabs).zip(self.members.par_chunks_exact_mut(BLOCK))
    }
}

impl Default for Slabs {
    fn default() -> Self {
        Slabs::new(1, 0)
    }
}

/// Counting sort by slab of the charges of a block that are `frozen` or not.
fn sort<T>(places: &[Place<T>], is_frozen: &[bool], frozen: bool, ends: &mut [u16], members: &mut [u8]) {
    ends.fill(0);
    let slab = |place: &Place<T>| place.at[0] as usize / SLAB;
    let mine = || places.iter().zip(is_frozen).enumerate().filter(|(_, (_, is_frozen))| **is_frozen == frozen);
    for (_, (place, _)) in mine() {
        ends[slab(place)] += 1;
    }
    // Counts become starts, which the placing moves to the ends.
    let mut total = 0;
    for end in ends.iter_mut() {
        total += std::mem::replace(end, total);
    }
    for (i, (place, _)) in mine() {
        let next = &mut ends[slab(place)];
        members[usize::from(*next)] = i as u8;
        *next += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use amelo_math::Mat3;
    use amelo_math::philox::Noise;

    use super::*;

    /// 500 charges in an oblique cell.
    fn system() -> System {
        let cell = Cell::new(Mat3::from_array([[2.3, 0.0, 0.0], [0.7, 2.1, 0.0], [-0.6, 0.5, 1.9]])).unwrap();
        let noise = Noise::new(4, 900);
        let position = |i: u32| {
            let ([x, y], [z, _]) = (noise.uniform2(i, 0, 0), noise.uniform2(i, 0, 1));
            cell.to_cartesian(Vec3::new(x, y, z))
        };
        let topology = Topology {
            type_of: vec![0; 500].into(),
            masses: vec![1.0; 500].into(),
            charges: (0..500).map(|i| [0.7, -0.4, -0.3, 0.0][i % 4]).collect(),
            frozen: (0..500).map(|i| i % 7 == 0).collect(),
            ..Topology::default()
        };
        System::new(Arc::new(topology), cell, (0..500).map(position).collect())
    }

    /// Charge by charge, point by point, each wrapped.
    fn plain<const P: usize>(system: &System, n: [usize; 3]) -> Vec<f64> {
        let mut mesh = vec![0.0; n[0] * n[1] * n[2]];
        let inverse = system.cell.vectors().inverse();
        for (r, q) in system.positions.iter().zip(&system.topology.charges) {
            let s = inverse.vec_mul(*r);
            let u = [0, 1, 2].map(|axis| (s[axis] - s[axis].floor()) * n[axis] as f64);
            let along = u.map(|u| Polynomials::<P, f64>::new().at(u - u.floor() - 0.5));
            for (i, a) in along[0].iter().enumerate() {
                for (j, b) in along[1].iter().enumerate() {
                    for (k, c) in along[2].iter().enumerate() {
                        let at = [u[0] as usize + i, u[1] as usize + j, u[2] as usize + k];
                        mesh[((at[0] % n[0]) * n[1] + at[1] % n[1]) * n[2] + at[2] % n[2]] += q * a * b * c;
                    }
                }
            }
        }
        mesh
    }

    fn spread_is_plain<const P: usize, T: MeshNumber>(n: [usize; 3], rounding: f64) {
        let (system, expected) = (system(), plain::<P>(&system(), n));
        let largest = expected.iter().fold(0.0, |a: f64, b| a.max(b.abs()));
        for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
            let mut charges = Charges::<P, T>::new(&system.topology, n, isa);
            charges.locate(&system);
            charges.spread();
            let mut plane = vec![T::zero(); charges.plane()];
            for a in 0..n[0] {
                charges.collect(a, &mut plane);
                for b in 0..n[1] {
                    for c in 0..n[2] {
                        let error = plane[b * charges.row() + c].widened() - expected[(a * n[1] + b) * n[2] + c];
                        assert!(
                            error.abs() < rounding * largest,
                            "{isa:?}, order {P}, {n:?}: {error:e} at {a} {b} {c}"
                        );
                    }
                }
            }
        }
    }

    // Meshes that slabs divide and that they do not, and some that a charge's planes go round.
    #[test]
    fn charges_on_the_mesh_are_those_of_a_plain_sum() {
        for n in [[5, 7, 6], [8, 6, 9], [9, 12, 5], [21, 20, 10], [24, 10, 16]] {
            spread_is_plain::<4, f64>(n, 1e-13);
            spread_is_plain::<5, f64>(n, 1e-13);
            spread_is_plain::<5, f32>(n, 3e-6);
        }
        for n in [[12, 13, 12], [14, 12, 16]] {
            spread_is_plain::<6, f32>(n, 3e-6);
            spread_is_plain::<12, f64>(n, 1e-13);
        }
    }
}

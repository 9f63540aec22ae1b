//! Charges on the mesh: each is shared among P³ points by B-spline weights, and feels the gradient of the potential
//! that the same weights interpolate.
//!
//! Rows and planes of the mesh are longer than the mesh by what a charge at its end reaches over, so that the inner
//! loops never wrap: what was spread there is folded back, what is gathered there is a copy. Rows of weights are padded
//! with zeros to whole SIMD lanes.
//!
//! Frozen charges are spread once and kept for as long as the cell and their positions stay the same; they always come
//! first in the sums, so that keeping them changes no bit.

use amelo_core::{Cell, System, Topology};
use amelo_math::Vec3;
use amelo_math::lanes::{Isa, dispatch};
use rayon::prelude::*;

use crate::charge_loops::{BLOCK, Gather, Locate, Spread};
use crate::number::MeshNumber;

/// Consecutive charges of a plane come from so many parts of the system: neighbours would touch the same mesh points,
/// and each would wait for the one before.
const STREAMS: usize = 16;

/// The charged atoms and where they sit on the mesh.
pub struct Charges<const P: usize, T> {
    isa: Isa,
    /// Mesh points along a, b, c.
    pub n: [usize; 3],
    /// Charged atoms, ascending, their charges (e), and whether they are frozen.
    pub atoms: Vec<u32>,
    charges: Vec<f64>,
    frozen: Vec<bool>,
    /// First mesh point along a, b, c of every charge.
    pub at: Vec<[u32; 3]>,
    /// \[charge\]\[6\]\[`Self::WIDTH`\]: weights along a, b, c, then slopes along a, b, c; those along a times the charge.
    pub weights: Vec<T>,
    mobile: Planes,
    kept: Option<Kept<T>>,
}

/// Charges by their first plane of constant a, in a fixed order.
#[derive(Default)]
struct Planes {
    starts: Vec<u32>,
    members: Vec<u32>,
}

/// The mesh of the frozen charges alone, before folding, and what it holds for.
struct Kept<T> {
    cell: Option<Cell>,
    positions: Vec<Vec3>,
    planes: Planes,
    mesh: Vec<T>,
}

impl<const P: usize, T: MeshNumber> Charges<P, T> {
    /// Length of a row of weights.
    pub const WIDTH: usize = if P > 4 { P.next_multiple_of(8) } else { 4 };

    pub fn new(topology: &Topology, n: [usize; 3], isa: Isa) -> Self {
        let charged = |&i: &u32| topology.charges[i as usize] != 0.0;
        let atoms: Vec<u32> = (0..topology.n_atoms() as u32).filter(charged).collect();
        let is_frozen = |&i: &u32| topology.frozen.get(i as usize).is_some_and(|frozen| *frozen);
        let mut charges = Charges {
            isa,
            n,
            at: vec![[0; 3]; atoms.len()],
            weights: vec![T::zero(); atoms.len() * 6 * Self::WIDTH],
            charges: atoms.iter().map(|&i| topology.charges[i as usize]).collect(),
            frozen: atoms.iter().map(is_frozen).collect(),
            atoms,
            mobile: Planes::default(),
            kept: None,
        };
        if charges.frozen.contains(&true) {
            let mesh = vec![T::zero(); n[0] * charges.plane()];
            charges.kept = Some(Kept { cell: None, positions: Vec::new(), planes: Planes::default(), mesh });
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

    /// Finds mesh points and weights of every charge, and the charges of every plane.
    pub fn locate(&mut self, system: &System) {
        let mut kept = self.kept.take();
        let moved = kept.as_mut().is_some_and(|kept| self.frozen_moved(kept, system));
        let (n, isa, inverse) = (self.n, self.isa, system.cell.vectors().inverse());
        let charges =
            self.atoms.par_chunks(BLOCK).zip(self.charges.par_chunks(BLOCK)).zip(self.frozen.par_chunks(BLOCK));
        let places = self.at.par_chunks_mut(BLOCK).zip(self.weights.par_chunks_mut(BLOCK * 6 * Self::WIDTH));
        charges.zip(places).for_each(|(((atoms, charges), frozen), (at, weights))| {
            if moved || frozen.contains(&false) {
                let positions = &system.positions;
                dispatch(isa, Locate::<P, T> { n, inverse: &inverse, positions, atoms, charges, at, weights });
            }
        });
        if let Some(kept) = kept.as_mut().filter(|_| moved) {
            kept.planes.sort(n[0], &self.at, &self.frozen, true);
            let planes = kept.mesh.par_chunks_mut((n[1] + P - 1) * (n[2] + Self::WIDTH)).enumerate();
            planes.for_each(|(a, plane)| {
                plane.fill(T::zero());
                self.add(a, &kept.planes, plane);
            });
        }
        self.kept = kept;
        self.mobile.sort(n[0], &self.at, &self.frozen, false);
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

    /// Writes the charge of plane `a` (padded): the charges in a fixed order, whoever does it.
    pub fn spread(&self, a: usize, plane: &mut [T]) {
        match &self.kept {
            Some(kept) => plane.copy_from_slice(&kept.mesh[a * self.plane()..][..self.plane()]),
            None => plane.fill(T::zero()),
        }
        self.add(a, &self.mobile, plane);
        self.fold(plane);
    }

    /// Adds the charges of `planes` to plane `a`.
    fn add(&self, a: usize, planes: &Planes, plane: &mut [T]) {
        // Here the plane is the j-th of the P that these charges touch.
        let members = std::array::from_fn(|j| planes.of((a + self.n[0] - j) % self.n[0]));
        dispatch(self.isa, Spread { charges: self, members, plane });
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
    pub fn gather(&self, mesh: &[T], gradients: &[Vec3; 3], first: usize, forces: &mut [Vec3]) {
        let place = |atom: usize| self.atoms.partition_point(|&i| (i as usize) < atom);
        let charges = place(first)..place(first + forces.len());
        dispatch(self.isa, Gather { places: self, charges, mesh, gradients, first, forces });
    }
}

impl Planes {
    /// Counting sort of the charges that are `frozen` or not.
    fn sort(&mut self, n_planes: usize, at: &[[u32; 3]], is_frozen: &[bool], frozen: bool) {
        // Counts two places ahead become starts one place ahead, which the placing moves to where they belong.
        self.starts.clear();
        self.starts.resize(n_planes + 2, 0);
        for (at, _) in at.iter().zip(is_frozen).filter(|(_, is_frozen)| **is_frozen == frozen) {
            self.starts[at[0] as usize + 2] += 1;
        }
        for a in 2..self.starts.len() {
            self.starts[a] += self.starts[a - 1];
        }
        self.members.resize(self.starts[n_planes + 1] as usize, 0);
        let stream = at.len().div_ceil(STREAMS);
        for step in 0..stream {
            for i in (step..at.len()).step_by(stream) {
                if is_frozen[i] == frozen {
                    let next = &mut self.starts[at[i][0] as usize + 1];
                    self.members[*next as usize] = i as u32;
                    *next += 1;
                }
            }
        }
    }

    fn of(&self, plane: usize) -> &[u32] {
        &self.members[self.starts[plane] as usize..self.starts[plane + 1] as usize]
    }
}

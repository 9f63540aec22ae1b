//! The pair list: built from the grid, kept until it could miss a pair.

use amelo_core::{Cell, Exclusions};
use amelo_math::{Mat3, Vec3};
use rayon::prelude::*;

use crate::grid::Grid;

/// Atoms per chunk of the list. Loops over pairs take chunks as their unit of work, so this number, and not the number
/// of threads, decides the order of their sums.
pub const ATOMS_PER_CHUNK: usize = 64;

/// Slack against rounding where the buffer is zero.
const ROUNDING: f64 = 1.0 + 1e-9;

/// Why there is no list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NeighborError {
    /// Half the smallest distance between faces is below the cut-off: a pair could meet itself.
    CellTooSmall {
        /// Half the smallest distance between faces (nm).
        half_width: f64,
    },
    /// A position that is not a finite number.
    NotFinite {
        /// The atom.
        atom: usize,
    },
}

/// Partners of a run of consecutive atoms.
#[derive(Clone, Debug, Default)]
struct Chunk {
    /// Ends in `partners` of each atom's run.
    ends: Vec<u32>,
    /// Partners j > i, ascending for each atom.
    partners: Vec<u32>,
}

/// Pairs i < j that are not excluded and within r_cut + buffer when the list was built.
#[derive(Clone, Debug)]
pub struct NeighborList {
    r_cut: f64,
    buffer: f64,
    chunks: Vec<Chunk>,
    /// Cell and positions that the list was built from.
    reference: Option<(Cell, Vec<Vec3>)>,
    builds: u64,
}

impl NeighborList {
    /// An empty list for pairs within `r_cut` (nm), to be built within `r_cut` + `buffer` (nm).
    pub fn new(r_cut: f64, buffer: f64) -> Self {
        NeighborList { r_cut, buffer, chunks: Vec::new(), reference: None, builds: 0 }
    }

    /// Makes the list valid for `positions` in `cell`; returns whether it was rebuilt. `exclusions` must be the same in
    /// every call. Errors: a cell narrower than twice the cut-off, a position that is not finite.
    pub fn update(&mut self, cell: &Cell, positions: &[Vec3], exclusions: &Exclusions) -> Result<bool, NeighborError> {
        let half_width = cell.half_width();
        // The slack admits a cut-off of exactly half an edge, the largest that is sound.
        if half_width * ROUNDING < self.r_cut {
            return Err(NeighborError::CellTooSmall { half_width });
        }
        if self.still_holds(cell, positions) {
            return Ok(false);
        }
        if let Some(atom) = positions.iter().position(|r| !r.is_finite()) {
            return Err(NeighborError::NotFinite { atom });
        }
        self.build(cell, positions, exclusions);
        Ok(true)
    }

    /// Whether every pair now within r_cut was within r_cut + buffer at the build.
    ///
    /// With F the map from the reference cell to this one and d the largest move beside F, a pair at distance r was at
    /// most ‖F⁻¹‖ (r + 2d) apart; ‖F⁻¹‖ ≤ 1 + ‖F⁻¹ − 1‖ in the Frobenius norm. At fixed cell: 2d ≤ buffer.
    fn still_holds(&self, cell: &Cell, positions: &[Vec3]) -> bool {
        let Some((reference_cell, reference)) = &self.reference else { return false };
        if reference.len() != positions.len() {
            return false;
        }
        // Row vectors: r = r_ref · F with F = h_ref⁻¹ h.
        let (same_cell, stretch, forward) = if reference_cell == cell {
            (true, 1.0, Mat3::IDENTITY)
        } else {
            let back = cell.vectors().inverse() * reference_cell.vectors() - Mat3::IDENTITY;
            let norm = back.rows.iter().map(|row| row.norm2()).sum::<f64>().sqrt();
            (false, 1.0 + norm, reference_cell.vectors().inverse() * cell.vectors())
        };
        let move_limit = 0.5 * ((self.r_cut + self.buffer) / stretch - self.r_cut);
        let limit2 = move_limit * move_limit;
        move_limit >= 0.0
            && positions.par_iter().with_min_len(2048).zip(reference).all(|(now, then)| {
                let expected = if same_cell { *then } else { forward.vec_mul(*then) };
                // An atom may have been wrapped since. NaN fails the comparison and leads to the rebuild's check.
                cell.minimum_image(*now - expected).norm2() <= limit2
            })
    }

    fn build(&mut self, cell: &Cell, positions: &[Vec3], exclusions: &Exclusions) {
        let n_atoms = positions.len();
        let grid = Grid::new(cell, positions, (self.r_cut + self.buffer) * ROUNDING);
        self.chunks.resize_with(n_atoms.div_ceil(ATOMS_PER_CHUNK), Chunk::default);
        self.chunks.par_iter_mut().enumerate().for_each(|(chunk, list)| {
            list.ends.clear();
            list.partners.clear();
            let first = chunk * ATOMS_PER_CHUNK;
            let mut near = Vec::new();
            for atom in first..(first + ATOMS_PER_CHUNK).min(n_atoms) {
                grid.gather_above(atom, &mut near);
                near.sort_unstable();
                near.dedup();
                remove_sorted(&mut near, exclusions.of(atom));
                list.partners.extend_from_slice(&near);
                list.ends.push(list.partners.len() as u32);
            }
        });
        match &mut self.reference {
            Some((reference_cell, reference)) => {
                *reference_cell = *cell;
                reference.clear();
                reference.extend_from_slice(positions);
            }
            none => *none = Some((*cell, positions.to_vec())),
        }
        self.builds += 1;
    }

    /// Number of chunks of [`ATOMS_PER_CHUNK`] consecutive atoms.
    pub fn n_chunks(&self) -> usize {
        self.chunks.len()
    }

    /// The atoms of one chunk with their partners j > i, ascending.
    #[inline]
    pub fn chunk(&self, chunk: usize) -> impl Iterator<Item = (usize, &[u32])> {
        let Chunk { ends, partners } = &self.chunks[chunk];
        let mut start = 0;
        ends.iter().enumerate().map(move |(k, &end)| {
            let run = &partners[start..end as usize];
            start = end as usize;
            (chunk * ATOMS_PER_CHUNK + k, run)
        })
    }

    /// All pairs i < j of the list, ascending.
    pub fn pairs(&self) -> impl Iterator<Item = [u32; 2]> {
        (0..self.n_chunks())
            .flat_map(|chunk| self.chunk(chunk))
            .flat_map(|(i, partners)| partners.iter().map(move |&j| [i as u32, j]))
    }

    /// Number of pairs in the list.
    pub fn n_pairs(&self) -> usize {
        self.chunks.iter().map(|c| c.partners.len()).sum()
    }

    /// Cut-off (nm).
    pub fn r_cut(&self) -> f64 {
        self.r_cut
    }

    /// How often the list was built.
    pub fn builds(&self) -> u64 {
        self.builds
    }
}

/// Takes the ascending `removed` out of the ascending `list`.
fn remove_sorted(list: &mut Vec<u32>, removed: &[u32]) {
    if !removed.is_empty() {
        let mut k = 0;
        list.retain(|j| {
            while k < removed.len() && removed[k] < *j {
                k += 1;
            }
            removed.get(k) != Some(j)
        });
    }
}

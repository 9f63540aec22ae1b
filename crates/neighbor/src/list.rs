//! The pair list: tiles of four atoms with eight others, kept until they could miss a pair.

use amelo_core::coordinates::{CoordinateUnits, Places, fractions, norm2, rows};
use amelo_core::{Cell, Exclusions};
use amelo_math::lanes::{Isa, Job, Scalar, Simd, Tile as Lanes, dispatch};
use amelo_math::{Mat3, Vec3};
use rayon::prelude::*;

use crate::tree::{Bounds, CLUSTER, EMPTY, SLACK, Tree};

/// Atoms in a row of tiles: half a cluster.
pub const ROW: usize = 4;

/// Rows per chunk of the list. Loops over pairs take chunks as their unit of work.
pub const ROWS_PER_CHUNK: usize = 16;

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

/// Four atoms with the eight of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// The cluster.
    pub cluster: u32,
    /// Bit 8·(place in the row) + (place in the cluster): the pairs that interact. Not set: excluded pairs, each pair's
    /// second appearance, empty slots.
    pub pairs: u32,
}

/// The tiles of one row with clusters of one class that can hold a pair within the cut-off by now.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Number of the row: half 2·cluster or 2·cluster + 1 of a cluster.
    pub row: usize,
    /// Class of the row's atoms and of those in the tiles' clusters.
    pub classes: [u8; 2],
    /// The tiles, those within the cut-off when the list was built first.
    pub tiles: &'a [Tile],
}

#[derive(Clone, Debug, Default)]
struct Chunk {
    /// Row, classes and end in `tiles` of each run.
    runs: Vec<(u32, [u8; 2], u32)>,
    /// Those of a run ascend in `distances`.
    tiles: Vec<Tile>,
    /// \[n_tiles\] distance of each tile's nearest pair when the list was built, nm, rounded down; r_cut for those
    /// within it.
    distances: Vec<f32>,
}

/// Pairs that are not excluded and within r_cut + buffer when the list was built, each once, and some farther ones.
#[derive(Clone, Debug)]
pub struct NeighborList {
    r_cut: f64,
    buffer: f64,
    tree: Tree,
    /// \[n_atoms\] place of each atom among the slots.
    slot_of: Vec<u32>,
    chunks: Vec<Chunk>,
    /// Cell and positions that the list was built from, and the reach it was built with (nm).
    reference: Option<(Cell, Vec<Vec3>, f64)>,
    /// Distance at the build (nm) up to which a pair can be within the cut-off by now.
    reach_now: f64,
    builds: u64,
}

impl NeighborList {
    /// An empty list for pairs within `r_cut` (nm), to be built within `r_cut` + `buffer` (nm).
    pub fn new(r_cut: f64, buffer: f64) -> Self {
        NeighborList {
            r_cut,
            buffer,
            tree: Tree::default(),
            slot_of: Vec::new(),
            chunks: Vec::new(),
            reference: None,
            reach_now: 0.0,
            builds: 0,
        }
    }

    /// Makes the list valid for `positions` in `cell`; returns whether it was rebuilt. `exclusions` and `classes` (of
    /// each atom; clusters do not mix them) must be the same in every call. Errors: a cell narrower than twice the
    /// cut-off, a position that is not finite.
    pub fn update(
        &mut self,
        cell: &Cell,
        positions: &[Vec3],
        exclusions: &Exclusions,
        classes: &[u8],
    ) -> Result<bool, NeighborError> {
        let half_width = cell.half_width();
        // The slack admits a cut-off of exactly half an edge, the largest that is sound.
        if half_width * ROUNDING < self.r_cut {
            return Err(NeighborError::CellTooSmall { half_width });
        }
        let reach_now = self.reach_now(cell, positions);
        if let Some((_, _, reach)) = &self.reference
            && reach_now <= *reach
        {
            self.reach_now = reach_now;
            return Ok(false);
        }
        if let Some(atom) = positions.iter().position(|r| !r.is_finite()) {
            return Err(NeighborError::NotFinite { atom });
        }
        self.build(cell, positions, exclusions, classes);
        Ok(true)
    }

    /// Distance at the build (nm) within which every pair was that is within r_cut now; infinite without a list.
    ///
    /// With F the map from the reference cell to this one and d the largest move beside F, a pair at distance r was at
    /// most ‖F⁻¹‖ (r + 2d) apart; ‖F⁻¹‖ ≤ 1 + ‖F⁻¹ − 1‖ in the Frobenius norm. At fixed cell: r + 2d.
    fn reach_now(&self, cell: &Cell, positions: &[Vec3]) -> f64 {
        let Some((reference_cell, reference, _)) = &self.reference else { return f64::INFINITY };
        if reference.len() != positions.len() {
            return f64::INFINITY;
        }
        // Row vectors: r = r_ref · F with F = h_ref⁻¹ h.
        let (same_cell, stretch, forward) = if reference_cell == cell {
            (true, 1.0, Mat3::IDENTITY)
        } else {
            let back = cell.vectors().inverse() * reference_cell.vectors() - Mat3::IDENTITY;
            let norm = back.rows.iter().map(|row| row.norm2()).sum::<f64>().sqrt();
            (false, 1.0 + norm, reference_cell.vectors().inverse() * cell.vectors())
        };
        let image = cell.nearest_image();
        let largest2 = positions
            .par_iter()
            .with_min_len(8192)
            .zip(reference)
            .map(|(now, then)| {
                let expected = if same_cell { *then } else { forward.vec_mul(*then) };
                // An atom may have been wrapped since. Not-a-number must come through the maximum.
                let moved2 = image.of(*now - expected).norm2();
                if moved2.is_nan() { f64::INFINITY } else { moved2 }
            })
            .reduce(|| 0.0, f64::max);
        stretch * (self.r_cut + 2.0 * largest2.sqrt()) * ROUNDING
    }

    fn build(&mut self, cell: &Cell, positions: &[Vec3], exclusions: &Exclusions, classes: &[u8]) {
        let mut wrapped = positions.to_vec();
        wrapped.par_iter_mut().with_min_len(4096).for_each(|r| cell.wrap(r, &mut [0; 3]));
        let widths = cell.widths();
        // Beyond a width of the cell a pair would come again from the next image but one.
        let reach = (self.r_cut + self.buffer).min(widths.x.min(widths.y).min(widths.z)).max(self.r_cut);
        let reach = reach * ROUNDING * ROUNDING;
        let tree = Tree::new(&wrapped, classes);
        self.slot_of.clear();
        self.slot_of.resize(positions.len(), EMPTY);
        for (slot, &atom) in tree.slots.iter().enumerate().filter(|(_, a)| **a != EMPTY) {
            self.slot_of[atom as usize] = slot as u32;
        }
        let places = tree.slots.chunks_exact(CLUSTER).map(|slots| places(cell, slots, &wrapped)).collect();
        let search = Search {
            tree: &tree,
            slot_of: &self.slot_of,
            exclusions,
            wrapped: &wrapped,
            shifts: std::array::from_fn(|n| {
                let n = n as i32;
                cell.shift([n % 3 - 1, n / 3 % 3 - 1, n / 9 - 1])
            }),
            units: CoordinateUnits::of::<f32>(cell),
            places,
            reach,
            r_cut: (self.r_cut * (1.0 - DISTANCE_ROUNDING)) as f32,
        };
        let isa = Isa::current();
        let n_rows = 2 * tree.n_clusters();
        self.chunks.resize_with(n_rows.div_ceil(ROWS_PER_CHUNK), Chunk::default);
        self.chunks.par_iter_mut().enumerate().for_each(|(k, chunk)| {
            chunk.runs.clear();
            chunk.tiles.clear();
            chunk.distances.clear();
            let rows = k * ROWS_PER_CHUNK..((k + 1) * ROWS_PER_CHUNK).min(n_rows);
            dispatch(isa, SearchJob { search: &search, rows, chunk });
        });
        self.tree = tree;
        match &mut self.reference {
            Some((reference_cell, reference, reference_reach)) => {
                (*reference_cell, *reference_reach) = (*cell, reach);
                reference.clear();
                reference.extend_from_slice(positions);
            }
            none => *none = Some((*cell, positions.to_vec(), reach)),
        }
        self.reach_now = self.r_cut * ROUNDING;
        self.builds += 1;
    }

    /// Number of clusters of [`CLUSTER`] slots.
    pub fn n_clusters(&self) -> usize {
        self.tree.n_clusters()
    }

    /// \[8 · n_clusters\] atom in each slot, [`EMPTY`] where there is none.
    pub fn slots(&self) -> &[u32] {
        &self.tree.slots
    }

    /// \[n_atoms\] slot of each atom.
    pub fn slot_of(&self) -> &[u32] {
        &self.slot_of
    }

    /// Number of chunks of [`ROWS_PER_CHUNK`] rows.
    pub fn n_chunks(&self) -> usize {
        self.chunks.len()
    }

    /// The rows of one chunk with the tiles that can matter now.
    #[inline]
    pub fn rows(&self, chunk: usize) -> impl Iterator<Item = Row<'_>> {
        let Chunk { runs, tiles, distances } = &self.chunks[chunk];
        let mut start = 0;
        let reach = self.reach_now;
        runs.iter().map(move |&(row, classes, end)| {
            let run = start..end as usize;
            start = run.end;
            let near = distances[run.clone()].partition_point(|&d| f64::from(d) <= reach);
            Row { row: row as usize, classes, tiles: &tiles[run][..near] }
        })
    }

    /// The pairs of one chunk, for loops that take them one by one.
    pub fn pairs_of(&self, chunk: usize) -> impl Iterator<Item = [usize; 2]> {
        self.rows(chunk).flat_map(move |row| {
            row.tiles.iter().flat_map(move |tile| {
                let mut left = tile.pairs;
                std::iter::from_fn(move || {
                    let bit = (left != 0).then(|| left.trailing_zeros() as usize)?;
                    left &= left - 1;
                    let i = self.tree.slots[row.row * ROW + bit / CLUSTER];
                    let j = self.tree.slots[tile.cluster as usize * CLUSTER + bit % CLUSTER];
                    Some([i as usize, j as usize])
                })
            })
        })
    }

    /// All pairs of the list, in no order, none twice.
    pub fn pairs(&self) -> impl Iterator<Item = [usize; 2]> {
        (0..self.n_chunks()).flat_map(|chunk| self.pairs_of(chunk))
    }

    /// Number of tiles that can matter now.
    pub fn n_tiles(&self) -> usize {
        (0..self.n_chunks()).flat_map(|chunk| self.rows(chunk)).map(|row| row.tiles.len()).sum()
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

/// Coordinates of one cluster's atoms.
fn places(cell: &Cell, slots: &[u32], positions: &[Vec3]) -> Places<f32> {
    let mut places = Places::<f32>::default();
    for (place, &atom) in slots.iter().enumerate().filter(|(_, a)| **a != EMPTY) {
        let fractions = fractions(cell, positions[atom as usize]);
        for k in 0..3 {
            places[k][place] = f32::coordinate(fractions[k]);
        }
    }
    places
}

/// What the search for tiles reads.
struct Search<'a> {
    tree: &'a Tree,
    slot_of: &'a [u32],
    exclusions: &'a Exclusions,
    /// Positions inside the cell.
    wrapped: &'a [Vec3],
    /// Of the cell itself and its 26 neighbours (nm).
    shifts: [Vec3; 27],
    units: CoordinateUnits,
    /// \[n_clusters\]
    places: Vec<Places<f32>>,
    reach: f64,
    /// Rounded down.
    r_cut: f32,
}

/// The search for the tiles of some rows.
struct SearchJob<'a> {
    search: &'a Search<'a>,
    rows: std::ops::Range<usize>,
    chunk: &'a mut Chunk,
}

impl Job for SearchJob<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let mut clusters = Vec::new();
        let mut found = Vec::new();
        for row in self.rows {
            // Both rows of a cluster look among the same neighbours. Chunks begin with a first row.
            if row % 2 == 0 {
                self.search.clusters_near(row / 2, &mut clusters);
            }
            let atoms = &self.search.tree.slots[row * ROW..][..ROW];
            if atoms[0] == EMPTY {
                continue;
            }
            found.clear();
            let places = self.search.row_places::<S::Single>(row);
            for &cluster in &clusters {
                let pairs = self.search.pairs(row, cluster as usize);
                let distance = self.search.distance::<S::Single>(&places, cluster as usize, pairs);
                if f64::from(distance) <= self.search.reach {
                    found.push((distance, Tile { cluster, pairs }));
                }
            }
            self.search.exclude(atoms, &mut found);
            self.search.add_runs(row, &found, self.chunk);
        }
    }
}

const _: () = assert!(ROWS_PER_CHUNK.is_multiple_of(2));

/// Relative error of a distance in f32, several times over.
const DISTANCE_ROUNDING: f64 = 1e-6;

impl Search<'_> {
    /// Clusters from `own` on with a box near its own, ascending.
    fn clusters_near(&self, own: usize, near: &mut Vec<u32>) {
        let bounds = Bounds::of(&self.tree.slots[own * CLUSTER..][..CLUSTER], self.wrapped);
        near.clear();
        let reach = self.reach as f32 + SLACK;
        for &shift in &self.shifts {
            self.tree.near(&bounds.shifted(shift), reach * reach, own as u32, near);
        }
        // In a narrow cell a cluster comes once for every image; a tile takes the nearest of each pair.
        near.sort_unstable();
        near.dedup();
    }

    /// The pairs of atoms, each once.
    #[inline(always)]
    fn pairs(&self, row: usize, cluster: usize) -> u32 {
        let places = u32::from(self.tree.filled[row / 2]) >> (row % 2 * ROW) & 0xf;
        let columns = u32::from(self.tree.filled[cluster]);
        if cluster != row / 2 {
            // One byte for each filled place of the row.
            let rows = (places & 1) | (places & 2) << 7 | (places & 4) << 14 | (places & 8) << 21;
            return columns * rows;
        }
        // Within a cluster a pair belongs to the earlier slot's row.
        let of = |place: usize| {
            let after = 0xfe_u32 << (row % 2 * ROW + place) & 0xff;
            if places >> place & 1 == 1 { (columns & after) << (CLUSTER * place) } else { 0 }
        };
        of(0) | of(1) | of(2) | of(3)
    }

    /// The coordinates of a row's atoms in lanes.
    #[inline(always)]
    fn row_places<L: Lanes<Scalar = f32>>(&self, row: usize) -> [[L::Fixed; 3]; ROW] {
        let mut places = [[L::fixed_zero(); 3]; ROW];
        for (set, place) in places.iter_mut().enumerate().take(ROW / L::ROWS) {
            *place = rows::<L>(&self.places[row / 2], row % 2 * ROW + set * L::ROWS);
        }
        places
    }

    /// Distance of the nearest of `pairs` (nm), rounded down; r_cut for all within it, infinite where none is in reach.
    #[inline(always)]
    fn distance<L: Lanes<Scalar = f32>>(&self, row: &[[L::Fixed; 3]; ROW], cluster: usize, pairs: u32) -> f32 {
        // What rounding may put beyond the reach counts as within it.
        let reach = self.reach * (1.0 + DISTANCE_ROUNDING);
        let (cut, reach) = (L::scalar(self.r_cut * self.r_cut), L::splat(reach * reach));
        let mut least = L::splat(1e30);
        let mut in_reach = false;
        for (set, place) in row.iter().enumerate().take(ROW / L::ROWS) {
            let r2 = norm2(&self.units.separation::<L>(place, &self.places[cluster]));
            let bits = pairs >> (CLUSTER * L::ROWS * set);
            if L::any(r2.below(cut, bits)) {
                return self.r_cut;
            }
            let mask = r2.below(reach, bits);
            in_reach |= L::any(mask);
            least = least.min_where(mask, r2);
        }
        if in_reach { (least.least().sqrt() * (1.0 - DISTANCE_ROUNDING)) as f32 } else { f32::INFINITY }
    }

    /// Clears the excluded pairs of a row's tiles, which ascend in clusters.
    fn exclude(&self, atoms: &[u32], tiles: &mut [(f32, Tile)]) {
        for (place, &atom) in atoms.iter().enumerate().filter(|(_, a)| **a != EMPTY) {
            for &partner in self.exclusions.of(atom as usize) {
                let slot = self.slot_of[partner as usize] as usize;
                if let Ok(k) = tiles.binary_search_by_key(&((slot / CLUSTER) as u32), |t| t.1.cluster) {
                    tiles[k].1.pairs &= !(1 << (CLUSTER * place + slot % CLUSTER));
                }
            }
        }
    }

    /// Appends a row's tiles, class by class, in the order in which they begin to matter.
    fn add_runs(&self, row: usize, tiles: &[(f32, Tile)], chunk: &mut Chunk) {
        let class = |tile: &Tile| self.tree.class_of[tile.cluster as usize];
        for run in tiles.chunk_by(|(_, a), (_, b)| class(a) == class(b)) {
            let first = chunk.tiles.len();
            let mut add = |&(distance, tile): &(f32, Tile)| {
                chunk.tiles.push(tile);
                chunk.distances.push(distance);
            };
            let counts = |t: &&(f32, Tile)| t.1.pairs != 0;
            run.iter().filter(counts).filter(|t| t.0 <= self.r_cut).for_each(&mut add);
            let mut later: Vec<_> = run.iter().filter(counts).filter(|t| t.0 > self.r_cut).collect();
            later.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cluster.cmp(&b.1.cluster)));
            later.into_iter().for_each(&mut add);
            if chunk.tiles.len() > first {
                let classes = [self.tree.class_of[row / 2], class(&run[0].1)];
                chunk.runs.push((row as u32, classes, chunk.tiles.len() as u32));
            }
        }
    }
}

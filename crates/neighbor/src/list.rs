//! The pair list: tiles of two atoms with eight others, kept until they could miss a pair.
//!
//! The list is built for pairs within r_cut + buffer and notes for every tile how far its nearest pair was. A pair of
//! atoms that have moved by d_i and d_j since can be within the cut-off only if it was within r_cut + d_i + d_j, so a
//! tile counts as soon as the moves of its own row and cluster have used up its distance, and the list holds until twice
//! the largest move uses up the buffer. No pair is ever missed, and which tiles are looked at shows in no sum.

use amelo_core::coordinates::{CoordinateUnits, Locator, Places};
use amelo_core::{Cell, Exclusions};
use amelo_math::lanes::{Isa, Job, Scalar, Simd};
use amelo_math::{Mat3, Vec3};
use rayon::prelude::*;

use crate::boxes::ClusterBoxes;
use crate::clusters::{CLUSTER, Clusters, EMPTY};
use crate::lag::LagSteps;
use crate::search::{Scratch, Search, SearchJob};
use crate::tiles::{Chunk, Row, Tile};

/// Atoms in a row of tiles: two of a cluster. With four, a melt's tiles would have 13 % more places.
pub const ROW: usize = 2;

/// Rows of a cluster.
pub const ROWS_PER_CLUSTER: usize = CLUSTER / ROW;

/// Clusters whose rows make a chunk of the list. Loops over pairs take chunks as their unit of work.
pub const CLUSTERS_PER_CHUNK: usize = 8;

/// Clusters that a thread locates at a time.
const LOCATED_AT_ONCE: usize = 64;

/// How much longer the edges of the clusters' boxes may be together than after sorting, until the atoms are sorted anew: in a
/// melt four lists later.
const WORN_OUT: f64 = 1.03;

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

/// Which pairs a list is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Among {
    /// Every pair.
    All,
    /// Not those of two atoms whose classes are both this one or above.
    Without(u8),
    /// Those alone.
    Only(u8),
}

impl Among {
    /// Whether a cluster of class `own` has pairs with those from itself on, which ascend in class.
    pub(crate) fn has_pairs_of(self, own: u8) -> bool {
        match self {
            Among::All => true,
            Among::Without(class) => own < class,
            Among::Only(class) => own >= class,
        }
    }
}

/// Pairs that are not excluded and within r_cut + buffer when the list was built, each once, and some farther ones; with
/// it the atoms' coordinates in the order of its clusters, in the precision `T`.
#[derive(Clone, Debug)]
pub struct NeighborList<T: Scalar = f64> {
    r_cut: f64,
    buffer: f64,
    among: Among,
    clusters: Clusters,
    /// \[n_atoms\] place of each atom among the slots.
    slot_of: Vec<u32>,
    /// Of the clusters' boxes together (nm) when the atoms were sorted.
    edges: f64,
    chunks: Vec<Chunk>,
    /// \[n_clusters\] where the atoms are now, and where they were when the list was built.
    places: Vec<Places<T>>,
    reference: Vec<Places<f32>>,
    /// Cell that the list was built in, and the reach it was built with (nm).
    built: Option<(Cell, f64)>,
    /// How far atoms may have come (nm), beside the cell's own change.
    moves: Moves,
    builds: u64,
}

/// Largest moves since the list was built (nm), rounded up.
#[derive(Clone, Debug, Default)]
struct Moves {
    /// \[4 · n_clusters\]
    of_rows: Vec<f32>,
    /// \[n_clusters\]
    of_clusters: Vec<f32>,
    /// Steps of the tiles' lags that the moves of each row and of each cluster have used up.
    used_by_rows: Vec<u32>,
    used_by_clusters: Vec<u32>,
    /// Of all.
    largest: f32,
}

impl<T: Scalar> NeighborList<T> {
    /// An empty list for pairs within `r_cut` (nm), to be built within `r_cut` + `buffer` (nm).
    pub fn new(r_cut: f64, buffer: f64) -> Self {
        NeighborList {
            r_cut,
            buffer,
            among: Among::All,
            clusters: Clusters::default(),
            slot_of: Vec::new(),
            edges: 0.0,
            chunks: Vec::new(),
            places: Vec::new(),
            reference: Vec::new(),
            built: None,
            moves: Moves::default(),
            builds: 0,
        }
    }

    /// The same for the pairs of `among` alone.
    pub fn among(mut self, among: Among) -> Self {
        self.among = among;
        self
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
        if self.holds(cell, positions) {
            return Ok(false);
        }
        if let Some(atom) = positions.iter().position(|r| !r.is_finite()) {
            return Err(NeighborError::NotFinite { atom });
        }
        self.build(cell, positions, exclusions, classes);
        Ok(true)
    }

    /// Locates the atoms and says whether the list still holds every pair within the cut-off.
    ///
    /// With F the map from the cell at the build to this one and d the moves beside F, a pair at distance r was at most
    /// ‖F⁻¹‖ (r + d_i + d_j) apart; ‖F⁻¹‖ ≤ 1 + ‖F⁻¹ − 1‖ in the Frobenius norm.
    fn holds(&mut self, cell: &Cell, positions: &[Vec3]) -> bool {
        let Some((then, reach)) = &self.built else { return false };
        if self.slot_of.len() != positions.len() {
            return false;
        }
        let (then, reach) = (*then, *reach);
        self.locate(cell, positions);
        self.use_up(stretch(&then, cell), reach)
    }

    /// Notes where the atoms are, and how far they have come since the list was built.
    fn locate(&mut self, cell: &Cell, positions: &[Vec3]) {
        let units = cell.vectors() * f32::COORDINATE_UNIT;
        let clusters = self.places.par_chunks_mut(LOCATED_AT_ONCE).zip(self.reference.par_chunks(LOCATED_AT_ONCE));
        let slots = self.clusters.slots.par_chunks(LOCATED_AT_ONCE * CLUSTER);
        let rows = self.moves.of_rows.par_chunks_mut(LOCATED_AT_ONCE * ROWS_PER_CLUSTER);
        let of_clusters = self.moves.of_clusters.par_chunks_mut(LOCATED_AT_ONCE);
        let (isa, locator) = (Isa::current(), Locator::of(cell));
        self.moves.largest = clusters
            .zip(slots)
            .zip(rows.zip(of_clusters))
            .map(|(((places, reference), slots), (of_rows, of_clusters))| {
                let job =
                    LocateJob { locator, positions, units: &units, slots, reference, places, of_rows, of_clusters };
                amelo_math::lanes::dispatch(isa, job)
            })
            .reduce(|| 0.0, f32::max);
    }

    /// Notes which lags the moves have used up, and says whether the list still holds; by `stretch` distances may have
    /// been longer when it was built.
    fn use_up(&mut self, stretch: f64, reach: f64) -> bool {
        let Moves { of_rows, of_clusters, used_by_rows, used_by_clusters, largest } = &mut self.moves;
        let furthest = stretch * (self.r_cut + 2.0 * f64::from(*largest));
        if furthest.is_nan() || furthest * ROUNDING > reach {
            return false;
        }
        let steps = LagSteps::new(self.r_cut, reach);
        let most = (furthest - self.r_cut) as f32 + 2e-6;
        // ‖F⁻¹‖ (r_cut + d_i + d_j) − r_cut: what the cell has done goes with the rows.
        let (by_cell, up) = ((stretch - 1.0) * self.r_cut, stretch as f32 * (1.0 + 1e-6));
        used_by_rows.clear();
        used_by_rows.extend(of_rows.iter().map(|d| steps.used_up(by_cell as f32 + up * d, most)));
        used_by_clusters.clear();
        used_by_clusters.extend(of_clusters.iter().map(|d| steps.used_up(up * d, most)));
        true
    }

    /// Builds the list for atoms that were located just now, if there was a list.
    fn build(&mut self, cell: &Cell, positions: &[Vec3], exclusions: &Exclusions, classes: &[u8]) {
        let reach = self.reach_in(cell);
        let known = self.built.is_some() && self.slot_of.len() == positions.len();
        let kept = known.then(|| self.boxes(cell)).filter(|boxes| boxes.edges() <= WORN_OUT * self.edges);
        let boxes = kept.unwrap_or_else(|| {
            self.sort(cell, positions, classes);
            let boxes = self.boxes(cell);
            self.edges = boxes.edges();
            boxes
        });
        let n_clusters = self.clusters.len();
        let search = Search {
            clusters: &self.clusters,
            among: self.among,
            boxes,
            places: &self.reference,
            units: CoordinateUnits::of::<f32>(cell),
            slot_of: &self.slot_of,
            exclusions,
            unfilled: self.clusters.unfilled(),
            steps: LagSteps::new(self.r_cut, reach),
            reach,
        };
        let isa = Isa::current();
        self.chunks.resize_with(n_clusters.div_ceil(CLUSTERS_PER_CHUNK), Chunk::default);
        self.chunks.par_iter_mut().enumerate().for_each_init(
            || Scratch::new(n_clusters),
            |scratch, (number, chunk)| {
                amelo_math::lanes::dispatch(isa, SearchJob { search: &search, number, chunk, scratch });
            },
        );
        self.built = Some((*cell, reach));
        self.moves.of_rows.fill(0.0);
        self.moves.of_clusters.fill(0.0);
        self.moves.largest = 0.0;
        self.use_up(1.0, reach);
        self.builds += 1;
    }

    /// Sorts the atoms into clusters and locates them.
    fn sort(&mut self, cell: &Cell, positions: &[Vec3], classes: &[u8]) {
        self.clusters = Clusters::new(cell, positions, classes);
        let n_clusters = self.clusters.len();
        self.slot_of.clear();
        self.slot_of.resize(positions.len(), EMPTY);
        for (slot, &atom) in self.clusters.slots.iter().enumerate().filter(|(_, a)| **a != EMPTY) {
            self.slot_of[atom as usize] = slot as u32;
        }
        self.places.clear();
        self.places.resize(n_clusters, Places::default());
        self.reference.clear();
        self.reference.resize(n_clusters, Places::default());
        self.moves.of_rows.resize(n_clusters * ROWS_PER_CLUSTER, 0.0);
        self.moves.of_clusters.resize(n_clusters, 0.0);
        self.locate(cell, positions);
    }

    /// The boxes around the clusters of atoms where they are now, which becomes the reference.
    fn boxes(&mut self, cell: &Cell) -> ClusterBoxes {
        self.reference.par_iter_mut().zip(&self.places).with_min_len(512).for_each(|(reference, places)| {
            for k in 0..3 {
                reference.0[k] = places.0[k].map(T::single);
            }
        });
        ClusterBoxes::new(cell, &self.clusters, &self.reference)
    }

    /// r_cut + buffer, or less where the images in reach would no longer be the nearest ones (nm).
    fn reach_in(&self, cell: &Cell) -> f64 {
        let widths = cell.widths();
        let width = widths.x.min(widths.y).min(widths.z);
        // The nearest image along each axis is the nearest of all in a right-angled cell; in a skewed one it may be not
        // from half a width on. Beyond a whole width a pair would come again from the next image but one.
        let most = if cell.is_orthorhombic() { width } else { 0.5 * width };
        (self.r_cut + self.buffer).min(most).max(self.r_cut) * ROUNDING * ROUNDING
    }

    /// Number of clusters of [`CLUSTER`] slots.
    pub fn n_clusters(&self) -> usize {
        self.clusters.len()
    }

    /// \[8 · n_clusters\] atom in each slot, [`EMPTY`] where there is none.
    pub fn slots(&self) -> &[u32] {
        &self.clusters.slots
    }

    /// \[n_atoms\] slot of each atom.
    pub fn slot_of(&self) -> &[u32] {
        &self.slot_of
    }

    /// \[n_clusters\] where the atoms are now; zero in empty slots.
    pub fn places(&self) -> &[Places<T>] {
        &self.places
    }

    /// Number of chunks of [`CLUSTERS_PER_CHUNK`] clusters' rows.
    pub fn n_chunks(&self) -> usize {
        self.chunks.len()
    }

    /// The rows of one chunk.
    #[inline]
    pub fn rows(&self, chunk: usize) -> impl Iterator<Item = Row<'_>> {
        self.chunks[chunk].rows()
    }

    /// The tiles of `row` that can hold a pair within the cut-off by now, put first in `tiles`; what stands behind them means
    /// nothing.
    #[inline]
    pub fn select<'t>(&self, row: &Row<'_>, tiles: &'t mut Vec<Tile>) -> &'t [Tile] {
        row.select(self.moves.used_by_rows[row.row], &self.moves.used_by_clusters, tiles)
    }

    /// The pairs of one chunk, for loops that take them one by one.
    pub fn pairs_of(&self, chunk: usize) -> impl Iterator<Item = [usize; 2]> {
        self.rows(chunk).flat_map(move |row| {
            let tiles: Vec<Tile> = row.tiles().collect();
            tiles.into_iter().flat_map(move |tile| {
                let mut left = tile.pairs();
                std::iter::from_fn(move || {
                    let bit = (left != 0).then(|| left.trailing_zeros() as usize)?;
                    left &= left - 1;
                    let i = self.clusters.slots[row.row * ROW + bit / CLUSTER];
                    let j = self.clusters.slots[tile.cluster() * CLUSTER + bit % CLUSTER];
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
        let mut tiles = Vec::new();
        let mut n = 0;
        for row in (0..self.n_chunks()).flat_map(|chunk| self.rows(chunk)) {
            n += self.select(&row, &mut tiles).len();
        }
        n
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

/// How much longer a distance in the cell `then` can have been than it is `now`: ‖F⁻¹‖ for F from the one to the other.
fn stretch(then: &Cell, now: &Cell) -> f64 {
    if then == now {
        return 1.0;
    }
    let back = now.vectors().inverse() * then.vectors() - Mat3::IDENTITY;
    1.0 + back.rows.iter().map(|row| row.norm2()).sum::<f64>().sqrt()
}

/// Locates the atoms of some clusters; returns the largest move since `reference` (nm, rounded up; infinite where a position
/// is not a number) and notes that of each cluster and each row.
struct LocateJob<'a, T: Scalar> {
    locator: Locator,
    positions: &'a [Vec3],
    /// The cell's vectors per unit of f32's coordinates.
    units: &'a Mat3,
    slots: &'a [u32],
    reference: &'a [Places<f32>],
    places: &'a mut [Places<T>],
    of_rows: &'a mut [f32],
    of_clusters: &'a mut [f32],
}

impl<T: Scalar> Job for LocateJob<'_, T> {
    type Output = f32;

    #[inline(always)]
    fn run<S: Simd>(self) -> f32 {
        let units = self.units.rows.map(|row| [row.x as f32, row.y as f32, row.z as f32]);
        let mut largest = 0.0_f32;
        for k in 0..self.places.len() {
            let slots = &self.slots[k * CLUSTER..][..CLUSTER];
            // Empty slots are the last ones.
            let filled = slots.iter().filter(|atom| **atom != EMPTY).count();
            let mut r = [Vec3::ZERO; CLUSTER];
            for (r, &atom) in r.iter_mut().zip(&slots[..filled]) {
                *r = self.positions[atom as usize];
            }
            let (places, short) = self.locator.places::<T>(&r);
            self.places[k] = places;
            let mut moved = [0.0_f32; CLUSTER];
            for place in 0..CLUSTER {
                let by =
                    [0, 1, 2].map(|axis| short.0[axis][place].wrapping_sub(self.reference[k].0[axis][place]) as f32);
                let along = |axis: usize| by[0] * units[0][axis] + by[1] * units[1][axis] + by[2] * units[2][axis];
                let moved2 = along(0) * along(0) + along(1) * along(1) + along(2) * along(2);
                // Neither infinity nor what is no number times zero is zero.
                let finite = (r[place].x + r[place].y + r[place].z) * 0.0 == 0.0;
                // Rounding of coordinates and of all this, several times over.
                moved[place] = if finite { moved2.sqrt() * (1.0 + 1e-5) + 1e-7 } else { f32::INFINITY };
            }
            let mut of_cluster = 0.0;
            for row in 0..ROWS_PER_CLUSTER {
                let of_row = larger(moved[ROW * row], moved[ROW * row + 1]);
                self.of_rows[k * ROWS_PER_CLUSTER + row] = of_row;
                of_cluster = larger(of_cluster, of_row);
            }
            self.of_clusters[k] = of_cluster;
            largest = larger(largest, of_cluster);
        }
        largest
    }
}

/// The larger of two numbers; the library's asks for not-a-numbers too.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

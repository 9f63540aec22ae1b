//! The search for tiles: every pair of atoms within reach, its exclusions taken out.

use amelo_core::Exclusions;
use amelo_core::coordinates::{CoordinateUnits, Places, norm2, rows};
use amelo_math::lanes::{Job, Simd, Tile as Lanes};

use crate::boxes::ClusterBoxes;
use crate::clusters::{CLUSTER, Clusters, EMPTY};
use crate::list::{CLUSTERS_PER_CHUNK, ROW, ROWS_PER_CLUSTER};
use crate::tiles::{Chunk, Tile};

/// Relative error of a distance in f32, several times over.
const DISTANCE_ROUNDING: f64 = 1e-6;

/// What the search reads.
pub(crate) struct Search<'a> {
    pub clusters: &'a Clusters,
    pub boxes: ClusterBoxes,
    /// \[n_clusters\]
    pub places: &'a [Places<f32>],
    pub units: CoordinateUnits,
    pub slot_of: &'a [u32],
    pub exclusions: &'a Exclusions,
    pub r_cut: f64,
    /// Distance within which pairs are found (nm).
    pub reach: f64,
}

/// What one thread keeps from chunk to chunk.
pub(crate) struct Scratch {
    /// Clusters whose boxes are near, ascending.
    candidates: Vec<u32>,
    /// Bit 8·(place in the own cluster) + (place in the candidate): pairs that interact.
    pairs: Vec<u64>,
    /// \[n_clusters\] number of each among the candidates, plus one; 0 for the others.
    number_of: Vec<u32>,
    /// Tiles of each row within the cut-off, and those within reach only; ascending in clusters.
    near: [Vec<Tile>; ROWS_PER_CLUSTER],
    later: [Vec<Tile>; ROWS_PER_CLUSTER],
    chunk: Chunk,
}

impl Scratch {
    pub(crate) fn new(n_clusters: usize) -> Self {
        Scratch {
            candidates: Vec::new(),
            pairs: Vec::new(),
            number_of: vec![0; n_clusters],
            near: Default::default(),
            later: Default::default(),
            chunk: Chunk::default(),
        }
    }
}

/// The search for the tiles of one chunk.
pub(crate) struct SearchJob<'a> {
    pub search: &'a Search<'a>,
    pub number: usize,
    pub chunk: &'a mut Chunk,
    pub scratch: &'a mut Scratch,
}

impl Job for SearchJob<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let SearchJob { search, number, chunk, scratch } = self;
        scratch.chunk.clear();
        let first = number * CLUSTERS_PER_CHUNK;
        for own in first..(first + CLUSTERS_PER_CHUNK).min(search.clusters.len()) {
            search.boxes.near(own, search.reach as f32, &mut scratch.candidates);
            search.pairs(own, scratch);
            search.tiles::<S::Single>(own, scratch);
            for row in 0..ROWS_PER_CLUSTER {
                search.add_runs(own, row, &scratch.near[row], &scratch.later[row], &mut scratch.chunk);
            }
        }
        chunk.copy_from(&scratch.chunk);
    }
}

impl Search<'_> {
    /// The pairs of `own` with each candidate: each pair once, excluded ones not at all.
    fn pairs(&self, own: usize, scratch: &mut Scratch) {
        let Scratch { candidates, pairs, number_of, .. } = scratch;
        let filled = &self.clusters.filled;
        // One byte for each filled place.
        let mut rows = 0;
        let mut after = 0;
        for place in (0..CLUSTER).filter(|place| filled[own] >> place & 1 == 1) {
            rows |= 1_u64 << (CLUSTER * place);
            after |= u64::from(filled[own] & (0xfe << place)) << (CLUSTER * place);
        }
        pairs.clear();
        for (number, &candidate) in candidates.iter().enumerate() {
            let candidate = candidate as usize;
            pairs.push(if candidate == own { after } else { rows * u64::from(filled[candidate]) });
            number_of[candidate] = number as u32 + 1;
        }
        for (place, &atom) in self.clusters.slots[own * CLUSTER..][..CLUSTER].iter().enumerate() {
            if atom == EMPTY {
                continue;
            }
            for &partner in self.exclusions.of(atom as usize) {
                let slot = self.slot_of[partner as usize] as usize;
                let number = number_of[slot / CLUSTER] as usize;
                if number > 0 {
                    pairs[number - 1] &= !(1 << (CLUSTER * place + slot % CLUSTER));
                }
            }
        }
        for &candidate in candidates.iter() {
            number_of[candidate as usize] = 0;
        }
    }

    /// The tiles of each row of `own`, by the distance of their nearest pair.
    #[inline(always)]
    fn tiles<L: Lanes<Scalar = f32>>(&self, own: usize, scratch: &mut Scratch) {
        let Scratch { candidates, pairs, near, later, .. } = scratch;
        let (mut n_near, mut n_later) = ([0; ROWS_PER_CLUSTER], [0; ROWS_PER_CLUSTER]);
        for row in 0..ROWS_PER_CLUSTER {
            near[row].resize(candidates.len(), Tile::default());
            later[row].resize(candidates.len(), Tile::default());
        }
        let sets = ROW / L::ROWS;
        let mut places = [[L::fixed_zero(); 3]; CLUSTER];
        for set in 0..CLUSTER / L::ROWS {
            places[set] = rows::<L>(&self.places[own], set * L::ROWS);
        }
        // What rounding may put beyond the reach counts as within it.
        let reach = self.reach * (1.0 + DISTANCE_ROUNDING);
        let reach2 = L::splat(reach * reach);
        let steps = LagSteps::new(self.r_cut, self.reach);
        for (&candidate, &pairs) in candidates.iter().zip(&*pairs) {
            let columns = &self.places[candidate as usize];
            let mut least = [L::splat(f64::from(FAR)); ROWS_PER_CLUSTER];
            for row in 0..ROWS_PER_CLUSTER {
                for set in 0..sets {
                    let r2 = norm2(&self.units.separation::<L>(&places[row * sets + set], columns));
                    let bits = (pairs >> (CLUSTER * (row * ROW + set * L::ROWS))) as u32;
                    least[row] = least[row].min_where(r2.below(reach2, bits), r2);
                }
            }
            let least = L::least_of_four(least);
            let lags = steps.lags(&least);
            // Which rows have the candidate is hard to foretell: written in any case, counted where it is so.
            for row in 0..ROWS_PER_CLUSTER {
                let (pairs, lag) = ((pairs >> (CLUSTER * ROW * row)) as u16, lags[row]);
                let tile = Tile::new(candidate, pairs, lag);
                near[row][n_near[row]] = tile;
                n_near[row] += usize::from(lag == 0);
                later[row][n_later[row]] = tile;
                n_later[row] += usize::from((lag > 0) & (least[row] < FAR));
            }
        }
        for row in 0..ROWS_PER_CLUSTER {
            near[row].truncate(n_near[row]);
            later[row].truncate(n_later[row]);
        }
    }

    /// Appends a row's tiles, class by class.
    fn add_runs(&self, own: usize, row: usize, near: &[Tile], later: &[Tile], chunk: &mut Chunk) {
        let class_of = &self.clusters.class_of;
        let (mut near, mut later) = (near, later);
        while let Some(first) = near.first().into_iter().chain(later.first()).map(|t| t.cluster()).min() {
            // Clusters ascend in class.
            let class = class_of[first];
            let of_class = |tiles: &[Tile]| tiles.partition_point(|t| class_of[t.cluster()] <= class);
            let (n_near, n_later) = (of_class(near), of_class(later));
            let classes = [class_of[own], class];
            chunk.add_run((own * ROWS_PER_CLUSTER + row) as u32, classes, &near[..n_near], &later[..n_later]);
            (near, later) = (&near[n_near..], &later[n_later..]);
        }
    }
}

/// Squared distance (nm²) of what is out of reach.
const FAR: f32 = 1e30;

/// How far beyond the cut-off a tile's nearest pair was when the list was built: r² − r_cut² in steps, to within one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LagSteps {
    r_cut: f32,
    r_cut2: f32,
    /// Steps per nm², rounded down and up; 0 without a buffer.
    least: f32,
    most: f32,
}

impl LagSteps {
    /// 65533 steps from `r_cut` to `reach` (nm).
    pub(crate) fn new(r_cut: f64, reach: f64) -> Self {
        let nm2 = (reach * reach - r_cut * r_cut) / f64::from(u16::MAX - 2);
        let per_nm2 = if nm2 > 0.0 { 1.0 / nm2 } else { 0.0 };
        LagSteps {
            r_cut: r_cut as f32,
            r_cut2: (r_cut * r_cut) as f32,
            least: (per_nm2 * (1.0 - 1e-5)) as f32,
            most: (per_nm2 * (1.0 + 1e-5)) as f32,
        }
    }

    /// Of squared distances (nm²).
    #[inline(always)]
    fn lags(&self, r2: &[f32; ROWS_PER_CLUSTER]) -> [u16; ROWS_PER_CLUSTER] {
        let mut lags = [0; ROWS_PER_CLUSTER];
        for (lag, r2) in lags.iter_mut().zip(r2) {
            let beyond = (r2 * (1.0 - 3.0 * DISTANCE_ROUNDING as f32) - self.r_cut2) * self.least;
            // 1 and more for what is beyond the cut-off. The whole number stands in the last bits of its sum with 2²³; a
            // cast would ask for all kinds of numbers first.
            let whole = (beyond + 0.5).clamp(0.0, 65_534.0);
            *lag = (whole + 8_388_608.0).to_bits() as u16;
        }
        lags
    }

    /// By how many steps the lag of a tile counts for less where atoms of one of its sides have come `nearer` (nm) to any
    /// other, those of both sides together at most `most` (nm); rounded up, so that both sides' steps may be added.
    ///
    /// (r_cut + x)² − r_cut² = (2 r_cut + x) x ≤ (2 r_cut + most) x.
    #[inline(always)]
    pub(crate) fn used_up(&self, nearer: f32, most: f32) -> u32 {
        // One more for the half that was added and one for the rounding of all this.
        let steps = (2.0 * self.r_cut + most) * self.most * (nearer + 1e-6) + 2.0;
        steps as u32 + 1
    }
}

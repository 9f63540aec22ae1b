//! The search for tiles: every pair of atoms within reach, its exclusions taken out.

use std::ops::Range;

use amelo_core::Exclusions;
use amelo_core::coordinates::{CoordinateUnits, Places, norm2, rows};
use amelo_math::lanes::{Job, PACK, Simd, Tile as Lanes};

use crate::boxes::ClusterBoxes;
use crate::clusters::{CLUSTER, Clusters, EMPTY};
use crate::lag::{DISTANCE_ROUNDING, FAR, FOUR, LagSteps, NONE};
use crate::list::{Among, CLUSTERS_PER_CHUNK, ROW, ROWS_PER_CLUSTER};
use crate::tiles::{Chunk, ShortTile, Tile};

/// What the search reads.
pub(crate) struct Search<'a> {
    pub clusters: &'a Clusters,
    pub among: Among,
    pub boxes: ClusterBoxes,
    /// \[n_clusters\]
    pub places: &'a [Places<f32>],
    pub units: CoordinateUnits,
    pub slot_of: &'a [u32],
    pub exclusions: &'a Exclusions,
    /// Clusters with empty slots.
    pub unfilled: Vec<u32>,
    pub steps: LagSteps,
    /// Distance within which pairs are found (nm).
    pub reach: f64,
}

/// What one thread keeps from chunk to chunk. Candidates come in whole packs: the last ones repeat, without pairs.
#[derive(Default)]
pub(crate) struct Scratch {
    /// Clusters whose boxes are near, ascending.
    candidates: Vec<u32>,
    /// Bit 8·(place in the own cluster) + (place in the candidate): pairs that interact.
    pairs: Vec<u64>,
    /// Numbers of the candidates some of whose pairs do not, in any order.
    partial: Vec<usize>,
    numbers: Numbers,
    /// Of each row's tile with each candidate, four candidates together; [`NONE`] out of reach.
    lags: Vec<[[u32; FOUR]; ROWS_PER_CLUSTER]>,
    /// Tiles on their way into the chunk.
    short: Vec<ShortTile>,
    chunk: Chunk,
}

impl Scratch {
    pub(crate) fn new(n_clusters: usize) -> Self {
        Scratch { numbers: Numbers { of: vec![0; n_clusters], given: 0, first: 1 }, ..Scratch::default() }
    }
}

/// Which number each cluster has among the candidates. Numbers go on from one set of candidates to the next, so that none has to
/// be taken back.
#[derive(Default)]
struct Numbers {
    /// \[n_clusters\] the last number of each.
    of: Vec<u32>,
    /// How many have been given, and the first of the present ones.
    given: u32,
    first: u32,
}

impl Numbers {
    fn note(&mut self, candidates: &[u32]) {
        if self.given > u32::MAX - 1 - candidates.len() as u32 {
            self.of.fill(0);
            self.given = 0;
        }
        self.first = self.given + 1;
        for (&candidate, number) in candidates.iter().zip(self.first..) {
            self.of[candidate as usize] = number;
        }
        self.given += candidates.len() as u32;
    }

    /// Of `cluster`, where it is one of them.
    #[inline(always)]
    fn of(&self, cluster: usize) -> Option<usize> {
        self.of[cluster].checked_sub(self.first).map(|number| number as usize)
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
            if !search.among.has_pairs_of(search.clusters.class_of[own]) {
                continue;
            }
            let class = search.clusters.range_of(search.clusters.class_of[own]);
            search.boxes.near::<S>(own, &class, search.reach as f32, &mut scratch.candidates);
            let n = scratch.candidates.len();
            scratch.candidates.resize(n.next_multiple_of(PACK), own as u32);
            search.pairs(own, n, scratch);
            search.lags::<S::Single>(own, scratch);
            search.add_runs::<S>(own, n, scratch);
        }
        chunk.copy_from(&scratch.chunk);
    }
}

impl Search<'_> {
    /// The pairs of `own` with each of `n` candidates: each pair once, excluded ones not at all.
    fn pairs(&self, own: usize, n: usize, scratch: &mut Scratch) {
        let Scratch { candidates, pairs, partial, numbers, .. } = scratch;
        let Clusters { slots, filled, .. } = self.clusters;
        numbers.note(&candidates[..n]);
        pairs.clear();
        pairs.resize(n, u64::MAX);
        pairs.resize(candidates.len(), 0);
        partial.clear();
        let mut leave = |number: usize, among: u64| {
            if pairs[number] == u64::MAX {
                partial.push(number);
            }
            pairs[number] &= among;
        };
        // Of two atoms in one cluster the first has the pair.
        let after = (0..CLUSTER).map(|place| (0xfe_u64 << place & 0xff) << (CLUSTER * place)).sum();
        if let Some(number) = numbers.of(own) {
            leave(number, after);
        }
        for &cluster in &self.unfilled {
            if let Some(number) = numbers.of(cluster as usize) {
                leave(number, 0x0101_0101_0101_0101 * u64::from(filled[cluster as usize]));
            }
        }
        for (place, &atom) in slots[own * CLUSTER..][..CLUSTER].iter().enumerate() {
            if atom == EMPTY {
                (0..n).for_each(|number| leave(number, !(0xff << (CLUSTER * place))));
                continue;
            }
            for &partner in self.exclusions.of(atom as usize) {
                let slot = self.slot_of[partner as usize] as usize;
                if let Some(number) = numbers.of(slot / CLUSTER) {
                    leave(number, !(1 << (CLUSTER * place + slot % CLUSTER)));
                }
            }
        }
        // What is too large a number for a tile in short; candidates ascend.
        for number in candidates[..n].partition_point(|c| *c < ShortTile::CLUSTERS)..n {
            if pairs[number] == u64::MAX {
                partial.push(number);
            }
        }
    }

    /// The lag of each row of `own` with each candidate.
    #[inline(always)]
    fn lags<L: Lanes<Scalar = f32>>(&self, own: usize, scratch: &mut Scratch) {
        let Scratch { candidates, pairs, lags, .. } = scratch;
        lags.resize(candidates.len() / FOUR, Default::default());
        let mut places = [[L::fixed_zero(); 3]; CLUSTER];
        for set in 0..CLUSTER / L::ROWS {
            places[set] = rows::<L>(&self.places[own], set * L::ROWS);
        }
        // What rounding may put beyond the reach counts as within it.
        let reach = self.reach * (1.0 + DISTANCE_ROUNDING);
        let near = Near { units: self.units, places, reach2: L::splat(reach * reach), far: L::splat(f64::from(FAR)) };
        let fours = candidates.as_chunks::<FOUR>().0.iter().zip(pairs.as_chunks::<FOUR>().0);
        for ((candidates, pairs), lags) in fours.zip(lags) {
            let [a, b, c, d] = candidates.map(|candidate| &self.places[candidate as usize]);
            let least = [near.of(a, pairs[0]), near.of(b, pairs[1]), near.of(c, pairs[2]), near.of(d, pairs[3])];
            *lags = self.steps.lags(&L::least_of_each(&least));
        }
    }

    /// Appends the tiles of each row of `own` with `n` candidates, class by class.
    #[inline(always)]
    fn add_runs<S: Simd>(&self, own: usize, n: usize, scratch: &mut Scratch) {
        let Scratch { candidates, pairs, partial, lags, short, chunk, .. } = scratch;
        let class_of = &self.clusters.class_of;
        for row in 0..ROWS_PER_CLUSTER {
            let mut first = 0;
            // Clusters ascend in class.
            while first < n {
                let class = class_of[candidates[first] as usize];
                let end = first + candidates[first..n].partition_point(|c| class_of[*c as usize] == class);
                for &number in partial.iter().filter(|k| (first..end).contains(k)) {
                    let pairs = (pairs[number] >> (CLUSTER * ROW * row)) as u16;
                    let lag = &mut lags[number / FOUR][row][number % FOUR];
                    if *lag < NONE && !ShortTile::fits(candidates[number], pairs) {
                        chunk.add_partial(Tile::new(candidates[number], pairs, *lag as u16));
                        *lag = NONE;
                    }
                }
                let near = pack::<S>(candidates, lags, row, first..end, [0, 0], short);
                chunk.add_short(&short[..near]);
                let later = pack::<S>(candidates, lags, row, first..end, [1, NONE - 1], short);
                chunk.add_short(&short[..later]);
                chunk.end_run((own * ROWS_PER_CLUSTER + row) as u32, [class_of[own], class], later);
                first = end;
            }
        }
    }
}

/// One cluster, and what is near to it.
struct Near<L: Lanes> {
    units: CoordinateUnits,
    /// Of its sets of rows.
    places: [[L::Fixed; 3]; CLUSTER],
    reach2: L,
    far: L,
}

impl<L: Lanes<Scalar = f32>> Near<L> {
    /// Squared distances of each row's `pairs` with `columns` (nm²), [`FAR`] out of reach.
    #[inline(always)]
    fn of(&self, columns: &Places<f32>, pairs: u64) -> [L; ROWS_PER_CLUSTER] {
        let sets = ROW / L::ROWS;
        let mut least = [self.far; ROWS_PER_CLUSTER];
        for row in 0..ROWS_PER_CLUSTER {
            for set in 0..sets {
                let r2 = norm2(&self.units.separation::<L>(&self.places[row * sets + set], columns));
                let bits = (pairs >> (CLUSTER * (row * ROW + set * L::ROWS))) as u32;
                let mask = r2.below(self.reach2, bits);
                least[row] = if set == 0 { self.far.replace(mask, r2) } else { least[row].min_where(mask, r2) };
            }
        }
        least
    }
}

/// Puts the tiles of `row` with those of the candidates `of` whose lags lie in `range` into `tiles`; returns their number.
#[inline(always)]
fn pack<S: Simd>(
    candidates: &[u32],
    lags: &[[[u32; FOUR]; ROWS_PER_CLUSTER]],
    row: usize,
    of: Range<usize>,
    range: [u32; 2],
    tiles: &mut Vec<ShortTile>,
) -> usize {
    if tiles.len() < candidates.len() {
        tiles.resize(candidates.len(), ShortTile::default());
    }
    let (candidates, lags) = (candidates.as_chunks::<PACK>().0, lags.as_chunks::<{ PACK / FOUR }>().0);
    let mut n = 0;
    for block in of.start / PACK..of.end.div_ceil(PACK) {
        let first = block * PACK;
        let among = 0xffff_u32 << of.start.saturating_sub(first) & 0xffff >> (first + PACK).saturating_sub(of.end);
        let mut keys = [0; PACK];
        for (keys, lags) in keys.as_chunks_mut::<FOUR>().0.iter_mut().zip(&lags[block]) {
            *keys = lags[row];
        }
        let mut words = [0; PACK];
        for k in 0..PACK {
            words[k] = ShortTile::word(candidates[block][k], keys[k]);
        }
        let mut packed = [0; PACK];
        let found = S::pack(&words, &keys, range, among as u16, &mut packed);
        for (tile, word) in tiles[n..n + PACK].iter_mut().zip(packed) {
            *tile = ShortTile::of(word);
        }
        n += found;
    }
    n
}

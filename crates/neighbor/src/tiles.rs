//! Tiles: what a list is made of, and how it keeps them.

/// Two atoms with the eight of a cluster.
///
/// One number, so that one instruction copies it: the cluster in bits 0 to 31, the pairs in 32 to 47, the lag above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tile(u64);

impl Tile {
    pub(crate) fn new(cluster: u32, pairs: u16, lag: u16) -> Self {
        Tile(u64::from(cluster) | (u64::from(pairs) << 32) | (u64::from(lag) << 48))
    }

    /// The cluster.
    #[inline(always)]
    pub fn cluster(self) -> usize {
        self.0 as u32 as usize
    }

    /// Bit 8·(place in the row) + (place in the cluster): the pairs that interact. Not set: excluded pairs, each pair's
    /// second appearance, empty slots.
    #[inline(always)]
    pub fn pairs(self) -> u16 {
        (self.0 >> 32) as u16
    }

    /// How far beyond the cut-off the nearest of the pairs was when the list was built: r² − r_cut², in 65533rds of its
    /// value at the end of the buffer; 0 for none.
    #[inline(always)]
    pub(crate) fn lag(self) -> u32 {
        (self.0 >> 48) as u32
    }
}

/// A tile whose sixteen pairs all interact: the cluster in bits 0 to 23, the lag's upper half above.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ShortTile(u32);

impl ShortTile {
    /// How many clusters it can tell apart.
    pub(crate) const CLUSTERS: u32 = 1 << 24;

    /// Whether a tile with these pairs can be one.
    #[inline(always)]
    pub(crate) fn fits(cluster: u32, pairs: u16) -> bool {
        pairs == u16::MAX && cluster < Self::CLUSTERS
    }

    /// What [`ShortTile::of`] takes: in a number, so that many are made at once.
    #[inline(always)]
    pub(crate) fn word(cluster: u32, lag: u32) -> u32 {
        cluster | ((lag >> 8) << 24)
    }

    #[inline(always)]
    pub(crate) fn of(word: u32) -> Self {
        ShortTile(word)
    }

    #[inline(always)]
    fn cluster(self) -> usize {
        (self.0 & 0xff_ffff) as usize
    }

    /// Rounded down.
    #[inline(always)]
    fn lag(self) -> u32 {
        (self.0 >> 16) & 0xff00
    }

    /// As a tile without a lag.
    #[inline(always)]
    fn whole(self) -> Tile {
        Tile(u64::from(self.0 & 0xff_ffff) | (u64::from(u16::MAX) << 32))
    }
}

/// The tiles of one row with clusters of one class.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Number of the row: the fourth part of a cluster.
    pub row: usize,
    /// Class of the row's atoms and of those in the tiles' clusters.
    pub classes: [u8; 2],
    /// Tiles in short that had a pair within the cut-off when the list was built, and those that had none.
    near: &'a [ShortTile],
    later: &'a [ShortTile],
    /// Those in which some pairs do not interact.
    partial: &'a [Tile],
}

impl Row<'_> {
    /// All of them.
    pub fn tiles(&self) -> impl Iterator<Item = Tile> {
        self.near.iter().chain(self.later).map(|tile| tile.whole()).chain(self.partial.iter().copied())
    }

    /// Puts those first in `tiles` whose lag is used up by the row's moves and those of their cluster; returns them.
    #[inline(always)]
    pub(crate) fn select<'t>(&self, by_row: u32, by_clusters: &[u32], tiles: &'t mut Vec<Tile>) -> &'t [Tile] {
        let most = self.near.len() + self.partial.len() + self.later.len();
        if tiles.len() < most {
            tiles.resize(most, Tile::default());
        }
        let (near, rest) = tiles.split_at_mut(self.near.len());
        for (to, tile) in near.iter_mut().zip(self.near) {
            *to = tile.whole();
        }
        let mut n = 0;
        // Which ones count is hard to foretell: written in any case, counted where it is so.
        for tile in self.partial {
            rest[n] = *tile;
            n += usize::from(tile.lag() <= by_row + by_clusters[tile.cluster()]);
        }
        for tile in self.later {
            rest[n] = tile.whole();
            n += usize::from(tile.lag() <= by_row + by_clusters[tile.cluster()]);
        }
        &tiles[..self.near.len() + n]
    }
}

/// The tiles of some clusters' rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chunk {
    runs: Vec<Run>,
    /// Near and later ones of each run.
    short: Vec<ShortTile>,
    partial: Vec<Tile>,
}

/// Of one row with clusters of one class: where its tiles end.
#[derive(Clone, Copy, Debug)]
struct Run {
    row: u32,
    classes: [u8; 2],
    near: u32,
    later: u32,
    partial: u32,
}

impl Chunk {
    pub(crate) fn clear(&mut self) {
        self.runs.clear();
        self.short.clear();
        self.partial.clear();
    }

    /// Becomes `made`, in little more memory than that takes: the tiles are the largest part of the program's. Few different
    /// sizes, so that what one chunk has given up does for another and leaves no gaps.
    pub(crate) fn copy_from(&mut self, made: &Chunk) {
        fn copy<T: Copy>(to: &mut Vec<T>, from: &[T]) {
            to.clear();
            let step = (from.len().next_power_of_two() / 16).max(1);
            let size = from.len().next_multiple_of(step);
            if !(size..=size + 2 * step).contains(&to.capacity()) {
                // The old memory first.
                *to = Vec::new();
                to.reserve_exact(size);
            }
            to.extend_from_slice(from);
        }
        copy(&mut self.runs, &made.runs);
        copy(&mut self.short, &made.short);
        copy(&mut self.partial, &made.partial);
    }

    /// Adds a tile of the row that comes.
    pub(crate) fn add_partial(&mut self, tile: Tile) {
        self.partial.push(tile);
    }

    /// Likewise: first all near ones, then the others.
    #[inline(always)]
    pub(crate) fn add_short(&mut self, tiles: &[ShortTile]) {
        self.short.extend_from_slice(tiles);
    }

    /// The tiles added since the last run are those of `row` with clusters of one class; the last `later` short ones are not near.
    pub(crate) fn end_run(&mut self, row: u32, classes: [u8; 2], later: usize) {
        let [short, partial] = [self.short.len() as u32, self.partial.len() as u32];
        self.runs.push(Run { row, classes, near: short - later as u32, later: short, partial });
    }

    #[inline]
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let (mut start, mut partial_start) = (0, 0);
        self.runs.iter().map(move |run| {
            let [near_end, end, partial_end] = [run.near, run.later, run.partial].map(|end| end as usize);
            let row = Row {
                row: run.row as usize,
                classes: run.classes,
                near: &self.short[start..near_end],
                later: &self.short[near_end..end],
                partial: &self.partial[partial_start..partial_end],
            };
            (start, partial_start) = (end, partial_end);
            row
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_tile_is_the_tile_and_its_lag_never_more() {
        for (cluster, lag) in [(0, 0), (1, 255), (77, 256), (0xff_ffff, 65_534)] {
            let short = ShortTile::of(ShortTile::word(cluster, lag));
            assert_eq!((short.cluster(), short.whole().cluster()), (cluster as usize, cluster as usize));
            assert_eq!(short.whole().pairs(), u16::MAX);
            assert!(short.lag() <= lag && lag < short.lag() + 256);
            assert!(ShortTile::fits(cluster, u16::MAX));
        }
        assert!(!ShortTile::fits(5, 0xfffe), "an excluded pair");
        assert!(!ShortTile::fits(1 << 24, u16::MAX), "more clusters than 24 bits tell");
    }

    /// What a chunk keeps never exceeds what it holds by more than three sixteenths of the next power of two, however large
    /// it has been.
    #[test]
    fn a_chunk_gives_up_memory_that_it_no_longer_needs() {
        let mut chunk = Chunk::default();
        for n in [3000, 3010, 4095, 2100, 2900, 40, 0, 1, 2500] {
            let mut made = Chunk::default();
            made.add_short(&vec![ShortTile::of(ShortTile::word(7, 3)); n]);
            chunk.copy_from(&made);
            assert_eq!(chunk.short.len(), n);
            let spare = chunk.short.capacity() - n;
            assert!(spare <= 3 * n.next_power_of_two().max(16) / 16, "{spare} for {n}");
        }
    }
}

//! Which clusters are near one: boxes around them, sixteen side by side, and boxes around sixteen of those.
//!
//! Every cluster asks all boxes of the upper level. That grows with the square of the system, but of a number 128 times
//! smaller than that of atoms, and sixteen boxes are compared at once: for a million atoms it is a tenth of the search.

use amelo_core::Cell;

use crate::clusters::{CLUSTER, Clusters};

/// Boxes side by side.
const SIDE: usize = 16;

/// What rounding may put on a distance along an axis, in fractions of the cell.
const SLACK: f32 = 1e-6;

/// Sixteen boxes, centres and half their edges in fractions of the cell.
#[derive(Clone, Copy, Debug)]
struct Boxes {
    centers: [[f32; SIDE]; 3],
    halves: [[f32; SIDE]; 3],
}

impl Boxes {
    /// Nothing is near a box of negative size.
    const NONE: Boxes = Boxes { centers: [[0.0; SIDE]; 3], halves: [[-1e9; SIDE]; 3] };

    fn put(&mut self, place: usize, one: [Extent; 3]) {
        for k in 0..3 {
            self.centers[k][place] = one[k].center();
            self.halves[k][place] = one[k].half();
        }
    }
}

/// From where to where along an axis, in fractions of the cell.
#[derive(Clone, Copy, Debug)]
struct Extent {
    low: f32,
    high: f32,
}

impl Extent {
    const NONE: Extent = Extent { low: f32::INFINITY, high: f32::NEG_INFINITY };

    fn add(&mut self, low: f32, high: f32) {
        self.low = self.low.min(low);
        self.high = self.high.max(high);
    }
    fn center(&self) -> f32 {
        0.5 * (self.low + self.high)
    }
    fn half(&self) -> f32 {
        0.5 * (self.high - self.low) + SLACK
    }
}

/// The boxes of all clusters.
#[derive(Debug)]
pub(crate) struct ClusterBoxes {
    n_clusters: usize,
    /// Of sixteen clusters each.
    clusters: Vec<Boxes>,
    /// Around those sixteen, sixteen of them each.
    groups: Vec<Boxes>,
    /// Squared distances between opposite faces of the cell (nm²).
    widths2: [f32; 3],
    /// Whether distances along the axes are those of a right-angled triangle.
    orthorhombic: bool,
}

impl ClusterBoxes {
    /// The boxes of `clusters` of atoms at `fractions` of `cell` (in units of 2⁻⁶⁴).
    pub(crate) fn new(cell: &Cell, clusters: &Clusters, fractions: &[[u64; 3]]) -> Self {
        let n_clusters = clusters.len();
        let n_groups = n_clusters.div_ceil(SIDE);
        let widths = cell.widths();
        let mut boxes = ClusterBoxes {
            n_clusters,
            clusters: vec![Boxes::NONE; n_groups],
            groups: vec![Boxes::NONE; n_groups.div_ceil(SIDE)],
            widths2: [widths.x, widths.y, widths.z].map(|w| (w * w) as f32),
            orthorhombic: cell.is_orthorhombic(),
        };
        for group in 0..n_groups {
            let mut around = [Extent::NONE; 3];
            for cluster in group * SIDE..((group + 1) * SIDE).min(n_clusters) {
                let mut one = [Extent::NONE; 3];
                let filled = clusters.filled[cluster].count_ones() as usize;
                for &atom in &clusters.slots[cluster * CLUSTER..][..filled] {
                    for (extent, s) in one.iter_mut().zip(fractions[atom as usize]) {
                        let s = (s >> 40) as f32 / 16_777_216.0;
                        extent.add(s, s);
                    }
                }
                boxes.clusters[group].put(cluster % SIDE, one);
                for k in 0..3 {
                    around[k].add(one[k].low, one[k].high);
                }
            }
            boxes.groups[group / SIDE].put(group % SIDE, around);
        }
        boxes
    }

    /// The clusters from `own` on with a box within `reach` (nm) of its box, ascending.
    #[inline(always)]
    pub(crate) fn near(&self, own: usize, reach: f32, near: &mut Vec<u32>) {
        let mut one = [[0.0; 2]; 3];
        for k in 0..3 {
            let boxes = &self.clusters[own / SIDE];
            one[k] = [boxes.centers[k][own % SIDE], boxes.halves[k][own % SIDE]];
        }
        let reach2 = reach * reach * (1.0 + 1e-5);
        let first_group = own / SIDE;
        // What is near is hard to foretell: written in any case, counted where it is so.
        let mut n = 0;
        for block in first_group / SIDE..self.groups.len() {
            let of_groups = self.distances2(&one, &self.groups[block]);
            let (mut groups, mut n_groups) = ([0; SIDE], 0);
            for place in 0..SIDE {
                groups[n_groups] = block * SIDE + place;
                n_groups += usize::from((of_groups[place] <= reach2) & (block * SIDE + place >= first_group));
            }
            near.resize(n + n_groups * SIDE, 0);
            for &group in &groups[..n_groups] {
                let of_clusters = self.distances2(&one, &self.clusters[group]);
                let of_group = &mut near[n..n + SIDE];
                let mut n_near = 0;
                for place in 0..SIDE {
                    of_group[n_near] = (group * SIDE + place) as u32;
                    n_near += usize::from((of_clusters[place] <= reach2) & (group * SIDE + place >= own));
                }
                n += n_near;
            }
        }
        near.truncate(n);
        debug_assert!(near.last().is_none_or(|&last| (last as usize) < self.n_clusters));
    }

    /// Squared distances (nm²) from `one` box to each of sixteen, or less.
    #[inline(always)]
    fn distances2(&self, one: &[[f32; 2]; 3], others: &Boxes) -> [f32; SIDE] {
        let mut sums = [0.0; SIDE];
        for k in 0..3 {
            let [center, half] = one[k];
            for place in 0..SIDE {
                let apart = (center - others.centers[k][place]).abs();
                // Around the cell the other way.
                let around = 1.0 - apart;
                let shorter = if apart < around { apart } else { around };
                let gap = shorter - (half + others.halves[k][place]);
                let gap = if gap > 0.0 { gap } else { 0.0 };
                let gap2 = gap * gap * self.widths2[k];
                // In a skewed cell only the distance between the planes is certain.
                let largest = if gap2 > sums[place] { gap2 } else { sums[place] };
                sums[place] = if self.orthorhombic { sums[place] + gap2 } else { largest };
            }
        }
        sums
    }
}

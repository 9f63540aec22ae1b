//! Which clusters are near one: boxes around them, sixteen side by side, and boxes around sixteen of those.
//!
//! Every cluster asks all boxes of the upper level. That grows with the square of the system, but of a number 128 times
//! smaller than that of atoms, and sixteen boxes are compared at once: for a million atoms it is a tenth of the search.

use amelo_core::Cell;
use amelo_core::coordinates::Places;
use amelo_math::lanes::{PACK, Scalar, Simd};
use rayon::prelude::*;

use crate::clusters::Clusters;

/// Boxes side by side.
const SIDE: usize = PACK;

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

    /// Of atoms near each other, maybe on both sides of the cell's face: then it reaches beyond.
    fn of(places: &[i32]) -> Extent {
        let first = places[0];
        let (mut low, mut high) = (0, 0);
        for at in places {
            let beyond = at.wrapping_sub(first);
            low = low.min(beyond);
            high = high.max(beyond);
        }
        let unit = f32::COORDINATE_UNIT as f32;
        let first = first as u32 as f32;
        Extent { low: (first + low as f32) * unit, high: (first + high as f32) * unit }
    }

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
    /// The boxes of `clusters` of atoms at `places` of `cell`.
    pub(crate) fn new(cell: &Cell, clusters: &Clusters, places: &[Places<f32>]) -> Self {
        let n_clusters = clusters.len();
        let widths = cell.widths();
        let n_groups = n_clusters.div_ceil(SIDE);
        let mut boxes = ClusterBoxes {
            n_clusters,
            clusters: vec![Boxes::NONE; n_groups],
            groups: vec![Boxes::NONE; n_groups.div_ceil(SIDE)],
            widths2: [widths.x, widths.y, widths.z].map(|w| (w * w) as f32),
            orthorhombic: cell.is_orthorhombic(),
        };
        let of_groups: Vec<[Extent; 3]> = (boxes.clusters.par_iter_mut().enumerate().with_min_len(16))
            .map(|(group, boxes)| {
                let mut around = [Extent::NONE; 3];
                for cluster in group * SIDE..((group + 1) * SIDE).min(n_clusters) {
                    let filled = clusters.filled[cluster].count_ones() as usize;
                    let one = [0, 1, 2].map(|k| Extent::of(&places[cluster].0[k][..filled]));
                    boxes.put(cluster % SIDE, one);
                    for k in 0..3 {
                        around[k].add(one[k].low, one[k].high);
                    }
                }
                around
            })
            .collect();
        for (group, around) in of_groups.into_iter().enumerate() {
            boxes.groups[group / SIDE].put(group % SIDE, around);
        }
        boxes
    }

    /// The sum of all boxes' edges (nm).
    pub(crate) fn edges(&self) -> f64 {
        let mut sum = 0.0;
        for cluster in 0..self.n_clusters {
            for k in 0..3 {
                let edge = 2.0 * self.clusters[cluster / SIDE].halves[k][cluster % SIDE] * self.widths2[k].sqrt();
                sum += f64::from(edge);
            }
        }
        sum
    }

    /// The clusters from `own` on with a box within `reach` (nm) of its box, ascending.
    #[inline(always)]
    pub(crate) fn near<S: Simd>(&self, own: usize, reach: f32, near: &mut Vec<u32>) {
        let mut one = [[0.0; 2]; 3];
        for k in 0..3 {
            let boxes = &self.clusters[own / SIDE];
            one[k] = [boxes.centers[k][own % SIDE], boxes.halves[k][own % SIDE]];
        }
        let reach2 = reach * reach * (1.0 + 1e-5);
        let mut groups = [0; SIDE];
        near.clear();
        for block in own / SIDE / SIDE..self.groups.len() {
            let n_groups = self.pack::<S>(&one, &self.groups[block], block, own / SIDE, reach2, &mut groups);
            for &group in &groups[..n_groups] {
                let mut of_group = [0; SIDE];
                let n =
                    self.pack::<S>(&one, &self.clusters[group as usize], group as usize, own, reach2, &mut of_group);
                near.extend_from_slice(&of_group[..n]);
            }
        }
        debug_assert!(near.last().is_none_or(|&last| (last as usize) < self.n_clusters));
    }

    /// The numbers of those of sixteen boxes, the `block`-th sixteen, that are within √`reach2` of `one`, from `first` on.
    #[inline(always)]
    fn pack<S: Simd>(
        &self,
        one: &[[f32; 2]; 3],
        boxes: &Boxes,
        block: usize,
        first: usize,
        reach2: f32,
        into: &mut [u32; SIDE],
    ) -> usize {
        let (mut numbers, mut distances) = ([0; SIDE], [0; SIDE]);
        for (place, d2) in self.distances2(one, boxes).into_iter().enumerate() {
            numbers[place] = (block * SIDE + place) as u32;
            // Numbers that are not negative are ordered as the whole numbers with the same bits.
            distances[place] = d2.to_bits();
        }
        let among = 0xffff << first.saturating_sub(block * SIDE).min(SIDE);
        S::pack(&numbers, &distances, [0, reach2.to_bits()], among as u16, into)
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

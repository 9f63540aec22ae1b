//! Tighter clusters: atoms change places between neighbours while that brings each nearer to the middle of its own.

use amelo_math::lanes::{Isa, Job, PACK, Simd, dispatch};
use rayon::prelude::*;

use crate::boxes::pack;
use crate::clusters::{CLUSTER, Item};

/// Times that every pair of near clusters is looked at; all later ones would spare 0.4 % of a melt's tiles.
const SWEEPS: usize = 3;

/// Clusters that one thread refines by themselves; every other sweep begins with half as many, so that none are always apart.
const AT_ONCE: usize = 512;

/// How far the middles of two clusters may be apart to be looked at, in edges of a cube with as much room as a cluster has:
/// those farther apart would spare 0.1 % of a melt's tiles.
const NEAR: f32 = 1.2;

/// What a change of places must gain (nm²): more than rounding may feign.
const LEAST: f32 = 1e-4;

/// Makes whole clusters of `items` tighter, `edge` (nm) that of a cube with as much room as a cluster has, then pairs those of
/// each cluster by distance. Items on opposite faces of the cell do not meet.
///
/// Tight is what has a small sum of the squares of the distances from the middle, (r − r̄)². In a melt 3 % fewer tiles are
/// within the cut-off with that, and another 1 % by the pairs.
pub(crate) fn refine(items: &mut [Item], edge: f32) {
    let whole = items.len() / CLUSTER * CLUSTER;
    let (isa, near2) = (Isa::current(), (NEAR * edge).powi(2));
    for sweep in 0..SWEEPS {
        let first = (sweep % 2 * AT_ONCE / 2 * CLUSTER).min(whole);
        let ranges = items[first..whole].par_chunks_mut(AT_ONCE * CLUSTER);
        ranges.for_each(|items| dispatch(isa, RefineJob { items, near2 }));
    }
    items[..whole].par_chunks_mut(AT_ONCE * CLUSTER).for_each(|items| {
        items.as_chunks_mut::<CLUSTER>().0.iter_mut().for_each(pair_up);
    });
}

/// One sweep over some clusters.
struct RefineJob<'a> {
    items: &'a mut [Item],
    /// (nm²)
    near2: f32,
}

impl Job for RefineJob<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let clusters = self.items.as_chunks_mut::<CLUSTER>().0;
        let mut shapes: Vec<Shape> = clusters.iter().map(Shape::of).collect();
        // Sixteen side by side; behind the last one none is near.
        let mut middles = vec![[[f32::INFINITY; PACK]; 3]; clusters.len().div_ceil(PACK)];
        for (cluster, shape) in shapes.iter().enumerate() {
            put(&mut middles, cluster, shape.middle);
        }
        for a in 0..clusters.len() {
            for block in a / PACK..middles.len() {
                let (mut keys, mut near) = ([0; PACK], [0; PACK]);
                let [x, y, z] = &middles[block];
                for place in 0..PACK {
                    // Numbers that are not negative are ordered as the whole numbers with the same bits.
                    keys[place] = norm2(minus([x[place], y[place], z[place]], shapes[a].middle)).to_bits();
                }
                let n = pack::<S>(block, a + 1, &keys, self.near2.to_bits(), &mut near);
                for b in near[..n].iter().map(|&b| b as usize) {
                    // As many changes as bring any atoms together: where coordinates are large, rounding might go on for ever.
                    for _ in 0..CLUSTER {
                        let Some([i, j]) = shapes[a].best_change(&shapes[b]) else { break };
                        (clusters[a][i], clusters[b][j]) = (clusters[b][j], clusters[a][i]);
                        for changed in [a, b] {
                            shapes[changed] = Shape::of(&clusters[changed]);
                            put(&mut middles, changed, shapes[changed].middle);
                        }
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn put(middles: &mut [[[f32; PACK]; 3]], cluster: usize, middle: [f32; 3]) {
    for k in 0..3 {
        middles[cluster / PACK][k][cluster % PACK] = middle[k];
    }
}

/// Where the atoms of a cluster are, and their middle (nm).
struct Shape {
    r: [[f32; CLUSTER]; 3],
    middle: [f32; 3],
}

impl Shape {
    #[inline(always)]
    fn of(items: &[Item; CLUSTER]) -> Self {
        let r = [0, 1, 2].map(|k| items.map(|item| item.at[k]));
        Shape { r, middle: r.map(|r| r.iter().sum::<f32>() / CLUSTER as f32) }
    }

    /// The atoms of both clusters that gain most by changing places, if any gain.
    ///
    /// With d from atom i of this cluster to atom j of the other, the middles move by ±d/8, and the sum of squares falls
    /// by 2 d·(r̄ − r̄_other) + 2 d²/8.
    #[inline(always)]
    fn best_change(&self, other: &Shape) -> Option<[usize; 2]> {
        let apart = minus(self.middle, other.middle);
        let (mut most, mut of) = ([LEAST; CLUSTER], [CLUSTER; CLUSTER]);
        for i in 0..CLUSTER {
            for j in 0..CLUSTER {
                let mut gain = 0.0;
                for k in 0..3 {
                    let d = other.r[k][j] - self.r[k][i];
                    gain += d * (apart[k] + d * (1.0 / CLUSTER as f32));
                }
                let gain = 2.0 * gain;
                of[j] = if gain > most[j] { i } else { of[j] };
                most[j] = if gain > most[j] { gain } else { most[j] };
            }
        }
        let j = (0..CLUSTER).fold(0, |best, j| if most[j] > most[best] { j } else { best });
        (of[j] < CLUSTER).then_some([of[j], j])
    }
}

/// Puts the items in that order in which the distances between first and second, third and fourth, … are least together.
fn pair_up(items: &mut [Item; CLUSTER]) {
    let mut apart = [[0.0; CLUSTER]; CLUSTER];
    for i in 0..CLUSTER {
        for j in i + 1..CLUSTER {
            apart[i][j] = norm2(minus(items[i].at, items[j].at)).sqrt();
        }
    }
    let (mut least, mut best) = (f32::INFINITY, &ORDERS[0]);
    for order in &ORDERS {
        let [a, b, c, d, e, f, g, h] = order.map(usize::from);
        let sum = (apart[a][b] + apart[c][d]) + (apart[e][f] + apart[g][h]);
        (least, best) = if sum < least { (sum, order) } else { (least, best) };
    }
    *items = best.map(|k| items[usize::from(k)]);
}

/// All ways to make pairs of eight, the lower one first in each: 7 partners for the first, 5 for the first of those left, then 3.
const ORDERS: [[u8; CLUSTER]; 105] = {
    let mut orders = [[0; CLUSTER]; 105];
    let mut n = 0;
    while n < orders.len() {
        let mut left = [0, 1, 2, 3, 4, 5, 6, 7];
        let partners = [1 + n / 15, 1 + n / 3 % 5, 1 + n % 3, 1];
        let mut pair = 0;
        while pair < partners.len() {
            (orders[n][2 * pair], orders[n][2 * pair + 1]) = (left[0], left[partners[pair]]);
            // The others move up.
            let (mut from, mut to) = (1, 0);
            while from < left.len() {
                if from != partners[pair] {
                    left[to] = left[from];
                    to += 1;
                }
                from += 1;
            }
            pair += 1;
        }
        n += 1;
    }
    orders
};

#[inline(always)]
fn minus(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

#[inline(always)]
fn norm2(d: [f32; 3]) -> f32 {
    d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
}

#[cfg(test)]
mod tests {
    use super::*;
    use amelo_math::philox::Noise;

    fn items(n: usize, edge: f32) -> Vec<Item> {
        let noise = Noise::new(1, 7);
        let at = |k: u32| {
            let ([x, y], [z, _]) = (noise.uniform2(k, 0, 0), noise.uniform2(k, 0, 1));
            [x as f32 * edge, y as f32 * edge, z as f32 * edge]
        };
        (0..n as u32).map(|atom| Item { at: at(atom), atom }).collect()
    }

    /// Σ (r − r̄)² over the clusters.
    fn squares(items: &[Item]) -> f64 {
        let of = |items: &[Item; CLUSTER]| -> f64 {
            let middle = Shape::of(items).middle;
            items.iter().map(|item| f64::from(norm2(minus(item.at, middle)))).sum()
        };
        items.as_chunks::<CLUSTER>().0.iter().map(of).sum()
    }

    #[test]
    fn clusters_become_tighter_and_lose_no_atom() {
        // More clusters than one thread takes, and one that is not whole.
        let n = CLUSTER * (2 * AT_ONCE + 40);
        let before = items(n + 3, 3.0);
        let mut after = before.clone();
        refine(&mut after, 0.3);
        assert!(squares(&after) < 0.9 * squares(&before), "{} {}", squares(&after), squares(&before));
        assert!((n..n + 3).all(|k| after[k].atom == k as u32));
        let mut atoms: Vec<u32> = after.iter().map(|item| item.atom).collect();
        atoms.sort_unstable();
        assert_eq!(atoms, (0..n as u32 + 3).collect::<Vec<_>>());
    }

    #[test]
    fn the_best_change_gains_what_it_says_and_no_other_gains_more() {
        let both = items(16, 0.5);
        let [a, b] = [0, 8].map(|first| *both[first..].first_chunk::<CLUSTER>().unwrap());
        let gain = |i: usize, j: usize| {
            let mut changed = both.clone();
            changed.swap(i, 8 + j);
            squares(&both) - squares(&changed)
        };
        let [i, j] = Shape::of(&a).best_change(&Shape::of(&b)).unwrap();
        let most = (0..64).map(|k| gain(k / 8, k % 8)).fold(0.0, f64::max);
        assert!(most > 0.01 && (gain(i, j) - most).abs() < 1e-6, "{} {most}", gain(i, j));
    }

    #[test]
    fn pairs_are_the_best_of_all() {
        // By taking pairs from all orders of eight, an independent way.
        fn least(items: &[Item], left: &mut Vec<usize>) -> f32 {
            let Some(first) = left.pop() else { return 0.0 };
            let mut best = f32::INFINITY;
            for k in 0..left.len() {
                let other = left.remove(k);
                let apart = norm2(minus(items[first].at, items[other].at)).sqrt();
                best = best.min(apart + least(items, left));
                left.insert(k, other);
            }
            left.push(first);
            best
        }
        for seed in 0..20 {
            let some = items(8 * 21, 0.5);
            let mut eight = *some[8 * seed..].first_chunk::<CLUSTER>().unwrap();
            let best = least(&eight, &mut (0..8).collect());
            pair_up(&mut eight);
            let found: f32 = (0..4).map(|k| norm2(minus(eight[2 * k].at, eight[2 * k + 1].at)).sqrt()).sum();
            assert!((found - best).abs() < 1e-6, "{found} {best}");
        }
    }
}

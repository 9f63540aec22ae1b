//! Atoms in clusters of eight near each other: the leaves of a binary tree that halves space.

use amelo_math::Vec3;

/// Atoms in a cluster: the columns of a tile.
pub const CLUSTER: usize = amelo_math::lanes::WIDTH;

/// The slot of a cluster that no atom has.
pub const EMPTY: u32 = u32::MAX;

/// An axis-aligned box, nm, in f32 and by four numbers for the sake of vectors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    low: [f32; 4],
    high: [f32; 4],
}

/// What distances between boxes may be too large by (nm): some roundings of positions in cells of up to 100 nm.
pub(crate) const SLACK: f32 = 1e-4;

impl Bounds {
    /// The box around some atoms; inverted around none, so that nothing is near it.
    pub(crate) fn of(atoms: &[u32], positions: &[Vec3]) -> Self {
        let mut bounds = Bounds { low: [f32::INFINITY; 4], high: [f32::NEG_INFINITY; 4] };
        (bounds.low[3], bounds.high[3]) = (0.0, 0.0);
        for &atom in atoms.iter().filter(|&&a| a != EMPTY) {
            let r = positions[atom as usize];
            for k in 0..3 {
                bounds.low[k] = bounds.low[k].min(r[k] as f32);
                bounds.high[k] = bounds.high[k].max(r[k] as f32);
            }
        }
        bounds
    }

    fn longest_axis(&self) -> usize {
        let d = [0, 1, 2].map(|k| self.high[k] - self.low[k]);
        if d[0] >= d[1] && d[0] >= d[2] {
            0
        } else if d[1] >= d[2] {
            1
        } else {
            2
        }
    }

    /// The box moved by `shift` (nm).
    pub(crate) fn shifted(&self, shift: Vec3) -> Self {
        let mut moved = *self;
        for k in 0..3 {
            moved.low[k] += shift[k] as f32;
            moved.high[k] += shift[k] as f32;
        }
        moved
    }

    /// Square of the smallest distance between points of two boxes (nm²).
    #[inline(always)]
    pub(crate) fn distance2(&self, other: &Bounds) -> f32 {
        let mut squares = [0.0; 4];
        for k in 0..4 {
            let gap = (self.low[k] - other.high[k]).max(other.low[k] - self.high[k]).max(0.0);
            squares[k] = gap * gap;
        }
        (squares[0] + squares[1]) + (squares[2] + squares[3])
    }
}

/// A part of space: the clusters from `first` up to `end`.
#[derive(Clone, Copy, Debug)]
struct Node {
    bounds: Bounds,
    first: u32,
    end: u32,
    /// Its two halves; the first stands right behind it. 0 for a cluster.
    second_half: u32,
}

/// Clusters of eight atoms of one class each, near in number where they are near in space.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    /// \[8 · n_clusters\] atoms, [`EMPTY`] at the end of a class.
    pub slots: Vec<u32>,
    /// \[n_clusters\] which slots of each cluster an atom has, a bit each.
    pub filled: Vec<u8>,
    /// \[n_clusters\] class of each cluster.
    pub class_of: Vec<u8>,
    nodes: Vec<Node>,
    roots: Vec<u32>,
}

impl Tree {
    /// Sorts the atoms at `positions` (nm, inside the cell) into clusters of one class.
    pub(crate) fn new(positions: &[Vec3], classes: &[u8]) -> Self {
        let mut tree = Tree::default();
        let most = classes.iter().copied().max().unwrap_or(0);
        for class in 0..=most {
            let mut atoms: Vec<u32> = (0..positions.len() as u32).filter(|&a| classes[a as usize] == class).collect();
            if !atoms.is_empty() {
                tree.roots.push(tree.nodes.len() as u32);
                tree.split(&mut atoms, positions);
                tree.class_of.resize(tree.slots.len() / CLUSTER, class);
            }
        }
        tree
    }

    /// Appends the node of `atoms` and everything below it.
    fn split(&mut self, atoms: &mut [u32], positions: &[Vec3]) {
        let bounds = Bounds::of(atoms, positions);
        let first = (self.slots.len() / CLUSTER) as u32;
        let node = self.nodes.len();
        let n_clusters = atoms.len().div_ceil(CLUSTER);
        self.nodes.push(Node { bounds, first, end: first + n_clusters as u32, second_half: 0 });
        let axis = bounds.longest_axis();
        let along =
            |a: &u32, b: &u32| positions[*a as usize][axis].total_cmp(&positions[*b as usize][axis]).then(a.cmp(b));
        if n_clusters == 1 {
            // Its halves are rows of four.
            if atoms.len() > CLUSTER / 2 {
                atoms.select_nth_unstable_by(CLUSTER / 2, along);
            }
            self.slots.extend_from_slice(atoms);
            self.slots.resize((first as usize + 1) * CLUSTER, EMPTY);
            self.filled.push(0xff >> (CLUSTER - atoms.len()));
            return;
        }
        let middle = n_clusters / 2 * CLUSTER;
        atoms.select_nth_unstable_by(middle, along);
        let (low, high) = atoms.split_at_mut(middle);
        self.split(low, positions);
        self.nodes[node].second_half = self.nodes.len() as u32;
        self.split(high, positions);
    }

    /// Number of clusters.
    pub(crate) fn n_clusters(&self) -> usize {
        self.class_of.len()
    }

    /// Appends the clusters from number `least` on with a box within √`reach2` of `bounds`, ascending in each class.
    pub(crate) fn near(&self, bounds: &Bounds, reach2: f32, least: u32, found: &mut Vec<u32>) {
        let mut waiting = [0_u32; 64];
        for &root in &self.roots {
            let mut n = 1;
            waiting[0] = root;
            while n > 0 {
                n -= 1;
                let at = waiting[n];
                let node = &self.nodes[at as usize];
                if node.end <= least || bounds.distance2(&node.bounds) >= reach2 {
                    continue;
                }
                if node.second_half == 0 {
                    found.push(node.first);
                } else {
                    waiting[n] = node.second_half;
                    waiting[n + 1] = at + 1;
                    n += 2;
                }
            }
        }
    }
}

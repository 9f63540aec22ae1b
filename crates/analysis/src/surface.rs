//! Distance to the local oxide surface: to the nearest oxide atom, over all periodic images.
//!
//! It needs no idea of where "up" is, so it serves a flat facet, a rough amorphous surface and a pore alike.
//! A k-d tree over one cell's atoms is asked once per image; most images fall out at the root's bounding box.

use amelo_core::Cell;
use amelo_math::Vec3;

/// Atoms per leaf: below that, trying them all is faster than descending.
const LEAF: usize = 8;

/// Nearest-neighbour distances from any point to a set of atoms in a periodic cell.
#[derive(Clone, Debug)]
pub struct NearestDistance {
    points: Vec<Vec3>,
    /// Bounding box of every node; node k has children 2k + 1 and 2k + 2 and halves its parent's points.
    boxes: Vec<[Vec3; 2]>,
    /// Shifts of the images within reach, nearest to home first.
    shifts: Vec<Vec3>,
    reach: f64,
}

impl NearestDistance {
    /// A tree over `points` (nm, wrapped into `cell`) for distances up to `reach` (nm).
    pub fn new(cell: &Cell, mut points: Vec<Vec3>, reach: f64) -> Self {
        let mut boxes = Vec::new();
        split(&mut points, 0, &mut boxes);
        // Fractional coordinates of two wrapped points differ by less than 1, so images beyond reach/width + 1 are out.
        let n = cell.widths().to_array().map(|w| (reach / w + 1.0).floor() as i32);
        let mut shifts = Vec::new();
        for i in -n[0]..=n[0] {
            for j in -n[1]..=n[1] {
                for k in -n[2]..=n[2] {
                    shifts.push(cell.shift([i, j, k]));
                }
            }
        }
        shifts.sort_by(|a, b| a.norm2().total_cmp(&b.norm2()));
        NearestDistance { points, boxes, shifts, reach }
    }

    /// Distance from `r` (nm, wrapped) to the nearest atom; infinite where none is within reach.
    pub fn from(&self, r: Vec3) -> f64 {
        let mut best = self.reach * self.reach;
        let mut found = false;
        for &shift in &self.shifts {
            found |= self.search(0, 0, self.points.len(), r - shift, &mut best);
        }
        if found { best.sqrt() } else { f64::INFINITY }
    }

    fn search(&self, node: usize, start: usize, end: usize, r: Vec3, best: &mut f64) -> bool {
        let Some(bounds) = self.boxes.get(node).filter(|_| start < end) else { return false };
        if distance2_to_box(r, bounds) > *best {
            return false;
        }
        if end - start <= LEAF {
            let mut found = false;
            for p in &self.points[start..end] {
                let d2 = (*p - r).norm2();
                if d2 <= *best {
                    (*best, found) = (d2, true);
                }
            }
            return found;
        }
        let middle = (start + end) / 2;
        let mut children = [(2 * node + 1, start, middle), (2 * node + 2, middle, end)];
        // The nearer child first: it shrinks `best` for the other one.
        if distance2_to_box(r, &self.boxes[children[1].0]) < distance2_to_box(r, &self.boxes[children[0].0]) {
            children.swap(0, 1);
        }
        let mut found = false;
        for (child, start, end) in children {
            found |= self.search(child, start, end, r, best);
        }
        found
    }
}

/// Sorts `points` into the implicit tree and notes each node's bounding box.
fn split(points: &mut [Vec3], node: usize, boxes: &mut Vec<[Vec3; 2]>) {
    if points.is_empty() {
        return;
    }
    let (mut low, mut high) = (points[0], points[0]);
    for p in points.iter() {
        for k in 0..3 {
            low[k] = low[k].min(p[k]);
            high[k] = high[k].max(p[k]);
        }
    }
    if boxes.len() <= node {
        boxes.resize(node + 1, [Vec3::ZERO; 2]);
    }
    boxes[node] = [low, high];
    if points.len() <= LEAF {
        return;
    }
    let extent = high - low;
    let axis = (0..3).fold(0, |best, k| if extent[k] > extent[best] { k } else { best });
    let middle = points.len() / 2;
    points.select_nth_unstable_by(middle, |a, b| a[axis].total_cmp(&b[axis]));
    let (left, right) = points.split_at_mut(middle);
    split(left, 2 * node + 1, boxes);
    split(right, 2 * node + 2, boxes);
}

fn distance2_to_box(r: Vec3, [low, high]: &[Vec3; 2]) -> f64 {
    (0..3).map(|k| (low[k] - r[k]).max(r[k] - high[k]).max(0.0)).map(|d| d * d).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use amelo_math::{Mat3, philox::Noise};

    #[test]
    fn the_tree_finds_the_nearest_of_all_images() {
        let noise = Noise::new(3, 77);
        let cells = [
            Cell::orthorhombic(2.0, 2.5, 4.0).unwrap(),
            Cell::new(Mat3::from_array([[2.0, 0.0, 0.0], [0.9, 2.2, 0.0], [-0.6, 0.7, 3.0]])).unwrap(),
        ];
        for cell in cells {
            let random = |id: u32| {
                let [a, b] = noise.uniform2(id, 0, 0);
                let [c, _] = noise.uniform2(id, 0, 1);
                cell.to_cartesian(Vec3::new(a, b, c))
            };
            for n in [1, 7, 200] {
                let points: Vec<Vec3> = (0..n).map(random).collect();
                let tree = NearestDistance::new(&cell, points.clone(), 1.0);
                for id in 1000..1200 {
                    let r = random(id);
                    let mut best = f64::INFINITY;
                    for i in -2..=2 {
                        for j in -2..=2 {
                            for k in -2..=2 {
                                let s = cell.shift([i, j, k]);
                                best = points.iter().fold(best, |m, p| m.min((*p + s - r).norm()));
                            }
                        }
                    }
                    let expected = if best <= 1.0 { best } else { f64::INFINITY };
                    let found = tree.from(r);
                    assert!(found == expected || (found - expected).abs() < 1e-12, "{found} {expected}");
                }
            }
        }
    }
}

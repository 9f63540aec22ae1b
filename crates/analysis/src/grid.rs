//! All pairs of two sets within a range, over every periodic image: linear time, any cell, any range.

use amelo_core::Cell;
use amelo_math::Vec3;

/// A set of points sorted into the boxes of a regular grid in fractional coordinates.
pub(crate) struct Grid<'a> {
    cell: &'a Cell,
    /// Boxes along each axis.
    n: [i64; 3],
    /// Neighbouring boxes to visit in each direction.
    reach: [i64; 3],
    range2: f64,
    /// First entry of each box in `members`, and one past the last.
    starts: Vec<u32>,
    /// (position, caller's number), box by box.
    members: Vec<(Vec3, u32)>,
}

impl<'a> Grid<'a> {
    /// Sorts `points` (nm, anywhere) for pairs within `range` (nm).
    pub fn new(cell: &'a Cell, points: impl Iterator<Item = (Vec3, u32)>, range: f64) -> Self {
        let widths = cell.widths().to_array();
        // Boxes of half the range: fewer pairs tried in vain than with whole ones.
        let n = widths.map(|w| ((w / (0.5 * range)).floor() as i64).clamp(1, 128));
        let reach = [0, 1, 2].map(|k| (range / (widths[k] / n[k] as f64)).ceil() as i64);
        let mut sorted: Vec<(usize, Vec3, u32)> = points
            .map(|(r, id)| {
                let (mut r, mut image) = (r, [0; 3]);
                cell.wrap(&mut r, &mut image);
                (flat(box_of(cell, r, n), n), r, id)
            })
            .collect();
        sorted.sort_by_key(|(b, _, _)| *b);
        let mut starts = vec![0u32; (n[0] * n[1] * n[2]) as usize + 1];
        for (b, _, _) in &sorted {
            starts[b + 1] += 1;
        }
        for b in 1..starts.len() {
            starts[b] += starts[b - 1];
        }
        let members = sorted.into_iter().map(|(_, r, id)| (r, id)).collect();
        Grid { cell, n, reach, range2: range * range, starts, members }
    }

    /// Calls `visit(id, r²)` for every point and every image of it within range of `r`, the point itself included.
    pub fn around(&self, r: Vec3, mut visit: impl FnMut(u32, f64)) {
        let (mut r, mut image) = (r, [0; 3]);
        self.cell.wrap(&mut r, &mut image);
        let home = box_of(self.cell, r, self.n);
        let [ni, nj, nk] = self.n;
        for i in home[0] - self.reach[0]..=home[0] + self.reach[0] {
            for j in home[1] - self.reach[1]..=home[1] + self.reach[1] {
                for k in home[2] - self.reach[2]..=home[2] + self.reach[2] {
                    let shift = [i.div_euclid(ni) as i32, j.div_euclid(nj) as i32, k.div_euclid(nk) as i32];
                    let origin = r - self.cell.shift(shift);
                    let b = flat([i.rem_euclid(ni), j.rem_euclid(nj), k.rem_euclid(nk)], self.n);
                    for &(p, id) in &self.members[self.starts[b] as usize..self.starts[b + 1] as usize] {
                        let r2 = (p - origin).norm2();
                        if r2 < self.range2 {
                            visit(id, r2);
                        }
                    }
                }
            }
        }
    }
}

fn box_of(cell: &Cell, r: Vec3, n: [i64; 3]) -> [i64; 3] {
    let s = cell.to_fractional(r).to_array();
    // A coordinate that rounding left at exactly 1 belongs to the last box.
    [0, 1, 2].map(|k| ((s[k] * n[k] as f64).floor() as i64).clamp(0, n[k] - 1))
}

fn flat(b: [i64; 3], n: [i64; 3]) -> usize {
    ((b[0] * n[1] + b[1]) * n[2] + b[2]) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use amelo_math::{Mat3, philox::Noise};

    #[test]
    fn every_pair_and_image_within_range_is_found_once() {
        let noise = Noise::new(9, 77);
        let cells = [
            Cell::orthorhombic(1.0, 1.7, 2.4).unwrap(),
            Cell::new(Mat3::from_array([[1.3, 0.0, 0.0], [0.6, 1.1, 0.0], [-0.5, 0.5, 1.6]])).unwrap(),
        ];
        for cell in cells {
            let points: Vec<Vec3> = (0..40).map(|id| noise.normal3(id, 0, 0) * 2.0).collect();
            for range in [0.2, 0.55, 1.5] {
                let grid = Grid::new(&cell, points.iter().zip(0..).map(|(r, i)| (*r, i)), range);
                for &r in points.iter().take(10) {
                    let mut found = vec![];
                    grid.around(r, |id, r2| found.push((id, (r2 * 1e9).round() as i64)));
                    let mut expected = vec![];
                    for (p, id) in points.iter().zip(0u32..) {
                        let d = cell.minimum_image(*p - r);
                        for i in -5..=5 {
                            for j in -5..=5 {
                                for k in -5..=5 {
                                    let r2 = (d + cell.shift([i, j, k])).norm2();
                                    if r2 < range * range {
                                        expected.push((id, (r2 * 1e9).round() as i64));
                                    }
                                }
                            }
                        }
                    }
                    found.sort_unstable();
                    expected.sort_unstable();
                    assert_eq!(found, expected);
                }
            }
        }
    }
}

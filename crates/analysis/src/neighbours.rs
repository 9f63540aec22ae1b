//! Who stands within a distance of whom.

use amelo_core::Cell;
use amelo_math::Vec3;
use rayon::prelude::*;

use crate::grid::Grid;

/// Of each of `centres` the `others` (by their numbers) within `radius` (nm) through every periodic image, ascending; an
/// atom that is in both lists is its own neighbour.
pub fn neighbours(cell: &Cell, centres: &[Vec3], others: &[Vec3], radius: f64) -> Vec<Vec<u32>> {
    let grid = Grid::new(cell, others.iter().copied().zip(0..), radius);
    let of_centre = |r: &Vec3| {
        let mut found = Vec::new();
        grid.around(*r, |other, _| found.push(other));
        found.sort_unstable();
        found
    };
    centres.par_iter().map(of_centre).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A simple cubic lattice has 6, 12 and 8 neighbours at a, √2 a and √3 a.
    #[test]
    fn the_shells_of_a_cubic_lattice() {
        let (n, a) = (4, 0.4);
        let cell = Cell::orthorhombic(1.6, 1.6, 1.6).unwrap();
        let sites: Vec<Vec3> = (0..n * n * n)
            .map(|k| Vec3::new(f64::from(k % n), f64::from(k / n % n), f64::from(k / n / n)) * a)
            .collect();
        for (radius, count) in [(0.5 * a, 1), (1.1 * a, 7), (1.5 * a, 19), (1.8 * a, 27)] {
            let found = neighbours(&cell, &sites, &sites, radius);
            assert!(found.iter().all(|f| f.len() == count), "{radius}");
            assert!(found.iter().zip(0..).all(|(f, k)| f.contains(&k) && f.is_sorted()));
        }
    }
}

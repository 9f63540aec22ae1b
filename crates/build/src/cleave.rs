//! A periodic glass, cut open into a slab that keeps every atom.

use amelo_core::Cell;
use amelo_math::Vec3;

use crate::contacts::{Contacts, radius};
use crate::surface::BOND_LENGTH;

/// A periodic glass, cut open.
#[derive(Clone, Debug, PartialEq)]
pub struct Cleaved {
    /// \[n_atoms\] positions (nm), the lowest nucleus at z = 0, in the cell along x and y.
    pub positions: Vec<Vec3>,
    /// Ti–O pairs within 0.25 nm that the cut parts, per area (nm⁻²).
    pub broken_bonds: f64,
    /// Dipole along z per area (e/nm) with the charges given.
    pub dipole_per_area: f64,
}

/// Opens a periodic glass (right-angled cell) at the plane z = const that leaves the smallest dipole and, among
/// those, parts the fewest bonds. Every atom stays, so that stoichiometry and charge do.
///
/// Between two neighbouring planes the dipole changes by the charge passed times the edge: what all planes have in
/// common, modulo that quantum, is the glass' own polarisation, and only relaxation lowers it.
pub fn cleave(cell: &Cell, positions: &[Vec3], elements: &[&str], charges: &[f64]) -> Cleaved {
    let edge = cell.diagonal();
    let wrapped: Vec<Vec3> = positions
        .iter()
        .map(|r| {
            let mut r = *r;
            cell.wrap(&mut r, &mut [0; 3]);
            r
        })
        .collect();
    let mut order: Vec<usize> = (0..wrapped.len()).collect();
    order.sort_by(|&i, &j| wrapped[i].z.total_cmp(&wrapped[j].z));
    // Cut k lies below atom order[k].
    let n = order.len();
    let heights: Vec<f64> = (0..n)
        .map(|k| match k {
            0 => 0.5 * (wrapped[order[0]].z + wrapped[order[n - 1]].z - edge.z),
            _ => 0.5 * (wrapped[order[k - 1]].z + wrapped[order[k]].z),
        })
        .collect();
    let area = edge.x * edge.y;
    let mut dipole: f64 = wrapped.iter().zip(charges).map(|(r, q)| r.z * q).sum();
    let dipoles: Vec<f64> = (0..n)
        .map(|k| {
            let here = dipole;
            dipole += charges[order[k]] * edge.z;
            here
        })
        .collect();
    let least = dipoles.iter().map(|d| d.abs()).fold(f64::INFINITY, f64::min);
    let spans = bond_spans(cell, &wrapped, elements);
    let crossing = |height: f64| {
        // A bond from low to high is cut wherever a periodic copy of the plane lies between.
        let passes = |z: f64| ((z - height) / edge.z).floor() as i64;
        spans.iter().map(|[low, high]| (passes(*high) - passes(*low)) as usize).sum::<usize>()
    };
    // Rounding over a sum of n terms, generously.
    let tolerance = 1e-9 * edge.z * n as f64;
    let best = (0..n)
        .filter(|&k| dipoles[k].abs() <= least + tolerance)
        .map(|k| (crossing(heights[k]), k))
        .min()
        .unwrap_or((0, 0));
    let (broken, k) = best;
    let floor = wrapped.get(order[k % n.max(1)]).map_or(0.0, |r| r.z);
    let positions = wrapped
        .iter()
        .map(|r| {
            let z = if r.z < heights[k] { r.z + edge.z } else { r.z };
            Vec3::new(r.x, r.y, z - floor)
        })
        .collect();
    Cleaved { positions, broken_bonds: broken as f64 / area, dipole_per_area: dipoles[k] / area }
}

/// Lower and upper end (nm) along z of every Ti–O pair within 0.25 nm.
fn bond_spans(cell: &Cell, positions: &[Vec3], elements: &[&str]) -> Vec<[f64; 2]> {
    let mut contacts = Contacts::new(*cell, None, 1.0);
    positions.iter().zip(elements).for_each(|(r, e)| contacts.push(*r, radius(e)));
    let mut spans = Vec::new();
    for (r, _) in positions.iter().zip(elements).filter(|(_, e)| **e == "Ti") {
        contacts.each_within(*r, BOND_LENGTH, |k, d| {
            if elements[k] == "O" {
                spans.push([r.z.min(r.z - d.z), r.z.max(r.z - d.z)]);
            }
        });
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amorphous::{MeltCell, elements, random_start};

    /// Matsui and Akaogi's charges (e), Mol. Simul. 6, 239 (1991).
    fn charges(elements: &[&str]) -> Vec<f64> {
        elements.iter().map(|e| if *e == "Ti" { 2.196 } else { -1.098 }).collect()
    }

    /// The dipole against its definition; every other plane has one at least as large, or as small with more bonds parted.
    #[test]
    fn the_cut_keeps_every_atom_and_has_the_smallest_dipole() {
        let melt = MeltCell { formula_units: 85, edges: [1.57, 1.46, 1.69] };
        let (cell, positions) = random_start(&melt, 5).unwrap();
        let elements = elements(melt.formula_units);
        let charges = charges(&elements);
        let cut = cleave(&cell, &positions, &elements, &charges);
        let area = cell.diagonal().x * cell.diagonal().y;
        let dipole = |positions: &[Vec3]| positions.iter().zip(&charges).map(|(r, q)| r.z * q).sum::<f64>() / area;
        assert!((dipole(&cut.positions) - cut.dipole_per_area).abs() < 1e-9);
        assert!(charges.iter().sum::<f64>().abs() < 1e-9);
        let edge = cell.diagonal().z;
        let heights: Vec<f64> = cut.positions.iter().map(|r| r.z).collect();
        assert_eq!(heights.iter().copied().fold(f64::INFINITY, f64::min), 0.0);
        assert!(heights.iter().all(|z| *z < edge));
        for (r, cut) in positions.iter().zip(&cut.positions) {
            assert!(cell.minimum_image(Vec3::new(r.x - cut.x, r.y - cut.y, 0.0)).norm() < 1e-12);
        }
        let bonds_inside = |positions: &[Vec3]| {
            let mut n = 0;
            for i in 0..melt.formula_units {
                for j in melt.formula_units..elements.len() {
                    let d = cell.minimum_image(Vec3::new(
                        positions[i].x - positions[j].x,
                        positions[i].y - positions[j].y,
                        0.0,
                    ));
                    let z = positions[i].z - positions[j].z;
                    n += usize::from(d.norm2() + z * z < BOND_LENGTH * BOND_LENGTH);
                }
            }
            n
        };
        let kept = bonds_inside(&cut.positions);
        for plane in &heights {
            let mut other = cut.positions.clone();
            other.iter_mut().filter(|r| r.z < *plane).for_each(|r| r.z += edge);
            let smaller = dipole(&other).abs() < cut.dipole_per_area.abs() - 1e-6;
            let as_small = (dipole(&other).abs() - cut.dipole_per_area.abs()).abs() < 1e-6;
            let better = smaller || as_small && bonds_inside(&other) > kept;
            assert!(!better);
        }
        // Moved through the boundary, the same glass is cut at the same place.
        let moved: Vec<Vec3> = positions.iter().map(|r| *r + Vec3::new(0.0, 0.0, 0.4 * edge)).collect();
        let again = cleave(&cell, &moved, &elements, &charges);
        assert!((again.dipole_per_area - cut.dipole_per_area).abs() < 1e-9);
        assert!((again.broken_bonds - cut.broken_bonds).abs() < 1e-9);
    }
}

//! Which relaxed structures are the same: by energy and by the distances around the guest.
//!
//! A structure is described by the sorted distances inside the guest and the shortest ones from it to the host, kind of
//! pair by kind of pair. They do not change when the guest moves to an equivalent site of the lattice, is turned or
//! reflected with it, or when equal atoms change places; and they vary smoothly with the positions, so that two
//! structures are as different as their most different distance.

use std::collections::BTreeMap;

use amelo_core::Cell;
use amelo_math::Vec3;

/// Host atoms of each element that count per guest atom: the first shell and what is next.
const SHELL: usize = 3;

/// The distances around a guest.
#[derive(Clone, Debug, PartialEq)]
pub struct Fingerprint {
    /// By kind of pair, ascending (nm).
    distances: BTreeMap<(String, String, bool), Vec<f64>>,
}

impl Fingerprint {
    /// Of the guest that the atoms from `first` on are; `positions` (nm) in `cell`, periodic.
    pub fn new<'a>(cell: &Cell, positions: &[Vec3], element: impl Fn(usize) -> &'a str, first: usize) -> Self {
        let mut distances: BTreeMap<_, Vec<f64>> = BTreeMap::new();
        let mut count: BTreeMap<&str, usize> = BTreeMap::new();
        for guest in first..positions.len() {
            *count.entry(element(guest)).or_default() += 1;
            for other in (0..first).chain(guest + 1..positions.len()) {
                let inside = other >= first;
                let (a, b) = (element(guest), element(other));
                let (a, b) = if inside && b < a { (b, a) } else { (a, b) };
                let d = cell.minimum_image(positions[guest] - positions[other]).norm();
                distances.entry((a.to_string(), b.to_string(), inside)).or_default().push(d);
            }
        }
        for ((guest, _, inside), list) in &mut distances {
            list.sort_by(f64::total_cmp);
            if !*inside {
                list.truncate(SHELL * count.get(guest.as_str()).copied().unwrap_or(0));
            }
        }
        Fingerprint { distances }
    }

    /// The largest difference between two distances that correspond (nm); infinite where the atoms are not the same.
    pub fn difference(&self, other: &Fingerprint) -> f64 {
        if !self.distances.keys().eq(other.distances.keys()) {
            return f64::INFINITY;
        }
        let lists = self.distances.values().zip(other.distances.values());
        lists.map(|(a, b)| if a.len() == b.len() { largest(a, b) } else { f64::INFINITY }).fold(0.0, f64::max)
    }
}

fn largest(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// Structures that are one, the lowest first: indices into the input, each group's lowest first. Two are the same where
/// energies (kJ/mol) and distances (nm) differ by no more than the tolerances; a group is known by its lowest member.
pub fn distinct(structures: &[(f64, &Fingerprint)], energy: f64, distance: f64) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..structures.len()).collect();
    order.sort_by(|&a, &b| structures[a].0.total_cmp(&structures[b].0).then(a.cmp(&b)));
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for k in order {
        let (e, print) = structures[k];
        let same = groups.iter_mut().find(|group| {
            let (lowest, first) = structures[group[0]];
            e - lowest <= energy && print.difference(first) <= distance
        });
        match same {
            Some(group) => group.push(k),
            None => groups.push(vec![k]),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A square lattice of Ti with a hydrogen molecule at `at`, along `axis`.
    fn molecule(at: Vec3, axis: Vec3, swapped: bool) -> (Cell, Vec<Vec3>) {
        let cell = Cell::orthorhombic(1.2, 1.2, 3.0).unwrap();
        let mut positions: Vec<Vec3> =
            (0..16).map(|k| Vec3::new(0.3 * f64::from(k % 4), 0.3 * f64::from(k / 4), 0.0)).collect();
        let ends = if swapped { [-0.037, 0.037] } else { [0.037, -0.037] };
        positions.extend(ends.map(|x| at + axis * x));
        (cell, positions)
    }

    fn print(at: Vec3, axis: Vec3, swapped: bool) -> Fingerprint {
        let (cell, positions) = molecule(at, axis, swapped);
        Fingerprint::new(&cell, &positions, |k| if k < 16 { "Ti" } else { "H" }, 16)
    }

    #[test]
    fn equivalent_sites_are_the_same_and_others_are_not() {
        let (top, bridge) = (Vec3::new(0.3, 0.3, 0.2), Vec3::new(0.45, 0.3, 0.2));
        let (x, y) = (Vec3::unit(0), Vec3::unit(1));
        let on_top = print(top, x, false);
        // Another atom of the lattice across the boundary, turned by the lattice's fourfold axis, and the ends exchanged.
        for other in [print(Vec3::new(1.2, 0.9, 0.2), x, false), print(top, y, false), print(top, x, true)] {
            assert!(on_top.difference(&other) < 1e-12);
        }
        assert!(on_top.difference(&print(bridge, x, false)) > 0.02);
        // Along and across a bridge differ in symmetry and must not be merged.
        assert!(print(bridge, x, false).difference(&print(bridge, y, false)) > 0.005);
    }

    #[test]
    fn structures_are_merged_only_where_energy_and_distances_agree() {
        let (top, bridge) = (Vec3::new(0.3, 0.3, 0.2), Vec3::new(0.45, 0.3, 0.2));
        let x = Vec3::unit(0);
        let prints = [
            print(bridge, x, false),
            print(top, x, false),
            print(Vec3::new(0.6, 0.3, 0.2), x, false),
            print(top, x, false),
        ];
        let energies = [-10.0, -20.0, -19.9, -15.0];
        let all: Vec<_> = energies.into_iter().zip(&prints).collect();
        // 1 and 2 are the same; 3 has their distances but not their energy.
        assert_eq!(distinct(&all, 0.5, 0.01), [vec![1, 2], vec![3], vec![0]]);
        assert_eq!(distinct(&all, 0.05, 0.01), [vec![1], vec![2], vec![3], vec![0]]);
    }
}

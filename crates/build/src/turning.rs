//! Conformers of a molecule whose template fixes its dihedrals: every bond that can turn is turned freely.

use std::f64::consts::TAU;

use amelo_io::parameters::MoleculeTemplate;
use amelo_math::Vec3;
use amelo_math::philox::PhiloxRng;
use amelo_math::special;
use rand::RngExt;

/// Turns tried before the molecule stays as its template has it.
const TRIALS: usize = 1000;

/// Share of the van der Waals distances that atoms more than three bonds apart keep; a relaxation follows.
const CLOSEST: f64 = 0.65;

/// Bonds that can turn.
#[derive(Clone, Debug)]
pub(crate) struct Turning {
    /// Each as its two atoms and those that turn about it, the smaller side.
    bonds: Vec<([usize; 2], Vec<usize>)>,
    /// Atoms more than three bonds apart, with the least distance (nm) that a turn leaves between them.
    apart: Vec<([usize; 2], f64)>,
}

impl Turning {
    /// The bonds of `template` that are in no ring and have further atoms at both ends; `radii` (nm), one per atom.
    pub fn new(template: &MoleculeTemplate, radii: &[f64]) -> Self {
        let n = template.atoms.len();
        let turning = |&[i, j]: &[usize; 2]| {
            let side = side(template, j, i);
            if side.contains(&i) || side.len() < 2 || n - side.len() < 2 {
                return None;
            }
            let other = || (0..n).filter(|atom| !side.contains(atom)).collect();
            Some(if 2 * side.len() <= n { ([i, j], side) } else { ([j, i], other()) })
        };
        let near = |i: usize| within_three_bonds(template, i);
        let of = |i: usize| {
            let near = near(i);
            let least = move |j: usize| CLOSEST * (radii[i] + radii[j]);
            (i + 1..n).filter(move |j| !near.contains(j)).map(move |j| ([i, j], least(j)))
        };
        Turning { bonds: template.bonds.iter().filter_map(turning).collect(), apart: (0..n).flat_map(of).collect() }
    }

    /// Whether nothing turns.
    pub fn is_empty(&self) -> bool {
        self.bonds.is_empty()
    }

    /// Turns every bond of `positions` (nm) by an angle of its own, so that no atoms are too near.
    pub fn turn(&self, positions: &mut [Vec3], rng: &mut PhiloxRng) {
        for _ in 0..if self.bonds.is_empty() { 0 } else { TRIALS } {
            let mut turned = positions.to_vec();
            (0..self.bonds.len()).for_each(|k| self.turn_bond(k, TAU * rng.random::<f64>(), &mut turned));
            if self.apart.iter().all(|([i, j], least)| (turned[*i] - turned[*j]).norm2() >= least * least) {
                positions.copy_from_slice(&turned);
                return;
            }
        }
    }

    /// Turns bond number `k` by `angle` (rad).
    fn turn_bond(&self, k: usize, angle: f64, positions: &mut [Vec3]) {
        let ([i, j], atoms) = &self.bonds[k];
        let (at, along) = (positions[*i], positions[*j] - positions[*i]);
        let axis = along / along.norm();
        atoms.iter().for_each(|&atom| positions[atom] = at + turned(positions[atom] - at, axis, angle));
    }
}

/// `r` turned by `angle` (rad) about the unit vector `axis`: O. Rodrigues' formula.
fn turned(r: Vec3, axis: Vec3, angle: f64) -> Vec3 {
    let (sin, cos) = (special::sin(angle), special::cos(angle));
    r * cos + axis.cross(r) * sin + axis * (axis.dot(r) * (1.0 - cos))
}

/// Atoms that bonds connect with `from`, not by way of its bond with `without`.
fn side(template: &MoleculeTemplate, from: usize, without: usize) -> Vec<usize> {
    let mut found = vec![from];
    let mut next = 0;
    while next < found.len() {
        let here = found[next];
        for &[a, b] in &template.bonds {
            let there = match here {
                _ if a == here => b,
                _ if b == here => a,
                _ => continue,
            };
            if [here, there] != [from, without] && !found.contains(&there) {
                found.push(there);
            }
        }
        next += 1;
    }
    found
}

/// `from` and the atoms at most three bonds from it.
fn within_three_bonds(template: &MoleculeTemplate, from: usize) -> Vec<usize> {
    let mut found = vec![from];
    for _ in 0..3 {
        let next = |&[a, b]: &[usize; 2]| match (found.contains(&a), found.contains(&b)) {
            (true, false) => Some(b),
            (false, true) => Some(a),
            _ => None,
        };
        let reached: Vec<usize> = template.bonds.iter().filter_map(next).collect();
        found.extend(reached);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use amelo_io::parameters::{Place, Scaling, TemplateAtom};

    /// A chain of four atoms with two more on its second one, and a ring of three at its end: 0-1(-4)(-5)-2-3, 3-6-7-3.
    fn template() -> MoleculeTemplate {
        let atom = |k: usize| TemplateAtom {
            name: format!("A{k}"),
            type_name: "A".into(),
            charge: 0.0,
            place: Place::Xyz(Vec3::ZERO),
        };
        MoleculeTemplate {
            name: "chain".into(),
            atoms: (0..8).map(atom).collect(),
            bonds: vec![[0, 1], [1, 2], [2, 3], [1, 4], [5, 1], [3, 6], [6, 7], [7, 3]],
            impropers: Vec::new(),
            residues: Vec::new(),
            groups: Default::default(),
            scaling: Scaling::default(),
            source: String::new(),
        }
    }

    fn positions() -> Vec<Vec3> {
        let at = [
            [0.1, 0.1, 0.0],
            [0.0, 0.0, 0.0],
            [0.15, 0.0, 0.0],
            [0.2, 0.14, 0.0],
            [-0.05, -0.05, 0.08],
            [-0.05, -0.05, -0.08],
            [0.3, 0.2, 0.02],
            [0.28, 0.12, -0.1],
        ];
        at.map(Vec3::from).to_vec()
    }

    /// Dihedral (rad) by its definition with atan2: A. Blondel, M. Karplus, J. Comput. Chem. 17, 1132 (1996).
    fn dihedral(r: &[Vec3], [i, j, k, l]: [usize; 4]) -> f64 {
        let (f, g, h) = (r[i] - r[j], r[j] - r[k], r[l] - r[k]);
        let (a, b) = (f.cross(g), h.cross(g));
        b.cross(a).dot(g).atan2(a.dot(b) * g.norm())
    }

    #[test]
    fn bonds_inside_a_molecule_turn_and_those_of_rings_and_ends_do_not() {
        let turning = Turning::new(&template(), &[0.05; 8]);
        let mut bonds: Vec<[usize; 2]> = turning.bonds.iter().map(|(bond, _)| *bond).collect();
        bonds.iter_mut().for_each(|b| b.sort_unstable());
        assert_eq!(bonds, [[1, 2], [2, 3]]);
    }

    /// Of the pairs four bonds and more apart none is left out and none of the others is there.
    #[test]
    fn atoms_far_by_bonds_stay_apart() {
        let turning = Turning::new(&template(), &[0.16; 8]);
        let far: Vec<[usize; 2]> = turning.apart.iter().map(|(pair, _)| *pair).collect();
        assert_eq!(far, [[0, 6], [0, 7], [4, 6], [4, 7], [5, 6], [5, 7]]);
        let rng = &mut PhiloxRng::new(1, 2);
        for _ in 0..20 {
            let mut r = positions();
            turning.turn(&mut r, rng);
            assert!(r != positions());
            assert!(far.iter().all(|&[i, j]| (r[i] - r[j]).norm() >= CLOSEST * 0.32));
        }
    }

    #[test]
    fn a_turn_changes_one_dihedral_by_its_angle_and_no_length() {
        let turning = Turning::new(&template(), &[0.05; 8]);
        for (k, atoms) in [(0, [0, 1, 2, 3]), (1, [1, 2, 3, 6])] {
            let (before, mut after) = (positions(), positions());
            turning.turn_bond(k, 0.7, &mut after);
            let change = (dihedral(&after, atoms) - dihedral(&before, atoms)).abs();
            assert!((change - 0.7).abs() < 1e-12 || (change - (TAU - 0.7)).abs() < 1e-12, "{change}");
            let other = [[1, 2, 3, 6], [0, 1, 2, 3]][k];
            assert!((dihedral(&after, other) - dihedral(&before, other)).abs() < 1e-12);
            for [i, j] in template().bonds {
                let length = |r: &[Vec3]| (r[i] - r[j]).norm();
                assert!((length(&after) - length(&before)).abs() < 1e-12);
            }
        }
    }
}

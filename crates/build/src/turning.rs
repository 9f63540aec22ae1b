//! Conformers of a molecule whose template fixes its dihedrals: every bond that can turn is turned freely.

use std::f64::consts::TAU;

use amelo_io::parameters::MoleculeTemplate;
use amelo_math::Vec3;
use amelo_math::philox::PhiloxRng;
use amelo_math::special;
use rand::RngExt;

/// Turns tried before the last one is taken as it is: a relaxation follows.
const TRIALS: usize = 50;

/// Share of the van der Waals distances that atoms more than three bonds apart keep.
const CLOSEST: f64 = 0.7;

/// Bonds that can turn.
#[derive(Clone, Debug)]
pub(crate) struct Turning {
    /// Each as its two atoms and those that turn about it, the smaller side.
    bonds: Vec<([usize; 2], Vec<usize>)>,
}

impl Turning {
    /// The bonds of `template` that are in no ring and have further atoms at both ends.
    pub fn new(template: &MoleculeTemplate) -> Self {
        let n = template.atoms.len();
        let turning = |&[i, j]: &[usize; 2]| {
            let side = side(template, j, i);
            if side.contains(&i) || side.len() < 2 || n - side.len() < 2 {
                return None;
            }
            let other = || (0..n).filter(|atom| !side.contains(atom)).collect();
            Some(if 2 * side.len() <= n { ([i, j], side) } else { ([j, i], other()) })
        };
        Turning { bonds: template.bonds.iter().filter_map(turning).collect() }
    }

    /// Whether nothing turns.
    pub fn is_empty(&self) -> bool {
        self.bonds.is_empty()
    }

    /// Turns every bond by an angle of `rng`; `radii` (nm), one per atom, keep `positions` (nm) apart unless
    /// `is_close_by_bonds`.
    pub fn turn(
        &self,
        positions: &mut [Vec3],
        radii: &[f64],
        is_close_by_bonds: impl Fn(usize, usize) -> bool,
        rng: &mut PhiloxRng,
    ) {
        for _ in 0..TRIALS {
            for ([i, j], atoms) in &self.bonds {
                let (at, axis) = (positions[*i], positions[*j] - positions[*i]);
                let axis = axis / axis.norm();
                let angle = TAU * rng.random::<f64>();
                let (sin, cos) = (special::sin(angle), special::cos(angle));
                for &atom in atoms {
                    let r = positions[atom] - at;
                    // O. Rodrigues' formula.
                    positions[atom] = at + r * cos + axis.cross(r) * sin + axis * (axis.dot(r) * (1.0 - cos));
                }
            }
            let apart = |i: usize, j: usize| {
                let least = CLOSEST * (radii[i] + radii[j]);
                is_close_by_bonds(i, j) || (positions[i] - positions[j]).norm2() >= least * least
            };
            if (0..positions.len()).all(|j| (0..j).all(|i| apart(i, j))) {
                return;
            }
        }
    }
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
            if !(here == from && there == without) && !found.contains(&there) {
                found.push(there);
            }
        }
        next += 1;
    }
    found
}

//! Every way to cut a crystal parallel to a lattice plane, by its dipole and the bonds that it breaks.
//!
//! P. W. Tasker, J. Phys. C 12, 4977 (1979), doi:10.1088/0022-3719/12/22/036: surfaces of type 1 consist of neutral
//! planes, those of type 2 of charged planes whose repeat unit has no dipole, those of type 3 have one. The
//! dipole of type 3 grows with every repeat unit, and with it the surface energy.

use serde::Serialize;

use super::{MAX_DIPOLE, SurfaceCell};
use crate::BuildError;
use crate::lattice_plane::{PLANE, SlabAtom};

/// Cuts told in a message at most.
const TOLD: usize = 8;

/// A cut between two atomic planes; cuts that symmetry makes equal are one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Termination {
    /// Heights of the planes below and above the cut (nm), modulo the spacing of equivalent planes.
    pub between: [f64; 2],
    /// What the planes below and above consist of, per surface cell, for example `O2` and `Ti2O2`.
    pub planes: [String; 2],
    /// Tasker's type: 1, 2, or the polar 3.
    pub tasker_type: u8,
    /// Dipole along the normal of one repeat unit above the cut, per area (e/nm; 1 e/nm = 0.1 e·Å/Å²).
    pub dipole_per_area: f64,
    /// Bonds broken per area of one face (nm⁻²).
    pub broken_bonds: f64,
    /// Cuts of the repeat unit that are like this one.
    pub cuts: usize,
}

impl std::fmt::Display for Termination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [low, high] = self.between;
        let [below, above] = &self.planes;
        write!(f, "cut {low:.4} to {high:.4} nm, between {below} and {above}: Tasker type {}, ", self.tasker_type)?;
        match self.tasker_type {
            3 => write!(f, "{:+.4} e·Å/Å² per repeat unit", 0.1 * self.dipole_per_area)?,
            _ => write!(f, "no dipole")?,
        }
        write!(f, ", {:.2} broken bonds/nm² of face", self.broken_bonds)?;
        if self.cuts > 1 { write!(f, " ({} like it)", self.cuts) } else { Ok(()) }
    }
}

impl SurfaceCell {
    /// Every cut, the best first: by Tasker's type, then by dipole, then by broken bonds.
    pub fn terminations(&self) -> Vec<Termination> {
        let n = self.planes.len();
        let neutral = self.planes.iter().all(|p| {
            let charge: f64 = self.atoms[p.clone()].iter().map(|a| a.charge).sum();
            charge.abs() < 1e-9
        });
        let mut found: Vec<Termination> = Vec::new();
        for k in 0..n {
            let dipole = self.repeat_dipole(k);
            let between = [self.height(k as isize - 1), self.height(k as isize)];
            let next = Termination {
                between,
                planes: [(k + n - 1) % n, k].map(|p| formula(&self.atoms[self.planes[p].clone()])),
                tasker_type: if dipole.abs() >= MAX_DIPOLE {
                    3
                } else if neutral {
                    1
                } else {
                    2
                },
                dipole_per_area: if dipole.abs() >= MAX_DIPOLE { dipole } else { 0.0 },
                broken_bonds: self.bonds_across(k as isize) as f64 / self.area(),
                cuts: 1,
            };
            match found.iter_mut().find(|t| t.is_like(&next)) {
                Some(like) => like.cuts += 1,
                None => found.push(next),
            }
        }
        found.sort_by(|p, q| {
            let dipole = |t: &Termination| (t.dipole_per_area.abs() / MAX_DIPOLE).round();
            (p.tasker_type.cmp(&q.tasker_type))
                .then(dipole(p).total_cmp(&dipole(q)))
                .then(p.broken_bonds.total_cmp(&q.broken_bonds))
        });
        found
    }

    /// Dipole per area (e/nm) of the repeat unit above the cut below plane `bottom`.
    fn repeat_dipole(&self, bottom: usize) -> f64 {
        let n = self.planes.len();
        let plane = |k: usize| {
            let z = self.height(k as isize);
            self.atoms[self.planes[k % n].clone()].iter().map(|a| a.charge * z).sum::<f64>()
        };
        (bottom..bottom + n).map(plane).sum::<f64>() / self.area()
    }

    /// Why there is no slab above the cut below plane `bottom`, or none at all where `cut` does not fix it.
    pub(super) fn polar(&self, bottom: usize, cut: Option<f64>, key: &str) -> BuildError {
        let name = format!("{} {}", self.crystal.name, self.miller);
        let terminations = self.terminations();
        let good = terminations.iter().any(|t| t.tasker_type < 3);
        let (key, found) = match cut {
            None => (format!("{key}.surface"), format!("no cut of {name} gives a stoichiometric slab without dipole")),
            Some(cut) => (
                format!("{key}.cut"),
                format!(
                    "a cut of {name} at {cut:.4} nm, between the planes at {:.4} and {:.4} nm, is polar: each repeat unit of \
                     {:.4} nm above it carries {:.3} e·Å/Å² (expected 0)",
                    self.height(bottom as isize - 1),
                    self.height(bottom as isize),
                    self.spacing(),
                    0.1 * self.repeat_dipole(bottom),
                ),
            ),
        };
        let mut list: Vec<String> = terminations.iter().take(TOLD).map(|t| format!("\n  {t}")).collect();
        if terminations.len() > TOLD {
            list.push(format!("\n  and {} more", terminations.len() - TOLD));
        }
        let remedy = match (cut, good) {
            (Some(_), true) => "leave `cut` out, or put it into a range without dipole",
            _ => "choose another surface, for example \"101\" or \"001\" of anatase, \"110\" of rutile",
        };
        BuildError::Polar {
            key,
            message: format!(
                "{found}. Its cuts, the best first:{}; {remedy}. polar = \"allow\" builds it all the same",
                list.concat()
            ),
        }
    }
}

impl Termination {
    /// Whether the two are the same cut up to symmetry, as far as these numbers tell.
    fn is_like(&self, other: &Termination) -> bool {
        let near = |p: f64, q: f64, tolerance: f64| (p - q).abs() < tolerance;
        let gap = |t: &Termination| t.between[1] - t.between[0];
        let sorted = |t: &Termination| {
            let mut planes = t.planes.clone();
            planes.sort();
            planes
        };
        self.tasker_type == other.tasker_type
            && near(self.dipole_per_area.abs(), other.dipole_per_area.abs(), MAX_DIPOLE)
            && near(self.broken_bonds, other.broken_bonds, 1e-6)
            && near(gap(self), gap(other), PLANE)
            && sorted(self) == sorted(other)
    }
}

/// Elements with the number of their atoms, in the order of their symbols.
pub(super) fn composition(atoms: &[SlabAtom]) -> Vec<(&'static str, usize)> {
    let mut counts = std::collections::BTreeMap::new();
    for atom in atoms {
        *counts.entry(atom.element).or_insert(0) += 1;
    }
    counts.into_iter().collect()
}

/// Composition of a plane as a formula, cations first.
fn formula(atoms: &[SlabAtom]) -> String {
    let mut parts = composition(atoms);
    let charge = |element: &str| atoms.iter().find(|a| a.element == element).map_or(0.0, |a| a.charge);
    parts.sort_by(|p, q| charge(q.0).total_cmp(&charge(p.0)));
    parts.iter().map(|(element, n)| if *n == 1 { element.to_string() } else { format!("{element}{n}") }).collect()
}

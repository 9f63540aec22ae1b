//! Slabs of a crystal: a lattice plane (h k l), cut where the slab is stoichiometric and carries no dipole.
//!
//! The crystal is described in a surface cell (u, v, w): u and v are lattice vectors in the plane, orthogonal
//! where the lattice allows it, and w reaches the next equivalent plane. Between two atomic planes there is a
//! possible cut; a slab is a bottom and a top cut. Acceptable are those with the crystal's composition and no
//! dipole along the normal (P. W. Tasker, J. Phys. C 12, 4977 (1979), doi:10.1088/0022-3719/12/22/036: types 1
//! and 2); among them the one wins that breaks the fewest bonds, then one whose faces are alike, then the one nearest to
//! the thickness asked for.

mod termination;
#[cfg(test)]
mod tests;

use amelo_math::{Mat3, Vec3};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::BuildError;
use crate::crystal::Crystal;
pub use crate::lattice_plane::{BOND_LENGTH, Miller, SlabAtom};
use crate::lattice_plane::{PLANE, atoms_of_cell, bond_spans, lattice_vectors, plane_basis};
pub use termination::Termination;
use termination::composition;

/// Largest dipole per area of a slab that is not polar (e/nm): 1e-5 e·Å/Å².
const MAX_DIPOLE: f64 = 1e-4;

/// A slab, its lowest nuclei at z = 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Slab {
    /// First in-plane box vector (nm), along x.
    pub a: Vec3,
    /// Second in-plane box vector (nm), in the xy plane.
    pub b: Vec3,
    /// Atoms (nm), from the bottom up.
    pub atoms: Vec<SlabAtom>,
    /// Height of the highest above the lowest nuclei (nm).
    pub extent: f64,
    /// Thickness as volume of the crystal per area (nm).
    pub thickness: f64,
    /// Surface cells along a and b.
    pub repeats: [usize; 2],
    /// Bonds broken per area, both faces together (nm⁻²).
    pub broken_bonds: f64,
    /// Dipole along the normal per area with the crystal's charges (e/nm).
    pub dipole: f64,
    /// Whether the planes are the same from the top down as from the bottom up.
    pub faces_alike: bool,
}

impl Slab {
    /// Whether it carries a dipole.
    pub fn is_polar(&self) -> bool {
        self.dipole.abs() >= MAX_DIPOLE
    }
}

/// What becomes of a surface all of whose stoichiometric cuts are polar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PolarCuts {
    /// It is refused, with the list of its cuts.
    #[default]
    Refuse,
    /// It is cut into whole repeat units, with the weakest dipole that there is, and a warning.
    Allow,
}

/// All that there is to know about a lattice plane before a slab is cut.
#[derive(Clone, Debug)]
pub struct SurfaceCell {
    crystal: Crystal,
    miller: Miller,
    /// u along x, v in the xy plane, w to the next equivalent plane (nm).
    vectors: Mat3,
    /// Atoms with heights in \[0, d), ascending; in-plane coordinates inside the cell.
    atoms: Vec<SlabAtom>,
    /// Ranges of `atoms` that form one atomic plane each.
    planes: Vec<std::ops::Range<usize>>,
    /// Lower and upper end of every bond (nm), one per bond of the cell.
    bonds: Vec<[f64; 2]>,
}

/// A pair of cuts: `bottom` lies below plane `bottom`, the slab has `n_planes` planes.
#[derive(Clone, Copy, Debug)]
struct Cuts {
    bottom: usize,
    n_planes: usize,
    thickness: f64,
    broken: usize,
    /// Dipole along the normal per area (e/nm).
    dipole: f64,
    /// Whether the planes are the same from the top down as from the bottom up.
    faces_alike: bool,
}

impl SurfaceCell {
    /// The surface cell of `miller` in `crystal`.
    pub fn new(crystal: Crystal, miller: Miller) -> Self {
        let [a, b, c] = crystal.vectors.rows;
        let [h, k, l] = miller.0.map(f64::from);
        let volume = crystal.vectors.determinant();
        let normal = (b.cross(c) * (h / volume) + c.cross(a) * (k / volume) + a.cross(b) * (l / volume)).normalized();

        let lattice = lattice_vectors(&crystal, 2 + miller.0.iter().map(|i| i.abs()).max().unwrap_or(0));
        let in_plane: Vec<Vec3> = lattice.iter().copied().filter(|r| r.dot(normal).abs() < PLANE).collect();
        let [u, v] = plane_basis(&in_plane, normal);
        // The nearest equivalent plane above, and on it the vector closest to the normal.
        let spacing = lattice.iter().map(|r| r.dot(normal)).filter(|z| *z > PLANE).fold(f64::INFINITY, f64::min);
        let w = lattice
            .iter()
            .copied()
            .filter(|r| (r.dot(normal) - spacing).abs() < PLANE)
            .min_by(|p, q| p.norm2().total_cmp(&q.norm2()))
            .unwrap_or(normal * spacing);

        // Cartesian frame of the surface: x along u, z along the normal.
        let x = u.normalized();
        let frame = Mat3::from_rows(x, normal.cross(x), normal);
        let mut vectors = Mat3::from_rows(frame * u, frame * v, frame * w);
        for (i, j) in [(0, 1), (0, 2), (1, 2)] {
            vectors[(i, j)] = 0.0;
        }
        if vectors[(1, 0)].abs() < 1e-9 {
            vectors[(1, 0)] = 0.0;
        }
        let placed = atoms_of_cell(&crystal, Mat3::from_rows(u, v, w), vectors);
        let bonds = bond_spans(&crystal, normal, &placed);
        let mut atoms: Vec<SlabAtom> = placed.into_iter().map(|(_, atom)| atom).collect();
        atoms.sort_by(|p, q| {
            let (p, q) = (p.position, q.position);
            let key = |r: Vec3| [r.z, r.y, r.x].map(|v| (v / PLANE).round());
            key(p).partial_cmp(&key(q)).unwrap_or(std::cmp::Ordering::Equal)
        });
        let mut planes: Vec<std::ops::Range<usize>> = Vec::new();
        for k in 0..atoms.len() {
            match planes.last_mut() {
                Some(last) if atoms[k].position.z - atoms[last.start].position.z < PLANE => last.end = k + 1,
                _ => planes.push(k..k + 1),
            }
        }
        SurfaceCell { crystal, miller, vectors, atoms, planes, bonds }
    }

    /// Distance between equivalent planes (nm).
    pub fn spacing(&self) -> f64 {
        self.vectors[(2, 2)]
    }

    /// The in-plane vectors (nm): u along x, v in the xy plane.
    pub fn in_plane(&self) -> [Vec3; 2] {
        [self.vectors.rows[0], self.vectors.rows[1]]
    }

    /// Area of the surface cell (nm²).
    pub fn area(&self) -> f64 {
        self.vectors[(0, 0)] * self.vectors[(1, 1)]
    }

    /// A slab nearest to `lateral` (nm, along x and y) and `thickness` (nm). `cut` fixes the height of the lower
    /// cut above the plane through the crystal's origin, modulo the spacing (nm). `key` is the deck path of
    /// the crystal, for messages.
    ///
    /// # Errors
    /// [`BuildError::Polar`] where every cut is polar and `polar` refuses that; [`BuildError::Config`] for sizes
    /// that cannot be.
    pub fn slab(
        &self,
        lateral: [f64; 2],
        thickness: f64,
        cut: Option<f64>,
        polar: PolarCuts,
        key: &str,
    ) -> Result<Slab, BuildError> {
        let edges = [self.vectors[(0, 0)], self.vectors[(1, 1)]];
        let mut repeats = [1; 2];
        for axis in 0..2 {
            if lateral[axis] < 0.5 * edges[axis] || lateral[axis].is_nan() {
                return Err(BuildError::config(
                    "system.lateral",
                    format!(
                        "{} nm along {} holds no cell of {} {}, whose edge there is {:.4} nm; \
                         write at least that, better a few times as much",
                        lateral[axis],
                        ["x", "y"][axis],
                        self.crystal.name,
                        self.miller,
                        edges[axis]
                    ),
                ));
            }
            repeats[axis] = (lateral[axis] / edges[axis]).round().max(1.0) as usize;
        }
        if thickness <= 0.0 || thickness.is_nan() {
            return Err(BuildError::config(
                format!("{key}.thickness"),
                format!("the slab's thickness is {thickness} nm; write a positive length, for example \"1.5 nm\""),
            ));
        }
        let cuts = self.choose(thickness, cut, polar, key)?;
        if thickness < 0.5 * cuts.thickness {
            return Err(BuildError::config(
                format!("{key}.thickness"),
                format!(
                    "{thickness:.4} nm is thinner than the thinnest slab of {} {}; write at least \"{:.2} nm\"",
                    self.crystal.name, self.miller, cuts.thickness
                ),
            ));
        }
        Ok(self.assemble(cuts, repeats))
    }

    fn choose(&self, thickness: f64, cut: Option<f64>, polar: PolarCuts, key: &str) -> Result<Cuts, BuildError> {
        let n = self.planes.len();
        let bottoms = match cut {
            None => 0..n,
            Some(height) => {
                let folded = height.rem_euclid(self.spacing());
                let bottom = (0..n).find(|&k| self.height(k as isize) > folded).unwrap_or(0);
                bottom..bottom + 1
            }
        };
        // Thick enough to hold a slab above and below the wish, and never fewer than two spacings.
        let reach = thickness + 2.0 * self.spacing();
        let all: Vec<Cuts> = bottoms.clone().flat_map(|k| self.stoichiometric(k, reach)).collect();
        let without_dipole: Vec<Cuts> = all.iter().copied().filter(|c| c.dipole.abs() < MAX_DIPOLE).collect();
        let found = match polar {
            PolarCuts::Allow if without_dipole.is_empty() => {
                // Of whole repeats only: their dipole grows with thickness, so the weakest per thickness comes first.
                let whole = all.into_iter().filter(|c| c.n_planes.is_multiple_of(n));
                let per_thickness = |c: &Cuts| (c.dipole / c.thickness).abs();
                let weakest = whole.clone().map(|c| per_thickness(&c)).fold(f64::INFINITY, f64::min);
                whole.filter(|c| per_thickness(c) < weakest + MAX_DIPOLE).collect()
            }
            _ => without_dipole,
        };
        // The fewest bonds broken come first, then faces that are alike.
        let rank = |c: &Cuts| (c.broken, !c.faces_alike);
        let least = found.iter().map(rank).min();
        let off = |c: &Cuts| (c.thickness - thickness).abs();
        let best = found.iter().filter(|c| Some(rank(c)) == least).min_by(|p, q| {
            // Equal up to rounding means equal: then the lower cut wins, on every machine.
            if (off(p) - off(q)).abs() < PLANE { p.bottom.cmp(&q.bottom) } else { off(p).total_cmp(&off(q)) }
        });
        best.copied().ok_or_else(|| self.polar(bottoms.start, cut, key))
    }

    /// All slabs of the crystal's composition above the cut below plane `bottom`, up to `reach` (nm).
    fn stoichiometric(&self, bottom: usize, reach: f64) -> Vec<Cuts> {
        let n = self.planes.len();
        let per_volume = self.atoms.len() as f64 / self.spacing();
        let whole = composition(&self.atoms);
        let mut counts = vec![0; whole.len()];
        let (mut dipole, mut count) = (0.0, 0usize);
        let mut found = Vec::new();
        for n_planes in 1.. {
            let top = bottom + n_planes - 1;
            let z = self.height(top as isize);
            for atom in &self.atoms[self.planes[top % n].clone()] {
                dipole += atom.charge * z;
                count += 1;
                for (k, (element, _)) in whole.iter().enumerate() {
                    counts[k] += usize::from(*element == atom.element);
                }
            }
            let thickness = count as f64 / per_volume;
            if thickness > reach {
                return found;
            }
            if whole.iter().zip(&counts).all(|((_, all), here)| here * self.atoms.len() == all * count) {
                let broken =
                    self.bonds_across(bottom as isize) + self.bonds_across(bottom as isize + n_planes as isize);
                let faces_alike = self.faces_alike(bottom, n_planes);
                found.push(Cuts { bottom, n_planes, thickness, broken, dipole: dipole / self.area(), faces_alike });
            }
        }
        found
    }

    /// Whether the `n_planes` from plane `bottom` on are the same, in heights and composition, from the top down.
    fn faces_alike(&self, bottom: usize, n_planes: usize) -> bool {
        let (n, top) = (self.planes.len(), bottom + n_planes - 1);
        let plane = |k: usize| composition(&self.atoms[self.planes[k % n].clone()]);
        (0..n_planes / 2).all(|i| {
            let from_bottom = self.height((bottom + i) as isize) - self.height(bottom as isize);
            let from_top = self.height(top as isize) - self.height((top - i) as isize);
            (from_bottom - from_top).abs() < PLANE && plane(bottom + i) == plane(top - i)
        })
    }

    /// Height of plane `k` (nm), counted on through the periodic repeats.
    fn height(&self, k: isize) -> f64 {
        let n = self.planes.len() as isize;
        let start = self.planes[k.rem_euclid(n) as usize].start;
        self.atoms[start].position.z + k.div_euclid(n) as f64 * self.spacing()
    }

    /// Bonds of one surface cell that cross the cut below plane `k`.
    fn bonds_across(&self, k: isize) -> usize {
        let cut = 0.5 * (self.height(k - 1) + self.height(k));
        let d = self.spacing();
        // A bond from z₀ to z₁ is cut once for every repeat m with z₀ < cut + m d < z₁.
        self.bonds.iter().map(|[z0, z1]| (((z1 - cut) / d).floor() - ((z0 - cut) / d).floor()) as usize).sum()
    }

    fn assemble(&self, cuts: Cuts, repeats: [usize; 2]) -> Slab {
        let n = self.planes.len();
        let [u, v, w] = self.vectors.rows;
        let floor = self.height(cuts.bottom as isize);
        let a = u * repeats[0] as f64;
        let mut b = v * repeats[1] as f64;
        b.x -= a.x * (b.x / a.x).round();
        let mut atoms = Vec::new();
        for plane in cuts.bottom..cuts.bottom + cuts.n_planes {
            let layer = (plane / n) as f64;
            for atom in &self.atoms[self.planes[plane % n].clone()] {
                for i in 0..repeats[0] {
                    for j in 0..repeats[1] {
                        let mut r = atom.position + u * i as f64 + v * j as f64 + w * layer;
                        r.z -= floor;
                        r -= b * ((r.y / b.y) + 1e-9).floor();
                        r -= a * ((r.x / a.x) + 1e-9).floor();
                        atoms.push(SlabAtom { position: r, ..*atom });
                    }
                }
            }
        }
        let extent = self.height((cuts.bottom + cuts.n_planes - 1) as isize) - floor;
        let broken_bonds = cuts.broken as f64 / self.area();
        let Cuts { thickness, dipole, faces_alike, .. } = cuts;
        Slab { a, b, atoms, extent, thickness, repeats, broken_bonds, dipole, faces_alike }
    }
}

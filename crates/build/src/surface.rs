//! Slabs of a crystal: a lattice plane (h k l), cut where the slab is stoichiometric and carries no dipole.
//!
//! The crystal is described in a surface cell (u, v, w): u and v are lattice vectors in the plane, orthogonal
//! where the lattice allows it, and w reaches the next equivalent plane. Between two atomic planes there is a
//! possible cut; a slab is a bottom and a top cut. Acceptable are those with the crystal's composition and no
//! dipole along the normal (P. W. Tasker, J. Phys. C 12, 4977 (1979), doi:10.1088/0022-3719/12/22/036: types 1
//! and 2); among them the one wins that breaks the fewest bonds, then the one nearest to the thickness asked for.

use amelo_math::{Mat3, Vec3};

use crate::BuildError;
use crate::crystal::Crystal;
pub use crate::lattice_plane::{BOND_LENGTH, Miller, SlabAtom};
use crate::lattice_plane::{PLANE, atoms_of_cell, bond_spans, lattice_vectors, plane_basis};

/// Largest dipole per area of an acceptable slab, with formal charges (e/nm): 1e-5 e·Å/Å².
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
    pub fn slab(&self, lateral: [f64; 2], thickness: f64, cut: Option<f64>, key: &str) -> Result<Slab, BuildError> {
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
        let cuts = self.choose(thickness, cut, key)?;
        if thickness < 0.5 * cuts.thickness {
            return Err(BuildError::config(
                format!("{key}.thickness"),
                format!(
                    "{thickness} nm is thinner than the thinnest non-polar slab of {} {}; write at least \"{:.2} nm\"",
                    self.crystal.name, self.miller, cuts.thickness
                ),
            ));
        }
        Ok(self.assemble(cuts, repeats))
    }

    /// Heights (nm, modulo the spacing) between which a lower cut gives an acceptable slab.
    pub fn good_cuts(&self) -> Vec<[f64; 2]> {
        (0..self.planes.len())
            .filter(|&k| !self.acceptable(k, 3.0 * self.spacing()).is_empty())
            .map(|k| [self.height(k as isize - 1), self.height(k as isize)])
            .collect()
    }

    fn choose(&self, thickness: f64, cut: Option<f64>, key: &str) -> Result<Cuts, BuildError> {
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
        let found: Vec<Cuts> = bottoms.clone().flat_map(|k| self.acceptable(k, reach)).collect();
        let Some(fewest) = found.iter().map(|c| c.broken).min() else {
            return Err(self.polar(bottoms, cut, key));
        };
        let off = |c: &Cuts| (c.thickness - thickness).abs();
        let best = found.iter().filter(|c| c.broken == fewest).min_by(|p, q| {
            // Equal up to rounding means equal: then the lower cut wins, on every machine.
            if (off(p) - off(q)).abs() < PLANE { p.bottom.cmp(&q.bottom) } else { off(p).total_cmp(&off(q)) }
        });
        best.copied().ok_or_else(|| self.polar(bottoms, cut, key))
    }

    /// All stoichiometric slabs without dipole above the cut below plane `bottom`, up to `reach` (nm).
    fn acceptable(&self, bottom: usize, reach: f64) -> Vec<Cuts> {
        let n = self.planes.len();
        let per_volume = self.atoms.len() as f64 / self.spacing();
        let (mut charge, mut dipole, mut count) = (0.0, 0.0, 0usize);
        let mut found = Vec::new();
        for n_planes in 1.. {
            let top = bottom + n_planes - 1;
            let z = self.height(top as isize);
            for atom in &self.atoms[self.planes[top % n].clone()] {
                charge += atom.formal_charge;
                dipole += atom.formal_charge * z;
                count += 1;
            }
            let thickness = count as f64 / per_volume;
            if thickness > reach {
                return found;
            }
            if charge.abs() < 1e-9 && (dipole / self.area()).abs() < MAX_DIPOLE {
                let broken =
                    self.bonds_across(bottom as isize) + self.bonds_across(bottom as isize + n_planes as isize);
                found.push(Cuts { bottom, n_planes, thickness, broken });
            }
        }
        found
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

    fn polar(&self, bottoms: std::ops::Range<usize>, cut: Option<f64>, key: &str) -> BuildError {
        let name = format!("{} {}", self.crystal.name, self.miller);
        let Some(cut) = cut else {
            return BuildError::Polar {
                key: format!("{key}.surface"),
                message: format!(
                    "no cut of {name} gives a stoichiometric slab without dipole: each of its {} cuts is polar; \
                     choose another surface, for example \"101\" or \"001\" of anatase, \"110\" of rutile",
                    self.planes.len()
                ),
            };
        };
        let bottom = bottoms.start;
        let n = self.planes.len();
        // One spacing has the crystal's composition; its dipole is what every further one adds.
        let dipole: f64 = (bottom..bottom + n)
            .map(|k| {
                let z = self.height(k as isize);
                self.atoms[self.planes[k % n].clone()].iter().map(|a| a.formal_charge * z).sum::<f64>()
            })
            .sum::<f64>()
            / self.area();
        let good = self.good_cuts();
        let remedy = if good.is_empty() {
            "no other cut of this surface is better: choose another surface".to_string()
        } else {
            let ranges: Vec<String> = good.iter().map(|[low, high]| format!("{low:.4} to {high:.4} nm")).collect();
            format!("leave `cut` out, or put it between {}", ranges.join(", or "))
        };
        BuildError::Polar {
            key: format!("{key}.cut"),
            message: format!(
                "a cut of {name} at {cut} nm, between the planes at {:.4} and {:.4} nm, is polar: stoichiometric slabs \
                 above it carry {:.3} e·Å/Å² per {:.4} nm of thickness (formal charges, expected 0); {remedy}",
                self.height(bottom as isize - 1),
                self.height(bottom as isize),
                // 1 e/nm is 0.1 e·Å/Å².
                0.1 * dipole,
                self.spacing(),
            ),
        }
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
        Slab { a, b, atoms, extent, thickness: cuts.thickness, repeats, broken_bonds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Matsui and Akaogi's charges (e), Mol. Simul. 6, 239 (1991).
    fn charge(element: &str) -> f64 {
        if element == "Ti" { 2.196 } else { -1.098 }
    }

    /// Ti–O partners of every atom, and the shortest Ti–O distance, under the slab's lateral periodicity.
    fn coordination(slab: &Slab) -> (Vec<usize>, f64) {
        let n = slab.atoms.len();
        let (mut partners, mut shortest) = (vec![0; n], f64::INFINITY);
        for i in 0..n {
            for j in 0..n {
                if slab.atoms[i].element == slab.atoms[j].element {
                    continue;
                }
                for p in -1..=1 {
                    for q in -1..=1 {
                        let shift = slab.a * f64::from(p) + slab.b * f64::from(q);
                        let r = (slab.atoms[i].position - slab.atoms[j].position + shift).norm();
                        shortest = f64::min(shortest, r);
                        if r < BOND_LENGTH {
                            partners[i] += 1;
                        }
                    }
                }
            }
        }
        (partners, shortest)
    }

    fn count(slab: &Slab, partners: &[usize], element: &str, n: usize) -> usize {
        (0..slab.atoms.len()).filter(|&i| slab.atoms[i].element == element && partners[i] == n).count()
    }

    fn check_slab(crystal: Crystal, miller: &str, lateral: [f64; 2], thickness: f64) -> Slab {
        let formula_volume = crystal.volume() / crystal.sites.iter().filter(|s| s.element == "Ti").count() as f64;
        let cell = SurfaceCell::new(crystal, Miller::parse(miller).unwrap());
        let slab = cell.slab(lateral, thickness, None, "system.oxide.anatase").unwrap();
        let of = |element: &str| slab.atoms.iter().filter(|a| a.element == element).count();
        assert_eq!(of("O"), 2 * of("Ti"), "{miller} {lateral:?} {thickness}");
        let area = slab.a.cross(slab.b).z;
        // As many formula units as the volume holds.
        assert!((of("Ti") as f64 * formula_volume - area * slab.thickness).abs() < 1e-9);
        // 1e-3 e·Å/Å² is 1e-2 e/nm; symmetry makes it zero up to rounding.
        let dipole: f64 = slab.atoms.iter().map(|a| charge(a.element) * a.position.z).sum::<f64>() / area;
        assert!(dipole.abs() < 1e-9, "{miller}: {dipole} e/nm");
        let (_, shortest) = coordination(&slab);
        assert!((shortest - 0.1934).abs() < 5e-3, "{miller}: Ti–O {shortest} nm");
        let lowest = slab.atoms.iter().map(|a| a.position.z).fold(f64::INFINITY, f64::min);
        assert!(lowest.abs() < 1e-12);
        slab
    }

    #[test]
    fn anatase_101_has_its_known_surface_cell() {
        // √(a² + c²) × a = 10.24 × 3.78 Å, layers a c/√(a² + c²) = 3.52 Å apart. This surface: A. Vittadini et al.,
        // Phys. Rev. Lett. 81, 2954 (1998).
        let cell = SurfaceCell::new(Crystal::anatase(), Miller([1, 0, 1]));
        let [u, v] = cell.in_plane();
        assert!((u.x - (0.37845f64.powi(2) + 0.95143f64.powi(2)).sqrt()).abs() < 1e-12);
        assert!((v - Vec3::new(0.0, 0.37845, 0.0)).norm() < 1e-12);
        assert!((cell.spacing() - 0.37845 * 0.95143 / u.x).abs() < 1e-12);
    }

    #[test]
    fn anatase_101_slabs_are_neutral_stoichiometric_and_show_ti5c_and_o2c() {
        for (lateral, thickness) in [([1.0, 1.1], 1.0), ([2.0, 2.0], 1.5), ([3.0, 1.5], 2.1), ([2.0, 3.0], 0.7)] {
            let slab = check_slab(Crystal::anatase(), "101", lateral, thickness);
            assert!((slab.thickness - thickness).abs() <= 0.5 * 0.3517);
            let (partners, _) = coordination(&slab);
            // Per 10.24 × 3.78 Å cell and face two Ti5c and two O2c; nothing less coordinated.
            let cells = slab.repeats[0] * slab.repeats[1];
            assert_eq!(count(&slab, &partners, "Ti", 5), 4 * cells);
            assert_eq!(count(&slab, &partners, "O", 2), 4 * cells);
            let bulk = count(&slab, &partners, "Ti", 6) + count(&slab, &partners, "O", 3);
            assert_eq!(bulk + 8 * cells, slab.atoms.len());
        }
    }

    #[test]
    fn anatase_001_slabs_are_neutral_stoichiometric_and_end_in_ti5c_alone() {
        for (lateral, thickness) in [([1.0, 1.1], 1.0), ([2.0, 2.0], 1.5), ([3.0, 1.5], 1.9)] {
            let slab = check_slab(Crystal::anatase(), "001", lateral, thickness);
            assert!((slab.thickness - thickness).abs() <= 0.5 * 0.25 * 0.95143 + 1e-9);
            let (partners, _) = coordination(&slab);
            let cells = slab.repeats[0] * slab.repeats[1];
            // Bulk-truncated (001): every surface Ti is fivefold, with one O2c each.
            assert_eq!(count(&slab, &partners, "Ti", 5), 2 * cells);
            assert_eq!(count(&slab, &partners, "O", 2), 2 * cells);
        }
    }

    #[test]
    fn rutile_110_shows_rows_of_ti5c_and_bridging_o2c() {
        let slab = check_slab(Crystal::rutile(), "110", [1.2, 1.3], 1.3);
        let (partners, _) = coordination(&slab);
        let cells = slab.repeats[0] * slab.repeats[1];
        // 6.50 × 2.96 Å cell: one Ti5c, one Ti6c and one bridging O per face (U. Diebold, Surf. Sci. Rep. 48, 53
        // (2003)).
        assert_eq!(count(&slab, &partners, "Ti", 5), 2 * cells);
        assert_eq!(count(&slab, &partners, "O", 2), 2 * cells);
    }

    #[test]
    fn slabs_of_other_surfaces_keep_the_crystals_density() {
        for miller in ["100", "110", "103", "112", "301", "1-12"] {
            let cell = SurfaceCell::new(Crystal::anatase(), Miller::parse(miller).unwrap());
            let [u, v] = cell.in_plane();
            let atoms = cell.area() * cell.spacing() / Crystal::anatase().volume() * 12.0;
            assert!((atoms - cell.atoms.len() as f64).abs() < 1e-9, "{miller}: {u:?} {v:?}");
            if let Ok(slab) = cell.slab([1.5, 1.5], 1.2, None, "system.oxide.anatase") {
                let (partners, shortest) = coordination(&slab);
                assert!(shortest > 0.193, "{miller}: {shortest}");
                assert!(partners.iter().all(|&p| p >= 1), "{miller}");
            }
        }
    }

    #[test]
    fn a_polar_cut_is_refused_with_its_dipole_and_the_cuts_that_would_do() {
        let cell = SurfaceCell::new(Crystal::anatase(), Miller([0, 0, 1]));
        // Ti planes at 0 and c/4, an O plane at 0.0419 c = 0.0399 nm: a cut between Ti and O leaves O on one side.
        let error = cell.slab([1.5, 1.5], 1.2, Some(0.02), "system.oxide.anatase").unwrap_err();
        assert_eq!(error.key().as_deref(), Some("system.oxide.anatase.cut"));
        let text = error.to_string();
        assert!(text.contains("polar") && text.contains("0.0399") && text.contains("leave `cut` out"), "{text}");
        // Between two TiO₂ layers the same request is fine, and equals the default.
        let good = cell.slab([1.5, 1.5], 1.2, Some(0.12), "system.oxide.anatase").unwrap();
        let default = cell.slab([1.5, 1.5], 1.2, None, "system.oxide.anatase").unwrap();
        assert_eq!(good.broken_bonds, default.broken_bonds);
    }

    #[test]
    fn sizes_that_cannot_be_are_errors_with_a_remedy() {
        let cell = SurfaceCell::new(Crystal::anatase(), Miller([1, 0, 1]));
        let refused = |lateral, thickness| cell.slab(lateral, thickness, None, "system.oxide.anatase").unwrap_err();
        assert_eq!(refused([3.0, 3.0], 0.0).key().as_deref(), Some("system.oxide.anatase.thickness"));
        assert_eq!(refused([3.0, 3.0], 0.05).key().as_deref(), Some("system.oxide.anatase.thickness"));
        assert_eq!(refused([0.2, 3.0], 1.0).key().as_deref(), Some("system.lateral"));
        assert!(refused([0.2, 3.0], 1.0).to_string().contains("1.0239 nm"));
    }
}

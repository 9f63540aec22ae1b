//! The lattice plane (h k l): its indices, a cell of lattice vectors in it, and the crystal's atoms in that cell.

use amelo_math::{Mat3, Vec3};

use crate::crystal::{Crystal, Site};

/// Oppositely charged neighbours closer than this are bonded (nm); in TiO₂ the first shell ends at 0.20 nm and the
/// second begins at 0.35 nm.
pub const BOND_LENGTH: f64 = 0.25;

/// Two heights closer than this belong to one atomic plane (nm).
pub(crate) const PLANE: f64 = 1e-5;

/// Miller indices of a lattice plane, in the conventional cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Miller(pub [i32; 3]);

impl Miller {
    /// Reads `101`, `1-10`, `1 0 1`, `(0 0 1)`; common factors are divided out.
    pub fn parse(text: &str) -> Option<Miller> {
        let inner = text.trim().trim_start_matches('(').trim_end_matches(')');
        let mut indices = Vec::new();
        if inner.contains([' ', ',']) {
            for word in inner.split([' ', ',']).filter(|w| !w.is_empty()) {
                indices.push(word.parse().ok()?);
            }
        } else {
            let mut sign = 1;
            for c in inner.chars() {
                match c {
                    '-' if sign == 1 => sign = -1,
                    '0'..='9' => {
                        indices.push(sign * (c as i32 - '0' as i32));
                        sign = 1;
                    }
                    _ => return None,
                }
            }
            if sign == -1 {
                return None;
            }
        }
        let [h, k, l]: [i32; 3] = indices.try_into().ok()?;
        let divisor = gcd(gcd(h, k), l);
        (divisor != 0 && [h, k, l].iter().all(|i| i.abs() <= 9))
            .then(|| Miller([h / divisor, k / divisor, l / divisor]))
    }
}

impl std::fmt::Display for Miller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "({} {} {})", self.0[0], self.0[1], self.0[2])
    }
}

fn gcd(a: i32, b: i32) -> i32 {
    if b == 0 { a.abs() } else { gcd(b, a % b) }
}

/// An atom of a surface cell or slab; x along u, z along the normal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlabAtom {
    /// Element symbol.
    pub element: &'static str,
    /// Charge (e), formal or the model's.
    pub charge: f64,
    /// Position (nm).
    pub position: Vec3,
}

/// Lattice vectors (nm) up to `reach` conventional cells along each axis, without zero.
pub(crate) fn lattice_vectors(crystal: &Crystal, reach: i32) -> Vec<Vec3> {
    let mut found = Vec::new();
    for i in -reach..=reach {
        for j in -reach..=reach {
            for k in -reach..=reach {
                for t in &crystal.centrings {
                    let n = *t + Vec3::new(f64::from(i), f64::from(j), f64::from(k));
                    if n != Vec3::ZERO {
                        found.push(crystal.to_cartesian(n));
                    }
                }
            }
        }
    }
    found
}

/// Two lattice vectors that span a cell of the plane: the smallest rectangle, the longer edge first, unless it is
/// more than eight times the primitive cell; then the shortest two.
pub(crate) fn plane_basis(in_plane: &[Vec3], normal: Vec3) -> [Vec3; 2] {
    // One of each ± pair, the shortest first; ties by components, so that the choice is the same everywhere.
    let component = |r: &Vec3, axis: usize| (r[axis] / PLANE).round() as i64;
    let order = |r: &Vec3| ((r.norm() / PLANE).round() as i64, [0, 1, 2].map(|axis| -component(r, axis)));
    let mut candidates: Vec<Vec3> = in_plane
        .iter()
        .copied()
        .filter(|r| [0, 1, 2].iter().map(|&axis| component(r, axis)).find(|&c| c != 0).is_some_and(|c| c > 0))
        .collect();
    candidates.sort_by_key(order);
    candidates.truncate(60);
    let area = |p: Vec3, q: Vec3| p.cross(q).norm();
    let pairs = || (0..candidates.len()).flat_map(|i| (i + 1..candidates.len()).map(move |j| (i, j)));
    let smallest = |orthogonal: bool| {
        pairs()
            .map(|(i, j)| (candidates[i], candidates[j]))
            .filter(|(p, q)| area(*p, *q) > PLANE && (!orthogonal || p.dot(*q).abs() < PLANE))
            .min_by_key(|(p, q)| {
                ((area(*p, *q) / PLANE).round() as i64, ((p.norm() + q.norm()) / PLANE).round() as i64)
            })
    };
    // The fall-back cannot be reached: a lattice plane always holds two independent vectors.
    let reduced = smallest(false).unwrap_or((Vec3::unit(0), Vec3::unit(1)));
    let (p, q) = match smallest(true) {
        Some((p, q)) if area(p, q) < 8.5 * area(reduced.0, reduced.1) => (p, q),
        _ => reduced,
    };
    let (u, mut v) = if q.norm() > p.norm() + PLANE { (q, p) } else { (p, q) };
    if u.cross(v).dot(normal) < 0.0 {
        v = -v;
    }
    [u, v]
}

/// The crystal's atoms inside the cell `basis` (rows, crystal frame), placed in the frame of `vectors`, each with
/// its site.
pub(crate) fn atoms_of_cell(crystal: &Crystal, basis: Mat3, vectors: Mat3) -> Vec<(usize, SlabAtom)> {
    let to_cell = basis.transpose().inverse();
    let to_crystal = crystal.vectors.transpose().inverse();
    // Conventional cells that the corners of `basis` touch.
    let (mut low, mut high) = ([0i32; 3], [0i32; 3]);
    for corner in 0..8 {
        let s = Vec3::new(f64::from(corner & 1), f64::from(corner >> 1 & 1), f64::from(corner >> 2));
        let x = to_crystal * basis.vec_mul(s);
        for axis in 0..3 {
            low[axis] = low[axis].min(x[axis].floor() as i32 - 1);
            high[axis] = high[axis].max(x[axis].ceil() as i32 + 1);
        }
    }
    let mut atoms = Vec::new();
    for i in low[0]..=high[0] {
        for j in low[1]..=high[1] {
            for k in low[2]..=high[2] {
                for (index, site) in crystal.sites.iter().enumerate() {
                    let x = site.position + Vec3::new(f64::from(i), f64::from(j), f64::from(k));
                    let s = to_cell * crystal.to_cartesian(x);
                    if (0..3).all(|axis| (-1e-7..1.0 - 1e-7).contains(&s[axis])) {
                        let position = vectors.vec_mul(s);
                        let Site { element, charge, .. } = *site;
                        atoms.push((index, SlabAtom { element, charge, position }));
                    }
                }
            }
        }
    }
    atoms
}

/// Lower and upper end along `normal` (nm) of every bond of the surface cell's cations.
pub(crate) fn bond_spans(crystal: &Crystal, normal: Vec3, atoms: &[(usize, SlabAtom)]) -> Vec<[f64; 2]> {
    let mut spans = Vec::new();
    for (site, atom) in atoms.iter().filter(|(_, a)| a.charge > 0.0) {
        for (other, d) in crystal.neighbours(*site, BOND_LENGTH) {
            if crystal.sites[other].charge < 0.0 {
                let (z, dz) = (atom.position.z, d.dot(normal));
                spans.push([z + dz.min(0.0), z + dz.max(0.0)]);
            }
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn miller_indices_are_read_as_people_write_them() {
        assert_eq!(Miller::parse("101"), Some(Miller([1, 0, 1])));
        assert_eq!(Miller::parse("(1 -1 0)"), Some(Miller([1, -1, 0])));
        assert_eq!(Miller::parse("1-10"), Some(Miller([1, -1, 0])));
        assert_eq!(Miller::parse("002"), Some(Miller([0, 0, 1])));
        for bad in ["", "000", "10", "1010", "1x1", "10-", "--101"] {
            assert_eq!(Miller::parse(bad), None, "{bad}");
        }
    }
}

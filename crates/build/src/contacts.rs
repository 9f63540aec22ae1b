//! Hard cores on a cell grid: which atoms are already there, and whether one more fits.

use amelo_core::Cell;
use amelo_math::Vec3;

/// Van der Waals radius of an element (nm): A. Bondi, J. Phys. Chem. 68, 441 (1964), H from R. S. Rowland and
/// R. Taylor, J. Phys. Chem. 100, 7384 (1996). For Li, Na and Ti, which are ions here, values of ours that put the
/// contact with O (at scale 0.7) at their first coordination shells. Any other element counts as carbon.
pub fn radius(element: &str) -> f64 {
    match element {
        "H" => 0.110,
        "N" => 0.155,
        "O" => 0.152,
        "F" => 0.147,
        "P" | "S" => 0.180,
        "Cl" => 0.175,
        "Li" => 0.130,
        "Na" => 0.160,
        "Ti" => 0.140,
        _ => 0.170,
    }
}

/// Largest radius above (nm).
const LARGEST_RADIUS: f64 = 0.180;

/// Space open to atoms, where not everything is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Zone {
    /// Between two heights z (nm).
    Slit([f64; 2]),
    /// A cylinder along z, through all of the cell; it is not repeated along x and y, so that nothing leaves it sideways.
    Cylinder {
        /// x and y of its axis (nm).
        axis: [f64; 2],
        /// Its radius (nm).
        radius: f64,
    },
}

impl Zone {
    /// Whether `r` (nm, unwrapped) lies in it.
    pub fn holds(&self, r: Vec3) -> bool {
        match *self {
            Zone::Slit([low, high]) => low <= r.z && r.z <= high,
            Zone::Cylinder { axis: [x, y], radius } => (r.x - x) * (r.x - x) + (r.y - y) * (r.y - y) <= radius * radius,
        }
    }
}

/// Atoms that have been placed, last in first out, with the space that is open to further ones.
#[derive(Clone, Debug)]
pub struct Contacts {
    cell: Cell,
    zone: Option<Zone>,
    dims: [usize; 3],
    bins: Vec<Vec<u32>>,
    positions: Vec<Vec3>,
    radii: Vec<f64>,
    scale: f64,
}

impl Contacts {
    /// An empty cell. `zone`: what is open to atoms; everywhere if absent. `scale`: two atoms touch
    /// at `scale` times the sum of their radii; it may only be lowered later.
    pub fn new(cell: Cell, zone: Option<Zone>, scale: f64) -> Self {
        let reach = 2.0 * LARGEST_RADIUS * scale;
        let dims = cell.widths().to_array().map(|w| ((w / reach) as usize).max(1));
        let bins = vec![Vec::new(); dims.iter().product()];
        Contacts { cell, zone, dims, bins, positions: Vec::new(), radii: Vec::new(), scale }
    }

    /// Smallest distance between faces (nm) at which every contact has one image only.
    pub fn smallest_width() -> f64 {
        4.0 * LARGEST_RADIUS
    }

    /// Number of atoms placed.
    pub fn len(&self) -> usize {
        self.positions.len()
    }

    /// Whether no atom is there.
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    /// The cell.
    pub fn cell(&self) -> &Cell {
        &self.cell
    }

    /// What is open to atoms.
    pub fn zone(&self) -> Option<Zone> {
        self.zone
    }

    /// Position of a placed atom, as it was given (nm).
    pub fn position(&self, atom: usize) -> Vec3 {
        self.positions[atom]
    }

    /// Present scale of the contacts.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// Lowers the scale for atoms to come.
    pub fn lower_scale(&mut self, scale: f64) {
        self.scale = self.scale.min(scale);
    }

    /// Adds an atom, whether it fits or not.
    pub fn push(&mut self, r: Vec3, radius: f64) {
        let bin = self.bin(r).0;
        self.bins[bin].push(self.positions.len() as u32);
        self.positions.push(r);
        self.radii.push(radius);
    }

    /// Takes back the atoms from number `len` on.
    pub fn truncate(&mut self, len: usize) {
        while self.positions.len() > len {
            // Last in, first out: the last atom is the last of its bin.
            if let Some(r) = self.positions.pop() {
                let bin = self.bin(r).0;
                self.bins[bin].pop();
            }
            self.radii.pop();
        }
    }

    /// Whether an atom at `r` lies in the zone and touches none but the `exempt`.
    pub fn fits(&self, r: Vec3, radius: f64, exempt: impl Fn(usize) -> bool) -> bool {
        if self.zone.is_some_and(|zone| !zone.holds(r)) {
            return false;
        }
        self.all_near(r, |k, d| {
            let contact = self.scale * (radius + self.radii[k]);
            d.norm2() >= contact * contact || exempt(k)
        })
    }

    /// Distance (nm) to the nearest atom that `counts`, within 0.25 nm or so; infinite where there is none.
    pub fn nearest(&self, r: Vec3, counts: impl Fn(usize) -> bool) -> f64 {
        let mut shortest = f64::INFINITY;
        self.all_near(r, |k, d| {
            if d.norm2() < shortest * shortest && counts(k) {
                shortest = d.norm();
            }
            true
        });
        shortest
    }

    /// Number of atoms that `counts` within `reach` (nm, at most 0.25) of `r`.
    pub fn count_within(&self, r: Vec3, reach: f64, counts: impl Fn(usize) -> bool) -> usize {
        let mut n = 0;
        self.each_within(r, reach, |k, _| n += usize::from(counts(k)));
        n
    }

    /// Calls `visit`(atom, vector from it to `r`) for every atom within `reach` (nm, at most 0.25) of `r`.
    pub fn each_within(&self, r: Vec3, reach: f64, mut visit: impl FnMut(usize, Vec3)) {
        self.all_near(r, |k, d| {
            if d.norm2() < reach * reach {
                visit(k, d);
            }
            true
        });
    }

    /// Whether `ok`(atom, vector from it to `r`) holds for every atom of the bins around `r`.
    fn all_near(&self, r: Vec3, mut ok: impl FnMut(usize, Vec3) -> bool) -> bool {
        let (_, home) = self.bin(r);
        // Along an axis with one or two bins, every bin is a neighbour once.
        let around = |axis: usize| {
            let n = self.dims[axis];
            let (first, count) = if n < 3 { (0, n) } else { (home[axis] + n - 1, 3) };
            (0..count).map(move |k| (first + k) % n)
        };
        for i in around(0) {
            for j in around(1) {
                for k in around(2) {
                    for &atom in &self.bins[(i * self.dims[1] + j) * self.dims[2] + k] {
                        let d = self.cell.minimum_image(r - self.positions[atom as usize]);
                        if !ok(atom as usize, d) {
                            return false;
                        }
                    }
                }
            }
        }
        true
    }

    fn bin(&self, r: Vec3) -> (usize, [usize; 3]) {
        let s = self.cell.to_fractional(r);
        let mut home = [0; 3];
        for axis in 0..3 {
            let n = self.dims[axis];
            let f = s[axis] - s[axis].floor();
            home[axis] = ((f * n as f64) as usize).min(n - 1);
        }
        ((home[0] * self.dims[1] + home[1]) * self.dims[2] + home[2], home)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use amelo_math::Mat3;

    #[test]
    fn contacts_reach_through_every_face_of_a_triclinic_cell_and_are_taken_back() {
        let cell = Cell::new(Mat3::from_array([[1.6, 0.0, 0.0], [0.5, 1.7, 0.0], [-0.4, 0.3, 1.5]])).unwrap();
        let mut contacts = Contacts::new(cell, None, 0.8);
        let noise = amelo_math::philox::Noise::new(3, 11);
        let positions: Vec<Vec3> = (0..60).map(|k| noise.normal3(k, 0, 0)).collect();
        for r in &positions {
            contacts.push(*r, 0.17);
        }
        let brute = |r: Vec3| positions.iter().any(|p| cell.minimum_image(r - *p).norm() < 0.8 * (0.17 + 0.15));
        let mut touching = 0;
        for k in 100..400 {
            let r = noise.normal3(k, 0, 0);
            assert_eq!(contacts.fits(r, 0.15, |_| false), !brute(r));
            touching += usize::from(brute(r));
        }
        assert!((30..280).contains(&touching));
        contacts.truncate(1);
        assert!(contacts.fits(positions[1], 0.17, |k| k == 0));
        assert!(!contacts.fits(positions[0], 0.17, |_| false));
    }
}

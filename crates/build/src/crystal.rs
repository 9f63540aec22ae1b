//! Crystals from their space group: generators and one atom per orbit, never a list of coordinates.
//!
//! Generators and Wyckoff positions: International Tables for Crystallography A, no. 141 (origin choice 1) and
//! no. 136. Lattice constants and positions: C. J. Howard, T. M. Sabine, F. Dickson, Acta Cryst. B 47, 462 (1991),
//! doi:10.1107/S010876819100335X (the Crystallography Open Database's 9015929, anatase, and 9015662, rutile).

use amelo_math::{Mat3, Vec3};

use crate::symmetry::{Operation, group, separation};

/// Generators of I4₁/amd in the setting of origin choice 1: body centring, 4₁, 2 along y, inversion.
const I41_AMD: [Operation; 4] = [
    Operation::quarters([[1, 0, 0], [0, 1, 0], [0, 0, 1]], [2, 2, 2]),
    Operation::quarters([[0, -1, 0], [1, 0, 0], [0, 0, 1]], [0, 2, 1]),
    Operation::quarters([[-1, 0, 0], [0, 1, 0], [0, 0, -1]], [2, 0, 3]),
    Operation::quarters([[-1, 0, 0], [0, -1, 0], [0, 0, -1]], [0, 2, 1]),
];

/// Generators of P4₂/mnm: 4₂, 2 along y, inversion.
const P42_MNM: [Operation; 3] = [
    Operation::quarters([[0, -1, 0], [1, 0, 0], [0, 0, 1]], [2, 2, 2]),
    Operation::quarters([[-1, 0, 0], [0, 1, 0], [0, 0, -1]], [2, 2, 2]),
    Operation::quarters([[-1, 0, 0], [0, -1, 0], [0, 0, -1]], [0; 3]),
];

/// One atom of the conventional cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Site {
    /// Element symbol.
    pub element: &'static str,
    /// Charge (e), formal or the model's: its sign decides which neighbours are bonded, and its ratios which surfaces are
    /// polar.
    pub charge: f64,
    /// Fractional coordinates in [0, 1).
    pub position: Vec3,
}

/// A crystal: the conventional cell with its atoms.
#[derive(Clone, Debug, PartialEq)]
pub struct Crystal {
    /// Name, for messages and reports.
    pub name: String,
    /// Conventional cell vectors as rows (nm).
    pub vectors: Mat3,
    /// Atoms of the conventional cell.
    pub sites: Vec<Site>,
    /// Lattice translations inside the conventional cell (fractional), zero first.
    pub centrings: Vec<Vec3>,
}

impl Crystal {
    /// The orbits of `asymmetric_unit` under `operations`, a whole group.
    pub fn from_orbits(name: &str, vectors: Mat3, operations: &[Operation], asymmetric_unit: &[Site]) -> Self {
        let mut sites: Vec<Site> = Vec::new();
        for site in asymmetric_unit {
            let first = sites.len();
            for operation in operations {
                let position = operation.apply(site.position);
                if sites[first..].iter().all(|s| separation(s.position, position) > 1e-6) {
                    sites.push(Site { position, ..*site });
                }
            }
        }
        let centrings = operations.iter().filter_map(Operation::pure_translation).collect();
        Crystal { name: name.into(), vectors, sites, centrings }
    }

    /// Anatase TiO₂, I4₁/amd (no. 141, origin choice 1), Ti 4a (0, 0, 0), O 8e (0, 0, u).
    pub fn anatase() -> Self {
        let (a, c, u) = (0.37845, 0.95143, 0.2081);
        let vectors = Mat3::diagonal(a, a, c);
        Crystal::from_orbits("anatase", vectors, &group(&I41_AMD), &tio2(Vec3::new(0.0, 0.0, u)))
    }

    /// Rutile TiO₂, P4₂/mnm (no. 136), Ti 2a (0, 0, 0), O 4f (x, x, 0).
    pub fn rutile() -> Self {
        let (a, c, x) = (0.459_37, 0.295_87, 0.304_78);
        let vectors = Mat3::diagonal(a, a, c);
        Crystal::from_orbits("rutile", vectors, &group(&P42_MNM), &tio2(Vec3::new(x, x, 0.0)))
    }

    /// Cartesian position (nm) of fractional coordinates.
    pub fn to_cartesian(&self, x: Vec3) -> Vec3 {
        self.vectors.vec_mul(x)
    }

    /// Volume of the conventional cell (nm³).
    pub fn volume(&self) -> f64 {
        self.vectors.determinant().abs()
    }

    /// The two sites that lie closest and their distance (nm), images included.
    pub fn closest_pair(&self) -> Option<(usize, usize, f64)> {
        let nearest = |i: usize| {
            let mut radius = 0.2;
            // No radius finds a neighbour where there is no site at all, and `i` is one.
            loop {
                if let Some((j, d)) = self.neighbours(i, radius).first() {
                    return (i, *j, d.norm());
                }
                radius *= 2.0;
            }
        };
        (0..self.sites.len()).map(nearest).min_by(|p, q| p.2.total_cmp(&q.2))
    }

    /// Vectors (nm) from site `centre` to every other atom closer than `radius` (nm), nearest first.
    pub fn neighbours(&self, centre: usize, radius: f64) -> Vec<(usize, Vec3)> {
        let [a, b, c] = self.vectors.rows;
        let reach =
            [b.cross(c), c.cross(a), a.cross(b)].map(|face| (radius * face.norm() / self.volume()).ceil() as i32 + 1);
        let mut found = Vec::new();
        for (k, site) in self.sites.iter().enumerate() {
            for i in -reach[0]..=reach[0] {
                for j in -reach[1]..=reach[1] {
                    for l in -reach[2]..=reach[2] {
                        let image = Vec3::new(f64::from(i), f64::from(j), f64::from(l));
                        let d = self.to_cartesian(site.position + image - self.sites[centre].position);
                        let itself = k == centre && (i, j, l) == (0, 0, 0);
                        if d.norm() < radius && !itself {
                            found.push((k, d));
                        }
                    }
                }
            }
        }
        found.sort_by(|(_, a), (_, b)| a.norm().total_cmp(&b.norm()));
        found
    }
}

/// Ti at the origin and O at `oxygen`, with their formal charges.
fn tio2(oxygen: Vec3) -> [Site; 2] {
    [Site { element: "Ti", charge: 4.0, position: Vec3::ZERO }, Site { element: "O", charge: -2.0, position: oxygen }]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative atomic masses, IUPAC 2021.
    const TIO2: f64 = 47.867 + 2.0 * 15.999;

    fn density(crystal: &Crystal) -> f64 {
        let formula_units = crystal.sites.iter().filter(|s| s.element == "Ti").count() as f64;
        formula_units * TIO2 / crystal.volume() / amelo_core::units::GRAM_PER_CM3
    }

    fn shell(crystal: &Crystal, centre: usize) -> Vec<f64> {
        crystal.neighbours(centre, 0.25).into_iter().map(|(_, d)| d.norm()).collect()
    }

    #[test]
    fn anatase_has_the_known_density_and_coordination() {
        let crystal = Crystal::anatase();
        assert_eq!(crystal.sites.iter().filter(|s| s.element == "Ti").count(), 4);
        assert_eq!(crystal.sites.iter().filter(|s| s.element == "O").count(), 8);
        assert_eq!(crystal.centrings, [Vec3::ZERO, Vec3::new(0.5, 0.5, 0.5)]);
        assert!((density(&crystal) - 3.893).abs() < 5e-4, "{}", density(&crystal));
        // Ti–O 1.934 Å four times, 1.980 Å twice: √((a/2)² + (¼ − u)² c²) and u c, by hand.
        for centre in 0..4 {
            let d = shell(&crystal, centre);
            assert_eq!(d.len(), 6);
            assert!(d[..4].iter().all(|d| (d - 0.1934).abs() < 5e-5), "{d:?}");
            assert!(d[4..].iter().all(|d| (d - 0.1980).abs() < 5e-5), "{d:?}");
        }
        for centre in 4..12 {
            let bonded = crystal.neighbours(centre, 0.25).into_iter().filter(|(k, _)| *k < 4).count();
            assert_eq!(bonded, 3);
        }
    }

    #[test]
    fn rutile_has_the_known_density_and_coordination() {
        let crystal = Crystal::rutile();
        assert_eq!(crystal.sites.len(), 6);
        assert!((density(&crystal) - 4.250).abs() < 5e-3, "{}", density(&crystal));
        // Ti–O 1.9485(5) Å four times, 1.9800(9) Å twice, from another refinement, of X-ray data: S. C. Abrahams,
        // J. L. Bernstein, J. Chem. Phys. 55, 3206 (1971).
        let d = shell(&crystal, 0);
        assert_eq!(d.len(), 6);
        assert!(d[..4].iter().all(|d| (d - 0.194_85).abs() < 1e-4), "{d:?}");
        assert!(d[4..].iter().all(|d| (d - 0.1980).abs() < 1e-4), "{d:?}");
    }

    #[test]
    fn groups_close_with_their_known_orders() {
        // Point group 4/mmm has 16 operations; body centring doubles them.
        assert_eq!(group(&I41_AMD).len(), 32);
        assert_eq!(group(&P42_MNM).len(), 16);
    }
}

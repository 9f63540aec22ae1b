//! Crystals from their space group: generators and one atom per orbit, never a list of coordinates.
//!
//! Generators and Wyckoff positions: International Tables for Crystallography A, no. 141 (origin choice 1) and
//! no. 136. Lattice constants and positions: C. J. Howard, T. M. Sabine, F. Dickson, Acta Cryst. B 47, 462 (1991),
//! doi:10.1107/S010876819100335X (the Crystallography Open Database's 9015929, anatase, and 9015662, rutile).

use amelo_math::{Mat3, Vec3};

/// A symmetry operation x → R x + t on fractional coordinates; t in quarters of the axes, modulo 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    rotation: [[i32; 3]; 3],
    quarters: [i32; 3],
}

impl Operation {
    /// The identity.
    pub const IDENTITY: Operation = Operation { rotation: [[1, 0, 0], [0, 1, 0], [0, 0, 1]], quarters: [0; 3] };

    const fn new(rotation: [[i32; 3]; 3], quarters: [i32; 3]) -> Self {
        Operation { rotation, quarters }
    }

    /// First `other`, then this one.
    pub fn after(&self, other: &Operation) -> Operation {
        let mut rotation = [[0; 3]; 3];
        let mut quarters = self.quarters;
        for i in 0..3 {
            for k in 0..3 {
                quarters[i] += self.rotation[i][k] * other.quarters[k];
                for j in 0..3 {
                    rotation[i][j] += self.rotation[i][k] * other.rotation[k][j];
                }
            }
        }
        Operation { rotation, quarters: quarters.map(|q| q.rem_euclid(4)) }
    }

    /// Image of the fractional position `x`, in [0, 1).
    pub fn apply(&self, x: Vec3) -> Vec3 {
        let mut y = [0.0; 3];
        for i in 0..3 {
            let row = self.rotation[i].map(f64::from);
            y[i] = Vec3::from(row).dot(x) + 0.25 * f64::from(self.quarters[i]);
        }
        into_cell(Vec3::from(y))
    }

    /// The translation (fractional) where the operation is nothing else.
    fn pure_translation(&self) -> Option<Vec3> {
        (self.rotation == Operation::IDENTITY.rotation).then(|| Vec3::from(self.quarters.map(|q| 0.25 * f64::from(q))))
    }
}

/// Fractional coordinates in [0, 1), with 1 − ε taken as 0.
fn into_cell(x: Vec3) -> Vec3 {
    let fold = |v: f64| {
        let f = v - v.floor();
        if f > 1.0 - 1e-9 { 0.0 } else { f }
    };
    Vec3::new(fold(x.x), fold(x.y), fold(x.z))
}

/// Generators of I4₁/amd in the setting of origin choice 1: body centring, 4₁, 2 along y, inversion.
const I41_AMD: [Operation; 4] = [
    Operation::new([[1, 0, 0], [0, 1, 0], [0, 0, 1]], [2, 2, 2]),
    Operation::new([[0, -1, 0], [1, 0, 0], [0, 0, 1]], [0, 2, 1]),
    Operation::new([[-1, 0, 0], [0, 1, 0], [0, 0, -1]], [2, 0, 3]),
    Operation::new([[-1, 0, 0], [0, -1, 0], [0, 0, -1]], [0, 2, 1]),
];

/// Generators of P4₂/mnm: 4₂, 2 along y, inversion.
const P42_MNM: [Operation; 3] = [
    Operation::new([[0, -1, 0], [1, 0, 0], [0, 0, 1]], [2, 2, 2]),
    Operation::new([[-1, 0, 0], [0, 1, 0], [0, 0, -1]], [2, 2, 2]),
    Operation::new([[-1, 0, 0], [0, -1, 0], [0, 0, -1]], [0; 3]),
];

/// All operations of the group that `generators` generate, modulo lattice translations.
pub fn group(generators: &[Operation]) -> Vec<Operation> {
    let mut operations = vec![Operation::IDENTITY];
    let mut k = 0;
    while k < operations.len() {
        for g in generators {
            let product = g.after(&operations[k]);
            if !operations.contains(&product) {
                operations.push(product);
            }
        }
        k += 1;
    }
    operations
}

/// One atom of the conventional cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Site {
    /// Element symbol.
    pub element: &'static str,
    /// Formal charge (e): decides which surfaces are polar.
    pub formal_charge: f64,
    /// Fractional coordinates in [0, 1).
    pub position: Vec3,
}

/// A crystal: the conventional cell with its atoms.
#[derive(Clone, Debug, PartialEq)]
pub struct Crystal {
    /// Name in the deck.
    pub name: &'static str,
    /// Conventional cell vectors as rows (nm).
    pub vectors: Mat3,
    /// Atoms of the conventional cell.
    pub sites: Vec<Site>,
    /// Lattice translations inside the conventional cell (fractional), zero first.
    pub centrings: Vec<Vec3>,
}

impl Crystal {
    /// The orbits of `asymmetric_unit` under the group that `generators` generate.
    fn from_generators(
        name: &'static str,
        vectors: Mat3,
        generators: &[Operation],
        asymmetric_unit: &[(&'static str, f64, Vec3)],
    ) -> Self {
        let operations = group(generators);
        let mut sites: Vec<Site> = Vec::new();
        for &(element, formal_charge, x) in asymmetric_unit {
            let first = sites.len();
            for operation in &operations {
                let position = operation.apply(x);
                if sites[first..].iter().all(|s| separation(s.position, position) > 1e-6) {
                    sites.push(Site { element, formal_charge, position });
                }
            }
        }
        let centrings = operations.iter().filter_map(Operation::pure_translation).collect();
        Crystal { name, vectors, sites, centrings }
    }

    /// Anatase TiO₂, I4₁/amd (no. 141, origin choice 1), Ti 4a (0, 0, 0), O 8e (0, 0, u).
    pub fn anatase() -> Self {
        let (a, c, u) = (0.37845, 0.95143, 0.2081);
        Crystal::from_generators(
            "anatase",
            Mat3::diagonal(a, a, c),
            &I41_AMD,
            &[("Ti", 4.0, Vec3::ZERO), ("O", -2.0, Vec3::new(0.0, 0.0, u))],
        )
    }

    /// Rutile TiO₂, P4₂/mnm (no. 136), Ti 2a (0, 0, 0), O 4f (x, x, 0).
    pub fn rutile() -> Self {
        let (a, c, x) = (0.459_37, 0.295_87, 0.304_78);
        Crystal::from_generators(
            "rutile",
            Mat3::diagonal(a, a, c),
            &P42_MNM,
            &[("Ti", 4.0, Vec3::ZERO), ("O", -2.0, Vec3::new(x, x, 0.0))],
        )
    }

    /// Cartesian position (nm) of fractional coordinates.
    pub fn to_cartesian(&self, x: Vec3) -> Vec3 {
        self.vectors.vec_mul(x)
    }

    /// Volume of the conventional cell (nm³).
    pub fn volume(&self) -> f64 {
        self.vectors.determinant().abs()
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
                        if d.norm() < radius && d.norm() > 1e-6 {
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

/// Largest component of the shortest difference of two fractional positions.
fn separation(x: Vec3, y: Vec3) -> f64 {
    let d = x - y;
    [d.x, d.y, d.z].into_iter().map(|v| (v - v.round()).abs()).fold(0.0, f64::max)
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

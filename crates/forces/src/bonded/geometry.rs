//! Internal coordinates and their gradients, without a division by the sine of an angle where none is needed.
//!
//! Dihedrals after A. Blondel, M. Karplus, J. Comput. Chem. 17, 1132 (1996).

use amelo_math::{Real, Vec3};

/// sin² of an angle below which the direction perpendicular to its atoms is rounding noise: 1e-10 rad off the line.
const COLLINEAR: f64 = 1e-20;

/// sin² of the angle at an inner atom below which a dihedral counts as undefined: 1e-4 rad off the line. Its gradient
/// grows as 1/sin there and turns about the line; thermal motion never comes so close, a fresh packing might.
const UNDEFINED: f64 = 1e-8;

/// Angle (rad, 0 to π) between the vectors `a` and `b`, precise at both ends.
pub fn angle<R: Real>(a: Vec3<R>, b: Vec3<R>) -> R {
    a.cross(b).norm().atan2(a.dot(b))
}

/// Dihedral (rad, −π to π) of atoms i, j, k, l with `b1` = r_j − r_i, `b2` = r_k − r_j, `b3` = r_l − r_k; trans is π,
/// clockwise looking from j to k positive (IUPAC).
pub fn dihedral<R: Real>(b1: Vec3<R>, b2: Vec3<R>, b3: Vec3<R>) -> R {
    let (m, n) = (b1.cross(b2), b2.cross(b3));
    (b2.norm() * b1.dot(n)).atan2(m.dot(n))
}

/// The angle between `a` = r_i − r_j and `b` = r_k − r_j with its gradients with respect to `a` and `b` (rad/nm).
/// On a straight line every perpendicular direction is as good as any other, and the gradients are zero.
pub fn angle_with_gradient(a: Vec3, b: Vec3) -> (f64, [Vec3; 2]) {
    let c = a.cross(b);
    let theta = angle(a, b);
    if c.norm2() <= COLLINEAR * a.norm2() * b.norm2() {
        return (theta, [Vec3::ZERO; 2]);
    }
    let c = c.normalized();
    (theta, [a.cross(c) / a.norm2(), c.cross(b) / b.norm2()])
}

/// The dihedral of [`dihedral`] with its gradients with respect to the four atoms (rad/nm). Where three atoms lie on
/// a line (within 1e-4 rad) the dihedral is not defined, and the gradients are zero.
pub fn dihedral_with_gradient(b1: Vec3, b2: Vec3, b3: Vec3) -> (f64, [Vec3; 4]) {
    let (m, n) = (b1.cross(b2), b2.cross(b3));
    let (m2, n2, l2) = (m.norm2(), n.norm2(), b2.norm2());
    let phi = dihedral(b1, b2, b3);
    if m2 <= UNDEFINED * b1.norm2() * l2 || n2 <= UNDEFINED * b3.norm2() * l2 {
        return (phi, [Vec3::ZERO; 4]);
    }
    let length = l2.sqrt();
    let at_i = m * (-length / m2);
    let at_l = n * (length / n2);
    // The inner atoms turn the two planes about the middle bond; together with the outer ones nothing moves or spins.
    let s = at_i * (b1.dot(b2) / l2) - at_l * (b3.dot(b2) / l2);
    (phi, [at_i, -at_i - s, s - at_l, at_l])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    #[test]
    fn special_angles() {
        let x = Vec3::unit(0);
        assert_eq!(angle(x, Vec3::unit(1)), PI / 2.0);
        assert_eq!(angle(x, -x), PI);
        assert_eq!(angle(x, x * 3.0), 0.0);
        // 1e-9 rad off the line: arccos of the cosine would give exactly π here.
        let almost = Vec3::new(-1.0, 1e-9, 0.0);
        assert!((PI - angle(x, almost) - 1e-9).abs() < 1e-15);
    }

    #[test]
    fn dihedral_sign_is_that_of_iupac() {
        // Looking from j to k (along +z), l stands clockwise from i: +90°.
        let (i, j, k) = (Vec3::new(1.0, 0.0, 0.0), Vec3::ZERO, Vec3::new(0.0, 0.0, 1.0));
        let phi = |l: Vec3| dihedral(j - i, k - j, l - k);
        assert!((phi(Vec3::new(0.0, 1.0, 1.0)) - PI / 2.0).abs() < 1e-15);
        assert!((phi(Vec3::new(-1.0, 0.0, 1.0)).abs() - PI).abs() < 1e-15);
        assert_eq!(phi(Vec3::new(1.0, 0.0, 1.0)), 0.0);
    }

    #[test]
    fn gradients_stay_finite_close_to_a_line() {
        for e in [1e-3, 1e-6, 1e-9, 1e-12, 0.0] {
            let (theta, g) = angle_with_gradient(Vec3::new(0.15, 0.0, 0.0), Vec3::new(-0.15, 0.15 * e, 0.0));
            assert!((PI - theta - e).abs() < 1e-9 && g[0].norm() < 1.0001 / 0.15);
            let (_, g) = dihedral_with_gradient(
                Vec3::new(0.15, 0.15 * e, 0.0),
                Vec3::new(0.15, 0.0, 0.0),
                Vec3::new(0.0, 0.1, 0.1),
            );
            assert!(g.iter().all(|g| g.is_finite()));
        }
    }
}

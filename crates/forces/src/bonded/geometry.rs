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
#[inline(always)]
pub fn angle<R: Real>(a: Vec3<R>, b: Vec3<R>) -> R {
    a.cross(b).norm().atan2(a.dot(b))
}

/// Dihedral (rad, −π to π) of atoms i, j, k, l with `b1` = r_j − r_i, `b2` = r_k − r_j, `b3` = r_l − r_k; trans is π,
/// clockwise looking from j to k positive (IUPAC).
#[inline(always)]
pub fn dihedral<R: Real>(b1: Vec3<R>, b2: Vec3<R>, b3: Vec3<R>) -> R {
    let (m, n) = (b1.cross(b2), b2.cross(b3));
    (b2.norm() * b1.dot(n)).atan2(m.dot(n))
}

/// The smallest normal number: added to a denominator it changes nothing but 0, and no sum of squares that is not zero
/// lies below.
const TINY: f64 = f64::MIN_POSITIVE;

/// The angle between `a` = r_i − r_j and `b` = r_k − r_j with its gradients with respect to `a` and `b` (rad/nm).
/// On a straight line every perpendicular direction is as good as any other, and the gradients are zero.
#[inline(always)]
pub fn angle_with_gradient<R: Real>(a: Vec3<R>, b: Vec3<R>) -> (R, [Vec3<R>; 2]) {
    let (tiny, zero) = (R::splat(TINY), R::splat(0.0));
    let c = a.cross(b);
    let (a2, b2, c2) = (a.norm2(), b.norm2(), c.norm2());
    let bent = c2 - R::splat(COLLINEAR) * a2 * b2;
    let length = c2.sqrt();
    // One division for 1/|c|a² and 1/|c|b².
    let inverse = bent.select_lt(tiny, zero, (length * a2 * b2 + tiny).recip());
    (length.atan2(a.dot(b)), [a.cross(c) * (inverse * b2), c.cross(b) * (inverse * a2)])
}

/// Cosine and sine of the dihedral of [`dihedral`], and its gradients with respect to the four atoms (rad/nm). Where
/// three atoms lie on a line (within 1e-4 rad) the dihedral is not defined, and the gradients are zero.
#[inline(always)]
pub fn dihedral_with_gradient<R: Real>(b1: Vec3<R>, b2: Vec3<R>, b3: Vec3<R>) -> ([R; 2], [Vec3<R>; 4]) {
    let (tiny, zero) = (R::splat(TINY), R::splat(0.0));
    let (m, n) = (b1.cross(b2), b2.cross(b3));
    let (m2, n2, l2) = (m.norm2(), n.norm2(), b2.norm2());
    let length = l2.sqrt();
    // One division for 1/m², 1/n² and 1/l².
    let mn2 = m2 * n2;
    let inverse = (mn2 * l2 + tiny).recip();
    let (inverse_m2, inverse_n2, inverse_l2) = (n2 * l2 * inverse, m2 * l2 * inverse, mn2 * inverse);
    let inverse_mn = (inverse_m2 * inverse_n2).sqrt();
    let cosine = mn2.select_lt(tiny, R::splat(1.0), m.dot(n) * inverse_mn);
    let sine = mn2.select_lt(tiny, zero, length * b1.dot(n) * inverse_mn);

    let bent_at_j = m2 - R::splat(UNDEFINED) * b1.norm2() * l2;
    let bent_at_k = n2 - R::splat(UNDEFINED) * b3.norm2() * l2;
    let defined = bent_at_j.select_lt(tiny, zero, bent_at_k.select_lt(tiny, zero, length));
    let at_i = m * (-defined * inverse_m2);
    let at_l = n * (defined * inverse_n2);
    // The inner atoms turn the two planes about the middle bond; together with the outer ones nothing moves or spins.
    let s = at_i * (b1.dot(b2) * inverse_l2) - at_l * (b3.dot(b2) * inverse_l2);
    ([cosine, sine], [at_i, -at_i - s, s - at_l, at_l])
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
    fn cosine_and_sine_are_those_of_the_dihedral() {
        let noise = amelo_math::philox::Noise::new(8, 90);
        for id in 0..500 {
            let [b1, b2, b3] = [0, 1, 2].map(|draw| noise.normal3(id, 0, draw));
            let ([cosine, sine], _) = dihedral_with_gradient(b1, b2, b3);
            assert!((sine.atan2(cosine) - dihedral(b1, b2, b3)).abs() < 1e-12);
            // Rounding of cross products of nearly parallel vectors.
            assert!((cosine * cosine + sine * sine - 1.0).abs() < 1e-11);
        }
        let x = Vec3::unit(0);
        assert_eq!(dihedral_with_gradient(x, x, Vec3::unit(1)).0, [1.0, 0.0]);
        assert_eq!(dihedral_with_gradient(x, Vec3::ZERO, x), ([1.0, 0.0], [Vec3::ZERO; 4]));
        assert_eq!(angle_with_gradient(Vec3::ZERO, x), (0.0, [Vec3::ZERO; 2]));
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

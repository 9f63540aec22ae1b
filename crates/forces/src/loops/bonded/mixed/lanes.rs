//! The arithmetic of sixteen interactions: distances, angles and dihedrals with their forces, as in
//! [`crate::bonded::geometry`], arranged for f32.

use amelo_math::lanes::Packet;

use crate::bonded::BondedForm;
use crate::loops::bonded::kernel::{Bend, Geometry, Stretch, Twist};
use crate::pair::{Distance, LennardJones, PairPotential};
use crate::{PairEval, coulomb};

/// sin² of an angle below which f32 loses too many digits: 1/1000 rad off the line.
const NEARLY_COLLINEAR: f64 = 1e-6;

pub(super) type Vector<L> = [L; 3];

/// What sixteen interactions come to.
pub(super) struct Evaluated<L, const N: usize> {
    pub energy: L,
    pub forces: [Vector<L>; N],
    /// Lanes whose numbers mean nothing. (So do those whose forces are not finite.)
    pub singular: u16,
}

/// [`Geometry`] on lanes.
pub(super) trait LaneGeometry<const N: usize>: Geometry<N> {
    /// From the vectors r_{m+1} − r_m between successive atoms.
    fn lanes<F: BondedForm, L: Packet>(form: &F, steps: &[Vector<L>; N]) -> Evaluated<L, N>;
}

impl LaneGeometry<2> for Stretch {
    #[inline(always)]
    fn lanes<F: BondedForm, L: Packet>(form: &F, [d, _]: &[Vector<L>; 2]) -> Evaluated<L, 2> {
        let r2 = dot(d, d);
        let inverse = r2.rsqrt();
        // A bond is stiff: the last digit of its length is worth the one step of Newton that makes √r² right.
        let nearly = r2 * inverse;
        let r = (inverse * L::splat(0.5)).mul_add(nearly.neg_mul_add(nearly, r2), nearly);
        let eval = form.eval(r);
        let on_i = scaled(d, eval.slope * inverse);
        Evaluated { energy: eval.energy, forces: [on_i, negative(&on_i)], singular: 0 }
    }
}

impl LaneGeometry<3> for Bend {
    /// With a, b from the vertex to the ends, θ is that of (|a × b|, a·b), and its gradient with respect to a is
    /// (a (a·b)/a² − b)/|a × b|.
    #[inline(always)]
    fn lanes<F: BondedForm, L: Packet>(form: &F, [to_j, to_k, _]: &[Vector<L>; 3]) -> Evaluated<L, 3> {
        let (a, b) = (negative(to_j), *to_k);
        let c = cross(&a, &b);
        let (a2, b2, c2, ab) = (dot(&a, &a), dot(&b, &b), dot(&c, &c), dot(&a, &b));
        let singular = c2.below(L::splat(NEARLY_COLLINEAR) * a2 * b2);
        let (inverse_a, inverse_b, inverse_c) = (a2.rsqrt(), b2.rsqrt(), c2.rsqrt());
        let eval = form.eval(L::angle(c2 * inverse_c, ab));
        let mut energy = eval.energy;
        let push = eval.slope * inverse_c;
        let (along_a, along_b) = (ab * (inverse_a * inverse_a), ab * (inverse_b * inverse_b));
        let mut on_i = scaled(&minus_scaled(&b, &a, along_a), push);
        let mut on_k = scaled(&minus_scaled(&a, &b, along_b), push);
        let ends = minus(&b, &a); // r_k − r_i
        let r2 = dot(&ends, &ends);
        let inverse = r2.rsqrt();
        if let Some(spring) = form.eval_ends(r2 * inverse) {
            energy = energy + spring.energy;
            let on_end = scaled(&ends, spring.slope * inverse);
            (on_i, on_k) = (plus(&on_i, &on_end), minus(&on_k, &on_end));
        }
        let on_j = negative(&plus(&on_i, &on_k));
        Evaluated { energy, forces: [on_i, on_j, on_k], singular }
    }
}

impl LaneGeometry<4> for Twist {
    #[inline(always)]
    fn lanes<F: BondedForm, L: Packet>(form: &F, [b1, b2, b3, _]: &[Vector<L>; 4]) -> Evaluated<L, 4> {
        let (m, n) = (cross(b1, b2), cross(b2, b3));
        let (m2, n2, l2) = (dot(&m, &m), dot(&n, &n), dot(b2, b2));
        let bound = L::splat(NEARLY_COLLINEAR) * l2;
        let singular = m2.below(bound * dot(b1, b1)) | n2.below(bound * dot(b3, b3));
        let (inverse_m, inverse_n, inverse_l) = (m2.rsqrt(), n2.rsqrt(), l2.rsqrt());
        let length = l2 * inverse_l;
        let inverse_mn = inverse_m * inverse_n;
        let eval = form.eval_torsion(dot(&m, &n) * inverse_mn, length * dot(b1, &n) * inverse_mn);
        let push = eval.slope * length;
        let on_i = scaled(&m, push * (inverse_m * inverse_m));
        let pull_l = push * (inverse_n * inverse_n);
        let on_l = negative(&scaled(&n, pull_l));
        let inverse_l2 = inverse_l * inverse_l;
        // The inner atoms turn the two planes about the middle bond; together with the outer ones nothing moves or spins.
        let s = minus_scaled(&scaled(&on_i, dot(b1, b2) * inverse_l2), &on_l, dot(b3, b2) * inverse_l2);
        let forces = [on_i, negative(&plus(&on_i, &s)), minus(&s, &on_l), on_l];
        Evaluated { energy: eval.energy, forces, singular }
    }
}

/// Van der Waals and Coulomb energy of scaled pairs r_j − r_i = `d`, and the forces on them.
#[inline(always)]
pub(super) fn pairs<L: Packet>(d: &Vector<L>, lennard_jones: [L; 2], qq: L) -> ([L; 2], [Vector<L>; 2]) {
    let at = Distance::of(dot(d, d));
    let vdw: PairEval<L> = LennardJones::eval(lennard_jones, &at);
    let coulomb = coulomb::plain(qq, &at);
    let on_j = scaled(d, vdw.force_over_r + coulomb.force_over_r);
    ([vdw.energy, coulomb.energy], [negative(&on_j), on_j])
}

#[inline(always)]
pub(super) fn dot<L: Packet>(a: &Vector<L>, b: &Vector<L>) -> L {
    a[2].mul_add(b[2], a[1].mul_add(b[1], a[0] * b[0]))
}

#[inline(always)]
fn cross<L: Packet>(a: &Vector<L>, b: &Vector<L>) -> Vector<L> {
    [a[1].mul_sub(b[2], a[2] * b[1]), a[2].mul_sub(b[0], a[0] * b[2]), a[0].mul_sub(b[1], a[1] * b[0])]
}

#[inline(always)]
pub(super) fn plus<L: Packet>(a: &Vector<L>, b: &Vector<L>) -> Vector<L> {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

#[inline(always)]
fn minus<L: Packet>(a: &Vector<L>, b: &Vector<L>) -> Vector<L> {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

/// a − b s.
#[inline(always)]
fn minus_scaled<L: Packet>(a: &Vector<L>, b: &Vector<L>, s: L) -> Vector<L> {
    [b[0].neg_mul_add(s, a[0]), b[1].neg_mul_add(s, a[1]), b[2].neg_mul_add(s, a[2])]
}

#[inline(always)]
fn scaled<L: Packet>(a: &Vector<L>, s: L) -> Vector<L> {
    [a[0] * s, a[1] * s, a[2] * s]
}

#[inline(always)]
fn negative<L: Packet>(a: &Vector<L>) -> Vector<L> {
    [-a[0], -a[1], -a[2]]
}

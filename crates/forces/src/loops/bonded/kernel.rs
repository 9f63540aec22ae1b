//! The innermost loops over the interactions of one chunk. Everything here is inlined into a function that is compiled
//! for one instruction set.

use std::array::from_fn;
use std::marker::PhantomData;

use amelo_core::{ForceError, NearestImage, Request, System};
use amelo_math::fixed::FixedVec3;
use amelo_math::lanes::{Job, Simd};
use amelo_math::{Mat3, Vec3};

use super::list::InteractionList;
use crate::bonded::geometry::{angle_with_gradient, dihedral_with_gradient};
use crate::bonded::{AnyForm, BondedForm, FormVisitor};
use crate::loops::batch::{Arrays, Lanes, WIDTH, ZERO, at, padded, total};

/// How N atoms make one internal coordinate.
pub(super) trait Geometry<const N: usize>: Sync {
    /// Energy, and the forces on the atoms, from the vectors r_{m+1} − r_m between successive ones.
    fn evaluate<F: BondedForm>(form: &F, steps: &[Vec3; N]) -> (f64, [Vec3; N]);
}

/// A distance.
pub(super) struct Stretch;
/// An angle.
pub(super) struct Bend;
/// A dihedral.
pub(super) struct Twist;

impl Geometry<2> for Stretch {
    #[inline(always)]
    fn evaluate<F: BondedForm>(form: &F, [d, _]: &[Vec3; 2]) -> (f64, [Vec3; 2]) {
        let r = d.norm();
        let eval = form.eval(r);
        let on_i = along(*d, r, eval.slope);
        (eval.energy, [on_i, -on_i])
    }
}

impl Geometry<3> for Bend {
    #[inline(always)]
    fn evaluate<F: BondedForm>(form: &F, [to_j, to_k, _]: &[Vec3; 3]) -> (f64, [Vec3; 3]) {
        let (a, b) = (-*to_j, *to_k); // from the vertex to both ends
        let (theta, [by_a, by_b]) = angle_with_gradient(a, b);
        let eval = form.eval(theta);
        let (mut on_i, mut on_k) = (by_a * -eval.slope, by_b * -eval.slope);
        let mut energy = eval.energy;
        let ends = b - a; // r_k − r_i
        if let Some(spring) = form.eval_ends(ends.norm()) {
            energy += spring.energy;
            let on_end = along(ends, ends.norm(), spring.slope);
            on_i += on_end;
            on_k -= on_end;
        }
        (energy, [on_i, -on_i - on_k, on_k])
    }
}

impl Geometry<4> for Twist {
    #[inline(always)]
    fn evaluate<F: BondedForm>(form: &F, [b1, b2, b3, _]: &[Vec3; 4]) -> (f64, [Vec3; 4]) {
        let ([cosine, sine], gradient) = dihedral_with_gradient(*b1, *b2, *b3);
        let eval = form.eval_torsion(cosine, sine);
        (eval.energy, gradient.map(|g| g * -eval.slope))
    }
}

/// `slope` along `d` of length `r`; two atoms on one spot have no direction to push in.
#[inline(always)]
fn along(d: Vec3, r: f64, slope: f64) -> Vec3 {
    d * (slope / (r + f64::MIN_POSITIVE))
}

/// What a chunk sums up.
#[derive(Default)]
pub(super) struct Sums {
    pub energy: f64,
    pub virial: Mat3,
}

/// The work on one chunk: adds to the forces, returns the sums. Energy and virial are zero where not wanted.
pub(super) struct Chunk<'a, A, G, const N: usize> {
    list: &'a InteractionList<A, N>,
    chunk: usize,
    system: &'a System,
    image: NearestImage,
    want: Request,
    forces: &'a mut [FixedVec3],
    geometry: PhantomData<G>,
}

impl<'a, A: AnyForm, G: Geometry<N>, const N: usize> Chunk<'a, A, G, N> {
    pub fn new(
        list: &'a InteractionList<A, N>,
        chunk: usize,
        system: &'a System,
        want: Request,
        forces: &'a mut [FixedVec3],
    ) -> Self {
        Chunk { list, chunk, system, image: system.cell.nearest_image(), want, forces, geometry: PhantomData }
    }
}

impl<A: AnyForm, G: Geometry<N>, const N: usize> Job for Chunk<'_, A, G, N> {
    type Output = Result<Sums, ForceError>;

    #[inline(always)]
    fn run<S: Simd>(self) -> Self::Output {
        let mut arrays = Arrays::ZERO;
        let mut sums = LaneSums { energy: ZERO, virial: [[ZERO; 3]; 3] };
        for (form, range) in &self.list.runs[self.list.chunks[self.chunk].clone()] {
            for atoms in self.list.atoms[range.clone()].chunks(WIDTH) {
                arrays.load(atoms, &self.image, &self.system.positions);
                let (n, want) = (atoms.len(), self.want);
                self.list.forms[*form].visit(Evaluate::<G, N> {
                    n,
                    want,
                    arrays: &mut arrays,
                    sums: &mut sums,
                    geometry: PhantomData,
                });
                arrays.store(self.list.key, atoms, self.forces)?;
            }
        }
        Ok(Sums { energy: sums.energy.iter().sum(), virial: total(&sums.virial) })
    }
}

/// Energies and virials of the interactions that had the same place in their batches.
struct LaneSums {
    energy: Lanes,
    virial: [[Lanes; 3]; 3],
}

/// Energies, forces and virials of the batch in `arrays`.
struct Evaluate<'a, G, const N: usize> {
    n: usize,
    want: Request,
    arrays: &'a mut Arrays<N>,
    sums: &'a mut LaneSums,
    geometry: PhantomData<G>,
}

impl<G: Geometry<N>, const N: usize> FormVisitor for Evaluate<'_, G, N> {
    type Output = ();

    #[inline(always)]
    fn visit<F: BondedForm>(self, form: &F) {
        let Evaluate { n, want, arrays, sums, .. } = self;
        for l in padded(n) {
            let (energy, forces) = G::evaluate(form, &from_fn(|m| at(&arrays.r[m], l)));
            sums.energy[l] += if l < n { energy } else { 0.0 };
            arrays.put(l, forces);
        }
        if want.virial {
            arrays.add_virial(n, &mut sums.virial);
        }
    }
}

//! Groups of N ≤ 3 constraints that meet in one atom, the hub: CH, CH₂, CH₃ and nearly everything else that has
//! hydrogen. Many of them are solved side by side: every quantity is an array over the groups of a batch, so that the
//! loops over a batch are the compiler's to vectorise.
//!
//! With the bonds d_k from the hub to end k the coupling is c_kl = 1/m_hub + δ_kl/m_k, and a correction g moves the hub
//! by −Σ_k g_k d_k/m_hub and end k by g_k d_k/m_k.

use std::array::from_fn;

use amelo_core::NearestImage;
use amelo_math::{Mat3, Vec3};

use super::{MAX_ITERATIONS, TOLERANCE, Violation, is_met};

/// Groups per batch: enough for the longest vectors, few enough that the arrays of a batch stay in the first cache.
pub(super) const WIDTH: usize = 64;

/// Lanes of the widest vectors: batches are filled up to a multiple of them with copies of their first group, so that no
/// loop has a rest.
const VECTOR: usize = 8;

/// One number per group.
type Lanes = [f64; WIDTH];
/// One vector per constraint and group.
type Vectors<const N: usize> = [[Lanes; 3]; N];

/// One group, its hub first in every constraint.
#[derive(Clone, Copy, Debug)]
pub(super) struct Star<const N: usize> {
    pub hub: u32,
    pub ends: [u32; N],
    pub hub_weight: f64,
    pub end_weights: [f64; N],
    pub lengths: [f64; N],
}

/// Up to [`WIDTH`] groups of N constraints each.
#[derive(Clone, Debug)]
pub(super) struct Stars<const N: usize> {
    n: usize,
    hub: [u32; WIDTH],
    ends: [[u32; WIDTH]; N],
    /// 1/m.
    hub_weight: Lanes,
    end_weights: [Lanes; N],
    lengths: [Lanes; N],
    /// ½/L².
    half_inverse_length2: [Lanes; N],
}

impl<const N: usize> Stars<N> {
    /// `groups` in batches. Atoms are indices into the arrays that the other functions take.
    pub fn batches(groups: &[Star<N>]) -> Vec<Self> {
        let batch = |groups: &[Star<N>]| {
            let filler = std::iter::repeat_n(&groups[0], WIDTH - groups.len());
            let mut stars = Stars {
                n: groups.len(),
                hub: [0; WIDTH],
                ends: [[0; WIDTH]; N],
                hub_weight: [0.0; WIDTH],
                end_weights: [[0.0; WIDTH]; N],
                lengths: [[0.0; WIDTH]; N],
                half_inverse_length2: [[0.0; WIDTH]; N],
            };
            for (g, star) in groups.iter().chain(filler).enumerate() {
                (stars.hub[g], stars.hub_weight[g]) = (star.hub, star.hub_weight);
                for k in 0..N {
                    stars.ends[k][g] = star.ends[k];
                    stars.end_weights[k][g] = star.end_weights[k];
                    stars.lengths[k][g] = star.lengths[k];
                    stars.half_inverse_length2[k][g] = 0.5 / (star.lengths[k] * star.lengths[k]);
                }
            }
            stars
        };
        groups.chunks(WIDTH).map(batch).collect()
    }

    /// The groups of this batch; written so that the compiler knows that the arrays hold them.
    #[inline(always)]
    fn groups(&self) -> std::ops::Range<usize> {
        0..self.n.min(WIDTH)
    }

    /// These and as many copies of the first as fill the vectors.
    #[inline(always)]
    fn padded(&self) -> std::ops::Range<usize> {
        0..self.n.min(WIDTH).div_ceil(VECTOR) * VECTOR
    }

    /// End minus hub of any per-atom vector.
    #[inline(always)]
    fn differences(&self, vectors: &[Vec3]) -> Vectors<N> {
        let mut u = [[[0.0; WIDTH]; 3]; N];
        for g in self.padded() {
            let hub = vectors[self.hub[g] as usize];
            for k in 0..N {
                let difference = vectors[self.ends[k][g] as usize] - hub;
                (u[k][0][g], u[k][1][g], u[k][2][g]) = (difference.x, difference.y, difference.z);
            }
        }
        u
    }

    /// d_k = r_k − r_hub.
    #[inline(always)]
    fn bonds(&self, image: &NearestImage, positions: &[Vec3]) -> Vectors<N> {
        let mut d = self.differences(positions);
        for [x, y, z] in &mut d {
            for g in self.padded() {
                let nearest = image.of(Vec3::new(x[g], y[g], z[g]));
                (x[g], y[g], z[g]) = (nearest.x, nearest.y, nearest.z);
            }
        }
        d
    }

    /// c_kl of group `g`.
    #[inline(always)]
    fn coupling(&self, g: usize, k: usize, l: usize) -> f64 {
        if k == l { self.hub_weight[g] + self.end_weights[k][g] } else { self.hub_weight[g] }
    }

    /// Solves Σ_l c_kl (d_k·d_l) x_l = b_k. A singular group gets no correction; positions then report it.
    #[inline(always)]
    fn multipliers(&self, g: usize, d: &[Vec3; N], b: [f64; N]) -> [f64; N] {
        let mut a = [[0.0; N]; N];
        for k in 0..N {
            for l in 0..N {
                a[k][l] = self.coupling(g, k, l) * d[k].dot(d[l]);
            }
        }
        let x = solve(a, b);
        if x.iter().sum::<f64>().is_finite() { x } else { [0.0; N] }
    }

    /// Adds `scale` times the corrections along `d` with the factors `x` to the atoms' `vectors`.
    #[inline(always)]
    fn add(&self, d: &Vectors<N>, x: &[Lanes; N], scale: f64, vectors: &mut [Vec3]) {
        let mut hubs = [[0.0; WIDTH]; 3];
        let mut ends = [[[0.0; WIDTH]; 3]; N];
        for g in self.padded() {
            let (mut along, mut hub) = ([Vec3::ZERO; N], Vec3::ZERO);
            for k in 0..N {
                along[k] = at(&d[k], g) * (scale * x[k][g]);
                hub += along[k];
            }
            hub = hub * self.hub_weight[g];
            (hubs[0][g], hubs[1][g], hubs[2][g]) = (hub.x, hub.y, hub.z);
            for k in 0..N {
                let end = along[k] * self.end_weights[k][g];
                (ends[k][0][g], ends[k][1][g], ends[k][2][g]) = (end.x, end.y, end.z);
            }
        }
        for g in self.groups() {
            vectors[self.hub[g] as usize] -= at(&hubs, g);
            for k in 0..N {
                vectors[self.ends[k][g] as usize] += at(&ends[k], g);
            }
        }
    }

    /// Takes from `vectors` what would change a constrained distance.
    #[inline(always)]
    pub fn project(&self, image: &NearestImage, positions: &[Vec3], vectors: &mut [Vec3]) {
        let d = self.bonds(image, positions);
        let u = self.differences(vectors);
        let mut x = [[0.0; WIDTH]; N];
        for g in self.padded() {
            let d = all_at(&d, g);
            let mut b = [0.0; N];
            for k in 0..N {
                b[k] = -d[k].dot(at(&u[k], g));
            }
            let found = self.multipliers(g, &d, b);
            for k in 0..N {
                x[k][g] = found[k];
            }
        }
        self.add(&d, &x, 1.0, vectors);
    }

    /// Corrects `velocities` so that a move by `time` times these meets the constraints, by Newton's iteration for
    /// |e_k(λ)|² = L_k², e_k = d_k + time·u_k + Σ_l c_kl λ_l d_l.
    #[inline(always)]
    pub fn constrain(
        &self,
        image: &NearestImage,
        positions: &[Vec3],
        velocities: &mut [Vec3],
        time: f64,
    ) -> Result<(), Violation> {
        let d = self.bonds(image, positions);
        let mut start = self.differences(velocities);
        for k in 0..N {
            for axis in 0..3 {
                for g in self.padded() {
                    start[k][axis][g] = d[k][axis][g] + time * start[k][axis][g];
                }
            }
        }
        let mut lambda = [[0.0; WIDTH]; N];
        let mut previous = [f64::INFINITY; WIDTH];
        for _ in 0..MAX_ITERATIONS {
            let mut open = 0u64;
            for g in self.padded() {
                let bonds = all_at(&d, g);
                let mut now = [0.0; N];
                for k in 0..N {
                    now[k] = lambda[k][g];
                }
                let e = self.moved(g, &bonds, &start, &now);
                // A sum, because it lets no NaN pass.
                let (mut b, mut error) = ([0.0; N], 0.0);
                for k in 0..N {
                    b[k] = self.lengths[k][g] * self.lengths[k][g] - e[k].norm2();
                    error += (b[k] * self.half_inverse_length2[k][g]).abs();
                }
                // A group that is met stays as it is while its neighbours go on.
                let met = is_met(error, previous[g]);
                previous[g] = if met { previous[g] } else { error };
                let mut a = [[0.0; N]; N];
                for k in 0..N {
                    for l in 0..N {
                        a[k][l] = 2.0 * self.coupling(g, k, l) * e[k].dot(bonds[l]);
                    }
                }
                let step = solve(a, b);
                for k in 0..N {
                    lambda[k][g] = if met { now[k] } else { now[k] + step[k] };
                }
                open += u64::from(!met);
            }
            if open == 0 {
                self.add(&d, &lambda, 1.0 / time, velocities);
                return Ok(());
            }
        }
        Err(self.violation(&d, &start, &lambda))
    }

    /// e_k of group `g`.
    #[inline(always)]
    fn moved(&self, g: usize, d: &[Vec3; N], start: &Vectors<N>, lambda: &[f64; N]) -> [Vec3; N] {
        let mut hub = Vec3::ZERO;
        for l in 0..N {
            hub += d[l] * lambda[l];
        }
        hub = hub * self.hub_weight[g];
        let mut moved = [Vec3::ZERO; N];
        for k in 0..N {
            moved[k] = at(&start[k], g) + hub + d[k] * (lambda[k] * self.end_weights[k][g]);
        }
        moved
    }

    /// The worst constraint of the first group that is not met.
    fn violation(&self, d: &Vectors<N>, start: &Vectors<N>, lambda: &[Lanes; N]) -> Violation {
        let of = |g: usize| {
            let e = self.moved(g, &from_fn(|k| at(&d[k], g)), start, &from_fn(|k| lambda[k][g]));
            (0..N).map(move |k| Violation {
                atoms: [self.hub[g], self.ends[k][g]],
                length: self.lengths[k][g],
                found: e[k].norm(),
            })
        };
        let worst = |g: usize| Violation::worst(of(g));
        let failed = self.groups().map(worst).find(|v| v.error().is_nan() || v.error() > 10.0 * TOLERANCE);
        failed.unwrap_or_else(|| worst(0))
    }

    /// Virial (kJ/mol) of the constraint forces; `forces` and `velocities` as in
    /// [`super::ConstraintSolver::forces`].
    #[inline(always)]
    pub fn virial(
        &self,
        image: &NearestImage,
        positions: &[Vec3],
        velocities: &[Vec3],
        forces: &[Vec3],
        timestep: f64,
    ) -> Mat3 {
        let d = self.bonds(image, positions);
        let u = self.differences(velocities);
        let mut sum = Mat3::ZERO;
        for g in self.groups() {
            let d: [Vec3; N] = from_fn(|k| at(&d[k], g));
            let hub = forces[self.hub[g] as usize] * self.hub_weight[g];
            let mut a: [Vec3; N] = from_fn(|k| forces[self.ends[k][g] as usize] * self.end_weights[k][g] - hub);
            let hold = self.multipliers(g, &d, from_fn(|k| -d[k].dot(a[k])));
            let pull = (0..N).fold(Vec3::ZERO, |sum, l| sum + d[l] * hold[l]) * self.hub_weight[g];
            for k in 0..N {
                a[k] += d[k] * (hold[k] * self.end_weights[k][g]) + pull;
            }
            let quarter = 0.25 * timestep * timestep;
            let turn = self.multipliers(g, &d, from_fn(|k| -(at(&u[k], g).norm2() + quarter * a[k].norm2())));
            for k in 0..N {
                sum += d[k].outer(d[k]) * (hold[k] + turn[k]);
            }
        }
        sum
    }
}

/// The vector of group `g`.
#[inline(always)]
fn at(v: &[Lanes; 3], g: usize) -> Vec3 {
    Vec3::new(v[0][g], v[1][g], v[2][g])
}

/// The vectors of group `g`. (Loops and no closures: one that is not inlined would lose the instruction set.)
#[inline(always)]
fn all_at<const N: usize>(v: &Vectors<N>, g: usize) -> [Vec3; N] {
    let mut all = [Vec3::ZERO; N];
    for k in 0..N {
        all[k] = at(&v[k], g);
    }
    all
}

/// Solves a x = b by elimination. The pivots stand on the diagonal, which outweighs the rest: a hub shares 1/m_hub among
/// its constraints, and each has its own end's 1/m_k beside.
#[inline(always)]
fn solve<const N: usize>(mut a: [[f64; N]; N], mut b: [f64; N]) -> [f64; N] {
    let mut inverse = [0.0; N];
    for k in 0..N {
        inverse[k] = 1.0 / a[k][k];
        for i in k + 1..N {
            let factor = a[i][k] * inverse[k];
            for j in k + 1..N {
                a[i][j] -= factor * a[k][j];
            }
            b[i] -= factor * b[k];
        }
    }
    for k in (0..N).rev() {
        for j in k + 1..N {
            b[k] -= a[k][j] * b[j];
        }
        b[k] *= inverse[k];
    }
    b
}

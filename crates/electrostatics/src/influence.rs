//! The influence function of smooth particle-mesh Ewald: from the charge of a mesh wave to its potential.
//!
//! C(m) = (4π k_e/V) exp(−k²/4β²)/k² |b₁ b₂ b₃|² for m ≠ 0, and U = ½ Σ_m C(m) |Q̂(m)|².
//! U. Essmann et al., J. Chem. Phys. 103, 8577 (1995), doi:10.1063/1.470117, eqs. 4.7 and 4.8.

use amelo_core::units::COULOMB;
use amelo_core::{Cell, Request};
use amelo_math::lanes::{Isa, Job, Simd, dispatch};
use amelo_math::{Mat3, Vec3, special};
use rayon::prelude::*;
use rustfft::num_complex::Complex;

use crate::bspline::inverse_smoothing;
use crate::corrections::Waves;
use crate::number::MeshNumber;

/// Waves summed side by side.
const LANES: usize = 8;

/// C(m) of the last cell seen.
pub struct Influence<T> {
    isa: Isa,
    beta: f64,
    n: [usize; 3],
    /// |b(m)|² along a, b, c.
    inverse_smoothing: [Vec<f64>; 3],
    /// Wave numbers along a with their signs, padded to whole lanes.
    signed_a: Vec<f64>,
    cell: Option<Cell>,
    /// Rows 2π a*, 2π b*, 2π c* (nm⁻¹).
    reciprocal: Mat3,
    /// [wave c][wave b][wave a], zero at m = 0.
    factor: Vec<T>,
}

impl<T: MeshNumber> Influence<T> {
    pub fn new<const P: usize>(n: [usize; 3], beta: f64, isa: Isa) -> Self {
        Influence {
            isa,
            beta,
            n,
            inverse_smoothing: n.map(inverse_smoothing::<P>),
            signed_a: (0..n[0].next_multiple_of(LANES)).map(|m| signed(m, n[0])).collect(),
            cell: None,
            reciprocal: Mat3::ZERO,
            factor: vec![T::zero(); n[0] * n[1] * (n[2] / 2 + 1)],
        }
    }

    /// Makes this the function of `cell`.
    pub fn update(&mut self, cell: Cell) {
        if self.cell == Some(cell) {
            return;
        }
        let [na, nb, _] = self.n;
        let reciprocal = cell.vectors().inverse().transpose() * (2.0 * std::f64::consts::PI);
        let prefactor = 4.0 * std::f64::consts::PI * COULOMB / cell.volume();
        let (n, smoothing, beta) = (self.n, &self.inverse_smoothing, self.beta);
        // Anything below is no potential, but would make the arithmetic of f32 crawl through subnormal numbers.
        let least = 1e-30;
        self.factor.par_chunks_mut(na * nb).enumerate().for_each(|(c, plane)| {
            for (i, factor) in plane.iter_mut().enumerate() {
                let m = [i % na, i / na, c];
                let k2 = wave_vector(&reciprocal, m, n).norm2();
                let b2: f64 = (0..3).map(|axis| smoothing[axis][m[axis]]).product();
                let value = prefactor * b2 * special::exp(-k2 / (4.0 * beta * beta)) / k2;
                *factor = T::nearest(if m == [0, 0, 0] || value < least { 0.0 } else { value });
            }
        });
        (self.cell, self.reciprocal) = (Some(cell), reciprocal);
    }

    /// Rows: gradients of the mesh coordinates u = n s (nm⁻¹).
    pub fn mesh_gradients(&self) -> [Vec3; 3] {
        let turn = 0.5 / std::f64::consts::PI;
        [0, 1, 2].map(|axis| self.reciprocal.rows[axis] * (turn * self.n[axis] as f64))
    }

    /// Charge to potential for the waves of number `c` along c ([wave b][wave a]); their energy and virial where asked.
    pub fn apply(&self, c: usize, plane: &mut [Complex<T>], want: Request) -> Waves {
        dispatch(self.isa, Apply { influence: self, c, plane, want })
    }

    #[inline(always)]
    fn apply_with(&self, c: usize, plane: &mut [Complex<T>], want: Request) -> Waves {
        let [na, nb, _] = self.n;
        let factor = &self.factor[c * na * nb..][..na * nb];
        let waves = if want.energy || want.virial { self.waves(c, plane, factor) } else { Waves::default() };
        for (q, &f) in plane.iter_mut().zip(factor) {
            *q = Complex::new(q.re * f, q.im * f);
        }
        waves
    }

    /// W = Σ U [1 − 2 k⊗k (1/k² + 1/4β²)] (see [`Waves::add`]), k = Σ m_i 2π a_i*: the second moments of m first.
    #[inline(always)]
    fn waves(&self, c: usize, plane: &[Complex<T>], factor: &[T]) -> Waves {
        let [na, nb, nc] = self.n;
        // A wave inside the half spectrum stands for its conjugate too; those with m_c = n_c/2 are zero.
        let copies = if c == 0 || 2 * c == nc { 1.0 } else { 2.0 };
        let (mc, mut energy, mut moments) = (signed(c, nc), 0.0, Mat3::ZERO);
        for (b, (line, factor)) in plane.chunks_exact(na).zip(factor.chunks_exact(na)).enumerate() {
            let mb = signed(b, nb);
            let [total, s0, s1, s2] = self.row_sums(self.reciprocal.vec_mul(Vec3::new(0.0, mb, mc)), line, factor);
            energy += total;
            // Symmetric: the lower triangle is enough.
            moments[(0, 0)] += s2;
            moments[(1, 0)] += mb * s1;
            moments[(1, 1)] += mb * mb * s0;
            moments[(2, 0)] += mc * s1;
            moments[(2, 1)] += mc * mb * s0;
            moments[(2, 2)] += mc * mc * s0;
        }
        for (row, column) in [(0, 1), (0, 2), (1, 2)] {
            moments[(row, column)] = moments[(column, row)];
        }
        let scale = 0.5 * copies;
        let stretch = self.reciprocal.transpose() * moments * self.reciprocal;
        Waves { energy: scale * energy, virial: (Mat3::IDENTITY * energy + stretch * -2.0) * scale }
    }

    /// Σ e, and Σ e m_aᵖ (1/k² + 1/4β²) for p = 0, 1, 2, over the waves of a row, e = C |Q̂|², k = `k0` + m_a 2π a*.
    #[inline(always)]
    fn row_sums(&self, k0: Vec3, line: &[Complex<T>], factor: &[T]) -> [f64; 4] {
        let (ka, quarter) = (self.reciprocal.rows[0], 0.25 / (self.beta * self.beta));
        let mut sums = [[0.0; LANES]; 4];
        let chunks = line.chunks(LANES).zip(factor.chunks(LANES)).zip(self.signed_a.chunks_exact(LANES));
        for ((q, f), m) in chunks {
            let mut e = [0.0; LANES];
            for ((e, q), f) in e.iter_mut().zip(q).zip(f) {
                let (re, im) = (q.re.widened(), q.im.widened());
                *e = f.widened() * (re * re + im * im);
            }
            for l in 0..LANES {
                let k2 = (k0 + ka * m[l]).norm2();
                let stretch = if k2 > 0.0 { e[l] * (1.0 / k2 + quarter) } else { 0.0 };
                sums[0][l] += e[l];
                sums[1][l] += stretch;
                sums[2][l] += stretch * m[l];
                sums[3][l] += stretch * m[l] * m[l];
            }
        }
        sums.map(|lanes| lanes.iter().sum())
    }
}

/// [`Influence::apply`] as a job.
struct Apply<'a, T> {
    influence: &'a Influence<T>,
    c: usize,
    plane: &'a mut [Complex<T>],
    want: Request,
}

impl<T: MeshNumber> Job for Apply<'_, T> {
    type Output = Waves;

    #[inline(always)]
    fn run<S: Simd>(self) -> Waves {
        self.influence.apply_with(self.c, self.plane, self.want)
    }
}

/// Wave number `m` of `n` with its sign, the upper half standing for negative numbers.
#[inline(always)]
fn signed(m: usize, n: usize) -> f64 {
    if 2 * m > n { m as f64 - n as f64 } else { m as f64 }
}

/// The wave vector (nm⁻¹) of mesh wave `m`.
#[inline(always)]
fn wave_vector(reciprocal: &Mat3, m: [usize; 3], n: [usize; 3]) -> Vec3 {
    reciprocal.vec_mul(Vec3::new(signed(m[0], n[0]), signed(m[1], n[1]), signed(m[2], n[2])))
}

//! The convolution on a periodic mesh: forward FFT of real data, a factor per wave, inverse FFT.
//!
//! Three passes over planes (c and b within a plane of constant a; a within a plane of constant wave number along
//! c; back), each plane by one task. A plane's result depends on that plane alone, so the bits do not depend on the
//! number of threads.

use std::sync::Arc;

use rayon::prelude::*;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

type C = Complex<f64>;
const ZERO: C = C { re: 0.0, im: 0.0 };

/// Plans and work space for one mesh.
pub struct MeshFft {
    /// Mesh points along a, b, c.
    n: [usize; 3],
    /// Wave numbers kept along c: n_c/2 + 1, the rest are complex conjugates.
    half: usize,
    forward_c: Arc<dyn RealToComplex<f64>>,
    inverse_c: Arc<dyn ComplexToReal<f64>>,
    forward_b: Arc<dyn Fft<f64>>,
    inverse_b: Arc<dyn Fft<f64>>,
    forward_a: Arc<dyn Fft<f64>>,
    inverse_a: Arc<dyn Fft<f64>>,
    /// [a][wave c][wave b]
    by_a: Vec<C>,
    /// [wave c][a][wave b]
    by_c: Vec<C>,
}

impl MeshFft {
    pub fn new(n: [usize; 3]) -> Self {
        let half = n[2] / 2 + 1;
        let (mut real, mut complex) = (RealFftPlanner::new(), FftPlanner::new());
        MeshFft {
            n,
            half,
            forward_c: real.plan_fft_forward(n[2]),
            inverse_c: real.plan_fft_inverse(n[2]),
            forward_b: complex.plan_fft_forward(n[1]),
            inverse_b: complex.plan_fft_inverse(n[1]),
            forward_a: complex.plan_fft_forward(n[0]),
            inverse_a: complex.plan_fft_inverse(n[0]),
            by_a: vec![ZERO; n[0] * half * n[1]],
            by_c: vec![ZERO; n[0] * half * n[1]],
        }
    }

    /// Number of planes of constant wave number along c.
    pub fn planes(&self) -> usize {
        self.half
    }

    /// Transforms `mesh` ([a][b][c]), lets `apply` change the plane of each wave number along c ([wave b][wave a]),
    /// transforms back without normalisation. Returns what `apply` returned, by plane.
    pub fn convolve<T: Send>(&mut self, mesh: &mut [f64], apply: impl Fn(usize, &mut [C]) -> T + Sync) -> Vec<T> {
        let ([na, nb, nc], half) = (self.n, self.half);
        let (forward_c, inverse_c) = (&self.forward_c, &self.inverse_c);

        self.by_a.par_chunks_mut(half * nb).zip(mesh.par_chunks_mut(nb * nc)).for_each_init(
            || (vec![ZERO; half], forward_c.make_scratch_vec(), vec![ZERO; self.forward_b.get_inplace_scratch_len()]),
            |(row, scratch_c, scratch_b), (plane, real)| {
                for (b, line) in real.chunks_exact_mut(nc).enumerate() {
                    forward_c.process_with_scratch(line, row, scratch_c).expect("lengths are those of the plan");
                    for (k, v) in row.iter().enumerate() {
                        plane[k * nb + b] = *v;
                    }
                }
                self.forward_b.process_with_scratch(plane, scratch_b);
            },
        );

        let by_a = &self.by_a;
        let scratch_a = self.forward_a.get_inplace_scratch_len().max(self.inverse_a.get_inplace_scratch_len());
        let results = self
            .by_c
            .par_chunks_mut(na * nb)
            .enumerate()
            .map_init(
                || (vec![ZERO; na * nb], vec![ZERO; scratch_a]),
                |(turned, scratch), (k, plane)| {
                    for a in 0..na {
                        let line = &by_a[(a * half + k) * nb..][..nb];
                        for (b, v) in line.iter().enumerate() {
                            turned[b * na + a] = *v;
                        }
                    }
                    self.forward_a.process_with_scratch(turned, scratch);
                    let result = apply(k, turned);
                    self.inverse_a.process_with_scratch(turned, scratch);
                    for (a, line) in plane.chunks_exact_mut(nb).enumerate() {
                        for (b, v) in line.iter_mut().enumerate() {
                            *v = turned[b * na + a];
                        }
                    }
                    result
                },
            )
            .collect();

        let by_c = &self.by_c;
        self.by_a.par_chunks_mut(half * nb).zip(mesh.par_chunks_mut(nb * nc)).enumerate().for_each_init(
            || (vec![ZERO; half], inverse_c.make_scratch_vec(), vec![ZERO; self.inverse_b.get_inplace_scratch_len()]),
            |(row, scratch_c, scratch_b), (a, (plane, real))| {
                for (k, line) in plane.chunks_exact_mut(nb).enumerate() {
                    line.copy_from_slice(&by_c[(k * na + a) * nb..][..nb]);
                }
                self.inverse_b.process_with_scratch(plane, scratch_b);
                for (b, line) in real.chunks_exact_mut(nc).enumerate() {
                    for (k, v) in row.iter_mut().enumerate() {
                        *v = plane[k * nb + b];
                    }
                    // Real up to rounding, and the transform insists on exactly so.
                    row[0].im = 0.0;
                    if nc % 2 == 0 {
                        row[half - 1].im = 0.0;
                    }
                    inverse_c.process_with_scratch(row, line, scratch_c).expect("lengths are those of the plan");
                }
            },
        );
        results
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back_is_the_number_of_points() {
        for n in [[4, 6, 5], [5, 3, 8]] {
            let points = n[0] * n[1] * n[2];
            let original: Vec<f64> = (0..points).map(|i| ((i * 37) % 101) as f64 - 50.0).collect();
            let mut mesh = original.clone();
            MeshFft::new(n).convolve(&mut mesh, |_, _| ());
            for (a, b) in mesh.iter().zip(&original) {
                assert!((a - b * points as f64).abs() < 1e-10);
            }
        }
    }

    // A single plane wave must come out in the one place where the definition puts it.
    #[test]
    fn a_wave_lands_on_its_wave_number() {
        let (n, m) = ([6, 8, 10], [2, 5, 3]);
        let mut mesh = vec![0.0; 480];
        for a in 0..6 {
            for b in 0..8 {
                for c in 0..10 {
                    let turns = (m[0] * a) as f64 / 6.0 + (m[1] * b) as f64 / 8.0 + (m[2] * c) as f64 / 10.0;
                    mesh[(a * 8 + b) * 10 + c] = amelo_math::special::cos(2.0 * std::f64::consts::PI * turns);
                }
            }
        }
        let large = MeshFft::new(n).convolve(&mut mesh, |k, plane| {
            let over = plane.iter().enumerate().filter(|(_, v)| v.norm() > 1e-9);
            over.map(|(i, v)| ([i % 6, i / 6, k], *v)).collect::<Vec<_>>()
        });
        let large: Vec<_> = large.into_iter().flatten().collect();
        assert_eq!(large.len(), 1, "{large:?}");
        assert_eq!(large[0].0, m);
        assert!((large[0].1 - Complex::new(240.0, 0.0)).norm() < 1e-10);
    }
}

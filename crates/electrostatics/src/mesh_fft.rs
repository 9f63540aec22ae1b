//! The convolution on a periodic mesh: forward FFT of real data, a factor per wave, inverse FFT.
//!
//! Three passes over planes (c and b within a plane of constant a; a within a plane of constant wave number along
//! c; back). Two real rows at a time are transformed along c as real and imaginary part of one: their spectra
//! separate by symmetry, X(k) = [Z(k) + Z*(−k)]/2 and Y(k) = [Z(k) − Z*(−k)]/2i. A plane's result depends on that
//! plane alone, and planes are grouped into tasks by the mesh, so the bits do not depend on the number of threads.

use std::sync::{Arc, Mutex, PoisonError};

use amelo_math::lanes::Isa;
use rayon::prelude::*;
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftDirection, FftPlanner, FftPlannerScalar};

use crate::number::MeshNumber;

/// Tasks of a pass: enough for many threads, few enough that planes next to each other stay together.
const TASKS: usize = 24;

/// Complex numbers, and a plane of real ones.
type Room<T> = (Vec<Complex<T>>, Vec<T>);

/// Plans and work space for one mesh.
pub struct MeshFft<T> {
    /// Mesh points along a, b, c.
    n: [usize; 3],
    /// Wave numbers kept along c: n_c/2 + 1, the rest are complex conjugates.
    half: usize,
    forward: [Arc<dyn Fft<T>>; 3],
    inverse: [Arc<dyn Fft<T>>; 3],
    /// [a][wave c][wave b]
    waves: Vec<Complex<T>>,
    /// Complex numbers that a task needs: a plane, and what the library asks for.
    scratch_len: usize,
    /// Work space that no task has at the moment: as many as there were threads at once.
    rooms: Mutex<Vec<Room<T>>>,
}

impl<T: MeshNumber> MeshFft<T> {
    pub fn new(n: [usize; 3], isa: Isa) -> Self {
        let half = n[2] / 2 + 1;
        // The library's own choice of instructions, AVX where there is any, except where plain ones are asked for.
        let (mut scalar, mut best) = (FftPlannerScalar::new(), FftPlanner::new());
        let mut plan = |n, direction| match isa {
            Isa::Portable => scalar.plan_fft(n, direction),
            Isa::Avx2 | Isa::Avx512 => best.plan_fft(n, direction),
        };
        let forward = n.map(|n| plan(n, FftDirection::Forward));
        let inverse = n.map(|n| plan(n, FftDirection::Inverse));
        let plans = forward.iter().chain(&inverse);
        let plan_scratch = plans.map(|plan| plan.get_inplace_scratch_len()).max().unwrap_or(0);
        let scratch_len = (n[1].div_ceil(2) * n[2]).max(n[0] * n[1]) + plan_scratch;
        let zero = Complex::new(T::zero(), T::zero());
        MeshFft {
            n,
            half,
            forward,
            inverse,
            waves: vec![zero; n[0] * half * n[1]],
            scratch_len,
            rooms: Mutex::default(),
        }
    }

    /// Number of planes of constant wave number along c.
    pub fn planes(&self) -> usize {
        self.half
    }

    /// Lends `work` a work space with `plane` real numbers.
    fn with_room(&self, plane: usize, work: impl FnOnce(&mut Room<T>)) {
        let rooms = || self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        let empty = || (vec![Complex::new(T::zero(), T::zero()); self.scratch_len], Vec::new());
        let mut room = rooms().pop().unwrap_or_else(empty);
        if room.1.len() < plane {
            room.1.resize(plane, T::zero());
        }
        work(&mut room);
        rooms().push(room);
    }

    /// Lets `fill` write every plane of the mesh (n_a planes of `plane` numbers, rows along c `row` numbers apart, at
    /// least n_b of them), transforms, and lets `apply` change the plane of each wave number along c ([wave b][wave
    /// a]). `sums` takes what `apply` returned, one entry per plane along c.
    pub fn transform<S: Send>(
        &mut self,
        plane: usize,
        row: usize,
        fill: impl Fn(usize, &mut [T]) + Sync,
        apply: impl Fn(usize, &mut [Complex<T>]) -> S + Sync,
        sums: &mut [S],
    ) {
        let ([na, nb, nc], half) = (self.n, self.half);
        let (packed_len, planes) = (nb.div_ceil(2) * nc, na.div_ceil(TASKS));
        let mut waves = std::mem::take(&mut self.waves);
        let (forward, inverse) = (&self.forward, &self.inverse);

        let tasks = waves.par_chunks_mut(planes * half * nb).enumerate();
        tasks.for_each(|(task, waves)| {
            self.with_room(plane, |(scratch, real)| {
                let real = &mut real[..plane];
                let (packed, scratch) = scratch.split_at_mut(packed_len);
                for (i, waves) in waves.chunks_mut(half * nb).enumerate() {
                    fill(task * planes + i, real);
                    pack(real, row, self.n, packed);
                    forward[2].process_with_scratch(packed, scratch);
                    separate(packed, self.n, waves);
                    forward[1].process_with_scratch(waves, scratch);
                }
            });
        });

        // The lines along b of every wave number along c.
        let mut lines: Vec<Vec<&mut [Complex<T>]>> = (0..half).map(|_| Vec::with_capacity(na)).collect();
        for (at, line) in waves.chunks_exact_mut(nb).enumerate() {
            lines[at % half].push(line);
        }
        let planes_c = half.div_ceil(TASKS);
        let tasks = lines.par_chunks_mut(planes_c).zip(sums.par_chunks_mut(planes_c)).enumerate();
        tasks.for_each(|(task, (planes, sums))| {
            self.with_room(0, |(scratch, _)| {
                let (turned, scratch) = scratch.split_at_mut(na * nb);
                for (i, (lines, sum)) in planes.iter_mut().zip(sums).enumerate() {
                    turn(lines, turned);
                    forward[0].process_with_scratch(turned, scratch);
                    *sum = apply(task * planes_c + i, turned);
                    inverse[0].process_with_scratch(turned, scratch);
                    turn_back(turned, lines);
                }
            });
        });
        self.waves = waves;
    }

    /// Transforms back what [`Self::transform`] left, without normalisation, to the planes of `mesh`, rows along c
    /// `row` numbers apart, and lets `finish` read or pad every plane.
    pub fn transform_back(&mut self, mesh: &mut [T], row: usize, finish: impl Fn(&mut [T]) + Sync) {
        let ([na, nb, nc], half) = (self.n, self.half);
        let (packed_len, plane, planes) = (nb.div_ceil(2) * nc, mesh.len() / na, na.div_ceil(TASKS));
        let mut waves = std::mem::take(&mut self.waves);
        let inverse = &self.inverse;
        let tasks = waves.par_chunks_mut(planes * half * nb).zip(mesh.par_chunks_mut(planes * plane));
        tasks.for_each(|(waves, mesh)| {
            self.with_room(0, |(scratch, _)| {
                let (packed, scratch) = scratch.split_at_mut(packed_len);
                for (waves, real) in waves.chunks_mut(half * nb).zip(mesh.chunks_mut(plane)) {
                    inverse[1].process_with_scratch(waves, scratch);
                    join(waves, self.n, packed);
                    inverse[2].process_with_scratch(packed, scratch);
                    unpack(packed, row, self.n, real);
                    finish(real);
                }
            });
        });
        self.waves = waves;
    }
}

/// Rows 2p and 2p + 1 as real and imaginary part of the p-th packed row; an odd last row with zeros.
fn pack<T: MeshNumber>(real: &[T], row: usize, [_, nb, nc]: [usize; 3], packed: &mut [Complex<T>]) {
    for (pair, line) in packed.chunks_exact_mut(nc).enumerate() {
        let x = &real[2 * pair * row..][..nc];
        if 2 * pair + 1 < nb {
            let y = &real[(2 * pair + 1) * row..][..nc];
            for ((z, x), y) in line.iter_mut().zip(x).zip(y) {
                *z = Complex::new(*x, *y);
            }
        } else {
            for (z, x) in line.iter_mut().zip(x) {
                *z = Complex::new(*x, T::zero());
            }
        }
    }
}

/// The opposite of [`pack`].
fn unpack<T: MeshNumber>(packed: &[Complex<T>], row: usize, [_, nb, nc]: [usize; 3], real: &mut [T]) {
    for (pair, line) in packed.chunks_exact(nc).enumerate() {
        for (x, z) in real[2 * pair * row..].iter_mut().zip(line) {
            *x = z.re;
        }
        if 2 * pair + 1 < nb {
            for (y, z) in real[(2 * pair + 1) * row..].iter_mut().zip(line) {
                *y = z.im;
            }
        }
    }
}

/// From packed spectra ([pair][wave c]) to those of the rows, transposed: [wave c < half][b].
fn separate<T: MeshNumber>(packed: &[Complex<T>], [_, nb, nc]: [usize; 3], waves: &mut [Complex<T>]) {
    let half = T::nearest(0.5);
    for (pair, line) in packed.chunks_exact(nc).enumerate() {
        for k in 0..=nc / 2 {
            let (z, w) = (line[k], line[if k == 0 { 0 } else { nc - k }]);
            let out = &mut waves[k * nb + 2 * pair..];
            out[0] = Complex::new((z.re + w.re) * half, (z.im - w.im) * half);
            if 2 * pair + 1 < nb {
                out[1] = Complex::new((z.im + w.im) * half, (w.re - z.re) * half);
            }
        }
    }
}

/// The opposite of [`separate`]: Z(k) = X(k) + iY(k), Z(−k) = X*(k) + iY*(k).
fn join<T: MeshNumber>(waves: &[Complex<T>], [_, nb, nc]: [usize; 3], packed: &mut [Complex<T>]) {
    for (pair, line) in packed.chunks_exact_mut(nc).enumerate() {
        for k in 0..=nc / 2 {
            let rows = &waves[k * nb + 2 * pair..];
            let x = rows[0];
            let y = if 2 * pair + 1 < nb { rows[1] } else { Complex::new(T::zero(), T::zero()) };
            if k > 0 {
                line[nc - k] = Complex::new(x.re + y.im, y.re - x.im);
            }
            line[k] = Complex::new(x.re - y.im, x.im + y.re);
        }
    }
}

/// `turned`[b][a] = `lines`[a][b].
fn turn<T: Copy>(lines: &[&mut [T]], turned: &mut [T]) {
    let n_a = lines.len();
    // Eight lines at a time: what the cache has of them is still at hand for the next column.
    for (block, lines) in lines.chunks(8).enumerate() {
        for (b, row) in turned.chunks_exact_mut(n_a).enumerate() {
            for (v, line) in row[8 * block..].iter_mut().zip(lines) {
                *v = line[b];
            }
        }
    }
}

/// The opposite of [`turn`].
fn turn_back<T: Copy>(turned: &[T], lines: &mut [&mut [T]]) {
    let n_a = lines.len();
    for (block, rows) in turned.chunks(8 * n_a).enumerate() {
        for (a, line) in lines.iter_mut().enumerate() {
            for (v, row) in line[8 * block..].iter_mut().zip(rows.chunks_exact(n_a)) {
                *v = row[a];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back_is_the_number_of_points() {
        for n in [[4, 6, 5], [5, 3, 8], [40, 5, 7]] {
            let points = n[0] * n[1] * n[2];
            let original: Vec<f64> = (0..points).map(|i| ((i * 37) % 101) as f64 - 50.0).collect();
            let mut mesh = vec![f64::NAN; points];
            let plane = n[1] * n[2];
            let fill = |a: usize, real: &mut [f64]| real.copy_from_slice(&original[a * plane..][..plane]);
            let mut fft = MeshFft::new(n, Isa::current());
            fft.transform(plane, n[2], fill, |_, _| (), &mut vec![(); n[2] / 2 + 1]);
            fft.transform_back(&mut mesh, n[2], |_| ());
            for (a, b) in mesh.iter().zip(&original) {
                assert!((a - b * points as f64).abs() < 1e-10);
            }
        }
    }

    // A single plane wave must come out in the one place where the definition puts it.
    #[test]
    fn a_wave_lands_on_its_wave_number() {
        let (n, m) = ([6, 8, 10], [2, 5, 3]);
        let fill = |a: usize, real: &mut [f64]| {
            for b in 0..8 {
                for c in 0..10 {
                    let turns = (m[0] * a) as f64 / 6.0 + (m[1] * b) as f64 / 8.0 + (m[2] * c) as f64 / 10.0;
                    real[b * 12 + c] = amelo_math::special::cos(2.0 * std::f64::consts::PI * turns);
                }
            }
        };
        let large = |k: usize, plane: &mut [Complex<f64>]| {
            let over = plane.iter().enumerate().filter(|(_, v)| v.norm() > 1e-9);
            over.map(|(i, v)| ([i % 6, i / 6, k], *v)).collect::<Vec<_>>()
        };
        // Rows of 12 numbers for 10 points: the padding must not leak in.
        let mut found = vec![Vec::new(); 6];
        let padded = |a: usize, real: &mut [f64]| {
            real.fill(1e9);
            fill(a, real);
        };
        MeshFft::new(n, Isa::current()).transform(8 * 12, 12, padded, large, &mut found);
        let large: Vec<_> = found.into_iter().flatten().collect();
        assert_eq!(large.len(), 1, "{large:?}");
        assert_eq!(large[0].0, m);
        assert!((large[0].1 - Complex::new(240.0, 0.0)).norm() < 1e-10);
    }
}

//! Parallel accumulation with the same bits for any number of threads.
//!
//! Work comes in chunks that the system decides, never the pool. Forces go into fixed-point buffers, one per worker,
//! whose sum does not depend on who did what; everything else is either a sum of whole numbers too, or what each chunk
//! returns, handed back in the order of chunks.

use std::sync::atomic::{AtomicUsize, Ordering};

use amelo_core::ForceError;
use amelo_math::Vec3;
use amelo_math::fixed::FixedVec3;
use rayon::prelude::*;

/// Force buffers, one per worker, kept from one evaluation to the next.
#[derive(Debug)]
pub struct Sweep<B = FixedVec3> {
    buffers: Vec<Vec<B>>,
}

impl<B> Default for Sweep<B> {
    fn default() -> Self {
        Sweep { buffers: Vec::new() }
    }
}

impl<B: Copy + Send> Sweep<B> {
    /// Runs `kernel(chunk, buffer, sums)` for every chunk below `n_chunks` on all threads, each with its own buffer of
    /// `len` entries that begin as `zero` and its own sums that begin as `T::default()`. Returns the workers' sums: who
    /// did which chunk is a matter of chance, so what is made of them must not depend on it.
    pub fn accumulate<T: Default + Send>(
        &mut self,
        n_chunks: usize,
        len: usize,
        zero: B,
        kernel: impl Fn(usize, &mut [B], &mut T) + Sync,
    ) -> Vec<T>
    where
        B: Sync,
    {
        let workers = rayon::current_num_threads().min(n_chunks).max(1);
        self.buffers.resize_with(workers, Vec::new);
        let next = AtomicUsize::new(0);
        let work = |buffer: &mut Vec<B>| {
            buffer.clear();
            buffer.resize(len, zero);
            let mut sums = T::default();
            loop {
                let chunk = next.fetch_add(1, Ordering::Relaxed);
                if chunk >= n_chunks {
                    return sums;
                }
                kernel(chunk, buffer, &mut sums);
            }
        };
        self.buffers.par_iter_mut().with_max_len(1).map(work).collect()
    }

    /// The workers' buffers after [`Sweep::accumulate`].
    pub fn buffers(&self) -> &[Vec<B>] {
        &self.buffers
    }
}

impl Sweep {
    /// Runs `kernel(chunk, forces)` for every chunk below `n_chunks` on all threads and adds the forces to `out`
    /// (one entry per atom). Returns what the kernels returned, in the order of chunks; of several errors the
    /// first in that order.
    pub fn run<T: Send>(
        &mut self,
        n_chunks: usize,
        out: &mut [Vec3],
        kernel: impl Fn(usize, &mut [FixedVec3]) -> Result<T, ForceError> + Sync,
    ) -> Result<Vec<T>, ForceError> {
        let done = self.accumulate(n_chunks, out.len(), FixedVec3::ZERO, |chunk, forces, done: &mut Vec<_>| {
            done.push((chunk, kernel(chunk, forces)));
        });
        let mut done: Vec<_> = done.into_iter().flatten().collect();
        done.sort_unstable_by_key(|(chunk, _)| *chunk);
        let results = done.into_iter().map(|(_, result)| result).collect::<Result<_, _>>()?;
        let buffers = &self.buffers;
        out.par_iter_mut().with_min_len(512).enumerate().for_each(|(atom, force)| {
            let mut sum = FixedVec3::ZERO;
            for buffer in buffers {
                sum.add(buffer[atom]);
            }
            *force += sum.to_vec3();
        });
        Ok(results)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 97 chunks that each push on overlapping atoms with numbers whose floating-point sum depends on the order.
    fn run_on(threads: usize) -> (Vec<Vec3>, Vec<f64>) {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut out = vec![Vec3::new(1.0, 0.0, 0.0); 50];
            let results = Sweep::default()
                .run(97, &mut out, |chunk, forces| {
                    for k in 0..50 {
                        let f = 1.0 / (1.0 + (chunk * 50 + k) as f64);
                        forces[(chunk * 7 + k) % 50].add(FixedVec3::from_vec3(Vec3::new(f, -1e6 * f, 0.1)));
                    }
                    Ok(1.0 / (chunk as f64 + 1.0))
                })
                .unwrap();
            (out, results)
        })
    }

    #[test]
    fn bits_do_not_depend_on_the_number_of_threads() {
        let (one, results) = run_on(1);
        assert!((one[3].z - 9.7).abs() < 1e-8 && one[3].x > 1.0);
        assert_eq!(results[4], 0.2);
        assert_eq!(run_on(2), (one.clone(), results.clone()));
        assert_eq!(run_on(8), (one, results));
    }

    #[test]
    fn the_first_error_in_order_is_returned() {
        let mut out = vec![Vec3::ZERO; 4];
        let error = Sweep::default()
            .run(40, &mut out, |chunk, _| {
                if chunk >= 13 { Err(ForceError::NotFinite { term: "test", atom: chunk }) } else { Ok(()) }
            })
            .unwrap_err();
        assert_eq!(error, ForceError::NotFinite { term: "test", atom: 13 });
        assert!(out.iter().all(|f| *f == Vec3::ZERO), "a failed sweep adds nothing");
    }
}

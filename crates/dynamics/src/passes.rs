//! Passes over the atoms on all threads.
//!
//! Arrays of one entry per atom are halved, and halved again, until a half is one segment: consecutive atoms that no
//! constraint joins to the others. The segments are the system's, never the pool's, and results meet pairwise in the
//! same tree for any number of threads. Nothing is allocated.

use crate::constraints::Segment;

/// Arrays that can be cut at one atom.
pub(crate) trait Split: Sized + Send {
    /// What belongs to the first `n` atoms, and the rest.
    fn split(self, n: usize) -> (Self, Self);
}

impl<T: Sync> Split for &[T] {
    fn split(self, n: usize) -> (Self, Self) {
        self.split_at(n)
    }
}

impl<T: Send> Split for &mut [T] {
    fn split(self, n: usize) -> (Self, Self) {
        self.split_at_mut(n)
    }
}

macro_rules! split_tuples {
    ($(($($name:ident),+)),+) => {
        $(impl<$($name: Split),+> Split for ($($name,)+) {
            #[allow(non_snake_case)] // the variables are named after their types
            fn split(self, n: usize) -> (Self, Self) {
                let ($($name,)+) = self;
                $(let $name = $name.split(n);)+
                (($($name.0,)+), ($($name.1,)+))
            }
        })+
    };
}

split_tuples! { (A, B), (A, B, C), (A, B, C, D) }

/// `task` of every segment with its part of `arrays`; `join` merges the results of neighbours. Who listens to spans of
/// the calling thread hears those of the tasks, each within a span `segment`, on whatever thread they run.
pub(crate) fn each<A: Split, T: Default + Send>(
    segments: &[Segment],
    arrays: A,
    task: &(impl Fn(&Segment, A) -> T + Sync),
    join: &(impl Fn(T, T) -> T + Sync),
) -> T {
    if !tracing::enabled!(tracing::Level::TRACE) {
        return halves(segments, arrays, task, join);
    }
    let listener = tracing::dispatcher::get_default(Clone::clone);
    let heard = |segment: &Segment, arrays: A| {
        tracing::dispatcher::with_default(&listener, || {
            tracing::trace_span!("segment").in_scope(|| task(segment, arrays))
        })
    };
    halves(segments, arrays, &heard, join)
}

fn halves<A: Split, T: Default + Send>(
    segments: &[Segment],
    arrays: A,
    task: &(impl Fn(&Segment, A) -> T + Sync),
    join: &(impl Fn(T, T) -> T + Sync),
) -> T {
    match segments {
        [] => T::default(),
        [segment] => task(segment, arrays),
        _ => {
            let (left, right) = segments.split_at(segments.len() / 2);
            let (first, second) = arrays.split(right[0].atoms.start - left[0].atoms.start);
            let (a, b) = rayon::join(|| halves(left, first, task, join), || halves(right, second, task, join));
            join(a, b)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 5000 numbers whose sum depends on the order, changed and summed on a pool of `threads`.
    fn on(threads: usize) -> (Vec<f64>, f64, usize) {
        let n = 5000;
        let segments = Segment::partition(n, &[], &vec![1.0; n]);
        let mut numbers: Vec<f64> = (0..n).map(|k| 1.0 / (k as f64 + 0.7)).collect();
        let weights: Vec<f64> = (0..n).map(|k| if k % 3 == 0 { -1e6 } else { 1.0 }).collect();
        let task = |segment: &Segment, (x, w): (&mut [f64], &[f64])| {
            assert_eq!((x.len(), w.len()), (segment.atoms.len(), segment.atoms.len()));
            for ((atom, x), w) in segment.atoms.clone().zip(x.iter_mut()).zip(w) {
                *x = *x * w + atom as f64;
            }
            x.iter().sum::<f64>()
        };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let sum = pool.install(|| each(&segments, (numbers.as_mut_slice(), weights.as_slice()), &task, &|a, b| a + b));
        (numbers, sum, segments.len())
    }

    #[test]
    fn every_atom_is_met_once_and_sums_do_not_depend_on_the_threads() {
        let (numbers, sum, segments) = on(1);
        assert!(segments > 3, "{segments}");
        for (k, found) in numbers.iter().enumerate() {
            let weight = if k % 3 == 0 { -1e6 } else { 1.0 };
            assert_eq!(*found, 1.0 / (k as f64 + 0.7) * weight + k as f64);
        }
        // Rounding of 5000 numbers of up to 1e6.
        assert!((sum - numbers.iter().sum::<f64>()).abs() < 1e-6);
        for threads in [2, 3, 8] {
            assert_eq!(on(threads), (numbers.clone(), sum, segments));
        }
    }

    #[test]
    fn no_atoms_no_work() {
        assert!(Segment::partition(0, &[], &[]).is_empty());
        assert_eq!(each::<&[f64], f64>(&[], &[], &|_, x| x.len() as f64 + 1.0, &|a, b| a + b), 0.0);
    }
}

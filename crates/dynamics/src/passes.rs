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

/// `task` of every segment with its part of `arrays`; `join` merges the results of neighbours.
pub(crate) fn each<A: Split, T: Default + Send>(
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
            let (a, b) = rayon::join(|| each(left, first, task, join), || each(right, second, task, join));
            join(a, b)
        }
    }
}

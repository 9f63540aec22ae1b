//! Sixteen interactions at a time, in f32, whose atoms stand anywhere in a short array.

use crate::Real;

/// Interactions of a [`Packet`].
pub const PACKET: usize = 16;

/// Three sums and room for one more, so that they lie within one line of the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(align(32))]
pub struct Accumulator(pub [i64; 4]);

/// Entries of a [`Room`].
pub const ROOM: usize = 16_384;

/// An array that holds every place, so that none has to be compared with its length.
#[derive(Clone, Debug)]
pub struct Room<T>(Box<[T; ROOM]>);

impl<T: Copy + Default> Default for Room<T> {
    fn default() -> Self {
        let entries = vec![T::default(); ROOM].into_boxed_slice();
        Room(entries.try_into().unwrap_or_else(|_| unreachable!("ROOM entries")))
    }
}

impl<T> std::ops::Deref for Room<T> {
    type Target = [T; ROOM];
    #[inline(always)]
    fn deref(&self) -> &[T; ROOM] {
        &self.0
    }
}

impl<T> std::ops::DerefMut for Room<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T; ROOM] {
        &mut self.0
    }
}

/// Where the sixteen atoms of a packet stand in a [`Room`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places([u16; PACKET]);

impl Places {
    /// The places `at`, or nothing where one is not in a room.
    pub fn new(at: [u16; PACKET]) -> Option<Self> {
        at.iter().all(|&place| usize::from(place) < ROOM).then_some(Places(at))
    }

    /// That of lane `k`.
    #[inline(always)]
    pub fn of(&self, k: usize) -> usize {
        usize::from(self.0[k])
    }
}

/// One f32 for each of sixteen interactions.
pub trait Packet: Real {
    /// A whole number for each.
    type Whole: Copy;

    /// The numbers `values`.
    fn load(values: &[f32; PACKET]) -> Self;
    /// Puts them into `values`.
    fn store(self, values: &mut [f32; PACKET]);
    /// The whole numbers `values`.
    fn load_whole(values: &[i32; PACKET]) -> Self::Whole;
    /// The coordinates along a, b, c of the atoms at `at`.
    fn gather(coordinates: &Room<[i32; 4]>, at: &Places) -> [Self::Whole; 3];
    /// a − b, wrapping around.
    fn difference(a: Self::Whole, b: Self::Whole) -> Self;

    /// a·b − c in one rounding where the instruction set has that.
    fn mul_sub(self, b: Self, c: Self) -> Self;
    /// The larger one.
    fn larger(self, other: Self) -> Self;
    /// The smaller one.
    fn smaller(self, other: Self) -> Self;
    /// One bit for each lane below `bound`; a NaN is not.
    fn below(self, bound: Self) -> u16;
    /// Zero where the lane's bit is not set.
    fn keep(self, lanes: u16) -> Self;

    /// Rounded to whole numbers, for |x| < 2³¹.
    fn whole(self) -> Self::Whole;
    /// Zero in every lane.
    fn none() -> Self::Whole;
    /// a − b, wrapping around.
    fn minus(a: Self::Whole, b: Self::Whole) -> Self::Whole;
    /// Adds x, y, z of each lane to the entry of `onto` at `at`.
    fn scatter(xyz: [Self::Whole; 3], at: &Places, onto: &mut Room<Accumulator>);
    /// Adds each lane to its sum.
    fn add_to(self, sums: &mut [f64; PACKET]);

    /// Angle (0 to π) of the point (x = `cosine`, y = `sine` ≥ 0) to 3 units in the last place, not both zero.
    ///
    /// The smaller over the larger coordinate is t ≤ 1, and arctan t = t p(t²) with the polynomial that interpolates at
    /// Chebyshev's points, relative error 1.8·10⁻⁸.
    #[inline(always)]
    fn angle(sine: Self, cosine: Self) -> Self {
        use std::f64::consts::{FRAC_PI_2, PI};
        const P: [f64; 9] = [
            0.002_766_283_500_149_858,
            -0.015_731_249_116_020_29,
            0.042_137_623_579_803_07,
            -0.074_568_548_252_842_83,
            0.106_183_706_366_743_71,
            -0.141_977_977_940_325_07,
            0.199_918_720_291_067_36,
            -0.333_330_367_092_865_23,
            0.999_999_981_788_655_8,
        ];
        let zero = Self::splat(0.0);
        let width = cosine.larger(-cosine);
        let (low, high) = (width.smaller(sine), width.larger(sine));
        // 1/x as (1/√x)², which the instruction sets estimate; the division would take longer.
        let root = high.rsqrt();
        let t = low * (root * root);
        let t2 = t * t;
        let mut p = Self::splat(P[0]);
        for c in &P[1..] {
            p = p.mul_add(t2, Self::splat(*c));
        }
        let octant = t * p;
        let quadrant = width.select_lt(sine, Self::splat(FRAC_PI_2) - octant, octant);
        cosine.select_lt(zero, Self::splat(PI) - quadrant, quadrant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::{Isa, Job, Simd, dispatch};
    use crate::philox::Noise;

    /// Everything that a packet does, on random numbers.
    struct All;

    const ATOMS: usize = 40;

    fn numbers() -> (Room<[i32; 4]>, [Places; 2], [[f32; PACKET]; 3]) {
        let noise = Noise::new(11, 5);
        let uniform = |id: u32, draw: u32| noise.uniform2(id, 0, draw)[0];
        let mut coordinates = Room::<[i32; 4]>::default();
        for (k, c) in coordinates.iter_mut().take(ATOMS).enumerate() {
            for axis in 0..3 {
                c[axis] = (uniform(k as u32, axis as u32) * 4e9 - 2e9) as i32;
            }
        }
        let mut at = [[0; PACKET]; 2];
        let mut values = [[0.0; PACKET]; 3];
        for k in 0..PACKET {
            for (m, at) in at.iter_mut().enumerate() {
                at[k] = (uniform(k as u32, 10 + m as u32) * ATOMS as f64) as u16;
            }
            for (m, values) in values.iter_mut().enumerate() {
                values[k] = (uniform(k as u32, 20 + m as u32) * 2000.0 - 1000.0) as f32;
            }
        }
        (coordinates, at.map(|at| Places::new(at).unwrap()), values)
    }

    type Results = (Vec<[f64; PACKET]>, u16, Room<Accumulator>);

    impl Job for All {
        type Output = Results;

        #[inline(always)]
        fn run<S: Simd>(self) -> Results {
            let (coordinates, at, values) = numbers();
            let [a, b, c] = [0, 1, 2].map(|m| S::Packet::load(&values[m]));
            let i = S::Packet::gather(&coordinates, &at[0]);
            let j = S::Packet::gather(&coordinates, &at[1]);
            let mut out = Vec::new();
            for lanes in [
                S::Packet::difference(i[0], j[0]),
                S::Packet::difference(i[1], j[1]),
                S::Packet::difference(i[2], j[2]),
                a.mul_sub(b, c),
                a.neg_mul_add(b, c),
                a.larger(b),
                a.smaller(b),
                a.keep(0b1010_0000_1111_0001),
                S::Packet::angle(a.larger(-a), b),
                S::Packet::difference(S::Packet::load_whole(&[-5; PACKET]), S::Packet::none()),
            ] {
                let mut sums = [1.0; PACKET];
                let mut stored = [0.0; PACKET];
                lanes.store(&mut stored);
                lanes.add_to(&mut sums);
                S::Packet::load(&stored).add_to(&mut sums);
                out.push(sums);
            }
            let mut onto = Room::<Accumulator>::default();
            onto.fill(Accumulator([7; 4]));
            let whole = [a.whole(), b.whole(), S::Packet::minus(S::Packet::none(), c.whole())];
            S::Packet::scatter(whole, &at[0], &mut onto);
            (out, a.below(b), onto)
        }
    }

    #[test]
    fn lanes_are_their_definitions_in_every_instruction_set() {
        let (coordinates, at, v) = numbers();
        for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
            let (found, below, onto) = dispatch(isa, All);
            let mut expected = vec![Accumulator([7; 4]); ROOM];
            for k in 0..PACKET {
                let [a, b, c] = [0, 1, 2].map(|m| f64::from(v[m][k]));
                let apart = |axis: usize| {
                    let [i, j] = [0, 1].map(|m| coordinates[at[m].of(k)][axis]);
                    f64::from(i.wrapping_sub(j))
                };
                let kept = if 0b1010_0000_1111_0001 >> k & 1 == 1 { a } else { 0.0 };
                let angle = a.abs().atan2(b);
                let values =
                    [apart(0), apart(1), apart(2), a * b - c, c - a * b, a.max(b), a.min(b), kept, angle, -5.0];
                for (n, value) in values.into_iter().enumerate() {
                    let size = if n == 3 || n == 4 { (a * b).abs() + c.abs() } else { value.abs() };
                    let error = (found[n][k] - 1.0 - 2.0 * value).abs();
                    assert!(error <= 2.0 * 3e-7 * size, "{isa:?}, {n}: {} and {value}", found[n][k]);
                }
                assert_eq!(below >> k & 1 == 1, a < b);
                let onto = &mut expected[at[0].of(k)].0;
                let [a, b, c] = [a, b, c].map(|x| x.round_ties_even() as i64);
                (onto[0], onto[1], onto[2]) = (onto[0] + a, onto[1] + b, onto[2] - c);
            }
            for (found, expected) in onto.iter().zip(&expected) {
                assert_eq!(found.0[..3], expected.0[..3], "{isa:?}");
            }
        }
    }

    /// The angles of points all around the upper half plane.
    struct Angles([f32; PACKET], [f32; PACKET]);

    impl Job for Angles {
        type Output = [f64; PACKET];

        #[inline(always)]
        fn run<S: Simd>(self) -> [f64; PACKET] {
            let mut sums = [0.0; PACKET];
            S::Packet::angle(S::Packet::load(&self.0), S::Packet::load(&self.1)).add_to(&mut sums);
            sums
        }
    }

    #[test]
    fn angles_are_good_to_the_last_digits() {
        for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
            for first in 0..2000 {
                let angle = |k: usize| (first * PACKET + k) as f64 * std::f64::consts::PI / (2000 * PACKET - 1) as f64;
                let (mut sine, mut cosine) = ([0.0; PACKET], [0.0; PACKET]);
                for k in 0..PACKET {
                    (sine[k], cosine[k]) = ((0.02 * angle(k).sin().max(0.0)) as f32, (0.02 * angle(k).cos()) as f32);
                }
                let found = dispatch(isa, Angles(sine, cosine));
                for k in 0..PACKET {
                    let expected = f64::from(sine[k]).atan2(f64::from(cosine[k]));
                    assert!(
                        (found[k] - expected).abs() <= 4e-7 * expected.min(1.0),
                        "{isa:?} {expected}: {}",
                        found[k]
                    );
                }
            }
        }
    }

    #[test]
    fn no_place_is_beyond_the_end() {
        let mut at = [0; PACKET];
        at[9] = ROOM as u16;
        assert_eq!(Places::new(at), None);
        at[9] -= 1;
        assert_eq!(Places::new(at).unwrap().of(9), ROOM - 1);
    }
}

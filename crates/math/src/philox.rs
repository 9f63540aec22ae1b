//! Counter-based random numbers: Philox4x32-10.
//!
//! J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, SC'11, doi:10.1145/2063384.2063405. A draw is a pure
//! function of (seed, purpose; atom, step, draw), so noise depends neither on the number of threads nor on
//! the order of atoms, and a restart needs no generator state.

use crate::Vec3;
use crate::lanes::{Isa, Job, Simd, dispatch};

const M0: u32 = 0xD251_1F53;
const M1: u32 = 0xCD9E_8D57;
const W0: u32 = 0x9E37_79B9;
const W1: u32 = 0xBB67_AE85;

/// One block of the Philox4x32-10 bijection.
#[inline(always)]
pub fn block(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let p0 = u64::from(M0) * u64::from(counter[0]);
        let p1 = u64::from(M1) * u64::from(counter[2]);
        counter =
            [(p1 >> 32) as u32 ^ counter[1] ^ key[0], p1 as u32, (p0 >> 32) as u32 ^ counter[3] ^ key[1], p0 as u32];
        key = [key[0].wrapping_add(W0), key[1].wrapping_add(W1)];
    }
    counter
}

/// A stream of noise for one purpose under one seed.
#[derive(Clone, Copy, Debug)]
pub struct Noise {
    key: [u32; 2],
}

impl Noise {
    /// Noise of `seed` for `purpose`: every consumer (a thermostat, the velocity draw, a builder) has its own number.
    pub fn new(seed: u64, purpose: u32) -> Self {
        // One Philox block mixes 64 bits of seed with the purpose into the 64-bit key.
        let mixed = block([seed as u32, (seed >> 32) as u32, purpose, 0x616d_656c], [0x6f21_0001, purpose]);
        Noise { key: [mixed[0], mixed[1]] }
    }

    /// Four independent 32-bit words at (`id`, `step`, `draw`).
    #[inline(always)]
    pub fn words(&self, id: u32, step: u64, draw: u32) -> [u32; 4] {
        block([id, step as u32, (step >> 32) as u32, draw], self.key)
    }

    /// Two uniform numbers in (0, 1), 53 bits each.
    #[inline(always)]
    pub fn uniform2(&self, id: u32, step: u64, draw: u32) -> [f64; 2] {
        let w = self.words(id, step, draw);
        [to_unit(w[0], w[1]), to_unit(w[2], w[3])]
    }

    /// Two independent standard normal numbers (Box and Muller; no rejection, so a pure function of the counter).
    #[inline(always)]
    pub fn normal2(&self, id: u32, step: u64, draw: u32) -> [f64; 2] {
        let [u, v] = self.uniform2(id, step, draw);
        let radius = (-2.0 * ln_of_normal(u)).sqrt();
        let [cosine, sine] = cos_sin_of_turns(v);
        [radius * cosine, radius * sine]
    }

    /// Three independent standard normal numbers for atom `id` at `step`. Uses draws 2·`draw` and 2·`draw` + 1.
    #[inline(always)]
    pub fn normal3(&self, id: u32, step: u64, draw: u32) -> Vec3 {
        let [x, y] = self.normal2(id, step, 2 * draw);
        let [z, _] = self.normal2(id, step, 2 * draw + 1);
        Vec3::new(x, y, z)
    }

    /// [`Noise::normal3`] of the atoms from `first` on, as many as `out` holds: the same bits, many at a time.
    pub fn fill_normal3(&self, isa: Isa, first: u32, step: u64, draw: u32, out: &mut [Vec3]) {
        dispatch(isa, Fill { noise: *self, first, step, draw, out });
    }
}

/// [`Noise::fill_normal3`], for one instruction set.
struct Fill<'a> {
    noise: Noise,
    first: u32,
    step: u64,
    draw: u32,
    out: &'a mut [Vec3],
}

impl Job for Fill<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        /// Atoms per batch.
        const WIDTH: usize = 64;
        let Fill { noise, first, step, draw, out } = self;
        for (batch, out) in out.chunks_mut(WIDTH).enumerate() {
            let start = first.wrapping_add((batch * WIDTH) as u32);
            let [mut x, mut y, mut z] = [[0.0; WIDTH]; 3];
            // Always whole batches: loops of a fixed length are the ones that become vectors.
            for k in 0..WIDTH {
                [x[k], y[k]] = noise.normal2(start.wrapping_add(k as u32), step, 2 * draw);
            }
            for k in 0..WIDTH {
                [z[k], _] = noise.normal2(start.wrapping_add(k as u32), step, 2 * draw + 1);
            }
            for (k, out) in out.iter_mut().enumerate() {
                *out = Vec3::new(x[k], y[k], z[k]);
            }
        }
    }
}

/// ln x of a normal number x > 0, to 2 units in the last place, without a branch: x = 2ᵏ m with m between √½ and √2, and
/// ln m = 2 artanh s, s = (m − 1)/(m + 1), |s| < 0.1716, by its Taylor series, whose first missing term is 3·10⁻¹⁹ of it.
#[inline(always)]
fn ln_of_normal(x: f64) -> f64 {
    // ln 2 in two parts, the first with trailing zeros so that its product with k is exact.
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const FRACTION: u64 = (1 << 52) - 1;
    let bits = x.to_bits();
    let mantissa = f64::from_bits((bits & FRACTION) | 1.0_f64.to_bits());
    let high = mantissa > std::f64::consts::SQRT_2;
    let m = if high { 0.5 * mantissa } else { mantissa };
    // The exponent as a floating-point number: its bits beside those of 2⁵².
    let exponent =
        f64::from_bits((bits >> 52) | 4_503_599_627_370_496.0_f64.to_bits()) - 4_503_599_627_370_496.0 - 1023.0;
    let k = if high { exponent + 1.0 } else { exponent };
    let s = (m - 1.0) / (m + 1.0);
    let s2 = s * s;
    let mut series = 0.0;
    for n in (1..12).rev() {
        series = s2 * (series + 1.0 / f64::from(2 * n + 1));
    }
    k * LN2_HIGH + (2.0 * s + (2.0 * s * series + k * LN2_LOW))
}

/// Cosine and sine of `v` turns, 0 ≤ v ≤ 1, to 2·10⁻¹⁶, without a branch: the nearest quarter is taken off exactly, what
/// is left, below an eighth, goes into Taylor's series.
#[inline(always)]
fn cos_sin_of_turns(v: f64) -> [f64; 2] {
    const MAGIC: f64 = 6_755_399_441_055_744.0; // 1.5 · 2⁵²
    let rounded = 4.0 * v + MAGIC;
    let quarter = rounded.to_bits() & 3;
    let r = std::f64::consts::TAU * (v - 0.25 * (rounded - MAGIC));
    let r2 = r * r;
    let (mut cosine, mut sine) = (1.0, 1.0);
    for n in (1..=8).rev() {
        let two_n = f64::from(2 * n);
        cosine = 1.0 - r2 * (1.0 / (two_n * (two_n - 1.0))) * cosine;
        sine = 1.0 - r2 * (1.0 / (two_n * (two_n + 1.0))) * sine;
    }
    sine *= r;
    let (c, s) = if quarter & 1 == 0 { (cosine, sine) } else { (sine, cosine) };
    [if (quarter + 1) & 2 == 0 { c } else { -c }, if quarter & 2 == 0 { s } else { -s }]
}

/// 53 random bits as a number in the open interval (0, 1).
#[inline(always)]
fn to_unit(high: u32, low: u32) -> f64 {
    let bits = (u64::from(high) << 32 | u64::from(low)) >> 11;
    (bits as f64 + 0.5) * (1.0 / 9_007_199_254_740_992.0)
}

/// A sequential generator over the same blocks, for builders that draw one number after another
/// (`rand` and `rand_distr` take it as their source).
#[derive(Clone, Debug)]
pub struct PhiloxRng {
    noise: Noise,
    next: u64,
    buffer: [u32; 4],
    used: usize,
}

impl PhiloxRng {
    /// The stream of `seed` for `purpose`, from its start.
    pub fn new(seed: u64, purpose: u32) -> Self {
        PhiloxRng { noise: Noise::new(seed, purpose), next: 0, buffer: [0; 4], used: 4 }
    }
}

impl rand::TryRng for PhiloxRng {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        if self.used == 4 {
            self.buffer = self.noise.words(0, self.next, 0);
            self.next += 1;
            self.used = 0;
        }
        self.used += 1;
        Ok(self.buffer[self.used - 1])
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let low = u64::from(self.try_next_u32()?);
        let high = u64::from(self.try_next_u32()?);
        Ok(high << 32 | low)
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), Self::Error> {
        for chunk in dest.chunks_mut(4) {
            let word = self.try_next_u32()?.to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Known answers of the Random123 distribution, kat_vectors, philox4x32 with 10 rounds.
    #[test]
    fn known_answers() {
        assert_eq!(block([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(block([!0; 4], [!0; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        assert_eq!(
            block([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn logarithm_cosine_and_sine_agree_with_libm() {
        for k in 1..200_000u32 {
            let x = f64::from(k) / 200_000.0;
            for x in [x, x * 1e-5, x * 2e-16] {
                assert!((ln_of_normal(x) / libm::log(x) - 1.0).abs() < 5e-16, "{x:e}");
            }
            let angle = std::f64::consts::TAU * x;
            let [cosine, sine] = cos_sin_of_turns(x);
            // Their argument is rounded, by 4e-16 and once more with 2π itself; ours is not.
            assert!((cosine - libm::cos(angle)).abs() < 1.2e-15 && (sine - libm::sin(angle)).abs() < 1.2e-15, "{x}");
            assert!((cosine * cosine + sine * sine - 1.0).abs() < 6e-16, "{x}");
        }
        assert_eq!([0.25, 0.5, 0.75].map(cos_sin_of_turns), [[0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]]);
        assert_eq!(ln_of_normal(0.5), -std::f64::consts::LN_2);
    }

    #[test]
    fn many_at_a_time_are_the_same_in_every_instruction_set() {
        let noise = Noise::new(7, 3);
        let expected: Vec<Vec3> = (0..201).map(|k| noise.normal3(1000 + k, 1 << 40, 5)).collect();
        for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
            let mut found = vec![Vec3::ZERO; 201];
            noise.fill_normal3(isa, 1000, 1 << 40, 5, &mut found);
            assert_eq!(found, expected, "{}", isa.name());
        }
    }

    #[test]
    fn normal_numbers_have_unit_variance_and_no_mean() {
        let noise = Noise::new(7, 1);
        let n = 100_000;
        let (mut sum, mut sum2) = (0.0, 0.0);
        for id in 0..n {
            let [a, _] = noise.normal2(id, 3, 0);
            sum += a;
            sum2 += a * a;
        }
        let n = f64::from(n);
        assert!((sum / n).abs() < 4.0 / n.sqrt());
        assert!((sum2 / n - 1.0).abs() < 4.0 * (2.0 / n).sqrt());
    }
}

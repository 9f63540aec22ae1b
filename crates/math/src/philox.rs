//! Counter-based random numbers: Philox4x32-10.
//!
//! J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, SC'11, doi:10.1145/2063384.2063405. A draw is a pure
//! function of (seed, purpose; atom, step, draw), so noise depends neither on the number of threads nor on
//! the order of atoms, and a restart needs no generator state.

use crate::{Vec3, special};

const M0: u32 = 0xD251_1F53;
const M1: u32 = 0xCD9E_8D57;
const W0: u32 = 0x9E37_79B9;
const W1: u32 = 0xBB67_AE85;

/// One block of the Philox4x32-10 bijection.
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
    pub fn words(&self, id: u32, step: u64, draw: u32) -> [u32; 4] {
        block([id, step as u32, (step >> 32) as u32, draw], self.key)
    }

    /// Two uniform numbers in (0, 1), 53 bits each.
    pub fn uniform2(&self, id: u32, step: u64, draw: u32) -> [f64; 2] {
        let w = self.words(id, step, draw);
        [to_unit(w[0], w[1]), to_unit(w[2], w[3])]
    }

    /// Two independent standard normal numbers (Box and Muller; no rejection, so a pure function of the counter).
    pub fn normal2(&self, id: u32, step: u64, draw: u32) -> [f64; 2] {
        let [u, v] = self.uniform2(id, step, draw);
        let radius = (-2.0 * special::ln(u)).sqrt();
        let angle = 2.0 * std::f64::consts::PI * v;
        [radius * special::cos(angle), radius * special::sin(angle)]
    }

    /// Three independent standard normal numbers for atom `id` at `step`. Uses draws 2·`draw` and 2·`draw` + 1.
    pub fn normal3(&self, id: u32, step: u64, draw: u32) -> Vec3 {
        let [x, y] = self.normal2(id, step, 2 * draw);
        let [z, _] = self.normal2(id, step, 2 * draw + 1);
        Vec3::new(x, y, z)
    }
}

/// 53 random bits as a number in the open interval (0, 1).
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

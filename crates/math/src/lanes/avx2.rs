//! Lanes in the registers of AVX2 with fused multiply-add.
//!
//! Eight f32 fill a register, so a tile of them is one row; a tile of f64 and a packet take two registers each.
#![allow(unsafe_code)]
// SAFETY, of every block in this file: the types are private to `lanes`, whose `dispatch` hands them out only after it
// has asked the processor for AVX2 and FMA; loads and stores go through references to whole arrays.

mod double;
mod packet;

use std::arch::x86_64::*;

use super::registers::{Lanes, Register, register};
use super::{Simd, Tile, WIDTH};

/// 256-bit vectors.
pub struct Avx2;

impl Simd for Avx2 {
    const FUSED: bool = true;
    type Double = Lanes<[__m256d; 2]>;
    type Single = F32x8;
    type Packet = Lanes<[__m256; 2]>;
    const SPECIALISED: bool = true;
}

/// A row of eight f32.
type F32x8 = Lanes<__m256>;

register! {
    __m256: [f32; 8], _mm256_loadu_ps, _mm256_storeu_ps, _mm256_set1_ps, _mm256_cvtss_f32;
    add = _mm256_add_ps, sub = _mm256_sub_ps, mul = _mm256_mul_ps, div = _mm256_div_ps,
    min = _mm256_min_ps, max = _mm256_max_ps;
    fmadd = _mm256_fmadd_ps, fmsub = _mm256_fmsub_ps, fnmadd = _mm256_fnmadd_ps;
    {
        // 11 bits become 30.
        const SERIES: &'static [f64] = &[0.5, 0.375];

        #[inline(always)]
        fn sqrt(self) -> Self {
            unsafe { _mm256_sqrt_ps(self) }
        }
        #[inline(always)]
        fn round(self) -> Self {
            unsafe { _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self) }
        }
        #[inline(always)]
        fn estimate(self) -> Self {
            unsafe { _mm256_rsqrt_ps(self) }
        }
        #[inline(always)]
        fn select_lt(self, bound: Self, a: Self, b: Self) -> Self {
            unsafe { _mm256_blendv_ps(b, a, _mm256_cmp_ps::<_CMP_LT_OQ>(self, bound)) }
        }
        #[inline(always)]
        fn scaled(self, k: Self, x: Self, bound: Self) -> Self {
            unsafe {
                let exponent = _mm256_slli_epi32::<23>(_mm256_cvtps_epi32(k));
                let scaled = _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(self), exponent));
                _mm256_and_ps(_mm256_cmp_ps::<_CMP_NLT_UQ>(x, bound), scaled)
            }
        }
    }
}

/// Bit `k` of `bits` as the sign of lane `k`; all else means nothing.
#[inline(always)]
unsafe fn signs(bits: u32) -> __m256 {
    unsafe {
        let to_sign = _mm256_set_epi32(24, 25, 26, 27, 28, 29, 30, 31);
        _mm256_castsi256_ps(_mm256_sllv_epi32(_mm256_set1_epi32(bits as i32), to_sign))
    }
}

/// As f64.
#[inline(always)]
unsafe fn widened(x: __m256) -> [__m256d; 2] {
    unsafe { [_mm256_cvtps_pd(_mm256_castps256_ps128(x)), _mm256_cvtps_pd(_mm256_extractf128_ps::<1>(x))] }
}

/// The smaller numbers of the halves of `x`, then of `y`.
#[inline(always)]
unsafe fn least_of_halves(x: __m256, y: __m256) -> __m256 {
    unsafe { _mm256_min_ps(_mm256_permute2f128_ps::<0x20>(x, y), _mm256_permute2f128_ps::<0x31>(x, y)) }
}

/// The smallest lane of each.
#[inline(always)]
fn least_of_four([a, b, c, d]: &[F32x8; 4]) -> [f32; 4] {
    let mut least = [0.0; 4];
    unsafe {
        // By halves of a register: a b and c d; then the numbers of a c in one half and of b d in the other.
        let (ab, cd) = (least_of_halves(a.0, b.0), least_of_halves(c.0, d.0));
        let each = _mm256_min_ps(_mm256_unpacklo_ps(ab, cd), _mm256_unpackhi_ps(ab, cd));
        let each = _mm256_min_ps(each, _mm256_permute_ps::<0b0100_1110>(each));
        let (ac, bd) = (_mm256_castps256_ps128(each), _mm256_extractf128_ps::<1>(each));
        _mm_storeu_ps(least.as_mut_ptr(), _mm_unpacklo_ps(ac, bd));
    }
    least
}

/// What kinds of columns are in a table of sixteen: places in its halves, and the sign set for the upper one.
#[derive(Clone, Copy)]
pub struct Kinds {
    at: __m256i,
    upper: __m256,
}

impl Tile for F32x8 {
    type Scalar = f32;
    type Fixed = __m256i;
    /// Lanes that count have their sign bit set.
    type Mask = __m256;
    type Index = Kinds;
    /// Whole numbers in f64, which are exact up to 2⁵³: a lane holds 10⁵ kJ/mol, far more than one row of tiles sums up.
    type Sum = __m256d;
    const ROWS: usize = 1;

    #[inline(always)]
    fn columns(values: &[f32; WIDTH]) -> Self {
        Lanes(unsafe { _mm256_loadu_ps(values.as_ptr()) })
    }
    #[inline(always)]
    fn rows(values: &[f32; WIDTH], first: usize) -> Self {
        Self::scalar(values[first])
    }
    #[inline(always)]
    fn coordinates(rows: &[i32; WIDTH], first: usize) -> __m256i {
        unsafe { _mm256_set1_epi32(rows[first]) }
    }
    #[inline(always)]
    fn separation(rows: __m256i, columns: &[i32; WIDTH]) -> Self {
        unsafe { Lanes(_mm256_cvtepi32_ps(_mm256_sub_epi32(rows, _mm256_loadu_si256(columns.as_ptr().cast())))) }
    }
    #[inline(always)]
    fn index(kinds: &[u32; 2 * WIDTH]) -> Kinds {
        unsafe {
            let at = _mm256_loadu_si256(kinds.as_ptr().cast());
            Kinds { at, upper: _mm256_castsi256_ps(_mm256_slli_epi32::<28>(at)) }
        }
    }
    #[inline(always)]
    fn lookup([table, _]: [&[f32; 16]; 2], columns: Kinds) -> Self {
        unsafe {
            // Of a place the permutation takes the last three bits.
            let lower = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table.as_ptr()), columns.at);
            let upper = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table.as_ptr().add(8)), columns.at);
            Lanes(_mm256_blendv_ps(lower, upper, columns.upper))
        }
    }
    #[inline(always)]
    fn in_block(columns: Kinds, block: u32) -> __m256 {
        unsafe {
            let of = _mm256_srli_epi32::<5>(columns.at);
            _mm256_castsi256_ps(_mm256_cmpeq_epi32(of, _mm256_set1_epi32(block as i32)))
        }
    }
    #[inline(always)]
    fn replace(self, mask: __m256, other: Self) -> Self {
        Lanes(unsafe { _mm256_blendv_ps(self.0, other.0, mask) })
    }
    /// The exponents' difference: multiplications are what the pair loop has most of, and an addition to them is none.
    #[inline(always)]
    fn power_of_two(k: i32) -> Self {
        Lanes(unsafe { _mm256_castsi256_ps(_mm256_set1_epi32(k << 23)) })
    }
    #[inline(always)]
    fn times_power(self, power: Self) -> Self {
        unsafe {
            let [a, b] = [_mm256_castps_si256(self.0), _mm256_castps_si256(power.0)];
            Lanes(_mm256_castsi256_ps(_mm256_add_epi32(a, b)))
        }
    }
    #[inline(always)]
    fn below(self, bound: Self, bits: u32) -> __m256 {
        unsafe { _mm256_and_ps(_mm256_cmp_ps::<_CMP_LT_OQ>(self.0, bound.0), signs(bits)) }
    }
    #[inline(always)]
    fn keep(self, mask: __m256) -> Self {
        Lanes(unsafe { _mm256_blendv_ps(_mm256_setzero_ps(), self.0, mask) })
    }
    #[inline(always)]
    fn min_where(self, mask: __m256, other: Self) -> Self {
        // Numbers that are not negative are ordered as the whole numbers with the same bits.
        unsafe {
            let [a, b] = [_mm256_castps_si256(self.0), _mm256_castps_si256(other.0)];
            Lanes(_mm256_blendv_ps(self.0, _mm256_castsi256_ps(_mm256_min_epu32(a, b)), mask))
        }
    }
    #[inline(always)]
    fn least(self) -> f64 {
        f64::from(least_of_four(&[self; 4])[0])
    }
    #[inline(always)]
    fn least_of_each(of: &[[Self; 4]; 4]) -> [f32; 16] {
        let mut least = [0.0; 16];
        for (m, of) in of.iter().enumerate() {
            for (k, one) in least_of_four(of).into_iter().enumerate() {
                least[4 * k + m] = one;
            }
        }
        least
    }
    #[inline(always)]
    fn max_modulus(self, other: Self) -> Self {
        unsafe {
            let [a, b] = [_mm256_castps_si256(self.0), _mm256_castps_si256(other.0)];
            let modulus = _mm256_and_si256(b, _mm256_set1_epi32(i32::MAX));
            Lanes(_mm256_castsi256_ps(_mm256_max_epu32(a, modulus)))
        }
    }
    #[inline(always)]
    fn scalar(value: f32) -> Self {
        Lanes(unsafe { _mm256_set1_ps(value) })
    }
    #[inline(always)]
    fn to_fixed(self) -> __m256i {
        unsafe { _mm256_cvtps_epi32(self.0) }
    }
    #[inline(always)]
    fn fixed_zero() -> __m256i {
        unsafe { _mm256_setzero_si256() }
    }
    #[inline(always)]
    fn fixed_add(a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_add_epi32(a, b) }
    }
    #[inline(always)]
    fn add_rows(a: __m256i, into: &mut [i32; WIDTH], first: usize) {
        unsafe {
            let four = _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256::<1>(a));
            let two = _mm_add_epi32(four, _mm_shuffle_epi32::<0b0100_1110>(four));
            let one = _mm_add_epi32(two, _mm_shuffle_epi32::<0b1011_0001>(two));
            into[first] = into[first].wrapping_add(_mm_cvtsi128_si32(one));
        }
    }
    #[inline(always)]
    fn subtract_columns(a: __m256i, from: &mut [i32; WIDTH]) {
        unsafe {
            let old = _mm256_loadu_si256(from.as_ptr().cast());
            _mm256_storeu_si256(from.as_mut_ptr().cast(), _mm256_sub_epi32(old, a));
        }
    }
    #[inline(always)]
    fn sum_zero() -> __m256d {
        unsafe { _mm256_setzero_pd() }
    }
    #[inline(always)]
    fn sum_add(sum: __m256d, energy: Self) -> __m256d {
        unsafe {
            let [low, high] = widened(energy.0.round());
            _mm256_add_pd(_mm256_add_pd(sum, low), high)
        }
    }
    #[inline(always)]
    fn sum_total(sum: __m256d) -> i64 {
        let mut lanes = [0.0; 4];
        unsafe { _mm256_storeu_pd(lanes.as_mut_ptr(), sum) };
        lanes.iter().fold(0, |total: i64, &lane| total.wrapping_add(lane as i64))
    }
}

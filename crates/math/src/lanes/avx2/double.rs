//! A row of eight f64 in two registers of AVX2.
#![allow(unsafe_code)]
// SAFETY, of every block in this file: as in the parent.

use std::arch::x86_64::*;

use crate::lanes::registers::{Lanes, Register, register};
use crate::lanes::{Tile, WIDTH};

/// 1.5·2⁵²: in its sum with a number the last 51 bits are the nearest whole number.
const MAGIC: f64 = 6_755_399_441_055_744.0;

register! {
    __m256d: [f64; 4], _mm256_loadu_pd, _mm256_storeu_pd, _mm256_set1_pd, _mm256_cvtsd_f64;
    add = _mm256_add_pd, sub = _mm256_sub_pd, mul = _mm256_mul_pd, div = _mm256_div_pd,
    min = _mm256_min_pd, max = _mm256_max_pd;
    fmadd = _mm256_fmadd_pd, fmsub = _mm256_fmsub_pd, fnmadd = _mm256_fnmadd_pd;
    {
        // 11 bits become 53.
        const SERIES: &'static [f64] = &[0.5, 0.375, 0.3125, 0.273_437_5];

        #[inline(always)]
        fn sqrt(self) -> Self {
            unsafe { _mm256_sqrt_pd(self) }
        }
        #[inline(always)]
        fn round(self) -> Self {
            unsafe { _mm256_round_pd::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self) }
        }
        /// That of f32, within whose range it has to be.
        #[inline(always)]
        fn estimate(self) -> Self {
            unsafe { _mm256_cvtps_pd(_mm_rsqrt_ps(_mm256_cvtpd_ps(self))) }
        }
        #[inline(always)]
        fn select_lt(self, bound: Self, a: Self, b: Self) -> Self {
            unsafe { _mm256_blendv_pd(b, a, _mm256_cmp_pd::<_CMP_LT_OQ>(self, bound)) }
        }
        #[inline(always)]
        fn scaled(self, k: Self, x: Self, bound: Self) -> Self {
            unsafe {
                let exponent = _mm256_slli_epi64::<52>(_mm256_castpd_si256(k.add(Self::splat(MAGIC))));
                let scaled = _mm256_castsi256_pd(_mm256_add_epi64(_mm256_castpd_si256(self), exponent));
                _mm256_and_pd(_mm256_cmp_pd::<_CMP_NLT_UQ>(x, bound), scaled)
            }
        }
    }
}

/// Both registers of eight whole numbers.
#[inline(always)]
unsafe fn load(from: &[i64; WIDTH]) -> [__m256i; 2] {
    unsafe { [_mm256_loadu_si256(from.as_ptr().cast()), _mm256_loadu_si256(from.as_ptr().add(4).cast())] }
}

/// Whole numbers as f64, rounded once.
#[inline(always)]
unsafe fn to_double(whole: __m256i) -> __m256d {
    // With these exponents the upper half is that half plus 2⁸⁴ + 2⁶³ and the lower one is that half plus 2⁵².
    const UPPER: i64 = 0x4530_0000_8000_0000;
    const LOWER: i64 = 0x4330_0000_0000_0000;
    const BOTH: f64 = f64::from_bits(0x4530_0000_8010_0000);
    unsafe {
        let upper = _mm256_xor_si256(_mm256_srli_epi64::<32>(whole), _mm256_set1_epi64x(UPPER));
        let lower = _mm256_blend_epi32::<0b1010_1010>(whole, _mm256_set1_epi64x(LOWER));
        let upper = _mm256_sub_pd(_mm256_castsi256_pd(upper), _mm256_set1_pd(BOTH));
        _mm256_add_pd(upper, _mm256_castsi256_pd(lower))
    }
}

/// The nearest whole numbers, for moduli below 2⁵¹.
#[inline(always)]
unsafe fn to_whole(x: __m256d) -> __m256i {
    unsafe {
        let magic = _mm256_set1_pd(MAGIC);
        _mm256_sub_epi64(_mm256_castpd_si256(_mm256_add_pd(x, magic)), _mm256_castpd_si256(magic))
    }
}

/// The larger of `a` and the modulus of `b`, as whole numbers: not-a-number stays.
#[inline(always)]
unsafe fn max_modulus(a: __m256d, b: __m256d) -> __m256d {
    unsafe {
        let modulus = _mm256_andnot_pd(_mm256_set1_pd(-0.0), b);
        let more = _mm256_cmpgt_epi64(_mm256_castpd_si256(modulus), _mm256_castpd_si256(a));
        _mm256_blendv_pd(a, modulus, _mm256_castsi256_pd(more))
    }
}

/// Sums of whole numbers below 2⁶⁶: multiples of 2¹⁶ in that unit, in whole numbers whose upper 16 bits mean nothing, and
/// what is left, in f64 that stay exact.
#[derive(Clone, Copy)]
pub struct Sum {
    high: __m256i,
    low: __m256d,
}

impl Tile for Lanes<[__m256d; 2]> {
    type Scalar = f64;
    type Fixed = [__m256i; 2];
    /// Lanes that count have their sign bit set.
    type Mask = [__m256d; 2];
    type Index = [u32; WIDTH];
    type Sum = Sum;
    const ROWS: usize = 1;

    #[inline(always)]
    fn columns(values: &[f64; WIDTH]) -> Self {
        unsafe { Lanes([_mm256_loadu_pd(values.as_ptr()), _mm256_loadu_pd(values.as_ptr().add(4))]) }
    }
    #[inline(always)]
    fn rows(values: &[f64; WIDTH], first: usize) -> Self {
        Self::scalar(values[first])
    }
    #[inline(always)]
    fn coordinates(rows: &[i64; WIDTH], first: usize) -> [__m256i; 2] {
        [unsafe { _mm256_set1_epi64x(rows[first]) }; 2]
    }
    #[inline(always)]
    fn separation(rows: [__m256i; 2], columns: &[i64; WIDTH]) -> Self {
        unsafe {
            let columns = load(columns);
            Lanes([to_double(_mm256_sub_epi64(rows[0], columns[0])), to_double(_mm256_sub_epi64(rows[1], columns[1]))])
        }
    }
    #[inline(always)]
    fn index(kinds: &[u32; 2 * WIDTH]) -> [u32; WIDTH] {
        let mut first = [0; WIDTH];
        first.copy_from_slice(&kinds[..WIDTH]);
        first
    }
    #[inline(always)]
    fn lookup([table, _]: [&[f64; 16]; 2], columns: [u32; WIDTH]) -> Self {
        // Single loads: no permutation reaches across four registers.
        let at = |k: usize| table[columns[k] as usize % 16];
        unsafe { Lanes([_mm256_set_pd(at(3), at(2), at(1), at(0)), _mm256_set_pd(at(7), at(6), at(5), at(4))]) }
    }
    #[inline(always)]
    fn in_block(columns: [u32; WIDTH], block: u32) -> [__m256d; 2] {
        unsafe {
            let of = _mm256_srli_epi32::<5>(_mm256_loadu_si256(columns.as_ptr().cast()));
            let same = _mm256_cmpeq_epi32(of, _mm256_set1_epi32(block as i32));
            let (first, second) = (_mm256_castsi256_si128(same), _mm256_extracti128_si256::<1>(same));
            let wide = [_mm256_cvtepi32_epi64(first), _mm256_cvtepi32_epi64(second)];
            [_mm256_castsi256_pd(wide[0]), _mm256_castsi256_pd(wide[1])]
        }
    }
    #[inline(always)]
    fn replace(self, mask: [__m256d; 2], other: Self) -> Self {
        let [a, b] = [self.0, other.0];
        unsafe { Lanes([_mm256_blendv_pd(a[0], b[0], mask[0]), _mm256_blendv_pd(a[1], b[1], mask[1])]) }
    }
    #[inline(always)]
    fn below(self, bound: Self, bits: u32) -> [__m256d; 2] {
        unsafe {
            // Each lane's bit goes to where its sign is.
            let bits = _mm256_set1_epi64x(i64::from(bits));
            let first = _mm256_sllv_epi64(bits, _mm256_set_epi64x(60, 61, 62, 63));
            let second = _mm256_sllv_epi64(bits, _mm256_set_epi64x(56, 57, 58, 59));
            let first_below = _mm256_cmp_pd::<_CMP_LT_OQ>(self.0[0], bound.0[0]);
            let second_below = _mm256_cmp_pd::<_CMP_LT_OQ>(self.0[1], bound.0[1]);
            [
                _mm256_and_pd(first_below, _mm256_castsi256_pd(first)),
                _mm256_and_pd(second_below, _mm256_castsi256_pd(second)),
            ]
        }
    }
    #[inline(always)]
    fn keep(self, mask: [__m256d; 2]) -> Self {
        Self::scalar(0.0).replace(mask, self)
    }
    #[inline(always)]
    fn max_modulus(self, other: Self) -> Self {
        unsafe { Lanes([max_modulus(self.0[0], other.0[0]), max_modulus(self.0[1], other.0[1])]) }
    }
    #[inline(always)]
    fn scalar(value: f64) -> Self {
        Lanes(Register::splat(value))
    }
    #[inline(always)]
    fn min_where(self, mask: [__m256d; 2], other: Self) -> Self {
        self.replace(mask, Lanes(other.0.min(self.0)))
    }
    #[inline(always)]
    fn least(self) -> f64 {
        let four = self.0[0].min(self.0[1]);
        unsafe {
            let two = _mm_min_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd::<1>(four));
            _mm_cvtsd_f64(_mm_min_sd(two, _mm_unpackhi_pd(two, two)))
        }
    }
    #[inline(always)]
    fn to_fixed(self) -> [__m256i; 2] {
        unsafe { [to_whole(self.0[0]), to_whole(self.0[1])] }
    }
    #[inline(always)]
    fn fixed_zero() -> [__m256i; 2] {
        [unsafe { _mm256_setzero_si256() }; 2]
    }
    #[inline(always)]
    fn fixed_add(a: [__m256i; 2], b: [__m256i; 2]) -> [__m256i; 2] {
        unsafe { [_mm256_add_epi64(a[0], b[0]), _mm256_add_epi64(a[1], b[1])] }
    }
    #[inline(always)]
    fn add_rows(a: [__m256i; 2], into: &mut [i64; WIDTH], first: usize) {
        unsafe {
            let four = _mm256_add_epi64(a[0], a[1]);
            let two = _mm_add_epi64(_mm256_castsi256_si128(four), _mm256_extracti128_si256::<1>(four));
            let one = _mm_add_epi64(two, _mm_unpackhi_epi64(two, two));
            into[first] = into[first].wrapping_add(_mm_cvtsi128_si64(one));
        }
    }
    #[inline(always)]
    fn subtract_columns(a: [__m256i; 2], from: &mut [i64; WIDTH]) {
        unsafe {
            let old = load(from);
            _mm256_storeu_si256(from.as_mut_ptr().cast(), _mm256_sub_epi64(old[0], a[0]));
            _mm256_storeu_si256(from.as_mut_ptr().add(4).cast(), _mm256_sub_epi64(old[1], a[1]));
        }
    }
    #[inline(always)]
    fn sum_zero() -> Sum {
        unsafe { Sum { high: _mm256_setzero_si256(), low: _mm256_setzero_pd() } }
    }
    #[inline(always)]
    fn sum_add(mut sum: Sum, energy: Self) -> Sum {
        unsafe {
            // In its sum with 1.5·2⁶⁸ a number is rounded to a multiple of 2¹⁶.
            let coarse = _mm256_set1_pd(65_536.0 * MAGIC);
            for half in 0..2 {
                let high = _mm256_add_pd(energy.0[half], coarse);
                let rest = _mm256_sub_pd(energy.0[half], _mm256_sub_pd(high, coarse));
                sum.high = _mm256_add_epi64(sum.high, _mm256_castpd_si256(high));
                sum.low = _mm256_add_pd(sum.low, rest.round());
            }
        }
        sum
    }
    #[inline(always)]
    fn sum_total(sum: Sum) -> i64 {
        let (mut high, mut low) = ([0_i64; 4], [0.0; 4]);
        unsafe {
            _mm256_storeu_si256(high.as_mut_ptr().cast(), sum.high);
            _mm256_storeu_pd(low.as_mut_ptr(), sum.low);
        }
        (0..4).fold(0, |total: i64, k| total.wrapping_add(high[k] << 16).wrapping_add(low[k] as i64))
    }
}

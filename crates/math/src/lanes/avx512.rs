//! Lanes in the registers of AVX-512.
#![allow(unsafe_code)]
// SAFETY, of every block in this file: the types are private to `lanes`, whose `dispatch` hands them out only after it
// has asked the processor for AVX-512 F, DQ, BW and VL; loads and stores go through references to whole arrays or
// slices whose length was checked.

mod packet;

use super::registers::{Lanes, Register, register};
use super::{PACK, Simd, Tile, WIDTH};
use std::arch::x86_64::*;

/// 512-bit vectors.
pub struct Avx512;

/// Eight f64.
type F64x8 = Lanes<__m512d>;

/// Two rows of eight f32.
type F32x16 = Lanes<__m512>;

/// The smaller numbers of the quarters of each, down to one quarter of a, b, c, d.
#[inline(always)]
fn quarters([a, b, c, d]: &[F32x16; 4]) -> __m512 {
    unsafe {
        // a a b b and c c d d, then a b c d.
        let ab = _mm512_min_ps(_mm512_shuffle_f32x4::<0x44>(a.0, b.0), _mm512_shuffle_f32x4::<0xee>(a.0, b.0));
        let cd = _mm512_min_ps(_mm512_shuffle_f32x4::<0x44>(c.0, d.0), _mm512_shuffle_f32x4::<0xee>(c.0, d.0));
        _mm512_min_ps(_mm512_shuffle_f32x4::<0x88>(ab, cd), _mm512_shuffle_f32x4::<0xdd>(ab, cd))
    }
}

impl Simd for Avx512 {
    const FUSED: bool = true;
    type Double = F64x8;
    type Single = F32x16;
    type Packet = F32x16;
    const SPECIALISED: bool = true;
    #[inline(always)]
    fn pack(values: &[u32; PACK], keys: &[u32; PACK], range: [u32; 2], among: u16, into: &mut [u32; PACK]) -> usize {
        unsafe {
            let keys = _mm512_loadu_si512(keys.as_ptr().cast());
            let which = _mm512_mask_cmpge_epu32_mask(among, keys, _mm512_set1_epi32(range[0] as i32));
            let which = _mm512_mask_cmple_epu32_mask(which, keys, _mm512_set1_epi32(range[1] as i32));
            // In a register: some processors are slow where memory is the target.
            let packed = _mm512_maskz_compress_epi32(which, _mm512_loadu_si512(values.as_ptr().cast()));
            _mm512_storeu_si512(into.as_mut_ptr().cast(), packed);
            which.count_ones() as usize
        }
    }
}

register! {
    __m512d: [f64; 8], _mm512_loadu_pd, _mm512_storeu_pd, _mm512_set1_pd, _mm512_cvtsd_f64;
    add = _mm512_add_pd, sub = _mm512_sub_pd, mul = _mm512_mul_pd, div = _mm512_div_pd,
    min = _mm512_min_pd, max = _mm512_max_pd;
    fmadd = _mm512_fmadd_pd, fmsub = _mm512_fmsub_pd, fnmadd = _mm512_fnmadd_pd;
    {
        // 14 bits become 56.
        const SERIES: &'static [f64] = &[0.5, 0.375, 0.3125];

        #[inline(always)]
        fn sqrt(self) -> Self {
            unsafe { _mm512_sqrt_pd(self) }
        }
        #[inline(always)]
        fn round(self) -> Self {
            unsafe { _mm512_roundscale_pd::<8>(self) }
        }
        #[inline(always)]
        fn estimate(self) -> Self {
            unsafe { _mm512_rsqrt14_pd(self) }
        }
        #[inline(always)]
        fn select_lt(self, bound: Self, a: Self, b: Self) -> Self {
            unsafe { _mm512_mask_mov_pd(b, _mm512_cmp_pd_mask::<_CMP_LT_OQ>(self, bound), a) }
        }
        #[inline(always)]
        fn scaled(self, k: Self, x: Self, bound: Self) -> Self {
            unsafe { _mm512_maskz_scalef_pd(_mm512_cmp_pd_mask::<_CMP_NLT_UQ>(x, bound), self, k) }
        }
    }
}

register! {
    __m512: [f32; 16], _mm512_loadu_ps, _mm512_storeu_ps, _mm512_set1_ps, _mm512_cvtss_f32;
    add = _mm512_add_ps, sub = _mm512_sub_ps, mul = _mm512_mul_ps, div = _mm512_div_ps,
    min = _mm512_min_ps, max = _mm512_max_ps;
    fmadd = _mm512_fmadd_ps, fmsub = _mm512_fmsub_ps, fnmadd = _mm512_fnmadd_ps;
    {
        // 14 bits become 24.
        const SERIES: &'static [f64] = &[0.5];

        #[inline(always)]
        fn sqrt(self) -> Self {
            unsafe { _mm512_sqrt_ps(self) }
        }
        #[inline(always)]
        fn round(self) -> Self {
            unsafe { _mm512_roundscale_ps::<8>(self) }
        }
        #[inline(always)]
        fn estimate(self) -> Self {
            unsafe { _mm512_rsqrt14_ps(self) }
        }
        /// One less in the exponent: multiplications are what the pair loop has most of, and this is none.
        #[inline(always)]
        fn half(self) -> Self {
            unsafe {
                let one = _mm512_set1_epi32(1 << 23);
                _mm512_castsi512_ps(_mm512_sub_epi32(_mm512_castps_si512(self), one))
            }
        }
        #[inline(always)]
        fn select_lt(self, bound: Self, a: Self, b: Self) -> Self {
            unsafe { _mm512_mask_mov_ps(b, _mm512_cmp_ps_mask::<_CMP_LT_OQ>(self, bound), a) }
        }
        #[inline(always)]
        fn scaled(self, k: Self, x: Self, bound: Self) -> Self {
            unsafe { _mm512_maskz_scalef_ps(_mm512_cmp_ps_mask::<_CMP_NLT_UQ>(x, bound), self, k) }
        }
    }
}

impl Tile for F64x8 {
    type Scalar = f64;
    type Fixed = __m512i;
    type Mask = __mmask8;
    type Index = __m512i;
    type Sum = __m512i;
    const ROWS: usize = 1;

    #[inline(always)]
    fn columns(values: &[f64; WIDTH]) -> Self {
        Lanes(unsafe { _mm512_loadu_pd(values.as_ptr()) })
    }
    #[inline(always)]
    fn rows(values: &[f64; WIDTH], first: usize) -> Self {
        Self::scalar(values[first])
    }
    #[inline(always)]
    fn coordinates(rows: &[i64; WIDTH], first: usize) -> __m512i {
        unsafe { _mm512_set1_epi64(rows[first]) }
    }
    #[inline(always)]
    fn separation(rows: __m512i, columns: &[i64; WIDTH]) -> Self {
        unsafe { Lanes(_mm512_cvtepi64_pd(_mm512_sub_epi64(rows, _mm512_loadu_si512(columns.as_ptr().cast())))) }
    }
    #[inline(always)]
    fn index(kinds: &[u32; 2 * WIDTH]) -> __m512i {
        unsafe { _mm512_cvtepu32_epi64(_mm256_loadu_si256(kinds.as_ptr().cast())) }
    }
    #[inline(always)]
    fn lookup([table, _]: [&[f64; 16]; 2], columns: __m512i) -> Self {
        unsafe {
            let (low, high) = (_mm512_loadu_pd(table.as_ptr()), _mm512_loadu_pd(table.as_ptr().add(8)));
            Lanes(_mm512_permutex2var_pd(low, columns, high))
        }
    }
    #[inline(always)]
    fn in_block(columns: __m512i, block: u32) -> __mmask8 {
        unsafe { _mm512_cmpeq_epi64_mask(_mm512_srli_epi64::<5>(columns), _mm512_set1_epi64(i64::from(block))) }
    }
    #[inline(always)]
    fn replace(self, mask: __mmask8, other: Self) -> Self {
        Lanes(unsafe { _mm512_mask_mov_pd(self.0, mask, other.0) })
    }
    #[inline(always)]
    fn below(self, bound: Self, bits: u32) -> __mmask8 {
        unsafe { _mm512_mask_cmp_pd_mask::<_CMP_LT_OQ>(bits as u8, self.0, bound.0) }
    }
    #[inline(always)]
    fn keep(self, mask: __mmask8) -> Self {
        Lanes(unsafe { _mm512_maskz_mov_pd(mask, self.0) })
    }
    #[inline(always)]
    fn max_modulus(self, other: Self) -> Self {
        // Moduli are ordered as the whole numbers with the same bits, whose ports are idle here.
        unsafe {
            let [a, b] = [_mm512_castpd_si512(self.0), _mm512_castpd_si512(other.0)];
            let modulus = _mm512_and_si512(b, _mm512_set1_epi64(i64::MAX));
            Lanes(_mm512_castsi512_pd(_mm512_max_epu64(a, modulus)))
        }
    }
    #[inline(always)]
    fn scalar(value: f64) -> Self {
        Lanes(unsafe { _mm512_set1_pd(value) })
    }
    #[inline(always)]
    fn min_where(self, mask: __mmask8, other: Self) -> Self {
        unsafe {
            let [a, b] = [_mm512_castpd_si512(self.0), _mm512_castpd_si512(other.0)];
            Lanes(_mm512_castsi512_pd(_mm512_mask_min_epu64(a, mask, a, b)))
        }
    }
    #[inline(always)]
    fn least(self) -> f64 {
        unsafe { _mm512_reduce_min_pd(self.0) }
    }
    #[inline(always)]
    fn to_fixed(self) -> __m512i {
        unsafe { _mm512_cvtpd_epi64(self.0) }
    }
    #[inline(always)]
    fn fixed_zero() -> __m512i {
        unsafe { _mm512_setzero_si512() }
    }
    #[inline(always)]
    fn fixed_add(a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_add_epi64(a, b) }
    }
    #[inline(always)]
    fn add_rows(a: __m512i, into: &mut [i64; WIDTH], first: usize) {
        into[first] = into[first].wrapping_add(unsafe { _mm512_reduce_add_epi64(a) });
    }
    #[inline(always)]
    fn subtract_columns(a: __m512i, from: &mut [i64; WIDTH]) {
        unsafe {
            let old = _mm512_loadu_si512(from.as_ptr().cast());
            _mm512_storeu_si512(from.as_mut_ptr().cast(), _mm512_sub_epi64(old, a));
        }
    }
    #[inline(always)]
    fn sum_zero() -> __m512i {
        unsafe { _mm512_setzero_si512() }
    }
    #[inline(always)]
    fn sum_add(sum: __m512i, energy: Self) -> __m512i {
        unsafe { _mm512_add_epi64(sum, _mm512_cvtpd_epi64(energy.0)) }
    }
    #[inline(always)]
    fn sum_total(sum: __m512i) -> i64 {
        unsafe { _mm512_reduce_add_epi64(sum) }
    }
}

/// What order-free sums cost is measured against plain ones in f32, whose forces are then not what they should be: see the
/// bench `pairs`.
const PLAIN_SUMS: bool = cfg!(feature = "plain-sums");

impl Tile for F32x16 {
    type Scalar = f32;
    type Fixed = __m512i;
    type Mask = __mmask16;
    type Index = __m512i;
    type Sum = __m512i;
    const ROWS: usize = 2;

    #[inline(always)]
    fn columns(values: &[f32; WIDTH]) -> Self {
        Lanes(unsafe { _mm512_broadcast_f32x8(_mm256_loadu_ps(values.as_ptr())) })
    }
    #[inline(always)]
    fn rows(values: &[f32; WIDTH], first: usize) -> Self {
        let [a, b] = [values[first], values[first + 1]];
        unsafe { Lanes(_mm512_mask_broadcastss_ps(_mm512_set1_ps(a), 0xff00, _mm_set_ss(b))) }
    }
    #[inline(always)]
    fn coordinates(rows: &[i32; WIDTH], first: usize) -> __m512i {
        unsafe { _mm512_mask_set1_epi32(_mm512_set1_epi32(rows[first]), 0xff00, rows[first + 1]) }
    }
    #[inline(always)]
    fn separation(rows: __m512i, columns: &[i32; WIDTH]) -> Self {
        unsafe {
            let columns = _mm512_broadcast_i32x8(_mm256_loadu_si256(columns.as_ptr().cast()));
            Lanes(_mm512_cvtepi32_ps(_mm512_sub_epi32(rows, columns)))
        }
    }
    #[inline(always)]
    fn index(kinds: &[u32; 2 * WIDTH]) -> __m512i {
        unsafe { _mm512_loadu_si512(kinds.as_ptr().cast()) }
    }
    #[inline(always)]
    fn lookup([first, second]: [&[f32; 16]; 2], columns: __m512i) -> Self {
        unsafe {
            // Of a place the permutation takes the last five bits: both tables are one of 32.
            let [first, second] = [_mm512_loadu_ps(first.as_ptr()), _mm512_loadu_ps(second.as_ptr())];
            Lanes(_mm512_permutex2var_ps(first, columns, second))
        }
    }
    #[inline(always)]
    fn in_block(columns: __m512i, block: u32) -> __mmask16 {
        unsafe { _mm512_cmpeq_epi32_mask(_mm512_srli_epi32::<5>(columns), _mm512_set1_epi32(block as i32)) }
    }
    #[inline(always)]
    fn replace(self, mask: __mmask16, other: Self) -> Self {
        Lanes(unsafe { _mm512_mask_mov_ps(self.0, mask, other.0) })
    }
    /// The exponents' difference: multiplications are what the pair loop has most of, and an addition to them is none.
    #[inline(always)]
    fn power_of_two(k: i32) -> Self {
        Lanes(unsafe { _mm512_castsi512_ps(_mm512_set1_epi32(k << 23)) })
    }
    #[inline(always)]
    fn times_power(self, power: Self) -> Self {
        unsafe {
            let [a, b] = [_mm512_castps_si512(self.0), _mm512_castps_si512(power.0)];
            Lanes(_mm512_castsi512_ps(_mm512_add_epi32(a, b)))
        }
    }
    #[inline(always)]
    fn below(self, bound: Self, bits: u32) -> __mmask16 {
        unsafe { _mm512_mask_cmp_ps_mask::<_CMP_LT_OQ>(bits as u16, self.0, bound.0) }
    }
    #[inline(always)]
    fn keep(self, mask: __mmask16) -> Self {
        Lanes(unsafe { _mm512_maskz_mov_ps(mask, self.0) })
    }
    #[inline(always)]
    fn least_of_each(of: &[[Self; 4]; 4]) -> [f32; 16] {
        let mut least = [0.0; 16];
        unsafe {
            let [e0, e1, e2, e3] = [quarters(&of[0]), quarters(&of[1]), quarters(&of[2]), quarters(&of[3])];
            // Within each quarter: 0 1 0 1 and 2 3 2 3, then 0 1 2 3.
            let e01 = _mm512_min_ps(_mm512_unpacklo_ps(e0, e1), _mm512_unpackhi_ps(e0, e1));
            let e23 = _mm512_min_ps(_mm512_unpacklo_ps(e2, e3), _mm512_unpackhi_ps(e2, e3));
            let all = _mm512_min_ps(_mm512_shuffle_ps::<0x44>(e01, e23), _mm512_shuffle_ps::<0xee>(e01, e23));
            _mm512_storeu_ps(least.as_mut_ptr(), all);
        }
        least
    }
    #[inline(always)]
    fn max_modulus(self, other: Self) -> Self {
        unsafe {
            let [a, b] = [_mm512_castps_si512(self.0), _mm512_castps_si512(other.0)];
            let modulus = _mm512_and_si512(b, _mm512_set1_epi32(i32::MAX));
            Lanes(_mm512_castsi512_ps(_mm512_max_epu32(a, modulus)))
        }
    }
    #[inline(always)]
    fn scalar(value: f32) -> Self {
        Lanes(unsafe { _mm512_set1_ps(value) })
    }
    #[inline(always)]
    fn min_where(self, mask: __mmask16, other: Self) -> Self {
        unsafe {
            let [a, b] = [_mm512_castps_si512(self.0), _mm512_castps_si512(other.0)];
            Lanes(_mm512_castsi512_ps(_mm512_mask_min_epu32(a, mask, a, b)))
        }
    }
    #[inline(always)]
    fn least(self) -> f64 {
        f64::from(unsafe { _mm512_reduce_min_ps(self.0) })
    }
    #[inline(always)]
    fn to_fixed(self) -> __m512i {
        unsafe { if PLAIN_SUMS { _mm512_castps_si512(self.0) } else { _mm512_cvtps_epi32(self.0) } }
    }
    #[inline(always)]
    fn fixed_zero() -> __m512i {
        unsafe { _mm512_setzero_si512() }
    }
    #[inline(always)]
    fn fixed_add(a: __m512i, b: __m512i) -> __m512i {
        unsafe {
            if PLAIN_SUMS {
                return _mm512_castps_si512(_mm512_add_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b)));
            }
            _mm512_add_epi32(a, b)
        }
    }
    #[inline(always)]
    fn add_rows(a: __m512i, into: &mut [i32; WIDTH], first: usize) {
        unsafe {
            let (low, high) = (_mm512_castsi512_si256(a), _mm512_extracti64x4_epi64::<1>(a));
            for (row, half) in [low, high].into_iter().enumerate() {
                let four = _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256::<1>(half));
                let two = _mm_add_epi32(four, _mm_shuffle_epi32::<0b0100_1110>(four));
                let one = _mm_add_epi32(two, _mm_shuffle_epi32::<0b1011_0001>(two));
                into[first + row] = into[first + row].wrapping_add(_mm_cvtsi128_si32(one));
            }
        }
    }
    #[inline(always)]
    fn subtract_columns(a: __m512i, from: &mut [i32; WIDTH]) {
        unsafe {
            if PLAIN_SUMS {
                let rows = [_mm512_castsi512_si256(a), _mm512_extracti64x4_epi64::<1>(a)];
                let rows = _mm256_add_ps(_mm256_castsi256_ps(rows[0]), _mm256_castsi256_ps(rows[1]));
                let old = _mm256_loadu_ps(from.as_ptr().cast());
                return _mm256_storeu_ps(from.as_mut_ptr().cast(), _mm256_sub_ps(old, rows));
            }
            let rows = _mm256_add_epi32(_mm512_castsi512_si256(a), _mm512_extracti64x4_epi64::<1>(a));
            let old = _mm256_loadu_si256(from.as_ptr().cast());
            _mm256_storeu_si256(from.as_mut_ptr().cast(), _mm256_sub_epi32(old, rows));
        }
    }
    #[inline(always)]
    fn sum_zero() -> __m512i {
        unsafe { _mm512_setzero_si512() }
    }
    #[inline(always)]
    fn sum_add(sum: __m512i, energy: Self) -> __m512i {
        unsafe {
            let [low, high] = [_mm512_castps512_ps256(energy.0), _mm512_extractf32x8_ps::<1>(energy.0)];
            _mm512_add_epi64(_mm512_add_epi64(sum, _mm512_cvtps_epi64(low)), _mm512_cvtps_epi64(high))
        }
    }
    #[inline(always)]
    fn sum_total(sum: __m512i) -> i64 {
        unsafe { _mm512_reduce_add_epi64(sum) }
    }
}

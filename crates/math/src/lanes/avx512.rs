//! Lanes in the registers of AVX-512.
#![allow(unsafe_code)]
// SAFETY, of every block in this file: the types are private to `lanes`, whose `dispatch` hands them out only after it
// has asked the processor for AVX-512 F, DQ, BW and VL; loads and stores go through references to whole arrays or
// slices whose length was checked.

mod packet;

use std::arch::x86_64::*;
use std::ops::{Add, Div, Mul, Neg, Sub};

use super::array::{EXP_LN2, EXP_TAYLOR};
use super::{Simd, Tile, WIDTH};
use crate::{Real, special};

/// 512-bit vectors.
pub struct Avx512;

impl Simd for Avx512 {
    const FUSED: bool = true;
    type Double = F64x8;
    type Single = F32x16;
    const SPECIALISED: bool = true;
}

/// Eight f64.
#[derive(Clone, Copy, Debug)]
pub struct F64x8(__m512d);

/// Two rows of eight f32.
#[derive(Clone, Copy, Debug)]
pub struct F32x16(__m512);

macro_rules! operators {
    ($name:ident, $add:ident, $sub:ident, $mul:ident, $div:ident, $zero:ident) => {
        impl Add for $name {
            type Output = Self;
            #[inline(always)]
            fn add(self, o: Self) -> Self {
                $name(unsafe { $add(self.0, o.0) })
            }
        }
        impl Sub for $name {
            type Output = Self;
            #[inline(always)]
            fn sub(self, o: Self) -> Self {
                $name(unsafe { $sub(self.0, o.0) })
            }
        }
        impl Mul for $name {
            type Output = Self;
            #[inline(always)]
            fn mul(self, o: Self) -> Self {
                $name(unsafe { $mul(self.0, o.0) })
            }
        }
        impl Div for $name {
            type Output = Self;
            #[inline(always)]
            fn div(self, o: Self) -> Self {
                $name(unsafe { $div(self.0, o.0) })
            }
        }
        impl Neg for $name {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                $name(unsafe { $sub($zero(), self.0) })
            }
        }
    };
}

operators!(F64x8, _mm512_add_pd, _mm512_sub_pd, _mm512_mul_pd, _mm512_div_pd, _mm512_setzero_pd);
operators!(F32x16, _mm512_add_ps, _mm512_sub_ps, _mm512_mul_ps, _mm512_div_ps, _mm512_setzero_ps);

impl F64x8 {
    #[inline(always)]
    fn each(self, f: impl Fn(f64) -> f64) -> Self {
        let mut v = [0.0; 8];
        unsafe { _mm512_storeu_pd(v.as_mut_ptr(), self.0) };
        Tile::columns(&v.map(f))
    }
}

impl F32x16 {
    #[inline(always)]
    fn to_array(self) -> [f32; 16] {
        let mut v = [0.0; 16];
        unsafe { _mm512_storeu_ps(v.as_mut_ptr(), self.0) };
        v
    }
    #[inline(always)]
    fn each(self, f: impl Fn(f64) -> f64) -> Self {
        let v = self.to_array().map(|x| f(f64::from(x)) as f32);
        F32x16(unsafe { _mm512_loadu_ps(v.as_ptr()) })
    }
    /// Its rows as f64.
    #[inline(always)]
    fn halves(self) -> [__m512d; 2] {
        unsafe {
            [_mm512_cvtps_pd(_mm512_castps512_ps256(self.0)), _mm512_cvtps_pd(_mm512_extractf32x8_ps::<1>(self.0))]
        }
    }
}

impl Real for F64x8 {
    #[inline(always)]
    fn splat(value: f64) -> Self {
        F64x8(unsafe { _mm512_set1_pd(value) })
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        F64x8(unsafe { _mm512_sqrt_pd(self.0) })
    }
    /// The estimate's 14 bits become 56 by the series of (1 − e)^(−1/2).
    #[inline(always)]
    fn rsqrt(self) -> Self {
        let y = F64x8(unsafe { _mm512_rsqrt14_pd(self.0) });
        let e = F64x8(unsafe { _mm512_fnmadd_pd((self * y).0, y.0, _mm512_set1_pd(1.0)) });
        let series = e.mul_add(Self::splat(0.3125), Self::splat(0.375)).mul_add(e, Self::splat(0.5)) * e;
        series.mul_add(y, y)
    }
    /// As [`special::exp`], with 0 below −708 and the value at 709 above it.
    #[inline(always)]
    fn exp(self) -> Self {
        const LN2: [f64; 2] = [6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10];
        unsafe {
            let x = _mm512_min_pd(self.0, _mm512_set1_pd(709.0));
            let k = _mm512_roundscale_pd::<8>(_mm512_mul_pd(x, _mm512_set1_pd(std::f64::consts::LOG2_E)));
            let r = _mm512_fnmadd_pd(k, _mm512_set1_pd(LN2[0]), x);
            let r = F64x8(_mm512_fnmadd_pd(k, _mm512_set1_pd(LN2[1]), r));
            let mut inverse_factorial = 1.0 / 6_227_020_800.0;
            let mut p = Self::splat(inverse_factorial);
            for n in (1..14).rev() {
                inverse_factorial *= f64::from(n);
                p = p.mul_add(r, Self::splat(inverse_factorial));
            }
            let inside = _mm512_cmp_pd_mask::<_CMP_NLT_UQ>(self.0, _mm512_set1_pd(-708.0));
            F64x8(_mm512_maskz_scalef_pd(inside, p.0, k))
        }
    }
    #[inline(always)]
    fn erfc(self) -> Self {
        self.each(special::erfc)
    }
    #[inline(always)]
    fn cos(self) -> Self {
        self.each(special::cos)
    }
    #[inline(always)]
    fn sin(self) -> Self {
        self.each(special::sin)
    }
    #[inline(always)]
    fn acos(self) -> Self {
        self.each(special::acos)
    }
    #[inline(always)]
    fn atan2(self, other: Self) -> Self {
        let mut v = [[0.0; 8]; 2];
        unsafe {
            _mm512_storeu_pd(v[0].as_mut_ptr(), self.0);
            _mm512_storeu_pd(v[1].as_mut_ptr(), other.0);
        }
        Tile::columns(&std::array::from_fn(|k| special::atan2(v[0][k], v[1][k])))
    }
    #[inline(always)]
    fn select_lt(self, bound: Self, a: Self, b: Self) -> Self {
        unsafe { F64x8(_mm512_mask_mov_pd(b.0, _mm512_cmp_pd_mask::<_CMP_LT_OQ>(self.0, bound.0), a.0)) }
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        F64x8(unsafe { _mm512_fmadd_pd(self.0, b.0, c.0) })
    }
    #[inline(always)]
    fn value(self) -> f64 {
        unsafe { _mm512_cvtsd_f64(self.0) }
    }
}

impl Real for F32x16 {
    #[inline(always)]
    fn splat(value: f64) -> Self {
        F32x16(unsafe { _mm512_set1_ps(value as f32) })
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        F32x16(unsafe { _mm512_sqrt_ps(self.0) })
    }
    /// The estimate's 14 bits become 24 by one step of Newton.
    #[inline(always)]
    fn rsqrt(self) -> Self {
        let y = F32x16(unsafe { _mm512_rsqrt14_ps(self.0) });
        let e = F32x16(unsafe { _mm512_fnmadd_ps((self * y).0, y.0, _mm512_set1_ps(1.0)) });
        (y * Self::splat(0.5)).mul_add(e, y)
    }
    /// To 2 units in the last place; 0 below −87, the value at 88 above it.
    #[inline(always)]
    fn exp(self) -> Self {
        unsafe {
            let x = _mm512_min_ps(self.0, _mm512_set1_ps(88.0));
            let k = _mm512_roundscale_ps::<8>(_mm512_mul_ps(x, _mm512_set1_ps(std::f32::consts::LOG2_E)));
            let r = _mm512_fnmadd_ps(k, _mm512_set1_ps(EXP_LN2[0]), x);
            let r = F32x16(_mm512_fnmadd_ps(k, _mm512_set1_ps(EXP_LN2[1]), r));
            let mut p = F32x16(_mm512_set1_ps(EXP_TAYLOR[0]));
            for c in &EXP_TAYLOR[1..] {
                p = p.mul_add(r, F32x16(_mm512_set1_ps(*c)));
            }
            let inside = _mm512_cmp_ps_mask::<_CMP_NLT_UQ>(self.0, _mm512_set1_ps(-87.0));
            F32x16(_mm512_maskz_scalef_ps(inside, p.0, k))
        }
    }
    #[inline(always)]
    fn erfc(self) -> Self {
        self.each(special::erfc)
    }
    #[inline(always)]
    fn cos(self) -> Self {
        self.each(special::cos)
    }
    #[inline(always)]
    fn sin(self) -> Self {
        self.each(special::sin)
    }
    #[inline(always)]
    fn acos(self) -> Self {
        self.each(special::acos)
    }
    #[inline(always)]
    fn atan2(self, other: Self) -> Self {
        let (y, x) = (self.to_array(), other.to_array());
        let v: [f32; 16] = std::array::from_fn(|k| special::atan2(f64::from(y[k]), f64::from(x[k])) as f32);
        F32x16(unsafe { _mm512_loadu_ps(v.as_ptr()) })
    }
    #[inline(always)]
    fn select_lt(self, bound: Self, a: Self, b: Self) -> Self {
        unsafe { F32x16(_mm512_mask_mov_ps(b.0, _mm512_cmp_ps_mask::<_CMP_LT_OQ>(self.0, bound.0), a.0)) }
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        F32x16(unsafe { _mm512_fmadd_ps(self.0, b.0, c.0) })
    }
    #[inline(always)]
    fn value(self) -> f64 {
        f64::from(unsafe { _mm512_cvtss_f32(self.0) })
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
        F64x8(unsafe { _mm512_loadu_pd(values.as_ptr()) })
    }
    #[inline(always)]
    fn rows(values: &[f64; WIDTH], first: usize) -> Self {
        Self::splat(values[first])
    }
    #[inline(always)]
    fn coordinates(rows: &[i64; WIDTH], first: usize) -> __m512i {
        unsafe { _mm512_set1_epi64(rows[first]) }
    }
    #[inline(always)]
    fn separation(rows: __m512i, columns: &[i64; WIDTH]) -> Self {
        unsafe { F64x8(_mm512_cvtepi64_pd(_mm512_sub_epi64(rows, _mm512_loadu_si512(columns.as_ptr().cast())))) }
    }
    #[inline(always)]
    fn index(kinds: &[u32; WIDTH]) -> __m512i {
        unsafe { _mm512_cvtepu32_epi64(_mm256_loadu_si256(kinds.as_ptr().cast())) }
    }
    #[inline(always)]
    fn lookup([table, _]: [&[f64; 16]; 2], columns: __m512i) -> Self {
        unsafe {
            let (low, high) = (_mm512_loadu_pd(table.as_ptr()), _mm512_loadu_pd(table.as_ptr().add(8)));
            F64x8(_mm512_permutex2var_pd(low, columns, high))
        }
    }
    #[inline(always)]
    fn in_block(columns: __m512i, block: u32) -> __mmask8 {
        unsafe { _mm512_cmpeq_epi64_mask(_mm512_srli_epi64::<4>(columns), _mm512_set1_epi64(i64::from(block))) }
    }
    #[inline(always)]
    fn replace(self, mask: __mmask8, other: Self) -> Self {
        F64x8(unsafe { _mm512_mask_mov_pd(self.0, mask, other.0) })
    }
    #[inline(always)]
    fn below(self, bound: Self, bits: u32) -> __mmask8 {
        unsafe { _mm512_mask_cmp_pd_mask::<_CMP_LT_OQ>(bits as u8, self.0, bound.0) }
    }
    #[inline(always)]
    fn keep(self, mask: __mmask8) -> Self {
        F64x8(unsafe { _mm512_maskz_mov_pd(mask, self.0) })
    }
    #[inline(always)]
    fn max_modulus(self, other: Self) -> Self {
        // Moduli are ordered as the whole numbers with the same bits, whose ports are idle here.
        unsafe {
            let [a, b] = [_mm512_castpd_si512(self.0), _mm512_castpd_si512(other.0)];
            let modulus = _mm512_and_si512(b, _mm512_set1_epi64(i64::MAX));
            F64x8(_mm512_castsi512_pd(_mm512_max_epu64(a, modulus)))
        }
    }
    #[inline(always)]
    fn scalar(value: f64) -> Self {
        F64x8(unsafe { _mm512_set1_pd(value) })
    }
    #[inline(always)]
    fn min_where(self, mask: __mmask8, other: Self) -> Self {
        unsafe {
            let [a, b] = [_mm512_castpd_si512(self.0), _mm512_castpd_si512(other.0)];
            F64x8(_mm512_castsi512_pd(_mm512_mask_min_epu64(a, mask, a, b)))
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

impl Tile for F32x16 {
    type Scalar = f32;
    type Fixed = __m512i;
    type Mask = __mmask16;
    type Index = __m512i;
    type Sum = __m512i;
    const ROWS: usize = 2;

    #[inline(always)]
    fn columns(values: &[f32; WIDTH]) -> Self {
        F32x16(unsafe { _mm512_broadcast_f32x8(_mm256_loadu_ps(values.as_ptr())) })
    }
    #[inline(always)]
    fn rows(values: &[f32; WIDTH], first: usize) -> Self {
        let [a, b] = [values[first], values[first + 1]];
        unsafe { F32x16(_mm512_mask_broadcastss_ps(_mm512_set1_ps(a), 0xff00, _mm_set_ss(b))) }
    }
    #[inline(always)]
    fn coordinates(rows: &[i32; WIDTH], first: usize) -> __m512i {
        unsafe { _mm512_mask_set1_epi32(_mm512_set1_epi32(rows[first]), 0xff00, rows[first + 1]) }
    }
    #[inline(always)]
    fn separation(rows: __m512i, columns: &[i32; WIDTH]) -> Self {
        unsafe {
            let columns = _mm512_broadcast_i32x8(_mm256_loadu_si256(columns.as_ptr().cast()));
            F32x16(_mm512_cvtepi32_ps(_mm512_sub_epi32(rows, columns)))
        }
    }
    #[inline(always)]
    fn index(kinds: &[u32; WIDTH]) -> __m512i {
        unsafe { _mm512_broadcast_i32x8(_mm256_loadu_si256(kinds.as_ptr().cast())) }
    }
    #[inline(always)]
    fn lookup([first, second]: [&[f32; 16]; 2], columns: __m512i) -> Self {
        unsafe {
            // Both tables as one of 32: kinds modulo 16, plus 16 in the second row.
            let second_row = _mm512_set_epi32(16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0);
            let at = _mm512_ternarylogic_epi32::<0xf8>(second_row, columns, _mm512_set1_epi32(15));
            let [first, second] = [_mm512_loadu_ps(first.as_ptr()), _mm512_loadu_ps(second.as_ptr())];
            F32x16(_mm512_permutex2var_ps(first, at, second))
        }
    }
    #[inline(always)]
    fn in_block(columns: __m512i, block: u32) -> __mmask16 {
        unsafe { _mm512_cmpeq_epi32_mask(_mm512_srli_epi32::<4>(columns), _mm512_set1_epi32(block as i32)) }
    }
    #[inline(always)]
    fn replace(self, mask: __mmask16, other: Self) -> Self {
        F32x16(unsafe { _mm512_mask_mov_ps(self.0, mask, other.0) })
    }
    #[inline(always)]
    fn below(self, bound: Self, bits: u32) -> __mmask16 {
        unsafe { _mm512_mask_cmp_ps_mask::<_CMP_LT_OQ>(bits as u16, self.0, bound.0) }
    }
    #[inline(always)]
    fn keep(self, mask: __mmask16) -> Self {
        F32x16(unsafe { _mm512_maskz_mov_ps(mask, self.0) })
    }
    #[inline(always)]
    fn least_of_four([a, b, c, d]: [Self; 4]) -> [f32; 4] {
        let mut least = [0.0; 4];
        unsafe {
            // By quarters of a register: a a b b and c c d d, then a b c d, then the least of each quarter.
            let ab = _mm512_min_ps(_mm512_shuffle_f32x4::<0x44>(a.0, b.0), _mm512_shuffle_f32x4::<0xee>(a.0, b.0));
            let cd = _mm512_min_ps(_mm512_shuffle_f32x4::<0x44>(c.0, d.0), _mm512_shuffle_f32x4::<0xee>(c.0, d.0));
            let each = _mm512_min_ps(_mm512_shuffle_f32x4::<0x88>(ab, cd), _mm512_shuffle_f32x4::<0xdd>(ab, cd));
            let each = _mm512_min_ps(each, _mm512_permute_ps::<0b0100_1110>(each));
            let each = _mm512_min_ps(each, _mm512_permute_ps::<0b1011_0001>(each));
            let first = _mm512_set_epi32(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 8, 4, 0);
            let quarters = _mm512_permutexvar_ps(first, each);
            _mm_storeu_ps(least.as_mut_ptr(), _mm512_castps512_ps128(quarters));
        }
        least
    }
    #[inline(always)]
    fn max_modulus(self, other: Self) -> Self {
        unsafe {
            let [a, b] = [_mm512_castps_si512(self.0), _mm512_castps_si512(other.0)];
            let modulus = _mm512_and_si512(b, _mm512_set1_epi32(i32::MAX));
            F32x16(_mm512_castsi512_ps(_mm512_max_epu32(a, modulus)))
        }
    }
    #[inline(always)]
    fn scalar(value: f32) -> Self {
        F32x16(unsafe { _mm512_set1_ps(value) })
    }
    #[inline(always)]
    fn min_where(self, mask: __mmask16, other: Self) -> Self {
        unsafe {
            let [a, b] = [_mm512_castps_si512(self.0), _mm512_castps_si512(other.0)];
            F32x16(_mm512_castsi512_ps(_mm512_mask_min_epu32(a, mask, a, b)))
        }
    }
    #[inline(always)]
    fn least(self) -> f64 {
        f64::from(unsafe { _mm512_reduce_min_ps(self.0) })
    }
    #[inline(always)]
    fn to_fixed(self) -> __m512i {
        unsafe { _mm512_cvtps_epi32(self.0) }
    }
    #[inline(always)]
    fn fixed_zero() -> __m512i {
        unsafe { _mm512_setzero_si512() }
    }
    #[inline(always)]
    fn fixed_add(a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_add_epi32(a, b) }
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

//! [`Packet`] in the registers of AVX-512.
#![allow(unsafe_code)]
// SAFETY, of every block in this file: as in the parent; a `Room` has an entry for every place.

use std::arch::x86_64::*;

use super::F32x16;
use crate::lanes::packet::{Accumulator, PACKET, Packet, Places, Room};
use crate::lanes::registers::{Lanes, Register};

/// x, y, z of four lanes each, as four rows.
#[inline(always)]
unsafe fn rows([x, y, z]: [__m512i; 3]) -> [__m512i; 4] {
    unsafe {
        let zero = _mm512_setzero_si512();
        let (xy, xy_high) = (_mm512_unpacklo_epi32(x, y), _mm512_unpackhi_epi32(x, y));
        let (z, z_high) = (_mm512_unpacklo_epi32(z, zero), _mm512_unpackhi_epi32(z, zero));
        [
            _mm512_unpacklo_epi64(xy, z),
            _mm512_unpackhi_epi64(xy, z),
            _mm512_unpacklo_epi64(xy_high, z_high),
            _mm512_unpackhi_epi64(xy_high, z_high),
        ]
    }
}

/// The entries of lane `k`.
#[inline(always)]
unsafe fn one(from: *const [i32; 4], at: &Places, k: usize) -> __m128i {
    unsafe { _mm_loadu_si128(from.add(at.of(k)).cast()) }
}

/// Those of lanes `k`, k + 4, k + 8, k + 12: transposed they are four lanes next to each other, four times.
#[inline(always)]
unsafe fn four(from: *const [i32; 4], at: &Places, k: usize) -> __m512i {
    unsafe {
        let low = _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(one(from, at, k)), one(from, at, k + 4));
        let high = _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(one(from, at, k + 8)), one(from, at, k + 12));
        _mm512_inserti64x4::<1>(_mm512_castsi256_si512(low), high)
    }
}

/// Adds to the entry of lane `k`.
#[inline(always)]
unsafe fn add(onto: *mut Accumulator, at: &Places, k: usize, numbers: __m256i) {
    unsafe {
        let entry = onto.add(at.of(k)).cast();
        _mm256_store_si256(entry, _mm256_add_epi64(_mm256_load_si256(entry), numbers));
    }
}

impl Packet for F32x16 {
    type Whole = __m512i;

    #[inline(always)]
    fn load(values: &[f32; PACKET]) -> Self {
        Lanes(unsafe { _mm512_loadu_ps(values.as_ptr()) })
    }
    #[inline(always)]
    fn store(self, values: &mut [f32; PACKET]) {
        unsafe { _mm512_storeu_ps(values.as_mut_ptr(), self.0) }
    }
    #[inline(always)]
    fn load_whole(values: &[i32; PACKET]) -> __m512i {
        unsafe { _mm512_loadu_epi32(values.as_ptr()) }
    }
    #[inline(always)]
    fn gather(coordinates: &Room<[i32; 4]>, at: &Places) -> [__m512i; 3] {
        unsafe {
            let from = coordinates.as_ptr();
            let (a, b, c, d) = (four(from, at, 0), four(from, at, 1), four(from, at, 2), four(from, at, 3));
            let (ab, cd) = (_mm512_unpacklo_epi32(a, b), _mm512_unpacklo_epi32(c, d));
            let (ab_z, cd_z) = (_mm512_unpackhi_epi32(a, b), _mm512_unpackhi_epi32(c, d));
            [_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd), _mm512_unpacklo_epi64(ab_z, cd_z)]
        }
    }
    #[inline(always)]
    fn difference(a: __m512i, b: __m512i) -> Self {
        Lanes(unsafe { _mm512_cvtepi32_ps(_mm512_sub_epi32(a, b)) })
    }
    #[inline(always)]
    fn mul_sub(self, b: Self, c: Self) -> Self {
        Lanes(self.0.fmsub(b.0, c.0))
    }
    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        Lanes(self.0.max(other.0))
    }
    #[inline(always)]
    fn smaller(self, other: Self) -> Self {
        Lanes(self.0.min(other.0))
    }
    #[inline(always)]
    fn below(self, bound: Self) -> u16 {
        unsafe { _mm512_cmp_ps_mask::<_CMP_LT_OQ>(self.0, bound.0) }
    }
    #[inline(always)]
    fn keep(self, lanes: u16) -> Self {
        Lanes(unsafe { _mm512_maskz_mov_ps(lanes, self.0) })
    }
    #[inline(always)]
    fn whole(self) -> __m512i {
        unsafe { _mm512_cvtps_epi32(self.0) }
    }
    #[inline(always)]
    fn none() -> __m512i {
        unsafe { _mm512_setzero_si512() }
    }
    #[inline(always)]
    fn minus(a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_sub_epi32(a, b) }
    }
    #[inline(always)]
    fn scatter(xyz: [__m512i; 3], at: &Places, onto: &mut Room<Accumulator>) {
        unsafe {
            let onto = onto.as_mut_ptr();
            let rows = rows(xyz);
            for k in 0..4 {
                // Lanes k, k + 4, k + 8, k + 12.
                let low = _mm512_cvtepi32_epi64(_mm512_castsi512_si256(rows[k]));
                let high = _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64::<1>(rows[k]));
                add(onto, at, k, _mm512_castsi512_si256(low));
                add(onto, at, k + 4, _mm512_extracti64x4_epi64::<1>(low));
                add(onto, at, k + 8, _mm512_castsi512_si256(high));
                add(onto, at, k + 12, _mm512_extracti64x4_epi64::<1>(high));
            }
        }
    }
    #[inline(always)]
    fn add_to(self, sums: &mut [f64; PACKET]) {
        unsafe {
            let low = _mm512_cvtps_pd(_mm512_castps512_ps256(self.0));
            let high = _mm512_cvtps_pd(_mm512_extractf32x8_ps::<1>(self.0));
            let at = sums.as_mut_ptr();
            _mm512_storeu_pd(at, _mm512_add_pd(_mm512_loadu_pd(at), low));
            _mm512_storeu_pd(at.add(8), _mm512_add_pd(_mm512_loadu_pd(at.add(8)), high));
        }
    }
}

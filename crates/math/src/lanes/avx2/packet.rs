//! [`Packet`] in two registers of AVX2 each.
#![allow(unsafe_code)]
// SAFETY, of every block in this file: as in the parent; a `Room` has an entry for every place.

use std::arch::x86_64::*;

use super::{signs, widened};
use crate::lanes::packet::{Accumulator, PACKET, Packet, Places, Room};
use crate::lanes::registers::{Lanes, Register};

/// The entries of lanes `k` and `k` + 4.
#[inline(always)]
unsafe fn two(from: *const [i32; 4], at: &Places, k: usize) -> __m256i {
    unsafe {
        let [low, high] = [from.add(at.of(k)).cast(), from.add(at.of(k + 4)).cast()];
        _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(_mm_loadu_si128(low)), _mm_loadu_si128(high))
    }
}

/// x, y, z of the lanes `first` to `first` + 7.
#[inline(always)]
unsafe fn gather(from: *const [i32; 4], at: &Places, first: usize) -> [__m256i; 3] {
    unsafe {
        let (a, b) = (two(from, at, first), two(from, at, first + 1));
        let (c, d) = (two(from, at, first + 2), two(from, at, first + 3));
        let (ab, cd) = (_mm256_unpacklo_epi32(a, b), _mm256_unpacklo_epi32(c, d));
        let (ab_z, cd_z) = (_mm256_unpackhi_epi32(a, b), _mm256_unpackhi_epi32(c, d));
        [_mm256_unpacklo_epi64(ab, cd), _mm256_unpackhi_epi64(ab, cd), _mm256_unpacklo_epi64(ab_z, cd_z)]
    }
}

/// Adds to the entry of lane `k`.
#[inline(always)]
unsafe fn add(onto: *mut Accumulator, at: &Places, k: usize, numbers: __m128i) {
    unsafe {
        let entry = onto.add(at.of(k)).cast();
        _mm256_store_si256(entry, _mm256_add_epi64(_mm256_load_si256(entry), _mm256_cvtepi32_epi64(numbers)));
    }
}

/// Adds to the entries of the lanes `first` to `first` + 7.
#[inline(always)]
unsafe fn scatter([x, y, z]: [__m256i; 3], at: &Places, first: usize, onto: *mut Accumulator) {
    unsafe {
        let zero = _mm256_setzero_si256();
        let (xy, xy_high) = (_mm256_unpacklo_epi32(x, y), _mm256_unpackhi_epi32(x, y));
        let (z, z_high) = (_mm256_unpacklo_epi32(z, zero), _mm256_unpackhi_epi32(z, zero));
        let rows = [
            _mm256_unpacklo_epi64(xy, z),
            _mm256_unpackhi_epi64(xy, z),
            _mm256_unpacklo_epi64(xy_high, z_high),
            _mm256_unpackhi_epi64(xy_high, z_high),
        ];
        for k in 0..4 {
            add(onto, at, first + k, _mm256_castsi256_si128(rows[k]));
            add(onto, at, first + k + 4, _mm256_extracti128_si256::<1>(rows[k]));
        }
    }
}

impl Packet for Lanes<[__m256; 2]> {
    type Whole = [__m256i; 2];

    #[inline(always)]
    fn load(values: &[f32; PACKET]) -> Self {
        unsafe { Lanes([_mm256_loadu_ps(values.as_ptr()), _mm256_loadu_ps(values.as_ptr().add(8))]) }
    }
    #[inline(always)]
    fn store(self, values: &mut [f32; PACKET]) {
        let (low, high) = values.split_at_mut(PACKET / 2);
        unsafe {
            _mm256_storeu_ps(low.as_mut_ptr(), self.0[0]);
            _mm256_storeu_ps(high.as_mut_ptr(), self.0[1]);
        }
    }
    #[inline(always)]
    fn load_whole(values: &[i32; PACKET]) -> [__m256i; 2] {
        let (low, high) = values.split_at(PACKET / 2);
        unsafe { [_mm256_loadu_si256(low.as_ptr().cast()), _mm256_loadu_si256(high.as_ptr().cast())] }
    }
    #[inline(always)]
    fn gather(coordinates: &Room<[i32; 4]>, at: &Places) -> [[__m256i; 2]; 3] {
        unsafe {
            let ([x, y, z], [x8, y8, z8]) = (gather(coordinates.as_ptr(), at, 0), gather(coordinates.as_ptr(), at, 8));
            [[x, x8], [y, y8], [z, z8]]
        }
    }
    #[inline(always)]
    fn difference(a: [__m256i; 2], b: [__m256i; 2]) -> Self {
        let [low, high] = Self::minus(a, b);
        unsafe { Lanes([_mm256_cvtepi32_ps(low), _mm256_cvtepi32_ps(high)]) }
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
        unsafe {
            let low = _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_LT_OQ>(self.0[0], bound.0[0]));
            let high = _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_LT_OQ>(self.0[1], bound.0[1]));
            (low | high << 8) as u16
        }
    }
    #[inline(always)]
    fn keep(self, lanes: u16) -> Self {
        unsafe {
            let (zero, bits) = (_mm256_setzero_ps(), u32::from(lanes));
            let (low, high) = (signs(bits), signs(bits >> 8));
            Lanes([_mm256_blendv_ps(zero, self.0[0], low), _mm256_blendv_ps(zero, self.0[1], high)])
        }
    }
    #[inline(always)]
    fn whole(self) -> [__m256i; 2] {
        unsafe { [_mm256_cvtps_epi32(self.0[0]), _mm256_cvtps_epi32(self.0[1])] }
    }
    #[inline(always)]
    fn none() -> [__m256i; 2] {
        [unsafe { _mm256_setzero_si256() }; 2]
    }
    #[inline(always)]
    fn minus(a: [__m256i; 2], b: [__m256i; 2]) -> [__m256i; 2] {
        unsafe { [_mm256_sub_epi32(a[0], b[0]), _mm256_sub_epi32(a[1], b[1])] }
    }
    #[inline(always)]
    fn scatter([x, y, z]: [[__m256i; 2]; 3], at: &Places, onto: &mut Room<Accumulator>) {
        unsafe {
            scatter([x[0], y[0], z[0]], at, 0, onto.as_mut_ptr());
            scatter([x[1], y[1], z[1]], at, 8, onto.as_mut_ptr());
        }
    }
    #[inline(always)]
    fn add_to(self, sums: &mut [f64; PACKET]) {
        unsafe {
            for half in 0..2 {
                let [low, high] = widened(self.0[half]);
                let at = sums.as_mut_ptr().add(8 * half);
                _mm256_storeu_pd(at, _mm256_add_pd(_mm256_loadu_pd(at), low));
                _mm256_storeu_pd(at.add(4), _mm256_add_pd(_mm256_loadu_pd(at.add(4)), high));
            }
        }
    }
}

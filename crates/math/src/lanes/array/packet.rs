//! [`Packet`] as plain arrays.

use super::{F32x16, round_f32};
use crate::Real;
use crate::lanes::packet::{Accumulator, PACKET, Packet, Places, Room};

impl Packet for F32x16 {
    type Whole = [i32; PACKET];

    #[inline(always)]
    fn load(values: &[f32; PACKET]) -> Self {
        F32x16(*values)
    }
    #[inline(always)]
    fn store(self, values: &mut [f32; PACKET]) {
        *values = self.0;
    }
    #[inline(always)]
    fn load_whole(values: &[i32; PACKET]) -> [i32; PACKET] {
        *values
    }
    #[inline(always)]
    fn gather(coordinates: &Room<[i32; 4]>, at: &Places) -> [[i32; PACKET]; 3] {
        let mut axes = [[0; PACKET]; 3];
        for k in 0..PACKET {
            let atom = coordinates[at.of(k)];
            (axes[0][k], axes[1][k], axes[2][k]) = (atom[0], atom[1], atom[2]);
        }
        axes
    }
    #[inline(always)]
    fn difference(a: [i32; PACKET], b: [i32; PACKET]) -> Self {
        let mut d = [0.0; PACKET];
        for k in 0..PACKET {
            d[k] = a[k].wrapping_sub(b[k]) as f32;
        }
        F32x16(d)
    }
    #[inline(always)]
    fn mul_sub(self, b: Self, c: Self) -> Self {
        self.mul_add(b, -c)
    }
    #[inline(always)]
    fn larger(mut self, other: Self) -> Self {
        for k in 0..PACKET {
            self.0[k] = if self.0[k] < other.0[k] { other.0[k] } else { self.0[k] };
        }
        self
    }
    #[inline(always)]
    fn smaller(mut self, other: Self) -> Self {
        for k in 0..PACKET {
            self.0[k] = if self.0[k] > other.0[k] { other.0[k] } else { self.0[k] };
        }
        self
    }
    #[inline(always)]
    fn below(self, bound: Self) -> u16 {
        let mut lanes = 0;
        for k in 0..PACKET {
            lanes |= u16::from(self.0[k] < bound.0[k]) << k;
        }
        lanes
    }
    #[inline(always)]
    fn keep(mut self, lanes: u16) -> Self {
        for k in 0..PACKET {
            self.0[k] = if lanes >> k & 1 == 1 { self.0[k] } else { 0.0 };
        }
        self
    }
    #[inline(always)]
    fn whole(self) -> [i32; PACKET] {
        let mut whole = [0; PACKET];
        for k in 0..PACKET {
            whole[k] = round_f32(self.0[k]);
        }
        whole
    }
    #[inline(always)]
    fn none() -> [i32; PACKET] {
        [0; PACKET]
    }
    #[inline(always)]
    fn minus(mut a: [i32; PACKET], b: [i32; PACKET]) -> [i32; PACKET] {
        for k in 0..PACKET {
            a[k] = a[k].wrapping_sub(b[k]);
        }
        a
    }
    #[inline(always)]
    fn scatter(xyz: [[i32; PACKET]; 3], at: &Places, onto: &mut Room<Accumulator>) {
        for k in 0..PACKET {
            let entry = &mut onto[at.of(k)];
            for axis in 0..3 {
                entry.0[axis] += i64::from(xyz[axis][k]);
            }
        }
    }
    #[inline(always)]
    fn add_to(self, sums: &mut [f64; PACKET]) {
        for k in 0..PACKET {
            sums[k] += f64::from(self.0[k]);
        }
    }
}

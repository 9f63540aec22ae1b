//! SIMD lanes for the loops that are worth them, and the choice of instructions at run time.
//!
//! A loop is written once as a [`Job`], generic over a family of lane types, and compiled for every instruction set:
//! [`dispatch`] runs it on the one asked for. Everything below `run` has to be `#[inline(always)]`, so that it is
//! compiled with the caller's instructions; then plain loops over arrays profit as well as the lane types.
//!
//! A [`Tile`] holds one number for each pair of one or two atoms (rows) with eight others (columns).

mod array;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod packet;
#[cfg(target_arch = "x86_64")]
mod registers;

use std::sync::atomic::{AtomicU8, Ordering};

use crate::Real;
pub use packet::{Accumulator, PACKET, Packet, Places, ROOM, Room};

/// Columns of every tile: atoms in a cluster.
pub const WIDTH: usize = 8;

/// An instruction set that the loops are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Isa {
    /// What every processor of the architecture has.
    Portable,
    /// AVX2 with fused multiply-add.
    Avx2,
    /// AVX-512 F, DQ, BW, VL.
    Avx512,
}

/// The one that [`Isa::current`] names; 0 where nothing was chosen, else the number of the set plus one.
static CURRENT: AtomicU8 = AtomicU8::new(0);

impl Isa {
    /// All of them, the plainest first.
    pub const ALL: [Isa; 3] = [Isa::Portable, Isa::Avx2, Isa::Avx512];

    /// Whether this processor has it.
    pub fn is_available(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        return match self {
            Isa::Portable => true,
            Isa::Avx2 => {
                is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("fma")
                    && is_x86_feature_detected!("popcnt")
            }
            Isa::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
                    && Isa::Avx2.is_available()
            }
        };
        #[cfg(not(target_arch = "x86_64"))]
        return self == Isa::Portable;
    }

    /// The best that this processor has.
    pub fn best() -> Isa {
        Isa::ALL.into_iter().rev().find(|isa| isa.is_available()).unwrap_or(Isa::Portable)
    }

    /// The one that new force terms use: the best, or what [`Isa::choose`] said.
    pub fn current() -> Isa {
        match CURRENT.load(Ordering::Relaxed) {
            0 => Isa::best(),
            n => Isa::ALL[usize::from(n) - 1],
        }
    }

    /// Makes `self` the current one, for the whole program and before any term is made. False where this processor
    /// lacks it; then nothing changes.
    pub fn choose(self) -> bool {
        let available = self.is_available();
        if available {
            CURRENT.store(self as u8 + 1, Ordering::Relaxed);
        }
        available
    }

    /// Name for people and for `AMELO_ISA`.
    pub fn name(self) -> &'static str {
        match self {
            Isa::Portable => "portable",
            Isa::Avx2 => "avx2",
            Isa::Avx512 => "avx512",
        }
    }

    /// The set of that name.
    pub fn from_name(name: &str) -> Option<Isa> {
        Isa::ALL.into_iter().find(|isa| isa.name() == name)
    }
}

/// The lane types of one instruction set.
pub trait Simd {
    /// Whether a·b + c is one instruction, and with it one rounding.
    const FUSED: bool;
    /// One row of eight f64.
    type Double: Tile<Scalar = f64>;
    /// One or two rows of eight f32.
    type Single: Tile<Scalar = f32>;
    /// Sixteen f32, each of an interaction of its own.
    type Packet: Packet;
    /// Whether loops are worth being compiled for each special case too: they take long to compile.
    const SPECIALISED: bool;
    /// Puts those of `values` first in `into`, in their order, whose key lies in `range`, both ends included, and whose bit of
    /// `among` is set, whatever then follows; returns their number.
    #[inline(always)]
    fn pack(values: &[u32; PACK], keys: &[u32; PACK], range: [u32; 2], among: u16, into: &mut [u32; PACK]) -> usize {
        let mut n = 0;
        // Which ones count is hard to foretell: written in any case, counted where it is so.
        for k in 0..PACK {
            into[n] = values[k];
            n += usize::from((keys[k] >= range[0]) & (keys[k] <= range[1]) & (among >> k & 1 == 1));
        }
        n
    }
}

/// How many numbers [`Simd::pack`] takes.
pub const PACK: usize = 16;

/// A loop to be run with the lanes of an instruction set.
pub trait Job {
    /// What it returns.
    type Output;
    /// Does the work; must be `#[inline(always)]`.
    fn run<S: Simd>(self) -> Self::Output;
}

/// Runs `job` with the instructions of `isa`. Panics where this processor lacks them.
pub fn dispatch<J: Job>(isa: Isa, job: J) -> J::Output {
    assert!(isa.is_available(), "this processor does not have {}", isa.name());
    match isa {
        Isa::Portable => job.run::<array::Portable>(),
        #[cfg(target_arch = "x86_64")]
        #[allow(unsafe_code)]
        // SAFETY: the processor was asked above.
        Isa::Avx2 => unsafe { with_avx2(job) },
        #[cfg(target_arch = "x86_64")]
        #[allow(unsafe_code)]
        // SAFETY: likewise.
        Isa::Avx512 => unsafe { with_avx512(job) },
        #[cfg(not(target_arch = "x86_64"))]
        _ => unreachable!("only the portable set is available here"),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,popcnt")]
fn with_avx2<J: Job>(job: J) -> J::Output {
    job.run::<avx2::Avx2>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,popcnt,avx512f,avx512dq,avx512bw,avx512vl")]
fn with_avx512<J: Job>(job: J) -> J::Output {
    job.run::<avx512::Avx512>()
}

/// Notes the kind of a column for [`Tile::index`]: what the tables of both rows, as one of 32 entries, are asked for.
pub fn note_kind(kinds: &mut [u32; 2 * WIDTH], column: usize, kind: u32) {
    let place = (kind % 16) | ((kind / 16) << 5);
    (kinds[column], kinds[column + WIDTH]) = (place, place | 16);
}

/// f64 or f32, with the fixed-point numbers that go with it.
pub trait Scalar: Copy + Default + Send + Sync + std::fmt::Debug + 'static {
    /// Whole numbers of the same width. Coordinates are fractions of the cell in them, 2⁶⁴ or 2³² to the cell, so that
    /// the difference of two wraps around to that of the nearest image; forces are sums in them.
    type Integer: Copy + Default + Send + Sync + std::fmt::Debug + Into<i64>;
    /// Relative error of the polynomials that stand for the smooth parts of energies, and of forces where [`Self::FORCE_ERROR`]
    /// says no more.
    const FIT: f64;
    /// RMS error (kJ/mol/nm) that the polynomial for forces may leave on an atom.
    const FORCE_ERROR: Option<f64>;
    /// Whether they stand for the roots of those: shorter down to some 1e-10, longer from there on, since the smooth parts have
    /// zeros off the real axis.
    const ROOTS: bool;
    /// Cells per unit of a coordinate.
    const COORDINATE_UNIT: f64;
    /// Force units per kJ/mol/nm in the loop's sums, to be brought to [`crate::fixed::SCALE`] by [`Self::FORCE_SHIFT`].
    const FORCE_SCALE: f64;
    /// log₂ of `fixed::SCALE` over [`Self::FORCE_SCALE`].
    const FORCE_SHIFT: u32;
    /// Energy and virial units per kJ/mol in a row's own sums.
    const SUM_SCALE: f64;
    /// log₂ of [`ENERGY_SCALE`] over [`Self::SUM_SCALE`].
    const SUM_SHIFT: u32;
    /// −U′/r of one pair (kJ mol⁻¹ nm⁻²) up to which an atom's sums hold; far above any of a simulation that goes well.
    /// In f32 it is a force of 65 000 kJ/mol/nm at 0.25 nm, and eight of those still fit.
    const LARGEST_FORCE_OVER_R: f64;
    /// The tile that holds such numbers.
    type Lanes<S: Simd>: Tile<Scalar = Self>;
    /// The nearest number.
    fn of(value: f64) -> Self;
    /// The coordinate of a fraction given in units of 2⁻⁶⁴.
    fn coordinate(fraction: u64) -> Self::Integer;
    /// The coordinate in f32 that goes with one.
    fn single(coordinate: Self::Integer) -> i32;
}

impl Scalar for f64 {
    type Integer = i64;
    type Lanes<S: Simd> = S::Double;
    const FIT: f64 = 0.5 * f64::EPSILON;
    const FORCE_ERROR: Option<f64> = None;
    const ROOTS: bool = false;
    const COORDINATE_UNIT: f64 = 1.0 / 18_446_744_073_709_551_616.0;
    const FORCE_SCALE: f64 = crate::fixed::SCALE;
    const FORCE_SHIFT: u32 = 0;
    const SUM_SCALE: f64 = ENERGY_SCALE;
    const SUM_SHIFT: u32 = 0;
    const LARGEST_FORCE_OVER_R: f64 = 262_144.0;
    #[inline(always)]
    fn of(value: f64) -> f64 {
        value
    }
    #[inline(always)]
    fn coordinate(fraction: u64) -> i64 {
        fraction as i64
    }
    #[inline(always)]
    fn single(coordinate: i64) -> i32 {
        f32::coordinate(coordinate as u64)
    }
}

impl Scalar for f32 {
    type Integer = i32;
    type Lanes<S: Simd> = S::Single;
    const FIT: f64 = 2e-7;
    // A power more is one of the pair loop's multiplications. This is a fifth of what a melt's mesh leaves with settings as
    // they are common, and a third of GROMACS' rounding there. Energies are asked for rarely.
    const FORCE_ERROR: Option<f64> = Some(0.012);
    const ROOTS: bool = true;
    const COORDINATE_UNIT: f64 = 1.0 / 4_294_967_296.0;
    // 2⁻¹² kJ/mol/nm: its rounding, 7·10⁻⁵ per pair, is that of f32 for a force of 1200. 32 bits hold 524 288 on an atom,
    // which molten oxides need.
    const FORCE_SCALE: f64 = 4_096.0;
    const FORCE_SHIFT: u32 = 20;
    // 2⁻³⁶ kJ/mol: of the many pairs near the cut-off each has little, all of one sign, and none may be lost.
    const SUM_SCALE: f64 = 68_719_476_736.0;
    const SUM_SHIFT: u32 = 8;
    const LARGEST_FORCE_OVER_R: f64 = 262_144.0;
    #[inline(always)]
    fn of(value: f64) -> f32 {
        value as f32
    }
    #[inline(always)]
    fn coordinate(fraction: u64) -> i32 {
        // To the nearest; the sum may wrap to the cell's other face, which is the same place.
        (fraction.wrapping_add(1 << 31) >> 32) as u32 as i32
    }
    #[inline(always)]
    fn single(coordinate: i32) -> i32 {
        coordinate
    }
}

/// Energy and virial units per kJ/mol in order-free sums: 2⁴⁴, so that in double precision a pair's share is rounded to
/// 6·10⁻¹⁴ kJ/mol and 64 bits hold 5·10⁵ kJ/mol, far more than one row of tiles sums up.
pub const ENERGY_SCALE: f64 = 17_592_186_044_416.0;

/// Numbers of [`Tile::ROWS`] × [`WIDTH`] pairs of atoms.
///
/// `first` is a row's place among the eight of its cluster, that of the tile's first row.
pub trait Tile: Real {
    /// What each lane holds.
    type Scalar: Scalar;
    /// Integer lanes of the same shape, whose sums do not depend on their order.
    type Fixed: Copy;
    /// Which lanes count.
    type Mask: Copy;
    /// Columns' kinds, ready for [`Tile::lookup`].
    type Index: Copy;
    /// Order-free sums of energies.
    type Sum: Copy;
    /// Rows: 1, or 2 where a register holds sixteen numbers.
    const ROWS: usize;

    /// The same eight numbers in each row.
    fn columns(values: &[Self::Scalar; WIDTH]) -> Self;
    /// The number of each row in all its columns.
    fn rows(values: &[Self::Scalar; WIDTH], first: usize) -> Self;
    /// The coordinate of each row in all its columns.
    fn coordinates(rows: &[<Self::Scalar as Scalar>::Integer; WIDTH], first: usize) -> Self::Fixed;
    /// Row's coordinate minus column's, in coordinate units, to the nearest image.
    fn separation(rows: Self::Fixed, columns: &[<Self::Scalar as Scalar>::Integer; WIDTH]) -> Self;

    /// Kinds of the columns, as [`note_kind`] writes them.
    fn index(kinds: &[u32; 2 * WIDTH]) -> Self::Index;
    /// The entry of each column's kind in the table of its row; kinds are taken modulo 16. The second table is that of
    /// the second row, where there is one.
    fn lookup(tables: [&[Self::Scalar; 16]; 2], columns: Self::Index) -> Self;
    /// Columns whose kind lies between 16 `block` and 16 `block` + 15.
    fn in_block(columns: Self::Index, block: u32) -> Self::Mask;
    /// `other` where the lane counts, else `self`.
    fn replace(self, mask: Self::Mask, other: Self) -> Self;

    /// 2ᵏ for [`Tile::times_power`].
    #[inline(always)]
    fn power_of_two(k: i32) -> Self {
        Self::splat(f64::from_bits(((1023 + i64::from(k)) as u64) << 52))
    }
    /// self times what [`Tile::power_of_two`] gave: a normal number, or `self` was none.
    #[inline(always)]
    fn times_power(self, power: Self) -> Self {
        self * power
    }

    /// Lanes below `bound` whose bit is set: bit 8·row + column of `bits`.
    fn below(self, bound: Self, bits: u32) -> Self::Mask;
    /// Zero in the lanes that do not count.
    fn keep(self, mask: Self::Mask) -> Self;
    /// The smaller one in lanes that count, else `self`; neither may be negative.
    fn min_where(self, mask: Self::Mask, other: Self) -> Self;
    /// The smallest lane.
    fn least(self) -> f64;
    /// The smallest lane of each: of `of[m][k]` at place 4k + m.
    #[inline(always)]
    fn least_of_each(of: &[[Self; 4]; 4]) -> [f32; 16] {
        let mut least = [0.0; 16];
        for (m, of) in of.iter().enumerate() {
            for (k, lanes) in of.iter().enumerate() {
                least[4 * k + m] = lanes.least() as f32;
            }
        }
        least
    }
    /// The larger of `self`, which may not be negative, and the modulus of `other`; not-a-number where either is.
    fn max_modulus(self, other: Self) -> Self;
    /// The same number in every lane.
    fn scalar(value: Self::Scalar) -> Self;

    /// Rounded to whole numbers; of f64 those below 2⁵¹.
    fn to_fixed(self) -> Self::Fixed;
    /// Zero.
    fn fixed_zero() -> Self::Fixed;
    /// a + b.
    fn fixed_add(a: Self::Fixed, b: Self::Fixed) -> Self::Fixed;
    /// Adds the sum over columns of each row to `into[first + row]`, modulo the integers' range.
    fn add_rows(a: Self::Fixed, into: &mut [<Self::Scalar as Scalar>::Integer; WIDTH], first: usize);
    /// Subtracts the sum over rows of each column from `from`, modulo the integers' range.
    fn subtract_columns(a: Self::Fixed, from: &mut [<Self::Scalar as Scalar>::Integer; WIDTH]);

    /// No energy.
    fn sum_zero() -> Self::Sum;
    /// Adds energies in units of 1/[`Scalar::SUM_SCALE`], rounded to whole ones.
    fn sum_add(sum: Self::Sum, energy: Self) -> Self::Sum;
    /// The sum of all lanes.
    fn sum_total(sum: Self::Sum) -> i64;
}

#[cfg(test)]
mod tests;

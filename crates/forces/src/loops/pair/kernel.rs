//! The loop over tiles in lanes: the same sums as [`super::careful`], thousands of times a second.
//!
//! Neither `array::map` nor `array::from_fn` stands here: they are functions that the compiler may not inline, and a
//! vector must not cross a function that was compiled without its instructions.

use amelo_core::coordinates::{CoordinateUnits, norm2, rows};
use amelo_math::lanes::{Job, Scalar, Simd, Tile, WIDTH};
use amelo_math::polynomial::horner;
use amelo_neighbor::{NeighborList, ROW, Row};

use super::blocks::{Block, BlockForces};
use super::model::{Charges, Powers, Tables, TypeRow};
use crate::loops::sums::{PARTS, Sums};
use crate::pair::{AnyPair, Constants, CutPolynomial, Distance, PairEval};

/// One chunk of the list.
pub(super) struct ChunkJob<'a, T: Scalar> {
    pub tables: &'a Tables<T>,
    pub blocks: &'a [Block<T>],
    pub units: CoordinateUnits,
    pub list: &'a NeighborList,
    pub chunk: usize,
    pub forces: &'a mut [BlockForces],
    /// Whether energies and virial are wanted.
    pub sums: bool,
}

impl<T: Scalar> Job for ChunkJob<'_, T> {
    type Output = Sums;

    #[inline(always)]
    fn run<S: Simd>(self) -> Sums {
        let ChunkJob { tables, blocks, units, list, chunk, forces, sums } = self;
        let mut total = Sums::default();
        for row in list.rows(chunk) {
            let [a, b] = row.classes.map(usize::from);
            // A form without a number here is summed with all others: right, if slower. Lennard-Jones is the most
            // frequent one.
            let form = tables.form_of[a][b];
            let of_row = match (form, sums) {
                (0, false) => of_row::<T::Lanes<S>, 0, false>(tables, blocks, &units, &row, forces),
                (0, true) => of_row::<T::Lanes<S>, 0, true>(tables, blocks, &units, &row, forces),
                (1, false) if S::SPECIALISED => of_row::<T::Lanes<S>, 1, false>(tables, blocks, &units, &row, forces),
                (_, false) => of_row::<T::Lanes<S>, { usize::MAX }, false>(tables, blocks, &units, &row, forces),
                (_, true) => of_row::<T::Lanes<S>, { usize::MAX }, true>(tables, blocks, &units, &row, forces),
            };
            total.add(&of_row);
        }
        total
    }
}

/// A polynomial in r² in lanes.
#[inline(always)]
fn smooth<L: Tile>(polynomial: &Powers<L::Scalar>, r2: L) -> L {
    let t = r2.mul_add(L::splat(polynomial.scale[0]), L::splat(polynomial.scale[1]));
    horner(t, polynomial.powers.iter().map(|&[even, odd]| [L::scalar(even), L::scalar(odd)]))
}

/// Where the constants of a cut-off polynomial stand.
const POLYNOMIAL: [usize; 4] =
    [AnyPair::CONSTANTS, AnyPair::CONSTANTS + 1, AnyPair::CONSTANTS + 2, AnyPair::CONSTANTS + 3];

/// The constants of a tile's pairs.
struct Pairs<'a, L: Tile> {
    /// Of the first and the last row, by sixteens of types.
    rows: [&'a [TypeRow<L::Scalar>]; 2],
    types: L::Index,
}

impl<L: Tile> Constants<L> for Pairs<'_, L> {
    #[inline(always)]
    fn constant(&self, k: usize) -> L {
        let [first, last] = self.rows;
        let mut found = L::lookup([&first[0][k], &last[0][k]], self.types);
        for block in 1..first.len().min(last.len()) {
            let of_block = L::lookup([&first[block][k], &last[block][k]], self.types);
            found = found.replace(L::in_block(self.types, block as u32), of_block);
        }
        found
    }
}

/// The tiles of one row: four atoms with the eight of each cluster.
#[inline(always)]
fn of_row<L: Tile, const FORM: usize, const SUMS: bool>(
    tables: &Tables<L::Scalar>,
    blocks: &[Block<L::Scalar>],
    units: &CoordinateUnits,
    row: &Row<'_>,
    forces: &mut [BlockForces],
) -> Sums {
    let own = &blocks[row.row / 2];
    let first_of = |set: usize| row.row % 2 * ROW + set * L::ROWS;
    let sets = ROW / L::ROWS;
    let cut2 = L::splat(tables.cut2);
    let mut charges = [L::splat(0.0); ROW];
    let mut places = [[L::fixed_zero(); 3]; ROW];
    for set in 0..sets {
        places[set] = rows::<L>(&own.at, first_of(set));
        charges[set] = L::rows(&own.charges, first_of(set));
    }

    let mut type_rows: [&[TypeRow<L::Scalar>]; ROW] = [&[]; ROW];
    for (place, type_row) in type_rows.iter_mut().enumerate() {
        let one = own.types[row.row % 2 * ROW + place] as usize;
        *type_row = &tables.rows[one * tables.n_blocks..][..tables.n_blocks];
    }
    let mut on_row = [[L::fixed_zero(); 3]; ROW];
    let (mut vdw_sum, mut coulomb_sum, mut virial) = (L::sum_zero(), L::sum_zero(), [L::sum_zero(); 6]);
    let (mut largest, mut closest) = (L::splat(0.0), L::splat(1e30));
    for tile in row.tiles {
        let block = &blocks[tile.cluster as usize];
        let types = L::index(&block.types);
        let column_charges = L::columns(&block.charges);
        let mut on_columns = [L::fixed_zero(); 3];
        for set in 0..sets {
            let first = first_of(set);
            let d = units.separation::<L>(&places[set], &block.at);
            let r2 = norm2(&d);
            let near = r2.below(cut2, tile.pairs >> (WIDTH * L::ROWS * set));
            if !L::any(near) {
                continue;
            }
            let at = Distance::of(r2);
            let ends = [type_rows[first % ROW], type_rows[(first + L::ROWS - 1) % ROW]];
            let pairs = Pairs::<L> { rows: ends, types };
            let mut vdw: PairEval<L> = AnyPair::eval_form::<L, FORM>(&pairs, &at);
            if let Some(switch) = &tables.switch {
                let [value, fall] = switch.eval(r2);
                vdw.force_over_r = vdw.force_over_r * value + vdw.energy * fall;
                vdw.energy = vdw.energy * value;
            } else if let Some(start) = tables.polynomial_start {
                let [c0, c2, c3, c] = POLYNOMIAL;
                let constants = [pairs.constant(c0), pairs.constant(c2), pairs.constant(c3), pairs.constant(c)];
                let polynomial = CutPolynomial::with(start, constants);
                vdw.force_over_r = polynomial.force(at.r).mul_add(at.inv_r, vdw.force_over_r);
                if SUMS {
                    vdw.energy = vdw.energy + polynomial.energy(at.r);
                }
            } else if SUMS {
                vdw.energy = vdw.energy + pairs.constant(POLYNOMIAL[3]);
            }
            let mut force_over_r = vdw.force_over_r;
            let qq = charges[set] * column_charges;
            let mut coulomb = L::splat(0.0);
            match &tables.coulomb {
                Charges::None => {}
                Charges::Plain => {
                    coulomb = qq * at.inv_r;
                    force_over_r = coulomb.mul_add(at.inv_r2, force_over_r);
                }
                Charges::Ewald { force, energy } => {
                    force_over_r = qq.mul_add(at.inv_r * at.inv_r2 - smooth(force, r2), force_over_r);
                    if SUMS {
                        coulomb = qq * (at.inv_r - smooth(energy, r2));
                    }
                }
            }
            let force_over_r = force_over_r.keep(near);
            largest = largest.max_modulus(force_over_r);
            closest = closest.min_where(near, r2);
            let scaled = force_over_r * L::splat(L::Scalar::FORCE_SCALE);
            for k in 0..3 {
                let force = (d[k] * scaled).to_fixed();
                on_row[set][k] = L::fixed_add(on_row[set][k], force);
                on_columns[k] = L::fixed_add(on_columns[k], force);
            }
            if SUMS {
                vdw_sum = L::sum_add(vdw_sum, vdw.energy.keep(near));
                coulomb_sum = L::sum_add(coulomb_sum, coulomb.keep(near));
                for (sum, &(a, b)) in virial.iter_mut().zip(&PARTS) {
                    *sum = L::sum_add(*sum, d[a] * (force_over_r * d[b]));
                }
            }
        }
        let on_block = &mut forces[tile.cluster as usize];
        for k in 0..3 {
            L::subtract_columns(on_columns[k], &mut on_block[k]);
        }
    }
    let on_own = &mut forces[row.row / 2];
    for (set, on_atoms) in on_row.iter().enumerate().take(sets) {
        for k in 0..3 {
            L::add_rows(on_atoms[k], &mut on_own[k], first_of(set));
        }
    }
    let too_close = -(-largest).least() > tables.largest || closest.least() < tables.closest2;
    let mut sums = Sums { vdw: total::<L>(vdw_sum), coulomb: total::<L>(coulomb_sum), too_close, ..Sums::default() };
    for (part, sum) in sums.virial.iter_mut().zip(virial) {
        *part = total::<L>(sum);
    }
    sums
}

#[inline(always)]
fn total<L: Tile>(sum: L::Sum) -> i128 {
    i128::from(L::sum_total(sum))
}

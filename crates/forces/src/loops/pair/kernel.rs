//! The loop over tiles in lanes: the same sums as [`super::careful`], thousands of times a second.
//!
//! Neither `array::map` nor `array::from_fn` stands here: they are functions that the compiler may not inline, and a
//! vector must not cross a function that was compiled without its instructions.

use amelo_core::coordinates::{CoordinateUnits, Places, norm2, rows};
use amelo_math::Mat3;
use amelo_math::lanes::{ENERGY_SCALE, Job, Scalar, Simd, Tile as Lanes, WIDTH};
use amelo_neighbor::{NeighborList, ROW, Tile};

use super::blocks::{Block, BlockForces};
use super::interaction::{Any, Common, EwaldPowers, Interaction, MOST_POWERS, Pairs};
use super::model::{FROZEN, Lengths, Tables, TypeRow};
use crate::loops::sums::Sums;
use crate::pair::{AnyPair, Distance, PairEval};

/// One chunk of the list.
pub(super) struct ChunkJob<'a, T: Scalar> {
    pub tables: &'a Tables<T>,
    pub blocks: &'a [Block<T>],
    pub units: CoordinateUnits,
    pub list: &'a NeighborList<T>,
    pub chunk: usize,
    pub forces: &'a mut [BlockForces<T>],
    /// Whether energies and virial are wanted.
    pub sums: bool,
}

/// Asks for a stack frame in which no vector straddles two cache lines.
#[repr(align(64))]
struct AlignedFrame(#[allow(dead_code)] u8);

/// Every form.
const ANY: usize = usize::MAX;

impl<T: Scalar> Job for ChunkJob<'_, T> {
    type Output = Sums;

    #[inline(always)]
    fn run<S: Simd>(self) -> Sums {
        let ChunkJob { tables, blocks, units, list, chunk, forces, sums } = self;
        // With an aligned object in it the stack frame is aligned, and vectors that the compiler keeps there too.
        std::hint::black_box(&mut AlignedFrame(0));
        let mut total = Sums::default();
        let mut tiles = Vec::new();
        // What most systems are has loops of its own; all others share one: right, if slower.
        let common = S::SPECIALISED && tables.is_common() && units.is_orthorhombic();
        let n_powers = match tables.n_powers() {
            [force, energy] if common && energy <= MOST_POWERS => force,
            _ => usize::MAX,
        };
        let seven = EwaldPowers::<7, T>::of(tables);
        let eight = EwaldPowers::<8, T>::of(tables);
        let nine = EwaldPowers::<9, T>::of(tables);
        let ten = EwaldPowers::<10, T>::of(tables);
        let twelve = EwaldPowers::<MOST_POWERS, T>::of(tables);
        for row in list.rows(chunk) {
            let [a, b] = row.classes;
            let tiles = list.select(&row, &mut tiles);
            // Frozen atoms are felt and feel nothing, but where the virial asks.
            let felt_alone = b & FROZEN != 0 && !sums;
            let [a, b] = [a, b].map(|class| usize::from(class & !FROZEN));
            let form = tables.form_of[a][b];
            let places = list.places();
            let mut of_row = OfRow { tables, blocks, places, units: &units, row: row.row, tiles, felt_alone, forces };
            // Only mixed precision has polynomials as short as these.
            let has_loop = form == 0 || (form == 1 && !sums);
            let of_row = match n_powers {
                ..=7 if T::ROOTS && has_loop => of_row.common::<T::Lanes<S>, 7>(form, sums, &seven),
                8 if T::ROOTS && has_loop => of_row.common::<T::Lanes<S>, 8>(form, sums, &eight),
                9 if T::ROOTS && has_loop => of_row.common::<T::Lanes<S>, 9>(form, sums, &nine),
                10 if T::ROOTS && has_loop => of_row.common::<T::Lanes<S>, 10>(form, sums, &ten),
                11..=MOST_POWERS if T::ROOTS && has_loop => {
                    of_row.common::<T::Lanes<S>, MOST_POWERS>(form, sums, &twelve)
                }
                _ => of_row.any::<S>(form, sums),
            };
            total.add(&of_row);
        }
        total
    }
}

/// One row with its tiles.
struct OfRow<'a, T: Scalar> {
    tables: &'a Tables<T>,
    blocks: &'a [Block<T>],
    places: &'a [Places<T>],
    units: &'a CoordinateUnits,
    row: usize,
    /// Tiles that can hold a pair within the cut-off.
    tiles: &'a [Tile],
    /// Whether the atoms in the tiles' clusters need no forces.
    felt_alone: bool,
    forces: &'a mut [BlockForces<T>],
}

impl<T: Scalar> OfRow<'_, T> {
    /// The distances in `tile`, one set of rows after another.
    #[inline(always)]
    fn meet<L: Lanes<Scalar = T>, I: Interaction<L>>(
        &self,
        at_rows: &[[L::Fixed; 3]; ROW],
        cut2: L,
        to_distance: L,
        tile: &Tile,
    ) -> [Met<L>; ROW] {
        let columns = &self.places[tile.cluster()];
        let zero = L::splat(0.0);
        let none = zero.below(zero, 0);
        let nothing = Met { d: [zero; 3], r2: zero, near: none };
        let mut met = [nothing; ROW];
        for set in 0..ROW / L::ROWS {
            let d = if I::CUBE {
                CoordinateUnits::difference::<L>(&at_rows[set], columns)
            } else if I::COMMON {
                self.units.right_angled::<L>(&at_rows[set], columns)
            } else {
                self.units.separation::<L>(&at_rows[set], columns)
            };
            let mut r2 = norm2(&d);
            if I::CUBE {
                r2 = r2.times_power(to_distance);
            }
            let near = r2.below(cut2, u32::from(tile.pairs()) >> (WIDTH * L::ROWS * set));
            met[set] = Met { d, r2, near };
        }
        met
    }

    /// What follows from the distances alone.
    #[inline(always)]
    fn prepare<L: Lanes<Scalar = T>, I: Interaction<L>>(&self, acts: &I, met: &[Met<L>; ROW]) -> [Prepared<L>; ROW] {
        let zero = L::splat(0.0);
        let mut prepared = [Prepared { at: Distance::with(zero, zero), smooth: zero }; ROW];
        for set in 0..ROW / L::ROWS {
            let r2 = met[set].r2;
            prepared[set] = Prepared { at: Distance::with(r2, r2.rsqrt()), smooth: acts.smooth_part(r2) };
        }
        prepared
    }

    /// Adds a tile's forces to those on its rows and, where `COLUMNS` says so, on its cluster.
    #[inline(always)]
    fn put<L: Lanes<Scalar = T>, const COLUMNS: bool>(&mut self, acted: &Acted<L>, on_row: &mut [[L::Fixed; 3]; ROW]) {
        let mut on_columns = [L::fixed_zero(); 3];
        for set in 0..ROW / L::ROWS {
            let (d, force_over_r) = acted.forces[set];
            for k in 0..3 {
                let force = (d[k] * force_over_r).to_fixed();
                on_row[set][k] = L::fixed_add(on_row[set][k], force);
                on_columns[k] = L::fixed_add(on_columns[k], force);
            }
        }
        if !COLUMNS {
            return;
        }
        let on_block = &mut self.forces[acted.cluster].0;
        for k in 0..3 {
            L::subtract_columns(on_columns[k], &mut on_block[k]);
        }
    }

    /// The loops for what is common, `form` 0 or, without sums, 1.
    #[inline(always)]
    fn common<L: Lanes<Scalar = T>, const N: usize>(
        &mut self,
        form: usize,
        sums: bool,
        powers: &EwaldPowers<N, T>,
    ) -> Sums {
        if self.tables.lengths != Lengths::NM {
            let acts = Common::<N, true, T>(powers);
            return if sums { self.run::<L, _, 0, true, true>(&acts) } else { self.forces::<L, _, 0>(&acts) };
        }
        let acts = Common::<N, false, T>(powers);
        match (form, sums) {
            (0, false) => self.forces::<L, _, 0>(&acts),
            (0, true) => self.run::<L, _, 0, true, true>(&acts),
            _ => self.forces::<L, _, 1>(&acts),
        }
    }

    /// The loop for everything.
    #[inline(always)]
    fn any<S: Simd>(&mut self, form: usize, sums: bool) -> Sums {
        let any = Any { tables: self.tables };
        match (form, sums) {
            (0, false) if S::SPECIALISED => self.forces::<T::Lanes<S>, _, 0>(&any),
            (_, false) => self.forces::<T::Lanes<S>, _, ANY>(&any),
            (_, true) => self.run::<T::Lanes<S>, _, ANY, true, true>(&any),
        }
    }

    /// The forces alone.
    #[inline(always)]
    fn forces<L: Lanes<Scalar = T>, I: Interaction<L>, const FORM: usize>(&mut self, acts: &I) -> Sums {
        if self.felt_alone {
            self.run::<L, I, FORM, false, false>(acts)
        } else {
            self.run::<L, I, FORM, false, true>(acts)
        }
    }

    /// The sums over the tiles. Each tile takes the whole way: which one holds no pair in reach is hard to foretell.
    #[inline(always)]
    fn run<L: Lanes<Scalar = T>, I: Interaction<L>, const FORM: usize, const SUMS: bool, const COLUMNS: bool>(
        &mut self,
        acts: &I,
    ) -> Sums {
        let OfRow { tables, blocks, places, row, tiles, .. } = *self;
        let (own, first) = (row * ROW / WIDTH, row * ROW % WIDTH);
        let sets = ROW / L::ROWS;
        let cut2 = L::splat(tables.cut2);
        let to_distance = L::power_of_two(-2 * tables.lengths.log2);
        let mut charges = [L::splat(0.0); ROW];
        let mut at_rows = [[L::fixed_zero(); 3]; ROW];
        for set in 0..sets {
            at_rows[set] = rows::<L>(&places[own], first + set * L::ROWS);
            charges[set] = L::rows(&blocks[own].charges, first + set * L::ROWS);
        }
        let mut type_rows: [&[TypeRow<T>]; ROW] = [&[]; ROW];
        for (place, type_row) in type_rows.iter_mut().enumerate() {
            let one = blocks[own].types[first + place] as usize;
            *type_row = &tables.rows[one * tables.n_blocks..][..tables.n_blocks];
        }
        let mut on_row = [[L::fixed_zero(); 3]; ROW];
        let (mut vdw_sum, mut coulomb_sum, mut virial) = (L::sum_zero(), L::sum_zero(), [L::sum_zero(); 6]);
        let (mut largest, mut closest) = (L::splat(0.0), L::splat(1e30));
        let energies_to_sums = L::splat(T::SUM_SCALE / (T::FORCE_SCALE * tables.lengths.of_energies()));
        let virials_to_sums = L::splat(T::SUM_SCALE / T::FORCE_SCALE * tables.lengths.of_differences);
        if let Some(last) = tiles.len().checked_sub(1) {
            // Four tiles are at work at once: the distances of one, the powers of the one before, the force of the one
            // before that, and its predecessor's sums. Each is a fourth of a long chain of operations that wait for one
            // another, and of those that wait the processor can hold about one tile's.
            let mut met = self.meet::<L, I>(&at_rows, cut2, to_distance, &tiles[0]);
            let mut prepared = self.prepare::<L, I>(acts, &met);
            let mut next = self.meet::<L, I>(&at_rows, cut2, to_distance, &tiles[last.min(1)]);
            let mut done = Acted { forces: [([L::splat(0.0); 3], L::splat(0.0)); ROW], cluster: own };
            for (k, tile) in tiles.iter().enumerate() {
                let (now, powers) = (met, prepared);
                met = next;
                prepared = self.prepare::<L, I>(acts, &met);
                next = self.meet::<L, I>(&at_rows, cut2, to_distance, &tiles[last.min(k + 2)]);
                self.put::<L, COLUMNS>(&done, &mut on_row);
                let cluster = tile.cluster();
                let block = &self.blocks[cluster];
                let types = L::index(&block.kinds);
                let column_charges = L::columns(&block.charges);
                done.cluster = cluster;
                for set in 0..sets {
                    let Met { d, near, .. } = now[set];
                    let Prepared { at, smooth } = powers[set];
                    let ends = [type_rows[set * L::ROWS], type_rows[set * L::ROWS + L::ROWS - 1]];
                    let pairs = Pairs::<L> { rows: ends, types, one_block: I::COMMON };
                    let mut vdw: PairEval<L> = AnyPair::eval_form::<L, FORM>(&pairs, &at);
                    vdw = acts.cut::<SUMS>(&pairs, &at, vdw);
                    let qq = charges[set] * column_charges;
                    let force_over_r = acts.coulomb_force(qq, &at, smooth, vdw.force_over_r);
                    let force_over_r = force_over_r.keep(near);
                    largest = largest.max_modulus(force_over_r);
                    // Without a guard nothing is wrong near by but the numbers' range, and that shows in the force.
                    if AnyPair::is_guarded::<FORM>() {
                        closest = closest.min_where(near, at.r2);
                    }
                    done.forces[set] = (d, force_over_r);
                    if SUMS {
                        vdw_sum = L::sum_add(vdw_sum, vdw.energy.keep(near) * energies_to_sums);
                        let coulomb = acts.coulomb_energy(qq, &at).keep(near);
                        coulomb_sum = L::sum_add(coulomb_sum, coulomb * energies_to_sums);
                        for (sum, &(a, b)) in virial.iter_mut().zip(&Mat3::SYMMETRIC) {
                            *sum = L::sum_add(*sum, d[a] * (force_over_r * d[b]) * virials_to_sums);
                        }
                    }
                }
            }
            self.put::<L, COLUMNS>(&done, &mut on_row);
        }
        let on_own = &mut self.forces[own].0;
        for (set, on_atoms) in on_row.iter().enumerate().take(sets) {
            for k in 0..3 {
                L::add_rows(on_atoms[k], &mut on_own[k], first + set * L::ROWS);
            }
        }
        // Asked for what holds, which is nothing where a force is not a number.
        let holds = L::splat(1.0).keep(largest.below(L::splat(tables.largest), !0));
        let too_close = holds.least() < 1.0 || closest.least() < tables.closest2;
        let mut sums =
            Sums { vdw: total::<L>(vdw_sum), coulomb: total::<L>(coulomb_sum), too_close, ..Sums::default() };
        for (part, sum) in sums.virial.iter_mut().zip(virial) {
            *part = total::<L>(sum);
        }
        sums
    }
}

/// Where the rows' and the columns' atoms of a tile are to one another.
#[derive(Clone, Copy)]
struct Met<L: Lanes> {
    /// r_i − r_j, and r², in the units of [`Lengths`].
    d: [L; 3],
    r2: L,
    /// The pairs that count.
    near: L::Mask,
}

/// What a tile's forces are made of, as far as distances alone tell.
#[derive(Clone, Copy)]
struct Prepared<L> {
    at: Distance<L>,
    /// See [`Interaction::smooth_part`].
    smooth: L,
}

/// The forces of a tile before they are summed.
struct Acted<L> {
    /// d and −U′/r of each set.
    forces: [([L; 3], L); ROW],
    cluster: usize,
}

/// A row's sum in units of 1/[`ENERGY_SCALE`].
#[inline(always)]
fn total<L: Lanes>(sum: L::Sum) -> i128 {
    const { assert!(L::Scalar::SUM_SCALE * (1_u64 << L::Scalar::SUM_SHIFT) as f64 == ENERGY_SCALE) };
    i128::from(L::sum_total(sum)) << L::Scalar::SUM_SHIFT
}

//! What acts between the atoms of a tile beside the form of their potential: its cut-off treatment, the charges.
//!
//! As in [`super::kernel`], nothing here may be a call that is not inlined.

use amelo_math::lanes::{Scalar, Tile as Lanes};

use super::model::{Charges, Powers, Tables, TypeRow};
use crate::pair::{AnyPair, Constants, CutPolynomial, Distance, PairEval};

/// Most powers of the energy's polynomial in the loops that are made for what is common.
pub(super) const MOST_POWERS: usize = 12;

/// What acts between two atoms in lanes, beside the form itself.
pub(super) trait Interaction<L: Lanes> {
    /// Whether the cell is known to be right-angled, and types to be at most sixteen.
    const COMMON: bool;
    /// Whether differences of coordinates are taken as they are: see [`super::model::Lengths::of_cube`].
    const CUBE: bool;
    /// `vdw` with its cut-off treatment; its energy where `SUMS` says so.
    fn cut<const SUMS: bool>(&self, pairs: &Pairs<'_, L>, at: &Distance<L>, vdw: PairEval<L>) -> PairEval<L>;
    /// What [`Interaction::coulomb_force`] needs of r² alone: the polynomial for the smooth part of 1/r³.
    fn smooth_part(&self, r2: L) -> L;
    /// `force_over_r` with that of the charges' product `qq` added.
    fn coulomb_force(&self, qq: L, at: &Distance<L>, smooth: L, force_over_r: L) -> L;
    /// The energy of the charges.
    fn coulomb_energy(&self, qq: L, at: &Distance<L>) -> L;
}

/// Whatever the tables say.
pub(super) struct Any<'a, T: Scalar> {
    pub tables: &'a Tables<T>,
}

impl<T: Scalar, L: Lanes<Scalar = T>> Interaction<L> for Any<'_, T> {
    const COMMON: bool = false;
    const CUBE: bool = false;

    #[inline(always)]
    fn cut<const SUMS: bool>(&self, pairs: &Pairs<'_, L>, at: &Distance<L>, mut vdw: PairEval<L>) -> PairEval<L> {
        if let Some(switch) = &self.tables.switch {
            let [value, fall] = switch.eval(at.r2);
            vdw.force_over_r = vdw.force_over_r * value + vdw.energy * fall;
            vdw.energy = vdw.energy * value;
        } else if let Some(start) = self.tables.polynomial_start {
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
        vdw
    }

    #[inline(always)]
    fn smooth_part(&self, r2: L) -> L {
        match &self.tables.coulomb {
            Charges::None | Charges::Plain => L::splat(0.0),
            Charges::Ewald { force, .. } => eval(force, r2),
        }
    }

    #[inline(always)]
    fn coulomb_force(&self, qq: L, at: &Distance<L>, smooth: L, force_over_r: L) -> L {
        match &self.tables.coulomb {
            Charges::None => force_over_r,
            Charges::Plain => (qq * at.inv_r).mul_add(at.inv_r2, force_over_r),
            Charges::Ewald { .. } => qq.mul_add(less(at.inv_r3, smooth), force_over_r),
        }
    }

    #[inline(always)]
    fn coulomb_energy(&self, qq: L, at: &Distance<L>) -> L {
        match &self.tables.coulomb {
            Charges::None => L::splat(0.0),
            Charges::Plain => qq * at.inv_r,
            Charges::Ewald { energy, .. } => qq * less(at.inv_r, eval(energy, at.r2)),
        }
    }
}

/// `inverse` less the smooth part that `polynomial` is, or of which it is the root.
#[inline(always)]
fn less<L: Lanes>(inverse: L, polynomial: L) -> L {
    if L::Scalar::ROOTS { polynomial.neg_mul_add(polynomial, inverse) } else { inverse - polynomial }
}

/// A polynomial in r² of however many powers.
#[inline(always)]
fn eval<L: Lanes>(polynomial: &Powers<L::Scalar>, r2: L) -> L {
    horner(r2 + L::scalar(polynomial.offset), &polynomial.powers)
}

/// Σ c_k tᵏ, even and odd powers side by side, so that half as many steps wait for each other.
#[inline(always)]
fn horner<L: Lanes>(t: L, coefficients: &[L::Scalar]) -> L {
    let n = coefficients.len();
    let t2 = t * t;
    let (mut high, mut low) = (L::scalar(coefficients[n - 1]), L::scalar(coefficients[n - 2]));
    let mut k = n - 2;
    while k > 1 {
        high = high.mul_add(t2, L::scalar(coefficients[k - 1]));
        low = low.mul_add(t2, L::scalar(coefficients[k - 2]));
        k -= 2;
    }
    if k == 1 {
        // Of an odd number of them the last one up is even.
        return low.mul_add(t, high.mul_add(t2, L::scalar(coefficients[0])));
    }
    high.mul_add(t, low)
}

/// Ewald's sum with a force of `N` powers.
pub(super) struct EwaldPowers<const N: usize, T> {
    offset: T,
    force: [T; N],
    energy: [T; MOST_POWERS],
}

impl<const N: usize, T: Scalar> EwaldPowers<N, T> {
    /// Those of `tables`, of whose force the first `N` powers.
    #[inline(always)]
    pub fn of(tables: &Tables<T>) -> Self {
        let zero = T::of(0.0);
        let mut own = EwaldPowers { offset: zero, force: [zero; N], energy: [zero; MOST_POWERS] };
        if let Charges::Ewald { force, energy } = &tables.coulomb {
            own.offset = force.offset;
            for (own, power) in own.force.iter_mut().zip(&force.powers) {
                *own = *power;
            }
            for (own, power) in own.energy.iter_mut().zip(&energy.powers) {
                *own = *power;
            }
        }
        own
    }

    #[inline(always)]
    fn eval<L: Lanes<Scalar = T>>(&self, powers: &[T], r2: L) -> L {
        horner(r2 + L::scalar(self.offset), powers)
    }
}

/// Ewald's sum, no force changed at the cut-off: see [`Tables::is_common`].
pub(super) struct Common<'a, const N: usize, const CUBE: bool, T>(pub &'a EwaldPowers<N, T>);

impl<const N: usize, const CUBE: bool, L: Lanes> Interaction<L> for Common<'_, N, CUBE, L::Scalar> {
    const COMMON: bool = true;
    const CUBE: bool = CUBE;

    #[inline(always)]
    fn cut<const SUMS: bool>(&self, pairs: &Pairs<'_, L>, _: &Distance<L>, mut vdw: PairEval<L>) -> PairEval<L> {
        if SUMS {
            vdw.energy = vdw.energy + pairs.constant(POLYNOMIAL[3]);
        }
        vdw
    }

    #[inline(always)]
    fn smooth_part(&self, r2: L) -> L {
        self.0.eval(&self.0.force, r2)
    }

    #[inline(always)]
    fn coulomb_force(&self, qq: L, at: &Distance<L>, smooth: L, force_over_r: L) -> L {
        qq.mul_add(less(at.inv_r3, smooth), force_over_r)
    }

    #[inline(always)]
    fn coulomb_energy(&self, qq: L, at: &Distance<L>) -> L {
        qq * less(at.inv_r, self.0.eval(&self.0.energy, at.r2))
    }
}

/// Where the constants of a cut-off polynomial stand.
const POLYNOMIAL: [usize; 4] =
    [AnyPair::CONSTANTS, AnyPair::CONSTANTS + 1, AnyPair::CONSTANTS + 2, AnyPair::CONSTANTS + 3];

/// The constants of a tile's pairs.
pub(super) struct Pairs<'a, L: Lanes> {
    /// Of the first and the last row, by sixteens of types.
    pub rows: [&'a [TypeRow<L::Scalar>]; 2],
    pub types: L::Index,
    /// Whether there is one sixteen only.
    pub one_block: bool,
}

impl<L: Lanes> Constants<L> for Pairs<'_, L> {
    #[inline(always)]
    fn constant(&self, k: usize) -> L {
        let [first, last] = self.rows;
        let mut found = L::lookup([&first[0].0[k], &last[0].0[k]], self.types);
        if self.one_block {
            return found;
        }
        for block in 1..first.len().min(last.len()) {
            let of_block = L::lookup([&first[block].0[k], &last[block].0[k]], self.types);
            found = found.replace(L::in_block(self.types, block as u32), of_block);
        }
        found
    }
}

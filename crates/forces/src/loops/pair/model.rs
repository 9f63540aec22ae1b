//! What acts between two atoms of known types and charges: one by one in f64, and as tables for the lanes.

use amelo_core::{Nonbonded, PairTable, Topology};
use amelo_math::lanes::Scalar;
use amelo_math::polynomial::Polynomial;
use amelo_math::special;

use crate::ForcesError;
use crate::coulomb::RealSpace;
use crate::pair::{AnyPair, EnergySwitch, Modified, PairForms};

/// Potentials with their cut-off treatment, and Coulomb: the model in plain numbers.
pub(super) struct Model {
    pub n_types: usize,
    /// Square, row by row.
    pub potentials: Vec<Modified>,
    /// Squared guard radius of each, nm².
    pub guard2: Vec<f64>,
    pub coulomb: RealSpace,
    pub r_cut: f64,
    /// Of all atoms (e).
    pub largest_charge: f64,
}

impl Model {
    /// Errors: a table of another number of types, a form or parameter that is refused, a cut-off that is not positive,
    /// a switch distance not between 0 and the cut-off.
    pub(super) fn new(topology: &Topology, table: &PairTable, settings: &Nonbonded) -> Result<Self, ForcesError> {
        let r_cut = settings.r_cut;
        if !(r_cut > 0.0 && r_cut.is_finite()) {
            return Err(ForcesError::setting(format!("the cut-off is {r_cut} nm, but it must be positive")));
        }
        let forms = PairForms::of(topology, table)?;
        let potentials = forms
            .square()
            .iter()
            .map(|&p| Modified::new(p, settings.modifier, r_cut))
            .collect::<Result<Vec<_>, ForcesError>>()?;
        let guard2 = forms.square().iter().map(|p| p.guard_radius() * p.guard_radius()).collect();
        let largest_charge = topology.charges.iter().fold(0.0, |q: f64, charge| q.max(charge.abs()));
        let coulomb = RealSpace::new(settings);
        Ok(Model { n_types: forms.n_types(), potentials, guard2, coulomb, r_cut, largest_charge })
    }

    /// \[n_types\] class of each type: types of one class meet any other type in the same form, so that clusters of one
    /// class need one form with each other.
    pub(super) fn classes(&self) -> Vec<u8> {
        let row = |t: usize| &self.potentials[t * self.n_types..][..self.n_types];
        let signature = |t: usize| row(t).iter().map(|p| p.potential().form()).collect::<Vec<_>>();
        let mut known = Vec::new();
        (0..self.n_types)
            .map(|t| {
                let mine = signature(t);
                let class = known.iter().position(|s| *s == mine).unwrap_or_else(|| {
                    known.push(mine);
                    known.len() - 1
                });
                // More are not worth their half-empty clusters.
                class.min(MOST_CLASSES - 1) as u8
            })
            .collect()
    }
}

/// Distance (nm) within which powers of 1/r leave the range of f32.
const CLOSEST: f64 = 0.01;

/// Most classes of types that get clusters of their own.
pub(super) const MOST_CLASSES: usize = 4;

/// Bit in the class of atoms that are frozen: clusters do not mix them with others.
pub(super) const FROZEN: u8 = 1 << 7;

/// The model as tables of one precision; energies in them are in units of 1/FORCE_SCALE kJ/mol.
pub(super) struct Tables<T: Scalar> {
    /// Sixteens of types.
    pub n_blocks: usize,
    /// \[n_types · n_blocks\] constants of each type with sixteen others.
    pub rows: Vec<TypeRow<T>>,
    /// Where the polynomials begin (nm); none where they change no force.
    pub polynomial_start: Option<f64>,
    pub switch: Option<EnergySwitch>,
    /// Squared distance (nm²) from which on no pair is inside a guard and every formula is finite.
    pub closest2: f64,
    /// \[class\]\[class\] the form that all their pairs have, or [`AnyPair::FORMS`] for several.
    pub form_of: [[usize; MOST_CLASSES]; MOST_CLASSES],
    pub coulomb: Charges<T>,
    pub cut2: f64,
    /// −U′/r up to which the lanes' sums hold (the forces' units per nm).
    pub largest: f64,
}

/// [constant][other type, of sixteen]: those of the forms, then c0, c2, c3 and p(start) of the cut-off polynomial.
/// Aligned to cache lines, as each line is one vector.
#[derive(Clone)]
#[repr(align(64))]
pub(super) struct TypeRow<T>(pub [[T; 16]; TYPE_CONSTANTS]);

/// Constants of a pair of types.
pub(super) const TYPE_CONSTANTS: usize = AnyPair::CONSTANTS + 4;

/// How charges interact in the lanes.
pub(super) enum Charges<T> {
    None,
    Plain,
    /// 1/r less the smooth part that the waves carry, which is a polynomial in r²: exact to the rounding of `T`.
    Ewald {
        /// Of the smooth part of 1/r³ (nm⁻³).
        force: Powers<T>,
        /// Of the smooth part of 1/r (nm⁻¹).
        energy: Powers<T>,
    },
}

/// A polynomial in r² in one precision.
pub(super) struct Powers<T> {
    /// Coefficients of tᵏ from the constant up.
    pub powers: Vec<T>,
    /// t = r² + offset (nm²), half the squared cut-off at most: an addition, of which the loop has fewer than
    /// multiplications.
    pub offset: T,
}

impl<T: Scalar> Powers<T> {
    fn fit(f: impl Fn(f64) -> f64, cut2: f64, tolerance: f64) -> Self {
        let polynomial = Polynomial::fit(f, 0.0, cut2, tolerance);
        let (powers, [scale, offset]) = polynomial.powers();
        let mut unit = 1.0;
        let mut in_units = |power: &f64| {
            let coefficient = T::of(power * unit);
            unit *= scale;
            coefficient
        };
        Powers { powers: powers.as_flattened().iter().map(&mut in_units).collect(), offset: T::of(offset / scale) }
    }
}

impl<T: Scalar> Tables<T> {
    pub(super) fn new(model: &Model, classes: &[u8]) -> Self {
        let n = model.n_types;
        let n_blocks = n.div_ceil(16);
        let mut rows = vec![TypeRow([[T::of(0.0); 16]; TYPE_CONSTANTS]); n * n_blocks];
        for (pair, potential) in model.potentials.iter().enumerate() {
            let (one, other) = (pair / n, pair % n);
            let polynomial = potential.polynomial().constants().map(|c| c * T::FORCE_SCALE);
            let constants = potential.potential().constants(T::FORCE_SCALE).into_iter().chain(polynomial);
            for (k, value) in constants.enumerate() {
                rows[one * n_blocks + other / 16].0[k][other % 16] = T::of(value);
            }
        }
        let changes = model.potentials.iter().find(|p| p.polynomial().changes_the_force());
        let mut form_of = [[0; MOST_CLASSES]; MOST_CLASSES];
        for (a, row) in form_of.iter_mut().enumerate() {
            for (b, form) in row.iter_mut().enumerate() {
                let pairs = (0..n * n).filter(|k| usize::from(classes[k / n]) == a && usize::from(classes[k % n]) == b);
                let mut forms = pairs.filter_map(|k| model.potentials[k].potential().form());
                let first = forms.next().unwrap_or(0);
                *form = if forms.all(|f| f == first) { first } else { AnyPair::FORMS };
            }
        }
        let cut2 = model.r_cut * model.r_cut;
        let coulomb = match model.coulomb {
            RealSpace::None => Charges::None,
            RealSpace::Plain => Charges::Plain,
            RealSpace::Ewald { beta } => {
                let [of_force, of_energy] = T::FIT;
                // What is left away counts as the charges' product, and a crystal's charges keep step. With the cube of the
                // largest, anatase has the polynomials that leave its forces' error to the mesh.
                let of_force = of_force / model.largest_charge.powi(3).max(1.0);
                let cubed = beta * beta * beta;
                let force = Powers::fit(|r2| cubed * special::smooth_coulomb(beta * beta * r2)[1], cut2, of_force);
                let energy = Powers::fit(|r2| beta * special::smooth_coulomb(beta * beta * r2)[0], cut2, of_energy);
                Charges::Ewald { force, energy }
            }
        };
        Tables {
            n_blocks,
            rows,
            polynomial_start: changes.map(|p| p.polynomial().start()),
            switch: model.potentials.iter().find_map(|p| p.switch().copied()),
            closest2: model.guard2.iter().copied().fold(CLOSEST * CLOSEST, f64::max),
            form_of,
            coulomb,
            cut2,
            largest: T::LARGEST_FORCE_OVER_R * T::FORCE_SCALE,
        }
    }

    /// Whether the model is what most are: Ewald's sum, no force changed at the cut-off, at most sixteen types.
    pub(super) fn is_common(&self) -> bool {
        matches!(self.coulomb, Charges::Ewald { .. })
            && self.switch.is_none()
            && self.polynomial_start.is_none()
            && self.n_blocks == 1
    }

    /// Powers in the polynomials of Ewald's sum, of the force and of the energy.
    pub(super) fn n_powers(&self) -> [usize; 2] {
        match &self.coulomb {
            Charges::Ewald { force, energy } => [force.powers.len(), energy.powers.len()],
            Charges::None | Charges::Plain => [0; 2],
        }
    }
}

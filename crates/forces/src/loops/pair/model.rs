//! What acts between two atoms of known types and charges: one by one in f64, and as tables for the lanes.

use amelo_core::units::COULOMB;
use amelo_core::{Nonbonded, PairTable, Topology};
use amelo_math::lanes::Scalar;
use amelo_math::polynomial::Polynomial;
use amelo_math::special;

use super::interaction::MOST_POWERS;
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
    /// Mean of the atoms' squared charges (e²).
    pub charge2: f64,
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
        let charge2 = topology.charges.iter().map(|q| q * q).sum::<f64>() / topology.n_atoms().max(1) as f64;
        let coulomb = RealSpace::new(settings);
        Ok(Model { n_types: forms.n_types(), potentials, guard2, coulomb, r_cut, charge2 })
    }

    /// Those that the tables of precision `T` need.
    pub(super) fn smooth_parts<T: Scalar>(&self) -> SmoothParts {
        let RealSpace::Ewald { beta } = self.coulomb else {
            return None;
        };
        let cubed = beta * beta * beta;
        let of_force = |r2: f64| cubed * special::smooth_coulomb(beta * beta * r2)[1];
        let of_energy = |r2: f64| beta * special::smooth_coulomb(beta * beta * r2)[0];
        let cut2 = self.r_cut * self.r_cut;
        let fit = |f: &dyn Fn(f64) -> f64| {
            let of = |r2| if T::ROOTS { f(r2).sqrt() } else { f(r2) };
            Polynomial::fit(of, 0.0, cut2, T::FIT)
        };
        let force = match T::FORCE_ERROR {
            None => fit(&of_force),
            Some(error) => self.fit_force::<T>(of_force, cut2, error),
        };
        Some([force, fit(&of_energy)])
    }

    /// The polynomial for `smooth`(r²), of forces over distances, that leaves the RMS `error` (kJ/mol/nm) on an atom.
    ///
    /// The charges of an atom's neighbours counted as independent of one another, the force's error squared is on average ∫
    /// (q² r δS / 4πε₀)² n 4πr² dr, with the mean squared charge q² and the error δS of the smooth part; for its root p δS = 2p δp.
    fn fit_force<T: Scalar>(&self, smooth: impl Fn(f64) -> f64, cut2: f64, error: f64) -> Polynomial {
        let of = |r2: f64| if T::ROOTS { smooth(r2).sqrt() } else { smooth(r2) };
        let weight = |r2: f64| {
            let (r, slope) = (r2.sqrt(), if T::ROOTS { 2.0 * of(r2) } else { 1.0 });
            // dr = dr²/2r.
            COULOMB * self.charge2 * r * slope * (CONDENSED * 2.0 * std::f64::consts::PI * r).sqrt()
        };
        Polynomial::least_squares(of, weight, 0.0, cut2, error)
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

/// Atoms per nm³ of condensed matter: 89 in a melt of PEO and LiTFSI, 88 in anatase, 100 in water.
const CONDENSED: f64 = 100.0;

/// Distance (nm) within which powers of 1/r leave the range of f32.
const CLOSEST: f64 = 0.01;

/// Most classes of types that get clusters of their own.
pub(super) const MOST_CLASSES: usize = 4;

/// Bit in the class of atoms that are frozen: clusters do not mix them with others.
pub(super) const FROZEN: u8 = 1 << 7;

/// What lengths are measured in, in the loops and their tables.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Lengths {
    /// Unit of distances (nm).
    pub unit: f64,
    /// Unit of differences r_i − r_j (nm).
    pub of_differences: f64,
    /// log₂ of the one over the other.
    pub log2: i32,
}

impl Lengths {
    /// Both in nm.
    pub const NM: Lengths = Lengths { unit: 1.0, of_differences: 1.0, log2: 0 };

    /// In a cube: differences in units of the coordinates and distances in a multiple of it of 1 to 2 nm, so that neither
    /// asks for a multiplication.
    pub fn of_cube<T: Scalar>(edge: f64) -> Self {
        let of_differences = edge * T::COORDINATE_UNIT;
        let mut lengths = Lengths { unit: of_differences, of_differences, log2: 0 };
        while lengths.unit < 1.0 {
            lengths.unit *= 2.0;
            lengths.log2 += 1;
        }
        lengths
    }

    /// By what energies are multiplied, so that −U′/r times a difference is a force in kJ/mol/nm.
    pub fn of_energies(&self) -> f64 {
        self.of_differences / (self.unit * self.unit)
    }
}

/// The model as tables of one precision and in units of [`Lengths`]; energies in them are in units of 1/FORCE_SCALE kJ/mol,
/// times [`Lengths::of_energies`].
pub(super) struct Tables<T: Scalar> {
    pub lengths: Lengths,
    /// Sixteens of types.
    pub n_blocks: usize,
    /// \[n_types · n_blocks\] constants of each type with sixteen others.
    pub rows: Vec<TypeRow<T>>,
    /// Where the polynomials begin (nm); none where they change no force.
    pub polynomial_start: Option<f64>,
    pub switch: Option<EnergySwitch>,
    /// Squared distance from which on no pair is inside a guard and every formula is finite.
    pub closest2: f64,
    /// \[class\]\[class\] the form that all their pairs have, or [`AnyPair::FORMS`] for several.
    pub form_of: [[usize; MOST_CLASSES]; MOST_CLASSES],
    pub coulomb: Charges<T>,
    pub cut2: f64,
    /// −U′/r up to which the lanes' sums hold.
    pub largest: f64,
}

/// The smooth parts of 1/r³ and of 1/r (nm), or their roots, as polynomials in r² (nm²), where there is Ewald's sum.
pub(super) type SmoothParts = Option<[Polynomial; 2]>;

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
    /// 1/r less the smooth part that the waves carry, which is a polynomial in r². With [`Scalar::ROOTS`] its root is one: a
    /// shorter one, and more exact where most pairs are, far away; to square it is no multiplication more, since a
    /// difference is taken with it.
    Ewald {
        /// For the smooth part of 1/r³.
        force: Powers<T>,
        /// For the smooth part of 1/r.
        energy: Powers<T>,
    },
}

/// A polynomial in r² in one precision.
pub(super) struct Powers<T> {
    /// Coefficients of tᵏ from the constant up, at least two of them.
    pub powers: Vec<T>,
    /// t = r² + offset, half the squared cut-off at most: an addition, of which the loop has fewer than multiplications.
    pub offset: T,
}

impl<T: Scalar> Powers<T> {
    /// `factor` times `polynomial`, lengths in units of `unit` nm.
    fn of(polynomial: &Polynomial, unit: f64, factor: f64) -> Self {
        let (powers, [scale, offset]) = polynomial.powers();
        let scale = scale * unit * unit;
        let mut size = factor;
        let mut in_units = |power: &f64| {
            let coefficient = T::of(power * size);
            size *= scale;
            coefficient
        };
        let powers = powers.as_flattened()[..(polynomial.degree() + 1).max(2)].iter().map(&mut in_units).collect();
        Powers { powers, offset: T::of(offset / scale) }
    }
}

impl<T: Scalar> Tables<T> {
    /// Of `model` with the [`Model::smooth_parts`] of this precision; lengths other than nm only for what is common.
    pub(super) fn new(model: &Model, classes: &[u8], smooth_parts: &SmoothParts, lengths: Lengths) -> Self {
        let n = model.n_types;
        let energy_scale = T::FORCE_SCALE * lengths.of_energies();
        let n_blocks = n.div_ceil(16);
        let mut rows = vec![TypeRow([[T::of(0.0); 16]; TYPE_CONSTANTS]); n * n_blocks];
        for (pair, potential) in model.potentials.iter().enumerate() {
            let (one, other) = (pair / n, pair % n);
            let polynomial = potential.polynomial().constants().map(|c| c * energy_scale);
            let in_units = potential.potential().in_units(lengths.unit);
            let constants = in_units.constants(energy_scale).into_iter().chain(polynomial);
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
        let coulomb = match (&model.coulomb, smooth_parts) {
            (RealSpace::None, _) => Charges::None,
            (_, Some([force, energy])) => {
                let unit = lengths.unit;
                let root = if T::ROOTS { unit.sqrt() } else { unit };
                let of = |polynomial, factor| Powers::of(polynomial, unit, factor);
                Charges::Ewald { force: of(force, root * root * root), energy: of(energy, root) }
            }
            (_, None) => Charges::Plain,
        };
        let unit2 = lengths.unit * lengths.unit;
        Tables {
            lengths,
            n_blocks,
            rows,
            polynomial_start: changes.map(|p| p.polynomial().start()),
            switch: model.potentials.iter().find_map(|p| p.switch().copied()),
            closest2: model.guard2.iter().copied().fold(CLOSEST * CLOSEST, f64::max) / unit2,
            form_of,
            coulomb,
            cut2: model.r_cut * model.r_cut / unit2,
            largest: T::LARGEST_FORCE_OVER_R * T::FORCE_SCALE * lengths.of_differences,
        }
    }

    /// The charges' unit (e), so that the product of two over a distance is an energy.
    pub(super) fn charge_scale(&self) -> f64 {
        (COULOMB * T::FORCE_SCALE * self.lengths.of_energies() / self.lengths.unit).sqrt()
    }

    /// Whether there is a loop for cubes: Lennard-Jones pairs, all else as it is common.
    pub(super) fn has_loop_for_cubes(&self) -> bool {
        let [force, energy] = self.n_powers();
        self.is_common()
            && force.max(energy) <= MOST_POWERS
            && self.form_of.as_flattened().iter().all(|form| *form == 0)
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

#[cfg(test)]
mod tests {
    use amelo_math::philox::Noise;
    use amelo_math::special::ewald_beta;

    use super::*;

    /// An atom with charge 1 among others of either sign, 100 to a cubic nanometre and at random beyond 0.15 nm: the
    /// polynomial's error adds up to no more than it may.
    #[test]
    fn polynomials_leave_the_force_error_that_they_may() {
        let r_cut: f64 = 1.2;
        let n = (CONDENSED * 4.0 / 3.0 * std::f64::consts::PI * r_cut.powi(3)) as u32;
        let noise = Noise::new(7, 3);
        for (tolerance, powers) in [(6.9e-5, 9), (1e-5, 10), (2.6e-6, 10)] {
            let beta = ewald_beta(r_cut, tolerance);
            let smooth = |r2: f64| beta.powi(3) * special::smooth_coulomb(beta * beta * r2)[1];
            let model = Model {
                n_types: 0,
                potentials: vec![],
                guard2: vec![],
                coulomb: RealSpace::Ewald { beta },
                r_cut,
                charge2: 1.0,
            };
            let fit = model.fit_force::<f32>(smooth, r_cut * r_cut, 0.012);
            assert_eq!(fit.degree() + 1, powers, "{tolerance:e}");
            let trials = 400_u64;
            let mut sum = 0.0;
            for trial in 0..trials {
                let mut force = amelo_math::Vec3::ZERO;
                for k in 0..n {
                    let [direction, place] = [0, 1].map(|of| noise.normal3(k, trial, of));
                    // A normal number's distribution function makes it an even one.
                    let even = 0.5 * (1.0 + special::erf(place.x * std::f64::consts::FRAC_1_SQRT_2));
                    let r = r_cut * even.cbrt();
                    if r > 0.15 {
                        let error = fit.eval(r * r).powi(2) - smooth(r * r);
                        force += direction * (COULOMB * place.y.signum() * r * error / direction.norm());
                    }
                }
                sum += force.norm2();
            }
            let rms = (sum / trials as f64).sqrt();
            assert!(rms < 1.1 * 0.012 && rms > 1e-4, "{tolerance:e}: {rms:e}");
        }
    }
}

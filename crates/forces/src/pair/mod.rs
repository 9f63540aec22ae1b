//! Pair potentials U(r). To add one: a file in this folder and a line in the list below.

mod table;

use amelo_core::FormInfo;
use amelo_math::Real;

use crate::ForcesError;

pub use modified::{CutPolynomial, EnergySwitch, Modified};
pub use table::PairForms;

pub mod modified;

/// Energy and force of one pair at one distance.
#[derive(Clone, Copy, Debug)]
pub struct PairEval<R> {
    /// U(r), kJ/mol.
    pub energy: R,
    /// −U′(r)/r, kJ mol⁻¹ nm⁻²: times r_i − r_j it is the force on i.
    pub force_over_r: R,
}

impl<R: Real> PairEval<R> {
    /// No interaction.
    #[inline(always)]
    pub fn zero() -> Self {
        PairEval { energy: R::splat(0.0), force_over_r: R::splat(0.0) }
    }
}

/// A distance r in the forms that potentials need; what one does not use costs nothing.
#[derive(Clone, Copy, Debug)]
pub struct Distance<R> {
    /// r² (nm²).
    pub r2: R,
    /// r (nm).
    pub r: R,
    /// 1/r (nm⁻¹).
    pub inv_r: R,
    /// 1/r² (nm⁻²).
    pub inv_r2: R,
    /// 1/r³ (nm⁻³).
    pub inv_r3: R,
}

impl<R: Real> Distance<R> {
    /// From the square (nm²).
    #[inline(always)]
    pub fn of(r2: R) -> Self {
        Distance::with(r2, r2.rsqrt())
    }

    /// From the square (nm²) and 1/r (nm⁻¹).
    #[inline(always)]
    pub fn with(r2: R, inv_r: R) -> Self {
        let inv_r2 = inv_r * inv_r;
        Distance { r2, r: r2 * inv_r, inv_r, inv_r2, inv_r3: inv_r * inv_r2 }
    }
}

/// Where [`AnyPair::eval_form`] finds the constants of its pairs.
///
/// A trait and not a closure: a call that is not inlined would lose the caller's instruction set.
pub trait Constants<R> {
    /// The constant at place `k` in the row of [`AnyPair::constants`]; to be inlined always.
    fn constant(&self, k: usize) -> R;
}

/// A pair potential: its own description, its `N` constants, and U with −U′/r.
pub trait PairPotential<const N: usize>: Copy + Send + Sync {
    /// Name, formula, parameters, citation.
    const INFO: FormInfo;

    /// Whether a short-range guard stands in for the formula at small r.
    const GUARDED: bool = false;

    /// Typical parameters, internal units: what tests and benchmarks run.
    const EXAMPLE: &'static [f64];

    /// The potential with `parameters` in the order of [`PairPotential::INFO`], internal units.
    /// Errors: a wrong number of them, or one out of range.
    fn from_parameters(parameters: &[f64]) -> Result<Self, ForcesError>;

    /// The same potential where lengths are given in units of `unit` nm.
    fn in_units(&self, unit: f64) -> Self;

    /// What [`PairPotential::eval`] takes for `scale` times the potential.
    fn constants(&self, scale: f64) -> [f64; N];

    /// U and −U′/r from [`PairPotential::guard_radius`] on; both vanish where all constants are zero, so that lanes may
    /// hold pairs of other forms.
    fn eval<R: Real>(constants: [R; N], at: &Distance<R>) -> PairEval<R>;

    /// U and −U′/r inside the guard radius.
    fn guard<R: Real>(&self, _at: &Distance<R>) -> PairEval<R> {
        PairEval::zero()
    }

    /// C₆ of the attraction −C₆/r⁶ at large r (kJ mol⁻¹ nm⁶), for the dispersion tail.
    fn dispersion_c6(&self) -> f64;

    /// Distance (nm) below which a short-range guard stands in for the formula; 0 where there is none.
    fn guard_radius(&self) -> f64 {
        0.0
    }
}

/// Checks the number of parameters and that each is finite.
pub(crate) fn exactly<const N: usize>(info: &FormInfo, parameters: &[f64]) -> Result<[f64; N], ForcesError> {
    let names = || info.parameters.iter().map(|p| p.name).collect::<Vec<_>>().join(", ");
    let values: [f64; N] = parameters.try_into().map_err(|_| ForcesError::ParameterCount {
        form: info.name,
        expected: N,
        names: names(),
        found: parameters.len(),
    })?;
    match values.iter().position(|v| !v.is_finite()) {
        Some(k) => Err(ForcesError::parameter(
            info.name,
            format!("{} is {}, not a number", info.parameters[k].name, values[k]),
        )),
        None => Ok(values),
    }
}

/// From one line per potential (its module, its number of constants): the enum of all, its constants in one row, the
/// registry rows.
macro_rules! pair_potentials {
    ($($module:ident => $type:ident<$n:literal>),+ $(,)?) => {
        $(pub mod $module; pub use $module::$type;)+

        /// Any registered pair potential, or none.
        #[derive(Clone, Copy, Debug)]
        pub enum AnyPair {
            /// No interaction (`none` in parameter files).
            None,
            $(#[doc = concat!("See [`", stringify!($type), "`].")] $type($type),)+
        }

        /// The forms, numbered.
        #[derive(Clone, Copy)]
        enum Form {
            $($type),+
        }

        impl AnyPair {
            /// Number of forms.
            pub const FORMS: usize = [$(Form::$type),+].len();

            /// Constants of all forms together.
            pub const CONSTANTS: usize = 0 $(+ $n)+;

            /// The potential `form` with `parameters` in its order, internal units; `none` takes no parameters.
            /// Errors: an unknown form, parameters that it refuses.
            pub fn new(form: &str, parameters: &[f64]) -> Result<Self, ForcesError> {
                match form {
                    "none" if parameters.is_empty() => Ok(AnyPair::None),
                    $(name if name == $type::INFO.name => Ok(AnyPair::$type($type::from_parameters(parameters)?)),)+
                    _ => Err(ForcesError::UnknownForm {
                        class: "pair",
                        form: form.into(),
                        known: ["none", $($type::INFO.name),+].join(", "),
                    }),
                }
            }

            /// Number of the form; none where there is no interaction.
            pub fn form(&self) -> Option<usize> {
                match self {
                    AnyPair::None => None,
                    $(AnyPair::$type(_) => Some(Form::$type as usize),)+
                }
            }

            /// The same potential where lengths are given in units of `unit` nm.
            pub fn in_units(&self, unit: f64) -> Self {
                match self {
                    AnyPair::None => AnyPair::None,
                    $(AnyPair::$type(p) => AnyPair::$type(p.in_units(unit)),)+
                }
            }

            /// U and −U′/r at the squared distance `r2` (nm²).
            #[inline(always)]
            pub fn eval<R: Real>(&self, r2: R) -> PairEval<R> {
                match self {
                    AnyPair::None => PairEval::zero(),
                    $(AnyPair::$type(p) => {
                        let at = Distance::of(r2);
                        let plain = $type::eval(p.constants(1.0).map(R::splat), &at);
                        if p.guard_radius() == 0.0 {
                            return plain;
                        }
                        let (guard, within2) = (p.guard(&at), R::splat(p.guard_radius() * p.guard_radius()));
                        PairEval {
                            energy: r2.select_lt(within2, guard.energy, plain.energy),
                            force_over_r: r2.select_lt(within2, guard.force_over_r, plain.force_over_r),
                        }
                    })+
                }
            }

            /// The constants of every form one after another for `scale` times the potential, zero for those that are
            /// not this one's.
            pub fn constants(&self, scale: f64) -> [f64; Self::CONSTANTS] {
                let mut row = [0.0; Self::CONSTANTS];
                let mut first = 0;
                $(
                    if let AnyPair::$type(p) = self {
                        row[first..first + $n].copy_from_slice(&p.constants(scale));
                    }
                    first += $n;
                )+
                debug_assert_eq!(first, Self::CONSTANTS);
                row
            }

            /// The sum of the form `FORM` alone or, for [`AnyPair::FORMS`] and above, of all; outside every guard.
            #[inline(always)]
            pub fn eval_form<R: Real, const FORM: usize>(from: &impl Constants<R>, at: &Distance<R>) -> PairEval<R> {
                let mut sum = PairEval::zero();
                let mut first = 0;
                $(
                    if FORM == Form::$type as usize || FORM >= Self::FORMS {
                        let mut constants = [R::splat(0.0); $n];
                        for k in 0..$n {
                            constants[k] = from.constant(first + k);
                        }
                        let one = $type::eval(constants, at);
                        if FORM == Form::$type as usize {
                            return one;
                        }
                        sum.energy = sum.energy + one.energy;
                        sum.force_over_r = sum.force_over_r + one.force_over_r;
                    }
                    first += $n;
                )+
                let _ = first;
                sum
            }

            /// Whether pairs of the form `FORM`, or of any for [`AnyPair::FORMS`] and above, can be inside a guard.
            pub const fn is_guarded<const FORM: usize>() -> bool {
                $((FORM == Form::$type as usize || FORM >= Self::FORMS) && $type::GUARDED ||)+ false
            }

            /// C₆ of the attraction −C₆/r⁶ at large r (kJ mol⁻¹ nm⁶).
            pub fn dispersion_c6(&self) -> f64 {
                match self {
                    AnyPair::None => 0.0,
                    $(AnyPair::$type(potential) => potential.dispersion_c6(),)+
                }
            }

            /// Distance (nm) below which the guard replaces the formula; 0 where there is none.
            pub fn guard_radius(&self) -> f64 {
                match self {
                    AnyPair::None => 0.0,
                    $(AnyPair::$type(potential) => potential.guard_radius(),)+
                }
            }
        }

        /// The pair potentials that exist.
        pub fn pair_potentials() -> Vec<FormInfo> {
            vec![$($type::INFO),+]
        }

        /// Typical parameters of every pair potential, in the order of [`pair_potentials`].
        pub fn examples() -> Vec<(&'static str, &'static [f64])> {
            vec![$(($type::INFO.name, $type::EXAMPLE)),+]
        }
    };
}

pair_potentials! {
    lennard_jones => LennardJones<2>,
    buckingham => Buckingham<4>,
}

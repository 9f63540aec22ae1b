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

/// A pair potential: its own description, its parameters, and U with −U′/r.
pub trait PairPotential: Copy + Send + Sync {
    /// Name, formula, parameters, citation.
    const INFO: FormInfo;

    /// Typical parameters, internal units: what tests and benchmarks run.
    const EXAMPLE: &'static [f64];

    /// The potential with `parameters` in the order of [`PairPotential::INFO`], internal units.
    /// Errors: a wrong number of them, or one out of range.
    fn from_parameters(parameters: &[f64]) -> Result<Self, ForcesError>;

    /// U and −U′/r at the squared distance `r2` (nm²).
    fn eval<R: Real>(&self, r2: R) -> PairEval<R>;

    /// C₆ of the attraction −C₆/r⁶ at large r (kJ mol⁻¹ nm⁶), for the dispersion tail.
    fn dispersion_c6(&self) -> f64;

    /// Distance (nm) below which `eval` is not the formula but its short-range guard; 0 where there is none.
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

/// From one line per potential: its module, the enum that the loops dispatch on, and the registry rows.
macro_rules! pair_potentials {
    ($($module:ident => $type:ident),+ $(,)?) => {
        $(pub mod $module; pub use $module::$type;)+

        /// Any registered pair potential, or none.
        #[derive(Clone, Copy, Debug)]
        pub enum AnyPair {
            /// No interaction (`none` in parameter files).
            None,
            $(#[doc = concat!("See [`", stringify!($type), "`].")] $type($type),)+
        }

        impl AnyPair {
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

            /// U and −U′/r at the squared distance `r2` (nm²).
            #[inline(always)]
            pub fn eval<R: Real>(&self, r2: R) -> PairEval<R> {
                match self {
                    AnyPair::None => PairEval::zero(),
                    $(AnyPair::$type(potential) => potential.eval(r2),)+
                }
            }

            /// C₆ of the attraction −C₆/r⁶ at large r (kJ mol⁻¹ nm⁶).
            pub fn dispersion_c6(&self) -> f64 {
                match self {
                    AnyPair::None => 0.0,
                    $(AnyPair::$type(potential) => potential.dispersion_c6(),)+
                }
            }

            /// Distance (nm) below which the short-range guard acts; 0 where there is none.
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
    lennard_jones => LennardJones,
    buckingham => Buckingham,
}

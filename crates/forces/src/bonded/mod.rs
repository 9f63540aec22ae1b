//! Bonded forms U(x) of one internal coordinate: a distance, an angle or a dihedral. To add one: a file in this
//! folder and a line in the lists below.

pub mod geometry;

use amelo_core::{Class, FormInfo};
use amelo_math::Real;

use crate::ForcesError;

/// Energy and slope of a bonded form at one value of its coordinate.
#[derive(Clone, Copy, Debug)]
pub struct BondedEval<R> {
    /// U(x), kJ/mol.
    pub energy: R,
    /// U′(x), kJ/mol per nm or rad.
    pub slope: R,
}

/// A bonded form: its own description, its parameters, and U with U′.
pub trait BondedForm: Copy + Send + Sync {
    /// Name, formula, parameters, citation.
    const INFO: FormInfo;

    /// Typical parameters, internal units: what tests and benchmarks run.
    const EXAMPLE: &'static [f64];

    /// The form with `parameters` in the order of [`BondedForm::INFO`], internal units.
    /// Errors: a wrong number of them, or one out of range.
    fn from_parameters(parameters: &[f64]) -> Result<Self, ForcesError>;

    /// U and U′ at the distance (nm), angle (rad, 0 to π) or dihedral (rad, −π to π, trans at π) `x`.
    fn eval<R: Real>(&self, x: R) -> BondedEval<R>;

    /// U and U′ of a dihedral from its cosine and sine: the whole of a torsion that is a Fourier series, which then never
    /// meets the angle itself.
    #[inline(always)]
    fn eval_torsion<R: Real>(&self, cosine: R, sine: R) -> BondedEval<R> {
        self.eval(sine.atan2(cosine))
    }

    /// U and U′ of an angle's second coordinate, the distance `r` (nm) between its ends; `None` where the form has
    /// no such part, as all but Urey and Bradley's.
    #[inline(always)]
    fn eval_ends<R: Real>(&self, _r: R) -> Option<BondedEval<R>> {
        None
    }
}

/// From one line per form: its module, the enum that the loops dispatch on, and the registry rows.
macro_rules! bonded_forms {
    ($any:ident, $list:ident, $class:literal, $($module:ident => $type:ident),+ $(,)?) => {
        $(pub mod $module; pub use $module::$type;)+

        #[doc = concat!("Any registered ", $class, ".")]
        #[derive(Clone, Copy, Debug)]
        pub enum $any {
            $(#[doc = concat!("See [`", stringify!($type), "`].")] $type($type),)+
        }

        impl AnyForm for $any {
            fn new(form: &str, parameters: &[f64]) -> Result<Self, ForcesError> {
                match form {
                    $(name if name == $type::INFO.name => Ok($any::$type($type::from_parameters(parameters)?)),)+
                    _ => Err(ForcesError::UnknownForm {
                        class: $class,
                        form: form.into(),
                        known: [$($type::INFO.name),+].join(", "),
                    }),
                }
            }

            #[inline(always)]
            fn eval<R: Real>(&self, x: R) -> BondedEval<R> {
                match self {
                    $($any::$type(form) => form.eval(x),)+
                }
            }

            #[inline(always)]
            fn eval_ends<R: Real>(&self, r: R) -> Option<BondedEval<R>> {
                match self {
                    $($any::$type(form) => form.eval_ends(r),)+
                }
            }

            #[inline(always)]
            fn visit<V: FormVisitor>(&self, visitor: V) -> V::Output {
                match self {
                    $($any::$type(form) => visitor.visit(form),)+
                }
            }

            fn examples() -> Vec<(FormInfo, &'static [f64])> {
                vec![$(($type::INFO, $type::EXAMPLE)),+]
            }
        }

        #[doc = concat!("The ", $class, " forms that exist.")]
        pub fn $list() -> Vec<FormInfo> {
            vec![$($type::INFO),+]
        }
    };
}

/// Work on one form.
pub trait FormVisitor {
    /// What comes out.
    type Output;
    /// Does the work; `#[inline(always)]`, as it runs inside loops compiled for one instruction set.
    fn visit<F: BondedForm>(self, form: &F) -> Self::Output;
}

/// What the loops need of the forms of one class.
pub trait AnyForm: Copy + Send + Sync + 'static {
    /// The form `form` with `parameters` in its order, internal units.
    /// Errors: an unknown form, parameters that it refuses.
    fn new(form: &str, parameters: &[f64]) -> Result<Self, ForcesError>;

    /// U and U′ at the coordinate `x`.
    fn eval<R: Real>(&self, x: R) -> BondedEval<R>;

    /// U and U′ of the distance between the ends of an angle, where the form has such a part.
    fn eval_ends<R: Real>(&self, r: R) -> Option<BondedEval<R>>;

    /// Hands the form itself to `visitor`, whose loop then has one formula.
    fn visit<V: FormVisitor>(&self, visitor: V) -> V::Output;

    /// Every form of the class with typical parameters.
    fn examples() -> Vec<(FormInfo, &'static [f64])>;
}

bonded_forms! { AnyBond, bonds, "bond",
    harmonic_bond => HarmonicBond,
}
bonded_forms! { AnyAngle, angles, "angle",
    harmonic_angle => HarmonicAngle,
    urey_bradley => UreyBradley,
}
bonded_forms! { AnyDihedral, dihedrals, "dihedral",
    opls => Opls,
    ryckaert_bellemans => RyckaertBellemans,
    periodic_dihedral => PeriodicDihedral,
}
bonded_forms! { AnyImproper, impropers, "improper",
    periodic_improper => PeriodicImproper,
    harmonic_improper => HarmonicImproper,
    harmonic_unsigned_improper => HarmonicUnsignedImproper,
}

/// Every bonded form of every class.
pub fn all() -> Vec<FormInfo> {
    [bonds(), angles(), dihedrals(), impropers()].concat()
}

/// Every form with the class under which a topology lists it and typical parameters.
pub fn examples() -> Vec<(Class, FormInfo, &'static [f64])> {
    let of = |class: Class, rows: Vec<(FormInfo, &'static [f64])>| rows.into_iter().map(move |(i, p)| (class, i, p));
    of(Class::Bond, AnyBond::examples())
        .chain(of(Class::Angle, AnyAngle::examples()))
        .chain(of(Class::Dihedral, AnyDihedral::examples()))
        .chain(of(Class::Improper, AnyImproper::examples()))
        .collect()
}

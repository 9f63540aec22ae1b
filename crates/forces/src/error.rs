//! What can be wrong with a force field before the first step.

/// A force field that cannot be set up.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ForcesError {
    /// A functional form that is not registered.
    #[error("unknown {class} form \"{form}\"; known are: {known}")]
    UnknownForm {
        /// Pair, bond, angle, dihedral or improper.
        class: &'static str,
        /// Name that was asked for.
        form: String,
        /// Names that exist.
        known: String,
    },
    /// A form with too few or too many parameters.
    #[error("\"{form}\" takes {expected} parameters ({names}), but {found} were given")]
    ParameterCount {
        /// The form.
        form: &'static str,
        /// How many it takes.
        expected: usize,
        /// Their names.
        names: String,
        /// How many were given.
        found: usize,
    },
    /// A parameter out of the form's range.
    #[error("\"{form}\": {message}")]
    Parameter {
        /// The form.
        form: &'static str,
        /// Which parameter, its value, what would be right.
        message: String,
    },
    /// A pair potential that cannot be built, with the types that it is for.
    #[error("pair {}–{}: {source}", types[0], types[1])]
    Pair {
        /// Names of the two types.
        types: [String; 2],
        /// What is wrong.
        source: Box<ForcesError>,
    },
    /// A cut-off, switch distance or other setting that cannot be.
    #[error("{message}")]
    Setting {
        /// What was found and what would be right.
        message: String,
    },
    /// Topology and pair table that do not belong together.
    #[error("{message}")]
    Mismatch {
        /// What was found and what was expected.
        message: String,
    },
}

impl ForcesError {
    /// A parameter out of range, in one line.
    pub fn parameter(form: &'static str, message: impl Into<String>) -> Self {
        ForcesError::Parameter { form, message: message.into() }
    }

    /// A setting that cannot be, in one line.
    pub fn setting(message: impl Into<String>) -> Self {
        ForcesError::Setting { message: message.into() }
    }
}

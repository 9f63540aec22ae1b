//! What can go wrong while building, with the deck key it concerns and the remedy.

/// A system that cannot be built as asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BuildError {
    /// A value of the deck that cannot be, or does not go with the others.
    #[error("{message}")]
    Config {
        /// Path of the deck key, for example `system.lateral`.
        key: String,
        /// What was found, what was expected, and what to do.
        message: String,
    },
    /// No cut of this surface is stoichiometric and free of a dipole, or the one that was asked for is not.
    #[error("{message}")]
    Polar {
        /// Path of the deck key.
        key: String,
        /// Which cut, its O/Ti ratio and dipole, and which cuts would do.
        message: String,
    },
    /// The molecules do not fit into the space that the deck gives them.
    #[error("{message}")]
    Packing {
        /// Path of the deck key.
        key: String,
        /// How far it came, and what to do.
        message: String,
    },
    /// A template that cannot make what was asked for.
    #[error(transparent)]
    Make(#[from] amelo_io::parameters::TemplateError),
    /// Parameters that no file gives, or that cannot be.
    #[error(transparent)]
    Assign(#[from] crate::AssignError),
    /// A molecule template whose geometry cannot be built.
    #[error("molecule \"{molecule}\", atom {atom} ({name}): {message}")]
    Template {
        /// Name of the molecule.
        molecule: String,
        /// Atom, counted from 0.
        atom: usize,
        /// Its name.
        name: String,
        /// What is wrong and what to do.
        message: String,
    },
}

impl BuildError {
    /// Shorthand for [`BuildError::Config`].
    pub(crate) fn config(key: impl Into<String>, message: impl Into<String>) -> Self {
        BuildError::Config { key: key.into(), message: message.into() }
    }

    /// The same error where its key `from` stands at `to`.
    pub(crate) fn moved(mut self, from: &str, to: &str) -> Self {
        if let BuildError::Config { key, .. } | BuildError::Packing { key, .. } = &mut self {
            *key = key.replacen(from, to, 1);
        }
        self
    }

    /// Path of the deck key that the error concerns, for example `system.oxide.anatase.thickness` or
    /// `system.molecule[1].name` (entries of arrays count from 0).
    pub fn key(&self) -> Option<String> {
        match self {
            BuildError::Config { key, .. } | BuildError::Polar { key, .. } | BuildError::Packing { key, .. } => {
                Some(key.clone())
            }
            BuildError::Assign(e) => Some(e.key().into()),
            BuildError::Make(_) | BuildError::Template { .. } => None,
        }
    }
}

//! What is wrong with another program's file: where it stands, what was found, what to do.

use std::path::Path;
use std::sync::Arc;

use crate::IoError;

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file as it was opened.
    pub path: Arc<Path>,
    /// Line, from 1.
    pub line: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.path.display(), self.line)
    }
}

/// A file that cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file that is not there or cannot be read.
    #[error(transparent)]
    File(#[from] IoError),
    /// A line that is malformed, or that says what the engine cannot represent.
    #[error("{place}: {section}: {found}; {remedy}")]
    Content {
        /// Where it stands.
        place: Place,
        /// Section, directive or command that it belongs to.
        section: String,
        /// The value seen and why it cannot be.
        found: String,
        /// What would be right.
        remedy: String,
    },
    /// An option of the import itself.
    #[error("{found}; {remedy}")]
    Option {
        /// The value seen.
        found: String,
        /// What would be right.
        remedy: String,
    },
}

impl ImportError {
    /// A problem with the line at `place`, in `section`.
    pub fn at(place: &Place, section: &str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        let (found, remedy) = (found.into(), remedy.into());
        ImportError::Content { place: place.clone(), section: section.into(), found, remedy }
    }

    /// Where it stands, as far as it stands in a file's line.
    pub fn place(&self) -> Option<&Place> {
        match self {
            ImportError::Content { place, .. } => Some(place),
            _ => None,
        }
    }
}

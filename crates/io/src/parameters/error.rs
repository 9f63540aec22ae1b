//! What can be wrong with a parameter file: where it stands, what was found, and the remedy.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// File.
    pub path: PathBuf,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Bytes from the start of the text.
    pub span: Range<usize>,
    /// The whole text, to show the place in.
    pub text: Arc<str>,
}

impl Location {
    /// The place `span` (bytes) of `text`, which came from `path`.
    pub fn new(path: &Path, text: &Arc<str>, span: Range<usize>) -> Self {
        let mut start = span.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |k| k + 1);
        Location {
            path: path.to_path_buf(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            span,
            text: text.clone(),
        }
    }
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.path.display(), self.line, self.column)
    }
}

/// A parameter file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ParameterError {
    /// No file of that name on the search path.
    #[error(
        "no parameter file \"{name}\": looked for {} and among the built-in files ({})",
        searched.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", "),
        builtin.join(", ")
    )]
    NotFound {
        /// Name as asked for.
        name: String,
        /// Files that were tried.
        searched: Vec<PathBuf>,
        /// Names of the built-in files.
        builtin: Vec<String>,
    },
    /// A file that exists and cannot be read.
    #[error("cannot read the parameter file {}: {source}", path.display())]
    Unreadable {
        /// File.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Not TOML.
    #[error("{at}: {message}")]
    Syntax {
        /// Where.
        at: Box<Location>,
        /// What the TOML reader says.
        message: String,
    },
    /// TOML, but not what a parameter file may say.
    #[error("{at}: {key}: {message}; {remedy}")]
    Invalid {
        /// Where.
        at: Box<Location>,
        /// Path of the key, for example `types.OS.mass`.
        key: String,
        /// What was found and what was expected.
        message: String,
        /// What to do about it.
        remedy: String,
    },
}

impl ParameterError {
    /// The place in the file, where the error has one.
    pub fn location(&self) -> Option<&Location> {
        match self {
            ParameterError::Syntax { at, .. } | ParameterError::Invalid { at, .. } => Some(at),
            ParameterError::NotFound { .. } | ParameterError::Unreadable { .. } => None,
        }
    }

    /// One line of advice.
    pub fn remedy(&self) -> String {
        match self {
            ParameterError::NotFound { .. } => {
                "correct the name, put the file beside the deck or into its folder `potentials`, or add its folder to AMELO_POTENTIALS".into()
            }
            ParameterError::Unreadable { .. } => "check that it is a text file in UTF-8 and may be read".into(),
            ParameterError::Syntax { .. } => "correct the TOML at this place".into(),
            ParameterError::Invalid { remedy, .. } => remedy.clone(),
        }
    }
}

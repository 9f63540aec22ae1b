//! Where parameter files are looked for.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::ParameterError;

/// Folders in which parameter files are looked for, in order, and the files inside the program, which come last.
#[derive(Clone, Debug, Default)]
pub struct SearchPath {
    /// Folders, the first one that holds the file wins.
    pub folders: Vec<PathBuf>,
    /// Built-in files: name without `.toml`, text.
    pub builtin: Vec<(String, String)>,
}

/// A parameter file's text and where it came from.
pub(super) struct Found {
    pub name: String,
    pub path: PathBuf,
    pub text: Arc<str>,
}

impl SearchPath {
    /// The search path of a deck in `deck_folder`: that folder, `potentials` below it, the entries of
    /// `potentials_variable` (the value of `AMELO_POTENTIALS`, if set), then the built-in files.
    pub fn for_deck(
        deck_folder: &Path,
        potentials_variable: Option<&OsStr>,
        builtin: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let mut folders = vec![deck_folder.to_path_buf(), deck_folder.join("potentials")];
        if let Some(entries) = potentials_variable {
            folders.extend(std::env::split_paths(entries).filter(|p| !p.as_os_str().is_empty()));
        }
        SearchPath { folders, builtin: builtin.into_iter().collect() }
    }

    /// Only built-in files.
    pub fn builtin_only(builtin: impl IntoIterator<Item = (String, String)>) -> Self {
        SearchPath { folders: Vec::new(), builtin: builtin.into_iter().collect() }
    }

    /// Finds and reads the file `name`, written with or without `.toml`; may be a path.
    pub(super) fn find(&self, name: &str) -> Result<Found, ParameterError> {
        let stem = name.strip_suffix(".toml").unwrap_or(name);
        let file = format!("{stem}.toml");
        let mut searched = Vec::new();
        for folder in &self.folders {
            // A name that is an absolute path stands for itself: `join` lets it replace the folder.
            let path = folder.join(&file);
            match std::fs::read_to_string(&path) {
                Ok(text) => return Ok(Found { name: stem.into(), path, text: text.into() }),
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => searched.push(path),
                Err(source) => return Err(ParameterError::Unreadable { path, source }),
            }
        }
        match self.builtin.iter().find(|(n, _)| n == stem) {
            Some((n, text)) => Ok(Found {
                name: n.clone(),
                path: PathBuf::from(format!("<built-in>/{n}.toml")),
                text: text.as_str().into(),
            }),
            None => Err(ParameterError::NotFound {
                name: name.into(),
                searched,
                builtin: self.builtin.iter().map(|(n, _)| n.clone()).collect(),
            }),
        }
    }
}

//! The run directory: who may write into it, and what is in it.

use std::path::{Path, PathBuf};

use amelo_io::RunLock;

use crate::error::{Problem, RunnerError};

/// What to do with a run directory that exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// Refuse to touch it.
    #[default]
    Refuse,
    /// Replace our files in it.
    Overwrite,
    /// Go on from its checkpoint.
    Resume,
}

/// A run directory that this process may write into.
#[derive(Debug)]
pub struct RunDirectory {
    /// Its path.
    pub path: PathBuf,
    _lock: RunLock,
}

/// Files of ours, beside the parts of the trajectory.
const FILES: [&str; 10] = [
    "checkpoint.prev.h5",
    "checkpoint.h5",
    "log.csv",
    "topology.pdb",
    "results.json",
    "report.html",
    "run.log",
    "dossier.json",
    crate::adsorption::REPORT,
    crate::adsorption::STRUCTURES,
];

/// `DECK`'s stem with `.run`.
pub fn default_path(deck: &Path) -> PathBuf {
    let mut name = deck.file_stem().unwrap_or_default().to_os_string();
    name.push(".run");
    PathBuf::from(name)
}

/// Refuses a directory that holds something, unless that is wanted. Touches nothing.
pub fn check(path: &Path, existing: Existing) -> Result<(), RunnerError> {
    let refuse = |message: String, help: &str| Err(RunnerError::input(Problem::new(message).help(help)));
    if path.exists() && !path.is_dir() {
        return refuse(format!("{} exists and is not a directory", path.display()), "choose another --out");
    }
    if existing != Existing::Refuse || !path.exists() {
        return Ok(());
    }
    let mut entries = std::fs::read_dir(path).map_err(|e| RunnerError::file(path, "look into", &e))?;
    match entries.next() {
        None => Ok(()),
        Some(_) => refuse(
            format!("the run directory {} exists already; nothing was touched", path.display()),
            "go on with --resume, start anew with --overwrite, or choose another --out",
        ),
    }
}

impl RunDirectory {
    /// Makes the directory where there is none and takes its lock.
    pub fn open(path: &Path) -> Result<Self, RunnerError> {
        std::fs::create_dir_all(path).map_err(|e| RunnerError::file(path, "make the run directory", &e))?;
        let lock = RunLock::acquire(path)?;
        Ok(RunDirectory { path: path.into(), _lock: lock })
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Removes our files, and only ours. Checkpoints go first: a clearing that is killed must not leave one without
    /// its trajectory, with which `--resume` could not go on.
    pub fn clear(&self) -> Result<(), RunnerError> {
        for name in FILES {
            remove(&self.file(name))?;
        }
        amelo_io::h5md::remove(&self.path)?;
        self.clear_folder("plots", &["svg"])?;
        self.clear_folder(crate::adsorption::FOLDER, &["json", "h5"])
    }

    /// Removes the files of a folder that end in one of `extensions`.
    fn clear_folder(&self, name: &str, extensions: &[&str]) -> Result<(), RunnerError> {
        let folder = self.file(name);
        if !folder.is_dir() {
            return Ok(());
        }
        let entries = std::fs::read_dir(&folder).map_err(|e| RunnerError::file(&folder, "look into", &e))?;
        for entry in entries.flatten() {
            if entry.path().extension().is_some_and(|e| extensions.iter().any(|ours| e == *ours)) {
                remove(&entry.path())?;
            }
        }
        Ok(())
    }
}

fn remove(path: &Path) -> Result<(), RunnerError> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(RunnerError::file(path, "remove", &e)),
        _ => Ok(()),
    }
}

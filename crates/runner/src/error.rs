//! What can go wrong in a run, sorted by who has to act: the exit code follows from the kind.

use std::path::PathBuf;

use crate::source::Place;

/// One thing wrong with an input: what was found, where it stands, what to do about it.
#[derive(Clone, Debug)]
pub struct Problem {
    /// What was found and what was expected.
    pub message: String,
    /// Where it stands, as far as that is known.
    pub place: Option<Place>,
    /// The remedy.
    pub help: Option<String>,
}

impl Problem {
    /// A problem without a place in a file.
    pub fn new(message: impl Into<String>) -> Self {
        Problem { message: message.into(), place: None, help: None }
    }

    /// The same with a remedy.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same with a place.
    pub fn at(mut self, place: Option<Place>) -> Self {
        self.place = place;
        self
    }
}

/// Why a run stopped before its end although nothing failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// SIGTERM or SIGINT.
    Signal,
    /// `--max-hours` is over.
    MaxHours,
    /// `--steps` are done.
    Steps,
}

impl StopReason {
    /// In words.
    pub fn describe(self) -> &'static str {
        match self {
            StopReason::Signal => "a signal asked to stop",
            StopReason::MaxHours => "the time of --max-hours is over",
            StopReason::Steps => "the steps of --steps are done",
        }
    }
}

/// Everything that ends a command early.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// The deck, a parameter file or the command line is wrong.
    #[error("{}", problems.iter().map(|p| p.message.as_str()).collect::<Vec<_>>().join("\n"))]
    Input {
        /// Everything that was found, in the order of the file.
        problems: Vec<Problem>,
    },
    /// The physics failed: overlap, not-a-number, constraints.
    #[error("{message}")]
    Simulation {
        /// What happened, to which atom, at which step.
        message: String,
        /// The remedy.
        help: String,
        /// Where the circumstances were written.
        dossier: Option<PathBuf>,
    },
    /// A file is missing, damaged or cannot be written.
    #[error("{message}")]
    Files {
        /// What happened to which file.
        message: String,
        /// The remedy.
        help: String,
    },
    /// Stopped with a checkpoint.
    #[error("stopped at step {step}: {}", reason.describe())]
    Stopped {
        /// Why.
        reason: StopReason,
        /// Completed steps.
        step: u64,
    },
    /// Something that our own checks should have excluded.
    #[error("internal error: {0}")]
    Bug(String),
}

impl RunnerError {
    /// An input error of one problem.
    pub fn input(problem: Problem) -> Self {
        RunnerError::Input { problems: vec![problem] }
    }

    /// Exit code of the command line: 2 input, 3 simulation, 4 files, 75 stopped, 70 a bug.
    pub fn exit_code(&self) -> u8 {
        match self {
            RunnerError::Input { .. } => 2,
            RunnerError::Simulation { .. } => 3,
            RunnerError::Files { .. } => 4,
            RunnerError::Stopped { .. } => 75,
            RunnerError::Bug(_) => 70,
        }
    }

    /// A file operation that failed, with its path.
    pub fn file(path: &std::path::Path, doing: &str, error: &std::io::Error) -> Self {
        let help = match error.kind() {
            std::io::ErrorKind::NotFound => "check the path; relative paths of a deck are relative to the deck",
            std::io::ErrorKind::PermissionDenied => "check the permissions of the file and of its directory",
            std::io::ErrorKind::StorageFull => "free some space, then go on with --resume",
            _ => "check the file and its directory",
        };
        RunnerError::Files { message: format!("cannot {doing} {}: {error}", path.display()), help: help.into() }
    }
}

impl From<amelo_io::IoError> for RunnerError {
    fn from(error: amelo_io::IoError) -> Self {
        let text = error.to_string();
        // Every message of io ends in its remedy.
        match text.split_once("; ") {
            Some((message, help)) => RunnerError::Files { message: message.into(), help: help.into() },
            None => RunnerError::Files { message: text, help: "check the file".into() },
        }
    }
}

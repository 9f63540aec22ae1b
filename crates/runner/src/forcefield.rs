//! Parameter files: those that come with amelo, and the search path of a deck.

use amelo_core::FormInfo;
use amelo_io::parameters::{ForceFieldData, ParameterError, SearchPath};
use include_dir::{Dir, include_dir};

use crate::deck::ForcefieldConfig;
use crate::error::{Problem, RunnerError};
use crate::source::{Place, Source};

static POTENTIALS: Dir = include_dir!("$CARGO_MANIFEST_DIR/../../potentials");

/// Every registered functional form, of every class.
pub fn forms() -> Vec<FormInfo> {
    amelo_forces::registry::all()
}

/// Name and text of the parameter files inside the program.
pub fn builtin() -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = POTENTIALS
        .files()
        .filter_map(|f| {
            let name = f.path().file_name()?.to_str()?.strip_suffix(".toml")?;
            Some((name.to_string(), f.contents_utf8()?.to_string()))
        })
        .collect();
    files.sort();
    files
}

/// Loads the files that a deck names.
pub fn load(config: &ForcefieldConfig, source: &Source) -> Result<ForceFieldData, RunnerError> {
    let variable = std::env::var_os("AMELO_POTENTIALS");
    let search = SearchPath::for_deck(&source.directory(), variable.as_deref(), builtin());
    amelo_io::parameters::load(&config.files, &search, &forms()).map_err(|e| parameter_error(e, source))
}

fn parameter_error(error: ParameterError, source: &Source) -> RunnerError {
    let help = error.remedy();
    let message = match &error {
        // The place is drawn; it need not stand in the message too.
        ParameterError::Syntax { message, .. } => message.trim().to_string(),
        ParameterError::Invalid { key, message, .. } => format!("{key}: {message}"),
        other => other.to_string(),
    };
    match &error {
        ParameterError::Unreadable { .. } => RunnerError::Files { message, help },
        ParameterError::NotFound { name, .. } => {
            let place = (0..).map_while(|k| source.value_at(&format!("forcefield.files[{k}]")).map(|v| (k, v)));
            let key = place
                .filter(|(_, v)| v == name)
                .map(|(k, _)| format!("forcefield.files[{k}]"))
                .next()
                .unwrap_or("forcefield.files".into());
            RunnerError::input(source.problem(&key, message).help(help))
        }
        _ => {
            let place = error.location().map(|at| Place {
                name: at.path.display().to_string(),
                text: at.text.to_string(),
                span: at.span.clone(),
            });
            RunnerError::input(Problem::new(message).at(place).help(help))
        }
    }
}

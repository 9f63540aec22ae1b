//! `[system.import]`: a system in another program's files, and the same from the command line.

use std::path::Path;

use amelo_io::formats::{ImportError, Imported, gromacs, lammps};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Problem, RunnerError};
use crate::preparation::{BuildSummary, build_system_file};
use crate::progress::Silent;
use crate::source::{Place, Source};

/// `[system]` that takes another program's files.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportSystem {
    /// The program that the files are made for. Nothing else may stand beside it in `[system]`.
    pub import: ImportConfig,
}

/// The program and its files.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ImportConfig {
    /// GROMACS: topology and coordinates. Cut-offs are not part of them: `[nonbonded]` says them, or its defaults hold.
    Gromacs(GromacsImport),
    /// LAMMPS: an input script and the data file that it reads. Its cut-offs, shift, tail and k-space settings hold,
    /// unless the deck has `[nonbonded]` with more than a precision.
    Lammps(LammpsImport),
}

/// A GROMACS topology with its coordinates.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GromacsImport {
    /// Topology (`.top`); relative to the deck.
    pub topology: String,
    /// Coordinates (`.gro`), with velocities where the file has them; relative to the deck.
    pub coordinates: String,
    /// Macros to define, `"FLEXIBLE"` or `"NAME=VALUE"`, as `-D` of the command line.
    #[serde(default)]
    pub define: Vec<String>,
    /// Folders of included files, as `-I` of the command line; the including file's own folder comes first.
    #[serde(default)]
    pub include: Vec<String>,
}

/// A LAMMPS input script.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LammpsImport {
    /// Input script; relative to the deck. The files that it names are relative to the script.
    pub script: String,
}

impl ImportConfig {
    /// Reads the files, which `source` names relative to itself.
    pub fn read(&self, source: &Source) -> Result<Imported, RunnerError> {
        match self {
            ImportConfig::Gromacs(config) => {
                let options = gromacs::Options {
                    define: config.define.clone(),
                    include: config.include.iter().map(|d| source.resolve(d)).collect(),
                };
                gromacs::import(&source.resolve(&config.topology), &source.resolve(&config.coordinates), &options)
                    .map_err(|e| refused(e, "system.import.gromacs", source))
            }
            ImportConfig::Lammps(config) => {
                lammps::import(&source.resolve(&config.script)).map_err(|e| refused(e, "system.import.lammps", source))
            }
        }
    }
}

/// An importer's error, drawn at the line of the file that it is about.
fn refused(error: ImportError, key: &str, source: &Source) -> RunnerError {
    match error {
        ImportError::File(e) => e.into(),
        ImportError::Option { found, remedy } => RunnerError::input(source.problem(key, found).help(remedy)),
        ImportError::Content { place, section, found, remedy } => {
            let text = std::fs::read(&place.path).map(|b| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default();
            let start: usize = text.split_inclusive('\n').take(place.line - 1).map(str::len).sum();
            let length = text[start..].lines().next().map_or(0, str::len);
            let message = format!("{}:{}: {section}: {found}", place.path.display(), place.line);
            let place = Place { name: place.path.display().to_string(), text, span: start..start + length };
            RunnerError::input(Problem::new(message).at(Some(place)).help(remedy))
        }
    }
}

/// Imports what `config` names and writes it to `output`, as `amelo build` does with a deck. Paths are relative to the
/// working directory; `sets` change `[nonbonded]`.
pub fn import_file(
    config: &ImportConfig,
    sets: &[String],
    output: &Path,
    overwrite: bool,
) -> Result<BuildSummary, RunnerError> {
    let bug = |e: toml::ser::Error| RunnerError::Bug(format!("deck of an import: {e}"));
    let system = ImportSystem { import: config.clone() };
    let tree = std::collections::BTreeMap::from([("system", system)]);
    let mut source = Source::parse(Path::new("command line"), toml::to_string(&tree).map_err(bug)?)?;
    if let Some(set) = sets.iter().find(|s| !s.starts_with("nonbonded")) {
        return Err(RunnerError::input(
            Problem::new(format!("--set {set}: an import takes only keys of [nonbonded]"))
                .help("write a deck with [system.import] for anything else"),
        ));
    }
    for set in sets {
        source.set(set)?;
    }
    build_system_file(&source, output, overwrite, &Silent)
}

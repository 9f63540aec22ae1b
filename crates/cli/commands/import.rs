//! `amelo import`.

use std::path::Path;

use amelo_runner::import::{GromacsImport, ImportConfig, LammpsImport, import_file};
use amelo_runner::{Problem, RunnerError};

use crate::args::{Global, ImportCommand, ImportTarget};

pub fn run(command: &ImportCommand, global: Global) -> Result<(), RunnerError> {
    match command {
        ImportCommand::Gromacs(args) => {
            let config = GromacsImport {
                topology: text(&args.topology)?,
                coordinates: text(&args.coordinates)?,
                define: args.define.clone(),
                include: args.include.iter().map(|d| text(d)).collect::<Result<_, _>>()?,
            };
            write(&ImportConfig::Gromacs(config), &args.to, global)
        }
        ImportCommand::Lammps(args) => {
            write(&ImportConfig::Lammps(LammpsImport { script: text(&args.script)? }), &args.to, global)
        }
    }
}

fn write(config: &ImportConfig, to: &ImportTarget, global: Global) -> Result<(), RunnerError> {
    let report = import_file(config, &to.set, &to.output, to.overwrite)?;
    super::build::print(&report, &to.output, global)
}

/// A path as a deck holds it.
fn text(path: &Path) -> Result<String, RunnerError> {
    path.to_str().map(str::to_string).ok_or_else(|| {
        RunnerError::input(
            Problem::new(format!("the path {} is not UTF-8", path.display())).help("rename it, or take another folder"),
        )
    })
}

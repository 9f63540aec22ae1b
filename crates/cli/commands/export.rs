//! `amelo export`.

use amelo_runner::RunnerError;
use amelo_runner::export::{Format, Options, export};

use crate::args::{ExportArgs, ExportFormat, Global};

pub fn run(args: &ExportArgs, global: Global) -> Result<(), RunnerError> {
    let format = match args.format {
        ExportFormat::Gromacs => Format::Gromacs,
        ExportFormat::Lammps => Format::Lammps,
        ExportFormat::Extxyz => Format::Extxyz,
        ExportFormat::Pdb => Format::Pdb,
        ExportFormat::Xtc => Format::Xtc,
    };
    let options = Options {
        frames: args.frames.clone(),
        overwrite: args.overwrite,
        without_buckingham: args.without_buckingham,
        without_dispersion_correction: args.without_dispersion_correction,
        sets: args.set.clone(),
    };
    let report = export(format, &args.system, &args.output, &options)?;
    if global.json {
        return super::print_json(&report);
    }
    if !global.quiet {
        crate::terminal::say(report.text().trim_end());
    }
    Ok(())
}

//! `amelo energy`.

use amelo_runner::RunnerError;

use crate::args::{EnergyArgs, Global};

pub fn run(args: &EnergyArgs, global: Global) -> Result<(), RunnerError> {
    let report = amelo_runner::energy::energy(&args.system, &args.set, args.forces)?;
    if global.json { super::print_json(&report) } else { super::print_line(report.text().trim_end()) }
}

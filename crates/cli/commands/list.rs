//! `amelo list`.

use amelo_runner::RunnerError;
use amelo_runner::catalogue::{self, Topic};

use crate::args;
use crate::args::{Global, ListArgs};

pub fn run(args: &ListArgs, global: Global) -> Result<(), RunnerError> {
    let rows = catalogue::list(match args.what {
        args::Topic::Potentials => Topic::Potentials,
        args::Topic::Bonded => Topic::Bonded,
        args::Topic::Thermostats => Topic::Thermostats,
        args::Topic::Barostats => Topic::Barostats,
        args::Topic::Constraints => Topic::Constraints,
        args::Topic::Analyses => Topic::Analyses,
        args::Topic::Formats => Topic::Formats,
        args::Topic::Oxides => Topic::Oxides,
    });
    if global.json {
        return super::print_json(&rows);
    }
    let width = rows.iter().map(|r| r.name.len()).max().unwrap_or(0);
    let lines: Vec<String> = rows.iter().map(|r| format!("{:width$}  {}", r.name, r.summary)).collect();
    super::print_line(&lines.join("\n"))
}

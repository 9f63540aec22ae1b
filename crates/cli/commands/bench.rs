//! `amelo bench`.

use amelo_runner::RunnerError;
use amelo_runner::bench::BenchOptions;

use crate::args::{BenchArgs, Global};
use crate::terminal::Terminal;

pub fn run(args: &BenchArgs, global: Global) -> Result<(), RunnerError> {
    let options = BenchOptions { system: args.system.clone(), steps: args.steps, set: args.set.clone() };
    let terminal = Terminal::new(global);
    let outcome = amelo_runner::bench::bench(&options, &terminal);
    terminal.finish();
    let report = outcome?;
    if global.json { super::print_json(&report) } else { super::print_line(report.text().trim_end()) }
}

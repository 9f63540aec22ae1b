//! `amelo build`.

use std::path::Path;

use amelo_runner::RunnerError;
use amelo_runner::preparation::BuildSummary;

use crate::args::{BuildArgs, Global};
use crate::terminal::{self, Terminal};

pub fn run(args: &BuildArgs, global: Global) -> Result<(), RunnerError> {
    let terminal = Terminal::new(global);
    let outcome = amelo_runner::preparation::build_file(&args.deck, &args.set, &args.output, args.overwrite, &terminal);
    terminal.finish();
    let summary = outcome?;
    if let Some(page) = &args.report {
        amelo_runner::analyses::structure_page(&args.output, page)?;
    }
    print(&summary, &args.output, global)
}

/// What was written to `output`.
pub fn print(report: &BuildSummary, output: &Path, global: Global) -> Result<(), RunnerError> {
    if global.json {
        super::print_json(report)
    } else {
        if !global.quiet {
            terminal::say(report.text().trim_end());
            terminal::say(&format!("written to {}", output.display()));
        }
        Ok(())
    }
}

//! `amelo report`.

use amelo_runner::RunnerError;

use crate::args::{Global, ReportArgs};

pub fn run(args: &ReportArgs, global: Global) -> Result<(), RunnerError> {
    let comparison = amelo_runner::analyses::report(&args.runs, &args.output)?;
    if global.json {
        super::print_json(&serde_json::json!({ "report": args.output, "comparison": comparison }))
    } else {
        if !global.quiet {
            crate::terminal::say(&format!("written to {}", args.output.display()));
        }
        Ok(())
    }
}

//! One file per command.

pub mod analyze;
pub mod bench;
pub mod build;
pub mod check;
pub mod completions;
pub mod energy;
pub mod explain;
pub mod export;
pub mod hash;
pub mod import;
pub mod list;
pub mod report;
pub mod run;

use amelo_runner::RunnerError;
use serde::Serialize;

/// One JSON document on stdout.
pub fn print_json(value: &impl Serialize) -> Result<(), RunnerError> {
    let text = serde_json::to_string_pretty(value).map_err(|e| RunnerError::Bug(format!("JSON: {e}")))?;
    print_line(&text)
}

/// Text on stdout; a reader that went away is not an error of ours.
fn print_line(text: &str) -> Result<(), RunnerError> {
    use std::io::Write;
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(RunnerError::Files {
            message: format!("cannot write to stdout: {e}"),
            help: "check where stdout goes".into(),
        }),
        _ => Ok(()),
    }
}

//! `amelo check`.

use amelo_runner::{Problem, RunnerError};

use crate::args::{CheckArgs, Global};

pub fn run(args: &CheckArgs, global: Global) -> Result<(), RunnerError> {
    if args.explain_keys {
        return if global.json {
            super::print_json(&amelo_runner::explain_keys::schemas())
        } else {
            super::print_line(amelo_runner::explain_keys::text().trim_end())
        };
    }
    let Some(deck) = &args.deck else {
        return Err(RunnerError::input(
            Problem::new("amelo check needs a deck").help("amelo check DECK, or amelo check --explain-keys"),
        ));
    };
    let report = amelo_runner::check::check(deck, &args.set)?;
    if global.json { super::print_json(&report) } else { super::print_line(report.text().trim_end()) }
}

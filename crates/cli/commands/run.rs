//! `amelo run`.

use amelo_runner::simulation::{Existing, RunOptions};
use amelo_runner::{Problem, RunnerError};

use crate::args::{Global, RunArgs};
use crate::terminal::Terminal;

pub fn run(args: &RunArgs, global: Global) -> Result<(), RunnerError> {
    if let Some(hours) = args.max_hours
        && (hours.is_nan() || hours <= 0.0)
    {
        return Err(RunnerError::input(
            Problem::new(format!("--max-hours {hours} is not positive")).help("write for example --max-hours 11.5"),
        ));
    }
    let existing = match (args.resume, args.overwrite) {
        (true, _) => Existing::Resume,
        (_, true) => Existing::Overwrite,
        _ => Existing::Refuse,
    };
    let options = RunOptions {
        deck: args.deck.clone(),
        out: args.out.clone(),
        existing,
        max_steps: args.steps,
        max_hours: args.max_hours,
        set: args.set.clone(),
    };
    let terminal = Terminal::new(global);
    let outcome = amelo_runner::simulation::run(&options, &terminal);
    terminal.finish();
    let summary = outcome?;
    if global.json { super::print_json(&summary) } else { Ok(()) }
}

//! `amelo explain`.

use amelo_runner::catalogue;
use amelo_runner::{Problem, RunnerError};

use crate::args::{ExplainArgs, Global};

pub fn run(args: &ExplainArgs, global: Global) -> Result<(), RunnerError> {
    let rows = catalogue::explain(&args.name);
    if rows.is_empty() {
        let known = catalogue::all().into_iter().map(|r| r.name).collect::<Vec<_>>().join(", ");
        return Err(RunnerError::input(
            Problem::new(format!("nothing is called \"{}\"", args.name)).help(format!("there are: {known}")),
        ));
    }
    if global.json {
        super::print_json(&rows)
    } else {
        let texts: Vec<String> = rows.iter().map(catalogue::Row::text).collect();
        super::print_line(texts.join("\n\n").trim_end())
    }
}

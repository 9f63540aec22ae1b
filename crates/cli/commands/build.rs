//! `amelo build`.

use amelo_runner::RunnerError;

use crate::args::{BuildArgs, Global};

pub fn run(args: &BuildArgs, global: Global) -> Result<(), RunnerError> {
    let report = amelo_runner::preparation::build_file(&args.deck, &args.set, &args.output, args.overwrite)?;
    if global.json {
        super::print_json(&report)
    } else {
        if !global.quiet {
            eprintln!("{}", report.text().trim_end());
            eprintln!("written to {}", args.output.display());
        }
        Ok(())
    }
}

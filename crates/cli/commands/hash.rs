//! `amelo hash`.

use amelo_runner::RunnerError;

use crate::args::{Global, HashArgs};

pub fn run(args: &HashArgs, global: Global) -> Result<(), RunnerError> {
    let hash = amelo_runner::hash(&args.run)?;
    if global.json {
        super::print_json(&serde_json::json!({ "sha256": hash, "run": args.run }))
    } else {
        super::print_line(&hash)
    }
}

//! `amelo completions`.

use amelo_runner::RunnerError;
use clap::CommandFactory;

use crate::args::{Cli, CompletionsArgs};

pub fn run(args: &CompletionsArgs) -> Result<(), RunnerError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "amelo", &mut script);
    super::print_line(String::from_utf8_lossy(&script).trim_end())
}

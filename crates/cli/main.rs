//! `amelo`, the command line: reads argv, calls the runner, prints. The only code of the project that does.

mod args;
mod commands;
mod render;
mod terminal;
mod version;

use std::process::ExitCode;

use amelo_runner::RunnerError;
use clap::Parser;

use crate::args::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let global = cli.global;
    terminal::start_events(global);
    std::panic::set_hook(Box::new(|panic| {
        terminal::say(&format!(
            "internal error: {panic}\nThis is a bug of amelo. Checkpoints written so far are good: --resume goes on from the last one."
        ));
    }));
    let outcome = std::panic::catch_unwind(|| {
        version::choose_instruction_set()?;
        start_threads(global.threads)?;
        match &cli.command {
            Command::Run(a) => commands::run::run(a, global),
            Command::Check(a) => commands::check::run(a, global),
            Command::Build(a) => commands::build::run(a, global),
            Command::Import(c) => commands::import::run(c, global),
            Command::Energy(a) => commands::energy::run(a, global),
            Command::Bench(a) => commands::bench::run(a, global),
            Command::Export(a) => commands::export::run(a, global),
            Command::Analyze(a) => commands::analyze::run(a, global),
            Command::Report(a) => commands::report::run(a, global),
            Command::Hash(a) => commands::hash::run(a, global),
            Command::List(a) => commands::list::run(a, global),
            Command::Explain(a) => commands::explain::run(a, global),
            Command::Completions(a) => commands::completions::run(a),
        }
    });
    match outcome {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            render::error(&error, global);
            ExitCode::from(error.exit_code())
        }
        Err(_) => ExitCode::from(70),
    }
}

fn start_threads(threads: Option<u16>) -> Result<(), RunnerError> {
    // This thread is one of them: with a pool of others it would hand over each of a step's loops and wait.
    rayon::ThreadPoolBuilder::new()
        .use_current_thread()
        .num_threads(threads.map_or(0, usize::from))
        .build_global()
        .map_err(|e| RunnerError::Bug(format!("the thread pool did not start: {e}")))
}

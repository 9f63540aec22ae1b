//! `amelo analyze`.

use amelo_runner::RunnerError;

use crate::args::{AnalyzeArgs, Global};

pub fn run(args: &AnalyzeArgs, global: Global) -> Result<(), RunnerError> {
    let mut all = Vec::new();
    for run in &args.runs {
        let outcome = amelo_runner::analyses::analyze(&args.name, run, &args.set)?;
        if !global.json {
            super::print_line(&format!("{}\n{}", run.display(), amelo_runner::analyses::text(&outcome).trim_end()))?;
        }
        all.push((run.clone(), outcome));
    }
    if let Some(path) = &args.plot {
        amelo_runner::analyses::plot(&all, path)?;
    }
    if global.json {
        let list: Vec<_> =
            all.iter().map(|(run, outcome)| serde_json::json!({ "run": run, "outcome": outcome })).collect();
        super::print_json(&list)?;
    }
    Ok(())
}

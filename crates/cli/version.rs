//! What this binary is: version, commit, instruction set.

use amelo_math::lanes::Isa;
use amelo_runner::{Problem, RunnerError};

/// Version, commit and instruction-set path, for `--version`.
pub fn long() -> &'static str {
    static LONG: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
        format!(
            "{} (commit {})\ninstruction set: {}\nprecision: double, mixed\ncpu: {}",
            env!("CARGO_PKG_VERSION"),
            amelo_runner::provenance::COMMIT,
            amelo_runner::provenance::instruction_set(),
            amelo_runner::provenance::cpu_features().join(" "),
        )
    });
    &LONG
}

/// `AMELO_ISA` chooses a path that exists and that this processor can run.
pub fn choose_instruction_set() -> Result<(), RunnerError> {
    let Ok(name) = std::env::var("AMELO_ISA") else { return Ok(()) };
    if name.is_empty() || Isa::from_name(&name).is_some_and(Isa::choose) {
        return Ok(());
    }
    let available: Vec<&str> = Isa::ALL.into_iter().filter(|i| i.is_available()).map(Isa::name).collect();
    let what = match Isa::from_name(&name) {
        Some(_) => "this processor does not have it",
        None => "there is no such path",
    };
    Err(RunnerError::input(
        Problem::new(format!("AMELO_ISA={name}: {what}"))
            .help(format!("unset AMELO_ISA for the fastest one, or take one of: {}", available.join(", "))),
    ))
}

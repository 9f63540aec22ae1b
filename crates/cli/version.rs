//! What this binary is: version, commit, instruction set.

use amelo_runner::{Problem, RunnerError};

/// Version, commit and instruction-set path, for `--version`.
pub fn long() -> &'static str {
    static LONG: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
        format!(
            "{} (commit {})\ninstruction set: {}\nprecision: {}\ncpu: {}",
            env!("CARGO_PKG_VERSION"),
            amelo_runner::provenance::COMMIT,
            amelo_runner::provenance::INSTRUCTION_SET,
            amelo_runner::nonbonded::PRECISION,
            amelo_runner::provenance::cpu_features().join(" "),
        )
    });
    &LONG
}

/// `AMELO_ISA` may name only a path that exists.
pub fn check_instruction_set() -> Result<(), RunnerError> {
    match std::env::var("AMELO_ISA") {
        Ok(name) if name != amelo_runner::provenance::INSTRUCTION_SET && !name.is_empty() => Err(RunnerError::input(
            Problem::new(format!(
                "AMELO_ISA={name}: this binary has only the path \"{}\"",
                amelo_runner::provenance::INSTRUCTION_SET
            ))
            .help("unset AMELO_ISA"),
        )),
        _ => Ok(()),
    }
}

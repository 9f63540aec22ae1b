//! Deck to Simulation to observers: the library that a test, a bench or the command line drives.
//!
//! ```text
//! deck.rs + source.rs   what the author wrote, with the place of every key
//!   └ plan.rs           stages with defaults filled in and durations as steps
//! preparation.rs        [system] and [forcefield], or import.rs → engine::Model + core::System
//!   ├ glass/            amorphous oxide: melted, quenched, cut, annealed, certified, cached
//!   └ pore.rs           the wall of a pore in a crystal, relaxed and cached
//! simulation.rs         stage after stage ─ stage.rs ─ observers.rs, checkpointing.rs
//!   └ equilibration/    cycles and anneal as stages; when a stage has come to rest
//! adsorption/           molecules brought to what the stages leave: adsorption and dissociation energies
//! analyses.rs           stored frames → results.json, plots, report.html; comparison.rs groups of runs
//! picture.rs            a structure as SVG, for the page of `amelo build --report`
//! bench.rs              a stage, with stopwatch.rs listening to the spans of the libraries
//! export.rs             a state or stored frames → files of other programs
//! ```

pub mod adsorption;
pub mod analyses;
pub mod bench;
pub mod catalogue;
pub mod check;
pub mod checkpointing;
pub mod comparison;
pub mod deck;
mod dossier;
pub mod energy;
pub mod engine;
pub mod equilibration;
mod error;
pub mod explain_keys;
pub mod export;
pub mod forcefield;
pub mod glass;
pub mod import;
pub mod nonbonded;
pub mod observers;
pub mod picture;
pub mod plan;
pub mod plot;
pub mod pore;
pub mod preparation;
pub mod progress;
pub mod provenance;
pub mod report;
pub mod rundir;
pub mod simulation;
pub mod source;
pub mod stage;
pub mod stopwatch;
mod tables;
mod tune;
mod writer;

pub use error::{Problem, RunnerError, StopReason};

/// SHA-256 over every frame, log value and the dynamic state of a run: what "bitwise equal" means.
pub fn hash(run: &std::path::Path) -> Result<String, RunnerError> {
    Ok(amelo_io::hash_run(run)?)
}

//! The fastest of several settings of PME, found by timing them where a run starts.

use std::time::Duration;

use amelo_core::{Forces, Nonbonded, Request, System};
use amelo_electrostatics::{PmeChoice, long_range_term};

use crate::error::RunnerError;
use crate::stopwatch::timed;

/// Evaluations of each setting; the first one, which makes tables, does not count.
const ROUNDS: usize = 16;

/// The one of `candidates` whose shortest evaluation of the forces on `system` is the shortest, and that time. They take
/// turns, so that a moment in which the machine is busy meets all of them.
///
/// # Errors
/// A setting that cannot work, forces that are not finite.
pub fn fastest(
    candidates: &[PmeChoice],
    nonbonded: &Nonbonded,
    system: &System,
) -> Result<Option<(PmeChoice, Duration)>, RunnerError> {
    let failed = |message: String| RunnerError::Simulation {
        message: format!("coulomb.pme.tune: {message}"),
        help: "leave tune out; amelo check says whether the system is sound".into(),
        dossier: None,
    };
    let mut trials = Vec::new();
    for choice in candidates {
        let settings = Nonbonded { coulomb: choice.coulomb(), ..*nonbonded };
        let term = long_range_term(&system.topology, &settings, &system.cell).map_err(|e| failed(e.to_string()))?;
        trials.extend(term.map(|term| (*choice, term, Duration::MAX)));
    }
    let mut forces = Forces::new(system.n_atoms());
    for round in 0..ROUNDS {
        for (_, term, best) in &mut trials {
            let (time, done) = timed(|| term.add(system, Request::FORCES, &mut forces));
            done.map_err(|e| failed(e.to_string()))?;
            if round > 0 {
                *best = time.min(*best);
            }
        }
    }
    Ok(trials.into_iter().map(|(choice, _, time)| (choice, time)).min_by_key(|(_, time)| *time))
}

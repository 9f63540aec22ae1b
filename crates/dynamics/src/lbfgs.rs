//! Minimisation at fixed cell with a limited memory of curvature: L-BFGS.
//!
//! J. Nocedal, Math. Comput. 35, 773 (1980), doi:10.1090/S0025-5718-1980-0572855-7. Every step must lower the energy
//! enough (L. Armijo, Pac. J. Math. 16, 1 (1966)), or it is taken back and halved. Beside FIRE it needs a fraction of the
//! evaluations where stiff bonds and soft motions of a whole molecule meet, and it stays in the basin where it began: for
//! relaxing a structure, not for untangling one.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use amelo_core::{ForceProvider, Forces, Request, System};
use amelo_math::Vec3;

use crate::DynamicsError;
use crate::minimize::{MinimizeConfig, MinimizeProgress, MinimizeReport, dot, status};

/// Steps that are remembered.
const MEMORY: usize = 30;
/// Curvature that is taken for granted before the first step (kJ/mol/nm²): between a bond's and a soft motion's.
const CURVATURE: f64 = 5e4;
/// Share of the energy promised by the slope that a step must gain.
const ARMIJO: f64 = 1e-4;
/// Shortest part of a step that is tried.
const SHORTEST: f64 = 1e-3;

/// One step with the change of the forces that it brought.
struct Pair {
    step: Vec<Vec3>,
    change: Vec<Vec3>,
    /// 1/(step·change).
    weight: f64,
}

/// Minimises the energy of `system` at fixed cell (`config.cell` must be absent). Frozen atoms stay; velocities are not
/// touched. `progress` is called after every evaluation and may stop it. Ends unconverged where no step lowers the energy
/// any more: there the forces are as small as the energy's last digits allow.
pub fn lbfgs(
    system: &mut System,
    provider: &mut dyn ForceProvider,
    config: &MinimizeConfig,
    progress: &mut dyn FnMut(&MinimizeProgress) -> ControlFlow<()>,
) -> Result<MinimizeReport, DynamicsError> {
    if config.cell.is_some() {
        let message = "L-BFGS works at fixed cell; leave `cell` out, or use FIRE";
        return Err(DynamicsError::Setting { key: "cell", message: message.into() });
    }
    let tolerance = crate::thermostats::positive("force_tolerance", config.force_tolerance.0, "kJ/mol/nm")?;
    let max_move = crate::thermostats::positive("max_move", config.max_move.0, "nm")?;
    let weights = crate::motion::inverse_masses(&system.topology);
    let want = Request { energy: true, virial: false };
    let mut evaluate = |system: &System, step: u64, forces: &mut Forces| {
        provider.evaluate(system, want, forces).map_err(|source| DynamicsError::Force { step, source })?;
        let frozen = forces.on.iter_mut().zip(&weights).filter(|(_, w)| **w == 0.0);
        frozen.for_each(|(f, _)| *f = Vec3::ZERO);
        Ok::<_, DynamicsError>(forces.energy.potential())
    };
    let mut forces = Forces::new(system.n_atoms());
    let mut energy = evaluate(system, 0, &mut forces)?;
    let initial_energy = energy;
    let mut memory: VecDeque<Pair> = VecDeque::with_capacity(MEMORY);
    let mut evaluations = 0;
    loop {
        let now = status(evaluations, system, &forces, amelo_math::Mat3::ZERO, None);
        let converged = now.largest_force <= tolerance;
        let interrupted = progress(&now).is_break();
        let report = MinimizeReport { converged, interrupted, initial_energy, last: now };
        if converged || interrupted || evaluations >= config.max_steps {
            return Ok(report);
        }
        let mut way = direction(&forces.on, &memory);
        if dot(&way, &forces.on) <= 0.0 {
            memory.clear();
            way = direction(&forces.on, &memory);
        }
        let slope = dot(&way, &forces.on);
        let longest = way.iter().map(|d| d.norm2()).fold(0.0, f64::max).sqrt();
        let mut part = (max_move / longest).min(1.0);
        let (before, old) = (system.clone(), forces.on.clone());
        let lowered = loop {
            for ((r, moved), d) in system.positions.iter_mut().zip(&mut system.displacements).zip(&way) {
                *r += *d * part;
                *moved += *d * part;
            }
            system.wrap();
            evaluations += 1;
            let here = evaluate(system, evaluations, &mut forces)?;
            if here <= energy - ARMIJO * part * slope {
                energy = here;
                break true;
            }
            system.clone_from(&before);
            part *= 0.5;
            if part < SHORTEST || evaluations >= config.max_steps {
                break false;
            }
        };
        if lowered {
            let change: Vec<Vec3> = old.iter().zip(&forces.on).map(|(old, new)| *old - *new).collect();
            let step: Vec<Vec3> = way.iter().map(|d| *d * part).collect();
            let curvature = dot(&step, &change);
            // Where the energy curves down there is no well to learn from.
            if curvature > 0.0 {
                memory.truncate(MEMORY - 1);
                memory.push_front(Pair { step, change, weight: 1.0 / curvature });
            }
            continue;
        }
        evaluate(system, evaluations, &mut forces)?;
        if memory.is_empty() {
            let last = status(evaluations, system, &forces, amelo_math::Mat3::ZERO, None);
            return Ok(MinimizeReport { converged: false, interrupted: false, initial_energy, last });
        }
        memory.clear();
    }
}

/// The inverse of the remembered curvature applied to `forces`; the newest pair is the first.
fn direction(forces: &[Vec3], memory: &VecDeque<Pair>) -> Vec<Vec3> {
    let mut way = forces.to_vec();
    let mut shares = Vec::with_capacity(memory.len());
    for pair in memory {
        let share = pair.weight * dot(&pair.step, &way);
        way.iter_mut().zip(&pair.change).for_each(|(d, y)| *d -= *y * share);
        shares.push(share);
    }
    let scale = memory.front().map_or(1.0 / CURVATURE, |p| 1.0 / (p.weight * dot(&p.change, &p.change)));
    way.iter_mut().for_each(|d| *d = *d * scale);
    for (pair, share) in memory.iter().zip(shares).rev() {
        let other = pair.weight * dot(&pair.change, &way);
        way.iter_mut().zip(&pair.step).for_each(|(d, s)| *d += *s * (share - other));
    }
    way
}

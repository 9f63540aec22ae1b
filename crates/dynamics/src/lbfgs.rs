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
    let frozen = crate::motion::inverse_masses(&system.topology).into_iter().map(|w| w == 0.0);
    let free: Vec<usize> = frozen.enumerate().filter_map(|(atom, frozen)| (!frozen).then_some(atom)).collect();
    let want = Request { energy: true, virial: false };
    let mut forces = Forces::new(system.n_atoms());
    // Energy, \[n_free\] forces on what may move, and how far it is from rest.
    let mut evaluate = |system: &System, step: u64| {
        provider.evaluate(system, want, &mut forces).map_err(|source| DynamicsError::Force { step, source })?;
        let on: Vec<Vec3> = free.iter().map(|&atom| forces.on[atom]).collect();
        forces.on.fill(Vec3::ZERO);
        free.iter().zip(&on).for_each(|(&atom, f)| forces.on[atom] = *f);
        let now = status(step, system, &forces, amelo_math::Mat3::ZERO, None);
        Ok::<_, DynamicsError>((forces.energy.potential(), on, now))
    };
    let (mut energy, mut on, mut now) = evaluate(system, 0)?;
    let initial_energy = energy;
    let mut memory: VecDeque<Pair> = VecDeque::with_capacity(MEMORY);
    let mut evaluations = 0;
    loop {
        let converged = now.largest_force <= tolerance;
        let interrupted = progress(&now).is_break();
        let report = MinimizeReport { converged, interrupted, initial_energy, last: now };
        if converged || interrupted || evaluations >= config.max_steps {
            return Ok(report);
        }
        let mut way = direction(&on, &memory);
        if dot(&way, &on) <= 0.0 {
            memory.clear();
            way = direction(&on, &memory);
        }
        let slope = dot(&way, &on);
        let longest = way.iter().map(|d| d.norm2()).fold(0.0, f64::max).sqrt();
        let mut part = (max_move / longest).min(1.0);
        let place = |&atom: &usize| (system.positions[atom], system.displacements[atom], system.images[atom]);
        let before: Vec<_> = free.iter().map(place).collect();
        let found = loop {
            for (&atom, d) in free.iter().zip(&way) {
                system.positions[atom] += *d * part;
                system.displacements[atom] += *d * part;
                system.cell.wrap(&mut system.positions[atom], &mut system.images[atom]);
            }
            evaluations += 1;
            let here = evaluate(system, evaluations)?;
            if here.0 <= energy - ARMIJO * part * slope {
                break Some(here);
            }
            for (&atom, place) in free.iter().zip(&before) {
                (system.positions[atom], system.displacements[atom], system.images[atom]) = *place;
            }
            part *= 0.5;
            if part < SHORTEST || evaluations >= config.max_steps {
                break None;
            }
        };
        if let Some((lower, there, status)) = found {
            let change: Vec<Vec3> = on.iter().zip(&there).map(|(old, new)| *old - *new).collect();
            let step: Vec<Vec3> = way.iter().map(|d| *d * part).collect();
            let curvature = dot(&step, &change);
            // Where the energy curves down there is no well to learn from.
            if curvature > 0.0 {
                memory.truncate(MEMORY - 1);
                memory.push_front(Pair { step, change, weight: 1.0 / curvature });
            }
            (energy, on, now) = (lower, there, status);
            continue;
        }
        (_, on, now) = evaluate(system, evaluations)?;
        if memory.is_empty() {
            return Ok(MinimizeReport { converged: false, interrupted: false, initial_energy, last: now });
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

//! A: r ← r + h v, along the constraints, wrapped, with the crossings and the moves booked.

use amelo_math::Vec3;

use super::{Propagator, Step};
use crate::DynamicsError;
use crate::constraints::Violation;

/// No atom of a stable simulation moves this far (nm) in one drift: at 1 fs that would be 500 nm/ps.
const LARGEST_MOVE: f64 = 0.5;

/// A drift that lasts `fraction` of the time step.
///
/// With constraints this is a step along the geodesic of the constrained motion: lengths are restored along the
/// bonds' old directions, the velocities take that in and lose what points along the new ones. With one whole drift
/// between two kicks this is RATTLE.
pub struct Drift {
    /// Fraction of the time step.
    pub fraction: f64,
}

impl Propagator for Drift {
    fn name(&self) -> &'static str {
        "drift"
    }

    fn apply(&mut self, step: &mut Step) -> Result<(), DynamicsError> {
        let h = self.fraction * step.motion.timestep;
        let constraints = &step.motion.constraints;
        let system = &mut *step.system;
        let mut moves: Vec<Vec3> = system.velocities.iter().map(|v| *v * h).collect();
        if let Some(atom) = moves.iter().position(|m| m.norm2().is_nan() || m.norm2() > LARGEST_MOVE * LARGEST_MOVE) {
            let (moved, force) = (moves[atom].norm(), step.forces.on[atom].norm());
            return Err(DynamicsError::Unstable { step: system.step + 1, atom, moved, force });
        }
        if !constraints.is_empty() {
            let corrections = constraints
                .constrain_moves(&system.cell, &system.positions, &mut moves)
                .map_err(|v| violation(v, system.step + 1))?;
            constraints.add_velocities(&corrections, h, &mut system.velocities);
        }
        let cell = system.cell;
        let atoms = system.positions.iter_mut().zip(&mut system.images).zip(&mut system.displacements).zip(&moves);
        for (((r, image), displacement), moved) in atoms {
            *r += *moved;
            *displacement += *moved;
            cell.wrap(r, image);
        }
        constraints.project(&system.cell, &system.positions, &mut system.velocities);
        Ok(())
    }
}

pub(crate) fn violation(v: Violation, step: u64) -> DynamicsError {
    let [i, j] = v.atoms.map(|a| a as usize);
    DynamicsError::Constraint { step, i, j, length: v.length, found: v.found }
}

//! A: r ← r + h v, along the constraints, wrapped, with the crossings and the moves booked.

use amelo_core::{Cell, System};
use amelo_math::Vec3;

use super::{Propagator, Step};
use crate::DynamicsError;
use crate::constraints::{Segment, Violation};
use crate::passes;

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
    /// Whether a kick follows at the same positions before anyone looks at the velocities. Then it is the kick that
    /// takes from them what points along the new directions: once is enough, as the projection is linear.
    pub kick_follows: bool,
}

/// What may stop a drift.
enum Failure {
    TooFar { atom: usize, moved: f64 },
    Constraint(Violation),
}

/// One segment's part of positions, images, displacements and velocities.
type Moving<'a> = (&'a mut [Vec3], &'a mut [[i32; 3]], &'a mut [Vec3], &'a mut [Vec3]);

impl Propagator for Drift {
    fn name(&self) -> &'static str {
        "drift"
    }

    fn apply(&mut self, step: &mut Step) -> Result<(), DynamicsError> {
        let (h, project) = (self.fraction * step.motion.timestep, !self.kick_follows);
        let System { cell, positions, images, displacements, velocities, step: done, .. } = &mut *step.system;
        let task = |segment: &Segment, arrays: Moving| drift(segment, cell, h, project, arrays).err();
        let arrays: Moving = (positions, images, displacements, velocities);
        match passes::each(step.motion.constraints.segments(), arrays, &task, &Option::or) {
            None => Ok(()),
            Some(Failure::Constraint(v)) => Err(violation(v, *done + 1)),
            Some(Failure::TooFar { atom, moved }) => {
                let force = step.forces.felt().on[atom].norm();
                Err(DynamicsError::Unstable { step: *done + 1, atom, moved, force })
            }
        }
    }
}

fn drift(
    segment: &Segment,
    cell: &Cell,
    h: f64,
    project: bool,
    (r, images, displacements, v): Moving,
) -> Result<(), Failure> {
    if !segment.moves {
        return Ok(());
    }
    let too_far = |v: &Vec3| {
        let moved2 = (*v * h).norm2();
        moved2.is_nan() || moved2 > LARGEST_MOVE * LARGEST_MOVE
    };
    if let Some(k) = v.iter().position(too_far) {
        return Err(Failure::TooFar { atom: segment.atoms.start + k, moved: (v[k] * h).norm() });
    }
    let image = cell.nearest_image();
    if let Some(violation) = segment.constrain(&image, r, v, h) {
        return Err(Failure::Constraint(violation));
    }
    for (((r, image), displacement), v) in r.iter_mut().zip(images).zip(displacements).zip(&*v) {
        let moved = *v * h;
        *r += moved;
        *displacement += moved;
        cell.wrap(r, image);
    }
    if project {
        segment.project(&image, r, v);
    }
    Ok(())
}

pub(crate) fn violation(v: Violation, step: u64) -> DynamicsError {
    let [i, j] = v.atoms.map(|a| a as usize);
    DynamicsError::Constraint { step, i, j, length: v.length, found: v.found }
}

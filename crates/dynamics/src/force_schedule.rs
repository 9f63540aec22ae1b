//! Which forces act at which step boundary: all of them at each, or those of long range at every n-th, n times as strong.
//!
//! The second is the reversible reference system propagator algorithm: B A F B with the kicks of the long-range forces
//! n times as long and n times as rare, which is symmetric in time and conserves a shadow energy like velocity Verlet.
//! M. Tuckerman, B. J. Berne, G. J. Martyna, J. Chem. Phys. 97, 1990 (1992), doi:10.1063/1.463137.
//!
//! Boundaries are counted from the start of the stage, so that nothing has to be remembered over an interruption.

use amelo_core::{ForceError, ForceProvider, Forces, Part, Request, System};

/// The forces of an integrator.
pub(crate) struct ForceSchedule {
    every: u64,
    /// Boundary at which the stage began.
    first_step: u64,
    /// What kicks. With n = 1 these are the forces themselves.
    kicking: Forces,
    /// Forces of long range, and the sum of all, where they were last evaluated.
    long: Forces,
    whole: Forces,
    /// Whether `whole` belongs to the present boundary.
    is_whole: bool,
}

impl ForceSchedule {
    /// Forces of long range on every `every`-th boundary from `first_step` on.
    pub fn new(every: u64, first_step: u64, n_atoms: usize) -> Self {
        let [long, whole] = [0, 1].map(|_| Forces::new(if every == 1 { 0 } else { n_atoms }));
        ForceSchedule { every, first_step, kicking: Forces::new(n_atoms), long, whole, is_whole: false }
    }

    /// Evaluates what is due at the boundary `step`, the one of `system`'s positions.
    pub fn evaluate(
        &mut self,
        provider: &mut dyn ForceProvider,
        system: &System,
        step: u64,
        want: Request,
    ) -> Result<(), ForceError> {
        if self.every == 1 {
            return provider.evaluate(system, want, &mut self.kicking);
        }
        provider.evaluate_part(Part::Short, system, want, &mut self.kicking)?;
        let kicks = (step - self.first_step).is_multiple_of(self.every);
        self.is_whole = kicks || want.energy || want.virial;
        if !self.is_whole {
            return Ok(());
        }
        provider.evaluate_part(Part::Long, system, want, &mut self.long)?;
        let (short, long, whole) = (&mut self.kicking, &self.long, &mut self.whole);
        whole.clear(system.n_atoms());
        whole.add(short);
        whole.add(long);
        if kicks {
            for (kick, long) in short.on.iter_mut().zip(&long.on) {
                *kick += *long * self.every as f64;
            }
        }
        Ok(())
    }

    /// What changes velocities at the present boundary.
    pub fn kicking(&self) -> &Forces {
        &self.kicking
    }

    /// The forces of the present boundary; between the long-range ones without these, unless energies were asked for.
    pub fn felt(&self) -> &Forces {
        if self.is_whole { &self.whole } else { &self.kicking }
    }
}

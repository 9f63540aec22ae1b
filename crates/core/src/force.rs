//! Forces, energies and the virial from one evaluation, and the traits between force terms and integrators.

use amelo_math::{Mat3, Vec3};

use crate::{State, StateError, System};

/// What is asked of an evaluation, decided before the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Energies by term.
    pub energy: bool,
    /// Virial tensor.
    pub virial: bool,
}

impl Request {
    /// Forces, energies and virial.
    pub const ALL: Request = Request { energy: true, virial: true };
    /// Forces alone. Terms may leave out those on frozen atoms, which they do not move.
    pub const FORCES: Request = Request { energy: false, virial: false };
}

/// Energies by name of the term (kJ/mol), in the order in which terms were added.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EnergyBreakdown {
    /// (name, energy in kJ/mol). Names are those of `amelo energy --json`.
    pub terms: Vec<(&'static str, f64)>,
}

impl EnergyBreakdown {
    /// Adds `energy` (kJ/mol) to the term `name`.
    pub fn add(&mut self, name: &'static str, energy: f64) {
        match self.terms.iter_mut().find(|(n, _)| *n == name) {
            Some((_, sum)) => *sum += energy,
            None => self.terms.push((name, energy)),
        }
    }

    /// Energy of the term `name` (kJ/mol); zero where there is no such term.
    pub fn get(&self, name: &str) -> f64 {
        self.terms.iter().find(|(n, _)| *n == name).map_or(0.0, |(_, e)| *e)
    }

    /// Sum of all terms (kJ/mol).
    pub fn potential(&self) -> f64 {
        self.terms.iter().map(|(_, e)| e).sum()
    }
}

/// Result of an evaluation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Forces {
    /// \[n_atoms\] forces (kJ/mol/nm).
    pub on: Vec<Vec3>,
    /// Energies by term (kJ/mol).
    pub energy: EnergyBreakdown,
    /// Virial W = Σ r_ij ⊗ F_ij (kJ/mol), r_ij = r_i − r_j, F_ij the force on i.
    pub virial: Mat3,
    /// Counts of rare events by name, for example entries into a short-range guard.
    pub events: Vec<(&'static str, u64)>,
}

impl Forces {
    /// Zero forces on `n_atoms`.
    pub fn new(n_atoms: usize) -> Self {
        Forces { on: vec![Vec3::ZERO; n_atoms], ..Forces::default() }
    }

    /// Everything back to zero for `n_atoms`; keeps the allocation.
    pub fn clear(&mut self, n_atoms: usize) {
        self.on.clear();
        self.on.resize(n_atoms, Vec3::ZERO);
        self.energy.terms.clear();
        self.virial = Mat3::ZERO;
        self.events.clear();
    }

    /// Adds what `other` has, of as many atoms.
    pub fn add(&mut self, other: &Forces) {
        for (sum, force) in self.on.iter_mut().zip(&other.on) {
            *sum += *force;
        }
        other.energy.terms.iter().for_each(|(name, energy)| self.energy.add(name, *energy));
        other.events.iter().for_each(|(name, count)| self.count(name, *count));
        self.virial += other.virial;
    }

    /// Adds `count` to the event `name`.
    pub fn count(&mut self, name: &'static str, count: u64) {
        match self.events.iter_mut().find(|(n, _)| *n == name) {
            Some((_, sum)) => *sum += count,
            None => self.events.push((name, count)),
        }
    }
}

/// An evaluation that failed. Atom numbers count from 0 as in every file of ours.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ForceError {
    /// Two atoms so close that the force leaves the range of numbers.
    #[error("atoms {i} and {j} overlap: r = {r:.6} nm, force {force:.3e} kJ/mol/nm, in {term}")]
    Overlap {
        /// Term that found it.
        term: &'static str,
        /// First atom.
        i: usize,
        /// Second atom.
        j: usize,
        /// Distance (nm).
        r: f64,
        /// Magnitude of the force (kJ/mol/nm).
        force: f64,
    },
    /// A force that is not a number.
    #[error("the force of {term} on atom {atom} is not a finite number")]
    NotFinite {
        /// Term that found it.
        term: &'static str,
        /// Atom.
        atom: usize,
    },
    /// A cell too small for the cut-off.
    #[error("the cell's smallest half-width {half_width:.4} nm is below the cut-off {r_cut:.4} nm")]
    CellTooSmall {
        /// Half the smallest distance between faces (nm).
        half_width: f64,
        /// Cut-off (nm).
        r_cut: f64,
    },
    /// Anything else that a term cannot go on with.
    #[error("{term}: {message}")]
    Other {
        /// Term that found it.
        term: &'static str,
        /// What happened and what to do.
        message: String,
    },
}

/// One contribution to the forces.
pub trait ForceTerm: Send {
    /// Name for messages and timings.
    fn name(&self) -> &'static str;

    /// Range of pair distances that the term needs (nm), where it has one.
    fn reach(&self) -> Option<f64> {
        None
    }

    /// Whether this is the slowly varying part of a long-ranged interaction, such as Ewald's sum over waves, which an
    /// integrator may evaluate on some steps only.
    fn is_long_range(&self) -> bool {
        false
    }

    /// Everything that needs no forces of other terms, such as a pair list or the potential on a mesh. [`TermSum`] calls
    /// it before every [`ForceTerm::add`], with the same system and request.
    fn prepare(&mut self, _system: &System, _want: Request) -> Result<(), ForceError> {
        Ok(())
    }

    /// Adds forces always, energies and virial where `want` asks. `out` has one entry per atom. `prepare` was called
    /// with the same system. The same system gives the same bits, whatever the number of threads and the calls before.
    fn add(&mut self, system: &System, want: Request, out: &mut Forces) -> Result<(), ForceError>;

    /// Writes what a restart needs, under names that start with `prefix`.
    fn save(&self, _prefix: &str, _state: &mut State) {}

    /// Takes back what `save` wrote.
    fn restore(&mut self, _prefix: &str, _state: &State) -> Result<(), StateError> {
        Ok(())
    }
}

/// A part of the force field, by how fast it varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Every term.
    Whole,
    /// The terms that are not [`ForceTerm::is_long_range`].
    Short,
    /// Those that are.
    Long,
}

impl Part {
    fn has(self, term: &dyn ForceTerm) -> bool {
        match self {
            Part::Whole => true,
            Part::Short => !term.is_long_range(),
            Part::Long => term.is_long_range(),
        }
    }
}

/// What an integrator sees of the force field.
pub trait ForceProvider {
    /// Forces on every atom of `system`, with energies and virial where asked. `out` is cleared first.
    fn evaluate(&mut self, system: &System, want: Request, out: &mut Forces) -> Result<(), ForceError>;

    /// The same of a part alone. Without terms of long range, the short ones are all there is.
    fn evaluate_part(
        &mut self,
        part: Part,
        system: &System,
        want: Request,
        out: &mut Forces,
    ) -> Result<(), ForceError> {
        if part == Part::Long {
            out.clear(system.n_atoms());
            return Ok(());
        }
        self.evaluate(system, want, out)
    }
}

/// The sum of terms: first those that are not [`ForceTerm::is_long_range`], then the others, each in their order.
///
/// The others prepare while the first are added, each side on as many threads as the other leaves: the many short passes
/// over a mesh wait for one another, and beside them lists and pairs keep the other threads busy. The bits are the same on
/// one thread.
///
/// Its `tracing` spans at level TRACE, `prepare` and for each term `term` with its `name`, say which part of an
/// evaluation runs; who listens may read a clock. Without a listener a span is one comparison.
#[derive(Default)]
pub struct TermSum {
    /// The terms.
    pub terms: Vec<Box<dyn ForceTerm>>,
}

impl TermSum {
    /// The sum of `terms`.
    pub fn new(terms: Vec<Box<dyn ForceTerm>>) -> Self {
        TermSum { terms }
    }
}

impl ForceProvider for TermSum {
    fn evaluate(&mut self, system: &System, want: Request, out: &mut Forces) -> Result<(), ForceError> {
        self.evaluate_part(Part::Whole, system, want, out)
    }

    fn evaluate_part(
        &mut self,
        part: Part,
        system: &System,
        want: Request,
        out: &mut Forces,
    ) -> Result<(), ForceError> {
        out.clear(system.n_atoms());
        let terms = self.terms.iter_mut().filter(|term| part.has(term.as_ref()));
        let (mut long, mut short): (Vec<_>, Vec<_>) = terms.partition(|term| term.is_long_range());
        let prepare_long = || {
            long.iter_mut().try_for_each(|term| {
                let _span = tracing::trace_span!("term", name = term.name()).entered();
                term.prepare(system, want)
            })
        };
        let mut add_short = |out: &mut Forces| {
            {
                let _span = tracing::trace_span!("prepare").entered();
                short.iter_mut().try_for_each(|term| term.prepare(system, want))?;
            }
            add_all(&mut short, system, want, out)
        };
        let listener = tracing::dispatcher::get_default(Clone::clone);
        let (prepared, added) =
            rayon::join(prepare_long, || tracing::dispatcher::with_default(&listener, || add_short(out)));
        added?;
        prepared?;
        add_all(&mut long, system, want, out)?;
        match out.on.iter().position(|f| !f.is_finite()) {
            Some(atom) => Err(ForceError::NotFinite { term: "the sum of all terms", atom }),
            None => Ok(()),
        }
    }
}

fn add_all(
    terms: &mut [&mut Box<dyn ForceTerm>],
    system: &System,
    want: Request,
    out: &mut Forces,
) -> Result<(), ForceError> {
    terms.iter_mut().try_for_each(|term| {
        let _span = tracing::trace_span!("term", name = term.name()).entered();
        term.add(system, want, out)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Cell, Topology};

    /// Pushes every atom by `force` along x, or fails.
    struct Push {
        force: f64,
        is_long: bool,
        fails: Option<&'static str>,
        prepared: bool,
    }

    fn push(force: f64, is_long: bool, fails: Option<&'static str>) -> Box<dyn ForceTerm> {
        Box::new(Push { force, is_long, fails, prepared: false })
    }

    impl ForceTerm for Push {
        fn name(&self) -> &'static str {
            if self.is_long { "long" } else { "short" }
        }

        fn is_long_range(&self) -> bool {
            self.is_long
        }

        fn prepare(&mut self, _: &System, _: Request) -> Result<(), ForceError> {
            self.prepared = true;
            Ok(())
        }

        fn add(&mut self, _: &System, _: Request, out: &mut Forces) -> Result<(), ForceError> {
            assert!(std::mem::take(&mut self.prepared));
            if let Some(term) = self.fails {
                return Err(ForceError::NotFinite { term, atom: 0 });
            }
            out.on.iter_mut().for_each(|f| *f += Vec3::new(self.force, 0.0, 0.0));
            out.energy.add(self.name(), self.force);
            out.virial += Mat3::IDENTITY * self.force;
            out.count("pushes", 1);
            Ok(())
        }
    }

    fn system() -> System {
        let topology = Topology { type_of: vec![0; 3].into(), masses: vec![1.0; 3].into(), ..Topology::default() };
        System::new(Arc::new(topology), Cell::orthorhombic(1.0, 1.0, 1.0).unwrap(), vec![Vec3::ZERO; 3])
    }

    #[test]
    fn terms_of_long_range_are_added_last() {
        // (1e16 − 1e16) + 0.1 is 0.1; in the order of the list it would be 0.
        let mut sum = TermSum::new(vec![push(1e16, false, None), push(0.1, true, None), push(-1e16, false, None)]);
        let mut out = Forces::new(3);
        // Twice: nothing of the first evaluation is left.
        for _ in 0..2 {
            sum.evaluate(&system(), Request::ALL, &mut out).unwrap();
            assert!(out.on.iter().all(|f| *f == Vec3::new(0.1, 0.0, 0.0)), "{:?}", out.on);
            assert_eq!(out.energy.terms, [("short", 0.0), ("long", 0.1)]);
            assert_eq!((out.virial, out.events.clone()), (Mat3::IDENTITY * 0.1, vec![("pushes", 3)]));
        }
        for (part, x) in [(Part::Short, 0.0), (Part::Long, 0.1)] {
            sum.evaluate_part(part, &system(), Request::ALL, &mut out).unwrap();
            assert_eq!(out.on[2].x, x);
        }
    }

    #[test]
    fn of_two_errors_that_of_short_range_is_told() {
        let mut sum = TermSum::new(vec![push(1.0, true, Some("long")), push(1.0, false, Some("short"))]);
        let error = sum.evaluate(&system(), Request::FORCES, &mut Forces::new(3)).unwrap_err();
        assert_eq!(error, ForceError::NotFinite { term: "short", atom: 0 });
    }
}

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
    /// Forces alone.
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

    /// Brings what the term keeps about where atoms are, such as a pair list, up to date. [`TermSum`] calls it before
    /// every [`ForceTerm::add`], with the same system.
    fn prepare(&mut self, _system: &System) -> Result<(), ForceError> {
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

/// The sum of terms, in their order.
///
/// Its `tracing` spans at level TRACE, `prepare` and for each term `term` with its `name`, say which part of an
/// evaluation runs; who listens may read a clock. Without a listener a span is one comparison.
#[derive(Default)]
pub struct TermSum {
    /// The terms.
    pub terms: Vec<Box<dyn ForceTerm>>,
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
        {
            let _span = tracing::trace_span!("prepare").entered();
            let mut terms = self.terms.iter_mut().filter(|term| part.has(term.as_ref()));
            terms.try_for_each(|term| term.prepare(system))?;
        }
        for term in self.terms.iter_mut().filter(|term| part.has(term.as_ref())) {
            let _span = tracing::trace_span!("term", name = term.name()).entered();
            term.add(system, want, out)?;
        }
        match out.on.iter().position(|f| !f.is_finite()) {
            Some(atom) => Err(ForceError::NotFinite { term: "the sum of all terms", atom }),
            None => Ok(()),
        }
    }
}

//! Everything between pairs of atoms within the cut-off: van der Waals with its modifier, Coulomb in real space.
//!
//! [`model`] says what acts, [`kernel`] sums it over tiles of the pair list in lanes, in f64 or f32, [`careful`] pair by
//! pair in f64. Distances come from coordinates in fixed point, forces and energies go into sums in fixed point: no
//! result depends on the order of pairs, on the list or on the threads.

mod blocks;
mod careful;
mod frozen;
mod interaction;
mod kernel;
mod listed;
mod model;

use amelo_core::{ForceError, ForceTerm, Forces, Nonbonded, PairTable, Precision, Request, System, Topology};
use amelo_math::Vec3;
use amelo_math::lanes::{Isa, Scalar};
use amelo_neighbor::{Among, NeighborError};

use self::frozen::FrozenPairs;
use self::listed::Listed;
use self::model::{FROZEN, Lengths, Model, SmoothParts, Tables};
use super::sums::{Sums, energy};
use crate::ForcesError;
use crate::coulomb::RealSpace;

/// Default extra radius of the pair list (nm). It costs time, never accuracy: the list is rebuilt before it could miss
/// a pair.
pub const DEFAULT_BUFFER: f64 = 0.2;

/// Pair potentials and real-space Coulomb over all pairs within the cut-off that are not excluded.
/// Energies `vdw` and `coulomb_real`; event `guard` counts pairs inside a potential's short-range guard.
///
/// Where neither energies nor virial are asked for, frozen atoms get no forces, and pairs of two of them are left out: they move
/// nothing. Where they are, those pairs are summed once for as long as the frozen atoms and the cell stay as they are.
pub struct NonbondedTerm {
    model: Model,
    /// \[n_types\]
    class_of_type: Vec<u8>,
    /// \[n_atoms\] class of the type, with [`FROZEN`]; made at the first evaluation.
    classes: Vec<u8>,
    /// Whether the list is that of the system that `add` will see.
    prepared: bool,
    lanes: Lanes,
}

/// The fast loop in the precision asked for.
enum Lanes {
    Double(Fast<f64>),
    Mixed(Fast<f32>),
}

/// Tables, and the pairs that they are for.
struct Fast<T: Scalar> {
    isa: Isa,
    smooth_parts: SmoothParts,
    tables: Tables<T>,
    pairs: Listed<T>,
    /// Pairs of two frozen atoms: made where they are asked for.
    frozen: Option<FrozenPairs<T>>,
    buffer: f64,
}

impl NonbondedTerm {
    const NAME: &'static str = "nonbonded";

    /// The term for `topology` with the potentials of `table`. Errors: a table of another number of types, a form or
    /// parameter that is refused, a cut-off that is not positive, a switch distance not between 0 and the cut-off.
    pub fn new(topology: &Topology, table: &PairTable, settings: &Nonbonded) -> Result<Self, ForcesError> {
        Self::with(topology, table, settings, DEFAULT_BUFFER, Isa::current())
    }

    /// The same with another extra radius of the pair list (nm, not negative), which changes the speed and no bit, and
    /// with the instructions of `isa`.
    pub fn with(
        topology: &Topology,
        table: &PairTable,
        settings: &Nonbonded,
        buffer: f64,
        isa: Isa,
    ) -> Result<Self, ForcesError> {
        if !(buffer >= 0.0 && buffer.is_finite()) {
            return Err(ForcesError::setting(format!("the list's buffer is {buffer} nm, but it must not be negative")));
        }
        let model = Model::new(topology, table, settings)?;
        let class_of_type = model.classes();
        let lanes = match settings.precision {
            Precision::Double => Lanes::Double(Fast::new(&model, &class_of_type, buffer, isa)),
            Precision::Mixed => Lanes::Mixed(Fast::new(&model, &class_of_type, buffer, isa)),
        };
        Ok(NonbondedTerm { model, class_of_type, classes: Vec::new(), prepared: false, lanes })
    }

    /// Number of tiles of the pair list that can hold a pair within the cut-off now, and how often it was built.
    pub fn tiles_and_builds(&self) -> (usize, u64) {
        match &self.lanes {
            Lanes::Double(fast) => fast.pairs.tiles_and_builds(),
            Lanes::Mixed(fast) => fast.pairs.tiles_and_builds(),
        }
    }

    /// The list for `system`.
    fn update_list(&mut self, system: &System) -> Result<(), ForceError> {
        let topology = &*system.topology;
        check_types(Self::NAME, system, self.model.n_types)?;
        if self.classes.len() != topology.n_atoms() {
            let class = |(atom, &t): (usize, &u32)| {
                let frozen = topology.frozen.get(atom).is_some_and(|frozen| *frozen);
                self.class_of_type[t as usize] | if frozen { FROZEN } else { 0 }
            };
            self.classes = topology.type_of.iter().enumerate().map(class).collect();
        }
        match &mut self.lanes {
            Lanes::Double(fast) => fast.update(&self.model, &self.class_of_type, &self.classes, system),
            Lanes::Mixed(fast) => fast.update(&self.model, &self.class_of_type, &self.classes, system),
        }
        .map_err(|e| list_error(Self::NAME, self.model.r_cut, e))
    }
}

impl<T: Scalar> Fast<T> {
    fn new(model: &Model, class_of_type: &[u8], buffer: f64, isa: Isa) -> Self {
        let smooth_parts = model.smooth_parts::<T>();
        let tables = Tables::new(model, class_of_type, &smooth_parts, Lengths::NM);
        let pairs = Listed::new(model.r_cut, buffer, Among::Without(FROZEN));
        Fast { isa, smooth_parts, tables, pairs, frozen: None, buffer }
    }

    /// The tables in the lengths of the cell, and the list for `system`.
    fn update(
        &mut self,
        model: &Model,
        class_of_type: &[u8],
        classes: &[u8],
        system: &System,
    ) -> Result<(), NeighborError> {
        let lengths = match system.cell.cube_edge() {
            Some(edge) if self.isa != Isa::Portable && self.tables.has_loop_for_cubes() => Lengths::of_cube::<T>(edge),
            _ => Lengths::NM,
        };
        if lengths != self.tables.lengths {
            self.tables = Tables::new(model, class_of_type, &self.smooth_parts, lengths);
        }
        self.pairs.update(&self.tables, classes, system)
    }

    /// Adds the forces, and returns the sums.
    fn add(
        &mut self,
        model: &Model,
        classes: &[u8],
        system: &System,
        want: Request,
        out: &mut Forces,
    ) -> Result<Sums, ForceError> {
        let Fast { isa, tables, pairs, frozen, buffer, .. } = self;
        let want_sums = want.energy || want.virial;
        let mut sums = pairs.add(*isa, tables, model, system, want_sums, &mut out.on)?;
        if want_sums && classes.iter().any(|class| class & FROZEN != 0) {
            let frozen = frozen.get_or_insert_with(|| FrozenPairs::new(model.r_cut, *buffer));
            frozen.update(*isa, tables, model, classes, system)?;
            sums.add(&frozen.sums);
            out.on.iter_mut().zip(&frozen.forces).for_each(|(force, frozen)| *force += *frozen);
        }
        Ok(sums)
    }
}

/// Two atoms so close that their force leaves the range of numbers.
pub(crate) fn overlap(term: &'static str, i: usize, j: usize, d: Vec3, force: Vec3) -> ForceError {
    ForceError::Overlap { term, i, j, r: d.norm(), force: force.norm() }
}

/// The system must have the types that a term was made for.
pub(crate) fn check_types(term: &'static str, system: &System, n_types: usize) -> Result<(), ForceError> {
    match system.topology.types.len() {
        n if n == n_types => Ok(()),
        n => Err(ForceError::Other {
            term,
            message: format!("made for {n_types} atom types, but the system has {n}: make the term anew"),
        }),
    }
}

/// A pair list's complaint in the words of a term.
pub(crate) fn list_error(term: &'static str, r_cut: f64, error: NeighborError) -> ForceError {
    match error {
        NeighborError::CellTooSmall { half_width } => ForceError::CellTooSmall { half_width, r_cut },
        NeighborError::NotFinite { atom } => ForceError::Other {
            term,
            message: format!(
                "the position of atom {atom} is not a finite number; the run has blown up or its input is damaged"
            ),
        },
    }
}

impl ForceTerm for NonbondedTerm {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn reach(&self) -> Option<f64> {
        Some(self.model.r_cut)
    }

    fn prepare(&mut self, system: &System, _: Request) -> Result<(), ForceError> {
        self.update_list(system)?;
        self.prepared = true;
        Ok(())
    }

    fn add(&mut self, system: &System, want: Request, out: &mut Forces) -> Result<(), ForceError> {
        if !std::mem::take(&mut self.prepared) {
            self.update_list(system)?;
        }
        let sums = match &mut self.lanes {
            Lanes::Double(fast) => fast.add(&self.model, &self.classes, system, want, out)?,
            Lanes::Mixed(fast) => fast.add(&self.model, &self.classes, system, want, out)?,
        };
        if want.energy {
            out.energy.add("vdw", energy(sums.vdw));
            if self.model.coulomb != RealSpace::None {
                out.energy.add("coulomb_real", energy(sums.coulomb));
            }
        }
        if want.virial {
            out.virial += sums.virial();
        }
        if sums.guarded > 0 {
            out.count("guard", sums.guarded);
        }
        Ok(())
    }
}

//! From a resolved model to the sum of force terms that a stage feels.

use std::sync::Arc;

use amelo_core::{Cell, ForceTerm, Nonbonded, PairTable, System, TermSum, Topology};
use amelo_forces::external::{ElectricField, PositionRestraint, ReferenceScaling};
use amelo_forces::{DispersionCorrection, NonbondedTerm, PushOff, ScaledPairs};
use amelo_math::Vec3;

use crate::deck::TetherReference;
use crate::error::{Problem, RunnerError};
use crate::plan::{Conditions, select};

/// What the forces are made of: complete, resolved, unchanged during a run.
#[derive(Clone, Debug)]
pub struct Model {
    /// Atoms without a stage's frozen groups and constraints.
    pub topology: Arc<Topology>,
    /// Potential of every pair of types.
    pub pair_table: PairTable,
    /// Cut-off, modifier, Coulomb.
    pub nonbonded: Nonbonded,
}

/// Positions that tethers refer to.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// \[n_atoms\] wrapped positions (nm).
    pub positions: Vec<Vec3>,
    /// Cell in which they were taken.
    pub cell: Cell,
}

impl Reference {
    /// Where the atoms are now.
    pub fn of(system: &System) -> Self {
        Reference { positions: system.positions.clone(), cell: system.cell }
    }
}

/// Reference positions at the start of the run and of the stage.
#[derive(Clone, Debug)]
pub struct References {
    /// At the start of the run.
    pub run: Reference,
    /// At the start of the stage.
    pub stage: Reference,
}

impl References {
    /// Both where the atoms are now.
    pub fn at(system: &System) -> Self {
        References { run: Reference::of(system), stage: Reference::of(system) }
    }
}

impl Model {
    /// The topology with a stage's frozen groups and constraints.
    pub fn stage_topology(&self, conditions: &Conditions) -> Arc<Topology> {
        let mut topology = (*self.topology).clone();
        for name in &conditions.frozen {
            for &atom in select(&topology, name).iter().flatten() {
                topology.frozen[atom as usize] = true;
            }
        }
        if conditions.h_bonds {
            topology.constraints = amelo_dynamics::h_bonds(&topology);
        }
        Arc::new(topology)
    }

    /// Every term of the force field and of a stage's conditions. `topology` is the stage's.
    pub fn terms(
        &self,
        topology: &Topology,
        cell: &Cell,
        conditions: &Conditions,
        references: &References,
    ) -> Result<TermSum, RunnerError> {
        let mut terms = amelo_forces::bonded_terms(topology).map_err(refused)?;
        let mut add = |term: Box<dyn ForceTerm>| terms.push(term);
        if !topology.scaled_pairs.is_empty() {
            add(Box::new(ScaledPairs::new(topology, &self.pair_table, &self.nonbonded).map_err(refused)?));
        }
        add(Box::new(NonbondedTerm::new(topology, &self.pair_table, &self.nonbonded).map_err(refused)?));
        if self.nonbonded.dispersion_correction {
            add(Box::new(DispersionCorrection::new(topology, &self.pair_table, &self.nonbonded).map_err(refused)?));
        }
        if let Some(term) = amelo_electrostatics::long_range_term(topology, &self.nonbonded, cell).map_err(refused)? {
            add(term);
        }
        if let Some(axis) = self.nonbonded.slab {
            add(Box::new(amelo_electrostatics::SlabCorrection::new(topology, axis).map_err(refused)?));
        }
        for tether in &conditions.tethered {
            let reference = match tether.reference {
                TetherReference::RunStart => &references.run,
                TetherReference::StageStart => &references.stage,
            };
            let atoms = select(topology, &tether.group).unwrap_or_default();
            let at: Vec<Vec3> = atoms.iter().map(|&a| reference.positions[a as usize]).collect();
            add(Box::new(
                PositionRestraint::new(
                    topology,
                    atoms,
                    &at,
                    &reference.cell,
                    tether.force_constant.0,
                    ReferenceScaling::WithCell,
                )
                .map_err(refused)?,
            ));
        }
        if let Some(field) = conditions.electric_field {
            add(Box::new(ElectricField::new(field).map_err(refused)?));
        }
        Ok(TermSum { terms })
    }

    /// What pulls overlapping atoms of a fresh packing apart: the bonded terms and a bounded repulsion.
    pub fn push_off_terms(&self, topology: &Topology) -> Result<TermSum, RunnerError> {
        let mut terms = amelo_forces::bonded_terms(topology).map_err(refused)?;
        terms.push(Box::new(PushOff::new(topology, &self.pair_table, PUSH_OFF_STRENGTH).map_err(refused)?));
        Ok(TermSum { terms })
    }
}

/// Height of the push-off's repulsion (kJ/mol).
const PUSH_OFF_STRENGTH: f64 = 500.0;

fn refused(error: impl std::fmt::Display) -> RunnerError {
    RunnerError::input(
        Problem::new(error.to_string())
            .help("check [nonbonded] and the parameter files; amelo check prints what was resolved"),
    )
}

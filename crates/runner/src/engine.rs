//! From a resolved model to the sum of force terms that a stage feels.

use std::collections::BTreeSet;
use std::sync::Arc;

use amelo_core::{Cell, Class, ForceTerm, Interactions, Nonbonded, PairTable, Shared, System, TermSum, Topology};
use amelo_forces::external::{ElectricField, PositionRestraint, ReferenceScaling};
use amelo_forces::{DispersionCorrection, NonbondedTerm, PushOff};
use amelo_math::Vec3;

use crate::deck::TetherReference;
use crate::error::{Problem, RunnerError};
use crate::plan::{Conditions, StageKind, StagePlan, freeze, select};

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
    pub positions: Shared<Vec<Vec3>>,
    /// Cell in which they were taken.
    pub cell: Cell,
}

impl Reference {
    /// Where the atoms are now.
    pub fn of(system: &System) -> Self {
        Reference { positions: system.positions.clone().into(), cell: system.cell }
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
        let here = Reference::of(system);
        References { run: here.clone(), stage: here }
    }

    /// Those of a run whose stages have `conditions`: none where nothing is tethered.
    pub fn needed<'a>(system: &System, conditions: impl IntoIterator<Item = &'a Conditions>) -> Option<Self> {
        let tethered = conditions.into_iter().any(|c| !c.tethered.is_empty());
        tethered.then(|| References::at(system))
    }
}

impl Model {
    /// The topology with a stage's frozen groups and constraints.
    pub fn stage_topology(&self, conditions: &Conditions) -> Arc<Topology> {
        let mut topology = (*self.topology).clone();
        freeze(&mut topology, &conditions.frozen);
        if conditions.h_bonds {
            // Beside those that belong to the system, such as rigid water; a distance is held once.
            let mut held: BTreeSet<[u32; 2]> = topology.constraints.iter().map(|c| ordered(c.atoms)).collect();
            let bonds = amelo_dynamics::h_bonds(&topology);
            topology.constraints.extend(bonds.into_iter().filter(|c| held.insert(ordered(c.atoms))));
            topology.constraints.shrink_to_fit();
        }
        Arc::new(topology)
    }

    /// The stage's `topology` for a minimisation, which knows no constraints: a distance that is held but that no bond
    /// keeps, as in rigid water, becomes a stiff spring. The next stage restores it exactly.
    pub fn with_springs(topology: &Arc<Topology>) -> Arc<Topology> {
        let bonded: BTreeSet<[u32; 2]> = topology
            .interactions
            .iter()
            .filter(|list| list.class == Class::Bond)
            .flat_map(|list| list.iter())
            .map(|(atoms, _)| ordered([atoms[0], atoms[1]]))
            .collect();
        let mut springs = Interactions {
            class: Class::Bond,
            form: "harmonic".into(),
            atoms: Vec::new(),
            kind: Vec::new(),
            parameters: Vec::new(),
        };
        for c in topology.constraints.iter().filter(|c| !bonded.contains(&ordered(c.atoms))) {
            let parameters = vec![c.length, SPRING];
            let last = springs.parameters.iter().rposition(|p| *p == parameters);
            let row = last.unwrap_or_else(|| {
                springs.parameters.push(parameters);
                springs.parameters.len() - 1
            });
            springs.atoms.extend(c.atoms);
            springs.kind.push(row as u32);
        }
        if springs.is_empty() {
            return topology.clone();
        }
        let mut topology = (**topology).clone();
        topology.interactions.push(springs);
        Arc::new(topology)
    }

    /// The topology of a stage, and what its atoms feel; `references` only where some of them are tethered.
    pub fn stage(
        &self,
        plan: &StagePlan,
        cell: &Cell,
        references: Option<&References>,
    ) -> Result<(Arc<Topology>, TermSum), RunnerError> {
        let topology = self.stage_topology(&plan.conditions);
        let felt = match plan.kind {
            StageKind::Minimize(_) => Model::with_springs(&topology),
            StageKind::Dynamics { .. } => topology.clone(),
        };
        let terms = self.terms(&felt, cell, &plan.conditions, references)?;
        Ok((topology, terms))
    }

    /// Every term of the force field and of a stage's conditions. `topology` is the stage's. Errors: what the terms
    /// refuse; tethers without `references`.
    pub fn terms(
        &self,
        topology: &Topology,
        cell: &Cell,
        conditions: &Conditions,
        references: Option<&References>,
    ) -> Result<TermSum, RunnerError> {
        let mut terms = amelo_forces::molecular_terms(topology, &self.pair_table, &self.nonbonded).map_err(refused)?;
        let mut add = |term: Box<dyn ForceTerm>| terms.push(term);
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
            let references = references.ok_or_else(|| RunnerError::Bug("tethers to no positions".into()))?;
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
        Ok(TermSum::new(terms))
    }

    /// What pulls overlapping atoms of a fresh packing apart: the bonded terms and a bounded repulsion.
    pub fn push_off_terms(&self, topology: &Topology) -> Result<TermSum, RunnerError> {
        let mut terms = amelo_forces::bonded_terms(topology).map_err(refused)?;
        terms.push(Box::new(PushOff::new(topology, &self.pair_table, PUSH_OFF_STRENGTH).map_err(refused)?));
        Ok(TermSum::new(terms))
    }
}

/// Stiffness of the springs that stand for constraints in a minimisation (kJ/mol/nm²): that of the O–H bond of flexible
/// SPC, K. Toukan, A. Rahman, Phys. Rev. B 31, 2643 (1985).
const SPRING: f64 = 345_000.0;

fn ordered([i, j]: [u32; 2]) -> [u32; 2] {
    [i.min(j), i.max(j)]
}

/// Height of the push-off's repulsion (kJ/mol).
const PUSH_OFF_STRENGTH: f64 = 500.0;

fn refused(error: impl std::fmt::Display) -> RunnerError {
    RunnerError::input(
        Problem::new(error.to_string())
            .help("check [nonbonded] and the parameter files; amelo check prints what was resolved"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use amelo_core::{AtomType, Constraint, Provenance};

    /// Rigid water, and methanol's O–H with a bond of its own.
    fn model() -> Model {
        let harmonic = |atoms: &[u32], parameters: Vec<f64>| Interactions {
            class: Class::Bond,
            form: "harmonic".into(),
            atoms: atoms.to_vec(),
            kind: vec![0],
            parameters: vec![parameters],
        };
        let of = |i, j, length| Constraint { atoms: [i, j], length };
        let topology = Topology {
            types: ["O", "H"].map(|e| AtomType { name: e.into(), element: e.into() }).to_vec(),
            type_of: vec![0, 1, 1, 0, 1, 0, 1].into(),
            interactions: vec![harmonic(&[4, 3], vec![0.096, 400_000.0]), harmonic(&[5, 6], vec![0.097, 400_000.0])]
                .into(),
            constraints: vec![of(0, 1, 0.1), of(0, 2, 0.1), of(1, 2, 0.163), of(3, 4, 0.095)],
            frozen: vec![false; 7],
            ..Topology::default()
        };
        let entry = amelo_core::PairEntry {
            form: "none".into(),
            parameters: Vec::new(),
            provenance: Provenance::None,
            source: String::new(),
        };
        Model {
            topology: Arc::new(topology),
            pair_table: PairTable::from_fn(2, |_, _| Ok::<_, ()>(entry.clone())).expect("two types"),
            nonbonded: Nonbonded {
                r_cut: 1.0,
                modifier: amelo_core::Modifier::None,
                dispersion_correction: false,
                coulomb: amelo_core::Coulomb::None,
                slab: None,
                precision: Default::default(),
            },
        }
    }

    #[test]
    fn constraints_of_the_system_stay_beside_those_of_a_stage_and_each_distance_is_held_once() {
        let held = |h_bonds| {
            let topology = model().stage_topology(&Conditions { h_bonds, ..Conditions::default() });
            topology.constraints.iter().map(|c| (c.atoms, c.length)).collect::<Vec<_>>()
        };
        assert_eq!(held(false).len(), 4);
        assert_eq!(held(true)[..4], held(false));
        assert_eq!(held(true)[4..], [([5, 6], 0.097)]);
    }

    #[test]
    fn a_minimisation_has_springs_where_no_bond_keeps_a_constrained_distance() {
        let felt = Model::with_springs(&model().topology);
        let springs = felt.interactions.last().expect("springs");
        assert_eq!(springs.atoms, [0, 1, 0, 2, 1, 2]);
        assert_eq!((springs.kind.as_slice(), &springs.parameters[1]), ([0, 0, 1].as_slice(), &vec![0.163, SPRING]));
        let mut flexible = (*felt).clone();
        flexible.constraints.clear();
        let flexible = Arc::new(flexible);
        assert!(Arc::ptr_eq(&flexible, &Model::with_springs(&flexible)));
    }
}

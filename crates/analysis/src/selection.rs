//! Groups of atoms, and the frame of reference that displacements are measured in.

use amelo_core::{Frame, Topology};
use amelo_math::Vec3;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::AnalysisError;

/// Name of the group that holds every oxide atom.
pub(crate) const OXIDE: &str = "oxide";

/// Atoms of the group `name`, which key `key` of `analysis` asks for. `all` is every atom.
pub(crate) fn group(
    topology: &Topology,
    analysis: &'static str,
    key: &'static str,
    name: &str,
) -> Result<Vec<u32>, AnalysisError> {
    match topology.groups.get(name) {
        Some(atoms) if !atoms.is_empty() => Ok(atoms.clone()),
        None if name == "all" => Ok((0..topology.n_atoms() as u32).collect()),
        _ => {
            let filled = topology.groups.iter().filter(|(_, atoms)| !atoms.is_empty());
            let known = filled.map(|(name, _)| format!("\"{name}\"")).chain(["\"all\"".into()]).collect();
            Err(AnalysisError::UnknownGroup { analysis, key, group: name.into(), known })
        }
    }
}

/// Whether the system has an oxide.
pub(crate) fn has_oxide(topology: &Topology) -> bool {
    topology.groups.get(OXIDE).is_some_and(|atoms| !atoms.is_empty())
}

/// What displacements are relative to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Reference {
    /// The oxide's centre of mass where there is an oxide, else the whole system's.
    #[default]
    Auto,
    /// Centre of mass of the oxide.
    Oxide,
    /// Centre of mass of the whole system.
    System,
    /// Centre of mass of a named group: `reference.group = "PEO"`.
    Group(String),
    /// The box itself: nothing is subtracted.
    Box,
}

/// A resolved reference: the displacement of a centre of mass.
#[derive(Clone, Debug)]
pub(crate) struct ReferenceFrame {
    /// How the frame is called in results.
    pub name: String,
    /// (atom, share of the mass).
    weights: Vec<(u32, f64)>,
}

impl Reference {
    pub(crate) fn resolve(&self, topology: &Topology, analysis: &'static str) -> Result<ReferenceFrame, AnalysisError> {
        let (name, atoms) = match self {
            Reference::Auto if has_oxide(topology) => return Reference::Oxide.resolve(topology, analysis),
            Reference::Auto => return Reference::System.resolve(topology, analysis),
            Reference::Oxide => ("centre of mass of the oxide".into(), group(topology, analysis, "reference", OXIDE)?),
            Reference::System => {
                ("centre of mass of the system (barycentric)".into(), (0..topology.n_atoms() as u32).collect())
            }
            Reference::Group(name) => {
                (format!("centre of mass of {name}"), group(topology, analysis, "reference", name)?)
            }
            Reference::Box => ("simulation box".into(), vec![]),
        };
        let total: f64 = atoms.iter().map(|&i| topology.masses[i as usize]).sum();
        let weights = atoms.iter().map(|&i| (i, topology.masses[i as usize] / total)).collect();
        Ok(ReferenceFrame { name, weights })
    }
}

impl ReferenceFrame {
    /// Displacement of the reference since the start of the run (nm).
    pub fn displacement(&self, frame: &Frame) -> Vec3 {
        self.weights.iter().map(|&(i, w)| frame.displacements[i as usize] * w).sum()
    }
}

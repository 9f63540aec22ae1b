//! A deck's system with its force field: geometry and assignment together.

use std::collections::BTreeMap;

use amelo_core::{Cell, PairTable, Topology};
use amelo_io::parameters::ForceFieldData;
use amelo_math::Vec3;

use crate::{AssignmentReport, BuildError, BuildReport, Oxide, SystemConfig, assign, place, place_beside};

/// A system ready for forces.
#[derive(Clone, Debug)]
pub struct Built {
    /// Atoms, molecules, bonded interactions, groups.
    pub topology: Topology,
    /// A potential for every pair of types.
    pub pair_table: PairTable,
    /// Periodic cell.
    pub cell: Cell,
    /// \[n_atoms\] positions (nm); molecules are whole, so some lie outside the cell.
    pub positions: Vec<Vec3>,
    /// Where every parameter comes from.
    pub assignment: AssignmentReport,
    /// What was built.
    pub report: BuildReport,
}

/// Places everything that `config` asks for and assigns its parameters; the same seed gives the same bits.
/// `glass`, where there is one, takes the place of `config.oxide`. `charge_scale` multiplies the charges of the molecules
/// that it names.
pub fn build_system(
    config: &SystemConfig,
    glass: Option<Oxide>,
    data: &ForceFieldData,
    charge_scale: &BTreeMap<String, f64>,
    seed: u64,
) -> Result<Built, BuildError> {
    let placed = match glass {
        Some(glass) => place_beside(Some(glass), config, data, seed)?,
        None => place(config, data, seed)?,
    };
    let assignment = assign(&placed.molecules, data, charge_scale)?;
    Ok(Built {
        topology: assignment.topology,
        pair_table: assignment.pair_table,
        cell: placed.cell,
        positions: placed.positions,
        assignment: assignment.report,
        report: placed.report,
    })
}

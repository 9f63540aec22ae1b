//! The pair table made executable: one potential per pair of types.

use amelo_core::{PairTable, Topology};

use super::AnyPair;
use crate::ForcesError;

/// The potential of every ordered pair of types, without any cut-off treatment.
#[derive(Clone, Debug)]
pub struct PairForms {
    n_types: usize,
    /// Square, row by row.
    potentials: Vec<AnyPair>,
}

impl PairForms {
    /// Builds every entry of `table` for the types of `topology`. Errors: another number of types, an unknown form or
    /// parameters that it refuses, with the names of the types.
    pub fn of(topology: &Topology, table: &PairTable) -> Result<Self, ForcesError> {
        let n_types = table.n_types();
        if n_types != topology.types.len() {
            let message = format!(
                "the pair table has {n_types} atom types, but the topology {}: build both together",
                topology.types.len()
            );
            return Err(ForcesError::Mismatch { message });
        }
        let mut potentials = vec![AnyPair::None; n_types * n_types];
        for (i, j, entry) in table.iter() {
            let potential = AnyPair::new(&entry.form, &entry.parameters).map_err(|e| ForcesError::Pair {
                types: [&topology.types[i].name, &topology.types[j].name].map(String::clone),
                source: Box::new(e),
            })?;
            potentials[i * n_types + j] = potential;
            potentials[j * n_types + i] = potential;
        }
        Ok(PairForms { n_types, potentials })
    }

    /// Number of atom types.
    pub fn n_types(&self) -> usize {
        self.n_types
    }

    /// The potential between types `i` and `j`, in either order.
    #[inline(always)]
    pub fn get(&self, i: usize, j: usize) -> &AnyPair {
        &self.potentials[i * self.n_types + j]
    }

    /// All entries, square, row by row.
    pub fn square(&self) -> &[AnyPair] {
        &self.potentials
    }
}

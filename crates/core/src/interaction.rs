//! The resolved nonbonded model as data: which potential acts between which types, where its numbers come
//! from, and how it is cut off. Functional forms live elsewhere; here they are names with parameters.

use serde::{Deserialize, Serialize};

/// How a pair's parameters came about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provenance {
    /// Written in a parameter file for exactly this pair.
    Explicit,
    /// From the two types' own parameters by a named mixing rule.
    Rule(String),
    /// Written in the deck or a later file, over what was there.
    Override,
    /// Declared to be no interaction.
    None,
}

/// The potential between two atom types.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairEntry {
    /// Name in the registry of pair potentials, or `none`.
    pub form: String,
    /// Parameters in the order that the form declares, internal units.
    pub parameters: Vec<f64>,
    /// How they came about.
    pub provenance: Provenance,
    /// Where the numbers stand: file and citation.
    pub source: String,
}

/// A potential for every unordered pair of types: complete by construction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairTable {
    n_types: usize,
    /// Upper triangle, row by row: (0,0), (0,1), …, (1,1), …
    entries: Vec<PairEntry>,
}

impl PairTable {
    /// Fills the table by asking for every pair i ≤ j; the first refusal stops it.
    pub fn from_fn<E>(n_types: usize, mut entry: impl FnMut(usize, usize) -> Result<PairEntry, E>) -> Result<Self, E> {
        let mut entries = Vec::with_capacity(n_types * (n_types + 1) / 2);
        for i in 0..n_types {
            for j in i..n_types {
                entries.push(entry(i, j)?);
            }
        }
        Ok(PairTable { n_types, entries })
    }

    /// Number of atom types.
    pub fn n_types(&self) -> usize {
        self.n_types
    }

    /// The entry of types `i` and `j`, in either order.
    pub fn get(&self, i: usize, j: usize) -> &PairEntry {
        let (i, j) = (i.min(j), i.max(j));
        &self.entries[i * self.n_types - i * (i + 1) / 2 + j]
    }

    /// All pairs i ≤ j with their entries.
    pub fn iter(&self) -> impl Iterator<Item = (usize, usize, &PairEntry)> {
        (0..self.n_types).flat_map(move |i| (i..self.n_types).map(move |j| (i, j, self.get(i, j))))
    }
}

/// What happens to a pair potential at its cut-off.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Modifier {
    /// Truncated: the energy jumps at r_cut.
    None,
    /// Shifted by its value at r_cut: continuous energy, unchanged forces.
    PotentialShift,
    /// A constant is added to the force so that it vanishes at r_cut; the energy is continuous too (NIST's "LFS").
    ForceShift,
    /// The force is switched to zero between `r_switch` (nm) and r_cut by a polynomial.
    ForceSwitch {
        /// Where the switch begins (nm).
        r_switch: f64,
    },
    /// The energy is multiplied by a function that falls from 1 at `r_switch` (nm) to 0 at r_cut (CHARMM's switch).
    EnergySwitch {
        /// Where the switch begins (nm).
        r_switch: f64,
    },
}

/// How charges interact.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coulomb {
    /// Charges do not interact.
    None,
    /// Plain 1/r up to r_cut.
    Cutoff,
    /// Ewald's sum, the reference; reciprocal vectors up to the same `tolerance`.
    Ewald {
        /// Splitting parameter (nm⁻¹).
        beta: f64,
        /// Relative size below which reciprocal terms are dropped.
        tolerance: f64,
    },
    /// Smooth particle-mesh Ewald.
    Pme {
        /// Splitting parameter (nm⁻¹).
        beta: f64,
        /// Order of the B-splines (4 to 6; more for references).
        order: usize,
        /// Mesh points along a, b, c.
        mesh: [usize; 3],
    },
}

impl Coulomb {
    /// Splitting parameter (nm⁻¹) where there is one.
    pub fn beta(&self) -> Option<f64> {
        match *self {
            Coulomb::Ewald { beta, .. } | Coulomb::Pme { beta, .. } => Some(beta),
            _ => None,
        }
    }
}

/// Arithmetic of what is many: pairs and mesh. Positions, sums and integration are f64 in either case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// f64 everywhere; what holds where nobody chooses. A deck's default is mixed.
    #[default]
    Double,
    /// f32 for each pair and on the mesh.
    Mixed,
}

/// Everything about non-bonded interactions beside the pair table; resolved, in internal units.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Nonbonded {
    /// Cut-off of pair potentials and real-space Coulomb (nm).
    pub r_cut: f64,
    /// What happens at the cut-off.
    pub modifier: Modifier,
    /// Analytic dispersion tail in energy and pressure (homogeneous boxes only).
    pub dispersion_correction: bool,
    /// Charges.
    pub coulomb: Coulomb,
    /// Yeh–Berkowitz slab correction along this axis (2 = z), where the cell holds a film with vacuum.
    pub slab: Option<usize>,
    /// Arithmetic of the pair loop and of the mesh.
    #[serde(default)]
    pub precision: Precision,
}

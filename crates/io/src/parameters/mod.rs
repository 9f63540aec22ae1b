//! Force fields as data: parameter files, their search path, and what they say.
//!
//! The file format is described in `docs/force-field-files.md`. Functional forms are known here only by their
//! [`FormInfo`](amelo_core::FormInfo): names, parameters and dimensions; physics lives elsewhere.

mod data;
mod error;
mod load;
mod search;
mod template;
mod tree;

pub use data::{
    BondedParameters, FileRecord, ForceFieldData, FormTerm, Mixing, PairParameters, PairPotential, PairScale, Scaling,
    TypeLennardJones, TypeParameters,
};
pub use error::{Location, ParameterError};
pub use load::{load, load_texts};
pub use search::SearchPath;
pub use template::{
    DihedralPlace, Ends, Fragment, FragmentAtom, FragmentPlace, MoleculeTemplate, OxideTemplate, Place,
    PolymerTemplate, Reference, Salt, TemplateAtom, TemplateError,
};

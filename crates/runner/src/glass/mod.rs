//! Amorphous TiO₂ for a deck: from the cache, or melted, quenched, cut and annealed here, and certified.
//!
//! ```text
//! recipe.rs        what a glass depends on, and its hash
//! cache.rs         finished glasses, one folder each, checksummed
//! making.rs        melt → quench → relax → cleave → anneal
//! measurements.rs  what the certificate says
//! ```

mod cache;
mod making;
mod measurements;
mod recipe;

use std::collections::BTreeMap;

use amelo_build::amorphous::{Acceptance, KEY, MeltCell, elements, random_start};
use amelo_build::{AmorphousConfig, Certificate, Oxide};
use amelo_io::parameters::ForceFieldData;
use amelo_math::Vec3;

use crate::error::{Problem, RunnerError};
use crate::preparation::build_error;
use crate::progress::Reporter;
use crate::source::Source;

use recipe::Recipe;

/// Whether a glass that is not in the cache is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Making {
    /// It is made, which takes minutes to hours.
    IfMissing,
    /// Atoms at random stand in for it: right in number, composition and size, and in nothing else.
    Never,
}

/// A finished slab: what the cache keeps.
#[derive(Clone, Debug, PartialEq)]
struct Slab {
    /// Edges along x and y (nm).
    lateral: [f64; 2],
    /// \[n_atoms\] positions (nm), all Ti before all O, the lowest nucleus at z = 0.
    positions: Vec<Vec3>,
    /// Its papers.
    certificate: Certificate,
}

/// The amorphous oxide of a deck, and one sentence about it; the sentence is a warning where atoms stand in for a glass.
pub fn oxide(
    config: &AmorphousConfig,
    lateral: Option<[f64; 2]>,
    data: &ForceFieldData,
    charge_scale: &BTreeMap<String, f64>,
    deck_seed: u64,
    making: Making,
    source: &Source,
    reporter: &Reporter,
) -> Result<(Oxide, String), RunnerError> {
    let refused = |e: amelo_build::BuildError| build_error(&e, source);
    let melt = config.melt_cell(lateral, data).map_err(refused)?;
    let asked = (lateral.unwrap_or_default(), config.thickness.0);
    let recipe = Recipe::new(config, melt, asked.0, deck_seed, data, charge_scale).map_err(refused)?;
    let folder = cache::folder(config, source);
    let found = folder.as_deref().and_then(|folder| cache::find(folder, &recipe, reporter));
    let of_slab = |slab: Slab| {
        let thickness = slab.certificate.slab.thickness;
        let elements = elements(melt.formula_units);
        Oxide::of_glass(slab.lateral, asked, thickness, elements, slab.positions, Some(slab.certificate), data)
            .map_err(refused)
    };
    let (slab, origin) = match (found, making) {
        (Some(slab), _) => (slab, "from the cache"),
        (None, Making::IfMissing) => cache::make(folder.as_deref(), &recipe, reporter)?,
        (None, Making::Never) => {
            let note = format!(
                "the glass {} is not in the cache: its {} TiO2 stand here at random, and it will be made ({} steps), with any vacancies, before a run",
                recipe.short(),
                melt.formula_units,
                recipe.n_steps()
            );
            let edges = [asked.0[0], asked.0[1], asked.1];
            let (_, positions) = random_start(&MeltCell { edges, ..melt }, recipe.seed).map_err(refused)?;
            let oxide = Oxide::of_glass(
                asked.0,
                asked,
                asked.1,
                elements(melt.formula_units),
                from_zero(positions),
                None,
                data,
            );
            return Ok((oxide.map_err(refused)?, note));
        }
    };
    let note = format!("{} ({origin})", slab.certificate.summary());
    if !slab.certificate.verdict.accepted && config.accept == Acceptance::Window {
        return Err(rejected(&slab.certificate, source));
    }
    let mut oxide = of_slab(slab)?;
    config.create_vacancies(&mut oxide, deck_seed).map_err(refused)?;
    Ok((oxide, note))
}

/// A glass outside the window, with what would do.
fn rejected(certificate: &Certificate, source: &Source) -> RunnerError {
    let problem: Problem = source.problem(
        KEY,
        format!("the glass of seed {} is rejected: {}", certificate.seed, certificate.verdict.reasons().join("; ")),
    );
    RunnerError::input(problem.help(
        "take another `seed`, a slower `quench_rate` or a larger cell, or write accept = \"any\" to take it as it is",
    ))
}

/// Positions moved so that the lowest nucleus is at z = 0.
fn from_zero(mut positions: Vec<Vec3>) -> Vec<Vec3> {
    let floor = positions.iter().map(|r| r.z).fold(f64::INFINITY, f64::min);
    positions.iter_mut().for_each(|r| r.z -= floor);
    positions
}

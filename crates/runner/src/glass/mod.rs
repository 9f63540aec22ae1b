//! Amorphous TiO₂ for a deck: from the cache, or melted, quenched, cut and annealed here, and certified.
//!
//! ```text
//! recipe.rs        what a glass depends on, and its hash
//! cache.rs         finished oxides, one folder each, checksummed
//! furnace.rs       phases of dynamics and minimisations of an oxide
//! making.rs        melt → quench → relax → cleave or carve → anneal
//! measurements.rs  what the certificate says
//! ```

pub(crate) mod cache;
pub(crate) mod furnace;
mod making;
mod measurements;
pub(crate) mod recipe;

use std::collections::BTreeMap;

use amelo_build::amorphous::{Acceptance, KEY, MeltCell, elements, random_start};
use amelo_build::pore::carve::Block;
use amelo_build::{AmorphousConfig, Certificate, Oxide, PoreConfig};
use amelo_core::Cell;
use amelo_io::parameters::ForceFieldData;
use amelo_math::Vec3;

use crate::error::{Problem, RunnerError};
use crate::preparation::build_error;
use crate::progress::Reporter;
use crate::source::Source;

use cache::Shelf;
use recipe::Recipe;

/// Whether a glass that is not in the cache is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Making {
    /// It is made, which takes minutes to hours.
    IfMissing,
    /// Atoms at random stand in for it: right in number, composition and size, and in nothing else.
    Never,
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
    if let Some(vacancies) = &config.vacancies {
        // Before minutes to hours go into the glass; which of its O atoms may go is told when it is there.
        vacancies.number(2 * melt.formula_units, "O", &format!("{KEY}.vacancies")).map_err(refused)?;
    }
    let shelf = Shelf::new("glass", "glasses", config.cache.as_deref(), source);
    let (kept, origin) = match (shelf.find(&recipe.hash, reporter), making) {
        (Some(kept), _) => (kept, "from the cache"),
        (None, Making::IfMissing) => {
            shelf.make(&recipe.hash, &recipe.oxide.pair_table, reporter, || making::make(&recipe, reporter))?
        }
        (None, Making::Never) => {
            let note = format!(
                "the glass {} is not in the cache: its {} TiO2 stand here at random, and it will be made ({} steps), with any vacancies, before a run",
                recipe.short(),
                melt.formula_units,
                recipe.n_steps()
            );
            let edges = [asked.0[0], asked.0[1], asked.1];
            let (cell, positions) = random_start(&MeltCell { edges, ..melt }, recipe.seed).map_err(refused)?;
            let elements = elements(melt.formula_units);
            let oxide = match &config.pore {
                None => Oxide::of_glass(asked.0, asked, asked.1, elements, from_zero(positions), None, data)
                    .map_err(refused)?,
                Some(pore) => stand_in(pore, &cell, &positions, &elements, data, source)?,
            };
            return Ok((oxide, note));
        }
    };
    let mut certificate = kept.papers;
    let mut note = format!("{} ({origin})", certificate.summary());
    if !certificate.verdict.accepted && config.accept == Acceptance::Window {
        return Err(rejected(&certificate, source));
    }
    let pore = certificate.pore.take();
    let units = kept.positions.len() / 3;
    let edges = kept.cell.diagonal();
    let oxide = match (&certificate.slab, pore) {
        (Some(slab), None) => {
            let thickness = slab.thickness;
            let lateral = [edges.x, edges.y];
            Oxide::of_glass(lateral, asked, thickness, elements(units), kept.positions, Some(certificate), data)
        }
        (_, Some(pore)) => {
            note.push_str(&format!("\n{}", pore.summary()));
            Oxide::of_pore(&kept.cell, elements(units), kept.positions, pore, data).map(|mut oxide| {
                oxide.report.crystal = "amorphous".into();
                (oxide.report.lateral_asked, oxide.report.thickness_asked) = (Some(asked.0), Some(asked.1));
                oxide.report.glass = Some(Box::new(certificate));
                oxide
            })
        }
        _ => return Err(RunnerError::Bug("a glass without slab or pore".into())),
    }
    .map_err(refused)?;
    Ok((oxide, note))
}

/// A pore in the atoms that stand in for a glass: as many will be left about, and no more is right of it.
fn stand_in(
    pore: &PoreConfig,
    cell: &Cell,
    positions: &[Vec3],
    elements: &[&'static str],
    data: &ForceFieldData,
    source: &Source,
) -> Result<Oxide, RunnerError> {
    let charges: Vec<f64> = elements.iter().map(|e| if *e == "Ti" { 2.0 } else { -1.0 }).collect();
    let edges = cell.diagonal();
    let carved = pore.carve(Block { cell, positions, elements, charges: &charges }, [edges.x, edges.y]);
    let Some(carved) = carved else { return Err(RunnerError::Bug("no axis for a pore was tried".into())) };
    let kept: Vec<&'static str> = carved.kept.iter().map(|&k| elements[k]).collect();
    let report = pore.report(cell, &carved, &kept);
    let mut oxide = Oxide::of_pore(cell, kept, carved.positions, report, data).map_err(|e| build_error(&e, source))?;
    // Atoms at random have no bonds to speak of.
    oxide.report.warnings.clear();
    Ok(oxide)
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

//! The making of a glass: melt, quench, relax; then cut, or carve a pore; anneal what is free.

use std::sync::Arc;
use std::time::Instant;

use amelo_build::amorphous::{elements, random_start};
use amelo_build::cleave::cleave;
use amelo_build::pore::carve::Block;
use amelo_build::{Certificate, PoreConfig};
use amelo_core::{Cell, Nonbonded, Precision, System};
use amelo_dynamics::Observables;
use amelo_math::Vec3;

use super::cache::Kept;
use super::from_zero;
use super::furnace::{Furnace, Phase, Sample, Shape};
use super::measurements::{Bulk, certify, look_at_slab};
use super::recipe::Recipe;
use crate::error::RunnerError;
use crate::progress::Reporter;

/// Vacuum above a slab, as a share of its height, and at least (nm): the slab correction takes images that stand apart.
const VACUUM: (f64, f64) = (1.0, 2.0);
/// Force (kJ/mol/nm) and steps at which the random start is loose enough to be melted.
const LOOSE: (f64, u64) = (2e4, 500);
/// What to do when a making fails.
const HELP: &str = "take a shorter `timestep`, a cooler `melt`, or another `seed` in [system.oxide.amorphous]";

/// Makes the glass: the oxide in its cell and its last settings, and what is kept of it.
pub(super) fn make(
    recipe: &Recipe,
    reporter: &Reporter,
) -> Result<(System, Nonbonded, Kept<Certificate>), RunnerError> {
    let s = &recipe.settings;
    reporter.message(&format!(
        "making glass {}: {} TiO2, seed {}, {} steps of {} fs",
        recipe.short(),
        recipe.melt.formula_units,
        recipe.seed,
        recipe.n_steps(),
        1e3 * s.timestep.0
    ));
    let mut furnace = Furnace {
        what: "glass",
        help: HELP,
        pair_table: &recipe.oxide.pair_table,
        r_cut: s.r_cut.0,
        timestep: s.timestep.0,
        seed: recipe.seed,
        precision: Precision::Mixed,
        total: recipe.n_steps(),
        reporter,
        began: Instant::now(),
        done: 0,
        phase: 0,
        guard_entries: 0,
    };
    let start = random_start(&recipe.melt, recipe.seed);
    let (cell, positions) = start.map_err(|e| furnace.failed("placing", &e.to_string()))?;
    let mut system = System::new(Arc::new(recipe.oxide.topology.clone()), cell, positions);
    let bulk = Shape::Bulk(s.pressure());
    furnace.minimize("loosening the start", &mut system, bulk, LOOSE.0, LOOSE.1)?;
    let (melt, cool) = (s.melt.temperature.0, s.temperature.0);
    amelo_dynamics::draw_velocities(&mut system, melt, recipe.seed);
    system.displacements.fill(Vec3::ZERO);
    let phase = |name, temperatures, n_steps| Phase { name, shape: bulk, temperatures, n_steps };
    furnace.run(&phase("melt", [melt, melt], recipe.steps(s.melt.time.0)), &mut system, None)?;
    let square: f64 = system.displacements.iter().map(|d| d.norm2()).sum();
    let melt_displacement = (square / system.n_atoms() as f64).sqrt();
    furnace.run(&phase("quench", [melt, cool], recipe.cooling_steps(melt)), &mut system, None)?;
    let mut measured = Bulk::new(&system, melt_displacement)?;
    let mut observe = |system: &System, now: &Observables| measured.observe(system, now);
    furnace.run(&phase("relax", [cool, cool], recipe.steps(s.relax.0)), &mut system, Some(&mut observe))?;
    let (shape, certificate) = match &s.pore {
        None => {
            let slab = cut(recipe, &mut furnace, &mut system)?;
            let certificate =
                certify(recipe, measured, furnace.guard_entries, |bulk| look_at_slab(bulk, &system, slab))?;
            (Shape::Slab, certificate)
        }
        Some(pore) => {
            let report = carve(recipe, pore, &mut furnace, &mut system)?;
            let certificate = certify(recipe, measured, furnace.guard_entries, |_| (None, Some(report)))?;
            (Shape::Pore, certificate)
        }
    };
    reporter.message(&format!("  made in {:.0} s; {}", furnace.began.elapsed().as_secs_f64(), certificate.summary()));
    let kept = Kept { cell: system.cell, positions: system.positions.clone(), papers: certificate };
    let nonbonded = furnace.nonbonded(&system, shape)?;
    Ok((system, nonbonded, kept))
}

/// What the cut and the annealing of a slab say of it.
pub(super) struct Cut {
    /// Volume of the glass per area (nm).
    pub thickness: f64,
    /// Bonds parted per area (nm⁻²).
    pub broken_bonds: f64,
    /// Dipole per area of the fresh cut (e/nm).
    pub dipole_per_area: f64,
    /// Tension (kJ/mol/nm²).
    pub tension: f64,
}

/// Cuts the glass open and anneals both surfaces.
fn cut(recipe: &Recipe, furnace: &mut Furnace, system: &mut System) -> Result<Cut, RunnerError> {
    let thickness = system.cell.diagonal().z;
    let elements = elements(recipe.melt.formula_units);
    let cleaved = cleave(&system.cell, &system.positions, &elements, &system.topology.charges);
    open(system, cleaved.positions).map_err(|e| furnace.failed("cutting", &e))?;
    let mut tensions = Vec::new();
    let height = system.cell.diagonal().z;
    let mut observe = |_: &System, now: &Observables| {
        let p = now.pressure;
        tensions.push(-0.5 * (p[(0, 0)] + p[(1, 1)]) * height);
        Ok(())
    };
    anneal(recipe, furnace, system, Shape::Slab, Some(&mut observe))?;
    let tension = tensions.iter().sum::<f64>() / tensions.len() as f64;
    system.positions = from_zero(std::mem::take(&mut system.positions));
    Ok(Cut { thickness, broken_bonds: cleaved.broken_bonds, dipole_per_area: cleaved.dipole_per_area, tension })
}

/// Carves the pore and anneals its wall.
fn carve(
    recipe: &Recipe,
    pore: &PoreConfig,
    furnace: &mut Furnace,
    system: &mut System,
) -> Result<amelo_build::PoreReport, RunnerError> {
    let all = elements(recipe.melt.formula_units);
    let charges = system.topology.charges.clone();
    let block = Block { cell: &system.cell, positions: &system.positions, elements: &all, charges: &charges };
    let edges = system.cell.diagonal();
    let carved = pore.carve(block, [edges.x, edges.y]);
    let carved = carved.ok_or_else(|| RunnerError::Bug("no axis for a pore was tried".into()))?;
    let kept: Vec<&'static str> = carved.kept.iter().map(|&k| all[k]).collect();
    let mut report = pore.report(&system.cell, &carved, &kept);
    furnace.reporter.message(&format!("  {}", report.summary()));
    let oxide = recipe.oxide_of(&kept).map_err(|e| furnace.failed("carving", &e.to_string()))?;
    let velocities = carved.kept.iter().map(|&k| system.velocities[k]).collect();
    let time = system.time;
    *system = System::new(Arc::new(oxide.topology), system.cell, carved.positions.clone());
    (system.velocities, system.time) = (velocities, time);
    anneal(recipe, furnace, system, Shape::Pore, None)?;
    let charges = &system.topology.charges;
    report.relaxed(&recipe.hash, &system.cell, &kept, charges, [&carved.positions, &system.positions]);
    Ok(report)
}

/// The holds of what is free, each with its cooling, and the settling behind them.
fn anneal(
    recipe: &Recipe,
    furnace: &mut Furnace,
    system: &mut System,
    shape: Shape,
    sample: Option<&mut Sample>,
) -> Result<(), RunnerError> {
    let s = &recipe.settings;
    let cool = s.temperature.0;
    let phase = |name, temperatures, n_steps| Phase { name, shape, temperatures, n_steps };
    for (k, hold) in std::iter::once(&s.surface_anneal).chain(&s.treatment).enumerate() {
        let name = if k == 0 { "anneal the surfaces" } else { "treat" };
        let high = hold.temperature.0;
        furnace.run(&phase(name, [high; 2], recipe.steps(hold.time.0)), system, None)?;
        let n_steps = recipe.cooling_steps(high);
        if n_steps > 0 {
            furnace.run(&phase("cool", [high, cool], n_steps), system, None)?;
        }
    }
    furnace.run(&phase("settle", [cool; 2], recipe.steps(s.relax.0)), system, sample)
}

/// Puts the cut glass into a cell with vacuum, half of it on each side; velocities stay.
fn open(system: &mut System, mut positions: Vec<Vec3>) -> Result<(), String> {
    let extent = positions.iter().map(|r| r.z).fold(0.0, f64::max);
    let vacuum = (VACUUM.0 * extent).max(VACUUM.1);
    let edges = system.cell.diagonal();
    positions.iter_mut().for_each(|r| r.z += 0.5 * vacuum);
    system.cell = Cell::orthorhombic(edges.x, edges.y, extent + vacuum).map_err(|e| e.to_string())?;
    system.positions = positions;
    system.wrap();
    system.images.fill([0; 3]);
    Ok(())
}

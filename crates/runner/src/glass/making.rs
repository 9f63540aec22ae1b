//! The making of a glass: melt, quench, relax; cut; anneal both surfaces.
//!
//! v-rescale, isotropic cell rescaling. Everything is a function of the recipe: the same bits for any number of threads.
//! Precision is double: forces between neighbours in a melt of 5000 K leave the range of the mixed pair loop, which then
//! goes pair by pair and is four times slower.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use amelo_build::amorphous::{Hold, elements, random_start};
use amelo_build::cleave::cleave;
use amelo_core::quantity::{Compressibility, Force, Temperature, Time};
use amelo_core::units::BAR_PER_PRESSURE;
use amelo_core::{Cell, Modifier, Nonbonded, Precision, Request, System, TermSum};
use amelo_dynamics::{
    Coupling, Ensemble, Integrator, IntegratorSettings, MinimizeConfig, NptConfig, NvtConfig, Observables,
    ThermostatKind,
};
use amelo_math::Vec3;

use super::measurements::{Bulk, certify};
use super::recipe::Recipe;
use super::{Slab, from_zero};
use crate::engine::{Model, References};
use crate::error::{RunnerError, StopReason};
use crate::plan::Conditions;
use crate::progress::{Progress, Reporter};

/// RMS force error of PME (kJ/mol/nm). LAMMPS' PPPM at 1e-4 of the force between unit charges 0.1 nm apart allows 1.39;
/// thermal forces in the melt are thousands.
const FORCE_ERROR: f64 = 1.0;
/// Time constant of the thermostat (ps): short against a ramp of 50 K/ps, which it then follows within 5 K.
const THERMOSTAT: f64 = 0.1;
/// Compressibility (nm³ mol/kJ) and relaxation time (ps) of the volume: those of anatase with a bulk modulus of 179 GPa
/// (T. Arlt et al., Phys. Rev. B 61, 14414 (2000), doi:10.1103/PhysRevB.61.14414). They set the pace, not the result; a
/// melt, some ten times as soft, follows within 5 ps.
const COMPRESSIBILITY: f64 = BAR_PER_PRESSURE / 1.79e6;
const BAROSTAT: f64 = 0.5;
/// Time between samples of what is measured (ps).
const SAMPLE: f64 = 0.1;
/// Vacuum above a slab, as a share of its height, and at least (nm): the slab correction takes images that stand apart.
const VACUUM: (f64, f64) = (1.0, 2.0);
/// Force (kJ/mol/nm) and steps at which the random start is loose enough to be melted.
const LOOSE: (f64, u64) = (2e4, 500);

/// Cut-off and Coulomb settings for `system`, periodic or a slab, with PME chosen for its cell.
fn nonbonded(recipe: &Recipe, system: &System, slab: bool) -> Result<Nonbonded, RunnerError> {
    let r_cut = recipe.settings.r_cut.0;
    let choices = amelo_electrostatics::pme_for_force_error(system, r_cut, FORCE_ERROR)
        .map_err(|e| failed("choosing PME", &e.to_string()))?;
    Ok(Nonbonded {
        r_cut,
        modifier: Modifier::PotentialShift,
        dispersion_correction: !slab,
        coulomb: choices[0].coulomb(),
        slab: slab.then_some(2),
        precision: Precision::Double,
    })
}

/// What happens at a sample.
type Sample<'a> = dyn FnMut(&System, &Observables) -> Result<(), RunnerError> + 'a;

/// Makes the glass: the slab in its cell with vacuum and its last settings, and what is kept of it.
pub(super) fn make(recipe: &Recipe, reporter: &Reporter) -> Result<(System, Nonbonded, Slab), RunnerError> {
    let s = &recipe.settings;
    reporter.message(&format!(
        "making glass {}: {} TiO2, seed {}, {} steps of {} fs",
        recipe.short(),
        recipe.melt.formula_units,
        recipe.seed,
        recipe.n_steps(),
        1e3 * s.timestep.0
    ));
    let mut furnace = Furnace { recipe, reporter, began: Instant::now(), done: 0, phase: 0, guard_entries: 0 };
    let (cell, positions) = random_start(&recipe.melt, recipe.seed).map_err(|e| failed("placing", &e.to_string()))?;
    let mut system = System::new(Arc::new(recipe.oxide.topology.clone()), cell, positions);
    furnace.loosen(&mut system)?;
    let melt = s.melt.temperature.0;
    amelo_dynamics::draw_velocities(&mut system, melt, recipe.seed);
    system.displacements.fill(Vec3::ZERO);
    furnace.bulk("melt", &mut system, [melt, melt], recipe.steps(s.melt.time.0), None)?;
    let square: f64 = system.displacements.iter().map(|d| d.norm2()).sum();
    let melt_displacement = (square / system.n_atoms() as f64).sqrt();
    furnace.bulk("quench", &mut system, [melt, s.temperature.0], recipe.cooling_steps(melt), None)?;
    let mut bulk = Bulk::new(&system, melt_displacement)?;
    let mut observe = |system: &System, now: &Observables| bulk.observe(system, now);
    furnace.bulk("relax", &mut system, [s.temperature.0; 2], recipe.steps(s.relax.0), Some(&mut observe))?;

    let elements = elements(recipe.melt.formula_units);
    let thickness = system.cell.diagonal().z;
    let cleaved = cleave(&system.cell, &system.positions, &elements, &system.topology.charges);
    open(&mut system, cleaved.positions.clone())?;
    for (k, hold) in std::iter::once(&s.surface_anneal).chain(&s.treatment).enumerate() {
        furnace.treat(if k == 0 { "anneal the surfaces" } else { "treat" }, &mut system, hold)?;
    }
    let mut tensions = Vec::new();
    let height = system.cell.diagonal().z;
    let mut observe = |_: &System, now: &Observables| {
        let p = now.pressure;
        tensions.push(-0.5 * (p[(0, 0)] + p[(1, 1)]) * height);
        Ok(())
    };
    furnace.surface("settle", &mut system, [s.temperature.0; 2], recipe.steps(s.relax.0), Some(&mut observe))?;
    let tension = tensions.iter().sum::<f64>() / tensions.len() as f64;
    let edges = system.cell.diagonal();
    system.positions = from_zero(std::mem::take(&mut system.positions));
    let certificate = certify(recipe, bulk, &system, thickness, &cleaved, tension, furnace.guard_entries)?;
    reporter.message(&format!("  made in {:.0} s; {}", furnace.began.elapsed().as_secs_f64(), certificate.summary()));
    let slab = Slab { lateral: [edges.x, edges.y], positions: system.positions.clone(), certificate };
    let nonbonded = nonbonded(recipe, &system, true)?;
    Ok((system, nonbonded, slab))
}

/// Puts the cut glass into a cell with vacuum, half of it on each side; velocities stay.
fn open(system: &mut System, mut positions: Vec<Vec3>) -> Result<(), RunnerError> {
    let extent = positions.iter().map(|r| r.z).fold(0.0, f64::max);
    let vacuum = (VACUUM.0 * extent).max(VACUUM.1);
    let edges = system.cell.diagonal();
    positions.iter_mut().for_each(|r| r.z += 0.5 * vacuum);
    system.cell =
        Cell::orthorhombic(edges.x, edges.y, extent + vacuum).map_err(|e| failed("cutting", &e.to_string()))?;
    system.positions = positions;
    system.wrap();
    system.images.fill([0; 3]);
    Ok(())
}

/// What moves a glass through its making.
struct Furnace<'a> {
    recipe: &'a Recipe,
    reporter: &'a Reporter<'a>,
    began: Instant,
    /// Steps done.
    done: u64,
    /// Phases done: each has noise of its own.
    phase: u32,
    guard_entries: u64,
}

impl Furnace<'_> {
    /// Forces on `system`, with PME chosen for its cell.
    fn terms(&self, system: &System, slab: bool) -> Result<TermSum, RunnerError> {
        let nonbonded = nonbonded(self.recipe, system, slab)?;
        let topology = system.topology.clone();
        let model = Model { topology: topology.clone(), pair_table: self.recipe.oxide.pair_table.clone(), nonbonded };
        model.terms(&topology, &system.cell, &Conditions::default(), &References::at(system))
    }

    /// Takes the worst overlaps out of the random start.
    fn loosen(&mut self, system: &mut System) -> Result<(), RunnerError> {
        let mut terms = self.terms(system, false)?;
        let config =
            MinimizeConfig { force_tolerance: Force(LOOSE.0), max_steps: LOOSE.1, ..MinimizeConfig::default() };
        let reporter = self.reporter;
        amelo_dynamics::minimize(system, &mut terms, &config, &mut |_| match reporter.stop_requested() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        })
        .map_err(|e| failed("loosening the start", &e.to_string()))?;
        Ok(())
    }

    /// A phase of the periodic glass, from one temperature to another (K).
    fn bulk(
        &mut self,
        name: &str,
        system: &mut System,
        [from, to]: [f64; 2],
        n_steps: u64,
        sample: Option<&mut Sample>,
    ) -> Result<(), RunnerError> {
        let ensemble = match self.recipe.settings.pressure() {
            None => nvt([from, to]),
            Some(pressure) => Ensemble::Npt(NptConfig {
                temperature_end: Some(Temperature(to)),
                time_constant: Some(Time(THERMOSTAT)),
                barostat_time_constant: Some(Time(BAROSTAT)),
                compressibility: Some(Compressibility(COMPRESSIBILITY)),
                ..NptConfig::new(ThermostatKind::VRescale, Coupling::Isotropic, from, pressure)
            }),
        };
        let terms = self.terms(system, false)?;
        self.run(name, system, terms, ensemble, n_steps, sample)
    }

    /// A phase of the slab.
    fn surface(
        &mut self,
        name: &str,
        system: &mut System,
        temperatures: [f64; 2],
        n_steps: u64,
        sample: Option<&mut Sample>,
    ) -> Result<(), RunnerError> {
        let terms = self.terms(system, true)?;
        self.run(name, system, terms, nvt(temperatures), n_steps, sample)
    }

    /// A hold of the slab with its cooling.
    fn treat(&mut self, name: &str, system: &mut System, hold: &Hold) -> Result<(), RunnerError> {
        let high = hold.temperature.0;
        self.surface(name, system, [high; 2], self.recipe.steps(hold.time.0), None)?;
        match self.recipe.cooling_steps(high) {
            0 => Ok(()),
            n => self.surface("cool", system, [high, self.recipe.settings.temperature.0], n, None),
        }
    }

    /// Steps through one phase; `sample` sees its second half.
    fn run(
        &mut self,
        name: &str,
        system: &mut System,
        mut terms: TermSum,
        ensemble: Ensemble,
        n_steps: u64,
        mut sample: Option<&mut Sample>,
    ) -> Result<(), RunnerError> {
        let refused = |e: amelo_dynamics::DynamicsError| failed(name, &e.to_string());
        let timestep = self.recipe.settings.timestep.0;
        let seed = self.recipe.seed;
        let settings =
            IntegratorSettings { timestep, seed, stream: self.phase, n_steps, ..IntegratorSettings::default() };
        let mut integrator = Integrator::new(ensemble, settings, system).map_err(refused)?;
        integrator.start(system, &mut terms).map_err(refused)?;
        // The last step is always a sample.
        let every = self.recipe.steps(SAMPLE).min(n_steps.div_ceil(4));
        let total = self.recipe.n_steps();
        for step in 1..=n_steps {
            if self.reporter.stop_requested() {
                return Err(RunnerError::Stopped { reason: StopReason::Signal, step: 0 });
            }
            let samples = sample.is_some() && 2 * step > n_steps && (n_steps - step).is_multiple_of(every);
            let want = if samples { Request::ALL } else { Request::FORCES };
            integrator.step(system, &mut terms, want).map_err(refused)?;
            let events = &integrator.forces().events;
            self.guard_entries += events.iter().filter(|(name, _)| *name == "guard").map(|(_, n)| *n).sum::<u64>();
            self.done += 1;
            if let Some(sample) = sample.as_mut().filter(|_| samples) {
                sample(system, &integrator.observe(system))?;
            }
            self.reporter.progress(
                || {
                    let pace = self.began.elapsed().as_secs_f64() / self.done as f64;
                    Progress {
                        stage: format!("glass: {name}"),
                        step: self.done,
                        n_steps: total,
                        time: system.time,
                        ns_per_day: Some(86.4 * timestep / pace),
                        eta_seconds: Some(pace * total.saturating_sub(self.done) as f64),
                        detail: format!(
                            "T {:.0} K, {:.3} g/cm^3",
                            integrator.observe(system).temperature,
                            system.density()
                        ),
                    }
                },
                self.done == total,
            );
        }
        let now = integrator.observe(system);
        self.reporter.message(&format!(
            "  {name}: {:.3} ps, {:.0} K, density in the cell {:.3} g/cm^3",
            n_steps as f64 * timestep,
            now.temperature,
            system.density()
        ));
        self.phase += 1;
        Ok(())
    }
}

fn nvt([from, to]: [f64; 2]) -> Ensemble {
    Ensemble::Nvt(NvtConfig {
        temperature_end: Some(Temperature(to)),
        time_constant: Some(Time(THERMOSTAT)),
        ..NvtConfig::new(ThermostatKind::VRescale, from)
    })
}

/// A making that cannot go on.
pub(super) fn failed(doing: &str, what: &str) -> RunnerError {
    RunnerError::Simulation {
        message: format!("making the glass: {doing}: {what}"),
        help: "take a shorter `timestep`, a cooler `melt`, or another `seed` in [system.oxide.amorphous]".into(),
        dossier: None,
    }
}

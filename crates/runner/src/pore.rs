//! The wall of a pore in a crystal, relaxed before anything is put into it: minimised, annealed, cooled, minimised again.
//! Made once for each recipe and then taken from the cache, as glasses are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use amelo_build::amorphous::Hold;
use amelo_build::pore::check_filling;
use amelo_build::{BuildError, Oxide, OxideConfig, PoreConfig, PoreReport, SystemConfig};
use amelo_core::quantity::{Temperature, Time};
use amelo_core::{Precision, System};
use amelo_io::parameters::ForceFieldData;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::deck::Deck;
use crate::error::RunnerError;
use crate::glass::Making;
use crate::glass::cache::{Kept, Shelf};
use crate::glass::furnace::{Furnace, Phase, Shape, steps};
use crate::glass::recipe::{hash, oxide_alone, oxide_scale, potentials};
use crate::nonbonded::NonbondedConfig;
use crate::preparation::build_error;
use crate::progress::Reporter;
use crate::provenance;
use crate::source::Source;

/// Changed whenever, within a version of amelo, the same settings make another wall than before.
const RELAXING: u32 = 1;
/// Cut-off (nm) and time step (ps).
const R_CUT: f64 = 0.9;
const TIMESTEP: f64 = 0.001;
/// Default annealing: temperature (K) and time (ps). The surfaces of glasses are annealed at the same temperature.
const ANNEAL: (f64, f64) = (700.0, 2.0);
/// Temperature (K) that the wall is cooled to, and rate (K/ps).
const COOL: (f64, f64) = (300.0, 100.0);
/// Largest force (kJ/mol/nm) and most steps of a minimisation: thermal forces at 300 K are ten times that.
const MINIMISED: (f64, u64) = (100.0, 2000);

/// The pore of a system, where it has one.
fn pore_of(config: &SystemConfig) -> Option<&PoreConfig> {
    match config.oxide.as_ref()? {
        OxideConfig::Anatase(c) | OxideConfig::Rutile(c) | OxideConfig::File(c) => c.pore.as_ref(),
        OxideConfig::Amorphous(c) => c.pore.as_ref(),
    }
}

/// What the stages and the cut-off of `deck` do to the pore that `config` asks for. Refused before anything is made.
pub fn check(deck: &Deck, config: &SystemConfig, source: &Source) -> Result<(), RunnerError> {
    let Some(pore) = pore_of(config) else { return Ok(()) };
    if let Some(lateral) = config.lateral {
        check_wall(deck, lateral.map(|l| l.0), pore.diameter.0, "system.lateral", source)?;
    }
    check_volume(deck, source)
}

/// The same for the state of another run, where `build`, the report on what was built there, has a pore.
pub fn check_restart(deck: &Deck, build: &Value, source: &Source) -> Result<(), RunnerError> {
    let oxide = &build["oxide"];
    let Some(diameter) = oxide["pore"]["diameter"].as_f64() else { return Ok(()) };
    // Without settings of its own the deck keeps the other run's.
    let is_set = deck.nonbonded.as_ref().is_some_and(|own| own.precision_alone(source).is_none());
    if let [Some(x), Some(y)] = [0, 1].map(|k| oxide["lateral_asked"][k].as_f64())
        && is_set
    {
        check_wall(deck, [x, y], diameter, "nonbonded.r_cut", source)?;
    }
    check_volume(deck, source)
}

/// A block with a pore is a solid along all three axes: the stress of so stiff an oxide says
/// nothing about the pressure of what fills the pore, and a barostat would strain the oxide.
fn check_volume(deck: &Deck, source: &Source) -> Result<(), RunnerError> {
    let mut problems = Vec::new();
    let mut before = None;
    for (k, stage) in deck.stage.iter().enumerate().filter(|(_, stage)| stage.npt.is_some()) {
        let place = stage.place.unwrap_or(k);
        // `equilibrate` is several stages.
        if before.replace(place) == Some(place) {
            continue;
        }
        let of = |kind: &str| format!("stage[{place}].{kind}");
        let written = source.keys_of(&format!("stage[{place}]"));
        let kind = if written.iter().any(|key| key == "equilibrate") { "equilibrate" } else { "npt" };
        let found = "a pore has no pressure of its own to be held: the block is a solid in all three directions, and a barostat \
                     would strain it until its stress is the one asked for";
        problems.push(source.problem(&of(kind), found).help(
            "run it at constant volume: nvt, with until_stationary = {} where it shall end at rest; packing_density sets the \
             density in the pore",
        ));
    }
    if problems.is_empty() { Ok(()) } else { Err(RunnerError::Input { problems }) }
}

/// Molecules in a pore of a `diameter` (nm) must not feel those in its image, in a block with `lateral` edges (nm). `key`:
/// where the deck says what is wrong.
fn check_wall(deck: &Deck, lateral: [f64; 2], diameter: f64, key: &str, source: &Source) -> Result<(), RunnerError> {
    let r_cut = deck.nonbonded.as_ref().map_or(NonbondedConfig::default().r_cut, |n| n.r_cut).0;
    let edge = lateral[0].min(lateral[1]);
    let wall = edge - diameter;
    // A pore that is wider than its block is another mistake, which the builder explains.
    if wall >= r_cut || wall <= 0.0 {
        return Ok(());
    }
    Err(RunnerError::input(
        source
            .problem(
                key,
                format!(
                    "the wall between a pore of {diameter} nm and its image in a block of {edge} nm is {wall:.3} nm thin, less than \
                     the cut-off of {r_cut} nm: molecules in one would feel those in the other"
                ),
            )
            .help(format!("make `lateral` at least {:.3} nm, the pore narrower, or `nonbonded.r_cut` shorter", diameter + r_cut)),
    ))
}

/// The pore of a crystal in a deck.
pub struct CrystalPore<'a> {
    /// What the deck says of it.
    pub config: &'a PoreConfig,
    /// The carved crystal.
    pub oxide: Oxide,
    /// Deck path of the oxide.
    pub key: String,
}

impl<'a> CrystalPore<'a> {
    /// Carves the pore that `system` asks for; none where it asks for none, or is a glass.
    pub fn carve(
        system: &'a SystemConfig,
        data: &ForceFieldData,
        source: &Source,
    ) -> Result<Option<Self>, RunnerError> {
        let Some(oxide) = &system.oxide else { return Ok(None) };
        let config = match oxide {
            OxideConfig::Anatase(c) | OxideConfig::Rutile(c) | OxideConfig::File(c) => c.pore.as_ref(),
            OxideConfig::Amorphous(_) => None,
        };
        let Some(config) = config else { return Ok(None) };
        let refused = |e: BuildError| build_error(&e, source);
        let lateral = system.lateral.map(|l| l.map(|e| e.0));
        let carved = oxide.whole(lateral, data).map_err(refused)?;
        // Before minutes go into the wall.
        check_filling(system, &carved, data).map_err(refused)?;
        Ok(Some(CrystalPore { config, oxide: carved, key: oxide.key() }))
    }

    /// Relaxes the wall, or takes it from the cache; the oxide with one sentence about it, and whether it is relaxed.
    pub fn relax(
        self,
        data: &ForceFieldData,
        charge_scale: &BTreeMap<String, f64>,
        seed: u64,
        making: Making,
        source: &Source,
        reporter: &Reporter,
    ) -> Result<(Oxide, String, bool), RunnerError> {
        let CrystalPore { config, mut oxide, key } = self;
        let Some(carved) = oxide.report.pore.clone() else {
            return Err(RunnerError::Bug("a pore without report".into()));
        };
        let refused = |e: BuildError| build_error(&e, source);
        let cell = oxide.cell(0.0).map_err(refused)?;
        if cell.half_width() < R_CUT {
            let problem = source.problem(
                &format!("{key}.thickness"),
                format!(
                    "the wall of a pore is relaxed with a cut-off of {R_CUT} nm, and the block is only {:.3} nm across",
                    2.0 * cell.half_width()
                ),
            );
            return Err(RunnerError::input(
                problem.help(format!("make every edge of the block at least \"{:.2} nm\"", 2.0 * R_CUT)),
            ));
        }
        let assignment = oxide_alone(&oxide.elements, data, &oxide_scale(charge_scale)).map_err(refused)?;
        let hold = config.anneal.unwrap_or(Hold { temperature: Temperature(ANNEAL.0), time: Time(ANNEAL.1) });
        let mut atoms = Sha256::new();
        for (element, r) in oxide.elements.iter().zip(&oxide.positions) {
            atoms.update(element);
            r.to_array().iter().for_each(|x| atoms.update(x.to_le_bytes()));
        }
        let recipe = hash(&json!({
            "amelo": provenance::VERSION,
            "relaxing": RELAXING,
            "instruction_set": provenance::instruction_set(),
            "edges": cell.diagonal().to_array(),
            "atoms": atoms.finalize().to_vec(),
            "anneal": hold,
            "seed": seed,
            "potentials": potentials(&assignment),
        }));
        let work = Work { recipe: &recipe, oxide: &oxide, carved: &carved, hold, seed, reporter };
        let shelf = Shelf::new("pore", "pores", None, source);
        let found: Option<Kept<PoreReport>> = shelf.find(&recipe, reporter);
        let (kept, origin) = match (found, making) {
            (Some(kept), _) => (kept, "from the cache"),
            (None, Making::IfMissing) => {
                let topology = Arc::new(assignment.topology.clone());
                let system = System::new(topology, cell, oxide.positions.clone());
                shelf.make(&recipe, &assignment.pair_table, reporter, || work.relax(system, &assignment))?
            }
            (None, Making::Never) => {
                let note = format!("{}, as carved: its wall will be relaxed before a run", carved.summary());
                return Ok((oxide, note, false));
            }
        };
        let note = format!("{} ({origin})", kept.papers.summary());
        // The certificate says what the deck asks for, also where another deck's pore turned out the same.
        oxide.relax_pore(kept.positions, PoreReport { diameter: carved.diameter, ..kept.papers });
        Ok((oxide, note, true))
    }
}

/// A wall to be relaxed.
struct Work<'a> {
    recipe: &'a str,
    oxide: &'a Oxide,
    carved: &'a PoreReport,
    hold: Hold,
    seed: u64,
    reporter: &'a Reporter<'a>,
}

impl Work<'_> {
    fn relax(
        &self,
        mut system: System,
        assignment: &amelo_build::Assignment,
    ) -> Result<(System, amelo_core::Nonbonded, Kept<PoreReport>), RunnerError> {
        let high = self.hold.temperature.0;
        let drop = (high - COOL.0).max(0.0) / COOL.1;
        let cooling = if drop > 0.0 { steps(drop, TIMESTEP) } else { 0 };
        let holding = steps(self.hold.time.0, TIMESTEP);
        self.reporter.message(&format!(
            "relaxing the wall of a pore in {}: {} TiO2, {} steps of {} fs; {}",
            self.oxide.report.crystal,
            self.oxide.report.formula_units,
            holding + cooling,
            1e3 * TIMESTEP,
            self.carved.summary()
        ));
        let mut furnace = Furnace {
            what: "pore",
            help: "take a cooler `anneal`, or another `diameter`",
            pair_table: &assignment.pair_table,
            r_cut: R_CUT,
            timestep: TIMESTEP,
            seed: self.seed,
            precision: Precision::Mixed,
            total: holding + cooling,
            reporter: self.reporter,
            began: Instant::now(),
            done: 0,
            phase: 0,
            guard_entries: 0,
        };
        let shape = Shape::Pore;
        let before = furnace.minimize("minimising the wall", &mut system, shape, MINIMISED.0, MINIMISED.1)?;
        amelo_dynamics::draw_velocities(&mut system, high, self.seed);
        furnace.run(&Phase { name: "anneal", shape, temperatures: [high; 2], n_steps: holding }, &mut system, None)?;
        if cooling > 0 {
            let temperatures = [high, COOL.0];
            furnace.run(&Phase { name: "cool", shape, temperatures, n_steps: cooling }, &mut system, None)?;
        }
        let after = furnace.minimize("minimising the annealed wall", &mut system, shape, MINIMISED.0, MINIMISED.1)?;
        system.velocities.fill(amelo_math::Vec3::ZERO);
        let mut report = self.carved.clone();
        let units = self.oxide.report.formula_units as f64;
        report.energy_per_unit =
            [before.initial_energy, before.last.energy, after.last.energy].iter().map(|e| e / units).collect();
        let elements = &self.oxide.elements;
        let ends = [&self.oxide.positions[..], &system.positions[..]];
        report.relaxed(self.recipe, &system.cell, elements, &system.topology.charges, ends);
        self.reporter.message(&format!(
            "  relaxed in {:.0} s; {}",
            furnace.began.elapsed().as_secs_f64(),
            report.summary()
        ));
        let kept = Kept { cell: system.cell, positions: system.positions.clone(), papers: report };
        let nonbonded = furnace.nonbonded(&system, shape)?;
        Ok((system, nonbonded, kept))
    }
}

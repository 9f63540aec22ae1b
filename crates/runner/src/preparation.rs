//! What a run starts from: a system built from parts, pushed apart and resolved, the state of another run, or another
//! program's files.

mod parts;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use amelo_build::{BuildError, BuildReport};
use amelo_core::{Cell, Coulomb, Nonbonded, System, Topology};
use amelo_electrostatics::PmeChoice;
use amelo_io::Snapshot;
use amelo_io::formats::Imported;
use amelo_math::{Mat3, Vec3};
use serde::Serialize;

use crate::checkpointing::{self, meta};
use crate::deck::{self, Deck, SystemSource};
use crate::engine::Model;
use crate::error::{Problem, RunnerError};
use crate::glass::Making;
use crate::import::ImportConfig;
use crate::nonbonded::{NonbondedConfig, Precision, describe};
use crate::plan;
use crate::pore;
use crate::progress::{Monitor, Reporter};
use crate::source::Source;

pub(crate) use parts::templates;

/// A system with its model, ready for the first stage.
#[derive(Debug)]
pub struct Prepared {
    /// Force field and topology.
    pub model: Model,
    /// Positions, cell and, from another run, velocities.
    pub system: System,
    /// Texts for the checkpoint: reports of building and of assignment.
    pub meta: BTreeMap<String, String>,
    /// The same for `run.log`.
    pub notes: Vec<String>,
    /// Settings of PME to choose from by timing, where the deck asks for that.
    pub candidates: Vec<PmeChoice>,
    /// What was built, where it was.
    pub build: Option<BuildReport>,
    /// Number of hydrogens that were made heavier, and their mass (u).
    pub hydrogens: Option<(usize, f64)>,
    /// What stands in for a glass that has not been made.
    pub stand_in: Option<String>,
}

/// Builds or loads what `[system]` says and resolves the force field. A glass that is not in the cache is made first.
pub fn prepare(deck: &Deck, source: &Source, reporter: &Reporter) -> Result<Prepared, RunnerError> {
    prepare_with(Making::IfMissing, deck, source, reporter)
}

/// As [`prepare`], with or without the dynamics that a missing glass takes.
pub fn prepare_with(
    making: Making,
    deck: &Deck,
    source: &Source,
    reporter: &Reporter,
) -> Result<Prepared, RunnerError> {
    if let Some(nonbonded) = &deck.nonbonded {
        let problems = nonbonded.check(source);
        if !problems.is_empty() {
            return Err(RunnerError::Input { problems });
        }
    }
    let mut prepared = match &deck.system {
        SystemSource::Build(config) => parts::build(deck, config, making, source, reporter),
        SystemSource::Restart(restart) => load(deck, &source.resolve(&restart.restart.from), source),
        SystemSource::Import(system) => import(deck, &system.import, source, reporter),
    }?;
    if let Some(mass) = deck.dynamics.hydrogen_mass {
        prepared.repartition_hydrogen_mass(mass.0, source, reporter)?;
    }
    Ok(prepared)
}

impl Prepared {
    /// Makes every hydrogen weigh `mass` (u) at the cost of its neighbour; the topology of a checkpoint has it so.
    fn repartition_hydrogen_mass(
        &mut self,
        mass: f64,
        source: &Source,
        reporter: &Reporter,
    ) -> Result<(), RunnerError> {
        let mut topology = (*self.model.topology).clone();
        let count = amelo_dynamics::repartition_hydrogen_mass(&mut topology, mass).map_err(|e| {
            RunnerError::input(
                source
                    .problem("dynamics.hydrogen_mass", e.to_string())
                    .help("3 u suits hydrogens on carbon, nitrogen and oxygen; leave the key out to keep the masses"),
            )
        })?;
        let note = format!("hydrogen mass: {count} hydrogens weigh {mass} u, taken from their heavy neighbours");
        reporter.message(&note);
        self.notes.push(note);
        self.hydrogens = Some((count, mass));
        self.model.topology = Arc::new(topology);
        self.system.topology = self.model.topology.clone();
        Ok(())
    }
}

/// The settings of `deck` for `system`, whose cell is made longer first where the slab correction asks for it; what was
/// chosen is noted.
fn resolve_nonbonded(
    config: &NonbondedConfig,
    deck: &Deck,
    source: &Source,
    system: &mut System,
    notes: &mut Vec<String>,
) -> Result<(Nonbonded, Vec<PmeChoice>), RunnerError> {
    if let Some(slab) = config.slab {
        let (axis, factor) = slab.resolved();
        extend(system, axis, factor).map_err(|p| RunnerError::input(p.at(Some(source.place_of("nonbonded.slab")))))?;
    }
    let (nonbonded, choices) =
        config.resolve(source, system, &plan::always_frozen(deck)).map_err(RunnerError::input)?;
    notes.extend(choices.first().map(|choice| describe(choice, "for the force error")));
    Ok((nonbonded, if config.tunes() { choices } else { Vec::new() }))
}

/// A build error at its deck key.
pub(crate) fn build_error(error: &BuildError, source: &Source) -> RunnerError {
    let message = error.to_string();
    // "what was found; what to do" reads better in two parts.
    let (message, help) = match message.rsplit_once("; ") {
        Some((found, remedy)) => (found.to_string(), remedy.to_string()),
        None => (message, "correct [system] or [forcefield]; amelo check --explain-keys lists the keys".into()),
    };
    let key = error.key().unwrap_or_else(|| "system".into());
    RunnerError::input(source.problem(&key, message).help(help))
}

/// `120 PEO, 8 Li, …`
fn composition(topology: &Topology) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for molecule in &topology.molecules {
        match counts.iter_mut().find(|(kind, _)| *kind == molecule.kind) {
            Some((_, n)) => *n += 1,
            None => counts.push((&molecule.kind, 1)),
        }
    }
    counts.iter().map(|(kind, n)| format!("{n} {kind}")).collect::<Vec<_>>().join(", ")
}

/// Makes the cell `factor` times longer along `axis`; what lay across the boundary is put together first, by cutting
/// at the largest gap.
fn extend(system: &mut System, axis: usize, factor: f64) -> Result<(), Problem> {
    if factor == 1.0 {
        return Ok(());
    }
    let length = system.cell.diagonal()[axis];
    let mut heights: Vec<f64> = system.positions.iter().map(|r| system.cell.to_fractional(*r)[axis]).collect();
    heights.sort_by(f64::total_cmp);
    let gaps = heights.windows(2).map(|w| (w[1] - w[0], 0.5 * (w[0] + w[1])));
    let around = heights.first().zip(heights.last()).map(|(low, high)| (1.0 - high + low, 0.0));
    let (gap, cut) = gaps.chain(around).fold((0.0, 0.0), |best, here| if here.0 > best.0 { here } else { best });
    if gap * length < 0.1 {
        return Err(Problem::new(format!(
            "the system fills the cell along the slab axis (largest gap {:.3} nm)",
            gap * length
        ))
        .help("build a film with vacuum (geometry.film), or leave out slab"));
    }
    let rows = system.cell.vectors().rows;
    let mut longer = rows;
    longer[axis] = longer[axis] * factor;
    for r in &mut system.positions {
        if system.cell.to_fractional(*r)[axis] < cut {
            *r += rows[axis];
        }
    }
    system.cell =
        Cell::new(Mat3::from_rows(longer[0], longer[1], longer[2])).map_err(|e| Problem::new(e.to_string()))?;
    system.wrap();
    system.images.fill([0; 3]);
    Ok(())
}

/// State of another run, at step 0 of this one.
fn load(deck: &Deck, path: &Path, source: &Source) -> Result<Prepared, RunnerError> {
    refuse_forcefield(deck, "[system.restart], whose state", source)?;
    let snapshot = read_snapshot(path)?;
    let Snapshot { mut system, pair_table, mut nonbonded, meta: mut texts, .. } = snapshot;
    if let Some(build) = texts.get(meta::BUILD).and_then(|text| serde_json::from_str(text).ok()) {
        pore::check_restart(deck, &build, source)?;
    }
    let topology = system.topology.clone();
    let (mut candidates, mut remarks) = (Vec::new(), Vec::new());
    let keeps_mesh = deck.nonbonded.as_ref().is_none_or(|config| config.precision_alone(source).is_some());
    if keeps_mesh && matches!(nonbonded.coulomb, Coulomb::Pme { .. }) {
        refuse_thawing(deck, &texts, source)?;
    }
    if let Some(config) = &deck.nonbonded {
        match config.precision_alone(source) {
            Some(precision) => nonbonded.precision = precision,
            None => (nonbonded, candidates) = resolve_nonbonded(config, deck, source, &mut system, &mut remarks)?,
        }
    }
    (system.step, system.time) = (0, 0.0);
    system.images.fill([0; 3]);
    system.displacements.fill(Vec3::ZERO);
    if let Some(atom) =
        system.positions.iter().zip(&system.velocities).position(|(r, v)| !r.is_finite() || !v.is_finite())
    {
        return Err(RunnerError::Files {
            message: format!("{}: position or velocity of atom {atom} is not a finite number", path.display()),
            help: "use an earlier checkpoint".into(),
        });
    }
    texts.retain(|name, _| [meta::BUILD, meta::ASSIGNMENT, meta::FORCEFIELD, meta::IMPORT].contains(&name.as_str()));
    let mut notes = vec![format!("{} atoms from {}: {}", topology.n_atoms(), path.display(), composition(&topology))];
    notes.extend(remarks);
    let model = Model { topology, pair_table, nonbonded };
    Ok(Prepared { model, system, meta: texts, notes, candidates, build: None, hydrogens: None, stand_in: None })
}

/// A mesh that was chosen for what moves beside groups that were frozen then and are not now.
fn refuse_thawing(deck: &Deck, texts: &BTreeMap<String, String>, source: &Source) -> Result<(), RunnerError> {
    // A deck of another version says nothing.
    let stored = checkpointing::StoredDeck::of(texts).ok().flatten();
    let Some(stored) = stored.filter(|stored| stored.chooses_mesh()) else { return Ok(()) };
    let now = plan::always_frozen(deck);
    let thawed: Vec<String> = stored.always_frozen().into_iter().filter(|name| !now.contains(name)).collect();
    if thawed.is_empty() {
        return Ok(());
    }
    let message = format!(
        "the mesh of this state was chosen for the forces on what moves beside \"{}\", which was frozen and may move here",
        thawed.join("\", \"")
    );
    let help = "write [nonbonded], which chooses the mesh anew, or freeze it in every stage here too";
    Err(RunnerError::input(source.problem("system.restart.from", message).help(help)))
}

/// A force field beside a system that holds its own.
fn refuse_forcefield(deck: &Deck, owner: &str, source: &Source) -> Result<(), RunnerError> {
    if deck.forcefield.is_none() {
        return Ok(());
    }
    Err(RunnerError::input(
        source
            .problem("forcefield", format!("[forcefield] stands beside {owner} holds its own force field"))
            .help("leave [forcefield] out, or build the system from parts"),
    ))
}

/// A system in another program's files. Their settings of non-bonded interactions hold unless the deck has its own.
fn import(deck: &Deck, config: &ImportConfig, source: &Source, reporter: &Reporter) -> Result<Prepared, RunnerError> {
    refuse_forcefield(deck, "[system.import], which", source)?;
    let Imported { mut system, pair_table, nonbonded: own, notes: remarks } = config.read(source)?;
    let topology = system.topology.clone();
    let charge = topology.total_charge();
    let mut notes = vec![format!("imported {} atoms: {}", topology.n_atoms(), composition(&topology))];
    notes.push(format!("net charge: {charge:+.6} e"));
    notes.extend(remarks);
    let defaults = NonbondedConfig::default();
    // The other program's files say nothing about a precision.
    let default = Some(Precision::default().resolved());
    let precision = deck.nonbonded.as_ref().map_or(default, |config| config.precision_alone(source));
    let (nonbonded, candidates) = match (own, precision) {
        (Some(own), Some(precision)) => (Nonbonded { precision, ..own }, Vec::new()),
        _ => {
            if precision.is_some() {
                notes.push(format!(
                    "the files say nothing about cut-offs: the deck's defaults hold (r_cut {}, potential-shift, PME)",
                    defaults.r_cut
                ));
            }
            resolve_nonbonded(deck.nonbonded.as_ref().unwrap_or(&defaults), deck, source, &mut system, &mut notes)?
        }
    };
    for note in &notes {
        reporter.message(note);
    }
    let model = Model { topology, pair_table, nonbonded };
    let record = serde_json::json!({ "files": config, "notes": notes });
    let meta = BTreeMap::from([(meta::IMPORT.to_string(), record.to_string())]);
    Ok(Prepared { model, system, meta, notes, candidates, build: None, hydrogens: None, stand_in: None })
}

/// A checkpoint, a system file, or the checkpoint of a run directory.
pub fn read_snapshot(path: &Path) -> Result<Snapshot, RunnerError> {
    if path.is_dir() {
        let (snapshot, trouble) = Snapshot::read_latest(&path.join(amelo_io::CHECKPOINT))?;
        if let Some(trouble) = trouble {
            tracing::warn!("{trouble}; taking the checkpoint before it");
        }
        return Ok(snapshot);
    }
    Ok(Snapshot::read(path)?)
}

/// What `amelo build` tells.
#[derive(Clone, Debug, Serialize)]
pub struct BuildSummary {
    /// Where the system is.
    pub file: PathBuf,
    /// Atoms.
    pub n_atoms: usize,
    /// Molecules by kind.
    pub composition: String,
    /// Sum of the charges (e).
    pub net_charge: f64,
    /// What was built; absent where the system came from another run or program.
    pub build: Option<BuildReport>,
    /// What else there is to know, one sentence each.
    pub notes: Vec<String>,
}

impl BuildSummary {
    /// For people.
    pub fn text(&self) -> String {
        let mut out = format!("{} atoms: {}; net charge {:+.6} e\n", self.n_atoms, self.composition, self.net_charge);
        if let Some(build) = &self.build {
            out.push_str(&crate::tables::build_lines(serde_json::to_value(build).unwrap_or_default()));
        } else {
            // The first two say what the line above says.
            self.notes.iter().skip(2).for_each(|note| out.push_str(&format!("note: {note}\n")));
        }
        out
    }
}

/// Makes the system of a deck and writes it to `output`; `monitor` hears of a glass in the making.
pub fn build_file(
    path: &Path,
    sets: &[String],
    output: &Path,
    overwrite: bool,
    monitor: &dyn Monitor,
) -> Result<BuildSummary, RunnerError> {
    let (_, source) = deck::read(path, sets)?;
    build_system_file(&source, output, overwrite, monitor)
}

/// Makes the system of a parsed deck and writes it to `output`.
pub fn build_system_file(
    source: &Source,
    output: &Path,
    overwrite: bool,
    monitor: &dyn Monitor,
) -> Result<BuildSummary, RunnerError> {
    let deck = deck::parse(source)?;
    if output.exists() && !overwrite {
        return Err(RunnerError::input(
            Problem::new(format!("{} exists already; nothing was touched", output.display()))
                .help("choose another -o, or give --overwrite"),
        ));
    }
    let prepared = prepare(&deck, source, &Reporter::new(monitor))?;
    let mut texts = prepared.meta;
    texts.insert(meta::DECK.into(), source.text.clone());
    texts.insert(meta::IDENTITY.into(), checkpointing::identity(&deck).to_string());
    let snapshot = Snapshot {
        system: prepared.system,
        pair_table: prepared.model.pair_table,
        nonbonded: prepared.model.nonbonded,
        state: amelo_core::State::default(),
        meta: texts,
    };
    snapshot.write_alone(output)?;
    let topology = &prepared.model.topology;
    Ok(BuildSummary {
        file: output.into(),
        n_atoms: topology.n_atoms(),
        composition: composition(topology),
        net_charge: topology.total_charge(),
        build: prepared.build,
        notes: prepared.notes,
    })
}

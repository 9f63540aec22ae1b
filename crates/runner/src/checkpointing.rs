//! Where a run stands, written so that `--resume` goes on with the same bits.
//!
//! Beside the system and what the propagators remember, a checkpoint holds the position in the list of stages, the
//! step at which each stage began, the reference positions of tethers, and the deck as it was understood. Records
//! (log rows, frames) of the checkpoint's step have been written before it; those beyond are dropped on resume.

use std::collections::BTreeMap;

use amelo_core::{Cell, State, System};
use amelo_io::Snapshot;
use amelo_math::{Mat3, Vec3};
use serde::Deserialize;
use serde_json::Value;

use crate::deck::{Deck, DynamicsConfig, StageConfig};
use crate::engine::{Model, Reference, References};
use crate::equilibration::watch::Watched;
use crate::error::{Problem, RunnerError};
use crate::nonbonded::NonbondedConfig;
use crate::plan;

/// Position in the list of stages.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Position {
    /// Stage that runs or has just ended.
    pub stage: usize,
    /// Steps done in it.
    pub step: u64,
    /// Whether it has ended (a minimisation has no steps to tell).
    pub ended: bool,
    /// Frames of the trajectory written so far.
    pub frames: u64,
    /// Step of the run at which each stage so far began.
    pub starts: Vec<u64>,
    /// Samples of the stages that end when they are at rest, by number of the stage.
    pub watched: BTreeMap<usize, Watched>,
}

/// Keys of [`Snapshot::meta`].
pub mod meta {
    /// The deck verbatim.
    pub const DECK: &str = "deck";
    /// The deck as it was understood, without durations, outputs and analyses: JSON.
    pub const IDENTITY: &str = "identity";
    /// Names of the stages, one per line.
    pub const STAGES: &str = "stages";
    /// What analyses must know of each stage: JSON.
    pub const CONTEXT: &str = "context";
    /// What was built: JSON.
    pub const BUILD: &str = "build";
    /// Parameter assignment: JSON.
    pub const ASSIGNMENT: &str = "assignment";
    /// Parameter files with their hashes: JSON.
    pub const FORCEFIELD: &str = "forcefield";
    /// Notes of an import: JSON.
    pub const IMPORT: &str = "import";
    /// Version and commit.
    pub const PROGRAM: &str = "program";
}

const POSITION: &str = "run/position";
const STARTS: &str = "run/starts";
const RUN_REFERENCE: &str = "reference/run";
const STAGE_REFERENCE: &str = "reference/stage";

/// A run's state at a step boundary as a file's content.
pub fn snapshot(
    model: &Model,
    system: &System,
    position: &Position,
    references: Option<&References>,
    mut state: State,
    meta: &BTreeMap<String, String>,
) -> Snapshot {
    state.put_u64(POSITION, &[position.stage as u64, position.step, u64::from(position.ended), position.frames]);
    state.put_u64(STARTS, &position.starts);
    position.watched.iter().for_each(|(k, watched)| watched.save(*k, &mut state));
    if let Some(references) = references {
        put_reference(&mut state, RUN_REFERENCE, &references.run);
        put_reference(&mut state, STAGE_REFERENCE, &references.stage);
    }
    let mut system = system.clone();
    // A stage's frozen groups and constraints belong to the stage, not to the system.
    system.topology = model.topology.clone();
    Snapshot { system, pair_table: model.pair_table.clone(), nonbonded: model.nonbonded, state, meta: meta.clone() }
}

/// Position and references of a checkpoint; none for a system file of `amelo build`.
pub fn position(snapshot: &Snapshot) -> Result<Option<(Position, Option<References>)>, RunnerError> {
    if !snapshot.state.values.contains_key(POSITION) {
        return Ok(None);
    }
    let broken = |e: amelo_core::StateError| RunnerError::Files {
        message: format!("the checkpoint does not fit this program: {e}"),
        help: "use the version of amelo that wrote it".into(),
    };
    let p = snapshot.state.u64(POSITION, 4).map_err(broken)?;
    let stage = p[0] as usize;
    let starts = (0..=stage).rev().find_map(|n| snapshot.state.u64(STARTS, n + 1).ok()).unwrap_or_default().to_vec();
    let n = snapshot.system.n_atoms();
    let references =
        match (reference(&snapshot.state, RUN_REFERENCE, n), reference(&snapshot.state, STAGE_REFERENCE, n)) {
            (Some(run), Some(stage)) => Some(References { run, stage }),
            _ => None,
        };
    let watched = (0..=stage).filter_map(|k| Some((k, Watched::restore(k, &snapshot.state)?))).collect();
    Ok(Some((Position { stage, step: p[1], ended: p[2] != 0, frames: p[3], starts, watched }, references)))
}

fn put_reference(state: &mut State, name: &str, reference: &Reference) {
    let rows = reference.cell.vectors().rows;
    let numbers: Vec<f64> = rows.iter().chain(&reference.positions).flat_map(|v| v.to_array()).collect();
    state.put_f64(name, &numbers);
}

fn reference(state: &State, name: &str, n_atoms: usize) -> Option<Reference> {
    let numbers = state.f64(name, 3 * (n_atoms + 3)).ok()?;
    let vectors: Vec<Vec3> = numbers.chunks_exact(3).map(|c| Vec3::new(c[0], c[1], c[2])).collect();
    let cell = Cell::new(Mat3::from_rows(vectors[0], vectors[1], vectors[2])).ok()?;
    Some(Reference { positions: vectors[3..].to_vec().into(), cell })
}

/// The deck as it was understood, without what may change between calls: title, durations, outputs, analyses.
pub fn identity(deck: &Deck) -> Value {
    let mut value = serde_json::to_value(deck).unwrap_or(Value::Null);
    let Some(table) = value.as_object_mut() else { return value };
    for key in ["title", "output", "analysis"] {
        table.remove(key);
    }
    without_extensions(table);
    // `equilibrate` is several stages, of which only the last is as long as the user says by a duration.
    let within = |k: usize| {
        let place = |k: usize| deck.stage.get(k).and_then(|stage| stage.place);
        place(k).is_some() && place(k) == place(k + 1)
    };
    for (k, stage) in table.get_mut("stage").and_then(Value::as_array_mut).into_iter().flatten().enumerate() {
        if let Some(stage) = stage.as_object_mut() {
            for key in ["log", "trajectory"] {
                stage.remove(key);
            }
            // A temperature ramp takes the whole stage: there the duration is part of what is simulated.
            let ramp = ["nvt", "npt"].iter().any(|k| stage.get(*k).is_some_and(|c| c.get("temperature_end").is_some()));
            if !ramp && !within(k) {
                stage.remove("duration");
            }
        }
    }
    value
}

/// The part of a stored deck that says how its system moves.
#[derive(Debug, Deserialize)]
pub(crate) struct StoredDeck {
    /// Defaults of all stages.
    pub dynamics: DynamicsConfig,
    /// The stages, without durations.
    pub stage: Vec<StageConfig>,
    #[serde(default)]
    nonbonded: Option<NonbondedConfig>,
    #[serde(default)]
    adsorption: Option<Value>,
}

impl StoredDeck {
    /// Of a stored state; none where it keeps no deck.
    pub fn of(texts: &BTreeMap<String, String>) -> Result<Option<Self>, RunnerError> {
        let Some(text) = texts.get(meta::IDENTITY) else { return Ok(None) };
        serde_json::from_str(text).map(Some).map_err(|e| RunnerError::Files {
            message: format!("the deck that the state keeps is not understood: {e}"),
            help: "use the version of amelo that wrote it".into(),
        })
    }

    /// Whether the mesh was chosen for a force error.
    pub fn chooses_mesh(&self) -> bool {
        self.nonbonded.as_ref().is_none_or(NonbondedConfig::chooses_mesh)
    }

    /// Groups whose forces mattered in no stage.
    pub fn always_frozen(&self) -> Vec<String> {
        match self.adsorption {
            Some(_) => Vec::new(),
            None => plan::frozen_in_all(&self.dynamics, &self.stage),
        }
    }
}

/// Whether the deck of a stored state states its precision, rather than taking the default.
pub(crate) fn states_precision(snapshot: &Snapshot) -> bool {
    let deck = snapshot.meta.get(meta::IDENTITY).and_then(|text| serde_json::from_str::<Value>(text).ok());
    deck.is_some_and(|deck| deck["nonbonded"]["precision"].is_string())
}

/// A key of a deck with its values in two decks; null where it is not there.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Dotted, with list positions: `stage[0].nvt.temperature`.
    pub key: String,
    /// In the first deck.
    pub then: Value,
    /// In the second.
    pub now: Value,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let text = |v: &Value| if v.is_null() { "not there".into() } else { v.to_string() };
        write!(f, "{}: was {}, is {}", self.key, text(&self.then), text(&self.now))
    }
}

/// What differs between two decks, key by key.
pub fn differences(then: &Value, now: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", then, now, &mut found);
    found
}

fn compare(key: &str, then: &Value, now: &Value, found: &mut Vec<Difference>) {
    match (then, now) {
        (Value::Object(a), Value::Object(b)) => {
            for name in a.keys().chain(b.keys().filter(|k| !a.contains_key(*k))) {
                let dot = if key.is_empty() { "" } else { "." };
                compare(
                    &format!("{key}{dot}{name}"),
                    a.get(name).unwrap_or(&Value::Null),
                    b.get(name).unwrap_or(&Value::Null),
                    found,
                );
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            for k in 0..a.len().max(b.len()) {
                compare(
                    &format!("{key}[{k}]"),
                    a.get(k).unwrap_or(&Value::Null),
                    b.get(k).unwrap_or(&Value::Null),
                    found,
                );
            }
        }
        _ if then == now => {}
        _ => found.push(Difference { key: key.into(), then: then.clone(), now: now.clone() }),
    }
}

/// More starts, more refined and more cells extend a run as a longer duration does.
fn without_extensions(deck: &mut serde_json::Map<String, Value>) {
    if let Some(adsorption) = deck.get_mut("adsorption").and_then(Value::as_object_mut) {
        for key in ["starts", "refined", "wider"] {
            adsorption.remove(key);
        }
    }
}

/// Where `deck` differs from what a run was `then`.
fn changes(mut then: Value, deck: &Deck) -> Vec<String> {
    // Earlier versions kept more.
    then.as_object_mut().into_iter().for_each(without_extensions);
    // Through text and back, so that both sides have numbers of the same kind.
    let now = serde_json::from_str(&identity(deck).to_string()).unwrap_or(Value::Null);
    differences(&then, &now).iter().map(Difference::to_string).collect()
}

/// Refuses to resume with another deck.
pub fn check_identity(snapshot: &Snapshot, deck: &Deck) -> Result<(), RunnerError> {
    let Some(then) = snapshot.meta.get(meta::IDENTITY).and_then(|text| serde_json::from_str(text).ok()) else {
        return Ok(());
    };
    let found = changes(then, deck);
    if found.is_empty() {
        return Ok(());
    }
    Err(RunnerError::input(
        Problem::new(format!("the deck differs from the one that this run began with:\n  {}", found.join("\n  ")))
            .help("resume with the old deck (only durations, outputs and analyses may change), or start a new run with another --out"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn differences_name_the_key_and_both_values() {
        let then = json!({"seed": 1, "stage": [{"nvt": {"temperature": "300 K"}}]});
        let now = json!({"seed": 1, "stage": [{"nvt": {"temperature": "310 K"}}], "forcefield": {"files": []}});
        assert_eq!(
            differences(&then, &now).iter().map(Difference::to_string).collect::<Vec<_>>(),
            ["stage[0].nvt.temperature: was \"300 K\", is \"310 K\"", "forcefield: was not there, is {\"files\":[]}",]
        );
        assert!(differences(&then, &then).is_empty());
    }

    /// Earlier versions kept how many starts are refined; that may change now, and still nothing else.
    #[test]
    fn runs_of_earlier_versions_can_be_resumed() {
        let path = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../inputs/adsorption.toml"));
        let deck = crate::deck::parse(&crate::source::Source::read(path).unwrap()).unwrap();
        let mut then: Value = serde_json::from_str(&identity(&deck).to_string()).unwrap();
        then["adsorption"]["refined"] = json!(6);
        assert_eq!(changes(then.clone(), &deck), Vec::<String>::new());
        then["adsorption"]["same_distance"] = json!("0.4 nm");
        let [found] = <[String; 1]>::try_from(changes(then, &deck)).unwrap();
        assert!(found.starts_with("adsorption.same_distance: was \"0.4 nm\""), "{found}");
    }
}

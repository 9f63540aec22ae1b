//! Finished glasses on disk: one folder per recipe, named by its hash, with a checksummed snapshot inside.
//!
//! A glass is written under a temporary name, synced and renamed, so that a killed process leaves either nothing or a
//! whole glass; a damaged file is noticed by its checksum and made anew. A lock keeps two processes from making the
//! same glass at the same time: the second waits and takes the first one's.

use std::path::{Path, PathBuf};
use std::time::Duration;

use amelo_build::AmorphousConfig;
use amelo_core::{Nonbonded, State, System};
use amelo_io::{IoError, RunLock, Snapshot};

use super::Slab;
use super::making;
use super::recipe::Recipe;
use crate::error::{RunnerError, StopReason};
use crate::progress::Reporter;
use crate::source::Source;

/// Name of a glass in its folder.
const FILE: &str = "glass.h5";
/// Key of the certificate in its snapshot.
const CERTIFICATE: &str = "certificate";
/// Time between looks at another process' lock.
const WAIT: Duration = Duration::from_millis(500);

/// The folder of all glasses; none where neither the deck nor the environment gives one.
pub(super) fn folder(config: &AmorphousConfig, source: &Source) -> Option<PathBuf> {
    if let Some(folder) = &config.cache {
        return Some(source.resolve(folder));
    }
    let variable = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let cache = variable("AMELO_CACHE")
        .or_else(|| variable("XDG_CACHE_HOME").map(|p| p.join("amelo")))
        .or_else(|| variable("HOME").map(|p| p.join(".cache/amelo")))?;
    Some(cache.join("glasses"))
}

/// The glass of `recipe`, where it is in `folder` and sound.
pub(super) fn find(folder: &Path, recipe: &Recipe, reporter: &Reporter) -> Option<Slab> {
    let path = folder.join(&recipe.hash).join(FILE);
    if !path.exists() {
        return None;
    }
    match read(&path, recipe) {
        Ok(slab) => Some(slab),
        Err(found) => {
            reporter.message(&format!("warning: {found}\n  the glass will be made anew"));
            None
        }
    }
}

/// Makes the glass and keeps it, unless another process did meanwhile.
pub(super) fn make(
    folder: Option<&Path>,
    recipe: &Recipe,
    reporter: &Reporter,
) -> Result<(Slab, &'static str), RunnerError> {
    let Some(folder) = folder else {
        reporter.message("no folder for glasses: set AMELO_CACHE, or `cache` in the deck, to make this one only once");
        return Ok((making::make(recipe, reporter)?.2, "made, not kept"));
    };
    let own = folder.join(&recipe.hash);
    std::fs::create_dir_all(&own).map_err(|e| RunnerError::file(&own, "make the folder of a glass", &e))?;
    let _lock = wait(&own, recipe, reporter)?;
    // Whoever held the lock before may have made it.
    if let Some(slab) = find(folder, recipe, reporter) {
        return Ok((slab, "made by another process"));
    }
    let (system, nonbonded, slab) = making::make(recipe, reporter)?;
    match write(&own.join(FILE), recipe, system, nonbonded, &slab) {
        Ok(()) => Ok((slab, "made")),
        // Hours of work shall not be lost because a disk is full.
        Err(e) => {
            reporter.message(&format!("warning: the glass is not kept: {e}"));
            Ok((slab, "made, not kept"))
        }
    }
}

/// The lock of a glass' folder, as soon as no other process holds it.
fn wait(own: &Path, recipe: &Recipe, reporter: &Reporter) -> Result<RunLock, RunnerError> {
    let mut told = false;
    loop {
        match RunLock::acquire(own) {
            Err(IoError::InUse { .. }) => {}
            other => return Ok(other?),
        }
        if !told {
            reporter.message(&format!("waiting for another process that makes the glass {}", recipe.short()));
            told = true;
        }
        if reporter.stop_requested() {
            return Err(RunnerError::Stopped { reason: StopReason::Signal, step: 0 });
        }
        std::thread::sleep(WAIT);
    }
}

fn write(path: &Path, recipe: &Recipe, system: System, nonbonded: Nonbonded, slab: &Slab) -> Result<(), IoError> {
    let mismatch = |e: serde_json::Error| IoError::Mismatch { path: path.into(), found: format!("certificate: {e}") };
    let certificate = serde_json::to_string(&slab.certificate).map_err(mismatch)?;
    let snapshot = Snapshot {
        system,
        pair_table: recipe.oxide.pair_table.clone(),
        nonbonded,
        state: State::default(),
        meta: [(CERTIFICATE.to_string(), certificate)].into(),
    };
    snapshot.write_alone(path)
}

fn read(path: &Path, recipe: &Recipe) -> Result<Slab, String> {
    let snapshot = Snapshot::read(path).map_err(|e| e.to_string())?;
    let not_it = |what: String| format!("{}: {what}", path.display());
    let text = snapshot.meta.get(CERTIFICATE).ok_or_else(|| not_it("it has no certificate".into()))?;
    let certificate: amelo_build::Certificate =
        serde_json::from_str(text).map_err(|e| not_it(format!("its certificate is not understood: {e}")))?;
    if certificate.recipe != recipe.hash || snapshot.system.n_atoms() != 3 * recipe.melt.formula_units {
        return Err(not_it("it holds another glass".into()));
    }
    let edges = snapshot.system.cell.diagonal();
    Ok(Slab { lateral: [edges.x, edges.y], positions: snapshot.system.positions, certificate })
}

//! Finished oxides on disk: one folder per recipe, named by its hash, with a checksummed snapshot inside.
//!
//! One is written under a temporary name, synced and renamed, so that a killed process leaves either nothing or a
//! whole one; a damaged file is noticed by its checksum and made anew. A lock keeps two processes from making the
//! same one at the same time: the second waits and takes the first one's.

use std::path::{Path, PathBuf};
use std::time::Duration;

use amelo_build::{Certificate, PoreReport};
use amelo_core::{Cell, Nonbonded, PairTable, State, System};
use amelo_io::{IoError, RunLock, Snapshot};
use amelo_math::Vec3;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{RunnerError, StopReason};
use crate::progress::Reporter;
use crate::source::Source;

/// Key of the papers in a snapshot.
const CERTIFICATE: &str = "certificate";
/// Time between looks at another process' lock.
const WAIT: Duration = Duration::from_millis(500);

/// What an oxide is kept with.
pub(crate) trait Papers: Serialize + DeserializeOwned {
    /// Hash of its recipe.
    fn recipe(&self) -> &str;
}

impl Papers for Certificate {
    fn recipe(&self) -> &str {
        &self.recipe
    }
}

impl Papers for PoreReport {
    fn recipe(&self) -> &str {
        self.recipe.as_deref().unwrap_or_default()
    }
}

/// A finished oxide: what the cache keeps.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept<P> {
    /// Its cell.
    pub cell: Cell,
    /// \[n_atoms\] positions (nm), in the order of the recipe.
    pub positions: Vec<Vec3>,
    /// Its papers.
    pub papers: P,
}

/// The folder of all finished oxides of one kind.
pub(crate) struct Shelf {
    /// Kind, for messages and file names: `glass`, `pore`.
    what: &'static str,
    /// None where neither the deck nor the environment gives one.
    folder: Option<PathBuf>,
}

impl Shelf {
    /// Of `what`, in `folders` of the cache or in the deck's own folder `chosen`.
    pub fn new(what: &'static str, folders: &str, chosen: Option<&str>, source: &Source) -> Self {
        let variable = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let cache = || {
            variable("AMELO_CACHE")
                .or_else(|| variable("XDG_CACHE_HOME").map(|p| p.join("amelo")))
                .or_else(|| variable("HOME").map(|p| p.join(".cache/amelo")))
        };
        let folder = match chosen {
            Some(folder) => Some(source.resolve(folder)),
            None => cache().map(|cache| cache.join(folders)),
        };
        Shelf { what, folder }
    }

    fn file(&self, folder: &Path, hash: &str) -> PathBuf {
        folder.join(hash).join(format!("{}.h5", self.what))
    }

    /// What was made by the recipe with this hash, where it is there and sound.
    pub fn find<P: Papers>(&self, hash: &str, reporter: &Reporter) -> Option<Kept<P>> {
        let path = self.file(self.folder.as_deref()?, hash);
        if !path.exists() {
            return None;
        }
        match read(&path, hash) {
            Ok(kept) => Some(kept),
            Err(found) => {
                reporter.message(&format!("warning: {found}\n  the {} will be made anew", self.what));
                None
            }
        }
    }

    /// Makes it and keeps it with its potentials, unless another process did meanwhile.
    pub fn make<P: Papers>(
        &self,
        hash: &str,
        pair_table: &PairTable,
        reporter: &Reporter,
        make: impl FnOnce() -> Result<(System, Nonbonded, Kept<P>), RunnerError>,
    ) -> Result<(Kept<P>, &'static str), RunnerError> {
        let what = self.what;
        let Some(folder) = &self.folder else {
            reporter.message(&format!("no folder to keep a {what} in: set AMELO_CACHE to make this one only once"));
            return Ok((make()?.2, "made, not kept"));
        };
        let own = folder.join(hash);
        std::fs::create_dir_all(&own)
            .map_err(|e| RunnerError::file(&own, &format!("make the folder of a {what}"), &e))?;
        let _lock = self.wait(&own, hash, reporter)?;
        // Whoever held the lock before may have made it.
        if let Some(kept) = self.find(hash, reporter) {
            return Ok((kept, "made by another process"));
        }
        let (system, nonbonded, kept) = make()?;
        match write(&self.file(folder, hash), pair_table, system, nonbonded, &kept.papers) {
            Ok(()) => Ok((kept, "made")),
            // Hours of work shall not be lost because a disk is full.
            Err(e) => {
                reporter.message(&format!("warning: the {what} is not kept: {e}"));
                Ok((kept, "made, not kept"))
            }
        }
    }

    /// The lock of its folder, as soon as no other process holds it.
    fn wait(&self, own: &Path, hash: &str, reporter: &Reporter) -> Result<RunLock, RunnerError> {
        let mut told = false;
        loop {
            match RunLock::acquire(own) {
                Err(IoError::InUse { .. }) => {}
                other => return Ok(other?),
            }
            if !told {
                reporter.message(&format!("waiting for another process that makes the {} {}", self.what, &hash[..12]));
                told = true;
            }
            if reporter.stop_requested() {
                return Err(RunnerError::Stopped { reason: StopReason::Signal, step: 0 });
            }
            std::thread::sleep(WAIT);
        }
    }
}

fn write(
    path: &Path,
    pair_table: &PairTable,
    system: System,
    nonbonded: Nonbonded,
    papers: &impl Papers,
) -> Result<(), IoError> {
    let mismatch = |e: serde_json::Error| IoError::Mismatch { path: path.into(), found: format!("certificate: {e}") };
    let certificate = serde_json::to_string(papers).map_err(mismatch)?;
    let snapshot = Snapshot {
        system,
        pair_table: pair_table.clone(),
        nonbonded,
        state: State::default(),
        meta: [(CERTIFICATE.to_string(), certificate)].into(),
    };
    snapshot.write_alone(path)
}

fn read<P: Papers>(path: &Path, hash: &str) -> Result<Kept<P>, String> {
    let snapshot = Snapshot::read(path).map_err(|e| e.to_string())?;
    let not_it = |what: String| format!("{}: {what}", path.display());
    let text = snapshot.meta.get(CERTIFICATE).ok_or_else(|| not_it("it has no certificate".into()))?;
    let papers: P =
        serde_json::from_str(text).map_err(|e| not_it(format!("its certificate is not understood: {e}")))?;
    if papers.recipe() != hash {
        return Err(not_it("it was made by another recipe".into()));
    }
    Ok(Kept { cell: snapshot.system.cell, positions: snapshot.system.positions, papers })
}

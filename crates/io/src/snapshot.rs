//! Snapshots: everything that a run needs to go on with the same bits, or a built system to start from.
//!
//! The file is HDF5 behind a block of 512 bytes (HDF5's own "user block") that says in plain text which version
//! of the format follows and the SHA-256 of every byte after it. The sum is verified before HDF5 sees the file,
//! so that damage is reported, never parsed. Layout, version 1:
//!
//! | path | content |
//! |---|---|
//! | `/system` | `positions`, `displacements`, `velocities` (f64 \[n\]\[3\]; nm, nm, nm/ps), `images` (i32 \[n\]\[3\]), `cell` (f64 \[3\]\[3\], rows, nm); attributes `step` (u64), `time` (f64, ps) |
//! | `/state/*` | remembered values of propagators and terms: f64 or u64 arrays; `/` in a name is written `%2F` |
//! | `/description/*` | JSON as text: `topology`, `pair_table`, `nonbonded`, `meta` |

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use amelo_core::{Cell, Nonbonded, PairTable, State, StateValue, System, Topology};
use amelo_math::{Mat3, Vec3};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::files::{replace, temporary_name};
use crate::formats::registry::FormatInfo;
use crate::h5::{self, H5Result};
use crate::{IoError, hex};

/// Row of `amelo list formats`.
pub const INFO: FormatInfo = FormatInfo {
    name: "checkpoint",
    summary: "complete state: checkpoint.h5, system files of amelo build; written and read",
    layout: "HDF5 behind a header with version and SHA-256; written beside, synced, renamed",
    limits: &[],
    citation: "",
};

/// Version of the format that this program writes, and the latest that it reads.
pub const VERSION: u32 = 1;

/// Bytes in front of the HDF5 content.
const HEADER: usize = 512;
const MAGIC: &str = "amelo snapshot";

/// What to do about a damaged snapshot.
const REMEDY: &str = "use the previous checkpoint (checkpoint.prev.h5) or an undamaged copy";

/// Complete state of a simulation at a step boundary.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Atoms, cell, positions, velocities, step and time.
    pub system: System,
    /// Potential of every pair of types.
    pub pair_table: PairTable,
    /// Cut-off and Coulomb settings.
    pub nonbonded: Nonbonded,
    /// What propagators and force terms remember.
    pub state: State,
    /// Everything else as text by name: the deck, the stage, hashes of force-field files.
    pub meta: BTreeMap<String, String>,
}

impl Snapshot {
    /// Writes the snapshot to `path` atomically: under a temporary name, synced, renamed. What was there before is
    /// kept as [`previous_path`]. A process killed at any moment leaves a complete file under one of the two names.
    ///
    /// # Errors
    /// [`IoError::Refused`] where the system refuses (full disk, missing directory); nothing is lost then.
    pub fn write_atomic(&self, path: &Path) -> Result<(), IoError> {
        self.write(path, Some(&previous_path(path)))
    }

    /// Like [`Snapshot::write_atomic`], without keeping what was there: for the output of `amelo build`.
    ///
    /// # Errors
    /// As [`Snapshot::write_atomic`].
    pub fn write_alone(&self, path: &Path) -> Result<(), IoError> {
        self.write(path, None)
    }

    fn write(&self, path: &Path, previous: Option<&Path>) -> Result<(), IoError> {
        let temporary = temporary_name(path);
        let written = self.write_content(&temporary).and_then(|()| seal(&temporary)).map_err(|e| match e {
            IoError::Refused { action, reason, remedy, .. } => {
                IoError::Refused { action, path: path.into(), reason, remedy }
            }
            other => other,
        });
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
            return written;
        }
        replace(&temporary, path, previous)
    }

    fn write_content(&self, path: &Path) -> Result<(), IoError> {
        // HDF5's own report of a directory that is not there names no reason.
        fs::File::create(path).map_err(|e| IoError::from_os("write", path, &e))?;
        let json = |name: &str, result: serde_json::Result<String>| {
            result.map_err(|e| IoError::Mismatch { path: path.into(), found: format!("{name}: {e}") })
        };
        let description = [
            ("topology", json("topology", serde_json::to_string(&*self.system.topology))?),
            ("pair_table", json("pair table", serde_json::to_string(&self.pair_table))?),
            ("nonbonded", json("nonbonded settings", serde_json::to_string(&self.nonbonded))?),
            ("meta", json("meta data", serde_json::to_string(&self.meta))?),
        ];
        let file = h5::create(path, 64, HEADER as u64)?;
        (|| -> H5Result<()> {
            let system = file.create_group("system")?;
            h5::put_rows(&system, "positions", &arrays(&self.system.positions))?;
            h5::put_rows(&system, "displacements", &arrays(&self.system.displacements))?;
            h5::put_rows(&system, "velocities", &arrays(&self.system.velocities))?;
            h5::put_rows(&system, "images", &self.system.images)?;
            h5::put_rows(&system, "cell", &self.system.cell.vectors().to_array())?;
            h5::put_attribute(&system, "step", self.system.step)?;
            h5::put_attribute(&system, "time", self.system.time)?;
            let state = file.create_group("state")?;
            for (name, value) in &self.state.values {
                match value {
                    StateValue::F64(v) => h5::put_array(&state, &escape(name), v)?,
                    StateValue::U64(v) => h5::put_array(&state, &escape(name), v)?,
                };
            }
            let group = file.create_group("description")?;
            for (name, text) in &description {
                h5::put_array(&group, name, text.as_bytes())?;
            }
            drop((system, state, group));
            file.flush()?;
            file.close()
        })()
        .map_err(|e| IoError::from_hdf5("write", path, &e))
    }

    /// Reads a snapshot after verifying its version and its checksum.
    ///
    /// # Errors
    /// [`IoError::Refused`] (missing, unreadable), [`IoError::NotThat`] (another kind of file),
    /// [`IoError::Version`], [`IoError::Damaged`].
    pub fn read(path: &Path) -> Result<Self, IoError> {
        verify(path)?;
        let file = h5::open(path)?;
        let damaged = |found: String| IoError::Damaged { path: path.into(), found, remedy: REMEDY };
        let read = || -> H5Result<Self> {
            let system = file.group("system")?;
            let vectors = h5::rows::<f64, 3>(&system, "cell")?;
            let cell: [[f64; 3]; 3] = vectors.try_into().map_err(|_| "cell has not three vectors")?;
            let group = file.group("description")?;
            let mut topology: Topology = parse(&group, "topology")?;
            topology.shrink_to_fit();
            let n = topology.n_atoms();
            let system = System {
                topology: Arc::new(topology),
                cell: Cell::new(Mat3::from_array(cell)).map_err(|e| e.to_string())?,
                positions: vectors_of(&system, "positions", n)?,
                images: of_length(h5::rows(&system, "images")?, "images", n)?,
                displacements: vectors_of(&system, "displacements", n)?,
                velocities: vectors_of(&system, "velocities", n)?,
                step: system.attr("step")?.read_scalar()?,
                time: system.attr("time")?.read_scalar()?,
            };
            let saved = file.group("state")?;
            let mut state = State::default();
            for name in saved.member_names()? {
                let dataset = saved.dataset(&name)?;
                let value = if dataset.dtype()?.is::<u64>() {
                    StateValue::U64(dataset.read_raw()?)
                } else {
                    StateValue::F64(dataset.read_raw()?)
                };
                state.values.insert(unescape(&name), value);
            }
            Ok(Snapshot {
                system,
                pair_table: parse(&group, "pair_table")?,
                nonbonded: parse(&group, "nonbonded")?,
                state,
                meta: parse(&group, "meta")?,
            })
        };
        read().map_err(|e| damaged(e.to_string()))
    }

    /// Reads the snapshot at `path` or, where that one is missing or not sound, the previous one. The second value
    /// is what was wrong with the first, for the user to hear.
    ///
    /// # Errors
    /// The error of the first file where neither can be read.
    pub fn read_latest(path: &Path) -> Result<(Self, Option<IoError>), IoError> {
        match Snapshot::read(path) {
            Ok(snapshot) => Ok((snapshot, None)),
            Err(first) => match Snapshot::read(&previous_path(path)) {
                Ok(snapshot) => Ok((snapshot, Some(first))),
                Err(_) => Err(first),
            },
        }
    }
}

/// Where [`Snapshot::write_atomic`] keeps what was at `path`: `checkpoint.h5` → `checkpoint.prev.h5`.
pub fn previous_path(path: &Path) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(".prev");
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

/// Whether `path` begins like a snapshot: tells a system file from a deck.
pub fn is_snapshot(path: &Path) -> bool {
    let mut start = [0; MAGIC.len()];
    fs::File::open(path).and_then(|mut f| f.read_exact(&mut start)).is_ok() && start == MAGIC.as_bytes()
}

/// Writes the header over the empty user block and waits for the disk.
fn seal(path: &Path) -> Result<(), IoError> {
    (|| {
        let mut file = fs::OpenOptions::new().read(true).write(true).open(path)?;
        let sum = sum_of_content(&mut file)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&header_of(&sum))?;
        file.sync_all()
    })()
    .map_err(|e| IoError::from_os("write", path, &e))
}

/// Checks kind, version and checksum.
fn verify(path: &Path) -> Result<(), IoError> {
    let refused = |e: std::io::Error| IoError::from_os("read", path, &e);
    let damaged = |found: String| IoError::Damaged { path: path.into(), found, remedy: REMEDY };
    let mut file = fs::File::open(path).map_err(refused)?;
    let mut header = Vec::new();
    (&mut file).take(HEADER as u64).read_to_end(&mut header).map_err(refused)?;
    if !header.starts_with(MAGIC.as_bytes()) {
        // A snapshot cut to less than its first line cannot be told from another file, except an empty one.
        return Err(if header.iter().all(|&b| b == 0) {
            damaged("it is empty".into())
        } else {
            IoError::NotThat {
                path: path.into(),
                expected: "a system or checkpoint file of amelo",
                found: "its first line is not \"amelo snapshot\"".into(),
            }
        });
    }
    let text = String::from_utf8_lossy(&header);
    let field = |name: &str| text.lines().find_map(|l| l.strip_prefix(name)).map(str::trim);
    let version: u32 =
        field("version ").and_then(|v| v.parse().ok()).ok_or_else(|| damaged("its header names no version".into()))?;
    if version > VERSION || version == 0 {
        return Err(IoError::Version { path: path.into(), what: "snapshot", found: version, known: VERSION });
    }
    let expected = field("sha256 ").ok_or_else(|| damaged("its header has no checksum".into()))?;
    let found = sum_of_content(&mut file).map_err(refused)?;
    if found != expected {
        return Err(damaged(format!("SHA-256 of the content is {found}, the header says {expected}")));
    }
    if header != header_of(&found) { Err(damaged("its header is not as it was written".into())) } else { Ok(()) }
}

/// The user block of content with this SHA-256.
fn header_of(sum: &str) -> Vec<u8> {
    let mut header = format!("{MAGIC}\nversion {VERSION}\nsha256 {sum}\n").into_bytes();
    header.resize(HEADER, 0);
    header
}

/// SHA-256 of everything after the header.
fn sum_of_content(file: &mut fs::File) -> std::io::Result<String> {
    file.seek(SeekFrom::Start(HEADER as u64))?;
    let mut hasher = Sha256::new();
    std::io::copy(file, &mut hasher)?;
    Ok(hex(&hasher.finalize()))
}

fn arrays(vectors: &[Vec3]) -> Vec<[f64; 3]> {
    vectors.iter().map(|v| v.to_array()).collect()
}

fn vectors_of(group: &hdf5::Group, name: &str, n: usize) -> H5Result<Vec<Vec3>> {
    of_length(h5::rows::<f64, 3>(group, name)?.into_iter().map(Vec3::from).collect(), name, n)
}

fn of_length<T>(values: Vec<T>, name: &str, n: usize) -> H5Result<Vec<T>> {
    if values.len() == n { Ok(values) } else { Err(format!("{} {name} for {n} atoms", values.len()).into()) }
}

fn parse<T: DeserializeOwned + Serialize>(group: &hdf5::Group, name: &str) -> H5Result<T> {
    let bytes = group.dataset(name)?.read_raw::<u8>()?;
    serde_json::from_slice(&bytes).map_err(|e| format!("{name}: {e}").into())
}

/// A name that HDF5 does not take for a path.
fn escape(name: &str) -> String {
    format!("={}", name.replace('%', "%25").replace('/', "%2F"))
}

fn unescape(name: &str) -> String {
    name.strip_prefix('=').unwrap_or(name).replace("%2F", "/").replace("%25", "%")
}

//! Small systems and the command line, for tests that drive the binary.

#![allow(dead_code)] // each test file uses its part

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;

use amelo_core::{
    AtomType, Cell, Coulomb, Modifier, Molecule, Nonbonded, PairEntry, PairTable, Precision, Provenance, Residue,
    State, System, Topology,
};
use amelo_io::Snapshot;
use amelo_math::Vec3;

/// The binary under test.
pub fn amelo(directory: &Path, arguments: &[&str]) -> Output {
    std::process::Command::new(env!("CARGO_BIN_EXE_amelo"))
        .args(arguments)
        .current_dir(directory)
        .env_remove("AMELO_THREADS")
        .env_remove("AMELO_POTENTIALS")
        .env("AMELO_CACHE", directory.join("cache"))
        .output()
        .expect("the binary starts")
}

/// The library that interrupts a process at a chosen call (see `crates/io/tests/common/shim.c`), compiled into `directory`.
pub fn shim(directory: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/io/tests/common/shim.c");
    let library = directory.join("shim.so");
    let done = std::process::Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(&source)
        .arg("-ldl")
        .output()
        .expect("cc runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    library
}

/// `amelo` interrupted in `mode` (`k`: killed, `f`: full disk) from the `at`-th call on that changes a file of `run`; only
/// calls whose name and path contain `only`, where given. Exit code (−1 where killed) and stderr.
pub fn interrupted(
    run: &Path,
    library: &Path,
    arguments: &[&str],
    mode: &str,
    at: usize,
    only: Option<&str>,
) -> (i32, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_amelo"));
    command
        .args(arguments)
        .current_dir(run.parent().expect("a parent"))
        .env("LD_PRELOAD", library)
        .env("AMELO_SHIM_ROOT", run)
        .env("AMELO_SHIM_MODE", mode)
        .env("AMELO_SHIM_AT", at.to_string());
    if let Some(only) = only {
        command.env("AMELO_SHIM_ONLY", only);
    }
    let output = command.output().expect("the binary starts");
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// `--set` texts with which the amorphous oxide of a deck, where it has one, is made in a moment, no glass, but a slab; and the
/// wall of a pore is hardly annealed.
pub fn hasty_glass(deck: &toml::Table) -> Vec<String> {
    let oxide = deck.get("system").and_then(|s| s.get("oxide")).and_then(|o| o.get("amorphous"));
    let hasty = [
        "melt={ temperature = \"2000 K\", time = \"0.02 ps\" }",
        "quench_rate=\"100000 K/ps\"",
        "relax=\"0.02 ps\"",
        "surface_anneal={ temperature = \"300 K\", time = \"0.01 ps\" }",
        "accept=\"any\"",
    ];
    let sets = oxide.into_iter().flat_map(|_| hasty);
    let sets = sets.map(|set| format!("system.oxide.amorphous.{set}"));
    let crystals = ["anatase", "rutile", "file"].into_iter().filter(|name| {
        let oxide = deck.get("system").and_then(|s| s.get("oxide")).and_then(|o| o.get(*name));
        oxide.is_some_and(|o| o.get("pore").is_some())
    });
    let anneal = "pore.anneal={ temperature = \"300 K\", time = \"0.002 ps\" }";
    sets.chain(crystals.map(|name| format!("system.oxide.{name}.{anneal}"))).collect()
}

/// Exit code and stderr of a call.
pub fn call(directory: &Path, arguments: &[&str]) -> (i32, String) {
    let output = amelo(directory, arguments);
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A call that must succeed; its stdout.
pub fn ok(directory: &Path, arguments: &[&str]) -> String {
    let output = amelo(directory, arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "amelo {}: {:?}\n{stderr}", arguments.join(" "), output.status.code());
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The deck of an electrolyte of 622 atoms.
pub fn electrolyte_deck() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("inputs/peo-litfsi.toml").display().to_string()
}

/// `arguments` with `--set` before each of `sets`.
pub fn with_sets<'a>(arguments: &[&'a str], sets: &[&'a str]) -> Vec<&'a str> {
    let mut all = arguments.to_vec();
    sets.iter().for_each(|set| all.extend(["--set", set]));
    all
}

/// Bits of a run.
pub fn hash(directory: &Path, run: &str) -> String {
    ok(directory, &["hash", run]).trim().to_string()
}

/// Writes `snapshot` to `path` for the binary to read. HDF5 opens files so that children of this process inherit them
/// with their locks; another test's child could so hold this one's. A copy made by plain writing is not locked.
pub fn store(snapshot: &Snapshot, path: &Path) {
    let made = path.with_extension("made");
    snapshot.write_alone(&made).expect("written");
    std::fs::write(path, std::fs::read(&made).expect("read")).expect("copied");
    std::fs::remove_file(&made).expect("removed");
}

/// Argon atoms on a simple cubic lattice of `side`³ points with the spacing of liquid argon.
pub fn argon(side: usize) -> Snapshot {
    let spacing = 0.37;
    let mut positions = Vec::new();
    for k in 0..side * side * side {
        let (x, y, z) = (k % side, k / side % side, k / side / side);
        // A pattern without symmetry, so that forces do not cancel.
        let nudge = |a: usize| 0.01 * ((7 * k + 3 * a * a + 5 * a * k) % 11) as f64 / 11.0;
        positions.push(Vec3::new(
            x as f64 * spacing + nudge(1),
            y as f64 * spacing + nudge(2),
            z as f64 * spacing + nudge(3),
        ));
    }
    let edge = side as f64 * spacing;
    atoms(positions, Cell::orthorhombic(edge, edge, edge).expect("a cell"))
}

/// Argon atoms where one likes.
pub fn atoms(positions: Vec<Vec3>, cell: Cell) -> Snapshot {
    let n = positions.len();
    let topology = Topology {
        types: vec![AtomType { name: "Ar".into(), element: "Ar".into() }],
        type_of: vec![0; n].into(),
        names: vec!["Ar"; n].into(),
        masses: vec![39.948; n].into(),
        charges: vec![0.0; n].into(),
        nominal_charges: vec![0.0; n].into(),
        molecules: (0..n).map(|k| Molecule { kind: "Ar".into(), first: k, count: 1 }).collect(),
        residues: (0..n).map(|k| Residue { name: "Ar".into(), first: k, count: 1 }).collect(),
        exclusions: amelo_core::Exclusions::new(n, []),
        frozen: vec![false; n],
        groups: BTreeMap::from([("argon".to_string(), (0..n as u32).collect())]),
        ..Topology::default()
    };
    // A. Rahman, Phys. Rev. 136, A405 (1964): ε/k_B = 120 K, σ = 3.4 Å.
    let entry = PairEntry {
        form: "lennard_jones".into(),
        parameters: vec![0.34, 0.997_735],
        provenance: Provenance::Explicit,
        source: "Rahman 1964".into(),
    };
    let pair_table = PairTable::from_fn(1, |_, _| Ok::<_, ()>(entry.clone())).expect("one entry");
    Snapshot {
        system: System::new(Arc::new(topology), cell, positions),
        pair_table,
        nonbonded: Nonbonded {
            r_cut: 0.9,
            modifier: Modifier::PotentialShift,
            dispersion_correction: false,
            coulomb: Coulomb::None,
            slab: None,
            precision: Precision::Mixed,
        },
        state: State::default(),
        meta: BTreeMap::new(),
    }
}

/// A directory with `argon.h5` and a deck `run.toml` that runs it with every kind of record.
pub fn argon_directory(extra: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    store(&argon(6), &directory.path().join("argon.h5"));
    write(directory.path(), "run.toml", &argon_deck(extra));
    directory
}

/// A minimisation, 20 steps of NVT, 20 steps of NPT.
pub fn argon_deck(extra: &str) -> String {
    format!(
        r#"title = "argon"
seed = 5
[system.restart]
from = "argon.h5"
[dynamics]
timestep = "4 fs"
[output]
log = {{ every = "12 fs" }}
[[stage]]
name = "minimise"
minimize = {{ max_steps = 20 }}
[[stage]]
name = "warm"
nvt = {{ temperature = "100 K", thermostat = "v-rescale" }}
duration = "80 fs"
[[stage]]
name = "production"
npt = {{ temperature = "100 K", pressure = "1 bar", thermostat = "v-rescale", barostat = "c-rescale" }}
duration = "80 fs"
trajectory = {{ every = "8 fs", velocities = true }}
{extra}
"#
    )
}

/// Writes a file and returns its path.
pub fn write(directory: &Path, name: &str, text: &str) -> PathBuf {
    let path = directory.join(name);
    std::fs::write(&path, text).expect("written");
    path
}

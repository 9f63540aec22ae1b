//! What a killed process, a full disk and a vanished directory leave behind.
//!
//! The test binary runs itself as the writer. A small library in C, preloaded into it, counts the calls that
//! change files (`write`, `pwrite`, `rename`, `link`, `ftruncate`, `fsync`) and kills the process with SIGKILL just
//! before the k-th (or half-way through it), or answers every one from the k-th on with "no space left": so the
//! moments inside an HDF5 flush and a checkpoint's rename are hit for certain, not by luck.
#![cfg(target_os = "linux")]

mod common;

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use amelo_core::StateValue;
use amelo_io::{
    CHECKPOINT, IoError, LogWriter, Observable, Snapshot, TrajectoryReader, TrajectorySettings, TrajectoryWriter, h5md,
    hash_run, read_log, write_pdb,
};
use common::{snapshot, system, topology};

const LAST: u64 = 60;
const N: usize = 400;

/// A run in small: a frame every 2 steps, a log line every step, a checkpoint every 10. Goes on where it can.
fn run(directory: &Path) -> Result<(), IoError> {
    let topology = Arc::new(topology(N));
    let settings = TrajectorySettings {
        velocities: true,
        observables: vec![Observable::new("temperature", "K")],
        expected_frames: Some(31),
        ..TrajectorySettings::default()
    };
    let columns = ["time [ps]".to_string()];
    let checkpoint = directory.join(CHECKPOINT);
    let started = match Snapshot::read_latest(&checkpoint) {
        Ok((saved, _)) => {
            let step = saved.system.step;
            let frames = match saved.state.values.get("trajectory/frames%2F") {
                Some(StateValue::U64(v)) => v[0],
                _ => panic!("the checkpoint counts no frames"),
            };
            let trajectory = TrajectoryWriter::resume(directory, &topology, settings, step, frames)?;
            (step, trajectory, LogWriter::resume(directory, &columns, step)?)
        }
        Err(_) => {
            h5md::remove(directory)?;
            let log = directory.join("log.csv");
            if log.exists() {
                std::fs::remove_file(&log).map_err(|e| IoError::from_os("remove", &log, &e))?;
            }
            let first = system(&topology, 0);
            write_pdb(&directory.join("topology.pdb"), &topology, &first.cell, &first.positions)?;
            let trajectory = TrajectoryWriter::create(directory, &topology, settings)?;
            (0, trajectory, LogWriter::create(directory, &columns)?)
        }
    };
    let (from, mut trajectory, mut log) = started;
    for step in from + 1..=LAST {
        let now = system(&topology, step);
        log.append(step, &[now.time])?;
        if step % 2 == 0 {
            trajectory.append(&now.frame(), &[step as f64])?;
        }
        if step % 5 == 0 {
            trajectory.flush()?;
        }
        if step % 10 == 0 {
            log.flush()?;
            snapshot(now, trajectory.frames()).write_atomic(&checkpoint)?;
        }
    }
    trajectory.close()
}

/// Not a test of its own: the process that the tests below start.
#[test]
fn writer() {
    if let Ok(directory) = std::env::var("AMELO_TEST_WRITER") {
        match run(Path::new(&directory)) {
            Ok(()) => {}
            Err(error) => {
                // On stderr, where the test looks for anything that HDF5 might have printed.
                eprintln!("io error: {error}");
                std::process::exit(4);
            }
        }
    }
}

/// The preloaded library; `scripts/kill-test` uses it too.
const SHIM: &str = include_str!("common/shim.c");

/// The preloaded library, compiled once with the compiler that Rust links with.
fn shim() -> &'static Path {
    static SHIM_PATH: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = SHIM_PATH.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let (source, library) = (dir.path().join("shim.c"), dir.path().join("shim.so"));
        std::fs::write(&source, SHIM).unwrap();
        let done = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).arg("-ldl").output();
        let done = done.expect("cc");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        (dir, library)
    });
    path
}

fn child(directory: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "writer", "--nocapture", "--test-threads=1"]).env("AMELO_TEST_WRITER", directory);
    command
}

fn interrupted(directory: &Path, mode: &str, at: usize) -> Output {
    let mut command = child(directory);
    command
        .env("LD_PRELOAD", shim())
        .env("AMELO_SHIM_ROOT", directory)
        .env("AMELO_SHIM_MODE", mode)
        .env("AMELO_SHIM_AT", at.to_string());
    command.output().unwrap()
}

/// One test at a time: a child started while another test has an HDF5 file open inherits that file with its lock.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Calls of an undisturbed run, and the hash of what it writes.
fn undisturbed() -> &'static (usize, String) {
    static REFERENCE: OnceLock<(usize, String)> = OnceLock::new();
    REFERENCE.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let report = dir.path().join("calls");
        let run = dir.path().join("run");
        std::fs::create_dir(&run).unwrap();
        let done = child(&run)
            .env("LD_PRELOAD", shim())
            .env("AMELO_SHIM_ROOT", &run)
            .env("AMELO_SHIM_REPORT", &report)
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let calls = std::fs::read_to_string(report).unwrap().parse().unwrap();
        (calls, hash_run(&run).unwrap())
    })
}

/// Whatever is there opens, every frame up to the checkpoint is there, and every number is the right one.
fn check_readable(directory: &Path, context: &str) {
    let topology = Arc::new(topology(N));
    let step = match Snapshot::read_latest(&directory.join(CHECKPOINT)) {
        Ok((saved, warning)) => {
            assert!(warning.is_none(), "{context}: {warning:?}");
            assert_eq!(saved.system.positions, system(&topology, saved.system.step).positions, "{context}");
            saved.system.step
        }
        // Damage is never acceptable; that there is none yet is.
        Err(error) => {
            assert!(matches!(error, IoError::Refused { .. }), "{context}: {error}");
            0
        }
    };
    if directory.join(h5md::FILE_NAME).exists() {
        let reader = TrajectoryReader::open(directory).unwrap_or_else(|e| panic!("{context}: {e}"));
        let steps = reader.steps();
        assert!(steps.iter().enumerate().all(|(k, &s)| s == 2 * (k as u64 + 1)), "{context}: {steps:?}");
        assert!(steps.len() as u64 >= step / 2, "{context}: frames {steps:?} up to checkpoint {step}");
        for frame in reader.iter() {
            let frame = frame.unwrap_or_else(|e| panic!("{context}: {e}"));
            assert_eq!(frame.positions, system(&topology, frame.step).positions, "{context}");
        }
    }
    if directory.join("log.csv").exists() {
        let rows = read_log(&directory.join("log.csv")).unwrap().rows;
        assert!(rows.len() as u64 >= step, "{context}: {} log lines up to checkpoint {step}", rows.len());
    }
}

fn check_resumed(directory: &Path, context: &str) {
    let done = child(directory).output().unwrap();
    assert!(done.status.success(), "{context}: {}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(hash_run(directory).unwrap(), undisturbed().1, "{context}");
}

/// Kills before and half-way through every `stride`-th call, checks, and lets the run go on to the same bits.
fn sweep(stride: usize) {
    let calls = undisturbed().0;
    let mut kills = 0;
    for at in (1..calls).step_by(stride) {
        for mode in ["kill", "half"] {
            let context = format!("{mode} at call {at} of {calls}");
            let dir = tempfile::tempdir().unwrap();
            let output = interrupted(dir.path(), mode, at);
            assert_eq!(output.status.signal(), Some(9), "{context}: {}", String::from_utf8_lossy(&output.stderr));
            check_readable(dir.path(), &context);
            check_resumed(dir.path(), &context);
            kills += 1;
        }
    }
    assert!(kills > 10, "only {kills} kills");
    println!("{kills} kills over {calls} calls");
}

#[test]
fn a_killed_writer_leaves_readable_files_and_goes_on_to_the_same_bits() {
    let _turn = alone();
    sweep(undisturbed().0 / 7);
}

#[test]
#[ignore = "slow tier: kills at every call that changes a file"]
fn a_writer_killed_at_any_call_goes_on_to_the_same_bits() {
    let _turn = alone();
    sweep(1);
}

#[test]
fn a_writer_killed_again_and_again_still_arrives() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    let calls = undisturbed().0;
    for (k, fraction) in [3, 5, 2, 7].into_iter().enumerate() {
        interrupted(dir.path(), "half", calls / fraction);
        check_readable(dir.path(), &format!("kill {k}"));
    }
    check_resumed(dir.path(), "after four kills");
}

/// At moments of the clock, without the library in between.
#[test]
fn a_writer_killed_at_random_moments_leaves_readable_files() {
    let _turn = alone();
    let noise = amelo_math::philox::Noise::new(u64::from(std::process::id()), 1);
    let dir = tempfile::tempdir().unwrap();
    for k in 0..5 {
        let mut process = child(dir.path()).stdout(std::process::Stdio::null()).spawn().unwrap();
        let wait = 5.0 + 120.0 * noise.uniform2(k, 0, 0)[0];
        std::thread::sleep(std::time::Duration::from_micros((1e3 * wait) as u64));
        let _ = process.kill();
        process.wait().unwrap();
        check_readable(dir.path(), &format!("random kill {k} after {wait:.1} ms"));
    }
    check_resumed(dir.path(), "after five random kills");
}

#[test]
fn a_full_disk_is_an_error_with_a_remedy_and_costs_nothing_written_before() {
    let _turn = alone();
    let calls = undisturbed().0;
    for at in (1..calls).step_by(calls / 24) {
        let context = format!("disk full from call {at} of {calls}");
        let dir = tempfile::tempdir().unwrap();
        let output = interrupted(dir.path(), "full", at);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{context}: {said}");
        assert!(said.contains("No space left on device; free some space"), "{context}: {said}");
        assert!(!said.contains("HDF5-DIAG") && !said.contains("panicked"), "{context}: {said}");
        check_readable(dir.path(), &context);
        check_resumed(dir.path(), &context);
    }
}

#[test]
fn a_vanished_directory_is_an_error() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    let (run, moved) = (dir.path().join("run"), dir.path().join("moved"));
    std::fs::create_dir(&run).unwrap();
    let topology = Arc::new(topology(N));
    let mut writer = TrajectoryWriter::create(&run, &topology, TrajectorySettings::default()).unwrap();
    let mut log = LogWriter::create(&run, &[]).unwrap();
    writer.append(&system(&topology, 1).frame(), &[]).unwrap();
    writer.flush().unwrap();
    std::fs::rename(&run, &moved).unwrap();
    writer.append(&system(&topology, 2).frame(), &[]).unwrap();
    assert!(matches!(writer.flush(), Err(IoError::Vanished { .. })));
    log.append(1, &[]).unwrap();
    assert!(matches!(log.flush(), Err(IoError::Vanished { .. })));
    let error = snapshot(system(&topology, 2), 1).write_atomic(&run.join(CHECKPOINT)).unwrap_err();
    assert!(matches!(&error, IoError::Refused { path, .. } if path.ends_with("run/checkpoint.h5")), "{error}");
    drop(writer);
    assert_eq!(TrajectoryReader::open(&moved).unwrap().steps(), [1, 2]);
}

//! Trajectories come back bit for bit, over any number of parts, and damage is seen.

mod common;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use amelo_core::Topology;
use amelo_io::{IoError, LogWriter, Observable, TrajectoryReader, TrajectorySettings, TrajectoryWriter, hash_run};
use common::{snapshot, system, topology};

fn settings() -> TrajectorySettings {
    TrajectorySettings {
        velocities: true,
        observables: vec![Observable::new("temperature", "K"), Observable::new("density", "")],
        program_version: "0.1.0".into(),
        parameters: [("deck".to_string(), "seed = 1".to_string())].into(),
        ..TrajectorySettings::default()
    }
}

fn append(writer: &mut TrajectoryWriter, topology: &Arc<Topology>, step: u64) {
    writer.append(&system(topology, step).frame(), &[step as f64 / 3.0, f64::NAN]).unwrap();
}

fn write(directory: &Path, topology: &Arc<Topology>, steps: &[u64]) {
    let mut writer = TrajectoryWriter::create(directory, topology, settings()).unwrap();
    steps.iter().for_each(|&step| append(&mut writer, topology, step));
    writer.close().unwrap();
}

fn check(directory: &Path, topology: &Arc<Topology>, steps: &[u64]) -> TrajectoryReader {
    let reader = TrajectoryReader::open(directory).unwrap();
    assert_eq!(reader.steps(), steps);
    assert_eq!(reader.topology(), &**topology);
    for (frame, &step) in reader.iter().zip(steps) {
        let (frame, expected) = (frame.unwrap(), system(topology, step));
        assert_eq!(frame.positions, expected.positions);
        assert_eq!(frame.images, expected.images);
        assert_eq!(frame.displacements, expected.displacements);
        assert_eq!(frame.velocities.as_ref(), Some(&expected.velocities));
        assert_eq!((frame.cell, frame.time, frame.forces), (expected.cell, expected.time, None));
        assert_eq!(frame.observables[0], step as f64 / 3.0);
        assert!(frame.observables[1].is_nan());
    }
    reader
}

#[test]
fn frames_come_back_bitwise() {
    let dir = tempfile::tempdir().unwrap();
    let topology = Arc::new(topology(31));
    let steps: Vec<u64> = (0..40).map(|k| 5 * k).collect();
    write(dir.path(), &topology, &steps);
    let reader = check(dir.path(), &topology, &steps);
    assert!(reader.closed_cleanly() && reader.unreadable() == 0);
    assert_eq!(reader.parameter("deck").as_deref(), Some("seed = 1"));
    assert_eq!(reader.observables(), ["temperature", "density"]);
    assert!(matches!(TrajectoryWriter::create(dir.path(), &topology, settings()), Err(IoError::Exists { .. })));
}

#[test]
fn a_clean_trajectory_is_continued_in_the_same_file() {
    let dir = tempfile::tempdir().unwrap();
    let topology = Arc::new(topology(6));
    write(dir.path(), &topology, &[0, 5, 10]);
    let mut writer = TrajectoryWriter::resume(dir.path(), &topology, settings(), 10, 3).unwrap();
    append(&mut writer, &topology, 15);
    assert_eq!(writer.frames(), 4);
    writer.close().unwrap();
    let reader = check(dir.path(), &topology, &[0, 5, 10, 15]);
    assert_eq!(reader.paths().count(), 1);
}

#[test]
fn a_crashed_trajectory_goes_on_in_a_part_and_superseded_frames_are_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let topology = Arc::new(topology(6));
    let mut writer = TrajectoryWriter::create(dir.path(), &topology, settings()).unwrap();
    (0..6).for_each(|k| append(&mut writer, &topology, 5 * k));
    writer.flush().unwrap();
    drop(writer);
    // The checkpoint is of step 12: frames 15, 20, 25 are written again.
    let mut writer = TrajectoryWriter::resume(dir.path(), &topology, settings(), 12, 3).unwrap();
    (3..5).for_each(|k| append(&mut writer, &topology, 5 * k));
    writer.flush().unwrap();
    drop(writer);
    let reader = check(dir.path(), &topology, &[0, 5, 10, 15, 20]);
    assert_eq!((reader.paths().count(), reader.superseded(), reader.closed_cleanly()), (2, 3, false));
    drop(reader);
    // Back to step 12 again: the second part has no frame that counts and gives its number to the new one.
    let mut writer = TrajectoryWriter::resume(dir.path(), &topology, settings(), 12, 3).unwrap();
    (3..8).for_each(|k| append(&mut writer, &topology, 5 * k));
    writer.close().unwrap();
    let reader = check(dir.path(), &topology, &[0, 5, 10, 15, 20, 25, 30, 35]);
    assert_eq!(reader.paths().count(), 2);
    drop(reader);
    // A checkpoint that counts frames which are not there is refused.
    let error = TrajectoryWriter::resume(dir.path(), &topology, settings(), 12, 4).err().unwrap();
    assert!(matches!(error, IoError::MissingFrames { found: 3, expected: 4, step: 12, .. }), "{error}");
}

#[test]
fn a_full_part_is_followed_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let topology = Arc::new(topology(6));
    let small = TrajectorySettings { expected_frames: Some(1), ..settings() };
    let mut writer = TrajectoryWriter::create(dir.path(), &topology, small).unwrap();
    let steps: Vec<u64> = (0..150).collect();
    steps.iter().for_each(|&step| append(&mut writer, &topology, step));
    writer.close().unwrap();
    let reader = check(dir.path(), &topology, &steps);
    assert_eq!((reader.paths().count(), reader.superseded()), (3, 0));
}

#[test]
fn the_hash_knows_values_but_not_parts() {
    let topology = Arc::new(topology(6));
    let run = |cut: Option<u64>, last: f64| {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = TrajectoryWriter::create(dir.path(), &topology, settings()).unwrap();
        for step in 0..8 {
            append(&mut writer, &topology, step);
            if cut == Some(step) {
                writer.flush().unwrap();
                drop(writer);
                writer = TrajectoryWriter::resume(dir.path(), &topology, settings(), step, step + 1).unwrap();
            }
        }
        writer.close().unwrap();
        let mut log = LogWriter::create(dir.path(), &["time [ps]".into()]).unwrap();
        log.append(7, &[last]).unwrap();
        snapshot(system(&topology, 7), 8).write_atomic(&dir.path().join(amelo_io::CHECKPOINT)).unwrap();
        hash_run(dir.path()).unwrap()
    };
    let whole = run(None, 1.0);
    assert_eq!(whole.len(), 64);
    assert_eq!(run(Some(2), 1.0), whole);
    assert_eq!(run(Some(6), 1.0), whole);
    assert_ne!(run(None, 1.0 + f64::EPSILON), whole);
}

#[test]
fn a_changed_frame_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let topology = Arc::new(topology(6));
    write(dir.path(), &topology, &[0, 5, 10]);
    let path = dir.path().join("trajectory.h5md");
    let mut bytes = fs::read(&path).unwrap();
    let needle = system(&topology, 5).positions[3].x.to_le_bytes();
    let at = bytes.windows(8).position(|w| w == needle).unwrap();
    bytes[at] ^= 1;
    fs::write(&path, bytes).unwrap();
    let reader = TrajectoryReader::open(dir.path()).unwrap();
    assert!(reader.frame(0).is_ok() && reader.frame(2).is_ok());
    let error = reader.frame(1).unwrap_err();
    assert!(error.to_string().contains("frame 1 (step 5)"), "{error}");
}

#[test]
fn a_truncated_or_foreign_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("trajectory.h5md");
    assert!(matches!(TrajectoryReader::open(dir.path()), Err(IoError::Refused { .. })));
    write(dir.path(), &Arc::new(topology(6)), &[0, 5, 10]);
    let bytes = fs::read(&path).unwrap();
    for length in [0, 100, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&path, &bytes[..length]).unwrap();
        let error = TrajectoryReader::open(dir.path()).err().unwrap();
        assert!(matches!(error, IoError::Damaged { .. }), "{length}: {error}");
    }
    hdf5::File::create(&path).unwrap();
    assert!(matches!(TrajectoryReader::open(dir.path()), Err(IoError::NotThat { .. })));
}

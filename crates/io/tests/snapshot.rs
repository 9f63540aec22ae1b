//! Snapshots come back bit for bit, or the reader says why not.

mod common;

use std::fs;
use std::sync::Arc;

use amelo_core::StateValue;
use amelo_io::{IoError, Snapshot, snapshot};
use common::{snapshot as make, system, topology};

fn bits(snapshot: &Snapshot) -> Vec<u64> {
    let s = &snapshot.system;
    let vectors = [&s.positions, &s.displacements, &s.velocities];
    let mut bits: Vec<u64> =
        vectors.iter().flat_map(|v| v.iter()).flat_map(|v| v.to_array()).map(f64::to_bits).collect();
    bits.extend(s.cell.vectors().to_array().into_iter().flatten().map(f64::to_bits));
    bits.extend(s.images.iter().flatten().map(|&i| i as u64));
    bits.extend([s.step, s.time.to_bits()]);
    for value in snapshot.state.values.values() {
        match value {
            StateValue::F64(v) => bits.extend(v.iter().map(|x| x.to_bits())),
            StateValue::U64(v) => bits.extend(v),
        }
    }
    bits
}

#[test]
fn a_snapshot_comes_back_bitwise() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("checkpoint.h5");
    let written = make(system(&Arc::new(topology(50)), 7), 3);
    written.write_atomic(&path).unwrap();
    let read = Snapshot::read(&path).unwrap();
    assert_eq!(bits(&read), bits(&written));
    assert_eq!(*read.system.topology, *written.system.topology);
    assert_eq!(read.pair_table, written.pair_table);
    assert_eq!(read.nonbonded, written.nonbonded);
    assert_eq!(read.meta, written.meta);
    let names = |s: &Snapshot| s.state.values.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&read), names(&written));
    assert!(snapshot::is_snapshot(&path));
    assert!(!dir.path().join("checkpoint.h5.tmp").exists());
}

#[test]
fn the_previous_snapshot_is_kept_and_used_when_the_last_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("checkpoint.h5");
    let topology = Arc::new(topology(10));
    for step in [1, 2, 3] {
        make(system(&topology, step), 0).write_atomic(&path).unwrap();
    }
    assert_eq!(Snapshot::read(&path).unwrap().system.step, 3);
    assert_eq!(Snapshot::read(&dir.path().join("checkpoint.prev.h5")).unwrap().system.step, 2);
    let (latest, warning) = Snapshot::read_latest(&path).unwrap();
    assert!(latest.system.step == 3 && warning.is_none());

    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let (latest, warning) = Snapshot::read_latest(&path).unwrap();
    assert_eq!(latest.system.step, 2);
    assert!(matches!(warning, Some(IoError::Damaged { .. })));
    fs::remove_file(&path).unwrap();
    let (latest, warning) = Snapshot::read_latest(&path).unwrap();
    assert_eq!(latest.system.step, 2);
    assert!(matches!(warning, Some(IoError::Refused { .. })));
}

#[test]
fn a_single_flipped_bit_is_found_wherever_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("checkpoint.h5");
    make(system(&Arc::new(topology(4)), 7), 3).write_atomic(&path).unwrap();
    let whole = fs::read(&path).unwrap();
    for at in (0..whole.len()).step_by(97) {
        let mut broken = whole.clone();
        broken[at] ^= 0x10;
        fs::write(&path, &broken).unwrap();
        let error = Snapshot::read(&path).expect_err(&format!("byte {at}"));
        assert!(error.to_string().contains("checkpoint.h5"), "{error}");
    }
}

#[test]
fn a_truncated_snapshot_is_named_at_any_length() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("checkpoint.h5");
    make(system(&Arc::new(topology(4)), 7), 3).write_atomic(&path).unwrap();
    let whole = fs::read(&path).unwrap();
    for length in [0, 14, 20, 100, 512, 513, 600, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        let error = Snapshot::read(&path).unwrap_err();
        assert!(matches!(error, IoError::Damaged { .. }), "{length}: {error}");
    }
}

#[test]
fn another_version_and_another_file_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("checkpoint.h5");
    make(system(&Arc::new(topology(4)), 7), 3).write_atomic(&path).unwrap();
    let text = fs::read(&path).unwrap();
    let later = [&b"amelo snapshot\nversion 2\n"[..], &text[25..]].concat();
    fs::write(&path, later).unwrap();
    let error = Snapshot::read(&path).unwrap_err();
    assert!(matches!(error, IoError::Version { found: 2, known: 1, .. }), "{error}");
    fs::write(&path, "[system]\n").unwrap();
    assert!(matches!(Snapshot::read(&path), Err(IoError::NotThat { .. })));
    assert!(!snapshot::is_snapshot(&path));
    assert!(matches!(Snapshot::read(&dir.path().join("nothing.h5")), Err(IoError::Refused { .. })));
}

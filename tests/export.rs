//! `amelo export`: what it writes can be read again by readers written here, and what it refuses is said.

mod common;

use std::path::Path;

use common::{amelo, argon, argon_directory, atoms, call, ok, store};

/// A directory with `run`, a finished run of argon: 3 frames of every 8 fs from the 80 fs of its last stage and more.
fn argon_run() -> (tempfile::TempDir, Vec<amelo_io::OwnedFrame>) {
    let directory = argon_directory("");
    ok(directory.path(), &["run", "run.toml", "--out", "run", "-q"]);
    let reader = amelo_io::TrajectoryReader::open(&directory.path().join("run")).expect("a trajectory");
    let frames = reader.iter().collect::<Result<Vec<_>, _>>().expect("frames");
    assert!(frames.len() >= 10);
    (directory, frames)
}

fn read(directory: &Path, name: &str) -> String {
    std::fs::read_to_string(directory.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn floats(line: &str) -> Vec<f64> {
    line.split_whitespace().filter_map(|x| x.parse().ok()).collect()
}

/// One block of extended XYZ: its second line and the positions in Å.
fn xyz_blocks(text: &str) -> Vec<(String, Vec<Vec<f64>>)> {
    let mut lines = text.lines();
    let mut blocks = Vec::new();
    while let Some(count) = lines.next() {
        let n: usize = count.parse().expect("a number of atoms");
        let head = lines.next().expect("a second line").to_string();
        let rows = (0..n).map(|_| floats(lines.next().expect("an atom"))).collect();
        blocks.push((head, rows));
    }
    blocks
}

#[test]
fn extended_xyz_holds_every_frame_in_full() {
    let (directory, frames) = argon_run();
    ok(directory.path(), &["export", "extxyz", "run", "-o", "all.extxyz"]);
    let blocks = xyz_blocks(&read(directory.path(), "all.extxyz"));
    assert_eq!(blocks.len(), frames.len());
    for ((head, rows), frame) in blocks.iter().zip(&frames) {
        assert!(head.contains(&format!(" step={} ", frame.step)) && head.contains(" energy="), "{head}");
        assert!(head.contains("Properties=species:S:1:pos:R:3:velo:R:3"), "{head}");
        let edge = 10.0 * frame.cell.diagonal().x;
        assert!(head.contains(&format!("Lattice=\"{edge:?} 0.0")), "{head}");
        for (row, (r, v)) in rows.iter().zip(frame.positions.iter().zip(frame.velocities.as_ref().expect("stored"))) {
            assert_eq!(row[..3], (*r * 10.0).to_array());
            assert!((0..3).all(|k| (row[3 + k] - 0.01 * v[k]).abs() <= 1e-15 * v[k].abs()), "{row:?}");
        }
    }
}

#[test]
fn frames_are_chosen_as_python_slices_them() {
    let (directory, frames) = argon_run();
    let path = directory.path();
    let steps = |slice: &str| -> Vec<u64> {
        ok(path, &["export", "extxyz", "run", "-o", "some.extxyz", "--overwrite", "--frames", slice]);
        let blocks = xyz_blocks(&read(path, "some.extxyz"));
        let step = |head: &str| head.split("step=").nth(1).and_then(|s| s.split(' ').next()?.parse().ok());
        blocks.iter().map(|(head, _)| step(head).expect("a step")).collect()
    };
    let all: Vec<u64> = frames.iter().map(|f| f.step).collect();
    assert_eq!(steps("2:8:3"), [all[2], all[5]]);
    assert_eq!(steps("-1"), [all[all.len() - 1]]);
    assert_eq!(steps("::-1"), all.iter().rev().copied().collect::<Vec<_>>());
    for (slice, word) in
        [("7:3", "selects no frame"), ("99", "not there"), ("1.5", "whole number"), ("::0", "step is 0")]
    {
        let (code, stderr) = call(path, &["export", "extxyz", "run", "-o", "none.extxyz", "--frames", slice]);
        assert!(code == 2 && stderr.contains(word), "{slice}: {code} {stderr}");
        assert!(!path.join("none.extxyz").exists());
    }
}

#[test]
fn pdb_is_the_last_state_or_models() {
    let (directory, frames) = argon_run();
    let path = directory.path();
    ok(path, &["export", "pdb", "run", "-o", "last.pdb"]);
    let last = read(path, "last.pdb");
    assert!(!last.contains("MODEL") && last.ends_with("END\n"));
    let state = amelo_io::Snapshot::read(&path.join("run/checkpoint.h5")).expect("a checkpoint").system;
    let atoms: Vec<&str> = last.lines().filter(|l| l.starts_with("HETATM")).collect();
    assert_eq!(atoms.len(), state.n_atoms());
    let x: f64 = atoms[7][30..38].trim().parse().expect("x");
    assert!((x - 10.0 * state.positions[7].x).abs() <= 5.1e-4);
    ok(path, &["export", "pdb", "run", "-o", "all.pdb", "--frames", ":"]);
    let all = read(path, "all.pdb");
    assert_eq!(all.lines().filter(|l| l.starts_with("MODEL ")).count(), frames.len());
    assert_eq!(all.lines().filter(|l| *l == "ENDMDL").count(), frames.len());
}

#[test]
fn xtc_comes_with_a_gro() {
    let (directory, frames) = argon_run();
    let path = directory.path();
    let report = ok(path, &["export", "xtc", "run", "-o", "all.xtc", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(
        (report["n_frames"].as_u64(), report["files"][1].as_str()),
        (Some(frames.len() as u64), Some("all.gro"))
    );
    let gro = read(path, "all.gro");
    assert_eq!(gro.lines().nth(1).map(str::trim), Some("216"));
    // Every frame begins with the magic number 1995 and the number of atoms, big-endian.
    let bytes = std::fs::read(path.join("all.xtc")).expect("xtc");
    let head = [1995_i32.to_be_bytes(), 216_i32.to_be_bytes()].concat();
    assert_eq!(bytes.windows(8).filter(|w| *w == head).count(), frames.len());
    assert_eq!(bytes[..8], head);
}

#[test]
fn nothing_is_overwritten_unasked() {
    let (directory, _) = argon_run();
    let path = directory.path();
    std::fs::create_dir(path.join("out")).expect("made");
    for (format, output) in [("extxyz", "a.extxyz"), ("xtc", "a.xtc"), ("gromacs", "out"), ("lammps", "out")] {
        let arguments = ["export", format, "run", "-o", output];
        ok(path, &arguments);
        let (code, stderr) = call(path, &arguments);
        assert!(code == 2 && stderr.contains("exists already"), "{format}: {code} {stderr}");
        ok(path, &[&arguments[..], &["--overwrite"]].concat());
    }
    let (code, stderr) = call(path, &["export", "lammps", "run", "-o", "a.xtc"]);
    assert!(code == 2 && stderr.contains("not a directory"), "{stderr}");
    let (code, _) = call(path, &["export", "pdb", "nothing.h5", "-o", "b.pdb"]);
    assert_eq!(code, 4);
    let (code, _) = call(path, &["export", "pdb", "run", "-o", "no/such/place/b.pdb"]);
    assert_eq!(code, 4);
}

#[test]
fn input_of_gromacs_and_lammps_from_a_run() {
    let (directory, frames) = argon_run();
    let path = directory.path();
    ok(path, &["export", "gromacs", "run", "-o", "gmx", "--frames", "-3:"]);
    let top = read(path, "gmx/topol.top");
    assert!(top.contains("\nAr 39.948 0.0 A 0.34 0.997735\n") && top.ends_with("[ molecules ]\nAr 216\n"), "{top}");
    assert!(read(path, "gmx/grompp.mdp").contains("dt                       = 0.004\n"));
    // The last of the chosen frames in conf.gro, all of them in frames.gro.
    let count = |text: &str| text.lines().filter(|l| l.contains("written by amelo t=")).count();
    assert_eq!(count(&read(path, "gmx/frames.gro")), 3);
    let last = frames.last().expect("frames");
    assert!(read(path, "gmx/conf.gro").starts_with(&format!("argon t= {:?} step= {}\n", last.time, last.step)));

    ok(path, &["export", "lammps", "run", "-o", "lmp", "--frames", "0:2"]);
    let script = read(path, "lmp/in.lmp");
    assert!(script.contains("pair_style lj/cut 9.0\n") && script.contains("timestep 4.0\n"), "{script}");
    let dump = read(path, "lmp/frames.lammpstrj");
    assert_eq!(dump.lines().filter(|l| *l == "ITEM: TIMESTEP").count(), 2);
    let data = read(path, "lmp/system.data");
    let first = data.lines().skip_while(|l| !l.starts_with("Atoms")).nth(2).map(floats).expect("an atom");
    let r = frames[1].positions[0] * 10.0;
    assert_eq!(first[4..7], r.to_array());
}

/// The stage at which a run stands decides what is held and frozen.
#[test]
fn constraints_and_frozen_groups_are_those_of_the_deck() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    let deck = Path::new(env!("CARGO_MANIFEST_DIR")).join("inputs/peo-litfsi.toml").display().to_string();
    let sets = [
        "--set",
        "dynamics.constraints=\"h-bonds\"",
        "--set",
        "dynamics.frozen=[\"Li\"]",
        "--set",
        "dynamics.timestep=\"2 fs\"",
    ];
    ok(path, &[&["build", &deck, "-o", "peo.h5", "-q"], &sets[..]].concat());
    ok(path, &["export", "gromacs", "peo.h5", "-o", "gmx"]);
    let mdp = read(path, "gmx/grompp.mdp");
    assert!(
        mdp.contains("freezegrps               = amelo_frozen\n") && mdp.contains("dt                       = 0.002\n"),
        "{mdp}"
    );
    assert!(
        mdp.contains("vdw-modifier             = Force-switch\n") && mdp.contains("rvdw-switch              = 0.75\n")
    );
    let top = read(path, "gmx/topol.top");
    // One type each of chain, anion and cation; constraints in that of the chain.
    assert_eq!(top.lines().filter(|l| *l == "[ moleculetype ]").count(), 3, "{top}");
    assert_eq!(top.lines().filter(|l| *l == "[ constraints ]").count(), 1);
    // The force-switch of Lennard-Jones beside long-range Coulomb: an overlay.
    ok(path, &["export", "lammps", "peo.h5", "-o", "lmp"]);
    let script = read(path, "lmp/in.lmp");
    assert!(script.contains("pair_style hybrid/overlay lj/gromacs 7.5 8.5 coul/long 8.5\n"), "{script}");
    assert!(script.contains("fix constraints mobile shake") && script.contains("group frozen id "), "{script}");
    // Without them on request.
    ok(path, &["export", "lammps", "peo.h5", "-o", "free", "--set", "dynamics.constraints=\"none\""]);
    assert!(!read(path, "free/in.lmp").contains("shake"));
}

/// A film in a field, its oxide tethered: LAMMPS gets walls, SHAKE and the deck's time step, and hears of the tethers.
#[test]
fn a_film_between_walls() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    let deck = Path::new(env!("CARGO_MANIFEST_DIR")).join("inputs/film.toml").display().to_string();
    ok(
        path,
        &[
            "build",
            &deck,
            "-o",
            "film.h5",
            "-q",
            "--set",
            "dynamics.electric_field=[\"0 V/nm\", \"0 V/nm\", \"0.1 V/nm\"]",
        ],
    );
    let output = amelo(path, &["export", "lammps", "film.h5", "-o", "lmp"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.contains("tethers of group \"oxide\""), "{stderr}");
    let script = read(path, "lmp/in.lmp");
    assert!(script.contains("boundary p p f\n") && script.contains("kspace_modify slab "), "{script}");
    assert!(
        script.contains("timestep 2.0\n")
            && script.contains(" shake ")
            && script.contains("fix field all efield 0.0 0.0 0.01")
    );
    assert!(script.contains("hybrid/overlay lj/cut 9.0 buck 9.0 coul/long 9.0\n"), "{script}");
    ok(path, &["export", "gromacs", "film.h5", "-o", "gmx", "--without-buckingham"]);
    let mdp = read(path, "gmx/grompp.mdp");
    assert!(
        mdp.contains("ewald-geometry           = 3dc\n") && mdp.contains("electric-field-z         = 0.1"),
        "{mdp}"
    );
}

#[test]
fn a_system_with_buckingham_pairs_says_that_gromacs_cannot_run_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    let mut snapshot = argon(6);
    let entry = snapshot.pair_table.get(0, 0).clone();
    snapshot.pair_table = amelo_core::PairTable::from_fn(1, |_, _| {
        // Matsui–Akaogi's O–O.
        let parameters = vec![1_136_872.0, 0.0234, 2.916e-3];
        Ok::<_, ()>(amelo_core::PairEntry { form: "buckingham".into(), parameters, ..entry.clone() })
    })
    .expect("one entry");
    store(&snapshot, &path.join("oxide.h5"));
    let (code, stderr) = call(path, &["export", "gromacs", "oxide.h5", "-o", "gmx"]);
    assert!(code == 2 && stderr.contains("Buckingham") && stderr.contains("--without-buckingham"), "{code} {stderr}");
    assert!(!path.join("gmx").exists());
    let output = amelo(path, &["export", "gromacs", "oxide.h5", "-o", "gmx", "--without-buckingham"]);
    assert!(output.status.success() && String::from_utf8_lossy(&output.stderr).contains("note: "));
    ok(path, &["export", "lammps", "oxide.h5", "-o", "lmp"]);
    assert!(read(path, "lmp/in.lmp").contains("pair_style buck 9.0\n"));
}

#[test]
fn a_coordinate_without_columns_is_an_error() {
    let directory = tempfile::tempdir().expect("a directory");
    let cell = amelo_core::Cell::orthorhombic(1200.0, 3.0, 3.0).expect("a cell");
    let snapshot = atoms(vec![amelo_math::Vec3::new(1100.0, 0.0, 0.0)], cell);
    store(&snapshot, &directory.path().join("far.h5"));
    let (code, stderr) = call(directory.path(), &["export", "pdb", "far.h5", "-o", "far.pdb"]);
    assert!(code == 4 && stderr.contains("atom 1") && stderr.contains("extxyz"), "{code} {stderr}");
    assert!(!directory.path().join("far.pdb").exists() && !directory.path().join("far.pdb.tmp").exists());
}

#[test]
fn every_format_is_listed_and_explained() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let list = ok(here, &["list", "formats"]);
    for name in ["gromacs", "lammps", "extxyz", "pdb", "xtc", "h5md", "checkpoint"] {
        assert!(list.lines().any(|l| l.starts_with(name)), "{name}\n{list}");
        assert!(ok(here, &["explain", name]).contains("file format"), "{name}");
    }
}

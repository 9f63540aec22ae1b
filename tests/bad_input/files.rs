//! Files and directories that are missing, damaged or in the way, and states that cannot be.

use amelo_core::Cell;
use amelo_math::Vec3;

use crate::common::{argon, argon_deck, atoms, call, hash, ok, store, write};
use crate::{Expected, refused};

#[test]
fn a_deck_that_is_not_utf8() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("run.toml"), b"title = \"Ti\xff\"\n").expect("written");
    refused(directory.path(), &["run", "run.toml"], &Expected { code: 2, says: &["not UTF-8", "run.toml:1:12"] });
}

#[test]
fn a_deck_that_is_missing_or_a_directory() {
    let directory = tempfile::tempdir().expect("a directory");
    refused(directory.path(), &["run", "none.toml"], &Expected { code: 4, says: &["none.toml"] });
    refused(directory.path(), &["run", "."], &Expected { code: 4, says: &["cannot read the deck"] });
}

#[test]
fn a_deck_without_stages() {
    let directory = tempfile::tempdir().expect("a directory");
    store(&argon(6), &directory.path().join("argon.h5"));
    write(directory.path(), "run.toml", "[system.restart]\nfrom = \"argon.h5\"\n");
    refused(directory.path(), &["run", "run.toml"], &Expected { code: 2, says: &["no stage"] });
}

#[test]
fn wrong_set_arguments() {
    let directory = tempfile::tempdir().expect("a directory");
    store(&argon(6), &directory.path().join("argon.h5"));
    write(directory.path(), "run.toml", &argon_deck(""));
    let cases: [(&str, &[&str]); 5] = [
        ("seed", &["without an equals sign"]),
        ("stage.cool.duration=\"1 ps\"", &["no entry named or numbered \"cool\""]),
        ("dynamics.tiemstep=\"1 fs\"", &["unknown field", "--set:1:1"]),
        ("dynamics.timestep=1", &["has no unit", "--set:1:19"]),
        ("seed.x=1", &["is a value"]),
    ];
    for (set, says) in cases {
        refused(directory.path(), &["run", "run.toml", "--set", set], &Expected { code: 2, says });
    }
}

#[test]
fn an_existing_run_directory_is_not_touched() {
    let directory = tempfile::tempdir().expect("a directory");
    store(&argon(6), &directory.path().join("argon.h5"));
    write(directory.path(), "run.toml", &argon_deck(""));
    let precious = directory.path().join("run.run");
    std::fs::create_dir(&precious).expect("made");
    write(&precious, "checkpoint.h5", "precious");
    refused(directory.path(), &["run", "run.toml"], &Expected { code: 2, says: &["exists already", "--resume"] });
    // A broken deck does not cost the old run, even with --overwrite.
    write(directory.path(), "bad.toml", &argon_deck("[[analysis]]\nmsd = { group = \"PEO\" }"));
    refused(
        directory.path(),
        &["run", "bad.toml", "--out", "run.run", "--overwrite"],
        &Expected { code: 2, says: &["PEO"] },
    );
    refused(
        directory.path(),
        &["build", "run.toml", "-o", "argon.h5"],
        &Expected { code: 2, says: &["exists already"] },
    );
    refused(
        directory.path(),
        &["run", "run.toml", "--out", "argon.h5"],
        &Expected { code: 2, says: &["not a directory"] },
    );
}

#[test]
fn a_run_directory_that_cannot_be_made() {
    let directory = tempfile::tempdir().expect("a directory");
    store(&argon(6), &directory.path().join("argon.h5"));
    write(directory.path(), "run.toml", &argon_deck(""));
    refused(
        directory.path(),
        &["run", "run.toml", "--out", "argon.h5/run"],
        &Expected { code: 4, says: &["argon.h5/run"] },
    );
}

#[test]
fn system_files_that_are_missing_truncated_or_something_else() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    store(&argon(6), &path.join("argon.h5"));
    let whole = std::fs::read(path.join("argon.h5")).expect("readable");
    std::fs::write(path.join("short.h5"), &whole[..whole.len() / 2]).expect("written");
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    std::fs::write(path.join("flipped.h5"), &flipped).expect("written");
    std::fs::write(path.join("empty.h5"), b"").expect("written");
    std::fs::write(path.join("text.h5"), b"hello").expect("written");
    let cases: [(&str, &str); 5] = [
        ("gone.h5", "gone.h5"),
        ("short.h5", "damaged"),
        ("flipped.h5", "SHA-256"),
        ("empty.h5", "damaged"),
        ("text.h5", "not a system or checkpoint file"),
    ];
    for (name, says) in cases {
        write(path, "run.toml", &argon_deck("").replace("argon.h5", name));
        refused(path, &["run", "run.toml"], &Expected { code: 4, says: &[name, says] });
        refused(path, &["energy", name], &Expected { code: 4, says: &[name] });
    }
}

#[test]
fn atoms_on_top_of_each_other() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    let cell = Cell::orthorhombic(3.0, 3.0, 3.0).expect("a cell");
    let positions = vec![Vec3::new(1.0, 1.0, 1.0), Vec3::new(1.0, 1.0, 1.001), Vec3::new(2.0, 2.0, 2.0)];
    store(&atoms(positions, cell), &path.join("argon.h5"));
    let deck = argon_deck("").replace("[[stage]]\nname = \"minimise\"\nminimize = { max_steps = 20 }\n", "");
    write(path, "run.toml", &deck);
    refused(path, &["energy", "argon.h5"], &Expected { code: 3, says: &["atoms 0 and 1 overlap", "r = 0.001"] });
    let stderr =
        refused(path, &["run", "run.toml"], &Expected { code: 3, says: &["atoms 0 and 1 overlap", "dossier.json"] });
    let text = std::fs::read_to_string(path.join("run.run/dossier.json")).unwrap_or_else(|e| panic!("{e}: {stderr}"));
    let dossier: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(dossier["atom"]["atom"], 0);
    assert_eq!(dossier["neighbours"][0]["atom"], 1);
    // The checkpoint before it is good.
    ok(path, &["energy", "argon.h5", "--set", "nonbonded.r_cut=\"1 nm\"", "--help"]);
    amelo_io::Snapshot::read(&path.join("run.run/checkpoint.h5")).expect("the last good checkpoint");
}

#[test]
fn a_position_that_is_not_a_number() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut snapshot = argon(6);
    snapshot.system.positions[7].y = f64::NAN;
    store(&snapshot, &directory.path().join("argon.h5"));
    write(directory.path(), "run.toml", &argon_deck(""));
    refused(directory.path(), &["run", "run.toml"], &Expected { code: 4, says: &["atom 7", "not a finite number"] });
}

#[test]
fn a_damaged_checkpoint_is_replaced_by_the_one_before() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    store(&argon(6), &path.join("argon.h5"));
    write(path, "run.toml", &argon_deck(""));
    ok(path, &["run", "run.toml", "--out", "whole"]);
    let (code, stderr) = call(path, &["run", "run.toml", "--out", "parts", "--steps", "33"]);
    assert_eq!(code, 75, "{stderr}");
    let checkpoint = path.join("parts/checkpoint.h5");
    let whole = std::fs::read(&checkpoint).expect("readable");
    std::fs::write(&checkpoint, &whole[..whole.len() / 3]).expect("written");
    let (code, stderr) = call(path, &["run", "run.toml", "--out", "parts", "--resume"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("damaged") && stderr.contains("going on from the checkpoint before"), "{stderr}");
    assert_eq!(hash(path, "whole"), hash(path, "parts"));
    for name in ["checkpoint.h5", "checkpoint.prev.h5"] {
        std::fs::write(path.join("parts").join(name), b"amelo snapshot\n").expect("written");
    }
    refused(path, &["run", "run.toml", "--out", "parts", "--resume"], &Expected { code: 4, says: &["checkpoint.h5"] });
}

#[test]
fn commands_on_something_that_is_no_run() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path();
    write(path, "trajectory.h5md", "not HDF5");
    refused(path, &["hash", "nowhere"], &Expected { code: 4, says: &["nowhere"] });
    refused(path, &["analyze", "density", "."], &Expected { code: 4, says: &["trajectory.h5md"] });
    refused(path, &["analyze", "nothing", "."], &Expected { code: 2, says: &["no analysis \"nothing\"", "msd"] });
    refused(path, &["explain", "berendsen"], &Expected { code: 2, says: &["v-rescale"] });
}

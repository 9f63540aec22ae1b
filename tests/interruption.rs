//! Signals, killed processes and directories that vanish: what was written stays readable, and `--resume` ends with
//! the bits of the unbroken run.
#![cfg(unix)]

mod common;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{argon, argon_deck, call, hash, ok, store, write};

/// Argon in `run.toml`, with a checkpoint as often as `checkpoint_every`.
fn directory(checkpoint_every: &str, duration: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    store(&argon(6), &directory.path().join("argon.h5"));
    let deck =
        argon_deck("").replacen("[output]\n", &format!("[output]\ncheckpoint_every = \"{checkpoint_every}\"\n"), 1);
    let last = deck.rfind("duration = \"80 fs\"").expect("there");
    let deck = format!("{}duration = \"{duration}\"{}", &deck[..last], &deck[last + 18..]);
    write(directory.path(), "run.toml", &deck);
    directory
}

fn start(directory: &Path, out: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_amelo"))
        .args(["run", "run.toml", "--out", out, "--resume", "-q"])
        .current_dir(directory)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts")
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
    assert!(status.expect("kill runs").success());
}

fn wait_for(path: &Path, what: &str) {
    let began = Instant::now();
    while !path.exists() {
        assert!(began.elapsed() < Duration::from_secs(60), "no {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_signal_ends_in_a_checkpoint_and_exit_code_75() {
    let directory = directory("600 s", "12 ps");
    let path = directory.path();
    for name in ["TERM", "INT"] {
        let mut child = start(path, name);
        wait_for(&path.join(name).join("trajectory.h5md"), "trajectory");
        std::thread::sleep(Duration::from_millis(200));
        let asked = Instant::now();
        signal(&child, name);
        let status = child.wait().expect("ends");
        assert!(asked.elapsed() < Duration::from_secs(5), "took {:?}", asked.elapsed());
        assert_eq!(status.code(), Some(75), "{name}");
    }
    ok(path, &["run", "run.toml", "--out", "TERM", "--resume"]);
    ok(path, &["run", "run.toml", "--out", "whole"]);
    assert_eq!(hash(path, "whole"), hash(path, "TERM"));
}

#[test]
fn max_hours_ends_in_a_checkpoint() {
    let directory = directory("600 s", "4000 ps");
    let (code, stderr) = call(directory.path(), &["run", "run.toml", "--out", "run", "--max-hours", "0.0001"]);
    assert_eq!(code, 75, "{stderr}");
    assert!(stderr.contains("--max-hours") && stderr.contains("--resume"), "{stderr}");
    ok(directory.path(), &["hash", "run"]);
}

#[test]
fn a_directory_that_vanishes_is_exit_code_4() {
    let directory = directory("0.2 s", "4000 ps");
    let path = directory.path();
    let mut child = start(path, "run");
    wait_for(&path.join("run/trajectory.h5md"), "trajectory");
    std::thread::sleep(Duration::from_millis(500));
    std::fs::rename(path.join("run"), path.join("moved")).expect("renamed");
    let status = child.wait().expect("ends");
    assert_eq!(status.code(), Some(4));
    // What was written is readable where it is now.
    ok(path, &["hash", "moved"]);
}

/// Kills a run again and again until it has finished; returns how often a checkpoint was being written then.
fn kill_until_done(path: &Path, out: &str, kills: usize) -> usize {
    let mut in_checkpoint = 0;
    for k in 0..kills {
        let mut child = start(path, out);
        // From building and start-up to deep into the run, in a fixed pattern.
        std::thread::sleep(Duration::from_millis(40 + (k as u64 * 137) % 600));
        let _ = child.kill();
        let _ = child.wait();
        let run = path.join(out);
        in_checkpoint += usize::from(run.join("checkpoint.h5.tmp").exists());
        // Whatever is there opens.
        if run.join("checkpoint.h5").exists() {
            amelo_io::Snapshot::read_latest(&run.join("checkpoint.h5")).expect("a checkpoint that opens");
        }
        if run.join("trajectory.h5md").exists() {
            amelo_io::TrajectoryReader::open(&run).expect("a trajectory that opens");
        }
    }
    ok(path, &["run", "run.toml", "--out", out, "--resume", "-q"]);
    in_checkpoint
}

#[test]
fn a_killed_run_resumes_with_the_same_bits() {
    let directory = directory("0.05 s", "6 ps");
    let path = directory.path();
    ok(path, &["run", "run.toml", "--out", "whole"]);
    kill_until_done(path, "run", 6);
    assert_eq!(hash(path, "whole"), hash(path, "run"));
}

#[test]
#[ignore = "slow tier: fifty kills, at least ten of them inside a checkpoint"]
fn fifty_kills_cost_nothing() {
    let directory = directory("0 s", "12 ps");
    let path = directory.path();
    ok(path, &["run", "run.toml", "--out", "whole", "--set", "output.checkpoint_every=\"600 s\""]);
    let in_checkpoint = kill_until_done(path, "run", 50);
    println!("{in_checkpoint} of 50 kills came while a checkpoint was being written");
    assert_eq!(hash(path, "whole"), hash(path, "run"));
    assert!(in_checkpoint >= 10, "only {in_checkpoint} kills inside a checkpoint");
}

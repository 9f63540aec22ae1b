//! Signals, killed processes and directories that vanish: what was written stays readable, and `--resume` ends with
//! the bits of the unbroken run.
#![cfg(unix)]

mod common;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{argon, argon_deck, call, hash, interrupted, ok, shim, store, write};

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

/// As behind `2>&1 | head -1`: a run that nobody listens to any more goes on, and errors keep their exit codes.
#[test]
fn a_closed_stderr_or_stdout_ends_nothing() {
    let directory = directory("600 s", "1 ps");
    let path = directory.path();
    let unheard = |arguments: &[&str]| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_amelo"))
            .args(arguments)
            .current_dir(path)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        drop((child.stdout.take(), child.stderr.take()));
        child.wait().expect("ends").code()
    };
    assert_eq!(unheard(&["run", "run.toml", "--out", "deaf", "-vvv"]), Some(0));
    ok(path, &["run", "run.toml", "--out", "heard"]);
    assert_eq!(hash(path, "deaf"), hash(path, "heard"));
    assert_eq!(unheard(&["run", "missing.toml", "--json"]), Some(4));
    assert_eq!(unheard(&["list", "potentials"]), Some(0));
}

#[test]
fn a_signal_ends_in_a_checkpoint_and_exit_code_75() {
    let directory = directory("600 s", "60 ps");
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

#[test]
fn a_full_disk_is_exit_code_4_and_the_run_goes_on_when_there_is_space() {
    let directory = directory("0 s", "0.4 ps");
    let path = directory.path();
    let library = shim(path);
    ok(path, &["run", "run.toml", "--out", "whole"]);
    // From the first file of the run directory to deep into checkpoints and frames.
    for at in [1, 12, 60, 150, 300] {
        let name = format!("full-{at}");
        let run = path.join(&name);
        let (code, stderr) = interrupted(&run, &library, &["run", "run.toml", "--out", &name], "f", at, None);
        assert_eq!(code, 4, "full from call {at}: {stderr}");
        assert!(stderr.contains("No space left on device") && stderr.contains("free some space"), "{at}: {stderr}");
        if run.join("trajectory.h5md").exists() {
            amelo_io::TrajectoryReader::open(&run).expect("what was written before is readable");
        }
        ok(path, &["run", "run.toml", "--out", &name, "--resume"]);
        assert_eq!(hash(path, "whole"), hash(path, &name), "full from call {at}");
    }
}

#[test]
fn resume_without_its_trajectory_is_refused_and_touches_nothing() {
    let directory = directory("600 s", "0.4 ps");
    let path = directory.path();
    let (code, _) = call(path, &["run", "run.toml", "--out", "run", "--steps", "60"]);
    assert_eq!(code, 75);
    let (run, aside) = (path.join("run"), path.join("aside.h5md"));
    std::fs::rename(run.join("trajectory.h5md"), &aside).expect("moved");
    let checkpoint = std::fs::read(run.join("checkpoint.h5")).expect("a checkpoint");
    let (code, stderr) = call(path, &["run", "run.toml", "--out", "run", "--resume"]);
    assert_eq!(code, 4, "{stderr}");
    assert!(stderr.contains("frames") && stderr.contains("trajectory"), "{stderr}");
    assert!(!run.join("trajectory.h5md").exists());
    assert_eq!(std::fs::read(run.join("checkpoint.h5")).expect("still there"), checkpoint);
    // Put back, it goes on.
    std::fs::rename(&aside, run.join("trajectory.h5md")).expect("moved back");
    ok(path, &["run", "run.toml", "--out", "run", "--resume"]);
    ok(path, &["run", "run.toml", "--out", "whole"]);
    assert_eq!(hash(path, "whole"), hash(path, "run"));
}

#[test]
fn a_killed_overwrite_leaves_no_half_of_the_old_run() {
    let directory = directory("600 s", "0.2 ps");
    let path = directory.path();
    let library = shim(path);
    ok(path, &["run", "run.toml", "--out", "whole", "--set", "seed=6"]);
    for at in 1.. {
        // The shim knows the run's files by their absolute paths.
        let run = path.join(format!("run-{at}"));
        let name = run.display().to_string();
        ok(path, &["run", "run.toml", "--out", &name]);
        let new = ["run", "run.toml", "--out", &name, "--set", "seed=6"];
        let arguments: Vec<&str> = new.iter().copied().chain(["--overwrite"]).collect();
        let (code, stderr) = interrupted(&run, &library, &arguments, "k", at, Some("unlink"));
        if code == 0 {
            assert!(at > 4, "only {at} files were removed");
            break;
        }
        assert_eq!(code, -1, "kill {at}: {stderr}");
        // Either the old run still stands and says that the deck is another one, or the new one goes on.
        let resumed: Vec<&str> = new.iter().copied().chain(["--resume"]).collect();
        let (code, stderr) = call(path, &resumed);
        if code == 2 {
            assert!(stderr.contains("seed"), "kill {at}: {stderr}");
            ok(path, &arguments);
        } else {
            assert_eq!(code, 0, "kill {at}: {stderr}");
        }
        assert_eq!(hash(path, "whole"), hash(path, &name), "kill {at}");
    }
}

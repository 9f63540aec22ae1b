//! Broken decks, parameter files and run directories: each gives an error with its place, the remedy and the exit
//! code, no panic, and touches nothing.
//!
//! `«` in a text marks where the error must point; it is removed before the file is written.

#[path = "../common/mod.rs"]
mod common;

mod decks;
mod files;
mod parameters;
mod pores;

use std::collections::BTreeMap;
use std::path::Path;

use common::{argon, call, store, write};

/// What must come of a call.
struct Expected<'a> {
    code: i32,
    /// Words of the message and of the remedy.
    says: &'a [&'a str],
}

/// Every file below a directory with its content.
fn contents(directory: &Path) -> BTreeMap<std::path::PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(directory).expect("readable").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            found.insert(path.clone(), std::fs::read(&path).expect("readable"));
        }
    }
    found
}

/// Runs `arguments` and asserts code, words, remedy, no panic, and that every file is what it was.
fn refused(directory: &Path, arguments: &[&str], expected: &Expected) -> String {
    let before = contents(directory);
    let (code, stderr) = call(directory, arguments);
    let what = format!("amelo {}\n{stderr}", arguments.join(" "));
    assert_eq!(code, expected.code, "{what}");
    for words in expected.says {
        assert!(stderr.contains(words), "\"{words}\" is not in:\n{what}");
    }
    assert!(stderr.contains("help:"), "no remedy in:\n{what}");
    assert!(!stderr.contains("panicked") && !stderr.contains("internal error"), "{what}");
    let after = contents(directory);
    for (path, content) in &before {
        assert!(after.get(path) == Some(content), "{} was changed by {what}", path.display());
    }
    if expected.code == 2 {
        assert_eq!(before.len(), after.len(), "new files after {what}");
    }
    stderr
}

/// Where `«` stands in `text`, as `name:line:column`, and the text without it.
fn marked(name: &str, text: &str) -> (Option<String>, String) {
    let Some(at) = text.find('«') else { return (None, text.into()) };
    let before = &text[..at];
    let line = 1 + before.matches('\n').count();
    let column = 1 + before.rsplit('\n').next().unwrap_or("").chars().count();
    (Some(format!("{name}:{line}:{column}")), text.replace('«', ""))
}

/// A deck that is refused at its mark before anything is written.
fn bad_deck(deck: &str, says: &[&str]) {
    let directory = tempfile::tempdir().expect("a directory");
    store(&argon(6), &directory.path().join("argon.h5"));
    let (place, text) = marked("run.toml", deck);
    write(directory.path(), "run.toml", &text);
    let stderr = refused(directory.path(), &["run", "run.toml"], &Expected { code: 2, says });
    let place = place.expect("a mark");
    assert!(stderr.contains(&place), "{place} is not in:\n{stderr}");
    // `check` finds it too.
    let stderr = refused(directory.path(), &["check", "run.toml"], &Expected { code: 2, says });
    assert!(stderr.contains(&place), "{place} is not in:\n{stderr}");
}

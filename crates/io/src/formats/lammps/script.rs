//! The script's control flow: files, lines, variables.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::Args;
use super::data;
use super::lines::{LONGEST, logical_lines, without_comment, words};
use super::model::Model;
use super::variables::Variables;
use crate::formats::{ImportError, Place, text};

/// How deep files may include each other, as in LAMMPS.
const DEEPEST: usize = 16;
/// Most files and lines in all: files that include others twice, again and again, grow like powers.
const MOST_FILES: usize = 1000;
const MOST_LINES: usize = 4_000_000;

/// A script being read.
pub(super) struct Script {
    /// Folder of the first script: paths in all of them are relative to it, as if LAMMPS ran there.
    folder: PathBuf,
    variables: Variables,
    pub model: Model,
    files: usize,
    lines: usize,
}

impl Script {
    pub fn new(path: &Path) -> Self {
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        Script { folder, variables: Variables::default(), model: Model::default(), files: 0, lines: 0 }
    }

    /// Executes the file at `path`, `depth` includes below the first one.
    pub fn execute(&mut self, path: &Path, depth: usize) -> Result<(), ImportError> {
        let text = text::read_lossy(path)?;
        let path: Arc<Path> = path.into();
        self.files += 1;
        for (number, line) in logical_lines(&text) {
            let place = Place { path: path.clone(), line: number };
            let at = |found: String, remedy: &str| ImportError::at(&place, "line", found, remedy);
            self.lines += 1;
            if self.lines > MOST_LINES || self.files > MOST_FILES {
                let found = format!("the script includes more than {MOST_FILES} files or {MOST_LINES} lines");
                return Err(at(found, "check for files that include each other"));
            }
            if line.len() > LONGEST {
                return Err(at(format!("the line has more than {LONGEST} characters"), "shorten it"));
            }
            let filled = self.variables.substitute(without_comment(&line)).map_err(|(found, what)| at(found, what))?;
            let words = words(&filled).map_err(|found| at(found, "close the quotes"))?;
            if let Some((name, rest)) = words.split_first() {
                self.command(&Args { place: &place, name, words: rest }, depth)?;
            }
        }
        Ok(())
    }

    fn command(&mut self, args: &Args, depth: usize) -> Result<(), ImportError> {
        match args.name {
            "variable" => self.variables.define(args),
            "include" => {
                args.count(1..=1, "include FILE")?;
                if depth >= DEEPEST {
                    return args.fail(format!("files include each other more than {DEEPEST} deep"), "break the circle");
                }
                let path = self.readable(args, 0)?;
                self.execute(&path, depth + 1)
            }
            "read_data" => {
                if let Some(data) = &self.model.data {
                    return args.fail(format!("a data file was read already, at {}", data.place), "keep one read_data");
                }
                for k in (1..args.len()).step_by(2) {
                    if !args.words[k].starts_with("extra/") {
                        return args.fail(
                            format!("\"{}\" is not read", args.line()),
                            "use read_data FILE, without add, offset or group",
                        );
                    }
                    args.whole(k + 1, &args.words[k], 0..=i64::MAX)?;
                }
                let path = self.readable(args, 0)?;
                let data = data::read(&path, args.place, &mut self.model)?;
                self.model.data = Some(data);
                Ok(())
            }
            _ => self.model.command(args),
        }
    }

    /// The file that word `k` names.
    fn readable(&self, args: &Args, k: usize) -> Result<PathBuf, ImportError> {
        let path = self.folder.join(args.text(k, "a file")?);
        match path.is_file() {
            true => Ok(path),
            false => args.fail(
                format!("there is no file {}", path.display()),
                "give its path relative to the folder of the script",
            ),
        }
    }
}

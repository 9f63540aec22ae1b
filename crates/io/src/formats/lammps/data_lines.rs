//! The lines of a data file, and the bodies of its sections.

use std::path::Path;
use std::sync::Arc;

use super::args::Args;
use crate::formats::{ImportError, Place};

/// A line with something on it.
pub(super) struct Line {
    pub place: Place,
    pub words: Vec<String>,
    /// What stands behind `#`.
    pub comment: Option<String>,
}

/// The lines of a file that are not blank.
pub(super) struct Reader<'a> {
    pub path: Arc<Path>,
    lines: std::iter::Enumerate<std::str::Lines<'a>>,
    /// A line that was read too far.
    pub ahead: Option<Line>,
    /// Number of the last line read.
    pub last: usize,
}

impl<'a> Reader<'a> {
    /// The lines of `text`, the content of `path`, behind its first one, the title.
    pub fn new(path: &Path, text: &'a str) -> Self {
        let mut lines = text.lines().enumerate();
        lines.next();
        Reader { path: path.into(), lines, ahead: None, last: 1 }
    }

    /// The next line with something on it.
    pub fn next(&mut self) -> Option<Line> {
        if let Some(line) = self.ahead.take() {
            return Some(line);
        }
        for (k, text) in self.lines.by_ref() {
            let (content, comment) = match text.split_once('#') {
                Some((content, comment)) => (content, Some(comment.trim().to_string())),
                None => (text, None),
            };
            let words: Vec<String> = content.split_whitespace().map(String::from).collect();
            if !words.is_empty() {
                self.last = k + 1;
                return Some(Line { place: Place { path: self.path.clone(), line: k + 1 }, words, comment });
            }
        }
        None
    }

    /// The next `count` lines of a section, which all begin with a number.
    pub fn body(
        &mut self,
        title: &Args,
        count: usize,
        mut each: impl FnMut(&Args) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        for k in 0..count {
            let line = self.next();
            let is_body = |l: &Line| l.words[0].starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+');
            match line {
                Some(line) if is_body(&line) => {
                    each(&Args { place: &line.place, name: title.name, words: &line.words })?;
                }
                _ => {
                    return title.fail(
                        format!("the section has {k} lines, but the header says {count}"),
                        "correct the header or complete the section",
                    );
                }
            }
        }
        if let Some(line) = self.next() {
            if line.words[0].starts_with(|c: char| c.is_ascii_digit() || c == '-') {
                let args = Args { place: &line.place, name: title.name, words: &line.words };
                return args.fail(
                    format!("\"{}\" follows the {count} lines that the header says", args.line()),
                    "correct the header or shorten the section",
                );
            }
            self.ahead = Some(line);
        }
        Ok(())
    }
}

//! A deck as text: its TOML tree with the place of every key, and `--set KEY=VALUE` on top of it.
//!
//! Texts of `--set` are kept behind the deck's own text, so that one number range addresses both and an error
//! in a `--set` value points at the command line and not at a line of the file that does not hold it.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::error::{Problem, RunnerError};

/// A place in a text: enough to print `file:line:column` and to draw the line.
#[derive(Clone, Debug)]
pub struct Place {
    /// Name of the file, or `--set`.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// Bytes meant.
    pub span: Range<usize>,
}

impl Place {
    /// Line and column, both from 1; the column counts characters.
    pub fn line_column(&self) -> (usize, usize) {
        let start = self.span.start.min(self.text.len());
        let before = &self.text.as_bytes()[..start];
        let line = 1 + before.iter().filter(|&&b| b == b'\n').count();
        let line_start = before.iter().rposition(|&b| b == b'\n').map_or(0, |k| k + 1);
        (line, 1 + String::from_utf8_lossy(&before[line_start..]).chars().count())
    }
}

/// A deck's text with its tree.
#[derive(Clone, Debug)]
pub struct Source {
    /// Path as the user wrote it.
    pub path: PathBuf,
    /// The deck verbatim.
    pub text: String,
    /// `--set` texts with the offset at which each one's spans begin.
    overrides: Vec<(usize, String)>,
    /// The tree, `--set` applied.
    pub tree: Spanned<DeTable<'static>>,
}

impl Source {
    /// Reads and parses the deck at `path`.
    pub fn read(path: &Path) -> Result<Self, RunnerError> {
        let bytes = std::fs::read(path).map_err(|e| RunnerError::file(path, "read the deck", &e))?;
        let text = String::from_utf8(bytes).map_err(|e| {
            let at = e.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(e.as_bytes()).into_owned();
            let place = Place { name: path.display().to_string(), text, span: at..at + 1 };
            RunnerError::input(
                Problem::new(format!("byte {at} of the deck is not UTF-8"))
                    .at(Some(place))
                    .help("a deck is TOML text in UTF-8; save it again with that encoding"),
            )
        })?;
        Source::parse(path, text)
    }

    /// Parses a deck's text; `path` is for messages and for paths relative to it.
    pub fn parse(path: &Path, text: String) -> Result<Self, RunnerError> {
        // Parsed keys and values borrow the text; a deck lives as long as its process.
        let text: &'static str = text.leak();
        let place = |span: Range<usize>| Place { name: path.display().to_string(), text: text.into(), span };
        let (tree, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            let problem = |e: &toml::de::Error| {
                Problem::new(e.message().trim().to_string())
                    .at(Some(place(e.span().unwrap_or(0..0))))
                    .help("a deck is a TOML file (https://toml.io): strings in \"…\", tables in [..], lists of tables in [[..]]")
            };
            return Err(RunnerError::Input { problems: errors.iter().map(problem).collect() });
        }
        Ok(Source { path: path.to_path_buf(), text: text.into(), overrides: Vec::new(), tree })
    }

    /// Applies one `--set KEY=VALUE`. Keys are joined by dots; an entry of a list is chosen by its number from 0
    /// or by its name (`stage.production.duration`, `stage[1].duration`). A value that is not TOML is taken as text.
    pub fn set(&mut self, assignment: &str) -> Result<(), RunnerError> {
        let wrong =
            |message: String| {
                let place = Place { name: "--set".into(), text: assignment.into(), span: 0..assignment.len() };
                RunnerError::input(Problem::new(message).at(Some(place)).help(
                    "write --set KEY=VALUE, for example --set seed=7 or --set stage.production.duration=\"20 ps\"",
                ))
            };
        let (key, value) = assignment.split_once('=').ok_or_else(|| wrong("--set without an equals sign".into()))?;
        let offset = self.overrides.last().map_or(self.text.len(), |(start, text)| start + text.len()) + 1;
        let value_at = offset + key.len() + 1;
        let value_text: &'static str = value.trim().to_string().leak();
        let mut value = DeValue::parse(value_text)
            .unwrap_or_else(|_| Spanned::new(0..value_text.len(), DeValue::String(value_text.into())));
        shift(&mut value, value_at);
        let steps = parse_path(key.trim());
        if steps.iter().any(String::is_empty) {
            return Err(wrong(format!("\"{key}\" is not a key")));
        }
        insert(self.tree.get_mut(), &steps, value, offset..offset + key.len()).map_err(wrong)?;
        self.overrides.push((offset, assignment.to_string()));
        Ok(())
    }

    /// The place of a byte range of the deck or of a `--set` text.
    pub fn place(&self, span: Range<usize>) -> Place {
        match self.overrides.iter().rev().find(|(start, _)| span.start >= *start) {
            Some((start, text)) => Place {
                name: "--set".into(),
                text: text.clone(),
                span: span.start - start..(span.end - start).min(text.len()),
            },
            None => Place { name: self.path.display().to_string(), text: self.text.clone(), span },
        }
    }

    /// The place of a key such as `stage[1].npt.temperature`; of its deepest part that exists.
    pub fn place_of(&self, key: &str) -> Place {
        let mut span = 0..0;
        self.walk(key, |name, value, last| {
            // A leaf is shown by its value, what is above it by its name.
            let leaf = last && value.get_ref().as_table().is_none();
            span = if leaf { value.span() } else { name.unwrap_or(value.span()) };
        });
        self.place(span)
    }

    /// Text under `key`, where the deck has one.
    pub fn value_at(&self, key: &str) -> Option<String> {
        let mut found = None;
        self.walk(key, |_, value, last| found = value.get_ref().as_str().filter(|_| last).map(str::to_string));
        found
    }

    /// Names in the table under `key`, where the deck has one.
    pub fn keys_of(&self, key: &str) -> Vec<String> {
        let mut found = Vec::new();
        self.walk(key, |_, value, last| {
            let table = value.get_ref().as_table().filter(|_| last);
            found.extend(table.iter().flat_map(|t| t.keys()).map(|name| name.get_ref().to_string()));
        });
        found
    }

    /// Goes down `key` as far as the tree has it; `visit` gets the name's place, the value, and whether it is the end.
    fn walk(&self, key: &str, mut visit: impl FnMut(Option<Range<usize>>, &Spanned<DeValue<'static>>, bool)) {
        let steps = parse_path(key);
        let mut table = Some(self.tree.get_ref());
        let mut node: Option<&Spanned<DeValue<'static>>> = None;
        for (k, step) in steps.iter().enumerate() {
            let last = k + 1 == steps.len();
            let (name, value) = if let Some(array) = node.and_then(|n| n.get_ref().as_array()) {
                match array_index(array.iter().map(|v| v.get_ref()), step).and_then(|index| array.get(index)) {
                    Some(entry) => (None, entry),
                    None => return,
                }
            } else {
                match table.and_then(|t| t.iter().find(|(name, _)| name.get_ref().as_ref() == step)) {
                    Some((name, value)) => (Some(name.span()), value),
                    None => return,
                }
            };
            visit(name, value, last);
            node = Some(value);
            table = value.get_ref().as_table();
        }
    }

    /// A problem at `key`.
    pub fn problem(&self, key: &str, message: impl Into<String>) -> Problem {
        Problem::new(message).at(Some(self.place_of(key)))
    }

    /// `path` as the deck means it: relative to the deck's directory.
    pub fn resolve(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        if path.is_absolute() { path.into() } else { self.directory().join(path) }
    }

    /// The deck's directory.
    pub fn directory(&self) -> PathBuf {
        match self.path.parent() {
            Some(p) if !p.as_os_str().is_empty() => p.into(),
            _ => PathBuf::from("."),
        }
    }
}

/// `stage[1].npt.temperature` as its steps.
fn parse_path(key: &str) -> Vec<String> {
    let mut steps = vec![String::new()];
    let mut quoted = false;
    for c in key.chars() {
        match c {
            '"' => quoted = !quoted,
            '.' | '[' if !quoted => steps.push(String::new()),
            ']' if !quoted => {}
            _ => steps.last_mut().expect("starts with one").push(c),
        }
    }
    for step in &mut steps {
        *step = step.trim().to_string();
    }
    steps
}

/// Entry of a list by number or by the value of its `name`.
fn array_index<'a>(mut entries: impl ExactSizeIterator<Item = &'a DeValue<'static>>, step: &str) -> Option<usize> {
    let n = entries.len();
    match step.parse::<usize>() {
        Ok(k) => (k < n).then_some(k),
        Err(_) => entries.position(|entry| {
            let name = entry.as_table().and_then(|t| t.iter().find(|(k, _)| k.get_ref() == "name"));
            name.is_some_and(|(_, v)| v.get_ref().as_str() == Some(step))
        }),
    }
}

fn insert(
    table: &mut DeTable<'static>,
    steps: &[String],
    value: Spanned<DeValue<'static>>,
    key_span: Range<usize>,
) -> Result<(), String> {
    let key: Spanned<DeString<'static>> = Spanned::new(key_span.clone(), steps[0].clone().into());
    if steps.len() == 1 {
        table.remove(&key);
        table.insert(key, value);
        return Ok(());
    }
    if !table.contains_key(&key) {
        table.insert(key.clone(), Spanned::new(key_span.clone(), DeValue::Table(DeTable::new())));
    }
    let mut node = table.get_mut(&key).map(Spanned::get_mut).ok_or("no such key")?;
    let mut rest = &steps[1..];
    if let DeValue::Array(array) = node {
        let index = array_index(array.iter().map(|v| v.get_ref()), &rest[0]).ok_or_else(|| {
            format!("\"{}\" has no entry named or numbered \"{}\" (numbers count from 0)", steps[0], rest[0])
        })?;
        let entry = &mut array.as_mut()[index];
        rest = &rest[1..];
        if rest.is_empty() {
            *entry = value;
            return Ok(());
        }
        node = entry.get_mut();
    }
    match node {
        DeValue::Table(inner) => insert(inner, rest, value, key_span),
        _ => Err(format!("\"{}\" is a value and has no key \"{}\" below it", steps[0], rest[0])),
    }
}

/// Moves every span of `value` by `offset`.
fn shift(value: &mut Spanned<DeValue<'static>>, offset: usize) {
    let span = value.span();
    let mut inner = std::mem::replace(value.get_mut(), DeValue::Boolean(false));
    match &mut inner {
        DeValue::Array(array) => array.iter_mut().for_each(|v| shift(v, offset)),
        DeValue::Table(table) => {
            let entries: Vec<_> = std::mem::take(table).into_iter().collect();
            for (k, mut v) in entries {
                let key_span = k.span();
                shift(&mut v, offset);
                table.insert(Spanned::new(key_span.start + offset..key_span.end + offset, k.into_inner()), v);
            }
        }
        _ => {}
    }
    *value = Spanned::new(span.start + offset..span.end + offset, inner);
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECK: &str = "seed = 1\n[nonbonded]\nr_cut = \"1.2 nm\"\n[[stage]]\nname = \"warm\"\n[[stage]]\nname = \"run\"\nnvt = { temperature = \"300 K\" }\n";

    fn source() -> Source {
        Source::parse(Path::new("a/deck.toml"), DECK.into()).unwrap()
    }

    #[test]
    fn keys_have_places() {
        let source = source();
        let at = |key: &str| source.place_of(key).line_column();
        assert_eq!(at("nonbonded.r_cut"), (3, 9));
        assert_eq!(at("stage[1].nvt.temperature"), (8, 23));
        assert_eq!(at("stage.run.nvt.temperature"), (8, 23));
        // What is not there is shown by what would hold it.
        assert_eq!(at("nonbonded.vdw.modifier"), (2, 2));
        assert_eq!(source.place_of("seed").name, "a/deck.toml");
    }

    #[test]
    fn set_replaces_adds_and_points_at_itself() {
        let mut source = source();
        source.set("stage.run.nvt.temperature=\"310 K\"").unwrap();
        source.set("stage[0].duration=1 ps").unwrap();
        source.set("nonbonded.coulomb.pme.order=6").unwrap();
        assert_eq!(source.value_at("stage[1].nvt.temperature").unwrap(), "310 K");
        assert_eq!(source.value_at("stage.warm.duration").unwrap(), "1 ps");
        let place = source.place_of("stage[1].nvt.temperature");
        assert_eq!((place.name.as_str(), place.line_column()), ("--set", (1, 27)));
        assert_eq!(source.place_of("nonbonded.r_cut").name, "a/deck.toml");
        assert_eq!(source.keys_of("nonbonded"), ["coulomb", "r_cut"]);
        assert!(source.keys_of("nonbonded.r_cut").is_empty() && source.keys_of("dynamics").is_empty());
        assert!(source.set("seed.x=1").is_err());
        assert!(source.set("stage.cool.duration=1").is_err());
    }

    #[test]
    fn paths_are_relative_to_the_deck() {
        assert_eq!(source().resolve("other.run"), Path::new("a/other.run"));
        assert_eq!(source().resolve("/abs"), Path::new("/abs"));
    }
}

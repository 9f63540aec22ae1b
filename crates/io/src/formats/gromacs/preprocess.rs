//! The preprocessor of topologies: includes, conditions, macros, comments and continued lines.
//!
//! As the GROMACS reference manual describes it (chapter "Topologies", "Topology file"): macros without a value only
//! serve conditions, those with a value are replaced wherever their name stands as a whole word.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Options;
use crate::formats::text::read_lossy;
use crate::formats::{ImportError, Place};

/// Deepest nesting of includes; force fields need four.
const DEEPEST: usize = 32;
/// Most files opened; force fields need some twenty.
const MOST_FILES: usize = 10_000;
/// Most lines in all; a system of a million explicit atoms with all their terms has less.
const MOST_LINES: usize = 20_000_000;
/// Longest line after its macros are replaced (bytes).
const LONGEST: usize = 1 << 20;
/// Deepest nesting of macros in macros.
const DEEPEST_MACRO: usize = 16;

/// A line that remains: joined, without comment, macros replaced, not blank.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// Its first line in its file.
    pub place: Place,
    /// Trimmed text.
    pub text: String,
}

/// What the preprocessor leaves.
#[derive(Debug, Default)]
pub(super) struct Preprocessed {
    /// The lines of all files, in the order of inclusion.
    pub lines: Vec<Line>,
    /// Names defined at the end.
    pub defined: BTreeSet<String>,
    /// Names of the options that no file asks for.
    pub unused: Vec<String>,
}

/// Reads `top` and everything that it includes.
pub(super) fn preprocess(top: &Path, options: &Options) -> Result<Preprocessed, ImportError> {
    let mut state = Preprocessor { include: &options.include, ..Preprocessor::default() };
    for text in &options.define {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        if !is_name(name) {
            return Err(ImportError::Option {
                found: format!("\"{text}\" is not a macro to define"),
                remedy: "write NAME or NAME=VALUE with a name of letters, digits and _".into(),
            });
        }
        state.macros.insert(name.into(), value.trim().into());
        state.unused.insert(name.into());
    }
    state.file(top, 0)?;
    Ok(Preprocessed {
        lines: state.lines,
        defined: state.macros.into_keys().collect(),
        unused: state.unused.into_iter().collect(),
    })
}

#[derive(Default)]
struct Preprocessor<'a> {
    include: &'a [PathBuf],
    macros: BTreeMap<String, String>,
    unused: BTreeSet<String>,
    lines: Vec<Line>,
    files: usize,
    seen: usize,
}

/// One open condition.
struct Condition {
    place: Place,
    /// Whether what stands around it counts.
    around: bool,
    /// Whether what stands inside it counts.
    inside: bool,
    has_else: bool,
}

impl Preprocessor<'_> {
    fn file(&mut self, path: &Path, depth: usize) -> Result<(), ImportError> {
        let text = read_lossy(path)?;
        let path: Arc<Path> = path.into();
        self.files += 1;
        let mut conditions: Vec<Condition> = Vec::new();
        let mut lines = text.lines().enumerate();
        while let Some((number, first)) = lines.next() {
            let place = Place { path: path.clone(), line: number + 1 };
            let mut joined = first.trim_end().to_string();
            while joined.ends_with('\\') {
                joined.pop();
                joined.push(' ');
                let Some((_, next)) = lines.next() else { break };
                joined.push_str(next.trim_end());
                if joined.len() > LONGEST {
                    return Err(too_long(&place));
                }
            }
            self.seen += 1;
            if self.seen > MOST_LINES {
                let found = format!("more than {MOST_LINES} lines in all");
                return Err(ImportError::at(&place, SECTION, found, "check for files that include each other"));
            }
            let content = joined.split(';').next().unwrap_or_default().trim();
            let counts = conditions.last().is_none_or(|c| c.inside);
            if let Some(command) = content.strip_prefix('#') {
                self.command(command.trim(), &place, &mut conditions, counts, depth)?;
            } else if counts && !content.is_empty() {
                let text = self.replaced(content, &place)?;
                if !text.trim().is_empty() {
                    self.lines.push(Line { place, text: text.trim().into() });
                }
            }
        }
        match conditions.last() {
            None => Ok(()),
            Some(open) => Err(ImportError::at(
                &open.place,
                SECTION,
                "this condition has no #endif in its file",
                "add #endif where it should end",
            )),
        }
    }

    fn command(
        &mut self,
        command: &str,
        place: &Place,
        conditions: &mut Vec<Condition>,
        counts: bool,
        depth: usize,
    ) -> Result<(), ImportError> {
        let (word, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        let rest = rest.trim();
        let fail = |found: String, remedy: &str| Err(ImportError::at(place, SECTION, found, remedy));
        match word {
            "ifdef" | "ifndef" => {
                if counts && !is_name(rest) {
                    return fail(format!("#{word} \"{rest}\""), "name one macro");
                }
                if counts {
                    self.unused.remove(rest);
                }
                let inside = counts && self.macros.contains_key(rest) == (word == "ifdef");
                conditions.push(Condition { place: place.clone(), around: counts, inside, has_else: false });
            }
            "else" | "endif" => {
                let Some(condition) = conditions.last_mut() else {
                    return fail(format!("#{word} without #ifdef or #ifndef in this file"), "remove it");
                };
                if word == "endif" {
                    conditions.pop();
                } else if condition.has_else {
                    return fail("a second #else".into(), "close the condition with #endif first");
                } else {
                    condition.has_else = true;
                    condition.inside = condition.around && !condition.inside;
                }
            }
            _ if !counts => {}
            "define" => {
                let (name, value) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                if !is_name(name) {
                    return fail(format!("#define \"{rest}\""), "write #define NAME or #define NAME VALUE");
                }
                self.macros.insert(name.into(), value.trim().into());
            }
            "undef" => {
                if !is_name(rest) {
                    return fail(format!("#undef \"{rest}\""), "name one macro");
                }
                self.macros.remove(rest);
            }
            "include" => {
                let name = quoted(rest).map(PathBuf::from);
                let Some(name) = name else {
                    return fail(format!("#include {rest}"), "write #include \"FILE\" or #include <FILE>");
                };
                if depth + 1 > DEEPEST {
                    return fail(
                        format!("includes nest deeper than {DEEPEST} files"),
                        "check for files that include each other",
                    );
                }
                if self.files >= MOST_FILES {
                    return fail(
                        format!("more than {MOST_FILES} files are included"),
                        "check for files that include each other",
                    );
                }
                let found = self.find(&name, place)?;
                self.file(&found, depth + 1)?;
            }
            _ => {
                return fail(
                    format!("unknown command #{word}"),
                    "topologies know #include, #define, #undef, #ifdef, #ifndef, #else and #endif",
                );
            }
        }
        Ok(())
    }

    /// The included file: beside the including one, else in the folders of the options.
    fn find(&self, name: &Path, place: &Place) -> Result<PathBuf, ImportError> {
        let beside = place.path.parent().unwrap_or(Path::new(""));
        let tried: Vec<PathBuf> =
            std::iter::once(beside).chain(self.include.iter().map(PathBuf::as_path)).map(|d| d.join(name)).collect();
        match tried.iter().find(|p| p.is_file()) {
            Some(found) => Ok(found.clone()),
            None => {
                let list: Vec<String> = tried.iter().map(|p| p.display().to_string()).collect();
                Err(ImportError::at(
                    place,
                    SECTION,
                    format!("no file \"{}\" to include: looked for {}", name.display(), list.join(", ")),
                    "name its folder with -I (GROMACS' own force fields: the folder share/gromacs/top of its installation)",
                ))
            }
        }
    }

    /// `text` with macros that have a value replaced, as whole words, also in their values.
    fn replaced(&mut self, text: &str, place: &Place) -> Result<String, ImportError> {
        if self.macros.values().all(String::is_empty) {
            return Ok(text.into());
        }
        let mut out = String::with_capacity(text.len());
        self.replace_into(text, place, 0, &mut out)?;
        Ok(out)
    }

    fn replace_into(&mut self, text: &str, place: &Place, depth: usize, out: &mut String) -> Result<(), ImportError> {
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            match self.macros.get(word).filter(|value| !value.is_empty()).cloned() {
                Some(value) => {
                    self.unused.remove(word);
                    if depth >= DEEPEST_MACRO {
                        let found = format!("the macro {word} nests deeper than {DEEPEST_MACRO} macros");
                        return Err(ImportError::at(place, SECTION, found, "let no macro stand for itself"));
                    }
                    self.replace_into(&value, place, depth + 1, out)?;
                }
                None => out.push_str(word),
            }
            let next = after.find(is_word).unwrap_or(after.len());
            out.push_str(&after[..next]);
            rest = &after[next..];
            if out.len() > LONGEST {
                return Err(too_long(place));
            }
        }
        Ok(())
    }
}

/// How messages name the preprocessor's lines.
const SECTION: &str = "preprocessor";

fn too_long(place: &Place) -> ImportError {
    let found = format!("the line is longer than {LONGEST} bytes with its continuations and macros");
    ImportError::at(place, SECTION, found, "check for a macro that multiplies itself")
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| is_word(c) || c == '-' || c == '.' || c == '+')
}

/// What stands between quotes or angle brackets.
fn quoted(text: &str) -> Option<&str> {
    let close = match text.chars().next()? {
        '"' => '"',
        '<' => '>',
        _ => return None,
    };
    let inside = text[1..].split_once(close)?.0.trim();
    (!inside.is_empty()).then_some(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines that remain of `top`, with other files beside it.
    fn run(top: &str, others: &[(&str, &str)], define: &[&str]) -> Result<Preprocessed, ImportError> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in others.iter().chain([&("a.top", top)]) {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let options = Options {
            define: define.iter().map(|d| d.to_string()).collect(),
            include: vec![folder.path().join("inc")],
        };
        preprocess(&folder.path().join("a.top"), &options)
    }

    fn texts(p: &Preprocessed) -> Vec<&str> {
        p.lines.iter().map(|l| l.text.as_str()).collect()
    }

    fn refusal(top: &str, others: &[(&str, &str)]) -> String {
        run(top, others, &[]).unwrap_err().to_string()
    }

    #[test]
    fn macros_are_replaced_as_whole_words_and_nest() {
        let top = "#define K 1.5 2 ; comment\n#define KK K K\n#define FLAG\nx K KK gK FLAG K_1 K;K\n#undef K\nK KK\n";
        let p = run(top, &[], &[]).unwrap();
        assert_eq!(texts(&p), ["x 1.5 2 1.5 2 1.5 2 gK FLAG K_1 1.5 2", "K K K"]);
    }

    #[test]
    fn conditions_nest_and_options_decide_them() {
        let top = "#ifdef A\na\n#ifndef B\na-not-b\n#else\na-b\n#endif\n#else\nnot-a\n#ifdef B\nb\n#endif\n#endif\nV\n";
        let lines = |define: &[&str]| texts(&run(top, &[], define).unwrap()).join(" ");
        assert_eq!(lines(&[]), "not-a V");
        assert_eq!(lines(&["A"]), "a a-not-b V");
        assert_eq!(lines(&["A", "B", "V=7 8"]), "a a-b 7 8");
        assert_eq!(lines(&["B"]), "not-a b V");
        assert_eq!(run(top, &[], &["A", "C", "D=1"]).unwrap().unused, ["C", "D"]);
    }

    #[test]
    fn included_lines_keep_their_own_file_and_number() {
        let others =
            [("sub/b.itp", "\nb1 \\\n  b2 ; x\n#include \"c.itp\"\n"), ("sub/c.itp", "c\n"), ("inc/d.itp", "d")];
        let p = run("#include \"sub/b.itp\"\n#include <d.itp>\na\n", &others, &[]).unwrap();
        let found: Vec<String> = p
            .lines
            .iter()
            .map(|l| format!("{}:{} {}", l.place.path.file_name().unwrap().display(), l.place.line, l.text))
            .collect();
        assert_eq!(found, ["b.itp:2 b1    b2", "c.itp:1 c", "d.itp:1 d", "a.top:3 a"]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let cases: &[(&str, &str)] = &[
            ("x\n#include \"none.itp\"\n", "a.top:2: preprocessor: no file \"none.itp\" to include"),
            ("#include a.top\n", "a.top:1: preprocessor: #include a.top; write #include \"FILE\""),
            ("#include \"a.top\"\n", "includes nest deeper than 32 files; check for files that include each other"),
            ("\n#ifdef A\n", "a.top:2: preprocessor: this condition has no #endif"),
            ("#endif\n", "a.top:1: preprocessor: #endif without #ifdef"),
            ("#ifdef\n#endif\n", "a.top:1: preprocessor: #ifdef \"\"; name one macro"),
            ("#ifdef A\n#else\n#else\n#endif\n", "a.top:3: preprocessor: a second #else"),
            ("#if A\n", "a.top:1: preprocessor: unknown command #if; topologies know #include"),
            ("#define\n", "a.top:1: preprocessor: #define \"\""),
            ("#define A B\n#define B A\nA\n", "a.top:3: preprocessor: the macro A nests deeper than 16 macros"),
        ];
        for (top, words) in cases {
            let message = refusal(top, &[]);
            assert!(message.contains(words), "{message}");
        }
        assert!(run("", &[], &["A B=1"]).unwrap_err().to_string().contains("\"A B=1\" is not a macro"));
    }

    #[test]
    fn macros_that_multiply_themselves_end() {
        let mut top = String::from("#define A0 x x x x x x x x\n");
        for k in 1..15 {
            let last = format!("A{} ", k - 1).repeat(8);
            top += &format!("#define A{k} {last}\n");
        }
        assert!(refusal(&(top + "A14\n"), &[]).contains("the line is longer than 1048576 bytes"));
    }
}

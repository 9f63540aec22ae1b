//! Crystallographic Information Files: the syntax (data blocks, items, loops, text in quotes or between semicolons), with
//! the line of every value. What a crystal needs of it is the builder's.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::formats::error::{ImportError, Place};
use crate::formats::registry::FormatInfo;
use crate::formats::text;

/// Row of `amelo list formats`.
pub const INFO: FormatInfo = FormatInfo {
    name: "cif",
    summary: "a crystal's cell, symmetry operations and sites, for [system.oxide.file]; read",
    layout: "_cell_length_*, _cell_angle_* (Å, degrees); _space_group_symop_operation_xyz or \
             _symmetry_equiv_pos_as_xyz; _atom_site_label, _atom_site_type_symbol, _atom_site_fract_*",
    limits: &[
        "The symmetry operations must be listed; the space group's name alone is not enough.",
        "Partly occupied sites and Cartesian coordinates are refused.",
    ],
    citation: "S. R. Hall, F. H. Allen, I. D. Brown, Acta Cryst. A 47, 655 (1991), doi:10.1107/S010876739101067X",
};

/// A value with the line it stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// The text, without quotes.
    pub text: String,
    /// Line, from 1.
    pub line: usize,
}

/// The one data block of a file that has a cell.
#[derive(Clone, Debug, Default)]
pub struct Cif {
    place: Option<Place>,
    /// What follows `data_`.
    pub name: String,
    /// SHA-256 of the file, in hexadecimal digits.
    pub sha256: String,
    items: BTreeMap<String, Value>,
    loops: Vec<Loop>,
}

/// A table: names of columns and the values row by row.
#[derive(Clone, Debug, Default)]
struct Loop {
    line: usize,
    tags: Vec<String>,
    values: Vec<Value>,
}

impl Cif {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// [`ImportError`] where the file cannot be read, is no CIF, or holds no or several crystals.
    pub fn read(path: &Path) -> Result<Cif, ImportError> {
        Cif::parse(path, &text::read_lossy(path)?)
    }

    /// Parses the content of the file at `path`.
    ///
    /// # Errors
    /// As [`Cif::read`].
    pub fn parse(path: &Path, content: &str) -> Result<Cif, ImportError> {
        let path: Arc<Path> = path.into();
        let place = |line| Place { path: path.clone(), line };
        let mut blocks: Vec<Cif> = Vec::new();
        let mut tokens = tokens(content, &place)?.into_iter().peekable();
        while let Some(token) = tokens.next() {
            let here = place(token.line);
            let lower = token.text.to_lowercase();
            if !token.quoted && lower.starts_with("data_") {
                blocks.push(Cif { place: Some(here), name: token.text["data_".len()..].into(), ..Cif::default() });
                continue;
            }
            let Some(block) = blocks.last_mut() else {
                return Err(ImportError::at(
                    &here,
                    "start",
                    format!("\"{}\" stands before any data_ block", token.text),
                    "a CIF begins with data_NAME",
                ));
            };
            if !token.quoted && lower == "loop_" {
                let mut table = Loop { line: token.line, ..Loop::default() };
                while let Some(tag) = tokens.next_if(Token::is_tag) {
                    table.tags.push(tag.text.to_lowercase());
                }
                while let Some(value) = tokens.next_if(Token::is_value) {
                    table.values.push(value.into());
                }
                if table.tags.is_empty()
                    || table.values.is_empty()
                    || !table.values.len().is_multiple_of(table.tags.len())
                {
                    return Err(ImportError::at(
                        &here,
                        "loop_",
                        format!("{} values do not fill rows of {} columns", table.values.len(), table.tags.len()),
                        "give each row of the loop one value per column, with blanks inside quotes",
                    ));
                }
                block.loops.push(table);
            } else if token.is_tag() {
                let Some(value) = tokens.next_if(Token::is_value) else {
                    return Err(ImportError::at(
                        &here,
                        &token.text,
                        "no value follows",
                        "write the value after the name, or ? where it is unknown",
                    ));
                };
                block.items.insert(lower, value.into());
            } else {
                return Err(ImportError::at(
                    &here,
                    "data_",
                    format!("\"{}\" belongs to no name", token.text),
                    "put text with blanks into quotes",
                ));
            }
        }
        let mut crystals = blocks.into_iter().filter(|b| b.items.contains_key("_cell_length_a"));
        match (crystals.next(), crystals.next()) {
            (Some(block), None) => Ok(Cif { sha256: crate::hex(&Sha256::digest(content)), ..block }),
            (None, _) => Err(ImportError::at(
                &place(1),
                "data_",
                "no block has a _cell_length_a",
                "name a file that describes a crystal",
            )),
            (Some(first), Some(second)) => Err(ImportError::at(
                &second.here(0),
                "data_",
                format!("two blocks describe a crystal: {} and {}", first.name, second.name),
                "keep the one you mean in a file of its own",
            )),
        }
    }

    /// The place of a line; of the block itself for 0.
    pub fn here(&self, line: usize) -> Place {
        match &self.place {
            Some(place) => Place { path: place.path.clone(), line: if line == 0 { place.line } else { line } },
            None => Place { path: Path::new("").into(), line },
        }
    }

    /// The first known value among `tags` (lower case); `?` and `.` are unknown.
    pub fn item(&self, tags: &[&str]) -> Option<&Value> {
        tags.iter().find_map(|tag| self.items.get(*tag)).filter(|v| !matches!(v.text.as_str(), "?" | "."))
    }

    /// The number under `tag`, without its standard uncertainty: `3.7845(3)` is 3.7845.
    ///
    /// # Errors
    /// [`ImportError`] where it is absent or no number.
    pub fn number(&self, tag: &str) -> Result<f64, ImportError> {
        let value = self.item(&[tag]).ok_or_else(|| {
            ImportError::at(
                &self.here(0),
                tag,
                "there is no value",
                "a crystal needs its cell: _cell_length_a, … _cell_angle_gamma",
            )
        })?;
        self.as_number(tag, value)
    }

    /// `value` of `tag` as a number.
    ///
    /// # Errors
    /// [`ImportError`] where it is none.
    pub fn as_number(&self, tag: &str, value: &Value) -> Result<f64, ImportError> {
        let digits = value.text.split('(').next().unwrap_or_default();
        digits.parse::<f64>().ok().filter(|x| x.is_finite()).ok_or_else(|| {
            ImportError::at(
                &self.here(value.line),
                tag,
                format!("\"{}\" is not a number", value.text),
                "write for example 3.7845 or 3.7845(3)",
            )
        })
    }

    /// The rows of the loop that has the column `tags[0]`: of each the values of `tags`, absent columns as `None`.
    pub fn rows(&self, tags: &[&str]) -> Vec<Vec<Option<&Value>>> {
        let Some(table) = self.loops.iter().find(|l| l.tags.iter().any(|t| Some(&t.as_str()) == tags.first())) else {
            // One row may be written as items.
            let row: Vec<Option<&Value>> = tags.iter().map(|tag| self.item(&[tag])).collect();
            return if row.first().is_some_and(Option::is_some) { vec![row] } else { Vec::new() };
        };
        let columns: Vec<Option<usize>> = tags.iter().map(|tag| table.tags.iter().position(|t| t == tag)).collect();
        table
            .values
            .chunks(table.tags.len())
            .map(|row| columns.iter().map(|c| c.and_then(|c| row.get(c))).collect())
            .collect()
    }

    /// Line of the loop that has the column `tag`, else of the block.
    pub fn loop_line(&self, tag: &str) -> usize {
        self.loops.iter().find(|l| l.tags.iter().any(|t| t == tag)).map_or(0, |l| l.line)
    }
}

/// A word of the file.
struct Token {
    text: String,
    line: usize,
    quoted: bool,
}

impl Token {
    fn is_tag(&self) -> bool {
        !self.quoted && self.text.starts_with('_')
    }

    fn is_value(&self) -> bool {
        let lower = self.text.to_lowercase();
        self.quoted || !(self.is_tag() || lower == "loop_" || lower.starts_with("data_"))
    }
}

impl From<Token> for Value {
    fn from(token: Token) -> Value {
        Value { text: token.text, line: token.line }
    }
}

/// The file's words; comments are gone.
fn tokens(content: &str, place: &dyn Fn(usize) -> Place) -> Result<Vec<Token>, ImportError> {
    let mut found = Vec::new();
    let mut lines = content.lines().enumerate();
    while let Some((k, line)) = lines.next() {
        let number = k + 1;
        // Text between semicolons that each begin a line.
        if let Some(first) = line.strip_prefix(';') {
            let mut text = vec![first];
            loop {
                match lines.next() {
                    Some((_, line)) if line.starts_with(';') => break,
                    Some((_, line)) => text.push(line),
                    None => {
                        return Err(ImportError::at(
                            &place(number),
                            ";",
                            "the text that begins here has no end",
                            "end it by a line that begins with ;",
                        ));
                    }
                }
            }
            found.push(Token { text: text.join("\n").trim().into(), line: number, quoted: true });
            continue;
        }
        let mut rest = line.trim_start();
        while !rest.is_empty() && !rest.starts_with('#') {
            let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'));
            let (text, after) = match quote {
                // A quote ends its text only where a blank follows.
                Some(quote) => {
                    let inner = &rest[1..];
                    let end = inner
                        .char_indices()
                        .find(|(at, c)| *c == quote && inner[at + 1..].chars().next().is_none_or(char::is_whitespace));
                    let Some((end, _)) = end else {
                        return Err(ImportError::at(
                            &place(number),
                            "quotes",
                            format!("{rest} has no closing {quote}"),
                            "close the quotes on the same line",
                        ));
                    };
                    (&inner[..end], &inner[end + 1..])
                }
                None => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
            };
            found.push(Token { text: text.into(), line: number, quoted: quote.is_some() });
            rest = after.trim_start();
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "# comment\ndata_9015929\n_journal_title 'A dog's title'\n_cell_length_a 3.7845(3)\n\
                          _note\n;\nany _text loop_\n;\n_formula \"O2 Ti\" # comment\nloop_\n_atom_site_label\n_Atom_Site_fract_x\n\
                          Ti1 0.0\nO1 ?\n";

    fn parse(text: &str) -> Result<Cif, ImportError> {
        Cif::parse(Path::new("x.cif"), text)
    }

    #[test]
    fn items_loops_quotes_and_text_are_read_with_their_lines() {
        let cif = parse(SAMPLE).unwrap();
        assert_eq!(cif.name, "9015929");
        assert_eq!(cif.number("_cell_length_a").unwrap(), 3.7845);
        assert_eq!(cif.item(&["_journal_title"]).unwrap().text, "A dog's title");
        assert_eq!(cif.item(&["_note"]).unwrap(), &Value { text: "any _text loop_".into(), line: 6 });
        assert_eq!(cif.item(&["_formula"]).unwrap(), &Value { text: "O2 Ti".into(), line: 9 });
        let rows = cif.rows(&["_atom_site_fract_x", "_atom_site_occupancy", "_atom_site_label"]);
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[1][0], Some(&Value { text: "?".into(), line: 14 }));
        assert_eq!((rows[1][1], rows[1][2].unwrap().text.as_str()), (None, "O1"));
        assert!(cif.rows(&["_symmetry_equiv_pos_as_xyz"]).is_empty());
    }

    #[test]
    fn what_is_no_cif_names_its_line() {
        let cases = [
            ("hello\n", "x.cif:1", "data_NAME"),
            ("data_a\n_cell_length_a\n_b 1\n", "x.cif:2", "no value"),
            ("data_a\n_cell_length_a 1\nloop_\n_b\n_c\n1 2 3\n", "x.cif:3", "3 values"),
            ("data_a\n_cell_length_a 1 2\n", "x.cif:2", "belongs to no name"),
            ("data_a\n_cell_length_a 'x\n", "x.cif:2", "closing"),
            ("data_a\n_n\n;text\n", "x.cif:3", "no end"),
            ("data_a\n_n 1\n", "x.cif:1", "_cell_length_a"),
            ("data_a\n_cell_length_a 1\ndata_b\n_cell_length_a 1\n", "x.cif:3", "two blocks"),
        ];
        for (text, place, words) in cases {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.starts_with(place) && error.contains(words), "{text:?}: {error}");
        }
        let error = parse("data_a\n_cell_length_a abc\n").unwrap().number("_cell_length_a").unwrap_err();
        assert!(error.to_string().contains("x.cif:2: _cell_length_a: \"abc\" is not a number"), "{error}");
    }
}

//! One command with its arguments, or one line of a data file, with errors that name it.

use std::ops::RangeInclusive;

use crate::formats::{ImportError, Place};

/// Words after the command's (or section's) name.
#[derive(Clone, Copy)]
pub(super) struct Args<'a> {
    pub place: &'a Place,
    /// The command or section, for messages.
    pub name: &'a str,
    pub words: &'a [String],
}

impl<'a> Args<'a> {
    /// An error about this line.
    pub fn fail<T>(&self, found: impl Into<String>, remedy: impl Into<String>) -> Result<T, ImportError> {
        Err(self.error(found, remedy))
    }

    pub fn error(&self, found: impl Into<String>, remedy: impl Into<String>) -> ImportError {
        ImportError::at(self.place, self.name, found, remedy)
    }

    /// The same line from word `k` on.
    pub fn from(&self, k: usize) -> Args<'a> {
        Args { words: self.words.get(k..).unwrap_or_default(), ..*self }
    }

    pub fn len(&self) -> usize {
        self.words.len()
    }

    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// All words, for messages.
    pub fn line(&self) -> String {
        shown(&self.words.join(" "))
    }

    pub fn text(&self, k: usize, what: &str) -> Result<&'a str, ImportError> {
        match self.words.get(k) {
            Some(word) => Ok(word),
            None => self.fail(format!("\"{}\" ends before {what}", self.line()), "complete the line"),
        }
    }

    /// Word `k`, where there is one.
    pub fn word(&self, k: usize) -> Option<&'a str> {
        self.words.get(k).map(String::as_str)
    }

    /// That the number of words is in `range`; `layout` says what they should be.
    pub fn count(&self, range: RangeInclusive<usize>, layout: &str) -> Result<(), ImportError> {
        if range.contains(&self.len()) {
            return Ok(());
        }
        self.fail(format!("\"{}\" has {} arguments", self.line(), self.len()), format!("write {layout}"))
    }

    /// Word `k` as a finite number.
    pub fn number(&self, k: usize, what: &str) -> Result<f64, ImportError> {
        let text = self.text(k, what)?;
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(value),
            _ => self.fail(format!("{what} is \"{}\"", shown(text)), "write a number"),
        }
    }

    /// Word `k` as a number that is not negative.
    pub fn not_negative(&self, k: usize, what: &str) -> Result<f64, ImportError> {
        let value = self.number(k, what)?;
        if value < 0.0 { self.fail(format!("{what} is {value}"), "it must not be negative") } else { Ok(value) }
    }

    /// Word `k` as a positive number.
    pub fn positive(&self, k: usize, what: &str) -> Result<f64, ImportError> {
        let value = self.number(k, what)?;
        if value > 0.0 { Ok(value) } else { self.fail(format!("{what} is {value}"), "it must be positive") }
    }

    /// Word `k` as a whole number within `range`.
    pub fn whole(&self, k: usize, what: &str, range: RangeInclusive<i64>) -> Result<i64, ImportError> {
        let text = self.text(k, what)?;
        match text.parse::<i64>() {
            Ok(value) if range.contains(&value) => Ok(value),
            _ => {
                let (low, high) = (range.start(), range.end());
                let bounds = match (*low, *high) {
                    (low, i64::MAX) => format!("from {low}"),
                    (low, high) if low == i64::MIN => format!("up to {high}"),
                    (low, high) => format!("from {low} to {high}"),
                };
                self.fail(format!("{what} is \"{}\"", shown(text)), format!("write a whole number {bounds}"))
            }
        }
    }

    /// Word `k` as LAMMPS' logical values.
    pub fn yes_no(&self, k: usize, what: &str) -> Result<bool, ImportError> {
        match self.text(k, what)? {
            "yes" | "on" | "true" => Ok(true),
            "no" | "off" | "false" => Ok(false),
            other => self.fail(format!("{what} is \"{}\"", shown(other)), "write yes or no"),
        }
    }

    /// The range of numbers 1 to `n` that word `k` names: `5`, `*`, `*3`, `2*`, `2*4`.
    /// Source: LAMMPS documentation, pair_coeff.
    pub fn range(&self, k: usize, what: &str, n: usize) -> Result<RangeInclusive<usize>, ImportError> {
        let text = self.text(k, what)?;
        let bound = |part: &str, default: usize| match part {
            "" => Some(default),
            _ => part.parse::<usize>().ok().filter(|v| (1..=n).contains(v)),
        };
        let range = match text.split_once('*') {
            Some((low, high)) => bound(low, 1).zip(bound(high, n)),
            None => bound(text, 0).map(|v| (v, v)),
        };
        match range {
            Some((low, high)) if low <= high && low >= 1 => Ok(low..=high),
            _ => self.fail(
                format!("{what} is \"{}\"", shown(text)),
                format!("write a number from 1 to {n}, or a range like *, 2*, *3 or 2*3"),
            ),
        }
    }
}

/// Text from a file as a message shows it: short, without control characters.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 60;
    let mut clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST).collect();
    if text.chars().nth(MOST).is_some() {
        clean.push('…');
    }
    clean
}

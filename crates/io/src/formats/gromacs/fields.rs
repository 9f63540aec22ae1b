//! The fields of one line, with errors that name the line, the directive and the value seen.

use std::ops::RangeInclusive;

use super::directive::Directive;
use super::topology::shown;
use crate::formats::{ImportError, Place};

/// Blank-separated fields of a line.
pub(super) struct Fields<'a> {
    pub place: &'a Place,
    pub directive: Directive,
    fields: Vec<&'a str>,
}

impl<'a> Fields<'a> {
    pub fn new(place: &'a Place, directive: Directive, text: &'a str) -> Self {
        Fields { place, directive, fields: text.split_whitespace().collect() }
    }

    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// An error about this line.
    pub fn fail<T>(&self, found: impl Into<String>, remedy: impl Into<String>) -> Result<T, ImportError> {
        Err(ImportError::at(self.place, &self.directive.title(), found, remedy))
    }

    /// The whole line, for messages.
    pub fn line(&self) -> String {
        shown(&self.fields.join(" "))
    }

    /// That the number of fields is in `range`; `layout` says what they should be.
    pub fn count(&self, range: RangeInclusive<usize>, layout: &str) -> Result<(), ImportError> {
        if range.contains(&self.len()) {
            return Ok(());
        }
        let n = self.len();
        self.fail(format!("\"{}\" has {n} fields", self.line()), format!("write {layout}"))
    }

    pub fn text(&self, k: usize) -> Result<&'a str, ImportError> {
        match self.fields.get(k) {
            Some(field) => Ok(field),
            None => self.fail(format!("\"{}\" ends after {} fields", self.line(), self.len()), "complete the line"),
        }
    }

    /// Field `k` as a finite number.
    pub fn number(&self, k: usize, what: &str) -> Result<f64, ImportError> {
        let text = self.text(k)?;
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(value),
            _ => self.fail(format!("{what} is \"{}\"", shown(text)), "write a number"),
        }
    }

    /// Field `k` as a whole number within `range`.
    pub fn whole(&self, k: usize, what: &str, range: RangeInclusive<i64>) -> Result<i64, ImportError> {
        let text = self.text(k)?;
        match text.parse::<i64>() {
            Ok(value) if range.contains(&value) => Ok(value),
            _ => {
                let (low, high) = (range.start(), range.end());
                let bounds = if *high == i64::MAX { format!("from {low}") } else { format!("from {low} to {high}") };
                self.fail(format!("{what} is \"{}\"", shown(text)), format!("write a whole number {bounds}"))
            }
        }
    }

    /// All fields from `k` on as numbers.
    pub fn numbers_from(&self, k: usize) -> Result<Vec<f64>, ImportError> {
        (k..self.len()).map(|m| self.number(m, "a parameter")).collect()
    }
}

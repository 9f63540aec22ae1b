//! A TOML value that knows its file, its place and the path of keys to it, so that every error can name them.

use std::path::PathBuf;
use std::sync::Arc;

use amelo_core::quantity::{self, Dimension};
use toml::de::{DeTable, DeValue};

use super::{Location, ParameterError};

/// The file that a value stands in.
pub(super) struct Source {
    pub name: String,
    pub path: PathBuf,
    pub text: Arc<str>,
}

/// A value in a file.
#[derive(Clone)]
pub(super) struct Node<'a> {
    pub source: &'a Source,
    /// Keys from the top, joined by dots.
    pub key: String,
    span: std::ops::Range<usize>,
    value: Value<'a>,
}

#[derive(Clone, Copy)]
enum Value<'a> {
    Table(&'a DeTable<'a>),
    Other(&'a DeValue<'a>),
}

type Result<T> = std::result::Result<T, ParameterError>;

/// Parses the text of `source`.
pub(super) fn parse(source: &Source) -> Result<toml::Spanned<DeTable<'_>>> {
    DeTable::parse(&source.text).map_err(|e| ParameterError::Syntax {
        at: Box::new(Location::new(&source.path, &source.text, e.span().unwrap_or(0..0))),
        message: e.message().to_string(),
    })
}

impl<'a> Node<'a> {
    /// The file's top table.
    pub fn root(source: &'a Source, table: &'a DeTable<'a>) -> Self {
        Node { source, key: String::new(), span: 0..0, value: Value::Table(table) }
    }

    /// An error at this value.
    pub fn error(&self, message: impl Into<String>, remedy: impl Into<String>) -> ParameterError {
        ParameterError::Invalid {
            at: Box::new(Location::new(&self.source.path, &self.source.text, self.span.clone())),
            key: if self.key.is_empty() { "file".into() } else { self.key.clone() },
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    fn wrong_kind(&self, expected: &str) -> ParameterError {
        let found = match self.value {
            Value::Table(_) => "table",
            Value::Other(v) => v.type_str(),
        };
        self.error(format!("found a value of type {found}"), format!("write {expected}"))
    }

    fn as_table(&self) -> Result<&'a DeTable<'a>> {
        match self.value {
            Value::Table(t) => Ok(t),
            Value::Other(DeValue::Table(t)) => Ok(t),
            Value::Other(_) => Err(self.wrong_kind("a table, { key = value, … }")),
        }
    }

    /// The table's entries in the order of the file.
    pub fn entries(&self) -> Result<Vec<(&'a str, Node<'a>)>> {
        let mut entries: Vec<_> = self.as_table()?.iter().collect();
        entries.sort_by_key(|(k, _)| k.span().start);
        Ok(entries.into_iter().map(|(k, v)| (k.get_ref().as_ref(), self.child(k.get_ref(), v))).collect())
    }

    fn child(&self, key: &str, value: &'a toml::Spanned<DeValue<'a>>) -> Node<'a> {
        let key = if self.key.is_empty() { key.to_string() } else { format!("{}.{key}", self.key) };
        Node { source: self.source, key, span: value.span(), value: Value::Other(value.get_ref()) }
    }

    /// The entry `key`, if there.
    pub fn get(&self, key: &str) -> Result<Option<Node<'a>>> {
        Ok(self.as_table()?.get(key).map(|v| self.child(key, v)))
    }

    /// The entry `key`, which must be there.
    pub fn need(&self, key: &str) -> Result<Node<'a>> {
        self.get(key)?.ok_or_else(|| self.error(format!("the key \"{key}\" is missing"), format!("add {key} = …")))
    }

    /// Refuses every key that is not in `known`, at the key itself.
    pub fn only(&self, known: &[&str]) -> Result<()> {
        let table = self.as_table()?;
        let unknown = table.keys().filter(|k| !known.contains(&k.get_ref().as_ref())).min_by_key(|k| k.span().start);
        match unknown {
            None => Ok(()),
            Some(k) => {
                let mut at = self.clone();
                at.span = k.span();
                Err(at.error(
                    format!("unknown key \"{}\"", k.get_ref()),
                    format!("keys that are known here: {}", known.join(", ")),
                ))
            }
        }
    }

    /// Text.
    pub fn text(&self) -> Result<&'a str> {
        match self.value {
            Value::Other(DeValue::String(s)) => Ok(s),
            _ => Err(self.wrong_kind("text in quotes")),
        }
    }

    /// `true` or `false`.
    pub fn boolean(&self) -> Result<bool> {
        match self.value {
            Value::Other(DeValue::Boolean(b)) => Ok(*b),
            _ => Err(self.wrong_kind("true or false")),
        }
    }

    /// Whether this is a list.
    pub fn is_list(&self) -> bool {
        matches!(self.value, Value::Other(DeValue::Array(_)))
    }

    /// The members of a list.
    pub fn list(&self) -> Result<Vec<Node<'a>>> {
        match self.value {
            Value::Other(DeValue::Array(a)) => Ok(a
                .iter()
                .enumerate()
                .map(|(k, v)| Node {
                    source: self.source,
                    key: format!("{}[{k}]", self.key),
                    span: v.span(),
                    value: Value::Other(v.get_ref()),
                })
                .collect()),
            _ => Err(self.wrong_kind("a list, [ … ]")),
        }
    }

    /// A list of exactly `n` members, described by `what`.
    pub fn list_of(&self, n: usize, what: &str) -> Result<Vec<Node<'a>>> {
        let list = self.list()?;
        if list.len() == n {
            Ok(list)
        } else {
            Err(self.error(format!("{} members where {n} are needed", list.len()), format!("write {what}")))
        }
    }

    /// A quantity with its unit, in internal units; a plain number where `dimension` is none.
    pub fn quantity(&self, dimension: Dimension) -> Result<f64> {
        let text = match self.value {
            Value::Other(DeValue::String(s)) => s.to_string(),
            Value::Other(DeValue::Integer(i)) if i.radix() == 10 => i.as_str().replace('_', ""),
            Value::Other(DeValue::Float(x)) => x.as_str().replace('_', ""),
            _ => return Err(self.wrong_kind(&format!("a {}", dimension.name))),
        };
        quantity::parse(&text, dimension).map_err(|e| {
            let remedy = match dimension.units[0] {
                "" => "write a plain number".to_string(),
                unit => format!("write it as text with a unit, for example \"1.0 {unit}\""),
            };
            self.error(e.to_string(), remedy)
        })
    }

    /// A plain number.
    pub fn number(&self) -> Result<f64> {
        self.quantity(Dimension::NONE)
    }

    /// A whole number ≥ 0.
    pub fn count(&self) -> Result<usize> {
        match self.value {
            Value::Other(DeValue::Integer(i)) if i.radix() == 10 => i.as_str().replace('_', "").parse().ok(),
            _ => None,
        }
        .ok_or_else(|| self.wrong_kind("a whole number, 0 or more"))
    }
}

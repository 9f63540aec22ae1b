//! Names of atoms: each different one is kept once.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Index;

use serde::de::{DeserializeSeed, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Shared;

/// \[n\] names, of which many are the same. A copy shares them until it changes; written as a list of texts.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Each different name, in the order in which they came.
    different: Shared<Vec<String>>,
    /// \[n\] index into `different`.
    of: Shared<Vec<u32>>,
}

impl Names {
    /// Number of names.
    pub fn len(&self) -> usize {
        self.of.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// Name `k`, where there is one.
    pub fn get(&self, k: usize) -> Option<&str> {
        self.of.get(k).map(|&n| self.different[n as usize].as_str())
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.of.iter().map(|&n| self.different[n as usize].as_str())
    }

    /// Gives back what lists that grew hold beyond their ends.
    pub fn shrink_to_fit(&mut self) {
        self.different.shrink_to_fit();
        self.of.shrink_to_fit();
    }
}

/// Names to which more are added.
struct Adding<'a> {
    names: &'a mut Names,
    known: BTreeMap<String, u32>,
}

impl<'a> Adding<'a> {
    fn to(names: &'a mut Names) -> Self {
        let known = names.different.iter().zip(0..).map(|(name, n)| (name.clone(), n)).collect();
        Adding { names, known }
    }

    fn add(&mut self, name: &str) {
        let n = self.known.get(name).copied().unwrap_or_else(|| {
            self.known.insert(name.into(), self.known.len() as u32);
            self.names.different.push(name.into());
            self.names.different.len() as u32 - 1
        });
        self.names.of.push(n);
    }
}

impl Index<usize> for Names {
    type Output = str;
    fn index(&self, k: usize) -> &str {
        &self.different[self.of[k] as usize]
    }
}

impl<S: AsRef<str>> Extend<S> for Names {
    fn extend<I: IntoIterator<Item = S>>(&mut self, more: I) {
        let mut adding = Adding::to(self);
        more.into_iter().for_each(|name| adding.add(name.as_ref()));
    }
}

impl<S: AsRef<str>> FromIterator<S> for Names {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Self {
        let mut all = Names::default();
        all.extend(names);
        all
    }
}

impl<S: AsRef<str>> From<Vec<S>> for Names {
    fn from(names: Vec<S>) -> Self {
        names.into_iter().collect()
    }
}

impl PartialEq for Names {
    fn eq(&self, other: &Names) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Serialize for Names {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut names = Names::default();
        deserializer.deserialize_seq(Adding::to(&mut names))?;
        Ok(names)
    }
}

impl<'de> Visitor<'de> for Adding<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list of names")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut names: A) -> Result<(), A::Error> {
        while names.next_element_seed(One(&mut self))?.is_some() {}
        Ok(())
    }
}

/// The next name of a list that is read, which is nowhere a text of its own.
struct One<'a, 'b>(&'a mut Adding<'b>);

impl<'de> DeserializeSeed<'de> for One<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for One<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<(), E> {
        self.0.add(name);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_written_and_read_as_a_list_of_texts() {
        let mut names: Names = vec!["C1", "H\"", "C1"].into();
        names.extend([String::from("O"), String::from("H\"")]);
        assert_eq!((names.len(), &names[1], names.get(3), names.get(5)), (5, "H\"", Some("O"), None));
        assert_eq!(names.different.len(), 3, "each different name once");
        let text = serde_json::to_string(&names).unwrap();
        assert_eq!(text, r#"["C1","H\"","C1","O","H\""]"#);
        assert_eq!(serde_json::from_str::<Names>(&text).unwrap(), names);
        assert!(serde_json::from_str::<Names>(r#"["C1", 2]"#).unwrap_err().to_string().contains("expected a name"));
    }

    #[test]
    fn the_same_names_are_equal_however_they_came_together() {
        let mut names: Names = vec!["B", "A"].into();
        names.of.reverse();
        assert_eq!(names, vec!["A", "B"].into());
        assert_ne!(names, vec!["A", "C"].into());
        assert_ne!(names, vec!["A"].into());
    }
}

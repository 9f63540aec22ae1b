//! Pairs inside molecules whose interaction is scaled instead of excluded.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Shared;
#[cfg(doc)]
use crate::Topology;

/// A pair inside a molecule (1-4 and the like) whose interaction is scaled instead of excluded; neither cut off nor
/// modified unless `cut` says so. Such pairs are also in the exclusions; one that is not acts beside the ordinary
/// interaction of the pair.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaledPair {
    /// The two atoms.
    pub atoms: [u32; 2],
    /// Factor of the pair potential.
    pub vdw: f64,
    /// Factor of q_i q_j / r.
    pub coulomb: f64,
    /// Own charges (e) q_i and q_j of this pair, in place of the atoms'.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charges: Option<[f64; 2]>,
    /// Own pair potential, an index into [`Topology::pair_overrides`], in place of the types' one.
    pub pair_override: Option<u32>,
    /// Whether the pair is cut off and modified like the pairs of the pair loop: LAMMPS' `special_bonds`, beyond the
    /// cut-off of which the factors do not reach either.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

/// What tells kinds of pairs apart: all but the atoms, numbers by their bits.
type Key = (u64, u64, Option<[u64; 2]>, Option<u32>, bool);

impl ScaledPair {
    fn key(&self) -> Key {
        let charges = self.charges.map(|q| q.map(f64::to_bits));
        (self.vdw.to_bits(), self.coulomb.to_bits(), charges, self.pair_override, self.cut)
    }
}

/// The scaled pairs of a topology: all have their atoms, and few kinds govern them, each of which is kept once. A copy
/// shares them until it changes; written as a list of [`ScaledPair`].
#[derive(Clone, Debug, Default)]
pub struct ScaledPairs {
    /// One pair of each kind.
    kinds: Shared<Vec<ScaledPair>>,
    /// Atoms, and index into `kinds`.
    pairs: Shared<Vec<([u32; 2], u32)>>,
}

impl ScaledPairs {
    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Pair `k`. Panics where there is none.
    pub fn at(&self, k: usize) -> ScaledPair {
        let (atoms, kind) = self.pairs[k];
        ScaledPair { atoms, ..self.kinds[kind as usize] }
    }

    /// All of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = ScaledPair> {
        self.pairs.iter().map(|&(atoms, kind)| ScaledPair { atoms, ..self.kinds[kind as usize] })
    }

    /// Lets `change` do as it likes with the list.
    pub fn change(&mut self, change: impl FnOnce(&mut Vec<ScaledPair>)) {
        let mut list: Vec<ScaledPair> = self.iter().collect();
        change(&mut list);
        *self = list.into();
    }

    /// Gives back what lists that grew hold beyond their ends.
    pub fn shrink_to_fit(&mut self) {
        self.kinds.shrink_to_fit();
        self.pairs.shrink_to_fit();
    }
}

/// Pairs to which more are added.
struct Adding<'a> {
    pairs: &'a mut ScaledPairs,
    known: BTreeMap<Key, u32>,
}

impl<'a> Adding<'a> {
    fn to(pairs: &'a mut ScaledPairs) -> Self {
        let known = pairs.kinds.iter().zip(0..).map(|(kind, n)| (kind.key(), n)).collect();
        Adding { pairs, known }
    }

    fn add(&mut self, pair: ScaledPair) {
        let kinds = &mut self.pairs.kinds;
        let kind = *self.known.entry(pair.key()).or_insert_with(|| {
            kinds.push(pair);
            kinds.len() as u32 - 1
        });
        self.pairs.pairs.push((pair.atoms, kind));
    }
}

impl Extend<ScaledPair> for ScaledPairs {
    fn extend<I: IntoIterator<Item = ScaledPair>>(&mut self, more: I) {
        let mut adding = Adding::to(self);
        more.into_iter().for_each(|pair| adding.add(pair));
    }
}

impl FromIterator<ScaledPair> for ScaledPairs {
    fn from_iter<I: IntoIterator<Item = ScaledPair>>(pairs: I) -> Self {
        let mut all = ScaledPairs::default();
        all.extend(pairs);
        all
    }
}

impl From<Vec<ScaledPair>> for ScaledPairs {
    fn from(pairs: Vec<ScaledPair>) -> Self {
        pairs.into_iter().collect()
    }
}

impl PartialEq for ScaledPairs {
    fn eq(&self, other: &ScaledPairs) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Serialize for ScaledPairs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for ScaledPairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut pairs = ScaledPairs::default();
        deserializer.deserialize_seq(Adding::to(&mut pairs))?;
        Ok(pairs)
    }
}

impl<'de> Visitor<'de> for Adding<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list of scaled pairs")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut pairs: A) -> Result<(), A::Error> {
        while let Some(pair) = pairs.next_element()? {
            self.add(pair);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs() -> Vec<ScaledPair> {
        let plain =
            ScaledPair { atoms: [0, 3], vdw: 0.5, coulomb: 0.8, charges: None, pair_override: None, cut: false };
        vec![
            plain,
            ScaledPair { atoms: [1, 4], charges: Some([0.1, -0.3]), pair_override: Some(2), ..plain },
            ScaledPair { atoms: [2, 5], cut: true, ..plain },
            ScaledPair { atoms: [6, 9], ..plain },
            ScaledPair { atoms: [7, 9], coulomb: -0.0, ..plain },
            ScaledPair { atoms: [8, 9], coulomb: 0.0, ..plain },
        ]
    }

    #[test]
    fn they_are_what_was_put_in_and_are_written_as_a_list() {
        let (list, mut packed) = (pairs(), ScaledPairs::default());
        packed.extend(list[..2].iter().copied());
        packed.extend(list[2..].iter().copied());
        assert_eq!(packed.iter().collect::<Vec<_>>(), list);
        assert_eq!((packed.len(), packed.kinds.len(), packed.at(3)), (6, 5, list[3]));
        // To the last bit, which `==` does not see.
        assert!(packed.at(4).coulomb.is_sign_negative() && packed.at(5).coulomb.is_sign_positive());
        let text = serde_json::to_string(&packed).unwrap();
        assert_eq!(text, serde_json::to_string(&list).unwrap());
        assert_eq!(serde_json::from_str::<ScaledPairs>(&text).unwrap(), packed);
        packed.change(|list| list.truncate(1));
        assert_eq!(packed, vec![list[0]].into());
    }
}

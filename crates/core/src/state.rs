//! What a propagator or a force term must remember to go on with the same bits after a restart.

use std::collections::BTreeMap;

/// A remembered value.
#[derive(Clone, Debug, PartialEq)]
pub enum StateValue {
    /// Numbers, bit for bit.
    F64(Vec<f64>),
    /// Counters.
    U64(Vec<u64>),
}

/// Named values; names are paths such as `thermostat/eta`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// The values by name.
    pub values: BTreeMap<String, StateValue>,
}

/// A state that does not fit.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StateError {
    /// Not there, or of another kind or length.
    #[error("the saved state has no {expected} named \"{name}\"")]
    Missing {
        /// Name that was asked for.
        name: String,
        /// What was expected under it.
        expected: String,
    },
}

impl State {
    /// Remembers numbers.
    pub fn put_f64(&mut self, name: &str, values: &[f64]) {
        self.values.insert(name.into(), StateValue::F64(values.to_vec()));
    }

    /// Remembers counters.
    pub fn put_u64(&mut self, name: &str, values: &[u64]) {
        self.values.insert(name.into(), StateValue::U64(values.to_vec()));
    }

    /// Numbers remembered under `name`; `n` of them.
    pub fn f64(&self, name: &str, n: usize) -> Result<&[f64], StateError> {
        match self.values.get(name) {
            Some(StateValue::F64(v)) if v.len() == n => Ok(v),
            _ => Err(StateError::Missing { name: name.into(), expected: format!("array of {n} numbers") }),
        }
    }

    /// Counters remembered under `name`; `n` of them.
    pub fn u64(&self, name: &str, n: usize) -> Result<&[u64], StateError> {
        match self.values.get(name) {
            Some(StateValue::U64(v)) if v.len() == n => Ok(v),
            _ => Err(StateError::Missing { name: name.into(), expected: format!("array of {n} counters") }),
        }
    }
}

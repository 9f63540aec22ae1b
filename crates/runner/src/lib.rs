//! Deck to simulation to observers: the library that a test, a bench or the command line drives.

pub mod plot;
pub mod report;

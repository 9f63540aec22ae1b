//! What a method says about itself in `amelo list` and `amelo explain`.

/// One row of a registry of thermostats, barostats or constraints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MethodInfo {
    /// Name in decks.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// The equations, with their assumptions.
    pub formula: &'static str,
    /// Paper and DOI.
    pub citation: &'static str,
}

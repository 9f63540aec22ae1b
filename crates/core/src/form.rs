//! What a functional form says about itself: enough to parse its parameters from a file, to check their
//! units and to explain it, without knowing its physics.

use crate::quantity::Dimension;

/// What a functional form acts between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormClass {
    /// Two atoms that are not bonded.
    Pair,
    /// Two bonded atoms.
    Bond,
    /// Three atoms, the middle one at the vertex.
    Angle,
    /// Four atoms along a chain.
    Dihedral,
    /// Four atoms, out-of-plane.
    Improper,
}

/// One parameter of a form.
#[derive(Clone, Copy, Debug)]
pub struct ParameterInfo {
    /// Key in parameter files.
    pub name: &'static str,
    /// Its dimension; values are kept in internal units.
    pub dimension: Dimension,
    /// One line of explanation.
    pub doc: &'static str,
}

/// A functional form's own description: one row of a registry.
#[derive(Clone, Copy, Debug)]
pub struct FormInfo {
    /// What it acts between.
    pub class: FormClass,
    /// Name in decks, parameter files and `amelo explain`.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// The equation.
    pub formula: &'static str,
    /// Parameters in their order.
    pub parameters: &'static [ParameterInfo],
    /// Paper, equation, DOI.
    pub citation: &'static str,
}

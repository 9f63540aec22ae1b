//! The list of file formats: rows for `amelo list formats` and `amelo explain`.

/// A file format's own description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormatInfo {
    /// Name on the command line.
    pub name: &'static str,
    /// What it is for, and whether it is written, read or both.
    pub summary: &'static str,
    /// Layout, units, precision.
    pub layout: &'static str,
    /// What is not carried over, one sentence each.
    pub limits: &'static [&'static str],
    /// Specification.
    pub citation: &'static str,
}

/// From one line per format, the module that has its `INFO`, the list.
macro_rules! formats {
    ($($module:path),+ $(,)?) => {
        /// Every registered format.
        pub fn formats() -> Vec<FormatInfo> {
            vec![$({ use $module as module; module::INFO }),+]
        }
    };
}

formats! {
    crate::h5md,
    crate::snapshot,
    crate::log,
    crate::pdb,
    crate::formats::extxyz,
    crate::formats::xtc,
    crate::formats::gromacs_export,
    crate::formats::lammps_export,
    crate::formats::cif,
}

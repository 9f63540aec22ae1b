//! Everything that touches files: trajectories, checkpoints, logs and parameter files.

pub mod parameters;

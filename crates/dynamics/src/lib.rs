//! How a system moves: propagators, thermostats, barostats, constraints, minimisation.
//!
//! Every ensemble is one list of propagators around one force evaluation, the splitting B A O A \[F\] B:
//!
//! ```text
//! NVE   B A        [F] B        velocity Verlet (RATTLE where there are constraints)
//! NVT   B A½ O A½  [F] B        O = Langevin (then this is BAOAB), v-rescale or a Nosé–Hoover chain
//! NPT   B S A½ O A½ [F] B       S = scaling of the cell
//! ```
//!
//! B kicks by half a time step, A drifts, O acts on the velocities, S on the cell. Thermostats sit in the middle
//! of the step because there they control the *half-step* kinetic energy, the one that temperature and pressure
//! report ([`observables`] says why), and because positions are then sampled best (Z. Zhang, X. Liu, K. Yan,
//! M. E. Tuckerman, J. Liu, J. Phys. Chem. A 123, 6056 (2019)).
//!
//! This crate sees forces only through [`amelo_core::ForceProvider`]; it does not know what a potential is.

pub mod barostats;
pub mod constraints;
mod dof;
mod ensemble;
mod error;
mod force_schedule;
mod hydrogen_mass;
mod info;
mod integrator;
mod lbfgs;
pub mod minimize;
mod motion;
pub mod observables;
mod passes;
pub mod propagators;
pub mod thermostats;
mod velocities;

pub use barostats::{BarostatKind, Coupling, barostats};
pub use constraints::{ConstraintKind, constraint_kinds, h_bonds};
pub use dof::{DofReport, GroupDof};
pub use ensemble::{Ensemble, NptConfig, NveConfig, NvtConfig};
pub use error::DynamicsError;
pub use hydrogen_mass::repartition_hydrogen_mass;
pub use info::MethodInfo;
pub use integrator::{Integrator, IntegratorSettings};
pub use lbfgs::lbfgs;
pub use minimize::{CellCoupling, CellRelaxation, MinimizeConfig, MinimizeProgress, MinimizeReport, minimize};
pub use motion::Motion;
pub use observables::Observables;
pub use propagators::{Propagator, Step};
pub use thermostats::{ThermostatKind, thermostats};
pub use velocities::draw_velocities;

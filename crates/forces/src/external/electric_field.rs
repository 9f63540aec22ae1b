//! U = −E · Σ qᵢ rᵢ: a uniform electric field.
//!
//! r is the unwrapped position, so that the energy does not jump when an atom crosses the boundary; its zero is where
//! the field's potential vanishes at the origin, which matters only for a charged system. In a conductor the energy
//! falls without bound: the field works, and a thermostat must take the heat away.
//!
//! The field gives no virial. It is an outside agent and not part of the internal stress: Σ r ⊗ qE depends on the
//! origin where charges do not cancel and grows without bound as ions drift. GROMACS and, by default, LAMMPS leave it
//! out too; a pressure under a field is that of the material alone.

use amelo_core::{ForceError, ForceTerm, Forces, Request, System};
use amelo_math::Vec3;

use crate::ForcesError;

/// A uniform electric field.
#[derive(Clone, Copy, Debug)]
pub struct ElectricField {
    field: Vec3,
}

impl ElectricField {
    /// The field `field` (kJ mol⁻¹ nm⁻¹ e⁻¹; 1 V/nm is 96.485 of them). Errors: a component that is not finite.
    pub fn new(field: Vec3) -> Result<Self, ForcesError> {
        if field.is_finite() {
            Ok(ElectricField { field })
        } else {
            Err(ForcesError::setting(format!("electric field {:?} kJ/mol/nm/e is not finite", field.to_array())))
        }
    }
}

impl ForceTerm for ElectricField {
    fn name(&self) -> &'static str {
        "electric_field"
    }

    fn add(&mut self, system: &System, want: Request, out: &mut Forces) -> Result<(), ForceError> {
        for (force, q) in out.on.iter_mut().zip(&system.topology.charges) {
            *force += self.field * *q;
        }
        if want.energy {
            let dipole: Vec3 = system.topology.charges.iter().enumerate().map(|(i, q)| system.unwrapped(i) * *q).sum();
            out.energy.add("electric_field", -self.field.dot(dipole));
        }
        Ok(())
    }
}

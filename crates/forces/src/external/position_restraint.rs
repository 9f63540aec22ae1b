//! U = ½ k Σ |rᵢ − rᵢ⁰|²: harmonic tethers to reference positions, over the nearest image.
//!
//! Under pressure coupling the reference either moves with the cell or stays where it is. Moving with it
//! ([`ReferenceScaling::WithCell`]), it is kept in fractional coordinates; a strain then stretches only the
//! displacement, and the virial Σ (r − r⁰) ⊗ F is that of springs inside the material. A fixed reference
//! ([`ReferenceScaling::Fixed`]) holds against the barostat: a strain moves the atom and not its tether, so the virial
//! is Σ r ⊗ F, with r the image nearest to the tether, and depends on where the origin is. Both equal −dU/dε.

use amelo_core::{Cell, ForceError, ForceTerm, Forces, Request, State, StateError, System, Topology};
use amelo_math::{Mat3, Vec3};
use serde::{Deserialize, Serialize};

use crate::ForcesError;

/// What the reference positions do when the cell changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReferenceScaling {
    /// They keep their fractional coordinates: right for pressure coupling.
    #[default]
    WithCell,
    /// They stay where they are in space.
    Fixed,
}

/// Harmonic restraints of atoms to reference positions.
#[derive(Clone, Debug)]
pub struct PositionRestraint {
    atoms: Vec<u32>,
    /// Fractional for [`ReferenceScaling::WithCell`], else in nm.
    reference: Vec<Vec3>,
    k: f64,
    scaling: ReferenceScaling,
}

impl PositionRestraint {
    /// Tethers `atoms` to `reference` (nm, one each, given in `cell`) with the force constant `k` (kJ mol⁻¹ nm⁻²).
    /// Errors: an atom that does not exist, another number of references, a negative force constant.
    pub fn new(
        topology: &Topology,
        atoms: Vec<u32>,
        reference: &[Vec3],
        cell: &Cell,
        k: f64,
        scaling: ReferenceScaling,
    ) -> Result<Self, ForcesError> {
        if atoms.len() != reference.len() {
            return Err(ForcesError::Mismatch {
                message: format!("{} reference positions for {} restrained atoms", reference.len(), atoms.len()),
            });
        }
        if let Some(atom) = atoms.iter().find(|&&a| a as usize >= topology.n_atoms()) {
            return Err(ForcesError::Mismatch {
                message: format!("position restraint on atom {atom}, but there are {} atoms", topology.n_atoms()),
            });
        }
        if !(k >= 0.0 && k.is_finite()) {
            return Err(ForcesError::setting(format!("position restraint with k = {k} kJ/mol/nm^2: must be ≥ 0")));
        }
        if let Some(n) = reference.iter().position(|r| !r.is_finite()) {
            return Err(ForcesError::setting(format!("the reference position of atom {} is not finite", atoms[n])));
        }
        let reference = match scaling {
            ReferenceScaling::WithCell => reference.iter().map(|r| cell.to_fractional(*r)).collect(),
            ReferenceScaling::Fixed => reference.to_vec(),
        };
        Ok(PositionRestraint { atoms, reference, k, scaling })
    }
}

impl ForceTerm for PositionRestraint {
    fn name(&self) -> &'static str {
        "position_restraint"
    }

    fn add(&mut self, system: &System, want: Request, out: &mut Forces) -> Result<(), ForceError> {
        let (mut energy, mut virial) = (0.0, Mat3::ZERO);
        for (&atom, &kept) in self.atoms.iter().zip(&self.reference) {
            let atom = atom as usize;
            let reference = match self.scaling {
                ReferenceScaling::WithCell => system.cell.to_cartesian(kept),
                ReferenceScaling::Fixed => kept,
            };
            let d = system.cell.minimum_image(system.positions[atom] - reference);
            let force = d * -self.k;
            out.on[atom] += force;
            energy += 0.5 * self.k * d.norm2();
            virial += match self.scaling {
                ReferenceScaling::WithCell => d.outer(force),
                ReferenceScaling::Fixed => (reference + d).outer(force),
            };
        }
        if want.energy {
            out.energy.add("position_restraint", energy);
        }
        if want.virial {
            out.virial += virial;
        }
        Ok(())
    }

    fn save(&self, prefix: &str, state: &mut State) {
        let flat: Vec<f64> = self.reference.iter().flat_map(|r| r.to_array()).collect();
        state.put_f64(&format!("{prefix}reference"), &flat);
    }

    fn restore(&mut self, prefix: &str, state: &State) -> Result<(), StateError> {
        let flat = state.f64(&format!("{prefix}reference"), 3 * self.reference.len())?;
        for (r, v) in self.reference.iter_mut().zip(flat.chunks_exact(3)) {
            *r = Vec3::new(v[0], v[1], v[2]);
        }
        Ok(())
    }
}

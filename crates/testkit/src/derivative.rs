//! Forces and virial as numerical derivatives of the energy alone.

use amelo_core::{ForceError, ForceProvider, System};
use amelo_math::{Mat3, Vec3};

use crate::evaluate;

/// −dU/dr_i (kJ/mol/nm) of each atom in `atoms`: central differences of fourth order with step `h` (nm).
/// Truncation is ~h⁴ U⁽⁵⁾/30, rounding ~ε U/h; 1e-4 nm suits atomic energies.
pub fn finite_difference_forces(
    provider: &mut dyn ForceProvider,
    system: &System,
    atoms: &[usize],
    h: f64,
) -> Result<Vec<Vec3>, ForceError> {
    let mut moved = system.clone();
    let mut forces = Vec::with_capacity(atoms.len());
    for &atom in atoms {
        let mut force = Vec3::ZERO;
        for axis in 0..3 {
            force[axis] = -slope(h, |step| {
                moved.positions[atom] = system.positions[atom] + Vec3::unit(axis) * step;
                moved.images[atom] = system.images[atom];
                moved.cell.wrap(&mut moved.positions[atom], &mut moved.images[atom]);
                evaluate(provider, &moved).map(|f| f.energy.potential())
            })?;
        }
        moved.positions[atom] = system.positions[atom];
        moved.images[atom] = system.images[atom];
        forces.push(force);
    }
    Ok(forces)
}

/// The virial as the strain derivative −dU/dε (kJ/mol): cell and positions deformed together, images kept, with
/// central differences of fourth order in `h` (1e-5 … 1e-4). Strains are lower-triangular, which keeps the cell's form;
/// the upper triangle follows from symmetry, U being invariant under rotations.
pub fn strain_virial(provider: &mut dyn ForceProvider, system: &System, h: f64) -> Result<Mat3, ForceError> {
    let mut virial = Mat3::ZERO;
    for row in 0..3 {
        for column in 0..=row {
            let derivative = slope(h, |step| {
                let mut strain = Mat3::ZERO;
                strain[(row, column)] = step;
                evaluate(provider, &strained(system, strain)).map(|f| f.energy.potential())
            })?;
            virial[(row, column)] = -derivative;
            virial[(column, row)] = -derivative;
        }
    }
    Ok(virial)
}

/// `system` with cell and positions times (1 + `strain`), rows as vectors; `strain` is small and lower-triangular.
fn strained(system: &System, strain: Mat3) -> System {
    let mut deformed = system.clone();
    deformed.cell = system.cell.deformed(strain).expect("a small lower-triangular strain keeps the cell's form");
    for r in &mut deformed.positions {
        *r += strain.vec_mul(*r);
    }
    deformed
}

/// f′(0) by the five-point rule.
fn slope(h: f64, mut f: impl FnMut(f64) -> Result<f64, ForceError>) -> Result<f64, ForceError> {
    Ok((8.0 * (f(h)? - f(-h)?) - (f(2.0 * h)? - f(-2.0 * h)?)) / (12.0 * h))
}

/// Largest |F − −∇U| over `atoms`, relative to the RMS of all forces.
pub fn force_error(
    provider: &mut dyn ForceProvider,
    system: &System,
    atoms: &[usize],
    h: f64,
) -> Result<f64, ForceError> {
    let exact = evaluate(provider, system)?;
    let numerical = finite_difference_forces(provider, system, atoms, h)?;
    let worst = atoms.iter().zip(&numerical).map(|(&a, f)| (exact.on[a] - *f).norm()).fold(0.0, f64::max);
    Ok(worst / crate::rms(&exact.on))
}

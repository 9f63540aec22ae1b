//! Symmetries that every force field has. Each check returns the worst violation, forces relative to their RMS,
//! energies to `scale`; the test states its tolerance.

use std::sync::Arc;

use amelo_core::{Exclusions, ForceError, ForceProvider, Forces, Interactions, Request, System, Topology};
use amelo_math::Vec3;

use crate::{evaluate, rms};

fn difference(a: &Forces, b: &Forces, scale: f64) -> f64 {
    let energy = (a.energy.potential() - b.energy.potential()).abs() / scale;
    let forces: Vec<Vec3> = a.on.iter().zip(&b.on).map(|(a, b)| *a - *b).collect();
    let virial = (a.virial - b.virial).max_abs() / scale;
    energy.max(rms(&forces) / rms(&a.on)).max(virial)
}

/// All atoms moved by `by` (nm) and wrapped.
pub fn check_translation(
    provider: &mut dyn ForceProvider,
    system: &System,
    by: Vec3,
    scale: f64,
) -> Result<f64, ForceError> {
    let mut moved = system.clone();
    moved.positions.iter_mut().for_each(|r| *r += by);
    moved.wrap();
    Ok(difference(&evaluate(provider, system)?, &evaluate(provider, &moved)?, scale))
}

/// Each atom moved to another periodic image, position and `images` together, so that nothing physical changes.
pub fn check_images(provider: &mut dyn ForceProvider, system: &System, scale: f64) -> Result<f64, ForceError> {
    let mut moved = system.clone();
    for i in 0..system.n_atoms() {
        let image = [(i % 3) as i32 - 1, (i % 5) as i32 - 2, (i % 2) as i32];
        moved.positions[i] += moved.cell.shift(image);
        moved.images[i] = [0, 1, 2].map(|k| moved.images[i][k] - image[k]);
    }
    Ok(difference(&evaluate(provider, system)?, &evaluate(provider, &moved)?, scale))
}

/// The provider that `make` builds for a system with its atoms in another order gives the permuted forces.
pub fn check_permutation<P: ForceProvider>(
    make: impl Fn(&System) -> P,
    system: &System,
    scale: f64,
) -> Result<f64, ForceError> {
    let n = system.n_atoms();
    // A stride coprime to n visits every atom once.
    let stride = (n / 3 + 1..).find(|s| gcd(*s, n) == 1).unwrap_or(1);
    let order: Vec<usize> = (0..n).map(|k| (k * stride + 5) % n).collect();
    let shuffled = permuted(system, &order);
    let before = evaluate(&mut make(system), system)?;
    let mut after = evaluate(&mut make(&shuffled), &shuffled)?;
    let back = after.on.clone();
    order.iter().zip(back).for_each(|(&old, f)| after.on[old] = f);
    Ok(difference(&before, &after, scale))
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// `system` with new atom k being old atom `order[k]`. Molecules and residues, which must be contiguous, are dropped.
pub fn permuted(system: &System, order: &[usize]) -> System {
    let old = &*system.topology;
    let mut new_of = vec![0u32; order.len()];
    order.iter().enumerate().for_each(|(new, &o)| new_of[o] = new as u32);
    let map = |a: u32| new_of[a as usize];
    let topology = Topology {
        type_of: order.iter().map(|&o| old.type_of[o]).collect(),
        names: order.iter().map(|&o| &old.names[o]).collect(),
        masses: order.iter().map(|&o| old.masses[o]).collect(),
        charges: order.iter().map(|&o| old.charges[o]).collect(),
        nominal_charges: order.iter().map(|&o| old.nominal_charges[o]).collect(),
        frozen: order.iter().map(|&o| old.frozen[o]).collect(),
        molecules: Vec::new(),
        residues: Vec::new(),
        bonds: old.bonds.iter().map(|b| b.map(map)).collect(),
        interactions: old
            .interactions
            .iter()
            .map(|x| Interactions { atoms: x.atoms.iter().map(|&a| map(a)).collect(), ..x.clone() })
            .collect(),
        exclusions: Exclusions::new(order.len(), old.exclusions.pairs().map(|p| p.map(map))),
        scaled_pairs: old
            .scaled_pairs
            .iter()
            .map(|p| amelo_core::ScaledPair { atoms: p.atoms.map(map), ..p })
            .collect(),
        constraints: old.constraints.iter().map(|c| amelo_core::Constraint { atoms: c.atoms.map(map), ..*c }).collect(),
        groups: Default::default(),
        ..old.clone()
    };
    let mut new = System::new(Arc::new(topology), system.cell, order.iter().map(|&o| system.positions[o]).collect());
    new.images = order.iter().map(|&o| system.images[o]).collect();
    new
}

/// Forces have the same bits whatever else is asked for, and energies and virial appear exactly where asked.
pub fn check_requests(provider: &mut dyn ForceProvider, system: &System) -> Result<(), ForceError> {
    let all = evaluate(provider, system)?;
    for (energy, virial) in [(false, false), (true, false), (false, true)] {
        let mut forces = Forces::new(system.n_atoms());
        provider.evaluate(system, Request { energy, virial }, &mut forces)?;
        assert_eq!(forces.on, all.on, "forces differ when energy = {energy}, virial = {virial}");
        if energy {
            assert_eq!(forces.energy, all.energy);
        }
        if virial {
            assert_eq!(forces.virial, all.virial);
        }
    }
    Ok(())
}

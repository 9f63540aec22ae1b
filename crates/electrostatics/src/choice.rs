//! β, order and mesh from a force error.
//!
//! Which setting is the fastest is told by a model of costs, measured once ([`cost`]); no clock is read here. How
//! accurate it is cannot be had from a formula: estimates take charges as uncorrelated, but those of a molecule cancel
//! (a melt's mesh error is 1.5 to 4 times smaller than estimated) and those of a crystal may keep step with the mesh. So
//! the error of the mesh is measured, on the system as it is, against B-splines of order 8 on a finer mesh, and so is that of the
//! real-space sum: its estimate was 1.3 times too high for a melt and as much too low for an oxide.

use amelo_core::{Cell, Coulomb, ForceTerm, Forces, Precision, Request, System, Topology};
use amelo_math::{Vec3, special};

use crate::accuracy::{FEW, ForceErrorEstimate, beta_for, mesh_error, moving};
use crate::truncation::measured_real_error;
use crate::{ElectrostaticsError, pme};

/// Orders to choose from; the highest first, whose meshes are the smallest, and whose cost then bounds the others'.
const CHOICES: [usize; 3] = [6, 5, 4];
/// Order of the measurement's reference, and by how much of the target the next coarser one may differ from it.
const REFERENCE: (usize, f64) = (8, 0.05);
/// How many times as many points the next finer reference has, at least: at order 8 a third of the error.
const FINER: f64 = 1.5;
/// Shares of the target that the real-space sum may take by the estimate: a smaller β leaves it more and the mesh less to do.
const SHARES: [f64; 5] = [0.9, 0.75, 0.5, 0.3, 0.15];
/// Settings that the model takes for so many times slower than the best are no candidates.
const NEAR: f64 = 1.3;
/// Points along an axis that are worth taking, at least.
const FEWEST: usize = 8;
/// Points of a mesh at most.
const MOST: usize = 1 << 27;

/// A setting of PME for a target of the force error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PmeChoice {
    /// erfc(β r_c), two digits.
    pub tolerance: f64,
    /// Splitting parameter (nm⁻¹) of that tolerance.
    pub beta: f64,
    /// Order of the B-splines.
    pub order: usize,
    /// Mesh points along a, b, c.
    pub mesh: [usize; 3],
    /// RMS error of the force (kJ/mol/nm) from the end of the real-space sum, measured.
    pub real_error: f64,
    /// RMS error of the force (kJ/mol/nm) from the mesh, measured.
    pub mesh_error: f64,
    /// Time of an evaluation (ms) that the model expects in mixed precision on one thread.
    pub cost: f64,
}

impl PmeChoice {
    /// Both errors together.
    pub fn error(&self) -> f64 {
        (self.real_error * self.real_error + self.mesh_error * self.mesh_error).sqrt()
    }

    /// As the setting of a model.
    pub fn coulomb(&self) -> Coulomb {
        Coulomb::Pme { beta: self.beta, order: self.order, mesh: self.mesh }
    }
}

/// Settings whose RMS force error on the atoms of `system` that move is at most `target` (kJ/mol/nm) with the cut-off
/// `r_cut` (nm), the one that the model takes for the fastest first. The same for any number of threads.
pub fn pme_for_force_error(system: &System, r_cut: f64, target: f64) -> Result<Vec<PmeChoice>, ElectrostaticsError> {
    let unreachable = || ElectrostaticsError::Unreachable { target, r_cut };
    if !(target > 0.0 && target.is_finite() && r_cut > 0.0 && r_cut.is_finite()) {
        return Err(unreachable());
    }
    let (topology, cell) = (&system.topology, &system.cell);
    // Those of frozen atoms are spread once.
    let charges = moving(topology).into_iter().filter(|&atom| topology.charges[atom] != 0.0).count();
    let mut found: Vec<PmeChoice> = Vec::new();
    // Measured over estimated, from one setting to the next.
    let mut ratios = [1.0; CHOICES.len()];
    for share in SHARES {
        let Some((tolerance, beta)) = split(system, r_cut, share * target) else { continue };
        let real = measured_real_error(system, r_cut, beta);
        if real >= target {
            continue;
        }
        let limit = (target * target - real * real).sqrt();
        let mut reference = None;
        for (order, ratio) in CHOICES.into_iter().zip(&mut ratios) {
            let least = found.iter().map(|choice| choice.cost).fold(f64::INFINITY, f64::min);
            let meshes: Vec<[usize; 3]> = meshes(cell, beta, order)
                .into_iter()
                .filter(|mesh| cost(charges, order, *mesh) < NEAR * least)
                .collect();
            let mut estimates = vec![None; meshes.len()];
            let mut estimate =
                |at: usize| *estimates[at].get_or_insert_with(|| mesh_error(topology, cell, beta, order, meshes[at]));
            // Meshes from `low` on are not known to be too coarse; `best` is one that is fine enough.
            let (mut low, mut best) = (0, None);
            loop {
                let top = best.map_or(meshes.len(), |(at, _)| at);
                // Where the estimate promises nothing, the finest of those worth their cost may still do.
                let finest = (best.is_none() && low < top && least < f64::INFINITY).then(|| top - 1);
                let Some(next) = (low..top).find(|&at| estimate(at) * *ratio <= limit).or(finest) else { break };
                let reference = reference.get_or_insert_with(|| Reference::new(system, beta, REFERENCE.1 * target));
                let error = reference.error(system, beta, order, meshes[next]).unwrap_or(estimate(next));
                *ratio = error / estimate(next);
                if error <= limit {
                    best = Some((next, error));
                } else {
                    low = next + 1;
                }
            }
            if let Some((at, mesh_error)) = best {
                let (mesh, cost) = (meshes[at], cost(charges, order, meshes[at]));
                found.push(PmeChoice { tolerance, beta, order, mesh, real_error: real, mesh_error, cost });
            }
        }
    }
    // The more accurate first where the costs are the same.
    found.sort_by(|a, b| a.cost.total_cmp(&b.cost).then(a.error().total_cmp(&b.error())));
    let least = found.first().ok_or_else(unreachable)?.cost;
    found.retain(|choice| choice.cost < NEAR * least);
    Ok(found)
}

/// RMS force errors (kJ/mol/nm) on the atoms of `system` that move of a setting with the cut-off `r_cut` (nm) and splitting
/// parameter `beta` (nm⁻¹), measured as for a choice. None where the reference of the measurement takes too fine a mesh.
pub fn measured_force_error(
    system: &System,
    r_cut: f64,
    beta: f64,
    order: usize,
    mesh: [usize; 3],
) -> Option<ForceErrorEstimate> {
    let (topology, cell) = (&system.topology, &system.cell);
    let accuracy = REFERENCE.1 * mesh_error(topology, cell, beta, order, mesh);
    let mesh = Reference::new(system, beta, accuracy).error(system, beta, order, mesh)?;
    Some(ForceErrorEstimate { real: measured_real_error(system, r_cut, beta), mesh })
}

/// The largest tolerance of two digits whose real-space error stays below `share`, and its β.
fn split(system: &System, r_cut: f64, share: f64) -> Option<(f64, f64)> {
    let least = beta_for(&system.topology, &system.cell, r_cut, share)?;
    let exact = special::erfc(least * r_cut);
    let digits = 1 - exact.log10().floor() as i32;
    // As a decimal number, so that a deck that says it means the same.
    let text = format!("{}e{}", (exact * 10f64.powi(digits)).floor(), -digits);
    let tolerance: f64 = text.parse().ok()?;
    (tolerance > 0.0).then(|| (tolerance, special::ewald_beta(r_cut, tolerance)))
}

/// Meshes from coarse to fine, of lengths that the FFT likes. Since these are far apart, one axis becomes finer at a time.
fn meshes(cell: &Cell, beta: f64, order: usize) -> Vec<[usize; 3]> {
    let mut meshes: Vec<[usize; 3]> = Vec::new();
    // Waves of the mesh reach π/h; the first resolves the Gaussian badly, and each next one is 3 % finer.
    let mut spacing = 2.0 / beta;
    while spacing > 0.02 / beta {
        let mesh = cell.vectors().rows.map(|v| likeable(((v.norm() / spacing).ceil() as usize).max(order.max(FEWEST))));
        if mesh.iter().map(|&n| n as f64).product::<f64>() > MOST as f64 {
            break;
        }
        let mut between = meshes.last().copied().unwrap_or(mesh);
        if meshes.is_empty() {
            meshes.push(mesh);
        }
        for axis in [2, 1, 0] {
            if between[axis] != mesh[axis] {
                between[axis] = mesh[axis];
                meshes.push(between);
            }
        }
        spacing *= 0.97;
    }
    meshes
}

/// The number of points from `n` on that costs the least; even, since the highest wave of an odd mesh has no room.
fn likeable(n: usize) -> usize {
    let along = |n: usize| n as f64 * (MESH_PASS + 3.0 * fft_pass(n));
    let best = (n..=2 * n).filter(|&n| fft_pass(n) < f64::INFINITY).min_by(|&a, &b| along(a).total_cmp(&along(b)));
    best.unwrap_or(n)
}

/// What the mesh is measured against, for one β.
struct Reference(Option<Vec<Vec3>>);

impl Reference {
    /// On a mesh whose error is at most `error`; none where that takes too fine a mesh.
    ///
    /// What a lattice does, whose waves keep step with the mesh's, no estimate knows: from the coarsest mesh whose estimated error
    /// is small enough on, it becomes finer until that changes the forces by less.
    fn new(system: &System, beta: f64, error: f64) -> Self {
        Reference(Self::converged(system, beta, error))
    }

    fn converged(system: &System, beta: f64, error: f64) -> Option<Vec<Vec3>> {
        let (topology, order) = (&system.topology, REFERENCE.0);
        let points = |mesh: [usize; 3]| mesh.iter().product::<usize>() as f64;
        let mut meshes = meshes(&system.cell, beta, order).into_iter();
        let mut mesh = meshes.find(|mesh| mesh_error(topology, &system.cell, beta, order, *mesh) <= error)?;
        let mut coarser = forces(system, beta, order, mesh)?;
        loop {
            mesh = meshes.find(|finer| points(*finer) > FINER * points(mesh))?;
            let finer = forces(system, beta, order, mesh)?;
            if difference(topology, &finer, &coarser) <= error {
                return Some(finer);
            }
            coarser = finer;
        }
    }

    /// RMS difference of the forces of `order` on `mesh` on the atoms that move.
    fn error(&self, system: &System, beta: f64, order: usize, mesh: [usize; 3]) -> Option<f64> {
        let (reference, forces) = (self.0.as_ref()?, forces(system, beta, order, mesh)?);
        let moving = moving(&system.topology);
        let measured = difference(&system.topology, reference, &forces);
        // Few atoms may stand where the mesh is good.
        let few = (moving.len() < FEW).then(|| mesh_error(&system.topology, &system.cell, beta, order, mesh));
        Some(few.unwrap_or(0.0).max(measured))
    }
}

/// RMS difference of forces on the atoms that move.
fn difference(topology: &Topology, one: &[Vec3], other: &[Vec3]) -> f64 {
    let moving = moving(topology);
    let square: f64 = moving.iter().map(|&atom| (one[atom] - other[atom]).norm2()).sum();
    (square / moving.len().max(1) as f64).sqrt()
}

fn forces(system: &System, beta: f64, order: usize, mesh: [usize; 3]) -> Option<Vec<Vec3>> {
    let mut term: Box<dyn ForceTerm> = pme::new(&system.topology, beta, order, mesh, Precision::Double).ok()?;
    let mut out = Forces::new(system.n_atoms());
    // With everything, so that frozen atoms have forces too.
    term.add(system, Request::ALL, &mut out).ok()?;
    Some(out.on)
}

/// Passes over the mesh beside the FFTs (ns per point).
const MESH_PASS: f64 = 3.0;

/// Time (ms) of an evaluation in mixed precision on one thread of a processor with AVX-512 at 2.9 GHz; see
/// docs/performance.md. Only ratios matter.
fn cost(charges: usize, order: usize, mesh: [usize; 3]) -> f64 {
    let per_charge = match order {
        4 => 40.0,
        5 => 77.0,
        _ => 98.0,
    };
    let points = mesh.iter().map(|&n| n as f64).product::<f64>();
    let passes: f64 = mesh.iter().map(|&n| fft_pass(n)).sum();
    1e-6 * (per_charge * charges as f64 + points * (MESH_PASS + passes))
}

/// Time (ns) per real point of the FFT along an axis of `n` points, there and back; infinite for lengths that are
/// never worth it. What a length costs depends on which radices it is made of: measured with rustfft 6.4 in f32.
fn fft_pass(n: usize) -> f64 {
    let mut rest = n;
    for p in [2, 3, 5, 7, 11] {
        while rest.is_multiple_of(p) {
            rest /= p;
        }
    }
    match n {
        _ if rest > 1 || !n.is_multiple_of(2) => f64::INFINITY,
        8 | 12 | 16 | 24 | 32 | 36 | 48 | 64 | 72 => 0.45,
        54 | 128 => 0.55,
        _ if n.is_multiple_of(8) && !n.is_multiple_of(25) && n > 32 => 0.7,
        _ if n.is_multiple_of(12) && n > 48 => 0.85,
        _ => 1.5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In a cube, where all axes ask for the same, and in a box where they do not.
    #[test]
    fn meshes_become_finer_one_axis_at_a_time() {
        for edges in [[4.67, 4.67, 4.67], [4.1, 4.54, 7.3]] {
            let cell = Cell::orthorhombic(edges[0], edges[1], edges[2]).unwrap();
            let meshes = meshes(&cell, 2.4, 4);
            assert!(meshes.len() > 20, "{meshes:?}");
            for pair in meshes.windows(2) {
                let finer = (0..3).filter(|&k| pair[1][k] > pair[0][k]).count();
                let coarser = (0..3).filter(|&k| pair[1][k] < pair[0][k]).count();
                assert_eq!((finer, coarser), (1, 0), "{pair:?}");
            }
            assert!(edges != [4.67; 3] || meshes.contains(&[36, 36, 36]) && meshes.contains(&[36, 36, 40]));
        }
    }
}

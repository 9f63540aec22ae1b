//! The lowest minimum of each molecule in wider cells: how much of an energy is the cell's.
//!
//! The host is repeated, the molecule stays alone. Around the molecule the host is as it was left by it, everywhere else
//! clean; all that may move relaxes again, molecule, host and both together, as in the cell itself. So the minimum is the
//! same and only its images go away.

use std::sync::Arc;

use amelo_core::{Cell, Coulomb, Nonbonded};
use amelo_math::{Mat3, Vec3};

use super::relaxing::{Relaxed, Task};
use super::survey::{Survey, file_name};
use super::{HostReference, Parts};
use crate::engine::Model;
use crate::error::RunnerError;

/// A host repeated around itself.
pub(super) struct WiderHost<'a> {
    /// How often along each direction that is repeated.
    times: usize,
    model: Arc<Model>,
    pub cell: Cell,
    /// \[times², of a box times³\] where the copies stand (nm); the first is the host's own place.
    shifts: Vec<Vec3>,
    /// \[n\] atoms that do not move.
    fixed: Arc<[bool]>,
    relaxed: Relaxed,
    /// The host in its own cell.
    clean: &'a Relaxed,
}

/// An adsorption energy in a wider cell.
#[derive(Clone, Copy)]
pub(super) struct InWiderCell {
    pub times: usize,
    pub cell: Cell,
    /// kJ/mol.
    pub energy: f64,
}

/// The lowest structures of a molecule, on the host and alone in the host's cell, with the numbers of their starts.
pub(super) struct Lowest<'a> {
    pub on_host: (usize, &'a Relaxed),
    pub alone: (usize, &'a Relaxed),
}

impl<'a> WiderHost<'a> {
    /// `host` with its `fixed` atoms, `times` as wide along each periodic direction, relaxed there.
    pub fn new(survey: &Survey, times: usize, clean: &'a Relaxed, fixed: &[bool]) -> Result<Self, RunnerError> {
        let upright = survey.oxide || survey.nonbonded.slab.is_some();
        let repeats = if upright { [times, times, 1] } else { [times; 3] };
        let vectors = survey.system.cell.vectors().rows;
        let wide = Mat3::from_rows(
            vectors[0] * repeats[0] as f64,
            vectors[1] * repeats[1] as f64,
            vectors[2] * repeats[2] as f64,
        );
        let cell = Cell::new(wide).map_err(|e| RunnerError::Bug(e.to_string()))?;
        let image = |k: usize| [k % repeats[0], k / repeats[0] % repeats[1], k / (repeats[0] * repeats[1])];
        let shifts: Vec<Vec3> =
            (0..repeats.iter().product()).map(|k| survey.system.cell.shift(image(k).map(|i| i as i32))).collect();
        let fixed: Arc<[bool]> = fixed.repeat(shifts.len()).into();
        let nonbonded = widened(survey.nonbonded, repeats);
        let model = Arc::new(Model { nonbonded, ..survey.parts.model(shifts.len(), None)? });
        let mut host = WiderHost { times, model, cell, shifts, fixed, relaxed: clean.clone(), clean };
        let start = host.around(&survey.system.cell, &clean.positions());
        let task = host.task("host".into(), &host.model, &host.fixed, start);
        host.relaxed = survey.one(&format!("the host, {times} times as wide"), task)?;
        Ok(host)
    }

    /// Adsorption energy (kJ/mol) of what `lowest` holds, number `k` of the adsorbates.
    pub fn adsorbed(&self, survey: &Survey, k: usize, lowest: &Lowest) -> Result<InWiderCell, RunnerError> {
        let (parts, n_host): (&Parts, usize) = (survey.parts, self.clean.positions.len());
        let what = |what: &str| format!("{} {what}, {} times as wide", parts.adsorbates[k].name, self.times);
        let nonbonded = self.model.nonbonded;
        let model =
            |copies: usize| Ok::<_, RunnerError>(Arc::new(Model { nonbonded, ..parts.model(copies, Some(k))? }));
        let narrow = &survey.system.cell;

        // More starts may find other structures, which have files of their own.
        let (file, (of, on_host), (of_alone, alone)) =
            (file_name(&parts.adsorbates[k].name), lowest.on_host, lowest.alone);

        let start = whole(narrow, alone.positions());
        let alone = self.task(format!("{file}-alone-{of_alone:05}"), &model(0)?, &Arc::from([]), start);
        let alone = survey.one(&what("alone"), alone)?;
        let positions = on_host.positions();
        let (host, guest) = positions.split_at(n_host);
        let start = [self.around(narrow, host), whole(narrow, guest.to_vec())].concat();
        let both = self.task(format!("{file}-{of:05}"), &model(self.shifts.len())?, &self.fixed, start);
        let both = survey.one(&what("on the host"), both)?;
        let deeper = match survey.config.reference {
            HostReference::Clean => 0.0,
            HostReference::Removed => {
                let start = both.positions()[..self.fixed.len()].to_vec();
                let left = self.task(format!("{file}-left-{of:05}"), &self.model, &self.fixed, start);
                let left = survey.one(&what("left behind"), left)?;
                (left.energy - self.relaxed.energy).min(0.0)
            }
        };
        let energy = both.energy - self.relaxed.energy - deeper - alone.energy;
        Ok(InWiderCell { times: self.times, cell: self.cell, energy })
    }

    /// \[n\] `host`, \[n_host\] positions in its own cell, with clean copies around it.
    fn around(&self, narrow: &Cell, host: &[Vec3]) -> Vec<Vec3> {
        let clean = self.clean.positions();
        let near = clean.iter().zip(host).map(|(clean, r)| *clean + narrow.minimum_image(*r - *clean));
        let copies = self.shifts[1..].iter().flat_map(|shift| clean.iter().map(|r| *r + *shift));
        near.chain(copies).collect()
    }

    fn task(&self, what: String, model: &Arc<Model>, fixed: &Arc<[bool]>, start: Vec<Vec3>) -> Task {
        let (model, fixed) = (model.clone(), fixed.clone());
        Task { label: format!("{what}-wide-{}", self.times), model, cell: self.cell, fixed, start, approach: None }
    }
}

/// The same settings in a cell `repeats` times as long: the same mesh spacing.
fn widened(nonbonded: Nonbonded, repeats: [usize; 3]) -> Nonbonded {
    let coulomb = match nonbonded.coulomb {
        Coulomb::Pme { beta, order, mesh } => {
            Coulomb::Pme { beta, order, mesh: [0, 1, 2].map(|k| mesh[k] * repeats[k]) }
        }
        other => other,
    };
    Nonbonded { coulomb, ..nonbonded }
}

/// A molecule's atoms brought together from where they were wrapped to: each as the image nearest to an atom that is
/// already there, the nearest such pair first.
fn whole(cell: &Cell, mut positions: Vec<Vec3>) -> Vec<Vec3> {
    let mut there: Vec<usize> = (0..positions.len().min(1)).collect();
    let mut left: Vec<usize> = (1..positions.len()).collect();
    while !left.is_empty() {
        let apart = |&(k, by): &(usize, usize)| cell.minimum_image(positions[left[k]] - positions[by]);
        let pairs = (0..left.len()).flat_map(|k| there.iter().map(move |&by| (k, by)));
        let Some((k, by)) = pairs.min_by(|a, b| apart(a).norm2().total_cmp(&apart(b).norm2())) else { break };
        let here = positions[by] + apart(&(k, by));
        let atom = left.swap_remove(k);
        positions[atom] = here;
        there.push(atom);
    }
    positions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrapped_molecule_comes_together() {
        // A helix longer than half the cell, in an order that is not the chain's.
        let cell = Cell::orthorhombic(1.0, 1.2, 3.0).expect("a cell");
        let chain: Vec<Vec3> = (0..20)
            .map(|k| {
                let angle = 1.7 * f64::from(k);
                Vec3::new(0.95 + 0.1 * angle.cos(), 1.15 + 0.1 * angle.sin(), 2.5 + 0.05 * f64::from(k))
            })
            .collect();
        let order = |k: usize| (7 * k) % 20;
        let wrapped: Vec<Vec3> = (0..20)
            .map(|k| {
                let (mut r, mut image) = (chain[order(k)], [0; 3]);
                cell.wrap(&mut r, &mut image);
                r
            })
            .collect();
        let found = whole(&cell, wrapped.clone());
        assert!(wrapped.iter().enumerate().any(|(k, r)| (*r - wrapped[0] - (chain[order(k)] - chain[0])).norm() > 0.5));
        for (k, r) in found.iter().enumerate() {
            let expected = chain[order(k)] - chain[order(0)];
            assert!((*r - found[0] - expected).norm() < 1e-12, "{k}: {r:?}");
        }
    }
}

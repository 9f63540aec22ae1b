//! The search for the lowest minima: every start relaxed roughly, the lowest of them in earnest.
//!
//! What a start comes to does not depend on how many there are. The rough structures that are refined are the lowest
//! distinct ones of all starts, those of the first half, of the first quarter and so on: all that runs with half the starts
//! or a quarter refine. So the minimum over the first half is the one that such a run finds, and twice the starts never
//! find a higher one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use amelo_build::{Fingerprint, distinct};
use amelo_core::{Cell, Coulomb, Nonbonded};
use amelo_math::Vec3;
use amelo_math::special::ewald_beta;

use super::relaxing::{Approach, Outcome, Relaxed, Task};
use super::survey::{Survey, some_succeeded};
use crate::engine::Model;
use crate::error::RunnerError;

/// Particle-mesh Ewald of the rough search: erfc(β r_cut), order and mesh spacing (nm). The mesh is coarse and its energy
/// smooth all the same; a larger tolerance, or single precision, lets the energy jump by more than a step gains.
const ROUGH_TOLERANCE: f64 = 1e-6;
const ROUGH_ORDER: usize = 5;
const ROUGH_SPACING: f64 = 0.12;

/// Rough structures are the same within this energy (kJ/mol) and distance (nm): several times what is left to relax.
const ROUGHLY_SAME: (f64, f64) = (3.0, 0.03);

/// Sets the seeds of two starts far apart.
const ANNEAL_SEED: u64 = 0x9E37_79B9;

/// What a search came to.
pub(super) struct Searched {
    pub n_starts: usize,
    /// Starts that failed.
    pub failed: usize,
    /// What was refined, by the number of its start.
    pub refined: BTreeMap<usize, Relaxed>,
    /// Starts whose rough structures are the same, the lowest first.
    groups: Vec<Vec<usize>>,
}

impl Searched {
    /// The starts whose rough structures are that of `start`.
    pub fn led_to(&self, start: usize) -> Vec<usize> {
        self.groups.iter().find(|group| group[0] == start).cloned().unwrap_or_else(|| vec![start])
    }

    /// The lowest, with the number of its start.
    pub fn lowest(self) -> Result<(usize, Relaxed), RunnerError> {
        let lowest = self.refined.into_iter().min_by(|(_, a), (_, b)| a.energy.total_cmp(&b.energy));
        lowest.ok_or_else(|| RunnerError::Bug("nothing was refined".into()))
    }
}

impl Survey<'_> {
    /// Searches from `starts`, each \[n_atoms\] positions (nm); atoms of the host, \[n_host\] `fixed`, come first. `label`
    /// begins the names of the files, `what` names the search for people.
    pub(super) fn search(
        &self,
        label: &str,
        what: &str,
        model: &Arc<Model>,
        cell: Cell,
        fixed: &Arc<[bool]>,
        starts: Vec<Vec<Vec3>>,
    ) -> Result<Searched, RunnerError> {
        let n_starts = starts.len();
        let rough_model = Arc::new(Model { nonbonded: rough(model.nonbonded, &cell), ..(**model).clone() });
        // A rigid molecule alone has one start and nothing to anneal.
        let anneal = self.config.anneal.filter(|_| !fixed.is_empty() || n_starts > 1);
        let rough_task = |(k, start): (usize, Vec<Vec3>)| Task {
            label: format!("{label}-rough-{k:05}"),
            model: rough_model.clone(),
            cell,
            fixed: fixed.clone(),
            start,
            approach: Some(Approach {
                crowded: !self.oxide && !fixed.is_empty(),
                anneal: anneal.map(|hold| (hold, self.seed.wrapping_add(ANNEAL_SEED * (1 + k as u64)))),
            }),
        };
        let tasks: Vec<Task> = starts.into_iter().enumerate().map(rough_task).collect();
        let found = self.workshop.relax_all(what, &tasks)?;
        some_succeeded(what, &found)?;

        let groups = roughly_distinct(&found, model, &cell, fixed.len());
        let lowest = |groups: &[Vec<usize>]| groups.iter().take(self.config.refined).map(|g| g[0]).collect::<Vec<_>>();
        let chosen = of_all_halves(n_starts, |n| match n == n_starts {
            true => lowest(&groups),
            false => lowest(&roughly_distinct(&found[..n], model, &cell, fixed.len())),
        });
        let full_task = |k: usize| {
            let start = found[k].as_ref().ok()?.positions();
            let (model, fixed, label) = (model.clone(), fixed.clone(), format!("{label}-{k:05}"));
            Some((k, Task { label, model, cell, fixed, start, approach: None }))
        };
        let (chosen, tasks): (Vec<usize>, Vec<Task>) = chosen.into_iter().filter_map(full_task).unzip();
        let ended = self.workshop.relax_all(&format!("{what}, refined"), &tasks)?;
        some_succeeded(what, &ended)?;
        let failed = found.iter().chain(&ended).filter(|outcome| outcome.is_err()).count();
        let refined = chosen.into_iter().zip(ended).filter_map(|(k, outcome)| Some((k, outcome.ok()?))).collect();
        Ok(Searched { n_starts, failed, refined, groups })
    }
}

/// What `of` says of the first `n`, of the first half of those, of half of these, down to one.
fn of_all_halves(mut n: usize, of: impl Fn(usize) -> Vec<usize>) -> BTreeSet<usize> {
    let mut all = BTreeSet::new();
    while n > 0 {
        all.extend(of(n));
        n /= 2;
    }
    all
}

/// Starts whose rough structures are the same, the lowest first.
fn roughly_distinct(found: &[Outcome], model: &Model, cell: &Cell, n_host: usize) -> Vec<Vec<usize>> {
    let (ended, structures): (Vec<usize>, Vec<&Relaxed>) =
        found.iter().enumerate().filter_map(|(k, outcome)| Some((k, outcome.as_ref().ok()?))).unzip();
    let prints = prints(&structures, model, cell, n_host);
    let all: Vec<_> = structures.iter().map(|r| r.energy).zip(&prints).collect();
    let groups = distinct(&all, ROUGHLY_SAME.0, ROUGHLY_SAME.1);
    groups.into_iter().map(|group| group.into_iter().map(|k| ended[k]).collect()).collect()
}

/// The distances by which structures are told apart.
pub(super) fn prints(structures: &[&Relaxed], model: &Model, cell: &Cell, n_host: usize) -> Vec<Fingerprint> {
    let element = |atom: usize| model.topology.element(atom);
    structures.iter().map(|r| Fingerprint::new(cell, &r.positions(), element, n_host)).collect()
}

/// The settings of the rough search.
fn rough(nonbonded: Nonbonded, cell: &Cell) -> Nonbonded {
    let coulomb = match nonbonded.coulomb {
        Coulomb::Pme { .. } => Coulomb::Pme {
            beta: ewald_beta(nonbonded.r_cut, ROUGH_TOLERANCE),
            order: ROUGH_ORDER,
            mesh: amelo_electrostatics::mesh_for(cell, ROUGH_SPACING),
        },
        other => other,
    };
    Nonbonded { coulomb, ..nonbonded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_the_starts_refine_all_that_half_of_them_do() {
        // The three lowest of the first n of some energies.
        let energy = |k: usize| (k * 7919 + 13) % 101;
        let lowest = |n: usize| {
            let mut starts: Vec<usize> = (0..n).collect();
            starts.sort_by_key(|&k| energy(k));
            starts.truncate(3);
            starts
        };
        for n in 1..50 {
            let (half, all) = (of_all_halves(n, lowest), of_all_halves(2 * n, lowest));
            assert!(half.is_subset(&all), "{n}: {half:?}, {all:?}");
            assert!(lowest(2 * n).iter().all(|k| all.contains(k)));
        }
    }
}

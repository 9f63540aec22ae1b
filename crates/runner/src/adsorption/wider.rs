//! The lowest minimum of each molecule in wider cells: how much of an energy is the cell's.
//!
//! The host is repeated, the molecule stays alone. Of every ion of the oxide and every molecule on it the copy that is
//! nearest to the molecule is where the molecule had put it, the others are clean; all that may move relaxes again,
//! molecule, host and both together, as in the cell itself. So the minimum is the same and only its images go away.

use std::sync::Arc;

use amelo_core::{Cell, Class, Coulomb, Nonbonded, Topology};
use amelo_math::{Mat3, Vec3};

use super::relaxing::{Relaxed, Task};
use super::survey::{Survey, file_name};
use super::{HostReference, Parts};
use crate::engine::Model;
use crate::error::RunnerError;

/// A host repeated around itself.
pub(super) struct WiderHost {
    /// How often along both edges.
    times: usize,
    model: Arc<Model>,
    cell: Cell,
    /// \[times²\] where the copies stand (nm); the first is the host's own place.
    shifts: Vec<Vec3>,
    /// \[n\] atoms that do not move.
    fixed: Arc<[bool]>,
    relaxed: Relaxed,
    pieces: Vec<Piece>,
    /// \[n_host\] the host in its own cell (nm), its molecules whole.
    clean: Vec<Vec3>,
}

/// Atoms that bonds hold together, each with the one by which it is reached; the first by itself.
type Piece = Vec<[usize; 2]>;

/// An adsorption energy in a wider cell.
#[derive(Clone, Copy)]
pub(super) struct InWiderCell {
    pub times: usize,
    /// kJ/mol.
    pub energy: f64,
    /// Energy (kJ/mol), against the clean host's, of the host minimised after the molecule was taken out.
    pub left: f64,
    /// Whether every minimisation met the tolerance.
    pub converged: bool,
}

/// The lowest structures of a molecule, on the host and alone in the host's cell, with the numbers of their starts.
pub(super) struct Lowest<'a> {
    pub on_host: (usize, &'a Relaxed),
    pub alone: (usize, &'a Relaxed),
}

impl WiderHost {
    /// The `clean` slab with its `fixed` atoms, `times` as wide along both its edges, relaxed there. Errors: a minimisation
    /// that fails.
    pub fn new(survey: &Survey, times: usize, clean: &Relaxed, fixed: &[bool]) -> Result<Self, RunnerError> {
        let narrow = &survey.system.cell;
        let [a, b, c] = narrow.vectors().rows;
        let cell = Cell::new(Mat3::from_rows(a * times as f64, b * times as f64, c))
            .map_err(|e| RunnerError::Bug(e.to_string()))?;
        let shift = |k: usize| narrow.shift([(k % times) as i32, (k / times) as i32, 0]);
        let shifts: Vec<Vec3> = (0..times * times).map(shift).collect();
        let fixed: Arc<[bool]> = fixed.repeat(shifts.len()).into();
        let nonbonded = widened(survey.nonbonded, times);
        let model = Arc::new(Model { nonbonded, ..survey.parts.model(shifts.len(), None)? });
        let pieces = pieces(&survey.parts.model(1, None)?.topology);
        let whole = unwrapped(&pieces, narrow, &clean.positions());
        let mut host = WiderHost { times, model, cell, shifts, fixed, relaxed: clean.clone(), pieces, clean: whole };
        let start = host.copies().concat();
        let task = host.task("host".into(), &host.model, &host.fixed, start);
        host.relaxed = survey.one(&format!("the host, {times} times as wide"), task)?;
        Ok(host)
    }

    /// Adsorption energy (kJ/mol) of what `lowest` holds, number `k` of the adsorbates.
    pub fn adsorbed(&self, survey: &Survey, k: usize, lowest: &Lowest) -> Result<InWiderCell, RunnerError> {
        let (parts, n_host): (&Parts, usize) = (survey.parts, self.clean.len());
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
        let guest = whole(narrow, guest.to_vec());
        let start = [self.around(narrow, host, &guest), guest].concat();
        let both = self.task(format!("{file}-{of:05}"), &model(self.shifts.len())?, &self.fixed, start);
        let both = survey.one(&what("on the host"), both)?;
        let start = both.positions()[..self.fixed.len()].to_vec();
        let left = self.task(format!("{file}-left-{of:05}"), &self.model, &self.fixed, start);
        let left = survey.one(&what("left behind"), left)?;
        let converged = [&alone, &both, &left, &self.relaxed].iter().all(|relaxed| relaxed.converged);
        let left = left.energy - self.relaxed.energy;
        let deeper = match survey.config.reference {
            HostReference::Clean => 0.0,
            HostReference::Removed => left.min(0.0),
        };
        let energy = both.energy - self.relaxed.energy - deeper - alone.energy;
        Ok(InWiderCell { times: self.times, energy, left, converged })
    }

    /// \[n_copies\]\[n_host\] clean copies (nm).
    fn copies(&self) -> Vec<Vec<Vec3>> {
        self.shifts.iter().map(|shift| self.clean.iter().map(|r| *r + *shift).collect()).collect()
    }

    /// \[n\] clean copies, but for those pieces that are nearest to `guest`: they are where it put them, `host` in its own
    /// cell.
    fn around(&self, narrow: &Cell, host: &[Vec3], guest: &[Vec3]) -> Vec<Vec3> {
        let mut copies = self.copies();
        let host = unwrapped(&self.pieces, narrow, host);
        for piece in &self.pieces {
            let apart = |copy: &[Vec3]| {
                let pairs = piece.iter().flat_map(|&[atom, _]| guest.iter().map(move |g| copy[atom] - *g));
                pairs.map(|d| self.cell.minimum_image(d).norm2()).fold(f64::INFINITY, f64::min)
            };
            let distances: Vec<f64> = copies.iter().map(|copy| apart(copy)).collect();
            let nearest = (0..copies.len()).min_by(|&a, &b| distances[a].total_cmp(&distances[b]));
            let (Some(nearest), [first, _]) = (nearest, piece[0]) else { continue };
            let moved = narrow.minimum_image(host[first] - self.clean[first]);
            let there = self.shifts[nearest] + self.clean[first] + moved - host[first];
            piece.iter().for_each(|&[atom, _]| copies[nearest][atom] = host[atom] + there);
        }
        copies.concat()
    }

    fn task(&self, what: String, model: &Arc<Model>, fixed: &Arc<[bool]>, start: Vec<Vec3>) -> Task {
        let (model, fixed) = (model.clone(), fixed.clone());
        Task { label: format!("{what}-wide-{}", self.times), model, cell: self.cell, fixed, start, approach: None }
    }
}

/// The same settings in a cell `times` as wide: the same mesh spacing.
fn widened(nonbonded: Nonbonded, times: usize) -> Nonbonded {
    let coulomb = match nonbonded.coulomb {
        Coulomb::Pme { beta, order, mesh: [a, b, c] } => Coulomb::Pme { beta, order, mesh: [times * a, times * b, c] },
        other => other,
    };
    Nonbonded { coulomb, ..nonbonded }
}

/// What bonds and constraints hold together, each in the order in which they reach its atoms.
fn pieces(topology: &Topology) -> Vec<Piece> {
    let mut neighbours = vec![Vec::new(); topology.n_atoms()];
    let bonds = topology.interactions.iter().filter(|list| list.class == Class::Bond);
    let bonds = bonds.flat_map(|list| list.iter()).map(|(atoms, _)| [atoms[0], atoms[1]]);
    for [i, j] in bonds.chain(topology.constraints.iter().map(|c| c.atoms)) {
        neighbours[i as usize].push(j as usize);
        neighbours[j as usize].push(i as usize);
    }
    let mut seen = vec![false; topology.n_atoms()];
    let mut all = Vec::new();
    for first in 0..topology.n_atoms() {
        if std::mem::replace(&mut seen[first], true) {
            continue;
        }
        let mut piece = vec![[first, first]];
        let mut next = 0;
        while next < piece.len() {
            let [atom, _] = piece[next];
            let new = neighbours[atom].iter().filter(|&&other| !std::mem::replace(&mut seen[other], true));
            piece.extend(new.map(|&other| [other, atom]));
            next += 1;
        }
        all.push(piece);
    }
    all
}

/// \[n_atoms\] wrapped `positions` with every piece whole about its first atom.
fn unwrapped(pieces: &[Piece], cell: &Cell, positions: &[Vec3]) -> Vec<Vec3> {
    let mut whole = positions.to_vec();
    for &[atom, by] in pieces.iter().flatten() {
        whole[atom] = whole[by] + cell.minimum_image(positions[atom] - whole[by]);
    }
    whole
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
    use amelo_core::Constraint;

    use super::*;

    #[test]
    fn a_chain_across_a_face_is_whole_along_its_bonds() {
        let cell = Cell::orthorhombic(1.0, 1.0, 3.0).expect("a cell");
        // 0–2–1–4 through the face at x = 1 and on through the next one, too long for the nearest image; 3 by itself.
        let held = [[0, 2], [2, 1], [1, 4]].map(|atoms| Constraint { atoms, length: 0.4 });
        let topology = Topology { type_of: vec![0; 5].into(), constraints: held.to_vec(), ..Topology::default() };
        let positions = [0.8, 0.6, 0.2, 0.5, 0.0].map(|x| Vec3::new(x, 0.5, 0.5));
        let pieces = pieces(&topology);
        assert_eq!(pieces, [vec![[0, 0], [2, 0], [1, 2], [4, 1]], vec![[3, 3]]]);
        let whole = unwrapped(&pieces, &cell, &positions).iter().map(|r| r.x).collect::<Vec<_>>();
        for (found, expected) in whole.into_iter().zip([0.8, 1.6, 1.2, 0.5, 2.0]) {
            assert!((found - expected).abs() < 1e-12, "{found} and {expected}");
        }
    }

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

//! `special_bonds`: whether exclusions and scaled pairs are those of the bond graph, and with which factors.
//!
//! LAMMPS finds 1-2, 1-3 and 1-4 neighbours itself, by the shortest path along bonds, and gives each kind one factor for
//! the pair potential and one for Coulomb. <https://docs.lammps.org/special_bonds.html>

use std::collections::BTreeMap;

use super::bonded::Bonded;
use super::refuse;
use crate::formats::model::{Model, NoCounterpart};

/// (pair potential, Coulomb) of 1-2, 1-3 and 1-4 pairs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Factors(pub [[f64; 2]; 3]);

/// Relative difference below which two factors are the same.
const SAME: f64 = 1e-12;

pub(super) fn factors(model: &Model, bonded: &Bonded) -> Result<Factors, NoCounterpart> {
    let topology = model.topology();
    let n = topology.n_atoms();
    let mut neighbours = vec![Vec::new(); n];
    for (_, atoms) in &bonded.bonds.list {
        neighbours[atoms[0] as usize].push(atoms[1] as usize);
        neighbours[atoms[1] as usize].push(atoms[0] as usize);
    }
    let scaled: BTreeMap<(usize, usize), usize> = topology
        .scaled_pairs
        .iter()
        .enumerate()
        .map(|(k, p)| {
            let [i, j] = p.atoms.map(|a| a as usize);
            ((i.min(j), i.max(j)), k)
        })
        .collect();
    let remedy = "LAMMPS has one factor each for 1-2, 1-3 and 1-4 pairs; export to GROMACS, which takes any";
    let mut found = [[None; 2]; 3];
    for i in 0..n {
        let near = within_three(&neighbours, i);
        for (&j, &distance) in near.range(i + 1..) {
            let d = model.system.positions[i] - model.system.positions[j];
            let r = model.system.cell.minimum_image(d).norm();
            let pair = pair_factors(model, i, j, scaled.get(&(i, j)).copied());
            let what = || format!("the 1-{} pair of atoms {} and {}", distance + 1, i + 1, j + 1);
            if r >= model.nonbonded.r_cut && pair != [Some(1.0); 2] {
                let what =
                    format!("{}, {r:.3} nm apart: it cuts such pairs off at {} nm", what(), model.nonbonded.r_cut);
                return Err(refuse(what, "take a longer cut-off"));
            }
            for (known, factor) in found[distance - 1].iter_mut().zip(pair) {
                match (*known, factor) {
                    (_, None) => {}
                    (None, Some(_)) => *known = factor,
                    (Some(a), Some(b)) if (a - b).abs() <= SAME => {}
                    (Some(a), Some(b)) => {
                        return Err(refuse(format!("{} with the factor {b} where another has {a}", what()), remedy));
                    }
                }
            }
            if scaled.get(&(i, j)).is_some_and(|&k| !comparable(model, k)) {
                return Err(refuse(format!("{}, which has parameters of its own", what()), remedy));
            }
        }
        let excluded = topology.exclusions.of(i).iter().map(|&j| j as usize).filter(|&j| j > i);
        let of_i = scaled.range((i, 0)..(i + 1, 0)).map(|(&(_, j), _)| j);
        if let Some(j) = excluded.chain(of_i).find(|j| !near.contains_key(j)) {
            let what = format!("the exclusion of atoms {} and {}, which are not within three bonds", i + 1, j + 1);
            return Err(refuse(what, remedy));
        }
    }
    // A factor that makes no difference is as its companion: pairs that interact in full stay ordinary ones. Kinds that
    // no pair has are excluded.
    Ok(Factors(found.map(|[vdw, coulomb]| {
        let any = vdw.or(coulomb).unwrap_or(0.0);
        [vdw.unwrap_or(any), coulomb.unwrap_or(any)]
    })))
}

/// Atoms within three bonds of `from`, with the number of bonds on the shortest way.
fn within_three(neighbours: &[Vec<usize>], from: usize) -> BTreeMap<usize, usize> {
    let mut near = BTreeMap::from([(from, 0)]);
    let mut rim = vec![from];
    for distance in 1..=3 {
        let mut next = Vec::new();
        for &atom in &rim {
            for &j in &neighbours[atom] {
                near.entry(j).or_insert_with(|| {
                    next.push(j);
                    distance
                });
            }
        }
        rim = next;
    }
    near.remove(&from);
    near
}

/// Factors of the pair potential and of Coulomb between two atoms; none where any would do.
fn pair_factors(model: &Model, i: usize, j: usize, scaled: Option<usize>) -> [Option<f64>; 2] {
    let topology = model.topology();
    // A scaled pair that is not excluded acts beside the ordinary interaction.
    let ordinary = if topology.exclusions.contains(i, j) { 0.0 } else { 1.0 };
    let (vdw, coulomb) = match scaled {
        Some(k) => {
            let vdw = vdw_factor(model, k).unwrap_or(None);
            (vdw.map(|f| f + ordinary), topology.scaled_pairs.at(k).coulomb + ordinary)
        }
        None => (Some(ordinary), ordinary),
    };
    let entry = model.pair_table.get(topology.type_of[i] as usize, topology.type_of[j] as usize);
    let interacts = entry.form != "none" && !(entry.form == "lennard_jones" && entry.parameters.get(1) == Some(&0.0));
    let charged = topology.charges[i] * topology.charges[j] != 0.0;
    [vdw.filter(|_| interacts), charged.then_some(coulomb)]
}

/// The factor by which scaled pair `k` differs from its types' potential: none inside where that one is zero, an error
/// where it is another potential.
fn vdw_factor(model: &Model, k: usize) -> Result<Option<f64>, ()> {
    let topology = model.topology();
    let pair = topology.scaled_pairs.at(k);
    let [i, j] = pair.atoms.map(|a| topology.type_of[a as usize] as usize);
    let table = model.pair_table.get(i, j);
    let Some(own) = pair.pair_override.and_then(|o| topology.pair_overrides.get(o as usize)) else {
        return Ok(Some(pair.vdw));
    };
    let lj = |form: &str, p: &[f64]| match (form, p) {
        ("none", _) => Some((0.0, 0.0)),
        ("lennard_jones", &[sigma, epsilon]) => Some((sigma, epsilon)),
        _ => None,
    };
    match (lj(&own.form, &own.parameters), lj(&table.form, &table.parameters)) {
        (Some((_, e)), _) if e * pair.vdw == 0.0 => Ok(Some(0.0)),
        (Some((s, e)), Some((st, et))) if et != 0.0 && (s - st).abs() <= SAME * st => Ok(Some(pair.vdw * e / et)),
        _ if own.form == table.form && own.parameters == table.parameters => Ok(Some(pair.vdw)),
        _ => Err(()),
    }
}

fn comparable(model: &Model, k: usize) -> bool {
    let topology = model.topology();
    let pair = topology.scaled_pairs.at(k);
    let own = pair.charges.is_some_and(|q| q != pair.atoms.map(|a| topology.charges[a as usize]));
    !own && vdw_factor(model, k).is_ok()
}

//! Oxygen vacancies in any oxide: which O leave, which Ti take their charge, and what is left.
//!
//! A vacancy is a missing O whose charge went to named Ti by a named rule ([`crate::compensation`]); the sum of the
//! charges stays zero. A Ti with few neighbours is no vacancy: the two are counted apart. Slabs, walls of pores and periodic
//! oxides differ in nothing but how deep an atom lies (`depth.rs`).

use std::collections::BTreeMap;
use std::sync::Arc;

use amelo_core::quantity::Length;
use amelo_math::Vec3;
use amelo_math::philox::PhiloxRng;
use rand::seq::SliceRandom;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::BuildError;
use crate::compensation::{Cation, Compensation};
use crate::contacts::{Contacts, radius};
use crate::depth::Surface;
use crate::exact_sum::{exact_sum, settle};
use crate::lattice_plane::{BOND_LENGTH, PLANE};
use crate::oxide::Oxide;

/// Thickness of what counts as the surface of a slab or a pore, below its outermost nuclei (nm): one layer of anatase (101),
/// whose layers are 0.352 nm apart.
pub const LAYER: f64 = 0.35;

/// Noise of the choice of vacancies.
const VACANCY_NOISE: u32 = 12;

/// Oxygen vacancies. Write `fraction` or `count`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VacancyConfig {
    /// Part of the O atoms named by `where` that are removed, from 0 to 1, rounded to whole atoms.
    pub fraction: Option<f64>,
    /// Number of O atoms that are removed; 0 makes the certificate of a whole surface.
    pub count: Option<usize>,
    /// Which O atoms may go: "surface" (default), "subsurface", "bulk", or { depth = ["0 nm", "0.5 nm"] }.
    #[serde(default, rename = "where")]
    pub place: VacancyPlace,
    /// Which Ti take the charge: "two-nearest-ti" (default), "two-subsurface-ti" or "all-ti"; amelo explain says more.
    #[serde(default)]
    pub compensation: Compensation,
}

impl VacancyConfig {
    /// How many of `n` atoms, which are `what`, are to go. Errors, at `key`: more than there are, a fraction that is none or
    /// less than an atom, not one of the two numbers.
    pub fn number(&self, n: usize, what: &str, key: &str) -> Result<usize, BuildError> {
        let fail = |field: &str, message: String| Err(BuildError::config(format!("{key}{field}"), message));
        match (self.fraction, self.count) {
            (Some(fraction), None) if (0.0..=1.0).contains(&fraction) => {
                let count = (fraction * n as f64).round() as usize;
                if count == 0 && fraction > 0.0 {
                    return fail(
                        ".fraction",
                        format!(
                            "{fraction} of {n} {what} is less than one atom; ask for more, for none, or for a larger surface"
                        ),
                    );
                }
                Ok(count)
            }
            (Some(fraction), None) => fail(
                ".fraction",
                format!(
                    "a fraction of {fraction} is more than there is, or less than nothing: there are {n} {what}; write a number from 0 to 1"
                ),
            ),
            (None, Some(count)) if count <= n => Ok(count),
            (None, Some(count)) => {
                fail(".count", format!("{count} vacancies among {n} {what} cannot be; write a number from 0 to {n}"))
            }
            _ => fail("", "a vacancy needs its number; write one of `fraction` and `count`".into()),
        }
    }
}

/// Which O atoms may go, by their depth below the outermost nuclei: those of the nearer face of a slab, or those nearest to
/// the axis of a pore. The seed of the deck draws among them, in a slab in pairs at mirrored heights, in a pore in pairs at
/// opposite places about the axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VacancyPlace {
    /// Bridging O: two Ti within 0.25 nm, at most 0.35 nm deep.
    #[default]
    Surface,
    /// Any O between 0.35 and 0.70 nm deep.
    Subsurface,
    /// Any O.
    Bulk,
    /// Any O between two depths.
    Depth([Length; 2]),
}

/// An O atom that was removed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RemovedAtom {
    /// Element.
    pub element: String,
    /// Where it was (nm), in the frame of the system.
    pub position: [f64; 3],
    /// Depth below the outermost nuclei of the nearer face or of the wall (nm); absent where there is no surface.
    pub depth: Option<f64>,
    /// Ti atoms that were bonded to it (numbers in the system, from 0).
    pub bonded: Vec<usize>,
    /// Ti atoms that took its charge, and their distances (nm); empty where every Ti did.
    pub reduced: Vec<(usize, f64)>,
}

/// Atoms whose charge was changed alike.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChangedCharges {
    /// Element.
    pub element: String,
    /// Charge before (e).
    pub from: f64,
    /// Charge now (e).
    pub to: f64,
    /// The atoms (numbers in the system, from 0).
    pub atoms: Vec<usize>,
}

/// What became of the vacancies.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VacancyReport {
    /// Number of vacancies.
    pub count: usize,
    /// O atoms among which they were drawn.
    pub candidates: usize,
    /// Part of the candidates that left.
    pub fraction: f64,
    /// Which O could go.
    pub place: VacancyPlace,
    /// The rule that gave their charge to Ti.
    pub compensation: Compensation,
    /// Sum of all charges of the oxide (e).
    pub net_charge: f64,
    /// Ti atoms beside a vacancy by the number of O that they still have within 0.25 nm.
    pub titanium_beside_vacancies: BTreeMap<usize, usize>,
    /// All other Ti by the number of O within 0.25 nm: with few neighbours, but without a vacancy.
    pub titanium_elsewhere: BTreeMap<usize, usize>,
    /// The atoms that left.
    pub removed: Vec<RemovedAtom>,
    /// The charges that changed.
    pub changed_charges: Vec<ChangedCharges>,
}

impl VacancyReport {
    /// Moves every stated position by `shift` (nm).
    pub fn shift(&mut self, shift: Vec3) {
        for atom in &mut self.removed {
            atom.position = (Vec3::from(atom.position) + shift).to_array();
        }
    }
}

/// Removes O atoms from `oxide` and changes charges as `config` says; the same seed gives the same vacancies. `key`: deck
/// path of the vacancies.
///
/// # Errors
/// [`BuildError::Config`] where more are asked for than there are, or the rule finds no Ti.
pub fn create(oxide: &mut Oxide, config: &VacancyConfig, seed: u64, key: &str) -> Result<(), BuildError> {
    let sites = Sites::new(oxide, key)?;
    let chosen = sites.choose(config, seed, key)?;
    let mut charges: Vec<f64> = oxide.template.atoms.iter().map(|a| a.charge).collect();
    let before = charges.clone();
    let mut reduced = vec![false; charges.len()];
    let mut removed = Vec::new();
    // What the change adds to the dipole (e nm).
    let mut moment = Vec3::ZERO;
    for &oxygen in &chosen {
        let cations = sites.cations(oxygen, &reduced);
        let takers = config.compensation.takers(&cations);
        if takers.is_empty() {
            return Err(BuildError::config(
                format!("{key}.compensation"),
                format!(
                    "\"{}\" finds no Ti left for vacancy {} of {}; ask for fewer vacancies, or write \"all-ti\"",
                    config.compensation.info().name,
                    removed.len() + 1,
                    chosen.len()
                ),
            ));
        }
        let share = charges[oxygen] / takers.len() as f64;
        for &atom in &takers {
            charges[atom] += share;
            reduced[atom] = true;
        }
        let is_all = takers.len() == cations.len();
        moment += takers.iter().map(|&atom| sites.step(oxygen, atom, is_all) * share).sum::<Vec3>();
        let distances = cations.iter().filter(|c| !is_all && takers.contains(&c.atom)).map(|c| (c.atom, c.distance));
        removed.push(RemovedAtom {
            element: oxide.elements[oxygen].into(),
            position: sites.positions[oxygen].to_array(),
            depth: sites.depth(oxygen),
            bonded: cations.iter().filter(|c| c.distance < BOND_LENGTH).map(|c| c.atom).collect(),
            reduced: distances.collect(),
        });
    }
    let mut gone = vec![false; charges.len()];
    chosen.iter().for_each(|&k| gone[k] = true);
    let kept: Vec<usize> = (0..charges.len()).filter(|&k| !gone[k]).collect();
    settle(&mut charges, exact_sum(before.iter().copied()), &kept, &reduced);
    let lost: Vec<usize> = removed.iter().flat_map(|r| r.bonded.clone()).collect();
    let [titanium_beside_vacancies, titanium_elsewhere] = sites.coordination(&gone, &lost);
    // From here on atoms have their numbers in what is left.
    let mut number = vec![usize::MAX; charges.len()];
    kept.iter().enumerate().for_each(|(new, &old)| number[old] = new);
    for atom in &mut removed {
        atom.bonded.iter_mut().for_each(|k| *k = number[*k]);
        atom.reduced.iter_mut().for_each(|(k, _)| *k = number[*k]);
    }
    let report = VacancyReport {
        count: chosen.len(),
        candidates: sites.candidates(config.place).len(),
        fraction: chosen.len() as f64 / sites.candidates(config.place).len() as f64,
        place: config.place,
        compensation: config.compensation,
        net_charge: exact_sum(kept.iter().map(|&k| charges[k])),
        titanium_beside_vacancies,
        titanium_elsewhere,
        removed,
        changed_charges: changes(oxide, &kept, &before, &charges),
    };
    oxide.keep(&kept, &charges);
    let names: Vec<usize> = kept.iter().enumerate().filter(|(_, old)| reduced[**old]).map(|(new, _)| new).collect();
    Arc::make_mut(&mut oxide.template).groups.insert("reduced Ti".into(), names);
    oxide.report.vacancies = Some(report);
    oxide.look_at_reduced_wall(moment)
}

/// An oxide's atoms as vacancies see them.
struct Sites {
    contacts: Contacts,
    positions: Vec<Vec3>,
    oxygen: Vec<usize>,
    titanium: Vec<usize>,
    surface: Option<Surface>,
}

impl Sites {
    fn new(oxide: &Oxide, key: &str) -> Result<Self, BuildError> {
        // Vacuum of one nm keeps the faces apart.
        let cell = oxide.cell(oxide.extent + 1.0)?;
        if cell.half_width() < BOND_LENGTH {
            return Err(BuildError::config(
                key,
                format!(
                    "the oxide is {:.3} nm across, so an atom could be bonded to two images of another; vacancies need at \
                     least {} nm",
                    2.0 * cell.half_width(),
                    2.0 * BOND_LENGTH
                ),
            ));
        }
        let mut contacts = Contacts::new(cell, None, 1.0);
        for (r, element) in oxide.positions.iter().zip(&oxide.elements) {
            contacts.push(*r, radius(element));
        }
        let of = |wanted: &str| (0..oxide.elements.len()).filter(|&k| oxide.elements[k] == wanted).collect();
        Ok(Sites {
            contacts,
            oxygen: of("O"),
            titanium: of("Ti"),
            surface: Surface::of(oxide),
            positions: oxide.positions.clone(),
        })
    }

    /// Depth of an atom below the surface (nm), where there is one.
    fn depth(&self, atom: usize) -> Option<f64> {
        self.surface.map(|s| s.depth(self.positions[atom]))
    }

    /// How far a charge goes from the O atom `oxygen` to a Ti (nm): to its nearest image, or, where it is spread over all,
    /// within the cell around the middle of the oxide.
    fn step(&self, oxygen: usize, titanium: usize, is_all: bool) -> Vec3 {
        let [from, to] = [oxygen, titanium].map(|k| self.positions[k]);
        match self.surface {
            Some(surface) if is_all => surface.offset(to) - surface.offset(from),
            _ => self.contacts.cell().minimum_image(to - from),
        }
    }

    /// Ti atoms bonded to the O atom `oxygen`.
    fn bonds(&self, oxygen: usize) -> usize {
        let is_ti = |k: usize| self.titanium.binary_search(&k).is_ok();
        self.contacts.count_within(self.positions[oxygen], BOND_LENGTH, is_ti)
    }

    /// O atoms that may go.
    fn candidates(&self, place: VacancyPlace) -> Vec<usize> {
        let between = |low: f64, high: f64| {
            let inside = move |k: &usize| self.depth(*k).is_some_and(|d| (low..=high).contains(&d));
            self.oxygen.iter().copied().filter(inside)
        };
        match place {
            VacancyPlace::Surface => between(0.0, LAYER).filter(|&k| self.bonds(k) == 2).collect(),
            VacancyPlace::Subsurface => between(LAYER, 2.0 * LAYER).collect(),
            VacancyPlace::Bulk => self.oxygen.clone(),
            VacancyPlace::Depth([low, high]) => between(low.0, high.0).collect(),
        }
    }

    fn choose(&self, config: &VacancyConfig, seed: u64, key: &str) -> Result<Vec<usize>, BuildError> {
        let candidates = self.candidates(config.place);
        let (of, end) = match self.surface {
            None => ("this periodic oxide, which has no surface,", "a surface"),
            Some(Surface::Faces(_)) => ("this slab", "a face"),
            Some(Surface::Wall { .. }) => ("the oxide around this pore", "its wall"),
        };
        let what = match config.place {
            VacancyPlace::Surface => "bridging O at the surface (two Ti within 0.25 nm)".to_string(),
            VacancyPlace::Subsurface => format!("O between {LAYER} and {} nm below {end}", 2.0 * LAYER),
            VacancyPlace::Bulk => "O".to_string(),
            VacancyPlace::Depth([low, high]) => format!("O between {low} and {high} below {end}"),
        };
        let n = candidates.len();
        let fail = |field: &str, message: String| Err(BuildError::config(format!("{key}{field}"), message));
        if n == 0 {
            return fail(".where", format!("{of} has no {what}; write where = \"bulk\" for any O"));
        }
        let count = config.number(n, &what, key)?;
        // In pairs at opposite places, so that a symmetric slab or pore keeps its dipole of zero.
        let mut rest = candidates;
        rest.shuffle(&mut PhiloxRng::new(seed, VACANCY_NOISE));
        let mut chosen = Vec::with_capacity(count);
        while let Some(first) = rest.pop().filter(|_| chosen.len() < count) {
            chosen.push(first);
            if let Some(surface) = self.surface.filter(|_| chosen.len() < count) {
                let place = |k: usize| surface.offset(self.positions[k]);
                let off = |k: usize| ((place(k) + place(first)).norm() / PLANE).round();
                let nearest = (0..rest.len()).min_by(|&p, &q| off(rest[p]).total_cmp(&off(rest[q])));
                chosen.extend(nearest.map(|k| rest.remove(k)));
            }
        }
        Ok(chosen)
    }

    /// Every Ti as seen from the O atom `oxygen`, nearest first.
    fn cations(&self, oxygen: usize, reduced: &[bool]) -> Vec<Cation> {
        let cell = self.contacts.cell();
        let cation = |&atom: &usize| Cation {
            atom,
            distance: cell.minimum_image(self.positions[atom] - self.positions[oxygen]).norm(),
            depth: self.depth(atom),
            reduced: reduced[atom],
        };
        let mut cations: Vec<Cation> = self.titanium.iter().map(cation).collect();
        // Equal up to rounding means equal: then the one nearer to the surface wins, which is the same at opposite places, and
        // then the lower number, on every machine.
        let whole = |length: f64| (length / PLANE).round() as u64;
        cations.sort_by_key(|c| (whole(c.distance), whole(c.depth.unwrap_or(0.0)), c.atom));
        cations
    }

    /// Ti by coordination without the `gone`: those that `lost` a neighbour, and the others.
    fn coordination(&self, gone: &[bool], lost: &[usize]) -> [BTreeMap<usize, usize>; 2] {
        let is_left = |k: usize| !gone[k] && self.oxygen.binary_search(&k).is_ok();
        let mut histograms = [BTreeMap::new(), BTreeMap::new()];
        for &k in &self.titanium {
            let n = self.contacts.count_within(self.positions[k], BOND_LENGTH, is_left);
            *histograms[usize::from(!lost.contains(&k))].entry(n).or_insert(0) += 1;
        }
        histograms
    }
}

/// The changed charges, alike ones together; `kept` in the order of the new numbers.
fn changes(oxide: &Oxide, kept: &[usize], before: &[f64], after: &[f64]) -> Vec<ChangedCharges> {
    let mut list: Vec<ChangedCharges> = Vec::new();
    for (new, &old) in kept.iter().enumerate().filter(|(_, old)| before[**old] != after[**old]) {
        // What settle() takes off one atom makes no class of its own.
        let like = |c: &&mut ChangedCharges| (c.to - after[old]).abs() < 1e-9 && (c.from - before[old]).abs() < 1e-9;
        match list.iter_mut().find(like) {
            Some(like) => like.atoms.push(new),
            None => list.push(ChangedCharges {
                element: oxide.elements[old].into(),
                from: before[old],
                to: after[old],
                atoms: vec![new],
            }),
        }
    }
    list
}

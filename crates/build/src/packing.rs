//! Filling the open space with molecules: small ones first, by random insertion; then the chains, longest first,
//! by growth.
//!
//! Atoms touch at [`FIRST_SCALE`] times the sum of their van der Waals radii; where that finds no way, the scale goes
//! down in steps to [`LAST_SCALE`]. Both are well below 1, since a soft push-off and a minimisation follow: at the
//! last one two carbons come as close as 0.187 nm, carbon and oxygen 0.177 nm, two oxygens 0.167 nm.

use std::cmp::Reverse;
use std::sync::Arc;

use amelo_io::parameters::MoleculeTemplate;
use amelo_math::Vec3;
use amelo_math::philox::PhiloxRng;
use serde::Serialize;

use crate::BuildError;
use crate::contacts::{Contacts, Zone};
use crate::polymer::Growth;

/// Contact distance over the sum of the radii at which packing begins.
pub const FIRST_SCALE: f64 = 0.80;

/// Contact distance over the sum of the radii below which packing gives up.
pub const LAST_SCALE: f64 = 0.55;

const SCALE_STEP: f64 = 0.05;

/// Fresh starts of one molecule before the scale goes down.
const STARTS_PER_SCALE: usize = 12;

/// Molecules up to this many atoms are inserted before any chain is grown.
const SMALL: usize = 32;

/// Noise of chains and of small molecules.
const GROWTH_NOISE: u32 = 10;
const PACKING_NOISE: u32 = 11;

/// How the packing went.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PackingReport {
    /// Contact distance over the sum of the van der Waals radii that every placed atom keeps.
    pub contact_scale: f64,
    /// Molecules that needed more than one start.
    pub restarted: usize,
    /// Shortest distance between two atoms more than three bonds apart, one of them placed here (nm).
    pub shortest_distance: Option<f64>,
    /// The same without hydrogen (nm).
    pub shortest_heavy_distance: Option<f64>,
}

/// One molecule to place: its growth plan, which atoms are hydrogen, and the deck entry that asks for it.
#[derive(Clone, Debug)]
pub struct Guest {
    /// How to build it.
    pub growth: Arc<Growth>,
    /// \[n_atoms\] whether each atom is hydrogen.
    pub is_hydrogen: Arc<[bool]>,
    /// Deck path of the entry.
    pub key: String,
}

impl Guest {
    fn template(&self) -> &MoleculeTemplate {
        self.growth.template()
    }

    /// \[n_atoms\] van der Waals radii (nm).
    pub fn radii(&self) -> &[f64] {
        self.growth.radii()
    }

    /// \[n_atoms\] unwrapped positions (nm) of the molecule grown where nothing else is.
    pub fn alone(&self, rng: &mut PhiloxRng) -> Vec<Vec3> {
        self.growth.alone(rng)
    }
}

/// Places every guest in `contacts`, whose atoms so far are the host's. Unwrapped positions (nm) by guest, in the
/// guests' order.
pub fn pack(
    guests: &[Guest],
    contacts: &mut Contacts,
    seed: u64,
) -> Result<(Vec<Vec<Vec3>>, PackingReport), BuildError> {
    let n_host = contacts.len();
    let mut order: Vec<usize> = (0..guests.len()).collect();
    order.sort_by_key(|&k| {
        let n = guests[k].template().atoms.len();
        (n > SMALL, Reverse(n))
    });
    let mut rngs = [PhiloxRng::new(seed, PACKING_NOISE), PhiloxRng::new(seed, GROWTH_NOISE)];
    let mut placed = vec![Vec::new(); guests.len()];
    let mut first_atom = vec![0; guests.len()];
    let mut report = PackingReport::default();
    for (done, &k) in order.iter().enumerate() {
        let guest = &guests[k];
        let rng = &mut rngs[usize::from(guest.template().atoms.len() > SMALL)];
        first_atom[k] = contacts.len();
        let mut starts = 0;
        placed[k] = loop {
            if let Some(positions) = guest.growth.grow(contacts, rng) {
                break positions;
            }
            starts += 1;
            if starts % STARTS_PER_SCALE == 0 {
                // In whole hundredths, so that reports read 0.65 and not 0.6499999999999999.
                let lower = (100.0 * (contacts.scale() - SCALE_STEP)).round() / 100.0;
                if lower < LAST_SCALE {
                    return Err(no_room(guests, &order, done, contacts.zone()));
                }
                contacts.lower_scale(lower);
                tracing::debug!(scale = contacts.scale(), molecule = done, "packing goes on with closer contacts");
            }
        };
        report.restarted += usize::from(starts > 0);
    }
    report.contact_scale = contacts.scale();
    let [all, heavy] = shortest(guests, &first_atom, n_host, contacts);
    report.shortest_distance = all.is_finite().then_some(all);
    report.shortest_heavy_distance = heavy.is_finite().then_some(heavy);
    Ok((placed, report))
}

fn no_room(guests: &[Guest], order: &[usize], done: usize, zone: Option<Zone>) -> BuildError {
    let guest = &guests[order[done]];
    let same = |k: &&usize| guests[**k].key == guest.key && guests[**k].template().name == guest.template().name;
    let nth = order[..done].iter().filter(same).count() + 1;
    let of = order.iter().filter(same).count();
    let remedy = match zone {
        Some(Zone::Cylinder { .. }) => {
            "ask for a smaller `packing_density`, fewer or shorter molecules, or a wider or longer pore"
        }
        _ => {
            "lower `packing_density` (pressure coupling will compress the box), enlarge the box, or ask for fewer or shorter \
             molecules"
        }
    };
    BuildError::Packing {
        key: guest.key.clone(),
        message: format!(
            "no room for {} number {nth} of {of} ({} atoms) after {done} of {} molecules, even with contacts at {LAST_SCALE} \
             of the van der Waals distance; {remedy}",
            guest.template().name,
            guest.template().atoms.len(),
            order.len()
        ),
    }
}

/// Shortest distance from a guest's atom to any atom more than three bonds away: of all, and without hydrogen.
/// Only distances below 0.25 nm or so are seen.
fn shortest(guests: &[Guest], first_atom: &[usize], n_host: usize, contacts: &Contacts) -> [f64; 2] {
    let mut hydrogen = vec![false; contacts.len()];
    for (guest, &first) in guests.iter().zip(first_atom) {
        hydrogen[first..first + guest.is_hydrogen.len()].copy_from_slice(&guest.is_hydrogen);
    }
    debug_assert!(hydrogen[..n_host].iter().all(|h| !h));
    let mut result = [f64::INFINITY; 2];
    for (guest, &first) in guests.iter().zip(first_atom) {
        let n = guest.is_hydrogen.len();
        for atom in 0..n {
            let r = contacts.position(first + atom);
            let counts = |other: usize| {
                let inside = (first..first + n).contains(&other);
                !inside || (other != first + atom && !guest.growth.is_close_by_bonds(other - first, atom))
            };
            result[0] = result[0].min(contacts.nearest(r, counts));
            if !guest.is_hydrogen[atom] {
                result[1] = result[1].min(contacts.nearest(r, |other| !hydrogen[other] && counts(other)));
            }
        }
    }
    result
}

//! Molecules for a pore: how many the density asks for, and the space that they go into.

use amelo_core::units::GRAM_PER_CM3;
use amelo_io::parameters::ForceFieldData;

use super::PoreReport;
use crate::BuildError;
use crate::contacts::Zone;
use crate::molecules::{Batch, MoleculeConfig, least_units, mass, resolve_molecules};
use crate::oxide::Oxide;
use crate::system::{Geometry, MOLECULES, Space, SystemConfig, check_density};

/// Most copies of one molecule that a density may ask for.
const MOST: usize = 1 << 20;

/// The molecules of `config` for a pore with the open `volume` (nm³). Where `packing_density` stands, the one entry without
/// `count` or `eo_to_li` gets the count that comes closest to it.
pub(crate) fn molecules(config: &SystemConfig, volume: f64, data: &ForceFieldData) -> Result<Vec<Batch>, BuildError> {
    let Some(density) = config.packing_density else { return resolve_molecules(&config.molecule, MOLECULES, data) };
    check_density(density.0 / GRAM_PER_CM3, "system.packing_density")?;
    let open = |m: &&MoleculeConfig| m.count.is_none() && m.eo_to_li.is_none();
    let Some(k) = config.molecule.iter().position(|m| open(&m)) else {
        return Err(BuildError::config(
            "system.packing_density",
            "every molecule of the pore has its count, which fixes the density; leave `count` out where it shall follow from \
             the density, or leave `packing_density` out",
        ));
    };
    let with = |n: usize| {
        let mut entries = config.molecule.clone();
        entries[k].count = Some(n);
        let batches = resolve_molecules(&entries, MOLECULES, data)?;
        let total = total_mass(&batches, data)?;
        Ok::<_, BuildError>((batches, total / volume))
    };
    let fewest = fewest(&config.molecule, k, data);
    // Mass grows with the number: doubled until it is too much, then halved in between.
    let (mut low, mut high) = (fewest - 1, fewest);
    while with(high)?.1 < density.0 {
        (low, high) = (high, 2 * high);
        if high > MOST {
            return Err(BuildError::config("system.packing_density", "the density cannot be reached; write `count`"));
        }
    }
    while high - low > 1 {
        let middle = (low + high) / 2;
        if with(middle)?.1 < density.0 { low = middle } else { high = middle }
    }
    let (fuller, above) = with(high)?;
    if low < fewest {
        // The fewest may overshoot a little, as one more would; beyond that they do not belong here.
        if above > 1.5 * density.0 {
            return Err(too_much(&config.molecule, k, fewest, above / density.0, volume));
        }
        return Ok(fuller);
    }
    let (emptier, below) = with(low)?;
    Ok(if density.0 - below < above - density.0 { emptier } else { fuller })
}

/// The fewest copies of entry `k` with which there is one formula unit of every salt that counts repeat units.
fn fewest(entries: &[MoleculeConfig], k: usize, data: &ForceFieldData) -> usize {
    let units = |m: &MoleculeConfig| match data.polymers.contains_key(&m.name) {
        true => m.monomers.unwrap_or(0),
        false => 0,
    };
    let others: usize = entries.iter().map(|m| units(m) * m.count.unwrap_or(0)).sum();
    let ratios = entries.iter().filter_map(|m| m.eo_to_li).filter(|ratio| ratio.is_finite());
    let missing = ratios.map(least_units).max().unwrap_or(0).saturating_sub(others);
    // What no number of copies brings is refused as with counts.
    missing.div_ceil(units(&entries[k]).max(1)).clamp(1, MOST)
}

/// The `fewest` copies of entry `k` have `times` the mass that belongs here.
fn too_much(entries: &[MoleculeConfig], k: usize, fewest: usize, times: f64, volume: f64) -> BuildError {
    let entry = &entries[k];
    let too_much = format!("{times:.1} times the mass that {volume:.2} nm^3 hold at the density asked for");
    if fewest > 1
        && let Some((j, salt)) = entries.iter().enumerate().find(|(_, m)| m.eo_to_li.is_some())
    {
        return BuildError::config(
            format!("system.molecule[{j}].eo_to_li"),
            format!(
                "the pore is too small for one {} in so many repeat units: {fewest} {}, the fewest that make one, with their \
                 share of the rest have {too_much}; ask for fewer units per Li, or make the pore wider or longer",
                salt.name, entry.name
            ),
        );
    }
    let (key, remedy) = match entry.monomers {
        Some(monomers) => {
            let fits = (monomers as f64 / times).floor().max(1.0);
            (format!("system.molecule[{k}].monomers"), format!("write at most {fits} monomers, or make"))
        }
        None => (format!("system.molecule[{k}].name"), "make".into()),
    };
    BuildError::config(
        key,
        format!(
            "the chain is too long for the pore: one {} with its share of the rest has {too_much}; {remedy} the pore wider or \
             longer",
            entry.name
        ),
    )
}

/// Mass of all molecules (u).
pub(super) fn total_mass(batches: &[Batch], data: &ForceFieldData) -> Result<f64, BuildError> {
    batches.iter().map(|b| Ok(mass(&b.template, data)? * b.count as f64)).sum()
}

impl Space {
    /// The space in a pore, for molecules of `mass` (u) in all.
    pub(crate) fn pore(config: &SystemConfig, oxide: &Oxide, pore: &PoreReport, mass: f64) -> Result<Self, BuildError> {
        let misplaced = [
            (config.edges.is_some(), "system.box"),
            (config.gap.is_some(), "system.gap"),
            (config.geometry != Geometry::Sandwich, "system.geometry"),
        ];
        if let Some((_, key)) = misplaced.into_iter().find(|(there, _)| *there) {
            return Err(BuildError::config(
                key,
                "the space for molecules is the pore, whose size follows from its `diameter` and `thickness`; leave this key out",
            ));
        }
        let open_volume = pore.open_volume();
        if mass > 0.0 {
            check_density(mass / open_volume / GRAM_PER_CM3, "system.molecule")?;
        }
        let zone = Zone::Cylinder { axis: pore.axis, radius: 0.5 * pore.diameter };
        Ok(Space { cell: oxide.cell(0.0)?, floor: 0.0, zone: Some(zone), open_volume })
    }
}

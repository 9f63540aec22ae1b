//! Molecules for a pore: how many the density asks for, and the space that they go into.

use amelo_core::units::GRAM_PER_CM3;
use amelo_io::parameters::ForceFieldData;

use super::PoreReport;
use crate::BuildError;
use crate::contacts::Zone;
use crate::molecules::{Batch, MoleculeConfig, mass, resolve_molecules};
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
    // Mass grows with the number: doubled until it is too much, then halved in between.
    let (mut low, mut high) = (0, 1);
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
    if low == 0 {
        // One alone may overshoot a little, as two would fall short; beyond that it does not belong here.
        if above > 1.5 * density.0 {
            return Err(too_long(&config.molecule[k], k, above / density.0, volume));
        }
        return Ok(fuller);
    }
    let (emptier, below) = with(low)?;
    Ok(if density.0 - below < above - density.0 { emptier } else { fuller })
}

fn too_long(entry: &MoleculeConfig, k: usize, times: f64, volume: f64) -> BuildError {
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
            "the chain is too long for the pore: one {} with its share of the rest has {times:.1} times the mass that {volume:.2} \
             nm^3 hold at the density asked for; {remedy} the pore wider or longer",
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

//! A block of whole cells of a crystal with a pore along z.

use amelo_io::parameters::ForceFieldData;

use super::PoreConfig;
use super::carve::Block;
use crate::BuildError;
use crate::crystal::Crystal;
use crate::oxide::{CrystalConfig, Oxide, block};
use crate::surface::BOND_LENGTH;

/// The block of whole cells nearest to `lateral` (nm) and `thickness` (nm), with a pore.
pub(crate) fn block_with_pore(
    crystal: Crystal,
    config: &CrystalConfig,
    pore: &PoreConfig,
    thickness: f64,
    lateral: Option<[f64; 2]>,
    key: &str,
    data: &ForceFieldData,
) -> Result<Oxide, BuildError> {
    let misplaced = [
        (config.surface.is_some(), "surface"),
        (config.cut.is_some(), "cut"),
        (config.supercell.is_some(), "supercell"),
    ];
    if let Some((_, name)) = misplaced.into_iter().find(|(there, _)| *there) {
        let message = format!(
            "`{name}` does not go with a pore, which has `lateral`, `thickness` and `pore` alone; leave it out"
        );
        return Err(BuildError::config(format!("{key}.{name}"), message));
    }
    let lateral = lateral.ok_or_else(|| {
        BuildError::config(
            "system.lateral",
            "a pore needs the edges of its block along x and y, for example [\"6.4 nm\", \"6.4 nm\"]",
        )
    })?;
    let edges = [0, 1, 2].map(|k| crystal.vectors.rows[k].norm());
    let asked = [lateral[0], lateral[1], thickness];
    let keys = ["system.lateral[0]".to_string(), "system.lateral[1]".into(), format!("{key}.thickness")];
    for ((asked, edge), key) in asked.iter().zip(edges).zip(keys) {
        if asked.is_nan() || *asked < 0.5 * edge {
            return Err(BuildError::config(
                key,
                format!("{asked} nm is less than half a cell of {}, {edge:.3} nm; write at least that", crystal.name),
            ));
        }
    }
    let cells = [0, 1, 2].map(|k| (asked[k] / edges[k]).round().max(1.0) as usize);
    let mut oxide = block(crystal, cells, None, key, data)?.carve_pore(pore, [edges[0], edges[1]], key, data)?;
    oxide.report.lateral_asked = Some(lateral);
    oxide.report.thickness_asked = Some(thickness);
    Ok(oxide)
}

impl Oxide {
    /// Carves `pore` out of this periodic crystal, whose cell has the lateral edges `period` (nm).
    fn carve_pore(
        self,
        pore: &PoreConfig,
        period: [f64; 2],
        key: &str,
        data: &ForceFieldData,
    ) -> Result<Oxide, BuildError> {
        let lateral = [self.lateral[0].x, self.lateral[1].y];
        pore.check(lateral, &format!("{key}.pore"))?;
        let cell = self.cell(0.0)?;
        if !cell.is_orthorhombic() || cell.half_width() < BOND_LENGTH {
            return Err(BuildError::config(
                format!("{key}.pore"),
                "a pore needs a crystal with right angles and more than 0.5 nm of it along each edge; take anatase, rutile \
                 or another tetragonal or orthorhombic crystal, and a larger `thickness`",
            ));
        }
        let charges: Vec<f64> = self.template.atoms.iter().map(|a| a.charge).collect();
        let block = Block { cell: &cell, positions: &self.positions, elements: &self.elements, charges: &charges };
        let carved = pore.carve(block, period).ok_or_else(|| {
            BuildError::config(format!("{key}.pore"), "there is nothing to carve a pore into; make `lateral` larger")
        })?;
        let elements: Vec<&'static str> = carved.kept.iter().map(|&k| self.elements[k]).collect();
        let report = pore.report(&cell, &carved, &elements);
        let mut oxide = Oxide::of_pore(&cell, elements, carved.positions, report, data)?;
        let carved = std::mem::replace(&mut oxide.report, self.report);
        oxide.report.pore = carved.pore;
        oxide.report.warnings.extend(carved.warnings);
        oxide.count();
        Ok(oxide)
    }
}

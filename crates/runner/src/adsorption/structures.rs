//! Structures of a survey: all minima in one extended XYZ file for DFT, and the lowest ones as systems of amelo.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use amelo_core::units::EV;
use amelo_core::{Cell, State, System};
use amelo_io::formats::extxyz;
use amelo_io::{IoError, Snapshot};

use super::account::AdsorptionReport;
use super::relaxing::Relaxed;
use super::survey::{Found, Survey, file_name};
use super::{FOLDER, STRUCTURES};
use crate::checkpointing::meta;
use crate::engine::Model;
use crate::error::RunnerError;

/// Writes both into a run's directory.
pub(super) fn write(
    directory: &Path,
    survey: &Survey,
    found: &Found,
    report: &AdsorptionReport,
) -> Result<(), RunnerError> {
    let path = directory.join(STRUCTURES);
    let cell = survey.system.cell;
    amelo_io::stream_atomic(&path, |out| {
        let mut put = |model: &Model, relaxed: &Relaxed, labels: &[(&str, String)]| {
            append(&path, out, model, &cell, relaxed, labels)
        };
        let n_fixed = report.n_fixed.to_string();
        put(&found.host_model, &found.host, &[("kind", "host".into()), ("n_fixed", n_fixed.clone())])?;
        for (f, a) in found.adsorbates.iter().zip(&report.adsorbates) {
            let head = [("name", file_name(&a.name)), ("charge", format!("{:.6}", a.charge))];
            let alone = [&head[..], &[("kind", "alone".to_string())]].concat();
            put(&f.alone_model, &f.alone, &alone)?;
            for (rank, minimum) in f.minima.iter().enumerate() {
                let Some(relaxed) = f.structure(minimum) else { continue };
                let mine = [
                    ("kind", "adsorbed".to_string()),
                    ("rank", rank.to_string()),
                    ("starts", minimum.n_starts.to_string()),
                    ("n_host", report.n_host.to_string()),
                    ("n_fixed", n_fixed.clone()),
                    ("adsorption_energy", format!("{:?}", minimum.energy / EV)),
                ];
                put(&f.model, relaxed, &[&head[..], &mine].concat())?;
            }
        }
        Ok(())
    })?;
    let folder = directory.join(FOLDER);
    let keep = |name: &str, model: &Model, relaxed: &Relaxed| {
        let snapshot = Snapshot {
            system: System::new(model.topology.clone(), cell, relaxed.positions()),
            pair_table: model.pair_table.clone(),
            nonbonded: model.nonbonded,
            state: State::default(),
            meta: BTreeMap::from([(meta::PROGRAM.to_string(), format!("amelo {}", crate::provenance::VERSION))]),
        };
        snapshot.write_alone(&folder.join(name))
    };
    keep("host.h5", &found.host_model, &found.host)?;
    for (f, a) in found.adsorbates.iter().zip(&report.adsorbates) {
        let name = file_name(&a.name);
        keep(&format!("{name}-alone.h5"), &f.alone_model, &f.alone)?;
        if let Some(relaxed) = f.minima.first().and_then(|m| f.structure(m)) {
            keep(&format!("{name}.h5"), &f.model, relaxed)?;
        }
    }
    Ok(())
}

fn append(
    path: &Path,
    out: &mut dyn Write,
    model: &Model,
    cell: &Cell,
    relaxed: &Relaxed,
    labels: &[(&str, String)],
) -> Result<(), IoError> {
    let system = System::new(model.topology.clone(), *cell, relaxed.positions());
    let frame = amelo_core::Frame { velocities: None, ..system.frame() };
    extxyz::append_labelled(path, out, &frame, Some(relaxed.energy), labels)
}

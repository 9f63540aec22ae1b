//! The host, each molecule alone, each molecule on the host, and which minima that gives.

use std::collections::BTreeSet;
use std::sync::Arc;

use amelo_build::{Host, distinct};
use amelo_core::{Cell, Nonbonded, System};
use amelo_math::Vec3;

use super::relaxing::{Outcome, Relaxed, Task, Workshop};
use super::search::{Searched, prints};
use super::wider::{InWiderCell, Lowest, WiderHost};
use super::{AdsorptionConfig, HostReference, KEY, Parts, VACUUM_CELL};
use crate::engine::Model;
use crate::error::RunnerError;
use crate::preparation::build_error;
use crate::source::Source;

/// What is to be found out, and with what.
pub(super) struct Survey<'a> {
    pub config: &'a AdsorptionConfig,
    pub parts: &'a Parts,
    /// The host where the stages left it.
    pub system: &'a System,
    /// Settings of every energy in the host's cell.
    pub nonbonded: Nonbonded,
    /// Whether the host is a slab of oxide.
    pub oxide: bool,
    pub seed: u64,
    pub workshop: &'a Workshop<'a>,
}

/// Everything that was minimised.
pub(super) struct Found {
    pub host_model: Arc<Model>,
    pub host: Relaxed,
    /// \[n_host\] atoms that did not move.
    pub fixed: Arc<[bool]>,
    /// Height of the vacuum above a slab (nm).
    pub vacuum: Option<f64>,
    pub adsorbates: Vec<FoundAdsorbate>,
}

/// What was minimised of one adsorbate.
pub(super) struct FoundAdsorbate {
    pub alone_model: Arc<Model>,
    /// The lowest of the molecule alone in the host's cell, and its start.
    pub alone: Relaxed,
    pub alone_start: usize,
    pub model: Arc<Model>,
    /// Molecule on host.
    pub on_host: Searched,
    /// The distinct minima, the lowest adsorption energy first.
    pub minima: Vec<Minimum>,
    /// The lowest energy in vacuum without images (kJ/mol); of salts and their ions.
    pub vacuum: Option<f64>,
    /// The lowest minimum in each of the wider cells that the deck asks for.
    pub wider: Vec<InWiderCell>,
}

/// One distinct minimum.
pub(super) struct Minimum {
    /// Adsorption energy (kJ/mol).
    pub energy: f64,
    /// The refined starts that ended there, the lowest first.
    pub members: Vec<usize>,
    /// Number of all starts that led there, as far as their rough structures tell.
    pub n_starts: usize,
    /// Energy (kJ/mol), against the clean host's, of the host minimised after the molecule was taken out, where it was.
    pub left: Option<f64>,
}

impl FoundAdsorbate {
    /// The structure of a minimum.
    pub fn structure(&self, minimum: &Minimum) -> Option<&Relaxed> {
        self.on_host.refined.get(&minimum.members[0])
    }

    fn lowest(&self) -> Option<Lowest<'_>> {
        let lowest = self.minima.first()?;
        let on_host = (lowest.members[0], self.structure(lowest)?);
        Some(Lowest { on_host, alone: (self.alone_start, &self.alone) })
    }
}

impl Survey<'_> {
    pub fn run(&self, source: &Source) -> Result<Found, RunnerError> {
        let host_model = Arc::new(Model { nonbonded: self.nonbonded, ..self.parts.model(1, None)? });
        let topology = &host_model.topology;
        let cell = self.system.cell;
        let elements = |model: &Arc<Model>| {
            let topology = model.topology.clone();
            (0..topology.n_atoms()).map(move |k| topology.element(k).to_string()).collect::<Vec<_>>()
        };
        let names = elements(&host_model);
        let shape = |positions: &[Vec3]| Host::new(cell, positions, names.iter().map(String::as_str), self.oxide);
        let built = shape(&self.system.positions);
        let reach = built.heights().fold(0.0, f64::max) * self.config.fixed_share(self.oxide);
        let fixed: Arc<[bool]> = match self.oxide && self.config.fixed_share(true) > 0.0 {
            true => built.heights().map(|z| z <= reach).collect(),
            false => vec![false; topology.n_atoms()].into(),
        };
        let relax_host = |label: String, start: Vec<Vec3>| Task {
            label,
            model: host_model.clone(),
            cell,
            fixed: fixed.clone(),
            start,
            approach: None,
        };
        let host = self.one("host", relax_host("host".into(), self.system.positions.clone()))?;
        let relaxed = shape(&host.positions());
        let vacuum = relaxed.vacuum();
        let mut adsorbates = Vec::new();
        for k in 0..self.parts.adsorbates.len() {
            let found = self.adsorbate(k, &host, &relaxed, &fixed, &relax_host, source)?;
            adsorbates.push(found);
        }
        // The numbers of the cell itself do not suffer from a wider one that fails.
        let told = |error: RunnerError| match error {
            RunnerError::Simulation { message, .. } => {
                self.workshop.reporter.message(&message);
                Ok(())
            }
            other => Err(other),
        };
        for &times in &self.config.wider {
            let Some(wide) =
                WiderHost::new(self, times, &host, &fixed).map(Some).or_else(|e| told(e).map(|()| None))?
            else {
                continue;
            };
            for (k, found) in adsorbates.iter_mut().enumerate() {
                if let Some(lowest) = found.lowest()
                    && let Some(here) = wide.adsorbed(self, k, &lowest).map(Some).or_else(|e| told(e).map(|()| None))?
                {
                    found.wider.push(here);
                }
            }
        }
        Ok(Found { host_model, host, fixed, vacuum, adsorbates })
    }

    fn adsorbate(
        &self,
        k: usize,
        host: &Relaxed,
        shape: &Host,
        fixed: &Arc<[bool]>,
        relax_host: &dyn Fn(String, Vec<Vec3>) -> Task,
        source: &Source,
    ) -> Result<FoundAdsorbate, RunnerError> {
        let adsorbate = &self.parts.adsorbates[k];
        let file = file_name(&adsorbate.name);
        let cell = self.system.cell;
        let bare = self.parts.model(0, Some(k))?;
        let in_vacuum = Arc::new(bare.clone());
        let alone_model = Arc::new(Model { nonbonded: self.nonbonded, ..bare });
        let model = Arc::new(Model { nonbonded: self.nonbonded, ..self.parts.model(1, Some(k))? });

        let nothing: Arc<[bool]> = Arc::from([]);
        let free = |what: &str, model: &Arc<Model>, cell: Cell| {
            let middle = cell.to_cartesian(Vec3::new(0.5, 0.5, 0.5));
            let at = |start: usize| adsorbate.conformation(self.seed, start).into_iter().map(|r| r + middle).collect();
            let conformations = if adsorbate.is_rigid() { 1 } else { self.config.starts };
            let starts = (0..conformations).map(at).collect();
            let label = format!("{file}-{what}");
            self.search(&label, &format!("{}, {what}", adsorbate.name), model, cell, &nothing, starts)?.lowest()
        };
        let (alone_start, alone) = free("alone", &alone_model, cell)?;
        let salts = &self.parts.adsorbates;
        let is_of_salt = !adsorbate.ions.is_empty() || salts.iter().any(|salt| salt.ions.contains(&k));
        let vacuum = match is_of_salt {
            true => {
                let edge = VACUUM_CELL;
                let cell = Cell::orthorhombic(edge, edge, edge).map_err(|e| RunnerError::Bug(e.to_string()))?;
                Some(free("vacuum", &in_vacuum, cell)?.1.energy)
            }
            false => None,
        };

        let mut starts = Vec::new();
        for start in 0..self.config.starts {
            let (guest, _) = adsorbate.beside(shape, self.seed, start, KEY).map_err(|e| build_error(&e, source))?;
            starts.push([host.positions(), guest].concat());
        }
        let what = format!("{} on the host", adsorbate.name);
        let on_host = self.search(&file, &what, &model, cell, fixed, starts)?;
        let minima = self.minima(&file, &model, &on_host, host, alone.energy, relax_host)?;
        let wider = Vec::new();
        Ok(FoundAdsorbate { alone_model, alone, alone_start, model, on_host, minima, vacuum, wider })
    }

    /// The distinct minima with their adsorption energies.
    fn minima(
        &self,
        file: &str,
        model: &Arc<Model>,
        on_host: &Searched,
        host: &Relaxed,
        alone: f64,
        relax_host: &dyn Fn(String, Vec<Vec3>) -> Task,
    ) -> Result<Vec<Minimum>, RunnerError> {
        let n_host = host.positions.len();
        let (ended, structures): (Vec<usize>, Vec<&Relaxed>) = on_host.refined.iter().unzip();
        let prints = prints(&structures, model, &self.system.cell, n_host);
        let all: Vec<_> = structures.iter().map(|r| r.energy).zip(&prints).collect();
        let groups = distinct(&all, self.config.same_energy.0, self.config.same_distance.0);
        // Of the clean host's minima one is enough to tell whether the host fell deeper.
        let looked = if self.config.reference == HostReference::Removed { groups.len() } else { 1 };
        let left_behind = |group: &Vec<usize>| {
            let label = format!("{file}-left-{:05}", ended[group[0]]);
            relax_host(label, structures[group[0]].positions()[..n_host].to_vec())
        };
        let tasks: Vec<Task> = groups.iter().take(looked).map(left_behind).collect();
        let left = self.workshop.relax_all("the host, left behind", &tasks)?;
        let minimum = |(k, group): (usize, Vec<usize>)| {
            let left = left.get(k).and_then(|l| l.as_ref().ok()).map(|l| l.energy - host.energy);
            let reference = match self.config.reference {
                HostReference::Clean => 0.0,
                // A host that is left strained has not found the clean one's minimum, which is there all the same.
                HostReference::Removed => left.unwrap_or(0.0).min(0.0),
            };
            let energy = structures[group[0]].energy - host.energy - reference - alone;
            let starts = group.iter().flat_map(|&k| on_host.led_to(ended[k])).collect::<BTreeSet<_>>();
            let members = group.into_iter().map(|k| ended[k]).collect();
            Minimum { energy, members, n_starts: starts.len(), left }
        };
        let mut minima: Vec<Minimum> = groups.into_iter().enumerate().map(minimum).collect();
        minima.sort_by(|a, b| a.energy.total_cmp(&b.energy));
        Ok(minima)
    }

    /// What one task comes to.
    pub(super) fn one(&self, what: &str, task: Task) -> Result<Relaxed, RunnerError> {
        let outcomes = self.workshop.relax_all(what, &[task])?;
        some_succeeded(what, &outcomes)?;
        outcomes.into_iter().flatten().next().ok_or_else(|| RunnerError::Bug(format!("{what}: nothing was minimised")))
    }
}

/// An error where every minimisation failed.
pub(super) fn some_succeeded(what: &str, outcomes: &[Outcome]) -> Result<(), RunnerError> {
    match outcomes.first() {
        Some(Err(message)) if outcomes.iter().all(Result::is_err) => Err(RunnerError::Simulation {
            message: format!("{what}: no minimisation succeeded: {message}"),
            help: "minimise or equilibrate the host in a stage first, and look at its structure".into(),
            dossier: None,
        }),
        _ => Ok(()),
    }
}

/// A name as part of a file's name.
pub(super) fn file_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

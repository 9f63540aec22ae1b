//! What a survey found, as `adsorption.json`, as entries of `results.json` and as lines for people.

use std::collections::BTreeMap;

use amelo_analysis::Outcome;
use amelo_analysis::adsorption::{
    Adsorbed, Conditions, DEFINITION, DISSOCIATION, Dissociation, Surroundings, Wider, boltzmann_average,
    outcome as of_parts, quantile,
};
use amelo_core::units::EV;
use amelo_core::{Cell, Coulomb, Topology};
use amelo_electrostatics::image_energy;
use amelo_math::Vec3;
use serde::{Deserialize, Serialize};

use super::survey::{Found, FoundAdsorbate, Minimum, Survey};
use super::wider::InWiderCell;
use super::{AdsorptionConfig, HostReference, Parts};

/// Adsorption energies of a run. Energies in kJ/mol, lengths in nm.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AdsorptionReport {
    /// What an adsorption energy is.
    pub definition: String,
    /// What a dissociation energy is.
    pub dissociation_definition: String,
    /// How charges interact.
    pub electrostatics: String,
    /// Atoms of the host.
    pub n_host: usize,
    /// Those that did not move.
    pub n_fixed: usize,
    /// Box vectors as rows (nm).
    pub cell: [[f64; 3]; 3],
    /// Height of the vacuum above a slab (nm).
    pub vacuum: Option<f64>,
    /// Cut-off (nm).
    pub r_cut: f64,
    /// Force tolerance (kJ/mol/nm).
    pub force_tolerance: f64,
    /// Energy of the host alone (kJ/mol).
    pub host_energy: f64,
    /// Which energy of the host was subtracted: `clean` or `removed`.
    pub reference: String,
    /// Temperature of the averages (K).
    pub temperature: f64,
    /// Relative permittivity of the host, where the deck gives it for the finite-size terms.
    pub relative_permittivity: Option<f64>,
    /// One per adsorbate.
    pub adsorbates: Vec<AdsorbateReport>,
    /// One per salt.
    pub dissociation: Vec<DissociationReport>,
}

/// What was found of one adsorbate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AdsorbateReport {
    /// Its name.
    pub name: String,
    /// Its charge in the model (e).
    pub charge: f64,
    /// Energy of it alone in the host's cell (kJ/mol).
    pub alone_energy: f64,
    /// \[n_starts\] adsorption energy of each start that was refined (kJ/mol); `null` elsewhere.
    pub by_start: Vec<Option<f64>>,
    /// Minimisations that failed.
    pub failed: usize,
    /// Refined structures that did not reach the force tolerance.
    pub unconverged: usize,
    /// The distinct minima, the lowest first.
    pub minima: Vec<MinimumReport>,
    /// Boltzmann average over the distinct minima (kJ/mol).
    pub average: f64,
    /// Lower quartile, median, upper quartile over the distinct minima (kJ/mol).
    pub quartiles: [f64; 3],
    /// Minimum over the first half of the starts minus minimum over all (kJ/mol).
    pub gained_by_doubling: Option<f64>,
    /// What its images leave out of each adsorption energy here (kJ/mol), to be added; in none of the numbers above.
    pub finite_size: Option<f64>,
    /// The lowest minimum in wider cells.
    #[serde(default)]
    pub wider: Vec<WiderReport>,
}

/// The lowest minimum of an adsorbate where the cell is so many times as wide along both edges of the slab.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WiderReport {
    /// Its energy.
    #[serde(flatten)]
    pub there: Wider,
    /// Energy (kJ/mol), against the clean host's, of the host minimised after the molecule was taken out.
    pub host_left: f64,
    /// Whether every minimisation reached the force tolerance.
    pub converged: bool,
}

/// One distinct minimum.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MinimumReport {
    /// Adsorption energy (kJ/mol).
    pub energy: f64,
    /// Starts that led there, as far as their rough structures tell.
    pub starts: usize,
    /// Shortest distance by elements, molecule first: `O-Ti` (nm).
    pub shortest: BTreeMap<String, f64>,
    /// Energy (kJ/mol), against the clean host's, of the host minimised after the molecule was taken out, where it was.
    pub host_left: Option<f64>,
}

/// The dissociation energy of one salt.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DissociationReport {
    /// Name of the salt.
    pub name: String,
    /// Dissociation energy here (kJ/mol).
    pub energy: f64,
    /// Of the ion pair in vacuum (kJ/mol).
    pub vacuum: f64,
    /// Adsorption energy of the pair (kJ/mol).
    pub pair: f64,
    /// Names of its ions and their adsorption energies (kJ/mol).
    pub ions: Vec<(String, f64)>,
    /// Finite-size terms of the ions less that of the pair (kJ/mol), to be added to `energy`.
    pub finite_size: Option<f64>,
    /// The same cycle in wider cells.
    #[serde(default)]
    pub wider: Vec<Wider>,
}

pub(super) fn report(
    config: &AdsorptionConfig,
    parts: &Parts,
    survey: &Survey,
    found: &Found,
    surroundings: Surroundings,
) -> AdsorptionReport {
    let n_host = found.host.positions.len();
    let cell = survey.system.cell;
    let adsorbates: Vec<AdsorbateReport> = parts
        .adsorbates
        .iter()
        .zip(&found.adsorbates)
        .map(|(adsorbate, f)| of_adsorbate(&adsorbate.name, f, n_host, &cell, config))
        .collect();
    let lowest = |k: usize| found.adsorbates[k].minima.first().map(|m| m.energy);
    let dissociation =
        parts.adsorbates.iter().enumerate().filter(|(_, a)| !a.ions.is_empty()).filter_map(|(k, salt)| {
            let ions: Option<Vec<(String, f64)>> =
                salt.ions.iter().map(|&ion| Some((parts.adsorbates[ion].name.clone(), lowest(ion)?))).collect();
            let of_ions: Option<f64> = salt.ions.iter().map(|&ion| found.adsorbates[ion].vacuum).sum();
            let (vacuum, pair, ions) = (of_ions? - found.adsorbates[k].vacuum?, lowest(k)?, ions?);
            let term = |k: usize| adsorbates[k].finite_size;
            let of_ions: Option<f64> = salt.ions.iter().map(|&ion| term(ion)).sum();
            let finite_size = of_ions.zip(term(k)).map(|(ions, pair)| ions - pair);
            let wider = cycle_in_wider_cells(vacuum, &adsorbates[k], salt.ions.iter().map(|&ion| &adsorbates[ion]));
            let name = salt.name.clone();
            let mut found = DissociationReport { name, energy: 0.0, vacuum, pair, ions, finite_size, wider };
            found.energy = cycle(&found).energy();
            Some(found)
        });
    AdsorptionReport {
        definition: DEFINITION.into(),
        dissociation_definition: DISSOCIATION.into(),
        electrostatics: electrostatics(survey, surroundings),
        n_host,
        n_fixed: found.fixed.iter().filter(|f| **f).count(),
        cell: cell.vectors().to_array(),
        vacuum: found.vacuum,
        r_cut: survey.nonbonded.r_cut,
        force_tolerance: config.force_tolerance.0,
        host_energy: found.host.energy,
        reference: if config.reference == HostReference::Clean { "clean" } else { "removed" }.into(),
        temperature: config.temperature.0,
        relative_permittivity: config.relative_permittivity,
        dissociation: dissociation.collect(),
        adsorbates,
    }
}

fn cycle(of: &DissociationReport) -> Dissociation {
    let ions = of.ions.iter().map(|(_, energy)| *energy).collect();
    Dissociation {
        name: of.name.clone(),
        vacuum: of.vacuum,
        pair: of.pair,
        ions,
        finite_size: of.finite_size,
        wider: of.wider.clone(),
    }
}

/// E_diss = `vacuum` + Σ E_ads(ions) − E_ads(pair) in each wider cell that all of them have.
fn cycle_in_wider_cells<'a>(
    vacuum: f64,
    pair: &AdsorbateReport,
    ions: impl Iterator<Item = &'a AdsorbateReport> + Clone,
) -> Vec<Wider> {
    let of = |there: &Wider| {
        let at = |a: &'a AdsorbateReport| a.wider.iter().map(|w| &w.there).find(|w| w.times == there.times);
        let ions: Vec<&Wider> = ions.clone().map(at).collect::<Option<_>>()?;
        Some(Wider { times: there.times, energy: vacuum + ions.iter().map(|w| w.energy).sum::<f64>() - there.energy })
    };
    pair.wider.iter().map(|w| &w.there).filter_map(of).collect()
}

fn of_adsorbate(
    name: &str,
    f: &FoundAdsorbate,
    n_host: usize,
    cell: &Cell,
    config: &AdsorptionConfig,
) -> AdsorbateReport {
    let mut by_start = vec![None; f.on_host.n_starts];
    for minimum in &f.minima {
        for start in &minimum.members {
            // Members of one minimum differ by less than what is told apart; each keeps its own energy.
            let refined = f.on_host.refined.get(start).zip(f.structure(minimum));
            by_start[*start] = refined.map(|(mine, lowest)| minimum.energy + (mine.energy - lowest.energy));
        }
    }
    let sites: Vec<f64> = f.minima.iter().map(|m| m.energy).collect();
    let charge = f.alone_model.topology.total_charge();
    let finite_size = config.relative_permittivity.map(|eps| (1.0 - 1.0 / eps) * image_energy(charge, cell));
    let wider = |w: &InWiderCell| WiderReport {
        there: Wider { times: w.times, energy: w.energy },
        host_left: w.left,
        converged: w.converged,
    };
    let wider = f.wider.iter().map(wider).collect();
    let adsorbed =
        Adsorbed { name: name.into(), by_start, failed: f.on_host.failed, sites, finite_size, wider: Vec::new() };
    let minimum = |m: &Minimum| MinimumReport {
        energy: m.energy,
        starts: m.n_starts,
        shortest: f.structure(m).map_or(BTreeMap::new(), |r| shortest(&f.model.topology, cell, &r.positions(), n_host)),
        host_left: m.left,
    };
    AdsorbateReport {
        name: name.into(),
        charge,
        alone_energy: f.alone.energy,
        failed: f.on_host.failed,
        unconverged: f.on_host.refined.values().filter(|r| !r.converged).count(),
        minima: f.minima.iter().map(minimum).collect(),
        average: boltzmann_average(&adsorbed.sites, config.temperature.0),
        quartiles: [0.25, 0.5, 0.75].map(|share| quantile(&adsorbed.sites, share)),
        gained_by_doubling: adsorbed.gained_by_doubling(),
        finite_size,
        wider,
        by_start: adsorbed.by_start,
    }
}

/// Shortest distance from the molecule to the host by elements (nm).
fn shortest(topology: &Topology, cell: &Cell, positions: &[Vec3], n_host: usize) -> BTreeMap<String, f64> {
    let mut found = BTreeMap::new();
    for guest in n_host..positions.len() {
        for host in 0..n_host {
            let d = cell.minimum_image(positions[guest] - positions[host]).norm();
            let key = format!("{}-{}", topology.element(guest), topology.element(host));
            let entry = found.entry(key).or_insert(f64::INFINITY);
            *entry = d.min(*entry);
        }
    }
    found
}

/// How charges interact, in words.
fn electrostatics(survey: &Survey, surroundings: Surroundings) -> String {
    let how = match survey.nonbonded.coulomb {
        Coulomb::None => return "charges do not interact".into(),
        Coulomb::Cutoff => return format!("charges interact up to {} nm", survey.nonbonded.r_cut),
        Coulomb::Ewald { .. } => "Ewald sum".to_string(),
        Coulomb::Pme { mesh, order, .. } => format!("particle-mesh Ewald (mesh {mesh:?}, order {order})"),
    };
    let slab = match survey.nonbonded.slab {
        Some(_) => {
            "slab correction with the net charge (Yeh and Berkowitz 1999; Ballenegger, Arnold and Cerda 2009): the images \
             along z do not act"
        }
        None if surroundings != Surroundings::Molecules => "no slab correction: the images along z act",
        None => "periodic along x, y and z",
    };
    format!(
        "{how}; {slab}; a net charge has a neutralising background in all energies of the same cell, so that the molecule's \
         own images and its background cancel, but for the host's response between them, which falls with the size of \
         the cell"
    )
}

/// Entries of `results.json`.
pub(super) fn outcome(report: &AdsorptionReport, surroundings: Surroundings) -> Outcome {
    let conditions = Conditions {
        temperature: report.temperature,
        surroundings,
        electrostatics: report.electrostatics.clone(),
        relative_permittivity: report.relative_permittivity,
    };
    let adsorbed: Vec<Adsorbed> = report
        .adsorbates
        .iter()
        .map(|a| Adsorbed {
            name: a.name.clone(),
            by_start: a.by_start.clone(),
            failed: a.failed,
            sites: a.minima.iter().map(|m| m.energy).collect(),
            finite_size: a.finite_size,
            wider: a.in_wider_cells(),
        })
        .collect();
    let dissociation: Vec<Dissociation> = report.dissociation.iter().map(cycle).collect();
    of_parts(&adsorbed, &dissociation, &conditions, report.notes())
}

impl AdsorptionReport {
    /// What a reader must know.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = vec![format!(
            "host: {} atoms, {} of them fixed; reference: the {} host; electrostatics: {}",
            self.n_host, self.n_fixed, self.reference, self.electrostatics
        )];
        for a in &self.adsorbates {
            if a.failed > 0 {
                notes.push(format!("{}: {} minimisations failed", a.name, a.failed));
            }
            if a.unconverged > 0 {
                notes.push(format!(
                    "{}: {} of {} refined structures did not reach {} kJ/mol/nm within the steps allowed; their energies \
                     are upper bounds",
                    a.name,
                    a.unconverged,
                    a.refined(),
                    self.force_tolerance
                ));
            }
            for w in a.wider.iter().filter(|w| !w.converged) {
                notes.push(format!(
                    "{}: in a cell {} times as wide a minimisation did not reach {} kJ/mol/nm",
                    a.name, w.there.times, self.force_tolerance
                ));
            }
            let left = a.minima.iter().filter_map(|m| m.host_left).chain(a.wider.iter().map(|w| w.host_left));
            let deepest = left.fold(0.0, f64::min);
            if self.reference == "clean" && deepest < -NOTICEABLE {
                notes.push(format!(
                    "{}: minimised again without the molecule, the host lies {:.2} kJ/mol below the reference: it fell into a \
                     deeper minimum of its own, and that part of the adsorption energy is not the molecule's; \
                     reference = \"removed\" leaves it out",
                    a.name, -deepest
                ));
            }
        }
        notes
    }

    /// The table for the log.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for a in &self.adsorbates {
            let lowest = a.minima.first().map_or(f64::NAN, |m| m.energy);
            lines.push(format!(
                "{}: adsorption energy {:.2} kJ/mol = {:.3} eV, Boltzmann average {:.3} eV, {} minima from {} starts{}",
                a.name,
                lowest,
                lowest / EV,
                a.average / EV,
                a.minima.len(),
                a.by_start.len(),
                a.gained_by_doubling.map_or(String::new(), |g| format!(", doubling them gained {:.3} eV", g / EV)),
            ));
            lines.extend(self.finite_size_line(&a.name, lowest, a.finite_size));
            lines.extend(wider_lines(&a.name, lowest, &a.in_wider_cells()));
        }
        for d in &self.dissociation {
            lines.push(format!(
                "{}: dissociation energy {:.2} kJ/mol = {:.3} eV ({:.3} eV in vacuum)",
                d.name,
                d.energy,
                d.energy / EV,
                d.vacuum / EV
            ));
            lines.extend(self.finite_size_line(&d.name, d.energy, d.finite_size));
            lines.extend(wider_lines(&d.name, d.energy, &d.wider));
        }
        lines
    }

    fn finite_size_line(&self, name: &str, energy: f64, term: Option<f64>) -> Option<String> {
        let (term, eps) = term.zip(self.relative_permittivity)?;
        Some(format!(
            "{name}: finite-size term at a relative permittivity of {eps}: {:+.3} eV, with it {:.3} eV",
            term / EV,
            (energy + term) / EV
        ))
    }
}

/// One line for each wider cell.
fn wider_lines(name: &str, energy: f64, wider: &[Wider]) -> Vec<String> {
    let line = |w: &Wider| {
        let moved = (w.energy - energy) / EV;
        format!("{name}: {:.3} eV in a cell {} times as wide, moved by {moved:+.3} eV", w.energy / EV, w.times)
    };
    wider.iter().map(line).collect()
}

impl AdsorbateReport {
    /// Energies in wider cells.
    pub fn in_wider_cells(&self) -> Vec<Wider> {
        self.wider.iter().map(|w| w.there.clone()).collect()
    }

    /// Number of starts that were refined.
    pub fn refined(&self) -> usize {
        self.by_start.iter().flatten().count()
    }
}

/// Depth (kJ/mol) from which on a reader hears of a host's deeper minimum: a quarter of what doubling the starts may
/// gain, 0.02 eV.
const NOTICEABLE: f64 = 0.5;

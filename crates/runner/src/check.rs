//! `amelo check`: everything that can be known before step 0.

use std::path::Path;

use amelo_build::AssignmentReport;
use amelo_core::{Coulomb, Nonbonded, Provenance};
use amelo_dynamics::DofReport;
use serde::Serialize;
use serde_json::Value;

use crate::adsorption;
use crate::analyses;
use crate::checkpointing::meta;
use crate::deck;
use crate::error::RunnerError;
use crate::glass::Making;
use crate::nonbonded::precision_name;
use crate::plan::{self, StageKind, StagePlan};
use crate::preparation::prepare_with;
use crate::progress::{Reporter, Silent};
use crate::tables::{build_lines, json_lines, number};

/// One pair of types, resolved.
#[derive(Clone, Debug, Serialize)]
pub struct PairRow {
    /// The two types.
    pub types: [String; 2],
    /// Functional form, or `none`.
    pub form: String,
    /// Parameters in the form's order, internal units.
    pub parameters: Vec<f64>,
    /// explicit, override, none, or the name of the mixing rule.
    pub provenance: String,
    /// File and citation.
    pub source: String,
}

/// One stage, resolved.
#[derive(Clone, Debug, Serialize)]
pub struct StageRow {
    /// Its name.
    pub name: String,
    /// minimize, nve, nvt or npt.
    pub kind: &'static str,
    /// Steps.
    pub steps: u64,
    /// Time step (ps).
    pub timestep_ps: f64,
    /// Degrees of freedom per thermostat group.
    pub degrees_of_freedom: Option<DofReport>,
    /// Frames of the trajectory.
    pub frames: u64,
    /// Rows of the log.
    pub log_rows: u64,
}

/// Hydrogen mass repartitioning, resolved.
#[derive(Clone, Debug, Serialize)]
pub struct HydrogenMass {
    /// Hydrogens.
    pub count: usize,
    /// Mass of each (u).
    pub mass_u: f64,
}

/// RMS errors of the Coulomb force under PME (kJ/mol/nm), on the system as it starts.
#[derive(Clone, Debug, Serialize)]
pub struct PmeError {
    /// Of the real-space sum, from its end at the cut-off: measured on some of the atoms.
    pub real_space: f64,
    /// Of the mesh: measured against a finer one of a higher order.
    pub mesh: f64,
    /// Both together.
    pub total: f64,
}

/// What `amelo check` found.
#[derive(Clone, Debug, Serialize)]
pub struct CheckReport {
    /// Title of the deck.
    pub title: String,
    /// Atoms.
    pub n_atoms: usize,
    /// Box vectors as rows (nm).
    pub cell_nm: [[f64; 3]; 3],
    /// Mass density (g/cm³).
    pub density: f64,
    /// Sum of the charges after scaling (e).
    pub net_charge: f64,
    /// Sum of the charges before scaling (e).
    pub net_nominal_charge: f64,
    /// Groups with their number of atoms.
    pub groups: Vec<(String, usize)>,
    /// Cut-off, modifier, Coulomb as resolved.
    pub nonbonded: Nonbonded,
    /// How accurate PME is; null with another Coulomb, or where the mesh is too fine to be measured.
    pub pme_error: Option<PmeError>,
    /// Every pair of types.
    pub pairs: Vec<PairRow>,
    /// Every other parameter with its source.
    pub assignment: Value,
    /// Parameter files with their hashes.
    pub forcefield: Value,
    /// What was built; null where the system came from another run or program.
    pub build: Value,
    /// What there is to know of a system that came from there, one sentence each: an import's remarks, for example.
    pub notes: Vec<String>,
    /// Hydrogens made heavier, where the deck asks for it.
    pub hydrogen_mass: Option<HydrogenMass>,
    /// The stages.
    pub stages: Vec<StageRow>,
    /// Memory during a run, estimated (MB).
    pub memory_mb: f64,
    /// Speed, estimated from one timed force evaluation (ns/day); none where the force failed.
    pub ns_per_day: Option<f64>,
    /// Disk for trajectory, log and checkpoints (MB).
    pub disk_mb: f64,
    /// What a reader should know.
    pub warnings: Vec<String>,
}

/// Checks a deck.
pub fn check(path: &Path, sets: &[String]) -> Result<CheckReport, RunnerError> {
    let (deck, source) = deck::read(path, sets)?;
    let plans = plan::stages(&deck, &source)?;
    let prepared = prepare_with(Making::Never, &deck, &source, &Reporter::new(&Silent))?;
    let topology = prepared.model.topology.clone();
    let mut problems = plan::check_groups(&plans, &deck, &source, &topology);
    problems.extend(analyses::check(&deck, &source, &plans, &topology));
    let silent = Reporter::new(&Silent);
    problems.extend(adsorption::check(&deck, &source, &prepared.system, Making::Never, &silent));
    if problems.is_empty() {
        problems = plan::check_ensembles(&plans, &source, &prepared.model, &prepared.system);
    }
    if !problems.is_empty() {
        return Err(RunnerError::Input { problems });
    }
    let text = |name: &str| prepared.meta.get(name).and_then(|t| serde_json::from_str(t).ok()).unwrap_or(Value::Null);
    let stages: Vec<StageRow> = plans.iter().map(|p| stage_row(p, &prepared.model)).collect();
    let n = topology.n_atoms() as f64;
    // Position, image and displacement of each atom, and velocity and force where asked for.
    let per_frame = |p: &StagePlan| {
        let t = p.trajectory.map_or(0, |t| u32::from(t.velocities) + u32::from(t.forces));
        n * (24.0 + 12.0 + 24.0 + 24.0 * f64::from(t)) + 200.0
    };
    let frames: f64 = plans.iter().zip(&stages).map(|(p, s)| per_frame(p) * s.frames as f64).sum();
    let rows: f64 = stages.iter().map(|s| s.log_rows as f64 * 600.0).sum();
    let checkpoint = n * 400.0;
    let mesh = match prepared.model.nonbonded.coulomb {
        Coulomb::Pme { mesh, .. } => mesh.iter().product::<usize>() as f64,
        _ => 0.0,
    };
    let r_list = prepared.model.nonbonded.r_cut * 1.1;
    let pairs_per_atom = 0.5 * 4.19 * r_list.powi(3) * n / prepared.system.cell.volume();
    let memory = n * (800.0 + 4.0 * pairs_per_atom) + 16.0 * 3.0 * mesh + 5e7;
    let mut warnings: Vec<String> = prepared.stand_in.clone().into_iter().collect();
    let charge = topology.total_charge();
    if charge.abs() > 1e-6 {
        warnings.push(format!(
            "the system has a net charge of {charge:+.6} e; Ewald and PME add a neutralising background"
        ));
    }
    if prepared.model.nonbonded.dispersion_correction && topology.groups.contains_key("oxide") {
        warnings.push("the dispersion tail assumes a homogeneous box, and this system has an oxide: energy and pressure are biased".into());
    }
    let oxide = prepared.build.as_ref().and_then(|b| b.oxide.as_ref());
    warnings.extend(oxide.iter().flat_map(|o| &o.warnings).cloned());
    Ok(CheckReport {
        title: deck.title.clone(),
        n_atoms: topology.n_atoms(),
        cell_nm: prepared.system.cell.vectors().to_array(),
        density: prepared.system.density(),
        net_charge: charge,
        net_nominal_charge: topology.nominal_charges.iter().sum(),
        groups: topology.groups.iter().map(|(name, atoms)| (name.clone(), atoms.len())).collect(),
        nonbonded: prepared.model.nonbonded,
        pme_error: pme_error(&prepared.model.nonbonded, &prepared.system, &plan::always_frozen(&deck)),
        pairs: pair_rows(&prepared.model),
        assignment: text(meta::ASSIGNMENT),
        forcefield: text(meta::FORCEFIELD),
        build: text(meta::BUILD),
        notes: if prepared.build.is_none() { prepared.notes } else { Vec::new() },
        hydrogen_mass: prepared.hydrogens.map(|(count, mass_u)| HydrogenMass { count, mass_u }),
        ns_per_day: speed(&prepared.model, &prepared.system, &plans),
        stages,
        memory_mb: memory * 1e-6,
        disk_mb: (frames + rows + 2.0 * checkpoint) * 1e-6,
        warnings,
    })
}

/// On the atoms that move, where the groups of `frozen` never do.
fn pme_error(nonbonded: &Nonbonded, system: &amelo_core::System, frozen: &[String]) -> Option<PmeError> {
    let Coulomb::Pme { beta, order, mesh } = nonbonded.coulomb else { return None };
    let system = plan::frozen(system, frozen);
    let error = amelo_electrostatics::measured_force_error(&system, nonbonded.r_cut, beta, order, mesh)?;
    Some(PmeError { real_space: error.real, mesh: error.mesh, total: error.total() })
}

fn stage_row(plan: &StagePlan, model: &crate::engine::Model) -> StageRow {
    let thermostat_conserves = match &plan.kind {
        StageKind::Minimize(_) => true,
        StageKind::Dynamics { ensemble, .. } => ensemble.conserves_momentum(),
    };
    let kind = plan.kind.key();
    let topology = model.stage_topology(&plan.conditions);
    let momentum = crate::stage::momentum_is_conserved(plan, &topology);
    let dof =
        (kind != "minimize").then(|| DofReport::count(&topology, plan.remove_com, momentum, thermostat_conserves));
    StageRow {
        name: plan.name.clone(),
        kind,
        steps: plan.n_steps(),
        timestep_ps: plan.timestep,
        degrees_of_freedom: dof,
        frames: plan.trajectory.map_or(0, |t| plan.n_steps() / t.every),
        log_rows: plan.n_steps() / plan.log_every,
    }
}

fn pair_rows(model: &crate::engine::Model) -> Vec<PairRow> {
    let name = |i: usize| model.topology.types[i].name.clone();
    let row = |(i, j, entry): (usize, usize, &amelo_core::PairEntry)| PairRow {
        types: [name(i), name(j)],
        form: entry.form.clone(),
        parameters: entry.parameters.clone(),
        provenance: match &entry.provenance {
            Provenance::Explicit => "explicit".into(),
            Provenance::Rule(rule) => rule.clone(),
            Provenance::Override => "override".into(),
            Provenance::None => "none".into(),
        },
        source: entry.source.clone(),
    };
    model.pair_table.iter().map(row).collect()
}

/// Speed from a few force evaluations of the freshly built system.
fn speed(model: &crate::engine::Model, system: &amelo_core::System, plans: &[StagePlan]) -> Option<f64> {
    use amelo_core::{ForceProvider, Forces, Request};
    let plan = plans.iter().rev().find(|p| p.n_steps() > 0)?;
    let references = crate::engine::References::needed(system, [&plan.conditions]);
    let mut terms = model.terms(&model.topology, &system.cell, &plan.conditions, references.as_ref()).ok()?;
    let mut forces = Forces::new(system.n_atoms());
    // The first evaluation makes the pair list and is not what a step costs.
    terms.evaluate(system, Request::FORCES, &mut forces).ok()?;
    let began = std::time::Instant::now();
    let n = 3;
    for _ in 0..n {
        terms.evaluate(system, Request::FORCES, &mut forces).ok()?;
    }
    let seconds = began.elapsed().as_secs_f64() / f64::from(n);
    // Integration and list updates cost about another tenth.
    Some(86.4 * plan.timestep / (1.1 * seconds))
}

impl CheckReport {
    /// For people.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let mut line = |text: String| {
            out.push_str(&text);
            out.push('\n');
        };
        line(self.title.clone());
        let h = self.cell_nm;
        line(format!(
            "{} atoms, {:.4} g/cm^3, cell (nm, rows) {:?} {:?} {:?}",
            self.n_atoms, self.density, h[0], h[1], h[2]
        ));
        line(format!("net charge {:+.6} e (nominal {:+.6} e)", self.net_charge, self.net_nominal_charge));
        line("\nGroups".into());
        self.groups.iter().for_each(|(name, n)| line(format!("  {name}: {n}")));
        line("\nNon-bonded".into());
        nonbonded_lines(&self.nonbonded).into_iter().for_each(&mut line);
        if let Some(PmeError { real_space, mesh, total }) = self.pme_error {
            line(format!(
                "  PME error   {total:.2e} kJ/mol/nm rms of a force: mesh {mesh:.2e}, cut-off {real_space:.2e}, both measured"
            ));
        }
        match serde_json::from_value::<AssignmentReport>(self.assignment.clone()) {
            Ok(assignment) => assignment_lines(&assignment).into_iter().for_each(&mut line),
            // A system that was not assembled from parameter files has its pair table alone.
            Err(_) => {
                line("\nPairs of types (parameters in nm, kJ/mol)".into());
                for p in &self.pairs {
                    let values: Vec<String> = p.parameters.iter().map(|x| number(*x)).collect();
                    let (a, b) = (&p.types[0], &p.types[1]);
                    line(format!("  {a} - {b}: {} [{}] {}; {}", p.form, values.join(", "), p.provenance, p.source));
                }
                if !self.forcefield.is_null() {
                    line(json_lines(&serde_json::json!({ "files": self.forcefield })).trim_end().into());
                }
            }
        }
        if !self.notes.is_empty() {
            line("\nOrigin".into());
            self.notes.iter().for_each(|note| line(format!("  {note}")));
        }
        if !self.build.is_null() {
            line("\nBuilding".into());
            line(build_lines(self.build.clone()).trim_end().into());
        }
        if let Some(h) = &self.hydrogen_mass {
            line(format!("\nMasses\n  {} hydrogens weigh {} u, taken from their heavy neighbours", h.count, h.mass_u));
        }
        line("\nStages".into());
        for s in &self.stages {
            line(format!(
                "  {}: {}, {} steps of {} ps, {} frames, {} log rows",
                s.name, s.kind, s.steps, s.timestep_ps, s.frames, s.log_rows
            ));
            for group in s.degrees_of_freedom.iter().flat_map(|d| &d.groups) {
                line(format!(
                    "    degrees of freedom, {}: 3 x {} - {} constraints - {} conserved = {}",
                    group.name, group.mobile, group.constraints, group.conserved, group.n_dof
                ));
            }
        }
        line(format!("\nMemory about {:.0} MB, disk about {:.1} MB", self.memory_mb, self.disk_mb));
        if let Some(speed) = self.ns_per_day {
            line(format!(
                "Speed about {speed:.2} ns/day with {} threads, from a timed force evaluation",
                rayon::current_num_threads()
            ));
        }
        self.warnings.iter().for_each(|w| line(format!("warning: {w}")));
        out
    }
}

/// Cut-off, modifier and Coulomb in words.
fn nonbonded_lines(n: &Nonbonded) -> Vec<String> {
    use amelo_core::{Coulomb, Modifier};
    let modifier = match n.modifier {
        Modifier::None => "truncated without a modifier".into(),
        Modifier::PotentialShift => "potential-shift".into(),
        Modifier::ForceShift => "force-shift".into(),
        Modifier::ForceSwitch { r_switch } => format!("force-switch from {} nm", number(r_switch)),
        Modifier::EnergySwitch { r_switch } => format!("energy-switch from {} nm", number(r_switch)),
    };
    let coulomb = match n.coulomb {
        Coulomb::None => "none".into(),
        Coulomb::Cutoff => "plain 1/r up to the cut-off".into(),
        Coulomb::Ewald { beta, tolerance } => format!("Ewald, beta {} /nm, tolerance {tolerance:e}", number(beta)),
        Coulomb::Pme { beta, order, mesh: [a, b, c] } => {
            format!("PME, beta {} /nm, order {order}, mesh {a} x {b} x {c}", number(beta))
        }
    };
    let mut lines = vec![
        format!("  r_cut       {} nm", number(n.r_cut)),
        format!("  vdW         {modifier}"),
        format!("  tail        {}", if n.dispersion_correction { "energy and pressure" } else { "none" }),
        format!("  Coulomb     {coulomb}"),
        format!("  precision   {}", precision_name(n.precision)),
    ];
    if let Some(axis) = n.slab {
        lines.push(format!("  slab        correction along {}", ["x", "y", "z"][axis.min(2)]));
    }
    lines
}

/// Every parameter with its source, as tables. A mixed pair's sources are those of its two types.
fn assignment_lines(report: &AssignmentReport) -> Vec<String> {
    let values = |rows: &[amelo_build::assign::ParameterRow]| {
        let one = |p: &amelo_build::assign::ParameterRow| format!("{} {} {}", p.name, number(p.value), p.unit);
        rows.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    let mut lines = vec!["\nMolecules".to_string()];
    for m in &report.molecules {
        let charge =
            format!("{:+.3} e x {} = {:+.3} e", m.nominal_charge, m.charge_scale, m.nominal_charge * m.charge_scale);
        let s = m.scaling;
        let factors = [("1-2", s.one_two), ("1-3", s.one_three), ("1-4", s.one_four)]
            .map(|(name, f)| format!("{name} {}/{}", f.vdw, f.coulomb))
            .join(", ");
        lines.push(format!(
            "  {:<8} {:>5} of {:>5} atoms, charge {charge}; vdW/Coulomb at {factors}",
            m.name, m.count, m.atoms
        ));
        lines.push(format!("           {}", m.source));
    }
    lines.push("\nAtom types".into());
    for t in &report.types {
        let [low, high] = t.charges.map(|q| format!("{q:+.4}"));
        let charge = if low == high { format!("{low} e") } else { format!("{low} to {high} e") };
        lines.push(format!("  {:<6} {:<2} {:>9} u {:>7} atoms  {charge}", t.name, t.element, number(t.mass), t.count));
        lines.push(format!("           {}", t.source));
    }
    lines.push("\nPairs of types".into());
    for p in &report.pairs {
        let how = match &p.provenance {
            Provenance::Rule(rule) => format!("{rule} rule"),
            Provenance::Explicit => format!("explicit: {}", p.source),
            Provenance::Override => format!("override: {}", p.source),
            Provenance::None => format!("declared none: {}", p.source),
        };
        lines.push(format!("  {:<6} {:<6} {:<14} {:<44} {how}", p.types[0], p.types[1], p.form, values(&p.parameters)));
    }
    lines.push("\nBonded terms".into());
    for b in &report.bonded {
        lines.push(format!(
            "  {:<9} {:<14} {:>6} x {:<20} {}",
            b.class,
            b.types,
            b.count,
            b.form,
            values(&b.parameters)
        ));
        lines.push(format!("           {}", b.source));
    }
    lines.push("\nParameter files".into());
    for f in &report.files {
        lines.push(format!("  {:<20} {}", f.name, f.path.display()));
        lines.push(format!("           {}; sha256 {}", f.title, f.sha256));
    }
    report.warnings.iter().for_each(|w| lines.push(format!("warning: {w}")));
    lines
}

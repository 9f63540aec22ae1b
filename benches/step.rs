//! A whole time step, and one evaluation of each term of its forces, on the small systems of `inputs/`.
//!
//! `cargo bench --bench step` takes all cores, `RAYON_NUM_THREADS=1 cargo bench --bench step` one; `-- quickstart`
//! measures one deck. For a breakdown by part and for large systems: `amelo bench`.

use std::path::Path;

use amelo_core::quantity::Force;
use amelo_core::{Forces, Request, System, TermSum};
use amelo_dynamics::{Integrator, IntegratorSettings, MinimizeConfig};
use amelo_runner::engine::Model;
use amelo_runner::plan::{self, StageKind, StagePlan};
use amelo_runner::progress::{Reporter, Silent};
use amelo_runner::{deck, preparation};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

/// An electrolyte of 622 atoms; an interface of about 2,000 with constraints.
const DECKS: [&str; 2] = ["peo-litfsi", "quickstart"];

/// A minimised system in the last stage of its deck, with velocities.
fn moving(name: &str) -> (Model, System, StagePlan) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("inputs/{name}.toml"));
    let (deck, source) = deck::read(&path, &[]).expect("a deck of ours");
    let plan = plan::stages(&deck, &source).expect("sound stages").pop().expect("a stage");
    let prepared = preparation::prepare(&deck, &source, &Reporter::new(&Silent)).expect("built");
    let (model, mut system) = (prepared.model, prepared.system);
    let (_, mut terms) = model.stage(&plan, &system.cell, None).expect("terms");
    let config = MinimizeConfig { force_tolerance: Force(500.0), max_steps: 300, ..MinimizeConfig::default() };
    amelo_dynamics::minimize(&mut system, &mut terms, &config, &mut |_| std::ops::ControlFlow::Continue(()))
        .expect("finite forces");
    system.topology = model.stage_topology(&plan.conditions);
    amelo_dynamics::draw_velocities(&mut system, plan.temperature().unwrap_or(300.0), 1);
    (model, system, plan)
}

fn terms(model: &Model, system: &System, plan: &StagePlan) -> TermSum {
    model.stage(plan, &system.cell, None).expect("terms").1
}

fn whole_step(c: &mut Criterion) {
    let mut group = c.benchmark_group("step");
    group.sample_size(20);
    for name in DECKS {
        let (model, mut system, plan) = moving(name);
        let StageKind::Dynamics { ensemble, n_steps } = &plan.kind else { panic!("{name} ends in no dynamics") };
        let mut terms = terms(&model, &system, &plan);
        let settings =
            IntegratorSettings { timestep: plan.timestep, n_steps: *n_steps, ..IntegratorSettings::default() };
        let mut integrator = Integrator::new(ensemble.clone(), settings, &system).expect("settings");
        integrator.start(&mut system, &mut terms).expect("finite forces");
        group.bench_function(BenchmarkId::new(name, threads()), |b| {
            b.iter(|| integrator.step(&mut system, &mut terms, Request::FORCES).expect("a stable step"));
        });
    }
}

fn each_term(c: &mut Criterion) {
    let (model, system, plan) = moving("quickstart");
    let mut group = c.benchmark_group("term");
    group.sample_size(20);
    let mut out = Forces::new(system.n_atoms());
    for mut term in terms(&model, &system, &plan).terms {
        term.prepare(&system, Request::ALL).expect("a list");
        for (what, want) in [("forces", Request::FORCES), ("energy and virial", Request::ALL)] {
            group.bench_function(BenchmarkId::new(format!("{}, {what}", term.name()), threads()), |b| {
                b.iter(|| {
                    out.clear(system.n_atoms());
                    term.add(&system, want, &mut out).expect("finite forces");
                });
            });
        }
    }
}

fn threads() -> String {
    format!("{} threads", rayon::current_num_threads())
}

criterion_group!(benches, whole_step, each_term);
criterion_main!(benches);

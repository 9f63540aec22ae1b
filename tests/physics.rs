//! Slow tier: what only long runs of a real fluid can show. `scripts/test --slow`, or one of them:
//! `cargo test --release --test physics -- --ignored --nocapture npt_langevin_z`.
//!
//! The fluid: 500 Lennard-Jones atoms (argon: σ = 0.34 nm, ε = 0.998 kJ/mol, 39.948 u), cut-off 2.5 σ with a force
//! switch from 2 σ, near 130 K (T* = 1.08) and 15 kJ/mol/nm³ (249 bar, P* = 0.59): a liquid well away from coexistence.
//!
//! Ensembles: with x the energy, enthalpy or volume, the ratio of the distributions of two states is
//! ln p₂(x)/p₁(x) = const + b x, and b is known: β₁ − β₂ for U (NVT) or U + P V (NPT) at two temperatures, −β(P₂ − P₁)
//! for V at two pressures. b is estimated by maximum likelihood; its error by a jackknife over blocks of both runs, which
//! takes the correlation in time into account.
//! M. R. Shirts, J. Chem. Theory Comput. 9, 909 (2013), doi:10.1021/ct300688p.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use amelo_core::quantity::{Compressibility, Force, Length, Rate, Time};
use amelo_core::units::BOLTZMANN;
use amelo_core::{
    AtomType, Cell, Coulomb, Exclusions, ForceTerm, Forces, Modifier, Molecule, Nonbonded, PairEntry, PairTable,
    Provenance, Request, System, TermSum, Topology,
};
use amelo_dynamics::{
    Coupling, Ensemble, Integrator, IntegratorSettings, MinimizeConfig, NptConfig, NveConfig, NvtConfig, Observables,
    ThermostatKind, draw_velocities, minimize,
};
use amelo_electrostatics::pme_force_error;
use amelo_forces::NonbondedTerm;
use amelo_math::{Vec3, special};
use amelo_runner::deck;
use amelo_runner::engine::Model;
use amelo_runner::plan::Conditions;
use amelo_runner::preparation::{Prepared, prepare};
use amelo_runner::progress::{Reporter, Silent};

const SIGMA: f64 = 0.34;
const EPSILON: f64 = 0.998;
const ATOMS: usize = 500;
const TEMPERATURE: f64 = 130.0;
const PRESSURE: f64 = 15.0;

/// An fcc crystal of 500 atoms at ρ* = 0.78, which melts at once.
fn argon() -> (System, TermSum) {
    let topology = Topology {
        types: vec![AtomType { name: "Ar".into(), element: "Ar".into() }],
        type_of: vec![0; ATOMS].into(),
        names: vec!["Ar"; ATOMS].into(),
        masses: vec![39.948; ATOMS].into(),
        charges: vec![0.0; ATOMS].into(),
        nominal_charges: vec![0.0; ATOMS].into(),
        molecules: (0..ATOMS).map(|first| Molecule { kind: "Ar".into(), first, count: 1 }).collect(),
        exclusions: Exclusions::new(ATOMS, []),
        frozen: vec![false; ATOMS],
        ..Topology::default()
    };
    let entry = PairEntry {
        form: "lennard_jones".into(),
        parameters: vec![SIGMA, EPSILON],
        provenance: Provenance::Explicit,
        source: "argon".into(),
    };
    let table = PairTable::from_fn(1, |_, _| Ok::<_, ()>(entry.clone())).unwrap();
    let settings = Nonbonded {
        r_cut: 2.5 * SIGMA,
        modifier: Modifier::ForceSwitch { r_switch: 2.0 * SIGMA },
        dispersion_correction: false,
        coulomb: Coulomb::None,
        slab: None,
        precision: Default::default(),
    };
    let edge = (ATOMS as f64 / 0.78).cbrt() * SIGMA;
    let a = edge / 5.0;
    let basis = [(0.25, 0.25, 0.25), (0.75, 0.75, 0.25), (0.75, 0.25, 0.75), (0.25, 0.75, 0.75)];
    let positions = (0..125usize)
        .flat_map(|k| {
            let corner = Vec3::new((k % 5) as f64, (k / 5 % 5) as f64, (k / 25) as f64);
            basis.map(|(x, y, z)| (corner + Vec3::new(x, y, z)) * a)
        })
        .collect();
    let term: Box<dyn ForceTerm> = Box::new(NonbondedTerm::new(&topology, &table, &settings).unwrap());
    let system = System::new(Arc::new(topology), Cell::orthorhombic(edge, edge, edge).unwrap(), positions);
    (system, TermSum::new(vec![term]))
}

/// Makes `steps` steps and shows every `every`-th boundary.
fn run(
    ensemble: &Ensemble,
    dt: f64,
    seed: u64,
    (system, terms): &mut (System, TermSum),
    steps: usize,
    every: usize,
    mut each: impl FnMut(&System, &Observables, &Forces),
) {
    let settings = IntegratorSettings { timestep: dt, seed, ..IntegratorSettings::default() };
    let mut integrator = Integrator::new(ensemble.clone(), settings, system).unwrap();
    integrator.start(system, terms).unwrap();
    for step in 1..=steps {
        let due = step % every == 0;
        integrator.step(system, terms, if due { Request::ALL } else { Request::FORCES }).unwrap();
        if due {
            each(system, &integrator.observe(system), integrator.forces());
        }
    }
}

/// The melted, equilibrated liquid.
fn liquid(seed: u64) -> (System, TermSum) {
    let mut fluid = argon();
    draw_velocities(&mut fluid.0, 2.0 * TEMPERATURE, seed);
    run(&nvt(ThermostatKind::Langevin, TEMPERATURE), 0.005, seed, &mut fluid, 3000, 3000, |_, _, _| ());
    fluid
}

fn nvt(thermostat: ThermostatKind, temperature: f64) -> Ensemble {
    let mut nvt = NvtConfig::new(thermostat, temperature);
    match thermostat {
        ThermostatKind::Langevin => nvt.friction = Some(Rate(1.0)),
        ThermostatKind::VRescale => nvt.time_constant = Some(Time(0.5)),
        ThermostatKind::NoseHoover => (), // the defaults have to be sound
    }
    Ensemble::Nvt(nvt)
}

fn npt(thermostat: ThermostatKind, coupling: Coupling, temperature: f64, pressure: f64) -> Ensemble {
    let Ensemble::Nvt(thermal) = nvt(thermostat, temperature) else { unreachable!() };
    let mut npt = NptConfig::new(thermostat, coupling, temperature, pressure);
    npt.time_constant = thermal.time_constant;
    npt.friction = thermal.friction;
    // Near the fluid's own compressibility (9e-3, from <V> at two pressures), so that the volume forgets within 1 ps.
    npt.compressibility = Some(Compressibility(9e-3));
    npt.barostat_time_constant = Some(Time(1.0));
    Ensemble::Npt(npt)
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

fn variance(x: &[f64]) -> f64 {
    let m = mean(x);
    x.iter().map(|v| (v - m).powi(2)).sum::<f64>() / (x.len() as f64 - 1.0)
}

/// Standard error of the mean from `blocks` block means.
fn block_error(x: &[f64], blocks: usize) -> f64 {
    let means: Vec<f64> = x.chunks_exact(x.len() / blocks).map(mean).collect();
    (variance(&means) / means.len() as f64).sqrt()
}

/// Slope and its standard error of a straight line through block means of y(t), errors from their scatter.
fn slope(t: &[f64], y: &[f64], blocks: usize) -> (f64, f64) {
    let size = t.len() / blocks;
    let t: Vec<f64> = t.chunks_exact(size).map(mean).collect();
    let y: Vec<f64> = y.chunks_exact(size).map(mean).collect();
    let (tm, ym) = (mean(&t), mean(&y));
    let sxx: f64 = t.iter().map(|t| (t - tm).powi(2)).sum();
    let b = t.iter().zip(&y).map(|(t, y)| (t - tm) * (y - ym)).sum::<f64>() / sxx;
    let residual: f64 = t.iter().zip(&y).map(|(t, y)| (y - ym - b * (t - tm)).powi(2)).sum();
    (b, (residual / (t.len() as f64 - 2.0) / sxx).sqrt())
}

/// b of ln p₂/p₁ = a + b x by maximum likelihood (logistic regression, Newton's method).
fn ratio_slope(one: &[f64], two: &[f64]) -> f64 {
    let centre = 0.5 * (mean(one) + mean(two));
    let scale = variance(one).sqrt();
    let (mut a, mut b) = (0.0, 0.0);
    for _ in 0..50 {
        let (mut g, mut h) = ([0.0; 2], [0.0; 3]);
        for (x, label) in one.iter().map(|x| (x, 0.0)).chain(two.iter().map(|x| (x, 1.0))) {
            let x = (x - centre) / scale;
            let p = 1.0 / (1.0 + (-(a + b * x)).exp());
            g[0] += label - p;
            g[1] += (label - p) * x;
            let w = p * (1.0 - p);
            h[0] += w;
            h[1] += w * x;
            h[2] += w * x * x;
        }
        let det = h[0] * h[2] - h[1] * h[1];
        let step = [(h[2] * g[0] - h[1] * g[1]) / det, (h[0] * g[1] - h[1] * g[0]) / det];
        a += step[0];
        b += step[1];
        if step[1].abs() < 1e-10 {
            break;
        }
    }
    b / scale
}

/// (estimate, jackknife error) of [`ratio_slope`], leaving out one block of one run at a time.
fn ensemble_ratio(one: &[f64], two: &[f64]) -> (f64, f64) {
    const BLOCKS: usize = 20;
    let full = ratio_slope(one, two);
    let without = |x: &[f64], block: usize| {
        let size = x.len() / BLOCKS;
        let (from, to) = (block * size, (block + 1) * size);
        x.iter().enumerate().filter(|(k, _)| *k < from || *k >= to).map(|(_, v)| *v).collect::<Vec<f64>>()
    };
    let spread = |estimates: Vec<f64>| {
        let m = mean(&estimates);
        (BLOCKS as f64 - 1.0) / BLOCKS as f64 * estimates.iter().map(|e| (e - m).powi(2)).sum::<f64>()
    };
    let first = spread((0..BLOCKS).map(|k| ratio_slope(&without(one, k), two)).collect());
    let second = spread((0..BLOCKS).map(|k| ratio_slope(one, &without(two, k))).collect());
    (full, (first + second).sqrt())
}

/// What a run in one state gave.
struct Samples {
    kinetic: Vec<f64>,
    potential: Vec<f64>,
    volume: Vec<f64>,
    pressure: Vec<f64>,
    n_dof: usize,
}

const DT: f64 = 0.01;
const NVT_STEPS: usize = 30_000;
const NPT_STEPS: usize = 40_000;
const EQUILIBRATION: usize = 2000;

/// Runs from fresh liquids that make up one state's samples, and the steps of each. Nothing holds the shape of a liquid
/// whose height and width are scaled apart: it wanders, and its volume settles more slowly than at a fixed shape. So
/// there are more runs, each of which begins as a cube.
fn runs_of(ensemble: &Ensemble) -> (u64, usize) {
    match ensemble {
        Ensemble::Npt(npt) if npt.coupling == Coupling::SemiIsotropic => (3, NPT_STEPS),
        // Where only the height gives, the volume forgets more slowly.
        Ensemble::Npt(npt) if npt.coupling == Coupling::Z => (1, 3 * NPT_STEPS),
        Ensemble::Npt(_) => (1, NPT_STEPS),
        _ => (1, NVT_STEPS),
    }
}

fn sample(ensemble: &Ensemble, temperature: f64, seed: u64, label: &str) -> Samples {
    let mut s = Samples { kinetic: vec![], potential: vec![], volume: vec![], pressure: vec![], n_dof: 0 };
    let (runs, steps) = runs_of(ensemble);
    for seed in (0..runs).map(|k| seed + 1000 * k) {
        let mut fluid = liquid(seed);
        run(ensemble, DT, seed, &mut fluid, EQUILIBRATION, EQUILIBRATION, |_, _, _| ());
        run(ensemble, DT, seed + 1, &mut fluid, steps, 10, |system, o, _| {
            s.kinetic.push(o.kinetic);
            s.potential.push(o.potential);
            s.volume.push(system.cell.volume());
            s.pressure.push(o.pressure.trace() / 3.0);
            s.n_dof = o.n_dof;
        });
    }
    let kt = BOLTZMANN * temperature;
    let expected = 0.5 * s.n_dof as f64 * kt;
    let z = (mean(&s.kinetic) - expected) / block_error(&s.kinetic, 40);
    let ratio = variance(&s.kinetic) / (expected * kt);
    println!(
        "{label}: <K>/expected {:.5}, z {z:+.2}; Var K/expected {ratio:.3}; <U> {:.2} ± {:.2}; <V> {:.3} ± {:.3}; <P> {:.2} ± {:.2}",
        mean(&s.kinetic) / expected,
        mean(&s.potential),
        block_error(&s.potential, 40),
        mean(&s.volume),
        block_error(&s.volume, 40),
        mean(&s.pressure),
        block_error(&s.pressure, 40),
    );
    assert!(z.abs() < 3.0, "{label}: <K> is {z} standard errors off");
    assert!((ratio - 1.0).abs() < 0.15, "{label}: Var K is {ratio} of the canonical one");
    s
}

fn check_ratio(label: &str, one: &[f64], two: &[f64], expected: f64) {
    let (b, error) = ensemble_ratio(one, two);
    let z = (b - expected) / error;
    println!("{label}: slope {b:.5} ± {error:.5}, expected {expected:.5}, q {z:+.2}");
    assert!(z.abs() < 3.0, "{label}: slope {b} ± {error} instead of {expected}");
    assert!(error < 0.2 * expected.abs(), "{label}: the run is too short to tell");
}

fn check_nvt(thermostat: ThermostatKind) {
    let name = thermostat.name();
    let (cold, warm) = (TEMPERATURE, TEMPERATURE + 10.0);
    let one = sample(&nvt(thermostat, cold), cold, 100, &format!("nvt {name} {cold} K"));
    let two = sample(&nvt(thermostat, warm), warm, 200, &format!("nvt {name} {warm} K"));
    let expected = 1.0 / (BOLTZMANN * cold) - 1.0 / (BOLTZMANN * warm);
    check_ratio(&format!("nvt {name}, two temperatures"), &one.potential, &two.potential, expected);
}

fn check_npt(thermostat: ThermostatKind, coupling: Coupling) {
    let name = format!("npt {} {coupling:?}", thermostat.name());
    let (cold, warm) = (TEMPERATURE, TEMPERATURE + 7.0);
    let (low, high) = (PRESSURE, PRESSURE + 7.0);
    let base = sample(&npt(thermostat, coupling, cold, low), cold, 300, &format!("{name} {cold} K {low}"));
    let hot = sample(&npt(thermostat, coupling, warm, low), warm, 400, &format!("{name} {warm} K {low}"));
    let tight = sample(&npt(thermostat, coupling, cold, high), cold, 500, &format!("{name} {cold} K {high}"));
    let enthalpy = |s: &Samples| s.potential.iter().zip(&s.volume).map(|(u, v)| u + low * v).collect::<Vec<f64>>();
    let beta = |t: f64| 1.0 / (BOLTZMANN * t);
    let label = format!("{name}, two temperatures");
    check_ratio(&label, &enthalpy(&base), &enthalpy(&hot), beta(cold) - beta(warm));
    check_ratio(&format!("{name}, two pressures"), &base.volume, &tight.volume, -beta(cold) * (high - low));
}

macro_rules! ensemble_tests {
    ($($test:ident => $check:ident($($argument:expr),+);)+) => {$(
        #[test]
        #[ignore = "slow tier: minutes"]
        fn $test() {
            $check($($argument),+);
        }
    )+};
}

ensemble_tests! {
    nvt_v_rescale => check_nvt(ThermostatKind::VRescale);
    nvt_nose_hoover => check_nvt(ThermostatKind::NoseHoover);
    nvt_langevin => check_nvt(ThermostatKind::Langevin);
    npt_v_rescale_isotropic => check_npt(ThermostatKind::VRescale, Coupling::Isotropic);
    npt_v_rescale_semi_isotropic => check_npt(ThermostatKind::VRescale, Coupling::SemiIsotropic);
    npt_v_rescale_z => check_npt(ThermostatKind::VRescale, Coupling::Z);
    npt_nose_hoover_isotropic => check_npt(ThermostatKind::NoseHoover, Coupling::Isotropic);
    npt_nose_hoover_semi_isotropic => check_npt(ThermostatKind::NoseHoover, Coupling::SemiIsotropic);
    npt_nose_hoover_z => check_npt(ThermostatKind::NoseHoover, Coupling::Z);
    npt_langevin_isotropic => check_npt(ThermostatKind::Langevin, Coupling::Isotropic);
    npt_langevin_semi_isotropic => check_npt(ThermostatKind::Langevin, Coupling::SemiIsotropic);
    npt_langevin_z => check_npt(ThermostatKind::Langevin, Coupling::Z);
}

/// Boundaries of an NVE run from `start`: times (ps) and total energies (kJ/mol).
fn nve(start: &System, terms: TermSum, dt: f64, length: f64, every: usize) -> (Vec<f64>, Vec<f64>) {
    let mut state = (start.clone(), terms);
    let (mut t, mut e) = (Vec::new(), Vec::new());
    run(&Ensemble::Nve(NveConfig {}), dt, 1, &mut state, (length / dt).round() as usize, every, |s, o, _| {
        t.push(s.time);
        e.push(o.conserved);
    });
    (t, e)
}

/// RMS distance of y(t) from the straight line through it.
fn detrended_rms(t: &[f64], y: &[f64]) -> f64 {
    let (tm, ym) = (mean(t), mean(y));
    let sxx: f64 = t.iter().map(|t| (t - tm).powi(2)).sum();
    let b = t.iter().zip(y).map(|(t, y)| (t - tm) * (y - ym)).sum::<f64>() / sxx;
    (t.iter().zip(y).map(|(t, y)| (y - ym - b * (t - tm)).powi(2)).sum::<f64>() / t.len() as f64).sqrt()
}

/// Velocity Verlet's total energy fluctuates with dt² where the forces are smooth. Runs of `length` ps, short enough for
/// the trajectories from one state to stay together; mean squares over the states of `starts`.
fn check_halving(label: &str, starts: &[System], terms: impl Fn() -> TermSum, length: f64, steps: &[f64]) {
    let squares = |dt: f64| -> Vec<f64> {
        let one = |start| {
            let (t, e) = nve(start, terms(), dt, length, 1);
            detrended_rms(&t, &e).powi(2)
        };
        starts.iter().map(one).collect()
    };
    let values: Vec<Vec<f64>> = steps.iter().map(|&dt| squares(dt)).collect();
    let rms = |k: usize| mean(&values[k]).sqrt();
    println!("{label}, {} runs of {length} ps: dt {} fs: RMS {:.4e} kJ/mol", starts.len(), steps[0] * 1e3, rms(0));
    for k in 1..steps.len() {
        let single: Vec<String> =
            (0..starts.len()).map(|s| format!("{:.2}", (values[k - 1][s] / values[k][s]).sqrt())).collect();
        let ratio = rms(k - 1) / rms(k);
        println!(
            "dt {} fs: RMS {:.4e} kJ/mol, ratio {ratio:.3} (by run: {})",
            steps[k] * 1e3,
            rms(k),
            single.join(" ")
        );
    }
    for k in 1..steps.len() {
        let ratio = rms(k - 1) / rms(k);
        assert!(
            (ratio - 4.0).abs() < 0.4,
            "{label}: from {} to {} ps the RMS falls by {ratio}",
            steps[k - 1],
            steps[k]
        );
    }
}

/// Times (ps), shadow energies and total energies (kJ/mol) of an NVE run of `length` ps from `start`.
///
/// The total energy swings by dt² times the energy that the fast bonds happen to hold, over picoseconds, and hides a
/// drift for a nanosecond. The shadow energy, which velocity Verlet conserves one order of dt² better,
/// H + dt² (v·∇∇U·v/12 − Σ F²/m/24), stays within a bounded distance of it, so that both have the same drift.
/// R. D. Skeel, D. J. Hardy, SIAM J. Sci. Comput. 23, 1172 (2001).
fn shadow_energies(start: &System, terms: TermSum, dt: f64, length: f64) -> [Vec<f64>; 3] {
    let mut state = (start.clone(), terms);
    let mut series = [const { Vec::new() }; 3];
    let masses = start.topology.masses.clone();
    let mut past: Vec<(Vec<Vec3>, Vec<Vec3>, f64)> = Vec::new();
    run(&Ensemble::Nve(NveConfig {}), dt, 1, &mut state, (length / dt).round() as usize, 1, |s, o, forces| {
        if let [(before, _, _), (here, v, energy)] = &past[..] {
            let change: f64 = v.iter().zip(forces.on.iter().zip(before)).map(|(v, (f, b))| v.dot(*f - *b)).sum();
            let squares: f64 = here.iter().zip(&masses).map(|(f, m)| f.norm2() / m).sum();
            // v·∇∇U·v = −v·dF/dt, by a central difference.
            series[0].push(s.time - dt);
            series[1].push(energy - dt / 24.0 * change - dt * dt / 24.0 * squares);
            series[2].push(*energy);
            past.remove(0);
        }
        past.push((forces.on.clone(), s.velocities.clone(), o.conserved));
    });
    series
}

/// Slope and standard error of an energy per atom (kJ/mol/ns/atom).
fn drift(label: &str, t: &[f64], e: &[f64], atoms: usize) -> (f64, f64) {
    let ns: Vec<f64> = t.iter().map(|t| t * 1e-3).collect();
    let per_atom: Vec<f64> = e.iter().map(|e| e / atoms as f64).collect();
    let (b, error) = slope(&ns, &per_atom, 50);
    let length = t[t.len() - 1] - t[0];
    println!(
        "{label}, {length:.1} ps: RMS {:.2e} kJ/mol, drift {b:+.2e} ± {error:.1e} kJ/mol/ns/atom",
        detrended_rms(t, e)
    );
    (b, error)
}

fn assert_small((drift, error): (f64, f64)) {
    assert!(drift.abs() + 1.96 * error < 1e-3, "drift {drift} ± {error} kJ/mol/ns/atom");
}

#[test]
#[ignore = "slow tier: a minute"]
fn nve_energy_fluctuates_with_the_square_of_the_time_step() {
    // From 1 fs down, and from 8 fs down, which argon allows.
    check_halving("argon", &[liquid(7).0], || argon().1, 4.0, &[0.008, 0.004, 0.002, 0.001, 0.0005]);
}

#[test]
#[ignore = "slow tier: a minute"]
fn nve_energy_does_not_drift() {
    let (t, e) = nve(&liquid(8).0, argon().1, 0.004, 400.0, 5);
    assert_small(drift("argon at 4 fs", &t, &e, ATOMS));
}

/// The electrolyte of `inputs/peo-litfsi.toml` with longer chains, some 700 atoms: minimised and 1 ps at 423 K, bonds
/// flexible. Its model cuts off smoothly: force switch, erfc(β r_c) = 1e-9, a mesh of order 8 (any mesh conserves
/// energy, but this one is also accurate).
fn electrolyte() -> (System, Model) {
    let deck = Path::new(env!("CARGO_MANIFEST_DIR")).join("inputs/peo-litfsi.toml");
    let (deck, source) =
        deck::read(&deck, &["system.molecule.PEO.monomers=14", "nonbonded.precision=\"double\""].map(String::from))
            .unwrap();
    let Prepared { mut model, mut system, .. } = prepare(&deck, &source, &Reporter::new(&Silent)).unwrap();
    let mut terms = all_terms(&model, &system);
    let minimum = MinimizeConfig { force_tolerance: Force(500.0), max_steps: 1000, max_move: Length(0.01), cell: None };
    minimize(&mut system, &mut terms, &minimum, &mut |_| ControlFlow::Continue(())).unwrap();
    draw_velocities(&mut system, 423.0, 3);
    let mut state = (system, terms);
    run(&warm(), 5e-4, 3, &mut state, 2000, 2000, |_, _, _| ());
    let Nonbonded { r_cut, modifier, .. } = model.nonbonded;
    assert!(matches!(modifier, Modifier::ForceSwitch { .. }));
    let (beta, order, mesh) = (special::ewald_beta(r_cut, 1e-9), 8, [40; 3]);
    let estimate = pme_force_error(&model.topology, &state.0.cell, r_cut, beta, order, mesh).unwrap();
    println!("{} atoms, PME: {estimate:?} kJ/mol/nm", state.0.n_atoms());
    model.nonbonded.coulomb = Coulomb::Pme { beta, order, mesh };
    (state.0, model)
}

/// Langevin at 423 K, strong enough for bonds drawn at rest to warm up within 1 ps.
fn warm() -> Ensemble {
    let mut warm = NvtConfig::new(ThermostatKind::Langevin, 423.0);
    warm.friction = Some(Rate(5.0));
    Ensemble::Nvt(warm)
}

fn all_terms(model: &Model, system: &System) -> TermSum {
    model.terms(&system.topology, &system.cell, &Conditions::default(), None).unwrap()
}

#[test]
#[ignore = "slow tier: minutes"]
fn nve_energy_of_an_electrolyte_fluctuates_with_the_square_of_the_time_step() {
    let (start, model) = electrolyte();
    let mut state = (start.clone(), all_terms(&model, &start));
    let starts: Vec<System> = (0..8)
        .map(|k| {
            run(&warm(), 5e-4, 10 + k, &mut state, 500, 500, |_, _, _| ());
            state.0.clone()
        })
        .collect();
    check_halving("PEO-LiTFSI", &starts, || all_terms(&model, &start), 0.2, &[0.001, 0.0005, 0.00025]);
}

#[test]
#[ignore = "slow tier: ten minutes"]
fn nve_energy_of_an_electrolyte_does_not_drift() {
    let (start, model) = electrolyte();
    let [t, shadow, total] = shadow_energies(&start, all_terms(&model, &start), 2.5e-4, 10.0);
    drift("PEO-LiTFSI at 0.25 fs, total energy", &t, &total, start.n_atoms());
    assert_small(drift("PEO-LiTFSI at 0.25 fs, shadow energy", &t, &shadow, start.n_atoms()));
}

/// The total energy itself, long enough for the slow breathing of the fast bonds' energy to average out.
#[test]
#[ignore = "slow tier: an hour"]
fn nve_total_energy_of_an_electrolyte_does_not_drift() {
    let (start, mut model) = electrolyte();
    // The forces of any mesh are the gradient of its energy: a coarse one conserves it as well as a fine one.
    let Coulomb::Pme { beta, .. } = model.nonbonded.coulomb else { panic!("no mesh") };
    model.nonbonded.coulomb = Coulomb::Pme { beta, order: 5, mesh: [20; 3] };
    let mut state = (start.clone(), all_terms(&model, &start));
    // Until the bonds, drawn at rest, have their share of the energy.
    run(&warm(), 5e-4, 4, &mut state, 40_000, 40_000, |_, _, _| ());
    let length = std::env::var("AMELO_DRIFT_PS").map_or(300.0, |t| t.parse().expect("AMELO_DRIFT_PS in ps"));
    let (t, e) = nve(&state.0, all_terms(&model, &start), 2.5e-4, length, 40);
    let long = drift("PEO-LiTFSI at 0.25 fs, total energy", &t, &e, start.n_atoms());
    assert_small(long);
}

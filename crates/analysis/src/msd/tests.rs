use std::sync::Arc;

use amelo_core::{AtomType, Cell, Molecule, System};
use amelo_math::philox::Noise;

use super::*;

/// Single-atom molecules `X` beside one oxide molecule of `oxide` atoms.
pub(super) fn topology(n_free: usize, oxide: usize) -> Topology {
    let n = n_free + oxide;
    let mut topology = Topology {
        types: vec![AtomType { name: "X".into(), element: "Li".into() }],
        type_of: vec![0; n].into(),
        names: vec!["X"; n].into(),
        masses: vec![6.94; n].into(),
        charges: vec![0.0; n].into(),
        nominal_charges: vec![0.0; n].into(),
        frozen: vec![false; n],
        ..Topology::default()
    };
    if oxide > 0 {
        topology.molecules.push(Molecule { kind: "oxide".into(), first: 0, count: oxide });
        topology.groups.insert("oxide".into(), (0..oxide as u32).collect());
    }
    topology.molecules.extend((oxide..n).map(|first| Molecule { kind: "X".into(), first, count: 1 }));
    topology.groups.insert("X".into(), (oxide as u32..n as u32).collect());
    topology
}

fn config(text: serde_json::Value) -> MsdConfig {
    serde_json::from_value(text).unwrap()
}

fn analysis(config: &MsdConfig, topology: &Topology) -> Box<dyn Analysis> {
    config.build(topology, &Context { temperature: Some(423.0), seed: 7 }).unwrap()
}

/// Feeds frames whose displacements at step k are what `positions(k)` says.
fn feed(
    analysis: &mut dyn Analysis,
    topology: &Topology,
    cell: Cell,
    n_frames: u64,
    mut displacements: impl FnMut(u64) -> Vec<Vec3>,
) {
    let n = topology.n_atoms();
    let mut system = System::new(Arc::new(topology.clone()), cell, vec![Vec3::ZERO; n]);
    for k in 0..n_frames {
        system.displacements = displacements(k);
        (system.step, system.time) = (10 * k, 0.5 * k as f64);
        analysis.observe(&system.frame()).unwrap();
    }
}

/// Brownian steps with variance 2 D dt per component.
fn brownian(seed: u64, n: usize, diffusion: f64, dt: f64) -> impl FnMut(u64) -> Vec<Vec3> {
    let noise = Noise::new(seed, 77);
    let mut r = vec![Vec3::ZERO; n];
    move |k| {
        for (i, r) in r.iter_mut().enumerate() {
            *r += noise.normal3(i as u32, k, 0) * (2.0 * diffusion * dt).sqrt();
        }
        r.clone()
    }
}

fn cube() -> Cell {
    Cell::orthorhombic(5.0, 5.0, 5.0).unwrap()
}

fn number<'a>(outcome: &'a Outcome, part: &str) -> &'a Quantity {
    outcome.quantities.iter().find(|q| q.name.contains(part)).unwrap_or_else(|| panic!("{part}: {outcome:?}"))
}

fn names(outcome: &Outcome) -> Vec<&str> {
    outcome.quantities.iter().map(|q| q.name.as_str()).collect()
}

#[test]
fn brownian_motion_gives_d_within_its_interval_in_95_of_100_runs() {
    let (trials, diffusion) = (150, 0.02);
    let topology = topology(24, 0);
    let config = config(json!({"group": "X", "reference": "box"}));
    let (mut called, mut covered, mut alpha_covered) = (0, 0, 0);
    for seed in 0..trials {
        let mut msd = analysis(&config, &topology);
        feed(msd.as_mut(), &topology, cube(), 400, brownian(seed, 24, diffusion, 0.5));
        let out = msd.finish().unwrap();
        let alpha = number(&out, "alpha").ci95.unwrap();
        alpha_covered += usize::from(alpha[0] < 1.0 && 1.0 < alpha[1]);
        let d = out.quantities.iter().find(|q| q.name.contains(": D")).unwrap();
        called += usize::from(d.name == "X: D");
        // Å²/ps are the second unit; 1 nm²/ps = 10⁻² cm²/s.
        let [low, high] = d.ci95.unwrap();
        covered += usize::from(low < diffusion * 1e-2 && diffusion * 1e-2 < high);
        assert!((d.also[0].value / (d.value.unwrap() * 1e4) - 1.0).abs() < 1e-12);
    }
    // 3 standard deviations of 150 trials at 95 %: 5.3 %.
    let part = |n: usize| n as f64 / trials as f64;
    assert!((0.897..=0.995).contains(&part(covered)), "D covered in {}", part(covered));
    assert!((0.897..=1.0).contains(&part(alpha_covered)), "alpha covered in {}", part(alpha_covered));
    // So few particles only sometimes prove α = 1 to ± 0.1, but they do.
    assert!(called > 0, "never called D");
}

#[test]
fn plenty_of_brownian_particles_are_called_diffusive() {
    let topology = topology(400, 0);
    let mut msd = analysis(&config(json!({"group": "X", "reference": "box"})), &topology);
    feed(msd.as_mut(), &topology, cube(), 1000, brownian(3, 400, 0.02, 0.5));
    let out = msd.finish().unwrap();
    let d = number(&out, "X: D");
    assert_eq!(d.name, "X: D");
    assert!((d.value.unwrap() / 2e-4 - 1.0).abs() < 0.1 && d.n_independent == 5);
    assert_eq!(d.settings["temperature_K"], 423.0);
    assert_eq!(d.settings["motion"], "diffusive");
    assert_eq!(d.settings["finite_size_correction"], "not available");
    let window = d.window.as_ref().unwrap();
    assert!(window.to / window.from >= HALF_DECADE && window.to <= 0.2 * 499.5);
    assert!(out.curves[0].series[0].error.is_some());
}

#[test]
fn ballistic_motion_has_exponent_two_and_no_d() {
    let topology = topology(50, 0);
    let mut msd = analysis(&config(json!({"group": "X", "reference": "box"})), &topology);
    let noise = Noise::new(1, 77);
    feed(msd.as_mut(), &topology, cube(), 300, |k| {
        (0..50).map(|i| noise.normal3(i, 0, 0) * (0.1 * k as f64)).collect()
    });
    let out = msd.finish().unwrap();
    assert!((number(&out, "alpha").value.unwrap() - 2.0).abs() < 1e-9);
    assert!(names(&out).iter().all(|n| !n.ends_with(": D")));
    // A straight path never forgets itself... but its squared displacement is the same from every origin.
    let alpha = &out.curves.iter().find(|c| c.symbol == "α(t)").unwrap().series[0].values;
    assert!(alpha.iter().filter(|a| a.is_finite()).all(|a| (a - 2.0).abs() < 1e-9));
}

/// A bead of an ideal Rouse chain: a sum of Ornstein–Uhlenbeck modes with τ_p ∝ p⁻² has g₁ ∝ t^½ between the
/// shortest and the longest of them (M. Doi, S. F. Edwards, The Theory of Polymer Dynamics (1986), chapter 4).
#[test]
fn a_rouse_chain_is_sub_diffusive_and_has_no_d() {
    let (n, modes) = (60, 40);
    let topology = topology(n, 0);
    let mut msd = analysis(&config(json!({"group": "X", "reference": "box"})), &topology);
    let noise = Noise::new(5, 77);
    let decay: Vec<f64> = (1..=modes).map(|p| amelo_math::special::exp(-0.5 * f64::from(p * p) / 2000.0)).collect();
    let mut x: Vec<Vec<Vec3>> = (0..n as u32)
        .map(|i| (0..modes as u32).map(|p| noise.normal3(i, u64::from(p), 1_000_000) / f64::from(p + 1)).collect())
        .collect();
    feed(msd.as_mut(), &topology, cube(), 1000, |k| {
        x.iter_mut()
            .zip(0..)
            .map(|(modes, i)| {
                for (p, mode) in modes.iter_mut().enumerate() {
                    let kick = (1.0 - decay[p] * decay[p]).sqrt() / (p + 1) as f64;
                    *mode = *mode * decay[p] + noise.normal3(i, k, p as u32) * kick;
                }
                modes.iter().copied().sum()
            })
            .collect()
    });
    let out = msd.finish().unwrap();
    let alpha = number(&out, "alpha");
    assert!((alpha.value.unwrap() - 0.5).abs() < 0.1, "{alpha:?}");
    let apparent = number(&out, "D_app");
    assert!(apparent.name.starts_with("X: D_app(") && apparent.definition.contains("not a diffusion coefficient"));
    assert_eq!(apparent.settings["motion"], "sub-diffusive");
    assert!(names(&out).iter().all(|n| !n.ends_with(": D")));
    assert!(out.notes.iter().any(|n| n.contains("sub-diffusive")));
}

#[test]
fn fewer_than_four_blocks_give_no_interval_and_no_d() {
    let topology = topology(400, 0);
    let mut msd = analysis(&config(json!({"group": "X", "reference": "box", "blocks": 3})), &topology);
    feed(msd.as_mut(), &topology, cube(), 500, brownian(3, 400, 0.02, 0.5));
    let out = msd.finish().unwrap();
    for q in &out.quantities {
        assert!(q.ci95.is_none() && q.no_interval.as_ref().unwrap().starts_with("no interval"), "{q:?}");
        assert!(!q.name.ends_with(": D"));
    }
    assert!(out.curves.iter().all(|c| c.series.iter().all(|s| s.error.is_none())));
}

#[test]
fn four_independent_runs_give_the_interval_by_themselves() {
    let topology = topology(100, 0);
    let mut msd = analysis(&config(json!({"group": "X", "reference": "box"})), &topology);
    for seed in 0..4 {
        msd.new_run();
        feed(msd.as_mut(), &topology, cube(), 200, brownian(seed, 100, 0.02, 0.5));
    }
    let out = msd.finish().unwrap();
    let alpha = number(&out, "alpha");
    assert_eq!((alpha.n_independent, &alpha.settings["independent_units"]), (4, &json!("runs")));
}

#[test]
fn drift_of_the_oxide_is_taken_out_exactly() {
    let topology = topology(20, 10);
    let mut still = brownian(9, 30, 0.02, 0.5);
    let mut moving = brownian(9, 30, 0.02, 0.5);
    let config = config(json!({"group": "X"}));
    let mut results = vec![];
    for drift in [0.0, 0.3] {
        let mut msd = analysis(&config, &topology);
        let walk: &mut dyn FnMut(u64) -> Vec<Vec3> = if drift == 0.0 { &mut still } else { &mut moving };
        feed(msd.as_mut(), &topology, cube(), 200, |k| {
            walk(k).into_iter().map(|r| r + Vec3::new(drift * k as f64, 0.0, 0.0)).collect()
        });
        results.push(msd.finish().unwrap().curves[0].series[0].values.clone());
    }
    assert!(results[0].iter().zip(&results[1]).all(|(a, b)| (a / b - 1.0).abs() < 1e-9));
}

/// Two states with different mobility and random exchange: who stays in layer 1 has its D, and the share of those
/// who stay decays as exp(−k t); the average over all is neither.
#[test]
fn layers_with_survival_agree_with_the_two_state_model() {
    let n = 400;
    let oxide = 36;
    let topology = topology(n, oxide);
    let (rate, dt, diffusion) = (0.05, 0.5, [0.002, 0.05]);
    let config = config(json!({"group": "X", "layers": "surface-distance", "layer_edges": ["0.6 nm"]}));
    let mut msd = analysis(&config, &topology);
    let cell = Cell::orthorhombic(3.0, 3.0, 6.0).unwrap();
    let noise = Noise::new(12, 77);
    let mut state: Vec<usize> = (0..n).map(|i| i % 2).collect();
    let mut system = System::new(Arc::new(topology.clone()), cell, vec![Vec3::ZERO; n + oxide]);
    let stay = amelo_math::special::exp(-rate * dt);
    for k in 0..1500u64 {
        for i in 0..oxide {
            system.positions[i] = Vec3::new(0.5 * (i % 6) as f64, 0.5 * (i / 6) as f64, 1.0);
        }
        for i in 0..n {
            let step = noise.normal3(i as u32, k, 0) * (2.0 * diffusion[state[i]] * dt).sqrt();
            system.displacements[oxide + i] += Vec3::new(step.x, step.y, 0.0);
            if noise.uniform2(i as u32, k, 9)[0] > stay {
                state[i] = 1 - state[i];
            }
            // Right above an oxide atom at 0.3 nm, or out at 1.5 nm.
            let height = if state[i] == 0 { 1.3 } else { 2.5 };
            system.positions[oxide + i] = Vec3::new(0.5 * (i % 6) as f64, 0.0, height);
        }
        (system.step, system.time) = (k, dt * k as f64);
        msd.observe(&system.frame()).unwrap();
    }
    let out = msd.finish().unwrap();
    let g = out.curves.iter().find(|c| c.symbol == "g₁(t)").unwrap();
    let labels: Vec<&str> = g.series.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(labels, ["X", "X, in-plane", "X, in-plane, 0–0.6 nm", "X, in-plane, > 0.6 nm"]);
    let survival = out.curves.iter().find(|c| c.symbol == "P(t)").unwrap();
    for (layer, d) in diffusion.into_iter().enumerate() {
        for (k, &t) in g.x.values.iter().enumerate().filter(|(_, t)| **t < 40.0) {
            let expected = 4.0 * d * t;
            let found = g.series[2 + layer].values[k];
            assert!((found / expected - 1.0).abs() < 0.06, "layer {layer}, t {t}: {found} {expected}");
            let p = amelo_math::special::exp(-rate * t);
            let found = survival.series[layer].values[k];
            assert!((found - p).abs() < 0.03, "layer {layer}, P({t}) = {found}, {p}");
        }
    }
    let mixed = g.series[1].values[0] / (4.0 * 0.5 * (diffusion[0] + diffusion[1]) * dt);
    assert!((mixed - 1.0).abs() < 0.05, "all together: {mixed}");
    let residence = number(&out, "> 0.6 nm: residence time");
    assert!((residence.value.unwrap() * rate - 1.0).abs() < 0.1, "{residence:?}");
}

#[test]
fn uneven_frames_and_wrong_settings_are_refused_with_their_key() {
    let topology = topology(2, 0);
    let mut msd = analysis(&config(json!({"group": "X"})), &topology);
    let mut system = System::new(Arc::new(topology.clone()), cube(), vec![Vec3::ZERO; 2]);
    for (step, time, fine) in [(0, 0.0, true), (1, 1.0, true), (1, 1.0, true), (2, 2.0, true), (3, 2.5, false)] {
        (system.step, system.time) = (step, time);
        assert_eq!(msd.observe(&system.frame()).is_ok(), fine, "step {step}");
    }
    let refused = |value| config(value).build(&topology, &Context::default()).err().unwrap();
    let error = refused(json!({"group": "PEO"}));
    assert_eq!(error.key(), Some("group"));
    assert!(error.to_string().contains("\"X\""), "{error}");
    assert_eq!(refused(json!({"group": "X", "layers": "surface-distance"})).key(), Some("layers"));
    assert_eq!(refused(json!({"group": "X", "longest_lag": 0.5})).key(), Some("longest_lag"));
    assert_eq!(refused(json!({"group": "X", "blocks": 40})).key(), Some("blocks"));
    let unknown = serde_json::from_value::<MsdConfig>(json!({"group": "X", "lags": 3}));
    assert!(unknown.unwrap_err().to_string().contains("unknown field"));
}

#[test]
fn a_single_frame_is_too_few() {
    let topology = topology(2, 0);
    let mut msd = analysis(&config(json!({"group": "X"})), &topology);
    assert!(matches!(msd.finish(), Err(AnalysisError::TooFewFrames { .. })));
    feed(msd.as_mut(), &topology, cube(), 1, |_| vec![Vec3::ZERO; 2]);
    assert!(matches!(msd.finish(), Err(AnalysisError::TooFewFrames { found: 1, .. })));
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let topology = topology(30, 0);
    let config = config(json!({"group": "X", "reference": "system"}));
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut msd = analysis(&config, &topology);
            feed(msd.as_mut(), &topology, cube(), 200, brownian(3, 30, 0.02, 0.5));
            serde_json::to_string(&crate::Results::new([msd.finish().unwrap()])).unwrap()
        })
    };
    assert_eq!(run(1), run(3));
}

//! Long-range forces on every n-th step: order of the method, agreement with n = 1, restarts, what is seen at a boundary,
//! refusals.

mod common;

use amelo_core::{ForceError, ForceProvider, Forces, Part, Request, State, System};
use amelo_dynamics::{
    Coupling, DynamicsError, Ensemble, Integrator, IntegratorSettings, NptConfig, NveConfig, NvtConfig, ThermostatKind,
    draw_velocities,
};
use amelo_math::Vec3;
use common::{Springs, Wells, dumbbells};

/// Springs between neighbours, of short range; every atom in a soft well, of long range.
struct Model {
    springs: Springs,
    wells: Wells,
    /// Evaluations of the wells.
    long: usize,
}

impl ForceProvider for Model {
    fn evaluate(&mut self, system: &System, want: Request, out: &mut Forces) -> Result<(), ForceError> {
        let mut wells = Forces::default();
        self.evaluate_part(Part::Short, system, want, out)?;
        self.evaluate_part(Part::Long, system, want, &mut wells)?;
        out.on.iter_mut().zip(&wells.on).for_each(|(sum, f)| *sum += *f);
        out.energy.add("wells", wells.energy.potential());
        Ok(())
    }

    fn evaluate_part(
        &mut self,
        part: Part,
        system: &System,
        want: Request,
        out: &mut Forces,
    ) -> Result<(), ForceError> {
        match part {
            Part::Whole => self.evaluate(system, want, out),
            Part::Short => self.springs.evaluate(system, want, out),
            Part::Long => {
                self.long += 1;
                self.wells.evaluate(system, want, out)
            }
        }
    }
}

/// Eight dumbbells on a grid, four springs between each and the next; each atom's well is where it stands.
fn start() -> (System, Model) {
    let mut system = dumbbells(8, 12.0, 14.0, 0.15, 4.0);
    for k in 0..8 {
        let d = system.unwrapped(2 * k + 1) - system.unwrapped(2 * k);
        let corner = Vec3::new((k % 2) as f64, (k / 2 % 2) as f64, (k / 4) as f64) * 0.9;
        system.positions[2 * k] = corner;
        system.positions[2 * k + 1] = corner + d;
    }
    system.images.fill([0; 3]);
    let wells =
        Wells { sites: system.positions.clone(), stiffness: (0..16).map(|k| 300.0 + 40.0 * k as f64).collect() };
    system.wrap();
    let pairs = (0..7).map(|k| [2 * k + 1, 2 * k + 2]).collect();
    let springs = Springs { pairs, k: 8000.0, r0: 0.8 };
    draw_velocities(&mut system, 300.0, 5);
    (system, Model { springs, wells, long: 0 })
}

fn integrator(ensemble: Ensemble, timestep: f64, every: u64, system: &System) -> Integrator {
    let settings = IntegratorSettings {
        timestep,
        seed: 2026,
        remove_com: false,
        long_range_every: every,
        ..IntegratorSettings::default()
    };
    Integrator::new(ensemble, settings, system).unwrap()
}

/// Positions after 0.48 ps, and the largest deviation of the energy at the boundaries of long-range kicks.
fn run(timestep: f64, every: u64) -> (Vec<Vec3>, f64) {
    let (mut system, mut model) = start();
    let mut integrator = integrator(Ensemble::Nve(NveConfig {}), timestep, every, &system);
    integrator.start(&mut system, &mut model).unwrap();
    let first = integrator.observe(&system).conserved;
    let mut worst = 0.0_f64;
    for step in 1..=(0.48 / timestep).round() as u64 {
        let due = step % every == 0;
        integrator.step(&mut system, &mut model, if due { Request::ALL } else { Request::FORCES }).unwrap();
        if due {
            worst = worst.max((integrator.observe(&system).conserved - first).abs());
        }
    }
    ((0..system.n_atoms()).map(|i| system.unwrapped(i)).collect(), worst)
}

#[test]
fn errors_fall_with_the_square_of_the_time_step() {
    let (exact, _) = run(0.00025, 1);
    let away = |r: &[Vec3]| r.iter().zip(&exact).map(|(a, b)| (*a - *b).norm()).fold(0.0, f64::max);
    for every in [2, 3, 4] {
        let ((coarse, energy), (fine, finer_energy)) = (run(0.002, every), run(0.001, every));
        let (ratio, energies) = (away(&coarse) / away(&fine), energy / finer_energy);
        assert!((3.3..4.8).contains(&ratio), "{every}: {} and {}", away(&coarse), away(&fine));
        assert!((3.3..4.8).contains(&energies), "{every}: {energy} and {finer_energy}");
        // Of atoms that move some 0.2 nm.
        assert!(away(&fine) < 0.01, "{every}: {}", away(&fine));
    }
}

#[test]
fn long_range_forces_are_evaluated_when_they_kick_or_are_asked_for() {
    let (mut system, mut model) = start();
    let mut integrator = integrator(Ensemble::Nve(NveConfig {}), 0.001, 4, &system);
    integrator.start(&mut system, &mut model).unwrap();
    let mut evaluations = Vec::new();
    for step in 1..=12 {
        let before = model.long;
        integrator.step(&mut system, &mut model, if step == 7 { Request::ALL } else { Request::FORCES }).unwrap();
        if model.long > before {
            evaluations.push(step);
            let mut whole = Forces::default();
            model.evaluate(&system, Request::ALL, &mut whole).unwrap();
            assert_eq!(integrator.forces().on, whole.on, "step {step}");
            assert_eq!(integrator.forces().energy.potential(), whole.energy.potential(), "step {step}");
        }
    }
    assert_eq!(evaluations, [4, 7, 8, 12]);
}

#[test]
fn forty_steps_are_seventeen_and_a_restart_and_twenty_three() {
    let mut ensembles = vec![Ensemble::Nve(NveConfig {})];
    ensembles.extend(ThermostatKind::ALL.iter().map(|&t| Ensemble::Nvt(NvtConfig::new(t, 300.0))));
    for ensemble in ensembles {
        for every in [2, 3, 4] {
            // What is asked for on the way must not show either.
            let advance =
                |system: &mut System, model: &mut Model, integrator: &mut Integrator, steps: u64, ask: u64| {
                    for step in 1..=steps {
                        let want = if step % ask == 0 { Request::ALL } else { Request::FORCES };
                        integrator.step(system, model, want).unwrap();
                    }
                };
            let (mut whole, mut model) = start();
            let mut one = integrator(ensemble.clone(), 0.002, every, &whole);
            one.start(&mut whole, &mut model).unwrap();
            advance(&mut whole, &mut model, &mut one, 40, 40);

            let (mut parts, mut model) = start();
            let mut first = integrator(ensemble.clone(), 0.002, every, &parts);
            first.start(&mut parts, &mut model).unwrap();
            advance(&mut parts, &mut model, &mut first, 17, 5);
            let mut state = State::default();
            first.save(&mut state);
            let mut second = integrator(ensemble.clone(), 0.002, every, &parts);
            second.restore(&parts, &state).unwrap();
            second.start(&mut parts, &mut model).unwrap();
            advance(&mut parts, &mut model, &mut second, 23, 23);
            assert_eq!(whole.positions, parts.positions, "{ensemble:?} {every}");
            assert_eq!(whole.velocities, parts.velocities, "{ensemble:?} {every}");
            assert_eq!(one.observe(&whole), second.observe(&parts), "{ensemble:?} {every}");
        }
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let (system, _) = start();
    let refusal = |ensemble: Ensemble, timestep: f64, every: u64| {
        let settings = IntegratorSettings { timestep, long_range_every: every, ..IntegratorSettings::default() };
        match Integrator::new(ensemble, settings, &system) {
            Err(DynamicsError::Setting { key: "long_range_every", message }) => message,
            Err(other) => panic!("{other}"),
            Ok(_) => String::new(),
        }
    };
    let nve = || Ensemble::Nve(NveConfig {});
    assert!(refusal(nve(), 0.002, 0).contains("0 steps"));
    assert!(refusal(nve(), 0.004, 3).contains("at most 10 fs"));
    assert!(refusal(nve(), 0.0025, 4).is_empty());
    let npt = || Ensemble::Npt(NptConfig::new(ThermostatKind::VRescale, Coupling::Isotropic, 300.0, 0.06));
    assert!(refusal(npt(), 0.002, 2).contains("barostat"));
    assert!(refusal(npt(), 0.002, 1).is_empty());
}

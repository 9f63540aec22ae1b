//! run(40) = run(n), save, restore, run(40 − n): bitwise, for every thermostat, barostat coupling and with constraints.

mod common;

use amelo_core::{Request, State, System};
use amelo_dynamics::{
    Coupling, Ensemble, Integrator, NptConfig, NveConfig, NvtConfig, ThermostatKind, draw_velocities,
};
use common::{LennardJones, dumbbells, integrator};

fn ensembles() -> Vec<(String, Ensemble)> {
    let mut list = vec![("nve".to_string(), Ensemble::Nve(NveConfig {}))];
    for &thermostat in ThermostatKind::ALL {
        list.push((format!("nvt {}", thermostat.name()), Ensemble::Nvt(NvtConfig::new(thermostat, 300.0))));
        for coupling in [Coupling::Isotropic, Coupling::SemiIsotropic, Coupling::Z] {
            let npt = NptConfig::new(thermostat, coupling, 300.0, 0.06);
            list.push((format!("npt {} {coupling:?}", thermostat.name()), Ensemble::Npt(npt)));
        }
    }
    list
}

fn lj() -> LennardJones {
    LennardJones { epsilon: 0.5, sigma: 0.2, cutoff: 0.6 }
}

fn start() -> System {
    // Dumbbells on a grid, so that no two overlap.
    let mut system = dumbbells(8, 12.0, 1.0, 0.1, 1.4);
    for k in 0..8 {
        let d = system.unwrapped(2 * k + 1) - system.unwrapped(2 * k);
        let corner = amelo_math::Vec3::new((k % 2) as f64, (k / 2 % 2) as f64, (k / 4) as f64) * 0.7;
        system.positions[2 * k] = corner;
        system.positions[2 * k + 1] = corner + d;
    }
    system.images.fill([0; 3]);
    system.wrap();
    draw_velocities(&mut system, 300.0, 5);
    system
}

fn bits(system: &System, integrator: &Integrator) -> Vec<u64> {
    let o = integrator.observe(system);
    let vectors = system.positions.iter().chain(&system.velocities).chain(&system.displacements);
    let forces = integrator.forces().on.iter();
    let mut bits: Vec<u64> = vectors.chain(forces).flat_map(|v| v.to_array()).map(f64::to_bits).collect();
    bits.extend(system.images.iter().flatten().map(|&i| i as u64));
    bits.extend([o.conserved, o.potential, o.temperature, o.kinetic_full, system.time].map(f64::to_bits));
    bits.extend(o.pressure.to_array().into_iter().flatten().map(f64::to_bits));
    bits.extend(system.cell.vectors().to_array().into_iter().flatten().map(f64::to_bits));
    bits
}

fn advance(system: &mut System, integrator: &mut Integrator, steps: usize) {
    for step in 1..=steps {
        // What a barostat needs it has to ask for itself.
        let want = if step == steps { Request::ALL } else { Request::FORCES };
        integrator.step(system, &mut lj(), want).unwrap();
    }
}

#[test]
fn forty_steps_are_some_and_a_restart_and_the_rest() {
    // The cell changes in the tenth step, and that is booked in the eleventh.
    for ((name, ensemble), before) in ensembles().into_iter().flat_map(|e| [10, 11, 17].map(|n| (e.clone(), n))) {
        let mut whole = start();
        let mut one = integrator(ensemble.clone(), 0.002, true, &whole);
        one.start(&mut whole, &mut lj()).unwrap();
        advance(&mut whole, &mut one, 40);

        let mut parts = start();
        let mut first = integrator(ensemble.clone(), 0.002, true, &parts);
        first.start(&mut parts, &mut lj()).unwrap();
        advance(&mut parts, &mut first, before);
        let mut state = State::default();
        first.save(&mut state);
        drop(first);
        let mut parts = parts.clone();
        let mut second = integrator(ensemble, 0.002, true, &parts);
        second.restore(&parts, &state).unwrap();
        second.start(&mut parts, &mut lj()).unwrap();
        advance(&mut parts, &mut second, 40 - before);

        assert_eq!(whole.step, 40);
        assert!((whole.time - 0.08).abs() < 1e-15);
        assert!(bits(&whole, &one) == bits(&parts, &second), "{name}: the restarted run has other bits");
    }
}

#[test]
fn another_ensemble_s_state_is_refused() {
    let mut system = start();
    let mut nve = integrator(Ensemble::Nve(NveConfig {}), 0.002, true, &system);
    nve.start(&mut system, &mut lj()).unwrap();
    let mut state = State::default();
    nve.save(&mut state);
    let nvt = Ensemble::Nvt(NvtConfig::new(ThermostatKind::NoseHoover, 300.0));
    assert!(integrator(nvt, 0.002, true, &system).restore(&system, &state).is_err());
}

#[test]
fn stages_draw_different_noise_from_one_seed() {
    let langevin = Ensemble::Nvt(NvtConfig::new(ThermostatKind::Langevin, 300.0));
    let velocity = |stream: u32| {
        let mut system = start();
        let settings = amelo_dynamics::IntegratorSettings { stream, ..Default::default() };
        let mut i = Integrator::new(langevin.clone(), settings, &system).unwrap();
        i.start(&mut system, &mut lj()).unwrap();
        i.step(&mut system, &mut lj(), Request::ALL).unwrap();
        system.velocities[0]
    };
    assert_eq!(velocity(1), velocity(1));
    assert_ne!(velocity(1), velocity(2));
}

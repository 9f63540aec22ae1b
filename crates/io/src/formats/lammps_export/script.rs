//! The input script.

use amelo_core::Coulomb;
use amelo_core::units::EV;
use amelo_math::Vec3;

use super::ANGSTROM;
use super::bonded::{Bonded, Table};
use super::data::Shape;
use super::pairs::Pairs;
use super::special::Factors;
use crate::formats::model::{Model, line, number};

/// Steps of the run, unless `-var steps N` says otherwise.
const STEPS: u64 = 1000;

/// Assignment orders that PPPM has.
const ORDERS: [usize; 2] = [2, 7];

/// Accuracy that is asked of the reciprocal sum where splitting parameter and mesh are given: only printed.
const PPPM_ACCURACY: f64 = 1e-5;

/// Bounds of the accuracy asked of `ewald`, which chooses its waves by it.
const EWALD_ACCURACY: [f64; 2] = [1e-14, 1e-4];

pub(super) fn text(
    model: &Model,
    data_name: &str,
    bonded: &Bonded,
    factors: &Factors,
    pairs: &Pairs,
    shape: &Shape,
    notes: &mut Vec<String>,
) -> String {
    let topology = model.topology();
    let mut out = format!("# {}: written by amelo\n", line(model.title));
    let mut put = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    put("units real\natom_style full".into());
    put(format!("boundary p p {}", if shape.slab.is_some() { "f" } else { "p" }));
    if shape.large_tilt {
        put("box tilt large".into());
    }
    let [two, three, four] = factors.0;
    let column = |k: usize| [two, three, four].map(|f| number(f[k])).join(" ");
    put(format!("special_bonds lj {} coul {}", column(0), column(1)));
    put(format!("pair_style {}", pairs.style));
    let tables = [
        ("bond", &bonded.bonds),
        ("angle", &bonded.angles),
        ("dihedral", &bonded.dihedrals),
        ("improper", &bonded.impropers),
    ];
    for (name, table) in tables {
        match table.styles().as_slice() {
            [] => {}
            [style] => put(format!("{name}_style {style}")),
            several => put(format!("{name}_style hybrid {}", several.join(" "))),
        }
    }
    put(format!("read_data {data_name}\n"));
    pairs.lines.iter().for_each(|line| put(line.clone()));
    for (name, table) in tables {
        let hybrid = table.styles().len() > 1;
        for (k, (style, coefficients, _)) in table.types.iter().enumerate() {
            let style = if hybrid { format!("{style} ") } else { String::new() };
            put(format!("{name}_coeff {} {style}{coefficients}", k + 1));
        }
    }
    kspace(model, shape, notes).into_iter().for_each(&mut put);
    put("\nneighbor 2.0 bin\nneigh_modify every 1 delay 0 check yes".into());

    let frozen: Vec<usize> = (0..topology.n_atoms()).filter(|&a| topology.frozen[a]).collect();
    let mobile = if frozen.is_empty() { "all" } else { "mobile" };
    if !frozen.is_empty() {
        ranges(&frozen).chunks(20).for_each(|part| put(format!("group frozen id {}", part.join(" "))));
        put(
            "group mobile subtract all frozen\nvelocity frozen set 0.0 0.0 0.0\nfix frozen frozen setforce 0.0 0.0 0.0"
                .into(),
        );
    }
    if let Some(field) = model.electric_field.filter(|f| *f != Vec3::ZERO) {
        let [x, y, z] = field.to_array().map(|e| number(e / EV / ANGSTROM));
        put(format!("fix field all efield {x} {y} {z}"));
    }
    put(format!("fix nve {mobile} nve"));
    let held = |letter: &str, table: &Table| {
        let held: Vec<String> = table.held().iter().map(usize::to_string).collect();
        if held.is_empty() { String::new() } else { format!(" {letter} {}", held.join(" ")) }
    };
    let shake = held("b", &bonded.bonds) + &held("a", &bonded.angles);
    if !shake.is_empty() {
        put(format!("fix constraints {mobile} shake 1.0e-10 500 0{shake}"));
        notes.push("LAMMPS leaves constrained bonds and angles out of its energies".into());
    }
    put(format!("\ntimestep {}", number(1e3 * model.timestep)));
    put("thermo 100".into());
    put("thermo_style custom step temp etotal ke pe ebond eangle edihed eimp evdwl ecoul elong etail press vol".into());
    put("thermo_modify norm no format float %.15g".into());
    put(format!("variable steps index {STEPS}\nrun ${{steps}}"));
    out
}

/// The reciprocal sum with our splitting parameter and mesh.
fn kspace(model: &Model, shape: &Shape, notes: &mut Vec<String>) -> Vec<String> {
    let gewald = |beta: f64| format!("kspace_modify gewald {}", number(beta / ANGSTROM));
    let mut lines = match model.nonbonded.coulomb {
        Coulomb::None | Coulomb::Cutoff => return Vec::new(),
        Coulomb::Ewald { beta, tolerance } => {
            let [least, most] = EWALD_ACCURACY;
            vec![format!("kspace_style ewald {}", number(tolerance.clamp(least, most))), gewald(beta)]
        }
        Coulomb::Pme { beta, order, mesh: [x, y, z] } => {
            let [least, most] = ORDERS;
            if order > most {
                notes
                    .push(format!("PPPM has orders up to {most}, not {order}: its forces are that much less accurate"));
            }
            let order = order.clamp(least, most);
            let mesh = format!("{} mesh {x} {y} {z} order {order}", gewald(beta));
            vec![format!("kspace_style pppm {}", number(PPPM_ACCURACY)), mesh]
        }
    };
    notes.push(
        "LAMMPS' Coulomb constant is 1.0e-8 smaller, its erfc good to 1.5e-7, and its mesh method another one: Coulomb \
         energies agree to the accuracy of the mesh"
            .into(),
    );
    lines.extend(shape.slab.map(|factor| format!("kspace_modify slab {}", number(factor))));
    lines
}

/// Atoms (from 0, ascending) as LAMMPS' ranges `1:10 12`.
fn ranges(atoms: &[usize]) -> Vec<String> {
    let mut found: Vec<[usize; 2]> = Vec::new();
    for id in atoms.iter().map(|a| a + 1) {
        match found.last_mut() {
            Some([_, last]) if *last + 1 == id => *last = id,
            _ => found.push([id, id]),
        }
    }
    found.into_iter().map(|[a, b]| if a == b { a.to_string() } else { format!("{a}:{b}") }).collect()
}

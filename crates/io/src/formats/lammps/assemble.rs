//! From the settings of a script and its data file to a system, a pair table and non-bonded settings.

use std::path::Path;
use std::sync::Arc;

use amelo_core::{
    AtomType, Cell, Class, Constraint, Coulomb, Exclusions, Interactions, PairEntry, Provenance, ScaledPair, System,
    Topology,
};
use amelo_math::Vec3;

use super::data::Data;
use super::model::Model;
use super::types::Kind;
use super::units::LENGTH;
use super::{molecules, nonbonded};
use crate::formats::{ImportError, Imported, Place, elements};

const CLASSES: [Class; 4] = [Class::Bond, Class::Angle, Class::Dihedral, Class::Improper];

/// Everything together. `path` is the script, for what concerns it as a whole.
pub(super) fn assemble(path: &Path, mut model: Model) -> Result<Imported, ImportError> {
    let Some(data) = model.data.take() else {
        let place = Place { path: path.into(), line: 1 };
        return Err(ImportError::at(&place, "read_data", "the script reads no data file", "add read_data FILE"));
    };
    let units = model.units(&data.place)?;
    let cell = cell(&model, &data)?;
    let masses = masses(&data)?;
    let charges: Vec<f64> = data.atoms.iter().map(|a| a.charge).collect();
    let pairs = nonbonded::resolve(&mut model, &data, &cell, &charges, &units)?;
    if let (Some(place), None) = (&model.open_z, pairs.settings.slab) {
        let found = "the box is open along z, but there is no slab correction";
        let remedy = "use boundary p p p, or a coul/long style with kspace_style and kspace_modify slab";
        return Err(ImportError::at(place, "boundary", found, remedy));
    }

    vacuum_reaches(&model, &data, pairs.settings.r_cut)?;
    let n = data.atoms.len();
    let bonds: Vec<[u32; 2]> = data.links[0].iter().map(|b| [b.atoms[0], b.atoms[1]]).collect();
    let mut interactions = Vec::new();
    let mut one_four = Vec::new();
    for (k, class) in CLASSES.into_iter().enumerate() {
        interactions.extend(bonded(&model, &data, k, class, &mut one_four)?);
    }
    let (molecules, mixed) = molecules::molecules(n, &bonds, |a| data.atoms[a].kind);
    if mixed {
        model.notes.push(
            "atoms of some molecules are not numbered in a row; molecules whose ranges overlap count as one".into(),
        );
    }
    let types: Vec<AtomType> = (1..=data.types.counts[0])
        .map(|t| {
            let name = data.types.name(Kind::Atom, t);
            let element = data.masses[t - 1].map_or("X", |mass| elements::guess(&name, mass)).into();
            AtomType { name, element }
        })
        .collect();
    let mut topology = Topology {
        type_of: data.atoms.iter().map(|a| a.kind as u32 - 1).collect(),
        names: names(&data, &types).into(),
        types,
        masses: masses.into(),
        nominal_charges: charges.clone().into(),
        charges: charges.into(),
        residues: molecules::residues(&molecules),
        molecules,
        interactions: interactions.into(),
        frozen: vec![false; n],
        ..Topology::default()
    };
    let positions: Vec<Vec3> = data.atoms.iter().map(|a| a.position).collect();
    let distance = |[i, j]: [u32; 2]| cell.minimum_image(positions[i as usize] - positions[j as usize]).norm();
    close_pairs(&model, &data, &bonds, &one_four, &pairs, distance, &mut topology)?;
    topology.bonds = bonds.into();
    topology.bonds.iter_mut().for_each(|b| b.sort_unstable());
    topology.bonds.sort_unstable();
    topology.bonds.dedup();
    topology.constraints = constraints(&mut model, &data, &topology)?;

    let mut system = System::new(Arc::new(topology), cell, positions);
    for (atom, (image, velocity)) in data.atoms.iter().zip(system.images.iter_mut().zip(&mut system.velocities)) {
        (0..3).for_each(|axis| image[axis] += atom.image[axis]);
        *velocity = atom.velocity;
    }
    model.notes.push(format!(
        "{} atoms in the order of their numbers, from the box's lower corner ({:.6}, {:.6}, {:.6}) Å",
        n,
        data.origin.x / LENGTH,
        data.origin.y / LENGTH,
        data.origin.z / LENGTH
    ));
    let ignored = model.ignored.notes();
    model.notes.extend(ignored);
    Ok(Imported { system, pair_table: pairs.table, nonbonded: Some(pairs.settings), notes: model.notes })
}

/// The box, made higher by the slab factor.
fn cell(model: &Model, data: &Data) -> Result<Cell, ImportError> {
    let mut vectors = data.vectors;
    if let Some((factor, place)) = &model.kspace.slab {
        let at = |found: String, remedy: &str| Err(ImportError::at(place, "kspace_modify", found, remedy));
        if model.open_z.is_none() {
            return at("slab needs a box that is open along z".into(), "write boundary p p f");
        }
        if vectors[(2, 0)] != 0.0 || vectors[(2, 1)] != 0.0 {
            return at("slab needs a box whose c vector is along z".into(), "set xz and yz to zero");
        }
        vectors[(2, 2)] *= factor;
    }
    if model.open_z.is_some() {
        let height = data.vectors[(2, 2)];
        for atom in &data.atoms {
            if !(0.0..=height).contains(&atom.position.z) || atom.image[2] != 0 {
                let found = format!("atom {} lies outside the box along z, which is open there", atom.id);
                return Err(ImportError::at(&data.place, "read_data", found, "enlarge zlo zhi"));
            }
        }
    }
    Cell::new(vectors).map_err(|e| ImportError::at(&data.place, "read_data", e.to_string(), "check the box"))
}

/// The images of a film must not see each other in real space.
fn vacuum_reaches(model: &Model, data: &Data, r_cut: f64) -> Result<(), ImportError> {
    let Some((factor, place)) = &model.kspace.slab else { return Ok(()) };
    let vacuum = (factor - 1.0) * data.vectors[(2, 2)];
    if vacuum >= r_cut {
        return Ok(());
    }
    let found = format!("slab {factor} leaves {:.3} Å of vacuum, less than the cut-off", vacuum / LENGTH);
    Err(ImportError::at(place, "kspace_modify", found, "take a larger factor, 3.0 is usual"))
}

/// \[n_atoms\] masses (u).
fn masses(data: &Data) -> Result<Vec<f64>, ImportError> {
    let of = |kind: usize| {
        data.masses[kind - 1].ok_or_else(|| {
            let found = format!("atom type {} has no mass", data.types.name(Kind::Atom, kind));
            ImportError::at(&data.place, "read_data", found, "add a Masses section or the command mass")
        })
    };
    (1..=data.types.counts[0]).try_for_each(|t| of(t).map(|_| ()))?;
    data.atoms.iter().map(|a| of(a.kind)).collect()
}

/// Element and number within the molecule would need the molecule; the element and the atom's number do as well.
fn names(data: &Data, types: &[AtomType]) -> Vec<String> {
    data.atoms.iter().map(|a| format!("{}{}", types[a.kind - 1].element, a.id)).collect()
}

/// Interactions of one class by form; `one_four` gets the 1-4 pairs that dihedrals bring, with their weights.
fn bonded(
    model: &Model,
    data: &Data,
    k: usize,
    class: Class,
    one_four: &mut Vec<([u32; 2], f64)>,
) -> Result<Vec<Interactions>, ImportError> {
    let mut lists: Vec<Interactions> = Vec::new();
    let mut rows = std::collections::BTreeMap::new();
    for link in &data.links[k] {
        let (coefficients, _) = model.bonded[k].get(link.kind, &data.types, &data.at(link.line))?;
        for (t, (form, parameters)) in coefficients.terms.iter().enumerate() {
            let at = lists.iter().position(|l| l.form == *form).unwrap_or_else(|| {
                lists.push(Interactions {
                    class,
                    form: (*form).into(),
                    atoms: Vec::new(),
                    kind: Vec::new(),
                    parameters: Vec::new(),
                });
                lists.len() - 1
            });
            let list = &mut lists[at];
            let row = *rows.entry((link.kind, t)).or_insert_with(|| {
                list.parameters.push(parameters.clone());
                list.parameters.len() as u32 - 1
            });
            list.atoms.extend(&link.atoms[..class.arity()]);
            list.kind.push(row);
        }
        if coefficients.weight_14 > 0.0 {
            one_four.push(([link.atoms[0], link.atoms[3]], coefficients.weight_14));
        }
    }
    Ok(lists)
}

/// Exclusions, scaled pairs and the 1-4 pairs of `dihedral_style charmm`.
fn close_pairs(
    model: &Model,
    data: &Data,
    bonds: &[[u32; 2]],
    one_four: &[([u32; 2], f64)],
    pairs: &nonbonded::Interactions,
    distance: impl Fn([u32; 2]) -> f64,
    topology: &mut Topology,
) -> Result<(), ImportError> {
    let n = data.atoms.len();
    let special = model.special.pairs(n, bonds).map_err(|atom| {
        let found = format!("atom {} has more than 1000 partners within three bonds", data.atoms[atom].id);
        ImportError::at(&data.place, "special_bonds", found, "check the Bonds section")
    })?;
    let (mut excluded, mut scaled) = (special.excluded, special.scaled);
    let is_long = matches!(pairs.settings.coulomb, Coulomb::Ewald { .. } | Coulomb::Pme { .. });
    if is_long {
        // Beyond the cut-off LAMMPS takes nothing out of the sum over waves, be the factor zero or not.
        let listed: std::collections::BTreeSet<[u32; 2]> = scaled.iter().map(|p| p.atoms).collect();
        let far = |atoms: &[u32; 2]| !listed.contains(atoms) && distance(*atoms) >= pairs.settings.r_cut;
        let far: Vec<[u32; 2]> = excluded.iter().copied().filter(|a| far(a)).collect();
        scaled.extend(far.into_iter().map(|atoms| ScaledPair {
            atoms,
            vdw: 0.0,
            coulomb: 0.0,
            charges: None,
            pair_override: None,
            cut: true,
        }));
    }
    if !one_four.is_empty() && model.special.factors[2] != [0.0; 2] {
        let place = model.bonded[2].place.as_ref().unwrap_or(&data.place);
        let found = "dihedrals of style charmm with a weight stand beside special_bonds factors at three bonds";
        return Err(ImportError::at(place, "dihedral_style", found, "write special_bonds charmm, as LAMMPS demands"));
    }
    let mut known: std::collections::BTreeSet<[u32; 2]> = excluded.iter().copied().collect();
    let mut overrides = std::collections::BTreeMap::new();
    for (atoms, weight) in one_four {
        let atoms = [atoms[0].min(atoms[1]), atoms[0].max(atoms[1])];
        let kinds = atoms.map(|a| topology.type_of[a as usize] as usize);
        let n_types = topology.types.len();
        let Some([epsilon, sigma]) = pairs.lj14[kinds[0] * n_types + kinds[1]] else {
            let place = model.bonded[2].place.as_ref().unwrap_or(&data.place);
            let found = "dihedrals of style charmm with a weight need a pair style lj/charmm, as in LAMMPS";
            return Err(ImportError::at(
                place,
                "dihedral_style",
                found,
                "use lj/charmm/coul/long, or set weights to 0",
            ));
        };
        if known.insert(atoms) {
            // The pair stays in the loop besides: taken out there, it comes back whole.
            excluded.push(atoms);
            scaled.push(ScaledPair { atoms, vdw: 1.0, coulomb: 1.0, charges: None, pair_override: None, cut: true });
        }
        let next = overrides.len() as u32;
        let pair_override = *overrides.entry([kinds[0].min(kinds[1]), kinds[0].max(kinds[1])]).or_insert_with(|| {
            topology.pair_overrides.push(PairEntry {
                form: "lennard_jones".into(),
                parameters: vec![sigma, epsilon],
                provenance: Provenance::Explicit,
                source: "eps14 and sigma14 of pair_coeff".into(),
            });
            next
        });
        scaled.push(ScaledPair {
            atoms,
            vdw: *weight,
            coulomb: *weight,
            charges: None,
            pair_override: Some(pair_override),
            cut: false,
        });
    }
    topology.exclusions = Exclusions::new(n, excluded);
    topology.scaled_pairs = scaled.into();
    Ok(())
}

/// What the fixes hold, with a note: their bonds keep their energy terms, which vanish at the lengths held.
fn constraints(model: &mut Model, data: &Data, topology: &Topology) -> Result<Vec<Constraint>, ImportError> {
    let mut all: Vec<Constraint> = Vec::new();
    for shake in model.shakes.values() {
        all.extend(shake.constraints(data, &topology.masses, &model.bonded)?);
    }
    all.sort_by_key(|c| c.atoms);
    all.dedup_by_key(|c| c.atoms);
    if !all.is_empty() {
        model.notes.push(format!(
            "{} distances are constrained; LAMMPS leaves the energy of such bonds and angles out, here it stays and is \
             zero where the constraints hold",
            all.len()
        ));
    }
    Ok(all)
}

//! The data file that `read_data` names: header, atoms, bonded lists, coefficients.
//!
//! Source: LAMMPS documentation, read_data and "Type labels".

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use amelo_math::{Mat3, Vec3};

use super::args::{Args, shown};
use super::data_lines::Reader;
use super::header::{Counts, header};
use super::model::{AtomStyle, Model};
use super::types::{Kind, Types};
use super::units::{LENGTH, Units};
use crate::formats::{ImportError, Place, text};

/// Sections of styles that do not exist here.
const OTHER_SECTIONS: &[&str] = &[
    "Ellipsoids",
    "Lines",
    "Triangles",
    "Bodies",
    "BondBond Coeffs",
    "BondAngle Coeffs",
    "MiddleBondTorsion Coeffs",
    "EndBondTorsion Coeffs",
    "AngleTorsion Coeffs",
    "AngleAngleTorsion Coeffs",
    "BondBond13 Coeffs",
    "AngleAngle Coeffs",
];

/// One atom as its line says it.
#[derive(Clone, Debug)]
pub(super) struct Atom {
    pub id: u64,
    /// From 1.
    pub kind: usize,
    pub charge: f64,
    /// nm, from the lower corner of the box.
    pub position: Vec3,
    pub image: [i32; 3],
    pub velocity: Vec3,
}

/// One bond, angle, dihedral or improper.
#[derive(Clone, Debug)]
pub(super) struct Link {
    /// From 1.
    pub kind: usize,
    /// Atoms by their place in [`Data::atoms`]; the first ones count.
    pub atoms: [u32; 4],
    pub line: usize,
}

/// A data file.
#[derive(Clone, Debug)]
pub(super) struct Data {
    pub path: Arc<Path>,
    /// Where `read_data` stands.
    pub place: Place,
    /// Box vectors as rows (nm).
    pub vectors: Mat3,
    /// Lower corner (nm).
    pub origin: Vec3,
    pub types: Types,
    /// By type, u.
    pub masses: Vec<Option<f64>>,
    /// Ascending by their numbers.
    pub atoms: Vec<Atom>,
    pub has_velocities: bool,
    /// Bonds, angles, dihedrals, impropers.
    pub links: [Vec<Link>; 4],
}

impl Data {
    /// The line of the file that a message is about.
    pub fn at(&self, line: usize) -> Place {
        Place { path: self.path.clone(), line }
    }
}

/// Reads `path` for the command at `place`; coefficients go into `model`.
pub(super) fn read(path: &Path, place: &Place, model: &mut Model) -> Result<Data, ImportError> {
    let text = text::read_lossy(path)?;
    let mut reader = Reader::new(path, &text);
    let (mut data, counts) = header(&mut reader, place)?;
    let units = model.units(place)?;
    let style = model.atom_style(place)?;
    let mut sections = BTreeMap::new();
    while let Some(line) = reader.next() {
        let (name, hint) = (line.words.join(" "), line.comment.clone());
        let title = Args { place: &line.place, name: &name, words: &[] };
        if sections.insert(name.clone(), line.place.line).is_some() {
            return title.fail("the section stands twice", "keep one");
        }
        section(&mut reader, &mut data, &counts, &title, hint.as_deref(), style, &units, model)?;
    }
    complete(&reader, &counts, &sections)?;
    Ok(data)
}

fn section(
    reader: &mut Reader,
    data: &mut Data,
    counts: &Counts,
    title: &Args,
    hint: Option<&str>,
    style: AtomStyle,
    units: &Units,
    model: &mut Model,
) -> Result<(), ImportError> {
    let n_types = data.types.counts;
    let bonded = |name: &str, ending: &str| {
        Kind::ALL.into_iter().skip(1).find(|k| {
            let mut capital = k.name().to_string();
            capital[..1].make_ascii_uppercase();
            name.strip_suffix(ending) == Some(&capital)
        })
    };
    match title.name {
        "Atoms" => {
            if let Some(hint) = hint.filter(|h| !h.is_empty() && *h != style.name()) {
                return title.fail(
                    format!("the section is of style \"{}\", but atom_style is {}", shown(hint), style.name()),
                    "let both agree",
                );
            }
            let types = &data.types;
            let atoms = &mut data.atoms;
            let origin = data.origin;
            reader.body(title, counts[0], |args| {
                atoms.push(atom(args, style, types, origin)?);
                Ok(())
            })?;
            data.atoms.sort_by_key(|a| a.id);
            match data.atoms.windows(2).find(|w| w[0].id == w[1].id) {
                Some(w) => title.fail(format!("atom {} stands twice", w[0].id), "number the atoms differently"),
                None => Ok(()),
            }
        }
        "Masses" => {
            let (types, masses) = (&data.types, &mut data.masses);
            reader.body(title, n_types[0], |args| {
                args.count(2..=2, "TYPE MASS")?;
                masses[types.number(args, 0, Kind::Atom)? - 1] = Some(args.positive(1, "the mass")?);
                Ok(())
            })
        }
        "Velocities" => {
            needs_atoms(title, data)?;
            data.has_velocities = true;
            let atoms = &mut data.atoms;
            let factor = units.velocity();
            reader.body(title, counts[0], |args| {
                args.count(4..=4, "ATOM VX VY VZ")?;
                let k = find(args, 0, atoms)?;
                for axis in 0..3 {
                    atoms[k].velocity[axis] = args.number(axis + 1, "a velocity")? * factor;
                }
                Ok(())
            })
        }
        "Bonds" | "Angles" | "Dihedrals" | "Impropers" => {
            needs_atoms(title, data)?;
            let k = ["Bonds", "Angles", "Dihedrals", "Impropers"].iter().position(|n| *n == title.name).unwrap_or(0);
            let (kind, arity) = (Kind::ALL[k + 1], [2, 3, 4, 4][k]);
            if style == AtomStyle::Charge {
                return title.fail(format!("atom_style charge has no {}s", kind.name()), "use atom_style full");
            }
            let (types, atoms, links) = (&data.types, &data.atoms, &mut data.links[k]);
            reader.body(title, counts[k + 1], |args| {
                args.count(arity + 2..=arity + 2, "NUMBER TYPE ATOM ATOM …")?;
                let mut link = Link { kind: types.number(args, 1, kind)?, atoms: [0; 4], line: args.place.line };
                for m in 0..arity {
                    link.atoms[m] = find(args, m + 2, atoms)? as u32;
                    if link.atoms[..m].contains(&link.atoms[m]) {
                        return args.fail(format!("\"{}\" names an atom twice", args.line()), "correct the atoms");
                    }
                }
                links.push(link);
                Ok(())
            })
        }
        "Pair Coeffs" => reader.body(title, n_types[0], |args| {
            // One type stands for the pair with itself.
            let mut words = args.words.to_vec();
            words.insert(0, words[0].clone());
            model.pairs.set_coefficient(&Args { words: &words, ..*args }, &data.types, units)
        }),
        "PairIJ Coeffs" => reader.body(title, n_types[0] * (n_types[0] + 1) / 2, |args| {
            model.pairs.set_coefficient(args, &data.types, units)
        }),
        name => {
            if let Some(kind) = bonded(name, " Coeffs") {
                let k = kind as usize;
                return reader
                    .body(title, n_types[k], |args| model.bonded[k - 1].set_coefficients(args, &data.types, units));
            }
            let labels = bonded(name, " Type Labels").or((name == "Atom Type Labels").then_some(Kind::Atom));
            if let Some(kind) = labels {
                let types = &mut data.types;
                return reader.body(title, n_types[kind as usize], |args| {
                    args.count(2..=2, "TYPE LABEL")?;
                    let number = args.whole(0, "the type", 1..=n_types[kind as usize] as i64)? as usize;
                    types.label(args, kind, number, &args.words[1])
                });
            }
            let (found, remedy) = if OTHER_SECTIONS.contains(&name) {
                (format!("section \"{name}\" belongs to styles that have no counterpart here"), "remove it")
            } else {
                (format!("section \"{}\" is not known", shown(name)), "check its spelling")
            };
            title.fail(found, remedy)
        }
    }
}

/// One line of Atoms.
fn atom(args: &Args, style: AtomStyle, types: &Types, origin: Vec3) -> Result<Atom, ImportError> {
    let (molecule, kind, charge, first) = match style {
        AtomStyle::Full => (Some(1), 2, Some(3), 4),
        AtomStyle::Molecular => (Some(1), 2, None, 3),
        AtomStyle::Charge => (None, 1, Some(2), 3),
    };
    if args.len() != first + 3 && args.len() != first + 6 {
        return args.fail(
            format!("\"{}\" has {} fields", args.line(), args.len()),
            format!("atom_style {} has {} or, with image flags, {}", style.name(), first + 3, first + 6),
        );
    }
    let id = args.whole(0, "the atom's number", 1..=i64::MAX)? as u64;
    if let Some(k) = molecule {
        args.whole(k, "the molecule's number", 0..=i64::MAX)?;
    }
    let mut position = Vec3::ZERO;
    for axis in 0..3 {
        position[axis] = args.number(first + axis, "a coordinate")? * LENGTH - origin[axis];
    }
    let mut image = [0; 3];
    if args.len() == first + 6 {
        for (axis, flag) in image.iter_mut().enumerate() {
            *flag = args.whole(first + 3 + axis, "an image flag", -1_000_000..=1_000_000)? as i32;
        }
    }
    Ok(Atom {
        id,
        kind: types.number(args, kind, Kind::Atom)?,
        charge: charge.map_or(Ok(0.0), |k| args.number(k, "the charge"))?,
        position,
        image,
        velocity: Vec3::ZERO,
    })
}

fn needs_atoms(title: &Args, data: &Data) -> Result<(), ImportError> {
    match data.atoms.is_empty() {
        true => title.fail("it stands before Atoms", "move it behind"),
        false => Ok(()),
    }
}

/// Place in `atoms` of the atom that word `k` numbers.
fn find(args: &Args, k: usize, atoms: &[Atom]) -> Result<usize, ImportError> {
    let id = args.whole(k, "the atom's number", 1..=i64::MAX)? as u64;
    match atoms.binary_search_by_key(&id, |a| a.id) {
        Ok(at) => Ok(at),
        Err(_) => args.fail(format!("there is no atom {id}"), "name an atom of the Atoms section"),
    }
}

/// That everything that the header counts was there.
fn complete(reader: &Reader, counts: &Counts, sections: &BTreeMap<String, usize>) -> Result<(), ImportError> {
    let end = Place { path: reader.path.clone(), line: reader.last };
    let names = ["Atoms", "Bonds", "Angles", "Dihedrals", "Impropers"];
    for (name, count) in names.iter().zip(counts) {
        if *count > 0 && !sections.contains_key(*name) {
            return Err(ImportError::at(
                &end,
                name,
                format!("the header counts {count}, but the file ends without this section"),
                "add it, or correct the header",
            ));
        }
    }
    Ok(())
}

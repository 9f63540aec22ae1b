//! The data file that `read_data` names: header, atoms, bonded lists, coefficients.
//!
//! Source: LAMMPS documentation, read_data and "Type labels".

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use amelo_math::{Mat3, Vec3};

use super::args::{Args, shown};
use super::model::{AtomStyle, Model};
use super::types::{Kind, Types};
use super::units::{LENGTH, Units};
use crate::formats::{ImportError, Place, text};

/// Most atom types: the pair table grows with their square.
const MOST_TYPES: i64 = 1000;
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
    let mut reader = Reader { path: path.into(), lines: text.lines().enumerate(), ahead: None, last: 1 };
    reader.lines.next(); // the title
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

/// Numbers of atoms, bonds, angles, dihedrals, impropers in the header.
type Counts = [usize; 5];

/// A line with something on it.
struct Line {
    place: Place,
    words: Vec<String>,
    comment: Option<String>,
}

/// The lines of a file that are not blank.
struct Reader<'a> {
    path: Arc<Path>,
    lines: std::iter::Enumerate<std::str::Lines<'a>>,
    ahead: Option<Line>,
    /// Number of the last line read.
    last: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<Line> {
        if let Some(line) = self.ahead.take() {
            return Some(line);
        }
        for (k, text) in self.lines.by_ref() {
            let (content, comment) = match text.split_once('#') {
                Some((content, comment)) => (content, Some(comment.trim().to_string())),
                None => (text, None),
            };
            let words: Vec<String> = content.split_whitespace().map(String::from).collect();
            if !words.is_empty() {
                self.last = k + 1;
                return Some(Line { place: Place { path: self.path.clone(), line: k + 1 }, words, comment });
            }
        }
        None
    }

    /// The next `count` lines of a section, which all begin with a number.
    fn body(
        &mut self,
        title: &Args,
        count: usize,
        mut each: impl FnMut(&Args) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        for k in 0..count {
            let line = self.next();
            let is_body = |l: &Line| l.words[0].starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+');
            match line {
                Some(line) if is_body(&line) => {
                    each(&Args { place: &line.place, name: title.name, words: &line.words })?;
                }
                _ => {
                    return title.fail(
                        format!("the section has {k} lines, but the header says {count}"),
                        "correct the header or complete the section",
                    );
                }
            }
        }
        if let Some(line) = self.next() {
            if line.words[0].starts_with(|c: char| c.is_ascii_digit() || c == '-') {
                let args = Args { place: &line.place, name: title.name, words: &line.words };
                return args.fail(
                    format!("\"{}\" follows the {count} lines that the header says", args.line()),
                    "correct the header or shorten the section",
                );
            }
            self.ahead = Some(line);
        }
        Ok(())
    }
}

fn header(reader: &mut Reader, place: &Place) -> Result<(Data, Counts), ImportError> {
    let mut counts: Counts = [0; 5];
    let mut types = Types::default();
    let mut bounds = [None::<[f64; 2]>; 3];
    let mut tilt = [0.0; 3];
    const NAMES: [&str; 5] = ["atoms", "bonds", "angles", "dihedrals", "impropers"];
    while let Some(line) = reader.next() {
        let args = Args { place: &line.place, name: "header", words: &line.words };
        let end: Vec<&str> = line.words.iter().skip_while(|w| w.parse::<f64>().is_ok()).map(String::as_str).collect();
        let numbers = line.words.len() - end.len();
        let whole = |most| args.whole(0, &end.join(" "), 0..=most).map(|n| n as usize);
        let numbers_are = |n: usize| match numbers == n {
            true => Ok(()),
            false => args.fail(format!("\"{}\" has {numbers} numbers", args.line()), format!("write {n} of them")),
        };
        match end[..] {
            [name] if NAMES.contains(&name) => {
                numbers_are(1)?;
                let k = NAMES.iter().position(|n| *n == name).unwrap_or(0);
                counts[k] = whole(i64::from(u32::MAX / 2))?;
            }
            [kind, "types"] if Kind::ALL.iter().any(|k| k.name() == kind) => {
                numbers_are(1)?;
                let k = Kind::ALL.iter().position(|k| k.name() == kind).unwrap_or(0);
                types.counts[k] = whole(if k == 0 { MOST_TYPES } else { i64::from(u32::MAX / 2) })?;
            }
            ["extra", .., "per", "atom"] => {
                whole(i64::MAX)?;
            }
            ["xlo", "xhi"] | ["ylo", "yhi"] | ["zlo", "zhi"] => {
                numbers_are(2)?;
                let (low, high) = (args.number(0, end[0])? * LENGTH, args.number(1, end[1])? * LENGTH);
                if high <= low {
                    return args.fail(format!("the box ends at {high} nm where it begins at {low} nm"), "swap them");
                }
                bounds[usize::from(end[0].as_bytes()[0] - b'x')] = Some([low, high]);
            }
            ["xy", "xz", "yz"] => {
                numbers_are(3)?;
                for (k, t) in tilt.iter_mut().enumerate() {
                    *t = args.number(k, end[k])? * LENGTH;
                }
            }
            ["avec"] | ["bvec"] | ["cvec"] | ["abc", "origin"] => {
                return args.fail("a general triclinic box is not read", "write it as xlo xhi … xy xz yz");
            }
            _ if numbers == 0 => {
                reader.ahead = Some(line);
                break;
            }
            _ => {
                return args.fail(
                    format!("\"{}\" is no line of a header", args.line()),
                    "counts (atoms, bonds, …, atom types, …), xlo xhi, ylo yhi, zlo zhi and xy xz yz are read",
                );
            }
        }
    }
    let file = Place { path: reader.path.clone(), line: reader.last };
    let missing = |what: &str| {
        ImportError::at(&file, "header", format!("the header gives no {what}"), format!("add the line \"… {what}\""))
    };
    let [x, y, z] = bounds;
    let x = x.ok_or_else(|| missing("xlo xhi"))?;
    let y = y.ok_or_else(|| missing("ylo yhi"))?;
    let z = z.ok_or_else(|| missing("zlo zhi"))?;
    if counts[0] == 0 {
        return Err(missing("atoms"));
    }
    if types.counts[0] == 0 {
        return Err(missing("atom types"));
    }
    let [xy, xz, yz] = tilt;
    let data = Data {
        path: reader.path.clone(),
        place: place.clone(),
        vectors: Mat3::from_array([[x[1] - x[0], 0.0, 0.0], [xy, y[1] - y[0], 0.0], [xz, yz, z[1] - z[0]]]),
        origin: Vec3::new(x[0], y[0], z[0]),
        masses: vec![None; types.counts[0]],
        types,
        atoms: Vec::new(),
        has_velocities: false,
        links: Default::default(),
    };
    Ok((data, counts))
}

#[expect(clippy::too_many_lines, reason = "one arm per section")]
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

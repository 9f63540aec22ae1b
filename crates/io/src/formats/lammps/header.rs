//! The header of a data file: counts and the box.

use amelo_math::{Mat3, Vec3};

use super::args::Args;
use super::data::Data;
use super::data_lines::Reader;
use super::types::{Kind, Types};
use super::units::LENGTH;
use crate::formats::{ImportError, Place};

/// Most atom types: the pair table grows with their square.
const MOST_TYPES: i64 = 1000;
/// Most types of bonds, angles, dihedrals or impropers.
const MOST_BONDED_TYPES: i64 = 100_000;

/// Numbers of atoms, bonds, angles, dihedrals, impropers in the header.
pub(super) type Counts = [usize; 5];

/// Reads the header for the `read_data` at `place`; atoms and lists are still empty.
pub(super) fn header(reader: &mut Reader, place: &Place) -> Result<(Data, Counts), ImportError> {
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
                types.counts[k] = whole(if k == 0 { MOST_TYPES } else { MOST_BONDED_TYPES })?;
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

//! `.gro`: positions and velocities in fixed columns, nm and nm/ps.
//!
//! GROMACS reference manual, chapter "File formats", section "gro": residue number, residue, atom, atom number in five
//! columns each; then numbers whose width is the distance between two decimal points, so that a file may have any
//! number of decimals. Velocities share the width and have one decimal more.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use amelo_core::{Cell, Frame};
use amelo_math::{Mat3, Vec3};

use crate::formats::model::{line, word};
use crate::formats::text::read_bytes;
use crate::formats::{ImportError, Place};

/// A configuration as the file has it.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// First line.
    pub title: String,
    /// \[n_atoms\] residue names.
    pub residues: Vec<String>,
    /// \[n_atoms\] atom names.
    pub names: Vec<String>,
    /// \[n_atoms\] positions (nm).
    pub positions: Vec<Vec3>,
    /// \[n_atoms\] velocities (nm/ps), where the file has them.
    pub velocities: Option<Vec<Vec3>>,
    /// Box.
    pub cell: Cell,
    /// What a reader should know: a box that was reduced, frames behind the first.
    pub notes: Vec<String>,
}

/// Reads the first frame of `path`.
///
/// # Errors
/// [`ImportError::File`] where the file cannot be read, [`ImportError::Content`] with the line where it is malformed.
pub fn read(path: &Path) -> Result<Configuration, ImportError> {
    parse(path, &read_bytes(path)?)
}

const SECTION: &str = "gro";

/// Bytes in front of the first coordinate.
const NAMES: usize = 20;

fn parse(path: &Path, bytes: &[u8]) -> Result<Configuration, ImportError> {
    let path: Arc<Path> = path.into();
    let at = |line: usize| Place { path: path.clone(), line };
    let fail = |line: usize, found: String, remedy: &str| Err(ImportError::at(&at(line), SECTION, found, remedy));
    let mut lines = bytes.split(|&b| b == b'\n').map(|l| l.strip_suffix(b"\r").unwrap_or(l)).enumerate();
    let text = |line: &[u8]| String::from_utf8_lossy(line).trim().to_string();
    let title = lines.next().map(|(_, l)| text(l)).unwrap_or_default();
    let count = lines.next().map(|(_, l)| text(l)).unwrap_or_default();
    let Ok(n) = count.parse::<usize>() else {
        return fail(2, format!("the number of atoms is \"{count}\""), "write it alone on the second line");
    };
    // Grown as lines come: the number is only a claim.
    let (mut residues, mut names) = (Vec::new(), Vec::new());
    let (mut positions, mut velocities): (Vec<Vec3>, Vec<Vec3>) = (Vec::new(), Vec::new());
    let mut width = 0;
    let mut has_velocities = true;
    for k in 0..n {
        let line = match lines.next() {
            Some((_, line)) if line.len() > NAMES => line,
            _ => {
                return fail(k + 3, format!("atom {} of {n} is missing", k + 1), "check the number on the second line");
            }
        };
        let number = k + 3;
        if k == 0 {
            width = match column_width(line) {
                Some(width) => width,
                None => return fail(number, "no three numbers with decimal points at equal distances".into(), COLUMNS),
            };
        }
        residues.push(text(&line[5..10]));
        names.push(text(&line[10..15]));
        let Some(r) = vector(&line[NAMES..], width) else {
            let found = format!("the position of atom {} is \"{}\"", k + 1, shown(&line[NAMES..], 3 * width));
            return fail(number, found, COLUMNS);
        };
        positions.push(r);
        let rest = line.get(NAMES + 3 * width..).unwrap_or_default();
        if k == 0 {
            has_velocities = !rest.trim_ascii().is_empty();
        }
        if has_velocities {
            let Some(v) = vector(rest, width) else {
                let found = format!("the velocity of atom {} is \"{}\"", k + 1, shown(rest, 3 * width));
                return fail(number, found, "give every atom a velocity in the columns of the first, or none");
            };
            velocities.push(v);
        }
    }
    let last = n + 3;
    let mut notes = Vec::new();
    let cell = match lines.next() {
        Some((_, line)) => cell(&text(line), &at(last), &mut notes)?,
        None => return fail(last, "the box is missing".into(), BOX),
    };
    if lines.any(|(_, line)| !line.trim_ascii().is_empty()) {
        notes.push(format!("{}: only the first frame is read", path.display()));
    }
    let velocities = (has_velocities && n > 0).then_some(velocities);
    Ok(Configuration { title, residues, names, positions, velocities, cell, notes })
}

const COLUMNS: &str = "a line is residue number, residue, atom, atom number in five columns each, then x, y, z in columns \
                       as wide as the distance between two decimal points";
const BOX: &str =
    "end the file with three box lengths, or nine numbers v1(x) v2(y) v3(z) v1(y) v1(z) v2(x) v2(z) v3(x) v3(y)";

fn shown(bytes: &[u8], most: usize) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(most)]).trim().to_string()
}

/// Distance between the first three decimal points, where it is the same.
fn column_width(line: &[u8]) -> Option<usize> {
    let points: Vec<usize> =
        line.iter().enumerate().skip(NAMES).filter(|(_, b)| **b == b'.').map(|(k, _)| k).take(3).collect();
    match points.as_slice() {
        [a, b, c] if b - a == c - b && b - a > 1 => Some(b - a),
        _ => None,
    }
}

/// Three numbers in columns of `width`.
fn vector(columns: &[u8], width: usize) -> Option<Vec3> {
    let number = |k: usize| -> Option<f64> {
        let column = columns.get(k * width..columns.len().min((k + 1) * width))?;
        let value: f64 = std::str::from_utf8(column.trim_ascii()).ok()?.parse().ok()?;
        value.is_finite().then_some(value)
    };
    Some(Vec3::new(number(0)?, number(1)?, number(2)?))
}

fn cell(line: &str, place: &Place, notes: &mut Vec<String>) -> Result<Cell, ImportError> {
    let fail = |remedy: &str| Err(ImportError::at(place, SECTION, format!("the box is \"{line}\""), remedy));
    let numbers: Result<Vec<f64>, _> = line.split_whitespace().map(str::parse::<f64>).collect();
    let m = match numbers.as_deref() {
        Ok([x, y, z]) => [[*x, 0.0, 0.0], [0.0, *y, 0.0], [0.0, 0.0, *z]],
        Ok([ax, by, cz, ay, az, bx, bz, cx, cy]) => [[*ax, *ay, *az], [*bx, *by, *bz], [*cx, *cy, *cz]],
        _ => return fail(BOX),
    };
    let Ok(cell) = Cell::new(Mat3::from_array(m)) else {
        return fail("the three lengths must be positive, and v1(y), v1(z), v2(z) zero");
    };
    // The nearest image is sought within half a box vector: tilts beyond that describe the same lattice.
    let [a, mut b, mut c] = cell.vectors().rows;
    b -= a * (b.x / a.x).round();
    c -= b * (c.y / b.y).round();
    c -= a * (c.x / a.x).round();
    let reduced = Mat3::from_rows(a, b, c);
    if reduced == cell.vectors() {
        return Ok(cell);
    }
    notes.push(format!("{place}: the box's tilt is reduced to {:?}, the same lattice", reduced.to_array()));
    Cell::new(reduced).or_else(|_| fail("the tilt is too large to be reduced"))
}

/// One frame with `decimals` decimals of nm (3 is usual; 15 keeps a double); velocities (nm/ps), where it has some, with
/// one more.
///
/// # Errors
/// The atom whose number does not fit its columns.
pub fn text(title: &str, frame: &Frame, decimals: usize) -> Result<String, String> {
    let topology = frame.topology;
    let mut residue_of = vec![(1, "UNK"); topology.n_atoms()];
    for (k, residue) in topology.residues.iter().enumerate() {
        residue_of[residue.first..residue.first + residue.count].fill((k + 1, &residue.name));
    }
    let mut out = format!("{}\n{}\n", line(title), topology.n_atoms());
    let width = decimals + 5;
    let numbers = |out: &mut String, atom: usize, v: Vec3, decimals: usize| {
        for x in [v.x, v.y, v.z] {
            let column = format!("{x:width$.decimals$}");
            if column.len() > width || !x.is_finite() {
                return Err(format!("{x} of atom {} does not fit the {width} columns of a .gro file", atom + 1));
            }
            out.push_str(&column);
        }
        Ok(())
    };
    // Numbers of five digits start again at 0, as GROMACS does it. Writing to a string cannot fail.
    for (atom, r) in frame.positions.iter().enumerate() {
        let (number, residue) = residue_of[atom];
        let (residue, name) = (word(residue, 5), word(&topology.names[atom], 5));
        let _ = write!(out, "{:5}{residue:<5}{name:>5}{:5}", number % 100_000, (atom + 1) % 100_000);
        numbers(&mut out, atom, *r, decimals)?;
        if let Some(velocities) = frame.velocities {
            numbers(&mut out, atom, velocities[atom], decimals + 1)?;
        }
        out.push('\n');
    }
    let [a, b, c] = frame.cell.vectors().rows;
    let diagonal = [a.x, b.y, c.z];
    let tilts = [a.y, a.z, b.x, b.z, c.x, c.y];
    let count = if frame.cell.is_orthorhombic() { 3 } else { 9 };
    let column = |x: &f64| format!(" {x:.decimals$}", decimals = decimals.max(5));
    out.extend(diagonal.iter().chain(&tilts).take(count).map(column));
    out.push('\n');
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use amelo_core::{AtomType, Residue, System, Topology};

    fn parsed(text: &str) -> Result<Configuration, ImportError> {
        parse(Path::new("a.gro"), text.as_bytes())
    }

    // The example of the manual's section "gro", first and last lines.
    const WATER: &str = "MD of 2 waters, t= 0.0\n    2\n    1WATER  OW1    1   0.126   1.624   1.679  0.1227 -0.0580  0.0434\n    1WATER  HW2    2   0.190   1.661   1.747  0.8085  0.3191 -0.7791\n   1.82060   1.82060   1.82060\n";

    #[test]
    fn the_manuals_example() {
        let c = parsed(WATER).unwrap();
        assert_eq!(
            (c.title.as_str(), c.names.join(" "), c.residues[1].as_str()),
            ("MD of 2 waters, t= 0.0", "OW1 HW2".into(), "WATER")
        );
        assert_eq!(c.positions[1], Vec3::new(0.190, 1.661, 1.747));
        assert_eq!(c.velocities.unwrap()[1], Vec3::new(0.8085, 0.3191, -0.7791));
        assert_eq!(c.cell.diagonal(), Vec3::new(1.8206, 1.8206, 1.8206));
    }

    #[test]
    fn columns_may_touch_and_have_any_number_of_decimals() {
        let text = "t\r\n1\r\n    1A        B99999  -1.2345678 -12.3456789 123.4567890\r\n 9 9 9 0 0 3 0 -2 4\r\n";
        let c = parsed(text).unwrap();
        assert_eq!(c.positions[0], Vec3::new(-1.234_567_8, -12.345_678_9, 123.456_789));
        assert!(c.velocities.is_none() && !c.cell.is_orthorhombic());
        let touching = "t\n1\n    1A        B    1-100.123-200.456-300.789\n 9 9 9\n";
        assert_eq!(parsed(touching).unwrap().positions[0], Vec3::new(-100.123, -200.456, -300.789));
    }

    #[test]
    fn a_tilt_beyond_half_a_vector_is_reduced_to_the_same_lattice() {
        let c = parsed("t\n0\n 3 3 3 0 0 2 0 -2 1.6\n").unwrap();
        assert!(c.notes[0].contains("a.gro:3") && c.notes[0].contains("same lattice"));
        let [_, b, _] = c.cell.vectors().rows;
        assert_eq!(b, Vec3::new(-1.0, 3.0, 0.0));
        assert_eq!(c.cell.volume(), 27.0);
    }

    #[test]
    fn what_is_malformed_is_named_with_its_line() {
        let cases = [
            ("", "a.gro:2: gro: the number of atoms is \"\""),
            ("t\nmany\n", "a.gro:2: gro: the number of atoms is \"many\"; write it alone"),
            ("t\n99999999999\n", "a.gro:3: gro: atom 1 of 99999999999 is missing"),
            (&WATER.replace("    2\n", "    3\n"), "a.gro:5: gro: the position of atom 3 is"),
            (&WATER.replace("1.624", "1x624"), "a.gro:3: gro: no three numbers with decimal points"),
            (&WATER.replace("1.747", "1.7e7"), "a.gro:4"),
            (&WATER.replace("1.661", "nan  "), "a.gro:4: gro: the position of atom 2 is \"0.190   nan"),
            (&WATER.replace("  0.8085  0.3191 -0.7791", ""), "a.gro:4: gro: the velocity of atom 2 is \"\""),
            (&WATER.replace("   1.82060   1.82060   1.82060\n", ""), "a.gro:5: gro: the box is \"\""),
            (&WATER.replace("   1.82060\n", "\n"), "the box is \"1.82060   1.82060\"; end the file with three"),
            (&WATER.replace("   1.82060\n", " 0\n"), "the three lengths must be positive"),
            ("t\n0\n 3 3 3 1 0 0 0 0 0\n", "a.gro:3: gro: the box is \"3 3 3 1 0 0 0 0 0\"; the three lengths must"),
        ];
        for (text, words) in cases {
            match parsed(text) {
                Ok(_) if words == "a.gro:4" => {} // 1.7e7 is a number
                Ok(_) => panic!("accepted: {text}"),
                Err(e) => assert!(e.to_string().contains(words), "{e}\nnot: {words}"),
            }
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let topology = Topology {
            types: vec![AtomType { name: "O".into(), element: "O".into() }],
            type_of: vec![0; 2].into(),
            names: vec!["OW", "LONGNAME"].into(),
            residues: vec![Residue { name: "SOL".into(), first: 0, count: 2 }],
            masses: vec![16.0; 2].into(),
            charges: vec![0.0; 2].into(),
            ..Topology::default()
        };
        let cell = Cell::new(Mat3::from_array([[3.0, 0.0, 0.0], [0.9, 2.8, 0.0], [-0.7, 0.6, 2.5]])).unwrap();
        let positions = vec![Vec3::new(0.123_456_789_012_345, 1.0, 2.0), Vec3::new(1.5, 0.25, 0.125)];
        let mut system = System::new(Arc::new(topology), cell, positions);
        system.velocities[1] = Vec3::new(-0.5, 0.25, 1.0 / 3.0);
        let exact = parsed(&text("title", &system.frame(), 15).unwrap()).unwrap();
        assert_eq!(exact.positions, system.positions);
        assert_eq!(exact.cell, system.cell);
        assert!((exact.velocities.unwrap()[1] - system.velocities[1]).norm() < 1e-16);
        assert_eq!((exact.names[1].as_str(), exact.residues[0].as_str()), ("LONGN", "SOL"));
        let usual = text("title", &system.frame(), 3).unwrap();
        assert_eq!(
            usual.lines().nth(2).unwrap(),
            "    1SOL     OW    1   0.123   1.000   2.000  0.0000  0.0000  0.0000"
        );
        system.positions[0].x = 12_345.0;
        assert!(text("title", &system.frame(), 3).unwrap_err().contains("12345 of atom 1"));
    }
}

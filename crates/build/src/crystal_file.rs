//! A crystal from a CIF: its cell, the symmetry operations that the file lists, one atom per orbit.
//!
//! Coordinates are printed with a few digits, so an atom on a special position lies a little beside it: it is moved to
//! the mean of its images that coincide, which is on the position exactly.

use amelo_io::formats::cif::{Cif, Value};
use amelo_io::formats::{ImportError, elements};
use amelo_math::{Mat3, Vec3, special};

use crate::crystal::{Crystal, Site};
use crate::symmetry::{LARGEST_GROUP, Operation, group, into_cell};

/// Ångström per nm.
const ANGSTROM: f64 = 10.0;

/// Images of one atom closer than this coincide (nm); half of it is shorter than any bond.
const COINCIDENT: f64 = 0.05;

/// Two atoms of an oxide are farther apart than this (nm); so is H from O.
const SHORTEST: f64 = 0.08;

/// Farthest that printed digits may put an atom beside its special position (nm).
const ROUNDING: f64 = 0.001;

/// Names of the loop of symmetry operations: of today's dictionary, and of the older one.
const OPERATIONS: [&str; 2] = ["_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz"];

/// The crystal that `cif` describes; `charge_of` gives the charge (e) of an element, where the force field has it.
///
/// # Errors
/// [`ImportError`] with file, line, the value seen and what would be right.
pub fn crystal(cif: &Cif, charge_of: &dyn Fn(&str) -> Option<f64>) -> Result<Crystal, ImportError> {
    let vectors = cell(cif)?;
    let operations = operations(cif, vectors)?;
    let sites = sites(cif, vectors, &operations, charge_of)?;
    let crystal = Crystal::from_orbits(&cif.name, vectors, &operations, &sites);
    match crystal.closest_pair() {
        Some((i, j, d)) if d < SHORTEST => Err(ImportError::at(
            &cif.here(cif.loop_line("_atom_site_fract_x")),
            "_atom_site",
            format!("{} and {} lie {:.3} Å apart", crystal.sites[i].element, crystal.sites[j].element, ANGSTROM * d),
            "list each atom of the asymmetric unit once",
        )),
        _ => Ok(crystal),
    }
}

/// Cell vectors as rows (nm): a along x, b in the xy plane.
fn cell(cif: &Cif) -> Result<Mat3, ImportError> {
    let mut edges = [0.0; 3];
    for (edge, tag) in edges.iter_mut().zip(["_cell_length_a", "_cell_length_b", "_cell_length_c"]) {
        *edge = positive(cif, tag, f64::INFINITY)? / ANGSTROM;
    }
    let mut cosines = [0.0; 3];
    for (cosine, tag) in cosines.iter_mut().zip(["_cell_angle_alpha", "_cell_angle_beta", "_cell_angle_gamma"]) {
        let angle = positive(cif, tag, 180.0)?;
        *cosine = if angle == 90.0 { 0.0 } else { special::cos(angle.to_radians()) };
    }
    let ([a, b, c], [alpha, beta, gamma]) = (edges, cosines);
    let sine = (1.0 - gamma * gamma).sqrt();
    let y = (alpha - beta * gamma) / sine;
    let z2 = 1.0 - beta * beta - y * y;
    if z2 <= 1e-6 {
        let at = cif.item(&["_cell_angle_alpha"]).map_or(0, |v| v.line);
        return Err(ImportError::at(
            &cif.here(at),
            "_cell_angle_alpha",
            "the three angles make a flat cell",
            "check _cell_angle_alpha, _cell_angle_beta and _cell_angle_gamma",
        ));
    }
    Ok(Mat3::from_rows(
        Vec3::new(a, 0.0, 0.0),
        Vec3::new(b * gamma, b * sine, 0.0),
        Vec3::new(c * beta, c * y, c * z2.sqrt()),
    ))
}

fn positive(cif: &Cif, tag: &str, below: f64) -> Result<f64, ImportError> {
    let value = cif.number(tag)?;
    if value > 0.0 && value < below {
        return Ok(value);
    }
    let line = cif.item(&[tag]).map_or(0, |v| v.line);
    Err(ImportError::at(&cif.here(line), tag, format!("{value} cannot be"), "write lengths in Å and angles in degrees"))
}

/// The listed symmetry operations, which must be a whole group and fit the cell.
fn operations(cif: &Cif, vectors: Mat3) -> Result<Vec<Operation>, ImportError> {
    let Some((tag, rows)) = OPERATIONS.iter().map(|tag| (*tag, cif.rows(&[tag]))).find(|(_, rows)| !rows.is_empty())
    else {
        return without_operations(cif);
    };
    let mut operations: Vec<Operation> = Vec::new();
    for value in rows.iter().filter_map(|row| row[0]) {
        let wrong = |found: String| {
            let remedy = "write operations as in -y+1/2,x+1/2,z, those of the space group in the setting of the cell";
            ImportError::at(&cif.here(value.line), tag, found, remedy)
        };
        let operation = Operation::parse(&value.text).map_err(wrong)?;
        // Cells are printed with four digits.
        if operation.misfit(vectors) > 2e-3 {
            return Err(wrong(format!("\"{}\" does not map the cell onto itself", value.text)));
        }
        if !operations.contains(&operation) {
            operations.push(operation);
        }
    }
    let whole = group(&operations).len();
    if whole != operations.len() {
        let found = if whole > LARGEST_GROUP {
            format!("the {} operations generate no space group", operations.len())
        } else {
            format!("{} operations are listed, but their products make {whole}", operations.len())
        };
        let at = cif.here(cif.loop_line(tag));
        return Err(ImportError::at(&at, tag, found, "list every operation of the group, centrings included"));
    }
    // The identity first: it gives the sites as they are written.
    operations.sort_by_key(|o| *o != Operation::IDENTITY);
    Ok(operations)
}

/// A file that lists no operation must say that there is none but the identity.
fn without_operations(cif: &Cif) -> Result<Vec<Operation>, ImportError> {
    let number = cif.item(&["_space_group_it_number", "_symmetry_int_tables_number"]);
    let name = cif.item(&["_space_group_name_h-m_alt", "_symmetry_space_group_name_h-m"]);
    let is_p1 = |v: &Value| matches!(v.text.replace(' ', "").as_str(), "P1" | "1");
    match (number, name) {
        (Some(number), _) if is_p1(number) => Ok(vec![Operation::IDENTITY]),
        (None, Some(name)) if is_p1(name) => Ok(vec![Operation::IDENTITY]),
        _ => {
            let seen = number.or(name);
            Err(ImportError::at(
                &cif.here(seen.map_or(0, |v| v.line)),
                OPERATIONS[0],
                match seen {
                    Some(v) => {
                        format!("the file names the space group \"{}\", but lists no symmetry operation", v.text)
                    }
                    None => "the file has neither symmetry operations nor a space group".into(),
                },
                "list the operations, as databases do, or every atom of the cell with the space group P 1",
            ))
        }
    }
}

/// The asymmetric unit.
fn sites(
    cif: &Cif,
    vectors: Mat3,
    operations: &[Operation],
    charge_of: &dyn Fn(&str) -> Option<f64>,
) -> Result<Vec<Site>, ImportError> {
    const FRACTIONAL: [&str; 3] = ["_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_fract_z"];
    let [x, y, z] = FRACTIONAL;
    let rows = cif.rows(&[x, y, z, "_atom_site_type_symbol", "_atom_site_label", "_atom_site_occupancy"]);
    if rows.is_empty() {
        return Err(ImportError::at(
            &cif.here(0),
            x,
            "there is no atom",
            "list the atoms in a loop with fractional coordinates",
        ));
    }
    let mut sites = Vec::new();
    for row in rows {
        let line = row.iter().flatten().next().map_or(0, |v| v.line);
        let mut position = [0.0; 3];
        for axis in 0..3 {
            let missing = || {
                ImportError::at(
                    &cif.here(line),
                    FRACTIONAL[axis],
                    "there is no value",
                    "give every atom its three fractional coordinates",
                )
            };
            position[axis] = cif.as_number(FRACTIONAL[axis], row[axis].ok_or_else(missing)?)?;
        }
        let name = row[3].or(row[4]).map_or("", |v| v.text.as_str());
        let wrong = |tag: &str, found: String, remedy: &str| Err(ImportError::at(&cif.here(line), tag, found, remedy));
        let Some(element) = elements::by_symbol(name) else {
            return wrong(
                "_atom_site_type_symbol",
                format!("\"{name}\" is no element"),
                "write the element's symbol, for example Ti or Ti4+",
            );
        };
        let Some(charge) = charge_of(element) else {
            return wrong(
                "_atom_site_type_symbol",
                format!("no parameter file gives an oxide with {element}"),
                "name a file that does under forcefield.files",
            );
        };
        if let Some(value) = row[5].filter(|v| !matches!(v.text.as_str(), "?" | "."))
            && (cif.as_number("_atom_site_occupancy", value)? - 1.0).abs() > 1e-6
        {
            return wrong(
                "_atom_site_occupancy",
                format!("{name} is there only to {}", value.text),
                "a crystal here is ordered: choose which sites are occupied",
            );
        }
        let (position, moved) = special_position(Vec3::from(position), vectors, operations);
        if moved > ROUNDING {
            return wrong(
                "_atom_site_fract_x",
                format!(
                    "{name} has an image within {} Å of itself and lies {:.3} Å beside the special position",
                    ANGSTROM * COINCIDENT,
                    ANGSTROM * moved
                ),
                "give its coordinates with more digits",
            );
        }
        sites.push(Site { element, charge, position });
    }
    Ok(sites)
}

/// The mean of the images of `x` that coincide with it, and how far that is from `x` (nm).
fn special_position(x: Vec3, vectors: Mat3, operations: &[Operation]) -> (Vec3, f64) {
    let (mut sum, mut n) = (Vec3::ZERO, 0.0);
    for operation in operations {
        let d = operation.apply(x) - x;
        let d = Vec3::from(d.to_array().map(|v| v - v.round()));
        if vectors.vec_mul(d).norm() < COINCIDENT {
            sum += d;
            n += 1.0;
        }
    }
    let shift = sum * (1.0 / n);
    (into_cell(x + shift), vectors.vec_mul(shift).norm())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn charge_of(element: &str) -> Option<f64> {
        match element {
            "Ti" => Some(2.196),
            "O" => Some(-1.098),
            _ => None,
        }
    }

    fn read(text: &str) -> Result<Crystal, ImportError> {
        crystal(&Cif::parse(Path::new("x.cif"), text)?, &charge_of)
    }

    /// As the Crystallography Open Database writes anatase (9015929): the older names, origin choice 1.
    const ANATASE: &str = include_str!("../tests/data/anatase.cif");
    /// Rutile with today's names and uncertainties, special coordinates rounded.
    const RUTILE: &str = include_str!("../tests/data/rutile.cif");

    /// Every atom of `a` has one of `b` at the same place, up to the rounding of coordinates.
    fn same(a: &Crystal, b: &Crystal) {
        assert_eq!(a.sites.len(), b.sites.len());
        for site in &a.sites {
            let near =
                |s: &&Site| s.element == site.element && crate::symmetry::separation(s.position, site.position) < 1e-6;
            assert_eq!(b.sites.iter().filter(near).count(), 1, "{site:?}");
        }
        assert_eq!(a.centrings.len(), b.centrings.len());
        for (u, v) in a.vectors.rows.iter().zip(b.vectors.rows) {
            assert!((*u - v).norm() < 1e-9, "{u:?} {v:?}");
        }
    }

    #[test]
    fn files_of_both_dictionaries_give_the_crystals_of_the_space_groups() {
        same(&read(ANATASE).unwrap(), &Crystal::anatase());
        same(&read(RUTILE).unwrap(), &Crystal::rutile());
    }

    #[test]
    fn a_hexagonal_cell_and_a_triclinic_one_have_their_volumes() {
        // Wurtzite-like: rounded thirds are moved to the special position, two atoms of each kind per cell.
        let hexagonal = "data_h\n_cell_length_a 3.25\n_cell_length_b 3.25\n_cell_length_c 5.2\n_cell_angle_alpha 90\n\
            _cell_angle_beta 90\n_cell_angle_gamma 120\nloop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n-y,x-y,z\n-x+y,-x,z\n\
            -x,-y,z+1/2\ny,-x+y,z+1/2\nx-y,x,z+1/2\n-y,-x,z\n-x+y,y,z\nx,x-y,z\ny,x,z+1/2\nx-y,-y,z+1/2\n-x,-x+y,z+1/2\n\
            loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n\
            Ti1 0.3333 0.6667 0.0\nO1 0.3333 0.6667 0.375\n";
        let crystal = read(hexagonal).unwrap();
        assert_eq!(crystal.sites.len(), 4);
        assert!((crystal.volume() - 0.325 * 0.325 * 0.75f64.sqrt() * 0.52).abs() < 1e-12);
        assert!((crystal.sites[0].position - Vec3::new(1.0 / 3.0, 2.0 / 3.0, 0.0)).norm() < 1e-9);
        let triclinic = "data_t\n_cell_length_a 3\n_cell_length_b 4\n_cell_length_c 5\n_cell_angle_alpha 80\n\
            _cell_angle_beta 95\n_cell_angle_gamma 110\n_space_group_name_H-M_alt 'P 1'\nloop_\n_atom_site_type_symbol\n\
            _atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\nTi4+ 0 0 0\nO2- .5 .5 .5\n";
        let [a, b, c] = [80f64, 95.0, 110.0].map(|t| t.to_radians().cos());
        let volume = 0.06 * (1.0 - a * a - b * b - c * c + 2.0 * a * b * c).sqrt();
        assert!((read(triclinic).unwrap().volume() - volume).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_a_crystal_names_line_value_and_remedy() {
        let cases = [
            ("_cell_angle_gamma  90", "_cell_angle_gamma  180", "x.cif:14: _cell_angle_gamma: 180 cannot be"),
            ("_cell_length_a     3.7845", "_cell_length_a     ?", "_cell_length_a: there is no value"),
            ("_cell_length_b     3.7845", "_cell_length_b     3.9", "does not map the cell onto itself"),
            ("\n-x,y,z\n", "\n", "31 operations are listed, but their products make 32"),
            ("-y,1/2+x,1/4+z", "-y,1/2+x,1/5+z", "fraction of 24ths"),
            ("Ti 0.0", "Zz 0.0", "\"Zz\" is no element"),
            ("Ti 0.0", "Si 0.0", "no parameter file gives an oxide with Si"),
            ("0.20810 1.0", "0.20810 0.5", "only to 0.5"),
            ("O 0.00000 0.00000", "O 0.00400 0.00000", "special position"),
            ("O 0.00000 0.00000 0.20810", "O 0.00000 0.00000 0.00100", "apart"),
            ("_symmetry_equiv_pos_as_xyz", "_other", "lists no symmetry operation"),
        ];
        for (from, to, words) in cases {
            assert!(ANATASE.contains(from), "{from}");
            let error = read(&ANATASE.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.starts_with("x.cif:") && error.contains(words), "{from} → {to}: {error}");
        }
    }
}

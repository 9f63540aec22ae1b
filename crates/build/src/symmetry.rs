//! Symmetry operations on fractional coordinates: their text form, their products, the group that they make.

use amelo_math::{Mat3, Vec3};

/// Translations are counted in these parts of an axis: every one of a space group is a multiple of 1/24.
const PARTS: i32 = 24;

/// Operations of the largest space groups: 48 of the point group, four centrings.
pub const LARGEST_GROUP: usize = 192;

/// A symmetry operation x → R x + t on fractional coordinates; t in 24ths of the axes, modulo 24.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    rotation: [[i32; 3]; 3],
    translation: [i32; 3],
}

impl Operation {
    /// The identity.
    pub const IDENTITY: Operation = Operation { rotation: [[1, 0, 0], [0, 1, 0], [0, 0, 1]], translation: [0; 3] };

    /// An operation whose translation is given in quarters of the axes.
    pub const fn quarters(rotation: [[i32; 3]; 3], q: [i32; 3]) -> Self {
        const UNIT: i32 = PARTS / 4;
        Operation { rotation, translation: [UNIT * q[0], UNIT * q[1], UNIT * q[2]] }
    }

    /// Reads the form of a CIF, for example `-y+1/2, x+1/2, z+3/4` or `x-y,x,0.5+z`; what is wrong otherwise.
    pub fn parse(text: &str) -> Result<Operation, String> {
        let rows: Vec<&str> = text.split(',').collect();
        let [x, y, z] = rows[..] else {
            return Err(format!("\"{text}\" has {} coordinates, not three", rows.len()));
        };
        let mut operation = Operation { rotation: [[0; 3]; 3], translation: [0; 3] };
        for (row, text) in [x, y, z].into_iter().enumerate() {
            let (rotation, translation) = coordinate(text)?;
            operation.rotation[row] = rotation;
            operation.translation[row] = translation.rem_euclid(PARTS);
        }
        if operation.determinant().abs() != 1 {
            return Err(format!(
                "\"{text}\" is no symmetry operation: its matrix has determinant {}",
                operation.determinant()
            ));
        }
        Ok(operation)
    }

    /// First `other`, then this one.
    pub fn after(&self, other: &Operation) -> Operation {
        let mut rotation = [[0; 3]; 3];
        let mut translation = self.translation;
        for i in 0..3 {
            for k in 0..3 {
                translation[i] += self.rotation[i][k] * other.translation[k];
                for j in 0..3 {
                    rotation[i][j] += self.rotation[i][k] * other.rotation[k][j];
                }
            }
        }
        Operation { rotation, translation: translation.map(|t| t.rem_euclid(PARTS)) }
    }

    /// Image of the fractional position `x`, in [0, 1).
    pub fn apply(&self, x: Vec3) -> Vec3 {
        into_cell(self.matrix() * x + self.shift())
    }

    /// The translation (fractional) where the operation is nothing else.
    pub fn pure_translation(&self) -> Option<Vec3> {
        (self.rotation == Operation::IDENTITY.rotation).then(|| self.shift())
    }

    /// Largest relative change that the operation makes to a scalar product of two edges of the cell `vectors`
    /// (rows): zero for a symmetry of the lattice.
    pub fn misfit(&self, vectors: Mat3) -> f64 {
        // Columns of R are the images of the edges, in fractional coordinates.
        let edges = self.matrix().transpose().rows.map(|column| vectors.vec_mul(column));
        let mut worst = 0.0f64;
        for i in 0..3 {
            for j in 0..3 {
                let (a, b) = (vectors.rows[i], vectors.rows[j]);
                worst = worst.max((edges[i].dot(edges[j]) - a.dot(b)).abs() / (a.norm() * b.norm()));
            }
        }
        worst
    }

    fn matrix(&self) -> Mat3 {
        Mat3::from_array(self.rotation.map(|row| row.map(f64::from)))
    }

    fn shift(&self) -> Vec3 {
        Vec3::from(self.translation.map(|t| f64::from(t) / f64::from(PARTS)))
    }

    fn determinant(&self) -> i32 {
        let [a, b, c] = self.rotation;
        a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0])
    }
}

/// One coordinate of an operation: multiples of x, y, z, and the translation in 24ths.
fn coordinate(text: &str) -> Result<([i32; 3], i32), String> {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase();
    let (mut row, mut parts) = ([0; 3], 0);
    let mut rest = compact.as_str();
    if rest.is_empty() {
        return Err("a coordinate is missing".into());
    }
    while !rest.is_empty() {
        let sign = if rest.starts_with('-') { -1 } else { 1 };
        rest = rest.trim_start_matches(['+', '-']);
        let end = rest.find(['+', '-']).unwrap_or(rest.len());
        let (term, after) = rest.split_at(end);
        rest = after;
        match term {
            "x" => row[0] += sign,
            "y" => row[1] += sign,
            "z" => row[2] += sign,
            _ => {
                parts += sign
                    * translation(term)
                        .ok_or_else(|| format!("\"{term}\" in \"{text}\" is neither x, y, z nor a fraction of 24ths"))?
            }
        }
    }
    Ok((row, parts))
}

/// `1/2` or `0.3333` in 24ths.
fn translation(term: &str) -> Option<i32> {
    let value = match term.split_once('/') {
        Some((over, under)) => over.parse::<f64>().ok()? / under.parse::<f64>().ok()?,
        None => term.parse::<f64>().ok()?,
    };
    let parts = value * f64::from(PARTS);
    // Decimals are printed with four digits or more.
    ((parts - parts.round()).abs() < 0.01 && parts.abs() < 1e3).then(|| parts.round() as i32)
}

/// All operations of the group that `generators` generate, modulo lattice translations; more than [`LARGEST_GROUP`]
/// only where they generate no space group.
pub fn group(generators: &[Operation]) -> Vec<Operation> {
    let mut operations = vec![Operation::IDENTITY];
    let mut k = 0;
    while k < operations.len() && operations.len() <= LARGEST_GROUP {
        for g in generators {
            let product = g.after(&operations[k]);
            if !operations.contains(&product) {
                operations.push(product);
            }
        }
        k += 1;
    }
    operations
}

/// Fractional coordinates in [0, 1), with 1 − ε taken as 0.
pub fn into_cell(x: Vec3) -> Vec3 {
    let fold = |v: f64| {
        let f = v - v.floor();
        if f > 1.0 - 1e-9 { 0.0 } else { f }
    };
    Vec3::new(fold(x.x), fold(x.y), fold(x.z))
}

/// Largest component of the shortest difference of two fractional positions.
pub fn separation(x: Vec3, y: Vec3) -> f64 {
    let d = x - y;
    [d.x, d.y, d.z].into_iter().map(|v| (v - v.round()).abs()).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_read_as_files_write_them() {
        // International Tables A, P4₂/mnm and P6₃/mmc.
        let x = Vec3::new(0.1, 0.2, 0.3);
        let cases = [
            ("x,y,z", Vec3::new(0.1, 0.2, 0.3)),
            ("-y+1/2, x+1/2, z+1/2", Vec3::new(0.3, 0.6, 0.8)),
            ("1/2+X,1/2-Y,-Z", Vec3::new(0.6, 0.3, 0.7)),
            ("-x+y, -x, z+0.3333", Vec3::new(0.1, 0.9, 0.3 + 8.0 / 24.0)),
            ("x-y,x,z+5/6", Vec3::new(0.9, 0.1, 0.3 + 20.0 / 24.0 - 1.0)),
        ];
        for (text, image) in cases {
            let found = Operation::parse(text).unwrap().apply(x);
            assert!((found - image).norm() < 1e-12, "{text}: {found:?}");
        }
        for bad in ["x,y", "x,y,z,x", "x,y,w", "x,y,", "x,x,z", "x+1/7,y,z", "x,y,z+a/2", "x,y,z+1/0"] {
            assert!(Operation::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_operation_of_another_lattice_is_a_misfit() {
        let tetragonal = Mat3::diagonal(0.4, 0.4, 0.9);
        assert!(Operation::parse("-y,x,z").unwrap().misfit(tetragonal) < 1e-12);
        // Hand-made: x ↔ z exchanges 0.16 with 0.81 nm².
        let misfit = Operation::parse("z,y,x").unwrap().misfit(tetragonal);
        assert!((misfit - (0.81 - 0.16) / 0.16).abs() < 1e-9, "{misfit}");
        let generators = ["x+y,y,z", "-y,x,z"].map(|t| Operation::parse(t).unwrap());
        assert!(group(&generators).len() > LARGEST_GROUP);
    }
}

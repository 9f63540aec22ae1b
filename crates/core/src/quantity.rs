//! Quantities as people write them: `"1.2 nm"`, `"363 K"`, `"267776 kJ/mol/nm^2"`. A bare number where a unit
//! is needed is an error that says which units would do.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::units::{BAR_PER_PRESSURE, EV, GRAM_PER_CM3, KCAL};

/// Exponents of (length, mass, time, charge, temperature, angle), with a name and the units to suggest.
#[derive(Clone, Copy, Debug)]
pub struct Dimension {
    /// What is measured, as in "a length".
    pub name: &'static str,
    /// Exponents of length, mass, time, charge, temperature, angle.
    pub exponents: [i8; 6],
    /// Units to suggest; the first is the internal one.
    pub units: &'static [&'static str],
}

impl PartialEq for Dimension {
    fn eq(&self, other: &Self) -> bool {
        self.exponents == other.exponents
    }
}

macro_rules! dimensions {
    ($($constant:ident $type:ident $name:literal $exponents:expr, [$($unit:literal),+];)+) => {
        impl Dimension {
            $(#[doc = concat!("Dimension: ", $name, ".")]
            pub const $constant: Dimension = Dimension { name: $name, exponents: $exponents, units: &[$($unit),+] };)+
        }
        $(
            #[doc = concat!("A deck value: ", $name, ", written with its unit; the number inside is in ", dimensions!(@first $($unit),+), ".")]
            #[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
            pub struct $type(pub f64);

            impl<'de> Deserialize<'de> for $type {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    deserializer.deserialize_any(QuantityVisitor(Dimension::$constant)).map($type)
                }
            }

            impl Serialize for $type {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.collect_str(self)
                }
            }

            impl fmt::Display for $type {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write!(f, "{} {}", self.0, Dimension::$constant.units[0])
                }
            }

            impl schemars::JsonSchema for $type {
                fn schema_name() -> std::borrow::Cow<'static, str> {
                    stringify!($type).into()
                }
                fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                    schemars::json_schema!({ "type": "string", "format": $name, "examples": [concat!("1.0 ", dimensions!(@first $($unit),+))] })
                }
                fn inline_schema() -> bool {
                    true
                }
            }
        )+
    };
    (@first $first:literal $(, $rest:literal)*) => { $first };
}

dimensions! {
    LENGTH Length "length" [1, 0, 0, 0, 0, 0], ["nm", "Å", "pm", "um"];
    TIME Time "time" [0, 0, 1, 0, 0, 0], ["ps", "fs", "ns", "us"];
    MASS Mass "mass" [0, 1, 0, 0, 0, 0], ["u", "g/mol"];
    CHARGE Charge "charge" [0, 0, 0, 1, 0, 0], ["e"];
    TEMPERATURE Temperature "temperature" [0, 0, 0, 0, 1, 0], ["K"];
    ANGLE Angle "angle" [0, 0, 0, 0, 0, 1], ["rad", "deg", "°"];
    ENERGY Energy "energy" [2, 1, -2, 0, 0, 0], ["kJ/mol", "kcal/mol", "eV", "J/mol"];
    FORCE Force "force" [1, 1, -2, 0, 0, 0], ["kJ/mol/nm", "kcal/mol/Å", "eV/Å"];
    PRESSURE Pressure "pressure" [-1, 1, -2, 0, 0, 0], ["kJ/mol/nm^3", "bar", "atm", "MPa", "GPa"];
    STIFFNESS Stiffness "force constant of a bond" [0, 1, -2, 0, 0, 0], ["kJ/mol/nm^2", "kcal/mol/Å^2", "kJ/mol/Å^2"];
    ANGULAR_STIFFNESS AngularStiffness "force constant of an angle" [2, 1, -2, 0, 0, -2], ["kJ/mol/rad^2", "kcal/mol/rad^2"];
    ENERGY_LENGTH6 EnergyLength6 "dispersion coefficient" [8, 1, -2, 0, 0, 0], ["kJ/mol*nm^6", "kcal/mol*Å^6", "eV*Å^6"];
    ENERGY_LENGTH12 EnergyLength12 "repulsion coefficient" [14, 1, -2, 0, 0, 0], ["kJ/mol*nm^12", "kcal/mol*Å^12"];
    INVERSE_LENGTH InverseLength "inverse length" [-1, 0, 0, 0, 0, 0], ["1/nm", "1/Å"];
    RATE Rate "rate" [0, 0, -1, 0, 0, 0], ["1/ps", "1/fs", "1/ns"];
    VELOCITY Velocity "velocity" [1, 0, -1, 0, 0, 0], ["nm/ps", "Å/ps", "Å/fs"];
    ELECTRIC_FIELD ElectricField "electric field" [1, 1, -2, -1, 0, 0], ["kJ/mol/nm/e", "V/nm", "V/Å"];
    COMPRESSIBILITY Compressibility "compressibility" [1, -1, 2, 0, 0, 0], ["nm^3/(kJ/mol)", "1/bar", "1/GPa"];
    COOLING_RATE CoolingRate "cooling rate" [0, 0, -1, 0, 1, 0], ["K/ps", "K/ns", "K/s"];
    DIFFUSION Diffusion "diffusion coefficient" [2, 0, -1, 0, 0, 0], ["nm^2/ps", "Å^2/ps", "cm^2/s", "m^2/s"];
    DENSITY Density "mass density" [-3, 1, 0, 0, 0, 0], ["u/nm^3", "g/cm^3"];
}

impl Dimension {
    /// A plain number.
    pub const NONE: Dimension = Dimension { name: "plain number", exponents: [0; 6], units: &[""] };
}

/// Why a text is not the quantity that was asked for.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum QuantityError {
    /// A number without a unit.
    #[error("{value} has no unit; a {name} is written with one, for example \"{value} {}\" (known: {})", units[0], units.join(", "))]
    NoUnit {
        /// The number as written.
        value: String,
        /// What was asked for.
        name: &'static str,
        /// Units that would do.
        units: &'static [&'static str],
    },
    /// The text does not start with a number.
    #[error("\"{text}\" does not start with a number; a {name} looks like \"1.0 {}\"", units[0])]
    NoNumber {
        /// The text as written.
        text: String,
        /// What was asked for.
        name: &'static str,
        /// Units that would do.
        units: &'static [&'static str],
    },
    /// The number is infinite or not a number.
    #[error("\"{text}\" is not a finite number")]
    NotFinite {
        /// The text as written.
        text: String,
    },
    /// A unit that amelo does not know.
    #[error("unknown unit \"{unit}\" in \"{text}\"; a {name} is given in {}", units.join(", "))]
    UnknownUnit {
        /// The text as written.
        text: String,
        /// The unit that is not known.
        unit: String,
        /// What was asked for.
        name: &'static str,
        /// Units that would do.
        units: &'static [&'static str],
    },
    /// A known unit of another dimension.
    #[error("\"{text}\" is not a {name}; a {name} is given in {}", units.join(", "))]
    WrongDimension {
        /// The text as written.
        text: String,
        /// What was asked for.
        name: &'static str,
        /// Units that would do.
        units: &'static [&'static str],
    },
}

/// Factor to internal units and exponents of one elementary unit. Composite names stand first, so that
/// "kJ/mol" is one exact unit and not kJ divided by a mole.
fn unit(name: &str) -> Option<(f64, [i8; 6])> {
    let energy = Dimension::ENERGY.exponents;
    let pressure = Dimension::PRESSURE.exponents;
    Some(match name {
        "kJ/mol" => (1.0, energy),
        "J/mol" => (1e-3, energy),
        "kcal/mol" => (KCAL, energy),
        "g/mol" | "u" | "amu" | "Da" => (1.0, Dimension::MASS.exponents),
        "eV" => (EV, energy),
        "meV" => (EV * 1e-3, energy),
        "nm" => (1.0, Dimension::LENGTH.exponents),
        "\u{c5}" | "\u{212b}" | "A" | "Ang" | "angstrom" | "Angstrom" => (0.1, Dimension::LENGTH.exponents),
        "pm" => (1e-3, Dimension::LENGTH.exponents),
        "cm" => (1e7, Dimension::LENGTH.exponents),
        "m" => (1e9, Dimension::LENGTH.exponents),
        "um" | "µm" | "μm" => (1e3, Dimension::LENGTH.exponents),
        "ps" => (1.0, Dimension::TIME.exponents),
        "fs" => (1e-3, Dimension::TIME.exponents),
        "ns" => (1e3, Dimension::TIME.exponents),
        "us" | "µs" | "μs" => (1e6, Dimension::TIME.exponents),
        "s" => (1e12, Dimension::TIME.exponents),
        "e" => (1.0, Dimension::CHARGE.exponents),
        "K" => (1.0, Dimension::TEMPERATURE.exponents),
        "rad" => (1.0, Dimension::ANGLE.exponents),
        "deg" | "°" | "degree" | "degrees" => (std::f64::consts::PI / 180.0, Dimension::ANGLE.exponents),
        "bar" => (1.0 / BAR_PER_PRESSURE, pressure),
        "atm" => (1.01325 / BAR_PER_PRESSURE, pressure),
        "Pa" => (1e-5 / BAR_PER_PRESSURE, pressure),
        "kPa" => (1e-2 / BAR_PER_PRESSURE, pressure),
        "MPa" => (10.0 / BAR_PER_PRESSURE, pressure),
        "GPa" => (1e4 / BAR_PER_PRESSURE, pressure),
        "V" => (EV, [2, 1, -2, -1, 0, 0]),
        "g" => (GRAM_PER_CM3 * 1e21, Dimension::MASS.exponents),
        "1" => (1.0, [0; 6]),
        _ => return None,
    })
}

/// Factor and exponents of a product of units, `kJ/mol/nm^2` or `eV*Å^6` or `nm^3/(kJ/mol)`.
fn unit_product(text: &str) -> Result<(f64, [i8; 6]), String> {
    let text =
        text.replace(['(', ')'], "").replace('²', "^2").replace('³', "^3").replace('⁶', "^6").replace(['·', ' '], "*");
    let mut factor = 1.0;
    let mut exponents = [0i8; 6];
    let mut rest = text.as_str();
    let mut sign = 1i8;
    loop {
        let composite = ["kJ/mol", "J/mol", "kcal/mol", "g/mol"]
            .into_iter()
            .find(|c| rest.strip_prefix(c).is_some_and(|after| after.is_empty() || after.starts_with(['/', '*', '^'])));
        let end = match composite {
            Some(c) => c.len() + rest[c.len()..].find(['/', '*']).unwrap_or(rest.len() - c.len()),
            None => rest.find(['/', '*']).unwrap_or(rest.len()),
        };
        let token = &rest[..end];
        let (name, power) = match token.split_once('^') {
            Some((name, power)) => {
                (name, power.parse::<i8>().ok().filter(|p| p.abs() <= 12).ok_or_else(|| token.to_string())?)
            }
            None => (token, 1),
        };
        let (f, e) = unit(name).ok_or_else(|| token.to_string())?;
        factor *= f64::powi(f, i32::from(sign * power));
        for (sum, e) in exponents.iter_mut().zip(e) {
            *sum = sum.saturating_add(e.saturating_mul(sign * power));
        }
        if end == rest.len() {
            return Ok((factor, exponents));
        }
        sign = if rest.as_bytes()[end] == b'/' { -1 } else { 1 };
        rest = &rest[end + 1..];
    }
}

/// Reads `text` as a quantity of `dimension`; the result is in internal units (nm, ps, u, e, kJ/mol, K, rad).
pub fn parse(text: &str, dimension: Dimension) -> Result<f64, QuantityError> {
    let Dimension { name, units, .. } = dimension;
    let trimmed = text.trim();
    // The longest prefix that is a number: "1e-5 1/bar" has the number "1e-5", "5 e" the number "5".
    let split = (1..=trimmed.len()).rev().filter(|&k| trimmed.is_char_boundary(k)).find(|&k| {
        trimmed[..k].ends_with(|c: char| c.is_ascii_digit() || c == '.') && trimmed[..k].parse::<f64>().is_ok()
    });
    let Some(split) = split else {
        return Err(QuantityError::NoNumber { text: text.into(), name, units });
    };
    let value: f64 = trimmed[..split].parse().unwrap_or(f64::NAN);
    if !value.is_finite() {
        return Err(QuantityError::NotFinite { text: text.into() });
    }
    let unit_text = trimmed[split..].trim();
    if unit_text.is_empty() {
        if dimension.exponents == [0; 6] {
            return Ok(value);
        }
        return Err(QuantityError::NoUnit { value: trimmed.into(), name, units });
    }
    let (factor, exponents) =
        unit_product(unit_text).map_err(|unit| QuantityError::UnknownUnit { text: text.into(), unit, name, units })?;
    if exponents != dimension.exponents {
        return Err(QuantityError::WrongDimension { text: text.into(), name, units });
    }
    Ok(value * factor)
}

struct QuantityVisitor(Dimension);

impl de::Visitor<'_> for QuantityVisitor {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {} as text, for example \"1.0 {}\"", self.0.name, self.0.units[0])
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<f64, E> {
        parse(text, self.0).map_err(E::custom)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<f64, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<f64, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<f64, E> {
        self.visit_str(&value.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(text: &str, dimension: Dimension, expected: f64) {
        let value = parse(text, dimension).unwrap();
        assert!((value / expected - 1.0).abs() < 1e-14, "{text}: {value} instead of {expected}");
    }

    #[test]
    fn quantities_of_decks_and_parameter_files() {
        close("1.2 nm", Dimension::LENGTH, 1.2);
        close("12 Å", Dimension::LENGTH, 1.2);
        close("2fs", Dimension::TIME, 0.002);
        close("5e-1 e", Dimension::CHARGE, 0.5);
        close("320 kcal/mol/Å^2", Dimension::STIFFNESS, 133_888.0);
        close("3137 kJ/mol/Å²", Dimension::STIFFNESS, 313_700.0);
        close("30.22 eV*Å^6", Dimension::ENERGY_LENGTH6, 30.22 * EV * 1e-6);
        close("180 deg", Dimension::ANGLE, std::f64::consts::PI);
        close("4.5e-5 1/bar", Dimension::COMPRESSIBILITY, 4.5e-5 * BAR_PER_PRESSURE);
        close("1 g/cm^3", Dimension::DENSITY, GRAM_PER_CM3);
        close("1 V/nm", Dimension::ELECTRIC_FIELD, EV);
        close("1 nm^3/(kJ/mol)", Dimension::COMPRESSIBILITY, 1.0);
        close("1e13 K/s", Dimension::COOLING_RATE, 10.0);
        close("1e-7 cm^2/s", Dimension::DIFFUSION, 1e-5);
        close("502.08 kJ/mol/rad^2", Dimension::ANGULAR_STIFFNESS, 502.08);
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(matches!(parse("1.2", Dimension::LENGTH), Err(QuantityError::NoUnit { .. })));
        assert!(matches!(parse("nm", Dimension::LENGTH), Err(QuantityError::NoNumber { .. })));
        assert!(matches!(parse("1.2 furlong", Dimension::LENGTH), Err(QuantityError::UnknownUnit { .. })));
        assert!(matches!(parse("1.2 ps", Dimension::LENGTH), Err(QuantityError::WrongDimension { .. })));
        assert!(matches!(parse("1e999 nm", Dimension::LENGTH), Err(QuantityError::NotFinite { .. })));
        let message = parse("1.2", Dimension::LENGTH).unwrap_err().to_string();
        assert_eq!(
            message,
            "1.2 has no unit; a length is written with one, for example \"1.2 nm\" (known: nm, Å, pm, um)"
        );
    }

    #[test]
    fn every_suggested_unit_is_understood() {
        for d in [
            Dimension::LENGTH,
            Dimension::PRESSURE,
            Dimension::COMPRESSIBILITY,
            Dimension::ENERGY_LENGTH12,
            Dimension::ELECTRIC_FIELD,
        ] {
            for u in d.units {
                assert!(parse(&format!("1 {u}"), d).is_ok(), "{u}");
            }
        }
    }
}

//! Formulas of equal-style variables: numbers, operators, functions, constants, other variables.
//!
//! Source: LAMMPS documentation, variable, "Math Operators" and "Math Functions". Everything that needs a running
//! simulation (thermodynamic keywords, computes, fixes, groups, random numbers) is an error.

use amelo_math::special;

use super::args::shown;

/// Deepest nesting of brackets and operators in a row.
const DEEPEST: usize = 64;

/// Binary operators from the loosest to the tightest binding.
const LEVELS: [&[&str]; 6] =
    [&["||", "|^"], &["&&"], &["==", "!="], &["<=", ">=", "<", ">"], &["+", "-"], &["*", "/", "%"]];

/// The value of `formula`. `variable` gives those of other variables. Errors: one sentence.
pub(super) fn evaluate(formula: &str, variable: &mut dyn FnMut(&str) -> Result<f64, String>) -> Result<f64, String> {
    let mut parser = Parser { rest: formula.trim(), variable, depth: 0 };
    let value = parser.binary(0)?;
    if !parser.rest.is_empty() {
        return Err(format!("\"{}\" is left over in the formula", shown(parser.rest)));
    }
    if value.is_finite() { Ok(value) } else { Err(format!("the formula \"{}\" gives {value}", shown(formula))) }
}

struct Parser<'a, 'v> {
    rest: &'a str,
    variable: &'v mut dyn FnMut(&str) -> Result<f64, String>,
    depth: usize,
}

impl<'a> Parser<'a, '_> {
    fn take(&mut self, token: &str) -> bool {
        let found = self.rest.starts_with(token);
        if found {
            self.rest = self.rest[token.len()..].trim_start();
        }
        found
    }

    fn nested<T>(&mut self, f: impl FnOnce(&mut Self) -> Result<T, String>) -> Result<T, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("the formula is nested more than {DEEPEST} deep"));
        }
        let value = f(self);
        self.depth -= 1;
        value
    }

    fn binary(&mut self, level: usize) -> Result<f64, String> {
        let Some(operators) = LEVELS.get(level) else { return self.power() };
        let mut left = self.binary(level + 1)?;
        loop {
            let Some(&operator) = operators.iter().find(|o| self.rest.starts_with(**o)) else { return Ok(left) };
            self.take(operator);
            let right = self.binary(level + 1)?;
            let truth = |b: bool| f64::from(u8::from(b));
            left = match operator {
                "||" => truth(left != 0.0 || right != 0.0),
                "|^" => truth((left != 0.0) != (right != 0.0)),
                "&&" => truth(left != 0.0 && right != 0.0),
                "==" => truth(left == right),
                "!=" => truth(left != right),
                "<=" => truth(left <= right),
                ">=" => truth(left >= right),
                "<" => truth(left < right),
                ">" => truth(left > right),
                "+" => left + right,
                "-" => left - right,
                "*" => left * right,
                _ if right == 0.0 => return Err("the formula divides by zero".into()),
                "/" => left / right,
                _ => left % right,
            };
        }
    }

    /// x^y; several in a row from left to right, as LAMMPS does it.
    fn power(&mut self) -> Result<f64, String> {
        let mut base = self.unary()?;
        while self.take("^") {
            base = special::pow(base, self.unary()?);
        }
        Ok(base)
    }

    fn unary(&mut self) -> Result<f64, String> {
        if self.take("-") {
            return Ok(-self.nested(Self::unary)?);
        }
        if self.rest.starts_with('!') && !self.rest.starts_with("!=") {
            self.take("!");
            return Ok(f64::from(u8::from(self.nested(Self::unary)? == 0.0)));
        }
        self.atom()
    }

    fn atom(&mut self) -> Result<f64, String> {
        if self.take("(") {
            let value = self.nested(|p| p.binary(0))?;
            return if self.take(")") { Ok(value) } else { Err("a bracket in the formula does not close".into()) };
        }
        if self.rest.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return self.number();
        }
        let end = self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(self.rest.len());
        let (name, after) = self.rest.split_at(end);
        self.rest = after.trim_start();
        if name.is_empty() {
            return Err(match self.rest {
                "" => "the formula ends where a value should stand".into(),
                rest => format!("\"{}\" stands where a value should", shown(rest)),
            });
        }
        if let Some(variable) = name.strip_prefix("v_") {
            if self.rest.starts_with('[') {
                return Err(format!("v_{}[…] belongs to an atom of a running simulation", shown(variable)));
            }
            return (self.variable)(variable);
        }
        if self.take("(") {
            return self.function(name);
        }
        match name {
            "PI" => Ok(std::f64::consts::PI),
            "true" | "yes" | "on" => Ok(1.0),
            "false" | "no" | "off" => Ok(0.0),
            _ => Err(format!("\"{}\" has a value only in a running simulation", shown(name))),
        }
    }

    fn number(&mut self) -> Result<f64, String> {
        let bytes = self.rest.as_bytes();
        let mut end = 0;
        while end < bytes.len() {
            let exponent_sign = matches!(bytes[end], b'+' | b'-') && end > 0 && matches!(bytes[end - 1], b'e' | b'E');
            if !(bytes[end].is_ascii_digit() || matches!(bytes[end], b'.' | b'e' | b'E') || exponent_sign) {
                break;
            }
            end += 1;
        }
        let (text, after) = self.rest.split_at(end);
        self.rest = after.trim_start();
        text.parse().map_err(|_| format!("\"{}\" is not a number", shown(text)))
    }

    fn function(&mut self, name: &'a str) -> Result<f64, String> {
        let mut x = Vec::new();
        if !self.take(")") {
            loop {
                x.push(self.nested(|p| p.binary(0))?);
                if self.take(")") {
                    break;
                }
                if !self.take(",") {
                    return Err(format!("the arguments of {}(…) do not end", shown(name)));
                }
            }
        }
        let value = match (name, &x[..]) {
            ("sqrt", [x]) => x.sqrt(),
            ("exp", [x]) => special::exp(*x),
            ("ln", [x]) => special::ln(*x),
            ("log", [x]) => special::ln(*x) / std::f64::consts::LN_10,
            ("abs", [x]) => x.abs(),
            ("sin", [x]) => special::sin(*x),
            ("cos", [x]) => special::cos(*x),
            ("tan", [x]) => special::sin(*x) / special::cos(*x),
            ("asin", [x]) => std::f64::consts::FRAC_PI_2 - special::acos(*x),
            ("acos", [x]) => special::acos(*x),
            ("atan", [x]) => special::atan2(*x, 1.0),
            ("atan2", [y, x]) => special::atan2(*y, *x),
            ("ceil", [x]) => x.ceil(),
            ("floor", [x]) => x.floor(),
            // LAMMPS rounds halves away from zero, as C does.
            ("round", [x]) => x.round(),
            ("ternary", [x, y, z]) => {
                if *x != 0.0 {
                    *y
                } else {
                    *z
                }
            }
            _ => return Err(format!("{}(…) with {} arguments is not known here", shown(name), x.len())),
        };
        if value.is_finite() { Ok(value) } else { Err(format!("{name}({}) gives {value}", x[0])) }
    }
}

/// A number as C's `%.{digits}g` prints it, which is how LAMMPS fills numbers into a line.
pub(super) fn general(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let scientific = format!("{:.*e}", digits.max(1) - 1, value);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text.to_string(),
    };
    if exponent < -4 || exponent >= digits as i32 {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", trim(mantissa), exponent.abs());
    }
    trim(&format!("{:.*}", (digits as i32 - 1 - exponent).max(0) as usize, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(formula: &str) -> Result<f64, String> {
        evaluate(formula, &mut |name| if name == "x" { Ok(3.0) } else { Err(format!("no variable {name}")) })
    }

    #[test]
    fn precedence_functions_and_constants() {
        for (formula, expected) in [
            ("1+2*3", 7.0),
            ("-2^2", 4.0), // as in LAMMPS: unary minus binds tighter than ^
            ("2^3^2", 64.0),
            ("(1+v_x)*2 - 7%4", 5.0),
            ("1.5e-3*2", 3e-3),
            ("2*-v_x", -6.0),
            ("sqrt(16)+ceil(1.2)+ternary(1>2,10,20)", 26.0),
            ("1 < 2 && !(3 == 4)", 1.0),
            ("cos(PI)", -1.0),
            ("log(1000)", 3.0),
        ] {
            let found = value(formula).unwrap();
            assert!((found - expected).abs() < 1e-14, "{formula} gave {found}");
        }
    }

    #[test]
    fn broken_formulas_say_what_is_wrong() {
        for (formula, words) in [
            ("1+", "ends where a value"),
            ("(1", "does not close"),
            ("1/0", "divides by zero"),
            ("step*2", "running simulation"),
            ("v_y", "no variable y"),
            ("random(1,2,3)", "not known here"),
            ("1 2", "left over"),
            ("sqrt(-1)", "gives NaN"),
            ("", "ends where a value"),
            ("1.2.3", "not a number"),
        ] {
            let found = value(formula).unwrap_err();
            assert!(found.contains(words), "{formula}: {found}");
        }
        assert!(value(&"(".repeat(100_000)).unwrap_err().contains("nested"));
        assert!(value(&"-".repeat(100_000)).unwrap_err().contains("nested"));
    }

    #[test]
    fn numbers_print_as_c_does() {
        let cases =
            [(0.1, "0.1"), (1e-5, "1e-05"), (123456.0, "123456"), (1.0 / 3.0, "0.333333333333333"), (1e15, "1e+15")];
        for (x, text) in cases {
            assert_eq!(general(x, 15), text);
        }
        assert_eq!(general(-2.5, 15), "-2.5");
        assert_eq!(general(8.0, 20), "8");
    }
}

//! Variables of a script: styles index, string, equal and internal, and their place in a line.
//!
//! Source: LAMMPS documentation, variable, and "Parsing rules for input scripts": `${name}`, `$x`, `$(formula)`,
//! none of them inside quotes.

use std::collections::BTreeMap;

use super::args::{Args, shown};
use super::formula::{evaluate, general};
use super::lines::LONGEST;
use crate::formats::ImportError;

/// How deep variables may refer to each other.
const DEEPEST: usize = 20;
/// How many variables may be looked up while one script is read: formulas of formulas grow like powers.
const MOST_LOOKUPS: usize = 1_000_000;

/// What a name stands for.
#[derive(Clone, Debug)]
enum Variable {
    /// Index or string: text as it is.
    Text { style: &'static str, text: String },
    /// Equal or internal: a formula, evaluated where it is used.
    Formula(String),
}

/// All variables of a script.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables {
    by_name: BTreeMap<String, Variable>,
    lookups: usize,
}

impl Variables {
    /// The command `variable`.
    pub fn define(&mut self, args: &Args) -> Result<(), ImportError> {
        let name = args.text(0, "the variable's name")?;
        let style = args.text(1, "the variable's style")?;
        if name.is_empty() || !name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_') {
            return args.fail(format!("the name is \"{}\"", shown(name)), "use letters, digits and underscores");
        }
        let old = self.by_name.get(name);
        let variable = match style {
            "delete" => {
                args.count(2..=2, "variable NAME delete")?;
                self.by_name.remove(name);
                return Ok(());
            }
            "index" => {
                let text = args.text(2, "a value")?.to_string();
                // LAMMPS keeps the value of an index variable that exists, so that -var can preset it.
                if matches!(old, Some(Variable::Text { style: "index", .. })) {
                    return Ok(());
                }
                Variable::Text { style: "index", text }
            }
            "string" => {
                args.count(3..=3, "variable NAME string TEXT, with quotes around blanks")?;
                Variable::Text { style: "string", text: args.words[2].clone() }
            }
            "equal" => {
                args.count(3..=3, "variable NAME equal FORMULA, with quotes around blanks")?;
                Variable::Formula(args.words[2].clone())
            }
            "internal" => {
                args.count(3..=3, "variable NAME internal NUMBER")?;
                Variable::Formula(general(args.number(2, "the value")?, 17))
            }
            other => {
                return args.fail(
                    format!("variables of style \"{}\" are not read", shown(other)),
                    "use index, string, equal or internal; write out what a loop would do",
                );
            }
        };
        let same = match (old, &variable) {
            (None, _) | (Some(Variable::Formula(_)), Variable::Formula(_)) => true,
            (Some(Variable::Text { style: a, .. }), Variable::Text { style: b, .. }) => a == b,
            _ => false,
        };
        if !same {
            return args.fail(format!("\"{name}\" exists already with another style"), "delete it first, or rename it");
        }
        self.by_name.insert(name.into(), variable);
        Ok(())
    }

    /// `line` with every variable outside quotes filled in. Errors: one sentence and what to do.
    pub fn substitute(&mut self, line: &str) -> Result<String, (String, &'static str)> {
        const CLOSE: &str = "close the bracket";
        let mut out = String::with_capacity(line.len());
        let (mut rest, mut quote) = (line, None);
        while let Some(c) = rest.chars().next() {
            let after = &rest[c.len_utf8()..];
            match (c, quote) {
                ('$', None) => {
                    let (value, next) = if let Some(inside) = after.strip_prefix('{') {
                        let (name, next) =
                            inside.split_once('}').ok_or((format!("\"${}\" does not end", shown(after)), CLOSE))?;
                        (self.text(name), next)
                    } else if let Some(inside) = after.strip_prefix('(') {
                        let end = closing(inside).ok_or((format!("\"${}\" does not end", shown(after)), CLOSE))?;
                        (self.immediate(&inside[..end]), &inside[end + 1..])
                    } else {
                        let length = after.chars().next().map_or(0, char::len_utf8);
                        (self.text(&after[..length]), &after[length..])
                    };
                    let value = value.map_err(|e| (e, "define it before, or write the value"))?;
                    out.push_str(&value);
                    rest = next;
                }
                _ => {
                    match quote {
                        None if c == '"' || c == '\'' => quote = Some(c),
                        Some(q) if q == c => quote = None,
                        _ => {}
                    }
                    out.push(c);
                    rest = after;
                }
            }
            if out.len() > LONGEST {
                return Err((format!("the line has more than {LONGEST} characters"), "shorten it"));
            }
        }
        Ok(out)
    }

    /// What `${name}` stands for.
    fn text(&mut self, name: &str) -> Result<String, String> {
        match self.by_name.get(name) {
            Some(Variable::Text { text, .. }) => Ok(text.clone()),
            Some(Variable::Formula(_)) => Ok(general(self.number(name, 0)?, 15)),
            None => Err(format!("there is no variable \"{}\"", shown(name))),
        }
    }

    /// `$(formula)`, with 20 digits, or `$(formula:%.Nf)` and the like.
    fn immediate(&mut self, inside: &str) -> Result<String, String> {
        let (formula, format) = inside.split_once(':').map_or((inside, None), |(f, s)| (f, Some(s)));
        let value = evaluate(formula, &mut |name| self.number(name, 0))?;
        let Some(format) = format else { return Ok(general(value, 20)) };
        let digits_and_kind = format.strip_prefix('%').and_then(|f| {
            let kind = f.chars().last().filter(|k| "fge".contains(*k))?;
            let digits = match &f[..f.len() - 1] {
                "" => 6,
                d => d.strip_prefix('.')?.parse::<usize>().ok().filter(|d| *d <= 30)?,
            };
            Some((digits, kind))
        });
        match digits_and_kind {
            Some((digits, 'f')) => Ok(format!("{value:.digits$}")),
            Some((digits, 'e')) => Ok(format!("{value:.digits$e}")),
            Some((digits, _)) => Ok(general(value, digits)),
            None => Err(format!("the format \"{}\" is not read", shown(format))),
        }
    }

    fn number(&mut self, name: &str, depth: usize) -> Result<f64, String> {
        self.lookups += 1;
        if depth > DEEPEST || self.lookups > MOST_LOOKUPS {
            return Err(format!("the variable \"{}\" refers to too many others, or to itself", shown(name)));
        }
        match self.by_name.get(name).cloned() {
            Some(Variable::Text { text, .. }) => match text.trim().parse::<f64>() {
                Ok(value) if value.is_finite() => Ok(value),
                _ => Err(format!("the variable \"{}\" is \"{}\", not a number", shown(name), shown(&text))),
            },
            Some(Variable::Formula(formula)) => evaluate(&formula, &mut |name| self.number(name, depth + 1)),
            None => Err(format!("there is no variable \"{}\"", shown(name))),
        }
    }
}

/// Position of the bracket that closes one opened before `text`.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return Some(at),
            ')' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::Place;

    fn with(definitions: &[&str]) -> Result<Variables, ImportError> {
        let place = Place { path: std::path::Path::new("in.lmp").into(), line: 7 };
        let mut variables = Variables::default();
        for text in definitions {
            let words = super::super::lines::words(text).unwrap();
            variables.define(&Args { place: &place, name: "variable", words: &words })?;
        }
        Ok(variables)
    }

    #[test]
    fn every_form_of_reference() {
        let mut v = with(&["x index 3 4", "rc equal \"2 * v_x\"", "s string 'zero 8.0'", "x index 9"]).unwrap();
        assert_eq!(
            v.substitute("a $x ${rc} $(v_rc/4:%.2f) ${s} '$x' $(1/8)").unwrap(),
            "a 3 6 1.50 zero 8.0 '$x' 0.125"
        );
    }

    #[test]
    fn references_that_fail() {
        let mut v = with(&["a equal v_b", "b equal v_a", "c equal press"]).unwrap();
        for (line, words) in [
            ("${nope}", "no variable \"nope\""),
            ("${a}", "or to itself"),
            ("${c}", "running simulation"),
            ("${a", "does not end"),
            ("$(1+2", "does not end"),
            ("$", "no variable"),
            ("$(1:%d)", "format \"%d\""),
        ] {
            let (found, _) = v.substitute(line).unwrap_err();
            assert!(found.contains(words), "{line}: {found}");
        }
        let error = with(&["i loop 10"]).unwrap_err().to_string();
        assert!(error.starts_with("in.lmp:7: variable: variables of style \"loop\""), "{error}");
        assert!(with(&["a equal 1", "a string b"]).unwrap_err().to_string().contains("another style"));
    }

    #[test]
    fn formulas_that_grow_like_powers_end() {
        let wide = vec!["v_b"; 2000].join("+");
        let mut definitions = vec![format!("a equal {wide}")];
        for k in b'b'..b'p' {
            let next = format!("v_{}", (k + 1) as char);
            definitions.push(format!("{} equal {}", k as char, vec![next.as_str(); 2000].join("+")));
        }
        let definitions: Vec<&str> = definitions.iter().map(String::as_str).collect();
        assert!(with(&definitions).unwrap().substitute("${a}").is_err());
        // Text that doubles.
        let mut v = Variables::default();
        v.by_name.insert("t".into(), Variable::Text { style: "string", text: "x".repeat(LONGEST) });
        assert!(v.substitute("$t$t$t").unwrap_err().0.contains("characters"));
    }
}

//! Reports as text for people.

use serde_json::Value;

/// A JSON report as indented lines `name: value`; empty values are left out.
pub fn json_lines(value: &Value) -> String {
    let mut out = String::new();
    write(value, 0, &mut out);
    out
}

/// A build report as lines; the curves of a glass are for plots, and the hundreds of atoms trimmed from a pore for programs.
pub fn build_lines(mut build: Value) -> String {
    if let Some(glass) = build.pointer_mut("/oxide/glass").and_then(Value::as_object_mut) {
        glass.remove("curves");
    }
    if let Some(trimmed) = build.pointer_mut("/oxide/pore/trimmed") {
        *trimmed = trimmed.as_array().map_or(0, Vec::len).into();
    }
    json_lines(&build)
}

fn write(value: &Value, depth: usize, out: &mut String) {
    let Value::Object(map) = value else { return };
    for (name, value) in map {
        let indent = "  ".repeat(depth);
        match value {
            Value::Null => {}
            Value::Object(_) => {
                out.push_str(&format!("{indent}{name}:\n"));
                write(value, depth + 1, out);
            }
            Value::Array(items) if items.iter().any(Value::is_object) => {
                out.push_str(&format!("{indent}{name}:\n"));
                for item in items {
                    let mut entry = String::new();
                    write(item, 0, &mut entry);
                    out.push_str(&format!("{indent}  - {}\n", entry.trim_end().replace('\n', ", ")));
                }
            }
            Value::Array(_) => out.push_str(&format!("{indent}{name}: {}\n", plain(value))),
            _ => out.push_str(&format!("{indent}{name}: {}\n", plain(value))),
        }
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(s) => s.clone(),
        Value::Number(n) => match n.as_f64() {
            Some(x) if !n.is_i64() && !n.is_u64() => number(x),
            _ => n.to_string(),
        },
        Value::Array(items) => format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// A number with six significant digits.
pub fn number(x: f64) -> String {
    let size = x.abs();
    if x == 0.0 {
        "0".into()
    } else if (1e-4..1e7).contains(&size) {
        let digits = (5 - size.log10().floor() as i32).clamp(0, 9) as usize;
        let text = format!("{x:.digits$}");
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
    } else {
        format!("{x:.5e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_six_digits() {
        assert_eq!(number(1.0), "1");
        assert_eq!(number(-0.012345678), "-0.0123457");
        assert_eq!(number(123456.7), "123457");
        assert_eq!(number(1.5e-9), "1.50000e-9");
    }
}

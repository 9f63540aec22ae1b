//! A script as logical lines: continuations joined, comments cut, words and quotes told apart.
//!
//! Source: LAMMPS documentation, "Parsing rules for input scripts".

use super::args::shown;

/// Longest logical line (bytes), also after its variables are filled in.
pub(super) const LONGEST: usize = 1 << 16;

/// Logical lines of `text` with the number of their first physical line, from 1; comments still in them.
pub(super) fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut pending: Option<(usize, String)> = None;
    for (k, line) in text.lines().enumerate() {
        let (first, mut joined) = pending.take().unwrap_or((k + 1, String::new()));
        let trimmed = line.trim_end();
        match trimmed.strip_suffix('&') {
            // A line that is too long is complained about once it is whole; it need not grow further.
            Some(start) if joined.len() <= LONGEST => {
                joined.push_str(start);
                pending = Some((first, joined));
            }
            _ => {
                joined.push_str(trimmed);
                lines.push((first, joined));
            }
        }
    }
    lines.extend(pending);
    lines
}

/// The line without its comment: everything from a `#` that is not inside quotes.
pub(super) fn without_comment(line: &str) -> &str {
    let mut quote = None;
    for (at, c) in line.char_indices() {
        match (c, quote) {
            ('#', None) => return &line[..at],
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(q)) if c == q => quote = None,
            _ => {}
        }
    }
    line
}

/// Blank-separated words; a word that begins with a quote (`"`, `'` or `"""`) goes to its end, without the quotes.
/// Errors: a quote that does not end, or that ends inside a word.
pub(super) fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let quote = ["\"\"\"", "\"", "'"].into_iter().find(|q| rest.starts_with(q));
        let end = match quote {
            None => rest.find(char::is_whitespace).unwrap_or(rest.len()),
            Some(quote) => {
                let inside = &rest[quote.len()..];
                let Some(length) = inside.find(quote) else {
                    return Err(format!("the quote before \"{}\" does not end", shown(inside)));
                };
                words.push(inside[..length].to_string());
                quote.len() * 2 + length
            }
        };
        let (word, after) = rest.split_at(end);
        if quote.is_none() {
            words.push(word.to_string());
        } else if after.starts_with(|c: char| !c.is_whitespace()) {
            return Err(format!("\"{}\" follows a closing quote without a blank", shown(after)));
        }
        rest = after.trim_start();
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn continuations_comments_and_quotes() {
        let text = "pair_coeff 1 & \n  2 0.1 # not & yet\nprint \"a # b\" 'c d' # e\nlast &";
        let lines = logical_lines(text);
        assert_eq!(lines.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [1, 3, 4]);
        assert_eq!(words(without_comment(&lines[0].1)).unwrap(), ["pair_coeff", "1", "2", "0.1"]);
        assert_eq!(words(without_comment(&lines[1].1)).unwrap(), ["print", "a # b", "c d"]);
        assert_eq!(words(&lines[2].1).unwrap(), ["last"]);
        assert_eq!(words("a \"\"\"b \"c\" d\"\"\"").unwrap(), ["a", "b \"c\" d"]);
    }

    #[test]
    fn broken_quotes_are_errors() {
        assert!(words("print \"a b").unwrap_err().contains("does not end"));
        assert!(words("print \"a\"b").unwrap_err().contains("without a blank"));
    }
}

//! Errors for people, with the line they are about, and for programs, as JSON.

use std::io::IsTerminal;

use amelo_runner::{Problem, RunnerError};
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, MietteError, MietteSpanContents, Report,
    SourceCode, SourceSpan, SpanContents,
};

use crate::args::Global;
use crate::{commands, terminal};

/// Writes `error` to stderr, and to stdout as JSON where asked.
pub fn error(error: &RunnerError, global: Global) {
    let problems = match error {
        RunnerError::Input { problems } => problems.clone(),
        RunnerError::Simulation { message, help, dossier } => {
            let help = match dossier {
                Some(path) => format!("{help}\nthe circumstances are in {}", path.display()),
                None => help.clone(),
            };
            vec![Problem::new(message.clone()).help(help)]
        }
        RunnerError::Files { message, help } => vec![Problem::new(message.clone()).help(help.clone())],
        RunnerError::Stopped { .. } => vec![Problem::new(error.to_string()).help("go on with --resume")],
        RunnerError::Bug(_) => vec![Problem::new(error.to_string()).help("please report this with the deck")],
    };
    for problem in &problems {
        terminal::say(graphical(problem).trim_end());
    }
    if global.json {
        let list: Vec<_> = problems.iter().map(json).collect();
        let document = serde_json::json!({ "error": { "exit_code": error.exit_code(), "problems": list } });
        // There is no other way left to say that this failed.
        let _ = commands::print_json(&document);
    }
}

fn json(problem: &Problem) -> serde_json::Value {
    let (line, column) = problem.place.as_ref().map(|p| p.line_column()).unzip();
    serde_json::json!({
        "message": problem.message,
        "file": problem.place.as_ref().map(|p| p.name.clone()),
        "line": line,
        "column": column,
        "help": problem.help,
    })
}

fn graphical(problem: &Problem) -> String {
    let mut diagnostic = MietteDiagnostic::new(problem.message.clone());
    if let Some(help) = &problem.help {
        diagnostic = diagnostic.with_help(help.clone());
    }
    let mut report = Report::new(diagnostic.clone());
    if let Some(place) = &problem.place {
        let span = clamp(&place.text, place.span.clone());
        let diagnostic = diagnostic.with_label(LabeledSpan::underline(span));
        let source = Text { name: place.name.clone(), text: place.text.clone() };
        report = Report::new(diagnostic).with_source_code(source);
    }
    let theme =
        if std::io::stderr().is_terminal() { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let mut text = String::new();
    // Links and wrapping would tear paths apart that people copy.
    let handler = GraphicalReportHandler::new_themed(theme).with_links(false).with_width(200).with_context_lines(1);
    match handler.render_report(&mut text, report.as_ref()) {
        Ok(()) => text,
        Err(_) => format!("error: {}\n", problem.message),
    }
}

/// A named text whose columns count characters; miette's own count bytes, which is wrong behind an Å.
struct Text {
    name: String,
    text: String,
}

impl SourceCode for Text {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let inner = self.text.read_span(span, before, after)?;
        let line_start = self.text[..span.offset()].rfind('\n').map_or(0, |k| k + 1);
        let characters = self.text[line_start..span.offset()].chars().count();
        let column = if inner.column() == 0 { 0 } else { characters };
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            inner.data(),
            *inner.span(),
            inner.line(),
            column,
            inner.line_count(),
        )))
    }
}

/// A span inside the text and on character boundaries, at least one byte where the text has one.
fn clamp(text: &str, span: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let mut start = span.start.min(text.len().saturating_sub(1));
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = span.end.clamp(start, text.len());
    // One line is enough to show where it is.
    end = text[start..].find('\n').map_or(end, |k| end.min(start + k.max(1)));
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

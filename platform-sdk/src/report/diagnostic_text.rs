//! Diagnostics as a person reads them: what, why, where, and what to do next.

use super::{
    style::{Meaning, Paint, ansi},
    values::count,
    wrap::put_words,
};
use crate::report::{Diagnostic, Severity};

/// A diagnostic as text without a line feed at its end. Lines are broken at `columns`, where it is given.
pub fn diagnostic_text(diagnostic: &Diagnostic, colour: bool, columns: Option<usize>) -> String {
    ansi(&diagnostic_lines(diagnostic, Paint { colour }, columns))
}

/// The same with marks for colours.
pub(super) fn diagnostic_lines(diagnostic: &Diagnostic, paint: Paint, columns: Option<usize>) -> String {
    let (word, meaning) = match diagnostic.severity {
        Severity::Error => ("error", Meaning::Bad),
        Severity::Warning => ("warning", Meaning::Changed),
    };
    let mut text = paint.paint(meaning, word) + &hanging(&format!(": {}", diagnostic.summary), 2, columns, count(word));
    if let Some(detail) = &diagnostic.detail {
        text.push_str("\n  ");
        text.push_str(&hanging(detail, 2, columns, 2));
    }
    let place = match (&diagnostic.address, &diagnostic.at) {
        (Some(address), Some(at)) => format!("at {at} ({address})"),
        (Some(address), None) => format!("on {address}"),
        (None, Some(at)) => format!("at {at}"),
        (None, None) => String::new(),
    };
    if !place.is_empty() {
        text.push_str("\n  ");
        text.push_str(&paint.paint(Meaning::Aside, &place));
    }
    if let Some(hint) = &diagnostic.hint {
        text.push_str("\n  ");
        text.push_str(&paint.paint(Meaning::Moved, "hint:"));
        text.push(' ');
        text.push_str(&hanging(hint, 8, columns, 8));
    }
    text
}

/// The text with its lines broken at words, every line but the first indented.
fn hanging(text: &str, indent: usize, columns: Option<usize>, mut used: usize) -> String {
    let margin = " ".repeat(indent);
    let mut out = String::with_capacity(text.len());
    for (index, line) in text.lines().enumerate() {
        if index > 0 {
            out.push('\n');
            out.push_str(if line.is_empty() { "" } else { &margin });
            used = indent;
        }
        match columns {
            Some(columns) => put_words(&mut out, line, (used, indent), columns),
            None => out.push_str(line),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_width_it_reads_as_its_display() {
        let diagnostic = Diagnostic::error("cannot update job `nightly`")
            .detail("wanted this\nand found that")
            .hint("do something")
            .at("examples/prod.rs:42");
        assert_eq!(diagnostic_text(&diagnostic, false, None), diagnostic.to_string());
    }

    #[test]
    fn a_terminal_breaks_it_at_words() {
        let diagnostic = Diagnostic::warning("one two three four").hint("five six seven eight nine");
        let text = diagnostic_text(&diagnostic, false, Some(20));
        assert_eq!(text, "warning: one two\n  three four\n  hint: five six\n        seven eight\n        nine");
    }
}

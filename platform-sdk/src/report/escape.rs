//! Characters that steer what shows them: which they are, and how they are written so that they only can be read.

use std::fmt::Write as _;

use serde_json::Value;

/// Whether a character does something to a terminal, or to the order in which text is read, instead of standing there:
/// controls, what turns the direction of text, breaks of lines and paragraphs, and the marks of `style.rs`.
pub(super) fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(c, '\u{fdd0}'..='\u{fdef}' | '\u{fff9}'..='\u{fffb}')
}

/// A text on one line, in which nothing steers: for plans, which are the same text wherever they are shown.
pub(super) fn clean(text: &str) -> String {
    escaped(text, |_| false)
}

/// The same for a text of several lines.
pub(super) fn clean_lines(text: &str) -> String {
    escaped(text, |c| c == '\n')
}

/// A text that keeps to its line, and all else of it: what it does to a terminal is the writer's business.
pub(crate) fn one_line(text: &str) -> String {
    escaped(text, |c| !matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}'))
}

/// A text as JSON writes it, with what steers escaped, too.
pub(super) fn quoted(text: &str) -> String {
    let json = Value::String(text.to_owned()).to_string();
    json.chars().fold(String::with_capacity(json.len()), |mut out, c| {
        if steers(c) {
            let mut units = [0; 2];
            c.encode_utf16(&mut units).iter().for_each(|unit| _ = write!(out, "\\u{unit:04x}"));
        } else {
            out.push(c);
        }
        out
    })
}

fn escaped(text: &str, keep: impl Fn(char) -> bool) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if keep(c) || !steers(c) {
            out.push(c);
        } else if c == '\t' {
            out.push_str("    ");
        } else {
            push_escaped(&mut out, c);
        }
        out
    })
}

/// `\u{1b}`, as Rust writes it.
pub(super) fn push_escaped(out: &mut String, c: char) {
    let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_written_out_and_what_only_looks_strange_is_not() {
        assert_eq!(clean("a\u{1b}[31m\u{9b}b\u{202e}c\u{7f}\n"), "a\\u{1b}[31m\\u{9b}b\\u{202e}c\\u{7f}\\u{a}");
        assert_eq!(clean("é 日本 👩‍🔬 \u{a0}"), "é 日本 👩‍🔬 \u{a0}");
        assert_eq!(quoted("a\u{1b}\u{9b}\u{202e}\""), r#""a\u001b\u009b\u202e\"""#);
        assert_eq!(one_line("a\u{1b}[31m\n\tb"), "a\u{1b}[31m\\u{a}\tb");
    }
}

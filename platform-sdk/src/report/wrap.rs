//! Lines broken at spaces where a terminal would break them anywhere.

use super::style::is_mark;

/// The text with lines of more than `columns` broken at spaces. What goes on stands a little deeper than its line; a word
/// without a space stays whole.
pub(super) fn wrapped(text: &str, columns: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if width(line.trim_end_matches('\n')) <= columns {
            out.push_str(line);
        } else {
            wrap(&mut out, line, columns);
        }
    }
    out
}

fn wrap(out: &mut String, line: &str, columns: usize) {
    let margin = line.len() - line.trim_start_matches(' ').len();
    out.push_str(&line[..margin]);
    put_words(out, &line[margin..], (margin, (margin + 4).min(columns / 2)), columns);
}

/// Adds the words of a line that has so much before it, and goes on so deep on the next one.
pub(super) fn put_words(out: &mut String, line: &str, (mut used, deeper): (usize, usize), columns: usize) {
    for (index, word) in line.split(' ').enumerate() {
        let room = width(word.trim_end_matches('\n'));
        if index > 0 && used + 1 + room > columns && used > deeper {
            out.push('\n');
            out.push_str(&" ".repeat(deeper));
            used = deeper;
        } else if index > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += room;
    }
}

fn width(text: &str) -> usize {
    text.chars().filter(|c| !is_mark(*c)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_spaces_and_words_never() {
        let text = "short\n  destroys table lake.sales.orders_of_last_year with its data\n";
        assert_eq!(
            wrapped(text, 30),
            "short\n  destroys table\n      lake.sales.orders_of_last_year\n      with its data\n"
        );
        assert_eq!(wrapped("\u{fdd0}one two\u{fdef} three", 10), "\u{fdd0}one two\u{fdef}\n    three");
    }
}

//! Words of Rust: identifiers and literals that compile, whatever the text is that they are made of.

/// Words that can't be names of variables; some can with `r#`, and would read badly.
const KEYWORDS: [&str; 51] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Names that the printed Rust uses itself.
const TAKEN: [&str; 1] = ["stack"];

/// A variable for a resource of this name.
pub fn variable(name: &str) -> String {
    let mut text: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        text.insert(0, '_');
    }
    if text.chars().all(|c| c == '_') {
        text.insert_str(0, "it");
    }
    if KEYWORDS.contains(&text.as_str()) || TAKEN.contains(&text.as_str()) {
        text.push('_');
    }
    text
}

/// The setter of a field: its name, raw where that is a keyword.
pub(super) fn setter(field: &str) -> String {
    if KEYWORDS.contains(&field) { format!("r#{field}") } else { field.to_owned() }
}

/// A string literal; a raw one where that is easier to read.
pub fn literal(text: &str) -> String {
    let raw_reads_better = text.contains(['\n', '"', '\\']);
    // What is not there to be seen is written out: the compiler refuses text that runs backwards, too.
    let unseen = |c: char| c != '\n' && c.escape_debug().next() == Some('\\') && !matches!(c, '"' | '\'' | '\\');
    if !raw_reads_better || text.chars().any(unseen) {
        return format!("{text:?}");
    }
    let longest = text.split('"').skip(1).map(|rest| rest.chars().take_while(|c| *c == '#').count()).max();
    let hashes = "#".repeat(longest.map_or(0, |longest| longest + 1));
    format!("r{hashes}\"{text}\"{hashes}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_gives_a_variable() {
        let names = ["como", "como-2", "2nd", "type", "else", "stack", "-", "日本", "Self", "gen"];
        let variables = ["como", "como_2", "_2nd", "type_", "else_", "stack_", "it_", "it__", "self_", "gen_"];
        assert_eq!(names.map(variable), variables);
        assert_eq!(["type", "comment", "default"].map(setter), ["r#type", "comment", "default"]);
    }

    #[test]
    fn any_text_gives_a_literal() {
        for (text, expected) in [
            ("it's", r#""it's""#),
            ("a\u{202e}b\u{1b}", r#""a\u{202e}b\u{1b}""#),
            ("a\n\u{202e}", r#""a\n\u{202e}""#),
            ("say \"x\"", "r#\"say \"x\"\"#"),
            ("a\"#b\\", r###"r##"a"#b\"##"###),
            ("a\tb\r", r#""a\tb\r""#),
        ] {
            assert_eq!(literal(text), expected);
        }
    }
}

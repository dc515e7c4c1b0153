//! Cuts SQL text into tokens.

use super::SqlError;

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// An unquoted word: a keyword or a name.
    Word(String),
    /// A name in backticks.
    Name(String),
    /// A string literal, unescaped.
    Text(String),
    /// A number, as written.
    Number(String),
    /// Any other single character.
    Symbol(char),
}

/// A token and where it stands in the text.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// All tokens of a statement, without comments.
///
/// # Errors
/// A literal, name or comment that does not end.
pub(super) fn tokens(sql: &str) -> Result<Vec<Token>, SqlError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = sql[at..].chars().next() {
        let rest = &sql[at..];
        let start = at;
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        if rest.starts_with("--") {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        if rest.starts_with("/*") {
            at += rest.find("*/").ok_or_else(|| SqlError::syntax("'/*'"))? + 2;
            continue;
        }
        let kind = if c == '`' {
            let (text, length) = quoted(rest, '`', false)?;
            at += length;
            Kind::Name(text)
        } else if c == '\'' || c == '"' {
            let (text, length) = quoted(rest, c, true)?;
            at += length;
            Kind::Text(text)
        } else if c.is_ascii_digit() {
            at += rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            Kind::Number(sql[start..at].to_owned())
        } else if c.is_alphabetic() || c == '_' {
            at += rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            Kind::Word(sql[start..at].to_owned())
        } else {
            at += c.len_utf8();
            Kind::Symbol(c)
        };
        tokens.push(Token { kind, start, end: at });
    }
    Ok(tokens)
}

/// Reads a quoted run: its text, and its length with the quotes. A doubled quote is one quote; in literals, so is what
/// a backslash escapes.
fn quoted(rest: &str, quote: char, escapes: bool) -> Result<(String, usize), SqlError> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == quote {
            if chars.peek().is_some_and(|(_, next)| *next == quote) {
                chars.next();
                text.push(quote);
            } else {
                return Ok((text, at + quote.len_utf8()));
            }
        } else if c == '\\' && escapes {
            match chars.next() {
                Some((_, 'n')) => text.push('\n'),
                Some((_, 't')) => text.push('\t'),
                Some((_, 'r')) => text.push('\r'),
                Some((_, '0')) => text.push('\0'),
                // These keep their backslash, for patterns.
                Some((_, kept @ ('%' | '_'))) => text.extend(['\\', kept]),
                Some((_, plain)) => text.push(plain),
                None => break,
            }
        } else {
            text.push(c);
        }
    }
    Err(SqlError::syntax(&format!("'{quote}'")))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that can't go on says where")]
mod tests {
    use super::*;

    fn kinds(sql: &str) -> Vec<Kind> {
        tokens(sql).unwrap().into_iter().map(|token| token.kind).collect()
    }

    #[test]
    fn quotes_are_doubled_or_escaped() {
        assert_eq!(kinds(r"'it''s' 'it\'s' 'a\\b'"), ["it's", "it's", r"a\b"].map(|text| Kind::Text(text.into())));
        assert_eq!(kinds("`a``b`"), [Kind::Name("a`b".into())]);
        assert!(tokens("'open").is_err());
    }

    #[test]
    fn comments_are_left_out() {
        assert_eq!(kinds("SELECT -- all\n/* of it */ 1"), [Kind::Word("SELECT".into()), Kind::Number("1".into())]);
    }
}

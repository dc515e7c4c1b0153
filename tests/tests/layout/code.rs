//! Rust code as the rules see it: a flat list of words and signs, without comments, texts and tests.

use std::str::FromStr;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::sources::Source;

/// The words and signs of production code, in order: `#[cfg(test)]` items, comments and literals are left out.
pub(crate) fn words(source: &Source) -> Vec<String> {
    if source.is_test() {
        return Vec::new();
    }
    let tokens = TokenStream::from_str(&source.text);
    let mut words = Vec::new();
    flatten(tokens.unwrap_or_else(|error| panic!("{}: {error}", source.path)), &mut words);
    words
}

fn flatten(tokens: TokenStream, words: &mut Vec<String>) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(sign) if sign.as_char() == '#' => {
                if tokens.peek().is_some_and(is_cfg_test) {
                    skip_item(&mut tokens);
                } else {
                    words.push("#".to_owned());
                }
            }
            TokenTree::Punct(sign) => words.push(sign.as_char().to_string()),
            TokenTree::Ident(word) => words.push(word.to_string()),
            TokenTree::Literal(_) => {}
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                words.push(open.to_owned());
                flatten(group.stream(), words);
                words.push(close.to_owned());
            }
        }
    }
}

fn is_cfg_test(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.stream().to_string().replace(' ', "") == "cfg(test)")
}

/// An item ends with its first braces or its semicolon.
fn skip_item(tokens: &mut impl Iterator<Item = TokenTree>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return,
            TokenTree::Punct(sign) if sign.as_char() == ';' => return,
            _ => {}
        }
    }
}

/// The paths that start with one of these roots, two segments deep, with `{..}` groups taken apart:
/// `use crate::{plan::Plan, Id}` has `crate::plan` and `crate::Id`.
pub(crate) fn paths_from(words: &[String], roots: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let continues_a_path = at >= 2 && words[at - 1] == ":" && words[at - 2] == ":";
        let rooted = roots.contains(&word.as_str()) && !(continues_a_path && at >= 3 && is_word(&words[at - 3]));
        if !rooted
            || words.get(at + 1).is_none_or(|sign| sign != ":")
            || words.get(at + 2).is_none_or(|sign| sign != ":")
        {
            continue;
        }
        match words.get(at + 3).map(String::as_str) {
            Some("{") => found.extend(first_segments(&words[at + 4..])),
            Some(segment) if is_word(segment) => found.push(segment.to_owned()),
            _ => {}
        }
    }
    found
}

fn is_word(text: &str) -> bool {
    text.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
}

/// The first segment of each entry of a group, up to its end.
fn first_segments(words: &[String]) -> Vec<String> {
    let (mut depth, mut starts, mut found) = (0, true, Vec::new());
    for word in words {
        match word.as_str() {
            "{" => depth += 1,
            "}" if depth == 0 => return found,
            "}" => depth -= 1,
            "," if depth == 0 => starts = true,
            word if starts && depth == 0 && is_word(word) => {
                found.push(word.to_owned());
                starts = false;
            }
            _ => {}
        }
    }
    found
}

#[test]
fn code_is_seen_without_comments_texts_and_tests() {
    let source = Source::sample(
        "a/src/b.rs",
        "//! first\nuse crate::{a::{B, c}, D};\n// crate::x\n#[cfg(test)]\nmod tests { use crate::y; }\n\
         #[cfg(test)]\nmod more;\nfn f() { let s = \"crate::z\"; crate::e::F::new(); }",
    );
    assert_eq!(paths_from(&words(&source), &["crate"]), ["a", "D", "e"]);
    assert!(words(&Source::sample("a/src/b_tests.rs", "use crate::a;")).is_empty());
}

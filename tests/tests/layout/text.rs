//! What can be seen in a file's text and words: sizes, first lines, names, unfinished work, printing, silenced lints.

use super::{
    assert_none,
    code::words,
    sources::{self, Source},
};

const LINES: usize = 500;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] =
    &["util", "utils", "utilities", "common", "helper", "helpers", "misc", "manager", "managers", "shared", "stuff"];

/// Macros that print past the printer, or stand for work that was not done.
const BANNED_MACROS: &[&str] = &["println", "print", "eprintln", "eprint", "dbg", "todo", "unimplemented"];

fn too_long(source: &Source) -> Vec<String> {
    let lines = source.text.lines().take_while(|line| line.trim() != "#[cfg(test)]").count();
    if source.is_production() && lines > LINES {
        return vec![format!("{}: {lines} lines of production code, more than {LINES}", source.path)];
    }
    Vec::new()
}

fn no_first_line(source: &Source) -> Vec<String> {
    let first = source.text.lines().next().unwrap_or_default();
    // What a compile-fail test compiles is quoted with its line numbers, so it starts with a comment as well.
    let says = first.strip_prefix("//! ").is_some_and(|text| text.trim().len() > 3 && !text.contains("placeholder"));
    if says {
        Vec::new()
    } else {
        vec![format!("{}: its first line does not say what is in it (`//! ..`)", source.path)]
    }
}

fn empty_names(source: &Source) -> Vec<String> {
    let parts = source.path.split('/').map(|part| part.trim_end_matches(".rs").trim_end_matches(".py"));
    let empty = parts.filter(|part| EMPTY_NAMES.contains(part));
    empty.map(|part| format!("{}: `{part}` does not say what is inside", source.path)).collect()
}

fn unfinished(source: &Source) -> Vec<String> {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME")];
    let found = marks.iter().filter(|mark| source.text.contains(**mark));
    found.map(|mark| format!("{}: {mark}: finish it, or say what is so and why", source.path)).collect()
}

fn banned_macros(source: &Source) -> Vec<String> {
    if !source.is_production() {
        return Vec::new();
    }
    let words = words(source);
    let calls = words.windows(2).filter(|pair| pair[1] == "!" && BANNED_MACROS.contains(&pair[0].as_str()));
    calls.map(|pair| format!("{}: `{}!`", source.path, pair[0])).collect()
}

/// A silenced lint has a reason; in whole files, tests as well.
fn silenced_without_reason(source: &Source) -> Vec<String> {
    let mut complaints = Vec::new();
    for opening in ["#[allow(", "#![allow(", "#[expect(", "#![expect("] {
        for (at, _) in source.text.match_indices(opening) {
            let attribute = source.text[at..].split(']').next().unwrap_or_default();
            let line_begins = source.text[..at].rfind('\n').map_or(0, |end| end + 1);
            let is_code = source.text[line_begins..at].trim().is_empty();
            if is_code && !attribute.contains("reason = \"") {
                complaints.push(format!("{}: `{attribute}]` without a reason", source.path));
            }
        }
    }
    complaints
}

#[test]
fn files_are_short() {
    assert_none(sources::all(".rs").iter().flat_map(too_long).collect());
}

#[test]
fn first_lines_say_what_is_inside() {
    assert_none(sources::all(".rs").iter().flat_map(no_first_line).collect());
}

#[test]
fn names_say_something() {
    let all = sources::all(".rs").into_iter().chain(sources::all(".py"));
    assert_none(all.flat_map(|source| empty_names(&source)).collect());
}

#[test]
fn nothing_is_left_for_later() {
    let all = [".rs", ".py", "Cargo.toml"].into_iter().flat_map(sources::all);
    assert_none(all.flat_map(|source| unfinished(&source)).collect());
}

#[test]
fn production_code_prints_through_the_printer() {
    assert_none(sources::all(".rs").iter().flat_map(banned_macros).collect());
}

#[test]
fn silenced_lints_have_reasons() {
    assert_none(sources::all(".rs").iter().flat_map(silenced_without_reason).collect());
}

#[test]
fn a_long_file_is_caught_and_tests_do_not_count() {
    let line = "fn f() {}\n";
    assert_eq!(too_long(&Source::sample("a/src/b.rs", &line.repeat(LINES + 1))).len(), 1);
    let tested = format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", line.repeat(LINES), line.repeat(9));
    assert_eq!(too_long(&Source::sample("a/src/b.rs", &tested)), [""; 0]);
    assert_eq!(too_long(&Source::sample("a/src/b_tests.rs", &line.repeat(LINES + 1))), [""; 0]);
}

#[test]
fn a_silent_file_is_caught() {
    for bad in ["", "use a::b;\n", "// a comment\n", "//! placeholder\n", "\n//! too late\n"] {
        assert_eq!(no_first_line(&Source::sample("a/src/b.rs", bad)).len(), 1, "{bad}");
    }
}

#[test]
fn an_empty_name_is_caught() {
    for bad in ["a/src/utils.rs", "a/src/common/mod.rs", "tests/helpers.py"] {
        assert_eq!(empty_names(&Source::sample(bad, "")).len(), 1, "{bad}");
    }
    assert_eq!(empty_names(&Source::sample("a/src/commons.rs", "")), [""; 0]);
}

#[test]
fn unfinished_work_is_caught() {
    let later = Source::sample("a/src/b.rs", concat!("// TO", "DO: later"));
    assert_eq!(unfinished(&later).len(), 1);
    assert_eq!(banned_macros(&Source::sample("a/src/b.rs", "fn f() { todo!() }")).len(), 1);
}

#[test]
fn printing_is_caught() {
    assert_eq!(banned_macros(&Source::sample("a/src/b.rs", "fn f() { println!(\"x\"); }")).len(), 1);
    let fine = "//! println!\n#[cfg(test)]\nmod tests { fn f() { println!(); } }\nfn g() { writeln!(out); }";
    assert_eq!(banned_macros(&Source::sample("a/src/b.rs", fine)), [""; 0]);
}

#[test]
fn a_lint_silenced_without_a_reason_is_caught() {
    let bad = ["#[allow(dead_code)]\nfn f() {}", "#![expect(\n    clippy::unwrap_used,\n)]\n"];
    for bad in bad {
        assert_eq!(silenced_without_reason(&Source::sample("a/src/b.rs", bad)).len(), 1, "{bad}");
    }
    let fine = "#[expect(clippy::unwrap_used, reason = \"why [not]\")]\nfn f() {}\n// #[allow(x)] in a comment";
    assert_eq!(silenced_without_reason(&Source::sample("a/src/b.rs", fine)), [""; 0]);
}

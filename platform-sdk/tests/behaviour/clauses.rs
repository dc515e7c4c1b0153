//! The list of clauses in `main.rs` names tests that are there.

use std::{collections::BTreeSet, path::Path};

#[test]
fn every_test_that_is_named_is_there() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/behaviour");
    let list = include_str!("main.rs").lines().filter_map(|line| line.strip_prefix("//! "));
    let text = list.collect::<Vec<_>>().join("\n");
    let named: BTreeSet<(&str, &str)> = text.split('`').filter_map(|part| part.split_once("::")).collect();
    assert!(named.len() > 100, "{named:?}");
    let missing = named.iter().filter(|(file, test)| {
        let source = std::fs::read_to_string(folder.join(format!("{file}.rs"))).unwrap_or_default();
        !source.contains(&format!("#[test]\nfn {test}()"))
    });
    assert_eq!(missing.collect::<Vec<_>>(), Vec::<&(&str, &str)>::new());
}

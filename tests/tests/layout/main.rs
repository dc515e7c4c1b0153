//! The layout that DESIGN and STYLE promise, enforced: layer arrows, purity, dependencies, file sizes, first lines,
//! names, sections of a page. Each rule is a function from text to complaints, so that a bad sample can show it works.

mod arrows;
mod code;
mod manifests;
mod pages;
mod sources;
mod text;

/// Fails with all complaints at once.
#[expect(clippy::needless_pass_by_value, reason = "the list is made for this call")]
fn assert_none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

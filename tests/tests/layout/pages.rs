//! A provider's resource pages, which all read in one order: declare, manage, translate, prove.

use super::{
    assert_none,
    sources::{self, Source},
};

/// What begins a section, in order. A page that names its sections in comments does so in the same order.
const SECTIONS: [&str; 4] = ["declare", "manage", "translate", "prove"];

fn is_page(source: &Source) -> bool {
    let provider = source.path.starts_with("platform-") && !source.path.starts_with("platform-sdk/");
    provider && source.is_production() && line_of(source, |line| line.starts_with("#[derive(Resource")).is_some()
}

fn line_of(source: &Source, is: impl Fn(&str) -> bool) -> Option<usize> {
    source.text.lines().position(is)
}

fn disorder(source: &Source) -> Vec<String> {
    let declare = line_of(source, |line| line.starts_with("#[derive(Resource"));
    let manage = line_of(source, |line| line.starts_with("impl Manage for"));
    let prove = line_of(source, |line| line.trim() == "#[cfg(test)]");
    let wire = line_of(source, |line| line.starts_with("struct ") || line.starts_with("enum "));
    let fail = |message: &str| format!("{}: {message}", source.path);
    let mut complaints = Vec::new();
    if manage.is_none() {
        complaints.push(fail("a page manages its resource: `impl Manage for`"));
    }
    if prove.is_none() {
        complaints.push(fail("a page ends with its proof: `#[cfg(test)]`"));
    }
    if manage.is_some() && declare > manage {
        complaints.push(fail("declare (`#[derive(Resource)]`) comes before manage (`impl Manage for`)"));
    }
    if prove.is_some() && manage > prove {
        complaints.push(fail("prove (`#[cfg(test)]`) comes last"));
    }
    if wire.is_some_and(|wire| manage.is_some_and(|manage| wire < manage)) {
        complaints.push(fail("the API's own shapes belong to translate, after `impl Manage for`"));
    }
    let named: Vec<_> = source
        .text
        .lines()
        .filter_map(|line| SECTIONS.iter().position(|section| line == format!("// {section}")))
        .collect();
    if !named.is_sorted() {
        complaints.push(fail("its sections are declare, manage, translate, prove, in this order"));
    }
    complaints
}

#[test]
fn pages_declare_manage_translate_and_prove() {
    assert_none(sources::all(".rs").iter().filter(|source| is_page(source)).flat_map(disorder).collect());
}

const GOOD: &str = "//! Lake\n// declare\n#[derive(Resource)]\npub struct Lake;\n// manage\nimpl Manage for Lake {}\n\
                    // translate\nstruct Wire;\n// prove\n#[cfg(test)]\nmod tests {}\n";

#[test]
fn a_page_out_of_order_is_caught() {
    let page = |text: &str| Source::sample("platform-aws/src/s3/lake.rs", text);
    assert!(is_page(&page(GOOD)) && !is_page(&Source::sample("platform-sdk/src/program/data.rs", GOOD)));
    assert_eq!(disorder(&page(GOOD)), [""; 0]);
    for (from, to) in [
        ("impl Manage for Lake {}\n", ""),
        ("#[cfg(test)]\n", ""),
        ("// manage\n", "// manage\n// declare\n"),
        ("pub struct Lake;\n", "pub struct Lake;\nstruct Early;\n"),
        ("//! Lake\n", "//! Lake\nimpl Manage for Lake {}\n"),
        ("//! Lake\n", "//! Lake\n#[cfg(test)]\n"),
    ] {
        let bad = page(&GOOD.replacen(from, to, 1));
        assert_eq!(disorder(&bad).len(), 1, "{}", bad.text);
    }
}

//! Plans as text, Markdown and JSON.

use insta::{assert_json_snapshot, assert_snapshot};
use serde_json::json;

use super::fixtures::{change, every_operation, lake, plan, set, step};
use crate::{
    plan::{Change, Op, Plan},
    report::{View, plan_html, plan_json, plan_markdown, plan_text, plan_view},
};

#[test]
fn a_fresh_lake() {
    assert_snapshot!(plan_text(&lake()));
}

#[test]
fn one_field_of_one_resource() {
    let comment = change("comment", Some(json!("Orders")), Some(json!("Orders and customers")));
    let mut plan = plan(vec![
        step(Op::Keep, "databricks:Catalog::lake", vec![]),
        step(Op::Update, "databricks:Schema::sales", vec![comment]),
    ]);
    plan.base = Some(crate::desired::Hash::of(b"base"));
    assert_snapshot!(plan_text(&plan));
}

#[test]
fn every_operation_with_all_that_can_be_said_about_it() {
    assert_snapshot!(plan_text(&every_operation()));
}

/// A plan with lists of thirty, a long text, and a policy.
fn long(column: &str, principal: &str) -> Plan {
    let mut long = every_operation();
    let columns: Vec<_> =
        (0..30).map(|n| if n == 25 { json!(column) } else { json!(format!("column number {n}")) }).collect();
    let policy =
        json!({"Statement": [{"Principal": {"AWS": format!("arn:aws:iam::1:role/{}/{principal}", "x".repeat(150))}}]});
    let fields = vec![set("columns", json!(columns)), set("input", json!("x".repeat(200))), set("policy", policy)];
    long.steps.push(step(Op::Create, "platform:Data::long", fields));
    long
}

#[test]
fn a_review_shows_every_item_of_a_list_and_every_character_of_a_text() {
    let plan = long("the one that matters", "reader");
    let (text, markdown, html) = (plan_text(&plan), plan_markdown(&plan), plan_html(&plan));
    for whole in [&text, &markdown, &html, &plan_json(&plan).to_string()] {
        for shown in ["the one that matters", "column number 29", "job_output_22", "/reader", &"x".repeat(200)] {
            assert!(whole.contains(shown), "{shown} is missing in {whole}");
        }
        assert!(!whole.contains(" more;") && !whole.contains('…'), "{whole}");
    }
    for other in [long("another", "reader"), long("the one that matters", "writer")] {
        assert_ne!(plan_text(&other), text);
        assert_ne!(plan_markdown(&other), markdown);
        assert_ne!(plan_html(&other), html);
    }
}

#[test]
fn a_terminal_folds_what_it_says_how_to_unfold() {
    let plan = long("the one that matters", "reader");
    let folded = plan_view(&plan, View { folded: true, columns: Some(80), ..View::default() });
    assert!(folded.contains("… 10 more; -v shows all\n"), "{folded}");
    assert!(folded.contains("(200 characters; -v shows all)\n"), "{folded}");
    assert!(folded.contains("takes along 2 more; -v shows all\n"), "{folded}");
    assert!(folded.lines().filter(|line| line.starts_with("     ")).all(|line| line.chars().count() <= 80), "{folded}");
    let unfolded = plan_view(&plan, View { verbose: true, columns: Some(80), ..View::default() });
    assert!(unfolded.contains("  databricks:Schema::bronze  keep\n"), "{unfolded}");
    assert!(unfolded.contains("takes along table lake.default.job_output_22\n"), "{unfolded}");
    assert!(unfolded.contains(&"x".repeat(200)) && unfolded.contains("the one that matters"), "{unfolded}");
    assert!(!unfolded.contains("-v shows all"), "{unfolded}");
}

#[test]
fn colours() {
    let shown = plan_view(&every_operation(), View { colour: true, ..View::default() });
    assert_snapshot!(shown.replace('\u{1b}', "␛"));
    assert_eq!(anstream::adapter::strip_str(&shown).to_string(), plan_text(&every_operation()));
}

#[test]
fn long_values_differ_line_by_line() {
    let query = |filter: &str| {
        let columns = (0..30).map(|n| format!("  column_{n},\n")).collect::<Vec<_>>().concat();
        json!(format!("select\n{columns}from orders\nwhere {filter}\n"))
    };
    let policy = |actions: &[&str]| {
        let allow = |n: usize| json!({"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": format!("arn:aws:s3:::acme-{n}/*")});
        let mut statements: Vec<_> = (0..6).map(allow).collect();
        statements.push(json!({"Effect": "Allow", "Action": actions, "Resource": "arn:aws:s3:::acme-landing/*"}));
        json!({"Version": "2012-10-17", "Statement": statements})
    };
    let url = |middle: &str| json!(format!("s3://{}/{middle}/{}", "a".repeat(90), "z".repeat(90)));
    let changes = vec![
        change("policy", Some(policy(&["s3:GetObject"])), Some(policy(&["s3:GetObject", "s3:PutObject"]))),
        change("query", Some(query("true")), Some(query("at > now()"))),
        change("sizes", Some(json!([1, 2, 3])), Some(json!([1, 3]))),
        Change { replaces: true, ..change("url", Some(url("old")), Some(url("new"))) },
    ];
    assert_snapshot!(plan_text(&plan(vec![step(Op::Replace { create_first: true }, "test:Thing::long", changes)])));
}

#[test]
fn nothing_to_do() {
    let mut plan = plan(vec![step(Op::Keep, "databricks:Catalog::lake", vec![])]);
    assert_snapshot!(plan_text(&plan), @r"
    Stack prod of acme-data

    No changes. The platform is what the program says.
    ");
    plan.offline = Some("asked for with --offline".into());
    assert_snapshot!(plan_text(&plan), @r"
    Stack prod of acme-data
    Reality was not read: asked for with --offline

    No changes against what was last applied.
    ");
}

#[test]
fn a_pull_request_sees_the_signs_of_a_difference() {
    assert_snapshot!(plan_markdown(&every_operation()));
}

#[test]
fn no_value_ends_the_block_of_a_pull_request() {
    let plan = plan(vec![step(Op::Create, "test:Thing::x", vec![set("text", json!("a\n```\n# out\n````"))])]);
    assert!(plan_markdown(&plan).contains("\n`````diff\n"));
}

#[test]
fn a_browser_sees_a_page_of_steps() {
    assert_snapshot!(plan_html(&every_operation()));
}

#[test]
fn no_value_becomes_markup() {
    let plan = plan(vec![step(Op::Create, "test:Thing::x", vec![set("text", json!("<script>alert(1)</script>"))])]);
    let page = plan_html(&plan);
    assert!(!page.contains("<script") && page.contains("&lt;script&gt;"), "{page}");
}

#[test]
fn a_program_sees_all_of_it() {
    assert_json_snapshot!(plan_json(&every_operation()));
}

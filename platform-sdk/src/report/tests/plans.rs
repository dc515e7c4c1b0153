//! Plans as text, Markdown and JSON.

use insta::{assert_json_snapshot, assert_snapshot};
use serde_json::json;

use super::fixtures::{change, every_operation, lake, plan, set, step};
use crate::{
    plan::{Change, Op},
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

#[test]
fn verbose_shows_what_stays_and_cuts_nothing() {
    let mut long = every_operation();
    long.steps.push(step(Op::Create, "platform:Data::long", vec![set("input", json!("x".repeat(200)))]));
    let shown = plan_view(&long, View { colour: false, verbose: true });
    assert!(shown.contains("  databricks:Schema::bronze  keep\n"), "{shown}");
    assert!(shown.contains("takes along table lake.default.job_output_22\n"), "{shown}");
    assert!(shown.contains(&"x".repeat(200)), "{shown}");
    assert!(!plan_text(&long).contains(&"x".repeat(200)));
}

#[test]
fn colours() {
    let shown = plan_view(&every_operation(), View { colour: true, verbose: false });
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

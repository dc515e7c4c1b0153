//! What the marks of fields make of a difference, one at a time.

use serde_json::{Value, json};

use super::*;

const ONE: &[Field] = &[Field { unset: Unset::Never, ..Field::new("path") }];
const FIELDS: &[Field] = &[
    Field { unset: Unset::Nullable, ..Field::new("policy") },
    Field { unset: Unset::Default(|| json!(30)), filled_by: Some("policy"), ..Field::new("minutes") },
    Field { unset: Unset::Nullable, filled_by: Some("policy"), ..Field::new("tags") },
    Field {
        shape: Shape::Blocks(|| ONE),
        unset: Unset::Default(|| json!([])),
        filled_by: Some("policy"),
        ..Field::new("scripts")
    },
    Field { unset: Unset::Nullable, order: ListOrder::Set, ..Field::new("privileges") },
];

/// Where what is there differs: last applied, observed, desired.
fn differing(last: Value, observed: Value, desired: Value) -> Vec<String> {
    let [last, observed, desired] = [last, observed, desired].map(Tree::from);
    let sides = Sides { last: Some(&last), observed: Some(&observed), desired: &desired };
    diff(FIELDS, sides).iter().map(|difference| difference.path.to_string()).collect()
}

/// The program has said the same before.
fn drifting(desired: &Value, observed: Value) -> Vec<String> {
    differing(desired.clone(), observed, desired.clone())
}

#[test]
fn what_another_object_fills_in_is_no_difference() {
    let ours = json!({"policy": "p", "tags": {"team": "etl"}, "scripts": [{"path": "/own"}]});
    let filled = json!({
        "policy": "p", "minutes": 20, "tags": {"team": "etl", "cost": "7"},
        "scripts": [{"path": "/policy"}, {"path": "/own"}],
    });
    assert_eq!(drifting(&ours, filled), [""; 0]);
    let bare = json!({"policy": "p"});
    let all = json!({"policy": "p", "minutes": 20, "tags": {"cost": "7"}, "scripts": [{"path": "/policy"}]});
    assert_eq!(drifting(&bare, all.clone()), [""; 0]);
    assert_eq!(differing(json!({}), all, bare), [""; 0], "nor where it is adopted");
}

#[test]
fn without_that_object_additions_and_defaults_differ() {
    let ours = json!({"tags": {"team": "etl"}, "scripts": [{"path": "/own"}]});
    let other =
        json!({"minutes": 20, "tags": {"team": "etl", "x": "y"}, "scripts": [{"path": "/other"}, {"path": "/own"}]});
    assert_eq!(drifting(&ours, other), ["minutes", "tags.x", "scripts[0].path", "scripts[1]"]);
}

#[test]
fn what_the_program_says_beside_that_object_is_held_to() {
    let ours = json!({"policy": "p", "minutes": 9, "tags": {"team": "etl"}, "scripts": [{"path": "/own"}]});
    let other = json!({"policy": "p", "minutes": 20, "tags": {"team": "x"}, "scripts": [{"path": "/other"}]});
    assert_eq!(drifting(&ours, other), ["minutes", "tags.team", "scripts[0].path"]);
    let gone = json!({"policy": "p", "minutes": 9});
    assert_eq!(drifting(&ours, gone), ["tags", "scripts[0]"]);
}

#[test]
fn what_the_program_says_no_more_is_filled_in_anew() {
    let before = json!({"policy": "p", "minutes": 9, "tags": {"a": "1", "b": "2"}, "scripts": [{"path": "/own"}]});
    let after = json!({"policy": "p", "tags": {"a": "1"}});
    assert_eq!(differing(before.clone(), before, after), ["minutes", "tags.b", "scripts"]);
}

#[test]
fn what_is_in_a_set_twice_is_in_it() {
    let twice = json!({"privileges": ["SELECT", "SELECT", "MODIFY"]});
    assert_eq!(drifting(&twice, json!({"privileges": ["MODIFY", "SELECT"]})), [""; 0]);
    assert_eq!(drifting(&twice, json!({"privileges": ["MODIFY", "MODIFY"]})), ["privileges"]);
}

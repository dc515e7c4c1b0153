//! What state holds, with its secrets hidden.

use insta::{assert_json_snapshot, assert_snapshot};

use super::fixtures::{address, snapshot};
use crate::{
    desired::Hash,
    report::{
        output_json, output_text, outputs_text, state_list_json, state_list_text, state_show_json, state_show_text,
    },
};

#[test]
fn the_list() {
    assert_snapshot!(state_list_text(&snapshot()));
    assert_json_snapshot!(state_list_json(&snapshot()));
}

#[test]
fn one_resource() {
    let snapshot = snapshot();
    let lake = &snapshot.resources[&address("databricks:Catalog::lake")];
    assert_snapshot!(state_show_text(lake, Some(&Hash::of(b"inputs")), false));
    assert_json_snapshot!(state_show_json(lake, Some(&Hash::of(b"inputs"))));
}

#[test]
fn outputs_are_redacted_until_asked_for() {
    let exports = snapshot().exports;
    assert_snapshot!(outputs_text(&exports, false), @r#"
    columns:      [{name: "id"}, {name: "at"}]
    orders_table: "lake.sales.orders"
    token:        [secret]
    "#);
    assert_eq!(output_text(&exports["orders_table"], false), "lake.sales.orders\n");
    assert_eq!(output_text(&exports["columns"], false), "[{\"name\":\"id\"},{\"name\":\"at\"}]\n");
    assert_eq!(output_text(&exports["token"], false), "[secret]\n");
    assert_eq!(output_text(&exports["token"], true), "canary-in-exports\n");
    assert_eq!(output_json("token", &exports["token"], false)["value"], "[secret]");
    assert_eq!(output_json("token", &exports["token"], true)["value"], "canary-in-exports");
}

#[test]
fn no_secret_is_in_any_view_of_state() {
    let snapshot = snapshot();
    let mut seen = state_list_text(&snapshot);
    for state in snapshot.resources.values() {
        seen += &state_show_text(state, Some(&Hash::of(b"")), true);
        seen += &state_show_json(state, Some(&Hash::of(b""))).to_string();
    }
    seen += &outputs_text(&snapshot.exports, false);
    assert!(seen.contains("[secret]") && !seen.contains("canary"), "{seen}");
}

//! The life of the smaller examples on the sandbox, as their users see it; that of `prod` has a file of its own.

use platform_databricks::sandbox::ACCOUNT_ID;
use platform_tests::{Place, Ran};
use serde_json::{Value, json};

/// Up, up again, changed by somebody else, healed, destroyed, and up once more.
fn lives(name: &str, somebody_changes: impl Fn(&Place), field: &str) {
    let place = Place::of(name);
    let fresh = place.worlds();
    let plan = |place: &Place| place.run(&["plan", "--detailed-exitcode", "--sandbox"]).code;
    assert_eq!(plan(&place), 2, "everything is to be created");
    let first = place.run(&["up", "--sandbox", "--yes", "--json"]);
    assert_eq!(first.code, 0, "{first:?}");
    let before = (place.mutations(), place.state_files());

    let again = place.run(&["up", "--sandbox", "--yes"]);
    assert_eq!(again.code, 0, "{again:?}");
    assert!(again.out.contains("No changes"), "{}", again.out);
    assert_eq!(place.mutations(), before.0);
    assert!(place.state_files() == before.1, "a file of the state is another");
    assert_eq!((plan(&place), place.run(&["drift", "--sandbox"]).code), (0, 0));

    somebody_changes(&place);
    let drift = place.run(&["drift", "--sandbox", "--json"]);
    assert_eq!((drift.code, drift.drifted()), (2, [field.to_owned()].into()));
    assert_eq!(place.run(&["up", "--sandbox", "--yes"]).code, 0);
    assert_eq!(place.run(&["drift", "--sandbox"]).code, 0);

    let destroyed = place.run(&["destroy", "--sandbox", "--yes", "--allow-data-loss=all"]);
    assert_eq!(destroyed.code, 0, "{destroyed:?}");
    assert_eq!(place.worlds(), fresh);
    let second = place.run(&["up", "--sandbox", "--yes", "--json"]);
    assert_eq!(second.code, 0, "{second:?}");
    let desired = |run: &Ran| run.event("plan")["desired"].clone();
    assert!(desired(&first).is_string(), "{first:?}");
    assert_eq!(desired(&first), desired(&second));
}

#[test]
fn starter_comes_up_heals_and_goes_from_a_workspace_that_stays() {
    let change = |place: &Place| {
        let comment = json!({"comment": "by hand"});
        place.databricks("PATCH", "/api/2.1/unity-catalog/schemas/main.starter_shop", &comment);
    };
    lives("starter", change, "databricks:Schema::shop comment");
}

#[test]
fn workspace_is_made_and_filled_in_one_run_heals_and_goes() {
    let change = |place: &Place| {
        let account = format!("/api/2.0/accounts/{ACCOUNT_ID}/workspaces");
        let all = place.databricks("GET", &account, &Value::Null);
        let mut all = all.as_array().expect("workspaces").iter();
        let made = all.find(|workspace| workspace["workspace_name"] == "analytics").expect("the example's workspace");
        let id = made["workspace_id"].to_string();
        let warehouses = place.databricks_in(&id, "GET", "/api/2.0/sql/warehouses", &Value::Null);
        let edit =
            format!("/api/2.0/sql/warehouses/{}/edit", warehouses["warehouses"][0]["id"].as_str().expect("an id"));
        place.databricks_in(&id, "POST", &edit, &json!({"auto_stop_mins": 60}));
    };
    lives("workspace", change, "databricks:SqlWarehouse::sql auto_stop_mins");
}

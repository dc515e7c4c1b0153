//! The life of the `prod` example as its user sees it: the built program, its exit codes and output, and the requests
//! that reach the sandbox.

use std::collections::BTreeSet;

use platform_tests::Place;
use serde_json::{Value, json};

const LAKE: &str = "/api/2.1/unity-catalog/catalogs/lake";

#[test]
fn a_second_up_asks_for_no_change_and_writes_nothing() {
    let place = Place::up("prod");
    let before = (place.mutations(), place.state_files());
    assert!(!before.0.is_empty() && !before.1.is_empty(), "the first run did nothing");

    let again = place.run(&["up", "--sandbox", "--yes"]);

    assert_eq!(again.code, 0, "{again:?}");
    assert!(again.out.contains("No changes"), "{}", again.out);
    assert_eq!(place.mutations(), before.0);
    assert!(place.state_files() == before.1, "a file of the state is another");
}

#[test]
fn state_takes_at_most_twice_the_inputs_and_outputs_in_it() {
    let place = Place::up("prod");
    let files = place.state_files();
    let snapshot = files.iter().find(|(path, _)| path.parent().is_some_and(|folder| folder.ends_with("snapshots")));
    let (_, file) = snapshot.expect("a snapshot");
    let json: Value = serde_json::from_slice(file).expect("JSON");
    let resources = json["resources"].as_object().expect("resources by address").values();
    let payload: usize =
        resources.flat_map(|state| [&state["in"], &state["out"]]).map(|part| part.to_string().len()).sum();
    assert!(file.len() <= 2 * payload, "{} bytes for {payload} of inputs and outputs", file.len());
}

#[test]
fn after_up_a_plan_has_no_changes_with_and_without_reading_reality() {
    let place = Place::of("prod");
    let first = place.run(&["plan", "--detailed-exitcode", "--sandbox"]);
    assert_eq!(first.code, 2, "everything is to be created: {first:?}");
    assert_eq!(place.run(&["up", "--sandbox", "--yes"]).code, 0);

    for command in
        [&["plan", "--detailed-exitcode", "--sandbox"][..], &["plan", "--detailed-exitcode", "--sandbox", "--offline"]]
    {
        let ran = place.run(command);
        assert_eq!(ran.code, 0, "{command:?}: {ran:?}");
        assert!(ran.out.contains("No changes"), "{command:?}: {}", ran.out);
    }
}

#[test]
fn drift_shows_the_one_field_that_somebody_changed_and_up_heals_it() {
    let place = Place::up("prod");
    assert_eq!(place.run(&["drift", "--sandbox"]).code, 0, "nothing has drifted yet");
    place.databricks("PATCH", LAKE, &json!({"comment": "by hand"}));

    let drift = place.run(&["drift", "--sandbox", "--json"]);
    assert_eq!(drift.code, 2, "{drift:?}");
    let steps = drift.event("drift")["steps"].clone();
    assert_eq!(steps.as_array().map(Vec::len), Some(1), "{steps:#}");
    assert_eq!(steps[0]["address"], "databricks:Catalog::lake");
    let changes = steps[0]["changes"].as_array().expect("a step has changes");
    let paths: Vec<_> = changes.iter().map(|change| &change["path"]).collect();
    assert_eq!(paths, ["comment"], "{steps:#}");
    let told = [&changes[0]["before"], &changes[0]["after"]];
    assert!(told.contains(&&json!("by hand")) && told.contains(&&json!("Everything that we know")), "{steps:#}");

    assert_eq!(place.run(&["up", "--sandbox", "--yes"]).code, 0);
    assert_eq!(place.databricks("GET", LAKE, &Value::Null)["comment"], "Everything that we know");
    assert_eq!(place.run(&["drift", "--sandbox"]).code, 0);
}

/// The platform's one job.
fn job(place: &Place) -> Value {
    place.databricks("GET", "/api/2.2/jobs/list", &Value::Null)["jobs"][0]["job_id"].clone()
}

/// A change of somebody else, and the one field in which it is seen.
type Behind = (&'static str, fn(&Place));

const UNITY: &str = "/api/2.1/unity-catalog";

/// One for each kind of resource that the platform has.
const BEHIND: [Behind; 12] = [
    ("aws:Bucket::landing versioning", |place| {
        let state = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";
        place.aws("PUT", "/acme-landing?versioning", state);
    }),
    ("aws:Role::lake-role max_session_duration", |place| {
        place.aws("POST", "/", "Action=UpdateRole&Version=2010-05-08&RoleName=acme-lake&MaxSessionDuration=7200");
    }),
    ("aws:RolePolicy::lake-access policy", |place| {
        let document = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action\
                        %22%3A%22s3%3A%2A%22%2C%22Resource%22%3A%22%2A%22%7D%5D%7D";
        let call = "Action=PutRolePolicy&Version=2010-05-08&RoleName=acme-lake&PolicyName=lake-access&PolicyDocument=";
        place.aws("POST", "/", &format!("{call}{document}"));
    }),
    ("databricks:Cluster::etl autotermination_minutes", |place| {
        let clusters = place.databricks("GET", "/api/2.1/clusters/list", &Value::Null);
        let id = &clusters["clusters"][0]["cluster_id"];
        let change = json!({"cluster_id": id, "update_mask": "autotermination_minutes", "cluster": {"autotermination_minutes": 0}});
        // A cluster that is on its way can't be changed.
        let running = |place: &Place| {
            std::thread::sleep(std::time::Duration::from_millis(20));
            place.databricks("GET", "/api/2.1/clusters/list", &Value::Null)["clusters"][0]["state"] == "RUNNING"
        };
        assert!((0..500).any(|_| running(place)), "the cluster does not start");
        place.databricks("POST", "/api/2.1/clusters/update", &change);
    }),
    ("databricks:ExternalLocation::raw read_only", |place| {
        place.databricks("PATCH", &format!("{UNITY}/external-locations/raw"), &json!({"read_only": true}));
    }),
    ("databricks:Grant::analysts-gold privileges", |place| {
        let changes = json!({"changes": [{"principal": "analysts", "remove": ["SELECT"]}]});
        place.databricks("PATCH", &format!("{UNITY}/permissions/schema/lake.gold"), &changes);
    }),
    ("databricks:Job::nightly schedule.pause_status", |place| {
        let schedule = json!({"quartz_cron_expression": "0 0 2 * * ?", "timezone_id": "UTC", "pause_status": "PAUSED"});
        let change = json!({"job_id": job(place), "new_settings": {"schedule": schedule}});
        place.databricks("POST", "/api/2.2/jobs/update", &change);
    }),
    ("databricks:Notebook::nightly-notebook content_hash", |place| {
        let source = json!({"path": "/Shared/acme/nightly", "format": "SOURCE", "language": "PYTHON", "overwrite": true, "content": "eA=="});
        place.databricks("POST", "/api/2.0/workspace/import", &source);
    }),
    ("databricks:Schema::silver comment", |place| {
        place.databricks("PATCH", &format!("{UNITY}/schemas/lake.silver"), &json!({"comment": "by hand"}));
    }),
    ("databricks:SqlWarehouse::sql auto_stop_mins", |place| {
        let warehouses = place.databricks("GET", "/api/2.0/sql/warehouses", &Value::Null);
        let id = warehouses["warehouses"][0]["id"].as_str().expect("an id").to_owned();
        place.databricks("POST", &format!("/api/2.0/sql/warehouses/{id}/edit"), &json!({"auto_stop_mins": 60}));
    }),
    ("databricks:StorageCredential::lake-credential read_only", |place| {
        place.databricks("PATCH", &format!("{UNITY}/storage-credentials/lake"), &json!({"read_only": true}));
    }),
    ("databricks:Table::orders columns[amount].comment", |place| {
        place.sql("ALTER TABLE lake.silver.orders ALTER COLUMN amount COMMENT 'by hand'");
    }),
];

#[test]
fn whatever_kind_of_thing_somebody_changes_drift_shows_exactly_that_and_one_up_heals_all() {
    let place = Place::up("prod");
    let mut expected = BTreeSet::new();
    for (field, change) in BEHIND {
        change(&place);
        expected.insert(field.to_owned());
        let drift = place.run(&["drift", "--sandbox", "--json"]);
        assert_eq!((drift.code, drift.drifted()), (2, expected.clone()), "{field}");
    }
    place.databricks("DELETE", &format!("{UNITY}/volumes/lake.bronze.dump"), &Value::Null);
    let drift = place.run(&["drift", "--sandbox"]);
    assert_eq!(drift.code, 2);
    assert!(drift.out.contains("databricks:Volume::dump"), "what is gone is shown too: {}", drift.out);

    let healed = place.run(&["up", "--sandbox", "--yes"]);
    assert_eq!(healed.code, 0, "{healed:?}");
    assert_eq!(place.run(&["drift", "--sandbox"]).code, 0);
}

#[test]
fn destroy_leaves_the_worlds_as_they_were_and_up_wants_the_same_again() {
    let place = Place::of("prod");
    let fresh = place.worlds();
    let first = place.run(&["up", "--sandbox", "--yes", "--json"]);
    assert_eq!(first.code, 0, "{first:?}");
    assert_ne!(place.worlds(), fresh);

    let destroyed = place.run(&["destroy", "--sandbox", "--yes", "--allow-data-loss=all"]);
    assert_eq!(destroyed.code, 0, "{destroyed:?}");
    assert_eq!(place.worlds(), fresh);

    let second = place.run(&["up", "--sandbox", "--yes", "--json"]);
    assert_eq!(second.code, 0, "{second:?}");
    let hashes = [&first, &second].map(|run| run.event("plan")["desired"].clone());
    assert!(hashes[0].is_string(), "{first:?}");
    assert_eq!(hashes[0], hashes[1]);
}

#[test]
fn destroy_without_consent_names_what_would_be_lost_and_changes_nothing() {
    let place = Place::up("prod");
    let before = (place.mutations(), place.state_files());

    let refused = place.run(&["destroy", "--sandbox", "--yes"]);

    assert_eq!(refused.code, 1, "{refused:?}");
    for address in [
        "databricks:Catalog::lake",
        "databricks:Schema::bronze",
        "databricks:Schema::silver",
        "databricks:Schema::gold",
        "databricks:Table::bronze-orders",
        "databricks:Table::orders",
        "databricks:Table::daily-revenue",
        "aws:Bucket::landing",
    ] {
        let times = refused.err.matches(&format!("\n  {address}\n")).count();
        assert_eq!(times, 1, "{address}: {}", refused.err);
    }
    assert!(!refused.err.contains("databricks:Volume::dump"), "an external volume's files stay: {}", refused.err);
    assert_eq!(place.mutations(), before.0);
    assert!(place.state_files() == before.1, "a file of the state is another");
}

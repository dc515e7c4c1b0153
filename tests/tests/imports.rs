//! `import`: by id, natural key, and address in the browser; the Rust that it prints compiles, and then nothing is left to do.

use platform_tests::{Place, Ran};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_imported");

/// Addresses, and what a person gives for each: with the lake of `prod` there, and parents first.
const ASKED: [(&str, &str); 14] = [
    ("aws:Bucket::landing", "https://eu-west-1.console.aws.amazon.com/s3/buckets/acme-landing?region=eu-west-1"),
    ("aws:Role::lake-role", "arn:aws:iam::123456789012:role/acme-lake"),
    ("aws:RolePolicy::lake-access", "acme-lake:lake-access"),
    ("databricks:StorageCredential::credential", "lake"),
    ("databricks:ExternalLocation::raw", "https://x.cloud.databricks.com/explore/locations/raw?o=1"),
    ("databricks:Catalog::lake", "https://x.cloud.databricks.com/explore/data/lake?o=1"),
    ("databricks:Schema::silver", "lake.silver"),
    ("databricks:Schema::bronze", "https://x.cloud.databricks.com/explore/data/lake/bronze?o=1"),
    ("databricks:SqlWarehouse::sql", "sql"),
    ("databricks:Table::orders", "https://x.cloud.databricks.com/explore/data/lake/silver/orders?o=1"),
    ("databricks:Volume::dump", "https://x.cloud.databricks.com/explore/data/volumes/lake/bronze/dump?o=1"),
    ("databricks:Grant::readers", "schema/lake.silver/scientists"),
    ("databricks:Cluster::etl", "etl"),
    ("databricks:Notebook::notebook", "/Shared/acme/nightly"),
];

/// The program of this test in the world that `prod` made.
fn run(prod: &Place, declared: bool, arguments: &[&str]) -> Ran {
    let declared = if declared { "true" } else { "false" };
    Place::running(PROGRAM).run_at(prod.path(), &[("PLATFORM_CONFIG_DECLARED", declared)], arguments)
}

fn import(prod: &Place, address: &str, asked: &str) -> String {
    let ran = run(prod, false, &["import", address, asked, "--sandbox", "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.event("imported")["rust"].as_str().expect("Rust").to_owned()
}

#[test]
fn the_rust_that_is_printed_compiles_and_leaves_nothing_to_do() {
    let prod = Place::up("prod");
    let printed: String = ASKED.iter().map(|(address, asked)| import(&prod, address, asked)).collect();
    let printed = format!("{{\n{printed}Ok(())\n}}\n");
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/imported.in");
        std::fs::write(file, &printed).expect("the sources can be written");
    }
    let compiled = include_str!("../src/imported.in");
    assert_eq!(compiled, printed, "write tests/src/imported.in anew with INSTA_UPDATE=always, and compile it");

    let removed = run(&prod, false, &["plan", "--sandbox"]);
    assert!(removed.err.contains("it was imported and never declared"), "{removed:?}");
    let before = prod.mutations();
    let plan = run(&prod, true, &["plan", "--detailed-exitcode", "--sandbox"]);
    assert_eq!(plan.code, 0, "{plan:?}");
    assert_eq!(run(&prod, true, &["up", "--sandbox", "--yes"]).code, 0);
    assert_eq!(prod.mutations(), before);

    // From then on it is the program's: what it declares no more is to go, as far as nothing else forbids it.
    let removed = run(&prod, false, &["plan", "--sandbox"]);
    assert!(!removed.err.contains("never declared"), "{removed:?}");
    assert!(removed.err.contains("`databricks:Catalog::lake` holds what the stack does not own"), "{removed:?}");
}

#[test]
fn what_the_program_declares_already_is_imported_as_it_says() {
    let prod = Place::up("prod");
    let listed = prod.run(&["state", "list", "--json", "--sandbox"]);
    let job = listed.out.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let mut job =
        job.filter(|it| it["type"] == "databricks:Job").map(|it| it["id"].as_str().expect("an id").to_owned());
    let in_browser = format!("https://x.cloud.databricks.com/jobs/{}/runs?o=1", job.next().expect("the job"));
    let asked = [
        ("databricks:SqlWarehouse::sql", "sql"),
        ("databricks:Table::orders", "lake.silver.orders"),
        ("databricks:Cluster::etl", "etl"),
        ("databricks:Notebook::nightly-notebook", "/Shared/acme/nightly"),
        ("databricks:Job::nightly", in_browser.as_str()),
    ];
    for (address, _) in asked {
        assert_eq!(prod.run(&["state", "forget", address, "--yes", "--sandbox"]).code, 0);
    }
    for (address, asked) in asked {
        let ran = prod.run(&["import", address, asked, "--sandbox"]);
        assert_eq!(ran.code, 0, "{ran:?}");
    }
    let plan = prod.run(&["plan", "--detailed-exitcode", "--sandbox"]);
    assert_eq!(plan.code, 0, "{plan:?}");
}

#[test]
fn a_name_of_several_and_an_address_of_another_page_are_refused_by_name() {
    let prod = Place::up("prod");
    let body = serde_json::json!({"name": "nightly"});
    prod.databricks("POST", "/api/2.2/jobs/create", &body);
    let several = run(&prod, false, &["import", "databricks:Job::nightly", "nightly", "--sandbox"]);
    assert!(several.code == 1 && several.err.contains("`nightly` names 2 objects"), "{several:?}");
    let other = "https://x.cloud.databricks.com/sql/warehouses/1";
    let other = run(&prod, false, &["import", "databricks:Job::nightly", other, "--sandbox"]);
    assert!(other.code == 1 && other.err.contains("no address of such an object"), "{other:?}");
    let none = run(&prod, false, &["import", "databricks:SqlWarehouse::none", "none", "--sandbox"]);
    assert!(none.code == 1 && none.err.contains("there is no databricks:SqlWarehouse `none`"), "{none:?}");
}

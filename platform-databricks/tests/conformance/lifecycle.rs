//! A small lake through its life with the SDK's engine: up, up again, changed, gone.

use platform_databricks::{prelude::*, sandbox::ADMIN};
use platform_sdk::{prelude::*, testing::Harness};

use crate::world::World;

fn lake(comment: &'static str, columns: fn() -> Vec<Column>) -> Program {
    Program::new("lake", move |stack| {
        let role = "arn:aws:iam::123456789012:role/pond";
        let credential = stack.add("credential", StorageCredential::aws_role("pond", role));
        let raw = stack.add("raw", ExternalLocation::new("pond", "s3://pond/", &credential));
        let lake = stack.add("lake", Catalog::new("Pond").storage_root(raw.path("lake")).comment(comment));
        let sales = stack.add("sales", Schema::new(&lake, "Sales"));
        stack.add("files", Volume::managed(&sales, "files"));
        stack.add("dump", Volume::external(&sales, "dump", raw.path("dump")));
        let sql = stack.add("sql", SqlWarehouse::new("pond"));
        let orders = Table::new(&sales, "Orders").via(&sql).columns(columns()).cluster_by(["id"]);
        let orders = stack.add("orders", orders);
        stack.add("readers", Grant::on(&lake).to("analysts").can([UseCatalog, UseSchema]));
        stack.add("buyers", Grant::on(&orders).to("scientists").can([Select]));
        Ok(())
    })
    .provider(WorkspaceProvider::from_env())
}

fn two() -> Vec<Column> {
    vec![Column::int("id").not_null(), Column::decimal("amount", 18, 2).comment("EUR")]
}

fn three() -> Vec<Column> {
    vec![Column::bigint("id").not_null(), Column::decimal("amount", 18, 2), Column::timestamp("at")]
}

#[test]
fn a_lake_comes_up_stays_changes_and_goes() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let world = runtime.block_on(World::furnished());
    let harness =
        Harness::new().with_variable("DATABRICKS_HOST", world.url()).with_variable("DATABRICKS_TOKEN", "sandbox");
    let (first, second) = (lake("one", two), lake("two", three));
    let ran = harness.up(&first).expect("it is planned");
    assert!(ran.failures.is_empty(), "{:#?}", ran.failures);
    assert_eq!(harness.snapshot().resources.len(), 10);
    for planned in [harness.plan(&first), harness.plan_offline(&first)] {
        let planned = planned.expect("it is planned");
        assert!(planned.is_empty(), "nothing is left to do: {:#?}", planned.steps);
    }
    let ran = harness.up(&second).expect("it is planned");
    assert!(ran.failures.is_empty(), "{:#?}", ran.failures);
    assert!(harness.plan(&second).expect("it is planned").is_empty());
    let ran = harness.destroy(&second).expect("it is planned");
    assert!(ran.failures.is_empty(), "{:#?}", ran.failures);
    assert!(harness.snapshot().resources.is_empty());
}

fn named(name: &'static str) -> Program {
    Program::new("lake", move |stack| {
        let role = "arn:aws:iam::123456789012:role/pond";
        let credential = stack.add("credential", StorageCredential::aws_role("pond", role));
        let raw = stack.add("raw", ExternalLocation::new("pond", "s3://pond", &credential));
        let lake = stack.add("lake", Catalog::new(name).storage_root(raw.path("lake")));
        let sales = stack.add("sales", Schema::new(&lake, "sales"));
        stack.add("files", Volume::managed(&sales, "files"));
        stack.add("readers", Grant::on(&lake).to("analysts").can([UseCatalog, UseSchema]));
        Ok(())
    })
    .provider(WorkspaceProvider::from_env())
}

#[test]
fn a_renamed_catalog_takes_what_is_in_it_along() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let world = runtime.block_on(World::furnished());
    let harness =
        Harness::new().with_variable("DATABRICKS_HOST", world.url()).with_variable("DATABRICKS_TOKEN", "sandbox");
    harness.up(&named("pond")).expect("it is planned");
    let ran = harness.up(&named("sea")).expect("it is planned");
    assert!(ran.failures.is_empty(), "{:#?}", ran.failures);
    let steps = ["Catalog::lake", "Schema::sales", "Volume::files", "Grant::readers"];
    assert_eq!(ran.steps(), steps.map(|step| format!("update databricks:{step}")));
    assert!(harness.plan(&named("sea")).expect("it is planned").is_empty());
}

fn governed(owner: &'static str, admin_may: Option<&'static [Privilege]>) -> Program {
    Program::new("lake", move |stack| {
        let lake = stack.lookup::<Catalog>("lake");
        let sea = stack.add("sea", Schema::new(&lake, "sea").owner(owner));
        if let Some(privileges) = admin_may {
            stack.add("mine", Grant::on(&sea).to(ADMIN).can(privileges.to_vec()));
        }
        stack.add("theirs", Grant::on(&sea).to("analysts").can([UseSchema]));
        Ok(())
    })
    .provider(WorkspaceProvider::from_env())
}

#[test]
fn clause_11_a_plan_that_locks_its_caller_out_warns() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let world = runtime.block_on(World::furnished());
    let harness =
        Harness::new().with_variable("DATABRICKS_HOST", world.url()).with_variable("DATABRICKS_TOKEN", "sandbox");
    let warnings = |program: &Program| -> Vec<String> {
        let plan = harness.plan(program).expect("it is planned");
        plan.warnings.into_iter().map(|warning| warning.summary).collect()
    };
    let mine = governed(ADMIN, Some(&[UseSchema, Select]));
    assert_eq!(warnings(&mine), Vec::<String>::new(), "it stays with the caller");
    let ran = harness.up(&mine).expect("it is planned");
    assert!(ran.failures.is_empty(), "{:#?}", ran.failures);
    let given = "`databricks:Schema::sea` is given to `analysts`, who is neither you nor a group of yours";
    assert_eq!(warnings(&governed("analysts", Some(&[UseSchema, Select]))), [given]);
    let taken =
        format!("`databricks:Grant::mine` takes privileges away from `{ADMIN}`, through which this login has them");
    assert_eq!(warnings(&governed(ADMIN, Some(&[UseSchema]))), [taken.as_str()], "a privilege is dropped");
    assert_eq!(warnings(&governed(ADMIN, None)), [taken.as_str()], "the grant is dropped");
}

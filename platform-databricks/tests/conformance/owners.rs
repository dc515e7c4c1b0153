//! Owners: who hands a schema over may make nothing in it any more, so that it comes last.

use platform_databricks::prelude::*;
use platform_sdk::{prelude::*, testing::Harness};

use crate::world::World;

fn sales(more: bool) -> Program {
    Program::new("lake", move |stack| {
        let lake = stack.lookup::<Catalog>("lake");
        let pond = stack.add("pond", Schema::new(&lake, "pond").owner("analysts"));
        let sql = stack.add("sql", SqlWarehouse::new("pond"));
        stack.add("files", Volume::managed(&pond, "files"));
        stack.add("orders", Table::new(&pond, "orders").via(&sql).columns([Column::int("id")]));
        stack.add("readers", Grant::on(&pond).to("scientists").can([UseSchema]));
        if more {
            stack.add("more", Volume::managed(&pond, "more"));
        }
        Ok(())
    })
    .provider(WorkspaceProvider::from_env())
}

#[test]
fn what_is_made_in_a_schema_that_is_given_away_is_made_before() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let world = runtime.block_on(World::furnished());
    let harness =
        Harness::new().with_variable("DATABRICKS_HOST", world.url()).with_variable("DATABRICKS_TOKEN", "sandbox");
    let ran = harness.up(&sales(false)).expect("it is planned");
    assert!(ran.failures.is_empty(), "{:#?}", ran.failures);
    assert_eq!(ran.steps().last().map(String::as_str), Some("update databricks:Schema::pond"));
    assert!(harness.plan(&sales(false)).expect("it is planned").is_empty());
    // Whoever has given it away is refused from then on.
    let ran = harness.up(&sales(true)).expect("it is planned");
    let failures: Vec<String> = ran.failures.iter().map(|failure| format!("{failure:?}")).collect();
    assert!(failures.len() == 1 && failures[0].contains("CREATE VOLUME"), "{failures:#?}");
}

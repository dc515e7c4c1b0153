//! A first hour: a schema, a table and a serverless job in a workspace and a catalog that exist already.
//!
//! Log in as for any Databricks tool (`DATABRICKS_HOST` and `DATABRICKS_TOKEN`, or a profile), then
//! `cargo run --example starter -- up`. Without a login, add `--sandbox`.

use std::process::ExitCode;

use platform_databricks::prelude::*;
use platform_sdk::prelude::*;

/// The program.
pub fn program() -> Program {
    Program::new("starter", platform).config_file("examples/starter.toml").provider(WorkspaceProvider::from_env())
}

fn main() -> ExitCode {
    program().main()
}

fn platform(stack: &Stack) -> Result<()> {
    // Looked up: the stack reads it, and never changes or deletes it.
    let catalog = stack.lookup::<Catalog>(&stack.config::<String>("catalog")?);
    let me = stack.lookup::<CurrentUser>("me");

    let shop = stack.add("shop", Schema::new(&catalog, "starter_shop").comment("Made by the starter"));
    let sql = stack.add("sql", SqlWarehouse::new("starter").size(WarehouseSize::XXSmall));
    let orders = stack.add(
        "orders",
        Table::new(&shop, "orders").via(&sql).columns([Column::bigint("id").not_null(), Column::timestamp("at")]),
    );

    let path = interpolate!("/Users/{}/starter/hello", me.user_name);
    let hello = stack.add("hello", Notebook::from_file("examples/notebooks/hello.py", path)?);
    stack.add("greet", Job::new("starter-greet").task(Task::notebook("hello", &hello))).depends_on(&orders);

    stack.export("orders", &orders.full_name);
    Ok(())
}

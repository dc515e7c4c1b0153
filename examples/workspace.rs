//! A workspace from nothing, filled in the same run: no second program, no second login.
//!
//! `cargo run --example workspace -- up --sandbox --yes`

use std::process::ExitCode;

use platform_databricks::prelude::*;
use platform_sdk::prelude::*;

/// The program.
pub fn program() -> Program {
    Program::new("workspace", platform)
        .config_file("examples/workspace.toml")
        .provider(AccountProvider::from_env())
        .provider(WorkspaceProvider::from_env())
}

fn main() -> ExitCode {
    program().main()
}

fn platform(stack: &Stack) -> Result<()> {
    let region: String = stack.config("region")?;

    // On the account: a serverless workspace, and the metastore of its region.
    let metastore = stack.lookup::<Metastore>(&region);
    let workspace = stack.add("analytics", Workspace::serverless("analytics", &region));
    let assignment = stack.add("metastore", MetastoreAssignment::new(&workspace, &metastore.id));

    // In the workspace that is being made: its provider is one of its outputs.
    let inside = stack.within(&workspace.provider());
    let sql = inside.add("sql", SqlWarehouse::new("sql").size(WarehouseSize::XXSmall)).depends_on(&assignment);
    let hello = inside
        .add("hello", Notebook::from_file("examples/notebooks/hello.py", "/Shared/hello")?)
        .depends_on(&assignment);
    inside.add("greet", Job::new("greet").task(Task::notebook("hello", &hello)));

    stack.export("host", &workspace.host);
    stack.export("warehouse", &sql.id);
    Ok(())
}

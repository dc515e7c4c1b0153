//! A program that declares every type with every field, for the museum: what it made once is kept in the repository, and
//! every later version has to find nothing to do about it, to change it, and to take it down.
//!
//! Its configuration names the parts of an account that no type of ours makes yet; `changed` in it changes something of
//! every type.

use std::process::ExitCode;

use platform_aws::prelude::*;
use platform_databricks::{jobs::RunAs, prelude::*};
use platform_sdk::prelude::*;
use platform_tests::samples::{self, Means};
use serde_json::json;

fn main() -> ExitCode {
    Program::new("museum", platform)
        .stack("room")
        .config_file(std::env::var("MUSEUM_CONFIG").unwrap_or_default())
        .provider(AccountProvider::from_env())
        .provider(WorkspaceProvider::from_env())
        .provider(Aws::from_env())
        .main()
}

fn platform(stack: &Stack) -> Result<()> {
    let changed: bool = stack.config_or("changed", false)?;
    let words = if changed { "new words" } else { "words" };
    let raw = storage(stack, words);
    let sql = stack.add("sql", samples::warehouse("sql", words));
    catalog(stack, words, &raw, &sql);
    jobs(stack, words, &sql);
    account(stack, words)?;
    stack.add("data", Data::new(json!({"words": words})).trigger(&sql.id));
    Ok(())
}

fn storage(stack: &Stack, words: &str) -> Handle<ExternalLocation> {
    let account = stack.lookup::<CallerIdentity>("me");
    let bucket = stack.add("bucket", samples::bucket("museum-lake", words));
    let arn = Role::arn_of(&account.account_id, "museum-lake");
    let credential = stack.add("credential", samples::credential("lake", arn, words));
    let trust =
        uc_trust_of(&credential.unity_catalog_iam_arn, &credential.external_id, "museum-lake", &account.account_id);
    let role = stack.add("role", samples::role("museum-lake", trust, words));
    let policy = uc_access([&bucket.arn], &role.arn).statement(samples::more(words));
    let access = stack.add("access", RolePolicy::new(&role, "lake", policy));
    stack.add("raw", samples::location("raw", bucket.url(""), &credential, words)).depends_on(&access)
}

fn catalog(stack: &Stack, words: &str, raw: &Handle<ExternalLocation>, sql: &Handle<SqlWarehouse>) {
    let lake = stack.add("lake", samples::catalog("museum", words).storage_root(raw.path("lake")));
    let sales = stack.add("sales", samples::schema(&lake, "sales", words).storage_root(raw.path("sales")));
    stack.add("managed", samples::volume(&sales, "managed", words));
    stack.add("dump", Volume::external(&sales, "dump", raw.path("dump")).comment(words));
    stack.add("orders", samples::table(&sales, "orders", sql, words));
    stack.add(
        "files",
        Table::new(&sales, "files")
            .via(sql)
            .columns(samples::columns())
            .partitioned_by(["id"])
            .external(raw.path("files")),
    );
    stack.add("readers", samples::grant(&sales, words));
}

fn jobs(stack: &Stack, words: &str, sql: &Handle<SqlWarehouse>) {
    stack.add("alone", samples::single_node("alone", words));
    stack.add("pooled", samples::pooled("pooled", words));
    let cluster = stack.add("cluster", samples::cluster("museum", words));
    let notebook = stack.add("notebook", samples::notebook("/Shared/museum", words));
    let means = Means { notebook: &notebook, sql, cluster: &cluster };
    stack.add("job", samples::job("museum", means, words));
    let principal = RunAs::service_principal(platform_databricks::sandbox::CLIENT_ID);
    stack.add("by-a-principal", Job::new("principal").run_as(principal).description(words));
}

fn account(stack: &Stack, words: &str) -> Result<()> {
    let metastore = stack.lookup::<Metastore>("eu-west-1");
    let parts = [
        stack.config::<String>("credentials")?,
        stack.config::<String>("storage_configuration")?,
        stack.config::<String>("network")?,
    ];
    let workspace = stack.add("workspace", samples::workspace("museum", parts, words));
    stack.add("assignment", samples::assignment(&workspace, &metastore.id, words));
    Ok(())
}

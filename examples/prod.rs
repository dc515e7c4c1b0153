//! The whole platform: a lake on AWS, fed from a landing bucket, governed by Unity Catalog, loaded every night.
//!
//! `cargo run --example prod` shows the plan, without any account. `cargo run --example prod -- up --sandbox --yes`
//! brings it up against servers on this machine.

use std::process::ExitCode;

use platform_aws::prelude::*;
use platform_databricks::prelude::*;
use platform_sdk::prelude::*;

/// The program: a project, its providers, and the function that declares everything.
pub fn program() -> Program {
    Program::new("acme-data", platform)
        .stack("prod")
        .config_file("examples/prod.toml")
        .provider(WorkspaceProvider::from_env())
        .provider(Aws::from_env())
}

fn main() -> ExitCode {
    program().main()
}

fn platform(stack: &Stack) -> Result<()> {
    let raw = raw_zone(stack)?;

    // One catalog with a schema for each step of refinement.
    let lake =
        stack.add("lake", Catalog::new("lake").storage_root(raw.path("lake")).comment("Everything that we know"));
    let sql = stack.add("sql", SqlWarehouse::new("sql").size(WarehouseSize::XXSmall));
    let [bronze, silver, gold] = [("bronze", "As it landed"), ("silver", "Cleaned"), ("gold", "For decisions")]
        .map(|(name, comment)| stack.add(name, Schema::new(&lake, name).comment(comment)));

    // A static dump on object storage, read in place.
    stack.add("dump", Volume::external(&bronze, "dump", raw.path("dump")).comment("Nightly dumps of the shop"));

    let raw_orders = stack.add("bronze-orders", Table::new(&bronze, "orders").via(&sql).columns(order_columns()));
    let orders = stack.add(
        "orders",
        Table::new(&silver, "orders").via(&sql).columns(order_columns()).cluster_by(["id"]).comment("One row an order"),
    );
    let revenue = stack.add(
        "daily-revenue",
        Table::new(&gold, "daily_revenue")
            .via(&sql)
            .columns([Column::date("day").not_null(), Column::decimal("revenue", 18, 2).comment("EUR")]),
    );

    nightly_load(stack)?.depends_on(&raw_orders).depends_on(&orders).depends_on(&revenue);
    access(stack, &lake, &[&bronze, &silver, &gold]);

    stack.export("orders_table", &orders.full_name);
    stack.export("warehouse", &sql.id);
    Ok(())
}

/// Where data lands: a bucket, and the credential and role through which Unity Catalog reads and writes it.
fn raw_zone(stack: &Stack) -> Result<Handle<ExternalLocation>> {
    let prefix: String = stack.config("prefix")?;
    let region: String = stack.config("region")?;
    let account: String = stack.config("aws_account_id")?;

    let landing = stack.add(
        "landing",
        Bucket::new(format!("{prefix}-landing")).region(&region).versioning(true).tags([("team", "data")]),
    );

    // The credential names the role, and the role trusts the credential: the role's ARN is known from its name, so the
    // credential comes first and its external id goes into the role.
    let role_name = format!("{prefix}-lake");
    let credential =
        stack.add("lake-credential", StorageCredential::aws_role("lake", Role::arn_of(&account, &role_name)));
    let trust = uc_trust_of(&credential.unity_catalog_iam_arn, &credential.external_id, &role_name, &account);
    let role = stack.add("lake-role", Role::new(&role_name, trust));
    let access = stack.add("lake-access", RolePolicy::new(&role, "lake-access", uc_access([&landing.arn], &role.arn)));

    // Nothing of the policy goes into the location, but it works only once the policy is there.
    let raw = stack.add("raw", ExternalLocation::new("raw", landing.url(""), &credential)).depends_on(&access);
    Ok(raw)
}

fn order_columns() -> [Column; 4] {
    [
        Column::bigint("id").not_null(),
        Column::bigint("customer_id"),
        Column::decimal("amount", 18, 2).comment("EUR, with tax"),
        Column::timestamp("ordered_at"),
    ]
}

/// The load that runs every night at two.
fn nightly_load(stack: &Stack) -> Result<Handle<Job>> {
    let notebook =
        stack.add("nightly-notebook", Notebook::from_file("examples/notebooks/nightly.py", "/Shared/acme/nightly")?);
    let etl = stack.add("etl", Cluster::new("etl", "15.4.x-scala2.12").node_type_id("m6gd.large").single_node());
    let load = Task::notebook("load", &notebook).on_cluster(&etl);
    Ok(stack.add("nightly", Job::new("nightly").task(load).schedule(("0 0 2 * * ?", "UTC"))))
}

/// Who may do what: analysts read gold, scientists read all, the pipeline writes.
fn access(stack: &Stack, lake: &Handle<Catalog>, schemas: &[&Handle<Schema>; 3]) {
    for group in ["analysts", "scientists", "pipeline"] {
        stack.add(&format!("{group}-enter"), Grant::on(lake).to(group).can([UseCatalog]));
    }
    let [_, _, gold] = schemas;
    stack.add("analysts-gold", Grant::on(*gold).to("analysts").can([UseSchema, Select]));
    for (schema, name) in schemas.iter().zip(["bronze", "silver", "gold"]) {
        stack.add(&format!("scientists-{name}"), Grant::on(*schema).to("scientists").can([UseSchema, Select]));
        stack.add(&format!("pipeline-{name}"), Grant::on(*schema).to("pipeline").can([UseSchema, Select, Modify]));
    }
}

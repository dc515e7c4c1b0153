//! The statement API: take a statement, show how it went.
//!
//! A statement has its effect when it is taken. How it went shows only later, as on a warehouse that is busy or has to
//! start, unless the client waits.

use platform_sdk::sandbox::World;
use serde_json::{Value, json};

use super::{
    SqlError,
    execute::{self, Session},
};
use crate::sandbox::{
    answer::{Answer, Failure, text},
    call::{Call, Route},
    ids, securables, warehouses,
};

pub(in crate::sandbox) const ROUTES: &[Route] = &[
    ("POST /api/2.0/sql/statements", submit),
    ("GET /api/2.0/sql/statements/{statement_id}", get),
    ("POST /api/2.0/sql/statements/{statement_id}/cancel", cancel),
];

/// How long a statement takes on a running warehouse, in the world's time.
const RUN_MS: u64 = 30;

fn submit(call: &Call, world: &mut World) -> Answer {
    let wait = wait(call.text("wait_timeout").unwrap_or("10s"))?;
    let ready = warehouses::wake(call, world, call.required("warehouse_id")?)?;
    let metastore = securables::metastore(call, world)?;
    let assignment = world.get(&format!("a/assignments/{}", call.workspace));
    let default_catalog = assignment.map_or("main", |assignment| text(assignment, "default_catalog_name")).to_owned();
    let session = Session {
        call,
        metastore,
        catalog: call.text("catalog").map_or(default_catalog, str::to_lowercase),
        schema: call.text("schema").unwrap_or("default").to_lowercase(),
    };
    let id = ids::uuid(world);
    let outcome = execute::run(&session, world, call.required("statement")?);
    let done = ready.max(call.now) + RUN_MS;
    let document = json!({"statement_id": id, "_done_at": done, "_answer": ended(&id, outcome)});
    world.put(call.key("statements", &id), document.clone());
    let seen_at = if wait > 0 { call.now + wait } else { call.now };
    Ok(state(&document, seen_at))
}

/// Milliseconds to wait: `0s`, or between 5 and 50 seconds.
fn wait(text: &str) -> Result<u64, Failure> {
    match text.strip_suffix('s').and_then(|seconds| seconds.parse::<u64>().ok()) {
        Some(seconds) if seconds == 0 || (5..=50).contains(&seconds) => Ok(seconds * 1000),
        _ => Err(Failure::invalid(format!("wait_timeout '{text}' must be 0s, or between 5s and 50s"))),
    }
}

fn ended(id: &str, outcome: Result<Option<String>, SqlError>) -> Value {
    match outcome {
        Err(error) => json!({
            "statement_id": id,
            "status": {"state": "FAILED", "sql_state": error.state, "error": {"error_code": "BAD_REQUEST", "message": error.text()}},
        }),
        Ok(selected) => {
            let columns: Vec<Value> = selected
                .iter()
                .map(|name| json!({"name": name, "type_name": "INT", "type_text": "INT", "position": 0}))
                .collect();
            let rows: Vec<[&String; 1]> = selected.iter().map(|value| [value]).collect();
            json!({
                "statement_id": id, "status": {"state": "SUCCEEDED"},
                "manifest": {
                    "format": "JSON_ARRAY", "schema": {"column_count": columns.len(), "columns": columns},
                    "total_chunk_count": rows.len(), "total_row_count": rows.len(), "truncated": false,
                },
                "result": {"chunk_index": 0, "row_offset": 0, "row_count": rows.len(), "data_array": rows},
            })
        }
    }
}

fn state(document: &Value, now: u64) -> Value {
    let done = document["_done_at"].as_u64().unwrap_or_default();
    if document["_canceled"] == true {
        return json!({"statement_id": document["statement_id"], "status": {"state": "CANCELED"}});
    }
    if now >= done {
        return document["_answer"].clone();
    }
    let state = if now + RUN_MS >= done { "RUNNING" } else { "PENDING" };
    json!({"statement_id": document["statement_id"], "status": {"state": state}})
}

fn find(call: &Call, world: &World) -> Result<Value, Failure> {
    let id = call.parameter("statement_id");
    world
        .get(&call.key("statements", id))
        .cloned()
        .ok_or_else(|| Failure::missing(format!("The statement {id} was not found.")))
}

fn get(call: &Call, world: &mut World) -> Answer {
    find(call, world).map(|document| state(&document, call.now))
}

fn cancel(call: &Call, world: &mut World) -> Answer {
    let mut document = find(call, world)?;
    if call.now < document["_done_at"].as_u64().unwrap_or_default() {
        document["_canceled"] = true.into();
        world.put(call.key("statements", call.parameter("statement_id")), document);
    }
    Ok(json!({}))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that can't go on says where")]
mod tests {
    use serde_json::{Value, json};

    use crate::sandbox::driver::Driver;

    const STATEMENTS: &str = "/api/2.0/sql/statements";
    const ORDERS: &str = "CREATE TABLE `main`.`default`.`orders` (`id` BIGINT NOT NULL COMMENT 'it''s the key', `at` TIMESTAMP) \
                          USING DELTA TBLPROPERTIES ('delta.columnMapping.mode' = 'name')";

    /// Runs a statement that must fail with this class.
    fn fails(sandbox: &mut Driver, statement: &str, class: &str) {
        let status = sandbox.sql(statement);
        let message = status["error"]["message"].as_str().unwrap_or_default();
        assert!(status["state"] == "FAILED" && message.starts_with(&format!("[{class}]")), "{statement}: {status}");
    }

    fn orders(sandbox: &mut Driver) -> Value {
        sandbox.get("/api/2.1/unity-catalog/tables/main.default.orders")
    }

    fn column_names(table: &Value) -> Vec<String> {
        let columns = table["columns"].as_array().unwrap();
        let positions: Vec<_> = columns.iter().map(|column| column["position"].as_u64().unwrap()).collect();
        assert_eq!(positions, (0..columns.len() as u64).collect::<Vec<_>>());
        columns.iter().map(|column| column["name"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_statement_is_polled_until_the_warehouse_has_started_and_run_it() {
        let mut sandbox = Driver::new();
        let warehouse = json!({"name": "sql", "cluster_size": "Small"});
        let warehouse = sandbox.post("/api/2.0/sql/warehouses", &warehouse)["id"].clone();
        let asked = json!({"warehouse_id": warehouse, "statement": "SELECT 1", "wait_timeout": "0s"});
        let statement = sandbox.post(STATEMENTS, &asked);
        assert_eq!(statement["status"]["state"], "PENDING");
        let path = format!("{STATEMENTS}/{}", statement["statement_id"].as_str().unwrap());
        sandbox.until(|sandbox| sandbox.get(&path)["status"]["state"] == "SUCCEEDED");
        assert_eq!(sandbox.get(&path)["result"]["data_array"], json!([["1"]]));
        let unknown = json!({"warehouse_id": "none", "statement": "SELECT 1"});
        sandbox.refuses("POST", STATEMENTS, &unknown, 404, "RESOURCE_DOES_NOT_EXIST");
    }

    #[test]
    fn a_stopped_warehouse_is_started_by_a_statement() {
        let mut sandbox = Driver::new();
        sandbox.table("SELECT 1");
        let list = sandbox.get("/api/2.0/sql/warehouses");
        let path = format!("/api/2.0/sql/warehouses/{}", list["warehouses"][0]["id"].as_str().unwrap());
        sandbox.post(&format!("{path}/stop"), &json!({}));
        sandbox.until(|sandbox| sandbox.get(&path)["state"] == "STOPPED");
        sandbox.table("SELECT 1");
        assert_eq!(sandbox.get(&path)["state"], "STARTING");
    }

    #[test]
    fn a_created_table_is_served_by_rest() {
        let mut sandbox = Driver::new();
        sandbox.table(
            "CREATE TABLE IF NOT EXISTS main.default.orders (id BIGINT NOT NULL COMMENT 'it\\'s', price DECIMAL(10, 2), \
             tags MAP<STRING, ARRAY<INT>>, buyer STRUCT<name: STRING COMMENT 'n', born DATE>, day DATE GENERATED ALWAYS AS \
             (CAST(at AS DATE)), state STRING DEFAULT 'new') USING DELTA PARTITIONED BY (day) COMMENT 'All orders' \
             TBLPROPERTIES ('delta.feature.allowColumnDefaults' = 'supported')",
        );
        let table = orders(&mut sandbox);
        let types: Vec<_> =
            table["columns"].as_array().unwrap().iter().map(|c| c["type_text"].as_str().unwrap()).collect();
        let expected =
            ["bigint", "decimal(10,2)", "map<string,array<int>>", "struct<name:string,born:date>", "date", "string"];
        assert_eq!(types, expected);
        assert_eq!(
            table["columns"][0],
            json!({
                "name": "id", "type_text": "bigint", "type_name": "LONG", "nullable": false, "position": 0, "comment": "it's",
                "type_json": r#"{"metadata":{"comment":"it's"},"name":"id","nullable":false,"type":"long"}"#,
            })
        );
        assert_eq!((&table["table_type"], &table["comment"]), (&json!("MANAGED"), &json!("All orders")));
        assert_eq!(table["columns"][4]["partition_index"], 0);
        assert_eq!(table["properties"]["delta.minReaderVersion"], "1");
    }

    #[test]
    fn types_that_nest_too_deep_fail_by_name() {
        let mut sandbox = Driver::new();
        let create = |opening: &str, depth: usize| {
            format!("CREATE TABLE main.default.deep (a {}INT{})", opening.repeat(depth), ">".repeat(depth))
        };
        for opening in ["ARRAY<", "MAP<INT, ", "STRUCT<a: "] {
            for depth in [40, 1_000, 100_000] {
                fails(&mut sandbox, &create(opening, depth), "EXCEEDED_LIMIT_LENGTH");
            }
            sandbox.table(&create(opening, 39));
            sandbox.table("ALTER TABLE main.default.deep ALTER COLUMN a COMMENT 'x'");
            let column = sandbox.get("/api/2.1/unity-catalog/tables/main.default.deep")["columns"][0].clone();
            let shown: Value = serde_json::from_str(column["type_json"].as_str().unwrap()).unwrap();
            assert_eq!((&shown["name"], &column["comment"]), (&json!("a"), &json!("x")));
            sandbox.table("DROP TABLE main.default.deep");
        }
    }

    #[test]
    fn what_can_not_be_created_fails_and_leaves_nothing() {
        let mut sandbox = Driver::new();
        sandbox.table(ORDERS);
        fails(&mut sandbox, ORDERS, "TABLE_OR_VIEW_ALREADY_EXISTS");
        sandbox.table(&ORDERS.replace("TABLE", "TABLE IF NOT EXISTS"));
        fails(&mut sandbox, "CREATE TABLE main.none.t (id INT)", "SCHEMA_NOT_FOUND");
        fails(&mut sandbox, "CREATE TABLE t (id INT, ID INT)", "COLUMN_ALREADY_EXISTS");
        fails(&mut sandbox, "CREATE TABLE t (id INT) CLUSTER BY (none)", "UNRESOLVED_COLUMN");
        fails(&mut sandbox, "CREATE TABLE t (id WIDE)", "UNSUPPORTED_DATATYPE");
        fails(&mut sandbox, "CREATE TABLE t (id INT) USING PARQUET", "UC_DATASOURCE_NOT_SUPPORTED");
        fails(&mut sandbox, "CREATE TABLE t (id INT) LOCATION 's3://elsewhere/t'", "UNITY_CATALOG_EXCEPTION");
        let defaults = "WRONG_COLUMN_DEFAULTS_FOR_DELTA_FEATURE_NOT_ENABLED";
        fails(&mut sandbox, "CREATE TABLE t (id INT DEFAULT 1)", defaults);
        fails(&mut sandbox, "CREATE TABLE t (id INT", "PARSE_SYNTAX_ERROR");
        fails(&mut sandbox, "TRUNCATE TABLE t", "PARSE_SYNTAX_ERROR");
        let list = sandbox.get("/api/2.1/unity-catalog/tables?catalog_name=main&schema_name=default");
        assert_eq!(list["tables"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn an_external_table_lies_where_it_was_put() {
        let mut sandbox = Driver::new();
        sandbox.lake();
        sandbox.table("CREATE TABLE lake.sales.t (id INT) LOCATION 's3://landing/t/'");
        let table = sandbox.get("/api/2.1/unity-catalog/tables/lake.sales.t");
        assert_eq!((&table["table_type"], &table["storage_location"]), (&json!("EXTERNAL"), &json!("s3://landing/t")));
        fails(
            &mut sandbox,
            "CREATE TABLE lake.sales.u (id INT) LOCATION 's3://landing/t/x'",
            "UNITY_CATALOG_EXCEPTION",
        );
        sandbox.table("CREATE OR REPLACE TABLE lake.sales.t (id BIGINT) LOCATION 's3://landing/t'");
    }

    #[test]
    fn columns_are_added_moved_renamed_and_dropped() {
        let mut sandbox = Driver::new();
        sandbox.table(ORDERS);
        sandbox.table("ALTER TABLE orders ADD COLUMNS (`note` STRING COMMENT 'n' AFTER id, total DOUBLE FIRST)");
        assert_eq!(column_names(&orders(&mut sandbox)), ["total", "id", "note", "at"]);
        sandbox.table("ALTER TABLE orders RENAME COLUMN note TO remark");
        sandbox.table("ALTER TABLE orders ALTER COLUMN remark AFTER at");
        sandbox.table("ALTER TABLE orders DROP COLUMN total");
        assert_eq!(column_names(&orders(&mut sandbox)), ["id", "at", "remark"]);
        fails(&mut sandbox, "ALTER TABLE orders ADD COLUMN id INT", "FIELD_ALREADY_EXISTS");
        fails(&mut sandbox, "ALTER TABLE orders ADD COLUMN x INT NOT NULL", "DELTA_ADDING_COLUMN_WITH_NOT_NULL");
        fails(&mut sandbox, "ALTER TABLE orders DROP COLUMN none", "UNRESOLVED_COLUMN");
    }

    #[test]
    fn without_column_mapping_no_column_is_dropped_or_renamed() {
        let mut sandbox = Driver::new();
        sandbox.table("CREATE TABLE orders (id INT, at DATE)");
        let refusal = "DELTA_UNSUPPORTED_DROP_OR_RENAME_COLUMN";
        fails(&mut sandbox, "ALTER TABLE orders DROP COLUMN at", refusal);
        fails(&mut sandbox, "ALTER TABLE orders RENAME COLUMN at TO day", refusal);
        sandbox.table("ALTER TABLE orders SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name')");
        sandbox.table("ALTER TABLE orders DROP COLUMNS (at)");
    }

    #[test]
    fn types_only_widen_and_only_where_that_is_on() {
        let mut sandbox = Driver::new();
        sandbox.table("CREATE TABLE orders (id INT)");
        let refusal = "DELTA_UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP";
        fails(&mut sandbox, "ALTER TABLE orders ALTER COLUMN id TYPE BIGINT", refusal);
        sandbox.table("ALTER TABLE orders SET TBLPROPERTIES ('delta.enableTypeWidening' = 'true')");
        sandbox.table("ALTER TABLE orders ALTER COLUMN id TYPE BIGINT");
        fails(&mut sandbox, "ALTER TABLE orders ALTER COLUMN id TYPE INT", refusal);
        let column = orders(&mut sandbox)["columns"][0].clone();
        assert_eq!((&column["type_text"], &column["type_name"]), (&json!("bigint"), &json!("LONG")));
        assert!(column["type_json"].as_str().unwrap().contains("\"long\""));
    }

    #[test]
    fn comments_nullability_and_defaults_show_in_every_form_of_a_column() {
        let mut sandbox = Driver::new();
        sandbox.table(ORDERS);
        sandbox.table("ALTER TABLE orders ALTER COLUMN id COMMENT 'new'");
        sandbox.table("ALTER TABLE orders ALTER COLUMN id DROP NOT NULL");
        sandbox.table("ALTER TABLE orders SET TBLPROPERTIES (delta.feature.allowColumnDefaults = 'supported')");
        sandbox.table("ALTER TABLE orders ALTER COLUMN id SET DEFAULT (1 + 1)");
        let column = orders(&mut sandbox)["columns"][0].clone();
        assert_eq!((&column["comment"], &column["nullable"]), (&json!("new"), &json!(true)));
        let written: Value = serde_json::from_str(column["type_json"].as_str().unwrap()).unwrap();
        let metadata = json!({"comment": "new", "CURRENT_DEFAULT": "(1 + 1)"});
        assert_eq!((&written["nullable"], &written["metadata"]), (&json!(true), &metadata));
    }

    #[test]
    fn properties_clustering_comments_owner_and_name_change() {
        let mut sandbox = Driver::new();
        sandbox.table(ORDERS);
        sandbox.table("ALTER TABLE orders SET TBLPROPERTIES ('a' = 'b')");
        sandbox.table("ALTER TABLE orders UNSET TBLPROPERTIES IF EXISTS ('a', 'c')");
        fails(&mut sandbox, "ALTER TABLE orders UNSET TBLPROPERTIES ('a')", "UNSET_NONEXISTENT_PROPERTIES");
        sandbox.table("ALTER TABLE orders CLUSTER BY (id, at)");
        assert_eq!(orders(&mut sandbox)["properties"]["clusteringColumns"], r#"[["id"],["at"]]"#);
        sandbox.table("ALTER TABLE orders CLUSTER BY NONE");
        sandbox.table("COMMENT ON TABLE main.default.orders IS 'c'");
        sandbox.table("ALTER TABLE orders SET OWNER TO `pipeline`");
        fails(&mut sandbox, "ALTER TABLE orders SET OWNER TO `nobody`", "UNITY_CATALOG_EXCEPTION");
        let table = orders(&mut sandbox);
        assert_eq!((&table["comment"], &table["owner"]), (&json!("c"), &json!("pipeline")));
        assert!(table["properties"].get("a").is_none() && table["properties"].get("clusteringColumns").is_none());
        sandbox.table("ALTER TABLE orders RENAME TO main.default.sales");
        fails(&mut sandbox, "DROP TABLE orders", "TABLE_OR_VIEW_NOT_FOUND");
        sandbox.table("DROP TABLE sales");
        sandbox.table("DROP TABLE IF EXISTS sales");
        sandbox.table("COMMENT ON SCHEMA main.default IS NULL");
        sandbox.table("COMMENT ON CATALOG main IS 'all of it'");
        assert_eq!(sandbox.get("/api/2.1/unity-catalog/catalogs/main")["comment"], "all of it");
    }
}

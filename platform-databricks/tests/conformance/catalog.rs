//! The pages of Unity Catalog.

use serde_json::{Value, json};

use crate::page::{Behind, Page};

fn behind(path: &'static str, body: Value, field: &'static str) -> Behind {
    Behind { method: "PATCH", path: path.to_owned(), body, field }
}

fn sql(statement: &str, field: &'static str) -> Behind {
    Behind { method: "SQL", path: String::new(), body: statement.into(), field }
}

pub(crate) fn catalog() -> Page {
    let path = "/api/2.1/unity-catalog/catalogs/pond";
    Page {
        type_name: "databricks:Catalog",
        inputs: json!({
            "name": "Pond", "storage_root": "s3://landing/pond/", "comment": "c", "properties": {"a": "1", "b": "2"},
            "isolation_mode": "ISOLATED", "predictive_optimization": "ENABLE", "owner": "pipeline",
        }),
        changed: json!({
            "name": "Sea", "storage_root": "s3://landing/pond/", "properties": {"a": "3"},
            "isolation_mode": "OPEN", "predictive_optimization": "DISABLE", "owner": "analysts",
        }),
        behind: vec![
            behind(path, json!({"comment": "other"}), "comment"),
            behind(path, json!({"properties": {"a": "1"}}), "properties"),
            behind(path, json!({"isolation_mode": "OPEN"}), "isolation_mode"),
            behind(path, json!({"owner": "analysts"}), "owner"),
        ],
        exclusive: true,
        together: false,
    }
}

pub(crate) fn schema() -> Page {
    let path = "/api/2.1/unity-catalog/schemas/lake.shop";
    Page {
        type_name: "databricks:Schema",
        inputs: json!({
            "catalog": "lake", "name": "Shop", "storage_root": "s3://landing/shop/", "comment": "c",
            "properties": {"a": "1", "b": "2"}, "predictive_optimization": "ENABLE", "owner": "pipeline",
        }),
        changed: json!({
            "catalog": "lake", "name": "store", "storage_root": "s3://landing/shop/", "properties": {"a": "3"},
            "predictive_optimization": "DISABLE", "owner": "analysts",
        }),
        behind: vec![
            behind(path, json!({"comment": "other"}), "comment"),
            behind(path, json!({"properties": {"a": "1"}}), "properties"),
            behind(path, json!({"enable_predictive_optimization": "INHERIT"}), "predictive_optimization"),
            behind(path, json!({"owner": "analysts"}), "owner"),
        ],
        exclusive: true,
        together: false,
    }
}

pub(crate) fn managed_volume() -> Page {
    volume(
        json!({"schema": "lake.sales", "name": "Files", "comment": "c", "owner": "pipeline"}),
        json!({"schema": "lake.sales", "name": "documents", "owner": "analysts"}),
    )
}

pub(crate) fn external_volume() -> Page {
    let at = "s3://landing/files/";
    volume(
        json!({"schema": "lake.sales", "name": "files", "storage_location": at}),
        json!({"schema": "lake.sales", "name": "files", "storage_location": at, "comment": "c"}),
    )
}

fn volume(inputs: Value, changed: Value) -> Page {
    let path = "/api/2.1/unity-catalog/volumes/lake.sales.files";
    Page {
        type_name: "databricks:Volume",
        inputs,
        changed,
        behind: vec![
            behind(path, json!({"comment": "other"}), "comment"),
            behind(path, json!({"owner": "scientists"}), "owner"),
        ],
        exclusive: true,
        together: false,
    }
}

pub(crate) fn storage_credential() -> Page {
    let path = "/api/2.1/unity-catalog/storage-credentials/key";
    let role = |name: &str| json!({"role_arn": format!("arn:aws:iam::123456789012:role/{name}")});
    Page {
        type_name: "databricks:StorageCredential",
        inputs: json!({
            "name": "Key", "aws_iam_role": role("one"), "comment": "c", "read_only": true,
            "isolation_mode": "ISOLATION_MODE_ISOLATED", "owner": "pipeline",
        }),
        changed: json!({
            "name": "lock", "aws_iam_role": role("two"), "read_only": false,
            "isolation_mode": "ISOLATION_MODE_OPEN", "owner": "analysts",
        }),
        behind: vec![
            behind(path, json!({"comment": "other"}), "comment"),
            behind(path, json!({"read_only": false}), "read_only"),
            behind(path, json!({"aws_iam_role": role("two")}), "aws_iam_role"),
            behind(path, json!({"owner": "analysts"}), "owner"),
        ],
        exclusive: true,
        together: false,
    }
}

pub(crate) fn external_location() -> Page {
    let path = "/api/2.1/unity-catalog/external-locations/raw";
    Page {
        type_name: "databricks:ExternalLocation",
        inputs: json!({
            "name": "Raw", "url": "s3://raw/a/", "credential": "cred", "comment": "c", "read_only": true, "fallback": true,
            "enable_file_events": false, "isolation_mode": "ISOLATION_MODE_ISOLATED", "owner": "pipeline",
        }),
        changed: json!({
            "name": "rough", "url": "s3://raw/b", "credential": "cred2", "read_only": false, "fallback": false,
            "enable_file_events": true, "isolation_mode": "ISOLATION_MODE_OPEN", "owner": "analysts",
        }),
        behind: vec![
            behind(path, json!({"comment": "other"}), "comment"),
            behind(path, json!({"url": "s3://raw/b"}), "url"),
            behind(path, json!({"credential_name": "cred2"}), "credential"),
            behind(path, json!({"enable_file_events": true}), "enable_file_events"),
            behind(path, json!({"owner": "analysts"}), "owner"),
        ],
        exclusive: true,
        together: false,
    }
}

pub(crate) fn grant() -> Page {
    let path = "/api/2.1/unity-catalog/permissions/catalog/lake";
    let grant = |privileges: Value| json!({"securable_kind": "catalog", "securable": "lake", "principal": "analysts", "privileges": privileges});
    let revoked = json!({"changes": [{"principal": "analysts", "remove": ["USE_SCHEMA"]}]});
    Page {
        type_name: "databricks:Grant",
        inputs: grant(json!(["USE_CATALOG", "USE_SCHEMA"])),
        changed: grant(json!(["SELECT", "USE_CATALOG"])),
        behind: vec![behind(path, revoked, "privileges")],
        exclusive: false,
        together: false,
    }
}

pub(crate) fn table() -> Page {
    let path = "/api/2.1/unity-catalog/tables/lake.sales.orders";
    Page {
        type_name: "databricks:Table",
        inputs: json!({
            "schema": "lake.sales", "name": "Orders", "via": "$warehouse", "comment": "it's all",
            "columns": [
                {"name": "id", "data_type": "int", "nullable": false, "comment": "the `key`"},
                {"name": "amount", "data_type": "DECIMAL(18, 2)"},
                {"name": "buyer", "data_type": "struct<name: string, born: date>"},
                {"name": "old", "data_type": "array<string>"},
            ],
            "properties": {"quality": "gold", "delta.enableChangeDataFeed": "true"}, "cluster_by": ["id"], "owner": "pipeline",
        }),
        changed: json!({
            "schema": "lake.sales", "name": "sold", "via": "$warehouse",
            "columns": [
                {"name": "amount", "data_type": "decimal(20,2)", "comment": "EUR \\ '"},
                {"name": "id", "data_type": "bigint", "nullable": true},
                {"name": "buyer", "data_type": "struct<name: string, born: date>"},
                {"name": "at", "data_type": "timestamp", "nullable": false},
            ],
            "properties": {"quality": "silver"}, "cluster_by": ["amount", "id"], "owner": "analysts",
        }),
        behind: vec![
            behind(path, json!({"owner": "analysts"}), "owner"),
            sql("COMMENT ON TABLE lake.sales.orders IS 'other'", "comment"),
            sql("ALTER TABLE lake.sales.orders ADD COLUMNS (foreign_one STRING)", "columns"),
            sql("ALTER TABLE lake.sales.orders ALTER COLUMN id COMMENT 'other'", "columns"),
            sql("ALTER TABLE lake.sales.orders SET TBLPROPERTIES ('quality' = 'bronze')", "properties"),
            sql("ALTER TABLE lake.sales.orders CLUSTER BY NONE", "cluster_by"),
        ],
        exclusive: true,
        together: false,
    }
}

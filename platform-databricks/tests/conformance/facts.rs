//! The pages' marks against facts that were not written for them: which inputs there are, which need a new object, which
//! the service chooses when they are unset.

use std::collections::{BTreeMap, BTreeSet};

use platform_databricks::provider::{account_drivers, workspace_drivers};
use platform_sdk::{Field, Schema, Unset};
use serde_json::Value;

/// A page, the kind of the facts, its fields under other names there, and the inputs that it leaves out.
struct Compared {
    type_name: &'static str,
    kind: &'static str,
    renamed: &'static [(&'static str, &'static str)],
    left_out: &'static [&'static str],
    /// Marks that differ from the facts on purpose.
    differs: &'static [&'static str],
}

/// Inputs of the other tool's own: which connection to use, how to delete.
const FOREIGN: [&str; 7] = [
    "force_destroy",
    "force_update",
    "provider_config",
    "browse_only",
    "no_wait",
    "api",
    "clear_cloud_attributes_on_remove",
];

/// The metastore is the workspace's.
const METASTORE: &str = "metastore_id";

const COMPARED: [Compared; 13] = [
    Compared {
        type_name: "databricks:Catalog",
        kind: "databricks_catalog",
        renamed: &[("predictive_optimization", "enable_predictive_optimization")],
        // Foreign and shared catalogs are kinds of their own; retention and encryption keys are for a later page.
        left_out: &[
            "connection_name",
            "custom_max_retention_hours",
            "effective_predictive_optimization_flag",
            "managed_encryption_settings",
            METASTORE,
            "options",
            "provider_name",
            "provisioning_info",
            "share_name",
        ],
        // Without one of its own, a catalog shows the metastore's storage root.
        differs: &["storage_root"],
    },
    Compared {
        type_name: "databricks:Cluster",
        kind: "databricks_cluster",
        renamed: &[("name", "cluster_name")],
        // AWS only; pins and libraries are kinds of their own; the mark does what the token does.
        left_out: &[
            "azure_attributes",
            "cluster_log_conf",
            "cluster_mount_info",
            "dependency_mode",
            "driver_node_type_flexibility",
            "gcp_attributes",
            "idempotency_token",
            "is_pinned",
            "library",
            "remote_disk_throughput",
            "ssh_public_keys",
            "total_initial_remote_disk_size",
            "use_ml_runtime",
            "worker_node_type_flexibility",
            "workload_type",
        ],
        // What the service and policies fill in by themselves; the other tool suppresses these differences one by one.
        differs: &["aws_attributes", "data_security_mode", "runtime_engine", "single_user_name"],
    },
    Compared {
        type_name: "databricks:ExternalLocation",
        kind: "databricks_external_location",
        renamed: &[("credential", "credential_name")],
        left_out: &["effective_file_event_queue", "encryption_details", "file_event_queue", METASTORE],
        // The API renames in place; file events that somebody else turned on stay on.
        differs: &["enable_file_events", "name"],
    },
    Compared {
        type_name: "databricks:Grant",
        kind: "databricks_grant",
        renamed: &[],
        // The object is a kind and a name here, and a field for each kind there; kinds without a page follow theirs.
        left_out: &[
            "catalog",
            "credential",
            "external_location",
            "foreign_connection",
            "function",
            "mcp_service",
            "metastore",
            "model",
            "model_provider_service",
            "model_service",
            "pipeline",
            "recipient",
            "schema",
            "share",
            "storage_credential",
            "table",
            "volume",
        ],
        differs: &[],
    },
    Compared {
        type_name: "databricks:Job",
        kind: "databricks_job",
        renamed: &[("tasks", "task"), ("job_clusters", "job_cluster"), ("parameters", "parameter")],
        // Jobs of one task in the manner of API 2.0, runs that the tool itself starts, and what a later page may take.
        left_out: &[
            "always_running",
            "budget_policy_id",
            "continuous",
            "control_run_state",
            "dbt_task",
            "deployment",
            "existing_cluster_id",
            "format",
            "library",
            "max_retries",
            "min_retry_interval_millis",
            "new_cluster",
            "notebook_task",
            "notification_settings",
            "parent_path",
            "pipeline_task",
            "python_wheel_task",
            "retry_on_timeout",
            "run_job_task",
            "spark_jar_task",
            "spark_python_task",
            "spark_submit_task",
            "trigger",
            "triggers",
            "usage_policy_id",
        ],
        // The service has an answer of its own to each.
        differs: &["edit_mode", "performance_target", "queue"],
    },
    Compared {
        type_name: "databricks:MetastoreAssignment",
        kind: "databricks_metastore_assignment",
        renamed: &[],
        left_out: &[],
        differs: &[],
    },
    Compared {
        type_name: "databricks:Notebook",
        kind: "databricks_notebook",
        renamed: &[("content", "content_base64"), ("content_hash", "md5")],
        // What the service says of it; where the tool finds the file.
        left_out: &["object_id", "object_type", "source"],
        // Its hash says whether the content differs; unset, the format is source code.
        differs: &["content", "format"],
    },
    Compared {
        type_name: "databricks:Schema",
        kind: "databricks_schema",
        renamed: &[("catalog", "catalog_name"), ("predictive_optimization", "enable_predictive_optimization")],
        left_out: &[METASTORE],
        // The API renames in place.
        differs: &["name"],
    },
    Compared {
        type_name: "databricks:SqlWarehouse",
        kind: "databricks_sql_endpoint",
        renamed: &[("size", "cluster_size"), ("serverless", "enable_serverless_compute")],
        // Ids that the service gives.
        left_out: &["data_source_id", "sql_endpoint_id"],
        // Unset it is serverless.
        differs: &["serverless"],
    },
    Compared {
        type_name: "databricks:StorageCredential",
        kind: "databricks_storage_credential",
        renamed: &[],
        // AWS only; validation is always left to the external location.
        left_out: &[
            METASTORE,
            "azure_managed_identity",
            "azure_service_principal",
            "cloudflare_api_token",
            "databricks_gcp_service_account",
            "gcp_service_account_key",
            "skip_validation",
        ],
        // The API renames in place.
        differs: &["name"],
    },
    Compared {
        type_name: "databricks:Table",
        kind: "databricks_sql_table",
        renamed: &[
            ("schema", "schema_name"),
            ("columns", "column"),
            ("via", "warehouse_id"),
            ("cluster_by", "cluster_keys"),
            ("partitioned_by", "partitions"),
            ("location", "storage_location"),
        ],
        // Managed or external follows from `location`; the format is Delta; views are a kind of their own.
        left_out: &[
            "catalog_name",
            "cluster_id",
            "data_source_format",
            "options",
            "storage_credential_name",
            "table_type",
            "view_definition",
        ],
        // Columns are declared, not found; partitions that are not declared are none; files do not move along.
        differs: &["columns", "partitioned_by", "location", "via"],
    },
    Compared {
        type_name: "databricks:Volume",
        kind: "databricks_volume",
        renamed: &[("schema", "schema_name")],
        // Managed or external follows from `storage_location`.
        left_out: &["catalog_name", "volume_type"],
        differs: &[],
    },
    Compared {
        type_name: "databricks:Workspace",
        kind: "databricks_mws_workspaces",
        renamed: &[("name", "workspace_name")],
        // AWS only; what the service says of it; a token is nothing to keep in state.
        left_out: &[
            "account_id",
            "cloud",
            "cloud_resource_container",
            "creation_time",
            "customer_managed_key_id",
            "expected_workspace_status",
            "external_customer_info",
            "gcp_managed_network_config",
            "gke_config",
            "is_no_public_ip_enabled",
            "location",
            "token",
            "workspace_id",
            "workspace_status",
            "workspace_status_message",
            "workspace_url",
        ],
        // Once set, none of these can be unset: unset, they are what the workspace has. A tier is not changed in place.
        differs: &[
            "credentials_id",
            "deployment_name",
            "managed_services_customer_managed_key_id",
            "network_id",
            "pricing_tier",
            "private_access_settings_id",
            "storage_customer_managed_key_id",
        ],
    },
];

fn facts() -> BTreeMap<String, BTreeMap<String, Value>> {
    let all: Value = serde_json::from_str(include_str!("../facts/inputs.json")).expect("facts are JSON");
    let kinds = all.as_object().expect("an object").iter().filter(|(name, _)| *name != "source");
    kinds.map(|(name, inputs)| (name.clone(), serde_json::from_value(inputs.clone()).expect("inputs"))).collect()
}

/// What both providers manage.
fn schemas() -> Vec<&'static Schema> {
    let lookups = ["databricks:CurrentUser", "databricks:Metastore"];
    let all = workspace_drivers().schemas().into_iter().chain(account_drivers().schemas());
    all.filter(|schema| !lookups.contains(&schema.type_name)).collect()
}

fn fields(type_name: &str) -> &'static [Field] {
    schemas().into_iter().find(|schema| schema.type_name == type_name).expect("a page").fields()
}

impl Compared {
    fn fact_name<'f>(&self, field: &'f str) -> &'f str {
        self.renamed.iter().find(|(ours, _)| *ours == field).map_or(field, |(_, theirs)| theirs)
    }
}

#[test]
fn every_page_is_compared() {
    let mut pages: Vec<&str> = schemas().iter().map(|schema| schema.type_name).collect();
    pages.sort_unstable();
    assert_eq!(COMPARED.map(|compared| compared.type_name).as_slice(), pages);
}

#[test]
fn every_input_of_the_facts_is_a_field_or_left_out_on_purpose() {
    let facts = facts();
    for compared in COMPARED {
        let ours: Vec<&str> = fields(compared.type_name).iter().map(|field| compared.fact_name(field.name)).collect();
        for input in facts[compared.kind].keys() {
            let known = ours.contains(&input.as_str());
            let left_out = compared.left_out.contains(&input.as_str()) || FOREIGN.contains(&input.as_str());
            assert!(known != left_out, "{}: `{input}`: a field: {known}; left out: {left_out}", compared.type_name);
        }
        for field in &ours {
            let on_purpose = compared.type_name == "databricks:Grant" && field.starts_with("securable");
            assert!(
                facts[compared.kind].contains_key(*field) != on_purpose,
                "{}: `{field}` is no input",
                compared.type_name
            );
        }
    }
}

#[test]
fn what_needs_a_new_object_and_what_the_service_chooses_is_as_the_facts_say() {
    let facts = facts();
    for compared in COMPARED {
        let differs = |field: &&Field| {
            let Some(fact) = facts[compared.kind].get(compared.fact_name(field.name)) else { return false };
            let replaces = field.replace || (field.key && !field.renames);
            let required = matches!(field.unset, Unset::Never);
            let chosen = matches!(field.unset, Unset::Computed) == (fact["computed_when_unset"] == true);
            replaces != (fact["replace"] == "always") || !(required || chosen)
        };
        let differing: BTreeSet<&str> =
            fields(compared.type_name).iter().filter(differs).map(|field| field.name).collect();
        assert_eq!(differing, compared.differs.iter().copied().collect(), "{}", compared.type_name);
    }
}

#[test]
fn what_the_facts_require_is_required() {
    let facts = facts();
    for compared in COMPARED {
        for field in fields(compared.type_name) {
            let fact = facts[compared.kind].get(compared.fact_name(field.name));
            let required = fact.is_some_and(|fact| fact["required"] == true);
            // Unset, a warehouse is of the smallest size.
            let defaulted = compared.type_name == "databricks:SqlWarehouse" && field.name == "size";
            let agrees = !required || defaulted || matches!(field.unset, Unset::Never);
            assert!(agrees, "{}: `{}` is not required", compared.type_name, field.name);
        }
    }
}

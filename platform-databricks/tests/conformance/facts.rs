//! The pages' marks against facts that were not written for them: which inputs there are, which need a new object, which
//! the service chooses when they are unset.

use std::collections::BTreeMap;

use platform_databricks::provider::workspace_drivers;
use platform_sdk::{Field, Unset};
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
const FOREIGN: [&str; 5] = ["force_destroy", "force_update", "metastore_id", "provider_config", "browse_only"];

const COMPARED: [Compared; 6] = [
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
            "options",
            "provider_name",
            "provisioning_info",
            "share_name",
        ],
        // Without one of its own, a catalog shows the metastore's storage root.
        differs: &["storage_root"],
    },
    Compared {
        type_name: "databricks:ExternalLocation",
        kind: "databricks_external_location",
        renamed: &[("credential", "credential_name")],
        left_out: &["effective_file_event_queue", "encryption_details", "file_event_queue"],
        // The API renames in place.
        differs: &["name"],
    },
    Compared {
        type_name: "databricks:Schema",
        kind: "databricks_schema",
        renamed: &[("catalog", "catalog_name"), ("predictive_optimization", "enable_predictive_optimization")],
        left_out: &[],
        // The API renames in place.
        differs: &["name"],
    },
    Compared {
        type_name: "databricks:StorageCredential",
        kind: "databricks_storage_credential",
        renamed: &[],
        // AWS only; validation is always left to the external location.
        left_out: &[
            "api",
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
];

fn facts() -> BTreeMap<String, BTreeMap<String, Value>> {
    let all: Value = serde_json::from_str(include_str!("../facts/catalog_inputs.json")).expect("facts are JSON");
    let kinds = all.as_object().expect("an object").iter().filter(|(name, _)| *name != "_meta");
    kinds.map(|(name, inputs)| (name.clone(), serde_json::from_value(inputs.clone()).expect("inputs"))).collect()
}

fn fields(type_name: &str) -> &'static [Field] {
    let schemas = workspace_drivers().schemas();
    schemas.into_iter().find(|schema| schema.type_name == type_name).expect("a page").fields()
}

impl Compared {
    fn fact_name<'f>(&self, field: &'f str) -> &'f str {
        self.renamed.iter().find(|(ours, _)| *ours == field).map_or(field, |(_, theirs)| theirs)
    }
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
            assert!(facts[compared.kind].contains_key(*field), "{}: `{field}` is no input", compared.type_name);
        }
    }
}

#[test]
fn what_needs_a_new_object_and_what_the_service_chooses_is_as_the_facts_say() {
    let facts = facts();
    for compared in COMPARED {
        for field in fields(compared.type_name) {
            let fact = &facts[compared.kind][compared.fact_name(field.name)];
            let replaces = field.replace || (field.key && !field.renames);
            let required = matches!(field.unset, Unset::Never);
            let agrees = replaces == (fact["replace"] == "always")
                && (required || matches!(field.unset, Unset::Computed) == (fact["computed_when_unset"] == true));
            let expected = !compared.differs.contains(&field.name);
            assert_eq!(agrees, expected, "{}: `{}` against {fact}", compared.type_name, field.name);
        }
    }
}

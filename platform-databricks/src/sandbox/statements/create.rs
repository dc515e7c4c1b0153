//! `CREATE TABLE`: from a statement to the table as the catalog shows it.

use platform_sdk::sandbox::World;
use serde_json::{Map, Value, json};

use super::{
    SqlError,
    execute::Session,
    syntax::{Column, CreateTable},
    types::DataType,
};
use crate::sandbox::{
    answer::fields,
    grants, ids, schemas,
    securables::{self, TABLE},
    storage_paths,
};

/// Makes the table.
///
/// # Errors
/// What the service refuses: no schema, a name that is taken, columns that can't be, a place that is not ours.
pub(super) fn create(session: &Session, world: &mut World, table: &CreateTable) -> Result<(), SqlError> {
    let full_name = session.full_name(&table.name, TABLE.levels);
    let (parent, name) = full_name.rsplit_once('.').unwrap_or_default();
    session.schema_exists(world, parent)?;
    grants::may_create(session.call, world, (&session.metastore, parent), "CREATE_TABLE").map_err(|failure| {
        SqlError::new("INSUFFICIENT_PERMISSIONS", "42501", format!("Insufficient privileges: {}", failure.message()))
    })?;
    let key = TABLE.key(&session.metastore, &full_name);
    if world.get(&key).is_some() {
        if table.if_not_exists {
            return Ok(());
        }
        if !table.or_replace {
            return Err(SqlError::new(
                "TABLE_OR_VIEW_ALREADY_EXISTS",
                "42P07",
                format!(
                    "Cannot create table or view `{name}` because it already exists. Choose a different name, drop or replace \
                     the existing object."
                ),
            ));
        }
    }
    check(table)?;
    let format = table.format.clone().unwrap_or_else(|| "DELTA".to_owned());
    let id = ids::uuid(world);
    let location = location(session, world, table, &full_name, &id)?;
    let (catalog_name, schema_name) = parent.split_once('.').unwrap_or_default();
    let mut document = Value::Object(securables::created(session.call, &session.metastore));
    let rest = json!({
        "name": name, "catalog_name": catalog_name, "schema_name": schema_name, "full_name": full_name, "table_id": id,
        "table_type": if table.location.is_some() { "EXTERNAL" } else { "MANAGED" }, "data_source_format": format,
        "storage_location": location, "columns": columns(table), "properties": properties(table, session.call.now),
        "enable_predictive_optimization": "INHERIT", "effective_predictive_optimization_flag": {"value": "DISABLE"},
        "_version": 0,
    });
    fields(&mut document).extend(rest.as_object().cloned().unwrap_or_default());
    if let Some(comment) = &table.comment {
        document["comment"] = comment.as_str().into();
    }
    world.put(key, document);
    Ok(())
}

fn check(table: &CreateTable) -> Result<(), SqlError> {
    let names: Vec<String> = table.columns.iter().map(|column| column.name.to_lowercase()).collect();
    if let Some(twice) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
        return Err(SqlError::new(
            "COLUMN_ALREADY_EXISTS",
            "42711",
            format!("The column `{}` already exists. Choose another name or rename the existing column.", twice.1),
        ));
    }
    for name in table.partitioned.iter().chain(&table.clustered) {
        if !names.contains(&name.to_lowercase()) {
            return Err(SqlError::new(
                "UNRESOLVED_COLUMN",
                "42703",
                format!("A column with name `{name}` cannot be resolved."),
            ));
        }
    }
    if !table.partitioned.is_empty() && !table.clustered.is_empty() {
        return Err(SqlError::new(
            "SPECIFY_CLUSTER_BY_WITH_PARTITIONED_BY_IS_NOT_ALLOWED",
            "42908",
            "Cannot specify both CLUSTER BY and PARTITIONED BY.",
        ));
    }
    let defaults = table.columns.iter().any(|column| column.default.is_some());
    let allowed = table.properties.iter().any(|(name, value)| allows_defaults(name, value));
    if defaults && !allowed {
        return Err(no_defaults());
    }
    Ok(())
}

/// Whether a property switches column defaults on.
pub(super) fn allows_defaults(name: &str, value: &str) -> bool {
    name == "delta.feature.allowColumnDefaults" && matches!(value, "supported" | "enabled")
}

/// The refusal of a default without the feature.
pub(super) fn no_defaults() -> SqlError {
    SqlError::new(
        "WRONG_COLUMN_DEFAULTS_FOR_DELTA_FEATURE_NOT_ENABLED",
        "0AKDE",
        "Failed to execute the command because DEFAULT values are not supported when adding new columns to tables without the \
         table feature: set the property 'delta.feature.allowColumnDefaults' = 'supported'.",
    )
}

fn location(
    session: &Session,
    world: &World,
    table: &CreateTable,
    full_name: &str,
    id: &str,
) -> Result<String, SqlError> {
    let format = table.format.as_deref().unwrap_or("DELTA");
    let (parent, _) = full_name.rsplit_once('.').unwrap_or_default();
    match &table.location {
        Some(location) => {
            let location = storage_paths::cloud_url(location).map_err(|failure| Session::refused(&failure))?;
            storage_paths::holder(world, &session.metastore, location).map_err(|failure| Session::refused(&failure))?;
            storage_paths::free(world, &session.metastore, location, full_name)
                .map_err(|failure| Session::refused(&failure))?;
            Ok(location.to_owned())
        }
        None if format != "DELTA" => Err(SqlError::new(
            "UC_DATASOURCE_NOT_SUPPORTED",
            "0AKUC",
            format!("Data source format {format} is not supported for managed tables in Unity Catalog."),
        )),
        None => Ok(format!("{}/tables/{id}", schemas::managed_root(world, &session.metastore, parent))),
    }
}

fn columns(table: &CreateTable) -> Vec<Value> {
    let partition = |name: &str| table.partitioned.iter().position(|partition| partition.eq_ignore_ascii_case(name));
    table
        .columns
        .iter()
        .enumerate()
        .map(|(position, column)| {
            let mut shown = shown(column);
            shown["position"] = position.into();
            if let Some(index) = partition(&column.name) {
                shown["partition_index"] = index.into();
            }
            shown
        })
        .collect()
}

/// A column as the catalog shows it, but for its position.
pub(super) fn shown(column: &Column) -> Value {
    let mut metadata = Map::new();
    let facts = [
        ("comment", &column.comment),
        ("CURRENT_DEFAULT", &column.default),
        ("delta.generationExpression", &column.generated),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            metadata.insert(name.to_owned(), value.as_str().into());
        }
    }
    let written =
        json!({"name": column.name, "type": column.ty.json(), "nullable": column.nullable, "metadata": metadata});
    let mut shown = json!({"name": column.name, "type_json": written.to_string(), "nullable": column.nullable});
    describe_type(&mut shown, &column.ty);
    if let Some(comment) = &column.comment {
        shown["comment"] = comment.as_str().into();
    }
    shown
}

/// Writes a type into the fields that the catalog shows it in, beside `type_json`.
pub(super) fn describe_type(column: &mut Value, ty: &DataType) {
    column["type_text"] = ty.text().into();
    column["type_name"] = ty.name().into();
    match ty {
        DataType::Decimal(precision, scale) => {
            column["type_precision"] = (*precision).into();
            column["type_scale"] = (*scale).into();
        }
        _ => {
            for field in ["type_precision", "type_scale"] {
                fields(column).remove(field);
            }
        }
    }
}

/// The given properties, and those that Delta keeps itself.
fn properties(table: &CreateTable, now: u64) -> Value {
    let mut properties: Map<String, Value> =
        table.properties.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    let own = [
        ("delta.lastCommitTimestamp", now.to_string()),
        ("delta.lastUpdateVersion", "0".to_owned()),
        ("delta.minReaderVersion", "1".to_owned()),
        ("delta.minWriterVersion", "2".to_owned()),
    ];
    for (name, value) in own {
        properties.entry(name).or_insert_with(|| value.into());
    }
    if !table.clustered.is_empty() {
        properties.insert("clusteringColumns".into(), clustering(&table.clustered).into());
    }
    Value::Object(properties)
}

/// Clustering columns as the catalog writes them: `[["id"],["at"]]`.
pub(super) fn clustering(names: &[String]) -> String {
    json!(names.iter().map(|name| [name]).collect::<Vec<_>>()).to_string()
}

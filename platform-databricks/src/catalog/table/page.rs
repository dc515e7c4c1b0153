//! Table: rows and columns in a schema, in Delta format. <https://docs.databricks.com/api/workspace/tables>
//!
//! Quirks: tables are made and changed by SQL on a warehouse, which `.via(&sql)` names, and read and dropped by REST, so
//! that neither starts compute. Delta and the service keep properties of their own (`delta.*`): only those that the
//! program sets are looked at. The order of columns is no change. A dropped column is gone with its data; a type that
//! can't be widened needs another table. Deleting an external table leaves its files.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use platform_sdk::{
    Declared, Id, Resolved, Stage,
    derive::{Outputs, Resource},
    provider::{
        Change, Context, ErrorKind, Existing, Found, Made, Manage, Observed, ProviderError, ProviderResult, Read,
        id_in_address,
    },
};
use serde::Deserialize;
use serde_json::Value;

use super::{Column, DataType, alter::alterations, column, data_type, sql};
use crate::{
    WorkspaceProvider,
    catalog::{
        Schema,
        securable::{self, Kind, Patch, by_parent, lower, place, set_properties, set_text},
        statement,
    },
    client::Client,
    compute::SqlWarehouse,
};

// declare

/// A table.
#[derive(Resource)]
#[resource(
    type = "databricks:Table",
    outputs = TableOutputs,
    provider = WorkspaceProvider,
    scope = "metastore",
    data = managed,
    identity = key,
    validate = problems
)]
pub struct Table<S: Stage = Declared> {
    /// The schema that it is in.
    #[field(required, key, replace, parent = refuses, normalize = lower)]
    pub schema: S::In<Id<Schema>>,
    /// Its name in the schema; kept in lower case.
    #[field(required, key, renames, normalize = lower)]
    pub name: S::In<String>,
    /// Its columns. Their order is that of their creation.
    #[field(keyed_by = "name", each = "column", judge = column::judge)]
    pub columns: Vec<Column<S>>,
    /// The warehouse that makes and changes it. Always needed; never a change.
    #[field(via)]
    pub via: Option<S::In<Id<SqlWarehouse>>>,
    /// What it is for.
    #[field(nullable)]
    pub comment: Option<S::In<String>>,
    /// Key and value pairs, `delta.*` among them.
    #[field(nullable)]
    pub properties: Option<S::In<BTreeMap<String, String>>>,
    /// Columns that rows are kept together by (liquid clustering), four at most.
    #[field(nullable)]
    pub cluster_by: Option<S::In<Vec<String>>>,
    /// Columns whose values have a folder each. Prefer `cluster_by`.
    #[field(replace)]
    pub partitioned_by: Option<S::In<Vec<String>>>,
    /// Where the files of an external table are. Unless set, the table is managed: its files are kept with the schema's.
    #[field(replace, normalize = place)]
    pub location: Option<S::In<String>>,
    /// The user, group or service principal that owns it. Unless set, who creates it.
    #[field(computed, access = owner)]
    pub owner: Option<S::In<String>>,
}

/// Outputs of [`Table`].
#[derive(Outputs)]
pub struct TableOutputs<S: Stage = Declared> {
    /// Its full name.
    #[output(is = "{schema}.{name}")]
    pub id: S::Out<Id<Table>>,
    /// Its name in the schema.
    #[output(is = "{name}")]
    pub name: S::Out<String>,
    /// `catalog.schema.table`.
    #[output(is = "{schema}.{name}")]
    pub full_name: S::Out<String>,
}

impl Table {
    /// Its files lie at this place, and stay there when it is deleted.
    pub fn external(self, location: impl platform_sdk::IntoInput<String>) -> Self {
        self.location(location)
    }
}

/// Whether its files go with it.
fn managed(inputs: &Value) -> bool {
    inputs.get("location").is_none()
}

fn problems(inputs: &Value) -> Vec<(String, String)> {
    let mut problems = securable::name_problems(inputs);
    let mut problem = |field: &str, what: String| problems.push((field.to_owned(), what));
    if inputs.get("via").is_none() {
        problem("via", "is not set: tables are made by SQL; name a warehouse with `.via(&sql)`".to_owned());
    }
    let columns: Vec<&Value> = inputs["columns"].as_array().into_iter().flatten().collect();
    if inputs.get("columns").is_none() {
        problem("columns", "is not set: a table needs a column".to_owned());
    }
    let mut seen = BTreeSet::new();
    for name in columns.iter().filter_map(|column| column["name"].as_str()) {
        if !seen.insert(name.to_lowercase()) {
            problem("columns", format!("names `{name}` twice"));
        }
    }
    for column in &columns {
        if let Some(at) = column["data_type"].as_str().and_then(data_type::too_deep) {
            let name = column["name"].as_str().unwrap_or_default();
            let deepest = data_type::DEEPEST;
            problem(
                "columns",
                format!("the type of `{name}` is nested deeper than {deepest} levels, at character {at}"),
            );
        }
    }
    if inputs.get("partitioned_by").is_some() && inputs.get("cluster_by").is_some() {
        problem("partitioned_by", "and `cluster_by` exclude each other".to_owned());
    }
    problems
}

// manage

pub(in crate::catalog) const KIND: Kind = Kind { noun: "table", collection: "tables", forces: false, bound: None };

#[async_trait]
impl Manage for Table {
    type Client = Client;

    async fn read(client: &Client, existing: &Existing<Self>) -> Read<Self> {
        let info = KIND.read::<Info>(client, &existing.id).await?;
        info.map(|info| observed(info, existing.inputs.as_ref())).transpose()
    }

    async fn meant(_client: &Client, asked: &str) -> ProviderResult<Vec<String>> {
        id_in_address(asked, &["explore/data/{}/{}/{}"], ".").map(|id| vec![id])
    }

    async fn find(client: &Client, inputs: &Table<Resolved>) -> ProviderResult<Vec<Found>> {
        KIND.find(client, &full_name(inputs)).await
    }

    async fn create(client: &Client, ctx: &Context, inputs: Table<Resolved>) -> ProviderResult<Made<Self>> {
        let id = full_name(&inputs);
        let doing = format!("create table `{id}`");
        let created = match warehouse(&inputs) {
            Ok(warehouse) => statement::run(client, ctx, warehouse, &sql::create(&id, &inputs)).await,
            Err(error) => Err(error),
        };
        created.map_err(|mut error| {
            // What is missing is the schema.
            if error.is_not_found() {
                error.kind = ErrorKind::Invalid { field: None };
            }
            error.while_doing(&doing)
        })?;
        if inputs.owner.is_some() {
            ctx.created(&id).await?;
            let patch = Patch { owner: inputs.owner.as_deref(), ..Patch::default() };
            KIND.update::<Info>(client, ctx, &id, patch).await?;
        }
        Ok(made(&inputs))
    }

    async fn update(client: &Client, ctx: &Context, change: Change<Self>) -> ProviderResult<Made<Self>> {
        let (old, new) = (moved(&change), full_name(&change.after));
        let run = async |statement: String| {
            let ran = statement::run(client, ctx, warehouse(&change.after)?, &statement).await;
            ran.map_err(|error| error.while_doing(format!("update table `{old}`")))
        };
        if old != new {
            if KIND.find(client, &new).await?.is_empty() {
                run(format!("ALTER TABLE {} RENAME TO {}", sql::full_name(&old), sql::full_name(&new))).await?;
            }
            ctx.renamed(&new).await?;
        }
        for statement in alterations(&new, &change.before, &change.after) {
            run(statement).await?;
        }
        if change.touches("owner") && change.after.owner.is_some() {
            let patch = Patch { owner: change.after.owner.as_deref(), ..Patch::default() };
            KIND.update::<Info>(client, ctx, &new, patch).await?;
        }
        Ok(made(&change.after))
    }

    async fn delete(client: &Client, _ctx: &Context, existing: Existing<Self>, force: bool) -> ProviderResult<()> {
        KIND.delete(client, &existing.id, force).await
    }

    async fn list(client: &Client, of: &[Existing<Self>]) -> ProviderResult<Option<Vec<Observed<Self>>>> {
        let inputs: BTreeMap<&str, _> = of.iter().map(|e| (e.id.as_str(), e.inputs.as_ref())).collect();
        let mut found = Vec::new();
        for ((catalog, schema), wanted) in by_parent(of.iter().map(|e| e.id.as_str())) {
            let query = [("catalog_name", catalog), ("schema_name", schema)];
            let listed = KIND.list_wanted::<Info>(client, &query, &wanted, |info| &info.full_name).await?;
            let Some(listed) = listed else { return Ok(None) };
            for info in listed {
                if let Some(applied) = inputs.get(info.full_name.as_str()) {
                    found.push(observed(info, *applied)?);
                }
            }
        }
        Ok(Some(found))
    }
}

fn warehouse(table: &Table<Resolved>) -> ProviderResult<&str> {
    table.via.as_ref().map(Id::as_str).ok_or_else(|| {
        ProviderError::new(ErrorKind::Invalid { field: Some("via".to_owned()) }, "no warehouse to run the SQL on")
            .hint("name one with `.via(&sql)`")
    })
}

// translate

#[derive(Deserialize)]
struct Info {
    name: String,
    catalog_name: String,
    schema_name: String,
    full_name: String,
    table_type: Option<String>,
    storage_location: Option<String>,
    comment: Option<String>,
    properties: Option<BTreeMap<String, String>>,
    owner: Option<String>,
    #[serde(default)]
    columns: Vec<ColumnInfo>,
}

#[derive(Deserialize)]
struct ColumnInfo {
    name: String,
    #[serde(default)]
    type_text: String,
    nullable: Option<bool>,
    comment: Option<String>,
    partition_index: Option<usize>,
}

fn full_name(inputs: &Table<Resolved>) -> String {
    format!("{}.{}", inputs.schema, inputs.name).to_lowercase()
}

/// The id before this change, below a schema that may have been renamed since.
fn moved(change: &Change<Table>) -> String {
    format!("{}.{}", change.after.schema, change.before.name).to_lowercase()
}

fn made(inputs: &Table<Resolved>) -> Made<Table> {
    let id = full_name(inputs);
    let outputs = TableOutputs { id: Id::new(&id), name: inputs.name.to_lowercase(), full_name: id.clone() };
    Made { id, outputs }
}

fn observed(info: Info, applied: Option<&Table<Resolved>>) -> ProviderResult<Observed<Table>> {
    let mut partitions: Vec<_> =
        info.columns.iter().filter_map(|column| Some((column.partition_index?, column.name.clone()))).collect();
    partitions.sort();
    let partitioned_by = (!partitions.is_empty()).then(|| partitions.into_iter().map(|(_, name)| name).collect());
    let inputs = Table {
        schema: Id::new(format!("{}.{}", info.catalog_name, info.schema_name)),
        name: info.name,
        columns: info
            .columns
            .into_iter()
            .map(column)
            .collect::<ProviderResult<_>>()
            .map_err(|error| error.while_doing(format!("read table `{}`", info.full_name)))?,
        via: applied.and_then(|applied| applied.via.clone()),
        comment: set_text(info.comment),
        cluster_by: info.properties.as_ref().and_then(clustering),
        properties: set_properties(info.properties, |key| is_ours(key, applied)),
        partitioned_by,
        location: info.storage_location.filter(|_| info.table_type.as_deref() == Some("EXTERNAL")),
        owner: info.owner,
    };
    let Made { outputs, .. } = made(&inputs);
    Ok(Observed { id: info.full_name, inputs, outputs, tainted: None })
}

fn column(info: ColumnInfo) -> ProviderResult<Column<Resolved>> {
    if let Some(at) = data_type::too_deep(&info.type_text) {
        let (name, deepest) = (&info.name, data_type::DEEPEST);
        let message = format!("the type of column `{name}` is nested deeper than {deepest} levels, at character {at}");
        return Err(ProviderError::new(ErrorKind::Failed { replace: false }, message));
    }
    Ok(Column {
        name: info.name,
        data_type: DataType::parse(&info.type_text),
        nullable: info.nullable,
        comment: set_text(info.comment),
    })
}

const CLUSTERING: &str = "clusteringColumns";

/// Clustering as the catalog writes it: `[["id"],["buyer","name"]]`.
fn clustering(properties: &BTreeMap<String, String>) -> Option<Vec<String>> {
    let columns: Vec<Vec<String>> = serde_json::from_str(properties.get(CLUSTERING)?).ok()?;
    (!columns.is_empty()).then(|| columns.into_iter().map(|path| path.join(".")).collect())
}

/// Whether the program set this property; of a table that no program has applied yet, whether it can have.
fn is_ours(property: &str, applied: Option<&Table<Resolved>>) -> bool {
    match applied {
        Some(applied) => applied.properties.as_ref().is_some_and(|properties| properties.contains_key(property)),
        None => property != CLUSTERING && !["delta.", "spark.", "unity."].iter().any(|own| property.starts_with(own)),
    }
}

// prove

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;

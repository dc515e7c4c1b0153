//! `ALTER TABLE`, with the conditions that Delta sets.

use platform_sdk::sandbox::World;
use serde_json::{Value, json};

use super::{
    SqlError, create,
    execute::Session,
    parse,
    syntax::{Change, Column, ColumnChange, Place},
    types::DataType,
};
use crate::sandbox::{
    answer::{fields, text},
    scim,
    securables::{self, TABLE},
};

/// Changes the table.
///
/// # Errors
/// What Delta or the catalog refuses.
pub(super) fn alter(session: &Session, world: &mut World, name: &[String], change: &Change) -> Result<(), SqlError> {
    let full_name = session.full_name(name, TABLE.levels);
    let mut table = session.table(world, &full_name)?;
    if let Change::RenameTo(new) = change {
        return rename(session, world, &full_name, new);
    }
    if let Change::Owner(owner) = change {
        scim::principal(world, owner).map_err(|failure| Session::refused(&failure))?;
        table["owner"] = owner.as_str().into();
    } else {
        apply(&mut table, change)?;
    }
    commit(session, &mut table);
    world.put(TABLE.key(&session.metastore, &full_name), table);
    Ok(())
}

fn rename(session: &Session, world: &mut World, full_name: &str, new: &[String]) -> Result<(), SqlError> {
    let new = session.full_name(new, TABLE.levels);
    let (parent, _) = full_name.rsplit_once('.').unwrap_or_default();
    if !new.starts_with(&format!("{parent}.")) {
        return Err(SqlError::new(
            "UC_RENAME_ACROSS_SCHEMAS",
            "0AKUC",
            "A table can not be renamed into another schema.",
        ));
    }
    if world.get(&TABLE.key(&session.metastore, &new)).is_some() {
        return Err(SqlError::new(
            "TABLE_OR_VIEW_ALREADY_EXISTS",
            "42P07",
            format!("Cannot rename to `{new}` because it already exists."),
        ));
    }
    securables::rename(world, &session.metastore, full_name, &new);
    Ok(())
}

/// A new version of the table, as Delta counts.
fn commit(session: &Session, table: &mut Value) {
    let version = table["_version"].as_u64().unwrap_or_default() + 1;
    table["_version"] = version.into();
    table["properties"]["delta.lastUpdateVersion"] = version.to_string().into();
    table["properties"]["delta.lastCommitTimestamp"] = session.call.now.to_string().into();
    table["updated_at"] = session.call.now.into();
    table["updated_by"] = session.call.caller.as_str().into();
}

fn apply(table: &mut Value, change: &Change) -> Result<(), SqlError> {
    match change {
        Change::AddColumns(columns) => columns.iter().try_for_each(|column| add(table, column)),
        Change::DropColumns { names, if_exists } => {
            names.iter().try_for_each(|name| drop_column(table, name, *if_exists))
        }
        Change::RenameColumn { from, to } => rename_column(table, from, to),
        Change::Column(name, change) => change_column(table, name, change),
        Change::SetProperties(given) => {
            for (name, value) in given {
                table["properties"][name] = value.as_str().into();
            }
            if property(table, "delta.columnMapping.mode") == "name" {
                table["properties"]["delta.minReaderVersion"] = "2".into();
                table["properties"]["delta.minWriterVersion"] = "5".into();
            }
            Ok(())
        }
        Change::UnsetProperties { names, if_exists } => names.iter().try_for_each(|name| {
            let removed = fields(&mut table["properties"]).remove(name).is_some();
            if removed || *if_exists {
                return Ok(());
            }
            Err(SqlError::new(
                "UNSET_NONEXISTENT_PROPERTIES",
                "42K0J",
                format!("Attempted to unset non-existent properties ['{name}']."),
            ))
        }),
        Change::ClusterBy(names) => cluster(table, names),
        Change::RenameTo(_) | Change::Owner(_) => unreachable!("alter() handles what is not about the table's content"),
    }
}

fn change_column(table: &mut Value, name: &str, change: &ColumnChange) -> Result<(), SqlError> {
    let widening = property(table, "delta.enableTypeWidening") == "true";
    let defaults = defaults_allowed(table);
    let column = find(table, name)?;
    match change {
        ColumnChange::Type(new) => retype(column, new, widening)?,
        ColumnChange::Comment(comment) => {
            rewrite(column, |written| written["metadata"]["comment"] = comment.as_str().into());
            column["comment"] = comment.as_str().into();
        }
        ColumnChange::Nullable(nullable) => {
            rewrite(column, |written| written["nullable"] = (*nullable).into());
            column["nullable"] = (*nullable).into();
        }
        ColumnChange::Default(Some(_)) if !defaults => return Err(create::no_defaults()),
        ColumnChange::Default(Some(default)) => {
            rewrite(column, |written| written["metadata"]["CURRENT_DEFAULT"] = default.as_str().into());
        }
        ColumnChange::Default(None) => rewrite(column, |written| {
            fields(&mut written["metadata"]).remove("CURRENT_DEFAULT");
        }),
        ColumnChange::Place(place) => {
            let columns = columns(table);
            let at = columns.iter().position(|column| text(column, "name").eq_ignore_ascii_case(name));
            let column = columns.remove(at.expect("it was found above"));
            insert(table, column, Some(place))?;
        }
    }
    Ok(())
}

fn retype(column: &mut Value, new: &DataType, widening: bool) -> Result<(), SqlError> {
    let old = parse::parse_type(text(column, "type_text"))?;
    if !old.widens_to(new, widening) {
        let (name, old, new) = (text(column, "name"), old.text(), new.text());
        return Err(SqlError::new(
            "DELTA_UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP",
            "0AKDC",
            format!("ALTER TABLE CHANGE COLUMN is not supported for changing column {name} from {old} to {new}."),
        ));
    }
    rewrite(column, |written| written["type"] = new.json());
    create::describe_type(column, new);
    Ok(())
}

fn cluster(table: &mut Value, names: &[String]) -> Result<(), SqlError> {
    for name in names {
        find(table, name)?;
    }
    if columns(table).iter().any(|column| column.get("partition_index").is_some()) {
        return Err(SqlError::new(
            "DELTA_ALTER_TABLE_CLUSTER_BY_ON_PARTITIONED_TABLE_NOT_ALLOWED",
            "42000",
            "ALTER TABLE CLUSTER BY is not supported for partitioned tables.",
        ));
    }
    if names.is_empty() {
        fields(&mut table["properties"]).remove("clusteringColumns");
    } else {
        table["properties"]["clusteringColumns"] = create::clustering(names).into();
    }
    Ok(())
}

fn add(table: &mut Value, column: &Column) -> Result<(), SqlError> {
    let exists = columns(table).iter().any(|known| text(known, "name").eq_ignore_ascii_case(&column.name));
    if exists {
        return Err(SqlError::new(
            "FIELD_ALREADY_EXISTS",
            "42710",
            format!("Cannot add column, because `{}` already exists.", column.name),
        ));
    }
    if !column.nullable {
        return Err(SqlError::new(
            "DELTA_ADDING_COLUMN_WITH_NOT_NULL",
            "0AKDC",
            "NOT NULL is not supported when adding a column to an existing table.",
        ));
    }
    if column.default.is_some() {
        return Err(if defaults_allowed(table) {
            SqlError::new(
                "WRONG_COLUMN_DEFAULTS_FOR_DELTA_ALTER_TABLE_ADD_COLUMN_NOT_SUPPORTED",
                "0AKDC",
                "A new column of a Delta table can not have a default; add it, then set the default.",
            )
        } else {
            create::no_defaults()
        });
    }
    insert(table, create::shown(column), column.place.as_ref())
}

/// Puts a column in its place and counts positions anew.
fn insert(table: &mut Value, column: Value, place: Option<&Place>) -> Result<(), SqlError> {
    if let Some(Place::After(name)) = place {
        find(table, name)?;
    }
    let columns = columns(table);
    let at = match place {
        None => columns.len(),
        Some(Place::First) => 0,
        Some(Place::After(name)) => columns
            .iter()
            .position(|known| text(known, "name").eq_ignore_ascii_case(name))
            .map_or(columns.len(), |at| at + 1),
    };
    columns.insert(at, column);
    for (position, column) in columns.iter_mut().enumerate() {
        column["position"] = position.into();
    }
    Ok(())
}

fn drop_column(table: &mut Value, name: &str, if_exists: bool) -> Result<(), SqlError> {
    mapped(table, "DROP COLUMN")?;
    if let Err(error) = find(table, name) {
        return if if_exists { Ok(()) } else { Err(error) };
    }
    unused(table, name)?;
    let columns = columns(table);
    columns.retain(|column| !text(column, "name").eq_ignore_ascii_case(name));
    if columns.is_empty() {
        return Err(SqlError::new(
            "DELTA_DROP_COLUMN_ON_SINGLE_FIELD_SCHEMA",
            "0AKDC",
            "Cannot drop the only column of a table.",
        ));
    }
    for (position, column) in columns.iter_mut().enumerate() {
        column["position"] = position.into();
    }
    Ok(())
}

fn rename_column(table: &mut Value, from: &str, to: &str) -> Result<(), SqlError> {
    mapped(table, "RENAME COLUMN")?;
    if find(table, to).is_ok() {
        return Err(SqlError::new(
            "FIELD_ALREADY_EXISTS",
            "42710",
            format!("Cannot rename column, because `{to}` already exists."),
        ));
    }
    let column = find(table, from)?;
    rewrite(column, |written| written["name"] = to.into());
    column["name"] = to.into();
    let clustering = property(table, "clusteringColumns").replace(&format!("\"{from}\""), &format!("\"{to}\""));
    if !clustering.is_empty() {
        table["properties"]["clusteringColumns"] = clustering.into();
    }
    Ok(())
}

/// Columns are dropped and renamed only where they are mapped by name, because the files keep the old names.
fn mapped(table: &Value, what: &str) -> Result<(), SqlError> {
    if matches!(property(table, "delta.columnMapping.mode"), "name" | "id") {
        return Ok(());
    }
    Err(SqlError::new(
        "DELTA_UNSUPPORTED_DROP_OR_RENAME_COLUMN",
        "0AKDC",
        format!(
            "{what} is not supported for your Delta table. Enable Column Mapping on it with mapping mode 'name': ALTER TABLE \
             SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name')."
        ),
    ))
}

/// What the table is laid out by can't be dropped.
fn unused(table: &mut Value, name: &str) -> Result<(), SqlError> {
    let clustered = property(table, "clusteringColumns").contains(&format!("\"{name}\""));
    if clustered || find(table, name)?.get("partition_index").is_some() {
        return Err(SqlError::new(
            "DELTA_UNSUPPORTED_DROP_LAYOUT_COLUMN",
            "0AKDC",
            format!("Dropping the partition or clustering column {name} is not supported."),
        ));
    }
    Ok(())
}

fn defaults_allowed(table: &Value) -> bool {
    create::allows_defaults("delta.feature.allowColumnDefaults", property(table, "delta.feature.allowColumnDefaults"))
}

fn property<'t>(table: &'t Value, name: &str) -> &'t str {
    text(&table["properties"], name)
}

fn columns(table: &mut Value) -> &mut Vec<Value> {
    let columns = fields(table).entry("columns").or_insert_with(|| json!([]));
    columns.as_array_mut().expect("a table's columns are a list")
}

fn find<'t>(table: &'t mut Value, name: &str) -> Result<&'t mut Value, SqlError> {
    let found = columns(table).iter_mut().find(|column| text(column, "name").eq_ignore_ascii_case(name));
    found.ok_or_else(|| {
        SqlError::new("UNRESOLVED_COLUMN", "42703", format!("A column with name `{name}` cannot be resolved."))
    })
}

/// Changes a column's `type_json` along with its other fields.
fn rewrite(column: &mut Value, change: impl FnOnce(&mut Value)) {
    let mut written: Value =
        serde_json::from_str(text(column, "type_json")).unwrap_or_else(|_| json!({"metadata": {}}));
    change(&mut written);
    column["type_json"] = written.to_string().into();
}

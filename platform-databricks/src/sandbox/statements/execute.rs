//! Carries a statement out.

use platform_sdk::sandbox::World;
use serde_json::Value;

use super::{
    SqlError, alter, create, parse,
    syntax::{CommentKind, Statement},
};
use crate::sandbox::{
    answer::{Failure, fields, text},
    call::Call,
    securables::{self, CATALOG, Kind, SCHEMA, TABLE, VOLUME},
};

/// Where names without a catalog or schema belong, and who asks.
pub(super) struct Session<'c> {
    pub(super) call: &'c Call<'c>,
    pub(super) metastore: String,
    pub(super) catalog: String,
    pub(super) schema: String,
}

/// Runs one statement: what it selects, if anything.
///
/// # Errors
/// Whatever makes the service answer FAILED. Every statement checks all before it changes anything, because its failure
/// is a successful answer, which keeps what was changed.
pub(super) fn run(session: &Session, world: &mut World, sql: &str) -> Result<Option<String>, SqlError> {
    match parse::parse(sql)? {
        Statement::Select(number) => return Ok(Some(number)),
        Statement::CreateTable(table) => create::create(session, world, &table)?,
        Statement::AlterTable { name, change } => alter::alter(session, world, &name, &change)?,
        Statement::CommentOn { kind, name, comment } => comment_on(session, world, kind, (&name, comment))?,
        Statement::DropTable { name, if_exists } => {
            let full_name = session.full_name(&name, TABLE.levels);
            match session.table(world, &full_name) {
                Ok(_) => securables::remove(world, &session.metastore, &TABLE, &full_name),
                Err(_) if if_exists => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(None)
}

fn comment_on(
    session: &Session,
    world: &mut World,
    kind: CommentKind,
    (name, comment): (&[String], Option<String>),
) -> Result<(), SqlError> {
    let kind: &Kind = match kind {
        CommentKind::Catalog => &CATALOG,
        CommentKind::Schema => &SCHEMA,
        CommentKind::Table => &TABLE,
        CommentKind::Volume => &VOLUME,
    };
    let full_name = session.full_name(name, kind.levels);
    let found = kind.get(world, &session.metastore, &full_name);
    let mut document = found.map_err(|failure| Session::refused(&failure))?.clone();
    match comment {
        Some(comment) => document["comment"] = comment.into(),
        None => {
            fields(&mut document).remove("comment");
        }
    }
    document["updated_at"] = session.call.now.into();
    document["updated_by"] = session.call.caller.as_str().into();
    world.put(kind.key(&session.metastore, &full_name), document);
    Ok(())
}

impl Session<'_> {
    /// A name with the session's catalog and schema in front, as far as it has none.
    pub(super) fn full_name(&self, parts: &[String], levels: usize) -> String {
        let defaults = [self.catalog.clone(), self.schema.clone()];
        let missing = levels.saturating_sub(parts.len());
        defaults.into_iter().take(missing.min(levels - 1)).chain(parts.iter().cloned()).collect::<Vec<_>>().join(".")
    }

    pub(super) fn table(&self, world: &World, full_name: &str) -> Result<Value, SqlError> {
        let (parent, _) = full_name.rsplit_once('.').unwrap_or_default();
        self.schema_exists(world, parent)?;
        world.get(&TABLE.key(&self.metastore, full_name)).cloned().ok_or_else(|| {
            SqlError::new(
                "TABLE_OR_VIEW_NOT_FOUND",
                "42P01",
                format!("The table or view `{full_name}` cannot be found."),
            )
        })
    }

    pub(super) fn schema_exists(&self, world: &World, full_name: &str) -> Result<(), SqlError> {
        let found = SCHEMA.get(world, &self.metastore, full_name);
        let schema = found.map_err(|_| {
            SqlError::new("SCHEMA_NOT_FOUND", "42704", format!("The schema `{full_name}` cannot be found."))
        })?;
        if matches!(text(schema, "catalog_type"), "SYSTEM_CATALOG" | "DELTASHARING_CATALOG")
            || text(schema, "name") == "information_schema"
        {
            return Err(SqlError::new(
                "INSUFFICIENT_PERMISSIONS",
                "42501",
                format!("The schema `{full_name}` is read-only."),
            ));
        }
        Ok(())
    }

    /// The catalog's refusal as SQL reports it.
    pub(super) fn refused(failure: &Failure) -> SqlError {
        SqlError::new("UNITY_CATALOG_EXCEPTION", "56038", failure.message().to_owned())
    }
}

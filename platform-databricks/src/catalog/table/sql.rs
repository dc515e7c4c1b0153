//! The SQL that makes a table: names in backticks, literals escaped, nothing from a program ever outside of either.

use platform_sdk::Resolved;

use super::{Column, Table};

/// A name: `` `a``b` ``.
pub(super) fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text: `'it\'s'`.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A list of names in parentheses.
pub(super) fn identifiers(names: &[String]) -> String {
    format!("({})", names.iter().map(|name| path(name)).collect::<Vec<_>>().join(", "))
}

/// A column, or a field of one: `buyer.name`.
fn path(name: &str) -> String {
    name.split('.').map(identifier).collect::<Vec<_>>().join(".")
}

/// `catalog.schema.table` with each part quoted.
pub(super) fn full_name(name: &str) -> String {
    name.splitn(3, '.').map(identifier).collect::<Vec<_>>().join(".")
}

/// Properties in parentheses.
pub(super) fn properties<'a>(properties: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let all = properties.into_iter().map(|(key, value)| format!("{} = {}", literal(key), literal(value)));
    format!("({})", all.collect::<Vec<_>>().join(", "))
}

/// A column of `CREATE TABLE`.
fn definition(column: &Column<Resolved>) -> String {
    let not_null = if column.nullable == Some(false) { " NOT NULL" } else { "" };
    format!("{} {}{not_null}{}", identifier(&column.name), column.data_type.sql(), comment(column))
}

/// A column of `ADD COLUMNS`, which takes no `NOT NULL`.
pub(super) fn addition(column: &Column<Resolved>) -> String {
    format!("{} {}{}", identifier(&column.name), column.data_type.sql(), comment(column))
}

fn comment(column: &Column<Resolved>) -> String {
    column.comment.as_ref().map(|text| format!(" COMMENT {}", literal(text))).unwrap_or_default()
}

/// `CREATE TABLE`. A name that is taken is an error, never a success.
pub(super) fn create(name: &str, table: &Table<Resolved>) -> String {
    let columns = table.columns.iter().map(definition).collect::<Vec<_>>().join(", ");
    let mut sql = format!("CREATE TABLE {} ({columns}) USING DELTA", full_name(name));
    let mut clause = |text: String| {
        sql.push(' ');
        sql.push_str(&text);
    };
    if let Some(names) = &table.partitioned_by {
        clause(format!("PARTITIONED BY {}", identifiers(names)));
    }
    if let Some(names) = &table.cluster_by {
        clause(format!("CLUSTER BY {}", identifiers(names)));
    }
    if let Some(location) = &table.location {
        clause(format!("LOCATION {}", literal(location)));
    }
    if let Some(comment) = &table.comment {
        clause(format!("COMMENT {}", literal(comment)));
    }
    if let Some(given) = &table.properties {
        clause(format!(
            "TBLPROPERTIES {}",
            properties(given.iter().map(|(key, value)| (key.as_str(), value.as_str())))
        ));
    }
    sql
}

#[cfg(test)]
mod tests {
    use platform_sdk::Resolved;
    use serde_json::json;

    use super::{Table, create, literal};

    #[test]
    fn nothing_of_a_program_stands_outside_of_quotes() {
        let table: Table<Resolved> = serde_json::from_value(json!({
            "schema": "lake.sales", "name": "or`ders", "comment": "it's \\ all", "location": "s3://b/x'; DROP TABLE y; --",
            "columns": [{"name": "id`) --", "data_type": "bigint", "nullable": false, "comment": "'"}],
            "partitioned_by": ["id`) --"], "properties": {"a'b": "c"},
        }))
        .expect("a table");
        assert_eq!(
            create("lake.sales.or`ders", &table),
            "CREATE TABLE `lake`.`sales`.`or``ders` (`id``) --` bigint NOT NULL COMMENT '\\'') USING DELTA \
             PARTITIONED BY (`id``) --`) LOCATION 's3://b/x\\'; DROP TABLE y; --' COMMENT 'it\\'s \\\\ all' \
             TBLPROPERTIES ('a\\'b' = 'c')"
        );
        assert_eq!(literal("\\'"), "'\\\\\\''");
    }
}

//! From one table to another: the fewest statements, in an order in which each is allowed.

use std::collections::BTreeMap;

use platform_sdk::Resolved;

use super::{
    Column, Table,
    data_type::Feature,
    sql::{addition, full_name, identifier, identifiers, literal, properties},
};

/// The statements that make `after` of `before`, which is called `name` by now.
pub(super) fn alterations(name: &str, before: &Table<Resolved>, after: &Table<Resolved>) -> Vec<String> {
    let columns = Columns::of(before, after);
    let mut plan = Plan { table: full_name(name), statements: Vec::new() };
    plan.set_properties(before, after, &columns);
    // A column can't be dropped while the table is clustered by it.
    let clusters_by = |column: &Column<Resolved>| before.cluster_by.iter().flatten().any(|name| *name == column.name);
    let unclustered = columns.dropped.iter().any(|column| clusters_by(column));
    if unclustered {
        plan.alter("CLUSTER BY NONE");
    }
    plan.change_columns(&columns);
    let clustering = if unclustered { &None } else { &before.cluster_by };
    if *clustering != after.cluster_by {
        match &after.cluster_by {
            Some(names) => plan.alter(&format!("CLUSTER BY {}", identifiers(names))),
            None => plan.alter("CLUSTER BY NONE"),
        }
    }
    if before.comment != after.comment {
        let comment = after.comment.as_ref().map_or_else(|| "NULL".to_owned(), |text| literal(text));
        plan.statements.push(format!("COMMENT ON TABLE {} IS {comment}", plan.table));
    }
    plan.unset_properties(before, after);
    plan.statements
}

/// What differs between the columns of two tables.
struct Columns<'a> {
    dropped: Vec<&'a Column<Resolved>>,
    added: Vec<&'a Column<Resolved>>,
    kept: Vec<(&'a Column<Resolved>, &'a Column<Resolved>)>,
}

impl<'a> Columns<'a> {
    fn of(before: &'a Table<Resolved>, after: &'a Table<Resolved>) -> Self {
        let named = |columns: &'a [Column<Resolved>], name: &str| columns.iter().find(|column| column.name == name);
        Self {
            dropped: before.columns.iter().filter(|column| named(&after.columns, &column.name).is_none()).collect(),
            added: after.columns.iter().filter(|column| named(&before.columns, &column.name).is_none()).collect(),
            kept: after
                .columns
                .iter()
                .filter_map(|after| Some((named(&before.columns, &after.name)?, after)))
                .collect(),
        }
    }

    fn needs_widening(&self) -> bool {
        let widened =
            |before: &Column<Resolved>, after: &Column<Resolved>| before.data_type.widens_to(&after.data_type);
        self.kept.iter().any(|(before, after)| {
            before.data_type != after.data_type && widened(before, after) == Some(Feature::Needed)
        })
    }
}

struct Plan {
    /// The table's quoted full name.
    table: String,
    statements: Vec<String>,
}

impl Plan {
    fn alter(&mut self, what: &str) {
        self.statements.push(format!("ALTER TABLE {} {what}", self.table));
    }

    fn set_properties(&mut self, before: &Table<Resolved>, after: &Table<Resolved>, columns: &Columns<'_>) {
        let mut set: BTreeMap<&str, &str> = BTreeMap::new();
        if !columns.dropped.is_empty() {
            set.insert("delta.columnMapping.mode", "name");
        }
        if columns.needs_widening() {
            set.insert("delta.enableTypeWidening", "true");
        }
        for (key, value) in after.properties.iter().flatten() {
            if before.properties.as_ref().and_then(|before| before.get(key)) != Some(value) {
                set.insert(key, value);
            }
        }
        if !set.is_empty() {
            self.alter(&format!("SET TBLPROPERTIES {}", properties(set)));
        }
    }

    fn unset_properties(&mut self, before: &Table<Resolved>, after: &Table<Resolved>) {
        let kept = |key: &String| after.properties.as_ref().is_some_and(|after| after.contains_key(key));
        let keys = before.properties.iter().flatten().map(|(key, _)| key).filter(|key| !kept(key));
        let keys: Vec<String> = keys.map(|key| literal(key)).collect();
        if !keys.is_empty() {
            self.alter(&format!("UNSET TBLPROPERTIES IF EXISTS ({})", keys.join(", ")));
        }
    }

    fn change_columns(&mut self, columns: &Columns<'_>) {
        let nullable = |column: &Column<Resolved>| column.nullable != Some(false);
        if !columns.dropped.is_empty() {
            let names: Vec<String> = columns.dropped.iter().map(|column| identifier(&column.name)).collect();
            self.alter(&format!("DROP COLUMNS ({})", names.join(", ")));
        }
        for (before, after) in &columns.kept {
            let column = identifier(&after.name);
            if !nullable(before) && nullable(after) {
                self.alter(&format!("ALTER COLUMN {column} DROP NOT NULL"));
            }
            if before.data_type != after.data_type {
                self.alter(&format!("ALTER COLUMN {column} TYPE {}", after.data_type.sql()));
            }
            if before.comment != after.comment {
                let comment = literal(after.comment.as_deref().unwrap_or_default());
                self.alter(&format!("ALTER COLUMN {column} COMMENT {comment}"));
            }
        }
        if !columns.added.is_empty() {
            let added: Vec<String> = columns.added.iter().map(|column| addition(column)).collect();
            self.alter(&format!("ADD COLUMNS ({})", added.join(", ")));
        }
        let tightened = columns.kept.iter().filter(|(before, after)| nullable(before) && !nullable(after));
        let tightened = tightened.map(|(_, after)| *after);
        for column in tightened.chain(columns.added.iter().copied().filter(|column| !nullable(column))) {
            self.alter(&format!("ALTER COLUMN {} SET NOT NULL", identifier(&column.name)));
        }
    }
}

#[cfg(test)]
mod tests {
    use platform_sdk::Resolved;
    use serde_json::{Value, json};

    use super::{Table, alterations};

    fn table(what: &Value) -> Table<Resolved> {
        let mut whole = json!({"schema": "l.s", "name": "t", "columns": [{"name": "id", "data_type": "int"}]});
        for (field, value) in what.as_object().expect("fields") {
            whole[field] = value.clone();
        }
        serde_json::from_value(whole).expect("a table")
    }

    fn statements(before: &Value, after: &Value) -> Vec<String> {
        let all = alterations("l.s.t", &table(before), &table(after));
        all.into_iter().map(|sql| sql.replace("ALTER TABLE `l`.`s`.`t` ", "")).collect()
    }

    #[test]
    fn what_is_equal_needs_no_statement() {
        assert_eq!(statements(&json!({}), &json!({})), Vec::<String>::new());
        let order = |names: [&str; 2]| json!({"columns": names.map(|name| json!({"name": name, "data_type": "int"}))});
        assert_eq!(statements(&order(["a", "b"]), &order(["b", "a"])), Vec::<String>::new());
        let said = json!({"columns": [{"name": "id", "data_type": "int", "nullable": true}]});
        assert_eq!(statements(&json!({}), &said), Vec::<String>::new());
    }

    #[test]
    fn columns_are_dropped_widened_and_added_with_what_each_needs_before() {
        let before = json!({
            "columns": [{"name": "id", "data_type": "int", "nullable": false}, {"name": "old", "data_type": "string"}],
            "cluster_by": ["old"],
        });
        let after = json!({
            "columns": [{"name": "id", "data_type": "bigint", "comment": "key"}, {"name": "at", "data_type": "date", "nullable": false}],
            "cluster_by": ["at"],
        });
        assert_eq!(
            statements(&before, &after),
            [
                "SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name', 'delta.enableTypeWidening' = 'true')",
                "CLUSTER BY NONE",
                "DROP COLUMNS (`old`)",
                "ALTER COLUMN `id` DROP NOT NULL",
                "ALTER COLUMN `id` TYPE bigint",
                "ALTER COLUMN `id` COMMENT 'key'",
                "ADD COLUMNS (`at` date)",
                "ALTER COLUMN `at` SET NOT NULL",
                "CLUSTER BY (`at`)",
            ]
        );
    }

    #[test]
    fn comment_and_properties_are_set_and_taken_away() {
        let before = json!({"comment": "x", "properties": {"a": "1", "b": "2"}});
        let after = json!({"properties": {"b": "3"}});
        assert_eq!(
            statements(&before, &after),
            [
                "SET TBLPROPERTIES ('b' = '3')",
                "COMMENT ON TABLE `l`.`s`.`t` IS NULL",
                "UNSET TBLPROPERTIES IF EXISTS ('a')"
            ]
        );
    }
}

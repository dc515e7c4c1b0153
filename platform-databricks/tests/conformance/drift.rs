//! Clause 10, for every field that can be changed: whatever somebody else changes alone is seen, by a read that knows
//! only what this state applied and by the list that stands for many reads, and nothing else is.

use std::collections::BTreeSet;

use platform_databricks::provider::{account_drivers, workspace_drivers};
use platform_sdk::{
    Field, ListOrder, Schema, Shape,
    desired::{Path, Segment, Tree},
    plan::{Sides, diff},
    provider::{Observation, Request},
};
use serde_json::{Map, Value};

use crate::{clauses::Stage, page::Page};

/// What a plan shows of the difference between what was applied and what is there.
fn paths(fields: &[Field], applied: &Tree, observed: &Tree) -> BTreeSet<String> {
    let sides = Sides { last: Some(applied), observed: Some(observed), desired: applied };
    diff(fields, sides).iter().map(|difference| difference.path.to_string()).collect()
}

/// The same, with what one side says and the other leaves open: the server's business, and no difference to a plan.
fn either_way(fields: &[Field], one: &Value, other: &Value) -> Vec<String> {
    let (one, other) = (Tree::from(one.clone()), Tree::from(other.clone()));
    paths(fields, &one, &other).union(&paths(fields, &other, &one)).cloned().collect()
}

pub(crate) async fn every_change_is_seen(page: &Page) {
    let stage = Stage::of(page).await;
    let fields = stage.driver.schema().fields();
    let applied = Tree::from(stage.page.inputs.clone());
    for theirs in alone(&stage.page) {
        let wanted = paths(fields, &applied, &Tree::from(theirs.clone()));
        let made = stage.create().await;
        let changed = stage.update(&made, &theirs, &either_way(fields, &stage.page.inputs, &theirs)).await;
        let read = stage.driver.read(&made).await.expect("it can be read");
        let [read, listed] = [Some(read), listed(&stage, &made).await]
            .map(|seen| seen.map(|seen| seen.map(|Observation { inputs, .. }| paths(fields, &applied, &inputs))));
        // What is known by a name that is no more is gone, to those who know it by that name.
        let seen = (changed.id == made.id).then_some(wanted);
        assert_eq!(read, Some(seen.clone()), "by a read");
        assert!(listed.is_none() || listed == Some(seen.clone()), "by a list: {listed:?} instead of {seen:?}");
        stage.driver.delete(&stage.ctx, &changed, false).await.expect("it is deleted");
    }
}

/// The object in the list that stands for many reads: none where there is no such list, or it leaves this to a read.
async fn listed(stage: &Stage, made: &Request) -> Option<Option<Observation>> {
    // Beside it, where it has a parent: one that stands alone is read.
    let another = Request { id: format!("{}2", made.id), ..made.clone() };
    let all = stage.driver.list(&[made.clone(), another]).await;
    all.expect("they can be listed").map(|all| all.into_iter().find(|observation| observation.id == made.id))
}

/// The inputs with one thing changed, for each that the page changes: a field, or a field of a part.
fn alone(page: &Page) -> Vec<Value> {
    if page.together {
        return vec![page.changed.clone()];
    }
    in_object(schema(page.type_name).fields(), &page.inputs, &page.changed)
}

fn in_object(fields: &[Field], inputs: &Value, changed: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    for field in fields.iter().filter(|field| !field.via && !field.write_only) {
        let (before, after) = (inputs.get(field.name), changed.get(field.name));
        if before == after {
            continue;
        }
        let parts = before.zip(after).map(|(before, after)| in_field(field, before, after));
        let values = parts.unwrap_or_else(|| vec![after.cloned().unwrap_or_default()]);
        all.extend(values.into_iter().map(|value| {
            let mut object: Map<String, Value> = inputs.as_object().expect("an object").clone();
            object.insert(field.name.to_owned(), value);
            object.retain(|_, value| !value.is_null());
            Value::Object(object)
        }));
    }
    all
}

fn in_field(field: &Field, before: &Value, after: &Value) -> Vec<Value> {
    match (field.shape, before, after) {
        (Shape::Block(fields), Value::Object(one), Value::Object(other))
            if one.keys().any(|key| other.contains_key(key)) =>
        {
            in_object(fields(), before, after)
        }
        (Shape::Blocks(fields), Value::Array(before), Value::Array(after)) => in_list(field, fields(), before, after),
        // Blocks that have nothing in common are alternatives.
        _ => vec![after.clone()],
    }
}

fn in_list(field: &Field, fields: &[Field], before: &[Value], after: &[Value]) -> Vec<Value> {
    let same = |one: &Value, index: usize| match field.order {
        ListOrder::KeyedBy(key) => after.iter().find(|other| other[key] == one[key]),
        ListOrder::Sequence | ListOrder::Set => after.get(index),
    };
    let mut all = Vec::new();
    for (index, one) in before.iter().enumerate() {
        let variants = same(one, index).map_or_else(|| vec![Value::Null], |other| in_object(fields, one, other));
        all.extend(variants.into_iter().map(|variant| {
            let mut list = before.to_vec();
            list[index] = variant;
            list.retain(|one| !one.is_null());
            Value::Array(list)
        }));
    }
    all
}

fn schema(type_name: &str) -> &'static Schema {
    let all = workspace_drivers().schemas().into_iter().chain(account_drivers().schemas());
    all.into_iter().find(|schema| schema.type_name == type_name).expect("a page")
}

/// Everything below these fields that can be changed in place and is shown: `tasks.timeout_seconds`.
fn changeable(fields: &[Field], prefix: &str, key: Option<&str>) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for field in fields {
        let fixed = field.replace || (field.key && !field.renames) || Some(field.name) == key;
        if fixed || field.via || field.write_only {
            continue;
        }
        let path = format!("{prefix}{}", field.name);
        let below = match (field.shape, field.order) {
            (Shape::Leaf, _) => BTreeSet::new(),
            (Shape::Blocks(below), ListOrder::KeyedBy(key)) => changeable(below(), &format!("{path}."), Some(key)),
            (Shape::Block(below) | Shape::Blocks(below) | Shape::BlockMap(below), _) => {
                changeable(below(), &format!("{path}."), None)
            }
        };
        if below.is_empty() {
            all.insert(path);
        }
        all.extend(below);
    }
    all
}

/// The path without keys of elements and of maps: `tasks[load].timeout_seconds` is `tasks.timeout_seconds`.
fn without_keys(fields: &[Field], path: &Path) -> String {
    let (mut fields, mut names) = (fields, Vec::new());
    for segment in path.segments() {
        let Segment::Name(name) = segment else { continue };
        let Some(field) = fields.iter().find(|field| field.name == name) else { break };
        names.push(field.name);
        fields = match field.shape {
            Shape::Leaf => &[],
            Shape::Block(below) | Shape::Blocks(below) | Shape::BlockMap(below) => below(),
        };
    }
    names.join(".")
}

#[test]
fn every_field_that_can_be_changed_is_changed_by_some_page() {
    let pages = crate::pages();
    for schema in workspace_drivers().schemas().into_iter().chain(account_drivers().schemas()) {
        let fields = schema.fields();
        let mut unchanged = changeable(fields, "", None);
        for page in pages.iter().filter(|page| page.type_name == schema.type_name) {
            for theirs in alone(page) {
                for path in either_way(fields, &page.inputs, &theirs) {
                    unchanged.remove(&without_keys(fields, &path.parse().expect("a path")));
                }
            }
        }
        if pages.iter().any(|page| page.type_name == schema.type_name) {
            assert!(unchanged.is_empty(), "{}: {unchanged:#?}", schema.type_name);
        }
    }
}

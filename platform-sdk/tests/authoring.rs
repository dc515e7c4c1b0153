//! What a program's author relies on: setters, struct update, handles, ids, interpolation, secrets.

use std::collections::BTreeMap;

use platform_sdk::{
    Builtin, Expr, Identity, Judgement, ListOrder, OnParentDelete, Outputs as _, Shape, ToExpr, Unset,
    derive::{Block, Outputs, Resource},
    desired::{Tree, describe},
    prelude::*,
};
use serde_json::{Value, json};

#[expect(clippy::needless_pass_by_value, reason = "`normalize` takes the value")]
fn lower(value: Value) -> Value {
    value.as_str().map_or(value.clone(), |text| Value::String(text.to_lowercase()))
}

fn widening(_path: &str, _before: &Value, _after: &Value) -> Judgement {
    Judgement::InPlace
}

/// A lake.
#[derive(Resource)]
#[resource(type = "test:Lake", outputs = LakeOutputs, provider = Builtin, scope = "account", data, identity = key)]
struct Lake<S: Stage = Declared> {
    /// Its name.
    #[field(required, key, renames, normalize = lower)]
    name: S::In<String>,
    /// Its depth in metres.
    #[field(default = 3, judge = widening)]
    depth: Option<S::In<u32>>,
    /// Its password.
    #[field(computed, secret, write_only)]
    password: Option<S::In<Secret<String>>>,
    /// Its islands.
    #[field(keyed_by = "name", each = "island")]
    islands: Vec<Island<S>>,
    /// Its tags.
    #[field(nullable)]
    tags: Option<S::In<BTreeMap<String, String>>>,
}

/// Outputs of [`Lake`].
#[derive(Outputs)]
struct LakeOutputs<S: Stage = Declared> {
    id: S::Out<Id<Lake>>,
    #[output(from = "name")]
    name: S::Out<String>,
}

/// An island.
#[derive(Block)]
struct Island<S: Stage = Declared> {
    /// Its name.
    #[field(required)]
    name: S::In<String>,
    /// Its area.
    #[field(computed)]
    area: Option<S::In<f64>>,
}

/// A boat in a lake.
#[derive(Resource)]
#[resource(type = "test:Boat", outputs = BoatOutputs, provider = Builtin, identity = list_difference)]
struct Boat<S: Stage = Declared> {
    #[field(required, parent = cascades)]
    lake: S::In<Id<Lake>>,
    #[field(computed)]
    crew: Option<S::In<Vec<String>>>,
}

/// Outputs of [`Boat`].
#[derive(Outputs)]
struct BoatOutputs<S: Stage = Declared> {
    id: S::Out<Id<Boat>>,
}

#[test]
fn a_resource_is_written_with_setters_or_with_struct_update() {
    let with_setters = Lake::new("Como").depth(5_u32).island(Island::new("Comacina").area(0.07));
    let with_update =
        Lake { depth: Some(5.into()), islands: vec![Island::new("Comacina").area(0.07)], ..Lake::new("Como") };
    let tree = Tree::of_known(&with_setters.to_expr());
    assert_eq!(tree, Tree::of_known(&with_update.to_expr()));
    assert_eq!(
        tree.plain(),
        Some(json!({"name": "Como", "depth": 5, "islands": [{"name": "Comacina", "area": 0.07}]}))
    );
}

#[test]
fn numbers_need_no_suffix() {
    let lake = Lake::new("Como").depth(5);
    assert_eq!(Tree::of_known(&lake.to_expr()).plain(), Some(json!({"name": "Como", "depth": 5})));
}

#[test]
fn drivers_read_the_same_struct_with_plain_values() {
    let lake: Lake<Resolved> =
        serde_json::from_value(json!({"name": "Como", "password": "hush", "islands": [{"name": "x"}]}))
            .expect("a lake");
    assert_eq!(lake.name, "Como");
    assert_eq!(lake.islands[0].name, "x");
    assert_eq!(lake.password.as_ref().map(Secret::expose).map(String::as_str), Some("hush"));
    assert!(!format!("{lake:?}").contains("hush"), "{lake:?}");
}

#[test]
fn the_schema_says_what_the_marks_say() {
    let schema = Lake::schema();
    assert_eq!(
        (schema.type_name, schema.scope, schema.data.is_some(), schema.identity),
        ("test:Lake", "account", true, Identity::Key)
    );
    let name = schema.field("name").expect("name");
    assert!(name.key && name.renames && matches!(name.unset, Unset::Never) && name.normalize.is_some());
    let depth = schema.field("depth").expect("depth");
    assert!(matches!(depth.unset, Unset::Default(value) if value() == json!(3)) && depth.judge.is_some());
    let islands = schema.field("islands").expect("islands");
    assert_eq!(islands.order, ListOrder::KeyedBy("name"));
    assert!(matches!(islands.shape, Shape::Blocks(fields) if fields().len() == 2));
    let password = schema.field("password").expect("password");
    assert!(password.secret && password.write_only);
    assert_eq!(Boat::schema().field("lake").and_then(|field| field.parent), Some(OnParentDelete::Cascades));
    assert_eq!(LakeOutputs::<Declared>::FIELDS[1].from, ["name"]);
}

#[test]
fn references_interpolations_and_functions_stay_readable() {
    let _program = Program::new("demo", |stack| {
        let lake = stack.add("como", Lake::new("Como"));
        let boat = stack.add("boat", Boat::new(&lake).crew([&lake.name.map(|name: String| format!("{name}'s"))]));
        let text = interpolate!("s3://{}/boats/{id}", lake.name);
        assert!(describe(&text.to_expr()).starts_with("invalid"));
        let text = interpolate!("s3://{}/{}/{{x}}", lake.name, boat.id);
        assert_eq!(describe(&text.to_expr()), "s3://${como.name}/${boat.id}/{x}");
        let both = (&lake.name, &boat.id).map(|(name, id)| format!("{name}{id}"));
        assert!(describe(&both.to_expr()).starts_with("fn([${como.name}, ${boat.id}]) at "));
        Ok(())
    });
}

#[test]
fn secrecy_travels_into_any_field() {
    let secret = Secret::from("hush");
    let lake = Lake::new(&secret);
    let expr = lake.to_expr();
    assert!(matches!(&expr, Expr::Map(entries) if matches!(entries.get("name"), Some(Expr::Secret(_)))));
    assert!(!describe(&expr).contains("hush"));
    let longer = interpolate!("<{}>", secret);
    let tree = Tree::of_known(&longer.to_expr());
    assert_eq!(tree.plain(), Some(json!("<hush>")));
    assert_eq!(tree.shown(), json!("[secret]"));
}

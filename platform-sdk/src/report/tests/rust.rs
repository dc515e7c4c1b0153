//! Rust for what was found.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use serde_json::json;

use super::fixtures::address;
use crate::{
    Builtin,
    derive::{Block, Outputs, Resource},
    desired::Tree,
    prelude::*,
    program::Unsealing,
    report::{Place, rust_code},
};

crate::names! {
    /// How large.
    pub enum Size {
        /// Small.
        Small = "SMALL",
    }
}

/// A lake.
#[derive(Resource)]
#[resource(type = "test:Lake", outputs = LakeOutputs, provider = Builtin, identity = key)]
struct Lake<S: Stage = Declared> {
    /// Its name.
    #[field(required, key)]
    name: S::In<String>,
    /// What it flows into.
    #[field(required)]
    into: S::In<Id<Lake>>,
    /// Its size.
    #[field(computed)]
    size: Option<S::In<Size>>,
    /// Its depth.
    #[field(default = 3)]
    depth: Option<S::In<u32>>,
    /// Its text.
    #[field(computed)]
    comment: Option<S::In<String>>,
    /// Its password.
    #[field(computed, secret)]
    password: Option<S::In<Secret<String>>>,
    /// Its names elsewhere.
    #[field(computed)]
    aliases: Option<S::In<Vec<String>>>,
    /// Its tags.
    #[field(nullable)]
    tags: Option<S::In<BTreeMap<String, String>>>,
    /// Its islands.
    #[field(keyed_by = "name")]
    islands: Vec<Island<S>>,
}

/// Outputs of [`Lake`].
#[derive(Outputs)]
struct LakeOutputs<S: Stage = Declared> {
    id: S::Out<Id<Lake>>,
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

fn code(at: &str, inputs: serde_json::Value) -> String {
    let named =
        |place: &Place<'_>| (place.rust_type == "Id<Lake>" && place.value == "id-of-sea").then(|| "&sea".to_owned());
    rust_code(&address(at), Lake::schema(), &Tree::from(inputs), &named)
}

#[test]
fn a_short_one_is_a_line_without_its_defaults() {
    let shown = code("test:Lake::como", json!({"name": "Como", "into": "id-of-sea", "depth": 3, "tags": {}}));
    assert_snapshot!(shown, @r#"let como = stack.add("como", Lake::new("Como", &sea));"#);
}

#[test]
fn a_long_one_is_a_chain() {
    let shown = code(
        "test:Lake::alps/como-2",
        json!({
            "name": "Como",
            "into": "id-of-somewhere",
            "size": "HUGE",
            "depth": 410,
            "comment": "says \"deep\"\nand means it",
            "password": "canary",
            "aliases": ["Lario", "Lago di Como"],
            "tags": {"team": "data"},
            "islands": [{"name": "Comacina", "area": 0.07}, {"name": "another island with a long name", "area": 2}],
        }),
    );
    assert_snapshot!(shown);
    assert!(!shown.contains("canary"));
}

#[test]
fn what_it_prints_compiles() {
    let program = Program::new("demo", |stack| {
        let _como = stack.add(
            "como-2",
            Lake::new("Como", Id::new("id-of-somewhere"))
                .size(Size::from("HUGE"))
                .depth(410)
                .comment("says \"deep\"\nand means it")
                .password(stack.config_secret("como_2_password")?)
                .aliases(["Lario", "Lago di Como"])
                .tags([("team", "data")])
                .islands([
                    Island::new("Comacina").area(0.07),
                    Island::new("another island with a long name").area(2.0),
                ]),
        );
        Ok(())
    });
    let environment = [("PLATFORM_CONFIG_COMO_2_PASSWORD".to_owned(), "hush".to_owned())].into();
    assert!(program.record("dev", &environment, Unsealing::Needed).is_ok());
}

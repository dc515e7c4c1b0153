//! The derive refuses fields and marks whose meaning is open.

use platform_sdk::{
    Builtin,
    derive::{Outputs, Resource},
    prelude::*,
};

#[derive(Resource)]
#[resource(type = "test:Shelf", outputs = ShelfOutputs, provider = Builtin, identity = key)]
struct Shelf<S: Stage = Declared> {
    #[field(required, key)]
    name: S::In<String>,
    width: Option<S::In<i64>>,
    #[field(computed, nullable)]
    depth: Option<S::In<i64>>,
    colour: S::In<String>,
    #[field(nullable, renames)]
    label: Option<S::In<String>>,
    #[field(nullable, read_only)]
    note: Option<S::In<String>>,
}

#[derive(Outputs)]
struct ShelfOutputs<S: Stage = Declared> {
    id: S::Out<Id<Shelf>>,
}

fn main() {}

//! The derive refuses a resource that does not say how it is recognised.

use platform_sdk::{
    Builtin,
    derive::{Outputs, Resource},
    prelude::*,
};

#[derive(Resource)]
#[resource(type = "test:Shelf", outputs = ShelfOutputs, provider = Builtin, identity = key)]
struct Keyless<S: Stage = Declared> {
    #[field(required)]
    name: S::In<String>,
}

#[derive(Resource)]
#[resource(type = "test:Board", outputs = ShelfOutputs, provider = Builtin, identity = mark(tag))]
struct Unmarked<S: Stage = Declared> {
    #[field(required)]
    name: S::In<String>,
}

#[derive(Resource)]
#[resource(type = "test:Nail", outputs = ShelfOutputs, provider = Builtin)]
struct Unrecognised<S: Stage = Declared> {
    #[field(required)]
    name: S::In<String>,
}

#[derive(Outputs)]
struct ShelfOutputs<S: Stage = Declared> {
    id: S::Out<Id<Keyless>>,
}

fn main() {}

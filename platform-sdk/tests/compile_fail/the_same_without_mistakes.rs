//! What the other files get wrong, right: required arguments, ids, providers, options, fields with a meaning.

use platform_sdk::{
    derive::{Outputs, Resource},
    prelude::*,
    testing::{Cloud, Machine, Room},
};

/// A shelf in a room.
#[derive(Resource)]
#[resource(type = "test:Shelf", outputs = ShelfOutputs, provider = platform_sdk::Builtin, identity = key)]
pub struct Shelf<S: Stage = Declared> {
    /// Its name.
    #[field(required, key)]
    pub name: S::In<String>,
    /// How wide.
    #[field(default = 3)]
    pub width: Option<S::In<i64>>,
}

/// Outputs of [`Shelf`].
#[derive(Outputs)]
pub struct ShelfOutputs<S: Stage = Declared> {
    /// Its id.
    pub id: S::Out<Id<Shelf>>,
}

fn main() {
    let cloud = Cloud::new().provider();
    let _program = Program::new("demo", move |stack| {
        let room = stack.add("hall", Room::new("hall")).provider(&cloud);
        let machine = stack.add("press", Machine::new(&room).password("hush")).protect();
        let shelf = stack.add("left", Shelf::new("left").width(4)).depends_on(&machine);
        let struct_update = Room { floor: Some(2.into()), ..Room::new("attic") };
        stack.add("attic", struct_update);
        stack.export("shelf", &shelf.id);
        Ok(())
    });
    assert_eq!(format!("{:?}", Secret::new("hush")), "[secret]");
}

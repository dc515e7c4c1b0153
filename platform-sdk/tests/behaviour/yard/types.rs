//! The types of the yard: which marks they carry is all there is to them.

use std::collections::BTreeMap;

use platform_sdk::{
    Declared, Id, Judgement, Secret, Stage,
    derive::{Block, Outputs, Resource},
    desired::Tree,
};
use serde_json::{Value, json};

use super::{SiteProvider, Yard};

/// Has a name that can change in place; its floor can't.
#[derive(Resource)]
#[resource(type = "yard:House", outputs = HouseOutputs, provider = Yard, scope = "yard", identity = key, effect = dries)]
pub(crate) struct House<S: Stage = Declared> {
    /// Its name, and its id.
    #[field(required, key, renames)]
    pub(crate) name: S::In<String>,
    /// Can't be changed in place.
    #[field(replace)]
    pub(crate) floor: Option<S::In<i64>>,
    /// A comment.
    #[field(nullable)]
    pub(crate) comment: Option<S::In<String>>,
    /// One, unless set.
    #[field(default = 1)]
    pub(crate) size: Option<S::In<i64>>,
    /// The service paints it white, unless set.
    #[field(computed)]
    pub(crate) colour: Option<S::In<String>>,
    /// Its number in the street, which is only changed by force while there is a lock on it.
    #[field(nullable, forcible)]
    pub(crate) number: Option<S::In<i64>>,
    /// Whose it is. Unless set, who made it.
    #[field(computed, access = owner)]
    pub(crate) owner: Option<S::In<String>>,
    /// Its tags.
    #[field(computed)]
    pub(crate) tags: Option<S::In<BTreeMap<String, String>>>,
    /// Its doors, by name.
    #[field(keyed_by = "name", each = door)]
    pub(crate) doors: Vec<Door<S>>,
}

fn dries(fields: &[&str], _after: &Tree) -> Option<&'static str> {
    fields.contains(&"colour").then_some("can't be entered while it dries")
}

/// A door of a house.
#[derive(Block)]
pub(crate) struct Door<S: Stage = Declared> {
    /// Its name.
    #[field(required)]
    pub(crate) name: S::In<String>,
    /// How wide.
    #[field(default = 2)]
    pub(crate) width: Option<S::In<i64>>,
}

/// Outputs of [`House`].
#[derive(Outputs)]
pub(crate) struct HouseOutputs<S: Stage = Declared> {
    /// Its name.
    #[output(is = "{name}")]
    pub(crate) id: S::Out<Id<House>>,
    /// Drawn for each new house.
    #[output(unique)]
    pub(crate) serial: S::Out<String>,
    /// The comment.
    #[output(from = "comment")]
    pub(crate) comment: S::Out<Option<String>>,
}

/// Goes with its house.
#[derive(Resource)]
#[resource(type = "yard:Room", outputs = RoomOutputs, provider = Yard, scope = "yard", identity = key)]
pub(crate) struct Room<S: Stage = Declared> {
    /// The house that it is in.
    #[field(required, key, replace, parent = cascades)]
    pub(crate) house: S::In<Id<House>>,
    /// Its name in the house.
    #[field(required, key, renames)]
    pub(crate) name: S::In<String>,
    /// Whose it is. Unless set, who made it.
    #[field(computed, access = owner)]
    pub(crate) owner: Option<S::In<String>>,
    /// A comment.
    #[field(nullable)]
    pub(crate) comment: Option<S::In<String>>,
}

/// Outputs of [`Room`].
#[derive(Outputs)]
pub(crate) struct RoomOutputs<S: Stage = Declared> {
    /// `house/room`.
    #[output(is = "{house}/{name}")]
    pub(crate) id: S::Out<Id<Room>>,
    /// Drawn for each new room.
    pub(crate) serial: S::Out<String>,
}

/// Holds data unless it is hollow; its room can't go while it is there.
#[derive(Resource)]
#[resource(
    type = "yard:Chest",
    outputs = ChestOutputs,
    provider = Yard,
    scope = "yard",
    data = filled,
    identity = key
)]
pub(crate) struct Chest<S: Stage = Declared> {
    /// The room that it is in.
    #[field(required, key, replace, parent = refuses)]
    pub(crate) room: S::In<Id<Room>>,
    /// Its name in the room.
    #[field(required, key)]
    pub(crate) name: S::In<String>,
    /// Narrowing it loses what does not fit; below zero it is another chest.
    #[field(default = 10, judge = narrower)]
    pub(crate) width: Option<S::In<i64>>,
    /// A chest without a bottom: what seems to be in it is elsewhere.
    #[field(replace)]
    pub(crate) hollow: Option<S::In<bool>>,
    /// How it is reached.
    #[field(via)]
    pub(crate) by: Option<S::In<Id<Lock>>>,
}

fn filled(inputs: &Value) -> bool {
    inputs["hollow"] != json!(true)
}

fn narrower(_path: &str, before: &Value, after: &Value) -> Judgement {
    match (before.as_i64(), after.as_i64()) {
        (_, Some(after)) if after < 0 => Judgement::Replace,
        (Some(before), Some(after)) if after < before => Judgement::LosesData,
        _ => Judgement::InPlace,
    }
}

/// Outputs of [`Chest`].
#[derive(Outputs)]
pub(crate) struct ChestOutputs<S: Stage = Declared> {
    /// `house/room/chest`.
    #[output(is = "{room}/{name}")]
    pub(crate) id: S::Out<Id<Chest>>,
    /// Drawn for each new chest.
    pub(crate) serial: S::Out<String>,
}

/// While a lock is on a house, the house can't go.
#[derive(Resource)]
#[resource(type = "yard:Lock", formerly = "yard:Bolt", outputs = LockOutputs, provider = Yard, scope = "yard", identity = mark(mark))]
pub(crate) struct Lock<S: Stage = Declared> {
    /// The house that it locks.
    #[field(computed, holds)]
    pub(crate) house: Option<S::In<Id<House>>>,
    /// What it is made of. Can't be changed in place.
    #[field(replace)]
    pub(crate) make: Option<S::In<String>>,
    /// Its code; never returned.
    #[field(computed, secret, write_only)]
    pub(crate) code: Option<S::In<Secret<String>>>,
    /// A note.
    #[field(nullable)]
    pub(crate) note: Option<S::In<String>>,
    /// Where its intent's mark is kept.
    #[field(computed)]
    pub(crate) mark: Option<S::In<String>>,
}

/// Outputs of [`Lock`].
#[derive(Outputs)]
pub(crate) struct LockOutputs<S: Stage = Declared> {
    /// A number.
    pub(crate) id: S::Out<Id<Lock>>,
    /// Drawn for each new lock.
    pub(crate) serial: S::Out<String>,
}

/// Has neither key nor mark; lies in a house that can't go before it.
#[derive(Resource)]
#[resource(type = "yard:Leaf", outputs = LeafOutputs, provider = Yard, scope = "yard", identity = list_difference)]
pub(crate) struct Leaf<S: Stage = Declared> {
    /// The house that it lies in.
    #[field(replace, parent = refuses)]
    pub(crate) house: Option<S::In<Id<House>>>,
    /// What is on it.
    #[field(nullable)]
    pub(crate) text: Option<S::In<String>>,
    /// Its colour. Can't be changed in place.
    #[field(replace)]
    pub(crate) colour: Option<S::In<String>>,
}

/// Outputs of [`Leaf`].
#[derive(Outputs)]
pub(crate) struct LeafOutputs<S: Stage = Declared> {
    /// A number.
    pub(crate) id: S::Out<Id<Leaf>>,
    /// Drawn for each new leaf.
    pub(crate) serial: S::Out<String>,
}

/// A type whose second version renamed a field: `text` is `words` now.
#[derive(Resource)]
#[resource(
    type = "yard:Sign",
    outputs = SignOutputs,
    provider = Yard,
    scope = "yard",
    identity = key,
    version = 2,
    migrate = text_became_words
)]
pub(crate) struct Sign<S: Stage = Declared> {
    /// Its name.
    #[field(required, key)]
    pub(crate) name: S::In<String>,
    /// What it says. Can't be changed in place.
    #[field(replace)]
    pub(crate) words: Option<S::In<String>>,
    /// Its code.
    #[field(computed, secret)]
    pub(crate) code: Option<S::In<Secret<String>>>,
}

fn text_became_words(from: u32, inputs: Tree) -> Result<Tree, String> {
    let Tree::Map(mut entries) = inputs else { return Err("inputs are a map".to_owned()) };
    if from != 1 {
        return Err(format!("there was no version {from}"));
    }
    if let Some(text) = entries.remove("text") {
        entries.insert("words".to_owned(), text);
    }
    Ok(Tree::Map(entries))
}

/// Outputs of [`Sign`].
#[derive(Outputs)]
pub(crate) struct SignOutputs<S: Stage = Declared> {
    /// Its name.
    pub(crate) id: S::Out<Id<Sign>>,
}

/// A place with a provider of its own: what stands on it goes with it.
#[derive(Resource)]
#[resource(type = "yard:Site", outputs = SiteOutputs, provider = Yard, scope = "yard", identity = mark(mark), provides)]
pub(crate) struct Site<S: Stage = Declared> {
    /// The ground. Can't be changed in place.
    #[field(replace)]
    pub(crate) ground: Option<S::In<String>>,
    /// Where its intent's mark is kept.
    #[field(computed)]
    pub(crate) mark: Option<S::In<String>>,
}

/// Outputs of [`Site`].
#[derive(Outputs)]
pub(crate) struct SiteOutputs<S: Stage = Declared> {
    /// A number.
    pub(crate) id: S::Out<Id<Site>>,
}

impl SiteOutputs {
    /// The provider of what stands on the site.
    pub(crate) fn provider(&self) -> SiteProvider {
        SiteProvider::new(self.id.clone())
    }
}

/// Stands on a site.
#[derive(Resource)]
#[resource(type = "yard:Tent", outputs = TentOutputs, provider = SiteProvider, scope = "site", identity = key)]
pub(crate) struct Tent<S: Stage = Declared> {
    /// Its name.
    #[field(required, key)]
    pub(crate) name: S::In<String>,
    /// A comment.
    #[field(nullable)]
    pub(crate) comment: Option<S::In<String>>,
}

/// Outputs of [`Tent`].
#[derive(Outputs)]
pub(crate) struct TentOutputs<S: Stage = Declared> {
    /// Its name.
    pub(crate) id: S::Out<Id<Tent>>,
    /// Drawn for each new tent.
    pub(crate) serial: S::Out<String>,
}

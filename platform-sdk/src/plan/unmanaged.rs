//! What stands in fields that the program does not set, and no plan looks at: what it was after the last apply, and what
//! has changed there since. Pure.

use super::{
    Change, ChangeKind, Shown,
    diff::{by_key, in_order},
};
use crate::{
    desired::{Address, Entries, Name, Path, Tree, unwrap_secrets},
    program::{Field, ListOrder, Shape, Unset},
    state::Baseline,
};

/// A resource as it was seen: what is said of it, and what is there.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The fields of its type.
    pub fields: &'static [Field],
    /// The inputs that it was last applied with.
    pub inputs: &'a Tree,
    /// Those that it has.
    pub there: &'a Tree,
}

/// What changed in the fields of a resource that the program does not set.
#[derive(Debug, Clone, PartialEq)]
pub struct Unmanaged {
    /// The resource.
    pub address: Address,
    /// What is new, another or gone. What was there before is not known but for its hash.
    pub changes: Vec<Change>,
}

/// Whether there is any place in these inputs that the program does not set, and others may.
pub fn leaves_open(fields: &[Field], inputs: &Tree) -> bool {
    fields.iter().filter(|field| is_watched(field)).any(|field| {
        let filled = field.is_filled(|by| inputs.get(by).is_some());
        let Some(set) = inputs.get(field.name).map(|set| unwrap_secrets(set).0) else {
            return filled || !matches!(field.unset, Unset::Never | Unset::Default(_));
        };
        filled
            || match (field.shape, set) {
                (Shape::Block(fields), set) => leaves_open(fields(), set),
                (Shape::Blocks(fields), Tree::List(items)) => items.iter().any(|item| leaves_open(fields(), item)),
                (Shape::BlockMap(fields), Tree::Map(items)) => items.values().any(|item| leaves_open(fields(), item)),
                _ => false,
            }
    })
}

/// What is to be kept of this, to tell later what has changed.
pub fn baseline(seen: Seen<'_>, hashes: Baseline<'_>) -> Entries<Name> {
    seen.places().into_iter().filter_map(|place| Some((place.path(), hashes.hash(&place.there?)?))).collect()
}

/// The same after a step that may have changed what is there by itself: what had left the baseline before has still left it.
pub fn renewed(seen: Seen<'_>, earlier: Option<(&Entries<Name>, Seen<'_>)>, hashes: Baseline<'_>) -> Entries<Name> {
    let Some((kept, before)) = earlier else { return baseline(seen, hashes) };
    let left: Vec<Name> = departures(before, kept, hashes).into_iter().map(|change| change.path).collect();
    let renewed = seen.places().into_iter().filter_map(|place| {
        let path = Name::from(place.path());
        let hash = if left.contains(&path) { kept.get(&path).cloned() } else { hashes.hash(&place.there?) };
        hash.map(|hash| (path, hash))
    });
    renewed.collect()
}

/// What has left the baseline.
pub fn departures(seen: Seen<'_>, kept: &Entries<Name>, hashes: Baseline<'_>) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut change = |path: Name, there: Option<&Tree>, kind| {
        let after = there.map(Shown::of);
        changes.push(Change { after, before: None, kind, path, replaces: false, unknown: false });
    };
    let places = seen.places();
    let mut looked_at = Vec::new();
    for place in &places {
        let path = Name::from(place.path());
        match (kept.get(&path), &place.there) {
            (None, Some(there)) => change(path.clone(), Some(there), ChangeKind::Add),
            (Some(hash), Some(there)) if hashes.is_of(hash, there) == Some(false) => {
                change(path.clone(), Some(there), ChangeKind::Change);
            }
            (Some(_), None) => change(path.clone(), None, ChangeKind::Remove),
            (None, None) | (Some(_), Some(_)) => {}
        }
        looked_at.push(path);
    }
    for path in kept.keys().filter(|path| !looked_at.contains(path)) {
        change(path.clone(), None, ChangeKind::Remove);
    }
    changes
}

/// A place that the program does not set, with what stands there, where that means anything.
struct Place {
    path: Path,
    there: Option<Tree>,
}

impl Place {
    fn path(&self) -> String {
        self.path.to_string()
    }
}

impl Seen<'_> {
    fn places(self) -> Vec<Place> {
        let mut places = Vec::new();
        let mut walk = Walk { places: &mut places, filled: false, secret: false };
        walk.fields(self.fields, &Path::root(), self.inputs, self.there);
        places
    }
}

struct Walk<'p> {
    places: &'p mut Vec<Place>,
    /// Another object fills in what the program leaves out here.
    filled: bool,
    /// Something above is secret as a whole.
    secret: bool,
}

impl Walk<'_> {
    fn fields(&mut self, fields: &[Field], path: &Path, set: &Tree, there: &Tree) {
        for field in fields.iter().filter(|field| is_watched(field)) {
            let (filled, secret) = (self.filled, self.secret);
            self.filled |= field.is_filled(|by| set.get(by).is_some());
            self.secret |= field.secret;
            let path = path.name(field.name);
            match (set.get(field.name), there.get(field.name)) {
                (None, there) => self.unset(field, path, there),
                (Some(set), Some(there)) => self.below(field, &path, set, there),
                (Some(_), None) => {}
            }
            (self.filled, self.secret) = (filled, secret);
        }
    }

    fn unset(&mut self, field: &Field, path: Path, there: Option<&Tree>) {
        match field.unset {
            // What it has otherwise is drift.
            Unset::Default(_) if !self.filled => {}
            Unset::Never => {}
            Unset::Default(_) | Unset::Computed | Unset::Nullable | Unset::Replaces => {
                self.place(path, there.and_then(|there| meaning(field, there)));
            }
        }
    }

    fn place(&mut self, path: Path, there: Option<Tree>) {
        let there = there.map(|there| if self.secret { Tree::Secret(Box::new(there)) } else { there });
        self.places.push(Place { path, there });
    }

    /// Of what the program sets, the parts that it does not.
    fn below(&mut self, field: &Field, path: &Path, set: &Tree, there: &Tree) {
        let ((set, given), (there, shown)) = (unwrap_secrets(set), unwrap_secrets(there));
        self.secret |= given || shown;
        match (field.shape, field.order, there) {
            (Shape::Block(fields), _, _) => self.fields(fields(), path, set, there),
            (Shape::Blocks(fields), ListOrder::KeyedBy(key), _) => {
                let set = by_key(Some(set), key);
                for (name, there) in by_key(Some(there), key) {
                    let path = path.element(&name);
                    match set.iter().find(|(other, _)| *other == name) {
                        Some((_, set)) => self.fields(fields(), &path, set, &there),
                        None => self.added(path, &there),
                    }
                }
            }
            (Shape::Blocks(fields), ListOrder::Sequence, Tree::List(there)) => {
                let Tree::List(set) = set else { return };
                // Which of them another object filled in is not to be told where there are more.
                for (index, (set, there)) in set.iter().zip(there).enumerate().filter(|_| set.len() == there.len()) {
                    self.fields(fields(), &path.element(index), set, there);
                }
            }
            (Shape::BlockMap(fields), _, Tree::Map(entries)) => {
                for (name, there) in entries {
                    match set.get(name) {
                        Some(set) => self.fields(fields(), &path.name(name), set, there),
                        None => self.added(path.name(name), there),
                    }
                }
            }
            (Shape::Leaf, _, Tree::Map(entries)) if field.normalize.is_none() => {
                entries.iter().filter(|(name, _)| set.get(name).is_none()).for_each(|(name, there)| {
                    self.added(path.name(name), there);
                });
            }
            _ => {}
        }
    }

    /// What the program does not set beside what it does: drift, unless another object fills it in. A key that may be
    /// secret is not named.
    fn added(&mut self, path: Path, there: &Tree) {
        if self.filled && !self.secret {
            self.place(path, Some(there.clone()));
        }
    }
}

/// Whether it tells of somebody's doing what stands in a field that is not set.
fn is_watched(field: &Field) -> bool {
    !field.via && !field.write_only && !field.volatile
}

/// What a value means where nobody has set it: services write in many ways that there is nothing.
fn meaning(field: &Field, there: &Tree) -> Option<Tree> {
    let plain = there.plain().filter(|_| field.normalize.is_some());
    let normal = match (field.normalize, plain) {
        (Some(normalize), Some(plain)) if there.has_secrets() => Tree::Secret(Box::new(normalize(plain).into())),
        (Some(normalize), Some(plain)) => normalize(plain).into(),
        _ => there.clone(),
    };
    let said = match (field.shape, in_order(field, normal)) {
        (Shape::Block(fields), block) => said(fields(), block),
        (Shape::Blocks(fields), Tree::List(items)) => {
            Tree::List(items.into_iter().map(|item| said(fields(), item)).collect())
        }
        (Shape::BlockMap(fields), Tree::Map(entries)) => {
            Tree::Map(entries.into_iter().map(|(name, entry)| (name, said(fields(), entry))).collect())
        }
        (_, other) => other,
    };
    (!is_nothing(&said)).then_some(said)
}

/// A block without its fields that say no more than if they were not there.
fn said(fields: &[Field], block: Tree) -> Tree {
    let Tree::Map(entries) = block else { return block };
    let entries = entries.into_iter().filter_map(|(name, entry)| {
        let field = fields.iter().find(|field| name == field.name)?;
        let entry = meaning(field, &entry)?;
        let is_default = matches!(field.unset, Unset::Default(value) if Tree::from(value()).is_alike(&entry));
        (!is_default && !field.volatile).then_some((name, entry))
    });
    Tree::Map(entries.collect())
}

fn is_nothing(tree: &Tree) -> bool {
    match tree {
        Tree::Leaf(value) => value.is_null(),
        Tree::List(items) => items.is_empty(),
        Tree::Map(entries) => entries.is_empty(),
        Tree::Unknown(_) | Tree::Secret(_) => false,
    }
}

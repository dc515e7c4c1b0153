//! Ignored paths: what is there now stays as it is, in an update and in a replacement.

use std::collections::BTreeSet;

use super::diff::by_key;
use crate::{
    desired::{Name, Path, Tree},
    program::{Field, ListOrder, Shape},
};

/// The desired tree with the values at ignored paths taken from what is there now, so that an update or a replacement
/// leaves them alone.
pub(super) fn with_ignored(desired: &Tree, there: &Tree, ignored: &[Path], fields: &[Field]) -> Tree {
    keep(desired, Some(there), ignored, fields, &Path::root())
}

fn keep(desired: &Tree, there: Option<&Tree>, ignored: &[Path], fields: &[Field], path: &Path) -> Tree {
    let Tree::Map(wanted) = desired else { return desired.clone() };
    // Of what is secret as a whole, each part is.
    let parts = match there {
        Some(Tree::Secret(whole)) => Some(parts(whole)),
        _ => None,
    };
    let there = parts.as_ref().or(there);
    let mut names: BTreeSet<&Name> = wanted.keys().collect();
    if let Some(Tree::Map(there)) = there {
        names.extend(there.keys());
    }
    let mut entries = Vec::new();
    for name in names {
        let here = path.name(name);
        let (wanted, there) = (wanted.get(name), there.and_then(|tree| tree.get(name)));
        let value = if covered(ignored, &here) {
            there.cloned()
        } else {
            let field = fields.iter().find(|field| *name == field.name);
            match (wanted, there) {
                (Some(wanted), there) => Some(keep_below(wanted, there, ignored, field, &here)),
                (None, Some(there)) => left_in_place(there, ignored, field, &here),
                (None, None) => None,
            }
        };
        entries.extend(value.map(|value| (name.clone(), value)));
    }
    Tree::Map(entries.into_iter().collect())
}

fn parts(whole: &Tree) -> Tree {
    let secret = |tree: &Tree| Tree::Secret(Box::new(tree.clone()));
    match whole {
        Tree::Map(entries) => Tree::Map(entries.iter().map(|(name, entry)| (name.clone(), secret(entry))).collect()),
        other => secret(other),
    }
}

fn covered(ignored: &[Path], path: &Path) -> bool {
    ignored.iter().any(|ignored| ignored.covers(path))
}

/// Of a value that the program does not set, what ignored paths reach into.
fn left_in_place(there: &Tree, ignored: &[Path], field: Option<&Field>, path: &Path) -> Option<Tree> {
    let nothing = match there {
        Tree::Map(_) => Tree::default(),
        Tree::List(_) => Tree::List(Vec::new()),
        Tree::Leaf(_) | Tree::Unknown(_) | Tree::Secret(_) => return None,
    };
    let kept = keep_below(&nothing, Some(there), ignored, field, path);
    (kept != nothing).then_some(kept)
}

fn keep_below(wanted: &Tree, there: Option<&Tree>, ignored: &[Path], field: Option<&Field>, path: &Path) -> Tree {
    let (shape, order) = field.map_or((Shape::Leaf, ListOrder::Sequence), |field| (field.shape, field.order));
    let below: &[Field] = match shape {
        Shape::Leaf => &[],
        Shape::Block(fields) | Shape::Blocks(fields) | Shape::BlockMap(fields) => fields(),
    };
    let Tree::List(items) = wanted else { return keep(wanted, there, ignored, below, path) };
    let key = match order {
        ListOrder::KeyedBy(key) => key,
        ListOrder::Sequence | ListOrder::Set => "",
    };
    let existing = by_key(there, key);
    let names: Vec<String> = by_key(Some(wanted), key).into_iter().map(|(name, _)| name).collect();
    let kept = names.iter().zip(items).filter_map(|(name, item)| {
        let here = path.element(name);
        let there = existing.iter().find(|(n, _)| n == name).map(|(_, tree)| tree);
        if covered(ignored, &here) { there.cloned() } else { Some(keep(item, there, ignored, below, &here)) }
    });
    // Elements that only exist, and that are ignored as a whole, are not the program's to take away.
    let others = existing.iter().filter(|(name, _)| !names.contains(name) && covered(ignored, &path.element(name)));
    Tree::List(kept.chain(others.map(|(_, tree)| tree.clone())).collect())
}

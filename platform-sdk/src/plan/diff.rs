//! The three-way diff: desired inputs against last applied and observed ones, field by field, by the marks.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    desired::{Name, Path, Tree, unwrap_secrets},
    program::{Field, Judgement, ListOrder, Shape, Unset},
};

use super::ChangeKind;

/// What a difference asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// State forgets the value; the service keeps it.
    Released,
    /// An update in place.
    InPlace,
    /// An update in place that destroys data.
    LosesData,
    /// A replacement, if the value that is not known yet turns out to differ.
    MayReplace,
    /// A replacement.
    Replace,
}

/// One value that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Where.
    pub path: Path,
    /// The value now: observed, or as last applied.
    pub before: Option<Tree>,
    /// The value that is wanted.
    pub after: Option<Tree>,
    /// Why.
    pub kind: ChangeKind,
    /// What it asks for.
    pub verdict: Verdict,
    /// A judge decides over it, once its value is known.
    pub judged: bool,
}

/// The three sides of one comparison.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'a> {
    /// What was last applied; `None` when nothing was.
    pub last: Option<&'a Tree>,
    /// What was observed; `None` when reality was not read.
    pub observed: Option<&'a Tree>,
    /// What is wanted.
    pub desired: &'a Tree,
}

impl Sides<'_> {
    /// Whether any of them holds a secret that stays sealed.
    fn have_sealed(self) -> bool {
        self.desired.has_sealed() || [self.last, self.observed].into_iter().flatten().any(Tree::has_sealed)
    }
}

/// All differences between the sides, in the order of the schema's fields.
pub fn diff(fields: &[Field], sides: Sides<'_>) -> Vec<Difference> {
    diff_as_far_as_opened(fields, sides).0
}

/// The same, and where secrets that stay sealed could not be compared.
pub fn diff_as_far_as_opened(fields: &[Field], sides: Sides<'_>) -> (Vec<Difference>, Vec<Path>) {
    let (mut differences, mut sealed) = (Vec::new(), Vec::new());
    let watched = sides.have_sealed().then_some(&mut sealed);
    let mut walk = Walk { out: &mut differences, sealed: watched, replaces: false, filled: false, judge: None };
    walk.fields(fields, &Path::root(), sides.last, sides.observed, Some(sides.desired));
    (differences, sealed)
}

type Judge = fn(&str, &Value, &Value) -> Judgement;

struct Walk<'o> {
    out: &'o mut Vec<Difference>,
    /// Where something sealed could not be compared; `None` where nothing is sealed.
    sealed: Option<&'o mut Vec<Path>>,
    /// A field above can't be changed in place.
    replaces: bool,
    /// Another object fills in what the program leaves out here.
    filled: bool,
    /// The judge of a field above.
    judge: Option<Judge>,
}

/// The value at one place on each side.
#[derive(Clone, Copy)]
struct At<'a> {
    last: Option<&'a Tree>,
    current: Option<&'a Tree>,
    desired: Option<&'a Tree>,
}

impl At<'_> {
    /// Whether what is compared is secret as a whole.
    fn is_secret(self) -> bool {
        [self.current, self.desired].into_iter().flatten().any(|tree| matches!(tree, Tree::Secret(_)))
    }

    /// What is in the secrets.
    fn in_clear(self) -> Self {
        let inside = |tree| unwrap_secrets(tree).0;
        Self { last: self.last.map(inside), current: self.current.map(inside), desired: self.desired.map(inside) }
    }

    /// Whether what is there and what is wanted can't be told apart for want of a key.
    fn is_sealed(self) -> bool {
        let (Some(current), Some(desired)) = (self.current, self.desired) else { return false };
        current.is_sealed() || desired.is_sealed()
    }

    /// All sides say the same, so nothing below this place differs either.
    fn is_settled(self) -> bool {
        match (self.last, self.current, self.desired) {
            (None, None, None) => true,
            (Some(last), Some(current), Some(desired)) => {
                (std::ptr::eq(last, current) || same(last, current)) && same(current, desired)
            }
            _ => false,
        }
    }
}

impl Walk<'_> {
    fn fields(
        &mut self,
        fields: &[Field],
        path: &Path,
        last: Option<&Tree>,
        observed: Option<&Tree>,
        desired: Option<&Tree>,
    ) {
        for field in fields.iter().filter(|field| !field.via) {
            let last = last.and_then(|tree| tree.get(field.name));
            // Where reality was read, it is what is there now; what it never shows is there as last applied.
            let read = observed.filter(|_| !field.write_only);
            let current = read.map_or(last, |tree| tree.get(field.name));
            let at = At { last, current, desired: desired.and_then(|tree| tree.get(field.name)) };
            if self.sealed.is_none() && at.is_settled() {
                continue;
            }
            let (replaces, filled, judge) = (self.replaces, self.filled, self.judge);
            self.replaces |= field.replace || (field.key && !field.renames);
            self.filled |= field.is_filled(|by| desired.is_some_and(|tree| tree.get(by).is_some()));
            self.judge = field.judge.or(judge);
            self.field(field, &path.name(field.name), at, observed.is_some());
            self.replaces = replaces;
            self.filled = filled;
            self.judge = judge;
        }
    }

    fn field(&mut self, field: &Field, path: &Path, at: At<'_>, read: bool) {
        let default = match field.unset {
            Unset::Default(value) => Some(Tree::from(value())),
            Unset::Never | Unset::Computed | Unset::Nullable | Unset::Replaces => None,
        };
        let Some(desired) = at.desired else { return self.unset(field, path, at, default) };
        let Some(current) = at.current.or(default.as_ref()) else {
            let kind = if at.last.is_some() && read { ChangeKind::Drift } else { ChangeKind::Add };
            return self.report(path, At { desired: Some(desired), ..at }, kind);
        };
        let at = At { current: Some(current), desired: Some(desired), ..at };
        match field.shape {
            _ if at.is_sealed() => self.not_compared(path),
            Shape::Leaf => self.leaf(field, path, at),
            _ if at.is_secret() => self.hidden(field, path, at, |walk, at| walk.field(field, path, at, read)),
            _ if matches!(desired, Tree::Unknown(_)) => self.unless_equal(field, path, at),
            Shape::Block(fields) => self.block(fields(), path, at, read),
            Shape::Blocks(fields) => self.blocks(field, fields(), path, at, read),
            Shape::BlockMap(fields) => self.block_map(fields(), path, at, read),
        }
    }

    /// The program does not set it: what that means is the field's mark.
    fn unset(&mut self, field: &Field, path: &Path, at: At<'_>, default: Option<Tree>) {
        match field.unset {
            Unset::Never => {}
            // No default is gone back to: it is filled in anew.
            Unset::Default(_) if self.filled => {
                if at.last.is_some() && at.current.is_some() {
                    self.report(path, at, ChangeKind::Remove);
                }
            }
            Unset::Default(_) => {
                if let (Some(current), Some(default)) = (at.current, default)
                    && !equal(field, current, &default)
                    && !is_empty(current, &default)
                {
                    let kind = if at.last.is_some() { ChangeKind::Remove } else { ChangeKind::Drift };
                    self.report(path, At { desired: Some(&default), ..at }, kind);
                }
            }
            Unset::Nullable | Unset::Replaces => {
                if at.last.is_some() && at.current.is_some() {
                    self.report(path, at, ChangeKind::Remove);
                }
            }
            Unset::Computed => {
                if at.last.is_some() {
                    let before = at.current.cloned();
                    let difference = Difference {
                        path: path.clone(),
                        before,
                        after: None,
                        kind: ChangeKind::Release,
                        verdict: Verdict::Released,
                        judged: false,
                    };
                    self.out.push(difference);
                }
            }
        }
    }

    fn unless_equal(&mut self, field: &Field, path: &Path, at: At<'_>) {
        let (Some(current), Some(desired)) = (at.current, at.desired) else { return };
        if self.sealed.is_some() && (current.has_sealed() || desired.has_sealed()) && may_equal(field, current, desired)
        {
            self.not_compared(path);
        } else if !equal(field, current, desired) {
            self.report(path, at, kind_of(field, at));
        }
    }

    /// Something sealed stands here on a side: whether the other is the same, only who has the key can say.
    fn not_compared(&mut self, path: &Path) {
        if let Some(sealed) = &mut self.sealed {
            sealed.push(path.clone());
        }
    }

    fn leaf(&mut self, field: &Field, path: &Path, at: At<'_>) {
        let (Some(current), Some(desired)) = (at.current, at.desired) else { return };
        let maps = matches!((current, desired), (Tree::Map(_), Tree::Map(_)));
        if !maps || field.normalize.is_some() {
            return self.unless_equal(field, path, at);
        }
        for key in keys(current, desired) {
            let at =
                At { last: at.last.and_then(|t| t.get(&key)), current: current.get(&key), desired: desired.get(&key) };
            let path = path.name(&key);
            match (at.current, at.desired) {
                (Some(before), Some(after)) if before.has_sealed() || after.has_sealed() => {
                    self.unless_equal(&Field::new(""), &path, at);
                }
                (Some(before), Some(after)) if same(before, after) => {}
                (None, None) => {}
                _ if self.is_addition(at) => {}
                (None, Some(_)) | (Some(_), _) => self.report(&path, at, kind_of(field, at)),
            }
        }
    }

    /// What is secret as a whole is one difference, whatever differs in it.
    fn hidden(&mut self, field: &Field, path: &Path, at: At<'_>, compare: impl FnOnce(&mut Walk<'_>, At<'_>)) {
        let mut below = Vec::new();
        let Self { replaces, filled, judge, .. } = *self;
        let sealed = self.sealed.as_deref_mut();
        compare(&mut Walk { out: &mut below, sealed, replaces, filled, judge }, at.in_clear());
        let worst = below.iter().map(|difference| difference.verdict).max();
        self.out.extend(worst.map(|verdict| Difference {
            path: path.clone(),
            before: at.current.cloned(),
            after: at.desired.cloned(),
            kind: kind_of(field, at),
            verdict,
            judged: below.iter().any(|difference| difference.judged),
        }));
    }

    fn block(&mut self, fields: &[Field], path: &Path, at: At<'_>, read: bool) {
        let observed = if read { at.current } else { None };
        self.fields(fields, path, at.last, observed, at.desired);
    }

    fn blocks(&mut self, field: &Field, fields: &[Field], path: &Path, at: At<'_>, read: bool) {
        let ListOrder::KeyedBy(key) = field.order else { return self.sequence(field, fields, path, at, read) };
        let (last, current, desired) = (by_key(at.last, key), by_key(at.current, key), by_key(at.desired, key));
        // Elements in the order in which the program writes them, then those that it does not.
        let mut names: Vec<&String> = desired.iter().map(|(name, _)| name).collect();
        names.extend(current.iter().map(|(name, _)| name).filter(|name| !desired.iter().any(|(d, _)| d == *name)));
        let get =
            |list: &[(String, Tree)], name: &str| list.iter().find(|(n, _)| n == name).map(|(_, tree)| tree.clone());
        for name in names {
            let (last, current, desired) = (get(&last, name), get(&current, name), get(&desired, name));
            let at = At { last: last.as_ref(), current: current.as_ref(), desired: desired.as_ref() };
            self.element(field, fields, &path.element(name), at, read);
        }
    }

    fn sequence(&mut self, field: &Field, fields: &[Field], path: &Path, at: At<'_>, read: bool) {
        if field.order == ListOrder::Set {
            return self.unless_equal(field, path, at);
        }
        let items = |tree: Option<&'_ Tree>| match tree.map(unwrap_secrets) {
            Some((Tree::List(items), _)) => items.clone(),
            _ => Vec::new(),
        };
        let (last, mut current, desired) = (items(at.last), items(at.current), items(at.desired));
        let mut excess = if self.filled { current.len().saturating_sub(desired.len()) } else { 0 };
        current.retain(|item| {
            let added = excess > 0 && !last.iter().chain(&desired).any(|ours| same(ours, item));
            excess -= usize::from(added);
            !added
        });
        for index in 0..current.len().max(desired.len()) {
            let at = At { last: last.get(index), current: current.get(index), desired: desired.get(index) };
            self.element(field, fields, &path.element(index), at, read);
        }
    }

    /// What another object filled in beside what the program says.
    fn is_addition(&self, at: At<'_>) -> bool {
        self.filled && at.last.is_none() && at.desired.is_none()
    }

    fn element(&mut self, field: &Field, fields: &[Field], path: &Path, at: At<'_>, read: bool) {
        if self.is_addition(at) {
            return;
        }
        match (at.current, at.desired) {
            _ if at.is_sealed() => self.not_compared(path),
            (Some(_), Some(Tree::Unknown(_)) | None) | (None, Some(_)) => self.report(path, at, kind_of(field, at)),
            (Some(_), Some(_)) if at.is_secret() => {
                self.hidden(field, path, at, |walk, at| walk.element(field, fields, path, at, read));
            }
            (Some(_), Some(_)) => self.block(fields, path, at, read),
            (None, None) => {}
        }
    }

    fn block_map(&mut self, fields: &[Field], path: &Path, at: At<'_>, read: bool) {
        let (Some(current), Some(desired)) = (at.current, at.desired) else { return };
        for key in keys(current, desired) {
            let at =
                At { last: at.last.and_then(|t| t.get(&key)), current: current.get(&key), desired: desired.get(&key) };
            let field = Field::new("");
            self.element(&field, fields, &path.name(&key), at, read);
        }
    }

    fn report(&mut self, path: &Path, at: At<'_>, kind: ChangeKind) {
        // What is sealed is another value all the same, and only a judge would have to see it.
        let known = |tree: &Tree| tree.is_known() || self.judge.is_none() && tree.is_known_with_key();
        let unknown = at.desired.is_some_and(|tree| !known(tree));
        let judged = self.judge.filter(|_| !unknown).map(|judge| {
            let plain = |tree: Option<&Tree>| tree.and_then(Tree::plain).unwrap_or(Value::Null);
            judge(&path.to_string(), &plain(at.current), &plain(at.desired))
        });
        // Nobody can judge what is not known yet: until then it may be the worst.
        let undecided = unknown && (self.replaces || self.judge.is_some());
        let verdict = match (self.replaces, undecided, judged) {
            (_, true, _) => Verdict::MayReplace,
            (true, false, _) | (_, _, Some(Judgement::Replace)) => Verdict::Replace,
            (false, _, Some(Judgement::LosesData)) => Verdict::LosesData,
            (false, _, Some(Judgement::InPlace) | None) => Verdict::InPlace,
        };
        let (before, after) = (at.current.cloned(), at.desired.cloned());
        let judged = self.judge.is_some();
        self.out.push(Difference { path: path.clone(), before, after, kind, verdict, judged });
    }
}

/// Why a value differs: reality moved if the program still says what was last applied.
fn kind_of(field: &Field, at: At<'_>) -> ChangeKind {
    let unmoved = match (at.last, at.desired) {
        (Some(last), Some(desired)) => equal(field, last, desired),
        (None, None) => true,
        _ => false,
    };
    match (unmoved, at.current, at.desired) {
        (true, _, _) => ChangeKind::Drift,
        (false, None, _) => ChangeKind::Add,
        (false, Some(_), Some(_)) => ChangeKind::Change,
        (false, Some(_), None) => ChangeKind::Remove,
    }
}

/// An unset list or map whose default is empty is the same as one that the service leaves out.
fn is_empty(current: &Tree, default: &Tree) -> bool {
    let empty = |tree: &Tree| match tree {
        Tree::List(items) => items.is_empty(),
        Tree::Map(entries) => entries.is_empty(),
        Tree::Leaf(value) => value.is_null(),
        Tree::Unknown(_) | Tree::Secret(_) => false,
    };
    empty(current) && empty(default)
}

fn keys(a: &Tree, b: &Tree) -> BTreeSet<Name> {
    let of = |tree: &Tree| match unwrap_secrets(tree).0 {
        Tree::Map(entries) => entries.keys().cloned().collect(),
        _ => BTreeSet::new(),
    };
    of(a).union(&of(b)).cloned().collect()
}

/// The elements of a list with their keys, in order.
pub(super) fn by_key(tree: Option<&Tree>, key: &str) -> Vec<(String, Tree)> {
    let Some((Tree::List(items), _)) = tree.map(unwrap_secrets) else { return Vec::new() };
    // A name is part of paths, which are shown.
    let secret = |item: &Tree| matches!(item, Tree::Secret(_)) || item.get(key).is_some_and(Tree::has_secrets);
    let name = |index: usize, item: &Tree| match item.get(key) {
        _ if secret(item) => index.to_string(),
        Some(Tree::Unknown(expr)) => expr.clone(),
        Some(tree) => tree.as_str().map_or_else(|| index.to_string(), str::to_owned),
        None => index.to_string(),
    };
    items.iter().enumerate().map(|(index, item)| (name(index, item), item.clone())).collect()
}

/// Whether two values mean the same for this field.
pub(super) fn equal(field: &Field, a: &Tree, b: &Tree) -> bool {
    if let Some(normalize) = field.normalize
        && let (Some(a), Some(b)) = (a.plain(), b.plain())
    {
        return in_order(field, normalize(a).into()) == in_order(field, normalize(b).into());
    }
    if field.order == ListOrder::Set {
        return in_order(field, a.exposed()) == in_order(field, b.exposed());
    }
    same(a, b)
}

/// Whether they could, if what is sealed in them were opened.
fn may_equal(field: &Field, a: &Tree, b: &Tree) -> bool {
    if field.normalize.is_some() {
        return true;
    }
    let (Tree::List(ours), Tree::List(theirs), ListOrder::Set) =
        (unwrap_secrets(a).0, unwrap_secrets(b).0, field.order)
    else {
        return a.may_be_by(b, same);
    };
    let lacks = |of: &[Tree], item: &Tree| !of.iter().any(|other| item.may_be_by(other, same));
    !ours.iter().any(|item| lacks(theirs, item)) && !theirs.iter().any(|item| lacks(ours, item))
}

pub(super) fn in_order(field: &Field, tree: Tree) -> Tree {
    match tree {
        Tree::List(mut items) if field.order == ListOrder::Set => {
            items.sort_by_key(|item| crate::desired::canonical(&item.shown()));
            // What is in a set twice is in it.
            items.dedup();
            Tree::List(items)
        }
        other => other,
    }
}

/// Equality that looks through secrecy, takes 1 and 1.0 for the same number, and never takes an unknown for anything
/// known.
fn same(a: &Tree, b: &Tree) -> bool {
    let ((a, _), (b, _)) = (unwrap_secrets(a), unwrap_secrets(b));
    match (a, b) {
        (Tree::Leaf(Value::Number(a)), Tree::Leaf(Value::Number(b))) => {
            a == b || a.as_f64() == b.as_f64() && (a.is_f64() || b.is_f64())
        }
        (Tree::Leaf(a), Tree::Leaf(b)) => a == b,
        (Tree::List(a), Tree::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Tree::Map(a), Tree::Map(b)) => {
            a.is_same(b) || a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (Tree::Unknown(a), Tree::Unknown(b)) => a == b,
        _ => false,
    }
}

#[cfg(test)]
#[path = "diff_tests.rs"]
mod tests;

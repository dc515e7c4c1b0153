//! Bringing what state holds to the schema versions that this program's providers know.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use super::{Entries, Path, Segment, Tree, renamed_types};
use crate::{
    Result,
    program::Schema,
    report::{Diagnostic, Error},
    state::{Referred, ResourceState, Snapshot},
};

/// The snapshot with every resource under its type's name of today, and its inputs in the shape of the current schema.
/// Types that no provider knows are left as they are: planning refuses them by name.
///
/// # Errors
/// When something was written by a newer schema, or can't be brought to this one; all of it at once.
pub fn migrated<'s>(
    snapshot: &'s Snapshot,
    schemas: &BTreeMap<&'static str, &'static Schema>,
) -> Result<Cow<'s, Snapshot>> {
    let differs = |state: &Arc<ResourceState>| {
        schemas.get(state.address.type_name()).is_some_and(|schema| schema.version != state.schema_version)
    };
    let snapshot = renamed_types(snapshot, schemas);
    if !snapshot.all().any(differs) {
        return Ok(snapshot);
    }
    let mut snapshot = snapshot.into_owned();
    let mut problems = Vec::new();
    for state in snapshot.all_mut() {
        let Some(schema) = schemas.get(state.address.type_name()) else { continue };
        match brought_to(schema, state) {
            Ok(Cow::Owned(new)) => *state = Arc::new(new),
            Ok(Cow::Borrowed(_)) => {}
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(Cow::Owned(snapshot)) } else { Err(Error::all(problems)) }
}

/// One resource in the shape of this schema.
///
/// # Errors
/// When it was written by a newer schema, or can't be brought to this one.
pub fn brought_to<'s>(schema: &Schema, state: &'s ResourceState) -> Result<Cow<'s, ResourceState>, Diagnostic> {
    let (is, wanted, address) = (state.schema_version, schema.version, &state.address);
    if is == wanted {
        return Ok(Cow::Borrowed(state));
    }
    let versions = format!("its schema has version {is}; this program's {} has version {wanted}", schema.type_name);
    if is > wanted {
        return Err(Diagnostic::error(format!("`{address}` was written by a newer version of its provider"))
            .detail(versions)
            .hint("update the provider's crate in Cargo.toml; nothing was changed")
            .about(address));
    }
    let migrate = schema.migrate.ok_or_else(|| "its type declares no `migrate`".to_owned());
    let inputs = migrate.and_then(|migrate| migrate(is, state.inputs.clone())).map_err(|why| {
        Diagnostic::error(format!("`{address}` can't be brought to its type's current schema"))
            .detail(format!("{versions}; {why}"))
            .hint("report this to the authors of the provider; nothing was changed")
            .about(address)
    })?;
    let references = schema.migrate.map(|migrate| followed(state, migrate)).unwrap_or_default();
    Ok(Cow::Owned(ResourceState { inputs, references, schema_version: wanted, ..state.clone() }))
}

type Migrate = fn(u32, Tree) -> std::result::Result<Tree, String>;

/// Each reference beside the place that its value has now. One whose value is in no place of its own any more is
/// dropped: what depends on what is kept apart from it.
fn followed(state: &ResourceState, migrate: Migrate) -> Entries<Referred> {
    let mark = Tree::Leaf("a mark that no value has".into());
    let now = |path: &str| {
        let path: Path = path.parse().ok()?;
        let marked = replaced(&state.inputs, path.segments(), &mark)?;
        place_of(&migrate(state.schema_version, marked).ok()?, &mark, &Path::root())
    };
    let references = state.references.iter();
    references.filter_map(|(path, reference)| Some((now(path)?.to_string(), reference.clone()))).collect()
}

fn replaced(tree: &Tree, path: &[Segment], with: &Tree) -> Option<Tree> {
    let Some((first, rest)) = path.split_first() else { return Some(with.clone()) };
    match (tree, first) {
        (Tree::Map(entries), Segment::Name(name)) => {
            let mut entries = entries.clone();
            let entry = entries.get_mut(name)?;
            *entry = replaced(entry, rest, with)?;
            Some(Tree::Map(entries))
        }
        (Tree::List(items), Segment::Element(index)) => {
            let mut items = items.clone();
            let item = items.get_mut(index.parse::<usize>().ok()?)?;
            *item = replaced(item, rest, with)?;
            Some(Tree::List(items))
        }
        (Tree::Secret(inner), _) => replaced(inner, path, with),
        _ => None,
    }
}

fn place_of(tree: &Tree, mark: &Tree, path: &Path) -> Option<Path> {
    match tree {
        Tree::Map(entries) => entries.iter().find_map(|(name, entry)| place_of(entry, mark, &path.name(name))),
        Tree::List(items) => {
            items.iter().enumerate().find_map(|(index, item)| place_of(item, mark, &path.element(index)))
        }
        Tree::Secret(inner) => place_of(inner, mark, path),
        Tree::Leaf(_) | Tree::Unknown(_) => (tree == mark).then(|| path.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Data, Resource as _,
        desired::{Address, Addresses},
        state::{ProviderState, Status},
    };

    /// Version 2 called `text` what version 3 calls `input`.
    fn renamed(from: u32, tree: Tree) -> Result<Tree, String> {
        let Tree::Map(mut entries) = tree else { return Err("it is no map".to_owned()) };
        if from < 3
            && let Some(text) = entries.remove("text")
        {
            entries.insert("input".to_owned(), text);
        }
        Ok(Tree::Map(entries))
    }

    fn schemas(
        version: u32,
        migrate: Option<fn(u32, Tree) -> Result<Tree, String>>,
    ) -> BTreeMap<&'static str, &'static Schema> {
        let schema = Schema { version, migrate, ..*Data::schema() };
        BTreeMap::from([(schema.type_name, &*Box::leak(Box::new(schema)))])
    }

    fn snapshot() -> Snapshot {
        let address = Address::new("platform:Data", "x").expect("an address");
        let secret = Tree::Secret(Box::new(Tree::Leaf("hush".into())));
        let state = ResourceState {
            address: address.clone(),
            id: "1".to_owned(),
            provider: ProviderState::default().into(),
            scope: None,
            schema_version: 2,
            inputs: Tree::Map([("text".to_owned(), secret)].into()),
            references: crate::desired::Entries::new(),
            outputs: Tree::default(),
            dependencies: Addresses::new(),
            parents: Addresses::new(),
            options: crate::Options::default().into(),
            status: Status::Whole,
            unset: None,
        };
        let state = Arc::new(state);
        Snapshot { resources: [(address, state.clone())].into(), pending_deletes: vec![state], ..Snapshot::default() }
    }

    #[test]
    fn an_older_version_is_brought_to_this_one_and_its_secrets_stay_secret() {
        let old = snapshot();
        let new = migrated(&old, &schemas(3, Some(renamed))).expect("migrated");
        for state in new.resources.values().chain(&new.pending_deletes) {
            assert_eq!(state.schema_version, 3);
            assert_eq!(state.inputs.get("input"), Some(&Tree::Secret(Box::new(Tree::Leaf("hush".into())))));
        }
        assert!(matches!(migrated(&old, &schemas(2, None)), Ok(Cow::Borrowed(_))), "nothing is copied for nothing");
        assert!(migrated(&old, &BTreeMap::new()).is_ok(), "planning refuses types that nobody knows");
    }

    #[test]
    fn a_newer_version_and_one_that_nothing_leads_from_are_refused_by_name() {
        let said = migrated(&snapshot(), &schemas(1, None)).expect_err("newer").to_string();
        assert!(said.contains("`platform:Data::x` was written by a newer version of its provider"), "{said}");
        let said = migrated(&snapshot(), &schemas(3, None)).expect_err("no way").to_string();
        assert!(said.contains("its type declares no `migrate`"), "{said}");
        let said =
            migrated(&snapshot(), &schemas(3, Some(|_, _| Err("too old".to_owned())))).expect_err("no").to_string();
        assert!(said.contains("this program's platform:Data has version 3; too old"), "{said}");
    }
}

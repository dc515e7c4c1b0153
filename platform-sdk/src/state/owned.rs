//! Which objects are the stack's own: an id says so only beside what it was seen with, for two places may use it twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{ProviderState, ResourceState, Snapshot};

/// What of some objects is in state: found in one walk, however many were asked for.
#[derive(Debug)]
pub struct Owned<'s> {
    by_id: BTreeMap<(&'s str, &'s str), Vec<&'s ResourceState>>,
}

/// Where an object is: ids of a type are unique there.
#[derive(Debug, Clone)]
pub struct Site {
    provider: Arc<ProviderState>,
    scope: Option<(String, String)>,
}

impl Snapshot {
    /// What the stack owns, or is still to delete, of objects with these types and ids.
    pub fn owned<'o>(&self, objects: impl IntoIterator<Item = (&'o str, &'o str)>) -> Owned<'_> {
        let wanted: BTreeSet<(&str, &str)> = objects.into_iter().collect();
        let mut by_id: BTreeMap<_, Vec<&ResourceState>> = BTreeMap::new();
        if wanted.is_empty() {
            return Owned { by_id };
        }
        for own in self.resources.values().chain(&self.pending_deletes) {
            let key = (own.address.type_name(), own.id.as_str());
            if wanted.contains(&key) {
                by_id.entry(key).or_default().push(own);
            }
        }
        Owned { by_id }
    }

    /// Which of these objects of a site, by type and id, are the stack's, or are still to be deleted.
    pub fn owns(&self, site: &Site, objects: &[(&str, &str)]) -> Vec<bool> {
        let owned = self.owned(objects.iter().copied());
        objects.iter().map(|(type_name, id)| owned.has(site, type_name, id)).collect()
    }
}

impl Owned<'_> {
    /// Whether the object of this type and id that was seen in a site is one of them.
    pub fn has(&self, site: &Site, type_name: &str, id: &str) -> bool {
        self.by_id.get(&(type_name, id)).is_some_and(|own| own.iter().any(|own| site.is_of(own)))
    }
}

impl ResourceState {
    /// Where it is.
    pub fn site(&self) -> Site {
        Site { provider: Arc::clone(&self.provider), scope: self.scope.clone() }
    }
}

impl Site {
    /// Whether an object is there: in the same scope, whichever provider leads to it; or with the same provider, where it
    /// is not known what that leads to. What is in a workspace has another kind of scope than the workspace, and may be.
    pub fn is_of(&self, object: &ResourceState) -> bool {
        match (&self.scope, &object.scope) {
            (Some((kind, here)), Some((other, there))) => kind != other || here == there,
            _ => self.provider == object.provider,
        }
    }
}

//! Finding again what lives in a place that was renamed: its key is another one now, and perhaps its id.

use std::{sync::Arc, time::Duration};

use super::make::Making;
use crate::{
    desired::Tree,
    observe::Looks,
    plan::{Difference, Verdict},
    program::{Field, Identity},
    provider::{Driver, Request},
    report::Diagnostic,
    state::{Effect, ResourceState},
};

impl Making<'_, '_> {
    pub(super) fn is_place(&self, differences: &[Difference]) -> bool {
        differences.iter().all(|difference| {
            let field = difference.path.field().and_then(|name| self.node.schema.field(name));
            difference.verdict < Verdict::MayReplace || field.is_some_and(|field| field.parent.is_some())
        })
    }

    /// The place in which it lives was renamed, and nothing else differs that can't be changed in place.
    pub(super) fn moved_place(&self, differences: &[Difference]) -> Option<Vec<Difference>> {
        let renamed = differences.iter().any(|difference| difference.verdict == Verdict::Replace);
        (renamed && self.is_place(differences)).then(|| {
            let place = |d: &&Difference| d.verdict != Verdict::Replace;
            differences.iter().filter(place).cloned().collect()
        })
    }

    /// Finds it again in its renamed place, then changes what else differs.
    pub(super) async fn reidentify(
        &self,
        driver: &Arc<dyn Driver>,
        before: &ResourceState,
        target: ResourceState,
        rest: &[Difference],
    ) -> Result<(), Diagnostic> {
        let mut there = before.clone();
        there.inputs = with_places(&before.inputs, &target.inputs, self.node.schema.fields());
        let plain = self.plain(&there.inputs);
        // Only an id that is made of the key is another one now.
        if self.node.schema.identity == Identity::Key {
            let mut looks = Looks::new(self.node.schema.consistency, Duration::ZERO);
            there.id = loop {
                let found = driver.find(&plain).await.map_err(|error| self.failed(&error))?;
                if let [one] = found.as_slice() {
                    break one.id.clone();
                }
                if !looks.again().await {
                    let text = format!("`{}` was not found under its new key", self.address());
                    return Err(self.about(Diagnostic::error(text).hint("run the command again")));
                }
            };
        }
        let asked = Request { id: there.id.clone(), inputs: Some(plain), outputs: there.outputs.plain_part() };
        let seen = driver.read(&asked).await.map_err(|error| self.failed(&error))?;
        let Some(seen) = seen else {
            return Err(
                self.about(Diagnostic::error(format!("`{}` vanished while its place was renamed", self.address())))
            );
        };
        there.id.clone_from(&seen.id);
        there.outputs = self.conceal(&there.inputs, seen.outputs.clone());
        let target = ResourceState { id: there.id.clone(), outputs: there.outputs.clone(), ..target };
        if rest.is_empty() {
            return self.nothing_differs(driver, target, before).await;
        }
        self.run.close(None, vec![Effect::put(there.clone())]).await?;
        self.send_update(driver, target, &there, &seen.inputs, rest).await
    }
}

/// Inputs as they were, in the places that they are in now.
fn with_places(before: &Tree, now: &Tree, fields: &[Field]) -> Tree {
    let (Tree::Map(before), Tree::Map(now)) = (before, now) else { return before.clone() };
    let mut entries = before.clone();
    for field in fields.iter().filter(|field| field.parent.is_some()) {
        entries.extend(now.get(field.name).map(|place| (field.name.to_owned(), place.clone())));
    }
    Tree::Map(entries)
}

//! What is inside of an object that is about to end, where the plan did not look.

use std::sync::Arc;

use super::{
    retry::{PATIENCE, Retry},
    schedule::Run,
    slots::Slots,
};
use crate::{
    provider::{Content, Driver, ProviderResult},
    report::Diagnostic,
    state::ResourceState,
};

impl Run<'_> {
    /// Refuses to end an object that holds what the stack does not own. A plan that reads reality has looked, and says
    /// so; one made offline has not, nor does any plan look into what an earlier run left to be deleted.
    pub(super) async fn refuse_contents(
        &self,
        driver: &Arc<dyn Driver>,
        old: &ResourceState,
        pending: bool,
    ) -> Result<(), Diagnostic> {
        let offline = self.observed.offline.is_some();
        let looked = !offline && !pending;
        if looked || self.forces(old) {
            return Ok(());
        }
        let inside = inside(&self.slots, driver, &old.id).await.map_err(|error| {
            let summary = format!("cannot see what is in `{}` (`{}`)", old.address, old.id);
            Diagnostic::of_provider(summary, &error).about(&old.address)
        })?;
        let foreign = self.foreign(old, &inside);
        if foreign.is_empty() {
            return Ok(());
        }
        Err(Diagnostic::error(format!("`{}` (`{}`) holds what the stack does not own", old.address, old.id))
            .detail(foreign.join("\n"))
            .hint(if offline {
                "delete or move it, or run this again without --offline: the plan then says what is lost"
            } else {
                "delete or move it, and run this again"
            })
            .about(&old.address))
    }

    /// What of this is neither in state nor was until this run deleted it: that may still show.
    fn foreign(&self, holder: &ResourceState, inside: &[Content]) -> Vec<String> {
        let objects: Vec<(&str, &str)> = inside.iter().map(|content| (content.type_name, &*content.id)).collect();
        let owned = self.live.owns(&holder.site(), &objects);
        let foreign =
            objects.iter().zip(owned).filter(|((kind, id), owned)| !owned && !self.ended_in(holder, kind, id));
        foreign.map(|((kind, id), _)| format!("{kind} `{id}`")).collect()
    }
}

async fn inside(slots: &Slots, driver: &Arc<dyn Driver>, id: &str) -> ProviderResult<Vec<Content>> {
    let mut retry = Retry::of(slots, PATIENCE);
    loop {
        match driver.contents(id).await {
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            Err(error) => retry.after_doubt(error).await?,
            inside => return inside,
        }
    }
}

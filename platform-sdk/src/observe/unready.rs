//! What can't be asked yet: what lies behind a provider that is made of something that is not known to be ready.

use super::{Observed, Reading};
use crate::{
    desired::{Address, Node, ProviderKey},
    report::Diagnostic,
    state::Status,
};

impl Reading<'_> {
    /// The resource that this provider is made of and that is still waited for.
    pub(super) fn waits_for(&self, provider: &ProviderKey) -> Option<&Address> {
        let unready = |owner: &&Address| {
            let state = self.snapshot.resources.get(*owner);
            state.is_some_and(|state| matches!(state.status, Status::Unready(_)))
        };
        self.desired.providers.get(provider)?.dependencies.iter().find(unready)
    }

    /// Lets what is imported from there wait: whether it is there can't be asked yet. Whether that is so.
    pub(super) fn imported_later(&self, node: &Node, observed: &mut Observed) -> bool {
        let Some(owner) = self.waits_for(&node.provider) else { return false };
        let problem = Diagnostic::error(format!("cannot look for `{}` yet", node.address))
            .detail(format!("it lies behind `{owner}`, which is not known to be ready"))
            .hint("run the command again when it is")
            .about(&node.address)
            .at(&node.at);
        observed.unreadable.insert(node.address.clone(), problem);
        true
    }
}

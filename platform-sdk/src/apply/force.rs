//! Force: who has asked for it and agreed to what it may break, and what a refusal without it says.

use super::{make::Making, schedule::Run};
use crate::{provider::ProviderError, report::Diagnostic, state::ResourceState};

impl Run<'_> {
    /// Whether a delete takes along what is in it, and is carried out where others use it: where the program says so, and
    /// the plan has said what may be lost.
    pub(super) fn forces(&self, old: &ResourceState) -> bool {
        self.options(old).force_destroy && self.course.losing.contains(&old.address)
    }

    /// A delete that failed.
    pub(super) fn not_deleted(&self, old: &ResourceState, error: &ProviderError) -> Diagnostic {
        let address = &old.address;
        let problem = Diagnostic::of_provider(format!("cannot delete `{address}` (`{}`)", old.id), error);
        let problem = problem.about(address);
        if !error.needs_force || self.forces(old) {
            return problem;
        }
        let agree = format!("agree to the loss with `--allow-data-loss {address}`");
        let say = if self.options(old).force_destroy { "" } else { "say `.force_destroy(true)`, apply that, and " };
        problem.hint(format!("delete or move what uses it or is in it; or {say}{agree}"))
    }
}

impl Making<'_, '_> {
    /// Whether an update may break what uses the object: where the program says so, and the plan has said what may be
    /// lost.
    pub(super) fn forces(&self) -> bool {
        self.node.options.force_update && self.run.course.losing.contains(self.address())
    }

    /// How to ask for what was refused for the lack of force.
    pub(super) fn ask_for_force(&self, problem: Diagnostic, error: &ProviderError) -> Diagnostic {
        if !error.needs_force || self.forces() {
            return problem;
        }
        let agree = format!("agree to what may break with `--allow-data-loss {}`", self.address());
        let say = if self.node.options.force_update { "" } else { "say `.force_update(true)` and " };
        problem.hint(format!("change what uses it first; or {say}{agree}"))
    }
}

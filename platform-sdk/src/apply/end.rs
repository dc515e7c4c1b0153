//! Ending: deletes, by a call of their own or along with another object, and changes of state alone.

use std::sync::Arc;

use super::{
    live::references,
    retry::{PATIENCE, Retry, bounded},
    schedule::Run,
    slots::Slot,
};
use crate::{
    desired::{Address, Node},
    fault,
    observe::{BUILTIN, may_have_happened, request},
    plan::{Decision, Op, compare},
    program::{Operation, Options},
    provider::{Driver, ErrorKind, ProviderError, change_in_doubt, known_change},
    report::Diagnostic,
    state::{Effect, Intent, IntentOp, ResourceState, Status},
};

impl Run<'_> {
    /// Ends the object that an address held when the run began.
    pub(super) async fn end(&self, action: usize, address: &Address) -> Result<(), Diagnostic> {
        let decision = &self.course.decisions[address];
        if !self.live.replaces(&decision.conditions) {
            return Ok(());
        }
        let Some((old, gone)) = self.ending(address, decision) else { return Ok(()) };
        if self.is_left(&old) || self.dies_along(decision) {
            return self.close(None, vec![gone]).await;
        }
        // What goes along is gone in the same moment, and in the same record: its state would not find it again.
        let mut effects = vec![gone];
        effects.extend(self.going_along(address));
        self.delete(action, &old, effects).await
    }

    /// The object that an address held when the run began, if it is still there, and the effect of its end.
    fn ending(&self, address: &Address, decision: &Decision) -> Option<(Arc<ResourceState>, Effect)> {
        // A replacement that created first has left the old object among the pending deletes.
        if decision.op == (Op::Replace { create_first: true }) {
            let was = self.course.snapshot.resources.get(address).map(|state| &state.id);
            let id = self.observed.present(address).map(|seen| &seen.id).or(was);
            let old = id.and_then(|id| self.live.left_behind(address, id))?;
            let gone = Effect::Deleted(address.clone(), old.id.clone());
            return Some((old, gone));
        }
        let old = self.live.resource(address)?;
        let gone = match (&decision.op, self.desired.nodes.get(address)) {
            (Op::Replace { .. }, Some(node)) => Effect::End(self.as_it_is(node, &old).into()),
            _ => Effect::Remove(address.clone()),
        };
        Some((old, gone))
    }

    /// An object that makes room for its successor: with what others have set of it, which the successor keeps.
    fn as_it_is(&self, node: &Node, old: &ResourceState) -> ResourceState {
        let seen = self.observed.present(&node.address).map(|seen| &seen.inputs);
        let inputs = compare(node, old.inputs.clone(), Some(old), seen).inputs;
        ResourceState { inputs, ..old.clone() }
    }

    /// The ends of everything that goes along with this resource's object, directly or further down.
    fn going_along(&self, address: &Address) -> Vec<Effect> {
        let mut effects = Vec::new();
        let mut above = vec![address];
        while let Some(target) = above.pop() {
            for next in self.along.get(target).into_iter().flatten() {
                let decision = self.course.decisions.get(next);
                let Some(decision) = decision.filter(|decision| self.live.replaces(&decision.conditions)) else {
                    continue;
                };
                effects.extend(self.ending(next, decision).map(|(_, gone)| gone));
                above.push(next);
            }
        }
        effects
    }

    /// Whether the object that it goes along with has really ended.
    fn dies_along(&self, decision: &Decision) -> bool {
        let with = decision.dies_with.as_ref().and_then(|target| self.course.decisions.get(target));
        with.is_some_and(|with| self.live.replaces(&with.conditions))
    }

    /// The options that hold for an object: those of the program, and those of state where it does not declare it.
    pub(super) fn options<'o>(&'o self, old: &'o ResourceState) -> &'o Options {
        let of_program = self.desired.nodes.get(&old.address).map(|node| &node.options);
        of_program.or_else(|| self.desired.leaving.get(&old.address)).unwrap_or(&old.options)
    }

    /// Whether an object that is no longer wanted is left where it is.
    fn is_left(&self, old: &ResourceState) -> bool {
        self.options(old).retain_on_delete
    }

    /// Whether what a replacement has left behind stays there: also where it was only to be retained back then.
    pub(super) fn retains(&self, old: &ResourceState) -> bool {
        old.options.retain_on_delete || self.is_left(old)
    }

    /// Ends an object that an earlier run's replacement left behind.
    pub(super) async fn end_pending(&self, action: usize, place: usize) -> Result<(), Diagnostic> {
        let Some(old) = self.course.snapshot.pending_deletes.get(place) else { return Ok(()) };
        let gone = Effect::Deleted(old.address.clone(), old.id.clone());
        if self.retains(old) {
            return self.close(None, vec![gone]).await;
        }
        self.delete(action, old, vec![gone]).await
    }

    /// Deletes an object; the first effect is its own end.
    async fn delete(&self, action: usize, old: &ResourceState, effects: Vec<Effect>) -> Result<(), Diagnostic> {
        if old.provider.kind == BUILTIN {
            return self.close(None, effects).await;
        }
        let pending = matches!(effects.first(), Some(Effect::Deleted(..)));
        let as_it_was = match effects.first() {
            Some(Effect::End(was)) => Some(&**was),
            _ => None,
        };
        let replaces = as_it_was.is_some();
        let failed = |error: &ProviderError| self.not_deleted(old, error);
        let config = self.config_for(old).await.map_err(|error| failed(&error))?;
        let driver = self.driver(&old.provider.kind, &config, old.address.type_name()).await;
        let driver = driver.map_err(|error| failed(&error))?;
        self.refuse_contents(&driver, old, pending).await?;
        let intent = self.ledger.intent_id();
        let announced = Intent {
            id: intent.clone(),
            op: IntentOp::Delete,
            target: as_it_was.unwrap_or(old).clone(),
            found_before: Vec::new(),
            pending_delete: pending,
            replaces,
            at_ms: self.ledger.now_ms(),
            by: None,
        };
        self.announce(action, announced).await?;
        let slot = self.turn(action, &intent).await?;
        match self.send_delete((&driver, slot), old, &intent, self.forces(old)).await {
            Ok(()) => {
                known_change();
                self.have_ended(&effects);
                self.close(Some(intent), effects).await
            }
            Err(error) => {
                if may_have_happened(&error) {
                    change_in_doubt();
                }
                self.close(Some(intent), vec![Effect::Nothing]).await?;
                Err(failed(&error))
            }
        }
    }

    async fn send_delete(
        &self,
        (driver, slot): (&Arc<dyn Driver>, Slot<'_>),
        old: &ResourceState,
        intent: &str,
        force: bool,
    ) -> Result<(), ProviderError> {
        let ctx = self.context(intent, &old.address);
        let bound = old.options.timeout(Operation::Delete).unwrap_or(PATIENCE);
        let mut retry = Retry::within(slot, bound);
        let asked = request(old);
        loop {
            fault::point("before a delete is sent");
            let answer = bounded(bound, driver.delete(&ctx, &asked, force)).await;
            fault::point("a delete is answered");
            match answer {
                Ok(()) => return Ok(()),
                Err(error) if error.kind == ErrorKind::NotFound => return Ok(()),
                Err(error) => retry.after_doubt(error).await?,
            }
        }
    }

    /// Changes state alone.
    pub(super) async fn note(&self, address: &Address) -> Result<(), Diagnostic> {
        let decision = &self.course.decisions[address];
        if decision.left_alone {
            return Ok(());
        }
        let effect = match decision.op {
            Op::Forget => Effect::Remove(address.clone()),
            _ => match (self.live.resource(address), self.desired.nodes.get(address)) {
                (Some(state), Some(node)) => {
                    let mut state = (*state).clone();
                    // What is still waited for is updated, and not noted.
                    if matches!(state.status, Status::Unready(_)) {
                        state.status = Status::Whole;
                    }
                    // What it is reached by may be known only now.
                    let inputs = self.live.inputs(node)?;
                    let seen = self.observed.present(address).map(|seen| &seen.inputs);
                    let inputs = compare(node, inputs, Some(&state), seen).inputs;
                    if inputs != state.inputs {
                        (state.inputs, state.unset) = (inputs, None);
                    }
                    state.options = node.options.clone();
                    state.dependencies.clone_from(&node.dependencies);
                    state.parents.clone_from(&node.parents);
                    state.references = references(node);
                    state.schema_version = node.schema.version;
                    Effect::put(state)
                }
                _ => return Ok(()),
            },
        };
        self.close(None, vec![effect]).await
    }
}

//! Making: create and adopt; what each decision asks for.

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use super::{
    created::{Created, NotCreated},
    live::{references, with_defaults},
    retry::{PATIENCE, Retry},
    schedule::Run,
};
use crate::{
    desired::{Address, Node, Telling, Tree, conceal_outputs},
    observe::{BUILTIN, known_by, without_unseen},
    plan::{Op, compare},
    program::{Identity, Operation},
    provider::{Driver, ErrorKind, Found, ProviderError, Request, change_in_doubt, known_change},
    report::{Diagnostic, Event},
    state::{Effect, Intent, IntentOp, ResourceState, Status},
};

/// One resource, on its way to what the program wants.
pub(super) struct Making<'r, 'a> {
    pub(super) run: &'r Run<'a>,
    pub(super) node: &'a Node,
    pub(super) op: &'a Op,
    /// The place of the action that this is done for.
    pub(super) action: usize,
}

impl Making<'_, '_> {
    /// Does whatever the decision asks for.
    pub(super) async fn make(self) -> Result<(), Diagnostic> {
        let inputs = self.run.live.inputs(self.node)?;
        self.run.scrub.learn(&inputs);
        let mut target = self.target(inputs).await?;
        self.before_hand_over(&mut target);
        let driver = self.driver(&target).await?;
        match self.op {
            Op::Create => {
                // What is gone is not in state any more, whoever takes its name before this is there.
                if let Some(gone) = self.run.live.resource(self.address()) {
                    let resumes = self.run.course.decisions[self.address()].resumes;
                    let effect = if resumes { Effect::End(gone) } else { Effect::Remove(self.address().clone()) };
                    self.run.close(None, vec![effect]).await?;
                }
                // When an earlier run ended it is not known: it may have been a moment ago.
                self.run
                    .course
                    .snapshot
                    .replacing
                    .get(self.address())
                    .into_iter()
                    .for_each(|old| self.run.has_ended(old.clone()));
                self.create(&driver, self.resumed(target), None).await
            }
            Op::Replace { create_first } => self.replace(&driver, target, *create_first).await,
            Op::Adopt => self.adopt(&driver, target).await,
            Op::Update => self.update(&driver, target).await,
            Op::Delete | Op::Forget | Op::Read | Op::Move { .. } | Op::Options | Op::Keep => Ok(()),
        }
    }

    pub(super) fn address(&self) -> &Address {
        &self.node.address
    }

    pub(super) fn failed(&self, error: &ProviderError) -> Diagnostic {
        let verb = match self.op {
            Op::Create => "create",
            Op::Adopt => "adopt",
            Op::Replace { .. } => "replace",
            _ => "update",
        };
        let problem = Diagnostic::of_provider(format!("cannot {verb} `{}`", self.address()), error);
        self.about(self.ask_for_force(problem, error))
    }

    pub(super) fn about(&self, diagnostic: Diagnostic) -> Diagnostic {
        diagnostic.about(self.address()).at(&self.node.at)
    }

    /// The object as it will be in state, before it has an id.
    async fn target(&self, inputs: Tree) -> Result<ResourceState, Diagnostic> {
        let provider = self.run.provider(&self.node.provider)?;
        let scope = self.run.scope(self.node, &provider).await.map_err(|error| {
            self.run.sent_away_if_closed(self.action);
            self.failed(&error)
        })?;
        Ok(ResourceState {
            address: self.address().clone(),
            id: String::new(),
            provider,
            scope,
            schema_version: self.node.schema.version,
            inputs,
            references: references(self.node),
            outputs: Tree::default(),
            dependencies: self.node.dependencies.clone(),
            parents: self.node.parents.clone(),
            options: self.node.options.clone(),
            status: Status::Whole,
            unset: None,
        })
    }

    pub(super) async fn driver(&self, target: &ResourceState) -> Result<Arc<dyn Driver>, Diagnostic> {
        let provider = &target.provider;
        let driver = self.run.driver(&provider.kind, &provider.config, self.address().type_name()).await;
        driver.map_err(|error| self.failed(&error))
    }

    pub(super) fn plain(&self, inputs: &Tree) -> Value {
        with_defaults(inputs, self.node.schema.fields()).plain().unwrap_or_default()
    }

    pub(super) fn bound(&self, operation: Operation) -> Duration {
        self.node.options.timeout(operation).unwrap_or(PATIENCE)
    }

    async fn replace(
        &self,
        driver: &Arc<dyn Driver>,
        mut target: ResourceState,
        create_first: bool,
    ) -> Result<(), Diagnostic> {
        let decision = &self.run.course.decisions[self.address()];
        if !self.run.live.replaces(&decision.conditions) {
            // The value turned out to be what was there: whatever else differs is an update.
            return self.update(driver, target).await;
        }
        let seen = self.run.observed.present(self.address()).map(|seen| &seen.inputs);
        let last = self.run.course.snapshot.resources.get(self.address()).map(|state| &**state);
        target = self.like(target, last, seen);
        let old = self.run.live.resource(self.address()).filter(|_| create_first);
        self.create(driver, target, old).await
    }

    /// The object that an interrupted replacement still owes: like the one that is gone, in what is left to others.
    fn resumed(&self, target: ResourceState) -> ResourceState {
        let (snapshot, address) = (&self.run.course.snapshot, self.address());
        if !self.run.course.decisions[address].resumes {
            return target;
        }
        let old = snapshot.replacing.get(address).or_else(|| snapshot.resources.get(address));
        self.like(target, old.map(|old| &**old), None)
    }

    /// The object with what is left to others as it was.
    fn like(&self, mut target: ResourceState, last: Option<&ResourceState>, seen: Option<&Tree>) -> ResourceState {
        target.inputs = compare(self.node, target.inputs, last, seen).inputs;
        target
    }

    /// Makes a new object; `old` is the one that it replaces and that is still there.
    async fn create(
        &self,
        driver: &Arc<dyn Driver>,
        target: ResourceState,
        old: Option<Arc<ResourceState>>,
    ) -> Result<(), Diagnostic> {
        let plain = self.plain(&target.inputs);
        if target.provider.kind == BUILTIN {
            let ctx = self.run.context(&self.run.ledger.intent_id(), self.address());
            let made = driver.create(&ctx, &plain).await.map_err(|error| self.failed(&error))?;
            return self.made(target, made, None, old.is_some()).await;
        }
        let mut alone = self.run.alone(self.node, &target.provider).await?;
        let mut found_before = self.before(driver, &plain, old.as_deref()).await?;
        found_before.extend(self.run.leaving(self.node.schema, &target.inputs));
        let intent = self.intent(IntentOp::Create, &target, found_before).await;
        self.run.announce(self.action, intent.clone()).await?;
        let created = Created { making: self, driver, plain: &plain, intent: &intent };
        let slot = self.run.turn(self.action, &intent.id).await?;
        match created.settle(slot).await {
            Ok(made) => {
                known_change();
                let target = ResourceState { status: self.finished(), ..target };
                self.made(target, made, Some(intent.id), old.is_some()).await?;
                drop(alone);
                self.wait(driver).await
            }
            Err(not_created) => {
                let failed = self.failed(&not_created.error);
                let found = not_created.seen.clone().filter(|_| *self.op == Op::Create);
                let wanted = target.clone();
                if not_created.in_doubt {
                    change_in_doubt();
                    alone.in_doubt(self.address());
                }
                self.not_whole(driver, (target, old.is_some()), not_created, &intent.id).await?;
                drop(alone);
                match found {
                    // What is missing is asked for as a change of what there is.
                    Some(found) => Box::pin(self.update_from(driver, wanted, Some(&found))).await,
                    None => Err(failed),
                }
            }
        }
    }

    /// What is about to be asked.
    pub(super) async fn intent(&self, op: IntentOp, target: &ResourceState, found_before: Vec<Found>) -> Intent {
        let ledger = &self.run.ledger;
        let by = self.run.connections.principal(&target.provider.kind, &target.provider.config).await;
        let (id, at_ms) = (ledger.intent_id(), ledger.now_ms());
        Intent { id, op, target: target.clone(), found_before, pending_delete: false, replaces: false, at_ms, by }
    }

    /// What carries the natural key already: none of it is ours. For a type with unique keys it is in the way.
    pub(super) async fn before(
        &self,
        driver: &Arc<dyn Driver>,
        plain: &Value,
        old: Option<&ResourceState>,
    ) -> Result<Vec<Found>, Diagnostic> {
        let mut retry = Retry::of(&self.run.slots, self.bound(Operation::Create));
        loop {
            let found = match driver.find(plain).await {
                Ok(found) => found,
                Err(error) if error.is_not_found() => Vec::new(),
                Err(error) => {
                    retry.after_doubt(error).await.map_err(|error| self.failed(&error))?;
                    continue;
                }
            };
            let is_key = self.node.schema.identity == Identity::Key;
            let other = found.iter().filter(|_| is_key).find(|found| old.is_none_or(|old| old.id != found.id));
            let Some(other) = other else { return Ok(found) };
            if !self.run.may_still_show(self.node.schema, &other.id) {
                return Err(self.in_the_way(other));
            }
            // What this run deleted may still show for a while.
            let shows =
                ProviderError::new(ErrorKind::AlreadyExists, format!("`{}` was deleted and still shows", other.id));
            retry.pause(shows).await.map_err(|error| self.failed(&error))?;
        }
    }

    fn in_the_way(&self, other: &Found) -> Diagnostic {
        let text = format!("cannot create `{}`: `{}` exists already", self.address(), other.id);
        let hint =
            format!("take it over with `.adopt_existing()` or `.import(\"{}\")`, or choose another name", other.id);
        let detail = "it is not in this stack's state, so it is somebody's";
        self.about(Diagnostic::error(text).detail(detail).hint(hint))
    }

    /// Records a new object; what it replaces becomes a pending delete.
    async fn made(
        &self,
        mut target: ResourceState,
        (id, outputs): (String, Tree),
        intent: Option<String>,
        retires: bool,
    ) -> Result<(), Diagnostic> {
        target.id = id;
        target.outputs = self.conceal(&target.inputs, outputs);
        let mut effects = Vec::new();
        // What is to stay where it is must not be found among the pending deletes by a later run.
        if retires && !self.node.options.retain_on_delete {
            effects.push(Effect::Retire(self.address().clone()));
        }
        effects.push(Effect::put(target));
        self.run.close(intent, effects).await?;
        self.run.has_made(self.address());
        Ok(())
    }

    /// What comes back does not lose the secrecy of what was given, and is kept once where it is the same.
    pub(super) fn conceal(&self, inputs: &Tree, outputs: Tree) -> Tree {
        let outputs = conceal_outputs(outputs.without_deep_fields(), self.node.schema, inputs);
        self.tell_of_lost(&outputs);
        self.run.scrub.learn(&outputs);
        let mut secrets = Vec::new();
        inputs.collect_secrets(&mut secrets);
        outputs.concealing(&Telling::of(secrets)).sharing(inputs)
    }

    /// Says which outputs the service gave and state can't keep.
    fn tell_of_lost(&self, outputs: &Tree) {
        let Tree::Map(fields) = outputs else { return };
        let lost: Vec<String> = fields
            .iter()
            .filter_map(|(name, field)| if let Tree::Unknown(why) = field { Some((name, why)) } else { None })
            .map(|(name, why)| format!("output `{name}`: {why}"))
            .collect();
        if !lost.is_empty() {
            let text = format!("not all that the service says of `{}` can be kept", self.address());
            let problem = Diagnostic::warning(text).detail(lost.join("\n")).hint("what refers to it can't be made");
            self.run.observer.event(&Event::Diagnostic(self.about(problem)));
        }
    }

    /// A create that failed: an object that is there all the same is kept and finished next time.
    async fn not_whole(
        &self,
        driver: &Arc<dyn Driver>,
        (mut target, retires): (ResourceState, bool),
        not_created: NotCreated,
        intent: &str,
    ) -> Result<(), Diagnostic> {
        let NotCreated { error, id, seen, in_doubt } = not_created;
        let Some(id) = id else {
            // The intent of a create whose answer is lost stays open: the next run finds out what became of it.
            if in_doubt {
                return Ok(());
            }
            return self.run.close(Some(intent.to_owned()), vec![Effect::Nothing]).await;
        };
        target.status = Status::Making(self.run.scrub.text(&error.message));
        target.inputs = without_unseen(&target.inputs, self.node.schema.fields());
        let asked = Request { id: id.clone(), inputs: target.inputs.plain(), outputs: None };
        let seen = if seen.is_some() { seen } else { driver.read(&asked).await.ok().flatten() };
        // Without outputs nothing can refer to it; the id alone is enough to finish or delete it.
        let outputs = seen.map_or_else(|| known_by(&id), |seen| seen.outputs);
        self.made(target, (id, outputs), Some(intent.to_owned()), retires).await
    }

    async fn adopt(&self, driver: &Arc<dyn Driver>, mut target: ResourceState) -> Result<(), Diagnostic> {
        let Some(seen) = self.run.observed.found.get(self.address()) else {
            return Err(self.about(Diagnostic::error(format!("`{}` was not found again", self.address()))));
        };
        let wanted = target.inputs.clone();
        target.inputs = owned_part(&seen.inputs, &wanted).as_secret_as(&wanted);
        target.status = Status::Partial("it was adopted and is not yet what the program says".to_owned());
        self.made(target.clone(), (seen.id.clone(), seen.outputs.clone()), None, false).await?;
        target.inputs = wanted;
        target.status = Status::Whole;
        self.update_from(driver, target, Some(seen)).await
    }
}

/// Of what was observed, the fields that the program sets: the others stay the server's business.
fn owned_part(seen: &Tree, wanted: &Tree) -> Tree {
    let (Tree::Map(seen), Tree::Map(wanted)) = (seen, wanted) else { return seen.clone() };
    Tree::Map(seen.iter().filter(|(name, _)| wanted.contains_key(name)).map(|(k, v)| (k.clone(), v.clone())).collect())
}

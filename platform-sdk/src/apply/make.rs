//! Making: create, adopt, update, and the wait until what was made can be used.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use super::{
    created::Created,
    live::{references, with_defaults},
    retry::{PATIENCE, Retry},
    schedule::Run,
};
use crate::{
    desired::{Address, Node, Tree},
    observe::{BUILTIN, may_have_happened, request},
    plan::{Compared, Difference, Op, Verdict, compare},
    program::{Identity, Operation},
    provider::{Driver, ErrorKind, Found, Observation, ProviderError, ProviderResult, Readiness, Request},
    report::Diagnostic,
    state::{Effect, Intent, IntentOp, Record, ResourceState, Status},
};

/// How long something is waited for until it can be used, unless the program bounds it.
const READY_PATIENCE: Duration = Duration::from_mins(45);

/// One resource, on its way to what the program wants.
pub(super) struct Making<'r, 'a> {
    pub(super) run: &'r Run<'a>,
    pub(super) node: &'a Node,
    pub(super) op: &'a Op,
}

impl Making<'_, '_> {
    /// Does whatever the decision asks for.
    pub(super) async fn make(self) -> Result<(), Diagnostic> {
        let inputs = self.run.live.inputs(self.node)?;
        self.run.scrub.learn(&inputs);
        let target = self.target(inputs).await?;
        let driver = self.driver(&target).await?;
        match self.op {
            Op::Create => self.create(&driver, target, None).await,
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
        self.about(Diagnostic::of_provider(format!("cannot {verb} `{}`", self.address()), error))
    }

    pub(super) fn about(&self, diagnostic: Diagnostic) -> Diagnostic {
        diagnostic.about(self.address()).at(&self.node.at)
    }

    /// The object as it will be in state, before it has an id.
    async fn target(&self, inputs: Tree) -> Result<ResourceState, Diagnostic> {
        let provider = self.run.live.provider(self.run.desired, &self.node.provider)?;
        let scope = self.run.scope(self.node, &provider).await.map_err(|error| self.failed(&error))?;
        Ok(ResourceState {
            address: self.address().clone(),
            id: String::new(),
            provider,
            scope,
            schema_version: self.node.schema.version,
            input_hash: inputs.hash(&*self.run.settings.keyed),
            inputs,
            references: references(self.node),
            outputs: Tree::default(),
            dependencies: self.node.dependencies.clone(),
            parents: self.node.parents.clone(),
            options: self.node.options.clone(),
            status: Status::Whole,
        })
    }

    async fn driver(&self, target: &ResourceState) -> Result<Arc<dyn Driver>, Diagnostic> {
        let provider = &target.provider;
        let driver = self.run.connections.driver(&provider.kind, &provider.config, self.address().type_name()).await;
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
        let decision = &self.run.planned.decisions[self.address()];
        if !self.run.live.replaces(&decision.conditions) {
            // The value turned out to be what was there: whatever else differs is an update.
            return self.update(driver, target).await;
        }
        let seen = self.run.observed.present(self.address()).map(|seen| &seen.inputs);
        let last = self.run.planned.snapshot.resources.get(self.address()).map(|state| &state.inputs);
        target.inputs = compare(self.node, target.inputs, last, seen).inputs;
        target.input_hash = target.inputs.hash(&*self.run.settings.keyed);
        let old = self.run.live.resource(self.address()).filter(|_| create_first);
        self.create(driver, target, old).await
    }

    /// Makes a new object; `old` is the one that it replaces and that is still there.
    async fn create(
        &self,
        driver: &Arc<dyn Driver>,
        target: ResourceState,
        old: Option<Arc<ResourceState>>,
    ) -> Result<(), Diagnostic> {
        let plain = self.plain(&target.inputs);
        let intent = self.run.ledger.intent_id();
        if target.provider.kind == BUILTIN {
            let ctx = self.run.context(&intent, self.address());
            let made = driver.create(&ctx, &plain).await.map_err(|error| self.failed(&error))?;
            return self.made(target, made, None, old.is_some()).await;
        }
        let found_before = self.before(driver, &plain, old.as_deref()).await?;
        self.run
            .append(Record::Intent(Box::new(Intent {
                id: intent.clone(),
                op: IntentOp::Create,
                target: target.clone(),
                found_before: found_before.clone(),
                pending_delete: false,
            })))
            .await?;
        let created = Created { making: self, driver, plain: &plain, intent: &intent, found_before: &found_before };
        match created.settle().await {
            Ok(made) => {
                self.made(target, made, Some(intent), old.is_some()).await?;
                self.wait(driver).await
            }
            Err((error, id)) => {
                let failed = self.failed(&error);
                self.not_whole(target, id, &intent, old.is_some(), &error).await?;
                Err(failed)
            }
        }
    }

    /// What carries the natural key already: none of it is ours.
    async fn before(
        &self,
        driver: &Arc<dyn Driver>,
        plain: &Value,
        old: Option<&ResourceState>,
    ) -> Result<Vec<Found>, Diagnostic> {
        let mut retry = Retry::new(self.bound(Operation::Create));
        let found = loop {
            match driver.find(plain).await {
                Ok(found) => break found,
                Err(error) if error.is_not_found() => break Vec::new(),
                Err(error) => retry.after_doubt(error).await.map_err(|error| self.failed(&error))?,
            }
        };
        let is_key = self.node.schema.identity == Identity::Key;
        match found.iter().find(|found| old.is_none_or(|old| old.id != found.id)) {
            Some(other) if is_key => Err(self.about(
                Diagnostic::error(format!("cannot create `{}`: `{}` exists already", self.address(), other.id))
                    .detail("it is not in this stack's state, so it is somebody's")
                    .hint(format!(
                        "take it over with `.adopt_existing()` or `.import(\"{}\")`, or choose another name",
                        other.id
                    )),
            )),
            _ => Ok(found),
        }
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
        self.run.close(intent, effects).await
    }

    /// What comes back does not lose the secrecy of what was given.
    pub(super) fn conceal(&self, inputs: &Tree, outputs: Tree) -> Tree {
        self.run.scrub.learn(&outputs);
        let mut secrets = Vec::new();
        inputs.collect_secrets(&mut secrets);
        outputs.concealing(&secrets)
    }

    /// A create that failed: an object that is there all the same is kept and finished next time.
    async fn not_whole(
        &self,
        mut target: ResourceState,
        id: Option<String>,
        intent: &str,
        retires: bool,
        error: &ProviderError,
    ) -> Result<(), Diagnostic> {
        let Some(id) = id else {
            // The intent of a create whose answer is lost stays open: the next run finds out what became of it.
            if may_have_happened(error) {
                return Ok(());
            }
            return self.run.close(Some(intent.to_owned()), vec![Effect::Nothing]).await;
        };
        target.status = Status::Partial(self.run.scrub.text(&error.message));
        let driver = self.driver(&target).await?;
        let asked = Request { id: id.clone(), inputs: target.inputs.plain(), outputs: None };
        let outputs = match driver.read(&asked).await {
            Ok(Some(seen)) => seen.outputs,
            // Without outputs nothing can refer to it; the id alone is enough to finish or delete it.
            Ok(None) | Err(_) => Tree::Map([("id".to_owned(), Tree::Leaf(id.clone().into()))].into()),
        };
        self.made(target, (id, outputs), Some(intent.to_owned()), retires).await
    }

    async fn adopt(&self, driver: &Arc<dyn Driver>, mut target: ResourceState) -> Result<(), Diagnostic> {
        let Some(seen) = self.run.observed.found.get(self.address()) else {
            return Err(self.about(Diagnostic::error(format!("`{}` was not found again", self.address()))));
        };
        let wanted = target.inputs.clone();
        target.inputs = owned_part(&seen.inputs, &wanted);
        target.status = Status::Partial("it was adopted and is not yet what the program says".to_owned());
        self.made(target.clone(), (seen.id.clone(), seen.outputs.clone()), None, false).await?;
        target.inputs = wanted;
        target.status = Status::Whole;
        self.update_from(driver, target, Some(seen)).await
    }

    async fn update(&self, driver: &Arc<dyn Driver>, target: ResourceState) -> Result<(), Diagnostic> {
        let seen = self.run.observed.present(self.address());
        self.update_from(driver, target, seen).await
    }

    async fn update_from(
        &self,
        driver: &Arc<dyn Driver>,
        mut target: ResourceState,
        seen: Option<&Observation>,
    ) -> Result<(), Diagnostic> {
        let Some(before) = self.run.live.resource(self.address()) else {
            return Err(self.about(Diagnostic::error(format!("`{}` is not in state any more", self.address()))));
        };
        let current = seen.map_or(&before.inputs, |seen| &seen.inputs);
        target.id.clone_from(&before.id);
        target.outputs = before.outputs.clone();
        let seen = seen.map(|seen| &seen.inputs);
        let Compared { inputs, mut differences } = compare(self.node, target.inputs, Some(&before.inputs), seen);
        target.inputs = inputs;
        target.input_hash = target.inputs.hash(&*self.run.settings.keyed);
        differences.retain(|difference| difference.verdict > Verdict::Released);
        let moved = self.moved_place(&differences);
        if let Some(moved) = moved {
            return self.reidentify(driver, &before, target, &moved).await;
        }
        if matches!(self.op, Op::Replace { .. }) {
            let op = if differences.is_empty() { Op::Keep } else { Op::Update };
            self.run.live.became(self.address(), op);
        }
        if differences.is_empty() {
            return self.run.close(None, vec![Effect::put(target)]).await;
        }
        self.announced(&differences)?;
        let replacing = differences.iter().find(|difference| difference.verdict == Verdict::Replace);
        if let (Some(difference), false) = (replacing, self.is_place(&differences)) {
            let text = format!(
                "`{}` of `{}` turned out to differ and can't be changed in place",
                difference.path,
                self.address()
            );
            return Err(self.about(Diagnostic::error(text).hint("run the command again: the value is known now")));
        }
        self.send_update(driver, target, &before, current, &differences).await
    }

    /// A value that is known only now must not destroy what the plan did not say.
    fn announced(&self, differences: &[Difference]) -> Result<(), Diagnostic> {
        let planned = &self.run.planned.decisions[self.address()].differences;
        let may_lose = |d: &Difference| d.verdict == Verdict::LosesData || d.judged && d.verdict == Verdict::MayReplace;
        let said = |d: &Difference| planned.iter().any(|planned| planned.path == d.path && may_lose(planned));
        match differences.iter().find(|d| d.verdict == Verdict::LosesData && !said(d)) {
            None => Ok(()),
            Some(difference) => {
                let text = format!("`{}` of `{}` turned out to destroy data", difference.path, self.address());
                Err(self.about(Diagnostic::error(text).hint("run the command again: the value is known now")))
            }
        }
    }

    pub(super) async fn send_update(
        &self,
        driver: &Arc<dyn Driver>,
        mut target: ResourceState,
        before: &ResourceState,
        current: &Tree,
        differences: &[Difference],
    ) -> Result<(), Diagnostic> {
        let paths: Vec<String> = differences.iter().map(|difference| difference.path.to_string()).collect();
        let after = self.plain(&target.inputs);
        let mut asked = request(before);
        asked.inputs = Some(self.plain(current));
        let intent = self.run.ledger.intent_id();
        let builtin = target.provider.kind == BUILTIN;
        if !builtin {
            let (op, found_before) = (IntentOp::Update, Vec::new());
            let record = Intent { id: intent.clone(), op, target: target.clone(), found_before, pending_delete: false };
            self.run.append(Record::Intent(Box::new(record))).await?;
        }
        let ctx = self.run.context(&intent, self.address());
        let mut retry = Retry::new(self.bound(Operation::Update));
        let answer = loop {
            match driver.update(&ctx, &asked, &after, &paths).await {
                Ok(made) => break Ok(made),
                Err(error) => match retry.after_doubt(error).await {
                    Ok(()) => {}
                    Err(error) => break Err(error),
                },
            }
        };
        match answer {
            Ok((id, outputs)) => {
                target.id = id;
                target.outputs = self.conceal(&target.inputs, outputs);
                self.run.close((!builtin).then_some(intent), vec![Effect::put(target)]).await?;
                self.wait(driver).await
            }
            Err(error) => {
                let mut half = before.clone();
                half.status = Status::Partial(self.run.scrub.text(&error.message));
                self.run.close(Some(intent), vec![Effect::put(half)]).await?;
                Err(self.failed(&error))
            }
        }
    }

    /// Waits until it can be used, where that is wanted.
    async fn wait(&self, driver: &Arc<dyn Driver>) -> Result<(), Diagnostic> {
        let serves = self.run.serves.contains(self.address());
        if !self.node.options.wait.unwrap_or(self.node.schema.waits || serves) {
            return Ok(());
        }
        let Some(state) = self.run.live.resource(self.address()) else { return Ok(()) };
        let bound = self.node.options.timeout(Operation::Ready).unwrap_or(READY_PATIENCE);
        let ready = timeout(bound, self.until_ready(driver, &state.id)).await;
        let failure = match ready {
            Ok(Ok(())) => return self.refreshed(driver, state).await,
            Ok(Err(error)) => error,
            Err(_) => ProviderError::new(ErrorKind::TimedOut, format!("still not ready after {} s", bound.as_secs()))
                .hint("it goes on by itself: run the command again, or give it more time with `.timeout(Operation::Ready, ..)`"),
        };
        let mut waiting = (*state).clone();
        waiting.status = Status::Partial(self.run.scrub.text(&failure.message));
        self.run.close(None, vec![Effect::put(waiting)]).await?;
        Err(self.failed(&failure))
    }

    async fn until_ready(&self, driver: &Arc<dyn Driver>, id: &str) -> ProviderResult<()> {
        let mut retry = Retry::new(PATIENCE);
        let mut pause = Duration::from_millis(100);
        let mut said = String::new();
        let started = Instant::now();
        loop {
            match driver.ready(id).await {
                Ok(Readiness::Ready) => return Ok(()),
                Ok(Readiness::Pending(state)) => {
                    if state != said {
                        self.run.say(self.address(), &state);
                        said = state;
                    }
                }
                Ok(Readiness::Failed(why)) => return Err(ProviderError::new(ErrorKind::Failed { replace: true }, why)),
                Err(error) => retry.after_doubt(error).await?,
            }
            sleep(pause).await;
            // Quick at first, since much is ready at once; then as often as a person would look.
            pause = (pause * 2).min(if started.elapsed() < Duration::from_mins(1) {
                Duration::from_secs(2)
            } else {
                Duration::from_secs(10)
            });
        }
    }

    /// What is ready may know more of itself than when it was made.
    async fn refreshed(&self, driver: &Arc<dyn Driver>, state: Arc<ResourceState>) -> Result<(), Diagnostic> {
        if let Ok(Some(seen)) = driver.read(&request(&state)).await {
            let outputs = self.conceal(&state.inputs, seen.outputs);
            if outputs != state.outputs {
                let state = ResourceState { outputs, ..(*state).clone() };
                return self.run.close(None, vec![Effect::put(state)]).await;
            }
        }
        Ok(())
    }

    /// Finds out whether a step that may replace does.
    pub(super) fn judge(&self) -> Result<bool, Diagnostic> {
        let inputs = self.run.live.inputs(self.node)?;
        let Some(before) = self.run.live.resource(self.address()) else { return Ok(false) };
        let seen = self.run.observed.present(self.address()).map(|seen| &seen.inputs);
        let Compared { differences, .. } = compare(self.node, inputs, Some(&before.inputs), seen);
        Ok(differences.iter().any(|difference| difference.verdict == Verdict::Replace))
    }
}

/// The resources that providers are made of: they must be ready before anything lies under them.
pub(super) fn serving(desired: &crate::desired::Desired) -> BTreeSet<Address> {
    desired.providers.values().flat_map(|provider| provider.dependencies.iter().cloned()).collect()
}

/// Of what was observed, the fields that the program sets: the others stay the server's business.
fn owned_part(seen: &Tree, wanted: &Tree) -> Tree {
    let (Tree::Map(seen), Tree::Map(wanted)) = (seen, wanted) else { return seen.clone() };
    Tree::Map(seen.iter().filter(|(name, _)| wanted.contains_key(name)).map(|(k, v)| (k.clone(), v.clone())).collect())
}

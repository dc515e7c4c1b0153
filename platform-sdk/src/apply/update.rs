//! Updating: changes in place, and renames.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::time::Instant;

use super::{
    make::Making,
    retry::{Retry, bounded},
    slots::Slot,
};
use crate::{
    desired::Tree,
    fault,
    observe::{BUILTIN, Looks, Unanswered, halfway, may_have_happened, renamed, renamed_unseen, renames, request},
    plan::{Compared, Difference, Op, Verdict, compare},
    program::{Field, Operation},
    provider::{Driver, ErrorKind, Observation, ProviderResult, Request, change_in_doubt, known_change},
    report::Diagnostic,
    state::{Effect, Intent, IntentOp, ResourceState, Status},
};

/// What an update sends.
struct Sending {
    asked: Request,
    after: Value,
    paths: Vec<String>,
    /// The object's outputs before.
    outputs: Tree,
    /// The object gets another natural key.
    renames: bool,
    /// It has it: an unanswered request did that much.
    renamed: Option<Observation>,
    /// A request was not answered.
    doubted: bool,
    /// Which key it has since then is not known.
    in_doubt: bool,
}

impl Sending {
    /// The object has this id now, and the key that it was to get: under its old one nobody finds it any more.
    fn has_moved(&mut self, id: String, fields: &[Field]) {
        self.in_doubt = false;
        if self.asked.id == id {
            return;
        }
        let mut inputs = self.asked.inputs.take();
        if let Some(Value::Object(inputs)) = &mut inputs {
            let keys = fields.iter().filter(|field| field.key);
            inputs.extend(keys.filter_map(|key| Some((key.name.to_owned(), self.after.get(key.name)?.clone()))));
        }
        self.asked = Request { id, inputs, outputs: None };
    }
}

impl Making<'_, '_> {
    pub(super) async fn update(&self, driver: &Arc<dyn Driver>, target: ResourceState) -> Result<(), Diagnostic> {
        let seen = self.run.observed.present(self.address());
        self.update_from(driver, target, seen).await
    }

    pub(super) async fn update_from(
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
        let Compared { inputs, mut differences, .. } = compare(self.node, target.inputs, Some(&before), seen);
        target.inputs = inputs;
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
            return self.nothing_differs(driver, target, &before).await;
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
        let planned = &self.run.course.decisions[self.address()].differences;
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
        let paths = differences.iter().map(|difference| difference.path.to_string()).collect();
        let mut asked = request(before);
        asked.inputs = Some(self.plain(current));
        let renames = renames(self.node.schema, &before.inputs, &target.inputs);
        let mut sending = Sending {
            asked,
            after: self.plain(&target.inputs),
            paths,
            outputs: before.outputs.clone(),
            renames,
            renamed: None,
            doubted: false,
            in_doubt: false,
        };
        let taken = if renames { self.before(driver, &sending.after, Some(before)).await? } else { Vec::new() };
        let intent = self.intent(IntentOp::Update, &target, taken).await;
        let builtin = target.provider.kind == BUILTIN;
        if !builtin {
            self.run.announce(self.action, intent.clone()).await?;
        }
        let slot = if builtin { None } else { Some(self.run.turn(self.action, &intent.id).await?) };
        match self.sent(driver, &intent, &mut sending, slot).await {
            Ok((id, outputs)) => {
                known_change();
                target.id = id;
                target.outputs = self.conceal(&target.inputs, outputs);
                target.status = self.finished();
                self.run.close((!builtin).then_some(intent.id), vec![Effect::put(target)]).await?;
                if renames {
                    self.run.has_ended(Arc::new(before.clone()));
                    self.run.has_made(self.address());
                }
                self.wait(driver).await
            }
            // Under which key it is now, the next run finds out.
            Err(error) if sending.in_doubt => {
                change_in_doubt();
                Err(self.failed(&error))
            }
            Err(error) => {
                if sending.doubted {
                    change_in_doubt();
                }
                if let Some(mut half) = self.left(driver, before, &intent, &sending).await {
                    if (&half.id, &half.inputs) != (&before.id, &before.inputs) {
                        known_change();
                    }
                    half.status = Status::Partial(self.run.scrub.text(&error.message));
                    self.run.close(Some(intent.id), vec![Effect::put(half)]).await?;
                }
                Err(self.failed(&error))
            }
        }
    }

    /// What a failed update has left; `None` when it can't be told under which key: the next run finds that out.
    async fn left(
        &self,
        driver: &Arc<dyn Driver>,
        before: &ResourceState,
        intent: &Intent,
        sending: &Sending,
    ) -> Option<ResourceState> {
        let (target, fields) = (&intent.target, self.node.schema.fields());
        let left = match (self.run.created_id(&intent.id), &sending.renamed) {
            (Some(id), _) => match driver.read(&sending.asked).await {
                Ok(Some(seen)) => renamed(before, target, &seen, self.node.schema),
                Ok(None) | Err(_) => renamed_unseen(before, target, &id, fields),
            },
            (None, Some(seen)) => renamed(before, target, seen, self.node.schema),
            (None, None) => {
                let was = request(before);
                if sending.renames && driver.read(&was).await.ok()?.is_none() {
                    let inputs = &sending.after;
                    let unanswered = Unanswered { driver: &**driver, intent, inputs, ago: Duration::ZERO };
                    let looked = unanswered.renamed(&was, &before.outputs);
                    if let Some(seen) = self.run.unless_stopped(looked).await.ok()? {
                        return Some(renamed(before, target, &seen, self.node.schema));
                    }
                }
                return Some(self.halfway(driver, before, target, sending.doubted).await);
            }
        };
        Some(left)
    }

    /// What a failed update has changed. What a service does not answer for a while may show later.
    async fn halfway(
        &self,
        driver: &Arc<dyn Driver>,
        before: &ResourceState,
        target: &ResourceState,
        doubted: bool,
    ) -> ResourceState {
        let window = if doubted { self.node.schema.consistency } else { Duration::ZERO };
        let seen = halfway(&**driver, before, target, Looks::new(window, Duration::ZERO)).await;
        // What can't be read either is compared by the next run.
        seen.ok().flatten().unwrap_or_else(|| before.clone())
    }

    /// Sends an update until its outcome is known: repeating it is safe, but for the key that it may have changed.
    async fn sent(
        &self,
        driver: &Arc<dyn Driver>,
        intent: &Intent,
        sending: &mut Sending,
        slot: Option<Slot<'_>>,
    ) -> ProviderResult<(String, Tree)> {
        let ctx = self.run.context(&intent.id, self.address()).forced(self.forces());
        let bound = self.bound(Operation::Update);
        let mut retry = Retry::within(slot, bound);
        let started = Instant::now();
        loop {
            fault::point("before an update is sent");
            let answer = bounded(bound, driver.update(&ctx, &sending.asked, &sending.after, &sending.paths)).await;
            fault::point("an update is answered");
            let error = match answer {
                Ok(made) => return Ok(made),
                Err(error) => error,
            };
            sending.doubted |= may_have_happened(&error);
            if let Some(id) = self.run.created_id(&intent.id) {
                sending.has_moved(id, self.node.schema.fields());
            } else if sending.renames && sending.renamed.is_none() && may_have_happened(&error) {
                sending.in_doubt = true;
                let unanswered = Unanswered { driver: &**driver, intent, inputs: &sending.after, ago: Duration::ZERO };
                let renamed = unanswered.renamed(&sending.asked, &sending.outputs);
                if let Some(seen) = self.run.unless_stopped(renamed).await? {
                    let (id, outputs) = (seen.id.clone(), seen.outputs.plain_part());
                    sending.asked = Request { id, inputs: Some(self.plain(&seen.inputs)), outputs };
                    sending.renamed = Some(seen);
                    sending.in_doubt = false;
                }
            } else {
                // Whoever is refused has not been heard before either.
                sending.in_doubt = false;
            }
            // It was made a moment ago.
            let young = started.elapsed() < self.node.schema.consistency;
            let lagging = young && self.run.lags_behind(self.node, &error);
            let held = || {
                let target = &intent.target;
                sending.renames && self.run.gave_up_key(self.node.schema, &target.site(), &target.inputs)
            };
            // What had the new name was deleted, or renamed, a moment ago.
            let taken = error.kind == ErrorKind::AlreadyExists && held();
            if lagging || taken { retry.pause(error).await? } else { retry.after_doubt(error).await? }
        }
    }

    /// Finds out whether a step that may replace does.
    pub(super) fn judge(&self) -> Result<bool, Diagnostic> {
        let inputs = self.run.live.inputs(self.node)?;
        let Some(before) = self.run.live.resource(self.address()) else { return Ok(false) };
        let seen = self.run.observed.present(self.address()).map(|seen| &seen.inputs);
        let Compared { differences, .. } = compare(self.node, inputs, Some(&before), seen);
        Ok(differences.iter().any(|difference| difference.verdict == Verdict::Replace))
    }
}

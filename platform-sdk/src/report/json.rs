//! Events as JSON, one object a line: the contract of `--json`, `"schema": 1`.

use serde_json::{Map, Value, json};

use super::words;
use crate::{
    plan::{Change, Op, Plan, Step, Summary, Unmanaged},
    provider::Changed,
    report::{Diagnostic, Event},
};

/// The version of every object's shape.
const SCHEMA: u32 = 1;

/// An event as `--json` prints it; `None` for those that are only for people.
pub fn event_json(event: &Event) -> Option<Value> {
    match event {
        Event::Plan(plan) => Some(plan_json(plan)),
        Event::Drift { steps, unmanaged, sealed, keyless, accepted, complete } => {
            let steps: Vec<Value> = steps.iter().map(step_json).collect();
            let unmanaged: Vec<Value> = unmanaged.iter().map(unmanaged_json).collect();
            let mut body = json!({"steps": steps, "unmanaged": unmanaged, "accepted": accepted, "complete": complete});
            if let Some(why) = keyless {
                body["keyless"] = why.as_str().into();
                body["not_compared"] = json!(sealed);
            }
            Some(object("drift", body))
        }
        Event::StepStarted { address, op } => {
            Some(object("step_started", json!({"address": address, "op": op.name()})))
        }
        Event::StepFinished { address, op, took, error, skipped, changed } => {
            let mut body = json!({
                "address": address,
                "op": op.name(),
                "ok": error.is_none() && !skipped,
                "ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
                "error": error,
            });
            if *skipped {
                body["skipped"] = true.into();
            }
            if error.is_some() || *skipped {
                // Null: that is not known.
                body["changes"] = match changed {
                    Changed::Nothing => 0.into(),
                    Changed::Perhaps => Value::Null,
                    Changed::Times(times) => (*times).into(),
                };
            }
            Some(object("step_finished", body))
        }
        Event::Waiting { address, reason, waited } => {
            let ms = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
            Some(object("waiting", json!({"address": address, "reason": reason, "ms": ms})))
        }
        Event::Diagnostic(diagnostic) => Some(diagnostic_json(diagnostic)),
        Event::Done { ok, summary, snapshot } => {
            Some(object("done", json!({"ok": ok, "summary": summary_json(summary), "snapshot": snapshot})))
        }
        Event::ApplyStarted { .. } | Event::StepProgress { .. } | Event::Note(_) => None,
    }
}

/// A `diagnostic` event: every key is there, null where there is nothing to say.
pub fn diagnostic_json(diagnostic: &Diagnostic) -> Value {
    object(
        "diagnostic",
        json!({
            "severity": diagnostic.severity,
            "summary": diagnostic.summary,
            "detail": diagnostic.detail,
            "hint": diagnostic.hint,
            "address": diagnostic.address,
            "at": diagnostic.at,
        }),
    )
}

/// A `plan` event: the steps that do something, in order. What stays as it is is only counted.
pub fn plan_json(plan: &Plan) -> Value {
    let mut body = json!({
        "plan_id": plan.plan_id,
        "project": plan.project,
        "stack": plan.stack,
        "base": plan.base,
        "desired": plan.desired,
        "offline": plan.offline,
        "steps": plan.changes().map(step_json).collect::<Vec<_>>(),
        "summary": summary_json(&plan.summary),
        "compute": plan.costs,
        "outputs": plan.exports.iter().map(change_json).collect::<Vec<_>>(),
    });
    if let Some(why) = &plan.keyless {
        body["keyless"] = why.as_str().into();
        body["not_compared"] = json!(plan.sealed);
    }
    object("plan", body)
}

fn step_json(step: &Step) -> Value {
    let mut body = json!({
        "address": step.address,
        "op": step.op.name(),
        "reasons": step.reasons,
        "destroys": step.destroys,
        "changes": step.changes.iter().map(change_json).collect::<Vec<_>>(),
    });
    match &step.op {
        Op::Replace { create_first } => body["create_first"] = (*create_first).into(),
        Op::Move { from } => body["from"] = from.as_str().into(),
        Op::Create | Op::Adopt | Op::Update | Op::Delete | Op::Forget | Op::Read | Op::Options | Op::Keep => {}
    }
    if let Some(condition) = &step.condition {
        body["if"] = condition.as_str().into();
    }
    if let Some(effect) = &step.effect {
        body["effect"] = effect.as_str().into();
    }
    if step.follows {
        body["follows"] = true.into();
    }
    if !step.takes_along.is_empty() {
        body["takes_along"] = step.takes_along.clone().into();
    }
    body
}

/// `before` is null throughout: nothing is known of it but its hash.
fn unmanaged_json(of: &Unmanaged) -> Value {
    json!({"address": of.address, "changes": of.changes.iter().map(change_json).collect::<Vec<_>>()})
}

fn change_json(change: &Change) -> Value {
    let mut body = json!({"path": change.path, "before": change.before, "after": change.after, "kind": change.kind});
    for (name, flag) in [("replaces", change.replaces), ("unknown", change.unknown)] {
        if flag {
            body[name] = true.into();
        }
    }
    body
}

/// All that is counted, those that don't occur with zero; halves, only where there are any.
fn summary_json(summary: &Summary) -> Value {
    let halves = [Summary::PARTLY, Summary::PERHAPS].into_iter().filter(|name| summary.count(name) > 0);
    let names = words::NAMES.into_iter().chain(halves);
    names.map(|name| (name.to_owned(), Value::from(summary.count(name)))).collect::<Map<_, _>>().into()
}

/// An object with its event's name and schema; `body` must be an object.
pub fn object(event: &str, mut body: Value) -> Value {
    if let Some(body) = body.as_object_mut() {
        body.insert("event".to_owned(), event.into());
        body.insert("schema".to_owned(), SCHEMA.into());
    }
    body
}

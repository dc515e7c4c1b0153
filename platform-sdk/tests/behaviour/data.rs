//! `Data`, the SDK's own resource: its output is its input, and a trigger that changes replaces it.

use platform_sdk::{Data, Program, plan::Op, testing::Harness};
use serde_json::json;

use super::support::{settled, step, up};

fn triggered_by(value: &'static str) -> Program {
    Program::new("demo", move |stack| {
        let cause = stack.add("cause", Data::new(json!(value)));
        let effect = stack.add("effect", Data::new(json!("same")).trigger(&cause.output).trigger(&1));
        stack.export("id", &effect.id);
        stack.export("said", &effect.output);
        Ok(())
    })
}

#[test]
fn a_trigger_that_changes_replaces_it() {
    let harness = Harness::new();
    up(&harness, &triggered_by("one"));
    let before = harness.snapshot().exports["id"].clone();
    settled(&harness, &triggered_by("one"));

    let run = up(&harness, &triggered_by("two"));

    assert!(matches!(step(&run.plan, "platform:Data::effect").op, Op::Replace { .. }), "{:?}", run.steps());
    assert!(matches!(step(&run.plan, "platform:Data::cause").op, Op::Update), "{:?}", run.steps());
    let exports = harness.snapshot().exports;
    assert_ne!(exports["id"], before, "a replacement has another id");
    assert_eq!(exports["said"].clone().plain(), Some(json!("same")));
    settled(&harness, &triggered_by("two"));
}

//! `Data`, the SDK's own resource: its output is its input, and a trigger that changes replaces it.

use platform_sdk::{Data, Output, Program, Secret, ToExpr as _, plan::Op, testing::Harness};
use serde_json::json;

use super::{
    commands::Commands,
    support::{program, settled, step, up},
};

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

#[test]
fn numbers_come_back_from_state_as_they_were_given() {
    let commands = Commands::of(|world| {
        program(world, |stack| {
            let edges = json!([
                1.0,
                -0.0,
                0.1 + 0.2,
                1e21,
                1e19,
                1e20,
                f64::MAX,
                f64::MIN_POSITIVE,
                5e-324,
                1.797_693_134_862_315_7e308,
                123_456_789.123_456_79,
                2.225_073_858_507_201e-308,
                u64::MAX,
                i64::MIN,
                9_007_199_254_740_993_i64
            ]);
            stack.add("edges", Data::new(edges.clone()));
            stack.add("secret", Data::new(Output::from_expr(Secret::new(edges).to_expr())));
            Ok(())
        })
    });
    let (exit, said) = commands.run(&["up", "--yes"]);
    assert_eq!(exit, 0, "{said}");
    let (exit, said) = commands.look(&["plan", "--detailed-exitcode"]);
    assert_eq!(exit, 0, "{said}");
}

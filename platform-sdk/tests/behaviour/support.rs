//! What these tests say often: programs over the yard, runs that must succeed, plans that must be empty.

use platform_sdk::{
    Program, Result, Stack,
    plan::{Plan, Step},
    testing::{Harness, Run},
};

use super::yard::{SiteProvider, World, Yard};

/// A program over this world.
pub(crate) fn program(world: &World, declare: impl Fn(&Stack) -> Result<()> + 'static) -> Program {
    Program::new("demo", declare).provider(Yard::of(world)).provider(SiteProvider::of(world))
}

/// A program of nothing.
pub(crate) fn nothing(world: &World) -> Program {
    program(world, |_| Ok(()))
}

/// Applies, and insists on success.
pub(crate) fn up(harness: &Harness, program: &Program) -> Run {
    let run = harness.up(program).expect("a plan");
    assert_eq!(run.failures, [], "{:?}", run.steps());
    run
}

/// Applies, and gives the failures' texts.
pub(crate) fn fails(harness: &Harness, program: &Program) -> Vec<String> {
    let run = harness.up(program).expect("a plan");
    assert!(!run.failures.is_empty(), "{:?}", run.steps());
    run.failures.iter().map(ToString::to_string).collect()
}

/// The text of the error that forbids the plan.
pub(crate) fn refused(harness: &Harness, program: &Program) -> String {
    harness.plan(program).expect_err("a refusal").to_string()
}

/// Runs in virtual time.
pub(crate) fn paused() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()
}

/// Nothing is left to do, whether reality is read or not.
pub(crate) fn settled(harness: &Harness, program: &Program) {
    for (how, plan) in [("refreshed", harness.plan(program)), ("offline", harness.plan_offline(program))] {
        let plan = plan.expect("a plan");
        assert!(plan.is_empty(), "{how}: {:#?} {:#?}", plan.changes().collect::<Vec<_>>(), plan.exports);
    }
}

/// The steps of a plan that do something, as `op address`.
pub(crate) fn steps(plan: &Plan) -> Vec<String> {
    plan.changes().map(|step| format!("{} {}", step.op.name(), step.address)).collect()
}

/// The step at an address.
pub(crate) fn step<'p>(plan: &'p Plan, address: &str) -> &'p Step {
    let found = plan.changes().find(|step| step.address.as_str() == address);
    found.unwrap_or_else(|| panic!("no step for {address}: {:?}", steps(plan)))
}

/// The ids at an address: in state, and awaiting deletion.
pub(crate) fn owned(harness: &Harness) -> Vec<String> {
    let snapshot = harness.snapshot();
    let live = snapshot.resources.values().map(|state| format!("{} {}", state.address, state.id));
    let pending = snapshot.pending_deletes.iter().map(|old| format!("old {} {}", old.address, old.id));
    live.chain(pending).collect()
}

/// Before is done before after.
pub(crate) fn in_order(calls: &[String], before: &str, after: &str) {
    let at = |call: &str| calls.iter().position(|c| c == call).unwrap_or_else(|| panic!("no `{call}` in {calls:?}"));
    assert!(at(before) < at(after), "`{before}` comes after `{after}` in {calls:?}");
}

//! Which of the two comes first in a replacement: the natural key decides, options override.

use platform_sdk::{Program, plan::Op, prelude::*, testing::Harness};

use super::{
    support::{program, settled, step, up},
    yard::{House, Lock, World},
};

fn house(world: &World, name: &'static str, floor: i64, first: Option<bool>) -> Program {
    program(world, move |stack| {
        let house = stack.add("home", House::new(name).floor(floor));
        if let Some(delete_first) = first {
            house.delete_before_replace(delete_first);
        }
        Ok(())
    })
}

fn replaced(harness: &Harness, program: &Program) -> Op {
    step(&harness.plan(program).expect("a plan"), "yard:House::home").op.clone()
}

#[test]
fn under_the_same_key_the_old_one_goes_first() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &house(&world, "home", 1, None));
    world.calls();
    up(&harness, &house(&world, "home", 2, None));
    assert_eq!(world.calls(), ["delete House home", "create House home"]);
    settled(&harness, &house(&world, "home", 2, None));
}

#[test]
fn under_another_key_the_new_one_comes_first() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &house(&world, "home", 1, None));
    world.calls();
    up(&harness, &house(&world, "villa", 2, None));
    assert_eq!(world.calls(), ["create House villa", "delete House home"]);
    settled(&harness, &house(&world, "villa", 2, None));
}

#[test]
fn without_a_key_the_new_one_comes_first() {
    let (world, harness) = (World::default(), Harness::new());
    let lock = |make: &'static str| {
        program(&world, move |stack| {
            stack.add("lock", Lock::new().make(make));
            Ok(())
        })
    };
    up(&harness, &lock("iron"));
    world.calls();
    up(&harness, &lock("steel"));
    assert_eq!(world.calls(), ["create Lock -", "delete Lock 1"]);
    settled(&harness, &lock("steel"));
}

#[test]
fn an_unknown_key_counts_as_the_same() {
    let (world, harness) = (World::default(), Harness::new());
    let named = |name: &'static str, floor: i64| {
        program(&world, move |stack| {
            let name = stack.add("name", Data::new(serde_json::json!(name)));
            let name = name.output.map(|name: serde_json::Value| name.as_str().unwrap_or_default().to_owned());
            stack.add("home", House::new(name).floor(floor));
            Ok(())
        })
    };
    up(&harness, &named("home", 1));
    assert_eq!(replaced(&harness, &named("villa", 2)), Op::Replace { create_first: false });
    assert_eq!(replaced(&harness, &named("home", 2)), Op::Replace { create_first: false });
    up(&harness, &named("villa", 2));
    settled(&harness, &named("villa", 2));
}

#[test]
fn an_option_overrides_the_order() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &house(&world, "home", 1, None));
    assert_eq!(replaced(&harness, &house(&world, "villa", 2, Some(true))), Op::Replace { create_first: false });
    let error = harness.plan(&house(&world, "home", 2, Some(false))).expect_err("two of one key").to_string();
    assert!(error.contains("can't be created anew beside the old one: both have the same key"), "{error}");
    world.calls();
    up(&harness, &house(&world, "villa", 2, Some(true)));
    assert_eq!(world.calls(), ["delete House home", "create House villa"]);
    settled(&harness, &house(&world, "villa", 2, Some(true)));
}

#[test]
fn what_ended_in_a_failed_state_is_replaced() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &house(&world, "home", 1, None));
    world.taint("House", "home", "it burned down");
    let run = up(&harness, &house(&world, "home", 1, None));
    assert_eq!(step(&run.plan, "yard:House::home").reasons, ["it failed: it burned down"]);
    settled(&harness, &house(&world, "home", 1, None));
}

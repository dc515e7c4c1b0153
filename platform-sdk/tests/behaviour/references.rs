//! Dependents of a replaced resource: planned again with unknowns; only fields that can't change, places and holders
//! cascade.

use platform_sdk::{Program, plan::Op, testing::Harness};

use super::{
    support::{in_order, nothing, program, settled, step, up},
    yard::{House, Lock, World},
};

fn locked(world: &World, floor: i64, name: &'static str) -> Program {
    program(world, move |stack| {
        let house = stack.add("home", House::new(name).floor(floor));
        stack.add("lock", Lock::new().house(&house).note(&house.serial));
        Ok(())
    })
}

#[test]
fn a_dependent_without_fixed_fields_is_updated() {
    let (world, harness) = (World::default(), Harness::new());
    let noted = |floor: i64| {
        program(&world, move |stack| {
            let house = stack.add("home", House::new("home").floor(floor));
            stack.add("lock", Lock::new().note(&house.serial));
            Ok(())
        })
    };
    up(&harness, &noted(1));
    world.calls();
    let run = up(&harness, &noted(2));
    let lock = step(&run.plan, "yard:Lock::lock");
    assert_eq!((lock.op.clone(), lock.changes[0].unknown), (Op::Update, true));
    assert_eq!(world.calls(), ["delete House home", "create House home", "update Lock 2"]);
    settled(&harness, &noted(2));
}

#[test]
fn a_holder_is_replaced_with_what_it_holds_when_that_goes_first() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &locked(&world, 1, "home"));
    world.calls();
    let run = up(&harness, &locked(&world, 2, "home"));
    let lock = step(&run.plan, "yard:Lock::lock");
    assert_eq!(lock.reasons, ["holds yard:House::home, which is replaced"]);
    assert_eq!(world.calls(), ["delete Lock 2", "delete House home", "create House home", "create Lock -"]);
    settled(&harness, &locked(&world, 2, "home"));
}

#[test]
fn a_holder_is_only_updated_when_the_new_one_comes_first() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &locked(&world, 1, "home"));
    world.calls();
    up(&harness, &locked(&world, 2, "villa"));
    assert_eq!(world.calls(), ["create House villa", "update Lock 2", "delete House home"]);
    settled(&harness, &locked(&world, 2, "villa"));
}

#[test]
fn a_holder_that_lets_go_does_so_before_the_replacement() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &locked(&world, 1, "home"));
    let loose = program(&world, |stack| {
        stack.add("home", House::new("home").floor(2));
        let other = stack.add("other", House::new("other"));
        stack.add("lock", Lock::new().house(&other));
        Ok(())
    });
    world.calls();
    up(&harness, &loose);
    in_order(&world.calls(), "update Lock 2", "delete House home");
    settled(&harness, &loose);
}

#[test]
fn everything_goes_in_reverse() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &locked(&world, 1, "home"));
    world.calls();
    up(&harness, &nothing(&world));
    assert_eq!(world.calls(), ["delete Lock 2", "delete House home"]);
}

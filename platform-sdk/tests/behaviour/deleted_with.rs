//! `deleted_with`: it goes away when another resource does, without a call of its own.

use platform_sdk::{Program, plan::Op, testing::Harness};

use super::{
    support::{nothing, owned, program, refused, step, up},
    yard::{Fault, House, Lock, World},
};

fn pair(world: &World, floor: i64, lock: bool) -> Program {
    program(world, move |stack| {
        let house = stack.add("home", House::new("home").floor(floor));
        if lock {
            stack.add("lock", Lock::new()).deleted_with(&house);
        }
        Ok(())
    })
}

#[test]
fn when_both_go_there_is_one_call() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &pair(&world, 1, true));
    world.calls();
    let run = up(&harness, &nothing(&world));
    assert_eq!(step(&run.plan, "yard:Lock::lock").reasons[1], "goes with yard:House::home");
    assert_eq!(world.calls(), ["delete House home"]);
    assert!(owned(&harness).is_empty());
}

#[test]
fn alone_it_is_deleted_by_a_call() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &pair(&world, 1, true));
    world.calls();
    up(&harness, &pair(&world, 1, false));
    assert_eq!(world.calls(), ["delete Lock 2"]);
}

#[test]
fn when_the_other_is_replaced_it_is_made_anew() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &pair(&world, 1, true));
    world.calls();
    let run = up(&harness, &pair(&world, 2, true));
    let lock = step(&run.plan, "yard:Lock::lock");
    assert!(matches!(lock.op, Op::Replace { .. }), "{lock:?}");
    assert_eq!(lock.reasons, ["goes with yard:House::home, which is replaced"]);
    assert_eq!(world.calls(), ["delete House home", "create House home", "create Lock -"]);
}

#[test]
fn when_the_other_stays_after_a_failure_so_does_it() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &pair(&world, 1, true));
    world.fault("delete House", Fault::Refused);
    assert_eq!(harness.up(&nothing(&world)).expect("a plan").failures.len(), 1);
    assert_eq!(owned(&harness).len(), 2);
}

#[test]
fn a_target_of_one_alone_calls_for_it() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &pair(&world, 1, true));
    world.calls();
    harness.want(&["lock"], &[], &[]).expect("targets");
    up(&harness, &nothing(&world));
    assert_eq!(world.calls(), ["delete Lock 2"]);
    assert_eq!(owned(&harness), ["yard:House::home home"]);
}

#[test]
fn together_with_retaining_it_is_refused() {
    let (world, harness) = (World::default(), Harness::new());
    let both = program(&world, |stack| {
        let house = stack.add("home", House::new("home"));
        stack.add("lock", Lock::new()).deleted_with(&house).retain_on_delete();
        Ok(())
    });
    up(&harness, &both);
    assert!(refused(&harness, &nothing(&world)).contains("`yard:Lock::lock` is to be retained"));
}

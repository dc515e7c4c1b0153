//! What is missing, and is not the object: an owner, a principal. It is named, and asked for once.

use platform_sdk::{Program, testing::Harness};

use super::{
    support::{fails, paused, program, settled, up},
    yard::{Fault, House, Room, World},
};

fn house(world: &World, comment: &'static str) -> Program {
    program(world, move |stack| {
        stack.add("home", House::new("home").comment(comment));
        Ok(())
    })
}

#[test]
fn an_owner_that_does_not_exist_is_named_and_tried_once() {
    let (world, harness) = (World::default(), Harness::new().with_runtime(paused));
    world.fault("create House", Fault::Missing(Some("analysts")));
    let failures = fails(&harness, &house(&world, "x"));
    assert!(failures[0].contains("there is no analysts"), "{failures:?}");
    assert_eq!(world.calls(), ["create House home"]);
    up(&harness, &house(&world, "x"));
    world.calls();
    world.fault("update House", Fault::Missing(Some("analysts")));
    let failures = fails(&harness, &house(&world, "y"));
    assert!(failures[0].contains("there is no analysts"), "{failures:?}");
    assert_eq!(world.calls(), ["update House home"]);
    up(&harness, &house(&world, "y"));
    settled(&harness, &house(&world, "y"));
}

#[test]
fn what_was_made_a_moment_ago_is_waited_for_and_what_is_called_otherwise_is_not() {
    fn inside(world: &World) -> Program {
        program(world, |stack| {
            let home = stack.add("home", House::new("home"));
            stack.add("room", Room::new(&home, "room"));
            Ok(())
        })
    }
    for (what, tries) in [(Some("home"), 2), (None, 2), (Some("analysts"), 1)] {
        let (world, harness) = (World::default(), Harness::new().with_runtime(paused));
        world.fault("create Room", Fault::Missing(what));
        let run = harness.up(&inside(&world)).expect("a plan");
        assert_eq!(run.failures.len(), usize::from(tries == 1), "{what:?}");
        let calls = world.calls().into_iter().filter(|call| call.starts_with("create Room")).count();
        assert_eq!(calls, tries, "{what:?}");
        if tries > 1 {
            settled(&harness, &inside(&world));
        }
    }
}

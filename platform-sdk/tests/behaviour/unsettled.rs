//! An interrupted step of which nobody can say what became of it holds back what depends on it, and nothing else.

use platform_sdk::{Program, testing::Harness};

use super::{
    support::{fails, nothing, owned, program, settled, steps, up},
    yard::{Fault, House, Room, World},
};

fn two(world: &World, comment: &'static str) -> Program {
    program(world, move |stack| {
        for name in ["a", "b"] {
            let house = stack.add(name, House::new(name).comment(comment));
            stack.add(&format!("{name}/room"), Room::new(&house, "room").comment(comment));
        }
        Ok(())
    })
}

/// Creating `a` has happened, its answer was lost, and it may not be read.
fn in_doubt(world: &World) -> Harness {
    let harness = Harness::new().with_parallel(1);
    world.fault("create House", Fault::AnswerLost);
    world.deny("a");
    let failures = fails(&harness, &two(world, "x"));
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert!(failures[0].contains("cannot create `yard:House::a`"), "{failures:?}");
    harness
}

fn creations(world: &World, call: &str) -> usize {
    world.calls().iter().filter(|made| *made == call).count()
}

#[test]
fn the_others_go_on_and_once_it_can_be_told_it_is_finished() {
    let world = World::default();
    let harness = in_doubt(&world);
    let run = up(&harness, &two(&world, "y"));
    let mut done = steps(&run.plan);
    done.sort();
    assert_eq!(done, ["update yard:House::b", "update yard:Room::b/room"]);
    let warnings: Vec<String> = run.plan.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 1, "told once: {warnings:?}");
    assert!(warnings[0].contains("cannot find out what became of `yard:House::a`"), "{warnings:?}");
    world.allow("a");
    up(&harness, &two(&world, "y"));
    assert_eq!(world.objects().len(), 4);
    assert_eq!(creations(&world, "create House a"), 1, "{:?}", world.calls());
    settled(&harness, &two(&world, "y"));
}

#[test]
fn it_is_not_made_again_at_another_address() {
    let world = World::default();
    let harness = in_doubt(&world);
    let moved = program(&world, |stack| {
        stack.add("c", House::new("a").comment("x")).moved_from("a");
        let house = stack.add("b", House::new("b").comment("x"));
        stack.add("b/room", Room::new(&house, "room").comment("x"));
        Ok(())
    });
    assert_eq!(up(&harness, &moved).steps(), Vec::<String>::new());
    world.allow("a");
    up(&harness, &moved);
    assert_eq!(creations(&world, "create House a"), 1, "{:?}", world.calls());
    settled(&harness, &moved);
}

#[test]
fn what_it_may_live_in_does_not_end() {
    let (world, harness) = (World::default(), Harness::new().with_parallel(1));
    let home = |furnished: bool| {
        program(&world, move |stack| {
            let house = stack.add("home", House::new("home"));
            if furnished {
                stack.add("room", Room::new(&house, "room"));
            }
            Ok(())
        })
    };
    up(&harness, &home(false));
    world.fault("create Room", Fault::AnswerLost);
    world.deny("home/room");
    fails(&harness, &home(true));
    world.calls();
    // Neither is in the program any more.
    let run = up(&harness, &nothing(&world));
    assert_eq!((run.steps(), world.calls()), (Vec::new(), Vec::new()));
    assert_eq!(run.plan.warnings.len(), 1, "{:?}", run.plan.warnings);
    world.allow("home/room");
    up(&harness, &nothing(&world));
    assert!(world.objects().is_empty() && owned(&harness).is_empty(), "{:?}", world.objects());
}

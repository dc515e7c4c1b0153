//! What can't be read holds back itself and what depends on it, and nothing else.

use platform_sdk::{Program, testing::Harness};

use super::{
    support::{program, steps, up},
    yard::{House, Lock, Room, World},
};

fn two(world: &World, comment: &'static str, grown: bool) -> Program {
    program(world, move |stack| {
        for name in ["a", "b"] {
            let house = stack.add(name, House::new(name).comment(comment));
            stack.add(&format!("{name}/room"), Room::new(&house, "room").comment(comment));
            if grown {
                stack.add(&format!("{name}/lock"), Lock::new().house(&house));
            }
        }
        Ok(())
    })
}

#[test]
fn no_more_is_read_at_once_than_was_asked_for() {
    let (world, harness) = (World::default(), Harness::new().with_parallel(3));
    let many = program(&world, |stack| {
        for n in 0..9 {
            let house = stack.add(&format!("house-{n}"), House::new(format!("house-{n}")));
            stack.add(&format!("room-{n}"), Room::new(&house, "room"));
            stack.add(&format!("lock-{n}"), Lock::new().house(&house));
        }
        Ok(())
    });
    up(&harness, &many);
    world.most_reads();
    harness.plan(&many).expect("a plan");
    assert_eq!(world.most_reads(), 3);
}

#[test]
fn the_others_go_on_and_a_warning_says_why() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &two(&world, "x", false));
    world.deny("a");
    let run = up(&harness, &two(&world, "y", true));
    let mut done = steps(&run.plan);
    done.sort();
    assert_eq!(done, ["create yard:Lock::b/lock", "update yard:House::b", "update yard:Room::b/room"]);
    assert!(run.plan.warnings[0].to_string().contains("cannot read `yard:House::a`"));
}

#[test]
fn what_would_have_to_end_unseen_is_refused() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &two(&world, "x", false));
    world.deny("a");
    let error = harness.destroy(&two(&world, "x", false)).expect_err("it can't be read").to_string();
    assert!(error.contains("cannot read `yard:House::a`"), "{error}");
    assert_eq!(world.objects().len(), 4);
}

//! Order: by what depended and by what is to depend, however long the chain.

use std::time::{Duration, Instant};

use platform_sdk::{Program, prelude::*, testing::Harness};
use serde_json::json;

use super::{
    support::{in_order, nothing, program, settled, up},
    yard::{House, Lock, World},
};

#[test]
fn a_reference_is_dropped_before_its_target_is_deleted() {
    let (world, harness) = (World::default(), Harness::new());
    let locked = |locked: bool| {
        program(&world, move |stack| {
            let mut lock = Lock::new().note("on the shelf");
            if locked {
                let house = stack.add("home", House::new("home"));
                lock = Lock::new().house(&house);
            }
            stack.add("lock", lock);
            Ok(())
        })
    };
    up(&harness, &locked(true));
    world.calls();
    // A field that the service may keep is taken away by naming another value.
    let elsewhere = program(&world, |stack| {
        let other = stack.add("other", House::new("other"));
        stack.add("lock", Lock::new().house(&other));
        Ok(())
    });
    up(&harness, &elsewhere);
    in_order(&world.calls(), "update Lock 2", "delete House home");
    settled(&harness, &elsewhere);
}

#[test]
fn two_references_are_swapped() {
    let (world, harness) = (World::default(), Harness::new());
    let pair = |swapped: bool| {
        program(&world, move |stack| {
            let (a, b) = (stack.add("a", House::new("a")), stack.add("b", House::new("b")));
            let (first, second) = if swapped { (&b, &a) } else { (&a, &b) };
            stack.add("first", Lock::new().house(first));
            stack.add("second", Lock::new().house(second));
            Ok(())
        })
    };
    up(&harness, &pair(false));
    world.calls();
    up(&harness, &pair(true));
    assert_eq!(world.calls().len(), 2);
    settled(&harness, &pair(true));
}

#[test]
fn a_dependency_can_turn_around() {
    let (world, harness) = (World::default(), Harness::new());
    let pair = |turned: bool| {
        program(&world, move |stack| {
            if turned {
                let b = stack.add("b", House::new("b"));
                stack.add("a", House::new("a").comment(&b.serial));
            } else {
                let a = stack.add("a", House::new("a").comment("alone"));
                stack.add("b", House::new("b").comment(&a.serial));
            }
            Ok(())
        })
    };
    up(&harness, &pair(false));
    up(&harness, &pair(true));
    settled(&harness, &pair(true));
    world.calls();
    up(&harness, &nothing(&world));
    assert_eq!(world.calls(), ["delete House a", "delete House b"]);
}

#[test]
fn a_bare_dependency_orders_creates_and_deletes() {
    let (world, harness) = (World::default(), Harness::new());
    let bare = program(&world, |stack| {
        let z = stack.add("z", House::new("z"));
        let y = stack.add("y", House::new("y")).depends_on(&z);
        stack.add("a", House::new("a")).depends_on(&y);
        Ok(())
    });
    up(&harness, &bare);
    assert_eq!(world.calls(), ["create House z", "create House y", "create House a"]);
    up(&harness, &nothing(&world));
    assert_eq!(world.calls(), ["delete House a", "delete House y", "delete House z"]);
}

#[test]
fn a_dropped_dependency_no_longer_orders() {
    let (world, harness) = (World::default(), Harness::new());
    let pair = |depends: bool| {
        program(&world, move |stack| {
            let z = stack.add("z", House::new("z"));
            let a = stack.add("a", House::new("a"));
            if depends {
                a.depends_on(&z);
            }
            Ok(())
        })
    };
    up(&harness, &pair(true));
    world.calls();
    let run = up(&harness, &pair(false));
    assert_eq!(run.steps(), ["options yard:House::a"]);
    assert!(world.calls().is_empty());
    let alone = program(&world, |stack| {
        stack.add("a", House::new("a"));
        Ok(())
    });
    up(&harness, &alone);
    assert_eq!(world.calls(), ["delete House z"]);
    settled(&harness, &alone);
}

fn chain(length: usize) -> Program {
    Program::new("demo", move |stack| {
        let mut last = stack.add("d0", Data::new(json!(0)));
        for index in 1..length {
            last = stack.add(&format!("d{index}"), Data::new(last.output.clone()));
        }
        stack.export("last", &last.output);
        Ok(())
    })
}

/// The best of a few: what else runs on this machine only ever makes it slower.
fn took(length: usize, work: impl Fn(usize)) -> Duration {
    let once = || {
        let started = Instant::now();
        work(length);
        started.elapsed()
    };
    (0..3).map(|_| once()).min().unwrap_or_default()
}

#[test]
fn a_chain_of_ten_thousand_lives_and_dies() {
    let harness = Harness::new();
    up(&harness, &chain(10_000));
    settled(&harness, &chain(10_000));
    let run = up(&harness, &chain(1));
    assert_eq!(run.steps().len(), 9_999);
}

#[test]
fn four_times_the_chain_is_about_four_times_the_work() {
    let plan = |length: usize| drop(Harness::new().plan_offline(&chain(length)).expect("a plan"));
    // What else the machine does can make any one of them slow; work that grows faster is slow each time.
    let mut times = Vec::new();
    let linear = (0..5).any(|_| {
        let (short, long) = (took(500, plan), took(2_000, plan));
        times.push((short, long));
        long < short * 10
    });
    assert!(linear, "for 500 and for 2000: {times:?}");
}

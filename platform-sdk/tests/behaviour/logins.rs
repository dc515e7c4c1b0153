//! Logins: a provider that is given to a part of a stack brings its own credentials, and one without any logs in as the
//! listed one of its kind.

use platform_sdk::{Program, testing::Harness};

use super::{
    support::{fails, program, settled, up},
    yard::{House, SiteProvider, World, Yard},
};

/// A house in the yard behind `north`, which `key` opens.
fn locked() -> World {
    let world = World::default();
    world.leads_to("north", "yard-2");
    world.lock("yard-2", "iron");
    world
}

fn house_in(world: &World, yard: &Yard) -> Program {
    let yard = yard.clone();
    program(world, move |stack| {
        stack.within(&yard).add("home", House::new("home"));
        Ok(())
    })
}

fn listing(world: &World, yard: Yard) -> Program {
    Program::new("demo", |_| Ok(())).provider(yard).provider(SiteProvider::of(world))
}

#[test]
fn credentials_of_a_provider_that_is_given_to_a_part_of_the_stack_are_used() {
    let (world, harness) = (locked(), Harness::new());
    let there = house_in(&world, &Yard::of(&world).over("north").key("iron"));
    up(&harness, &there);
    assert_eq!(world.objects_of("yard-2"), ["House home"]);
    settled(&harness, &there);
}

#[test]
fn so_are_those_that_an_option_of_the_resource_brings() {
    let (world, harness) = (locked(), Harness::new());
    let yard = Yard::of(&world).over("north").key("iron");
    let there = program(&world, move |stack| {
        stack.add("home", House::new("home")).provider(&yard);
        Ok(())
    });
    up(&harness, &there);
    assert_eq!(world.objects_of("yard-2"), ["House home"]);
}

#[test]
fn a_kind_need_not_be_listed_to_be_used_in_a_part_of_the_stack() {
    let (world, harness) = (locked(), Harness::new());
    let yard = Yard::of(&world).over("north").key("iron");
    let there = Program::new("demo", move |stack| {
        stack.within(&yard).add("home", House::new("home"));
        Ok(())
    });
    up(&harness, &there);
    settled(&harness, &there);
    harness.destroy(&there).expect("a plan");
    assert_eq!(world.objects_of("yard-2"), Vec::<String>::new());
}

#[test]
fn wrong_credentials_fail_with_what_the_service_says() {
    let (world, harness) = (locked(), Harness::new());
    let failures = fails(&harness, &house_in(&world, &Yard::of(&world).over("north").key("brass")));
    assert!(failures[0].contains("yard `yard-2` is locked"), "{failures:?}");
}

#[test]
fn without_credentials_of_its_own_it_logs_in_as_the_listed_one() {
    let (world, harness) = (locked(), Harness::new());
    let yard = Yard::of(&world).over("north");
    let there = Program::new("demo", move |stack| {
        stack.within(&yard).add("home", House::new("home"));
        Ok(())
    });
    up(&harness, &there.provider(Yard::of(&world).key("iron")));
    assert_eq!(world.objects_of("yard-2"), ["House home"]);
}

#[test]
fn what_a_dropped_provider_made_is_deleted_by_whom_the_program_lists() {
    let (world, harness) = (locked(), Harness::new());
    up(&harness, &house_in(&world, &Yard::of(&world).over("north").key("iron")));
    let refused = harness.plan(&listing(&world, Yard::of(&world))).expect_err("a locked yard").to_string();
    assert!(refused.contains("yard `yard-2` is locked"), "{refused}");
    up(&harness, &listing(&world, Yard::of(&world).key("iron")));
    assert_eq!(world.objects_of("yard-2"), Vec::<String>::new());
}

#[test]
fn two_logins_behind_one_configuration_are_refused() {
    let (world, harness) = (locked(), Harness::new());
    let north = Yard::of(&world).over("north");
    let (one, other) = (north.clone().key("iron"), north.key("brass"));
    let twice = program(&world, move |stack| {
        stack.within(&one).add("home", House::new("home"));
        stack.within(&other).add("hut", House::new("hut"));
        Ok(())
    });
    let refused = harness.plan(&twice).expect_err("two logins").to_string();
    assert!(refused.contains("two providers of kind `yard` are configured alike and log in differently"), "{refused}");
}

#[test]
fn nor_may_a_part_of_the_stack_log_in_otherwise_where_the_listed_one_goes() {
    let (world, harness) = (locked(), Harness::new());
    let refused = harness.plan(&house_in(&world, &Yard::of(&world).key("iron"))).expect_err("two logins").to_string();
    assert!(refused.contains("configured alike and log in differently"), "{refused}");
}

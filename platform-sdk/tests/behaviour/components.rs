//! Components: what is said of one holds for everything in it, at any depth, and for nothing beside it.

use platform_sdk::{Program, testing::Harness};

use super::{
    support::{nothing, program, refused, steps, up},
    yard::{House, SiteProvider, World, Yard},
};

/// Houses in a component, in one inside it, and beside it.
fn quarter(world: &World, protect: bool, retain: bool) -> Program {
    program(world, move |stack| {
        stack.add("beside", House::new("beside"));
        let quarter = stack.component("quarter", |inside| {
            inside.add("first", House::new("first"));
            inside.component("yard", |deep| Ok(deep.add("second", House::new("second"))))?;
            Ok(())
        })?;
        let quarter = if protect { quarter.protect() } else { quarter };
        drop(if retain { quarter.retain_on_delete() } else { quarter });
        Ok(())
    })
}

#[test]
fn protection_holds_for_all_that_is_in_it() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &quarter(&world, true, false));
    let said = refused(&harness, &nothing(&world));
    assert!(said.contains("2 resources are protected"), "{said}");
    assert!(said.contains("yard:House::quarter/first: "), "{said}");
    assert!(said.contains("yard:House::quarter/yard/second: "), "{said}");
    assert!(!said.contains("yard:House::beside"), "{said}");
}

#[test]
fn so_does_retaining() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &quarter(&world, false, true));
    let mut done = steps(&up(&harness, &nothing(&world)).plan);
    done.sort();
    assert_eq!(
        done,
        ["delete yard:House::beside", "forget yard:House::quarter/first", "forget yard:House::quarter/yard/second"]
    );
    assert_eq!(world.objects(), ["House first", "House second"]);
}

#[test]
fn what_is_in_it_has_the_provider_of_the_stack_around_it() {
    let (world, harness) = (World::default(), Harness::new());
    world.leads_to("north", "yard-2");
    let north = Yard::of(&world).over("north");
    let there = Program::new("demo", move |stack| {
        stack.within(&north).component("quarter", |inside| Ok(inside.add("home", House::new("home"))))?;
        Ok(())
    });
    up(&harness, &there.provider(Yard::of(&world)).provider(SiteProvider::of(&world)));
    assert_eq!(world.objects_of("yard-2"), ["House home"]);
}

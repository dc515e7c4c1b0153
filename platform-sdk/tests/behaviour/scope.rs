//! Scope: only another identity of what a resource is relative to makes it another; what stands on something that is
//! gone is gone; what a dropped provider made is still deleted.

use platform_sdk::{Program, Resource as _, plan::Op, prelude::*, testing::Harness};

use serde_json::json;

use super::{
    support::{fails, nothing, owned, program, settled, step, up},
    yard::{Fault, House, Lock, Site, SiteProvider, Tent, World, Yard},
};

fn camp(world: &World, ground: &'static str) -> Program {
    program(world, move |stack| {
        let site = stack.add("site", Site::new().ground(ground));
        let on_site = stack.within(&site.provider());
        on_site.add("tent", Tent::new("tent"));
        on_site.add("store", Tent::new("store"));
        Ok(())
    })
}

fn over(world: &World, host: &'static str) -> Program {
    let declare = |stack: &Stack| {
        stack.add("home", House::new("home"));
        Ok(())
    };
    Program::new("demo", declare).provider(Yard::of(world).over(host)).provider(SiteProvider::of(world))
}

#[test]
fn another_host_changes_nothing() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &over(&world, "main"));
    settled(&harness, &over(&world, "mirror"));
}

#[test]
fn another_identity_behind_the_default_provider_is_refused_by_name() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &over(&world, "main"));
    world.leads_to("mirror", "yard-2");
    let error = harness.plan(&over(&world, "mirror")).expect_err("another yard").to_string();
    assert!(error.contains("`yard-1`") && error.contains("`yard-2`"), "{error}");
}

#[test]
fn another_identity_behind_a_named_provider_replaces() {
    let (world, harness) = (World::default(), Harness::new());
    world.leads_to("north", "yard-2");
    world.leads_to("south", "yard-3");
    let there = |host: &'static str| {
        let yard = Yard::of(&world).over(host);
        program(&world, move |stack| {
            stack.within(&yard).add("home", House::new("home"));
            stack.add("lock", Lock::new());
            Ok(())
        })
    };
    up(&harness, &there("north"));
    assert_eq!(world.objects_of("yard-2"), ["House home"]);
    world.calls();
    let run = up(&harness, &there("south"));
    let house = step(&run.plan, "yard:House::home");
    assert!(matches!(house.op, Op::Replace { .. }), "{house:?}");
    assert_eq!(house.reasons, ["its provider leads to yard `yard-3`, and it was made in yard `yard-2`"]);
    assert_eq!((world.objects_of("yard-2"), world.objects_of("yard-3")), (vec![], vec!["House home".to_owned()]));
    settled(&harness, &there("south"));
}

#[test]
fn what_awaits_deletion_elsewhere_is_not_mistaken_for_what_has_its_name_here() {
    let (world, harness) = (World::default(), Harness::new());
    world.leads_to("north", "yard-2");
    world.leads_to("south", "yard-3");
    let there = |host: &'static str| {
        let yard = Yard::of(&world).over(host);
        program(&world, move |stack| {
            stack.within(&yard).add("home", House::new("home"));
            Ok(())
        })
    };
    up(&harness, &there("north"));
    world.fault("delete House", Fault::Refused);
    fails(&harness, &there("south"));
    assert_eq!((world.objects_of("yard-2").len(), world.objects_of("yard-3").len()), (1, 1));
    up(&harness, &there("south"));
    assert_eq!((world.objects_of("yard-2").len(), world.objects_of("yard-3").len()), (0, 1));
    settled(&harness, &there("south"));
}

#[test]
fn what_stands_on_a_place_that_is_gone_is_gone_unread() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &camp(&world, "grass"));
    world.lose("Site", "1");
    let run = up(&harness, &camp(&world, "grass"));
    for address in ["yard:Site::site", "yard:Tent::tent", "yard:Tent::store"] {
        assert_eq!(step(&run.plan, address).reasons, ["gone from reality"], "{address}");
    }
    settled(&harness, &camp(&world, "grass"));
    world.lose("Site", "4");
    world.calls();
    up(&harness, &nothing(&world));
    assert!(world.calls().is_empty() && owned(&harness).is_empty());
}

#[test]
fn what_moves_to_a_place_that_is_yet_to_be_made_is_made_there_anew() {
    let (world, harness) = (World::default(), Harness::new());
    let tent_on = |second: bool| {
        program(&world, move |stack| {
            let first = stack.add("first", Site::new().ground("grass"));
            let on = if second { stack.add("second", Site::new().ground("sand")).provider() } else { first.provider() };
            stack.within(&on).add("tent", Tent::new("tent"));
            Ok(())
        })
    };
    up(&harness, &tent_on(false));
    let run = up(&harness, &tent_on(true));
    let tent = step(&run.plan, "yard:Tent::tent");
    assert!(matches!(tent.op, Op::Replace { .. }), "{tent:?}");
    assert_eq!(tent.reasons, ["its provider leads to yard:Site::second, which is new"]);
    settled(&harness, &tent_on(true));
}

#[test]
fn what_moves_from_a_dropped_place_to_another_one_is_made_there_anew_also_where_nothing_is_read() {
    let (world, harness) = (World::default(), Harness::new());
    let tent_on = |second: bool| {
        program(&world, move |stack| {
            let other = stack.add("second", Site::new().ground("sand"));
            let on = if second { other } else { stack.add("first", Site::new().ground("grass")) };
            stack.within(&on.provider()).add("tent", Tent::new("tent"));
            Ok(())
        })
    };
    up(&harness, &tent_on(false));
    for plan in [harness.plan(&tent_on(true)), harness.plan_offline(&tent_on(true))] {
        let plan = plan.expect("a plan");
        let tent = step(&plan, "yard:Tent::tent");
        assert!(matches!(tent.op, Op::Replace { .. }), "{tent:?}");
        assert_eq!(tent.reasons, ["its provider leads to site `2`, and it was made in site `1`"]);
    }
    up(&harness, &tent_on(true));
    settled(&harness, &tent_on(true));
}

#[test]
fn a_replaced_place_takes_along_what_stands_on_it() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &camp(&world, "grass"));
    world.calls();
    let run = up(&harness, &camp(&world, "sand"));
    assert_eq!(step(&run.plan, "yard:Tent::tent").reasons, ["lives in yard:Site::site, which is replaced"]);
    let calls = world.calls();
    assert_eq!(calls.iter().filter(|call| call.starts_with("delete")).collect::<Vec<_>>(), ["delete Site 1"]);
    assert_eq!(world.objects().len(), 3, "{:?}", world.objects());
    settled(&harness, &camp(&world, "sand"));
}

#[test]
fn a_dropped_place_takes_along_what_stands_on_it() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &camp(&world, "grass"));
    world.calls();
    up(&harness, &nothing(&world));
    assert_eq!(world.calls(), ["delete Site 1"]);
    assert!(world.objects().is_empty() && owned(&harness).is_empty());
}

#[test]
fn what_stood_on_a_place_is_deleted_after_its_provider_is_dropped() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &camp(&world, "grass"));
    let bare = program(&world, |stack| {
        stack.add("site", Site::new().ground("grass"));
        Ok(())
    });
    world.calls();
    up(&harness, &bare);
    let mut calls = world.calls();
    calls.sort();
    assert_eq!(calls, ["delete Tent store", "delete Tent tent"]);
    settled(&harness, &bare);
}

#[test]
fn a_retained_place_keeps_what_stands_on_it_and_that_is_deleted_by_a_call() {
    let (world, harness) = (World::default(), Harness::new());
    let retained = program(&world, |stack| {
        let site = stack.add("site", Site::new()).retain_on_delete();
        stack.within(&site.provider()).add("tent", Tent::new("tent"));
        Ok(())
    });
    up(&harness, &retained);
    world.calls();
    up(&harness, &nothing(&world));
    assert_eq!(world.calls(), ["delete Tent tent"]);
    assert_eq!(world.objects(), ["Site 1"]);
}

#[test]
fn a_stranger_that_took_its_name_after_a_failed_create_is_not_taken_over() {
    let (world, harness) = (World::default(), Harness::new());
    let home = program(&world, |stack| {
        stack.add("home", House::new("home"));
        Ok(())
    });
    up(&harness, &home);
    world.lose("House", "home");
    world.fault("create House", Fault::Refused);
    fails(&harness, &home);
    assert!(owned(&harness).is_empty(), "it is gone, and nothing was made");
    world.plant(House::schema(), &json!({"name": "home"}));
    let failures = fails(&harness, &home).join("\n");
    assert!(failures.contains("`home` exists already"), "{failures}");
}

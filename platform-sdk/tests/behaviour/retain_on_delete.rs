//! `retain_on_delete`: where the object would go, state forgets it and the service keeps it.

use platform_sdk::{Program, testing::Harness};

use super::{
    support::{nothing, owned, program, refused, settled, step, up},
    yard::{Chest, House, Room, World},
};

fn kept(world: &World, retain: bool) -> Program {
    program(world, move |stack| {
        let house = stack.add("home", House::new("home"));
        if retain {
            house.retain_on_delete();
        }
        Ok(())
    })
}

#[test]
fn a_dropped_resource_is_forgotten() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &kept(&world, true));
    world.calls();
    let run = up(&harness, &nothing(&world));
    assert_eq!(run.steps(), ["forget yard:House::home"]);
    assert!(world.calls().is_empty() && owned(&harness).is_empty());
    assert_eq!(world.objects(), ["House home"]);
}

#[test]
fn it_holds_as_soon_as_the_program_says_so() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &kept(&world, false));
    let run = harness.destroy(&kept(&world, true)).expect("a plan");
    assert_eq!(run.steps(), ["forget yard:House::home"]);
    assert_eq!(world.objects(), ["House home"]);
}

#[test]
fn nothing_is_lost_so_no_consent_is_asked() {
    let (world, harness) = (World::default(), Harness::new());
    let all = |name: &'static str| {
        program(&world, move |stack| {
            let house = stack.add("home", House::new("home")).retain_on_delete();
            let room = stack.add("room", Room::new(&house, "room")).retain_on_delete();
            stack.add("chest", Chest::new(&room, name)).retain_on_delete();
            Ok(())
        })
    };
    up(&harness, &all("chest"));
    let plan = harness.plan(&all("box")).expect("a plan");
    assert_eq!(step(&plan, "yard:Chest::chest").destroys, [""; 0]);
    up(&harness, &all("box"));
    assert_eq!(world.objects().len(), 4, "{:?}", world.objects());
    settled(&harness, &all("box"));
    up(&harness, &nothing(&world));
    assert_eq!(world.objects().len(), 4);
}

#[test]
fn what_is_gone_already_is_just_forgotten() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &kept(&world, true));
    world.lose("House", "home");
    let run = up(&harness, &nothing(&world));
    assert_eq!(step(&run.plan, "yard:House::home").reasons, ["gone from reality"]);
}

#[test]
fn what_is_retained_keeps_its_key_from_another_address() {
    let (world, harness) = (World::default(), Harness::new());
    let at = |address: &'static str, from: Option<&'static str>| {
        program(&world, move |stack| {
            let house = stack.add(address, House::new("home")).retain_on_delete();
            if let Some(from) = from {
                house.moved_from(from);
            }
            Ok(())
        })
    };
    up(&harness, &at("old", None));
    world.calls();
    let text = refused(&harness, &at("new", None));
    assert!(
        text.contains("`yard:House::old` is to be retained, and `yard:House::new` needs the key that it keeps"),
        "{text}"
    );
    assert!(text.contains("say `.moved_from(\"old\")`"), "{text}");
    up(&harness, &at("new", Some("old")));
    assert!(world.calls().is_empty());
    world.lose("House", "home");
    up(&harness, &at("newer", None));
    settled(&harness, &at("newer", None));
}

#[test]
fn it_no_longer_holds_as_soon_as_the_program_does_not_say_so() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &kept(&world, true));
    let run = harness.destroy(&kept(&world, false)).expect("a plan");
    assert_eq!(run.steps(), ["delete yard:House::home"]);
    assert!(world.objects().is_empty() && owned(&harness).is_empty());
}

//! A rename within an update that is refused afterwards: from the moment that the object has its new name, it is known by
//! it, and so is what lies under it.

use std::time::Duration;

use platform_sdk::{Program, testing::Harness};

use super::{
    commands::Commands,
    support::{fails, in_order, nothing, owned, program, settled, up},
    yard::{Chest, Fault, House, Room, World},
};

#[derive(Clone, Copy)]
struct Names {
    house: &'static str,
    comment: &'static str,
    room: &'static str,
    note: &'static str,
}

const BEFORE: Names = Names { house: "home", comment: "old", room: "room", note: "old" };
const AFTER: Names = Names { house: "villa", comment: "new", ..BEFORE };
const BOTH: Names = Names { room: "hall", note: "new", ..AFTER };

fn furnished(world: &World, names: Names) -> Program {
    program(world, move |stack| {
        let house = stack.add("home", House::new(names.house).comment(names.comment));
        let room = stack.add("room", Room::new(&house, names.room).comment(names.note));
        stack.add("chest", Chest::new(&room, "chest"));
        Ok(())
    })
}

fn serials(world: &World, names: Names) -> [Option<String>; 3] {
    let room = format!("{}/{}", names.house, names.room);
    let chest = format!("{room}/chest");
    [("House", names.house), ("Room", &room), ("Chest", &chest)].map(|(kind, id)| world.serial(kind, id))
}

/// All is there, and a rename has happened and nothing else of its update.
fn half_renamed(kind: &str, to: Names) -> (World, Harness, [Option<String>; 3]) {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &furnished(&world, BEFORE));
    let serials = serials(&world, BEFORE);
    world.fault(kind, Fault::Renamed);
    fails(&harness, &furnished(&world, to));
    world.calls();
    (world, harness, serials)
}

#[test]
fn the_next_run_finishes_it_and_nothing_is_made_anew() {
    let (world, harness, made) = half_renamed("update House", AFTER);
    assert!(owned(&harness).contains(&"yard:House::home villa".to_owned()), "{:?}", owned(&harness));
    up(&harness, &furnished(&world, AFTER));
    assert_eq!(world.calls(), ["update House villa"]);
    assert_eq!(serials(&world, AFTER), made);
    settled(&harness, &furnished(&world, AFTER));
    up(&harness, &nothing(&world));
    assert_eq!(world.objects(), Vec::<String>::new());
}

#[test]
fn with_the_program_as_it_was_it_is_renamed_back() {
    let (world, harness, made) = half_renamed("update House", AFTER);
    up(&harness, &furnished(&world, BEFORE));
    assert_eq!(world.calls(), ["update House villa"]);
    assert_eq!(serials(&world, BEFORE), made);
    settled(&harness, &furnished(&world, BEFORE));
}

#[test]
fn what_is_not_declared_any_more_is_deleted_under_its_new_name() {
    let (world, harness, _) = half_renamed("update House", AFTER);
    up(&harness, &nothing(&world));
    assert_eq!(world.objects(), Vec::<String>::new());
}

#[test]
fn it_is_known_by_its_new_id_though_nobody_may_read_it_then() {
    for to in [AFTER, BEFORE] {
        let (world, harness) = (World::default(), Harness::new());
        up(&harness, &furnished(&world, BEFORE));
        let made = serials(&world, BEFORE);
        world.fault("update House", Fault::Renamed);
        world.deny("villa");
        fails(&harness, &furnished(&world, AFTER));
        world.allow("villa");
        assert!(owned(&harness).contains(&"yard:House::home villa".to_owned()), "{:?}", owned(&harness));
        world.calls();
        up(&harness, &furnished(&world, to));
        assert_eq!(world.calls(), ["update House villa"]);
        assert_eq!(serials(&world, to), made);
        settled(&harness, &furnished(&world, to));
    }
}

#[test]
fn in_a_place_that_was_renamed_too_it_is_the_same() {
    for to in [BOTH, BEFORE, AFTER] {
        let (world, harness, made) = half_renamed("update Room", BOTH);
        let state = owned(&harness);
        assert!(state.contains(&"yard:Room::room villa/hall".to_owned()), "{state:?}");
        up(&harness, &furnished(&world, to));
        assert!(world.calls().iter().all(|call| call.starts_with("update")));
        assert_eq!(serials(&world, to), made);
        settled(&harness, &furnished(&world, to));
    }
}

#[test]
fn a_process_that_ends_then_has_told_the_new_id() {
    for to in [AFTER, BEFORE] {
        let mut stack = Commands::of(|world| furnished(world, BEFORE));
        assert_eq!(stack.run(&["up", "--yes"]).0, 0);
        let made = serials(&stack.world, BEFORE);
        stack.program = |world| furnished(world, AFTER);
        stack.world.fault("update House", Fault::Renamed);
        stack.world.stall("the rest of an update");
        stack.killed_after(Duration::from_mins(1), &["up", "--yes"]);
        stack.world.recover();
        stack.world.calls();
        if to.house == BEFORE.house {
            stack.program = |world| furnished(world, BEFORE);
        }
        let (exit, said) = stack.look(&["plan"]);
        assert!(exit == 0 && said.contains("it is `villa`") && !said.contains("to create"), "{said}");
        let (exit, said) = stack.run(&["up", "--yes"]);
        assert_eq!((exit, stack.world.calls()), (0, vec!["update House villa".to_owned()]), "{said}");
        assert_eq!(serials(&stack.world, to), made);
        let (exit, said) = stack.run(&["plan", "--detailed-exitcode"]);
        assert_eq!(exit, 0, "{said}");
    }
}

#[test]
fn what_is_replaced_in_it_then_is_deleted_first_for_it_has_moved_along() {
    fn with_chest(world: &World, names: Names, width: i64) -> Program {
        program(world, move |stack| {
            let house = stack.add("home", House::new(names.house).comment(names.comment));
            let room = stack.add("room", Room::new(&house, names.room));
            stack.add("chest", Chest::new(&room, "chest").hollow(true).width(width));
            Ok(())
        })
    }
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &with_chest(&world, BEFORE, 10));
    world.fault("update House", Fault::Renamed);
    fails(&harness, &with_chest(&world, AFTER, 10));
    world.calls();
    up(&harness, &with_chest(&world, AFTER, -1));
    let calls = world.calls();
    in_order(&calls, "delete Chest villa/room/chest", "create Chest villa/room/chest");
    settled(&harness, &with_chest(&world, AFTER, -1));
}

//! A judge decides where a mark can't tell: in place, with a loss of data, or by a new object.

use platform_sdk::{Program, plan::Op, testing::Harness};

use super::{
    support::{program, settled, step, up},
    yard::{Chest, House, Room, World},
};

fn wide(world: &World, width: i64) -> Program {
    program(world, move |stack| {
        let house = stack.add("home", House::new("home"));
        let room = stack.add("room", Room::new(&house, "room"));
        stack.add("chest", Chest::new(&room, "chest").width(width));
        Ok(())
    })
}

fn judged(width: i64) -> (Op, Vec<String>) {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &wide(&world, 10));
    let run = up(&harness, &wide(&world, width));
    settled(&harness, &wide(&world, width));
    let step = step(&run.plan, "yard:Chest::chest");
    (step.op.clone(), step.destroys.clone())
}

#[test]
fn wider_is_in_place() {
    assert_eq!(judged(20), (Op::Update, vec![]));
}

#[test]
fn narrower_is_in_place_and_loses_data() {
    assert_eq!(judged(5), (Op::Update, vec!["data in `width` of `home/room/chest`".to_owned()]));
}

#[test]
fn below_zero_is_another_chest() {
    let (op, destroys) = judged(-1);
    assert!(matches!(op, Op::Replace { .. }));
    assert_eq!(destroys, ["chest `home/room/chest` with its data"]);
}

#[test]
fn what_drifted_is_judged_from_where_it_is() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &wide(&world, 10));
    world.tamper("Chest", "home/room/chest", "width", 30);
    let plan = harness.plan(&wide(&world, 10)).expect("a plan");
    assert_eq!(step(&plan, "yard:Chest::chest").destroys, ["data in `width` of `home/room/chest`"]);
}

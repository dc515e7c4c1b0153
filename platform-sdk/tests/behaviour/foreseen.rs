//! What a plan knows before an apply: outputs that are made of inputs, what only follows, and what a change does beside it.

use platform_sdk::{Program, interpolate, plan::Op, report::plan_text, testing::Harness};
use serde_json::json;

use super::{
    support::{program, settled, step, steps, up},
    yard::{Chest, House, Leaf, Lock, Room, World},
};

fn noted(world: &World, name: &'static str, floor: i64) -> Program {
    program(world, move |stack| {
        let house = stack.add("home", House::new(name).floor(floor));
        stack.add("note", Lock::new().note(interpolate!("opens {}", house.id)));
        stack.export("where", &house.id);
        Ok(())
    })
}

#[test]
fn what_follows_a_replacement_under_the_same_name_stays_as_it_is() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &noted(&world, "home", 1));
    world.calls();
    let run = up(&harness, &noted(&world, "home", 2));
    assert_eq!((steps(&run.plan), run.plan.exports.len()), (vec!["replace yard:House::home".to_owned()], 0));
    assert_eq!(world.calls(), ["delete House home", "create House home"]);
    settled(&harness, &noted(&world, "home", 2));
}

#[test]
fn a_replacement_under_another_name_shows_that_name() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &noted(&world, "home", 1));
    let run = up(&harness, &noted(&world, "villa", 2));
    let note = step(&run.plan, "yard:Lock::note");
    let after = note.changes[0].after.as_ref().map(platform_sdk::plan::Shown::value);
    assert_eq!((after, note.changes[0].unknown), (Some(json!("opens villa")), false));
    assert!(!note.follows, "what it becomes is known");
    settled(&harness, &noted(&world, "villa", 2));
}

#[test]
fn a_new_stack_shows_the_names_that_it_gives() {
    let (world, harness) = (World::default(), Harness::new());
    let furnished = program(&world, |stack| {
        let house = stack.add("home", House::new("home"));
        let room = stack.add("room", Room::new(&house, "room"));
        let chest = stack.add("chest", Chest::new(&room, "chest"));
        stack.add("shed", House::new(interpolate!("shed of {}", chest.serial)));
        stack.export("chest", &chest.id);
        Ok(())
    });
    let text = plan_text(&harness.plan(&furnished).expect("a plan"));
    for shown in ["house: \"home\"\n", "room: \"home/room\"\n", "+ chest: \"home/room/chest\"\n"] {
        assert!(text.contains(shown), "{shown} in {text}");
    }
    assert!(text.contains("name: shed of ${chest.serial}\n"), "what only the service knows: {text}");
    up(&harness, &furnished);
    settled(&harness, &furnished);
}

#[test]
fn what_only_follows_is_counted_apart() {
    let (world, harness) = (World::default(), Harness::new());
    let renamed = |name: &'static str, text: &'static str| {
        program(&world, move |stack| {
            let house = stack.add("home", House::new(name));
            let room = stack.add("room", Room::new(&house, "room"));
            stack.add("chest", Chest::new(&room, "chest"));
            stack.add("leaf", Leaf::new().house(&house).text(text));
            stack.add("note", Lock::new().note(interpolate!("{}: {}", text, house.id)));
            Ok(())
        })
    };
    up(&harness, &renamed("home", "one"));
    let run = up(&harness, &renamed("villa", "two"));
    let follows = |address: &str| step(&run.plan, address).follows;
    assert!(follows("yard:Room::room") && follows("yard:Chest::chest"));
    assert!(!follows("yard:House::home") && !follows("yard:Leaf::leaf"), "the program says something else of them");
    assert_eq!(step(&run.plan, "yard:Chest::chest").reasons, ["follows yard:Room::room"]);
    assert!(plan_text(&run.plan).ends_with("\nPlan: 2 to update, 3 follow.\n"), "{}", plan_text(&run.plan));
    settled(&harness, &renamed("villa", "two"));
}

#[test]
fn what_a_change_does_beside_it_is_said() {
    let (world, harness) = (World::default(), Harness::new());
    let painted = |colour: &'static str, size: i64| {
        program(&world, move |stack| {
            stack.add("home", House::new("home").colour(colour).size(size));
            Ok(())
        })
    };
    let said = "\n    can't be entered while it dries\n";
    let plan = up(&harness, &painted("red", 1)).plan;
    assert!(!plan_text(&plan).contains(said), "a create changes nothing");
    let plan = up(&harness, &painted("red", 2)).plan;
    assert_eq!((step(&plan, "yard:House::home").op.clone(), plan_text(&plan).contains(said)), (Op::Update, false));
    let plan = up(&harness, &painted("blue", 2)).plan;
    assert!(plan_text(&plan).contains(said), "{}", plan_text(&plan));
}

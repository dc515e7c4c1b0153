//! What it means that a field is not set: its default, null, the service's choice, or a value of its own.

use platform_sdk::{Program, plan::Op, testing::Harness};
use serde_json::json;

use super::{
    support::{fails, program, settled, step, steps, up},
    yard::{Fault, House, World},
};

fn house(world: &World, set: impl Fn(House) -> House + 'static) -> Program {
    program(world, move |stack| {
        stack.add("home", set(House::new("home")));
        Ok(())
    })
}

fn bare(world: &World) -> Program {
    house(world, |house| house)
}

#[test]
fn a_default_is_gone_back_to() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &house(&world, |house| house.size(4)));
    let run = up(&harness, &bare(&world));
    let change = &step(&run.plan, "yard:House::home").changes[0];
    assert_eq!((&change.before, &change.after), (&Some(json!(4).into()), &Some(json!(1).into())));
    assert_eq!(world.field("House", "home", "size"), Some(json!(1)));
    settled(&harness, &bare(&world));
}

#[test]
fn a_default_is_what_an_unset_field_means_from_the_start() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &bare(&world));
    assert_eq!(world.field("House", "home", "size"), Some(json!(1)));
    settled(&harness, &house(&world, |house| house.size(1)));
    world.tamper("House", "home", "size", json!(9));
    up(&harness, &bare(&world));
    assert_eq!(world.field("House", "home", "size"), Some(json!(1)));
}

#[test]
fn a_nullable_one_is_taken_away() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &house(&world, |house| house.comment("x")));
    let run = up(&harness, &bare(&world));
    let change = &step(&run.plan, "yard:House::home").changes[0];
    assert_eq!((&change.before, &change.after), (&Some(json!("x").into()), &None));
    assert_eq!(world.field("House", "home", "comment"), None);
    settled(&harness, &bare(&world));
}

#[test]
fn a_nullable_one_is_taken_away_that_only_a_failed_update_had_set() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &bare(&world));
    world.fault("update House", Fault::AnswerLost);
    world.fault("update House", Fault::Refused);
    fails(&harness, &house(&world, |house| house.comment("x")));
    assert_eq!(world.field("House", "home", "comment"), Some(json!("x")));
    up(&harness, &bare(&world));
    assert_eq!(world.field("House", "home", "comment"), None);
    settled(&harness, &bare(&world));
}

#[test]
fn a_nullable_one_that_was_never_set_is_the_service_s_business() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &bare(&world));
    world.tamper("House", "home", "comment", json!("by hand"));
    settled(&harness, &bare(&world));
    up(&harness, &house(&world, |house| house.size(2)));
    assert_eq!(world.field("House", "home", "comment"), Some(json!("by hand")));
}

#[test]
fn a_computed_one_is_released_and_said() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &house(&world, |house| house.colour("red")));
    world.calls();
    let run = up(&harness, &bare(&world));
    let house_step = step(&run.plan, "yard:House::home");
    assert_eq!((house_step.op.clone(), house_step.changes[0].path.as_str()), (Op::Options, "colour"));
    assert!(world.calls().is_empty());
    assert_eq!(world.field("House", "home", "colour"), Some(json!("red")));
    settled(&harness, &bare(&world));
    world.tamper("House", "home", "colour", json!("blue"));
    settled(&harness, &bare(&world));
}

#[test]
fn a_computed_one_that_is_set_is_the_program_s() {
    let (world, harness) = (World::default(), Harness::new());
    let red = house(&world, |house| house.colour("red"));
    up(&harness, &red);
    world.tamper("House", "home", "colour", json!("blue"));
    up(&harness, &red);
    assert_eq!(world.field("House", "home", "colour"), Some(json!("red")));
}

#[test]
fn a_fixed_one_that_is_unset_is_another_value() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &house(&world, |house| house.floor(1)));
    let run = up(&harness, &bare(&world));
    assert!(matches!(step(&run.plan, "yard:House::home").op, Op::Replace { .. }));
    assert_eq!(world.field("House", "home", "floor"), None);
    settled(&harness, &bare(&world));
}

#[test]
fn reality_that_became_what_the_program_says_is_only_recorded() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &house(&world, |house| house.size(4).comment("x")));
    world.tamper("House", "home", "size", json!(5));
    world.calls();
    let five = house(&world, |house| house.size(5).comment("x"));
    let run = up(&harness, &five);
    assert_eq!(step(&run.plan, "yard:House::home").reasons, ["reality is so already"]);
    assert!(world.calls().is_empty());
    settled(&harness, &five);
}

#[test]
fn an_update_changes_what_differs_and_nothing_else() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &house(&world, |house| house.comment("x").size(2)));
    let two = house(&world, |house| house.comment("y").size(2));
    let plan = harness.plan(&two).expect("a plan");
    let paths: Vec<_> = step(&plan, "yard:House::home").changes.iter().map(|change| change.path.clone()).collect();
    assert_eq!(paths, ["comment"]);
    assert_eq!(steps(&plan), ["update yard:House::home"]);
}

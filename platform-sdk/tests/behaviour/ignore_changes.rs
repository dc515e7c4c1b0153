//! `ignore_changes`: what is there stays as it is, in updates and in replacements, also by wildcard.

use std::collections::BTreeMap;

use platform_sdk::{Program, Secret, testing::Harness};
use serde_json::json;

use super::{
    support::{nothing, program, refused, settled, up},
    yard::{Door, House, Lock, World},
};

fn tagged(world: &World, tags: &[(&'static str, &'static str)], comment: &'static str) -> Program {
    let tags: BTreeMap<String, String> = tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    program(world, move |stack| {
        let house = House::new("home").comment(comment).tags(tags.clone());
        stack.add("home", house).ignore_changes(["tags.*", "size"]);
        Ok(())
    })
}

#[test]
fn drift_and_edits_at_the_path_are_nothing_to_do() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &tagged(&world, &[("team", "a")], "x"));
    world.tamper("House", "home", "tags", json!({"team": "b", "by": "hand"}));
    world.tamper("House", "home", "size", json!(7));
    settled(&harness, &tagged(&world, &[("team", "c")], "x"));
}

#[test]
fn another_update_leaves_it_alone() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &tagged(&world, &[("team", "a")], "x"));
    world.tamper("House", "home", "tags", json!({"team": "b", "by": "hand"}));
    up(&harness, &tagged(&world, &[("team", "c")], "y"));
    assert_eq!(world.field("House", "home", "tags"), Some(json!({"team": "b", "by": "hand"})));
    assert_eq!(world.field("House", "home", "comment"), Some(json!("y")));
    settled(&harness, &tagged(&world, &[("team", "c")], "y"));
}

#[test]
fn a_replacement_takes_over_what_is_there() {
    for (name, order) in [("home", "delete first"), ("villa", "create first")] {
        let (world, harness) = (World::default(), Harness::new());
        let sized = |name: &'static str, floor: i64, size: i64| {
            program(&world, move |stack| {
                stack.add("home", House::new(name).floor(floor).size(size)).ignore_changes(["size"]);
                Ok(())
            })
        };
        up(&harness, &sized("home", 1, 4));
        world.tamper("House", "home", "size", json!(9));
        up(&harness, &sized(name, 2, 5));
        assert_eq!(world.field("House", name, "size"), Some(json!(9)), "{order}");
        settled(&harness, &sized(name, 2, 5));
    }
}

#[test]
fn a_replacement_takes_over_what_the_service_never_shows() {
    let (world, harness) = (World::default(), Harness::new());
    let lock = |make: &'static str, code: &'static str| {
        program(&world, move |stack| {
            stack.add("lock", Lock::new().make(make).code(Secret::from(code))).ignore_changes(["code"]);
            Ok(())
        })
    };
    up(&harness, &lock("iron", "1234"));
    up(&harness, &lock("steel", "5678"));
    assert_eq!(world.field("Lock", "2", "code"), Some(json!("1234")));
    settled(&harness, &lock("steel", "5678"));
}

#[test]
fn a_first_create_and_one_after_a_loss_take_what_the_program_says() {
    let (world, harness) = (World::default(), Harness::new());
    let sized = |size: i64| {
        program(&world, move |stack| {
            stack.add("home", House::new("home").size(size)).ignore_changes(["size"]);
            Ok(())
        })
    };
    up(&harness, &sized(4));
    assert_eq!(world.field("House", "home", "size"), Some(json!(4)));
    world.lose("House", "home");
    let run = up(&harness, &sized(5));
    let change = run.plan.changes().flat_map(|step| &step.changes).find(|change| change.path == "size");
    assert_eq!(change.and_then(|change| change.after.clone()), Some(json!(5).into()));
    assert_eq!(world.field("House", "home", "size"), Some(json!(5)));
    settled(&harness, &sized(5));
}

#[test]
fn elements_can_be_ignored_as_a_whole_or_in_part() {
    let (world, harness) = (World::default(), Harness::new());
    let doors = |front: i64, comment: &'static str| {
        program(&world, move |stack| {
            let house = House::new("home").comment(comment).door(Door::new("front").width(front));
            stack.add("home", house).ignore_changes(["doors[front].width", "doors[cat]"]);
            Ok(())
        })
    };
    up(&harness, &doors(3, "x"));
    let by_hand = json!([{"name": "front", "width": 5}, {"name": "cat", "width": 1}]);
    world.tamper("House", "home", "doors", by_hand.clone());
    settled(&harness, &doors(4, "x"));
    up(&harness, &doors(4, "y"));
    assert_eq!(world.field("House", "home", "doors"), Some(by_hand));
}

#[test]
fn a_path_of_nothing_is_refused() {
    let (world, harness) = (World::default(), Harness::new());
    let wrong = program(&world, |stack| {
        stack.add("home", House::new("home")).ignore_changes(["doors[front].colour"]);
        Ok(())
    });
    assert!(refused(&harness, &wrong).contains("matches no field"));
}

#[test]
fn it_is_no_reason_to_keep_what_is_deleted() {
    let (world, harness) = (World::default(), Harness::new());
    up(&harness, &tagged(&world, &[], "x"));
    up(&harness, &nothing(&world));
    assert!(world.objects().is_empty());
}

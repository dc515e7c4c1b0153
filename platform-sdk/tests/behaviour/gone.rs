//! What is gone from reality: it is made anew, and nothing that has taken its name meanwhile is taken for it.

use platform_sdk::{Resource as _, testing::Harness};
use serde_json::json;

use super::{
    support::{fails, owned, program, up},
    yard::{Fault, House, World},
};

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

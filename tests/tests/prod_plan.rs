//! What each example shows before anything is done: the plan over an empty state, without any account or network.

#[expect(dead_code, unreachable_pub, reason = "a program of its own, whose `main` is not run here")]
#[path = "../../examples/prod.rs"]
mod prod;
#[expect(dead_code, unreachable_pub, reason = "a program of its own, whose `main` is not run here")]
#[path = "../../examples/starter.rs"]
mod starter;
#[expect(dead_code, unreachable_pub, reason = "a program of its own, whose `main` is not run here")]
#[path = "../../examples/workspace.rs"]
mod workspace;

use platform_sdk::testing::plan;

#[test]
fn prod_creates_the_whole_platform() {
    insta::assert_snapshot!("prod", plan(prod::program()).expect("the program is right"));
}

#[test]
fn starter_creates_the_smallest_lake() {
    insta::assert_snapshot!("starter", plan(starter::program()).expect("the program is right"));
}

#[test]
fn workspace_creates_what_is_inside_one_workspace() {
    insta::assert_snapshot!("workspace", plan(workspace::program()).expect("the program is right"));
}

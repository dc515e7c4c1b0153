//! An option that does not exist, and a field that does not.

use platform_sdk::{prelude::*, testing::Room};

fn declare(stack: &Stack) {
    stack.add("hall", Room::new("hall")).protected();
    stack.add("attic", Room::new("attic").flor(3));
}

fn main() {}

//! A machine stands in a room: without one it can't be written.

use platform_sdk::{prelude::*, testing::Machine};

fn declare(stack: &Stack) {
    stack.add("press", Machine::new());
}

fn main() {}

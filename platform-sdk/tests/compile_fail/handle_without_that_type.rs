//! A handle where plain text is wanted: one of its outputs was meant.

use platform_sdk::{prelude::*, testing::Room};

fn declare(stack: &Stack) {
    let room = stack.add("hall", Room::new("hall"));
    stack.add("copy", Room::new("copy").comment(&room));
}

fn main() {}

//! A machine's id where a room's is wanted.

use platform_sdk::{
    prelude::*,
    testing::{Machine, Room},
};

fn declare(stack: &Stack) {
    let room = stack.add("hall", Room::new("hall"));
    let press = stack.add("press", Machine::new(&room));
    stack.add("by handle", Machine::new(&press));
    stack.add("by output", Machine::new(&press.id));
}

fn main() {}

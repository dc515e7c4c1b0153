//! Something that is no resource is added to a stack.

use platform_sdk::prelude::*;

fn declare(stack: &Stack) {
    stack.add("hall", "hall");
}

fn main() {}

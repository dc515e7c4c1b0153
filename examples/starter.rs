//! The smallest program: a stack with one output and nothing to manage yet.

use std::process::ExitCode;

use platform_sdk::prelude::*;

/// What `cargo run --example starter` plans.
pub fn program() -> Program {
    Program::new("starter", |stack| {
        stack.export("stack", stack.name());
        Ok(())
    })
}

fn main() -> ExitCode {
    program().main()
}

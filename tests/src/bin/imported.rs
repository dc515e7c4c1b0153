//! A program that declares nothing, and, once it is told to, exactly the Rust that `import` printed.

use std::process::ExitCode;

use platform_aws::prelude::*;
use platform_databricks::prelude::*;
use platform_sdk::prelude::*;

fn main() -> ExitCode {
    Program::new("imported", platform).provider(WorkspaceProvider::from_env()).provider(Aws::from_env()).main()
}

fn platform(stack: &Stack) -> Result<()> {
    if stack.config_or("declared", false)? { printed(stack) } else { Ok(()) }
}

#[expect(unused_variables, reason = "each is named as it was printed, whether or not another refers to it")]
fn printed(stack: &Stack) -> Result<()> {
    include!("../imported.in")
}

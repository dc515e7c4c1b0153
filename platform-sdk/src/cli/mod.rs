//! The command line.
use std::process::ExitCode;
pub(crate) fn main(_program: crate::Program) -> ExitCode {
    ExitCode::SUCCESS
}

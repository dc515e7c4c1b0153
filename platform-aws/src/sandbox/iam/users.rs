//! The one user: the caller.

use platform_sdk::sandbox::World;

use super::Outcome;
use crate::sandbox::{CALLER_ARN, clock, params::Params, problem::Problem, xml::Xml};

/// The caller's unique id.
pub(in crate::sandbox) const CALLER_ID: &str = "AIDASANDBOX0000000000";
/// The caller's name.
const NAME: &str = "sandbox";
/// 2020-01-01T00:00:00Z: users are older than what they make.
const CREATED_MS: u64 = 1_577_836_800_000;

pub(super) fn get(mut params: Params, _world: &mut World) -> Outcome {
    let name = params.optional("UserName").unwrap_or_else(|| NAME.into());
    params.done()?;
    if name != NAME {
        return Err(Problem::new(404, "NoSuchEntity", format!("The user with name {name} cannot be found.")));
    }
    let mut result = Xml::default();
    result.element("User", |user| {
        user.text("Path", "/").text("UserName", NAME).text("UserId", CALLER_ID).text("Arn", CALLER_ARN);
        user.text("CreateDate", clock::seconds(CREATED_MS));
    });
    Ok(Some(result))
}

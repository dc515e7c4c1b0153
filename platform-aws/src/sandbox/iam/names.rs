//! What names, paths and ARNs may look like in IAM.

use crate::{
    arn::below,
    sandbox::{params::invalid, problem::Problem},
};

/// A role's name: 1 to 64 of letters, digits and `_+=,.@-`.
pub(super) fn check_role(name: &str) -> Result<(), Problem> {
    check("RoleName", name, 64)
}

/// An inline policy's name: 1 to 128 of the same.
pub(super) fn check_policy(name: &str) -> Result<(), Problem> {
    check("PolicyName", name, 128)
}

fn check(member: &str, name: &str, most: usize) -> Result<(), Problem> {
    if name.chars().count() > most {
        let constraint = format!("Member must have length less than or equal to {most}");
        return Err(invalid(member, name, &constraint));
    }
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)) {
        return Err(invalid(member, name, "Member must satisfy regular expression pattern: [\\w+=,.@-]+"));
    }
    Ok(())
}

/// A path: starts and ends with `/`.
pub(super) fn check_path(path: &str) -> Result<(), Problem> {
    let fits = path.len() <= 512 && path.starts_with('/') && path.ends_with('/');
    if fits && path.bytes().all(|byte| (0x21..=0x7e).contains(&byte)) {
        return Ok(());
    }
    let message = "The specified value for path is invalid. It must begin and end with / and contain only \
                   alphanumeric characters and/or / characters.";
    Err(Problem::new(400, "ValidationError", message))
}

/// A policy's ARN: AWS's own policies can be attached, and the sandbox has no others.
pub(super) fn check_policy_arn(arn: &str) -> Result<(), Problem> {
    let Some(named) = below(arn, "iam").filter(|_| arn.len() >= 20) else {
        return Err(Problem::new(400, "InvalidInput", format!("ARN {arn} is not valid.")));
    };
    if !named.starts_with("iam::aws:policy/") {
        let message = format!("Policy {arn} does not exist or is not attachable.");
        return Err(Problem::new(404, "NoSuchEntity", message));
    }
    Ok(())
}

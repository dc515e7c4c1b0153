//! Policy documents: what IAM checks before it keeps one, and how it writes one in an answer.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use platform_sdk::sandbox::World;
use serde_json::{Map, Value};

use super::{Role, one_or_many};
use crate::{
    arn::COMMERCIAL,
    sandbox::{ACCOUNT, CALLER_ARN, problem::Problem},
};

/// All but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A document as answers carry it.
pub(super) fn encoded(document: &str) -> String {
    utf8_percent_encode(document, RESERVED).to_string()
}

/// Checks a trust policy: who may assume a role.
pub(super) fn check_trust(document: &str, world: &World) -> Result<(), Problem> {
    if length(document) > 2_048 {
        return Err(Problem::new(409, "LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048"));
    }
    for statement in statements(document)? {
        only(&statement, &["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Condition"])?;
        let actions = one_or_many(&statement["Action"]);
        if actions.is_empty() || !actions.iter().all(|a| a.as_str().is_some_and(|a| a.starts_with("sts:"))) {
            return Err(malformed("AssumeRole policy may only specify STS AssumeRole actions."));
        }
        let principal = statement.get("Principal").ok_or_else(|| malformed("Missing required field Principal"))?;
        check_principal(principal, world)?;
    }
    Ok(())
}

/// Checks a permissions policy: what a role may do.
pub(super) fn check_permissions(document: &str) -> Result<(), Problem> {
    for statement in statements(document)? {
        if statement.contains_key("Principal") || statement.contains_key("NotPrincipal") {
            return Err(malformed("Policy document should not specify a principal."));
        }
        only(&statement, &["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"])?;
        if statement.contains_key("Action") == statement.contains_key("NotAction") {
            return Err(malformed("Policy statement must contain actions."));
        }
        if statement.contains_key("Resource") == statement.contains_key("NotResource") {
            return Err(malformed("Policy statement must contain resources."));
        }
        let actions = one_or_many(statement.get("Action").or(statement.get("NotAction")).unwrap_or(&Value::Null));
        if !actions.iter().all(|action| action.as_str().is_some_and(|a| a == "*" || a.contains(':'))) {
            return Err(malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."));
        }
        let resources = one_or_many(statement.get("Resource").or(statement.get("NotResource")).unwrap_or(&Value::Null));
        if !resources.iter().all(|r| r.as_str().is_some_and(|r| r == "*" || r.starts_with("arn:"))) {
            return Err(malformed("Resource must be in ARN format or \"*\"."));
        }
    }
    Ok(())
}

/// The size that counts against quotas: without white space.
pub(super) fn length(document: &str) -> usize {
    document.chars().filter(|c| !c.is_whitespace()).count()
}

fn statements(document: &str) -> Result<Vec<Map<String, Value>>, Problem> {
    let Ok(Value::Object(policy)) = serde_json::from_str(document) else {
        return Err(malformed("This policy contains invalid Json"));
    };
    only(&policy, &["Version", "Id", "Statement"])?;
    if !matches!(policy.get("Version").and_then(Value::as_str), Some("2012-10-17" | "2008-10-17")) {
        return Err(malformed("The policy must contain a valid version string"));
    }
    let statements = one_or_many(policy.get("Statement").unwrap_or(&Value::Null));
    if statements.is_empty() {
        return Err(malformed("Syntax errors in policy."));
    }
    let checked = statements.into_iter().map(|statement| match statement {
        Value::Object(statement) if matches!(statement.get("Effect"), Some(e) if e == "Allow" || e == "Deny") => {
            Ok(statement.clone())
        }
        _ => Err(malformed("Syntax errors in policy.")),
    });
    checked.collect()
}

fn only(object: &Map<String, Value>, allowed: &[&str]) -> Result<(), Problem> {
    match object.keys().find(|key| !allowed.contains(&key.as_str())) {
        Some(key) if key == "Resource" || key == "NotResource" => {
            Err(malformed(&format!("Has prohibited field {key}")))
        }
        Some(_) => Err(malformed("Syntax errors in policy.")),
        None => Ok(()),
    }
}

fn check_principal(principal: &Value, world: &World) -> Result<(), Problem> {
    let Value::Object(kinds) = principal else {
        return if principal == "*" { Ok(()) } else { Err(malformed("Syntax errors in policy.")) };
    };
    only(kinds, &["AWS", "Service", "Federated", "CanonicalUser"])?;
    for (kind, who) in kinds {
        for who in one_or_many(who) {
            let name = who.as_str().ok_or_else(|| malformed("Syntax errors in policy."))?;
            let exists = match kind.as_str() {
                "AWS" => aws_principal_exists(name, world),
                "Service" => name.ends_with(".amazonaws.com"),
                _ => !name.is_empty(),
            };
            if !exists {
                return Err(malformed(&format!("Invalid principal in policy: \"{kind}\":\"{name}\"")));
            }
        }
    }
    Ok(())
}

/// Whether a principal is there. Those of other accounts are taken to be: the sandbox can't look.
fn aws_principal_exists(name: &str, world: &World) -> bool {
    let is_account = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if name == "*" || is_account(name) || name.starts_with("AROA") || name.starts_with("AIDA") {
        return true;
    }
    let parts: Vec<_> = name.splitn(6, ':').collect();
    match parts[..] {
        ["arn", partition, "iam" | "sts", "", account, what] if is_account(account) && !what.contains('*') => {
            partition != COMMERCIAL
                || account != ACCOUNT
                || what == "root"
                || name == CALLER_ARN
                || what.starts_with("assumed-role/")
                || Role::by_arn(world, name).is_some()
        }
        _ => false,
    }
}

fn malformed(message: &str) -> Problem {
    Problem::new(400, "MalformedPolicyDocument", message)
}

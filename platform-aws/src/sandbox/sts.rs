//! STS: who the caller is, and sessions of roles.

use platform_sdk::sandbox::{Response, World};
use serde_json::Value;

use super::{
    ACCOUNT, CALLER_ARN,
    auth::{Caller, Session},
    clock,
    iam::{self, CALLER_ID, Role},
    params::{Params, invalid},
    problem::Problem,
    xml::Xml,
};

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

pub(super) fn handle(mut params: Params, caller: &Caller, world: &World) -> Result<Response, Problem> {
    let action = iam::action(&mut params, "2011-06-15")?;
    let result = match action.as_str() {
        "GetCallerIdentity" => {
            params.done()?;
            caller_identity(caller)
        }
        "AssumeRole" => assume_role(params, caller, world)?,
        _ => return Err(iam::unknown_action(&action, "2011-06-15")),
    };
    Ok(iam::answer(&action, NAMESPACE, Some(&result), world.now_ms()))
}

fn caller_identity(caller: &Caller) -> Xml {
    let mut result = Xml::default();
    match &caller.session {
        Some(session) => {
            result.text("Arn", session_arn(session)).text("UserId", format!("{}:{}", session.role_id, session.name));
        }
        None => {
            result.text("Arn", CALLER_ARN).text("UserId", CALLER_ID);
        }
    }
    result.text("Account", ACCOUNT);
    result
}

fn assume_role(mut params: Params, caller: &Caller, world: &World) -> Result<Xml, Problem> {
    let arn = params.required("RoleArn")?;
    let name = params.required("RoleSessionName")?;
    let external_id = params.optional("ExternalId");
    let duration = params.number("DurationSeconds", 900, 43_200)?.unwrap_or(3_600);
    params.done()?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if !(2..=64).contains(&name.len()) || !name.chars().all(allowed) {
        let constraint = "Member must satisfy regular expression pattern: [\\w+=,.@-]*";
        return Err(invalid("RoleSessionName", &name, constraint));
    }
    let who = caller.session.as_ref().map_or_else(|| CALLER_ARN.to_owned(), session_arn);
    let role = Role::by_arn(world, &arn)
        .filter(|role| {
            serde_json::from_str(&role.trust).is_ok_and(|trust| admits(&trust, &who, external_id.as_deref()))
        })
        .ok_or_else(|| {
            let message = format!("User: {who} is not authorized to perform: sts:AssumeRole on resource: {arn}");
            Problem::new(403, "AccessDenied", message)
        })?;
    if duration > role.max_session_seconds {
        let message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
        return Err(Problem::new(400, "ValidationError", message));
    }
    let expires_ms = world.now_ms() + duration * 1_000;
    let session = Session { role: role.name, role_id: role.id, name, expires_ms };
    let mut result = Xml::default();
    result.element("Credentials", |credentials| {
        credentials.text("AccessKeyId", format!("ASIASANDBOX{:09}", world.now_ms() % 1_000_000_000));
        credentials.text("SecretAccessKey", "sandbox").text("SessionToken", session.to_token());
        credentials.text("Expiration", clock::seconds(expires_ms));
    });
    result.element("AssumedRoleUser", |user| {
        user.text("AssumedRoleId", format!("{}:{}", session.role_id, session.name)).text("Arn", session_arn(&session));
    });
    Ok(result)
}

fn session_arn(session: &Session) -> String {
    format!("arn:aws:sts::{ACCOUNT}:assumed-role/{}/{}", session.role, session.name)
}

/// Whether a trust policy lets this caller in. Of conditions only the external id is looked at; others admit nobody,
/// because the sandbox can't judge them.
fn admits(trust: &Value, who: &str, external_id: Option<&str>) -> bool {
    let statements = iam::one_or_many(&trust["Statement"]);
    statements.iter().any(|statement| {
        let principals = iam::one_or_many(statement["Principal"].get("AWS").unwrap_or(&statement["Principal"]));
        let root = format!("arn:aws:iam::{ACCOUNT}:root");
        let named = principals.iter().filter_map(|p| p.as_str()).any(|p| ["*", ACCOUNT, &root, who].contains(&p));
        statement["Effect"] == "Allow" && named && condition_holds(&statement["Condition"], external_id)
    })
}

fn condition_holds(condition: &Value, external_id: Option<&str>) -> bool {
    let Some(condition) = condition.as_object() else { return true };
    condition.iter().all(|(operator, keys)| {
        operator == "StringEquals"
            && keys.as_object().is_some_and(|keys| {
                keys.iter().all(|(key, wanted)| {
                    let wanted = iam::one_or_many(wanted);
                    key == "sts:ExternalId" && wanted.iter().any(|wanted| wanted.as_str() == external_id)
                })
            })
    })
}

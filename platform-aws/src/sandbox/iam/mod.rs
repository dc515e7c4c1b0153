//! IAM: roles with their trust, inline policies, attachments and tags; query protocol, version 2010-05-08.

mod attachments;
mod documents;
mod names;
mod role_policies;
mod roles;
mod tags;
mod users;

use platform_sdk::sandbox::{Response, World};
use serde_json::Value;

use super::{clock, params::Params, problem::Problem, xml::Xml};

pub(super) use roles::Role;
pub(super) use users::CALLER_ID;

const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";
const VERSION: &str = "2010-05-08";

/// What an action gives: the content of its result element, or nothing where it has none.
type Outcome = Result<Option<Xml>, Problem>;

pub(super) fn handle(mut params: Params, world: &mut World) -> Result<Response, Problem> {
    let action = action(&mut params, VERSION)?;
    let run: fn(Params, &mut World) -> Outcome = match action.as_str() {
        "AttachRolePolicy" => attachments::attach,
        "CreateRole" => roles::create,
        "DeleteRole" => roles::delete,
        "DeleteRolePolicy" => role_policies::delete,
        "DetachRolePolicy" => attachments::detach,
        "GetRole" => roles::get,
        "GetRolePolicy" => role_policies::get,
        "GetUser" => users::get,
        "ListAttachedRolePolicies" => attachments::list,
        "ListInstanceProfilesForRole" => roles::list_instance_profiles,
        "ListRolePolicies" => role_policies::list,
        "ListRoleTags" => tags::list,
        "ListRoles" => roles::list,
        "PutRolePolicy" => role_policies::put,
        "TagRole" => tags::tag,
        "UntagRole" => tags::untag,
        "UpdateAssumeRolePolicy" => roles::update_trust,
        "UpdateRole" => roles::update,
        _ => return Err(unknown_action(&action, VERSION)),
    };
    let result = run(params, world)?;
    Ok(answer(&action, NAMESPACE, result.as_ref(), world.now_ms()))
}

/// Takes `Action`, and `Version`, which must be the one that is served.
pub(super) fn action(params: &mut Params, version: &str) -> Result<String, Problem> {
    let action = params.optional("Action").ok_or_else(|| {
        Problem::new(400, "MissingAction", "The request is missing an action or a required parameter.")
    })?;
    match params.optional("Version") {
        Some(asked) if asked == version => Ok(action),
        asked => Err(unknown_action(&action, asked.as_deref().unwrap_or("NO_VERSION_SPECIFIED"))),
    }
}

pub(super) fn unknown_action(action: &str, version: &str) -> Problem {
    Problem::new(400, "InvalidAction", format!("Could not find operation {action} for version {version}"))
}

/// A successful answer of the query protocol.
pub(super) fn answer(action: &str, namespace: &str, result: Option<&Xml>, now_ms: u64) -> Response {
    let mut answer = Xml::default();
    answer.element_of(&format!("{action}Response"), namespace, |answer| {
        if let Some(result) = result {
            answer.element(&format!("{action}Result"), |into| {
                into.append(result);
            });
        }
        answer.element("ResponseMetadata", |metadata| {
            metadata.text("RequestId", clock::request_id(now_ms));
        });
    });
    Response::xml(200, answer.into_document())
}

/// A policy's member that may be one thing or a list of things.
pub(super) fn one_or_many(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(many) => many.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

/// A page of an alphabetical list, as `Marker` and `MaxItems` ask for it.
struct Page {
    after: Option<String>,
    most: usize,
}

impl Page {
    fn of(params: &mut Params) -> Result<Self, Problem> {
        let most = params.number("MaxItems", 1, 1_000)?.unwrap_or(100);
        let after = params.optional("Marker");
        Ok(Self { after, most: usize::try_from(most).unwrap_or(100) })
    }

    /// Writes the page's items into `name`, then whether and where it goes on. Items come ordered by their keys.
    fn write<T>(
        &self,
        result: &mut Xml,
        name: &str,
        items: impl IntoIterator<Item = (String, T)>,
        mut member: impl FnMut(&mut Xml, T),
    ) {
        let after = self.after.as_deref();
        let mut rest = items.into_iter().filter(|(key, _)| after.is_none_or(|after| key.as_str() > after)).peekable();
        let mut last = String::new();
        result.element(name, |list| {
            for (key, item) in rest.by_ref().take(self.most) {
                member(list, item);
                last = key;
            }
        });
        let truncated = rest.peek().is_some();
        result.text("IsTruncated", truncated).maybe("Marker", truncated.then_some(last));
    }
}

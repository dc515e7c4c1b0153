//! Who asks, and for which service: the credential scope of Signature Version 4, in a header or in the query.

use platform_sdk::sandbox::Request;

use super::{clock, problem::Problem};

/// How a service is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// REST with XML bodies.
    S3,
    /// Actions with form parameters.
    Query,
}

/// The scope that a request was signed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) region: String,
    pub(super) service: String,
    /// The role session, when the credentials come from `AssumeRole`.
    pub(super) session: Option<Session>,
}

/// A role session. It travels whole in its session token, so that nothing has to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) role: String,
    pub(super) role_id: String,
    pub(super) name: String,
    pub(super) expires_ms: u64,
}

impl Session {
    pub(super) fn to_token(&self) -> String {
        format!("sandbox/{}/{}/{}/{}", self.role, self.role_id, self.name, self.expires_ms)
    }

    fn of_token(token: &str) -> Option<Self> {
        let mut parts = token.strip_prefix("sandbox/")?.split('/').map(str::to_owned);
        let (role, role_id, name) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self { role, role_id, name, expires_ms: parts.next()?.parse().ok()? })
    }
}

/// The protocol of a request, also of one that is not signed.
pub(super) fn protocol(request: &Request) -> Protocol {
    let form = request.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    match scope(request) {
        Ok(Some(scope)) if scope.service == "s3" => Protocol::S3,
        Ok(Some(_)) => Protocol::Query,
        _ if form || request.query("Action").is_some() => Protocol::Query,
        _ => Protocol::S3,
    }
}

/// The caller, or how the service says that there is none.
pub(super) fn caller(request: &Request, now_ms: u64) -> Result<Caller, Problem> {
    let scope = match (scope(request), protocol(request)) {
        (Ok(Some(scope)), _) => scope,
        (Ok(None), Protocol::S3) => return Err(Problem::new(403, "AccessDenied", "Access Denied")),
        (Ok(None), Protocol::Query) => {
            let message = "Request is missing Authentication Token";
            return Err(Problem::new(403, "MissingAuthenticationToken", message));
        }
        (Err(what), Protocol::S3) => {
            let message = format!("The authorization header is malformed; {what}");
            return Err(Problem::new(400, "AuthorizationHeaderMalformed", message));
        }
        (Err(what), Protocol::Query) => {
            return Err(Problem::new(
                403,
                "IncompleteSignature",
                format!("The request signature is incomplete: {what}"),
            ));
        }
    };
    let token = request.header("x-amz-security-token").or_else(|| request.query("X-Amz-Security-Token"));
    let session = token.map(|token| Session::of_token(token).ok_or_else(bad_token)).transpose()?;
    if session.as_ref().is_some_and(|session| session.expires_ms < now_ms) {
        let message = "The security token included in the request is expired";
        return Err(Problem::new(403, "ExpiredToken", message));
    }
    Ok(Caller { region: scope.region, service: scope.service, session })
}

fn bad_token() -> Problem {
    Problem::new(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
}

#[derive(Debug)]
struct Scope {
    region: String,
    service: String,
}

/// `AKIA.../20260102/eu-west-1/s3/aws4_request`, wherever it stands.
fn scope(request: &Request) -> Result<Option<Scope>, String> {
    let Some(header) = request.header("authorization") else {
        return request.query("X-Amz-Credential").map(parse_scope).transpose();
    };
    let fields = header.strip_prefix("AWS4-HMAC-SHA256").ok_or("the authorization type is not supported")?;
    let field = |name: &str| fields.split(',').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='));
    for name in ["SignedHeaders", "Signature"] {
        if field(name).is_none_or(str::is_empty) {
            return Err(format!("{name} is missing"));
        }
    }
    parse_scope(field("Credential").ok_or("Credential is missing")?).map(Some)
}

fn parse_scope(credential: &str) -> Result<Scope, String> {
    match credential.split('/').collect::<Vec<_>>()[..] {
        [key, date, region, service, "aws4_request"] if !key.is_empty() && clock::is_date_stamp(date) => {
            Ok(Scope { region: region.to_owned(), service: service.to_owned() })
        }
        _ => Err("the Credential is no access key with date, region and service".into()),
    }
}

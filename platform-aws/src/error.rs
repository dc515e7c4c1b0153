//! What the official clients' errors mean to the engine (contract clause 7), in words without secrets.

use std::{fmt::Display, time::Duration};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use platform_sdk::provider::{ErrorKind, ProviderError, ProviderResult};

use crate::bounded::TooLarge;

/// Longer waits than this are as good as this.
const A_DAY: Duration = Duration::from_hours(24);

/// Reads an official client's answer as the engine wants it.
pub(crate) trait Answer<T> {
    /// The answer, or the error with what was attempted: ``create bucket `raw` ``.
    fn doing(self, what: impl Display) -> ProviderResult<T>;

    /// The answer, or `None` where the service says that there is no such thing.
    #[cfg(any(feature = "iam", feature = "s3"))]
    fn unless_absent(self, what: impl Display) -> ProviderResult<Option<T>>;
}

impl<T, E> Answer<T> for Result<T, SdkError<E>>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    fn doing(self, what: impl Display) -> ProviderResult<T> {
        self.map_err(|error| classified(&error).while_doing(what))
    }

    #[cfg(any(feature = "iam", feature = "s3"))]
    fn unless_absent(self, what: impl Display) -> ProviderResult<Option<T>> {
        match self.doing(what) {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The text of a transport's error and of its causes. Kept instead of the error itself, whose debug form holds headers.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Transport(String);

fn classified<E>(error: &SdkError<E>) -> ProviderError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match error {
        SdkError::ServiceError(answer) => {
            let status = answer.raw().status().as_u16();
            let after = answer.raw().headers().get("retry-after").and_then(|text| text.parse().ok());
            service_error(
                answer.err().code(),
                answer.err().message(),
                status,
                after.map(Duration::from_secs).map(|after| after.min(A_DAY)),
            )
        }
        SdkError::DispatchFailure(failure) => {
            let told = causes(error);
            dispatch_failure(&told, failure.is_timeout(), failure.is_user())
        }
        SdkError::TimeoutError(_) => lost(ErrorKind::Ambiguous, "no answer in time", causes(error)),
        SdkError::ConstructionFailure(_) => {
            lost(ErrorKind::Invalid { field: None }, "the request can't be made", causes(error))
        }
        _ => {
            let (told, too_large) = (causes(error), TooLarge.to_string());
            if told.contains(&too_large) {
                return ProviderError::new(ErrorKind::Ambiguous, too_large)
                    .hint("AWS answers no call with so much: check AWS_ENDPOINT_URL, if it is set");
            }
            lost(ErrorKind::Ambiguous, "the answer can't be read", told)
        }
    }
}

/// An error whose cause is the transport's text.
fn lost(kind: ErrorKind, message: &str, told: String) -> ProviderError {
    ProviderError::new(kind, message).caused_by(Transport(told))
}

/// Outermost first; the outermost only says which variant it is.
fn causes(error: &(impl std::error::Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut next = error.source();
    while let Some(error) = next {
        let text = error.to_string();
        if texts.last() != Some(&text) {
            texts.push(text);
        }
        next = error.source();
    }
    texts.join(": ")
}

/// What connectors say when no connection was ever made: their types don't tell, their texts do.
const NEVER_CONNECTED: &[&str] =
    &["tcp connect", "dns error", "Connection refused", "HTTP connect", "failed to lookup"];

fn told_of(told: &str, texts: &[&str]) -> bool {
    texts.iter().any(|text| told.contains(text))
}

fn no_credentials(kind: ErrorKind, told: String) -> ProviderError {
    lost(kind, "no AWS credentials could be loaded", told)
        .hint("log in again (`aws sso login`, `aws configure`); `doctor` shows which login is used")
}

/// Credentials that were asked for outside of a request.
pub(crate) fn not_loaded(error: &CredentialsError) -> ProviderError {
    let told = causes(error);
    let passes = matches!(error, CredentialsError::ProviderTimedOut(_)) || told_of(&told, NEVER_CONNECTED);
    let kind = if passes { ErrorKind::Unavailable } else { ErrorKind::Denied };
    no_credentials(kind, if told.is_empty() { error.to_string() } else { told })
}

fn dispatch_failure(told: &str, timeout: bool, user: bool) -> ProviderError {
    if told_of(told, &["credential", "Credential", "SSO", "assume role"]) {
        return no_credentials(ErrorKind::Denied, told.to_owned());
    }
    if told_of(told, NEVER_CONNECTED) {
        return lost(ErrorKind::Unavailable, "AWS can't be reached", told.to_owned())
            .hint("check the network, the region, and AWS_ENDPOINT_URL if it is set");
    }
    if user {
        return lost(ErrorKind::Invalid { field: None }, "the request can't be sent", told.to_owned());
    }
    let message = if timeout { "no answer in time" } else { "the connection was lost before the answer" };
    lost(ErrorKind::Ambiguous, message, told.to_owned())
}

/// How long a change of ours may take to be seen by the service's other parts.
const SETTLING: Option<Duration> = Some(Duration::from_secs(3));

fn service_error(code: Option<&str>, message: Option<&str>, status: u16, after: Option<Duration>) -> ProviderError {
    let code = code.unwrap_or_default();
    let kind = kind(code, message.unwrap_or_default(), status, after);
    let text = match (message, code) {
        (Some(message), _) if !message.is_empty() => sentence(message),
        (_, "") if status < 300 => "the answer can't be read".to_owned(),
        (_, "") => format!("HTTP {status}"),
        (_, code) => code.to_owned(),
    };
    let error = ProviderError::new(kind, text).needing_force(is_in_use(code));
    match hint(code, status) {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

fn kind(code: &str, message: &str, status: u16, after: Option<Duration>) -> ErrorKind {
    match code {
        "NoSuchBucket"
        | "NoSuchEntity"
        | "NoSuchKey"
        | "NoSuchTagSet"
        | "NoSuchPublicAccessBlockConfiguration"
        | "ServerSideEncryptionConfigurationNotFoundError"
        | "NotFound" => ErrorKind::NotFound,
        "BucketAlreadyOwnedByYou" | "BucketAlreadyExists" | "EntityAlreadyExists" => ErrorKind::AlreadyExists,
        "BucketNotEmpty" | "DeleteConflict" | "ConcurrentModification" => ErrorKind::Conflict,
        "OperationAborted" | "EntityTemporarilyUnmodifiable" => ErrorKind::NotReady { after: SETTLING },
        // A role that was just made is not yet a principal everywhere.
        "MalformedPolicyDocument" if message.contains("nvalid principal") => ErrorKind::NotReady { after: SETTLING },
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "SlowDown" => ErrorKind::Throttled { after },
        "ServiceUnavailable" | "RequestTimeout" => ErrorKind::Unavailable,
        _ if is_denial(code) => ErrorKind::Denied,
        _ => by_status(status, after),
    }
}

fn by_status(status: u16, after: Option<Duration>) -> ErrorKind {
    match status {
        401 | 403 => ErrorKind::Denied,
        404 => ErrorKind::NotFound,
        409 => ErrorKind::Conflict,
        429 => ErrorKind::Throttled { after },
        503 => ErrorKind::Unavailable,
        // It said yes in words that are not the service's, or failed in the middle.
        200..=299 | 500..=599 => ErrorKind::Ambiguous,
        _ => ErrorKind::Invalid { field: None },
    }
}

fn is_denial(code: &str) -> bool {
    let codes = ["AllAccessDisabled", "AccountProblem", "AuthFailure", "NotSignedUp", "OptInRequired"];
    code.starts_with("AccessDenied") || codes.contains(&code) || is_stale(code) || is_wrong_key(code) || is_skewed(code)
}

fn is_stale(code: &str) -> bool {
    ["ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"].contains(&code)
}

fn is_wrong_key(code: &str) -> bool {
    let codes = ["InvalidClientTokenId", "InvalidAccessKeyId", "InvalidToken", "UnrecognizedClientException"];
    codes.contains(&code)
        || ["SignatureDoesNotMatch", "MissingAuthenticationToken", "IncompleteSignature"].contains(&code)
}

fn is_skewed(code: &str) -> bool {
    ["RequestTimeTooSkewed", "RequestExpired"].contains(&code)
}

/// What only a forced delete overcomes.
fn is_in_use(code: &str) -> bool {
    ["BucketNotEmpty", "DeleteConflict"].contains(&code)
}

fn hint(code: &str, status: u16) -> Option<&'static str> {
    match code {
        "BucketAlreadyExists" => {
            Some("bucket names are shared by all AWS accounts and this one is another account's: choose another name")
        }
        "BucketNotEmpty" => Some("empty it"),
        "DeleteConflict" => Some("something that the stack does not own is attached: detach it"),
        "LimitExceeded" | "TooManyBuckets" => {
            Some("a quota of the account is used up: raise it, or delete what is unused")
        }
        "OptInRequired" | "IllegalLocationConstraintException" => {
            Some("enable the region for the account, or use another")
        }
        _ if is_stale(code) => Some("the session has expired: log in again (`aws sso login`) and repeat the command"),
        _ if is_wrong_key(code) => Some("the keys are wrong or deleted: check AWS_ACCESS_KEY_ID or the profile"),
        _ if is_skewed(code) => Some("this machine's clock is wrong: set it"),
        _ if is_denial(code) || status == 403 => {
            Some("the identity that `doctor` shows needs a policy that allows this call on this resource")
        }
        _ => None,
    }
}

/// A service's message as part of ours: no full stop.
fn sentence(message: &str) -> String {
    message.trim().trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(code: &str) -> ErrorKind {
        service_error(Some(code), Some("Something."), 400, None).kind
    }

    #[test]
    fn clause_7_codes_are_classified() {
        for (code, kind) in [
            ("NoSuchBucket", ErrorKind::NotFound),
            ("NoSuchEntity", ErrorKind::NotFound),
            ("BucketAlreadyOwnedByYou", ErrorKind::AlreadyExists),
            ("BucketAlreadyExists", ErrorKind::AlreadyExists),
            ("EntityAlreadyExists", ErrorKind::AlreadyExists),
            ("DeleteConflict", ErrorKind::Conflict),
            ("BucketNotEmpty", ErrorKind::Conflict),
            ("ConcurrentModification", ErrorKind::Conflict),
            ("OperationAborted", ErrorKind::NotReady { after: SETTLING }),
            ("AccessDenied", ErrorKind::Denied),
            ("ExpiredToken", ErrorKind::Denied),
            ("InvalidClientTokenId", ErrorKind::Denied),
            ("Throttling", ErrorKind::Throttled { after: None }),
            ("SlowDown", ErrorKind::Throttled { after: None }),
            ("MalformedXML", ErrorKind::Invalid { field: None }),
        ] {
            assert_eq!(kind_of(code), kind, "{code}");
        }
    }

    #[test]
    fn clause_7_answers_without_a_code_are_classified_by_status() {
        let of = |status| service_error(None, None, status, None).kind;
        assert_eq!(of(403), ErrorKind::Denied);
        assert_eq!(of(404), ErrorKind::NotFound);
        assert_eq!(of(500), ErrorKind::Ambiguous, "it may have been carried out");
        assert_eq!(of(503), ErrorKind::Unavailable);
    }

    #[test]
    fn clause_7_a_principal_that_is_not_known_yet_will_be() {
        let message = r#"Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:role/new""#;
        let error = service_error(Some("MalformedPolicyDocument"), Some(message), 400, None);
        assert_eq!(error.kind, ErrorKind::NotReady { after: SETTLING });
        let other = service_error(Some("MalformedPolicyDocument"), Some("Syntax errors in policy."), 400, None);
        assert_eq!(other.kind, ErrorKind::Invalid { field: None });
        assert_eq!(other.message, "Syntax errors in policy");
    }

    #[test]
    fn clause_7_a_connection_that_was_never_made_had_no_effect() {
        let refused = "client error (Connect): tcp connect error: Connection refused (os error 111)";
        assert_eq!(dispatch_failure(refused, false, false).kind, ErrorKind::Unavailable);
        assert_eq!(dispatch_failure("connection reset by peer", false, false).kind, ErrorKind::Ambiguous);
        assert_eq!(dispatch_failure("HTTP read timeout occurred", true, false).kind, ErrorKind::Ambiguous);
        let none = dispatch_failure("the credential provider was not enabled", false, false);
        assert_eq!(none.kind, ErrorKind::Denied);
        assert!(none.hint.is_some());
    }
}

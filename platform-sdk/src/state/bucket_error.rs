//! What a bucket's service says when it does not do what was asked: how the engine takes it, and what a person reads.

use std::io;

use object_store::Error;

use crate::{
    provider::{ErrorKind, ProviderError},
    scrub::without_logins,
};

/// The codes by which S3 and Google, and Azure, say that there is no such bucket, not only no such object.
const NO_BUCKET: [&str; 2] = ["NoSuchBucket", "ContainerNotFound"];

/// Codes of Azure's that come with the status of a conflict, and say that nobody may write there for now.
/// <https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes>
const NO_CONFLICT: [&str; 4] =
    ["ContainerBeingDeleted", "BlobImmutableDueToPolicy", "LeaseIdMissing", "LeaseIdMismatchWithBlobOperation"];

/// An answer that is no success.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    /// `NoSuchBucket`; nothing where the body has none.
    code: String,
    /// A sentence of the service's; nothing where the body has none.
    sentence: String,
}

impl Answer {
    /// `None` when there was no answer at all. `object_store` keeps status and body to its own message, whatever the
    /// request was: what they say is read there, once for all services.
    fn of(error: &Error) -> Option<Self> {
        let text = error.to_string();
        let (_, answer) = text.split_once("status code: ")?;
        let (status, body) = answer.split_once(": ").unwrap_or((answer, ""));
        let inside = |tag: &str| {
            let (_, rest) = body.split_once(&format!("<{tag}>"))?;
            rest.split_once(&format!("</{tag}>")).map(|(inside, _)| inside)
        };
        // Azure's sentence goes on with lines about the request.
        let sentence = inside("Message").and_then(|message| message.lines().next()).unwrap_or_default();
        Some(Self {
            status: status.split(' ').next()?.parse().ok()?,
            code: inside("Code").unwrap_or_default().to_owned(),
            sentence: sentence.trim().to_owned(),
        })
    }
}

/// Whether it is the bucket that is not there, and not only an object.
pub(super) fn has_no_bucket(error: &Error) -> bool {
    Answer::of(error).is_some_and(|answer| NO_BUCKET.contains(&answer.code.as_str()))
}

/// Whether the condition of a write did not hold.
pub(super) fn is_conflict(error: &Error) -> bool {
    matches!(error, Error::AlreadyExists { .. } | Error::Precondition { .. })
        && !Answer::of(error).is_some_and(|answer| NO_CONFLICT.contains(&answer.code.as_str()))
}

/// Any other error, in a place that messages call `name`: `az://acme-state/platform`.
pub(super) fn failure(name: &str, error: Error) -> io::Error {
    // An address may hold a token.
    let said = without_logins(&error.to_string());
    tracing::debug!(error = said, "a bucket's service did not do what was asked");
    let answer = Answer::of(&error);
    let kind = kind(&error, answer.as_ref());
    match error {
        // Who logged in for us says it without `object_store`'s words around it.
        Error::Unauthenticated { source, .. } | Error::Generic { source, .. } if source.is::<ProviderError>() => {
            io::Error::new(kind, source)
        }
        error => match told(name, &error, answer.as_ref()) {
            Some(told) => io::Error::new(kind, told),
            None => io::Error::new(kind, said),
        },
    }
}

/// What the engine branches on.
fn kind(error: &Error, answer: Option<&Answer>) -> io::ErrorKind {
    match (error, answer.map(|answer| answer.status)) {
        (Error::PermissionDenied { .. } | Error::Unauthenticated { .. }, _) | (_, Some(401 | 403)) => {
            io::ErrorKind::PermissionDenied
        }
        (Error::NotFound { .. }, _) | (_, Some(404)) => io::ErrorKind::NotFound,
        // No answer, or one that says to come back later: the same request may succeed then.
        (Error::Generic { .. } | Error::JoinError { .. }, None | Some(408 | 429 | 500..)) => io::ErrorKind::TimedOut,
        _ => io::ErrorKind::Other,
    }
}

/// What a person reads; `None` where `object_store` says it as well as anybody could.
fn told(name: &str, error: &Error, answer: Option<&Answer>) -> Option<ProviderError> {
    const ELSEWHERE: &str = "or choose another place with `--state` or PLATFORM_STATE";
    let (scheme, place) = name.split_once("://")?;
    if let Some(message) = failed_login(&without_logins(&error.to_string())) {
        return Some(ProviderError::new(ErrorKind::Denied, message).hint(login(scheme)));
    }
    let Some(answer) = answer else { return unanswered(scheme, error) };
    if NO_BUCKET.contains(&answer.code.as_str()) {
        let (bucket, what) = (place.split('/').next()?, if scheme == "az" { "container" } else { "bucket" });
        let message = format!("there is no {what} `{bucket}`");
        return Some(ProviderError::new(ErrorKind::NotFound, message).hint(format!("create it, {ELSEWHERE}")));
    }
    let said = [&answer.code, &answer.sentence].into_iter().filter(|part| !part.is_empty()).cloned();
    let said = said.collect::<Vec<_>>().join(": ");
    Some(match answer.status {
        401 | 403 => ProviderError::new(ErrorKind::Denied, format!("the service refused the login: {said}"))
            .hint(format!("{}; it needs {}", login(scheme), rights(scheme))),
        status => {
            let next = if matches!(status, 408 | 429 | 500..) { "try again" } else { "correct it" };
            ProviderError::new(ErrorKind::Ambiguous, format!("the service answered with {status}: {said}"))
                .hint(format!("{next}, {ELSEWHERE}"))
        }
    })
}

/// Nobody answered: a host that has no address, a closed port, silence. The reason is at the end of the causes.
fn unanswered(scheme: &str, error: &Error) -> Option<ProviderError> {
    let Error::Generic { source, .. } = error else { return None };
    let text = error.to_string();
    let (request, _) = text.split_once("HTTP error: ")?;
    // Not what else the address holds: a login, or a token.
    let host = request.split_once("://").and_then(|(_, rest)| rest.split(['/', ' ']).next()?.rsplit('@').next());
    let host = host.map_or_else(|| "the service".to_owned(), |host| format!("`{host}`"));
    let mut cause: &dyn std::error::Error = source.as_ref();
    while let Some(next) = cause.source() {
        cause = next;
    }
    let named = match scheme {
        "az" => "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ENDPOINT",
        "gs" => "GOOGLE_BASE_URL and STORAGE_EMULATOR_HOST",
        _ => "AWS_REGION and AWS_ENDPOINT_URL",
    };
    let hint = format!("try again; check the network, and {named}, where these are set");
    let cause = without_logins(&cause.to_string());
    Some(ProviderError::new(ErrorKind::Unavailable, format!("no answer from {host}: {cause}")).hint(hint))
}

/// Why no request was sent at all.
fn failed_login(text: &str) -> Option<String> {
    let of_az = text.split_once("'az account get-access-token' command failed: ");
    match of_az {
        Some((_, why)) => Some(format!("`az` gave no login: {}", why.trim())),
        None if !text.contains("Error performing token request") => None,
        // The address at which a machine in a cloud is told who it is.
        None if text.contains("://169.254.169.254/") => {
            Some("there is no login in the environment, and this machine has none of its own".to_owned())
        }
        None => Some(format!("the login failed: {text}")),
    }
}

/// Where a login comes from.
fn login(scheme: &str) -> &'static str {
    match scheme {
        "az" => {
            "set AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN of the account, the AZURE_CLIENT_ID, \
             AZURE_CLIENT_SECRET and AZURE_TENANT_ID of a service principal, or run `az login`"
        }
        "gs" => "set GOOGLE_APPLICATION_CREDENTIALS to a key file, or run `gcloud auth application-default login`",
        _ => "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile that AWS_PROFILE names",
    }
}

/// What a login must be allowed to do.
fn rights(scheme: &str) -> &'static str {
    match scheme {
        "az" => "the role Storage Blob Data Contributor",
        "gs" => "the role Storage Object User",
        _ => "s3:GetObject, s3:PutObject and s3:DeleteObject on its objects, and s3:ListBucket on the bucket",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied(answer: &str) -> Error {
        let source = format!("Error performing PUT http://x/y in 8ms - Server returned non-2xx status code: {answer}");
        Error::PermissionDenied { path: "y".to_owned(), source: source.into() }
    }

    #[test]
    fn an_answer_is_read_out_of_what_object_store_says() {
        let body = "<?xml version='1.0'?><Error><Code>AuthenticationFailed</Code>\
                    <Message>Server failed to authenticate: check it.\nRequestId:1</Message></Error>";
        let answer = Answer::of(&denied(&format!("403 Forbidden: {body}"))).expect("an answer");
        let (code, sentence) =
            ("AuthenticationFailed".to_owned(), "Server failed to authenticate: check it.".to_owned());
        assert_eq!(answer, Answer { status: 403, code, sentence });
        let bare = Answer::of(&denied("502 Bad Gateway: ")).expect("an answer");
        assert_eq!(bare, Answer { status: 502, code: String::new(), sentence: String::new() });
        assert_eq!(Answer::of(&Error::NotImplemented { operation: "x".into(), implementer: "y".into() }), None);
    }

    #[test]
    fn an_address_is_told_without_a_login_and_without_a_token() {
        for text in [
            "Error performing GET https://acme.blob.core.windows.net/c/o?sv=1&sig=canary in 8ms - HTTP error: closed",
            "Error performing GET https://me:canary@127.0.0.1:9/c/o in 8ms - HTTP error: closed",
            "Error performing token request: GET http://10.0.0.1/?secret=canary: refused",
            "something about \"https://canary@host/x?sig=canary\", and more",
        ] {
            let source = std::io::Error::other("closed").into();
            let whole = Error::Generic { store: "x", source: text.into() };
            for error in [whole, Error::PermissionDenied { path: text.to_owned(), source }] {
                let said = failure("az://container/folder", error).to_string();
                assert!(!said.contains("canary"), "{said}");
            }
        }
    }

    #[test]
    fn who_may_not_write_for_now_has_not_met_another_writer() {
        let refused = |code: &str| {
            let source = format!("status code: 409 Conflict: <Error><Code>{code}</Code></Error>").into();
            is_conflict(&Error::AlreadyExists { path: "y".to_owned(), source })
        };
        assert!(refused("BlobAlreadyExists") && refused(""));
        assert!(!refused("ContainerBeingDeleted"));
    }
}

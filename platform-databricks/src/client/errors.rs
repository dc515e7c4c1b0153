//! What an answer that is no success, or no answer, means: the kind of error, whether another try may help, what to do.
//!
//! When a web page comes back, something else than the API answered: nothing in it is taken as the service's word.

use platform_sdk::provider::{ErrorKind, ProviderError};

use super::fault::{ApiFault, read};
use super::retry::{Class, Fault};
use super::transport::{Answer, Lost};

/// What was asked, as far as the meaning of the answer depends on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// The HTTP method.
    pub(crate) method: &'a str,
    /// The encoded path.
    pub(crate) path: &'a str,
    /// Whether it may change something.
    pub(crate) changes: bool,
    /// Whether doing it twice does no harm.
    pub(crate) safe_to_repeat: bool,
    /// The host, in words.
    pub(crate) host: &'a str,
    /// The credential, in words.
    pub(crate) login: &'a str,
}

impl Asked<'_> {
    /// How a call counts that may have been carried out.
    pub(crate) fn kind_when_unknown(&self) -> ErrorKind {
        if self.changes { ErrorKind::Ambiguous } else { ErrorKind::Unavailable }
    }

    /// The same where asking again would bring the same answer.
    pub(crate) fn kind_when_unreadable(&self) -> ErrorKind {
        if self.changes { ErrorKind::Ambiguous } else { ErrorKind::Failed { replace: false } }
    }

    /// What a message adds when nobody knows.
    pub(crate) fn effect(&self) -> &'static str {
        if self.changes { "; it may have been carried out" } else { "" }
    }

    /// Another try, if that does no harm.
    pub(crate) fn again_if_safe(&self) -> Option<Class> {
        self.safe_to_repeat.then_some(Class::Broken)
    }

    /// An answer that breaks off or makes no sense, with what to look at.
    pub(crate) fn garbled(&self, error: ProviderError) -> Fault {
        let hint = format!("does a proxy between here and {} cut answers off? check DATABRICKS_HOST", self.host);
        Fault { error: error.hint(hint), again: self.safe_to_repeat.then_some(Class::Garbled), after: None }
    }
}

/// Reads an answer that is no success, or a web page of whatever status.
pub(crate) fn decode(asked: &Asked<'_>, answer: &Answer) -> Fault {
    if let 300..400 = answer.status {
        let to = answer.redirect_target().unwrap_or_else(|| "elsewhere".to_owned());
        let message = format!("the server at {} redirects to {to} (status {})", asked.host, answer.status);
        return Fault::last(ProviderError::new(ErrorKind::Unavailable, message).hint(WRONG_HOST));
    }
    if answer.is_html() {
        return decode_page(asked, answer);
    }
    let Some(fault) = read(answer) else {
        let message = format!("the server at {} answered with unreadable text (status {})", asked.host, answer.status);
        return Fault { error: foreign(asked, answer, message), ..repeatable(asked, answer, None) };
    };
    let kind = kind_of(asked, &fault, answer);
    let message = match fault.message.trim().trim_end_matches('.') {
        "" if fault.code.is_empty() => format!("{} answered status {} without a word", asked.host, fault.status),
        "" => format!("{} answered status {}, {}", asked.host, fault.status, fault.code),
        text => text.to_owned(),
    };
    let mut error = ProviderError::new(kind, message);
    error.hint = hint_for(asked, &fault);
    let repeat = repeatable(asked, answer, Some(&fault));
    Fault { error: error.caused_by(fault), ..repeat }
}

/// What no answer means: nothing happened, or nobody knows.
pub(crate) fn lost(lost: Lost, asked: &Asked<'_>) -> Fault {
    match lost {
        Lost::Unsent(cause) => Fault {
            error: ProviderError::new(ErrorKind::Unavailable, format!("cannot connect to {}", asked.host))
                .hint(format!("is {} reachable? check DATABRICKS_HOST", asked.host))
                .caused_by(cause),
            again: Some(Class::Unreachable),
            after: None,
        },
        Lost::Unanswered(cause) => {
            let what =
                if cause.is_timeout() { "no answer in time" } else { "the connection broke before the whole answer" };
            let message = format!("{} {} at {}: {what}{}", asked.method, asked.path, asked.host, asked.effect());
            let began = (cause.is_body() || cause.is_decode()) && !cause.is_timeout();
            let error = ProviderError::new(asked.kind_when_unknown(), message).caused_by(cause);
            if began { asked.garbled(error) } else { Fault { error, again: asked.again_if_safe(), after: None } }
        }
        Lost::TooLarge(most) => {
            let (method, path, most) = (asked.method, asked.path, most >> 20);
            let message =
                format!("the answer to {method} {path} has more than {most} MiB: it is not read{}", asked.effect());
            let error = ProviderError::new(asked.kind_when_unreadable(), message);
            Fault::last(
                error.hint(format!("no API answers so much: what answers at {}? check DATABRICKS_HOST", asked.host)),
            )
        }
    }
}

const WRONG_HOST: &str = "is DATABRICKS_HOST a workspace address?";

/// A web page: a proxy's, a log-in page, a wrong host. "Not found" on one says nothing about our object.
fn decode_page(asked: &Asked<'_>, answer: &Answer) -> Fault {
    let message = format!(
        "the server at {} answered with an HTML page (status {}); is DATABRICKS_HOST a workspace address?",
        asked.host, answer.status
    );
    Fault { error: foreign(asked, answer, message), ..repeatable(asked, answer, None) }
}

/// Something that is not the API answered.
fn foreign(asked: &Asked<'_>, answer: &Answer, message: String) -> ProviderError {
    let kind = match answer.status {
        429 => ErrorKind::Throttled { after: answer.retry_after() },
        401 | 403 => ErrorKind::Denied,
        400..500 | 503 => ErrorKind::Unavailable,
        _ => asked.kind_when_unknown(),
    };
    ProviderError::new(kind, message)
        .hint("open the host in a browser: a workspace shows its log-in page, and a proxy in between shows its own")
}

/// Whether another try may help. The error in it is a placeholder for the caller's.
fn repeatable(asked: &Asked<'_>, answer: &Answer, fault: Option<&ApiFault>) -> Fault {
    let says = |text: &str| fault.is_some_and(|fault| fault.message.contains(text) || fault.code.contains(text));
    let again = match answer.status {
        429 | 503 => Some(Class::Throttled),
        _ if TRANSIENT.iter().any(|text| says(text)) => Some(Class::Throttled),
        501 => None,
        500.. => asked.again_if_safe(),
        _ => None,
    };
    Fault { error: ProviderError::new(ErrorKind::Unavailable, ""), again, after: answer.retry_after() }
}

const BUCKET_EMPTY: &str = "RPC token bucket limit";
/// Sayings of a service that could not start on the request yet, whatever the status.
const TRANSIENT: &[&str] = &[BUCKET_EMPTY, "ClusterNotReadyException"];

fn kind_of(asked: &Asked<'_>, fault: &ApiFault, answer: &Answer) -> ErrorKind {
    let (code, message) = (fault.code.as_str(), fault.message.as_str());
    let after = answer.retry_after();
    match fault.status {
        429 => return ErrorKind::Throttled { after },
        503 => return ErrorKind::Unavailable,
        _ if message.contains(BUCKET_EMPTY) => return ErrorKind::Throttled { after },
        _ if TRANSIENT.iter().any(|text| message.contains(text) || code.contains(text)) => {
            return ErrorKind::NotReady { after };
        }
        401 | 403 => return ErrorKind::Denied,
        501 => return ErrorKind::Invalid { field: None },
        500.. => return asked.kind_when_unknown(),
        _ => {}
    }
    if let Some(what) = missing(asked, fault) {
        return ErrorKind::Missing { what };
    }
    if let Some(kind) = kind_of_code(code, message) {
        return kind;
    }
    match fault.status {
        400 if is_masked_absence(asked, message) => ErrorKind::NotFound,
        // What frameworks say about a route that they don't have: this is no Databricks API.
        404 if code.is_empty() && message == "Not Found" => ErrorKind::Unavailable,
        404 => ErrorKind::NotFound,
        409 if code.is_empty() || message.contains("already") => ErrorKind::AlreadyExists,
        409 | 412 => ErrorKind::Conflict,
        _ => ErrorKind::Invalid { field: fault.field.clone() },
    }
}

/// What else than the object that was asked for does not exist: a principal, for any change; what a change refers to, where
/// the path names the object, and the service quotes another name.
fn missing(asked: &Asked<'_>, fault: &ApiFault) -> Option<String> {
    let (code, message) = (fault.code.as_str(), fault.message.as_str());
    let absent = fault.status == 404 || code.ends_with("_DOES_NOT_EXIST") || code.ends_with("_NOT_FOUND");
    if !absent || code == "ENDPOINT_NOT_FOUND" || !matches!(asked.method, "PATCH" | "POST" | "PUT") {
        return None;
    }
    if code == "PRINCIPAL_DOES_NOT_EXIST" || message.contains("find principal") || message.starts_with("Principal") {
        return Some(quoted(message).or_else(|| named(message)).unwrap_or_else(|| "a principal".to_owned()));
    }
    // Calls that name their object in the body may be about that one.
    let what = quoted(message).filter(|_| asked.method != "POST")?;
    let path = percent_encoding::percent_decode_str(asked.path).decode_utf8_lossy().to_lowercase();
    (!path.contains(&what.to_lowercase())).then_some(what)
}

/// The name that a message quotes.
fn quoted(message: &str) -> Option<String> {
    ['\'', '`', '"'].iter().find_map(|quote| {
        let mut parts = message.split(*quote);
        let (_, name, _) = (parts.next()?, parts.next()?, parts.next()?);
        (!name.is_empty()).then(|| name.to_owned())
    })
}

/// The name that a message ends with: `Could not find principal with name analysts.`, `Principal: UserName(a@b.c) does ..`.
fn named(message: &str) -> Option<String> {
    let after = message.split_once(" with name ").or_else(|| message.split_once('('))?.1;
    let name = after.split([')', ' ']).next().unwrap_or_default().trim_end_matches('.');
    (!name.is_empty()).then(|| name.to_owned())
}

/// What the service's own code says, where it says it without regard to the status.
fn kind_of_code(code: &str, message: &str) -> Option<ErrorKind> {
    match code {
        "ENDPOINT_NOT_FOUND" => Some(ErrorKind::Unavailable),
        "FEATURE_DISABLED" | "PERMISSION_DENIED" | "UNAUTHENTICATED" => Some(ErrorKind::Denied),
        "NOT_FOUND" => Some(ErrorKind::NotFound),
        "ALREADY_EXISTS" | "uniqueness" => Some(ErrorKind::AlreadyExists),
        "RESOURCE_CONFLICT" | "CONFLICT" | "ABORTED" => Some(ErrorKind::Conflict),
        "INVALID_STATE" if message.contains("not empty") => Some(ErrorKind::Conflict),
        "INVALID_STATE" => Some(ErrorKind::NotReady { after: None }),
        _ if code.ends_with("_DOES_NOT_EXIST") || code.ends_with("_NOT_FOUND") => Some(ErrorKind::NotFound),
        _ if code.ends_with("_ALREADY_EXISTS") => Some(ErrorKind::AlreadyExists),
        _ if code.ends_with("_NOT_EMPTY") => Some(ErrorKind::Conflict),
        _ => None,
    }
}

/// Older services say "400 ... does not exist" of the object that was asked for. On a create it is about another one.
fn is_masked_absence(asked: &Asked<'_>, message: &str) -> bool {
    let about = [("Cluster ", "/clusters/"), ("Job ", "/jobs/"), ("Run ", "/runs/")];
    let of_this = |(noun, path): &(&str, &str)| {
        let said = message.find(noun).is_some_and(|at| message[at..].contains("does not exist"));
        said && asked.path.contains(path)
    };
    !asked.path.ends_with("/create") && about.iter().any(of_this)
}

fn hint_for(asked: &Asked<'_>, fault: &ApiFault) -> Option<String> {
    match (fault.status, fault.code.as_str()) {
        (401, _) => Some(format!(
            "the credential is refused: {}; it may be expired, revoked, or of another workspace than {}",
            asked.login, asked.host
        )),
        (_, "FEATURE_DISABLED") => Some("the feature is switched off; an admin can switch it on".to_owned()),
        (403, _) | (_, "PERMISSION_DENIED") => {
            Some(format!("the login is the {}; ask for the privilege that the message names", asked.login))
        }
        (404, "ENDPOINT_NOT_FOUND") => Some(format!(
            "{} does not serve this call; workspace calls need a workspace's address, account calls the account console's",
            asked.host
        )),
        (404, "") if fault.message == "Not Found" => Some(WRONG_HOST.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
#[path = "errors_tests.rs"]
mod tests;

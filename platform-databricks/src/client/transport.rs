//! One try over the wire: what goes out, and what came back or did not.

use std::time::Duration;

use platform_sdk::provider::{ErrorKind, ProviderError, ProviderResult};
use reqwest::header::{DATE, HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{RequestBuilder, Url, redirect};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::auth::Host;

/// What every request says about the program that sends it.
const USER_AGENT: &str = concat!("platform-sdk/", env!("CARGO_PKG_VERSION"));
/// A connection that takes longer will not come.
const LONGEST_CONNECT: Duration = Duration::from_secs(10);
/// The most that is read of an answer: a statement's result has 25 MiB at most, an exported notebook 10 MiB.
pub(crate) const LARGEST: usize = 32 << 20;
/// The same of a login's answers, which are tokens and addresses.
pub(crate) const LARGEST_OF_LOGIN: usize = 1 << 20;
/// Longer waits than this are as good as this.
const A_DAY: Duration = Duration::from_hours(24);

/// A connection pool. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Transport(reqwest::Client);

/// A whole answer, of whatever status.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// A try without an answer.
pub(crate) enum Lost {
    /// The request did not leave: no connection, no name.
    Unsent(reqwest::Error),
    /// It left, and may have had its effect.
    Unanswered(reqwest::Error),
    /// An answer came that has more than so many bytes. It was not read to its end.
    TooLarge(usize),
}

impl Transport {
    /// A pool for this host. The one place where HTTP clients are made.
    pub(crate) fn new(host: &Host, timeout: Duration) -> ProviderResult<Self> {
        // Fails when a provider is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .timeout(timeout)
            // A host that swallows packets shows while connecting, when nothing has been sent yet.
            .connect_timeout(timeout.min(LONGEST_CONNECT))
            // Shorter than servers keep idle connections: a request on a connection that the server is just closing
            // would count as lost.
            .pool_idle_timeout(Duration::from_secs(20))
            // A redirect turns POST into GET and ends on a log-in page: it is an answer of its own.
            .redirect(redirect::Policy::none());
        if host.is_loopback() {
            builder = builder.no_proxy();
        }
        builder.build().map(Self).map_err(|error| {
            ProviderError::new(ErrorKind::Unavailable, "cannot set up the HTTP client").caused_by(error.without_url())
        })
    }

    pub(crate) fn get(&self, url: Url) -> RequestBuilder {
        self.0.get(url)
    }

    pub(crate) fn post(&self, url: Url) -> RequestBuilder {
        self.0.post(url)
    }

    pub(crate) fn request(&self, method: reqwest::Method, url: Url) -> RequestBuilder {
        self.0.request(method, url)
    }
}

/// Sends and reads the answer to its end, or until it turns out to have more than so many bytes. Nothing is decompressed:
/// what arrives is what is kept.
pub(crate) async fn exchange(request: RequestBuilder, most: usize) -> Result<Answer, Lost> {
    let mut response = request.send().await.map_err(|error| {
        let error = error.without_url();
        if error.is_connect() || error.is_builder() { Lost::Unsent(error) } else { Lost::Unanswered(error) }
    })?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    if response.content_length().is_some_and(|length| length > most as u64) {
        return Err(Lost::TooLarge(most));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| Lost::Unanswered(error.without_url()))? {
        if chunk.len() > most - body.len() {
            return Err(Lost::TooLarge(most));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, headers, body: String::from_utf8_lossy(&body).into_owned() })
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether a web page came instead of an API's answer.
    pub(crate) fn is_html(&self) -> bool {
        self.header("content-type").is_some_and(|kind| kind.starts_with("text/html"))
            || self.body.trim_start().starts_with('<')
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Where a redirect leads: scheme and host only, as the rest may hold a one-time code.
    pub(crate) fn redirect_target(&self) -> Option<String> {
        let location = self.headers.get(LOCATION)?.to_str().ok()?;
        let url = Url::parse(location).ok()?;
        Some(format!("{}://{}", url.scheme(), url.host_str()?))
    }

    /// `Retry-After`, in seconds or as a date (RFC 9110, 10.2.3). A date is read against the server's own clock where
    /// the answer shows it.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let text = self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds).min(A_DAY));
        }
        let now = self.headers.get(DATE).and_then(|date| read_date(date.to_str().ok()?));
        let wait = read_date(text)? - now.unwrap_or_else(OffsetDateTime::now_utc);
        Some(wait.try_into().unwrap_or(Duration::ZERO).min(A_DAY))
    }
}

fn read_date(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text.trim(), &Rfc2822).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use reqwest::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};

    use super::Answer;

    fn retry_after(value: &'static str, date: Option<&'static str>) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
        date.map(|date| headers.insert(DATE, HeaderValue::from_static(date)));
        Answer { status: 429, headers, body: String::new() }.retry_after()
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = Some("Mon, 23 Nov 2026 08:42:59 GMT");
        assert_eq!(retry_after("7", None), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Mon, 23 Nov 2026 08:43:09 GMT", now), Some(Duration::from_secs(10)));
        assert_eq!(retry_after("Mon, 23 Nov 2026 08:40:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("Tue, 01 Jan 2019 00:00:00 GMT", None), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", now), None);
    }
}

//! A settled login: whom to call, as whom, and where each part of that was found.

use std::fmt;

use reqwest::Url;

use super::error::LoginError;
use super::redacted::Redacted;

/// Everything that must be known before the first request.
#[derive(Debug, Clone)]
pub struct Login {
    /// The workspace, or the account console.
    pub host: Host,
    /// The Databricks account, for account-level calls.
    pub account_id: Option<String>,
    /// The workspace meant, where one host serves several.
    pub workspace_id: Option<String>,
    /// How requests are authenticated.
    pub method: Method,
    /// Where each attribute came from, for `doctor`. In alphabetical order of the attributes.
    pub origins: Vec<Origin>,
}

impl Login {
    /// The same credentials on another workspace, for instance one that this very run created.
    ///
    /// # Errors
    /// [`LoginError::BadHost`] when `host` is no address, [`LoginError::BadValue`] when the id is no number.
    pub fn for_workspace(&self, host: &str, workspace_id: impl Into<String>) -> Result<Self, LoginError> {
        let given = |attribute| Origin { attribute, place: Place::Program };
        let (host, _) = Host::parse(host).map_err(|reason| LoginError::bad_host(host, reason, given("host")))?;
        let workspace_id = checked_workspace_id(workspace_id.into(), &given("workspace_id"))?;
        let mut origins = self.origins.clone();
        origins.retain(|origin| !matches!(origin.attribute, "host" | "workspace_id"));
        origins.extend([given("host"), given("workspace_id")]);
        origins.sort_by_key(|origin| origin.attribute);
        Ok(Self { host, workspace_id: Some(workspace_id), origins, ..self.clone() })
    }

    /// The credential in words, without its secret: ``personal access token (`DATABRICKS_TOKEN` of the environment)``.
    pub fn describe(&self) -> String {
        let (what, attribute) = match &self.method {
            Method::Pat { .. } => ("personal access token".to_owned(), "token"),
            Method::OAuthM2m { client_id, .. } => (format!("service principal `{client_id}`"), "client_secret"),
        };
        match self.origins.iter().find(|origin| origin.attribute == attribute) {
            Some(origin) => format!("{what} ({origin})"),
            None => what,
        }
    }
}

/// How requests are authenticated.
#[derive(Debug, Clone)]
pub enum Method {
    /// A personal access token.
    Pat {
        /// The token.
        token: Redacted,
    },
    /// A service principal's id and secret, exchanged for short-lived tokens (OAuth "machine to machine").
    OAuthM2m {
        /// The service principal's application id.
        client_id: String,
        /// Its OAuth secret.
        client_secret: Redacted,
    },
}

impl Method {
    /// The value of `auth_type` that chooses it.
    pub fn auth_type(&self) -> &'static str {
        match self {
            Self::Pat { .. } => "pat",
            Self::OAuthM2m { .. } => "oauth-m2m",
        }
    }
}

/// The address of a workspace or of the account console: scheme, name and port, nothing else.
#[derive(Clone, PartialEq, Eq)]
pub struct Host(Url);

impl Host {
    /// Reads what people paste: a bare name, an address with a path, the browser's address. The browser's `?o=` is the
    /// workspace's id and is handed back.
    pub(super) fn parse(text: &str) -> Result<(Self, Option<String>), &'static str> {
        let text = text.trim();
        let full = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let mut url = Url::parse(&full).map_err(|_| "it is no web address")?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err("it is no web address");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it holds a user name or password");
        }
        let workspace_id =
            url.query_pairs().find(|(name, _)| name == "o").map(|(_, id)| id.into_owned()).filter(|id| is_number(id));
        url.set_path("/");
        url.set_query(None);
        url.set_fragment(None);
        Ok((Self(url), workspace_id))
    }

    /// Whether it is a workspace on Google's cloud.
    pub(crate) fn is_google(&self) -> bool {
        self.0.host_str().is_some_and(|name| name.ends_with(".gcp.databricks.com"))
    }

    /// The whole address of an encoded path that starts with `/`.
    pub(crate) fn at(&self, path: &str) -> Option<Url> {
        let url = self.0.join(path).ok()?;
        // A dot segment in a name ("..", even encoded) would silently address something else; so would `//name`.
        (url.path() == path && url.origin() == self.0.origin()).then_some(url)
    }

    /// Whether it is the account console, where there are no workspaces' objects.
    pub fn is_account_console(&self) -> bool {
        self.0.host_str().is_some_and(|name| name.starts_with("accounts.") || name.starts_with("accounts-"))
    }

    /// Whether it is this machine, which no proxy can reach.
    pub(crate) fn is_loopback(&self) -> bool {
        let name = self.0.host_str().unwrap_or_default();
        name == "localhost" || name == "[::1]" || name.starts_with("127.")
    }

    /// The address as text, without a `/` at its end.
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// Whether what is sent there is encrypted.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An attribute and where its value was found: ``profile `dev` of ~/.databrickscfg``.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The attribute's name, as in the config file.
    pub attribute: &'static str,
    /// The place.
    pub place: Place,
}

/// Where a value can come from, in order of precedence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The program gave it.
    Program,
    /// An environment variable.
    Environment {
        /// Its name.
        variable: &'static str,
    },
    /// The config file.
    Profile {
        /// The profile's name.
        profile: String,
        /// The file, shortened for reading.
        file: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Program => write!(f, "`{}` in the program", self.attribute),
            Place::Environment { variable } => write!(f, "`{variable}` in the environment"),
            Place::Profile { profile, file } => write!(f, "`{}` in profile `{profile}` of {file}", self.attribute),
        }
    }
}

/// It travels in a header, and names a workspace only as a number.
pub(super) fn checked_workspace_id(id: String, origin: &Origin) -> Result<String, LoginError> {
    if is_number(&id) {
        return Ok(id);
    }
    Err(LoginError::BadValue { origin: origin.clone(), reason: "a workspace id is a number" })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::Host;

    #[test]
    fn a_host_is_read_as_people_paste_it() {
        for (pasted, host, workspace) in [
            ("dbc-1.cloud.databricks.com", "https://dbc-1.cloud.databricks.com", None),
            (" https://dbc-1.cloud.databricks.com/ ", "https://dbc-1.cloud.databricks.com", None),
            ("https://dbc-1.cloud.databricks.com/browse/x?o=42#y", "https://dbc-1.cloud.databricks.com", Some("42")),
            ("https://dbc-1.cloud.databricks.com/?o=evil\r\n", "https://dbc-1.cloud.databricks.com", None),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080", None),
        ] {
            let (parsed, id) = Host::parse(pasted).expect(pasted);
            assert_eq!((parsed.to_string().as_str(), id.as_deref()), (host, workspace), "{pasted}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in ["ftp://x", "https://", "https://me:dapi1@x", "a b", "http://"] {
            assert!(Host::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_path_never_leads_elsewhere() {
        let (host, _) = Host::parse("https://x.example").expect("a host");
        assert!(host.at("/api/2.0/a%2Fb").is_some());
        for path in ["/api/..", "/api/%2E%2e/x", "//evil.example/x", "/a?x", "/a#x"] {
            assert!(host.at(path).is_none(), "{path}");
        }
    }

    #[test]
    fn the_account_console_is_known_by_its_name() {
        for (name, account) in [
            ("accounts.cloud.databricks.com", true),
            ("accounts-dod.cloud.databricks.us", true),
            ("dbc-accounts.cloud.databricks.com", false),
        ] {
            assert_eq!(Host::parse(name).expect(name).0.is_account_console(), account, "{name}");
        }
    }
}

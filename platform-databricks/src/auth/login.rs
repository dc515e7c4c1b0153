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
        // What may be sent in clear to one host may not be sent so to another.
        let host = host.checked(&[self.host.name()], &given("host"))?;
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

    /// Whether it is a workspace on Azure.
    pub(super) fn is_azure(&self) -> bool {
        let domains = [".azuredatabricks.net", ".databricks.azure.us", ".databricks.azure.cn"];
        self.0.host_str().is_some_and(|name| domains.iter().any(|domain| name.ends_with(domain)))
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
        is_loopback(&self.0)
    }

    /// Its name, without scheme and port.
    pub(super) fn name(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The same host, unless what is sent there could be read on the way: that is only for this machine, and for hosts
    /// that are named to be reached so.
    pub(super) fn checked(self, in_clear: &[&str], origin: &Origin) -> Result<Self, LoginError> {
        let named = in_clear.iter().any(|name| name.trim().eq_ignore_ascii_case(self.name()));
        if self.is_encrypted() || self.is_loopback() || named {
            return Ok(self);
        }
        Err(LoginError::InClear { host: self.to_string(), name: self.name().to_owned(), origin: origin.clone() })
    }

    /// Whether an address that an answer of this host names may be told our secrets: one of the host itself, or of the
    /// console of its account, and as well encrypted as the host is.
    pub(super) fn vouches_for(&self, url: &Url) -> bool {
        if !url.username().is_empty() || url.password().is_some() {
            return false;
        }
        let own = url.host_str() == self.0.host_str() && url.port_or_known_default() == self.0.port_or_known_default();
        let console = url.host_str().is_some_and(|name| is_console_of(name, self.name()) && url.port().is_none());
        url.scheme() == "https" && (own || console) || own && url.scheme() == self.0.scheme()
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

fn is_loopback(url: &Url) -> bool {
    let name = url.host_str().unwrap_or_default();
    let address = name.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    name == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Consoles of accounts; the workspaces of each are in the domain after the first dot.
/// <https://docs.databricks.com/aws/en/dev-tools/auth/oauth-m2m>
const CONSOLES: &[&str] = &[
    "accounts.cloud.databricks.com",
    "accounts.gcp.databricks.com",
    "accounts.azuredatabricks.net",
    "accounts.cloud.databricks.us",
    "accounts-dod.cloud.databricks.us",
    "accounts.databricks.azure.us",
    "accounts.databricks.azure.cn",
];

fn is_console_of(name: &str, workspace: &str) -> bool {
    let domain = name.split_once('.').map(|(_, domain)| domain).unwrap_or_default();
    CONSOLES.contains(&name) && workspace.strip_suffix(domain).is_some_and(|before| before.ends_with('.'))
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
    use super::{Host, Origin, Place};

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
    fn only_this_machine_and_named_hosts_are_reached_in_clear() {
        let origin = Origin { attribute: "host", place: Place::Program };
        let check = |text: &str, named: &[&str]| Host::parse(text).expect(text).0.checked(named, &origin);
        for text in
            ["https://x.example", "http://127.0.0.1:8080", "http://127.9.9.9", "http://localhost", "http://[::1]:1"]
        {
            assert!(check(text, &[]).is_ok(), "{text}");
        }
        for text in [
            "http://x.example",
            "http://127.evil.example",
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example",
            "http://10.0.0.1",
            "http://0.0.0.0",
            "HTTP://X.example",
            "http://[fe80::1]",
        ] {
            let refused = check(text, &["other.example"]).expect_err(text);
            assert!(refused.to_string().contains("not encrypted"), "{refused}");
            assert!(refused.hint().contains("PLATFORM_ALLOW_HTTP"), "{}", refused.hint());
        }
        assert!(check("http://x.example:8080", &["other.example", " X.example"]).is_ok());
    }

    #[test]
    fn a_host_vouches_for_itself_and_its_account_s_console() {
        for (host, url, vouches) in [
            ("https://x.cloud.databricks.com", "https://x.cloud.databricks.com/oidc/v1/token", true),
            ("https://x.cloud.databricks.com", "https://accounts.cloud.databricks.com/oidc/accounts/a/v1/token", true),
            ("https://adb-1.2.azuredatabricks.net", "https://accounts.azuredatabricks.net/oidc", true),
            ("https://x.cloud.databricks.us", "https://accounts-dod.cloud.databricks.us/oidc", true),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/oidc/v1/token", true),
            ("http://named.example", "http://named.example/oidc", true),
            ("http://127.0.0.1:8080", "http://127.0.0.1:9/oidc/v1/token", false),
            ("http://127.0.0.1:8080", "https://evil.example/oidc/v1/token", false),
            ("https://x.cloud.databricks.com", "http://x.cloud.databricks.com/oidc/v1/token", false),
            ("https://x.cloud.databricks.com", "http://127.0.0.1/oidc/v1/token", false),
            ("https://x.cloud.databricks.com", "https://evil.example/oidc/v1/token", false),
            ("https://x.cloud.databricks.com", "https://x.cloud.databricks.com.evil.example/oidc", false),
            ("https://x.cloud.databricks.com", "https://x.cloud.databricks.com:8443/oidc", false),
            ("https://x.cloud.databricks.com", "https://me:pw@x.cloud.databricks.com/oidc", false),
            ("https://x.cloud.databricks.com", "https://accounts.gcp.databricks.com/oidc", false),
            ("https://x.cloud.databricks.com", "https://y.cloud.databricks.com/oidc", false),
            ("https://evilcloud.databricks.com", "https://accounts.cloud.databricks.com/oidc", false),
            ("https://mine.example", "https://accounts.cloud.databricks.com/oidc", false),
        ] {
            let url = reqwest::Url::parse(url).expect(url);
            assert_eq!(Host::parse(host).expect(host).0.vouches_for(&url), vouches, "{host}: {url}");
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

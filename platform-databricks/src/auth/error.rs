//! Why there is no login, and what to do about it.

use platform_sdk::provider::{ErrorKind, ProviderError};

use super::login::Origin;

/// The variable that names hosts, separated by commas, to which credentials may be sent in clear.
pub(super) const ALLOW_HTTP: &str = "PLATFORM_ALLOW_HTTP";

/// No request was made: what is set does not add up to a login. Never shows a secret.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// Nothing to authenticate with.
    #[error("no Databricks credentials: looked for {}", looked_for.join(", "))]
    NoCredentials {
        /// Each place that was looked at, in words.
        looked_for: Vec<String>,
    },
    /// More than one kind of credentials, and no word on which is meant.
    #[error("more than one kind of Databricks credentials: {}", list(kinds))]
    SeveralKinds {
        /// The `auth_type` of each kind, with one attribute that speaks for it.
        kinds: Vec<(&'static str, Origin)>,
    },
    /// Some attributes of the chosen kind are missing.
    #[error("incomplete Databricks credentials: {} found, but no `{missing}`", found.as_deref().unwrap_or("nothing"))]
    Incomplete {
        /// What is there: an origin in words.
        found: Option<String>,
        /// The attribute that is missing.
        missing: &'static str,
        /// Its environment variable.
        variable: &'static str,
    },
    /// Credentials, but no address to send them to.
    #[error("no Databricks host: looked for {}", looked_for.join(", "))]
    NoHost {
        /// Each place that was looked at, in words.
        looked_for: Vec<String>,
    },
    /// The host is no address.
    #[error("{origin} is no Databricks host{}: {reason}", value.as_ref().map(|v| format!(" (`{v}`)")).unwrap_or_default())]
    BadHost {
        /// What was given, unless it may hold a password.
        value: Option<String>,
        /// What is wrong with it.
        reason: &'static str,
        /// Where it was given.
        origin: Origin,
    },
    /// What is sent to the host could be read on the way.
    #[error("{origin} is `{host}`, which is not encrypted: the credentials could be read on the way")]
    InClear {
        /// The host.
        host: String,
        /// Its name alone.
        name: String,
        /// Where it was given.
        origin: Origin,
    },
    /// An attribute's value can't be sent.
    #[error("{origin} can't be used: {reason}")]
    BadValue {
        /// Where it was given.
        origin: Origin,
        /// What is wrong with it; never the value.
        reason: &'static str,
    },
    /// The named profile is not in the config file.
    #[error("no profile `{profile}` in {file}{}", known(profiles))]
    UnknownProfile {
        /// The profile asked for.
        profile: String,
        /// The config file.
        file: String,
        /// The profiles that are there.
        profiles: Vec<String>,
    },
    /// A profile is named, and there is no config file.
    #[error("no profile `{profile}`: {file} does not exist")]
    NoFile {
        /// The profile asked for.
        profile: String,
        /// The config file.
        file: String,
    },
    /// The config file is there but can't be read.
    #[error("cannot read {file}")]
    UnreadableFile {
        /// The config file.
        file: String,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
    /// The config file is no INI file.
    #[error("cannot read {file}: line {line} is neither a `[profile]` nor a `name = value`")]
    BadFile {
        /// The config file.
        file: String,
        /// The line that is wrong, counted from 1.
        line: usize,
    },
    /// A kind of credentials that no Databricks tool knows.
    #[error("unknown Databricks auth type `{auth_type}` ({origin})")]
    UnknownAuthType {
        /// The value.
        auth_type: String,
        /// Where it was given.
        origin: Origin,
    },
    /// A kind of credentials that other Databricks tools know, and this one does not.
    #[error("not supported yet: Databricks auth type `{auth_type}` ({origin})")]
    Unsupported {
        /// The kind.
        auth_type: String,
        /// What asked for it.
        origin: Origin,
    },
}

impl LoginError {
    /// The next step for the user.
    pub fn hint(&self) -> String {
        match self {
            Self::NoCredentials { .. } => "set `DATABRICKS_HOST` and either `DATABRICKS_TOKEN`, or `DATABRICKS_CLIENT_ID` and \
                 `DATABRICKS_CLIENT_SECRET`; or name a profile with `DATABRICKS_CONFIG_PROFILE`"
                .to_owned(),
            Self::SeveralKinds { kinds } => {
                let values: Vec<_> = kinds.iter().map(|(auth_type, _)| format!("`{auth_type}`")).collect();
                format!("say which is meant with `DATABRICKS_AUTH_TYPE` ({}), or unset the other", values.join(" or "))
            }
            Self::Incomplete { missing, variable, .. } => format!("set `{variable}`, or `{missing}` in the profile"),
            Self::NoHost { .. } => {
                "set `DATABRICKS_HOST` to the workspace's address, as in `https://dbc-a1b2c3d4-e5f6.cloud.databricks.com`".to_owned()
            }
            Self::BadHost { .. } => {
                "give the workspace's address, as in `https://dbc-a1b2c3d4-e5f6.cloud.databricks.com`".to_owned()
            }
            Self::InClear { name, .. } => {
                format!("write `https://{name}`; to send them in clear all the same, set `{ALLOW_HTTP}={name}`")
            }
            Self::BadValue { .. } => "check how the value was copied".to_owned(),
            Self::UnknownProfile { .. } => {
                "name one of the file's profiles, or point `DATABRICKS_CONFIG_FILE` to another file".to_owned()
            }
            Self::NoFile { .. } => "write the file, or point `DATABRICKS_CONFIG_FILE` to one that exists".to_owned(),
            Self::UnreadableFile { .. } => "check its permissions, or point `DATABRICKS_CONFIG_FILE` to another file".to_owned(),
            Self::BadFile { .. } => "mend the line, or point `DATABRICKS_CONFIG_FILE` to another file".to_owned(),
            Self::UnknownAuthType { .. } | Self::Unsupported { .. } => {
                "use a personal access token (`pat`) or a service principal's id and secret (`oauth-m2m`)".to_owned()
            }
        }
    }

    pub(super) fn bad_host(value: &str, reason: &'static str, origin: Origin) -> Self {
        let value = (!value.contains('@')).then(|| value.to_owned());
        Self::BadHost { value, reason, origin }
    }
}

impl From<LoginError> for ProviderError {
    /// A provider without a login is denied everything, before any request. What is set and makes no login is a mistake.
    fn from(error: LoginError) -> Self {
        let kind = match error {
            LoginError::NoCredentials { .. } => ErrorKind::Denied,
            _ => ErrorKind::Invalid { field: None },
        };
        let refused = Self::new(kind, error.to_string()).hint(error.hint());
        match error {
            LoginError::UnreadableFile { source, .. } => refused.caused_by(source),
            _ => refused,
        }
    }
}

fn list(kinds: &[(&'static str, Origin)]) -> String {
    kinds.iter().map(|(auth_type, origin)| format!("{auth_type} ({origin})")).collect::<Vec<_>>().join(" and ")
}

fn known(profiles: &[String]) -> String {
    match profiles {
        [] => " (it has none)".to_owned(),
        some => format!(" (it has `{}`)", some.join("`, `")),
    }
}

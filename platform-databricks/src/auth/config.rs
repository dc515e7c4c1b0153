//! From what the program, the environment and the config file give to one login, or to a named reason why there is none.

use super::attributes::{Family, Found};
use super::environment::Environment;
use super::error::{ALLOW_HTTP, LoginError};
use super::login::{Host, Login, Method, Origin, Place, checked_workspace_id};
use super::profile;
use super::redacted::Redacted;

/// What the program itself says about its login. Everything left out comes from the environment, then from the profile.
#[derive(Debug, Clone, Default)]
pub struct LoginConfig {
    /// Address of the workspace or of the account console.
    pub host: Option<String>,
    /// The Databricks account's id.
    pub account_id: Option<String>,
    /// The workspace's id, where one host serves several.
    pub workspace_id: Option<String>,
    /// A personal access token.
    pub token: Option<Redacted>,
    /// A service principal's application id.
    pub client_id: Option<String>,
    /// A service principal's OAuth secret.
    pub client_secret: Option<Redacted>,
    /// A profile of the config file.
    pub profile: Option<String>,
    /// The config file; `~/.databrickscfg` unless given.
    pub config_file: Option<String>,
    /// The kind of credentials: `pat` or `oauth-m2m`.
    pub auth_type: Option<String>,
}

impl LoginConfig {
    /// Settles the login. Makes no request.
    ///
    /// # Errors
    /// A [`LoginError`] that names what is missing, doubled or wrong, and where it came from.
    pub fn resolve(explicit: Self, env: &Environment) -> Result<Login, LoginError> {
        let mut found = explicit.into_found();
        found.add_environment(env);
        let profile = profile::add_profile(&mut found, env)?;
        let method = choose_method(&found, &profile)?;
        let (host, workspace_in_host) = choose_host(&found, &profile, env)?;
        let workspace_id = match found.get("workspace_id") {
            Some(value) => Some(checked_workspace_id(value.text.clone(), &value.origin)?),
            None => workspace_in_host,
        };
        let origins = found.origins().cloned().collect();
        Ok(Login { host, account_id: found.text("account_id"), workspace_id, method, origins })
    }

    fn into_found(self) -> Found {
        let mut found = Found::default();
        let secret = |secret: &Option<Redacted>| secret.as_ref().map(|it| it.expose().to_owned());
        for (attribute, text) in [
            ("token", secret(&self.token)),
            ("client_secret", secret(&self.client_secret)),
            ("host", self.host),
            ("account_id", self.account_id),
            ("workspace_id", self.workspace_id),
            ("client_id", self.client_id),
            ("profile", self.profile),
            ("config_file", self.config_file),
            ("auth_type", self.auth_type),
        ] {
            found.add(attribute, &text.unwrap_or_default(), Place::Program);
        }
        found
    }
}

fn choose_method(found: &Found, profile: &str) -> Result<Method, LoginError> {
    match choose_family(found, profile)? {
        (Family::Pat, _) => Ok(Method::Pat { token: secret(found, "token", "DATABRICKS_TOKEN", &[])? }),
        (Family::OAuthM2m, _) => Ok(Method::OAuthM2m {
            client_id: require(found, "client_id", "DATABRICKS_CLIENT_ID", &["client_secret"])?,
            client_secret: secret(found, "client_secret", "DATABRICKS_CLIENT_SECRET", &["client_id"])?,
        }),
        (family @ (Family::Basic | Family::Azure | Family::Google), origin) => {
            Err(LoginError::Unsupported { auth_type: family.auth_type().to_owned(), origin })
        }
    }
}

/// The kind of credentials meant, and what says so.
fn choose_family(found: &Found, profile: &str) -> Result<(Family, Origin), LoginError> {
    if let Some(named) = found.get("auth_type") {
        let (auth_type, origin) = (named.text.clone(), named.origin.clone());
        return match auth_type.as_str() {
            "pat" => Ok((Family::Pat, origin)),
            "oauth-m2m" => Ok((Family::OAuthM2m, origin)),
            "basic"
            | "databricks-cli"
            | "external-browser"
            | "metadata-service"
            | "github-oidc"
            | "env-oidc"
            | "file-oidc"
            | "azure-client-secret"
            | "azure-cli"
            | "azure-msi"
            | "azure-devops-oidc"
            | "github-oidc-azure"
            | "google-credentials"
            | "google-id" => Err(LoginError::Unsupported { auth_type, origin }),
            _ => Err(LoginError::UnknownAuthType { auth_type, origin }),
        };
    }
    let families: Vec<_> = found.families().into_iter().map(|(family, origin)| (family, origin.clone())).collect();
    match families.as_slice() {
        [] => Err(LoginError::NoCredentials {
            looked_for: looked_for(&["DATABRICKS_TOKEN", "DATABRICKS_CLIENT_ID"], profile),
        }),
        [one] => Ok(one.clone()),
        several => Err(LoginError::SeveralKinds {
            kinds: several.iter().map(|(family, origin)| (family.auth_type(), origin.clone())).collect(),
        }),
    }
}

fn choose_host(found: &Found, profile: &str, env: &Environment) -> Result<(Host, Option<String>), LoginError> {
    let Some(value) = found.get("host") else {
        return Err(LoginError::NoHost { looked_for: looked_for(&["DATABRICKS_HOST"], profile) });
    };
    let parsed = Host::parse(&value.text);
    let (host, workspace) = parsed.map_err(|reason| LoginError::bad_host(&value.text, reason, value.origin.clone()))?;
    let in_clear: Vec<&str> = env.get(ALLOW_HTTP).unwrap_or_default().split(',').collect();
    Ok((host.checked(&in_clear, &value.origin)?, workspace))
}

/// An attribute that the chosen kind needs; `beside` are those of its kind that may be there without it.
fn require(
    found: &Found,
    attribute: &'static str,
    variable: &'static str,
    beside: &[&str],
) -> Result<String, LoginError> {
    let Some(value) = found.get(attribute) else {
        let there = beside.iter().find_map(|name| found.get(name)).or_else(|| found.get("auth_type"));
        let found = there.map(|value| value.origin.to_string());
        return Err(LoginError::Incomplete { found, missing: attribute, variable });
    };
    // It travels in a header (or in the answer to "who are you?"), where a line break would be somebody else's header.
    if !value.text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        let reason = "it holds characters that no credential has";
        return Err(LoginError::BadValue { origin: value.origin.clone(), reason });
    }
    Ok(value.text.clone())
}

fn secret(
    found: &Found,
    attribute: &'static str,
    variable: &'static str,
    beside: &[&str],
) -> Result<Redacted, LoginError> {
    require(found, attribute, variable, beside).map(Redacted::new)
}

fn looked_for(variables: &[&str], profile: &str) -> Vec<String> {
    let variables = variables.iter().map(|variable| format!("`{variable}` in the environment"));
    variables.chain([profile.to_owned()]).collect()
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;

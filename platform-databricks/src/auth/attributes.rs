//! The attributes of a login, under the names that all Databricks tools share.

use std::collections::BTreeMap;

use super::environment::Environment;
use super::login::{Host, Origin, Place};

/// A kind of credentials. Attributes of two kinds at once, without `auth_type`, are an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Family {
    Pat,
    OAuthM2m,
    Basic,
    Azure,
    Google,
}

impl Family {
    /// The value of `auth_type` that chooses this kind.
    pub(super) fn auth_type(self) -> &'static str {
        match self {
            Self::Pat => "pat",
            Self::OAuthM2m => "oauth-m2m",
            Self::Basic => "basic",
            Self::Azure => "azure-client-secret",
            Self::Google => "google-credentials",
        }
    }
}

/// One attribute: its name (in code and in the config file), its environment variable, the kind it speaks for.
pub(super) struct Attribute {
    pub(super) name: &'static str,
    pub(super) variable: &'static str,
    pub(super) family: Option<Family>,
}

const fn plain(name: &'static str, variable: &'static str) -> Attribute {
    Attribute { name, variable, family: None }
}

const fn of(family: Family, name: &'static str, variable: &'static str) -> Attribute {
    Attribute { name, variable, family: Some(family) }
}

/// The name of the attribute that names a profile; it is never read from one.
pub(super) const PROFILE: &str = "profile";
/// The name of the attribute that holds the config file's path; it is never read from one.
pub(super) const CONFIG_FILE: &str = "config_file";

/// All of them. Kinds that are not implemented are listed too, so that they are noticed and named.
pub(super) const ATTRIBUTES: &[Attribute] = &[
    plain("host", "DATABRICKS_HOST"),
    plain("account_id", "DATABRICKS_ACCOUNT_ID"),
    plain("workspace_id", "DATABRICKS_WORKSPACE_ID"),
    plain(PROFILE, "DATABRICKS_CONFIG_PROFILE"),
    plain(CONFIG_FILE, "DATABRICKS_CONFIG_FILE"),
    plain("auth_type", "DATABRICKS_AUTH_TYPE"),
    of(Family::Pat, "token", "DATABRICKS_TOKEN"),
    of(Family::OAuthM2m, "client_id", "DATABRICKS_CLIENT_ID"),
    of(Family::OAuthM2m, "client_secret", "DATABRICKS_CLIENT_SECRET"),
    of(Family::Basic, "username", "DATABRICKS_USERNAME"),
    of(Family::Basic, "password", "DATABRICKS_PASSWORD"),
    of(Family::Azure, "azure_workspace_resource_id", "DATABRICKS_AZURE_RESOURCE_ID"),
    of(Family::Azure, "azure_client_id", "ARM_CLIENT_ID"),
    of(Family::Azure, "azure_client_secret", "ARM_CLIENT_SECRET"),
    of(Family::Azure, "azure_tenant_id", "ARM_TENANT_ID"),
    of(Family::Google, "google_credentials", "GOOGLE_CREDENTIALS"),
    of(Family::Google, "google_service_account", "DATABRICKS_GOOGLE_SERVICE_ACCOUNT"),
];

/// An attribute's value and where it came from. No `Debug`: it may be a secret.
pub(super) struct Value {
    pub(super) text: String,
    pub(super) origin: Origin,
}

/// What has been found so far. The first value of an attribute stays, so sources are added in order of precedence.
#[derive(Default)]
pub(super) struct Found(BTreeMap<&'static str, Value>);

impl Found {
    /// Adds a value unless a source of higher precedence gave one. Blanks around it (a trailing newline of a
    /// mounted secret) are dropped; an empty value counts as unset.
    pub(super) fn add(&mut self, attribute: &'static str, text: &str, place: Place) {
        let text = text.trim();
        if !text.is_empty() {
            let value = Value { text: text.to_owned(), origin: Origin { attribute, place } };
            self.0.entry(attribute).or_insert(value);
        }
    }

    pub(super) fn add_environment(&mut self, env: &Environment) {
        for Attribute { name, variable, .. } in ATTRIBUTES {
            if let Some(text) = env.get(variable) {
                self.add(name, text, Place::Environment { variable });
            }
        }
    }

    pub(super) fn get(&self, attribute: &str) -> Option<&Value> {
        self.0.get(attribute)
    }

    pub(super) fn text(&self, attribute: &str) -> Option<String> {
        self.get(attribute).map(|value| value.text.clone())
    }

    /// The kinds of credentials that are set, each with the first attribute that speaks for it.
    pub(super) fn families(&self) -> BTreeMap<Family, &Origin> {
        let mut families = BTreeMap::new();
        for Attribute { name, family, .. } in ATTRIBUTES {
            if let (Some(family), Some(value)) = (family, self.get(name))
                && self.is_ours(&value.origin)
            {
                families.entry(*family).or_insert(&value.origin);
            }
        }
        families
    }

    /// Whether a value is meant for Databricks. The variables of a cloud are there for that cloud's own tools, and speak
    /// for a login only where the host is there.
    fn is_ours(&self, origin: &Origin) -> bool {
        let Place::Environment { variable } = origin.place else { return true };
        let host = || self.text("host").and_then(|text| Host::parse(&text).ok()).map(|(host, _)| host);
        if variable.starts_with("ARM_") {
            return self.get("azure_workspace_resource_id").is_some() || host().is_some_and(|host| host.is_azure());
        }
        variable != "GOOGLE_CREDENTIALS" || host().is_some_and(|host| host.is_google())
    }

    pub(super) fn origins(&self) -> impl Iterator<Item = &Origin> {
        self.0.values().map(|value| &value.origin)
    }
}

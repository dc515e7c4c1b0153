//! Which credentials will be used, in the order of AWS's default chain, without asking anyone for them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use platform_sdk::provider::{ErrorKind, ProviderError, ProviderResult};

use super::{
    Endpoints, Settings,
    endpoint::{ALLOW_HTTP, host_of},
    profile::{self, Profile},
};

/// Where credentials come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// `AWS_ACCESS_KEY_ID` and its companions.
    Environment,
    /// A profile of the configuration files; `named` by the program, which then wins over the environment.
    Profile { name: String, named: bool },
    /// A token file and a role to assume with it.
    WebIdentity,
    /// The container's credentials service.
    Container,
    /// The instance's metadata service.
    Instance,
}

/// What was found.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    pub(crate) source: Source,
    pub(crate) region: Option<String>,
    pub(crate) endpoints: Endpoints,
}

impl Login {
    /// What was chosen and where it came from, for `doctor`.
    pub(crate) fn shown(&self) -> Vec<(String, String)> {
        let source = match &self.source {
            Source::Environment => "AWS_ACCESS_KEY_ID".to_owned(),
            Source::Profile { name, .. } => format!("profile `{name}`"),
            Source::WebIdentity => "AWS_WEB_IDENTITY_TOKEN_FILE".to_owned(),
            Source::Container => "the container's role".to_owned(),
            Source::Instance => "the instance's role".to_owned(),
        };
        let mut shown = vec![("credentials".to_owned(), source)];
        shown.extend(self.region.iter().map(|region| ("region".to_owned(), region.clone())));
        shown.extend(self.endpoints.shown());
        shown
    }
}

/// Decides where credentials, region and endpoints come from. `read` gives a file's text, if there is one.
///
/// # Errors
/// When nothing was found, or half of something; it names what was looked for.
pub(crate) fn discover(
    settings: &Settings,
    environment: &BTreeMap<String, String>,
    read: &dyn Fn(&Path) -> Option<String>,
) -> ProviderResult<Login> {
    let given = Given { environment, read, paths: profile::paths(environment) };
    let name = settings.profile.clone().or_else(|| given.set("AWS_PROFILE")).unwrap_or_else(|| "default".to_owned());
    // Whoever reads them next would wait for it, perhaps for ever.
    let is_pipe = |path: &&PathBuf| path.metadata().is_ok_and(|is| !is.is_file() && !is.is_dir());
    if let Some(pipe) = given.paths.iter().filter(|path| path.as_path() != Path::new("/dev/null")).find(is_pipe) {
        let problem = mistaken(format!("`{}` is a pipe or a device, not a file", pipe.display()));
        return Err(problem.hint("name a file with AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE"));
    }
    let profile = profile::load(&name, &given.paths, read);
    let source = source(settings, &given, &name, profile.as_ref())?;
    let of_profile = profile.as_ref().and_then(|profile| profile.get("region").cloned());
    let named = settings.region.clone().or_else(|| given.set("AWS_REGION")).or_else(|| given.set("AWS_DEFAULT_REGION"));
    let endpoints = Endpoints::of(settings, environment, profile.as_ref());
    if let Some(url) = endpoints.in_clear(environment) {
        let name = host_of(url);
        let message =
            format!("the endpoint `http://{name}` is not encrypted: requests could be read and changed on the way");
        return Err(ProviderError::new(ErrorKind::Invalid { field: None }, message)
            .hint(format!("write `https://`; to send them in clear all the same, set `{ALLOW_HTTP}={name}`")));
    }
    Ok(Login { source, region: named.or(of_profile), endpoints })
}

struct Given<'a> {
    environment: &'a BTreeMap<String, String>,
    read: &'a dyn Fn(&Path) -> Option<String>,
    paths: [PathBuf; 2],
}

impl Given<'_> {
    fn set(&self, name: &str) -> Option<String> {
        self.environment.get(name).filter(|value| !value.is_empty()).cloned()
    }

    fn files(&self) -> String {
        format!("{} and {}", self.paths[0].display(), self.paths[1].display())
    }

    /// An instance says so in its firmware; asking the metadata service elsewhere would only time out.
    fn on_instance(&self) -> bool {
        let disabled = self.set("AWS_EC2_METADATA_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let vendor = |file: &str| {
            (self.read)(&Path::new("/sys/class/dmi/id").join(file)).is_some_and(|text| text.contains("Amazon EC2"))
        };
        !disabled && (vendor("sys_vendor") || vendor("board_vendor") || vendor("bios_vendor"))
    }
}

fn source(settings: &Settings, given: &Given<'_>, name: &str, profile: Option<&Profile>) -> ProviderResult<Source> {
    if settings.profile.is_none() {
        match (given.set("AWS_ACCESS_KEY_ID"), given.set("AWS_SECRET_ACCESS_KEY")) {
            (Some(_), Some(_)) => return Ok(Source::Environment),
            (Some(_), None) => return Err(half("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")),
            (None, Some(_)) => return Err(half("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID")),
            (None, None) => {}
        }
    }
    let named = settings.profile.is_some();
    if profile.is_some_and(logs_in) {
        return Ok(Source::Profile { name: name.to_owned(), named });
    }
    if profile.is_none() && (named || given.set("AWS_PROFILE").is_some()) {
        let from = if named { "the program" } else { "AWS_PROFILE" };
        return Err(mistaken(format!("{from} names the AWS profile `{name}`, which is not in {}", given.files()))
            .hint(format!("run `aws configure --profile {name}`, or name another profile")));
    }
    if named {
        return Err(mistaken(format!("the AWS profile `{name}` has no credentials in {}", given.files()))
            .hint(format!("run `aws configure --profile {name}`, or `aws configure sso --profile {name}`")));
    }
    if given.set("AWS_WEB_IDENTITY_TOKEN_FILE").is_some() && given.set("AWS_ROLE_ARN").is_some() {
        return Ok(Source::WebIdentity);
    }
    let container = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];
    if container.iter().any(|name| given.set(name).is_some()) {
        return Ok(Source::Container);
    }
    if given.on_instance() {
        return Ok(Source::Instance);
    }
    let looked = format!(
        "no AWS credentials: looked for AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, the profile `{name}` in {}, \
         AWS_WEB_IDENTITY_TOKEN_FILE with AWS_ROLE_ARN, and the role of a container or an instance",
        given.files()
    );
    Err(ProviderError::new(ErrorKind::Denied, looked)
        .hint("run `aws configure` or `aws sso login`, set the variables, or try it with `--sandbox`"))
}

/// Whether a profile says how to log in, and not only where.
fn logs_in(profile: &Profile) -> bool {
    let ways = [
        "aws_access_key_id",
        "credential_process",
        "role_arn",
        "sso_account_id",
        "sso_session",
        "sso_start_url",
        "web_identity_token_file",
    ];
    ways.iter().any(|way| profile.contains_key(*way))
}

fn half(there: &str, missing: &str) -> ProviderError {
    mistaken(format!("{there} is set, but {missing} is not")).hint(format!("set {missing} too, or unset {there}"))
}

/// Something is set, and makes no login.
fn mistaken(message: String) -> ProviderError {
    ProviderError::new(ErrorKind::Invalid { field: None }, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: &dyn Fn(&Path) -> Option<String> = &|_| None;

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn files(path: &Path) -> Option<String> {
        match path.to_str()? {
            "/h/.aws/config" => Some(
                "[default]\nregion = eu-west-1\n[profile work]\nsso_session = s\nregion = eu-central-1\n".to_owned(),
            ),
            _ => None,
        }
    }

    #[test]
    fn keys_in_the_environment_come_first() {
        let keys = environment(&[
            ("AWS_ACCESS_KEY_ID", "AKIA"),
            ("AWS_SECRET_ACCESS_KEY", "hush"),
            ("AWS_PROFILE", "work"),
            ("HOME", "/h"),
        ]);
        let login = discover(&Settings::default(), &keys, &files).expect("a login");
        assert_eq!(login.source, Source::Environment);
        assert_eq!(login.region.as_deref(), Some("eu-central-1"), "the region is still the profile's");
        let named = Settings { profile: Some("work".into()), ..Settings::default() };
        let login = discover(&named, &keys, &files).expect("a login");
        assert_eq!(login.source, Source::Profile { name: "work".into(), named: true });
    }

    #[test]
    fn half_a_key_pair_is_an_error_that_names_the_other_half() {
        let half = environment(&[("AWS_ACCESS_KEY_ID", "AKIA")]);
        let error = discover(&Settings::default(), &half, NOTHING).expect_err("half");
        assert_eq!(error.message, "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not");
        assert_eq!(error.kind, ErrorKind::Invalid { field: None });
    }

    #[test]
    fn a_profile_that_is_not_there_is_named_with_its_files() {
        let asked = environment(&[("AWS_PROFILE", "absent"), ("HOME", "/h")]);
        let error = discover(&Settings::default(), &asked, &files).expect_err("no such profile");
        assert_eq!(
            error.message,
            "AWS_PROFILE names the AWS profile `absent`, which is not in /h/.aws/config and /h/.aws/credentials"
        );
    }

    #[test]
    fn no_credentials_is_an_error_that_says_where_it_looked() {
        let error = discover(&Settings::default(), &environment(&[("HOME", "/h")]), &files).expect_err("nothing");
        for place in ["AWS_ACCESS_KEY_ID", "profile `default`", "/h/.aws/config", "AWS_WEB_IDENTITY_TOKEN_FILE"] {
            assert!(error.message.contains(place), "{place} in {}", error.message);
        }
        assert!(error.hint.expect("a hint").contains("--sandbox"));
    }

    #[test]
    fn an_instance_is_known_by_its_firmware_and_can_be_told_not_to_ask() {
        let on_instance = |path: &Path| path.ends_with("sys_vendor").then(|| "Amazon EC2\n".to_owned());
        let login = discover(&Settings::default(), &environment(&[]), &on_instance).expect("an instance");
        assert_eq!(login.source, Source::Instance);
        let disabled = environment(&[("AWS_EC2_METADATA_DISABLED", "true")]);
        assert!(discover(&Settings::default(), &disabled, &on_instance).is_err());
    }

    #[test]
    fn containers_and_web_identities_are_known_by_their_variables() {
        let pod = environment(&[("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"), ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r")]);
        assert_eq!(discover(&Settings::default(), &pod, NOTHING).expect("a pod").source, Source::WebIdentity);
        let task = environment(&[("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x")]);
        assert_eq!(discover(&Settings::default(), &task, NOTHING).expect("a task").source, Source::Container);
    }
}

//! Login resolution, as tables.
#![expect(clippy::unwrap_used, reason = "tests fail loudly")]

use std::fmt::Write as _;

use platform_sdk::provider::{ErrorKind, ProviderError};

use super::LoginConfig;
use crate::auth::{Environment, Login, LoginError, Method, Redacted};

const HOST: &str = "https://env.example";

fn env(vars: &[(&str, &str)]) -> Environment {
    vars.iter().fold(Environment::empty(), |env, (name, value)| env.with(*name, *value))
}

/// A home directory with this config file.
fn home(file: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(".databrickscfg"), file).unwrap();
    dir
}

fn resolve(explicit: LoginConfig, env: &Environment) -> Result<Login, LoginError> {
    LoginConfig::resolve(explicit, env)
}

fn token(login: &Login) -> &str {
    match &login.method {
        Method::Pat { token } => token.expose(),
        Method::OAuthM2m { client_secret, .. } => client_secret.expose(),
    }
}

/// Where each attribute was found, in words.
fn origins(login: &Login) -> Vec<String> {
    login.origins.iter().map(ToString::to_string).collect()
}

const FILE: &str = "\
[DEFAULT]
host = https://default.example
token = dapi-default

[dev]
host = https://dev.example/?o=42
token = dapi;with#odd\"chars\\n'

[sp]
host = https://accounts.cloud.databricks.com
account_id = acc-1
client_id = 1234-app
client_secret = dose-secret

[dev]
workspace_id = 7
";

#[test]
fn the_program_goes_before_the_environment_before_the_profile() {
    let home = home(FILE);
    let environment =
        env(&[("DATABRICKS_TOKEN", "dapi-env"), ("DATABRICKS_CONFIG_PROFILE", "dev")]).with_home(home.path());
    let explicit = LoginConfig { host: Some("program.example".to_owned()), ..LoginConfig::default() };
    let login = resolve(explicit, &environment).unwrap();
    assert_eq!((login.host.to_string().as_str(), token(&login)), ("https://program.example", "dapi-env"));
    assert_eq!(login.workspace_id.as_deref(), Some("7"));
    assert_eq!(
        origins(&login),
        [
            "`host` in the program",
            "`DATABRICKS_CONFIG_PROFILE` in the environment",
            "`DATABRICKS_TOKEN` in the environment",
            "`workspace_id` in profile `dev` of ~/.databrickscfg"
        ]
    );
}

#[test]
fn a_profile_is_read_as_written_and_its_sections_are_merged() {
    let home = home(FILE);
    let explicit = LoginConfig { profile: Some("dev".to_owned()), ..LoginConfig::default() };
    let login = resolve(explicit, &Environment::empty().with_home(home.path())).unwrap();
    assert_eq!(token(&login), "dapi;with#odd\"chars\\n'");
    assert_eq!(login.host.to_string(), "https://dev.example");
    assert_eq!(login.workspace_id.as_deref(), Some("7"), "`workspace_id` goes before the address's `?o=`");
    assert_eq!(login.describe(), "personal access token (`token` in profile `dev` of ~/.databrickscfg)");
}

#[test]
fn the_default_profile_is_used_when_nothing_is_set() {
    let home = home(FILE);
    let login = resolve(LoginConfig::default(), &Environment::empty().with_home(home.path())).unwrap();
    assert_eq!(token(&login), "dapi-default");
}

#[test]
fn settings_name_another_default_profile() {
    let home = home(&format!("[__settings__]\ndefault_profile = sp\n{FILE}"));
    let login = resolve(LoginConfig::default(), &Environment::empty().with_home(home.path())).unwrap();
    assert_eq!((login.method.auth_type(), login.account_id.as_deref()), ("oauth-m2m", Some("acc-1")));
    assert!(login.host.is_account_console());
}

#[test]
fn the_file_is_not_read_when_the_environment_has_a_host_or_a_credential() {
    let home = home("this is no INI file");
    let both = env(&[("DATABRICKS_HOST", HOST), ("DATABRICKS_TOKEN", "dapi-1")]).with_home(home.path());
    assert_eq!(token(&resolve(LoginConfig::default(), &both).unwrap()), "dapi-1");
    let host = env(&[("DATABRICKS_HOST", HOST)]).with_home(home.path());
    assert!(matches!(resolve(LoginConfig::default(), &host), Err(LoginError::NoCredentials { .. })));
    let token = env(&[("DATABRICKS_TOKEN", "dapi-1")]).with_home(home.path());
    assert!(matches!(resolve(LoginConfig::default(), &token), Err(LoginError::NoHost { .. })));
}

#[test]
fn a_config_file_elsewhere_is_found() {
    let home = home("");
    std::fs::write(home.path().join("other.cfg"), FILE).unwrap();
    let environment = env(&[("DATABRICKS_CONFIG_FILE", "~/other.cfg")]).with_home(home.path());
    assert_eq!(token(&resolve(LoginConfig::default(), &environment).unwrap()), "dapi-default");
}

#[test]
fn empty_values_count_as_unset_and_blanks_around_values_are_dropped() {
    let environment = env(&[
        ("DATABRICKS_HOST", HOST),
        ("DATABRICKS_TOKEN", " dapi-1\n"),
        ("DATABRICKS_CLIENT_ID", ""),
        ("DATABRICKS_CLIENT_SECRET", " "),
    ]);
    assert_eq!(token(&resolve(LoginConfig::default(), &environment).unwrap()), "dapi-1");
}

#[test]
fn auth_type_settles_which_of_two_kinds_is_meant() {
    for (auth_type, secret) in [("pat", "dapi-1"), ("oauth-m2m", "dose-1")] {
        let environment = env(&[
            ("DATABRICKS_HOST", HOST),
            ("DATABRICKS_TOKEN", "dapi-1"),
            ("DATABRICKS_CLIENT_ID", "app"),
            ("DATABRICKS_CLIENT_SECRET", "dose-1"),
            ("DATABRICKS_AUTH_TYPE", auth_type),
        ]);
        let login = resolve(LoginConfig::default(), &environment).unwrap();
        assert_eq!((login.method.auth_type(), token(&login)), (auth_type, secret));
    }
}

#[test]
fn the_variables_of_a_cloud_count_only_for_a_host_that_is_there() {
    const PAT: (&str, &str) = ("DATABRICKS_TOKEN", "dapi-1");
    let arm = [("ARM_CLIENT_ID", "me"), ("ARM_CLIENT_SECRET", "canary"), ("ARM_TENANT_ID", "us")];
    let google = [("GOOGLE_CREDENTIALS", "{}")];
    let login = |host: &str, more: &[(&str, &str)], clouds: &[(&str, &str)]| {
        let all: Vec<_> = [&[("DATABRICKS_HOST", host), PAT][..], more, clouds].concat();
        resolve(LoginConfig::default(), &env(&all)).map(|login| login.method.auth_type())
    };
    for clouds in [&arm[..], &google[..]] {
        assert_eq!(login("dbc-1.cloud.databricks.com", &[], clouds).unwrap(), "pat");
        assert_eq!(login("https://evil-azuredatabricks.net", &[], clouds).unwrap(), "pat");
    }
    for host in ["adb-1.2.azuredatabricks.net", "adb-1.2.databricks.azure.us", "adb-1.2.databricks.azure.cn"] {
        assert!(matches!(login(host, &[], &arm), Err(LoginError::SeveralKinds { .. })), "{host}");
        assert_eq!(login(host, &[("DATABRICKS_AUTH_TYPE", "pat")], &arm).unwrap(), "pat");
        assert_eq!(login(host, &[], &google).unwrap(), "pat");
    }
    assert!(matches!(login("1.gcp.databricks.com", &[], &google), Err(LoginError::SeveralKinds { .. })));
    let resource = [("DATABRICKS_AZURE_RESOURCE_ID", "/subscriptions/x")];
    assert!(matches!(login(HOST, &resource, &arm), Err(LoginError::SeveralKinds { .. })));
    let asked = [("DATABRICKS_AUTH_TYPE", "azure-client-secret")];
    assert!(matches!(login(HOST, &asked, &arm), Err(LoginError::Unsupported { .. })));
}

#[test]
fn another_workspace_keeps_the_credentials() {
    let login = resolve(LoginConfig::default(), &env(&[("DATABRICKS_HOST", HOST), ("DATABRICKS_TOKEN", "t")])).unwrap();
    let other = login.for_workspace("dbc-9.example", "99").unwrap();
    assert_eq!((other.host.to_string().as_str(), token(&other)), ("https://dbc-9.example", "t"));
    assert_eq!(other.workspace_id.as_deref(), Some("99"));
    let attributes: Vec<_> = other.origins.iter().map(|origin| origin.attribute).collect();
    assert_eq!(attributes, ["host", "token", "workspace_id"]);
    assert!(matches!(login.for_workspace("dbc-9.example", "9\r\nx: y"), Err(LoginError::BadValue { .. })));
    assert!(matches!(login.for_workspace("a b", "9"), Err(LoginError::BadHost { .. })));
}

#[test]
fn no_debug_print_shows_a_secret() {
    let explicit = LoginConfig {
        host: Some(HOST.to_owned()),
        client_id: Some("app".to_owned()),
        client_secret: Some(Redacted::new("canary")),
        ..LoginConfig::default()
    };
    let environment = env(&[("DATABRICKS_TOKEN", "canary"), ("DATABRICKS_AUTH_TYPE", "oauth-m2m")]);
    let login = resolve(explicit.clone(), &environment).unwrap();
    let printed = format!("{explicit:?} {environment:?} {login:?} {}", login.describe());
    assert!(!printed.contains("canary") && printed.contains("[redacted]"), "{printed}");
}

#[test]
fn each_reason_for_no_login_says_what_and_what_next() {
    let whole = home(FILE);
    let broken = home("[dev]\nhost = x\ndapi-canary\nworkspace_id = 7\n");
    let dangling = home("[__settings__]\ndefault_profile = gone\n[dev]\ntoken = dapi-canary\n");
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join(".databrickscfg")).unwrap();
    let no_file = tempfile::tempdir().unwrap();
    let pat = ("DATABRICKS_TOKEN", "dapi-canary");
    let host = ("DATABRICKS_HOST", HOST);
    let azure = ("DATABRICKS_HOST", "https://adb-1.2.azuredatabricks.net");
    let profile = |name| ("DATABRICKS_CONFIG_PROFILE", name);
    let cases: &[(&str, Environment)] = &[
        ("nothing", Environment::empty()),
        ("nothing, no file", Environment::empty().with_home(no_file.path())),
        ("host only", env(&[host])),
        ("token only", env(&[pat])),
        ("two kinds", env(&[host, pat, ("DATABRICKS_CLIENT_ID", "app"), ("DATABRICKS_CLIENT_SECRET", "canary")])),
        ("two kinds, two places", env(&[pat, profile("sp")]).with_home(whole.path())),
        ("client without secret", env(&[host, ("DATABRICKS_CLIENT_ID", "app")])),
        ("secret without client", env(&[host, ("DATABRICKS_CLIENT_SECRET", "canary")])),
        ("type without its token", env(&[host, ("DATABRICKS_AUTH_TYPE", "pat")])),
        ("bad host", env(&[pat, ("DATABRICKS_HOST", "my workspace")])),
        ("host with a password", env(&[pat, ("DATABRICKS_HOST", "https://me:canary@x.example")])),
        ("bad workspace id", env(&[host, pat, ("DATABRICKS_WORKSPACE_ID", "prod")])),
        ("bad token", env(&[host, ("DATABRICKS_TOKEN", "dapi\r\nx: canary")])),
        ("unknown profile", env(&[profile("prod")]).with_home(whole.path())),
        ("unknown default profile", Environment::empty().with_home(dangling.path())),
        ("profile without a file", env(&[profile("prod")]).with_home(no_file.path())),
        ("broken file", env(&[profile("dev")]).with_home(broken.path())),
        ("unreadable file", env(&[profile("dev")]).with_home(folder.path())),
        ("unknown type", env(&[host, pat, ("DATABRICKS_AUTH_TYPE", "oath")])),
        ("command line's login", env(&[host, ("DATABRICKS_AUTH_TYPE", "databricks-cli")])),
        ("basic", env(&[host, ("DATABRICKS_USERNAME", "me"), ("DATABRICKS_PASSWORD", "canary")])),
        ("azure", env(&[azure, ("ARM_CLIENT_ID", "me"), ("ARM_CLIENT_SECRET", "canary")])),
        ("azure's variables elsewhere", env(&[host, ("ARM_CLIENT_ID", "me")])),
    ];
    let mut all = String::new();
    for (title, environment) in cases {
        let error = resolve(LoginConfig::default(), environment).expect_err(title);
        let error = ProviderError::from(error);
        let nothing_is_set =
            title.starts_with("nothing") || ["host only", "azure's variables elsewhere"].contains(title);
        assert_eq!(error.kind == ErrorKind::Denied, nothing_is_set, "{title}: {error}");
        let hint = error.hint.as_deref().unwrap();
        writeln!(all, "{title}\n  error: {error}\n  hint: {hint}").unwrap();
        error.source.iter().for_each(|source| writeln!(all, "  cause: {source}").unwrap());
    }
    assert!(!all.contains("canary"), "{all}");
    insta::assert_snapshot!(all);
}

#[test]
fn a_token_goes_to_no_host_in_clear_unless_that_is_said() {
    let clear = |more: &[(&str, &str)]| {
        let vars = [&[("DATABRICKS_HOST", "http://dbc-1.example"), ("DATABRICKS_TOKEN", "dapi-canary")], more].concat();
        resolve(LoginConfig::default(), &env(&vars))
    };
    let error = ProviderError::from(clear(&[]).unwrap_err());
    assert_eq!(error.kind, ErrorKind::Invalid { field: None });
    let expected = "`DATABRICKS_HOST` in the environment is `http://dbc-1.example`, which is not encrypted: \
                    the credentials could be read on the way";
    assert_eq!(error.message, expected);
    assert!(error.hint.unwrap().contains("`PLATFORM_ALLOW_HTTP=dbc-1.example`"));
    assert!(clear(&[("PLATFORM_ALLOW_HTTP", "1")]).is_err());
    let login = clear(&[("PLATFORM_ALLOW_HTTP", "other.example,dbc-1.example")]).unwrap();
    assert!(login.for_workspace("http://dbc-1.example:8080", "9").is_ok());
    assert!(matches!(login.for_workspace("http://dbc-2.example", "9"), Err(LoginError::InClear { .. })));
    assert!(login.for_workspace("dbc-2.example", "9").is_ok());
}

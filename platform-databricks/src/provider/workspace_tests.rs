//! What a provider's configuration and credentials lead to.

use std::{collections::BTreeMap, sync::Arc};

use platform_sdk::{
    Origin, Output, Provider as _,
    desired::{Address, Tree, describe},
    provider::{Connect, ErrorKind},
};
use serde_json::json;

use super::WorkspaceProvider;
use crate::{
    AccountProvider,
    provider::credentials::{Config, Credentials, account_login, workspace_login},
};

fn connect(environment: &[(&str, &str)]) -> Connect {
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Connect { environment, sandbox: None }
}

const TOKEN: [(&str, &str); 2] = [("DATABRICKS_HOST", "https://dbc-1.example"), ("DATABRICKS_TOKEN", "dapi-canary")];

#[test]
fn the_configuration_holds_no_secret() {
    let provider = WorkspaceProvider::new("https://x.example").workspace_id("42").token("dapi-canary");
    let config = Tree::of_known(&provider.config());
    assert_eq!(config.plain(), Some(json!({"host": "https://x.example", "workspace_id": "42"})));
    assert!(!format!("{provider:?}").contains("canary"));
    let account = AccountProvider::new("a").client_credentials("id", "canary");
    assert_eq!(Tree::of_known(&account.config()).plain(), Some(json!({"account_id": "a"})));
}

#[test]
fn a_host_that_is_an_output_may_take_a_while_to_answer() {
    let origin =
        Arc::new(Origin { recording: 0, address: Address::new("databricks:Workspace", "made").expect("an address") });
    let config = WorkspaceProvider::new(Output::of(&origin, "url")).config();
    assert_eq!(describe(&config), "{host: ${made.url}, settles: true}");
    let settling = Config::read(&json!({"host": "https://new.example", "settles": true})).expect("a configuration");
    assert_eq!(settling.options().patience.unreachable.as_secs(), 300);
    assert_eq!(Config::default().options().patience.unreachable.as_secs(), 10);
}

#[test]
fn a_configured_host_takes_the_credentials_of_the_environment_but_not_its_workspace() {
    let config = Config::read(&json!({"host": "https://new.example"})).expect("a configuration");
    let env = connect(&[TOKEN[0], TOKEN[1], ("DATABRICKS_WORKSPACE_ID", "1")]);
    let login = workspace_login(&config, &Credentials::Found, &env).expect("a login");
    assert_eq!((login.host.to_string().as_str(), login.workspace_id), ("https://new.example", None));
    let login = workspace_login(&Config::default(), &Credentials::Found, &env).expect("a login");
    assert_eq!(login.workspace_id.as_deref(), Some("1"));
}

#[test]
fn credentials_of_the_program_come_before_those_of_the_environment() {
    let explicit = Credentials::Client("app".to_owned(), "hush".into());
    let login = workspace_login(&Config::default(), &explicit, &connect(&TOKEN)).expect("a login");
    assert_eq!(login.method.auth_type(), "oauth-m2m");
}

#[test]
fn without_credentials_everything_is_denied_with_a_hint() {
    let error =
        workspace_login(&Config::default(), &Credentials::Found, &Connect::default()).expect_err("no credentials");
    assert_eq!(error.kind, ErrorKind::Denied);
    assert!(error.hint.is_some_and(|hint| hint.contains("DATABRICKS_HOST")));
}

#[test]
fn the_sandbox_reads_nothing_of_a_real_login() {
    let url = "http://127.0.0.1:1".to_owned();
    let environment: BTreeMap<String, String> = connect(&TOKEN).environment;
    let connect = Connect { environment, sandbox: Some(url.clone()) };
    let config = Config::read(&json!({"host": "https://real.example", "workspace_id": "7"})).expect("a configuration");
    let login = workspace_login(&config, &Credentials::Token("dapi-canary".into()), &connect).expect("a login");
    assert_eq!((login.host.to_string(), login.workspace_id.as_deref()), (url.clone(), Some("7")));
    assert!(!format!("{login:?}").contains("canary"));
    let account = account_login(&Config::default(), &Credentials::Found, &connect).expect("a login");
    assert_eq!((account.host.to_string(), account.account_id.is_some()), (url, true));
}

#[test]
fn an_account_is_reached_at_its_console_whatever_workspace_the_environment_names() {
    let mut environment = TOKEN.to_vec();
    environment.push(("DATABRICKS_ACCOUNT_ID", "acc"));
    let login = account_login(&Config::default(), &Credentials::Found, &connect(&environment)).expect("a login");
    assert_eq!(login.host.to_string(), "https://accounts.cloud.databricks.com");
    let error = account_login(&Config::default(), &Credentials::Found, &connect(&TOKEN)).expect_err("no account");
    assert!(error.hint.is_some_and(|hint| hint.contains("DATABRICKS_ACCOUNT_ID")));
}

//! The verbs that need no engine: graph, config, doctor, sandbox.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use insta::assert_snapshot;
use serde_json::{Value, json};

use super::fixtures::{program, run, run_program};
use crate::{
    Data, Expr, Program, Provider, Schema,
    cli::context::Exit,
    provider::{
        Connect, Connection, Connector, Driver, ErrorKind, Finding, Login, LookUpDriver, ProviderError, ProviderResult,
    },
    sandbox::Service,
};

#[test]
fn graph_draws_in_both_languages() {
    assert!(run(&["graph"]).out.starts_with("flowchart LR\n"));
    assert!(run(&["graph", "--format", "dot"]).out.starts_with("digraph platform {\n"));
    let object: Value = serde_json::from_str(run(&["graph", "--json"]).out.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&object["event"], &object["schema"], &object["format"]),
        (&"graph".into(), &1.into(), &"mermaid".into())
    );
}

fn configured(folder: &std::path::Path) -> Program {
    std::fs::write(folder.join("c.toml"), "[default]\nregion = \"eu-west-1\"\n\n[prod]\nsize = 2\n").unwrap();
    Program::new("acme-data", |stack| {
        stack.config::<String>("region")?;
        stack.config_or("size", 1)?;
        let token = stack.config_secret("token")?;
        stack.add("x", Data::new(json!(1)).trigger(&token));
        stack.config::<String>("missing")?;
        Ok(())
    })
    .stack("prod")
    .config_file(folder.join("c.toml"))
}

#[test]
fn config_shows_where_values_come_from_and_no_secret_even_of_a_program_that_fails() {
    let folder = tempfile::tempdir().unwrap();
    let environment = [("PLATFORM_CONFIG_TOKEN", "canary"), ("PLATFORM_CONFIG_LATER", "canary")];
    let ran = run_program(configured(folder.path()), &["config", "list"], &environment);
    let shown = ran.out.replace(&folder.path().display().to_string(), "<folder>");
    assert_eq!(ran.exit, Exit::Done, "{}", ran.err);
    assert_snapshot!(shown, @r"
    later   [not read by the program]  PLATFORM_CONFIG_LATER
    region  eu-west-1                  <folder>/c.toml
    size    2                          <folder>/c.toml
    token   [secret]                   PLATFORM_CONFIG_TOKEN
    ");
    let get = |key: &str| run_program(configured(folder.path()), &["config", "get", key], &environment).out;
    assert_eq!((get("region").as_str(), get("token").as_str()), ("eu-west-1\n", "[secret]\n"));
    let json = run_program(configured(folder.path()), &["config", "list", "--json"], &environment);
    assert!(!(json.out + &json.err).contains("canary"));
}

#[test]
fn config_set_writes_the_stacks_table_and_refuses_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let set = |key: &str, value: &str| run_program(configured(folder.path()), &["config", "set", key, value], &[]);
    assert_eq!(set("size", "3").exit, Exit::Done);
    let text = std::fs::read_to_string(folder.path().join("c.toml")).unwrap();
    assert_eq!(text, "[default]\nregion = \"eu-west-1\"\n\n[prod]\nsize = 3\n");
    let refused = set("token", "canary");
    assert_eq!(refused.exit, Exit::Failed);
    assert!(refused.err.contains("PLATFORM_CONFIG_TOKEN") && !refused.err.contains("canary"), "{}", refused.err);
    let nowhere = run(&["config", "set", "region", "x"]);
    assert!(nowhere.err.contains("names no config file"), "{}", nowhere.err);
}

/// A provider whose login depends on one variable.
#[derive(Debug, Clone)]
struct Fake;

impl Provider for Fake {
    const KIND: &'static str = "fake";

    fn config(&self) -> Expr {
        Expr::map([("host".into(), Expr::Value("https://fake".into()))])
    }

    fn connector(&self) -> Arc<dyn Connector> {
        Arc::new(Self)
    }
}

#[async_trait]
impl Connector for Fake {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn schemas(&self) -> Vec<&'static Schema> {
        Vec::new()
    }

    async fn connect(&self, _config: &Value, _connect: &Connect) -> ProviderResult<Arc<dyn Connection>> {
        Ok(Arc::new(Self))
    }

    fn check_credentials(&self, _config: &Value, connect: &Connect) -> ProviderResult<()> {
        if connect.environment.contains_key("FAKE_TOKEN") {
            return Ok(());
        }
        Err(ProviderError::new(ErrorKind::Denied, "no credentials for https://fake").hint("set FAKE_TOKEN"))
    }

    fn sandbox(&self) -> Option<Arc<dyn Service>> {
        None
    }
}

#[async_trait]
impl Connection for Fake {
    async fn identity(&self) -> ProviderResult<BTreeMap<String, String>> {
        Ok([("workspace".to_owned(), "123".to_owned())].into())
    }

    fn driver(&self, _type_name: &str) -> Option<Arc<dyn Driver>> {
        None
    }

    fn look_up(&self, _type_name: &str) -> Option<Arc<dyn LookUpDriver>> {
        None
    }

    async fn login(&self) -> ProviderResult<Login> {
        Ok(Login {
            settings: vec![("token".to_owned(), "FAKE_TOKEN".to_owned())],
            user: Some("ada@acme.com".to_owned()),
            roles: vec!["users".to_owned()],
        })
    }

    async fn findings(&self) -> Vec<Finding> {
        vec![
            Finding { ok: true, what: "may create catalogs".to_owned(), hint: None },
            Finding { ok: false, what: "a SQL warehouse".to_owned(), hint: Some("create one".to_owned()) },
        ]
    }
}

#[test]
fn doctor_shows_the_login_and_fails_when_something_is_missing() {
    let ran = run_program(program().provider(Fake), &["doctor"], &[("FAKE_TOKEN", "canary")]);
    assert_eq!(ran.exit, Exit::Failed);
    assert_snapshot!(ran.out, @r"
    fake
      token      FAKE_TOKEN
      user       ada@acme.com
      workspace  123
      roles      users
      ok: may create catalogs
      missing: a SQL warehouse
        hint: create one
    ");
    let without = run_program(program().provider(Fake), &["doctor"], &[]);
    assert_eq!(without.exit, Exit::Failed);
    assert_snapshot!(without.err, @r"
    error: no login at `fake`
      no credentials for https://fake
      hint: set FAKE_TOKEN
    ");
    assert_eq!(run(&["doctor"]).exit, Exit::Done);
}

#[test]
fn a_program_without_sandboxes_says_so() {
    let ran = run(&["sandbox"]);
    assert_eq!(ran.exit, Exit::Failed);
    assert_eq!(ran.err, "error: none of the program's providers has a sandbox\n");
}

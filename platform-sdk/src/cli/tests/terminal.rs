//! What steers a terminal, in data: written out where a terminal shows it, kept in a pipe.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use serde_json::{Value, json};

use super::fixtures::{Ran, run_at_terminal, run_program};
use crate::{
    Data, Expr, Program, Provider, Schema,
    provider::{Connect, Connection, Connector, Driver, Finding, Login, LookUpDriver, ProviderError, ProviderResult},
    sandbox::Service,
};

/// A title for the window, colours in seven bits and in eight, text that runs backwards, a line that is not ours, and a
/// bell.
const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{1b}[31mred\u{9b}32m\u{202e}txt\u{2066}\rhead\u{fdd2}\u{7f}end";

#[derive(Debug, Clone)]
struct Hostile;

impl Provider for Hostile {
    const KIND: &'static str = "hostile";

    fn config(&self) -> Expr {
        Expr::map([])
    }

    fn connector(&self) -> Arc<dyn Connector> {
        Arc::new(Hostile)
    }
}

#[async_trait]
impl Connector for Hostile {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn schemas(&self) -> Vec<&'static Schema> {
        Vec::new()
    }

    fn check_credentials(&self, _config: &Value, _connect: &Connect) -> Result<(), ProviderError> {
        Ok(())
    }

    async fn connect(&self, _config: &Value, _connect: &Connect) -> ProviderResult<Arc<dyn Connection>> {
        Ok(Arc::new(Hostile))
    }

    fn sandbox(&self) -> Option<Arc<dyn Service>> {
        None
    }
}

#[async_trait]
impl Connection for Hostile {
    async fn identity(&self) -> ProviderResult<BTreeMap<String, String>> {
        Ok([("planet".to_owned(), HOSTILE.to_owned())].into())
    }

    async fn login(&self) -> ProviderResult<Login> {
        Ok(Login {
            settings: vec![("endpoint".into(), HOSTILE.into())],
            user: Some(HOSTILE.into()),
            roles: vec![HOSTILE.into()],
        })
    }

    async fn findings(&self) -> Vec<Finding> {
        vec![Finding { ok: false, what: HOSTILE.into(), hint: Some(HOSTILE.into()) }]
    }

    fn driver(&self, _type_name: &str) -> Option<Arc<dyn Driver>> {
        None
    }

    fn look_up(&self, _type_name: &str) -> Option<Arc<dyn LookUpDriver>> {
        None
    }
}

fn hostile(fails: bool) -> Program {
    Program::new("acme-data", move |stack| {
        let text: String = stack.config("text")?;
        let data = stack.add("data", Data::new(json!({"text": text, "lines": format!("a\n{HOSTILE}")})));
        stack.export("data", &data.output);
        stack.export("text", text.clone());
        if fails {
            return Err(crate::Diagnostic::error(format!("no {HOSTILE}"))
                .detail(HOSTILE)
                .hint(HOSTILE)
                .at(HOSTILE)
                .into());
        }
        Ok(())
    })
    .stack("prod")
    .provider(Hostile)
}

/// Everything that shows what others wrote, after a run by somebody of that name.
const SHOWS: [&[&str]; 16] = [
    &["plan"],
    &["plan", "-v"],
    &["up", "--yes"],
    &["up", "--yes"],
    &["drift"],
    &["history"],
    &["output"],
    &["output", "text"],
    &["output", "data"],
    &["config", "list"],
    &["config", "get", "text"],
    &["state", "list"],
    &["state", "show"],
    &["state", "export"],
    &["doctor"],
    &["destroy", "--yes"],
];

fn steering(ran: &Ran) -> String {
    let ours = |text: &str| anstream::adapter::strip_str(&text.replace("\\u{1b}", "")).to_string();
    let odd =
        |c: &char| (c.is_control() && *c != '\n') || matches!(c, '\u{202e}' | '\u{2066}' | '\u{fdd0}'..='\u{fdef}');
    // What is left once our own colours, and nothing else, have been taken away.
    let colours = ["[0m", "[1m", "[2m", "[31m", "[32m", "[33m", "[36m"].map(|code| format!("\u{1b}{code}"));
    let both = ran.out.clone() + &ran.err;
    let left = colours.iter().fold(both.clone(), |text, colour| text.replace(colour, ""));
    assert_eq!(ours(&both), ours(&left), "nothing but colours is an escape");
    left.chars().filter(odd).collect()
}

#[test]
fn a_terminal_is_steered_by_no_data_in_any_verb() {
    for json in [false, true] {
        let state = tempfile::tempdir().unwrap();
        let place = state.path().display().to_string();
        let environment = [("PLATFORM_STATE", &*place), ("PLATFORM_CONFIG_TEXT", HOSTILE), ("USER", HOSTILE)];
        for line in SHOWS {
            let line = if json { [line, &["--json"]].concat() } else { line.to_vec() };
            let ran = run_at_terminal(hostile(false), &line, &environment);
            assert_eq!(steering(&ran), "", "{line:?}: {:?}", ran.out + &ran.err);
            assert!(!ran.out.contains("\u{1b}[31mred"), "{line:?}: a colour of theirs: {:?}", ran.out);
        }
        let ran = run_at_terminal(hostile(true), if json { &["plan", "--json"] } else { &["plan"] }, &environment);
        assert!(ran.err.contains("\\u{1b}[31mred\\u{9b}32m\\u{202e}"), "{:?}", ran.err);
        assert_eq!(steering(&ran), "", "{:?}", ran.out + &ran.err);
    }
}

#[test]
fn a_pipe_gets_every_byte() {
    let state = tempfile::tempdir().unwrap();
    let place = state.path().display().to_string();
    let environment = [("PLATFORM_STATE", &*place), ("PLATFORM_CONFIG_TEXT", HOSTILE), ("USER", HOSTILE)];
    let said = |line: &[&str]| run_program(hostile(false), line, &environment).out;
    said(&["up", "--yes"]);
    assert_eq!(said(&["output", "text"]), format!("{HOSTILE}\n"));
    assert_eq!(said(&["config", "get", "text"]), format!("{HOSTILE}\n"));
    let objects = said(&["output", "text", "--json"]);
    let first: Value = serde_json::from_str(objects.lines().next().unwrap()).unwrap();
    assert_eq!(first["value"], HOSTILE);
    let state: Value = serde_json::from_str(&said(&["state", "export"])).unwrap();
    assert!(state.to_string().contains(&json!(HOSTILE).to_string()), "{state}");
    assert!(said(&["history"]).contains(&HOSTILE.replace('\r', "\\u{d}")));
    assert!(said(&["doctor"]).contains(&HOSTILE.replace('\r', "\\u{d}")));
}

//! Looking at a stack without the key to its secrets: all that is not secret is compared, and the rest is named.

use std::{collections::BTreeMap, fs};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use insta::assert_snapshot;
use serde_json::{Value, json};

use super::fixtures::{Ran, run_program};
use crate::{
    Data, Output, Program, Secret, Stack,
    cli::context::Exit,
    interpolate,
    provider::{ErrorKind, ProviderError, ProviderResult},
    sealing::{KeyWrapper, Zeroizing},
    testing::{Call, Cloud, Machine, Room},
};

const CANARY: &str = "canary-7d31";
const NUMBER: &str = "8675309";
const KEY: (&str, &str) = ("PLATFORM_PASSPHRASE", "correct horse");
const WRONG: (&str, &str) = ("PLATFORM_PASSPHRASE", "another");

type Declare = fn(&Stack) -> crate::Result<()>;

/// A folder with a config file and state, and a cloud.
struct Place {
    folder: tempfile::TempDir,
    cloud: Cloud,
}

impl Place {
    /// With two secrets in the config file, one of them a number.
    fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap(), cloud: Cloud::default() };
        fs::write(place.folder.path().join("c.toml"), "[prod]\n").unwrap();
        for (key, value) in [("token", CANARY), ("port", NUMBER)] {
            place.done(declare, &["config", "set", "--secret", key, value], &[KEY]);
        }
        place
    }

    fn run(&self, declare: Declare, line: &[&str], environment: &[(&str, &str)]) -> Ran {
        let folder = self.folder.path().display().to_string();
        let state = format!("{folder}/state");
        let program = Program::new("acme", declare)
            .stack("prod")
            .config_file(self.folder.path().join("c.toml"))
            .provider(self.cloud.provider());
        let mut ran = run_program(program, &[line, &["--state", &state]].concat(), environment);
        (ran.out, ran.err) = (ran.out.replace(&folder, "<place>"), ran.err.replace(&folder, "<place>"));
        for said in [&ran.out, &ran.err] {
            assert!(!said.contains(CANARY) && !said.contains(NUMBER), "{line:?}: {said}");
        }
        ran
    }

    #[track_caller]
    fn ended(&self, exit: Exit, declare: Declare, line: &[&str], environment: &[(&str, &str)]) -> String {
        let ran = self.run(declare, line, environment);
        assert_eq!(ran.exit, exit, "{line:?}: {}{}", ran.out, ran.err);
        ran.out + &ran.err
    }

    #[track_caller]
    fn done(&self, declare: Declare, line: &[&str], environment: &[(&str, &str)]) -> String {
        self.ended(Exit::Done, declare, line, environment)
    }

    fn machine(&self) -> String {
        let objects = self.cloud.objects();
        objects.keys().find_map(|key| key.strip_prefix("test:Machine::").map(str::to_owned)).unwrap()
    }
}

/// Secrets in every place: alone, in text, mapped, in an object, in a field that is never shown, in one that can't be
/// changed in place, in another resource's output, in what is exported.
fn stack_of(size: i64, stack: &Stack) -> crate::Result<()> {
    let token = stack.config::<Secret<String>>("token")?;
    let port = stack.config::<Secret<i64>>("port")?;
    let room = stack.add("room", Room::new("lab").comment("open"));
    let machine = stack.add(
        "machine",
        Machine::new(&room.id)
            .size(size)
            .labels([("team".to_owned(), Output::text("data")), ("owner".to_owned(), Output::text(token.clone()))])
            .password(token.clone())
            .note(interpolate!("Bearer {}", token.clone()))
            .image(token.clone()),
    );
    let mixed = crate::Expr::map([
        ("port".into(), crate::ToExpr::to_expr(&port)),
        ("open".into(), crate::Expr::Value(json!([1, {"deep": true}]))),
    ]);
    let data = stack.add("data", Data::new(Output::<Value>::from_expr(mixed)));
    stack.add("again", Data::new(data.output.map(|value| value.to_string().len()).json()));
    stack.export("note", machine.note.map(|note| note.unwrap_or_default().to_uppercase()));
    stack.export("open", json!("in the open"));
    stack.export("token", token);
    Ok(())
}

fn declare(stack: &Stack) -> crate::Result<()> {
    stack_of(3, stack)
}

fn larger(stack: &Stack) -> crate::Result<()> {
    stack_of(5, stack)
}

#[test]
fn a_plan_without_the_key_compares_what_is_no_secret_and_names_the_rest() {
    let place = Place::new();
    // Before anything is there.
    let first = place.done(declare, &["plan"], &[]);
    assert!(first.contains("Plan: 4 to create.") && first.contains("password: [secret]"), "{first}");
    place.done(declare, &["up", "--yes"], &[KEY]);
    assert!(place.done(declare, &["plan"], &[KEY]).contains("No changes. The platform is what"));
    place.cloud.take_calls();
    assert_snapshot!(place.done(declare, &["plan", "--detailed-exitcode"], &[]), @r"
    Stack prod of acme
    There is no key to the secrets: the secrets of stack `acme/prod` are encrypted with a passphrase: PLATFORM_PASSPHRASE is not set

    Secret, not compared
      outputs: note, token
      platform:Data::again: input
      platform:Data::data: input.port
      test:Machine::machine: labels.owner, password, note, image

    No changes in what could be compared; secrets were not.
    ");
    let changed = place.ended(Exit::Differences, larger, &["plan", "--detailed-exitcode"], &[]);
    assert!(changed.contains("Plan: 1 to update.") && changed.contains("size: 3 → 5"), "{changed}");
    let json = place.done(larger, &["plan", "--json"], &[]);
    let plan: Value = json
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .find(|event: &Value| event["event"] == "plan")
        .unwrap();
    assert!(plan["keyless"].as_str().unwrap().ends_with("PLATFORM_PASSPHRASE is not set"), "{plan}");
    let named = |address: Value, path: &str| {
        let mut one = json!({"path": path});
        if !address.is_null() {
            one["address"] = address;
        }
        one
    };
    let wanted = [
        named("platform:Data::again".into(), "input"),
        named("platform:Data::data".into(), "input.port"),
        named("test:Machine::machine".into(), "labels.owner"),
        named("test:Machine::machine".into(), "password"),
        named("test:Machine::machine".into(), "note"),
        named("test:Machine::machine".into(), "image"),
        named(Value::Null, "note"),
        named(Value::Null, "token"),
    ];
    assert_eq!(plan["not_compared"], json!(wanted));
    assert_eq!(plan["steps"].as_array().unwrap().len(), 1, "{plan}");
    for (file, word) in [("plan.md", "Secret, not compared"), ("plan.html", "Secret, not compared")] {
        let file = place.folder.path().join(file);
        place.done(declare, &["plan", "--report", &file.display().to_string()], &[]);
        let report = fs::read_to_string(file).unwrap();
        assert!(report.contains(word) && !report.contains(CANARY) && !report.contains(NUMBER), "{report}");
    }
    assert!(!place.cloud.take_calls().iter().any(Call::mutates));
    assert!(place.done(declare, &["plan"], &[KEY]).contains("No changes. The platform is what"), "nothing was written");
}

#[test]
fn drift_without_the_key_finds_what_is_no_secret() {
    let place = Place::new();
    place.done(declare, &["up", "--yes"], &[KEY]);
    assert_snapshot!(place.done(declare, &["drift"], &[]), @r"
    There is no key to the secrets: the secrets of stack `acme/prod` are encrypted with a passphrase: PLATFORM_PASSPHRASE is not set

    Secret, not compared
      test:Machine::machine: labels.owner, note, image

    No drift in what could be compared.
    ");
    let id = place.machine();
    place.cloud.tamper("test:Machine", &id, "note", json!("canary of somebody else"));
    assert!(place.done(declare, &["drift"], &[]).contains("No drift in what could be compared."));
    place.ended(Exit::Differences, declare, &["drift"], &[KEY]);
    place.cloud.tamper("test:Machine", &id, "size", json!(9));
    let json = place.ended(Exit::Differences, declare, &["drift", "--json"], &[]);
    let drift: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(drift["steps"][0]["changes"].as_array().unwrap().len(), 1, "{drift}");
    assert!(drift["not_compared"].as_array().unwrap().iter().any(|one| one["path"] == "note"), "{drift}");
    assert!(place.ended(Exit::Failed, declare, &["drift", "--accept"], &[]).contains("PLATFORM_PASSPHRASE is not set"));
}

#[test]
fn what_writes_needs_the_key_and_a_wrong_one_is_a_mistake() {
    let place = Place::new();
    place.done(declare, &["up", "--yes"], &[KEY]);
    let saved = place.folder.path().join("plan.json").display().to_string();
    let said = place.run(declare, &["plan", "--out", &saved], &[]).err;
    assert_snapshot!(said, @r"
    error: a plan that is to be applied needs the key to the secrets
      the secrets of stack `acme/prod` are encrypted with a passphrase: PLATFORM_PASSPHRASE is not set
      hint: save it where the key is, or leave out --out: `--report` and `--json` need none
    ");
    assert!(!std::path::Path::new(&saved).exists());
    place.done(larger, &["plan", "--out", &saved], &[KEY]);
    for line in [
        &["up", "--yes"][..],
        &["up", "--plan", &saved, "--yes"],
        &["destroy", "--yes"],
        &["rollback", "1", "--yes"],
        &["output", "--show-secrets"],
        &["state", "rotate-key"],
    ] {
        let said = place.ended(Exit::Failed, larger, line, &[]);
        assert!(said.contains("PLATFORM_PASSPHRASE is not set"), "{line:?}: {said}");
    }
    for line in [&["plan"][..], &["drift"], &["output"], &["state", "list"]] {
        let said = place.ended(Exit::Failed, declare, line, &[WRONG]);
        assert!(said.contains("PLATFORM_PASSPHRASE is not the passphrase of"), "{line:?}: {said}");
    }
    place.done(larger, &["up", "--plan", &saved, "--yes"], &[KEY]);
    for line in [
        &["output"][..],
        &["output", "token"],
        &["output", "--json"],
        &["state", "list"],
        &["state", "show"],
        &["state", "show", "--json"],
        &["state", "show", "--at", "1"],
        &["state", "export"],
        &["history"],
        &["graph"],
        &["doctor"],
        &["config", "list"],
    ] {
        place.done(declare, line, &[]);
    }
    assert_snapshot!(place.done(declare, &["output"], &[]), @r#"
    note:  [secret]
    open:  "in the open"
    token: [secret]
    "#);
    assert!(place.done(declare, &["output", "--json"], &[]).contains(r#""name":"token","schema":1,"secret":true"#));
}

#[test]
fn a_secret_from_elsewhere_is_compared_with_what_the_service_shows_and_not_with_what_is_sealed() {
    let place = Place::new();
    place.done(declare, &["up", "--yes"], &[KEY]);
    let other = [("PLATFORM_CONFIG_TOKEN", "another token"), ("PLATFORM_CONFIG_PORT", "1")];
    let ran = place.run(declare, &["plan"], &other);
    let said = ran.out + &ran.err;
    assert!(said.contains("note:         [secret] → [secret]") && !said.contains("another token"), "{said}");
    assert!(said.contains("platform:Data::data: input.port"), "{said}");
    let same = [("PLATFORM_CONFIG_TOKEN", CANARY), ("PLATFORM_CONFIG_PORT", NUMBER)];
    let said = place.done(declare, &["plan"], &same);
    assert!(said.contains("No changes in what could be compared"), "{said}");
}

#[test]
fn a_program_that_looks_into_a_secret_is_told_where_it_needs_the_key() {
    let place = Place::new();
    let looking: Declare = |stack| {
        let token = stack.config_secret("token")?;
        stack.config::<Secret<i64>>("port")?;
        stack.add("data", Data::new(json!(token.expose().len())));
        Ok(())
    };
    place.done(looking, &["plan"], &[KEY]);
    let said = place.ended(Exit::Failed, looking, &["plan"], &[]);
    assert!(said.contains("the program needs the value of a secret that it has no key to"), "{said}");
    assert!(said.contains("PLATFORM_PASSPHRASE is not set") && said.contains("keyless.rs:"), "{said}");
    let in_clear: Declare = |stack| {
        stack.config_secret("token")?;
        stack.config::<String>("token")?;
        Ok(())
    };
    let said = place.ended(Exit::Failed, in_clear, &["plan"], &[]);
    assert!(said.contains("config key `token` of stack `prod` can't be read without its key"), "{said}");
}

#[test]
fn an_output_of_another_stack_that_is_sealed_is_not_compared() {
    let place = Place::new();
    let other: Declare = |stack| {
        stack.export("token", Secret::new(CANARY.to_owned()));
        Ok(())
    };
    place.done(other, &["up", "--yes", "--stack", "other", "--new-stack"], &[KEY]);
    let referring: Declare = |stack| {
        stack.config::<Secret<String>>("token")?;
        stack.config::<Secret<i64>>("port")?;
        let token = stack.reference("other").output::<String>("token");
        stack.add("data", Data::new(interpolate!("{} of another", token).json()));
        Ok(())
    };
    place.done(referring, &["up", "--yes"], &[KEY]);
    let said = place.done(referring, &["plan"], &[]);
    assert!(said.contains("platform:Data::data: input\n"), "{said}");
}

/// A key of a service, which lets whoever it trusts decrypt.
#[derive(Debug)]
struct Service;

#[async_trait]
impl KeyWrapper for Service {
    fn kind(&self) -> &'static str {
        "test-kms"
    }

    fn key(&self) -> String {
        "alias/platform".to_owned()
    }

    async fn wrap(&self, key: &[u8; 32], _: &str, _: &BTreeMap<String, String>) -> ProviderResult<String> {
        Ok(BASE64.encode(key))
    }

    async fn unwrap(
        &self,
        _: &str,
        wrapped: &str,
        _: &str,
        environment: &BTreeMap<String, String>,
    ) -> ProviderResult<Zeroizing<Vec<u8>>> {
        match environment.get("LOGIN").map(String::as_str) {
            Some("deployer") => Ok(Zeroizing::new(BASE64.decode(wrapped).expect("base64"))),
            Some(_) => Err(ProviderError::new(ErrorKind::Denied, "not allowed to decrypt")),
            None => Err(ProviderError::new(ErrorKind::Unavailable, "no answer")),
        }
    }
}

#[test]
fn whose_login_may_not_decrypt_has_no_key_and_a_service_that_is_down_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let run = |line: &[&str], login: &[(&str, &str)]| {
        let state = folder.path().join("state").display().to_string();
        let program = Program::new("acme", |stack| {
            let data = stack.add("data", Data::new(Output::text(Secret::new(CANARY.to_owned())).json()));
            stack.add("open", Data::new(json!({"open": true})).trigger(&data.output));
            Ok(())
        });
        run_program(program.secrets_key(Service), &[line, &["--state", &state]].concat(), login)
    };
    assert_eq!(run(&["up", "--yes"], &[("LOGIN", "deployer")]).exit, Exit::Done);
    let plan = run(&["plan"], &[("LOGIN", "runner")]);
    assert_eq!(plan.exit, Exit::Done, "{}", plan.err);
    assert!(plan.out.contains("alias/platform`: not allowed to decrypt"), "{}", plan.out);
    assert!(plan.out.contains("platform:Data::data: input\n") && !plan.out.contains(CANARY), "{}", plan.out);
    let down = run(&["plan"], &[]);
    assert!(down.exit == Exit::Failed && down.err.contains("no answer"), "{}{}", down.out, down.err);
    let up = run(&["up", "--yes"], &[("LOGIN", "runner")]);
    assert!(up.exit == Exit::Failed && up.err.contains("not allowed to decrypt"), "{}{}", up.out, up.err);
}

#[test]
fn a_key_that_is_missing_beside_the_state_leaves_its_secrets_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let run = |line: &[&str]| {
        let state = folder.path().join("state").display().to_string();
        let program = Program::new("acme", |stack| {
            stack.add("data", Data::new(Output::text(Secret::new(CANARY.to_owned())).json()));
            Ok(())
        });
        run_program(program, &[line, &["--state", &state]].concat(), &[])
    };
    assert_eq!(run(&["up", "--yes"]).exit, Exit::Done);
    fs::remove_file(folder.path().join("state/key")).unwrap();
    let plan = run(&["plan"]);
    assert!(plan.exit == Exit::Done && plan.out.contains("platform:Data::data: input\n"), "{}{}", plan.out, plan.err);
    let up = run(&["up", "--yes"]);
    assert!(up.exit == Exit::Failed && up.err.contains("the key file of stack"), "{}{}", up.out, up.err);
}

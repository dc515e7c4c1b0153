//! Secrets on the command line: encrypted in the config file, hidden wherever they are shown, wrapped anew.

use std::{cell::RefCell, fs};

use insta::{assert_snapshot, with_settings};
use serde_json::json;

use super::fixtures::{Ran, run_program};
use crate::{Data, Program, Secret, cli::context::Exit, interpolate};

const CANARY: &str = "canary-7d31";
const FILE: &str = "[default]\nregion = \"eu-west-1\"\n\n[prod] # careful\nsize = 2\n";

/// A folder with a config file and state.
struct Place {
    folder: tempfile::TempDir,
    environment: RefCell<Vec<(&'static str, &'static str)>>,
}

impl Place {
    fn new(environment: &[(&'static str, &'static str)]) -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap(), environment: RefCell::new(environment.to_vec()) };
        fs::write(place.folder.path().join("c.toml"), FILE).unwrap();
        place
    }

    fn set(&self, environment: &[(&'static str, &'static str)]) {
        *self.environment.borrow_mut() = environment.to_vec();
    }

    /// Exports the secret as it is, in text, and mapped.
    fn program(&self) -> Program {
        Program::new("acme", |stack| {
            stack.config::<String>("region")?;
            stack.config::<i64>("size")?;
            let token = stack.config::<Secret<String>>("token")?;
            let data = stack.add("x", Data::new(interpolate!("Bearer {}", token.clone()).json()));
            stack.export("token", token.clone());
            stack.export("header", &data.output);
            stack.export("length", data.output.map(|header| header.as_str().map_or(0, str::len)));
            stack.export("plain", json!("in the open"));
            Ok(())
        })
        .stack("prod")
        .config_file(self.folder.path().join("c.toml"))
    }

    fn run(&self, line: &[&str]) -> Ran {
        let state = self.folder.path().join("state").display().to_string();
        let mut ran = run_program(self.program(), &[line, &["--state", &state]].concat(), &self.environment.borrow());
        let folder = self.folder.path().display().to_string();
        (ran.out, ran.err) = (ran.out.replace(&folder, "<place>"), ran.err.replace(&folder, "<place>"));
        ran
    }

    fn done(&self, line: &[&str]) -> String {
        let ran = self.run(line);
        assert_eq!(ran.exit, Exit::Done, "{line:?}: {}{}", ran.out, ran.err);
        ran.out + &ran.err
    }

    fn refused(&self, line: &[&str]) -> String {
        let ran = self.run(line);
        assert_eq!(ran.exit, Exit::Failed, "{line:?}: {}{}", ran.out, ran.err);
        ran.err
    }

    fn config(&self) -> String {
        fs::read_to_string(self.folder.path().join("c.toml")).unwrap()
    }
}

const KEY: (&str, &str) = ("PLATFORM_PASSPHRASE", "correct horse");

#[test]
fn a_secret_is_encrypted_in_the_committed_file_and_the_rest_of_it_stays() {
    let place = Place::new(&[KEY]);
    let said = place.done(&["config", "set", "--secret", "token", CANARY]);
    assert_eq!(said, "token of stack prod is encrypted in <place>/c.toml\n");
    with_settings!({filters => vec![(r#""[A-Za-z0-9+/]{22,}""#, "\"<sealed>\"")]}, {
        assert_snapshot!(place.config());
    });
    assert!(!place.config().contains(CANARY));
    assert_eq!(place.done(&["config", "get", "token"]), "[secret]\n");
    assert!(place.done(&["config", "list"]).contains("token   [secret]"));
    assert!(!place.done(&["config", "list", "--json"]).contains(CANARY));
    let first = place.config();
    place.done(&["config", "set", "--secret", "token", "another"]);
    let key = |text: &str| text.lines().find(|line| line.contains("$key")).map(str::to_owned);
    assert_eq!(key(&first), key(&place.config()), "a table keeps its key");
}

#[test]
fn plans_and_outputs_never_show_it_and_show_secrets_does() {
    let place = Place::new(&[KEY]);
    place.done(&["config", "set", "--secret", "token", CANARY]);
    for line in
        [&["plan"][..], &["plan", "--json"], &["up", "--yes"], &["output"], &["output", "--json"], &["state", "export"]]
    {
        let said = place.done(line);
        assert!(!said.contains(CANARY) && !said.contains("Bearer"), "{line:?}: {said}");
    }
    assert_snapshot!(place.done(&["output"]), @r#"
    header: [secret]
    length: [secret]
    plain:  "in the open"
    token:  [secret]
    "#);
    assert_eq!(place.done(&["output", "header"]), "[secret]\n");
    assert_eq!(place.done(&["output", "header", "--show-secrets"]), format!("Bearer {CANARY}\n"));
    assert!(place.done(&["output", "--show-secrets"]).contains(&format!("token:  \"{CANARY}\"")));
}

#[test]
fn a_missing_or_wrong_key_is_said_before_anything_happens() {
    let place = Place::new(&[]);
    assert_snapshot!(place.refused(&["config", "set", "--secret", "token", CANARY]), @r"
    error: `[prod]` in the config file has a secret and nothing to encrypt it with
      no passphrase, no key file, and the program names no key of a service
      hint: set PLATFORM_PASSPHRASE, and keep it: nothing else opens the secrets; or name a key file with PLATFORM_KEY_FILE
    ");
    assert_eq!(place.config(), FILE);
    place.set(&[KEY]);
    place.done(&["config", "set", "--secret", "token", CANARY]);
    place.set(&[]);
    assert_snapshot!(place.refused(&["up", "--yes"]), @r"
    error: the secrets of `[prod]` in the config file are encrypted with a passphrase
      PLATFORM_PASSPHRASE is not set
      hint: set PLATFORM_PASSPHRASE to the passphrase that its secrets were encrypted with
    ");
    assert!(place.done(&["config", "list"]).contains("[secret]"), "looking needs no key");
    place.set(&[("PLATFORM_PASSPHRASE", "wrong")]);
    assert!(
        place.refused(&["plan"]).contains("PLATFORM_PASSPHRASE is not the passphrase of `[prod]` in the config file")
    );
    assert!(!place.folder.path().join("state").exists());
    place.set(&[("PLATFORM_CONFIG_TOKEN", "from a variable")]);
    place.done(&["plan"]);
}

#[test]
fn what_is_encrypted_is_not_read_in_clear_and_not_overwritten_in_clear() {
    let place = Place::new(&[KEY]);
    place.done(&["config", "set", "--secret", "size", "3"]);
    place.done(&["config", "set", "--secret", "token", CANARY]);
    assert_snapshot!(place.refused(&["plan"]), @r#"
    error: config key `size` of stack `prod` is a secret
      it is encrypted in <place>/c.toml, and the program would read it in clear
      hint: read it with `stack.config_secret("size")`, or as a `Secret<..>`
    "#);
    assert_snapshot!(place.refused(&["config", "set", "size", "4"]), @r"
    error: config key `size` is a secret, and the config file is committed
      hint: encrypt it there with `config set --secret size`, or set PLATFORM_CONFIG_SIZE where the program runs
    ");
    let moved = place
        .config()
        .replace("size = {", "other = {")
        .replace("token = {", "size = {")
        .replace("other = {", "token = {");
    fs::write(place.folder.path().join("c.toml"), moved).unwrap();
    assert!(place.refused(&["plan"]).contains("is a secret"));
}

#[test]
fn keys_of_state_and_config_file_are_rotated() {
    let place = Place::new(&[KEY]);
    assert_eq!(place.done(&["state", "rotate-key"]), "the stack has no secrets, and no key\n");
    place.done(&["config", "set", "--secret", "token", CANARY]);
    place.done(&["up", "--yes"]);
    place.set(&[KEY, ("PLATFORM_NEW_PASSPHRASE", "battery staple")]);
    assert_eq!(place.done(&["state", "rotate-key"]), "serial 2: the key is wrapped with a passphrase now\n");
    assert_eq!(place.done(&["config", "rotate-key"]), "wrapped anew: [prod]\n");
    place.set(&[("PLATFORM_PASSPHRASE", "battery staple")]);
    assert!(place.done(&["plan"]).contains("No changes."));
    assert_eq!(place.done(&["output", "token", "--show-secrets"]), format!("{CANARY}\n"));
    let said = place.done(&["state", "rotate-key", "--re-encrypt"]);
    assert_snapshot!(said, @r"
    serial 3: the key is wrapped with a passphrase now; every secret is encrypted with another key
    earlier snapshots still hold what the old key opens: `state prune` removes them
    ");
    assert!(
        place.done(&["rollback", "1", "--yes"]).contains("No changes."),
        "the new passphrase opens the first snapshot"
    );
    place.set(&[KEY]);
    assert!(place.refused(&["output"]).contains("is not the passphrase of stack `acme/prod`"));
    let json = {
        place.set(&[("PLATFORM_PASSPHRASE", "battery staple")]);
        place.done(&["state", "rotate-key", "--json"])
    };
    assert!(
        json.starts_with("{\"by\":\"a passphrase\",\"event\":\"key_rotated\",\"re_encrypted\":false,\"schema\":1}\n"),
        "{json}"
    );
}

#[test]
fn the_wrapped_key_of_a_table_is_no_value_to_set() {
    let place = Place::new(&[KEY]);
    place.done(&["config", "set", "--secret", "token", CANARY]);
    let before = place.config();
    let refused = place.refused(&["config", "set", "$key", "5"]);
    assert_snapshot!(refused, @r"
    error: `$key` is the wrapped key of the table's secrets, and no value
      hint: `config rotate-key` wraps it anew; nothing was changed
    ");
    assert_eq!(place.refused(&["config", "set", "--secret", "$key", "x"]), refused);
    assert_eq!(place.config(), before);
}

#[test]
fn secrets_that_were_copied_to_another_stack_do_not_open_there() {
    let place = Place::new(&[KEY]);
    place.done(&["config", "set", "--secret", "token", CANARY]);
    fs::write(place.folder.path().join("c.toml"), place.config().replace("[prod]", "[test]")).unwrap();
    assert_snapshot!(place.refused(&["plan", "--stack", "test"]), @r"
    error: PLATFORM_PASSPHRASE is not the passphrase of `[test]` in the config file
      it does not unwrap the data key, as nothing does that was copied from another stack, table or project
      hint: set PLATFORM_PASSPHRASE to the passphrase that its secrets were encrypted with
    ");
}

#[cfg(unix)]
#[test]
fn a_config_file_keeps_its_place_and_who_may_read_it() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let place = Place::new(&[KEY]);
    let (file, real) = (place.folder.path().join("c.toml"), place.folder.path().join("real.toml"));
    fs::rename(&file, &real).unwrap();
    symlink(&real, &file).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    place.done(&["config", "set", "size", "3"]);
    assert!(fs::read_to_string(&real).unwrap().contains("size = 3") && file.is_symlink());
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    fs::set_permissions(&real, fs::Permissions::from_mode(0o440)).unwrap();
    let said = place.refused(&["config", "set", "size", "4"]);
    assert!(said.contains("cannot write") && fs::read_to_string(&real).unwrap().contains("size = 3"), "{said}");
}

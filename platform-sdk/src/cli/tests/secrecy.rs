//! Secrecy by origin: what is made of a secret is seen nowhere, whatever it is made into, known yet or not.

use std::{fs, path::Path};

use serde_json::{Value, json};

use super::fixtures::{Ran, run_program};
use crate::{
    Data, Joined as _, Output, Program, Secret, Stack,
    cli::context::Exit,
    interpolate,
    testing::{Cloud, Machine, Room},
};

/// What every canary has in it.
const MARK: &str = "canary";
const NUMBER: i64 = 8_675_309;

/// Runs commands over one state, and looks through all that they say and write.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn run(&self, program: Program, line: &[&str]) -> Ran {
        let state = self.folder.path().join("state").display().to_string();
        run_program(program, &[line, &["--state", &state]].concat(), &[])
    }

    #[track_caller]
    fn unseen(&self, program: Program, line: &[&str]) -> Ran {
        let ran = self.run(program, line);
        for said in [&ran.out, &ran.err] {
            assert!(!tells(said.as_bytes()), "{line:?}: {}{}", ran.out, ran.err);
        }
        absent(self.folder.path());
        ran
    }

    #[track_caller]
    fn done(&self, program: Program, line: &[&str]) -> String {
        let ran = self.unseen(program, line);
        assert_eq!(ran.exit, Exit::Done, "{line:?}: {}{}", ran.out, ran.err);
        ran.out + &ran.err
    }
}

fn tells(bytes: &[u8]) -> bool {
    let (mark, number) = (MARK.as_bytes(), NUMBER.to_string());
    bytes.windows(MARK.len()).any(|window| window == mark) || bytes.windows(7).any(|window| window == number.as_bytes())
}

#[track_caller]
fn absent(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            absent(&path);
        } else {
            assert!(!tells(&fs::read(&path).unwrap()), "{}", path.display());
        }
    }
}

fn secret(value: Value) -> Output<Value> {
    Output::from_expr(crate::Expr::Value(value)).secret()
}

fn program(declare: impl Fn(&Stack) -> crate::Result<()> + 'static) -> Program {
    Program::new("acme", declare).stack("prod")
}

/// Numbers, booleans, keys, and objects as a whole.
fn of_all_shapes() -> Program {
    program(|stack| {
        let keyed: Output<Value> = secret(json!("canary-key")).map(|key: Value| {
            let key = key.as_str().unwrap_or_default().to_owned();
            Value::Object([(key, json!({"deep": NUMBER}))].into_iter().collect())
        });
        let port = secret(json!(NUMBER));
        let flag = secret(json!("canary")).map(|text: Value| text == json!("canary"));
        let data = stack.add("number", Data::new(port.map(|port: Value| port)));
        let flag = stack.add("flag", Data::new(flag.json()));
        let keyed = stack.add("keyed", Data::new(keyed));
        let mixed = crate::Expr::map([
            ("open".into(), json!(1).into_expr()),
            ("port".into(), port.expr().clone()),
            ("one".into(), secret(json!(1)).expr().clone()),
        ]);
        let mixed = stack.add("mixed", Data::new(Output::<Value>::from_expr(mixed)));
        stack.add("ten", Data::new(json!({"of": 1, "text": "1 of 10", "is": true})));
        stack.export("number", &data.output);
        stack.export("flag", &flag.output);
        stack.export("negated", flag.output.map(|flag| flag != json!(true)));
        stack.export("keyed", &keyed.output);
        stack.export("mixed", &mixed.output);
        Ok(())
    })
}

trait IntoExpr {
    fn into_expr(self) -> crate::Expr;
}

impl IntoExpr for Value {
    fn into_expr(self) -> crate::Expr {
        crate::Expr::Value(self)
    }
}

#[test]
fn what_is_made_of_a_secret_is_secret_whatever_its_shape() {
    let place = Place::new();
    for line in
        [&["plan"][..], &["plan", "--json"], &["up", "--yes"], &["output", "--json"], &["plan"], &["state", "export"]]
    {
        place.done(of_all_shapes(), line);
    }
    for name in ["number", "flag", "keyed", "mixed"] {
        for format in [&[][..], &["--json"]] {
            let said =
                place.done(of_all_shapes(), &[&["state", "show", &format!("platform:Data::{name}")], format].concat());
            assert!(said.contains("[secret]") && !said.contains("true\n"), "{said}");
        }
    }
    insta::assert_snapshot!(place.done(of_all_shapes(), &["output"]), @r#"
    flag:    [secret]
    keyed:   [secret]
    mixed:   {one: [secret], open: 1, port: [secret]}
    negated: [secret]
    number:  [secret]
    "#);
    let shown = place.run(of_all_shapes(), &["output", "--show-secrets"]).out;
    assert!(shown.contains("canary-key") && shown.contains("8675309") && shown.contains("true"), "{shown}");
    let open = place.done(of_all_shapes(), &["state", "show", "platform:Data::ten"]);
    assert!(!open.contains("[secret]") && open.contains("1 of 10"), "a secret 1 makes nothing else secret: {open}");
}

/// Secrets beside what is not known yet.
fn with_unknowns(fits: bool) -> Program {
    program(move |stack| {
        let other = stack.add("other", Data::new(json!("there")));
        let password = "canary-pw".to_owned();
        let url = interpolate!("postgres://app:{}@{}", password, other.id).secret();
        let plain: Output<String> = Output::text("canary-plain");
        let id: Output<String> = Output::from_expr(other.id.expr().clone());
        let joined = (&plain, &id).map(|(a, b)| format!("{a}{b}")).secret();
        let marked = (&Output::text(Secret::new("canary-marked".to_owned())), &id).map(|(a, b)| format!("{a}{b}"));
        stack.add("url", Data::new(url.json()));
        stack.add("joined", Data::new(joined.json()));
        stack.add("marked", Data::new(marked.json()));
        stack.export("url", url);
        stack.export("joined", joined);
        let list =
            crate::Expr::Secret(Box::new(crate::Expr::list([json!("canary-item").into_expr(), id.expr().clone()])));
        stack.export("list", Output::<Value>::from_expr(list));
        if !fits {
            let wrong: Output<u16> = Output::from_expr(Output::text("canary-misfit").expr().clone());
            stack.add("plain", Data::new(wrong.map(|port| port + 1).json()));
            stack.add("secret", Data::new(wrong.secret().map(|port| port + 1).json()));
            stack.add("hidden", Data::new(wrong.map(|port| port + 1).secret().json()));
            let wrong: Output<u16> = Output::from_expr(json!({"canary-field": 1}).into_expr());
            stack.add("object", Data::new((&wrong, &id).map(|(port, _)| port + 1).secret().json()));
        }
        Ok(())
    })
}

#[test]
fn a_secret_beside_what_is_not_known_yet_is_not_told() {
    let place = Place::new();
    let (saved, markdown) = (place.folder.path().join("plan.json"), place.folder.path().join("plan.md"));
    let html = place.folder.path().join("plan.html").display().to_string();
    let [saved, markdown] = [saved, markdown].map(|path| path.display().to_string());
    let plan = place.done(with_unknowns(true), &["plan"]);
    assert!(plan.contains("[secret] of ${other.id}") && plan.contains("fn([secret] of ${other.id}) at "), "{plan}");
    for line in [
        &["plan", "--json"][..],
        &["plan", "--out", &saved, "--report", &markdown],
        &["plan", "--report", &html],
        &["graph"],
        &["up", "--plan", &saved, "--yes"],
        &["plan", "--json"],
        &["output"],
    ] {
        place.done(with_unknowns(true), line);
    }
}

#[test]
fn a_function_whose_argument_does_not_fit_says_so_without_it() {
    let place = Place::new();
    for line in [&["plan"][..], &["plan", "--json"], &["up", "--yes"], &["up", "--yes", "--json"]] {
        let ran = place.unseen(with_unknowns(false), line);
        let said = ran.out + &ran.err;
        assert!(said.contains("failed: its argument is text, and it takes a u16"), "{said}");
        assert!(said.contains("failed: what it says is kept back, for it was given a secret"), "{said}");
    }
}

#[test]
fn what_a_service_shows_is_as_secret_as_what_it_was_given() {
    let place = Place::new();
    let cloud = Cloud::default();
    let machine = |size: i64, note: &'static str| {
        let cloud = cloud.clone();
        Program::new("acme", move |stack| {
            let room = stack.add("room", Room::new("lab"));
            let size: Output<i64> = Output::from_expr(json!(size).into_expr());
            let labels =
                [("owner".to_owned(), Secret::new("pw7".to_owned())), ("team".to_owned(), Secret::new("x".to_owned()))];
            let machine = stack.add(
                "machine",
                Machine::new(&room.id).size(size.secret()).labels(labels).note(Secret::new(note.to_owned())),
            );
            stack.export("note", &machine.note);
            Ok(())
        })
        .stack("prod")
        .provider(cloud.provider())
    };
    place.done(machine(NUMBER, "canary"), &["up", "--yes"]);
    assert!(place.done(machine(NUMBER, "canary"), &["plan"]).contains("No changes."));
    let id = cloud.objects().keys().find_map(|key| key.strip_prefix("test:Machine::").map(str::to_owned)).unwrap();
    cloud.tamper("test:Machine", &id, "size", json!(NUMBER - 1));
    cloud.tamper("test:Machine", &id, "note", json!("canary of somebody else"));
    let show = place.done(machine(NUMBER, "canary"), &["state", "show", "test:Machine::machine"]);
    assert!(!show.contains("pw7"), "{show}");
    // Changed by somebody, and by the program: neither side is told.
    for line in [&["plan"][..], &["plan", "--json"], &["drift"]] {
        let said = place.unseen(machine(5, "pw8"), line);
        assert!(!said.out.contains("pw8"), "{}", said.out);
    }
    place.done(machine(5, "canary"), &["up", "--yes"]);
}

fn name() -> Secret<String> {
    Secret::new("canary".to_owned())
}

#[test]
fn a_secret_in_a_name_is_refused_with_its_resource_and_line() {
    let place = Place::new();
    let cloud = Cloud::default();
    let of = |declare: fn(&Stack)| {
        let provider = cloud.provider();
        program(move |stack| {
            declare(stack);
            Ok(())
        })
        .provider(provider)
    };
    let direct = of(move |stack| drop(stack.add("room", Room::new(name()))));
    let through = of(move |stack| {
        let data = stack.add("data", Data::new(interpolate!("{}", name()).json()));
        stack.add("room", Room::new(data.output.map(|text| text.to_string())));
    });
    let parts = of(move |stack| drop(stack.add("room", Room::new(interpolate!("room-{}", name())))));
    for program in [direct, through, parts] {
        let ran = place.unseen(program, &["plan"]);
        assert_eq!(ran.exit, Exit::Failed, "{}{}", ran.out, ran.err);
        assert!(ran.err.contains("field `name` of `test:Room::room` is made of a secret"), "{}", ran.err);
        assert!(ran.err.contains("secrecy.rs:") && ran.err.contains("(test:Room::room)"), "{}", ran.err);
    }
    // What another object is called by may go into a secret.
    let other = of(move |stack| {
        let room = stack.add("room", Room::new("lab"));
        stack.add("machine", Machine::new(&room.id).note(interpolate!("{} {}", room.id, name())));
    });
    place.done(other, &["up", "--yes"]);
}

#[test]
fn a_secret_that_the_program_takes_out_and_puts_into_a_name_is_refused_without_being_told() {
    const TOKEN: &str = "canary-of-the-configuration";
    let place = Place::new();
    let cloud = Cloud::default();
    let of = |declare: fn(&Stack, &str)| {
        Program::new("acme", move |stack| {
            let token = stack.config_secret("token")?;
            declare(stack, token.expose());
            Ok(())
        })
        .stack("prod")
        .provider(cloud.provider())
    };
    let refused: [(fn(&Stack, &str), &str); 7] = [
        (|stack, token| drop(stack.add(token, Room::new("lab"))), "the name of a test:Room has a secret in it"),
        (
            |stack, token| {
                let room = |stack: &Stack| Ok(stack.add("room", Room::new("lab")));
                drop(stack.component(&format!("x-{token}"), room));
            },
            "the name of a test:Room has a secret in it",
        ),
        (
            |stack, token| drop(stack.add("room", Room::new("lab")).import(token)),
            "the id to import of a test:Room has a secret in it",
        ),
        (
            |stack, token| {
                let room = stack.add("room", Room::new("lab"));
                stack.add("machine", Machine::new(&room.id).labels([(token.to_owned(), "x")]));
            },
            "a key in a map of a test:Machine has a secret in it",
        ),
        (
            |stack, token| drop(stack.add("data", Data::new(json!([{"deep": {token: 1}}])))),
            "a key in a map of a platform:Data has a secret in it",
        ),
        (|stack, token| stack.export(token, json!(1)), "the name of an output has a secret in it"),
        (
            |stack, token| drop(stack.reference(&format!("acme/{token}")).output::<String>("x")),
            "the key of a lookup of a platform:Stack has a secret in it",
        ),
    ];
    for (declare, told) in refused {
        let state = place.folder.path().join("state").display().to_string();
        let environment = [("PLATFORM_CONFIG_TOKEN", TOKEN)];
        for verb in [&["plan", "--json"][..], &["up", "--yes"]] {
            let ran = run_program(of(declare), &[verb, &["--state", &state]].concat(), &environment);
            let said = ran.out + &ran.err;
            assert_eq!(ran.exit, Exit::Failed, "{said}");
            assert!(said.contains(told) && said.contains("secrecy.rs:") && !said.contains("canary"), "{said}");
        }
    }
}

/// What another stack gives is known to be secret only when that one's state has been read.
#[test]
fn a_name_that_turns_out_to_be_secret_is_refused_before_the_service_is_asked() {
    let place = Place::new();
    let cloud = Cloud::default();
    let other = || {
        program(|stack| {
            stack.export("name", Secret::new("canary-name".to_owned()));
            Ok(())
        })
    };
    place.done(other(), &["up", "--yes", "--stack", "other", "--new-stack"]);
    let provider = cloud.provider();
    let named = program(move |stack| {
        stack.add("room", Room::new(stack.reference("other").output::<String>("name")));
        Ok(())
    });
    let named = named.provider(provider);
    let ran = place.unseen(named, &["plan"]);
    assert!(ran.err.contains("field `name` of `test:Room::room` is made of a secret"), "{}", ran.err);
    assert!(ran.err.contains("secrecy.rs:") && cloud.objects().is_empty(), "{}", ran.err);
}

#[test]
fn the_login_in_the_address_of_a_state_is_told_by_no_verb() {
    let place = Place::new();
    let told = |ran: &Ran| tells(ran.out.as_bytes()) || tells(ran.err.as_bytes());
    for url in [
        "https://me:canary-pw@host/state",
        "s3://key:canary/secret@bucket/folder",
        "az://container/folder?sv=1&sig=canary%2B",
        "gs://canary@bucket",
    ] {
        for verb in [
            &["plan"][..],
            &["plan", "-vvv"],
            &["up", "--yes", "--json"],
            &["state", "list"],
            &["state", "unlock", "1"],
            &["history"],
            &["output", "--json"],
            &["doctor"],
        ] {
            let flag = run_program(of_all_shapes(), &[verb, &["--state", url]].concat(), &[]);
            let variable = run_program(of_all_shapes(), verb, &[("PLATFORM_STATE", url)]);
            for ran in [flag, variable] {
                assert!(!told(&ran), "{verb:?}: {}{}", ran.out, ran.err);
                assert!(verb == ["doctor"] || ran.exit == Exit::Failed, "{verb:?}: {}{}", ran.out, ran.err);
            }
        }
        place.done(of_all_shapes(), &["up", "--yes"]);
        let copied = place.unseen(of_all_shapes(), &["state", "copy-to", url]);
        assert_eq!(copied.exit, Exit::Failed, "{}{}", copied.out, copied.err);
        let elsewhere = program(move |stack| {
            stack.export("x", stack.reference("acme/other").at(url).output::<String>("x"));
            Ok(())
        });
        assert_eq!(place.unseen(elsewhere, &["plan"]).exit, Exit::Failed);
    }
}

#[test]
fn a_print_of_an_output_tells_no_secret() {
    let other = Output::text("open");
    let marked = Output::text(Secret::new("canary".to_owned()));
    let mixed = interpolate!("postgres://app:{}@{}", "canary".to_owned(), other).secret();
    for printed in [
        format!("{marked:?}"),
        format!("{mixed:?}"),
        format!("{:?}", marked.map(|text| text + "canary")),
        format!("{:?}", interpolate!("{}", marked)),
        format!("{:?}", mixed.expr()),
    ] {
        assert!(!printed.contains("canary"), "{printed}");
    }
    let place = Place::new();
    let printing = program(move |stack| {
        let token = Output::text(Secret::new("canary".to_owned()));
        stack.add("data", Data::new(json!(format!("{token:?}"))));
        Ok(())
    });
    assert_eq!(place.unseen(printing, &["plan"]).exit, Exit::Failed);
}

/// Functions that panic, and quote what they were given or what the program has taken out.
#[test]
fn a_panic_in_a_function_is_told_with_its_place_and_without_the_secret() {
    let place = Place::new();
    let panicking = |known: bool, taken_out: bool| {
        program(move |stack| {
            let token = stack.config_secret("token")?;
            let first = stack.add("first", Data::new(json!("there")));
            let word = token.expose().clone();
            let given = if taken_out { Output::text("open") } else { Output::from(token) };
            let quoting = move |text: String| -> String { panic!("{text} {word} is no colour") };
            let colour =
                if known { given.map(quoting) } else { interpolate!("{}{}", given, first.output).map(quoting) };
            stack.add("second", Data::new(colour.json()));
            Ok(())
        })
    };
    for (known, taken_out) in [(true, true), (true, false), (false, true), (false, false)] {
        let state = place.folder.path().join(format!("{known}-{taken_out}")).display().to_string();
        let environment = [("PLATFORM_CONFIG_TOKEN", "canary-token")];
        let line = ["up", "--yes", "--state", &state];
        let ran = run_program(panicking(known, taken_out), &line, &environment);
        let said = ran.out + &ran.err;
        assert!(ran.exit == Exit::Failed && said.contains("secrecy.rs:") && !said.contains("canary"), "{said}");
        let kept_back = said.contains("it was given a secret");
        assert!(kept_back != taken_out, "{said}");
        assert!(!taken_out || said.contains("[secret] is no colour"), "{said}");
    }
}

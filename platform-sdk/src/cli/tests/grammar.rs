//! What the command line accepts.

use crate::cli::arguments::{Arguments, ConfigVerb, Consent, GraphFormat, StateVerb, Verb, parse};

fn parsed(line: &str) -> Arguments {
    let line = std::iter::once("prod").chain(line.split_whitespace());
    parse("about", line).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn no_verb_is_plan_and_flags_still_hold() {
    let arguments = parsed("--stack test --offline");
    assert!(
        matches!(arguments.verb.unwrap_or_default(), Verb::Plan(plan) if !plan.detailed_exitcode && plan.out.is_none())
    );
    assert_eq!(arguments.globals.stack.as_deref(), Some("test"));
    assert!(arguments.globals.offline);
}

#[test]
fn every_verb_parses() {
    type Check = fn(&Verb) -> bool;
    let verbs: [(&str, Check); 34] = [
        (
            "plan --out p.json --detailed-exitcode",
            |v| matches!(v, Verb::Plan(a) if a.out.is_some() && a.detailed_exitcode),
        ),
        ("plan --report p.md", |v| matches!(v, Verb::Plan(a) if a.report.is_some())),
        ("preview", |v| matches!(v, Verb::Plan(_))),
        ("up --plan p.json", |v| matches!(v, Verb::Up(a) if a.plan.is_some())),
        ("apply", |v| matches!(v, Verb::Up(_))),
        ("destroy", |v| matches!(v, Verb::Destroy)),
        ("drift --accept", |v| matches!(v, Verb::Drift(a) if a.accept)),
        ("import a:B::c 17", |v| matches!(v, Verb::Import(a) if a.address.as_str() == "a:B::c" && a.id == "17")),
        ("state list", |v| matches!(v, Verb::State(StateVerb::List(_)))),
        ("state show a:B::c --at 3", |v| matches!(v, Verb::State(StateVerb::Show(a)) if a.at == Some(3))),
        ("state mv a:B::c a:B::d", |v| matches!(v, Verb::State(StateVerb::Mv(a)) if a.to.path() == "d")),
        ("state forget a:B::c", |v| matches!(v, Verb::State(StateVerb::Forget(a)) if a.address.path() == "c")),
        ("state export", |v| matches!(v, Verb::State(StateVerb::Export(a)) if a.at.is_none())),
        ("state export --at 3", |v| matches!(v, Verb::State(StateVerb::Export(a)) if a.at == Some(3))),
        ("state import s.json", |v| matches!(v, Verb::State(StateVerb::Import(a)) if a.file.ends_with("s.json"))),
        ("state copy-to dir", |v| matches!(v, Verb::State(StateVerb::CopyTo(a)) if a.url == "dir")),
        ("state prune --keep 5", |v| matches!(v, Verb::State(StateVerb::Prune(a)) if a.keep == 5)),
        ("state unlock 4f", |v| matches!(v, Verb::State(StateVerb::Unlock(a)) if a.run == "4f")),
        ("state repair", |v| matches!(v, Verb::State(StateVerb::Repair))),
        ("history", |v| matches!(v, Verb::History)),
        ("rollback 3", |v| matches!(v, Verb::Rollback(a) if a.serial == 3)),
        ("output", |v| matches!(v, Verb::Output(a) if a.name.is_none() && !a.show_secrets)),
        ("output x --show-secrets", |v| matches!(v, Verb::Output(a) if a.name.is_some() && a.show_secrets)),
        ("graph", |v| matches!(v, Verb::Graph(a) if a.format == GraphFormat::Mermaid)),
        ("graph --format dot", |v| matches!(v, Verb::Graph(a) if a.format == GraphFormat::Dot)),
        (
            "config set k v",
            |v| matches!(v, Verb::Config(ConfigVerb::Set(a)) if a.key == "k" && a.value.as_deref() == Some("v")),
        ),
        ("config set k -1", |v| matches!(v, Verb::Config(ConfigVerb::Set(a)) if a.value.as_deref() == Some("-1"))),
        ("config get k", |v| matches!(v, Verb::Config(ConfigVerb::Get(a)) if a.key == "k")),
        ("config set --secret k", |v| matches!(v, Verb::Config(ConfigVerb::Set(a)) if a.secret && a.value.is_none())),
        ("config rotate-key", |v| matches!(v, Verb::Config(ConfigVerb::RotateKey))),
        ("state rotate-key --re-encrypt", |v| matches!(v, Verb::State(StateVerb::RotateKey(a)) if a.re_encrypt)),
        ("config list", |v| matches!(v, Verb::Config(ConfigVerb::List))),
        ("doctor", |v| matches!(v, Verb::Doctor)),
        ("sandbox", |v| matches!(v, Verb::Sandbox)),
    ];
    for (line, is_it) in verbs {
        let verb = parsed(line).verb;
        assert!(verb.as_ref().is_some_and(is_it), "{line}: {verb:?}");
    }
}

#[test]
fn global_flags_stand_before_and_after_the_verb() {
    let flags = "--stack s --state dir --target a* --target b* --exclude c --replace a:B::c --parallel 4 --offline --yes \
                 --json --sandbox --allow-data-loss a:B::c --allow-data-loss=all --fail-fast --no-color -v -v";
    for line in [format!("{flags} up"), format!("up {flags}")] {
        let globals = parsed(&line).globals;
        assert_eq!((globals.stack.as_deref(), globals.state.as_deref()), (Some("s"), Some("dir")), "{line}");
        assert_eq!((globals.target, globals.exclude), (vec!["a*".to_owned(), "b*".to_owned()], vec!["c".to_owned()]));
        assert_eq!(globals.replace, ["a:B::c".parse().unwrap()]);
        assert_eq!((globals.parallel, globals.verbose), (4, 2));
        assert!(
            globals.offline && globals.yes && globals.json && globals.sandbox && globals.fail_fast && globals.no_color
        );
        assert_eq!(globals.allow_data_loss, [Consent::One("a:B::c".parse().unwrap()), Consent::All]);
    }
    assert_eq!(parsed("state list --json").globals.parallel, 16);
}

#[test]
fn a_report_is_markdown_or_a_page() {
    let problem = parse("about", ["prod", "plan", "--report", "plan.pdf"].map(str::to_owned));
    assert!(problem.expect_err("refused").to_string().contains("a report ends in .md or .html"));
}

//! A scenario as Rust: a file that compiles as it is, with a test that lives through it.

use std::fmt::Debug;

use crate::scenario::{Act, Behind, Command, Item, Options, Scenario, Text};

/// What a file may have to import, by the path to it.
const NAMES: [(&str, &str); 11] = [
    ("crate::cloud::", "Fault"),
    ("crate::cloud::", "ReadFault"),
    ("crate::rules::", "Kind"),
    ("crate::scenario::", "Act"),
    ("crate::scenario::", "Behind"),
    ("crate::scenario::", "Command"),
    ("crate::scenario::", "Item"),
    ("crate::scenario::", "Opt"),
    ("crate::scenario::", "Options"),
    ("crate::scenario::", "Text"),
    ("crate::scenario::", "Verb"),
];

impl Scenario {
    /// The file that this scenario is, with why it is one.
    pub(crate) fn as_rust(&self, why: &str) -> String {
        let Self { seed, lag, grows, acts } = self;
        let acts: Vec<String> = acts.iter().map(act).collect();
        let acts = acts.join(",\n            ");
        let names = |name: &&(&str, &str)| {
            let mut used = acts.split(|c: char| !c.is_alphanumeric()).filter(|word| *word == name.1);
            used.next().is_some()
        };
        let imported = NAMES.iter().filter(names).map(|(path, name)| format!("use {path}{name};\n"));
        let uses: String = imported.chain(["use crate::{check, scenario::Scenario};\n".to_owned()]).collect();
        let why = why.replace('\n', "\n    // ");
        format!(
            "//! What seed {seed} came down to.\n\n{uses}\n#[test]\nfn reproduction() {{\n    // {why}\n    \
             check(&Scenario {{\n        seed: {seed},\n        lag: {lag},\n        grows: {grows},\n        \
             acts: vec![\n            {acts},\n        ],\n    }});\n}}\n"
        )
    }
}

fn act(written: &Act) -> String {
    match written {
        Act::Add(slot, added) => format!("Act::Add({slot}, {})", item(added)),
        Act::Words(slot, of) => format!("Act::Words({slot}, {})", text(*of)),
        Act::About(slot, of) => format!("Act::About({slot}, {})", text(*of)),
        Act::Choose(slot, option) => format!("Act::Choose({slot}, Opt::{option:?})"),
        Act::Behind(Behind::Plants(kind, name, place)) => {
            format!("Act::Behind(Behind::Plants(Kind::{kind:?}, {name}, {place}))")
        }
        Act::Behind(behind) => format!("Act::Behind(Behind::{behind:?})"),
        Act::Run(run) => format!("Act::Run({})", command(run)),
        Act::Drop(_)
        | Act::Name(..)
        | Act::Size(..)
        | Act::Grade(..)
        | Act::Holds(..)
        | Act::Place(..)
        | Act::Password(..)
        | Act::Move(_)
        | Act::Readdress(_)
        | Act::Swap(..)
        | Act::Wait(_) => format!("Act::{written:?}"),
    }
}

fn text(of: Text) -> String {
    format!("Text::{of:?}")
}

/// The fields that are not what they mostly are.
#[derive(Default)]
struct Fields(Vec<String>);

impl Fields {
    fn field<T: Debug + PartialEq>(&mut self, name: &str, value: &T, mostly: &T) {
        self.as_text(name, value != mostly, || format!("{value:?}"));
    }

    fn as_text(&mut self, name: &str, differs: bool, text: impl FnOnce() -> String) {
        if differs {
            self.0.push(format!("{name}: {}", text()));
        }
    }

    fn over(self, of: &str, base: String) -> String {
        if self.0.is_empty() { base } else { format!("{of} {{ {}, ..{base} }}", self.0.join(", ")) }
    }
}

fn item(of: &Item) -> String {
    let mostly = Item::of(of.kind);
    let Item { kind, path, name, place, size, grade, text: words, about, lock, password, options } = of;
    let mut fields = Fields::default();
    fields.field("path", path, &mostly.path);
    fields.field("name", name, &mostly.name);
    fields.field("place", place, &mostly.place);
    fields.field("size", size, &mostly.size);
    fields.field("grade", grade, &mostly.grade);
    fields.as_text("text", *words != mostly.text, || text(*words));
    fields.as_text("about", *about != mostly.about, || text(*about));
    fields.field("lock", lock, &mostly.lock);
    fields.field("password", password, &mostly.password);
    fields.as_text("options", *options != mostly.options, || chosen(options));
    fields.over("Item", format!("Item::of(Kind::{kind:?})"))
}

fn chosen(options: &Options) -> String {
    let mostly = Options::default();
    let Options { protect, retain, force, adopt, ignore_text, replace_on_size, .. } = options;
    let Options { delete_first, depends_on, deleted_with, moved_from, .. } = options;
    let mut fields = Fields::default();
    fields.field("protect", protect, &mostly.protect);
    fields.field("retain", retain, &mostly.retain);
    fields.field("force", force, &mostly.force);
    fields.field("adopt", adopt, &mostly.adopt);
    fields.field("ignore_text", ignore_text, &mostly.ignore_text);
    fields.field("replace_on_size", replace_on_size, &mostly.replace_on_size);
    fields.field("delete_first", delete_first, &mostly.delete_first);
    fields.field("depends_on", depends_on, &mostly.depends_on);
    fields.field("deleted_with", deleted_with, &mostly.deleted_with);
    let set = || format!("[{}].into()", moved_from.iter().map(u8::to_string).collect::<Vec<_>>().join(", "));
    fields.as_text("moved_from", !moved_from.is_empty(), set);
    fields.over("Options", "Options::default()".to_owned())
}

fn command(of: &Command) -> String {
    let mostly = Command::calm(of.verb);
    let Command { verb, consent, parallel, target, exclude, replace, fail_fast, crash, stop, pause, faults, reads } =
        of;
    let mut fields = Fields::default();
    fields.field("consent", consent, &mostly.consent);
    fields.field("parallel", parallel, &mostly.parallel);
    fields.field("target", target, &mostly.target);
    fields.field("exclude", exclude, &mostly.exclude);
    fields.field("replace", replace, &mostly.replace);
    fields.field("fail_fast", fail_fast, &mostly.fail_fast);
    fields.field("crash", crash, &mostly.crash);
    fields.field("stop", stop, &mostly.stop);
    fields.field("pause", pause, &mostly.pause);
    fields.as_text("faults", !faults.is_empty(), || at("Fault", faults));
    fields.as_text("reads", !reads.is_empty(), || at("ReadFault", reads));
    fields.over("Command", format!("Command::calm(Verb::{verb:?})"))
}

fn at(kind: &str, faults: &[(u16, impl Debug)]) -> String {
    let faults: Vec<String> = faults.iter().map(|(number, fault)| format!("({number}, {kind}::{fault:?})")).collect();
    format!("vec![{}]", faults.join(", "))
}

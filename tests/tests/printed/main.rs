//! What `import` and `drift --accept` print: for every type that a provider lists, with every field set, it is compiled as
//! a part of this test, in one program that has the handles.
//!
//! The samples follow from the schemas' marks, so that a new page or field is in them by itself: then this test fails until
//! `program.in` is written anew, with `INSTA_UPDATE=always`, and compiles. Where the old one does not compile any more, put
//! `{ Ok(()) }` in its place first.

mod sample;

use platform_aws::prelude::*;
use platform_databricks::prelude::*;
use platform_sdk::prelude::*;

/// A program with handles of everything that something else refers to.
#[expect(unused_variables, reason = "not everything is referred to")]
fn platform(stack: &Stack) -> Result<()> {
    include!("program.in")
}

#[test]
fn printed_rust_compiles_for_every_type_with_every_field_set() {
    let printed = sample::program();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/printed/program.in");
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(file, &printed).expect("the sources can be written");
    }
    let same = include_str!("program.in") == printed;
    assert!(same, "write program.in anew with INSTA_UPDATE=always, look at it, and compile it");
}

#[test]
fn every_setter_and_every_handle_is_in_it() {
    let printed = sample::program();
    for (schema, setters) in sample::setters() {
        for setter in setters {
            assert!(printed.contains(&format!(".{setter}(")), "{schema}: nothing sets `{setter}`");
        }
    }
    for handle in ["&cluster", "&sql_warehouse", "&catalog", "&schema", "&role", "interpolate!(\"{}\", catalog.id)"] {
        assert!(printed.contains(handle), "{handle} in\n{printed}");
    }
    assert!(!printed.contains(sample::SECRET), "{printed}");
}

/// It is a program that runs, too: what the setters are given are values that they take.
#[test]
fn the_printed_program_can_be_declared() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("printed.toml");
    let keys = sample::program();
    let keys = keys.split("stack.config_secret(\"").skip(1).filter_map(|rest| rest.split('"').next());
    let table: Vec<String> = keys.map(|key| format!("{key} = \"{}\"", sample::SECRET)).collect();
    std::fs::write(&file, format!("[default]\n{}\n", table.join("\n"))).expect("a config file");
    let program = Program::new("printed", platform)
        .config_file(file)
        .provider(WorkspaceProvider::from_env())
        .provider(AccountProvider::from_env())
        .provider(Aws::from_env());
    // Every field set at once can't go together, which is said of the resources; that a value is none is said of none.
    let problems = platform_sdk::testing::plan(program).expect_err("too much at once");
    for problem in problems.diagnostics() {
        assert!(problem.address.is_some(), "{problem}");
    }
}

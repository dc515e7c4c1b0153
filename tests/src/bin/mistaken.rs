//! A small program for the tests of bad input: `MISTAKE` says what is wrong with it; without, nothing is.

use std::{cell::RefCell, process::ExitCode, rc::Rc};

use platform_databricks::prelude::*;
use platform_sdk::prelude::*;

fn main() -> ExitCode {
    let theirs = elsewhere();
    Program::new("mistaken", move |stack| platform(stack, &theirs)).provider(WorkspaceProvider::from_env()).main()
}

fn platform(stack: &Stack, theirs: &Handle<Schema>) -> Result<()> {
    let main = stack.lookup::<Catalog>("main");
    let shop = stack.add("shop", Schema::new(&main, "shop"));
    let files = stack.add("files", Volume::managed(&shop, "files"));
    match std::env::var("MISTAKE").as_deref() {
        Ok("an address twice") => _ = stack.add("shop", Schema::new(&main, "shop2")),
        Ok("a cycle") => _ = shop.depends_on(&files),
        Ok("a handle of another stack") => _ = stack.add("copy", Volume::managed(theirs, "copy")),
        Ok("one natural key twice") => _ = stack.add("again", Schema::new(&main, "shop")),
        Ok("no notebook") => _ = stack.add("load", Notebook::from_file("examples/notebooks/none.py", "/Shared/load")?),
        Ok("a folder as notebook") => _ = stack.add("load", Notebook::from_file("examples", "/Shared/load")?),
        Ok("an error") => return Err(std::io::Error::other("the inventory can't be read").into()),
        Ok("a panic") => panic!("the inventory is empty"),
        _ => {}
    }
    Ok(())
}

/// A schema that another program declares.
fn elsewhere() -> Handle<Schema> {
    let kept: Rc<RefCell<Option<Handle<Schema>>>> = Rc::default();
    let keep = kept.clone();
    let other = Program::new("other", move |stack| {
        let main = stack.lookup::<Catalog>("main");
        *keep.borrow_mut() = Some(stack.add("theirs", Schema::new(&main, "theirs")));
        Ok(())
    });
    let planned = platform_sdk::testing::plan(other.provider(WorkspaceProvider::from_env()));
    let theirs = kept.borrow_mut().take();
    theirs.unwrap_or_else(|| unreachable!("the other program declares it: {planned:?}"))
}

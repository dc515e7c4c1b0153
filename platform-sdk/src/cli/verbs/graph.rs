//! `graph`: draws what the program declares; needs neither state nor a login.

use serde_json::json;

use crate::{
    Result,
    cli::{
        Context, Exit,
        arguments::{GraphArguments, GraphFormat},
    },
    report::{dot, mermaid, object},
};

pub(super) fn run(context: &Context, arguments: &GraphArguments) -> Result<Exit> {
    let desired = context.declared_to_look()?.desired;
    let (format, text) = match arguments.format {
        GraphFormat::Mermaid => ("mermaid", mermaid(&desired)),
        GraphFormat::Dot => ("dot", dot(&desired)),
    };
    context.printer.data(&text);
    context.printer.object(&object("graph", json!({"format": format, "text": text})));
    Ok(Exit::Done)
}

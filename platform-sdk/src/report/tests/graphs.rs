//! The graph of a program.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use serde_json::json;

use crate::{
    Data, Program,
    desired::{Desired, desired},
    program::Unsealing,
    report::{dot, mermaid},
};

fn small() -> Desired {
    let program = Program::new("acme", |stack| {
        let raw = stack.add("raw", Data::new(json!("s3://raw")));
        let tables = stack.component("tables", |stack| {
            let orders = stack.add("orders", Data::new(raw.output.clone()));
            stack.add("customers", Data::new(json!([]))).depends_on(&orders);
            Ok(())
        })?;
        tables.into_inner();
        Ok(())
    });
    let recording = program.record("dev", &BTreeMap::new(), Unsealing::Needed).unwrap();
    desired("acme", "dev", recording.recorder).unwrap()
}

#[test]
fn for_mermaid() {
    assert_snapshot!(mermaid(&small()), @r#"
    flowchart LR
      n0["platform:Data::raw"]
      n1["platform:Data::tables/orders"]
      n2["platform:Data::tables/customers"]
      n0 --> n1
      n1 --> n2
    "#);
}

#[test]
fn for_graphviz() {
    assert_snapshot!(dot(&small()), @r#"
    digraph platform {
      rankdir=LR;
      node [shape=box];
      n0 [label="platform:Data::raw"];
      n1 [label="platform:Data::tables/orders"];
      n2 [label="platform:Data::tables/customers"];
      n0 -> n1;
      n1 -> n2;
    }
    "#);
}

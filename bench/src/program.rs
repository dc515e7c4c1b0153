//! Our side of a measurement: programs that declare a graph, as any user's program does.

use platform_sdk::{Diagnostic, Expr, Handle, Output, Program, Result, Stack, ToExpr};
use serde_json::Value;

use crate::{
    Graph, Part, Parts,
    graph::{OWNER, comment},
};

/// A program whose graph the environment names, so that a process of its own can be measured: `BENCH_GRAPH` is the graph;
/// with `BENCH_EFFECTS` its resources have effects.
pub fn program() -> Program {
    Program::new("bench", |stack| {
        let graph = std::env::var("BENCH_GRAPH").map_err(|_| Diagnostic::error("BENCH_GRAPH names no graph"))?;
        let graph: Graph = graph.parse().map_err(|problem: String| Diagnostic::error(problem))?;
        if std::env::var_os("BENCH_EFFECTS").is_some() { parts(stack, graph) } else { data(stack, graph) }
    })
    .provider(Parts::default())
}

/// The graph of the SDK's own resources, without effects.
///
/// # Errors
/// Never; it is what a program's function is.
pub fn data(stack: &Stack, graph: Graph) -> Result<()> {
    let mut made: Vec<Handle<platform_sdk::Data>> = Vec::with_capacity(graph.size);
    for index in 0..graph.size {
        let name = Graph::name(index);
        let before = graph.before(index).map_or(Expr::Value(Value::Null), |before| made[before].id.to_expr());
        let input = Expr::map([
            ("name".into(), name.to_expr()),
            ("before".into(), before),
            ("index".into(), index.to_expr()),
            ("owner".into(), OWNER.to_expr()),
            ("comment".into(), comment(&name).to_expr()),
            ("active".into(), true.to_expr()),
        ]);
        made.push(stack.add(&name, platform_sdk::Data::new(Output::<Value>::from_expr(input))));
    }
    Ok(())
}

/// The graph of parts, each of which its provider is asked to make.
///
/// # Errors
/// Never; it is what a program's function is.
pub fn parts(stack: &Stack, graph: Graph) -> Result<()> {
    let mut made: Vec<Handle<Part>> = Vec::with_capacity(graph.size);
    for index in 0..graph.size {
        let name = Graph::name(index);
        let part = Part::new(&name, index as u64, OWNER, comment(&name), true);
        let part = match graph.before(index) {
            Some(before) => part.on(&made[before]),
            None => part,
        };
        made.push(stack.add(&name, part));
    }
    Ok(())
}

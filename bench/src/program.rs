//! Our side of a measurement: programs that declare a graph, as any user's program does.

use platform_sdk::{Diagnostic, Handle, Program, Result, Stack, interpolate};

use crate::{Graph, Part, Parts};

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
        let input = match graph.before(index) {
            Some(before) => platform_sdk::Data::new(interpolate!("{} on {}", name, made[before].id).json()),
            None => platform_sdk::Data::new(serde_json::json!(name)),
        };
        made.push(stack.add(&name, input));
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
        let part = match graph.before(index) {
            Some(before) => Part::new(&name).on(&made[before]),
            None => Part::new(&name),
        };
        made.push(stack.add(&name, part));
    }
    Ok(())
}

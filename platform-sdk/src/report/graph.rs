//! The desired graph as a drawing: Mermaid for documents, DOT for Graphviz.

use std::{collections::BTreeMap, fmt::Write as _};

use super::escape::clean;
use crate::desired::{Address, Desired};

/// The graph for Mermaid. An arrow leads from what is needed to what needs it; a thick one to what lives inside.
pub fn mermaid(desired: &Desired) -> String {
    let drawing = Drawing::of(desired);
    let mut text = "flowchart LR\n".to_owned();
    for (address, number) in drawing.in_order(desired) {
        let label = mermaid_text(address.as_str());
        let (open, close) = if address.is_lookup() { ("([", "])") } else { ("[", "]") };
        let _ = writeln!(text, "  n{number}{open}\"{label}\"{close}");
    }
    for edge in drawing.edges(desired) {
        let arrow = if edge.contains { "==>" } else { "-->" };
        let _ = writeln!(text, "  n{} {arrow} n{}", edge.from, edge.to);
    }
    text
}

/// A text in a label: Mermaid takes labels for Markdown with HTML, and `#` for the beginning of a character's name.
fn mermaid_text(text: &str) -> String {
    clean(text).chars().fold(String::new(), |mut out, c| {
        match c {
            '"' => out.push_str("#quot;"),
            '&' => out.push_str("#amp;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '#' | '`' | '\\' | '*' | '~' => {
                let _ = write!(out, "#{};", u32::from(c));
            }
            c => out.push(c),
        }
        out
    })
}

/// The graph for Graphviz.
pub fn dot(desired: &Desired) -> String {
    let drawing = Drawing::of(desired);
    let mut text = "digraph platform {\n  rankdir=LR;\n  node [shape=box];\n".to_owned();
    for (address, number) in drawing.in_order(desired) {
        let label = clean(address.as_str()).replace('\\', "\\\\").replace('"', "\\\"");
        let style = if address.is_lookup() { " style=rounded" } else { "" };
        let _ = writeln!(text, "  n{number} [label=\"{label}\"{style}];");
    }
    for edge in drawing.edges(desired) {
        let style = if edge.contains { " [style=bold]" } else { "" };
        let _ = writeln!(text, "  n{} -> n{}{style};", edge.from, edge.to);
    }
    text.push_str("}\n");
    text
}

struct Drawing<'a> {
    numbers: BTreeMap<&'a Address, usize>,
}

struct Edge {
    from: usize,
    to: usize,
    contains: bool,
}

impl<'a> Drawing<'a> {
    fn of(desired: &'a Desired) -> Self {
        let addresses = desired.lookups.keys().chain(&desired.order);
        Self { numbers: addresses.enumerate().map(|(number, address)| (address, number)).collect() }
    }

    fn in_order(&self, desired: &'a Desired) -> Vec<(&'a Address, usize)> {
        desired.lookups.keys().chain(&desired.order).map(|address| (address, self.numbers[address])).collect()
    }

    fn edges(&self, desired: &Desired) -> Vec<Edge> {
        let mut edges = Vec::new();
        let mut connect = |needed: &Address, by: &Address, contains| {
            if let (Some(from), Some(to)) = (self.numbers.get(needed), self.numbers.get(by)) {
                edges.push(Edge { from: *from, to: *to, contains });
            }
        };
        for lookup in desired.lookups.values() {
            lookup.dependencies.iter().for_each(|needed| connect(needed, &lookup.address, false));
        }
        for node in desired.order.iter().filter_map(|address| desired.nodes.get(address)) {
            let needs = node.dependencies.iter();
            needs.for_each(|needed| connect(needed, &node.address, node.parents.contains(needed)));
        }
        edges
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_becomes_markup() {
        assert_eq!(
            mermaid_text("<b>a</b> & \"c\" #lt; `d` \u{1b}\n"),
            "#lt;b#gt;a#lt;/b#gt; #amp; #quot;c#quot; #35;lt; #96;d#96; #92;u{1b}#92;u{a}"
        );
    }
}

//! The checks of a desired graph, all of whose findings are reported at once.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Address, LookupNode, Name, Node, Path, ProviderKey, ProviderNode, Segment, Tree, evaluate,
    hashed::Hashed,
    values::{doubled_keys, has_keys, printed_outputs},
};
use crate::{
    program::{Declaration, Expr, Field, Shape, Trail, expr_too_deep, field_too_deep},
    report::Diagnostic,
    scrub::Known,
};

/// Handles of another stack: their resources are not here.
pub(super) fn strangers(declaration: &Declaration, recording: u64, problems: &mut Vec<Diagnostic>) {
    let mut foreign = Vec::new();
    declaration.inputs.for_each_output(&mut |path, origin, _| {
        if origin.recording != recording {
            foreign.push((format!("field `{path}`"), origin.address.clone()));
        }
    });
    let named = declaration.depends_on.iter().filter(|(of, _)| *of != recording);
    foreign.extend(named.map(|(_, address)| ("`depends_on`".to_owned(), address.clone())));
    for (place, address) in foreign {
        problems.push(
            Diagnostic::error(format!("`{}` refers to a resource of another stack", declaration.address))
                .detail(format!("{place} is an output of `{address}`, which this run of the program did not declare"))
                .hint("declare the resource in this stack, or export the value there and read it here")
                .about(&declaration.address)
                .at(&declaration.at),
        );
    }
}

pub(super) fn exports(
    exports: &BTreeMap<String, Expr>,
    places: &BTreeMap<String, Name>,
    recording: u64,
    problems: &mut Vec<Diagnostic>,
) {
    for (name, expr) in exports {
        problems.extend(printed_outputs(&format!("output {name}"), expr));
        let mut report = |why: String| {
            let problem = Diagnostic::error(format!("output `{name}` can't be exported: {why}"));
            problems.push(places.get(name).map_or_else(|| problem.clone(), |at| problem.clone().at(at)));
        };
        expr_too_deep(expr).into_iter().for_each(&mut report);
        for (_, why) in invalid_values(expr) {
            report(why);
        }
        expr.for_each_output(&mut |_, origin, _| {
            if origin.recording != recording {
                problems.push(Diagnostic::error(format!(
                    "output `{name}` refers to `{}`, a resource of another stack",
                    origin.address
                )));
            }
        });
    }
}

pub(super) fn nodes(
    nodes: &BTreeMap<Address, Node>,
    lookups: &BTreeMap<Address, LookupNode>,
    providers: &BTreeMap<ProviderKey, ProviderNode>,
    problems: &mut Vec<Diagnostic>,
) {
    let mut keys: BTreeMap<(String, &ProviderKey, String), &Node> = BTreeMap::new();
    for node in nodes.values() {
        // What belongs to another stack is not declared here, and has been said.
        let strangers = problems.iter().any(|problem| problem.address.as_ref() == Some(&node.address));
        let mut report = |problem: Diagnostic| problems.push(problem.about(&node.address).at(&node.at));
        if !providers.contains_key(&node.provider) {
            report(no_provider(node.address.type_name(), node.provider.kind()));
        }
        for dependency in &node.dependencies {
            if !strangers && !nodes.contains_key(dependency) && !lookups.contains_key(dependency) {
                report(Diagnostic::error(format!(
                    "`{}` refers to `{dependency}`, which is not declared",
                    node.address
                )));
            }
        }
        option_paths(node).for_each(&mut report);
        if let Some(why) = field_too_deep(&node.inputs) {
            report(Diagnostic::error(format!("a value of `{}` can't be used: {why}", node.address)));
        }
        for (path, why) in invalid_values(&node.inputs) {
            report(Diagnostic::error(format!("`{path}` of `{}` can't be used: {why}", node.address)));
        }
        printed_outputs(&node.address, &node.inputs).for_each(&mut report);
        flaws(node).for_each(&mut report);
        if let Some(key) = natural_key(node)
            && let Some(other) = keys.insert((node.schema.type_name.to_owned(), &node.provider, key), node)
        {
            report(same_key(node, other));
        }
    }
    for lookup in lookups.values() {
        let printed = printed_outputs(&lookup.address, &lookup.key);
        problems.extend(printed.map(|problem| problem.about(&lookup.address).at(&lookup.at)));
    }
    for lookup in lookups.values().filter(|lookup| !providers.contains_key(&lookup.provider)) {
        problems.push(no_provider(lookup.type_name, lookup.provider.kind()).about(&lookup.address).at(&lookup.at));
    }
}

/// What can be seen to be wrong with the inputs as far as they are known.
fn flaws(node: &Node) -> impl Iterator<Item = Diagnostic> {
    let (fields, check) = (node.schema.fields(), node.schema.validate);
    let (mut found, mut secrets) = (Vec::new(), Vec::new());
    if check.is_some() || has_keys(fields) {
        let known = evaluate(&node.inputs, &mut |_, _| None);
        known.collect_secrets(&mut secrets);
        let known = known_part(&known);
        found = doubled_keys(fields, &known);
        found.extend(check.map(|check| check(&known)).unwrap_or_default());
    }
    let secrets: Known = secrets.iter().collect();
    found.into_iter().map(move |(path, problem)| {
        // What is wrong with a value may quote it.
        let what = secrets.taken_out_of(&format!("field `{path}` of `{}` {problem}", node.address));
        Diagnostic::error(what)
    })
}

fn no_provider(type_name: &str, kind: &str) -> Diagnostic {
    Diagnostic::error(format!("no provider for `{type_name}`"))
        .detail(format!("it is managed by a provider of kind `{kind}`, and the program lists none"))
        .hint("add one to the program with `.provider(..)`, or put the resource under `stack.within(&provider)`")
}

fn same_key(node: &Node, other: &Node) -> Diagnostic {
    let fields: Vec<&str> = node.schema.fields().iter().filter(|field| field.key).map(|field| field.name).collect();
    Diagnostic::error(format!("`{}` and `{}` are the same object", other.address, node.address))
        .detail(format!(
            "their natural keys ({}) are equal; declared at {} and {}",
            fields.join(", "),
            other.at,
            node.at
        ))
        .hint("remove one of them, or give it another key")
}

/// The fields marked `key` as one text; `None` for types without.
fn natural_key(node: &Node) -> Option<String> {
    let of = |field: &Field| match &node.inputs {
        Expr::Map(inputs) => inputs.get(field.name).map_or(Value::Null, |input| Hashed::at(input, field.name).value()),
        _ => Value::Null,
    };
    let keys: Vec<Value> = node.schema.fields().iter().filter(|field| field.key).map(of).collect();
    (!keys.is_empty()).then(|| super::canonical(&Value::Array(keys)))
}

fn option_paths(node: &Node) -> impl Iterator<Item = Diagnostic> {
    let named = |option: &'static str, paths: &[String]| {
        paths.iter().filter_map(|text| path_problem(node, option, text)).collect::<Vec<_>>()
    };
    let mut problems = named("ignore_changes", &node.options.ignore_changes);
    problems.extend(named("replace_on_changes", &node.options.replace_on_changes));
    problems.into_iter()
}

fn path_problem(node: &Node, option: &str, text: &str) -> Option<Diagnostic> {
    let path: Path = match text.parse() {
        Ok(path) => path,
        Err(problem) => return Some(problem),
    };
    if fits(path.segments(), node.schema.fields()) {
        return None;
    }
    let names: Vec<&str> = node.schema.fields().iter().map(|field| field.name).collect();
    Some(
        Diagnostic::error(format!("`{option}` of `{}` names `{text}`, which matches no field", node.address))
            .hint(format!("its fields are {}", names.join(", "))),
    )
}

fn fits(segments: &[Segment], fields: &[Field]) -> bool {
    let (first, rest) = match segments {
        [] => return true,
        [Segment::Any, rest @ ..] => return rest.is_empty() || fields.iter().any(|field| fits_below(rest, field)),
        [Segment::Name(name), rest @ ..] => (name, rest),
        [Segment::Element(_), ..] => return false,
    };
    fields.iter().find(|field| field.name == first).is_some_and(|field| fits_below(rest, field))
}

fn fits_below(rest: &[Segment], field: &Field) -> bool {
    match field.shape {
        Shape::Leaf => true,
        Shape::Block(fields) => fits(rest, fields()),
        Shape::Blocks(fields) | Shape::BlockMap(fields) => {
            rest.split_first().is_none_or(|(_, below)| fits(below, fields()))
        }
    }
}

/// What can't be used of an expression: where it stands, and why.
fn invalid_values(expr: &Expr) -> Vec<(String, String)> {
    fn collect(expr: &Expr, at: Trail<'_>, found: &mut Vec<(String, String)>) {
        match expr {
            Expr::Value(_) | Expr::Output { .. } | Expr::Sealed => {}
            Expr::List(items) => {
                items.iter().enumerate().for_each(|(index, item)| collect(item, at.index(index), found));
            }
            Expr::Map(entries) => entries.iter().for_each(|(key, entry)| collect(entry, at.key(key), found)),
            Expr::Concat(items) => items.iter().for_each(|item| collect(item, at, found)),
            Expr::Apply { source, .. } | Expr::Secret(source) => collect(source, at, found),
            Expr::Invalid(problem) => found.push((at.to_string(), problem.clone())),
        }
    }

    let mut found = Vec::new();
    collect(expr, Trail::Top, &mut found);
    found
}

/// A tree for checks that look at values: what is not known yet is null, what is not set is absent.
fn known_part(tree: &Tree) -> Value {
    match tree {
        Tree::Leaf(value) => value.clone(),
        Tree::List(items) => Value::Array(items.iter().map(known_part).collect()),
        Tree::Map(entries) => {
            Value::Object(entries.iter().map(|(key, entry)| (key.to_string(), known_part(entry))).collect())
        }
        Tree::Unknown(_) => Value::Null,
        Tree::Secret(inner) => known_part(inner),
    }
}

pub(super) fn cycle(cycle: &[Address], nodes: &BTreeMap<Address, Node>) -> Diagnostic {
    let names: Vec<&str> = cycle.iter().chain(cycle.first()).map(Address::as_str).collect();
    let links = cycle.iter().filter_map(|address| nodes.get(address)).map(|node| {
        let through = node.references.iter().find(|reference| cycle.contains(&reference.address));
        match through {
            Some(reference) => format!("`{}` refers to `{}` in `{}`", node.address, reference.address, reference.path),
            None => format!("`{}` depends on another of them at {}", node.address, node.at),
        }
    });
    let problem = Diagnostic::error(format!("resources depend on each other in a circle: {}", names.join(" -> ")))
        .detail(links.collect::<Vec<_>>().join("\n"))
        .hint("take one of these references or `depends_on` away");
    match cycle.first().and_then(|address| nodes.get(address)) {
        Some(node) => problem.about(&node.address).at(&node.at),
        None => problem,
    }
}

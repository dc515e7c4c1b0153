//! The desired graph: from a recording to checked, ordered, hashed nodes.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use super::{
    Address, Addresses, Hash, Name, ProviderKey, Tree, hash_written,
    hashed::Whole,
    names::{Named, secret_names},
    order, validate,
};
use crate::{
    Result,
    program::{Declaration, Expr, Options, Recorder, ReferredStack, Schema},
    report::Error,
    scrub::Known,
};

/// One output that a resource's inputs refer to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The top-level field that holds the reference.
    pub field: Name,
    /// The whole path at which it stands.
    pub path: Name,
    /// The resource or lookup it refers to.
    pub address: Address,
    /// The output.
    pub output: Name,
}

/// One desired resource.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its address.
    pub address: Address,
    /// The facts about its type.
    pub schema: &'static Schema,
    /// Its inputs.
    pub inputs: Expr,
    /// What its inputs refer to.
    pub references: Vec<Reference>,
    /// Every resource and lookup that must be there before it: references, `depends_on`, what its provider is made of.
    pub dependencies: Addresses,
    /// The resources it lives in.
    pub parents: Addresses,
    /// How it is managed. Shared, for most have no options.
    pub options: Arc<Options>,
    /// Its provider.
    pub provider: ProviderKey,
    /// Where the program declares it.
    pub at: Name,
}

/// One desired lookup.
#[derive(Debug, Clone)]
pub struct LookupNode {
    /// Its address.
    pub address: Address,
    /// The type that is looked up.
    pub type_name: &'static str,
    /// Its id or natural key.
    pub key: Expr,
    /// Its provider.
    pub provider: ProviderKey,
    /// What its provider is made of.
    pub dependencies: Addresses,
    /// Where the program declares it.
    pub at: Name,
    /// The other stack whose outputs it is, where it is no object of a service.
    pub reference: Option<ReferredStack>,
}

/// One provider.
#[derive(Debug, Clone)]
pub struct ProviderNode {
    /// Its kind.
    pub kind: &'static str,
    /// Its configuration.
    pub config: Expr,
    /// The resources its configuration refers to.
    pub dependencies: Addresses,
}

/// Everything that a program wants of one stack.
#[derive(Debug, Clone)]
pub struct Desired {
    /// The project.
    pub project: String,
    /// The stack.
    pub stack: String,
    /// The resources.
    pub nodes: BTreeMap<Address, Node>,
    /// Their addresses, dependencies first, otherwise in the order of declaration.
    pub order: Vec<Address>,
    /// The lookups.
    pub lookups: BTreeMap<Address, LookupNode>,
    /// The providers.
    pub providers: BTreeMap<ProviderKey, ProviderNode>,
    /// The outputs of the stack.
    pub exports: BTreeMap<String, Expr>,
    /// The options of resources that the program declares and that this run takes away all the same: they still guard.
    pub leaving: BTreeMap<Address, Arc<Options>>,
    /// The outputs that the program declares, where this run takes its resources away: where each comes from.
    pub parting: Option<BTreeMap<String, Expr>>,
    /// See [`Self::hash`].
    hash: OnceLock<Hash>,
}

impl Desired {
    /// The same stack with nothing in it: what a destroy wants.
    pub fn nothing(mut self) -> Self {
        let leaving = std::mem::take(&mut self.nodes).into_iter();
        self.leaving = leaving.map(|(address, node)| (address, node.options)).collect();
        self.order.clear();
        self.lookups.clear();
        self.parting = Some(std::mem::take(&mut self.exports));
        self.hash.take();
        self
    }

    /// Whether an apply waits until this is ready: as the program says, or because the type asks for it, or because
    /// providers are made of it, under which nothing can lie before that.
    pub fn waits_for(&self, node: &Node) -> bool {
        let serves = || self.providers.values().any(|provider| provider.dependencies.contains(&node.address));
        node.options.wait.unwrap_or_else(|| node.schema.waits || serves())
    }

    /// `desired_hash`: covers the program's expressions; the same on any machine. Made when it is first asked for, since
    /// that takes a moment for a large program; what becomes of the nodes later is not in it.
    pub fn hash(&self) -> &Hash {
        self.hash.get_or_init(|| hash_written(&Whole::of(self)))
    }
}

/// A tree as an expression without references.
pub(super) fn as_expr(tree: &Tree) -> Expr {
    match tree {
        Tree::Leaf(value) => Expr::Value(value.clone()),
        Tree::List(items) => Expr::list(items.iter().map(as_expr)),
        Tree::Map(entries) => Expr::map(entries.iter().map(|(name, entry)| (name.clone(), as_expr(entry)))),
        Tree::Unknown(text) => Expr::Value(text.clone().into()),
        Tree::Secret(_) if tree.is_sealed() => Expr::Secret(Box::new(Expr::Sealed)),
        Tree::Secret(inner) => Expr::Secret(Box::new(as_expr(inner))),
    }
}

/// Builds and checks the graph of a recording.
///
/// # Errors
/// All problems that the program has, at once, without the secrets that it was given.
pub(crate) fn desired(project: &str, stack: &str, recorder: Recorder) -> Result<Desired> {
    let given: Known = recorder.secrets.iter().collect();
    built(project, stack, recorder).map_err(|error| error.scrubbed(&given))
}

fn built(project: &str, stack: &str, recorder: Recorder) -> Result<Desired> {
    let mut problems = Vec::new();
    let recording = recorder.recording;
    let providers: BTreeMap<_, _> = recorder
        .providers
        .into_iter()
        .map(|(key, provider)| {
            let dependencies = outputs_of(&provider.config).map(|reference| reference.address).collect();
            (key, ProviderNode { kind: provider.kind, config: provider.config, dependencies })
        })
        .collect();
    let of_provider =
        |key: &ProviderKey| providers.get(key).map(|provider| provider.dependencies.clone()).unwrap_or_default();
    let lookups: BTreeMap<_, _> = recorder
        .lookups
        .into_iter()
        .map(|lookup| {
            let node = LookupNode {
                address: lookup.address.clone(),
                type_name: lookup.type_name,
                key: lookup.key,
                dependencies: of_provider(&lookup.provider),
                provider: lookup.provider,
                at: lookup.at,
                reference: lookup.reference,
            };
            (lookup.address, node)
        })
        .collect();
    let declared: Vec<Address> = recorder.resources.iter().map(|declaration| declaration.address.clone()).collect();
    // Collected, not inserted one by one: a B-tree that is built from what is sorted has full nodes.
    let nodes = recorder.resources.into_iter().map(|declaration| {
        validate::strangers(&declaration, recording, &mut problems);
        let of_provider = of_provider(&declaration.provider);
        (declaration.address.clone(), node(declaration, of_provider))
    });
    let nodes: BTreeMap<_, _> = nodes.collect();
    let (exports, exported_at) = (&recorder.exports, &recorder.exported_at);
    let named = Named { nodes: &nodes, lookups: &lookups, providers: &providers, exports, exported_at };
    let told = named.with_secrets(recorder.secrets);
    if !told.is_empty() {
        // What else there is to say would name them.
        return Err(Error::all(told));
    }
    validate::nodes(&nodes, &lookups, &providers, &mut problems);
    secret_names(&nodes, &providers, &mut problems);
    let order = match order::order(&declared, &nodes) {
        Ok(order) => order,
        Err(cycle) => {
            problems.push(validate::cycle(&cycle, &nodes));
            Vec::new()
        }
    };
    validate::exports(&recorder.exports, &recorder.exported_at, recording, &mut problems);
    if !problems.is_empty() {
        return Err(Error::all(problems));
    }
    let (project, stack, hash) = (project.to_owned(), stack.to_owned(), OnceLock::new());
    let (exports, leaving, parting) = (recorder.exports, BTreeMap::new(), None);
    Ok(Desired { project, stack, nodes, order, lookups, providers, exports, leaving, parting, hash })
}

/// Every output that an expression refers to.
pub(super) fn outputs_of(expr: &Expr) -> impl Iterator<Item = Reference> + use<> {
    let mut references = Vec::new();
    expr.for_each_output(&mut |path, origin, output| {
        let field = path.split(['.', '[']).next().unwrap_or_default().into();
        references.push(Reference {
            field,
            path: path.into(),
            address: origin.address.clone(),
            output: output.clone(),
        });
    });
    // There is mostly one, and a vector that grows begins with four.
    references.shrink_to_fit();
    references.into_iter()
}

fn node(declaration: Declaration, of_provider: Addresses) -> Node {
    let references: Vec<Reference> = outputs_of(&declaration.inputs).collect();
    let mut dependencies = of_provider;
    dependencies.extend(references.iter().map(|reference| reference.address.clone()));
    dependencies.extend(declaration.depends_on.into_iter().map(|(_, address)| address));
    dependencies.extend(declaration.options.deleted_with.clone());
    let is_parent = |field: &str| declaration.schema.field(field).is_some_and(|field| field.parent.is_some());
    let parents = references.iter().filter(|r| is_parent(&r.field)).map(|r| r.address.clone()).collect();
    Node {
        address: declaration.address,
        schema: declaration.schema,
        inputs: declaration.inputs,
        references,
        dependencies,
        parents,
        options: declaration.options,
        provider: declaration.provider,
        at: declaration.at,
    }
}

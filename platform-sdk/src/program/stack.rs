//! The stack: records what a program declares, in order, with the place that declared it.

use std::{
    cell::RefCell,
    collections::{BTreeMap, btree_map::Entry},
    panic::Location,
    rc::Rc,
    sync::Arc,
};

use serde::de::DeserializeOwned;

use super::{
    Builtin, Component, Config, Expr, Handle, LookUp, Lookup, Options, Origin, Outputs, Provider, ReferredOutput,
    ReferredStack, Resource, Schema, Secret, StackReference, ToExpr,
};
use crate::{
    Result,
    desired::{Address, Name, ProviderKey},
    provider::Connector,
    report::{Diagnostic, Error},
};

/// The type in the addresses of other stacks.
const REFERENCE: &str = "platform:Stack";

/// One resource as the program declared it.
#[derive(Debug, Clone)]
pub(crate) struct Declaration {
    pub(crate) address: Address,
    pub(crate) schema: &'static Schema,
    pub(crate) inputs: Expr,
    pub(crate) options: Arc<Options>,
    pub(crate) depends_on: Vec<(u64, Address)>,
    pub(crate) provider: ProviderKey,
    pub(crate) at: Name,
}

/// One lookup as the program declared it.
#[derive(Debug, Clone)]
pub(crate) struct LookupDeclaration {
    pub(crate) address: Address,
    pub(crate) type_name: &'static str,
    pub(crate) key: Expr,
    pub(crate) provider: ProviderKey,
    pub(crate) at: Name,
    /// The other stack whose outputs it is, where it is no object of a service.
    pub(crate) reference: Option<ReferredStack>,
}

/// One provider that resources are declared under.
#[derive(Debug, Clone)]
pub(crate) struct ProviderDeclaration {
    pub(crate) kind: &'static str,
    pub(crate) config: Expr,
    /// What connects, with the credentials that the program gives it.
    pub(crate) connector: Arc<dyn Connector>,
}

/// What running a program's function left behind.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    pub(crate) recording: u64,
    pub(crate) resources: Vec<Declaration>,
    pub(crate) index: BTreeMap<Address, usize>,
    pub(crate) lookups: Vec<LookupDeclaration>,
    pub(crate) providers: BTreeMap<ProviderKey, ProviderDeclaration>,
    pub(crate) exports: BTreeMap<String, Expr>,
    /// Where each of them is exported.
    pub(crate) exported_at: BTreeMap<String, Name>,
    pub(crate) problems: Vec<Diagnostic>,
    /// The secrets of the configuration that the program was given.
    pub(crate) secrets: Vec<String>,
}

impl Recorder {
    /// What connects to each provider.
    pub(crate) fn connectors(&self) -> BTreeMap<ProviderKey, Arc<dyn Connector>> {
        self.providers.iter().map(|(key, provider)| (key.clone(), provider.connector.clone())).collect()
    }
}

#[derive(Debug)]
struct Frame {
    prefix: String,
    providers: BTreeMap<&'static str, ProviderKey>,
}

/// Where a program declares its resources. Cheap to clone; clones share the recording.
#[derive(Debug, Clone)]
pub struct Stack {
    name: Rc<str>,
    config: Rc<Config>,
    recorder: Rc<RefCell<Recorder>>,
    frame: Rc<Frame>,
}

impl Stack {
    pub(super) fn new(name: &str, config: Rc<Config>, recording: u64) -> Self {
        let recorder = Recorder { recording, ..Recorder::default() };
        let frame = Frame { prefix: String::new(), providers: BTreeMap::new() };
        Self { name: name.into(), config, recorder: Rc::new(RefCell::new(recorder)), frame: Rc::new(frame) }
    }

    /// The stack's name: `prod`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Declares a resource. Its address is `<type>::<name>`, with the names of the components around it in between.
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "a resource is given to its stack")]
    pub fn add<R: Resource>(&self, name: &str, resource: R) -> Handle<R> {
        let at = place(Location::caller());
        let address = self.address(R::schema().type_name, name, &at);
        let outputs = R::Outputs::of(&self.origin(&address));
        let declaration = Declaration {
            address: address.clone(),
            schema: R::schema(),
            inputs: resource.to_expr(),
            options: Options::none(),
            depends_on: Vec::new(),
            provider: self.provider_for(R::schema().provider),
            at,
        };
        self.record(declaration);
        Handle::new(outputs, address, self.clone())
    }

    fn record(&self, declaration: Declaration) {
        let mut recorder = self.recorder.borrow_mut();
        if let Some(first) = recorder.index.get(&declaration.address) {
            let first = &recorder.resources[*first];
            let problem = Diagnostic::error(format!("`{}` is declared twice", declaration.address))
                .detail(format!("first at {}, then at {}", first.at, declaration.at))
                .hint("give one of them another name, or put them into components of their own")
                .about(&declaration.address)
                .at(&declaration.at);
            recorder.problems.push(problem);
            return;
        }
        let index = recorder.resources.len();
        recorder.index.insert(declaration.address.clone(), index);
        recorder.resources.push(declaration);
    }

    /// Reads something that the stack does not own, by its id or natural key.
    #[track_caller]
    pub fn lookup<L: LookUp>(&self, key: &str) -> Lookup<L> {
        let at = place(Location::caller());
        let address = self.address(L::TYPE, &format!("?{key}"), &at);
        let declaration = LookupDeclaration {
            address: address.clone(),
            type_name: L::TYPE,
            key: Expr::Value(key.into()),
            provider: self.provider_for(L::Provider::KIND),
            at,
            reference: None,
        };
        let found = L::Found::of(&self.origin(&address));
        let mut recorder = self.recorder.borrow_mut();
        if !recorder.lookups.iter().any(|lookup| lookup.address == address) {
            recorder.lookups.push(declaration);
        }
        Lookup::new(found, address, recorder.recording)
    }

    /// Another stack, whose outputs this one reads: `"network/prod"` is the stack `prod` of the project `network`, and
    /// `"prod"` a stack of this project.
    ///
    /// ```
    /// # use platform_sdk::prelude::*;
    /// # let _ = Program::new("shop", |stack| {
    /// let network = stack.reference("network/prod");
    /// let subnet = network.output::<String>("subnet_id");
    /// stack.add("settings", Data::new(interpolate!("in {}", subnet).json()));
    /// # Ok(())
    /// # });
    /// ```
    pub fn reference(&self, of: &str) -> StackReference {
        StackReference::new(self.clone(), of)
    }

    /// Records that an output of another stack is read, and gives the origin that stands for that stack.
    pub(super) fn refer(&self, of: &str, place: Option<&str>, wanted: ReferredOutput) -> Arc<Origin> {
        // The login in an address is seen nowhere; who reads there refuses it.
        let told = place.map(crate::scrub::without_login);
        // Two places may hold stacks of one name: the place is part of the address, as far as an address can carry it.
        let hashed = |place: &String| crate::desired::hash(&place.as_str().into());
        let beside = told.as_ref().map(|place| format!("@{}", hashed(place).short()));
        let (above, name) = of.rsplit_once('/').map_or_else(|| (String::new(), of), |(p, n)| (format!("{p}/"), n));
        let path = format!("{above}?{name}{}", beside.unwrap_or_default());
        let address = Address::new(REFERENCE, &path).unwrap_or_else(|problem| {
            self.recorder.borrow_mut().problems.push(problem.at(&wanted.at));
            Address::placeholder(REFERENCE)
        });
        let mut recorder = self.recorder.borrow_mut();
        let known = recorder.lookups.iter_mut().find(|lookup| lookup.address == address);
        if let Some(reference) = known.and_then(|lookup| lookup.reference.as_mut()) {
            reference.outputs.push(wanted);
        } else {
            let key = told.map_or_else(|| of.to_owned(), |place| format!("{of} in {place}"));
            let (at, place) = (wanted.at.clone(), place.map(str::to_owned));
            recorder.lookups.push(LookupDeclaration {
                address: address.clone(),
                type_name: REFERENCE,
                key: Expr::Value(key.into()),
                provider: ProviderKey::default_of(Builtin::KIND),
                at: at.into(),
                reference: Some(ReferredStack { stack: of.to_owned(), place, outputs: vec![wanted] }),
            });
        }
        Arc::new(Origin { recording: recorder.recording, address })
    }

    /// A stack whose resources are managed by this provider, where it can manage them.
    pub fn within<P: Provider>(&self, provider: &P) -> Stack {
        let mut providers = self.frame.providers.clone();
        providers.insert(P::KIND, self.register(provider));
        Stack { frame: Rc::new(Frame { prefix: self.frame.prefix.clone(), providers }), ..self.clone() }
    }

    /// A named part of the stack: the addresses of what `declare` adds begin with `name/`.
    ///
    /// # Errors
    /// Those of `declare`.
    pub fn component<T>(&self, name: &str, declare: impl FnOnce(&Stack) -> Result<T>) -> Result<Component<T>> {
        let prefix = format!("{}{name}", self.frame.prefix);
        let frame = Frame { prefix: format!("{prefix}/"), providers: self.frame.providers.clone() };
        let inner = Stack { frame: Rc::new(frame), ..self.clone() };
        let before = self.recorder.borrow().resources.len();
        let value = declare(&inner)?;
        let members = self.recorder.borrow().resources[before..].iter().map(|d| d.address.clone()).collect();
        Ok(Component::new(value, self.clone(), members, prefix))
    }

    /// Makes a value readable by `output` and by other stacks.
    #[track_caller]
    pub fn export(&self, name: &str, value: impl ToExpr) {
        let (expr, at) = (value.to_expr(), place(Location::caller()));
        if matches!(expr, Expr::Invalid(_)) {
            // It may be too deep for its own end.
            std::mem::forget(value);
        }
        let recorder = &mut *self.recorder.borrow_mut();
        if recorder.exports.insert(name.to_owned(), expr).is_some() {
            let problem = Diagnostic::error(format!("output `{name}` is exported twice")).hint("export it once");
            recorder.problems.push(problem);
        }
        recorder.exported_at.insert(name.to_owned(), at);
    }

    /// A configuration value of this stack; a missing key is an error that names the file and the variable to set.
    ///
    /// # Errors
    /// When the key is missing or its value has another type.
    #[track_caller]
    pub fn config<T: DeserializeOwned>(&self, key: &str) -> Result<T> {
        let at = place(Location::caller());
        self.config.get(key, &at)?.ok_or_else(|| Error::from(self.config.missing(key).at(&at)))
    }

    /// A configuration value, or this one where the key is missing.
    ///
    /// # Errors
    /// When the value has another type.
    #[track_caller]
    pub fn config_or<T: DeserializeOwned>(&self, key: &str, or: T) -> Result<T> {
        Ok(self.config.get(key, &place(Location::caller()))?.unwrap_or(or))
    }

    /// A configuration value that is secret, and stays so in whatever field it ends: short for
    /// `stack.config::<Secret<String>>(key)`. It comes from a variable, or encrypted from the config file, where
    /// `config set --secret` puts it.
    ///
    /// # Errors
    /// When the key is missing, its value is not text, or it can't be decrypted.
    #[track_caller]
    pub fn config_secret(&self, key: &str) -> Result<Secret<String>> {
        self.config(key)
    }

    pub(super) fn recording(&self) -> u64 {
        self.recorder.borrow().recording
    }

    pub(super) fn with_declaration(&self, address: &Address, change: impl FnOnce(&mut Declaration)) {
        let mut recorder = self.recorder.borrow_mut();
        if let Some(index) = recorder.index.get(address).copied() {
            change(&mut recorder.resources[index]);
        }
    }

    /// Makes a provider known and gives the key under which resources name it.
    pub(super) fn register<P: Provider>(&self, provider: &P) -> ProviderKey {
        let (config, connector) = (provider.config(), provider.connector());
        let key = ProviderKey::new(P::KIND, &config);
        let recorder = &mut *self.recorder.borrow_mut();
        let declaration = ProviderDeclaration { kind: P::KIND, config, connector };
        match recorder.providers.entry(key.clone()) {
            Entry::Vacant(vacant) => _ = vacant.insert(declaration),
            Entry::Occupied(first) => {
                let first = first.get().connector.given_credentials();
                if first != declaration.connector.given_credentials() {
                    recorder.problems.push(logged_in_twice(P::KIND));
                }
            }
        }
        key
    }

    pub(super) fn take(self) -> Recorder {
        std::mem::take(&mut self.recorder.borrow_mut())
    }

    fn provider_for(&self, kind: &'static str) -> ProviderKey {
        self.frame.providers.get(kind).cloned().unwrap_or_else(|| ProviderKey::default_of(kind))
    }

    fn origin(&self, address: &Address) -> Arc<Origin> {
        Arc::new(Origin { recording: self.recording(), address: address.clone() })
    }

    fn address(&self, type_name: &str, name: &str, at: &str) -> Address {
        let path = format!("{}{name}", self.frame.prefix);
        Address::new(type_name, &path).unwrap_or_else(|problem| {
            self.recorder.borrow_mut().problems.push(problem.at(at));
            Address::placeholder(type_name)
        })
    }
}

/// A resource finds its way back by its provider's configuration: two logins behind one can't be told apart later.
pub(crate) fn logged_in_twice(kind: &str) -> Diagnostic {
    Diagnostic::error(format!("two providers of kind `{kind}` are configured alike and log in differently"))
        .hint("give them different hosts or profiles, or one login")
}

fn place(location: &Location<'_>) -> Name {
    format!("{}:{}", location.file(), location.line()).into()
}

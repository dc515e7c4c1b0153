//! Handles: what `stack.add` gives back, to refer to a resource and to say how it is managed.

use std::{ops::Deref, sync::Arc, time::Duration};

use super::{Expr, HasId, LookUp, Manages, Operation, Options, Resource, TakesProvider, ToExpr, stack::Stack};
use crate::desired::Address;

/// A declared resource: derefs to its outputs, and takes options in a chain.
pub struct Handle<R: Resource> {
    outputs: R::Outputs,
    address: Address,
    stack: Stack,
}

impl<R: Resource> Handle<R> {
    pub(super) fn new(outputs: R::Outputs, address: Address, stack: Stack) -> Self {
        Self { outputs, address, stack }
    }

    /// Its address: `databricks:Catalog::lake`.
    pub fn address(&self) -> &Address {
        &self.address
    }

    fn option(self, set: impl FnOnce(&mut Options)) -> Self {
        self.stack.with_declaration(&self.address, |declaration| set(Arc::make_mut(&mut declaration.options)));
        self
    }

    /// Deleting or replacing it is refused until this is taken away.
    pub fn protect(self) -> Self {
        self.option(|options| options.protect = true)
    }

    /// Where it would be deleted, it is only forgotten.
    pub fn retain_on_delete(self) -> Self {
        self.option(|options| options.retain_on_delete = true)
    }

    /// Its delete may take along contents that the stack does not own, and be forced where others use it, after consent to
    /// the loss.
    pub fn force_destroy(self, yes: bool) -> Self {
        self.option(|options| options.force_destroy = yes)
    }

    /// Its changes may be forced where others use it and may break, as of the place of a location: after consent to that.
    pub fn force_update(self, yes: bool) -> Self {
        self.option(|options| options.force_update = yes)
    }

    /// Changes at these paths are left alone: `["tasks[load].timeout_seconds", "tags.*"]`. A path that matches no field
    /// is an error.
    pub fn ignore_changes<'a>(self, paths: impl IntoIterator<Item = &'a str>) -> Self {
        self.option(|options| options.ignore_changes.extend(paths.into_iter().map(str::to_owned)))
    }

    /// A change at these paths replaces it.
    pub fn replace_on_changes<'a>(self, paths: impl IntoIterator<Item = &'a str>) -> Self {
        self.option(|options| options.replace_on_changes.extend(paths.into_iter().map(str::to_owned)))
    }

    /// A replacement deletes the old object first (`true`) or creates the new one first (`false`).
    pub fn delete_before_replace(self, yes: bool) -> Self {
        self.option(|options| options.delete_before_replace = Some(yes))
    }

    /// It is made after the other resource and deleted before it, without taking anything from it.
    pub fn depends_on(self, other: &impl Addressed) -> Self {
        let other = other.in_stack();
        self.stack.with_declaration(&self.address, |declaration| declaration.depends_on.push(other));
        self
    }

    /// It had this address before: `"databricks:Catalog::old"`, or just `"old"` for the same type. Repeatable.
    pub fn moved_from(self, address: &str) -> Self {
        self.option(|options| options.moved_from.push(address.to_owned()))
    }

    /// It exists with this remote id and is taken into the stack.
    pub fn import(self, id: &str) -> Self {
        self.option(|options| options.import = Some(id.to_owned()))
    }

    /// If an object with its natural key exists, it is taken into the stack.
    pub fn adopt_existing(self) -> Self {
        self.option(|options| options.adopt_existing = true)
    }

    /// Bounds one operation.
    pub fn timeout(self, operation: Operation, bound: Duration) -> Self {
        let ms = u64::try_from(bound.as_millis()).unwrap_or(u64::MAX);
        self.option(|options| {
            options.timeouts_ms.insert(operation, ms);
        })
    }

    /// It goes away when the other resource does: no delete call of its own then.
    pub fn deleted_with(self, other: &impl Addressed) -> Self {
        let (_, address) = other.in_stack();
        self.option(|options| options.deleted_with = Some(address))
    }

    /// Whether an apply waits until it is ready.
    pub fn wait(self, yes: bool) -> Self {
        self.option(|options| options.wait = Some(yes))
    }
}

impl<R: TakesProvider> Handle<R> {
    /// It is managed by this provider instead of its stack's default.
    pub fn provider<P: Manages<R>>(self, provider: &P) -> Self {
        let key = self.stack.register(provider);
        self.stack.with_declaration(&self.address, |declaration| declaration.provider = key);
        self
    }
}

impl<R: Resource> Deref for Handle<R> {
    type Target = R::Outputs;

    fn deref(&self) -> &R::Outputs {
        &self.outputs
    }
}

/// A handle stands for its resource's id.
impl<R: HasId> ToExpr for Handle<R> {
    fn to_expr(&self) -> Expr {
        R::id_of(&self.outputs).to_expr()
    }
}

/// Something that the stack does not own, read by `stack.lookup`: derefs to what will be found.
pub struct Lookup<L: LookUp> {
    found: L::Found,
    address: Address,
    recording: u64,
}

impl<L: LookUp> Lookup<L> {
    pub(super) fn new(found: L::Found, address: Address, recording: u64) -> Self {
        Self { found, address, recording }
    }
}

impl<L: LookUp> Deref for Lookup<L> {
    type Target = L::Found;

    fn deref(&self) -> &L::Found {
        &self.found
    }
}

/// Anything with an address that `depends_on` and `deleted_with` can name.
pub trait Addressed {
    /// The recording it belongs to, and its address.
    fn in_stack(&self) -> (u64, Address);
}

impl<R: Resource> Addressed for Handle<R> {
    fn in_stack(&self) -> (u64, Address) {
        (self.stack.recording(), self.address.clone())
    }
}

impl<L: LookUp> Addressed for Lookup<L> {
    fn in_stack(&self) -> (u64, Address) {
        (self.recording, self.address.clone())
    }
}

/// What `stack.component` gives back: derefs to what its function returned, and takes options for all it declared.
pub struct Component<T> {
    value: T,
    stack: Stack,
    members: Vec<Address>,
    prefix: String,
}

impl<T> Component<T> {
    pub(super) fn new(value: T, stack: Stack, members: Vec<Address>, prefix: String) -> Self {
        Self { value, stack, members, prefix }
    }

    fn each(self, set: impl Fn(&Address, &mut Options)) -> Self {
        for address in &self.members {
            self.stack.with_declaration(address, |declaration| set(address, Arc::make_mut(&mut declaration.options)));
        }
        self
    }

    /// Deleting or replacing any of its resources is refused.
    pub fn protect(self) -> Self {
        self.each(|_, options| options.protect = true)
    }

    /// Where its resources would be deleted, they are only forgotten.
    pub fn retain_on_delete(self) -> Self {
        self.each(|_, options| options.retain_on_delete = true)
    }

    /// The component had this name before; an empty name means its resources stood outside of any. Repeatable.
    pub fn moved_from(self, old: &str) -> Self {
        let prefix = format!("{}/", self.prefix);
        let old = if old.is_empty() { String::new() } else { format!("{old}/") };
        self.each(|address, options| {
            let rest = address.path().strip_prefix(&prefix).unwrap_or(address.path());
            options.moved_from.push(format!("{}::{old}{rest}", address.type_name()));
        })
    }

    /// What its function returned.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> Deref for Component<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

//! References: the outputs of other stacks, read and checked before a plan.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use super::{place::former, session::Session};
use crate::{
    Result,
    desired::{Address, Desired, LookupNode, Tree},
    program::{ReferredOutput, ReferredStack},
    report::{Diagnostic, Error},
    state::{self, Exports},
};

/// Where the outputs of other stacks come from.
#[async_trait(?Send)]
pub(crate) trait Elsewhere {
    /// The outputs of a stack. `None`: nobody knows, and they stay unknown.
    async fn outputs(&self, of: &ReferredStack) -> Result<Option<Exports>>;
}

/// What the program's references give; all that is wrong with them at once.
pub(crate) async fn referred(desired: &Desired, elsewhere: &dyn Elsewhere) -> Result<BTreeMap<Address, Tree>> {
    let mut found = BTreeMap::new();
    let mut problems = Vec::new();
    for lookup in desired.lookups.values() {
        let Some(of) = &lookup.reference else { continue };
        match elsewhere.outputs(of).await {
            Ok(None) => {}
            Ok(Some(exports)) => {
                problems.extend(of.outputs.iter().filter_map(|wanted| mismatch(of, wanted, &exports)));
                found.insert(lookup.address.clone(), Tree::Map(exports.values.into_iter().collect()));
            }
            Err(error) => problems.extend(error.diagnostics().iter().map(|problem| placed(problem, lookup))),
        }
    }
    if problems.is_empty() { Ok(found) } else { Err(Error::all(problems)) }
}

fn placed(problem: &Diagnostic, lookup: &LookupNode) -> Diagnostic {
    Diagnostic { at: problem.at.clone().or_else(|| Some(lookup.at.to_string())), ..problem.clone() }
}

/// What is wrong with one output that is read.
fn mismatch(of: &ReferredStack, wanted: &ReferredOutput, exports: &Exports) -> Option<Diagnostic> {
    let ReferredOutput { name, rust_type, fits, at } = wanted;
    let Some(tree) = exports.values.get(name) else {
        let names: Vec<String> = exports.names.iter().map(|name| format!("`{name}`")).collect();
        let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let problem = Diagnostic::error(format!("stack `{}` has no output `{name}`", of.stack));
        return Some(
            problem
                .detail(format!("its outputs are {known}, as of its last `up`"))
                .hint("export it there with `stack.export(..)` and apply that, or correct the name")
                .at(at),
        );
    };
    let why = fits(tree.plain()?).err()?;
    let problem = Diagnostic::error(format!("output `{name}` of stack `{}` is no {rust_type}", of.stack)).at(at);
    // What a secret is instead of that type would tell of it.
    Some(
        if tree.has_secrets() { problem } else { problem.detail(why) }
            .hint("read it as the type that it is exported as"),
    )
}

#[async_trait(?Send)]
impl Elsewhere for Session<'_> {
    async fn outputs(&self, of: &ReferredStack) -> Result<Option<Exports>> {
        let context = self.context;
        let (project, stack) = of.stack.split_once('/').unwrap_or((&context.program.project, &of.stack));
        let location = match &of.place {
            Some(place) => context.location_at(&context.place_in_project(place), project, stack)?,
            None if *project == context.program.project => {
                context.location_under(former(context, stack).await?.as_deref(), stack)?
            }
            None => context.location_of(project, stack)?,
        };
        let location = if self.location.is_to_look() { location.to_look() } else { location };
        if location.is(&self.location) {
            let problem = Diagnostic::error(format!("stack `{}` refers to itself", of.stack));
            return Err(problem.hint("use the handle whose output it exports").into());
        }
        let wanted: BTreeSet<&str> = of.outputs.iter().map(|output| output.name.as_str()).collect();
        let exports = state::exports(&location, self.world, &context.environment, &wanted).await?;
        exports.map(Some).ok_or_else(|| {
            Diagnostic::error(format!("stack `{}` has no state, and this one refers to it", of.stack))
                .detail(format!("looked for `{}` in {}", location.stack(), location.store().name()))
                .hint("apply that stack first, correct its name, or say where its state is with `.at(..)`")
                .into()
        })
    }
}

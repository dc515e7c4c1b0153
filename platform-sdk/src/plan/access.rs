//! Access: which steps give an object to another owner, or take privileges away from somebody. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Course, Op,
    decide::Decision,
    diff::{Difference, Verdict},
};
use crate::{
    desired::{Address, Tree},
    program::{Access, Field, Schema},
    report::{Diagnostic, Severity},
};

/// One step that changes who may do what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessChange {
    /// The resource.
    pub address: Address,
    /// What changes: an [`Access::Owner`] gets the object, an [`Access::Grantee`] loses privileges.
    pub access: Access,
    /// The principal who gets or loses it.
    pub principal: String,
}

/// The steps of a plan that change who may do what, as far as the principals are known.
pub fn access_changes(course: &Course, schemas: &BTreeMap<&'static str, &'static Schema>) -> Vec<AccessChange> {
    let mut changes = Vec::new();
    for (address, decision) in course.decisions.iter().filter(|(_, decision)| decision.op != Op::Keep) {
        let Some(schema) = schemas.get(address.type_name()) else { continue };
        let had = course.snapshot.resources.get(address).map(|state| &state.inputs);
        for (field, access) in schema.fields().iter().filter_map(|field| Some((field, field.access?))) {
            let principal = match access {
                Access::Owner => new_owner(field, decision),
                Access::Grantee => had.and_then(|had| had.get(field.name)).filter(|_| takes_away(decision)),
            };
            if let Some(principal) = principal.and_then(Tree::as_str) {
                changes.push(AccessChange { address: address.clone(), access, principal: principal.to_owned() });
            }
        }
    }
    changes
}

fn new_owner<'d>(field: &Field, decision: &'d Decision) -> Option<&'d Tree> {
    match decision.op {
        Op::Create | Op::Replace { .. } => decision.inputs.get(field.name),
        Op::Update | Op::Adopt => {
            let change = |difference: &&Difference| difference.path.field() == Some(field.name);
            decision.differences.iter().find(change)?.after.as_ref()
        }
        Op::Delete | Op::Forget | Op::Read | Op::Move { .. } | Op::Options | Op::Keep => None,
    }
}

/// A grant that ends, or that gives less than before.
fn takes_away(decision: &Decision) -> bool {
    let shrinks = |difference: &Difference| {
        let (Some(Tree::List(before)), Some(Tree::List(after))) = (&difference.before, &difference.after) else {
            return false;
        };
        difference.verdict > Verdict::Released && before.iter().any(|item| !after.contains(item))
    };
    decision.ends_object() || (decision.op == Op::Update && decision.differences.iter().any(shrinks))
}

/// Warnings about the changes that may leave the caller without access, given the names that each caller answers to:
/// its own and those of its groups, by address.
pub fn locked_out(changes: &[AccessChange], callers: &BTreeMap<Address, BTreeSet<String>>) -> Vec<Diagnostic> {
    let warn = |change: &AccessChange| {
        let names = callers.get(&change.address).filter(|names| !names.is_empty())?;
        let AccessChange { address, access, principal } = change;
        let (summary, hint) = match access {
            Access::Owner if !names.contains(principal) => (
                format!("`{address}` is given to `{principal}`, who is neither you nor a group of yours"),
                "later runs may not be able to change or delete it: make sure that this login keeps the right to manage it",
            ),
            Access::Grantee if names.contains(principal) => (
                format!("`{address}` takes privileges away from `{principal}`, through which this login has them"),
                "later runs may be denied: make sure that this login has what it needs in another way",
            ),
            Access::Owner | Access::Grantee => return None,
        };
        let warning = Diagnostic { severity: Severity::Warning, ..Diagnostic::error(summary) };
        Some(warning.hint(hint).about(address))
    };
    changes.iter().filter_map(warn).collect()
}

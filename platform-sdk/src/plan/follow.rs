//! Updates that only follow: the program says of them what it said, and what they refer to changes in this run. Pure.

use std::collections::BTreeSet;

use super::{
    Decisions, Op,
    decide::{Decision, Sources},
    diff::Verdict,
};
use crate::desired::{Address, Tree};

/// What an update follows, if it does nothing else.
pub(super) fn followed<'a>(
    sources: Sources<'a>,
    decisions: &Decisions,
    address: &Address,
    decision: &Decision,
) -> BTreeSet<&'a Address> {
    let (node, state) = (sources.desired.nodes.get(address), sources.snapshot.resources.get(address));
    let (Some(node), Some(state), Op::Update) = (node, state, &decision.op) else { return BTreeSet::new() };
    let mut followed = BTreeSet::new();
    for difference in decision.differences.iter().filter(|difference| difference.verdict > Verdict::Released) {
        let field = difference.path.field().unwrap_or_default();
        let in_field = |path: &str| path.split(['.', '[']).next() == Some(field);
        let was = state.references.iter().filter(|(path, _)| in_field(path));
        let was: BTreeSet<(&Address, &str)> = was.map(|(_, referred)| (&referred.to, &*referred.field)).collect();
        let is = node.references.iter().filter(|reference| reference.field == *field);
        let is: BTreeSet<(&Address, &str)> = is.map(|r| (&r.address, &*r.output)).collect();
        if was != is || difference.after.as_ref().is_none_or(Tree::is_known) {
            return BTreeSet::new();
        }
        followed.extend(is.into_iter().map(|(address, _)| address));
    }
    followed.retain(|address| decisions.get(address).is_some_and(|decision| decision.op != Op::Keep));
    followed
}

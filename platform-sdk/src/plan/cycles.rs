//! Needs that run in a circle: what is done another way so that there is an order, or why there is none.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Decisions, Kind, Op, actions::Action, decide::Sources};
use crate::{desired::Address, report::Diagnostic};

/// What is done another way than it would be by itself, because there is no order otherwise.
#[derive(Debug, Clone, Default)]
pub(super) struct Detours {
    /// Replaced delete-first.
    pub(super) delete_first: BTreeSet<Address>,
    /// Deleted by a call of its own, though something takes it along.
    pub(super) alone: BTreeSet<Address>,
    /// What no end waits for that it merely refers to: it waits itself for a value that comes after that end.
    pub(super) late: BTreeSet<Address>,
}

/// Actions of which each, by way of others, needs each other.
pub(super) struct Knot<'a> {
    sources: Sources<'a>,
    decisions: &'a Decisions,
    list: &'a [Action],
    tied: BTreeSet<usize>,
}

impl<'a> Knot<'a> {
    /// The knot among these actions that are stuck: each of them needs another one of them.
    pub(super) fn among(
        sources: Sources<'a>,
        decisions: &'a Decisions,
        list: &'a [Action],
        stuck: &BTreeSet<usize>,
    ) -> Self {
        let needed = |index: usize| list[index].needs.iter().copied().filter(|needed| stuck.contains(needed));
        let mut dependents: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for index in stuck {
            needed(*index).for_each(|needed| dependents.entry(needed).or_default().push(*index));
        }
        // Whoever follows needs for long enough walks in a circle.
        let mut seen = BTreeSet::new();
        let mut at = stuck.first().copied();
        while let Some(next) = at.filter(|index| seen.insert(*index)) {
            at = needed(next).next();
        }
        let before = reached(at, |index| needed(index).collect());
        let after = reached(at, |index| dependents.get(&index).cloned().unwrap_or_default());
        Self { sources, decisions, list, tied: before.intersection(&after).copied().collect() }
    }

    /// Unties it, if there is a way: by one more call that deletes what would go along, by replacements that delete first
    /// where nobody said that they must not, or by ends that don't wait for what may be replaced or, at last, for updates
    /// of what merely refers to them. Adds to the detours, and says whether there was anything to add.
    pub(super) fn untie(&self, detours: &mut Detours) -> bool {
        let ends = self.addresses(|kind| *kind == Kind::End);
        let with = |address: &Address| self.decisions.get(address)?.dies_with.clone();
        let along = ends.iter().filter_map(|address| Some((*address, with(address)?)));
        let along: Vec<_> = along.filter(|(_, with)| ends.contains(with)).collect();
        if let Some(first) = along.iter().map(|(_, with)| with).min() {
            let of_it = along.iter().filter(|(_, with)| with == first);
            detours.alone.extend(of_it.map(|(address, _)| (*address).clone()));
            return true;
        }
        let makes = self.addresses(|kind| *kind == Kind::Make);
        let turned: Vec<_> = ends.into_iter().filter(|address| self.may_delete_first(address)).collect();
        // First those whose old object waits for the new one; only then those for whose new one others wait.
        let waiting: Vec<_> = turned.iter().copied().filter(|address| makes.contains(address)).collect();
        let judged = self.addresses(|kind| *kind == Kind::Judge).into_iter();
        let late: Vec<_> = judged.filter(|address| !detours.late.contains(address)).collect();
        if waiting.is_empty() && !late.is_empty() {
            detours.late.extend(late.into_iter().cloned());
            return true;
        }
        let turned = if waiting.is_empty() { turned } else { waiting };
        if turned.is_empty() {
            // A name that goes from one address to another is most often a move that nobody has told of.
            if self.handed_over(&self.tied.iter().copied().collect::<Vec<_>>()).is_some() {
                return false;
            }
            let updated = makes.into_iter().filter(|address| self.is(address, &Op::Update));
            let late: Vec<_> = updated.filter(|address| !detours.late.contains(address)).collect();
            detours.late.extend(late.iter().map(|address| (*address).clone()));
            return !late.is_empty();
        }
        detours.delete_first.extend(turned.iter().map(|address| (*address).clone()));
        true
    }

    fn addresses(&self, of: impl Fn(&Kind) -> bool) -> BTreeSet<&'a Address> {
        let tied = self.tied.iter().map(|index| &self.list[*index]);
        tied.filter(|action| of(&action.kind)).map(|action| &action.address).collect()
    }

    /// A resource that is created under a name, and the one that is deleted for it to get that.
    fn handed_over(&self, among: &[usize]) -> Option<(&'a Address, &'a Address)> {
        let of = |kind: Kind, op: Op| {
            let actions = among.iter().map(|index| (index, &self.list[*index]));
            actions.filter(move |(_, action)| action.kind == kind && self.is(&action.address, &op))
        };
        of(Kind::Make, Op::Create).find_map(|(_, new)| {
            let mut ended = of(Kind::End, Op::Delete).filter(|(index, _)| new.needs.contains(index));
            let (_, old) = ended.find(|(_, old)| old.address.type_name() == new.address.type_name())?;
            Some((&new.address, &old.address))
        })
    }

    fn is(&self, address: &Address, op: &Op) -> bool {
        self.decisions.get(address).is_some_and(|decision| decision.op == *op)
    }

    fn is_create_first(&self, address: &Address) -> bool {
        self.decisions.get(address).is_some_and(|decision| decision.op == Op::Replace { create_first: true })
    }

    fn may_delete_first(&self, address: &Address) -> bool {
        self.is_create_first(address) && !self.must_create_first(address)
    }

    fn must_create_first(&self, address: &Address) -> bool {
        let node = self.sources.desired.nodes.get(address);
        node.is_some_and(|node| node.options.delete_before_replace == Some(false))
    }

    /// Why there is no order: a circle of needs, and what breaks it.
    pub(super) fn problem(&self) -> Diagnostic {
        let circle = self.circle();
        let following = circle.iter().cycle().skip(1);
        let lines: Vec<String> = circle.iter().zip(following).map(|(one, needed)| self.line(*one, *needed)).collect();
        Diagnostic::error("these changes can't be put in an order").detail(lines.join("\n")).hint(self.hint(&circle))
    }

    /// A shortest way from one of the actions back to it.
    fn circle(&self) -> Vec<usize> {
        let Some(first) = self.tied.first().copied() else { return Vec::new() };
        let mut from: BTreeMap<usize, usize> = BTreeMap::new();
        let mut waiting = VecDeque::from([first]);
        while let Some(index) = waiting.pop_front() {
            for needed in self.list[index].needs.iter().filter(|needed| self.tied.contains(needed)) {
                if !from.contains_key(needed) {
                    from.insert(*needed, index);
                    waiting.push_back(*needed);
                }
            }
        }
        let mut circle = Vec::new();
        let mut at = from.get(&first).copied();
        while let Some(index) = at.filter(|index| *index != first) {
            circle.push(index);
            at = from.get(&index).copied();
        }
        circle.push(first);
        circle.reverse();
        circle
    }

    fn line(&self, one: usize, needed: usize) -> String {
        let (one, needed) = (&self.list[one], &self.list[needed]);
        format!("{} only after {}", self.done(one), self.done(needed))
    }

    fn done(&self, action: &Action) -> String {
        let address = &action.address;
        let op = self.decisions.get(address).map(|decision| &decision.op);
        match (&action.kind, op) {
            (Kind::End, Some(Op::Replace { .. })) => format!("the old object of `{address}` is deleted"),
            (Kind::End, _) => format!("`{address}` is deleted"),
            (Kind::EndPending(_), _) => format!("what was left behind of `{address}` is deleted"),
            (Kind::Make, Some(Op::Replace { .. })) => format!("the new object of `{address}` is created"),
            (Kind::Make, Some(Op::Update)) => format!("`{address}` is updated"),
            (Kind::Make, Some(Op::Adopt)) => format!("`{address}` is adopted"),
            (Kind::Make, _) => format!("`{address}` is created"),
            (Kind::HandOver, _) => format!("`{address}` is handed over"),
            (Kind::Judge, _) => format!("it is known whether `{address}` is replaced"),
            (Kind::Note, _) => format!("`{address}` is recorded"),
            (Kind::Read, _) => format!("`{address}` is read"),
        }
    }

    fn hint(&self, circle: &[usize]) -> String {
        let forced = circle.iter().map(|index| &self.list[*index].address);
        if let Some(forced) = forced.clone().find(|a| self.is_create_first(a) && self.must_create_first(a)) {
            return format!("take `.delete_before_replace(false)` of `{forced}` away");
        }
        if let Some((new, old)) = self.handed_over(circle) {
            let old_path = old.path();
            return format!(
                "if `{new}` is `{old}` under another address, say `.moved_from(\"{old_path}\")`; else give it another name"
            );
        }
        if forced.clone().all(|address| self.is(address, &Op::Update)) {
            return "give one of them a name that none has, apply that, and then the one that it is to have".to_owned();
        }
        "leave one of these changes out, apply the others, and then make it".to_owned()
    }
}

fn reached(from: Option<usize>, next: impl Fn(usize) -> Vec<usize>) -> BTreeSet<usize> {
    let mut seen = BTreeSet::new();
    let mut waiting: Vec<usize> = from.into_iter().collect();
    while let Some(index) = waiting.pop() {
        if seen.insert(index) {
            waiting.extend(next(index));
        }
    }
    seen
}

//! Programs that no order of calls can bring about, and the way out of them: reasoned from program, state and the cloud's
//! rules, whatever the engine says.

use std::collections::{BTreeMap, BTreeSet};

use platform_sdk::{
    desired::Address,
    state::{Reading, ResourceState},
};

use crate::{
    program::{address, declared, name_of},
    rules::Kind,
    scenario::{Item, Spec, Text},
};

/// A program beside the state that it meets.
pub(crate) struct Meeting<'a> {
    items: BTreeMap<u8, &'a Item>,
    state: BTreeMap<String, &'a ResourceState>,
}

impl<'a> Meeting<'a> {
    pub(crate) fn of(spec: &'a Spec, reading: &'a Reading) -> Self {
        let resources = reading.snapshot.resources.values();
        let state = resources.map(|state| (state.address.to_string(), &**state)).collect();
        Self { items: declared(spec), state }
    }

    /// What says that it was moved from an address, where state has both: nobody can know which of them it is.
    pub(crate) fn doubtful_moves(&self) -> Vec<u8> {
        let moved = |(_, item): &(&u8, &&Item)| {
            let (at, mut from) = (address(item.kind, item.path), origins(item));
            let leaves = self.items.values().any(|other| origins(other).any(|from| from == at));
            self.state.contains_key(&at) && !leaves && from.any(|from| self.state.contains_key(&from))
        };
        self.items.iter().filter(moved).map(|(slot, _)| *slot).collect()
    }

    /// What state has of an item, perhaps under an old address.
    fn had(&self, item: &Item) -> Option<&'a ResourceState> {
        let mut at = std::iter::once(address(item.kind, item.path)).chain(origins(item));
        at.find_map(|at| self.state.get(&at).copied())
    }

    /// What the program has dropped.
    fn dropped(&self) -> impl Iterator<Item = &'a ResourceState> {
        let kept: BTreeSet<&str> =
            self.items.values().filter_map(|item| self.had(item)).map(|state| state.address.as_str()).collect();
        self.state.values().copied().filter(move |state| !kept.contains(state.address.as_str()))
    }

    /// New items that need the name of something that the program has dropped, and that is to be retained, or can't end
    /// before something that stays has let go of it; that one waits for the new item. With the address of the dropped one.
    pub(crate) fn handed_over(&self) -> Vec<(u8, &'a str)> {
        self.late_names(|item| self.had(item).is_none())
    }

    /// Items that had another name until now, and need one in the same way.
    pub(crate) fn taken_over(&self) -> Vec<u8> {
        let renamed = self.late_names(|item| self.had(item).is_some_and(|had| !self.same_key(item, had)));
        renamed.into_iter().map(|(slot, _)| slot).collect()
    }

    fn late_names(&self, of: impl Fn(&Item) -> bool) -> Vec<(u8, &'a str)> {
        let takers = self.items.iter().filter(|(_, item)| of(item));
        let retained = |old: &ResourceState| old.options.retain_on_delete;
        let pairs = takers.flat_map(|(slot, item)| {
            let old = self.dropped().filter(move |old| self.same_key(item, old));
            old.map(move |old| (*slot, old))
        });
        let stuck = |(slot, old): &(u8, &'a ResourceState)| {
            let ends = self.ends_with(old);
            retained(old)
                || self.items.iter().any(|(at, item)| self.lets_go_late(item, &ends) && self.needs(*at).contains(slot))
        };
        pairs.filter(stuck).map(|(slot, old)| (slot, old.address.as_str())).collect()
    }

    fn same_key(&self, item: &Item, old: &ResourceState) -> bool {
        let same_kind = Kind::of_type(old.address.type_name()) == Some(item.kind) && !item.kind.key().is_empty();
        let named = old.inputs.get("name").and_then(|name| name.as_str()) == Some(&*name_of(item));
        same_kind && named && (item.kind.place().is_none() || self.same_place(item, old))
    }

    /// In the same place, or in one that has taken the name of the old one.
    fn same_place(&self, item: &Item, old: &ResourceState) -> bool {
        let (Some(new), Some(was)) = (self.items.get(&item.place), place_of(old)) else { return false };
        match self.had(new) {
            Some(state) => state.address.as_str() == was,
            None => self.state.get(was).is_some_and(|was| self.same_key(new, was)),
        }
    }

    /// The addresses of what has to end before this does: what is in it, and what is dropped and refers to it.
    fn ends_with(&self, old: &'a ResourceState) -> BTreeSet<&'a str> {
        let dropped: BTreeSet<&str> = self.dropped().map(|state| state.address.as_str()).collect();
        let mut ends = BTreeSet::from([old.address.as_str()]);
        loop {
            let count = ends.len();
            for state in self.state.values() {
                let refers = state.dependencies.iter().any(|of| ends.contains(of.as_str()));
                let inside = place_of(state).is_some_and(|place| ends.contains(place));
                if inside || refers && dropped.contains(state.address.as_str()) {
                    ends.insert(state.address.as_str());
                }
            }
            if ends.len() == count {
                return ends;
            }
        }
    }

    /// Whether an item has referred to what ends and lets go of it by a change of itself, and not by its own end.
    fn lets_go_late(&self, item: &Item, ends: &BTreeSet<&str>) -> bool {
        let Some(state) = self.had(item) else { return false };
        let ends_too = |field: &str| ["area", "site", "about", "triggers"].contains(&field);
        let refers = |at: &str| state.dependencies.iter().any(|of| of.as_str() == at);
        let replaced = |at: &str| {
            let mut fields = state.references.iter().filter(|(_, reference)| reference.to.as_str() == at);
            place_of(state) == Some(at)
                || fields.any(|(path, _)| ends_too(path.split(['.', '[']).next().unwrap_or(path)))
        };
        let made_first = item.options.delete_first == Some(false);
        ends.iter().any(|at| refers(at) && (made_first || !replaced(at)))
    }

    /// Everything that an item needs, directly or not, as the program says.
    fn needs(&self, slot: u8) -> BTreeSet<u8> {
        let mut needs = BTreeSet::new();
        let mut waiting = vec![slot];
        while let Some(at) = waiting.pop() {
            let Some(item) = self.items.get(&at) else { continue };
            let text = |text: Text| match text {
                Text::Serial(of) | Text::Id(of) => Some(of),
                Text::Unset | Text::Plain(_) => None,
            };
            let placed = item.kind.place().is_some() || item.kind == Kind::Data && item.grade > 0;
            let all = [
                placed.then_some(item.place),
                text(item.text),
                text(item.about),
                item.lock,
                item.options.depends_on,
                item.options.deleted_with,
            ];
            let all = all.into_iter().flatten().filter(|of| *of < at);
            waiting.extend(all.filter(|of| needs.insert(*of)));
        }
        needs
    }

    /// Things that stay and are to have each other's names, round in a circle, of which one can't end in between.
    pub(crate) fn swapped_names(&self) -> Vec<u8> {
        let next = |slot: u8| {
            let item = self.items.get(&slot)?;
            let (mine, mut others) = (self.had(item)?, self.items.iter());
            let of = |other: &Item| self.had(other).filter(|had| !std::ptr::eq(*had, mine));
            let holder = others.find(|(_, other)| of(other).is_some_and(|had| self.same_key(item, had)));
            holder.map(|(slot, _)| *slot)
        };
        let stays = |slot: &u8| {
            let item = self.items.get(slot);
            item.is_some_and(|item| item.kind == Kind::Area || item.options.delete_first == Some(false))
        };
        let in_circle = |slot: &u8| {
            let circle = std::iter::successors(next(*slot), |at| next(*at)).take(self.items.len());
            circle.into_iter().any(|at| at == *slot)
        };
        self.items.keys().copied().filter(|slot| stays(slot) && in_circle(slot)).collect()
    }
}

/// The address of what it lies in.
fn place_of(state: &ResourceState) -> Option<&str> {
    state.parents.iter().chain(&state.provider.of).next().map(Address::as_str)
}

/// The addresses that it is said to have had.
fn origins(item: &Item) -> impl Iterator<Item = String> {
    item.options.moved_from.iter().map(|from| address(item.kind, *from))
}

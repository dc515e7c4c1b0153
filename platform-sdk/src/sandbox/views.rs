//! Views of the world that readers get under faults: as it was, or without what has not landed yet.

use std::{collections::VecDeque, sync::Arc};

use serde_json::Value;

use super::World;

/// How many past worlds are kept. They share their documents, so the bound is about old documents, not about maps.
const KEPT: usize = 512;

/// Past worlds, and effects that readers don't see yet.
#[derive(Debug, Default)]
pub(super) struct Views {
    past: VecDeque<World>,
    late: Vec<Late>,
}

/// A document whose last change readers don't see until `lands_ms`.
#[derive(Debug)]
struct Late {
    lands_ms: u64,
    key: Arc<str>,
    was: Option<Arc<Value>>,
}

impl Views {
    /// Remembers the world that a transaction is about to replace.
    pub(super) fn replaced(&mut self, before: &World, after: &World, late_ms: Option<u64>) {
        if self.past.len() == KEPT {
            self.past.pop_front();
        }
        self.past.push_back(before.clone());
        match late_ms {
            Some(late_ms) => self.late.extend(after.changes().map(|(key, _)| Late {
                lands_ms: after.now_ms() + late_ms,
                key: Arc::clone(key),
                was: before.shared(key).cloned(),
            })),
            // What was written on time is seen at once, and with it all that went before.
            None => self.late.retain(|late| after.changes().all(|(key, _)| *key != late.key)),
        }
    }

    /// The newest world that was there at this time.
    pub(super) fn as_of(&self, now: &World, at_ms: u64) -> World {
        // `now_ms` of a world is the time of the transaction that made it.
        let known = self.past.iter().rev().find(|world| world.now_ms() <= at_ms);
        match known.or(self.past.front()) {
            Some(past) if now.now_ms() > at_ms => past.clone(),
            _ => now.clone(),
        }
    }

    /// The world without what has not landed yet, if there is such a thing.
    pub(super) fn as_landed(&mut self, now: &World, now_ms: u64) -> Option<World> {
        self.late.retain(|late| late.lands_ms > now_ms);
        if self.late.is_empty() {
            return None;
        }
        let mut view = now.clone();
        // Backwards, so that of two late changes of one document the reader sees what was before both.
        for late in self.late.iter().rev() {
            view.set(&late.key, late.was.clone());
        }
        Some(view)
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

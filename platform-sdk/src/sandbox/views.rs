//! Views of the world that readers get under faults: as it was, or without what has not landed yet.

use std::collections::VecDeque;

use super::{World, world::Before};

/// How many past transactions are kept.
const KEPT: usize = 1_024;

/// What past transactions changed, and effects that readers don't see yet.
#[derive(Debug, Default)]
pub(super) struct Views {
    past: VecDeque<Past>,
    late: Vec<Late>,
}

/// What was there before a transaction.
#[derive(Debug)]
struct Past {
    changed_ms: u64,
    before: Before,
}

/// Documents whose last change readers don't see until `lands_ms`.
#[derive(Debug)]
struct Late {
    lands_ms: u64,
    before: Before,
}

impl Views {
    /// Remembers what a transaction changed, and whether readers see it only later.
    pub(super) fn committed(&mut self, changed_ms: u64, before: Before, late_ms: Option<u64>) {
        match late_ms {
            Some(late_ms) => self.late.push(Late { lands_ms: changed_ms + late_ms, before: before.clone() }),
            // What was written on time is seen at once, and with it all that went before.
            None => {
                for late in &mut self.late {
                    late.before.retain(|key, _| !before.contains_key(key));
                }
            }
        }
        if self.past.len() == KEPT {
            self.past.pop_front();
        }
        self.past.push_back(Past { changed_ms, before });
    }

    /// The world as it was at this time, or as far back as is remembered.
    pub(super) fn as_of(&self, now: &World, at_ms: u64) -> World {
        let mut view = now.clone();
        for past in self.past.iter().rev().take_while(|past| past.changed_ms > at_ms) {
            view.restore(&past.before);
        }
        view
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
            view.restore(&late.before);
        }
        Some(view)
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

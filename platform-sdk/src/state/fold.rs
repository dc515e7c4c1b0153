//! Folding: what a snapshot and the records after it amount to. Total, so that every prefix of a journal is a state.

use super::{OpenIntent, Record, Snapshot};

/// A snapshot with some records applied, and the intents that they left open.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Folded {
    /// What is owned.
    pub snapshot: Snapshot,
    /// What was asked and not answered, oldest first.
    pub open: Vec<OpenIntent>,
}

impl Folded {
    /// Applies the next record.
    pub fn apply(&mut self, record: Record) {
        if let Record::Outcome { effects, .. } = &record {
            for effect in effects {
                self.snapshot.apply(effect);
            }
        }
        match record {
            Record::Identity(kind, scope, id) => {
                self.snapshot.identities.entry(kind).or_default().insert(scope, id);
            }
            Record::Exports(exports) => self.snapshot.exports = exports,
            Record::Lookups(lookups) => self.snapshot.lookups = lookups,
            record => note(&mut self.open, record),
        }
    }
}

/// Opens and closes intents as a record says.
pub(super) fn note(open: &mut Vec<OpenIntent>, record: Record) {
    match record {
        Record::Intent(intent) => open.push(OpenIntent { intent: *intent, created: None }),
        Record::Created { intent, id } => {
            if let Some(open) = open.iter_mut().find(|open| open.intent.id == intent) {
                open.created = Some(id);
            }
        }
        Record::Outcome { intent: Some(intent), .. } => open.retain(|open| open.intent.id != intent),
        Record::Outcome { intent: None, .. } | Record::Identity(..) | Record::Exports(_) | Record::Lookups(_) => {}
    }
}

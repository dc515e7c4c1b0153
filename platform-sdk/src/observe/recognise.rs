//! Recognising: which of the objects that carry a natural key or a mark is the one that an unanswered request made.

use std::time::Duration;

use crate::{
    program::{Identity, Operation},
    provider::{ErrorKind, Found, ProviderError},
    state::Intent,
};

/// How long a step is kept trying before its failure is final, unless the program bounds it.
pub(crate) const PATIENCE: Duration = Duration::from_mins(20);

/// How far the clocks of this machine and of a service may be apart.
const SKEW: Duration = Duration::from_mins(5);

/// What the objects that were found say about an unanswered create.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Recognised<'f> {
    /// This one is ours.
    Ours(&'f Found),
    /// There is none that was not there before.
    Nobody,
    /// There are new ones, and none of them can be told to be ours.
    Strangers(Vec<&'f Found>),
}

/// Finds the one object that is ours: it carries the intent's mark, or it was absent before the intent and whatever the
/// service says of its making fits.
pub(crate) fn recognise<'f>(identity: Identity, found: &'f [Found], intent: &Intent) -> Recognised<'f> {
    match identity {
        Identity::Mark(_) => {
            // Who copies an object copies its mark: the first that was made with it is the original.
            let marked = found.iter().filter(|found| is_new(found, intent) && carries_mark(found, intent));
            marked.min_by_key(|found| found.created_at_ms).map_or(Recognised::Nobody, Recognised::Ours)
        }
        Identity::Key | Identity::ListDifference => {
            let new: Vec<&Found> = found.iter().filter(|found| is_new(found, intent)).collect();
            let fitting: Vec<&Found> = new.iter().copied().filter(|found| fits(found, intent)).collect();
            match (new.as_slice(), fitting.as_slice(), identity) {
                ([], ..) | (_, [], Identity::ListDifference) => Recognised::Nobody,
                (_, [one], _) => Recognised::Ours(one),
                _ => Recognised::Strangers(new),
            }
        }
    }
}

/// The object under its new key, after an update that gives it one and that was not answered.
pub(crate) fn renamed<'f>(found: &'f [Found], intent: &Intent) -> Option<&'f Found> {
    let mut new = found.iter().filter(|found| is_new(found, intent));
    new.next().filter(|_| new.next().is_none())
}

fn is_new(found: &Found, intent: &Intent) -> bool {
    intent.found_before.iter().all(|old| old.id != found.id)
}

fn carries_mark(found: &Found, intent: &Intent) -> bool {
    found.mark.as_deref().and_then(|mark| mark.rsplit('/').next()) == Some(intent.id.as_str())
}

/// Whether time and maker are those of the intent. What the service or the intent does not say speaks against nobody.
fn fits(found: &Found, intent: &Intent) -> bool {
    // The request may have been sent for as long as the step was kept trying, and not after that.
    let bound = intent.target.options.timeout(Operation::Create).unwrap_or(PATIENCE);
    let earliest = intent.at_ms.saturating_sub(millis(SKEW));
    let latest = intent.at_ms.saturating_add(millis(bound + SKEW));
    let in_time = found.created_at_ms.is_none_or(|made| intent.at_ms == 0 || (earliest..=latest).contains(&made));
    let by_us = match (&found.created_by, &intent.by) {
        (Some(maker), Some(us)) => maker == us,
        _ => true,
    };
    in_time && by_us
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Whether a failed request may have had its effect.
pub(crate) fn may_have_happened(error: &ProviderError) -> bool {
    matches!(error.kind, ErrorKind::Ambiguous | ErrorKind::TimedOut)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desired::{Address, Addresses, Tree},
        program::Options,
        state::{IntentOp, ProviderState, ResourceState, Status},
    };

    const NOON: u64 = 1_700_000_000_000;
    const HOUR: u64 = 60 * 60 * 1000;

    fn intent(before: &[&str]) -> Intent {
        Intent {
            id: "0a".repeat(8),
            op: IntentOp::Create,
            target: target(),
            found_before: before.iter().map(|id| Found::id(*id)).collect(),
            pending_delete: false,
            replaces: false,
            at_ms: NOON,
            by: Some("ana".to_owned()),
        }
    }

    fn target() -> ResourceState {
        ResourceState {
            address: Address::new("test:Room", "lab").expect("an address"),
            id: String::new(),
            provider: ProviderState { kind: "test".to_owned(), config: serde_json::Value::Null, of: Addresses::new() }
                .into(),
            scope: None,
            schema_version: 1,
            inputs: Tree::default(),
            references: crate::desired::Entries::new(),
            outputs: Tree::default(),
            dependencies: Addresses::new(),
            parents: Addresses::new(),
            options: Options::default().into(),
            status: Status::Whole,
            unset: None,
        }
    }

    fn made(id: &str, at: u64, by: &str) -> Found {
        Found { created_at_ms: Some(at), created_by: Some(by.to_owned()), ..Found::id(id) }
    }

    #[test]
    fn by_key_it_must_be_new_made_by_us_and_in_time() {
        let of = |found: &Found, before: &[&str]| {
            matches!(recognise(Identity::Key, std::slice::from_ref(found), &intent(before)), Recognised::Ours(_))
        };
        assert!(of(&made("lab", NOON + 10, "ana"), &[]));
        assert!(of(&made("lab", NOON - 60_000, "ana"), &[]), "clocks differ by a little");
        assert!(of(&Found::id("lab"), &[]), "a service that says nothing of it");
        assert!(!of(&made("lab", NOON + 10, "ana"), &["lab"]), "it was there before");
        assert!(!of(&made("lab", NOON + 10, "bob"), &[]), "somebody else made it");
        assert!(!of(&made("lab", NOON + HOUR, "ana"), &[]), "made long after the request");
        assert!(!of(&made("lab", NOON - HOUR, "ana"), &[]), "made long before, and not seen then");
    }

    #[test]
    fn by_mark_the_first_that_carries_it_is_the_original() {
        let marked =
            |id: &str, at: u64| Found { mark: Some(format!("0000/{}", "0a".repeat(8))), ..made(id, at, "bob") };
        let found = [made("other", NOON, "ana"), marked("copy", NOON + HOUR), marked("original", NOON)];
        assert_eq!(recognise(Identity::Mark("mark"), &found, &intent(&[])), Recognised::Ours(&found[2]));
        assert_eq!(recognise(Identity::Mark("mark"), &found[..1], &intent(&[])), Recognised::Nobody);
    }

    #[test]
    fn by_difference_two_that_fit_are_nobodys() {
        let found = [made("old", NOON - HOUR, "ana"), made("a", NOON + 1, "ana"), made("b", NOON + 2, "ana")];
        assert_eq!(recognise(Identity::ListDifference, &found[..2], &intent(&["old"])), Recognised::Ours(&found[1]));
        let both = recognise(Identity::ListDifference, &found, &intent(&["old"]));
        assert_eq!(both, Recognised::Strangers(vec![&found[1], &found[2]]));
        let theirs = [made("c", NOON + 1, "bob")];
        assert_eq!(recognise(Identity::ListDifference, &theirs, &intent(&[])), Recognised::Nobody);
    }
}

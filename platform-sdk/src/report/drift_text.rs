//! Drift as a person reads it: what reality differs in from state, and what else was changed.

use super::{
    escape::clean,
    plan_text::{Page, View, no_key},
    style::Meaning,
};
use crate::plan::{Op, Sealed, Step, Unmanaged};

/// What reality differs in from state, as text: changes read from state to reality.
pub(super) fn drift_view(
    (steps, unmanaged): (&[Step], &[Unmanaged]),
    (keyless, sealed): (Option<&str>, &[Sealed]),
    (accepted, complete): (bool, bool),
    view: View,
) -> String {
    let page = Page::of(view);
    let mut text: String = steps.iter().map(|step| drifted(page, step)).collect();
    text.extend(unmanaged.iter().map(|of| beside(page, of)));
    if let Some(why) = keyless {
        let air = if text.is_empty() { "" } else { "\n" };
        let note = page.paint.paint(Meaning::Changed, &clean(&no_key(why)));
        let sealed = page.sealed(sealed);
        text.push_str(&[air, &note, if sealed.is_empty() { "\n" } else { "\n\n" }, &sealed].concat());
    }
    if !text.is_empty() {
        text.push('\n');
    }
    let (all_compared, is_managed) = (complete && sealed.is_empty(), unmanaged.is_empty());
    text + &end(steps, accepted, (all_compared, is_managed)) + &end_of_unmanaged(unmanaged.len(), accepted)
}

fn drifted(page: Page, step: &Step) -> String {
    let gone = step.op == Op::Delete;
    let meaning = if gone { Meaning::Bad } else { Meaning::Changed };
    let (sign, phrase) = if gone { ("-", "gone") } else { ("~", "changed") };
    let reasons = if gone || step.reasons.is_empty() {
        String::new()
    } else {
        page.paint.paint(Meaning::Aside, &format!("  ({})", step.reasons.join("; ")))
    };
    let (sign, phrase) = (page.paint.paint(meaning, sign), page.paint.paint(meaning, phrase));
    format!("{sign} {}  {phrase}{reasons}\n{}", step.address, page.changes().differing(&step.changes))
}

fn beside(page: Page, of: &Unmanaged) -> String {
    let (sign, phrase) = (page.paint.paint(Meaning::Aside, "*"), page.paint.paint(Meaning::Aside, "unmanaged"));
    format!("{sign} {}  {phrase}\n{}", of.address, page.changes().unmanaged(&of.changes))
}

fn end(steps: &[Step], accepted: bool, (complete, is_managed): (bool, bool)) -> String {
    let back = steps.iter().all(|step| step.op == Op::Delete || step.reasons.is_empty());
    let (what, it) = match steps.len() {
        0 if complete && is_managed => return "No drift. Reality is what state says.\n".to_owned(),
        0 if complete => return "No drift in what the program sets.\n".to_owned(),
        0 => return "No drift in what could be compared.\n".to_owned(),
        1 => ("1 resource was".to_owned(), "it"),
        many => (format!("{many} resources were"), "them"),
    };
    let end = match (accepted, back) {
        (true, _) => "state says so now".to_owned(),
        (false, true) => format!("`up` takes {it} back"),
        (false, false) => format!("`plan` shows what becomes of {it}"),
    };
    format!("{what} changed behind the program's back; {end}.\n")
}

fn end_of_unmanaged(count: usize, accepted: bool) -> String {
    let what = match count {
        0 => return String::new(),
        1 => "1 resource was".to_owned(),
        many => format!("{many} resources were"),
    };
    let end = if accepted { "state takes it as it is now" } else { "`up` leaves that as it is" };
    format!("{what} changed in what the program does not set; {end}.\n")
}

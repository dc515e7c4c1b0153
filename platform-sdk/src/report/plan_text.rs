//! The plan as a person reads it: one block a step, changed fields only; the same plan gives the same bytes.

use std::collections::BTreeMap;

use super::{
    change_text::{COLUMNS, Changes},
    diagnostic_text::diagnostic_lines,
    escape::{clean, clean_lines},
    style::{Meaning, Paint, ansi},
    values::{UNFOLD, count},
    words,
};
use crate::{
    plan::{ChangeKind, Op, Plan, Sealed, Step},
    report::Diagnostic,
};

/// How a report is to look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct View {
    /// With colours.
    pub colour: bool,
    /// With what stays as it is.
    pub verbose: bool,
    /// With long values folded: for a terminal, where `-v` unfolds them. Whatever is to be reviewed is whole.
    pub folded: bool,
    /// For a terminal of so many columns.
    pub columns: Option<usize>,
}

/// Things taken along that are listed before the rest is folded.
const MOST_TAKEN: usize = 20;

/// The whole plan as plain text, ending in a line feed: what a pipe and a test get.
pub fn plan_text(plan: &Plan) -> String {
    plan_view(plan, View::default())
}

/// The plan as text that looks as `view` says.
pub fn plan_view(plan: &Plan, view: View) -> String {
    ansi(&plan_pieces(plan, view).collect::<String>())
}

/// The same piece by piece, with marks for colours: the text of a large plan is about as large as the plan itself.
pub(super) fn plan_pieces(plan: &Plan, view: View) -> impl Iterator<Item = String> {
    let page = Page::of(view);
    let after =
        [page.costs(plan), page.exports(plan), page.sealed(&plan.sealed), page.warnings(plan), page.summary(plan)];
    let after = after.into_iter().filter(|section| !section.is_empty()).map(|section| format!("\n{section}"));
    std::iter::once(page.heading(plan)).chain(page.steps(plan)).chain(after)
}

/// A plan in the pieces that a page arranges.
pub(super) struct Blocks {
    /// Each step that does something: its first line, and what stands below it.
    pub(super) steps: Vec<(String, String)>,
    /// Compute, outputs and warnings, where there are any.
    pub(super) sections: Vec<String>,
    /// What is lost with it, and how to agree.
    pub(super) loss: String,
}

/// The plan in pieces.
pub(super) fn blocks(plan: &Plan, view: View) -> Blocks {
    let page = Page::of(view);
    let steps = plan.changes().map(|step| (page.step_head(step), page.step_body(step))).collect();
    let mut sections = vec![page.costs(plan), page.exports(plan), page.sealed(&plan.sealed), page.warnings(plan)];
    sections.retain(|section| !section.is_empty());
    Blocks { steps, sections, loss: page.loss(plan) }
}

#[derive(Clone, Copy)]
pub(super) struct Page {
    pub(super) paint: Paint,
    verbose: bool,
    folded: bool,
    columns: usize,
}

impl Page {
    pub(super) fn of(view: View) -> Self {
        let View { colour, verbose, folded, columns } = view;
        Self { paint: Paint { colour }, verbose, folded, columns: columns.unwrap_or(COLUMNS) }
    }

    pub(super) fn changes(self) -> Changes {
        Changes { paint: self.paint, whole: !self.folded, indent: 4, columns: self.columns }
    }

    fn heading(self, plan: &Plan) -> String {
        let title = format!("Stack {} of {}", plan.stack, plan.project);
        let mut text = format!("{}\n", self.paint.paint(Meaning::Heading, &title));
        let offline = plan.offline.as_ref().map(|reason| format!("Reality was not read: {reason}"));
        let keyless = plan.keyless.as_deref().map(no_key);
        for note in offline.into_iter().chain(keyless) {
            for line in note.lines() {
                text.push_str(&self.paint.paint(Meaning::Changed, &clean(line)));
                text.push('\n');
            }
        }
        text
    }

    fn steps(self, plan: &Plan) -> impl Iterator<Item = String> {
        let steps = plan.steps.iter().filter(move |step| self.verbose || step.op != Op::Keep);
        // Steps of one line each stand together; a step with a body has air around it, and so has the first.
        steps.scan(true, move |roomy, step| {
            let (head, body) = (self.step_head(step), self.step_body(step));
            let air = if *roomy || !body.is_empty() { "\n" } else { "" };
            *roomy = !body.is_empty();
            Some([air, &head, &body].concat())
        })
    }

    fn step_head(self, step: &Step) -> String {
        let meaning = words::meaning(&step.op);
        let (sign, phrase) = (step.op.sign(), words::phrase(&step.op));
        let mut head =
            format!("{} {}  {}", self.paint.paint(meaning, sign), step.address, self.paint.paint(meaning, &phrase));
        if let Some(reason) = self.reason_beside(step) {
            head.push_str(&self.paint.paint(Meaning::Aside, &format!("  ({})", clean(reason))));
        }
        head.push('\n');
        head
    }

    fn step_body(self, step: &Step) -> String {
        let mut body = String::new();
        let mut line = |meaning, text: &str| {
            body.push_str("    ");
            body.push_str(&self.paint.paint(meaning, &clean(text)));
            body.push('\n');
        };
        if let Some(condition) = &step.condition {
            line(Meaning::Changed, &format!("if {condition}"));
        }
        if self.reason_beside(step).is_none() {
            step.reasons.iter().for_each(|reason| line(Meaning::Aside, &format!("# {reason}")));
        }
        step.effect.iter().for_each(|effect| line(Meaning::Changed, effect));
        step.destroys.iter().for_each(|lost| line(Meaning::Bad, &format!("destroys {lost}")));
        let shown = if self.folded { MOST_TAKEN } else { step.takes_along.len() };
        step.takes_along.iter().take(shown).for_each(|taken| line(Meaning::Bad, &format!("takes along {taken}")));
        if step.takes_along.len() > shown {
            line(Meaning::Bad, &format!("takes along {} more; {UNFOLD}", step.takes_along.len() - shown));
        }
        let changes = self.changes();
        body + &match &step.op {
            Op::Create | Op::Read => changes.set(&step.changes),
            Op::Adopt | Op::Update | Op::Replace { .. } | Op::Move { .. } | Op::Options | Op::Keep => {
                changes.differing(&step.changes)
            }
            Op::Delete | Op::Forget => String::new(),
        }
    }

    fn costs(self, plan: &Plan) -> String {
        let width = plan.costs.iter().map(|cost| count(cost.address.as_str())).max().unwrap_or(0);
        let line = |cost: &crate::plan::Cost| format!("  {:width$}  {}\n", cost.address.as_str(), clean(&cost.what));
        self.section("Compute", plan.costs.iter().map(line).collect())
    }

    fn exports(self, plan: &Plan) -> String {
        let changes = self.changes();
        let line = |change: &crate::plan::Change| {
            let (sign, meaning, rows) = match change.kind {
                ChangeKind::Add => ("+", Meaning::Good, changes.set(std::slice::from_ref(change))),
                ChangeKind::Remove => ("-", Meaning::Bad, format!("    {}\n", clean(&change.path))),
                ChangeKind::Change | ChangeKind::Drift | ChangeKind::Release => {
                    ("~", Meaning::Changed, changes.differing(std::slice::from_ref(change)))
                }
            };
            // The sign takes the place of the first line's indentation.
            format!("  {} {}", self.paint.paint(meaning, sign), rows.trim_start())
        };
        self.section("Outputs", plan.exports.iter().map(line).collect())
    }

    fn warnings(self, plan: &Plan) -> String {
        let one = |warning: &Diagnostic| diagnostic_lines(&cleaned(warning), self.paint, None) + "\n";
        plan.warnings.iter().map(one).collect()
    }

    /// One line for each resource, and one for the outputs.
    pub(super) fn sealed(self, sealed: &[Sealed]) -> String {
        self.section("Secret, not compared", sealed_lines(sealed))
    }

    fn section(self, title: &str, body: String) -> String {
        if body.is_empty() { body } else { format!("{}\n{body}", self.paint.paint(Meaning::Heading, title)) }
    }

    fn summary(self, plan: &Plan) -> String {
        self.paint.paint(Meaning::Heading, &summary_line(plan)) + "\n" + &self.loss(plan)
    }

    fn loss(self, plan: &Plan) -> String {
        let loses = |step: &&Step| !step.destroys.is_empty() || !step.takes_along.is_empty();
        let losing: Vec<&str> = plan.changes().filter(loses).map(|step| step.address.as_str()).collect();
        if losing.is_empty() {
            return String::new();
        }
        let mut lost = format!("Data is lost with {}", losing.join(", "));
        if count(&lost) > self.columns {
            lost = format!("Data is lost with {} resources", losing.len());
        }
        lost.push_str("; --allow-data-loss ADDRESS consents to it.");
        self.paint.paint(Meaning::Bad, &lost) + "\n"
    }

    /// A single short reason stands beside its step, others below it.
    fn reason_beside(self, step: &Step) -> Option<&str> {
        match step.reasons.as_slice() {
            [reason] => {
                let head = count(step.address.as_str()) + count(&words::phrase(&step.op)) + 8;
                (head + count(reason) <= self.columns).then_some(reason)
            }
            _ => None,
        }
    }
}

/// A warning as a plan shows it: the same text wherever it is shown.
fn cleaned(warning: &Diagnostic) -> Diagnostic {
    let clean = |text: &Option<String>| text.as_deref().map(clean_lines);
    let (detail, hint, at) = (clean(&warning.detail), clean(&warning.hint), clean(&warning.at));
    Diagnostic { summary: clean_lines(&warning.summary), detail, hint, at, ..warning.clone() }
}

pub(super) fn no_key(why: &str) -> String {
    format!("There is no key to the secrets: {why}")
}

/// `  databricks:Job::load: tasks[load].password`, a line for each resource.
fn sealed_lines(sealed: &[Sealed]) -> String {
    let mut by_place: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for Sealed { address, path } in sealed {
        let place = address.as_ref().map_or_else(|| "outputs".to_owned(), ToString::to_string);
        by_place.entry(place).or_default().push(clean(path));
    }
    let lines = by_place.into_iter().map(|(place, paths)| format!("  {place}: {}\n", paths.join(", ")));
    lines.collect::<Vec<_>>().concat()
}

/// The plan in one line: `Plan: 3 to create, 1 to update.`
pub(super) fn summary_line(plan: &Plan) -> String {
    let steps = words::to_do(&plan.summary);
    if !steps.is_empty() {
        return format!("Plan: {steps}.");
    }
    if !plan.exports.is_empty() {
        return "Plan: only outputs change.".to_owned();
    }
    match &plan.offline {
        _ if !plan.sealed.is_empty() => "No changes in what could be compared; secrets were not.".to_owned(),
        Some(_) => "No changes against what was last applied.".to_owned(),
        None if plan.warnings.is_empty() => "No changes. The platform is what the program says.".to_owned(),
        None => "No changes beside what the warnings say.".to_owned(),
    }
}

//! A run as it happens: a live tree with elapsed times on a terminal, one plain line for each event elsewhere.

use std::{collections::BTreeMap, time::Duration};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{
    escape::one_line,
    style::{Meaning, Paint, for_terminal},
    values::count,
    words,
    wrap::wrapped,
};
use crate::{
    desired::Address,
    plan::{Op, Summary},
    provider::Changed,
};

/// The columns of a terminal that does not say.
const COLUMNS: usize = 80;

/// Columns of a branch beside its words: its sign and its clock.
const AROUND: usize = 12;

/// How often the tree's clocks move.
const TICK: Duration = Duration::from_millis(120);

/// A line for a finished step: without times off a terminal, so that the same run writes the same words.
pub(super) fn finished_line(
    address: &Address,
    op: &Op,
    (outcome, changed): (Outcome, Changed),
    paint: Paint,
    took: Option<Duration>,
) -> String {
    let (meaning, what) = match outcome {
        Outcome::Done => (Meaning::Good, words::done(op).to_owned()),
        Outcome::Failed => (Meaning::Bad, words::failed(op)),
        Outcome::Skipped => (Meaning::Changed, "skipped, because of what failed before it".to_owned()),
    };
    let what = what + &words::all_the_same(changed);
    let time = took.filter(|_| outcome != Outcome::Skipped).map(|took| format!(" ({})", elapsed(took)));
    let time = paint.paint(Meaning::Aside, &time.unwrap_or_default());
    format!("{address}: {}{time}", paint.paint(meaning, &what))
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    Failed,
    Skipped,
}

/// The last line of a run.
pub(super) fn done_line(ok: bool, summary: &Summary, paint: Paint, took: Option<Duration>) -> String {
    let counted = words::was_done(summary);
    let counted = if counted.is_empty() { "nothing was changed".to_owned() } else { counted };
    let time = took.map(|took| format!(" in {}", elapsed(took))).unwrap_or_default();
    let (meaning, word) = if ok { (Meaning::Good, "Done") } else { (Meaning::Bad, "Not finished") };
    format!("{}: {counted}{time}.", paint.paint(meaning, word))
}

/// `0.1s`, `42s`, `3m05s`.
pub(super) fn elapsed(took: Duration) -> String {
    match took.as_secs() {
        0..=9 => format!("{:.1}s", took.as_secs_f64()),
        seconds @ 10..=59 => format!("{seconds}s"),
        seconds => format!("{}m{:02}s", seconds / 60, seconds % 60),
    }
}

/// The live tree: a head that counts, and a branch for each running step.
pub(super) struct Live {
    tree: MultiProgress,
    head: ProgressBar,
    branches: BTreeMap<Address, Branch>,
    paint: Paint,
    columns: usize,
}

struct Branch {
    bar: ProgressBar,
    label: String,
    width: usize,
}

impl Live {
    /// Starts drawing on stderr.
    pub(super) fn start(steps: usize, paint: Paint, columns: Option<usize>) -> Self {
        let tree = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let head = tree.add(ProgressBar::new(u64::try_from(steps).unwrap_or(u64::MAX)));
        head.set_style(style("{spinner} {pos}/{len} steps {elapsed}"));
        head.enable_steady_tick(TICK);
        Self { tree, head, branches: BTreeMap::new(), paint, columns: columns.unwrap_or(COLUMNS) }
    }

    pub(super) fn step_started(&mut self, address: &Address, op: &Op) {
        let sign = self.paint.paint(words::meaning(op), op.sign());
        let label = self.shown(&format!("{sign} {address}: {}", words::doing(op)));
        let bar = self.tree.add(ProgressBar::new_spinner());
        bar.set_style(style("  ├─ {msg} {elapsed}"));
        bar.set_message(label.clone());
        bar.enable_steady_tick(TICK);
        let width = count(address.as_str()) + count(words::doing(op)) + 6;
        self.branches.insert(address.clone(), Branch { bar, label, width });
    }

    /// Whether a step has a branch.
    pub(super) fn shows(&self, address: &Address) -> bool {
        self.branches.contains_key(address)
    }

    pub(super) fn step_progress(&self, address: &Address, state: &str) {
        if let Some(branch) = self.branches.get(address) {
            // The tree is one line a branch: what does not fit is cut, and its end is told when the step has ended.
            let room = self.columns.saturating_sub(branch.width + AROUND);
            let told: String = one_line(state).chars().take(room).collect();
            let state = self.shown(&self.paint.paint(Meaning::Aside, &told));
            branch.bar.set_message(format!("{}, {state}", branch.label));
        }
    }

    pub(super) fn step_finished(&mut self, address: &Address, line: &str) {
        if let Some(branch) = self.branches.remove(address) {
            branch.bar.finish_and_clear();
            self.tree.remove(&branch.bar);
        }
        self.head.inc(1);
        // What can't be drawn any more has nobody who would miss it.
        let _terminal_is_gone = self.tree.println(self.shown(&wrapped(line, self.columns)));
    }

    /// The tree draws by itself: what it gets is what the terminal gets.
    fn shown(&self, text: &str) -> String {
        for_terminal(text, self.paint.colour).into_owned()
    }

    /// Takes the tree away while something else is written.
    pub(super) fn suspend(&self, write: impl FnOnce()) {
        self.tree.suspend(write);
    }

    /// Takes the tree away for good.
    pub(super) fn end(self) {
        self.branches.values().for_each(|branch| branch.bar.finish_and_clear());
        self.head.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("templates are literals in this file").tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_as_exact_as_they_are_short() {
        let shown = [90, 9_900, 42_400, 185_000].map(|ms| elapsed(Duration::from_millis(ms)));
        assert_eq!(shown, ["0.1s", "9.9s", "42s", "3m05s"]);
    }

    #[test]
    fn every_template_is_one() {
        for template in ["{spinner} {pos}/{len} steps {elapsed}", "  ├─ {msg} {elapsed}"] {
            style(template);
        }
    }
}

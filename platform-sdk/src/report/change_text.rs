//! Changed fields as aligned rows: `path: before → after`, and a line-by-line difference where that is too long.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    escape::clean,
    line_diff::{Line, line_diff},
    style::{Meaning, Paint},
    values::{Writing, count},
};
use crate::plan::{Change, ChangeKind, Shown};

/// The columns that reports are written for, where no terminal says otherwise: the same plan is the same bytes.
pub(super) const COLUMNS: usize = 110;

/// The widest path that the others are aligned with.
const WIDEST_PATH: usize = 32;

/// Lines that stay around what differs.
const CONTEXT: usize = 3;

/// The same where values are folded.
const FOLDED_CONTEXT: usize = 1;

/// Writes changes, each line indented by `indent`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Changes {
    pub(super) paint: Paint,
    pub(super) whole: bool,
    pub(super) indent: usize,
    pub(super) columns: usize,
}

impl Changes {
    /// What is set on something that is made.
    pub(super) fn set(self, changes: &[Change]) -> String {
        let column = column(changes);
        changes.iter().map(|change| self.set_row(change, column)).collect()
    }

    /// What stands in places that are not the program's. What was there before is not known.
    pub(super) fn unmanaged(self, changes: &[Change]) -> String {
        let column = column(changes);
        let row = |change: &Change| {
            let note = match change.kind {
                ChangeKind::Add => "(was not set)",
                ChangeKind::Remove => "(was set)",
                ChangeKind::Change | ChangeKind::Drift | ChangeKind::Release => "(was another)",
            };
            let mut marks = Marks::default();
            marks.add(self.paint, Meaning::Aside, note);
            match change.after {
                Some(_) => self.marked_row(change, column, &marks),
                None => self.row(&format!("{}:", clean(&change.path)), column, &format!("(unset){}", marks.text)),
            }
        };
        changes.iter().map(row).collect()
    }

    fn set_row(self, change: &Change, column: usize) -> String {
        self.marked_row(change, column, &self.marks(change))
    }

    fn marked_row(self, change: &Change, column: usize, marks: &Marks) -> String {
        let value = change.after.as_ref().map_or(Value::Null, Shown::value);
        let writing = Writing { unknown: change.unknown, whole: self.whole };
        let label = format!("{}:", clean(&change.path));
        let width = self.width(column).saturating_sub(marks.width);
        if let [line] = writing.lines(&value, width).as_slice() {
            return self.row(&label, column, &format!("{line}{}", marks.text));
        }
        // Below its label a value has more room, and does not depend on its neighbours' names.
        let lines = writing.lines(&value, self.columns.saturating_sub(self.indent + 2));
        self.row(&label, 0, marks.text.trim_start()) + &self.below(&lines)
    }

    /// What differs on something that is there.
    pub(super) fn differing(self, changes: &[Change]) -> String {
        let rows: Vec<Change> = changes.iter().flat_map(leaves).collect();
        let column = column(&rows);
        rows.iter().map(|change| self.differing_row(change, column)).collect()
    }

    fn differing_row(self, change: &Change, column: usize) -> String {
        let old = Writing { unknown: false, whole: true };
        let new = Writing { unknown: change.unknown, whole: true };
        let label = format!("{}:", clean(&change.path));
        let marks = self.marks(change);
        let absent = || match change.kind {
            ChangeKind::Remove => Some("(default)".to_owned()),
            ChangeKind::Release => Some("(stays as it is)".to_owned()),
            ChangeKind::Add | ChangeKind::Change | ChangeKind::Drift => Some("(unset)".to_owned()),
        };
        let (was, is) = (value(change.before.as_ref()), value(change.after.as_ref()));
        let before = was.as_ref().map_or_else(absent, |value| old.inline(value));
        let after = is.as_ref().map_or_else(absent, |value| new.inline(value));
        if let (Some(before), Some(after)) = (&before, &after)
            && count(before) + count(after) + 3 + marks.width <= self.width(column)
        {
            let (before, after) = (self.paint.paint(Meaning::Bad, before), self.paint.paint(Meaning::Good, after));
            return self.row(&label, column, &format!("{before} → {after}{}", marks.text));
        }
        let heading = self.row(&label, 0, marks.text.trim_start());
        heading + &self.difference((was, old), (is, new))
    }

    /// Both sides as lines, with what they share left out.
    fn difference(self, (was, old): (Option<Value>, Writing), (is, new): (Option<Value>, Writing)) -> String {
        let width = self.columns.saturating_sub(self.indent + 4);
        if let (Some(Value::String(before)), Some(Value::String(after))) = (&was, &is)
            && old.inline(&Value::from(before.as_str())).is_some()
            && new.inline(&Value::from(after.as_str())).is_some()
        {
            let (before, after) = Writing { whole: self.whole, ..new }.compared(before, after);
            return self.diff_lines(&[Line::Old(&before), Line::New(&after)]);
        }
        let lines = |writing: Writing, value: &Option<Value>| {
            value.as_ref().map(|value| writing.lines(value, width)).unwrap_or_default()
        };
        let (before, after) = (lines(old, &was), lines(new, &is));
        let around = if self.whole { CONTEXT } else { FOLDED_CONTEXT };
        self.diff_lines(&line_diff(&before, &after, around))
    }

    fn diff_lines(self, lines: &[Line<'_>]) -> String {
        let line = |line: &Line<'_>| match line {
            Line::Same(text) => format!("  {text}"),
            Line::Old(text) => self.paint.paint(Meaning::Bad, &format!("- {text}")),
            Line::New(text) => self.paint.paint(Meaning::Good, &format!("+ {text}")),
            Line::Skipped(1) => self.paint.paint(Meaning::Aside, "  … 1 line as before"),
            Line::Skipped(lines) => self.paint.paint(Meaning::Aside, &format!("  … {lines} lines as before")),
        };
        self.below(&lines.iter().map(line).collect::<Vec<_>>())
    }

    fn marks(self, change: &Change) -> Marks {
        let mut marks = Marks::default();
        let mut mark = |meaning, text: &str| marks.add(self.paint, meaning, text);
        match change.kind {
            ChangeKind::Drift => mark(Meaning::Changed, "(drift)"),
            ChangeKind::Remove if change.after.is_some() => mark(Meaning::Aside, "(default)"),
            ChangeKind::Add | ChangeKind::Change | ChangeKind::Remove | ChangeKind::Release => {}
        }
        if change.replaces {
            mark(Meaning::Bad, "(forces replacement)");
        }
        marks
    }

    fn width(self, column: usize) -> usize {
        self.columns.saturating_sub(self.indent + column + 1).max(40)
    }

    fn row(self, label: &str, column: usize, text: &str) -> String {
        let line = format!("{:indent$}{label:column$} {text}", "", indent = self.indent);
        format!("{}\n", line.trim_end())
    }

    fn below(self, lines: &[String]) -> String {
        let indent = " ".repeat(self.indent + 2);
        lines.iter().flat_map(|line| [indent.as_str(), line, "\n"]).collect()
    }
}

#[derive(Default)]
struct Marks {
    text: String,
    width: usize,
}

impl Marks {
    fn add(&mut self, paint: Paint, meaning: Meaning, text: &str) {
        self.width += count(text) + 2;
        self.text.push_str("  ");
        self.text.push_str(&paint.paint(meaning, text));
    }
}

/// The column at which values begin.
fn column(changes: &[Change]) -> usize {
    changes
        .iter()
        .map(|change| count(&clean(&change.path)) + 1)
        .filter(|width| *width <= WIDEST_PATH)
        .max()
        .unwrap_or(0)
}

fn value(shown: Option<&Shown>) -> Option<Value> {
    shown.map(Shown::value)
}

/// A change of a map as changes of its entries: only what differs is shown.
fn leaves(change: &Change) -> Vec<Change> {
    let (Some(Value::Object(before)), Some(Value::Object(after))) =
        (value(change.before.as_ref()), value(change.after.as_ref()))
    else {
        return vec![change.clone()];
    };
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let entries = keys.into_iter().filter(|key| before.get(*key) != after.get(*key));
    let below: Vec<Change> = entries
        .flat_map(|key| {
            let (before, after) = (before.get(key).cloned(), after.get(key).cloned());
            let kind = match (&before, &after, change.kind) {
                (_, _, ChangeKind::Drift) => ChangeKind::Drift,
                (None, _, _) => ChangeKind::Add,
                _ => ChangeKind::Change,
            };
            let (before, after) = (before.map(Shown::from), after.map(Shown::from));
            leaves(&Change { path: format!("{}.{key}", change.path).into(), before, after, kind, ..change.clone() })
        })
        .collect();
    // Redacted secrets look alike: then the change is shown as it came.
    if below.is_empty() { vec![change.clone()] } else { below }
}

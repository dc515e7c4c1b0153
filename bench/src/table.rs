//! The tables that are printed.

use std::{fmt::Write as _, time::Duration};

use crate::sides::Costs;

/// One graph, measured on both sides.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) ours: Costs,
    pub(crate) theirs: Option<Costs>,
}

/// Ours, theirs and how many times less ours is, for every graph.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut text = line(["graph", "what", "ours", "terraform", "times less"]);
    for Row { name, ours, theirs } in rows {
        let theirs = theirs.as_ref();
        let mut put = |what: &str, shown: fn(f64) -> String, of: fn(&Costs) -> f64| {
            let (us, them) = (of(ours), theirs.map(of));
            let ratio = them.map_or_else(String::new, |them| format!("{:.1}", them / us));
            text += &line([name, what, &shown(us), &them.map_or_else(String::new, shown), &ratio]);
        };
        put("apply", time, |costs| costs.apply.wall.as_secs_f64());
        put("plan, nothing to do", time, |costs| costs.plan.wall.as_secs_f64());
        put("peak memory, apply", size, |costs| bytes(costs.apply.memory));
        put("peak memory, plan", size, |costs| bytes(costs.plan.memory));
        put("state", size, |costs| bytes(costs.state));
    }
    text
}

type Grown = (Costs, Option<(u64, u64)>);

/// How much more ten times as many resources cost.
pub(crate) fn growth_table(small: &Grown, large: &Grown) -> String {
    let mut text = line(["layered", "what", "10,000", "100,000", "times more"]);
    let mut put = |what: &str, shown: fn(f64) -> String, (few, many): (f64, f64)| {
        text += &line(["", what, &shown(few), &shown(many), &format!("{:.1}", many / few)]);
    };
    let wall = |of: fn(&Costs) -> Duration| (of(&small.0).as_secs_f64(), of(&large.0).as_secs_f64());
    put("apply", time, wall(|costs| costs.apply.wall));
    put("plan, nothing to do", time, wall(|costs| costs.plan.wall));
    let memory = |of: fn(&Costs) -> u64| (bytes(of(&small.0)), bytes(of(&large.0)));
    put("peak memory, apply", size, memory(|costs| costs.apply.memory));
    put("peak memory, plan", size, memory(|costs| costs.plan.memory));
    if let (Some(few), Some(many)) = (small.1, large.1) {
        put("instructions, apply", millions, (bytes(few.0), bytes(many.0)));
        put("instructions, plan", millions, (bytes(few.1), bytes(many.1)));
    }
    text
}

#[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
fn bytes(count: u64) -> f64 {
    count as f64
}

fn time(seconds: f64) -> String {
    if seconds < 1.0 { format!("{:.0} ms", seconds * 1e3) } else { format!("{seconds:.2} s") }
}

fn size(bytes: f64) -> String {
    format!("{:.1} MB", bytes / 1e6)
}

fn millions(count: f64) -> String {
    format!("{:.0} M", count / 1e6)
}

fn line(cells: [&str; 5]) -> String {
    let mut text = String::new();
    for (cell, width) in cells.iter().zip([26, 22, 12, 12, 10]) {
        let _ = write!(text, "{cell:<width$} ");
    }
    format!("{}\n", text.trim_end())
}

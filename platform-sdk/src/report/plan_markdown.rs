//! The plan for a pull request's comment: its summary as a heading, its steps folded away.

use super::{
    escape::clean,
    plan_text::{View, plan_pieces, summary_line},
    style::{END, Meaning, bare},
};
use crate::plan::Plan;

/// The plan as Markdown. The steps stand in a `diff` block, in which hosting services colour lines that begin with `+`,
/// `-` and `!`.
pub fn plan_markdown(plan: &Plan) -> String {
    let text: String = plan_pieces(plan, View { colour: true, ..View::default() }).collect();
    let steps: String = text.lines().map(|line| signed(line) + "\n").collect();
    let fence = fence(&steps);
    let (stack, project, summary) = (clean(&plan.stack), clean(&plan.project), summary_line(plan));
    let open = if plan.is_empty() { "" } else { " open" };
    format!(
        "### Stack `{stack}` of `{project}`\n\n**{summary}**\n\n<details{open}><summary>Steps</summary>\n\n\
         {fence}diff\n{steps}{fence}\n\n</details>\n\nPlan `{}`\n",
        plan.plan_id.short(),
    )
}

/// The line with the sign of its colour in the first column, which is where a `diff` block looks for it.
fn signed(line: &str) -> String {
    let text = bare(line);
    // A changed step begins with `!`, which is coloured where `~` and `±` are not.
    if let Some(rest) = text.strip_prefix('~').or_else(|| text.strip_prefix('±')) {
        return format!("!{rest}");
    }
    let below = line.trim_start_matches(' ');
    let (sign, rest) = match below.chars().next() {
        Some(mark) if mark == Meaning::Good.mark() => ('+', bare(below)),
        Some(mark) if mark == Meaning::Bad.mark() => ('-', bare(below)),
        Some(mark) if mark == Meaning::Changed.mark() => ('!', bare(below)),
        // What was and what is, on one line.
        _ if line.contains(Meaning::Good.mark()) && line.contains(&format!("{END} → ")) => ('!', bare(below)),
        _ => return text,
    };
    let margin = line.len() - below.len();
    let rest = rest.strip_prefix(['+', '-', '~']).map_or(rest.as_str(), |rest| rest);
    if margin == 0 { text } else { format!("{sign}{:1$}{rest}", "", margin - 1) }
}

/// A fence longer than any in the text: values can't end the block.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(3.max(longest + 1))
}

//! The plan for a pull request's comment: its summary as a heading, its steps folded away.

use super::plan_text::{plan_text, summary_line};
use crate::plan::Plan;

/// The plan as Markdown. The steps stand in a `diff` block, in which hosting services colour `+`, `-` and `!`.
pub fn plan_markdown(plan: &Plan) -> String {
    let text = plan_text(plan);
    let steps: String = text.lines().map(|line| signed(line) + "\n").collect();
    let fence = fence(&steps);
    let (stack, project, summary) = (&plan.stack, &plan.project, summary_line(plan));
    let open = if plan.is_empty() { "" } else { " open" };
    format!(
        "### Stack `{stack}` of `{project}`\n\n**{summary}**\n\n<details{open}><summary>Steps</summary>\n\n\
         {fence}diff\n{steps}{fence}\n\n</details>\n\nPlan `{}`\n",
        plan.plan_id.short(),
    )
}

/// A changed step begins with `!`, which is coloured where `~` and `±` are not.
fn signed(line: &str) -> String {
    match line.strip_prefix('~').or_else(|| line.strip_prefix('±')) {
        Some(rest) => format!("!{rest}"),
        None => line.to_owned(),
    }
}

/// A fence longer than any in the text: values can't end the block.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(3.max(longest + 1))
}

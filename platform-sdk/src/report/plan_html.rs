//! The plan as a page for a browser: one file, nothing fetched, each step folded under its head.

use super::{
    escape::clean,
    plan_text::{View, blocks, summary_line},
    style::{ansi, bare},
};
use crate::plan::Plan;

/// The plan as an HTML document. The same plan gives the same bytes.
pub fn plan_html(plan: &Plan) -> String {
    let title = format!("{} · {}", clean(&plan.project), clean(&plan.stack));
    let blocks = blocks(plan, View { colour: true, ..View::default() });
    let steps: String = blocks.steps.iter().map(|(head, body)| step(head, body)).collect();
    let around: String = blocks.sections.iter().map(|section| framed(section)).collect();
    let (title, summary) = (escaped(&title), escaped(&summary_line(plan)));
    let lost = if blocks.loss.is_empty() { String::new() } else { framed(&blocks.loss) };
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n\
         </head>\n<body>\n<header>\n<h1>{title}</h1>\n<p>{summary}</p>\n</header>\n{lost}<main>\n{steps}</main>\n\
         {around}<footer>Plan <code>{id}</code></footer>\n</body>\n</html>\n",
        id = plan.plan_id.as_str(),
    )
}

/// The terminal's colours, legible on both backgrounds.
const STYLE: &str = "\
:root { color-scheme: light dark; --green: light-dark(#116329, #7ee787); --yellow: light-dark(#7d4e00, #e3b341);
  --red: light-dark(#a40e26, #ff7b72); --cyan: light-dark(#1b6b72, #76e3ea); --line: light-dark(#d0d7de, #30363d); }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.3rem; margin: 0; }
header p { margin: .2rem 0 1rem; font-weight: 600; }
pre, summary, code { font: 13px/1.5 ui-monospace, monospace; }
pre { margin: 0; padding: .2rem .8rem .6rem; white-space: pre-wrap; overflow-wrap: anywhere; }
details, body > pre { border: 1px solid var(--line); border-radius: 6px; margin-bottom: .5rem; }
body > pre { padding-top: .5rem; }
summary { padding: .4rem .8rem; cursor: pointer; }
details.bare summary { list-style: none; cursor: default; }
footer { color: gray; margin-top: 1rem; }
";

fn framed(section: &str) -> String {
    format!("<pre>{}</pre>\n", coloured(section))
}

fn step(head: &str, body: &str) -> String {
    let head = coloured(head.trim_end());
    if body.is_empty() {
        return format!("<details class=\"bare\"><summary>{head}</summary></details>\n");
    }
    format!("<details open><summary>{head}</summary><pre>{}</pre></details>\n", coloured(body.trim_end()))
}

/// Terminal colours as spans, everything else escaped.
fn coloured(text: &str) -> String {
    ansi_to_html::convert(&ansi(text.trim_end())).unwrap_or_else(|_| escaped(&bare(text)))
}

fn escaped(text: &str) -> String {
    ansi_to_html::Esc(text).to_string()
}

//! Saved plans: applied exactly as they were shown, or refused with what moved.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};

use super::Surveyed;
use crate::{
    Result,
    cli::Context,
    desired::{Desired, Hash, Tree, evaluate},
    observe::Observed,
    plan::Plan,
    report::{Diagnostic, Error},
    state::Reading,
};

/// What `plan --out` writes.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Saved {
    version: u32,
    plan: Plan,
    /// HMACs of the program's secrets, by address: a plan with another password is another plan.
    secrets: BTreeMap<String, String>,
    /// The SHA-256 of the program's executable: closures are only as good as the binary they are in.
    executable: Option<Hash>,
    sandbox: bool,
}

/// The version of the file that this program writes and reads.
const VERSION: u32 = 1;

/// Writes a plan for a later `up --plan`.
pub(super) fn save(
    context: &Context,
    reading: &Reading,
    desired: &Desired,
    surveyed: &Surveyed,
    file: &Path,
) -> Result<()> {
    let saved = Saved {
        version: VERSION,
        plan: Plan::clone(&surveyed.planned.plan),
        secrets: secrets(reading, desired, &surveyed.observed),
        executable: executable(),
        sandbox: context.globals.sandbox,
    };
    let text = serde_json::to_vec_pretty(&saved)?;
    std::fs::write(file, text).map_err(|error| {
        Diagnostic::error(format!("cannot write the plan to `{}`", file.display())).detail(error.to_string()).into()
    })
}

/// Reads a saved plan.
pub(super) fn load(file: &Path) -> Result<Saved> {
    let wrong = |detail: String| {
        Diagnostic::error(format!("`{}` is not a saved plan", file.display()))
            .detail(detail)
            .hint("make one with `plan --out FILE`")
    };
    let bytes = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
    let saved: Saved = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
    if saved.version == VERSION { Ok(saved) } else { Err(wrong(format!("it has version {}", saved.version)).into()) }
}

impl Saved {
    /// Refuses unless the plan that was just made is the one that was saved.
    pub(super) fn check(
        &self,
        context: &Context,
        reading: &Reading,
        desired: &Desired,
        surveyed: &Surveyed,
    ) -> Result<()> {
        let plan = &surveyed.planned.plan;
        let mut moved = Vec::new();
        let mut differs = |same: bool, what: &str| {
            if !same {
                moved.push(what.to_owned());
            }
        };
        let same_stack = (&self.plan.project, &self.plan.stack) == (&plan.project, &plan.stack);
        differs(same_stack && self.sandbox == context.globals.sandbox, "the stack: the plan is of another one");
        differs(self.plan.base == plan.base, "the state: another run has changed it");
        differs(self.plan.desired == plan.desired, "the program: it declares something else");
        differs(self.secrets == secrets(reading, desired, &surveyed.observed), "a secret: it has another value");
        differs(self.executable == executable(), "the executable: it was built again");
        if moved.is_empty() && self.plan.plan_id != plan.plan_id {
            moved.push("reality, or the flags: the steps are others".to_owned());
        }
        if moved.is_empty() {
            return Ok(());
        }
        Err(Error::from(
            Diagnostic::error("the saved plan can't be applied any more")
                .detail(moved.join("\n"))
                .hint("look at a new plan: `plan --out FILE`"),
        ))
    }
}

fn secrets(reading: &Reading, desired: &Desired, observed: &Observed) -> BTreeMap<String, String> {
    let of = |inputs: Tree| {
        let mut found = Vec::new();
        inputs.collect_secrets(&mut found);
        found
    };
    desired
        .nodes
        .values()
        .map(|node| {
            (
                node,
                of(evaluate(&node.inputs, &mut |origin, field| {
                    observed.lookups.get(&origin.address)?.get(field).cloned()
                })),
            )
        })
        .filter(|(_, secrets)| !secrets.is_empty())
        .map(|(node, secrets)| (node.address.to_string(), reading.keys.hmac(&secrets.into())))
        .collect()
}

fn executable() -> Option<Hash> {
    let path = std::env::current_exe().ok()?;
    std::fs::read(path).ok().map(|bytes| Hash::of(&bytes))
}

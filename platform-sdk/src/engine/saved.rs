//! Saved plans: applied exactly as they were shown, or refused with what moved.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Surveyed, session::Narrowing};
use crate::{
    Result,
    cli::Context,
    desired::{Address, Desired, Hash, evaluate},
    observe::Observed,
    plan::{Op, Plan, Step},
    program::{Expr, Origin},
    report::{Diagnostic, Error},
    state::{self, Reading},
};

/// How many steps that are others are named.
const NAMED: usize = 10;

/// What `plan --out` writes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Saved {
    version: u32,
    plan: Plan,
    /// The flags that it was made with.
    narrowing: Narrowing,
    /// What the program's secrets were: a plan with another password is another plan.
    secrets: Secrets,
    /// The SHA-256 of the program's executable: closures are only as good as the binary they are in.
    executable: Option<Hash>,
    sandbox: bool,
}

/// The program's secrets, told apart but not told.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Secrets {
    /// HMACs under the stack's key, by place.
    Hmacs(BTreeMap<String, String>),
    /// The stack has no key yet: one slow fingerprint of all of them.
    Fingerprint { salt: String, of_all: Hash },
    /// There are none.
    None,
}

/// The version of the file that this program writes and reads.
const VERSION: u32 = 1;

/// Reads a saved plan.
pub(super) fn load(file: &Path) -> Result<Saved> {
    let bytes = std::fs::read(file).map_err(|error| wrong(file, error.to_string()))?;
    parse(&bytes, file)
}

/// A saved plan from its bytes.
pub(crate) fn parse(bytes: &[u8], file: &Path) -> Result<Saved> {
    let saved: Saved = serde_json::from_slice(bytes).map_err(|error| wrong(file, error.to_string()))?;
    if saved.version == VERSION {
        Ok(saved)
    } else {
        Err(wrong(file, format!("it has version {}", saved.version)).into())
    }
}

fn wrong(file: &Path, detail: String) -> Diagnostic {
    Diagnostic::error(format!("`{}` is not a saved plan", file.display()))
        .detail(detail)
        .hint("make one with `plan --out FILE`")
}

/// What a plan is narrowed to: a saved one to what it was made with.
pub(super) fn narrowing(saved: Option<&Saved>, flags: Narrowing) -> Result<Narrowing> {
    match saved {
        None => Ok(flags),
        Some(saved) if flags.is_none() || flags == saved.narrowing => Ok(saved.narrowing.clone()),
        Some(_) => Err(Diagnostic::error("a saved plan is not narrowed any further")
            .detail("--target, --exclude and --replace are those that it was made with")
            .hint("leave them out, or make a new plan with them: `plan --out FILE`")
            .into()),
    }
}

/// Refuses to save a plan that was made without the key to the secrets: what it does to them nobody has compared, so that
/// what is applied could be another than what was looked at.
pub(super) fn needs_no_key(keyless: Option<String>) -> Result<()> {
    let Some(why) = keyless else { return Ok(()) };
    Err(Diagnostic::error("a plan that is to be applied needs the key to the secrets")
        .detail(why)
        .hint("save it where the key is, or leave out --out: `--report` and `--json` need none")
        .into())
}

impl Saved {
    /// A plan for a later `up --plan`.
    pub(super) async fn of(
        context: &Context,
        reading: &Reading,
        desired: &Desired,
        surveyed: &Surveyed,
        narrowing: Narrowing,
    ) -> Result<Self> {
        let secrets = Secrets::of(reading, secrets(desired, &surveyed.observed), None).await?;
        let (plan, sandbox) = (Plan::clone(&surveyed.planned.plan), context.globals.sandbox);
        Ok(Self { version: VERSION, plan, narrowing, secrets, executable: executable(), sandbox })
    }

    pub(super) fn write(&self, file: &Path) -> Result<()> {
        let text = serde_json::to_vec_pretty(self)?;
        std::fs::write(file, text).map_err(|error| {
            Diagnostic::error(format!("cannot write the plan to `{}`", file.display())).detail(error.to_string()).into()
        })
    }

    /// Refuses unless the plan that was just made is the one that was saved.
    pub(super) async fn check(
        &self,
        context: &Context,
        reading: &Reading,
        desired: &Desired,
        surveyed: &Surveyed,
    ) -> Result<()> {
        let plan = &*surveyed.planned.plan;
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
        differs(self.executable == executable(), "the executable: it was built again");
        moved.extend(self.secrets.moved(reading, secrets(desired, &surveyed.observed)).await?);
        if moved.is_empty() && self.plan.plan_id != plan.plan_id {
            moved.push("reality: it asks for other steps".to_owned());
            moved.extend(others(&self.plan, plan));
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

impl Secrets {
    async fn of(reading: &Reading, secrets: BTreeMap<String, Value>, salt: Option<&str>) -> Result<Self> {
        if secrets.is_empty() {
            return Ok(Self::None);
        }
        if salt.is_none() && reading.keys.are_made() {
            let hmac = |(place, values): (String, Value)| (place, reading.keys.hmac(&values));
            return Ok(Self::Hmacs(secrets.into_iter().map(hmac).collect()));
        }
        let salt = salt.map_or_else(state::salt, str::to_owned);
        let of_all = state::fingerprint(&secrets.into_iter().collect::<serde_json::Map<_, _>>().into(), &salt).await?;
        Ok(Self::Fingerprint { salt, of_all })
    }

    /// What is no longer what it was, in words.
    async fn moved(&self, reading: &Reading, secrets: BTreeMap<String, Value>) -> Result<Vec<String>> {
        let salt = match self {
            Self::Fingerprint { salt, .. } => Some(salt.as_str()),
            Self::Hmacs(_) | Self::None => None,
        };
        let now = Self::of(reading, secrets, salt).await?;
        Ok(match (self, &now) {
            (was, now) if was == now => Vec::new(),
            (Self::Hmacs(was), Self::Hmacs(now)) => {
                let places: BTreeSet<&String> = was.keys().chain(now.keys()).collect();
                let moved = places.into_iter().filter(|place| was.get(*place) != now.get(*place));
                moved.map(|place| format!("a secret of `{place}`: it has another value")).collect()
            }
            _ => vec!["a secret: it has another value".to_owned()],
        })
    }
}

/// The secrets that a program gives, or looks up, by the resource or output that they are in.
fn secrets(desired: &Desired, observed: &Observed) -> BTreeMap<String, Value> {
    let given = |expr: &Expr| {
        let mut found = Vec::new();
        let looked_up = |origin: &Origin, field: &str| observed.lookups.get(&origin.address)?.get(field).cloned();
        evaluate(expr, &mut { looked_up }).collect_secrets(&mut found);
        Value::from(found)
    };
    let nodes = desired.nodes.values().map(|node| (node.address.to_string(), given(&node.inputs)));
    let exports = desired.exports.iter().map(|(name, expr)| (format!("output {name}"), given(expr)));
    nodes.chain(exports).filter(|(_, found)| found.as_array().is_some_and(|found| !found.is_empty())).collect()
}

/// The steps that are not what they were, in words.
fn others(was: &Plan, is: &Plan) -> Vec<String> {
    let by_address = |plan: &Plan| -> BTreeMap<Address, Vec<Step>> {
        let mut steps: BTreeMap<Address, Vec<Step>> = BTreeMap::new();
        for step in &plan.steps {
            steps.entry(step.address.clone()).or_default().push(step.clone());
        }
        steps
    };
    let (before, now) = (by_address(was), by_address(is));
    let addresses: BTreeSet<&Address> = before.keys().chain(now.keys()).collect();
    let differing: Vec<&Address> =
        addresses.into_iter().filter(|address| before.get(*address) != now.get(*address)).collect();
    let name = |steps: Option<&Vec<Step>>| {
        let ops = steps.into_iter().flatten().map(|step| step.op.name());
        let ops = ops.collect::<Vec<_>>().join(" and ");
        if ops.is_empty() { Op::Keep.name().to_owned() } else { ops }
    };
    let mut said: Vec<String> = differing
        .iter()
        .take(NAMED)
        .map(|address| match (name(before.get(*address)), name(now.get(*address))) {
            (was, is) if was == is => format!("  `{address}`: {is}, of other values"),
            (was, is) => format!("  `{address}`: {is}, not {was}"),
        })
        .collect();
    if differing.len() > NAMED {
        said.push(format!("  and {} more", differing.len() - NAMED));
    }
    if was.exports != is.exports {
        said.push("  the outputs of the stack".to_owned());
    }
    if said.is_empty() {
        said.push("  the same ones in another order".to_owned());
    }
    said
}

fn executable() -> Option<Hash> {
    let path = std::env::current_exe().ok()?;
    std::fs::read(path).ok().map(|bytes| Hash::of(&bytes))
}

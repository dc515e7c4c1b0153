//! The head: the one small file that says which snapshot a stack is at, written by compare-and-swap alone.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::damage;
use crate::{desired::Hash, report::Diagnostic};

/// The version of everything in a state directory.
pub const FORMAT_VERSION: u32 = 6;

/// No run, snapshot or part of a journal has a number as high as this. What counts on from one stays a number.
pub(super) const NO_NUMBER: u64 = 1 << 53;

/// Which world a state speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum World {
    /// The services themselves.
    Real,
    /// The sandbox's.
    Sandbox,
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Real => "real",
            Self::Sandbox => "sandbox",
        })
    }
}

/// Why there is nothing more to do in a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Left {
    /// It is the state of a project of this name now.
    MovedTo(String),
    /// It is being removed.
    Removed,
}

/// `head.json`. All fields are always there, apart from the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The format's version.
    pub version: u32,
    /// The world that the state speaks of.
    pub world: World,
    /// How many snapshots there were.
    pub serial: u64,
    /// The last run that wrote anything: every such run has its own, higher than all before.
    pub fence: u64,
    /// The snapshot that the stack is at; `None` before the first.
    pub snapshot: Option<Hash>,
    /// The snapshot before.
    pub parent: Option<Hash>,
    /// When this was written, RFC 3339.
    pub at: String,
    /// Who wrote it.
    pub by: String,
    /// The commit of the program's repository, where it is known.
    pub commit: Option<String>,
    /// Why the state was left; `None` as long as it is worked on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Left>,
}

impl Left {
    /// The refusal of what would work on a state that was left.
    pub(super) fn refusal(&self, project: &str, stack: &str) -> Diagnostic {
        match self {
            Self::MovedTo(now) => {
                Diagnostic::error(format!("the state of `{project}/{stack}` is that of `{now}/{stack}` now"))
                    .detail("its project was renamed, and it was brought along; what it was until then stays here")
                    .hint(format!("run the program of project `{now}`, and refer to its stacks by that name"))
            }
            Self::Removed => Diagnostic::error(format!("the state of `{project}/{stack}` was not removed to its end"))
                .detail("it owned nothing when that began")
                .hint(format!("`stack remove {stack}` removes the rest")),
        }
    }
}

impl Head {
    /// Reads one.
    ///
    /// # Errors
    /// When it is of a newer version or not a head at all.
    pub(super) fn parse(bytes: &[u8], place: &str) -> Result<Self, Diagnostic> {
        let head: Self = parse(bytes, place, "the head of a stack")?;
        match head.version {
            1..=FORMAT_VERSION => numbered(place, [("fence", head.fence), ("serial", head.serial)]).map(|()| head),
            later if later > FORMAT_VERSION => Err(newer(place, later.into())),
            _ => Err(damage(place, "there never was such a version")),
        }
    }

    /// Its bytes.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("a head is plain data");
        bytes.push(b'\n');
        bytes
    }
}

/// Refuses numbers that nothing can have been given.
///
/// # Errors
/// Which one it is.
pub(super) fn numbered<const N: usize>(place: &str, numbers: [(&str, u64); N]) -> Result<(), Diagnostic> {
    match numbers.into_iter().find(|(_, number)| *number >= NO_NUMBER) {
        Some((name, number)) => Err(damage(place, &format!("its {name} is {number}, which nothing can have reached"))),
        None => Ok(()),
    }
}

/// Reads a versioned document, and refuses a newer one by name.
pub(super) fn parse<'de, T: Deserialize<'de>>(bytes: &'de [u8], place: &str, what: &str) -> Result<T, Diagnostic> {
    serde_json::from_slice(bytes).map_err(|error| match version(bytes) {
        Some(version) if version > u64::from(FORMAT_VERSION) => newer(place, version),
        _ => damage(place, &format!("it is not {what}: {error}")),
    })
}

/// The version that a document says it has.
pub(super) fn version(bytes: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u64,
    }
    serde_json::from_slice::<Versioned>(bytes).ok().map(|versioned| versioned.version)
}

/// The refusal of a newer version.
pub(super) fn newer(place: &str, version: u64) -> Diagnostic {
    Diagnostic::error(format!("`{place}` was written by a newer version of this program's SDK"))
        .detail(format!("its format is version {version}; this one reads version {FORMAT_VERSION}"))
        .hint("update platform-sdk in Cargo.toml; nothing was changed")
}

impl World {
    /// Refuses to use the state of one world for the other.
    ///
    /// # Errors
    /// When the state's world is not this one.
    pub(super) fn check(self, recorded: Self, stack: &str) -> Result<(), Diagnostic> {
        if self == recorded {
            return Ok(());
        }
        let problem =
            Diagnostic::error(format!("the state of `{stack}` is of the {recorded} world, not of the {self} one"));
        Err(match self {
            Self::Real => problem
                .detail("what it lists exists in a sandbox only")
                .hint("add `--sandbox`, or choose another place with `--state` or another stack with `--stack`"),
            Self::Sandbox => problem
                .detail("what it lists exists for real, and a sandbox knows nothing of it")
                .hint("leave out `--sandbox`, or choose another place with `--state` or another stack with `--stack`"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Head {
        Head {
            version: FORMAT_VERSION,
            world: World::Real,
            serial: 3,
            fence: 5,
            snapshot: Some(Hash::of(b"new")),
            parent: None,
            at: "2026-01-02T03:04:05Z".to_owned(),
            by: "ana".to_owned(),
            commit: None,
            left: None,
        }
    }

    #[test]
    fn it_has_exactly_the_documented_fields() {
        let value: serde_json::Value = serde_json::from_slice(&head().bytes()).expect("JSON");
        let fields: Vec<&str> = value.as_object().expect("an object").keys().map(String::as_str).collect();
        let mut wanted = ["version", "world", "serial", "fence", "snapshot", "parent", "at", "by", "commit"];
        wanted.sort_unstable();
        assert_eq!(fields, wanted);
        assert_eq!(Head::parse(&head().bytes(), "head.json"), Ok(head()));
    }

    #[test]
    fn newer_versions_and_foreign_files_are_refused_by_name() {
        let of = |version: u32| format!("\"version\": {version}");
        let text = String::from_utf8(head().bytes()).expect("text");
        let newer = text.replace(&of(FORMAT_VERSION), &format!("{}, \"x\": 1", of(FORMAT_VERSION + 1)));
        let said = Head::parse(newer.as_bytes(), "p/s/head.json").expect_err("newer").to_string();
        assert!(said.contains("`p/s/head.json` was written by a newer version"), "{said}");
        let said = Head::parse(b"{\"name\": 1}", "p/s/head.json").expect_err("foreign").to_string();
        assert!(said.contains("`p/s/head.json` is damaged"), "{said}");
    }

    #[test]
    fn each_world_refuses_the_other_and_names_the_flag() {
        let said = World::Real.check(World::Sandbox, "acme/prod").expect_err("sandbox state").to_string();
        assert!(said.contains("add `--sandbox`"), "{said}");
        let said = World::Sandbox.check(World::Real, "acme/prod").expect_err("real state").to_string();
        assert!(said.contains("leave out `--sandbox`"), "{said}");
    }
}

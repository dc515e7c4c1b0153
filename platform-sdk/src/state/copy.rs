//! Copying a stack's state to another store: every object as it is, verified on both sides, the head last.

use bytes::Bytes;

use super::{Condition, Lease, Location, StoreError, history};
use crate::{Result, desired::Hash, report::Diagnostic};

/// What was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Copied {
    /// Objects, the head included.
    pub objects: usize,
    /// Snapshots among them, each of which has the hash that its name says.
    pub snapshots: usize,
    /// Bytes.
    pub bytes: usize,
}

/// Copies a stack. What an interrupted copy left at the destination is taken up; anything else there is refused.
///
/// # Errors
/// When something is damaged, the destination is the same place or holds another state of this stack, or it could not keep the key that the
/// stack's secrets are encrypted with.
pub async fn copy(under: &Lease, from: &Location, to: &Location) -> Result<Copied> {
    if from.is(to) {
        let problem = Diagnostic::error(format!("stack `{}` is in {} already", from.stack(), to.store.name()));
        return Err(problem.hint("name another place to copy it to").into());
    }
    let head = from.key("head.json");
    let Some(at) = from.store.get(&head).await.map_err(Diagnostic::from)? else {
        let problem = Diagnostic::error(format!("stack `{}` has no state yet", from.stack()));
        return Err(problem.hint("`up` writes the first one").into());
    };
    let there = to.store.get(&to.key("head.json")).await.map_err(Diagnostic::from)?;
    if there.is_some_and(|there| there.bytes != at.bytes) {
        return Err(another(to, "head.json").into());
    }
    // What is not whole here would not be there, and there it would be too late to say so.
    if let Some(problem) = history(from).await?.broken {
        return Err(problem.into());
    }
    copy_key(under, from, to).await?;
    let mut copied = Copied::default();
    let lease = from.key("lease.json");
    for key in from.store.list(&from.stack()).await.map_err(Diagnostic::from)? {
        if key == head || key == lease {
            continue;
        }
        let Some(object) = from.store.get(&key).await.map_err(Diagnostic::from)? else { continue };
        if let Some(name) = key.strip_prefix(&from.key("snapshots/")) {
            verify(from, &key, name, &object.bytes)?;
            copied.snapshots += 1;
        }
        place(to, &key, &object.bytes).await?;
        copied.objects += 1;
        copied.bytes += object.bytes.len();
    }
    // Without its head the copy is no state yet: nobody starts from half of it.
    place(to, &head, &at.bytes).await?;
    Ok(Copied { objects: copied.objects + 1, bytes: copied.bytes + at.bytes.len(), ..copied })
}

/// Writes an object where none is, reads it back, and compares.
async fn place(to: &Location, key: &str, bytes: &[u8]) -> Result<(), Diagnostic> {
    match to.store.put(key, Bytes::copy_from_slice(bytes), Condition::Absent).await {
        Ok(_) | Err(StoreError::Conflict(_)) => {}
        Err(error) => return Err(error.into()),
    }
    match to.store.get(key).await? {
        Some(object) if object.bytes == bytes => Ok(()),
        _ => Err(another(to, key.rsplit('/').next().unwrap_or(key))),
    }
}

/// The history is whole: this is none of its snapshots.
fn verify(from: &Location, key: &str, name: &str, bytes: &[u8]) -> Result<(), Diagnostic> {
    if name == format!("{}.json", Hash::of(bytes)) {
        return Ok(());
    }
    let problem = Diagnostic::error(format!("`{}` is no snapshot", from.shown(key)));
    Err(problem.detail("its content is not what its name says, and nothing refers to it").hint("move it away"))
}

fn another(to: &Location, name: &str) -> Diagnostic {
    Diagnostic::error(format!("there is another state of `{}` in {}", to.stack(), to.store.name()))
        .detail(format!("its `{name}` is not the one that would be copied; nothing of it was changed"))
        .hint("choose another place, or move that state away first")
}

/// Secrets that were encrypted with the key that one store keeps need it in the other.
async fn copy_key(under: &Lease, from: &Location, to: &Location) -> Result<(), Diagnostic> {
    if !under.reading().keys.are_in_the_store() {
        return Ok(());
    }
    let Some(key) = from.store.own_key(false).await? else { return Ok(()) };
    if to.store.keep_key(&key).await? {
        return Ok(());
    }
    let problem = Diagnostic::error(format!("the secrets of `{}` would not open in {}", from.stack(), to.store.name()));
    let why = match to.store.own_key_file() {
        Some(file) => format!("the key file there, `{}`, is that of other stacks", file.display()),
        None => "that place keeps no key files".to_owned(),
    };
    Err(problem
        .detail(format!("they are encrypted with a key file beside the state; {why}"))
        .hint("first encrypt them another way: set PLATFORM_PASSPHRASE, then `state rotate-key`"))
}

//! The folders above an object: made when they are missing, and taken away again when nothing is left in them.

use platform_sdk::provider::{ErrorKind, ProviderResult};
use serde_json::{Value, json};

use crate::client::{Client, Outcome};

/// The folder that a path is in.
fn parent(path: &str) -> Option<&str> {
    let (parent, _) = path.trim_end_matches('/').rsplit_once('/')?;
    (!parent.is_empty()).then_some(parent)
}

/// Makes the folders above `path`, and gives those that were missing, the innermost first.
pub(super) async fn make_above(client: &Client, path: &str) -> ProviderResult<Vec<String>> {
    let mut missing = Vec::new();
    let mut at = parent(path);
    while let Some(folder) = at {
        let status = client.get("/api/2.0/workspace/get-status").query("path", folder).send::<Value>().await;
        if status.or_absent()?.is_some() {
            break;
        }
        missing.push(folder.to_owned());
        at = parent(folder);
    }
    if let Some(innermost) = missing.first() {
        let mkdirs = client.post("/api/2.0/workspace/mkdirs").json(&json!({ "path": innermost }));
        mkdirs.safe_to_repeat(true).done().await?;
    }
    Ok(missing)
}

/// Takes away the folders that a create made, as far as they are empty.
pub(super) async fn remove_empty(client: &Client, folders: &[String]) -> ProviderResult<()> {
    for folder in folders {
        let delete = client.post("/api/2.0/workspace/delete").json(&json!({ "path": folder }));
        match delete.safe_to_repeat(true).done().await {
            Ok(()) => {}
            // Somebody else's things are in it: it stays, and with it all above it.
            Err(error) if matches!(error.kind, ErrorKind::Conflict | ErrorKind::Denied) => break,
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.while_doing(format!("delete the empty folder `{folder}`"))),
        }
    }
    Ok(())
}

//! What is in a bucket: listed for plans, and removed with every version before a forced delete.

use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use platform_sdk::provider::{Content, ErrorKind, ProviderError, ProviderResult};

use crate::{client::Client, error::Answer};

/// How many objects a plan names: enough to see what would be lost.
const NAMED: i32 = 100;

/// The first objects, whichever versions of them there are.
pub(super) async fn first(client: &Client, bucket: &str, region: &str) -> ProviderResult<Vec<Content>> {
    let call = client.s3(region).list_object_versions().bucket(bucket).max_keys(NAMED);
    let Some(page) = call.send().await.unless_absent(format!("list bucket `{bucket}`"))? else { return Ok(Vec::new()) };
    let mut keys: Vec<String> = page.versions().iter().filter_map(|version| version.key.clone()).collect();
    keys.extend(page.delete_markers().iter().filter_map(|marker| marker.key.clone()));
    keys.sort();
    keys.dedup();
    Ok(keys.into_iter().map(|key| Content { type_name: "aws:Object", id: format!("s3://{bucket}/{key}") }).collect())
}

/// Removes every version and every delete marker, page by page.
pub(super) async fn remove_all(client: &Client, bucket: &str, region: &str, what: &str) -> ProviderResult<()> {
    let s3 = client.s3(region);
    let mut before: Vec<ObjectIdentifier> = Vec::new();
    loop {
        // Always the first page: what it named is gone before the next is asked for.
        let page = s3.list_object_versions().bucket(bucket).send().await.unless_absent(what)?;
        let Some(page) = page else { return Ok(()) };
        let versions = page.versions().iter().map(|version| (&version.key, &version.version_id));
        let markers = page.delete_markers().iter().map(|marker| (&marker.key, &marker.version_id));
        let objects = versions.chain(markers).map(|(key, version)| {
            let object = ObjectIdentifier::builder().key(key.clone().unwrap_or_default());
            object.set_version_id(version.clone()).build()
        });
        let objects = objects.collect::<Result<Vec<_>, _>>().map_err(|error| unsendable(what, error))?;
        if objects.is_empty() {
            return Ok(());
        }
        if objects == before {
            let message = format!("{what}: the service lists again what it says it has deleted");
            return Err(ProviderError::new(ErrorKind::Conflict, message)
                .hint("something else may put these objects there; stop it, and run the command again"));
        }
        before.clone_from(&objects);
        let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build();
        let delete = delete.map_err(|error| unsendable(what, error))?;
        let answer = s3.delete_objects().bucket(bucket).delete(delete).send().await.doing(what)?;
        if let Some(refused) = answer.errors().first() {
            let (key, why) =
                (refused.key().unwrap_or_default(), refused.message().or(refused.code()).unwrap_or_default());
            let kind = if refused.code() == Some("AccessDenied") { ErrorKind::Denied } else { ErrorKind::Conflict };
            let message = format!("{what}: object `{key}` can't be deleted: {}", why.trim_end_matches('.'));
            return Err(ProviderError::new(kind, message)
                .hint("a lock or a bucket policy may keep it; lift it, or delete the object by hand"));
        }
    }
}

fn unsendable(what: &str, error: aws_sdk_s3::error::BuildError) -> ProviderError {
    ProviderError::new(ErrorKind::Invalid { field: None }, what).caused_by(error)
}

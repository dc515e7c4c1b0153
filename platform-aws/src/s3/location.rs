//! Where a bucket is: names are the world's, but only one region answers for each.

use aws_sdk_s3::{error::SdkError, operation::head_bucket::HeadBucketError};
use platform_sdk::provider::{ErrorKind, ProviderResult};

use crate::{client::Client, error::Answer};

/// Where buckets are asked for when nothing better is known.
const FIRST: &str = "us-east-1";

/// The bucket's region, or `None` where there is no such bucket. `guess` is asked first; wrong ones name the right one.
pub(super) async fn locate(client: &Client, bucket: &str, guess: Option<&str>) -> ProviderResult<Option<String>> {
    let asked = guess.or(client.region()).unwrap_or(FIRST);
    match head(client, bucket, asked).await {
        Ok(region) => Ok(Some(region)),
        Err(error) => match told_region(&error).filter(|told| told != asked) {
            Some(told) => head(client, bucket, &told).await.unless_absent(format!("find bucket `{bucket}`")),
            None => Err(error).unless_absent(format!("find bucket `{bucket}`")),
        },
    }
}

/// The same where another account's bucket counts as none of ours.
pub(super) async fn locate_ours(client: &Client, bucket: &str, guess: Option<&str>) -> ProviderResult<Option<String>> {
    match locate(client, bucket, guess).await {
        Err(error) if error.kind == ErrorKind::Denied => Ok(None),
        other => other,
    }
}

async fn head(client: &Client, bucket: &str, region: &str) -> Result<String, SdkError<HeadBucketError>> {
    let answer = client.s3(region).head_bucket().bucket(bucket).send().await?;
    Ok(answer.bucket_region.unwrap_or_else(|| region.to_owned()))
}

fn told_region(error: &SdkError<HeadBucketError>) -> Option<String> {
    error.raw_response()?.headers().get("x-amz-bucket-region").map(str::to_owned)
}

//! `-v`: every request to AWS, once it was answered or lost: what it asks for, how, where, its status and how long it took.
//! Nothing of its query, headers or body. What has changed something is counted.

use std::time::Instant;

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{
            Intercept,
            context::{BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef},
        },
        orchestrator::Metadata,
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use platform_sdk::provider::changed;

/// Logs the requests of a client.
#[derive(Debug)]
pub(crate) struct Requests;

/// A request that left. The client gives the request itself away when it sends it.
#[derive(Debug, Clone)]
struct Sent {
    method: String,
    at: String,
    start: Instant,
}

impl Storable for Sent {
    type Storer = StoreReplace<Self>;
}

impl Intercept for Requests {
    fn name(&self) -> &'static str {
        "Requests"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        let (method, at) = (request.method().to_owned(), host_and_path(request.uri()).to_owned());
        bag.interceptor_state().store_put(Sent { method, at, start: Instant::now() });
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // An attempt may end before it sends anything: for want of credentials.
        let Some(Sent { method, at, start }) = bag.load::<Sent>().cloned() else { return Ok(()) };
        bag.interceptor_state().unset::<Sent>();
        let status = context.response().map_or(0, |response| response.status().as_u16());
        if bag.load::<Metadata>().is_some_and(|asked| (200..300).contains(&status) && changes(asked.name())) {
            changed();
        }
        let operation = bag.load::<Metadata>().map_or_else(String::new, |it| format!("{}.{}", it.service(), it.name()));
        let ms = start.elapsed().as_millis();
        tracing::debug!(%operation, %method, %at, status, ms, "request");
        Ok(())
    }
}

/// Whether an operation changes anything, by its name.
fn changes(operation: &str) -> bool {
    const READS: [&str; 8] = ["AssumeRole", "Decrypt", "Describe", "Encrypt", "GenerateDataKey", "Get", "Head", "List"];
    !READS.iter().any(|read| operation.starts_with(read))
}

/// A query may hold a signature, and what stands before a host may be a login.
fn host_and_path(uri: &str) -> &str {
    let uri = uri.split_once('?').map_or(uri, |(before, _)| before);
    let at = uri.split_once("://").map_or(uri, |(_, at)| at);
    let host = at.find('/').unwrap_or(at.len());
    at[..host].rfind('@').map_or(at, |login| &at[login + 1..])
}

#[cfg(test)]
mod tests {
    use super::{changes, host_and_path};

    #[test]
    fn neither_a_query_nor_a_login_is_shown() {
        for (uri, shown) in [
            ("https://lake.s3.eu-west-1.amazonaws.com/a/b?X-Amz-Signature=5ec", "lake.s3.eu-west-1.amazonaws.com/a/b"),
            ("http://me:5ec@127.0.0.1:4566/lake@home?x=http://y/", "127.0.0.1:4566/lake@home"),
            ("http://127.0.0.1:4566?Action=GetRole", "127.0.0.1:4566"),
            ("/lake", "/lake"),
        ] {
            assert_eq!(host_and_path(uri), shown);
        }
    }

    #[test]
    fn what_changes_something_is_told_from_what_reads() {
        for (operation, expected) in [
            ("CreateBucket", true),
            ("TagRole", true),
            ("GetRole", false),
            ("ListObjectsV2", false),
            ("HeadBucket", false),
        ] {
            assert_eq!(changes(operation), expected, "{operation}");
        }
    }
}

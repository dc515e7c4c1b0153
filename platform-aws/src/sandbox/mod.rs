//! The AWS sandbox: S3 (REST/XML), IAM and STS (query) on one port, told apart by the credential scope of the signature.
//!
//! Signatures are not verified; that there is one, for a service and a region, is. Unknown actions, parameters,
//! sub-resources and XML elements are refused. Names that start with `taken-` are buckets of another account.

mod auth;
mod clock;
mod iam;
mod params;
mod problem;
mod s3;
mod sts;
mod xml;

use platform_sdk::sandbox::{Refusal, Request, Response, Service, World};
use serde_json::Value;

use self::{auth::Protocol, params::Params, problem::Problem};

/// The account that the sandbox is.
pub const ACCOUNT: &str = "123456789012";
/// Who calls, unless a role was assumed.
pub const CALLER_ARN: &str = "arn:aws:iam::123456789012:user/sandbox";

/// S3, IAM and STS of one account, in memory and on loopback.
#[derive(Debug, Clone, Copy, Default)]
pub struct AwsSandbox;

impl Service for AwsSandbox {
    fn name(&self) -> &'static str {
        "aws"
    }

    /// An account without buckets and roles.
    fn seed(&self, _world: &mut World) {}

    fn handle(&self, request: &Request, world: &mut World) -> Response {
        let protocol = auth::protocol(request);
        let now_ms = world.now_ms();
        let answer = auth::caller(request, now_ms).and_then(|caller| match caller.service.as_str() {
            "s3" => s3::handle(request, &caller, world),
            "iam" => iam::handle(Params::of(request)?, world),
            "sts" => sts::handle(Params::of(request)?, &caller, world),
            other => Err(Problem::new(400, "UnknownService", format!("the sandbox does not serve {other}"))),
        });
        let request_id = clock::request_id(now_ms);
        match (answer, protocol) {
            (Ok(response), Protocol::S3) => {
                response.header("x-amz-request-id", request_id).header("x-amz-id-2", HOST_ID)
            }
            (Ok(response), Protocol::Query) => response.header("x-amzn-requestid", request_id),
            (Err(problem), Protocol::S3) => problem.into_s3(request, &request_id),
            (Err(problem), Protocol::Query) => problem.into_query(&request_id),
        }
    }

    fn refuse(&self, refusal: Refusal) -> Response {
        refused(refusal, Protocol::Query).into_query(&clock::request_id(0))
    }

    fn refuse_request(&self, request: &Request, refusal: Refusal) -> Response {
        match auth::protocol(request) {
            Protocol::S3 => refused(refusal, Protocol::S3).into_s3(request, &clock::request_id(0)),
            Protocol::Query => self.refuse(refusal),
        }
    }

    fn exports(&self, base_url: &str) -> Vec<(String, String)> {
        let pairs = [
            ("AWS_ENDPOINT_URL", base_url),
            ("AWS_ACCESS_KEY_ID", "AKIASANDBOX000000000"),
            ("AWS_SECRET_ACCESS_KEY", "sandbox"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    /// Parameters of the query protocol and settings of buckets; never the content of objects.
    fn loggable_body(&self, request: &Request) -> Option<Value> {
        match auth::protocol(request) {
            Protocol::Query => Some(Params::of(request).ok()?.into_json()),
            Protocol::S3 if s3::is_about_content(request) || request.body.is_empty() => None,
            Protocol::S3 => Some(Value::String(String::from_utf8_lossy(&request.body).into_owned())),
        }
    }

    /// Virtual-host style: `bucket.s3.eu-west-1.amazonaws.com`. No web page can have such a name lead here.
    fn is_its_name(&self, name: &str) -> bool {
        name.ends_with(".amazonaws.com")
    }

    /// S3 takes 5 GiB in one put; here an object stands in memory and in the world's file.
    fn largest_body(&self) -> usize {
        64 << 20
    }

    fn is_read(&self, request: &Request) -> bool {
        match auth::protocol(request) {
            Protocol::S3 => matches!(request.method.as_str(), "GET" | "HEAD"),
            Protocol::Query => Params::of(request).is_ok_and(|params| {
                // AssumeRole makes credentials, and nothing that anyone could list.
                let action = params.peek("Action").unwrap_or_default();
                action.starts_with("Get") || action.starts_with("List") || action == "AssumeRole"
            }),
        }
    }
}

/// S3's second request id, which only its support can read.
const HOST_ID: &str = "c2FuZGJveA==";

fn refused(refusal: Refusal, protocol: Protocol) -> Problem {
    match (refusal, protocol) {
        (Refusal::Throttled, Protocol::S3) => Problem::new(503, "SlowDown", "Please reduce your request rate."),
        (Refusal::Throttled, Protocol::Query) => Problem::new(400, "Throttling", "Rate exceeded"),
        (Refusal::Internal, Protocol::S3) => {
            Problem::new(500, "InternalError", "We encountered an internal error. Please try again.")
        }
        (Refusal::Internal, Protocol::Query) => {
            let message = "The request processing has failed because of an unknown error, exception or failure.";
            Problem::new(500, "ServiceFailure", message)
        }
        (Refusal::Unavailable, Protocol::S3) => {
            Problem::new(503, "ServiceUnavailable", "Service is unable to handle request.")
        }
        (Refusal::Unavailable, Protocol::Query) => {
            Problem::new(503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server.")
        }
    }
}

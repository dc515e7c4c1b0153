//! One S3 request: the bucket and key that it addresses, and the region that it was signed for.

use platform_sdk::sandbox::{Request, World};

use super::{buckets::Bucket, names};
use crate::sandbox::{ACCOUNT, auth::Caller, problem::Problem, xml};

/// A request with its address taken apart. An empty bucket addresses the service, an empty key the bucket.
pub(super) struct Call<'a> {
    pub(super) request: &'a Request,
    pub(super) region: &'a str,
    pub(super) bucket: String,
    pub(super) key: String,
}

impl<'a> Call<'a> {
    pub(super) fn of(request: &'a Request, caller: &'a Caller) -> Result<Self, Problem> {
        let (bucket, key) = Self::address(request)?;
        if request.header("x-amz-expected-bucket-owner").is_some_and(|owner| owner != ACCOUNT) {
            return Err(denied());
        }
        Ok(Self { request, region: &caller.region, bucket, key })
    }

    /// Bucket and key of a request.
    pub(super) fn address(request: &Request) -> Result<(String, String), Problem> {
        let decoded = percent_encoding::percent_decode_str(request.path.trim_start_matches('/'))
            .decode_utf8()
            .map_err(|_| Problem::new(400, "InvalidURI", "Couldn't parse the specified URI."))?;
        if let Some(bucket) = host_bucket(request.header("host").unwrap_or_default()) {
            return Ok((bucket.to_owned(), decoded.into_owned()));
        }
        let (bucket, key) = decoded.split_once('/').unwrap_or((&decoded, ""));
        Ok((bucket.to_owned(), key.to_owned()))
    }

    /// The query without the signature and the SDKs' name of the operation.
    pub(super) fn query(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let pairs = self.request.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        pairs.filter(|(name, _)| !name.starts_with("X-Amz-") && *name != "x-id")
    }

    /// The addressed bucket, if this caller and this region can see it.
    pub(super) fn bucket(&self, world: &World) -> Result<Bucket, Problem> {
        let bucket = self.bucket_anywhere(world)?;
        if bucket.region == self.region {
            return Ok(bucket);
        }
        // The global endpoint, us-east-1, routes by name and finds the signature to be for the wrong region; the
        // others send the client elsewhere.
        let problem = if self.region == "us-east-1" {
            let message = format!(
                "The authorization header is malformed; the region 'us-east-1' is wrong; expecting '{}'",
                bucket.region
            );
            Problem::new(400, "AuthorizationHeaderMalformed", message).detail("Region", &bucket.region)
        } else {
            let message = "The bucket you are attempting to access must be addressed using the specified endpoint. \
                           Please send all future requests to this endpoint.";
            let endpoint = format!("{}.s3.{}.amazonaws.com", bucket.name, bucket.region);
            Problem::new(301, "PermanentRedirect", message).detail("Endpoint", endpoint).detail("Bucket", &bucket.name)
        };
        Err(problem.header("x-amz-bucket-region", bucket.region))
    }

    /// The addressed bucket, whatever its region.
    pub(super) fn bucket_anywhere(&self, world: &World) -> Result<Bucket, Problem> {
        if names::is_foreign(&self.bucket) {
            return Err(denied());
        }
        Bucket::by_name(world, &self.bucket).ok_or_else(|| {
            Problem::new(404, "NoSuchBucket", "The specified bucket does not exist").detail("BucketName", &self.bucket)
        })
    }

    /// The body as XML with this root.
    pub(super) fn xml(&self, root: &str) -> Result<xml::Element, Problem> {
        xml::parse(root, &super::content::body(self.request)?).map_err(|_| malformed_xml())
    }
}

/// The bucket in a virtual-host style name: `bucket.s3.eu-west-1.amazonaws.com`, `bucket.localhost`.
fn host_bucket(host: &str) -> Option<&str> {
    let name = host.split_once(':').map_or(host, |(name, _)| name);
    let bucket = [".s3.", ".s3-"].iter().find_map(|mark| name.split_once(mark)).map(|(bucket, _)| bucket);
    bucket.or_else(|| name.strip_suffix(".localhost")).filter(|bucket| !bucket.is_empty() && *bucket != "s3")
}

pub(super) fn denied() -> Problem {
    Problem::new(403, "AccessDenied", "Access Denied")
}

pub(super) fn malformed_xml() -> Problem {
    let message = "The XML you provided was not well-formed or did not validate against our published schema";
    Problem::new(400, "MalformedXML", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_may_stand_in_the_host() {
        assert_eq!(host_bucket("a.b.s3.eu-west-1.amazonaws.com"), Some("a.b"));
        assert_eq!(host_bucket("lake.s3-eu-west-1.amazonaws.com:443"), Some("lake"));
        assert_eq!(host_bucket("lake.localhost:8080"), Some("lake"));
        for plain in ["127.0.0.1:8080", "localhost:80", "s3.localhost", "s3.amazonaws.com"] {
            assert_eq!(host_bucket(plain), None, "{plain}");
        }
    }
}

//! State in a bucket, against a server that others wrote: S3 as moto serves it.

mod bucket;
mod conformance;
